// SPDX-License-Identifier: GPL-2.0-only
/*
 * The limit on what a heap commits, with threads that race for the last page of
 * it, and threads that end in the middle. X as in heap_selftest.h.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "heap_limit_selftest.h"

#define RACERS	8
#define SLOTS	64

/* Of all heaps together: shared by the threads, or one for each two of them. */
static HANDLE heaps[4];
static unsigned int heap_count;
static ULONGLONG hard;
static atomic_int refused, served, wrong;

/* Sizes of every sort: slots, chunks, large blocks. */
static SIZE_T some_size(unsigned int *seed)
{
	unsigned int n = rand_r(seed);

	switch (n % 16) {
	case 0:
		return 1100 * KIB + n % 512 * KIB;
	case 1:
	case 2:
		return 70 * KIB + n % 200 * KIB;
	case 3:
	case 4:
	case 5:
		return 2 * KIB + n % 40 * KIB;
	default:
		return n % 2000;
	}
}

static void *race(void *arg)
{
	unsigned int self = (uintptr_t)arg, seed = self + 1;
	HANDLE heap = heaps[self % heap_count];
	char *blocks[SLOTS] = { NULL }, *p;
	int rounds = 1500;

	while (rounds--) {
		unsigned int i = rand_r(&seed) % SLOTS;
		SIZE_T size = some_size(&seed);

		if (!blocks[i]) {
			p = HeapAlloc(heap, 0, size);
		} else if (rand_r(&seed) % 3) {
			if (!HeapFree(heap, 0, blocks[i]))
				wrong++;
			blocks[i] = NULL;
			continue;
		} else {
			p = HeapReAlloc(heap, 0, blocks[i], size);
		}
		if (p) {
			blocks[i] = p;
			p[0] = 1;
			served++;
		} else if (GetLastError() == ERROR_NOT_ENOUGH_MEMORY &&
			   PrivheapGetDeniedLevel() == 1) {
			refused++;
		} else {
			wrong++;
		}
		if (rounds % 64 == 0 && (limit_of(heap).cbUsage > hard ||
					 limit_of(heap).cbPeak > hard))
			wrong++;
		if (rounds % 500 == 0)
			HeapCompact(heap, 0);
	}
	for (unsigned int i = 0; i < SLOTS; i++)
		if (!HeapFree(heap, 0, blocks[i]))
			wrong++;
	return NULL;
}

static void check_race(struct __test_metadata *_metadata)
{
	struct privheap_region_info info;
	pthread_t threads[RACERS];

	/* about half of what they would like */
	hard = 16 * MIB / heap_count + page();
	for (unsigned int i = 0; i < heap_count; i++) {
		heaps[i] = HeapCreate(0, 0, 0);
		ASSERT_NE(NULL, heaps[i]);
		EXPECT_EQ(TRUE, set_hard(heaps[i], hard));
	}
	for (uintptr_t i = 0; i < RACERS; i++)
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, race,
					    (void *)i));
	for (int i = 0; i < RACERS; i++)
		ASSERT_EQ(0, pthread_join(threads[i], NULL));
	EXPECT_EQ(0, wrong);
	EXPECT_LT(1000, served);
	EXPECT_LT(10, refused);
	/* nobody else has anything: the kernel says so, too */
	ASSERT_EQ(0, privheap_query_process(&info));
	EXPECT_GE(heap_count * hard, info.peak_committed);
	for (unsigned int i = 0; i < heap_count; i++) {
		EXPECT_EXACT(heaps[i]);
		EXPECT_GE(hard, limit_of(heaps[i]).cbPeak);
		EXPECT_LT(0, limit_of(heaps[i]).cDenials);
		EXPECT_EQ(0, usage_of(heaps[i]).cBlocks);
		HeapCompact(heaps[i], 0);
		EXPECT_GE(4 * page(), limit_of(heaps[i]).cbUsage);
		EXPECT_EXACT(heaps[i]);
		EXPECT_EQ(TRUE, HeapValidate(heaps[i], 0, NULL));
		EXPECT_EQ(TRUE, HeapDestroy(heaps[i]));
	}
	PrivheapSetRegionCache(0);
	ASSERT_EQ(0, privheap_query_process(&info));
	EXPECT_EQ(0, info.committed);
}

TEST(X_threads_of_one_heap)
{
	heap_count = 1;
	check_race(_metadata);
}

TEST(X_threads_of_four_heaps)
{
	heap_count = 4;
	PrivheapSetRegionCache(2);
	check_race(_metadata);
}

static void *lower_and_raise(void *arg)
{
	unsigned int seed = 5;

	for (int i = 0; i < 2000 && !atomic_load((atomic_bool *)arg); i++) {
		set_hard(heaps[0], rand_r(&seed) % 16 * MIB);
		set_nth(heaps[0], rand_r(&seed) % 8);
		usleep(100);
	}
	set_hard(heaps[0], hard);
	return NULL;
}

/* Whatever is set meanwhile, nothing gets beyond the highest of it. */
TEST(X_set_while_in_use)
{
	pthread_t threads[4], setter;
	atomic_bool done = false;

	heap_count = 1;
	hard = 16 * MIB;
	heaps[0] = HeapCreate(0, 0, 0);
	ASSERT_EQ(TRUE, set_hard(heaps[0], hard));
	ASSERT_EQ(0, pthread_create(&setter, NULL, lower_and_raise, &done));
	for (uintptr_t i = 0; i < 4; i++)
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, race,
					    (void *)i));
	for (int i = 0; i < 4; i++)
		ASSERT_EQ(0, pthread_join(threads[i], NULL));
	done = true;
	ASSERT_EQ(0, pthread_join(setter, NULL));
	EXPECT_EQ(0, wrong);
	EXPECT_GE(hard, limit_of(heaps[0]).cbPeak);
	EXPECT_EXACT(heaps[0]);
	EXPECT_EQ(TRUE, HeapDestroy(heaps[0]));
}

static void *end_with_lock(void *heap)
{
	HeapAlloc(heap, 0, 300 * KIB);
	HeapLock(heap);
	return HeapAlloc(heap, 0, 2 * MIB);
}

/* Who gets the lock after that counts what there is. */
TEST(X_the_holder_ends)
{
	HANDLE heap = HeapCreate(0, 0, 0);
	pthread_t thread;

	heaps[0] = heap;
	EXPECT_EQ(TRUE, set_hard(heap, 8 * MIB));
	for (int i = 0; i < 3; i++) {
		void *block;

		ASSERT_EQ(0, pthread_create(&thread, NULL, end_with_lock, heap));
		ASSERT_EQ(0, pthread_join(thread, &block));
		EXPECT_NE(NULL, block);
		EXPECT_EXACT(heap);
		EXPECT_EQ(8 * MIB, limit_of(heap).cbHard);
	}
	REFUSED(HeapAlloc(heap, 0, 2 * MIB));
	EXPECT_EQ(TRUE, HeapDestroy(heap));
}

TEST_HARNESS_MAIN
