// SPDX-License-Identifier: GPL-2.0-only
/*
 * PrivheapSetRegionCache(): the memory of destroyed heaps, kept for new ones. X
 * as in heap_selftest.h; D1, that the memory of a destroyed heap is gone, holds
 * as long as nothing is kept.
 */
#include <pthread.h>
#include <sys/wait.h>

#include "heap_selftest.h"

#define MOST	64

static struct privheap_region_info process_info(void)
{
	struct privheap_region_info info;

	if (privheap_query_process(&info))
		memset(&info, 0xff, sizeof(info));
	return info;
}

/* The kernel's or the library's number of the heap's first region. */
static uint64_t region_of(HANDLE heap)
{
	struct privheap_region_info info;

	return privheap_region_query(heap, &info) ? 0 : info.id;
}

static SIZE_T page(void)
{
	return sysconf(_SC_PAGESIZE);
}

/* A heap with one block is made and destroyed; its region's number. */
static uint64_t one_heap(DWORD options, SIZE_T initial, SIZE_T maximum)
{
	HANDLE heap = HeapCreate(options, initial, maximum);
	uint64_t id = heap ? region_of(heap) : 0;

	if (!heap || !HeapAlloc(heap, 0, 100) || !HeapDestroy(heap))
		return 0;
	return id;
}

TEST(D1_nothing_is_kept_at_first)
{
	HANDLE heap = HeapCreate(0, 0, 0);
	char *p = HeapAlloc(heap, 0, 100);
	uint64_t id = region_of(heap);

	EXPECT_EQ(0, fault_at(p, false));
	EXPECT_EQ(TRUE, HeapDestroy(heap));
	EXPECT_EQ(SIGSEGV, fault_at(p, false));
	EXPECT_EQ(SIGSEGV, fault_at(heap, false));
	EXPECT_EQ(0, process_info().regions);
	EXPECT_EQ(0, process_info().committed);
	EXPECT_NE(id, one_heap(0, 0, 0));
	KEEPS_ERROR(EXPECT_EQ(0, PrivheapSetRegionCache(0)));
}

TEST(X_numbers)
{
	KEEPS_ERROR(EXPECT_EQ(0, PrivheapSetRegionCache(3)));
	KEEPS_ERROR(EXPECT_EQ(3, PrivheapSetRegionCache(MOST)));
	KEEPS_ERROR(EXPECT_EQ(MOST, PrivheapSetRegionCache(MOST + 1)));
	KEEPS_ERROR(EXPECT_EQ(MOST, PrivheapSetRegionCache(0xffffffff)));
	KEEPS_ERROR(EXPECT_EQ(MOST, PrivheapSetRegionCache(0)));
	KEEPS_ERROR(EXPECT_EQ(0, PrivheapSetRegionCache(0)));
}

TEST(X_used_again)
{
	HANDLE heap, first;
	uint64_t id;
	char *p;

	PrivheapSetRegionCache(1);
	first = HeapCreate(0, 0, 0);
	id = region_of(first);
	ASSERT_NE(0, id);
	p = HeapAlloc(first, 0, 1000);
	memset(p, 1, 1000);
	EXPECT_EQ(TRUE, HeapDestroy(first));
	EXPECT_EQ(1, process_info().regions);
	EXPECT_EQ(page(), process_info().committed);

	for (int i = 0; i < 10; i++) {
		KEEPS_ERROR(heap = HeapCreate(0, i % 2 ? page() : 0, 0));
		ASSERT_NE(NULL, heap);
		EXPECT_EQ(id, region_of(heap));
		/* as a new one in all that can be seen */
		EXPECT_EQ(1, usage_of(heap).dwRegions);
		EXPECT_EQ(0, usage_of(heap).cBlocks);
		EXPECT_EQ(page(), usage_of(heap).cbCommitted);
		EXPECT_EQ(page(), usage_of(heap).cbResident);
		EXPECT_EQ(TRUE, HeapValidate(heap, 0, NULL));
		/* it grows, too */
		for (int k = 0; k < 100; k++) {
			p = HeapAlloc(heap, 0, 500);
			ASSERT_NE(NULL, p);
			memset(p, k, 500);
		}
		EXPECT_EQ(TRUE, HeapValidate(heap, 0, NULL));
		KEEPS_ERROR(EXPECT_EQ(TRUE, HeapDestroy(heap)));
		EXPECT_EQ(page(), process_info().committed);
		EXPECT_EQ(page(), process_info().resident);
	}
	PrivheapSetRegionCache(0);
	EXPECT_EQ(0, process_info().regions);
	EXPECT_EQ(0, process_info().committed);
	EXPECT_EQ(0, process_info().reserved);
}

