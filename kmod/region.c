// SPDX-License-Identifier: GPL-2.0-only
/* Regions: creation, destruction, and the file system that holds them. */
#include <linux/dcache.h>
#include <linux/file.h>
#include <linux/mm.h>
#include <linux/memcontrol.h>
#include <linux/mman.h>
#include <linux/module.h>
#include <linux/mount.h>
#include <linux/pagemap.h>
#include <linux/pseudo_fs.h>
#include <linux/slab.h>

#include "compat.h"
#include "event.h"
#include "notify.h"
#include "number.h"
#include "region.h"
#include "trace.h"

#define PRIVHEAP_FS_MAGIC	0x70687670	/* "phvp" */

static struct kmem_cache *privheap_inode_cache;
static struct vfsmount *privheap_mnt;
static int privheap_mnt_count;
static atomic64_t privheap_last_id;

static struct inode *privheap_alloc_inode(struct super_block *sb)
{
	struct privheap_region *region;

	region = alloc_inode_sb(sb, privheap_inode_cache, GFP_KERNEL);
	if (!region)
		return NULL;
	region->process = NULL;
	return &region->inode;
}

static void privheap_free_inode(struct inode *inode)
{
	kmem_cache_free(privheap_inode_cache, privheap_region_of(inode));
}

/* The one place where the pages and charges of a region end. */
static void privheap_evict_inode(struct inode *inode)
{
	struct privheap_region *region = privheap_region_of(inode);
	unsigned long committed, resident;
	bool created = region->process && !RB_EMPTY_NODE(&region->number);

	/* Observers first: they hold no reference. */
	if (created) {
		privheap_number_remove(region);
		privheap_event_region(region, false);
	}
	truncate_inode_pages_final(&inode->i_data);
	clear_inode(inode);
	if (!region->process)
		return;

	committed = privheap_quota_usage(&region->account.quota, PRIVHEAP_RESOURCE_COMMIT);
	resident = privheap_quota_usage(&region->account.quota, PRIVHEAP_RESOURCE_RESIDENT);
	trace_privheap_destroy(region->id, committed, resident);
	if (created) {
		privheap_uncharge(&region->account, PRIVHEAP_RESOURCE_RESIDENT, resident);
		privheap_uncharge(&region->account, PRIVHEAP_RESOURCE_COMMIT, committed);
	} else {
		/* CREATE has failed: it is in no peak. */
		privheap_cancel(&region->account, PRIVHEAP_RESOURCE_RESIDENT, resident);
		privheap_cancel(&region->account, PRIVHEAP_RESOURCE_COMMIT, committed);
	}
	privheap_account_remove(&region->account, region->pages);
	privheap_notify_free(&region->account.quota);
	privheap_extents_free(&region->extents);
	mem_cgroup_put(region->memcg);
	privheap_account_exit(&region->account);
	privheap_fs_unpin();
}

static const struct super_operations privheap_super_ops = {
	.alloc_inode	= privheap_alloc_inode,
	.free_inode	= privheap_free_inode,
	.evict_inode	= privheap_evict_inode,
	.statfs		= simple_statfs,
};

/* What /proc/PID/maps calls a region; it goes to the end of the buffer. */
static char *privheap_dname(struct dentry *dentry, char *buffer, int length)
{
	char name[32];
	int size;

	size = snprintf(name, sizeof(name), "privheap:[%llu]",
			privheap_region_of(d_inode(dentry))->id) + 1;
	if (size > length)
		return ERR_PTR(-ENAMETOOLONG);
	return memcpy(buffer + length - size, name, size);
}

static const struct dentry_operations privheap_dentry_ops = {
	.d_dname	= privheap_dname,
};

static int privheap_init_fs_context(struct fs_context *fc)
{
	struct pseudo_fs_context *ctx = init_pseudo(fc, PRIVHEAP_FS_MAGIC);

	if (!ctx)
		return -ENOMEM;
	ctx->ops = &privheap_super_ops;
	ctx->dops = &privheap_dentry_ops;
	/* CREATE decides which regions may be executable, not the file system. */
	fc->s_iflags &= ~SB_I_NOEXEC;
	return 0;
}

static struct file_system_type privheap_fs_type = {
	.name			= "privheap",
	.init_fs_context	= privheap_init_fs_context,
	.kill_sb		= kill_anon_super,
	.owner			= THIS_MODULE,
};

/**
 * privheap_fs_pin() - have the file system mounted
 *
 * It is mounted while the device is open or a region lives, and not by the
 * module's init: a mount pins the module.
 *
 * Return: 0 or a negative errno.
 */
int privheap_fs_pin(void)
{
	return simple_pin_fs(&privheap_fs_type, &privheap_mnt, &privheap_mnt_count);
}

/**
 * privheap_fs_unpin() - undo privheap_fs_pin()
 */
void privheap_fs_unpin(void)
{
	simple_release_fs(&privheap_mnt, &privheap_mnt_count);
}

