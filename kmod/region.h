/* SPDX-License-Identifier: GPL-2.0-only */
/* Regions: one reserved range of one process, and the file behind it. */
#ifndef PRIVHEAP_REGION_H
#define PRIVHEAP_REGION_H

#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/rbtree.h>

#include "extents.h"
#include "process.h"
#include "quota.h"

struct mem_cgroup;

/* How many places of a region remember what was taken last, by chunk of pages. */
#define PRIVHEAP_NOTES		8
#define PRIVHEAP_NOTE_SPAN	512

/**
 * struct privheap_region - a region is an inode of the module's own file system
 * @inode: its page cache holds the region's pages, at their offset from the base
 * @account: counters of the region, the commit limit is its cap; and what else it
 *	is charged to
 * @extents: what is committed; changed under @lock
 * @lock: serialises what changes the commit: GROW, COMMIT, DECOMMIT, unmapping
 * @process: whose region it is; NULL in an inode that is no region
 * @memcg: the memory cgroup that pays for the pages, the creator's; or NULL
 * @node: in process->regions, under process->lock
 * @number: in the table of regions by number, under its lock
 * @base: address of the first page; set once, when it is mapped
 * @pages: size of the reservation
 * @mapped: how many of its pages are mapped, under process->lock
 * @base_unmapped: the first page is not mapped any more, under process->lock
 * @taken: which folios faults took last, see populate.c; guarded by nothing
 * @flags: PRIVHEAP_CREATE_*
 * @id: its number
 *
 * Who keeps what from whom:
 *
 * - mapping->invalidate_lock: held shared while pages are added to the page
 *   cache, exclusively while DECOMMIT or a rollback takes some away. Faults
 *   know the region's commit only under it, so that no page appears in a range
 *   that has been decommitted.
 * - @lock: see above. What it guards is read under extents.lock.
 * - the folio lock: a folio that is mapped is locked and in the page cache.
 *
 * Lock order:
 *
 *   mmap_lock or per-VMA lock
 *     @lock
 *       mapping->invalidate_lock
 *         folio lock
 *           i_mmap_rwsem, page table locks, i_pages
 *         extents.lock, quota.watch_lock (leaves)
 *     process->lock (a leaf)
 *
 * The system calls that unmap come with mmap_lock held. So user memory is
 * never read or written under @lock or below it.
 *
 * The inode lives as long as a mapping, or a caller at work, holds it. All that
 * a region has goes in evict_inode().
 */
struct privheap_region {
	struct inode inode;
	struct privheap_account account;
	struct privheap_extents extents;
	struct mutex lock;	/* serialises changes of @extents */
	struct privheap_process *process;
	struct mem_cgroup *memcg;
	struct rb_node node;
	struct rb_node number;
	unsigned long base;
	unsigned long pages;
	unsigned long mapped;
	bool base_unmapped;
	unsigned long taken[PRIVHEAP_NOTES];
	u32 flags;
	u64 id;
};

static inline struct privheap_region *privheap_region_of(struct inode *inode)
{
	return container_of(inode, struct privheap_region, inode);
}

static inline struct privheap_region *privheap_vma_region(struct vm_area_struct *vma)
{
	return privheap_region_of(file_inode(vma->vm_file));
}

/* region.c */
struct privheap_region *privheap_region_create(struct privheap_process *process,
					       unsigned long pages, unsigned long commit,
					       unsigned long limit, u32 flags,
					       unsigned int *denied);
int privheap_region_destroy(struct privheap_region *region);
int privheap_fs_pin(void);
void privheap_fs_unpin(void);
int privheap_fs_init(void);
void privheap_fs_exit(void);

static inline void privheap_region_put(struct privheap_region *region)
{
	iput(&region->inode);
}

/* commit.c: ranges in pages, from the base, last page included */
int privheap_commit(struct privheap_region *region, unsigned long first,
		    unsigned long last, bool populate,
		    unsigned long *committed, unsigned int *denied);
int privheap_decommit(struct privheap_region *region, unsigned long first,
		      unsigned long last, gfp_t gfp, unsigned long *committed);

/* populate.c */
struct folio *privheap_populate_fault(struct privheap_region *region, unsigned long page,
				      unsigned long first, unsigned long last);
int privheap_populate_range(struct privheap_region *region,
			    unsigned long first, unsigned long last,
			    unsigned int *denied);
bool privheap_memcg_is_current(struct privheap_region *region);

/* fault.c */
extern const struct vm_operations_struct privheap_vm_ops;

#endif /* PRIVHEAP_REGION_H */