TEST(X_options_are_the_new_heaps)
{
	HANDLE heap;
	uint64_t id;

	PrivheapSetRegionCache(1);
	heap = HeapCreate(HEAP_NO_SERIALIZE | HEAP_GENERATE_EXCEPTIONS, 0, 0);
	id = region_of(heap);
	/* what is in force when it ends must not be so when it begins */
	EXPECT_EQ(TRUE, HeapLock(heap));
	EXPECT_EQ(TRUE, HeapDestroy(heap));
	heap = HeapCreate(0, 0, 0);
	EXPECT_EQ(id, region_of(heap));
	EXPECT_EQ(FALSE, HeapUnlock(heap));
	SETS_ERROR(ERROR_NOT_ENOUGH_MEMORY,
		   EXPECT_EQ(NULL, HeapAlloc(heap, 0, SIZE_MAX)));
	EXPECT_EQ(TRUE, HeapLock(heap));
	EXPECT_EQ(TRUE, HeapLock(heap));
	EXPECT_EQ(TRUE, HeapDestroy(heap));
	heap = HeapCreate(0, 0, 0);
	EXPECT_EQ(id, region_of(heap));
	EXPECT_EQ(FALSE, HeapUnlock(heap));
	EXPECT_EQ(TRUE, HeapDestroy(heap));
}

TEST(A4_what_was_there_before_is_not_zero)
{
	HANDLE heap;
	char *p;

	PrivheapSetRegionCache(1);
	for (int i = 0; i < 20; i++) {
		SIZE_T size = 8 + 150 * i;

		heap = HeapCreate(0, 0, 0);
		p = HeapAlloc(heap, HEAP_ZERO_MEMORY, size);
		ASSERT_NE(NULL, p);
		EXPECT_TRUE(all_bytes(p, 0, size));
		/* and in place */
		memset(p, 0xee, size);
		p = HeapReAlloc(heap, HEAP_ZERO_MEMORY, p, 2 * size);
		ASSERT_NE(NULL, p);
		EXPECT_TRUE(all_bytes(p, 0xee, size));
		EXPECT_TRUE(all_bytes(p + size, 0, size));
		/* the rest of the page, all of it, behind the library's back */
		HeapFree(heap, 0, p);
		memset(p, 0xdd, (char *)heap + page() - p);
		EXPECT_EQ(TRUE, HeapDestroy(heap));
		/* and through a stale pointer */
		if (i % 2)
			memset(p, 0xcc, (char *)heap + page() - p);
	}
}

TEST(D3_stale_handles)
{
	HANDLE heap, stale;

	PrivheapSetRegionCache(2);
	stale = HeapCreate(0, 0, 0);
	EXPECT_EQ(TRUE, HeapDestroy(stale));
	/* what it points to can be read, and is no heap all the same */
	EXPECT_EQ(0, fault_at(stale, false));
	SETS_ERROR(ERROR_INVALID_HANDLE, EXPECT_EQ(FALSE, HeapDestroy(stale)));
	SETS_ERROR(ERROR_INVALID_HANDLE,
		   EXPECT_EQ(NULL, HeapAlloc(stale, 0, 10)));
	SETS_ERROR(ERROR_INVALID_HANDLE,
		   EXPECT_EQ(FALSE, HeapFree(stale, 0, (char *)stale + 2048)));
	EXPECT_EQ(FALSE, HeapValidate(stale, 0, NULL));
	EXPECT_EQ(FALSE, HeapLock(stale));
	EXPECT_EQ(1, process_info().regions);
	/* the same address, and a heap again */
	heap = HeapCreate(0, 0, 0);
	EXPECT_EQ(stale, heap);
	EXPECT_NE(NULL, HeapAlloc(stale, 0, 10));
	EXPECT_EQ(TRUE, HeapDestroy(heap));
}

/* Blocks of one heap, looked for in the next one at the same place. */
TEST(F4_stale_pointers)
{
	char *old[64], *block;
	HANDLE heap;

	PrivheapSetRegionCache(1);
	for (SIZE_T size = 1; size < 3000; size = size * 2 + 5) {
		int count = 0;

		heap = HeapCreate(0, 0, 0);
		while (count < 64)
			old[count++] = HeapAlloc(heap, 0, size);
		for (int i = 0; i < count; i += 3)
			EXPECT_EQ(TRUE, HeapFree(heap, 0, old[i]));
		EXPECT_EQ(TRUE, HeapDestroy(heap));

		heap = HeapCreate(0, 0, 0);
		for (int round = 0; round < 2; round++) {
			for (int i = 0; i < count; i++) {
				EXPECT_EQ(FALSE, HeapValidate(heap, 0, old[i]));
				EXPECT_EQ(FALSE, HeapFree(heap, 0, old[i]));
				EXPECT_EQ((SIZE_T)-1, HeapSize(heap, 0, old[i]));
			}
			/* once more with a block that lies over all of them */
			block = HeapAlloc(heap, 0, 300 * KIB);
			ASSERT_NE(NULL, block);
			if (block == old[0])
				old[0] = old[1];
		}
		EXPECT_EQ(TRUE, HeapValidate(heap, 0, NULL));
		EXPECT_EQ(TRUE, HeapDestroy(heap));
	}
}