static int privheap_region_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct privheap_region *region = privheap_region_of(file_inode(file));
	int ret;

	/*
	 * Only the create call maps, once and all of it. remap_file_pages(2)
	 * and the like come by here as well.
	 */
	if (region->base || vma->vm_pgoff || vma_pages(vma) != region->pages ||
	    !(vma->vm_flags & VM_SHARED) || vma->vm_mm != region->process->mm)
		return -EINVAL;

	/*
	 * VM_DONTEXPAND also keeps khugepaged and mlock(2) away: folio sizes
	 * are the module's own choice, and the pages never leave memory.
	 */
	vm_flags_set(vma, VM_DONTCOPY | VM_DONTEXPAND);
	if (!(region->flags & PRIVHEAP_CREATE_EXEC))
		vm_flags_clear(vma, VM_EXEC | VM_MAYEXEC);
	vma->vm_ops = &privheap_vm_ops;

	region->base = vma->vm_start;
	region->mapped = region->pages;
	ret = privheap_process_add_region(region->process, region);
	if (WARN_ON_ONCE(ret))
		vma->vm_ops = NULL;
	return ret;
}

static const struct file_operations privheap_region_fops = {
	.owner			= THIS_MODULE,
	.mmap			= privheap_region_mmap,
	.get_unmapped_area	= thp_get_unmapped_area,
};

/*
 * Root finds the inode in /proc/PID/map_files. Its size is the reservation and its
 * pages are counted, so nobody else truncates it.
 */
static int privheap_setattr(struct privheap_idmap *idmap, struct dentry *dentry,
			    struct iattr *attr)
{
	return -EPERM;
}

static const struct inode_operations privheap_region_iops = {
	.setattr		= privheap_setattr,
};

static int privheap_migrate_folio(struct address_space *mapping, struct folio *dst,
				  struct folio *src, enum migrate_mode mode)
{
	return filemap_migrate_folio(mapping, dst, src, mode);
}

static const struct address_space_operations privheap_aops = {
	.dirty_folio	= noop_dirty_folio,
	.migrate_folio	= privheap_migrate_folio,
	PRIVHEAP_ERROR_REMOVE,
};

/* A region without pages or a mapping; iput() is what undoes it. */
static struct privheap_region *region_alloc(struct privheap_process *process,
					    unsigned long pages, unsigned long limit,
					    u32 flags)
{
	struct privheap_region *region;
	struct inode *inode;
	int ret;

	ret = privheap_fs_pin();
	if (ret)
		return ERR_PTR(ret);

	inode = alloc_anon_inode(privheap_mnt->mnt_sb);
	if (IS_ERR(inode)) {
		privheap_fs_unpin();
		return ERR_CAST(inode);
	}
	/* Not linked anywhere, which also makes it dumped like anonymous memory. */
	clear_nlink(inode);
	inode->i_mode |= S_IFREG;
	inode->i_flags |= S_NOCMTIME;
	i_size_write(inode, (loff_t)pages << PAGE_SHIFT);
	inode->i_op = &privheap_region_iops;
	inode->i_mapping->a_ops = &privheap_aops;
	mapping_set_unevictable(inode->i_mapping);
	mapping_set_large_folios(inode->i_mapping);

	region = privheap_region_of(inode);
	region->id = atomic64_inc_return(&privheap_last_id);
	ret = privheap_account_init(&region->account, region->id, &process->subject);
	if (ret) {
		/* Without a process it is no region. */
		iput(inode);
		privheap_fs_unpin();
		return ERR_PTR(ret);
	}
	privheap_quota_set_limit(&region->account.quota, PRIVHEAP_RESOURCE_COMMIT, limit);
	privheap_extents_init(&region->extents);
	mutex_init(&region->lock);
	region->process = process;
	region->memcg = get_mem_cgroup_from_mm(process->mm);
	RB_CLEAR_NODE(&region->node);
	RB_CLEAR_NODE(&region->number);
	region->base = 0;
	region->pages = pages;
	region->mapped = 0;
	region->base_unmapped = false;
	memset(region->taken, 0, sizeof(region->taken));
	region->flags = flags;
	privheap_account_add(&region->account, pages);
	return region;
}

/* Map the region into its process. The mapping then holds the inode. */
static int region_map(struct privheap_region *region)
{
	unsigned long prot = PROT_READ | PROT_WRITE, address;
	struct file *file;

	if (region->flags & PRIVHEAP_CREATE_EXEC)
		prot |= PROT_EXEC;

	/* fput() drops a reference to the module that nobody takes for us. */
	__module_get(THIS_MODULE);
	ihold(&region->inode);
	file = alloc_file_pseudo(&region->inode, privheap_mnt, "privheap", O_RDWR,
				 &privheap_region_fops);
	if (IS_ERR(file)) {
		iput(&region->inode);
		module_put(THIS_MODULE);
		return PTR_ERR(file);
	}
	address = vm_mmap(file, 0, region->pages << PAGE_SHIFT, prot, MAP_SHARED, 0);
	fput(file);
	return IS_ERR_VALUE(address) ? (int)address : 0;
}

