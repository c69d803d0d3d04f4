// SPDX-License-Identifier: GPL-2.0-only
/*
 * The memory of heaps goes back to the system, by itself and when it is wanted.
 * Runs on the module and on anonymous mappings alike.
 */
#include <stdlib.h>
#include <unistd.h>

#include "patient_harness.h"

#include "heap_memory.h"

/* Bytes that HeapCompact() gives back. */
static ULONGLONG compact(HANDLE heap)
{
	ULONGLONG before = committed_of(heap);

	HeapCompact(heap, 0);
	return before - committed_of(heap);
}

/* --------------------------------------------------------- by itself */

FIXTURE(order)
{
	HANDLE heap;
};

/* The order in which the blocks are freed: a step through their numbers. */
FIXTURE_VARIANT(order)
{
	int step;	/* a number without common factor with 1024 */
	int start;
};

FIXTURE_VARIANT_ADD(order, forward) { .step = 1, .start = 0 };
FIXTURE_VARIANT_ADD(order, backward) { .step = 1023, .start = 1023 };
FIXTURE_VARIANT_ADD(order, scattered) { .step = 387, .start = 5 };

FIXTURE_SETUP(order)
{
	self->heap = HeapCreate(0, 0, 0);
	ASSERT_NE(NULL, self->heap);
}

FIXTURE_TEARDOWN(order)
{
	EXPECT_EQ(TRUE, HeapDestroy(self->heap));
	EXPECT_EQ(0, charge());
}

TEST_F(order, shrinks_by_itself)
{
	static char *blocks[1024];
	const SIZE_T size = 68 * KIB;
	int k = variant->start;

	ASSERT_EQ(1024, fill(self->heap, blocks, 1024, size));
	EXPECT_GE(committed_of(self->heap), 64 * MIB);
	EXPECT_EQ(committed_of(self->heap), charge());
	for (int i = 0; i < 1024; i++) {
		ULONGLONG left = (1023 - i) * size, committed;

		if (i % 64 == 0)
			ASSERT_TRUE(intact(self->heap, blocks, k, size));
		ASSERT_EQ(TRUE, HeapFree(self->heap, 0, blocks[k]));
		k = (k + variant->step) % 1024;
		/* a third more than what is used: a quarter of it is free */
		committed = committed_of(self->heap);
		ASSERT_LE(committed, left + left / 3 + MIB);
	}
	EXPECT_LE(committed_of(self->heap), KEPT);
	EXPECT_EQ(committed_of(self->heap), charge());
	EXPECT_EQ(0, usage_of(self->heap).cBlocks);
	/* and all of it can be used once more */
	ASSERT_EQ(1024, fill(self->heap, blocks, 1024, size));
	for (int i = 0; i < 1024; i++)
		ASSERT_TRUE(intact(self->heap, blocks, i, size));
}

TEST_F(order, fixed_heap_at_its_maximum_shrinks_by_itself)
{
	static char *blocks[1024];
	HANDLE heap = HeapCreate(0, 0, 80 * MIB);
	const SIZE_T size = 75 * KIB;
	int count = fill(heap, blocks, 1024, size), k = variant->start;

	/* 1024 of them take 75 MiB and a little */
	ASSERT_EQ(1024, count);
	EXPECT_GE(committed_of(heap), 75 * MIB);
	for (int i = 0; i < count; i++) {
		ASSERT_EQ(TRUE, HeapFree(heap, 0, blocks[k]));
		k = (k + variant->step) % 1024;
	}
	EXPECT_LE(committed_of(heap), KEPT);
	EXPECT_EQ(committed_of(heap) + committed_of(self->heap), charge());
	/* the whole maximum is of use again */
	EXPECT_EQ(1024, fill(heap, blocks, 1024, size));
	EXPECT_EQ(TRUE, HeapDestroy(heap));
}