/* The number is kept to, by what there was last. */
TEST(X_no_more_than_that)
{
	HANDLE heaps[MOST + 10];
	int count = ARRAY_SIZE(heaps);

	PrivheapSetRegionCache(MOST);
	for (int i = 0; i < count; i++) {
		heaps[i] = HeapCreate(0, 0, 0);
		ASSERT_NE(NULL, heaps[i]);
	}
	for (int i = 0; i < count; i++)
		EXPECT_EQ(TRUE, HeapDestroy(heaps[i]));
	EXPECT_EQ(MOST, process_info().regions);
	EXPECT_EQ(MOST * page(), process_info().committed);
	/* those that were too many are gone */
	for (int i = MOST; i < count; i++)
		EXPECT_EQ(SIGSEGV, fault_at(heaps[i], false));
	EXPECT_EQ(MOST, PrivheapSetRegionCache(5));
	EXPECT_EQ(5, process_info().regions);
	/* some are in use: they count when they come back */
	for (int i = 0; i < 10; i++)
		heaps[i] = HeapCreate(0, 0, 0);
	EXPECT_EQ(10, process_info().regions);
	EXPECT_EQ(5, PrivheapSetRegionCache(2));
	for (int i = 0; i < 10; i++)
		EXPECT_EQ(TRUE, HeapDestroy(heaps[i]));
	EXPECT_EQ(2, process_info().regions);
	EXPECT_EQ(2, PrivheapSetRegionCache(0));
	EXPECT_EQ(0, process_info().regions);
	EXPECT_EQ(0, process_info().committed);
}

/* Only what the next heap can use as it is, and what is soon made so. */
TEST(X_what_is_kept)
{
	HANDLE heap;
	uint64_t id;
	char *p;

	PrivheapSetRegionCache(MOST);
	EXPECT_NE(0, one_heap(0, 0, 64 * KIB));
	EXPECT_NE(0, one_heap(HEAP_CREATE_ENABLE_EXECUTE, 0, 0));
	/* much was committed: to make it small is no less work than to end it */
	EXPECT_NE(0, one_heap(0, 18 * page(), 0));
	EXPECT_NE(0, one_heap(0, 20 * MIB, 0));
	EXPECT_EQ(0, process_info().regions);

	id = one_heap(0, 17 * page(), 0);
	EXPECT_NE(0, id);
	EXPECT_EQ(1, process_info().regions);
	EXPECT_EQ(page(), process_info().committed);
	/* it does not do for these */
	EXPECT_NE(id, one_heap(0, 0, 64 * KIB));
	EXPECT_NE(id, one_heap(HEAP_CREATE_ENABLE_EXECUTE, 0, 0));
	EXPECT_NE(id, one_heap(0, 18 * page(), 0));
	EXPECT_EQ(1, process_info().regions);
	EXPECT_EQ(id, one_heap(0, 0, 0));

	/* further regions, large blocks and slabs go as they always did */
	heap = HeapCreate(0, 0, 0);
	EXPECT_EQ(id, region_of(heap));
	EXPECT_NE(NULL, HeapAlloc(heap, 0, 3 * MIB));
	for (int i = 0; i < 30; i++) {
		p = HeapAlloc(heap, 0, 24);
		ASSERT_NE(NULL, p);
	}
	EXPECT_EQ(TRUE, HeapDestroy(heap));
	EXPECT_EQ(1, process_info().regions);
	EXPECT_EQ(page(), process_info().committed);
	EXPECT_EQ(SIGSEGV, fault_at((char *)heap + page(), false));
	/* and the next heap has no slab yet */
	heap = HeapCreate(0, 0, 0);
	EXPECT_EQ(id, region_of(heap));
	EXPECT_EQ(FALSE, HeapValidate(heap, 0, p));
	p = HeapAlloc(heap, 0, 24);
	EXPECT_LT((uintptr_t)p - (uintptr_t)heap, page());
	EXPECT_EQ(TRUE, HeapDestroy(heap));
	PrivheapSetRegionCache(0);
	EXPECT_EQ(0, process_info().regions);
}

/* A heap that was in the list of all is not, while it is kept. */
TEST(G2_not_listed)
{
	HANDLE heap, list[8];

	GetProcessHeap();
	PrivheapSetRegionCache(4);
	heap = HeapCreate(0, 0, 0);
	EXPECT_EQ(2, GetProcessHeaps(8, list));
	EXPECT_EQ(TRUE, HeapDestroy(heap));
	EXPECT_EQ(1, GetProcessHeaps(8, list));
	heap = HeapCreate(0, 0, 0);
	EXPECT_EQ(2, GetProcessHeaps(8, list));
	EXPECT_EQ(heap, list[1]);
	EXPECT_EQ(TRUE, HeapDestroy(heap));
}

