// SPDX-License-Identifier: GPL-2.0-only
/*
 * Threads that share two heaps: see heap_model_threads.h.
 *
 * A block travels as a parcel that says what it is. Parcels lie in mailboxes;
 * whoever comes by takes what is there and leaves another, in one exchange, so
 * that most blocks are freed by a thread that did not allocate them, and often
 * after that one has exited. No lock of ours orders what the threads do.
 */
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "heap_model.h"
#include "heap_model_threads.h"

#define HEAPS		2
#define MAILBOXES	512
#define MAX_THREADS	64

struct parcel {
	unsigned char *at;
	SIZE_T size;
	uint64_t seed;
	unsigned int heap;
};

static struct {
	HANDLE heap[HEAPS];
	_Atomic(struct parcel *) mailbox[MAILBOXES];
	atomic_ulong left;		/* operations to do */
	atomic_ulong audits;
	atomic_bool over;
} shared;

static void parcel_check(const struct parcel *parcel)
{
	SIZE_T size = HeapSize(shared.heap[parcel->heap], 0, parcel->at);
	SIZE_T at = model_differs(parcel->at, 0, parcel->size, parcel->seed);

	MODEL_CHECK(size == parcel->size, "%p of %zu has %zu bytes, error %u",
		    parcel->at, parcel->size, size, GetLastError());
	MODEL_CHECK(at == parcel->size, "%p of %zu: byte %zu has changed",
		    parcel->at, parcel->size, at);
}

static struct parcel *parcel_new(uint64_t *random)
{
	struct parcel *parcel = malloc(sizeof(*parcel));
	DWORD flags = model_below(random, 3) ? 0 : HEAP_ZERO_MEMORY;
	SIZE_T size;

	if (!parcel)
		abort();
	/* Large blocks are made often enough, and take long to fill. */
	size = model_size(random, model_below(random, 8) ? 16 * KIB : 2 * MIB);
	parcel->heap = model_below(random, HEAPS);
	parcel->size = size;
	parcel->seed = model_seed(random);
	model_set_stale();
	parcel->at = HeapAlloc(shared.heap[parcel->heap], flags, size);
	if (!parcel->at) {
		MODEL_FAIL("%zu bytes were refused, error %u", size,
			   GetLastError());
		free(parcel);
		return NULL;
	}
	MODEL_CHECK(model_is_stale(), "%p of %zu, error %u", parcel->at, size,
		    GetLastError());
	if (flags)
		MODEL_CHECK(model_nonzero(parcel->at, 0, size) == size,
			    "%p of %zu is not zero", parcel->at, size);
	model_fill(parcel->at, 0, size, parcel->seed);
	return parcel;
}

static void parcel_free(struct parcel *parcel)
{
	if (!parcel)
		return;
	parcel_check(parcel);
	model_set_stale();
	MODEL_CHECK(HeapFree(shared.heap[parcel->heap], 0, parcel->at) == TRUE &&
		    model_is_stale(), "%p of %zu, error %u", parcel->at,
		    parcel->size, GetLastError());
	free(parcel);
}

static void parcel_resize(struct parcel *parcel, uint64_t *random)
{
	SIZE_T size = model_size(random, 64 * KIB), old = parcel->size;
	SIZE_T keep = old < size ? old : size;
	DWORD flags = model_below(random, 2) ? 0 : HEAP_ZERO_MEMORY;
	unsigned char *moved;

	moved = HeapReAlloc(shared.heap[parcel->heap], flags, parcel->at, size);
	if (!MODEL_CHECK(moved, "%p of %zu to %zu, error %u", parcel->at, old,
			 size, GetLastError()))
		return;
	parcel->at = moved;
	parcel->size = size;
	if (flags)
		MODEL_CHECK(model_nonzero(moved, keep, size) == size,
			    "%p from %zu to %zu is not zero", moved, old, size);
	MODEL_CHECK(model_differs(moved, 0, keep, parcel->seed) == keep,
		    "%p from %zu to %zu has changed", moved, old, size);
	model_fill(moved, keep, size, parcel->seed);
}

/* A pointer that belongs to the other heap is refused, and stays what it is. */
static void parcel_misuse(const struct parcel *parcel)
{
	HANDLE other = shared.heap[(parcel->heap + 1) % HEAPS];

	model_set_stale();
	MODEL_CHECK(HeapFree(other, 0, parcel->at) == FALSE &&
		    model_has_error(ERROR_INVALID_PARAMETER),
		    "%p of %zu in the other heap, error %u", parcel->at,
		    parcel->size, GetLastError());
	parcel_check(parcel);
}

static bool take_operation(void)
{
	unsigned long left = atomic_load(&shared.left);

	while (left && !model_failures)
		if (atomic_compare_exchange_weak(&shared.left, &left, left - 1))
			return true;
	return false;
}

