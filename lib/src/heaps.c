// SPDX-License-Identifier: MIT
/* The heaps of this process: see heaps.h. */
#include <pthread.h>
#include <stdatomic.h>

#include "heap_lock.h"
#include "heaps.h"
#include "lock_among.h"
#include "process.h"
#include "ptrset.h"
#include "region_cache.h"

struct ptrset heaps_known = PTRSET_INIT;

/*
 * For the list. Never waits for a heap's lock: who holds one may ask for the
 * list of heaps.
 */
static pthread_mutex_t heaps_lock = PTHREAD_MUTEX_INITIALIZER;
static struct heap *heaps_first;
static struct heap *heaps_last;
static DWORD heaps_count;

/* Keeps two threads from making the process heap; comes before heaps_lock. */
static pthread_mutex_t process_lock = PTHREAD_MUTEX_INITIALIZER;
static _Atomic(struct heap *) process_heap;

static void heaps_link(struct heap *heap, struct heap *prev, struct heap *next)
{
	heap->prev = prev;
	heap->next = next;
	if (prev)
		prev->next = heap;
	else
		heaps_first = heap;
	if (next)
		next->prev = heap;
	else
		heaps_last = heap;
	heaps_count++;
}

static void heaps_unlink(struct heap *heap)
{
	if (heap->prev)
		heap->prev->next = heap->next;
	else
		heaps_first = heap->next;
	if (heap->next)
		heap->next->prev = heap->prev;
	else
		heaps_last = heap->prev;
	heaps_count--;
}

bool heaps_add(struct heap *heap, bool process)
{
	bool added, locked;

	locked = lock_among(&heaps_lock);
	added = ptrset_add(&heaps_known, heap);
	if (added && process)
		heaps_link(heap, NULL, heaps_first);
	else if (added)
		heaps_link(heap, heaps_last, NULL);
	unlock_among(&heaps_lock, locked);
	return added;
}

DWORD heaps_remove(HANDLE handle)
{
	DWORD error = ERROR_INVALID_HANDLE;
	bool locked;

	process_check();
	if (!handle || handle == atomic_load(&process_heap))
		return error;

	locked = lock_among(&heaps_lock);
	if (ptrset_remove(&heaps_known, handle)) {
		heaps_unlink(handle);
		error = NO_ERROR;
	}
	unlock_among(&heaps_lock, locked);
	return error;
}

struct heap *heaps_process(void)
{
	struct heap *heap;

	process_check();
	heap = atomic_load_explicit(&process_heap, memory_order_acquire);
	if (likely(heap))
		return heap;

	pthread_mutex_lock(&process_lock);
	heap = atomic_load_explicit(&process_heap, memory_order_relaxed);
	if (!heap) {
		heap = heap_create(0, 0, 0, true);
		atomic_store_explicit(&process_heap, heap,
				      memory_order_release);
	}
	pthread_mutex_unlock(&process_lock);
	return heap;
}

DWORD heaps_list(DWORD count, HANDLE *handles)
{
	struct heap *heap;
	DWORD total, i = 0;

	pthread_mutex_lock(&heaps_lock);
	for (heap = heaps_first; heap && i < count; heap = heap->next)
		handles[i++] = heap;
	total = heaps_count;
	pthread_mutex_unlock(&heaps_lock);
	return total;
}

void heaps_for_each_idle(void (*fn)(struct heap *heap))
{
	struct heap *heap;

	process_check();
	/* A heap cannot end meanwhile: heaps_remove() comes first. */
	pthread_mutex_lock(&heaps_lock);
	for (heap = heaps_first; heap; heap = heap->next) {
		if ((heap->options & HEAP_NO_SERIALIZE) ||
		    !heap_lock_try(heap))
			continue;
		fn(heap);
		heap_lock_drop(heap);
	}
	pthread_mutex_unlock(&heaps_lock);
}

void heap_forget(void)
{
	pthread_mutex_init(&heaps_lock, NULL);
	pthread_mutex_init(&process_lock, NULL);
	heaps_first = NULL;
	heaps_last = NULL;
	heaps_count = 0;
	atomic_store_explicit(&process_heap, NULL, memory_order_relaxed);
	ptrset_forget(&heaps_known);
	region_cache_forget();
	heap_regions_forget();
	large_forget();
}