TEST(X3_fork_child_has_none)
{
	HANDLE heap, kept;
	int status;
	pid_t pid;

	PrivheapSetRegionCache(4);
	kept = HeapCreate(0, 0, 0);
	heap = HeapCreate(0, 0, 0);
	EXPECT_EQ(TRUE, HeapDestroy(kept));
	pid = fork();
	ASSERT_GE(pid, 0);
	if (!pid) {
		EXPECT_EQ(SIGSEGV, fault_at(kept, false));
		EXPECT_EQ(0, process_info().regions);
		/* the number is inherited */
		EXPECT_EQ(4, PrivheapSetRegionCache(4));
		kept = HeapCreate(0, 0, 0);
		EXPECT_NE(NULL, kept);
		EXPECT_NE(NULL, HeapAlloc(kept, HEAP_ZERO_MEMORY, 1000));
		EXPECT_EQ(1, process_info().regions);
		EXPECT_EQ(TRUE, HeapDestroy(kept));
		EXPECT_EQ(1, process_info().regions);
		EXPECT_EQ(4, PrivheapSetRegionCache(0));
		EXPECT_EQ(0, process_info().regions);
		_exit(__test_passed(_metadata) ? 0 : 1);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(2, process_info().regions);
	EXPECT_EQ(TRUE, HeapDestroy(heap));
	PrivheapSetRegionCache(0);
	EXPECT_EQ(0, process_info().regions);
}

#define RACERS	4
#define ROUNDS	400

static void *race(void *arg)
{
	uintptr_t self = (uintptr_t)arg;
	HANDLE heap;
	char *p;

	for (int i = 0; i < ROUNDS; i++) {
		heap = HeapCreate(0, 0, 0);
		p = heap ? HeapAlloc(heap, HEAP_ZERO_MEMORY, 1000) : NULL;
		if (!p || !all_bytes(p, 0, 1000))
			return "a block is missing or not zero";
		memset(p, self, 1000);
		/* two threads with one region would see each other here */
		if (i % 16 == 0)
			sched_yield();
		if (!all_bytes(p, self, 1000))
			return "two heaps at one place";
		if (!HeapFree(heap, 0, p) || HeapFree(heap, 0, p))
			return "a block was not freed once";
		if (!HeapDestroy(heap))
			return "a heap was not destroyed";
		if (self == 1 && i % 20 == 0)
			PrivheapSetRegionCache(i / 20 % 4);
	}
	return NULL;
}

TEST(X_threads)
{
	pthread_t threads[RACERS];
	void *said;

	PrivheapSetRegionCache(3);
	for (uintptr_t i = 0; i < RACERS; i++)
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, race,
					    (void *)(i + 1)));
	for (int i = 0; i < RACERS; i++) {
		ASSERT_EQ(0, pthread_join(threads[i], &said));
		EXPECT_EQ(NULL, said) {
			TH_LOG("%s", (char *)said);
		}
	}
	EXPECT_LE(process_info().regions, 3);
	EXPECT_EQ(process_info().regions * page(), process_info().committed);
	PrivheapSetRegionCache(0);
	EXPECT_EQ(0, process_info().regions);
	EXPECT_EQ(0, process_info().committed);
}

/* A program that has written over headers gets a clean heap all the same. */
TEST(damaged_headers_are_not_kept)
{
	char *p[8], *zero;
	HANDLE heap;

	PrivheapSetRegionCache(4);
	heap = HeapCreate(0, 0, 0);
	for (int i = 0; i < 8; i++)
		p[i] = HeapAlloc(heap, 0, 100);
	memset(p[2], 0xee, 200);
	EXPECT_EQ(FALSE, HeapValidate(heap, 0, NULL));
	EXPECT_EQ(TRUE, HeapDestroy(heap));

	heap = HeapCreate(0, 0, 0);
	EXPECT_EQ(TRUE, HeapValidate(heap, 0, NULL));
	for (int i = 0; i < 8; i++)
		EXPECT_EQ(FALSE, HeapFree(heap, 0, p[i]));
	for (int i = 0; i < 8; i++) {
		zero = HeapAlloc(heap, HEAP_ZERO_MEMORY, 200);
		ASSERT_NE(NULL, zero);
		EXPECT_TRUE(all_bytes(zero, 0, 200));
	}
	EXPECT_EQ(TRUE, HeapDestroy(heap));
	PrivheapSetRegionCache(0);
}

TEST_HARNESS_MAIN