TEST(every_other_block_goes_back)
{
	static char *blocks[1024];
	const SIZE_T size = 68 * KIB;
	HANDLE heap = HeapCreate(0, 0, 0);
	ULONGLONG full, half;

	ASSERT_EQ(1024, fill(heap, blocks, 1024, size));
	full = committed_of(heap);
	for (int i = 0; i < 1024; i += 2)
		ASSERT_EQ(TRUE, HeapFree(heap, 0, blocks[i]));
	half = committed_of(heap);
	/* what is used and a third of that */
	EXPECT_LE(half, full / 2 + full / 6 + MIB);
	EXPECT_EQ(half, charge());

	/* a pointer into a hole, or to what is gone, is refused without a touch */
	for (int i = 0; i < 1024; i += 2) {
		for (SIZE_T at = 0; at < size; at += 16 * 255) {
			ASSERT_EQ(FALSE, HeapFree(heap, 0, blocks[i] + at));
			ASSERT_EQ(ERROR_INVALID_PARAMETER, GetLastError());
			ASSERT_EQ((SIZE_T)-1, HeapSize(heap, 0, blocks[i] + at));
		}
	}
	for (int i = 1; i < 1024; i += 2)
		ASSERT_TRUE(intact(heap, blocks, i, size));

	/* blocks of holes: of their size, smaller, all zero if so wanted */
	for (int i = 0; i < 1024; i += 2) {
		SIZE_T n = i % 4 ? size : 65 * KIB;

		blocks[i] = HeapAlloc(heap, HEAP_ZERO_MEMORY, n);
		ASSERT_NE(NULL, blocks[i]);
		ASSERT_TRUE(all_bytes(blocks[i], 0, n));
		memset(blocks[i], i, n);
	}
	EXPECT_LE(committed_of(heap), full + 2 * MIB);
	for (int i = 0; i < 1024; i++) {
		SIZE_T n = i % 4 ? size : 65 * KIB;

		ASSERT_TRUE(intact(heap, blocks, i, n));
		ASSERT_EQ(TRUE, HeapFree(heap, 0, blocks[i]));
	}
	EXPECT_EQ(1, usage_of(heap).dwRegions);
	EXPECT_LE(committed_of(heap), KEPT);
	HeapDestroy(heap);
}

TEST(initial_commit_stays)
{
	static char *blocks[256];
	HANDLE heap = HeapCreate(0, 4 * MIB, 0);
	int order[2] = { 0, 255 };

	for (int o = 0; o < 2; o++) {
		ASSERT_EQ(256, fill(heap, blocks, 256, 66 * KIB));
		EXPECT_GT(committed_of(heap), 15 * MIB);
		for (int i = 0; i < 256; i++) {
			ASSERT_EQ(TRUE, HeapFree(heap, 0,
						 blocks[order[o] ^ i]));
			ASSERT_GE(committed_of(heap), 4 * MIB);
		}
		EXPECT_LE(committed_of(heap), 4 * MIB + KEPT);
	}
	HeapDestroy(heap);
}

TEST(alternation_settles)
{
	static const SIZE_T sizes[] = { 100 * KIB, 300 * KIB, 500 * KIB };
	HANDLE heaps[] = { HeapCreate(0, 0, 0), HeapCreate(0, 0, 4 * MIB) };

	for (int h = 0; h < 2; h++) {
		for (unsigned int s = 0; s < ARRAY_SIZE(sizes); s++) {
			ULONGLONG before = committed_of(heaps[h]), now;
			int changes = 0;

			/* each change was a system call */
			for (int i = 0; i < 1000; i++) {
				void *p = HeapAlloc(heaps[h], 0, sizes[s]);

				ASSERT_NE(NULL, p);
				now = committed_of(heaps[h]);
				changes += now != before;
				ASSERT_EQ(TRUE, HeapFree(heaps[h], 0, p));
				before = committed_of(heaps[h]);
				changes += now != before;
			}
			EXPECT_LE(changes, 12);
		}
		HeapDestroy(heaps[h]);
	}
}

