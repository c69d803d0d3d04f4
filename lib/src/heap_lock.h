/* SPDX-License-Identifier: MIT */
/*
 * A heap's lock. Its owner may take it again. A thread that ends with it, having
 * called HeapLock() or by being cancelled in the middle of a call, does not keep
 * others waiting: the next one gets the lock, and starts to count at one.
 */
#ifndef PRIVHEAP_SRC_HEAP_LOCK_H
#define PRIVHEAP_SRC_HEAP_LOCK_H

#include "heap.h"
#include "process.h"

/* In a heap that nobody else knows yet. */
void heap_lock_init(struct heap *heap);

/*
 * Ends the lock of a heap that nobody finds any more. Waits for its owner; the
 * caller may be that, however often it took it.
 */
void heap_lock_end(struct heap *heap);

void heap_lock_take(struct heap *heap);
void heap_lock_drop(struct heap *heap);

/* false: somebody else has it. */
bool heap_lock_try(struct heap *heap);

/* HeapLock(): the lock is the calling thread's until as many heap_release(). */
void heap_hold(struct heap *heap);

/* HeapUnlock(); false: the calling thread does not hold the heap. */
bool heap_release(struct heap *heap);

/*
 * For a call on the heap: takes the lock, unless it is to do without, or there is
 * no other thread: none can come while this one is in here.
 */
static inline bool heap_enter(struct heap *heap, DWORD flags)
{
	if ((heap->options | flags) & HEAP_NO_SERIALIZE || process_alone())
		return false;
	heap_lock_take(heap);
	return true;
}

static inline void heap_leave(struct heap *heap, bool locked)
{
	if (locked)
		heap_lock_drop(heap);
}

#endif /* PRIVHEAP_SRC_HEAP_LOCK_H */
