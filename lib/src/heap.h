/* SPDX-License-Identifier: MIT */
/*
 * Heaps, without the Win32 face: blocks over regions.
 *
 * Everything that a heap knows of itself lies in its own regions, so that it
 * goes with them. Which addresses are heaps is kept elsewhere: see heaps.h.
 */
#ifndef PRIVHEAP_SRC_HEAP_H
#define PRIVHEAP_SRC_HEAP_H

#include <pthread.h>
#include <stdatomic.h>

#include <privheap/heapapi.h>

#include "blocks.h"
#include "process.h"
#include "ptrset.h"
#include "quota.h"
#include "size_class.h"

struct front;

/**
 * struct heap_region - a region with blocks; begins at the region's base
 * @next: the region that was made before; the first one is the last
 * @heap: the owner
 * @base: the region
 * @reserved: bytes, without the guard
 * @blocks: the rest of the region
 * @charged: bytes that are committed, as the kernel counts them
 */
struct heap_region {
	struct heap_region *next;
	struct heap *heap;
	char *base;
	size_t reserved;
	struct blocks blocks;
	size_t charged;
};

/* Up to here memory is committed, but for holes. */
static inline size_t heap_region_end(const struct heap_region *region)
{
	return (size_t)(region->blocks.end - region->base);
}

/**
 * struct large_block - header of a block that has a region of its own; begins
 *	at the region's base, and the block follows it
 * @prev: in the heap's list
 * @next: in the heap's list
 * @heap: the owner
 * @reserved: bytes, without the guard
 * @committed: bytes, always from the base up
 * @fresh: bytes from the base, behind which nothing was ever written
 * @size: bytes that the program asked for
 * @spacious: has room to grow
 * @stray: more than the first @committed bytes may be committed
 */
struct large_block {
	struct large_block *prev;
	struct large_block *next;
	struct heap *heap;
	size_t reserved;
	size_t committed;
	size_t fresh;
	size_t size;
	bool spacious;
	bool stray;
} __aligned(16);

/**
 * struct heap - a heap; begins at the base of its first region
 * @lock: for everything below but @options, @fixed, @prev and @next; the first
 *	of all locks
 * @options: HEAP_* of HeapCreate()
 * @fixed: has a maximum
 * @held: HeapLock() is in force, for whatever could do without @lock otherwise
 * @low_fragmentation: asked for by HeapSetInformation(), to be told again
 * @heat: how often a size class was asked for, up to FRONT_HOT
 * @holds: how often HeapLock() was called without a HeapUnlock() yet
 * @prev: in the list of heaps.c, and under its lock
 * @next: likewise
 * @initial: bytes that were committed at first
 * @growth: bytes to reserve for the next region
 * @trimmed: bytes that it gave back by itself, and has not needed since
 * @trim_hold: free bytes that it keeps without further thought
 * @trim_credit: bytes to become free before it looks at what it keeps
 * @spacious: large blocks that have room to grow
 * @regions: newest first
 * @large: blocks that have a region of their own
 * @front: the front end, or NULL; read without @lock, too, for it stays until
 *	the heap is destroyed
 * @first: the first region
 * @quota: what all regions have committed, with the limit on it: heap_limit.c
 * @failing: a charge was made to fail, and no call has failed yet
 */
struct heap {
	pthread_mutex_t lock;
	DWORD options;
	bool fixed;
	bool held;
	bool low_fragmentation;
	uint8_t heat[CLASS_COUNT];
	unsigned int holds;
	struct heap *prev;
	struct heap *next;
	size_t initial;
	size_t growth;
	size_t trimmed;
	size_t trim_hold;
	ptrdiff_t trim_credit;
	size_t spacious;
	struct heap_region *regions;
	struct large_block *large;
	_Atomic(struct front *) front;
	struct heap_region first;
	struct quota quota;
	bool failing;
};

/*
 * The largest block that is not given a region of its own, and the largest of a
 * fixed heap: 0xFEFF0 bytes, or 0x7EFF8 in a 32-bit process. As on Windows,
 * whose 16-bit sizes count units of the alignment, and leave a page of 4 KiB
 * and a header.
 */
#define HEAP_MAX_BLOCK	(BLOCKS_ALIGN * 65536 - 4096 - BLOCKS_ALIGN)

/* The region of this heap that the address lies in; NULL: none. */
static inline struct heap_region *heap_find_region(struct heap *heap,
						   const void *block)
{
	struct heap_region *region = heap->regions;

	/* There is always one. */
	do {
		if ((uintptr_t)block - (uintptr_t)region->base <
		    heap_region_end(region))
			break;
		region = region->next;
	} while (region);
	return region;
}