TEST(what_is_held_is_given_up_again)
{
	static char *blocks[1024];
	HANDLE heap = HeapCreate(0, 0, 0);

	/* it learns to hold on to what it needs over and over */
	for (int i = 0; i < 100; i++) {
		ASSERT_EQ(6, fill(heap, blocks, 6, 500 * KIB));
		for (int k = 0; k < 6; k++)
			ASSERT_EQ(TRUE, HeapFree(heap, 0, blocks[k]));
	}
	/* with 32 bits regions are small, and go when they are empty */
	EXPECT_GE(committed_of(heap),
		  (sizeof(void *) == 8 ? 3000 : 800) * KIB);
	/* and unlearns it as it shrinks */
	ASSERT_EQ(1024, fill(heap, blocks, 1024, 70 * KIB));
	/* the last block keeps what is free from becoming the heap's end */
	for (int i = 0; i < 1023; i++)
		ASSERT_EQ(TRUE, HeapFree(heap, 0, blocks[i]));
	EXPECT_LE(committed_of(heap), KEPT);
	HeapDestroy(heap);
}

TEST(shrinking_blocks_give_back)
{
	HANDLE heap = HeapCreate(0, 0, 0);
	char *p[16];

	for (int i = 0; i < 16; i++) {
		p[i] = HeapAlloc(heap, 0, 500 * KIB);
		memset(p[i], i, 500 * KIB);
	}
	EXPECT_GE(committed_of(heap), 8000 * KIB);
	for (int i = 0; i < 16; i++)
		ASSERT_EQ(p[i], HeapReAlloc(heap, HEAP_REALLOC_IN_PLACE_ONLY,
					    p[i], 10 * KIB));
	EXPECT_LE(committed_of(heap), MIB);
	/* in place they grow again, and the rest of them is zero */
	for (int i = 0; i < 16; i++) {
		ASSERT_EQ(p[i], HeapReAlloc(heap, HEAP_ZERO_MEMORY |
					    HEAP_REALLOC_IN_PLACE_ONLY, p[i],
					    400 * KIB));
		ASSERT_TRUE(all_bytes(p[i], i, 10 * KIB));
		ASSERT_TRUE(all_bytes(p[i] + 10 * KIB, 0, 390 * KIB));
	}
	HeapDestroy(heap);
}

TEST(large_block_shrinks_and_grows_again)
{
	HANDLE heap = HeapCreate(0, 0, 0);
	char *p = HeapAlloc(heap, 0, 8 * MIB);
	ULONGLONG full = committed_of(heap);

	memset(p, 7, 8 * MIB);
	ASSERT_EQ(p, HeapReAlloc(heap, HEAP_REALLOC_IN_PLACE_ONLY, p, MIB));
	EXPECT_LE(committed_of(heap), full - 7 * MIB + 4096);
	EXPECT_EQ(committed_of(heap), charge());
	ASSERT_EQ(p, HeapReAlloc(heap, HEAP_REALLOC_IN_PLACE_ONLY |
				 HEAP_ZERO_MEMORY, p, 8 * MIB));
	EXPECT_TRUE(all_bytes(p, 7, MIB));
	EXPECT_TRUE(all_bytes(p + MIB, 0, 7 * MIB));
	EXPECT_EQ(8 * MIB, HeapSize(heap, 0, p));
	HeapDestroy(heap);
	EXPECT_EQ(0, charge());
}

/* ---------------------------------------------------------- when asked to */