/**
 * privheap_region_create() - make a region in the current process
 * @process: the current process
 * @pages: pages to reserve, at least one
 * @commit: pages to commit at its start
 * @limit: cap on committed pages
 * @flags: PRIVHEAP_CREATE_*
 * @denied: the level that refused, with -EDQUOT
 *
 * Return: the region with a reference to its inode for the caller, or an
 * ERR_PTR of -EDQUOT, -ENOMEM, -EPERM or -EINTR.
 */
struct privheap_region *privheap_region_create(struct privheap_process *process,
					       unsigned long pages, unsigned long commit,
					       unsigned long limit, u32 flags,
					       unsigned int *denied)
{
	struct privheap_region *region;
	unsigned long committed;
	int ret;

	region = region_alloc(process, pages, limit, flags);
	if (IS_ERR(region)) {
		ret = PTR_ERR(region);
		goto out;
	}
	if (commit) {
		ret = privheap_commit(region, 0, commit - 1,
				      !(flags & PRIVHEAP_CREATE_LAZY),
				      &committed, denied);
		if (ret)
			goto put_region;
	}
	ret = region_map(region);
	if (ret)
		goto put_region;
	privheap_number_add(region);
	trace_privheap_create(region->id, pages, commit, flags);
	privheap_event_region(region, true);
	return region;

put_region:
	privheap_region_put(region);
out:
	switch (ret) {
	case -EDQUOT:
	case -EPERM:
	case -EINTR:
		return ERR_PTR(ret);
	default:
		/* No file, no mount, RLIMIT_AS, RLIMIT_MEMLOCK: no resources. */
		return ERR_PTR(-ENOMEM);
	}
}

/*
 * Unmap what is mapped of the region from @address to @end, parts that adjoin by one
 * call: it does all of it or nothing.
 */
static int region_unmap(struct privheap_region *region, unsigned long address,
			unsigned long end)
{
	struct mm_struct *mm = current->mm;

	while (address < end) {
		struct vm_area_struct *vma;
		unsigned long start = 0;
		int ret;

		ret = mmap_read_lock_killable(mm);
		if (ret)
			return ret;
		while ((vma = find_vma(mm, address)) && vma->vm_start < end) {
			if (!vma->vm_file || file_inode(vma->vm_file) != &region->inode) {
				if (start)
					break;
			} else if (!start) {
				start = vma->vm_start;
			} else if (vma->vm_start != address) {
				break;
			}
			address = vma->vm_end;
		}
		mmap_read_unlock(mm);
		if (!start)
			return 0;
		ret = vm_munmap(start, address - start);
		if (ret)
			return ret;
	}
	return 0;
}

/* Up to where the region is mapped from its base on without a hole. */
static unsigned long region_base_end(struct privheap_region *region)
{
	unsigned long address = region->base;
	struct mm_struct *mm = current->mm;
	struct vm_area_struct *vma;

	mmap_read_lock(mm);
	while ((vma = find_vma(mm, address)) && vma->vm_start == address &&
	       vma->vm_file && file_inode(vma->vm_file) == &region->inode)
		address = vma->vm_end;
	mmap_read_unlock(mm);
	return address;
}

/**
 * privheap_region_destroy() - unmap a region
 * @region: the region, taken from its process by privheap_process_find_region()
 *
 * What is mapped at the region's addresses but is not the region, because the
 * program unmapped a part of it and mapped something else there, stays. The part at
 * the base, which is what makes it findable, goes last.
 *
 * Return: 0, or a negative errno when the kernel refused to unmap; the region
 * is findable again then.
 */
int privheap_region_destroy(struct privheap_region *region)
{
	unsigned long end = region->base + (region->pages << PAGE_SHIFT);
	unsigned long base_end = region_base_end(region);
	int ret;

	ret = region_unmap(region, base_end, end);
	if (!ret)
		ret = region_unmap(region, region->base, base_end);
	if (ret)
		privheap_process_add_region(region->process, region);
	return ret;
}

static void privheap_init_once(void *object)
{
	struct privheap_region *region = object;

	inode_init_once(&region->inode);
}

/**
 * privheap_fs_init() - at the module's load
 *
 * Return: 0 or -ENOMEM.
 */
int __init privheap_fs_init(void)
{
	privheap_inode_cache = kmem_cache_create("privheap_region",
						 sizeof(struct privheap_region), 0,
						 SLAB_RECLAIM_ACCOUNT | SLAB_ACCOUNT,
						 privheap_init_once);
	return privheap_inode_cache ? 0 : -ENOMEM;
}

/**
 * privheap_fs_exit() - at the module's unload
 */
void privheap_fs_exit(void)
{
	/* Inodes are freed after a grace period. */
	rcu_barrier();
	kmem_cache_destroy(privheap_inode_cache);
}