/* Whether an ordinary block may have so many bytes, as far as there is room. */
static inline bool heap_resizable(const struct heap *heap,
				  const struct heap_region *region, size_t size)
{
	/* The last block of a heap that grows may become as large as it likes. */
	return likely(size <= HEAP_MAX_BLOCK) ||
	       (!heap->fixed && size <= region->reserved);
}

/* What a growable heap reserves at least for its first region. */
#if UINTPTR_MAX > 0xFFFFFFFF
#define HEAP_RESERVE	((size_t)8 << 20)
#else
#define HEAP_RESERVE	((size_t)1 << 20)
#endif

/* heap_create.c */

/*
 * A heap, or NULL; rounds the sizes up to pages. @process: as the process heap,
 * of which there is none yet.
 */
struct heap *heap_create(DWORD options, size_t initial, size_t maximum,
			 bool process);

/* ERROR_INVALID_HANDLE: is not, or is no longer, a heap that can be destroyed. */
DWORD heap_destroy(HANDLE handle);

/*
 * Reserves a region of @size bytes for a heap with these options, and commits
 * and populates the first @commit; NULL with errno. Behind it lies a guard: a
 * page that can never be committed, so that who writes past the end meets
 * SIGSEGV there, whatever the kernel has put next to it.
 */
void *heap_reserve_region(DWORD options, size_t size, size_t commit);

/* Gives a region of @size bytes back, whatever happens. */
void heap_release_region(void *base, size_t size);

/* heaps.c: the handles; answers without a lock. */
extern struct ptrset heaps_known __attribute__((visibility("hidden")));

/* The heap whose handle this is, or NULL. */
static inline struct heap *heap_lookup(HANDLE handle)
{
	process_check();
	return ptrset_has(&heaps_known, handle) ? handle : NULL;
}

/*
 * heap.c: the functions below want the heap's lock to be held, unless the
 * program takes care of that itself. Errors are ERROR_*.
 */
void *heap_alloc(struct heap *heap, size_t size, bool zero);
DWORD heap_realloc(struct heap *heap, void **block, size_t size, bool zero,
		   bool in_place);
DWORD heap_free(struct heap *heap, void *block);
DWORD heap_size(struct heap *heap, const void *block, size_t *size);

/*
 * heap_annotated.c: the same while a tool watches; heap_end_annotated(): all blocks
 * are to go, with the heap
 */
void *heap_alloc_annotated(struct heap *heap, size_t size, bool zero);
DWORD heap_realloc_annotated(struct heap *heap, void **block, size_t size, bool zero,
			     bool in_place);
DWORD heap_free_annotated(struct heap *heap, void *block);
void heap_end_annotated(struct heap *heap);

/*
 * The back end: a block of at most HEAP_MAX_BLOCK bytes in one of the regions, of
 * which the first *@dirty bytes may hold anything and the others are zero.
 */
void *heap_get(struct heap *heap, size_t size, size_t *dirty);
void heap_put(struct heap *heap, void *block);

/* heap_usage.c */
DWORD heap_usage(struct heap *heap, PRIVHEAP_USAGE *usage);

/* heap_check.c */

/* Whether the list of regions, and what they say of themselves, is in order. */
bool heap_regions_sound(const struct heap *heap);

/* The same for the large blocks. */
bool heap_larges_sound(struct heap *heap);

/* Whether all control data of the heap are. */
bool heap_check(struct heap *heap);

/* Whether it is a live block of the heap; any value may be asked for. */
bool heap_check_block(struct heap *heap, const void *block);

/* heap_walk.c: to the next entry, or ERROR_NO_MORE_ITEMS. */
DWORD heap_walk(struct heap *heap, PROCESS_HEAP_ENTRY *entry);

/* heap_info.c */

/* The most that one block can have without another commit, after tidying up. */
size_t heap_compact(struct heap *heap);

/* The same as heap_usage() in other words. */
void heap_summary(const struct heap *heap, const PRIVHEAP_USAGE *usage,
		  HEAP_SUMMARY *summary);

/* NULL is refused as a bad pointer; @needed may be NULL. */
DWORD heap_query(struct heap *heap, HEAP_INFORMATION_CLASS class, void *buffer,
		 size_t length, size_t *needed);

/*
 * @class: one that can be set of a heap; NULL for HeapOptimizeResources: all
 * heaps that nobody is using just now, and no lock may be held.
 */