TEST(trim_leaves_the_first_pages)
{
	static char *blocks[200];
	SIZE_T page = sysconf(_SC_PAGESIZE), given;
	HANDLE heaps[] = {
		HeapCreate(0, 0, 0), HeapCreate(0, 2 * MIB, 0),
		HeapCreate(0, 0, 4 * MIB), HeapCreate(0, 4 * MIB, 4 * MIB),
	};
	const SIZE_T initial[] = { page, 2 * MIB, page, 4 * MIB };

	for (int h = 0; h < 4; h++) {
		ULONGLONG before;

		ASSERT_EQ(200, fill(heaps[h], blocks, 200, 18 * KIB));
		for (int i = 0; i < 200; i++)
			ASSERT_EQ(TRUE, HeapFree(heaps[h], 0, blocks[i]));
		before = committed_of(heaps[h]);
		given = compact(heaps[h]);
		EXPECT_EQ(before - given, committed_of(heaps[h]));
		/* down to what was committed at first */
		EXPECT_LE(committed_of(heaps[h]), initial[h] + page);
		EXPECT_LE(usage_of(heaps[h]).cbResident, initial[h] + page);
		EXPECT_EQ(0, compact(heaps[h]));
		/* a fixed heap still has all of its maximum */
		ASSERT_EQ(200, fill(heaps[h], blocks, 200, 18 * KIB));
		for (int i = 0; i < 200; i++)
			ASSERT_TRUE(intact(heaps[h], blocks, i, 18 * KIB));
		EXPECT_EQ(TRUE, HeapDestroy(heaps[h]));
	}
	EXPECT_EQ(0, charge());
}

TEST(trim_gives_back_single_pages)
{
	static char *blocks[400];
	const SIZE_T page = sysconf(_SC_PAGESIZE), size = 66 * KIB;
	HANDLE heap = HeapCreate(0, 0, 0);
	ULONGLONG full;

	ASSERT_EQ(400, fill(heap, blocks, 400, size));
	full = committed_of(heap);
	for (int i = 0; i < 400; i += 2)
		ASSERT_EQ(TRUE, HeapFree(heap, 0, blocks[i]));
	/* all pages but those with its ends */
	compact(heap);
	EXPECT_LE(committed_of(heap), full - 200 * (size - 2 * page));
	EXPECT_EQ(committed_of(heap), charge());
	for (int i = 1; i < 400; i += 2) {
		ASSERT_TRUE(intact(heap, blocks, i, size));
		ASSERT_EQ(FALSE, HeapFree(heap, 0, blocks[i - 1]));
	}
	EXPECT_EQ(200, usage_of(heap).cBlocks);
	/* each takes back what it needs, and no more */
	for (int i = 0; i < 400; i += 2)
		blocks[i] = NULL;
	for (int i = 0; i < 28; i += 2) {
		ULONGLONG before = committed_of(heap);

		blocks[i] = HeapAlloc(heap, HEAP_ZERO_MEMORY, 100);
		ASSERT_NE(NULL, blocks[i]);
		ASSERT_TRUE(all_bytes(blocks[i], 0, 100));
		ASSERT_LE(committed_of(heap), before + size - 2 * page);
	}
	for (int i = 0; i < 400; i++)
		ASSERT_EQ(TRUE, HeapFree(heap, 0, blocks[i]));
	compact(heap);
	EXPECT_LE(committed_of(heap), size - 2 * page);
	HeapDestroy(heap);
}

TEST(trim_of_blocks_with_room_to_grow)
{
	HANDLE heap = HeapCreate(0, 0, 0);
	char *p = HeapAlloc(heap, 0, 100), *next = HeapAlloc(heap, 0, 100);
	SIZE_T page = sysconf(_SC_PAGESIZE);

	p = HeapReAlloc(heap, 0, p, 300 * KIB);
	for (SIZE_T n = 300 * KIB; n < 400 * KIB; n += KIB)
		ASSERT_EQ(p, HeapReAlloc(heap, 0, p, n));
	memset(p, 3, 399 * KIB);
	compact(heap);
	EXPECT_LE(committed_of(heap), 399 * KIB + 4 * page);
	EXPECT_EQ(0, write_at(p + 399 * KIB - 1));
	EXPECT_EQ(p, HeapReAlloc(heap, HEAP_ZERO_MEMORY, p, 500 * KIB));
	EXPECT_TRUE(all_bytes(p + 399 * KIB, 0, 101 * KIB));
	EXPECT_EQ(TRUE, HeapFree(heap, 0, next));
	HeapDestroy(heap);
}