/* Lives for some operations; what it made stays behind in mailboxes. */
static void *worker(void *arg)
{
	uint64_t random = (uintptr_t)arg * UINT64_C(0x2545f4914f6cdd1d) | 1;
	uint32_t life = 1 + model_below(&random, 20000);
	struct parcel *parcel;
	uint32_t box;

	while (life-- && take_operation()) {
		parcel = NULL;
		/* Fewer than the mailboxes would hold. */
		if (model_below(&random, 8) < 5)
			parcel = parcel_new(&random);
		if (parcel && model_below(&random, 64) == 0)
			parcel_misuse(parcel);
		box = model_below(&random, MAILBOXES);
		parcel = atomic_exchange(&shared.mailbox[box], parcel);
		if (parcel && model_below(&random, 3) == 0) {
			parcel_resize(parcel, &random);
			box = model_below(&random, MAILBOXES);
			parcel = atomic_exchange(&shared.mailbox[box], parcel);
		}
		parcel_free(parcel);
	}
	return NULL;
}

static void visit_nothing(void *arg, void *block, SIZE_T size)
{
	(void)arg;
	(void)block;
	(void)size;
}

/* Nothing may move while the lock is held: two looks see the same. */
static void audit_locked(HANDLE heap, bool compact)
{
	PRIVHEAP_USAGE usage = usage_of(heap), again;
	struct model_walk one, two;

	MODEL_CHECK(HeapValidate(heap, 0, NULL) == TRUE, "locked");
	model_walk_heap(heap, visit_nothing, NULL, &one);
	MODEL_CHECK(one.blocks == usage.cBlocks &&
		    one.bytes == usage.cbAllocated,
		    "a walk sees %" PRIu64 " blocks, there are %" PRIu64,
		    one.blocks, usage.cBlocks);
	if (compact)
		HeapCompact(heap, 0);
	sched_yield();
	model_walk_heap(heap, visit_nothing, NULL, &two);
	MODEL_CHECK(one.blocks == two.blocks && one.bytes == two.bytes &&
		    one.addresses == two.addresses,
		    "the heap changed while it was locked");
	again = usage_of(heap);
	MODEL_CHECK(usage.cBlocks == again.cBlocks &&
		    usage.cbAllocated == again.cbAllocated,
		    "the heap changed while it was locked");
}

static void *auditor(void *arg)
{
	uint64_t random = (uintptr_t)arg | 1;
	HANDLE heap;

	while (!atomic_load(&shared.over)) {
		heap = shared.heap[model_below(&random, HEAPS)];
		MODEL_CHECK(HeapLock(heap) == TRUE, "error %u",
			    GetLastError());
		audit_locked(heap, model_below(&random, 2));
		MODEL_CHECK(HeapUnlock(heap) == TRUE, "error %u",
			    GetLastError());
		/* Without the lock: the answer is old, but one there is. */
		MODEL_CHECK(usage_of(heap).cb == sizeof(PRIVHEAP_USAGE),
			    "error %u", GetLastError());
		MODEL_CHECK(HeapValidate(heap, 0, NULL) == TRUE, "in use");
		atomic_fetch_add(&shared.audits, 1);
		/* Now and then only: a look takes longer than an operation. */
		for (int i = model_below(&random, 200); i; i--)
			sched_yield();
	}
	return NULL;
}

static void start(pthread_t *thread, void *(*function)(void *), uint64_t arg)
{
	if (pthread_create(thread, NULL, function, (void *)(uintptr_t)arg)) {
		MODEL_FAIL("no thread to be had");
		exit(1);
	}
}

void threads_run(uint64_t ops, unsigned int threads, uint64_t seed)
{
	pthread_t audit, pool[MAX_THREADS];
	unsigned int i, next = 0;
	PRIVHEAP_USAGE usage;

	if (threads > MAX_THREADS)
		threads = MAX_THREADS;
	atomic_store(&shared.left, ops);
	for (i = 0; i < HEAPS; i++)
		shared.heap[i] = HeapCreate(0, 0, 0);

	start(&audit, auditor, seed);
	for (i = 0; i < threads; i++)
		start(&pool[i], worker, ++seed);
	/* One after the other exits, and another takes its place. */
	while (atomic_load(&shared.left) && !model_failures) {
		pthread_join(pool[next], NULL);
		start(&pool[next], worker, ++seed);
		next = (next + 1) % threads;
	}
	for (i = 0; i < threads; i++)
		pthread_join(pool[i], NULL);
	/* On one processor it may not have had a turn. */
	while (!atomic_load(&shared.audits) && !model_failures)
		sched_yield();
	atomic_store(&shared.over, true);
	pthread_join(audit, NULL);

	for (i = 0; i < MAILBOXES; i++)
		parcel_free(atomic_exchange(&shared.mailbox[i], NULL));
	for (i = 0; i < HEAPS; i++) {
		usage = usage_of(shared.heap[i]);
		MODEL_CHECK(usage.cBlocks == 0 && usage.cbAllocated == 0,
			    "heap %u: %" PRIu64 " blocks are left", i,
			    usage.cBlocks);
		MODEL_CHECK(HeapDestroy(shared.heap[i]) == TRUE, "heap %u", i);
	}
	MODEL_CHECK(model_process_regions() == 0, "regions are left");
}