DWORD heap_set(struct heap *heap, HEAP_INFORMATION_CLASS class,
	       const void *buffer, size_t length);

/* heap_grow.c */

/* Bytes to reserve for a region after one of @reserved bytes. */
size_t heap_next_growth(size_t reserved);

/*
 * Commits at least @need bytes more, at most the reservation, and tries to have
 * @spare bytes besides; false: refused.
 */
bool heap_region_commit(struct heap_region *region, size_t need, size_t spare);

/* Adds a region in which a block of @size bytes finds room. */
struct heap_region *heap_add_region(struct heap *heap, size_t size);
void heap_remove_region(struct heap *heap, struct heap_region *region);

/* Gives back a region that is in no heap's list any more. */
void heap_abandon_region(struct heap_region *region);

/* Whether this is a region that a heap has grown by; it may be any address. */
bool heap_region_known(const struct heap_region *region);

void heap_regions_forget(void);

/* heap_trim.c */

/*
 * Gives all free memory back to the system: whole pages inside free blocks, and
 * what is committed behind the last block; but not the first @keep bytes of the
 * heap, at least a page. Returns the bytes given back.
 */
size_t heap_trim(struct heap *heap, size_t keep);

void heap_trim_init(struct heap *heap);

/* What heap_freed() comes to now and then. */
void heap_trim_check(struct heap *heap);

/* So many bytes of the heap became free. */
static inline void heap_freed(struct heap *heap, size_t bytes)
{
	heap->trim_credit -= (ptrdiff_t)bytes;
	if (unlikely(heap->trim_credit < 0))
		heap_trim_check(heap);
}

/* So many bytes were committed. */
void heap_grew(struct heap *heap, size_t bytes);

/* heap_limit.c: what is committed, and the limit on it */

/* Of a heap whose first region has its initial commit, and is the only one. */
void heap_limit_init(struct heap *heap);

/* The most that could be charged; SIZE_MAX: any number. */
size_t heap_limit_room(const struct heap *heap);

/*
 * Charges what is to be committed; false: refused, with errno and the level that
 * privheap_last_denied() tells. heap_charged(): it came to @got bytes.
 */
bool heap_charge(struct heap *heap, size_t bytes);
void heap_charged(struct heap *heap, size_t asked, size_t got);
void heap_uncharge(struct heap *heap, size_t bytes);

/* The lock's owner ended in the middle of something: counts anew. */
void heap_limit_repair(struct heap *heap);

/* A call that wanted memory has failed. */
static inline void heap_call_failed(struct heap *heap)
{
	heap->failing = false;
}

/*
 * Commits a range of a region, of which @fresh bytes may not be committed yet;
 * false: refused.
 */
bool heap_commit(struct heap_region *region, char *start, char *end,
		 size_t fresh);

/* Gives a range of a region back, as privheap_region_decommit(). */
int heap_decommit(struct heap_region *region, char *start, char *end);

/* What a region has committed, or @otherwise if it cannot be asked. */
size_t region_committed(void *base, size_t otherwise);

/*
 * PRIVHEAP_IOC_LIMIT for a heap; its base is set here. Returns 0 or -errno,
 * -ENOTSUP for what is not to be had of this heap.
 */
int heap_limit(struct heap *heap, struct privheap_limit *arg);

/* heap_limit_info.c */
DWORD heap_query_limit(struct heap *heap, unsigned int resource,
		       PRIVHEAP_LIMIT_INFORMATION *info);
DWORD heap_set_limit(struct heap *heap, unsigned int resource,
		     const void *buffer, size_t length);
DWORD heap_open_reserve(struct heap *heap, const void *buffer, size_t length);

/* large.c */

#define LARGE_HEADER	(sizeof(struct large_block))

void *large_alloc(struct heap *heap, size_t size);

/*
 * The same for a block that has grown, and will do so again: with room for it.
 * NULL: not to be had, or not worth it.
 */
void *large_alloc_spacious(struct heap *heap, size_t size);

/* The header of a large block of this heap; NULL: any other address. */
struct large_block *large_find(struct heap *heap, const void *block);

/* In place; false: no room, or refused. Zeroes what it adds if asked to. */
bool large_resize(struct large_block *large, size_t size, bool zero);

/* Gives back what is committed beyond the block's size. Returns the bytes. */
size_t large_trim(struct large_block *large);

void large_free(struct heap *heap, struct large_block *large);

/* Takes it out of the heap's list, and no more. */
void large_unlink(struct heap *heap, struct large_block *large);

void large_forget(void);

#endif /* PRIVHEAP_SRC_HEAP_H */