/* ------------------------------------------------------------- random use */

static void random_use(struct __test_metadata *_metadata, HANDLE heap,
		       int rounds, unsigned int seed)
{
	static unsigned char *blocks[400];
	static SIZE_T sizes[400];
	ULONGLONG bytes = 0, count = 0;

	memset(blocks, 0, sizeof(blocks));
	for (int i = 0; i < rounds; i++) {
		int k = rand_r(&seed) % 400, phase = i / 4000 % 3;
		SIZE_T n = rand_r(&seed) % (rand_r(&seed) % 5 ? 3000 : 200000);
		DWORD zero = rand_r(&seed) % 2 ? HEAP_ZERO_MEMORY : 0;
		unsigned char *p;

		if (blocks[k])
			ASSERT_TRUE(all_bytes(blocks[k], sizes[k], sizes[k]));
		if (i % 1000 == 999)
			compact(heap);
		if (blocks[k] && phase < 2 && rand_r(&seed) % 2) {
			p = HeapReAlloc(heap, zero, blocks[k], n);
			if (!p)
				continue;
			ASSERT_TRUE(all_bytes(p, sizes[k],
					      n < sizes[k] ? n : sizes[k]));
			if (zero && n > sizes[k])
				ASSERT_TRUE(all_bytes(p + sizes[k], 0,
						      n - sizes[k]));
			bytes -= sizes[k];
		} else if (blocks[k]) {
			ASSERT_EQ(TRUE, HeapFree(heap, 0, blocks[k]));
			ASSERT_EQ(FALSE, HeapFree(heap, 0, blocks[k]));
			blocks[k] = NULL;
			bytes -= sizes[k];
			count--;
			continue;
		} else if (phase < 2) {
			p = HeapAlloc(heap, zero, n);
			if (!p)
				continue;
			if (zero)
				ASSERT_TRUE(all_bytes(p, 0, n));
			count++;
		} else {
			continue;
		}
		blocks[k] = p;
		sizes[k] = n;
		bytes += n;
		memset(p, n, n);
		if (i % 500 == 0) {
			PRIVHEAP_USAGE usage = usage_of(heap);

			ASSERT_EQ(count, usage.cBlocks);
			ASSERT_EQ(bytes, usage.cbAllocated);
			ASSERT_LE(bytes, usage.cbCommitted);
			ASSERT_LE(usage.cbCommitted, usage.cbReserved);
			ASSERT_EQ(usage.cbCommitted, charge());
		}
	}
	for (int k = 0; k < 400; k++) {
		if (blocks[k]) {
			ASSERT_TRUE(all_bytes(blocks[k], sizes[k], sizes[k]));
			ASSERT_EQ(TRUE, HeapFree(heap, 0, blocks[k]));
		}
	}
	EXPECT_EQ(0, usage_of(heap).cBlocks);
	compact(heap);
	EXPECT_EQ(1, usage_of(heap).dwRegions);
}

TEST(random_use_growable)
{
	HANDLE heap = HeapCreate(0, 0, 0);

	random_use(_metadata, heap, 40000, 1);
	EXPECT_LE(committed_of(heap), 64 * KIB);
	EXPECT_EQ(TRUE, HeapDestroy(heap));
	EXPECT_EQ(0, charge());
}

TEST(random_use_fixed)
{
	HANDLE heap = HeapCreate(0, 0, 3 * MIB);

	random_use(_metadata, heap, 40000, 2);
	/* in one piece again */
	EXPECT_NE(NULL, HeapAlloc(heap, 0, 500 * KIB));
	EXPECT_EQ(TRUE, HeapDestroy(heap));
	EXPECT_EQ(0, charge());
}

TEST_HARNESS_MAIN
