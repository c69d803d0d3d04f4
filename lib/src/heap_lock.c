// SPDX-License-Identifier: MIT
/* A heap's lock: see heap_lock.h. */
#include <errno.h>

#include "front.h"
#include "heap_lock.h"

/* What all heaps' locks are made by, once. */
static pthread_mutexattr_t lock_kind;
static pthread_once_t lock_kind_once = PTHREAD_ONCE_INIT;

static void lock_kind_init(void)
{
	pthread_mutexattr_init(&lock_kind);
	pthread_mutexattr_settype(&lock_kind, PTHREAD_MUTEX_RECURSIVE);
	pthread_mutexattr_setrobust(&lock_kind, PTHREAD_MUTEX_ROBUST);
}

void heap_lock_init(struct heap *heap)
{
	pthread_once(&lock_kind_once, lock_kind_init);
	pthread_mutex_init(&heap->lock, &lock_kind);
}

/*
 * The owner has ended, and the lock is ours. Blocks that the owner was moving
 * between lists may be lost, but blocks.c compares what it reads with the range.
 */
static void heap_lock_inherit(struct heap *heap)
{
	heap->holds = 0;
	heap->held = false;
	front_repair(heap);
	heap_limit_repair(heap);
	pthread_mutex_consistent(&heap->lock);
}

void heap_lock_take(struct heap *heap)
{
	if (unlikely(pthread_mutex_lock(&heap->lock) == EOWNERDEAD))
		heap_lock_inherit(heap);
}

bool heap_lock_try(struct heap *heap)
{
	int err = pthread_mutex_trylock(&heap->lock);

	if (err == EOWNERDEAD)
		heap_lock_inherit(heap);
	return !err || err == EOWNERDEAD;
}

void heap_lock_drop(struct heap *heap)
{
	pthread_mutex_unlock(&heap->lock);
}

void heap_hold(struct heap *heap)
{
	heap_lock_take(heap);
	heap->holds++;
	if (!heap->held && !(heap->options & HEAP_NO_SERIALIZE)) {
		heap->held = true;
		front_revoke(heap);
	}
}

bool heap_release(struct heap *heap)
{
	bool holds;

	/* Whoever else has it, this thread does not hold the heap. */
	if (!heap_lock_try(heap))
		return false;
	holds = heap->holds > 0;
	if (holds) {
		heap->holds--;
		heap->held = heap->holds > 0;
		heap_lock_drop(heap);
	}
	heap_lock_drop(heap);
	return holds;
}

void heap_lock_end(struct heap *heap)
{
	/*
	 * Each thread has a list of the locks that it must not take with it, so
	 * none of them may go away while it is taken.
	 */
	if (!(heap->options & HEAP_NO_SERIALIZE) &&
	    (heap->holds || !process_alone())) {
		heap_lock_take(heap);
		while (heap->holds) {
			heap->holds--;
			heap_lock_drop(heap);
		}
		heap_lock_drop(heap);
	}
	pthread_mutex_destroy(&heap->lock);
}
