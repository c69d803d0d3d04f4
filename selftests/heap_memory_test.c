// SPDX-License-Identifier: GPL-2.0-only
/*
 * The memory of heaps: that it goes back to the system, by itself and when it
 * is wanted, how it grows, what guards it, and what happens where there is no
 * more. Runs on the module and on anonymous mappings alike.
 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <privheap/heapapi.h>
#include <privheap/region.h>

#include "kselftest_harness.h"

#define KIB		((SIZE_T)1024)
#define MIB		(1024 * KIB)
#define GIB		(1024ULL * MIB)
#define STALE		((DWORD)0xdeadbeef)	/* a last error nobody sets */

/* What a heap may keep that holds nothing, by the rule beside HeapFree(). */
#define KEPT		(512 * KIB)

static PRIVHEAP_USAGE usage_of(HANDLE heap)
{
	PRIVHEAP_USAGE usage = { .cb = sizeof(usage) };

	if (!PrivheapQueryHeap(heap, &usage))
		memset(&usage, 0xff, sizeof(usage));
	return usage;
}

static ULONGLONG committed_of(HANDLE heap)
{
	return usage_of(heap).cbCommitted;
}

/* What the process is charged for. */
static ULONGLONG charge(void)
{
	struct privheap_region_info info;

	if (privheap_query_process(&info))
		return UINT64_MAX;
	return info.committed;
}

/* Bytes that HeapCompact() gives back. */
static ULONGLONG compact(HANDLE heap)
{
	ULONGLONG before = committed_of(heap);

	HeapCompact(heap, 0);
	return before - committed_of(heap);
}

static bool all_bytes(const void *block, int value, SIZE_T size)
{
	const unsigned char *byte = block;

	while (size--)
		if (*byte++ != (unsigned char)value)
			return false;
	return true;
}

static sigjmp_buf fault_jump;

static void on_fault(int sig)
{
	siglongjmp(fault_jump, sig);
}

/* The signal that writing a byte there raises; 0: none. */
static int fault_at(volatile char *address)
{
	struct sigaction action = { .sa_handler = on_fault }, old[2];
	int sig;

	sigaction(SIGSEGV, &action, &old[0]);
	sigaction(SIGBUS, &action, &old[1]);
	sig = sigsetjmp(fault_jump, 1);
	if (!sig)
		*address = 1;
	sigaction(SIGSEGV, &old[0], NULL);
	sigaction(SIGBUS, &old[1], NULL);
	return sig;
}

/*
 * Blocks of one size, all written to: that they take pages shows that these
 * come back. As many as the array holds, or as the heap has room for.
 */
static int fill(HANDLE heap, char **blocks, int count, SIZE_T size)
{
	int i;

	for (i = 0; i < count; i++) {
		blocks[i] = HeapAlloc(heap, 0, size);
		if (!blocks[i])
			break;
		memset(blocks[i], i, size);
	}
	return i;
}

static bool intact(HANDLE heap, char **blocks, int i, SIZE_T size)
{
	return HeapSize(heap, 0, blocks[i]) == size &&
	       all_bytes(blocks[i], i, size);
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
	EXPECT_LE(committed_of(heap), 2 * size / 3);
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
	EXPECT_EQ(0, fault_at(p + 399 * KIB - 1));
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

/* ----------------------------------------------------------------- growth */

TEST(regions_reserve_more_and_more)
{
	HANDLE heap = HeapCreate(0, 0, 0);
	ULONGLONG before = usage_of(heap).cbReserved;
	const SIZE_T size = 500 * KIB;
	DWORD regions = 1;

	EXPECT_EQ(sizeof(void *) == 8 ? 8 * MIB : MIB, before);
	/* none of these is touched, so they cost the machine nothing */
	for (int i = 0; i < 200; i++) {
		PRIVHEAP_USAGE usage;

		ASSERT_NE(NULL, HeapAlloc(heap, 0, size));
		usage = usage_of(heap);
		if (usage.dwRegions == regions)
			continue;
		ASSERT_EQ(regions + 1, usage.dwRegions);
		ASSERT_GE(usage.cbReserved - before,
			  sizeof(void *) == 8 ? 64 * MIB : 2 * MIB);
		before = usage.cbReserved;
		regions++;
	}
	if (sizeof(void *) == 8) {
		EXPECT_EQ(3, regions);
		EXPECT_EQ((8 + 64 + 512) * MIB, before);
	} else {
		EXPECT_LE(regions, 12);
	}
	HeapDestroy(heap);
	EXPECT_EQ(0, charge());
}

TEST(commits_are_few_and_close)
{
	HANDLE heap = HeapCreate(0, 0, 0);
	ULONGLONG last = committed_of(heap), used = 0;
	int changes = 0;

	for (int i = 0; i < 32 * 16; i++) {
		ASSERT_NE(NULL, HeapAlloc(heap, 0, 66 * KIB - 16));
		used += 66 * KIB;
		if (committed_of(heap) == last)
			continue;
		changes++;
		last = committed_of(heap);
		/* what is left at the end of each region, too */
		ASSERT_LE(last, used + used / 8 + 320 * KIB);
	}
	/* 512 blocks, and 33 MiB of them */
	EXPECT_LE(changes, 80);
	HeapDestroy(heap);
}

TEST(last_block_grows_in_place)
{
	HANDLE heap = HeapCreate(0, 0, 0);
	SIZE_T size = 16, before;
	char *p = HeapAlloc(heap, 0, size);

	memset(p, 1, size);
	while (size < 2 * MIB / (sizeof(void *) == 8 ? 1 : 4)) {
		before = size;
		size += size / 2;
		ASSERT_EQ(p, HeapReAlloc(heap, HEAP_ZERO_MEMORY, p, size));
		ASSERT_EQ(size, HeapSize(heap, 0, p));
		ASSERT_TRUE(all_bytes(p, 1, before));
		ASSERT_TRUE(all_bytes(p + before, 0, size - before));
		memset(p, 1, size);
	}
	EXPECT_EQ(1, usage_of(heap).cBlocks);
	EXPECT_EQ(1, usage_of(heap).dwRegions);
	EXPECT_LE(committed_of(heap), size + size / 4 + 128 * KIB);
	EXPECT_EQ(TRUE, HeapFree(heap, 0, p));
	HeapDestroy(heap);
}

TEST(blocks_that_grow_side_by_side_get_room)
{
	HANDLE heap = HeapCreate(0, 0, 0);
	int moves = 0;
	char *p[8];
	SIZE_T size = 16, used;

	for (int i = 0; i < 8; i++) {
		p[i] = HeapAlloc(heap, 0, size);
		memset(p[i], i, size);
	}
	while (size < MIB) {
		size += size / 2;
		for (int i = 0; i < 8; i++) {
			char *q = HeapReAlloc(heap, 0, p[i], size);

			ASSERT_NE(NULL, q);
			ASSERT_TRUE(all_bytes(q, i, size / 3 * 2));
			moves += q != p[i] && size > 64 * KIB;
			memset(q, i, size);
			p[i] = q;
		}
	}
	/* none of them moved twice after it was large */
	EXPECT_LE(moves, sizeof(void *) == 8 ? 8 : 24);
	EXPECT_EQ(8, usage_of(heap).cBlocks);
	/* what is reserved for that is not committed */
	used = 8 * size;
	EXPECT_LE(committed_of(heap), used + used / 4 + MIB);

	for (int i = 0; i < 8; i++) {
		/* small again: the rest goes back */
		ASSERT_EQ(p[i], HeapReAlloc(heap, HEAP_REALLOC_IN_PLACE_ONLY,
					    p[i], 1000));
		ASSERT_TRUE(all_bytes(p[i], i, 1000));
		ASSERT_EQ(p[i], HeapReAlloc(heap, HEAP_REALLOC_IN_PLACE_ONLY |
					    HEAP_ZERO_MEMORY, p[i], 50 * KIB));
		ASSERT_TRUE(all_bytes(p[i] + 1000, 0, 49 * KIB));
		ASSERT_EQ(p[i], HeapReAlloc(heap, 0, p[i], 1000));
	}
	EXPECT_LE(committed_of(heap), KEPT + 8 * 8192);
	for (int i = 0; i < 8; i++)
		ASSERT_EQ(TRUE, HeapFree(heap, 0, p[i]));
	EXPECT_EQ(1, usage_of(heap).dwRegions);
	HeapDestroy(heap);
	EXPECT_EQ(0, charge());
}

TEST(growing_blocks_are_limited_in_number)
{
	static char *p[3000];
	HANDLE heap = HeapCreate(0, 0, 0);

	for (int i = 0; i < 3000; i++) {
		p[i] = HeapAlloc(heap, 0, 1000);
		ASSERT_NE(NULL, p[i]);
		p[i][0] = i;
	}
	for (int i = 0; i < 3000; i++) {
		p[i] = HeapReAlloc(heap, 0, p[i], 33 * KIB);
		ASSERT_NE(NULL, p[i]);
		ASSERT_EQ((char)i, p[i][0]);
	}
	EXPECT_LE(usage_of(heap).dwRegions, 1100);
	for (int i = 0; i < 3000; i++)
		ASSERT_EQ(TRUE, HeapFree(heap, 0, p[i]));
	EXPECT_EQ(1, usage_of(heap).dwRegions);
	HeapDestroy(heap);
}

/* ----------------------------------------------------------------- guards */

TEST(guard_behind_a_fixed_heap)
{
	const SIZE_T size = 256 * KIB;
	HANDLE heaps[8];

	/* made side by side, and committed to the last byte */
	for (int i = 0; i < 8; i++) {
		heaps[i] = HeapCreate(0, size, size);
		ASSERT_NE(NULL, heaps[i]);
		EXPECT_EQ(size, usage_of(heaps[i]).cbReserved);
		EXPECT_EQ(size, committed_of(heaps[i]));
	}
	for (int i = 0; i < 8; i++) {
		char *end = (char *)heaps[i] + size;

		EXPECT_EQ(0, fault_at(end - 1));
		EXPECT_EQ(SIGSEGV, fault_at(end));
		EXPECT_EQ(SIGSEGV, fault_at(end + sysconf(_SC_PAGESIZE) - 1));
	}
	for (int i = 0; i < 8; i++)
		EXPECT_EQ(TRUE, HeapDestroy(heaps[i]));
	EXPECT_EQ(0, charge());
}

TEST(guard_behind_large_blocks)
{
	HANDLE heap = HeapCreate(0, 0, 0);
	SIZE_T page = sysconf(_SC_PAGESIZE);
	char *blocks[8];

	for (int i = 0; i < 8; i++)
		blocks[i] = HeapAlloc(heap, 0, 2 * MIB);
	for (int i = 0; i < 8; i++) {
		uintptr_t end = (uintptr_t)blocks[i] + 2 * MIB;

		end = (end + page - 1) & ~(page - 1);
		EXPECT_EQ(0, fault_at((char *)end - 1));
		EXPECT_EQ(SIGSEGV, fault_at((char *)end));
	}
	EXPECT_EQ(9, usage_of(heap).dwRegions);
	HeapDestroy(heap);
}

TEST(guard_can_not_be_committed)
{
	const SIZE_T size = 64 * KIB;
	HANDLE heap = HeapCreate(0, size, size);
	SIZE_T page = sysconf(_SC_PAGESIZE);

	EXPECT_EQ(-1, privheap_region_commit(heap, size, page, 0));
	EXPECT_EQ(EDQUOT, errno);
	EXPECT_EQ(SIGSEGV, fault_at((char *)heap + size));
	HeapDestroy(heap);
}

/* -------------------------------------------------- where there is no more */

TEST(many_heaps)
{
	static HANDLE heaps[10000];
	int count = ARRAY_SIZE(heaps);
	char *p;

	for (int i = 0; i < count; i++) {
		/* growable ones reserve more than 32 bits can address */
		heaps[i] = HeapCreate(0, 0, sizeof(void *) == 8 ? 0 : 64 * KIB);
		ASSERT_NE(NULL, heaps[i]);
		p = HeapAlloc(heaps[i], 0, 100);
		ASSERT_NE(NULL, p);
		memset(p, i, 100);
	}
	EXPECT_EQ(count * (ULONGLONG)sysconf(_SC_PAGESIZE), charge());
	for (int i = 0; i < count; i++) {
		ASSERT_EQ(1, usage_of(heaps[i]).cBlocks);
		ASSERT_EQ(TRUE, HeapDestroy(heaps[i]));
	}
	EXPECT_EQ(0, charge());
}

TEST(many_large_blocks)
{
	static char *blocks[10000];
	int count = sizeof(void *) == 8 ? 10000 : 1500;
	HANDLE heap = HeapCreate(0, 0, 0);
	const SIZE_T size = MIB + 1;

	for (int i = 0; i < count; i++) {
		blocks[i] = HeapAlloc(heap, 0, size);
		ASSERT_NE(NULL, blocks[i]);
		blocks[i][0] = i;
	}
	EXPECT_EQ(1 + count, usage_of(heap).dwRegions);
	for (int i = 0; i < count; i++) {
		int k = i * 7 % count;

		ASSERT_EQ((char)k, blocks[k][0]);
		ASSERT_EQ(size, HeapSize(heap, 0, blocks[k]));
		ASSERT_EQ(TRUE, HeapFree(heap, 0, blocks[k]));
		ASSERT_EQ(FALSE, HeapFree(heap, 0, blocks[k]));
	}
	EXPECT_EQ(1, usage_of(heap).dwRegions);
	HeapDestroy(heap);
	EXPECT_EQ(0, charge());
}

TEST(out_of_mappings)
{
	HANDLE heap = HeapCreate(0, 0, 0);
	SIZE_T page = sysconf(_SC_PAGESIZE), span;
	static char *blocks[64];
	char *area, *p;
	int count;

	/* every other page of it becomes a mapping of its own */
	span = 300000 * page;
	area = mmap(NULL, span, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS |
		    MAP_NORESERVE, -1, 0);
	ASSERT_NE(MAP_FAILED, area);
	ASSERT_EQ(64, fill(heap, blocks, 64, 64 * KIB));
	for (p = area; p < area + span; p += 2 * page)
		if (mprotect(p, page, PROT_READ))
			break;
	if (p >= area + span) {
		munmap(area, span);
		SKIP(return, "vm.max_map_count is higher than 300,000");
	}
	/* one mapping may be left, for what needs two to be split */
	for (count = 0; count < 4; count++)
		mmap(NULL, page, count % 2 ? PROT_READ : PROT_NONE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	SetLastError(STALE);
	EXPECT_EQ(NULL, HeapAlloc(heap, 0, 2 * MIB));
	EXPECT_EQ(ERROR_NOT_ENOUGH_MEMORY, GetLastError());
	EXPECT_EQ(ERROR_NOT_ENOUGH_MEMORY, errno);
	EXPECT_EQ(NULL, HeapCreate(0, 0, 0));
	EXPECT_EQ(ERROR_NOT_ENOUGH_MEMORY, GetLastError());
	/* what there is can be used: none of this may fail or harm */
	for (int i = 0; i < 64; i++)
		EXPECT_TRUE(intact(heap, blocks, i, 64 * KIB));
	for (int i = 0; i < 64; i += 2)
		EXPECT_EQ(TRUE, HeapFree(heap, 0, blocks[i]));
	for (int i = 0; i < 64; i += 2) {
		blocks[i] = HeapAlloc(heap, 0, 60 * KIB);
		ASSERT_NE(NULL, blocks[i]);
		memset(blocks[i], i, 60 * KIB);
	}
	for (int i = 0; i < 64; i++)
		EXPECT_TRUE(intact(heap, blocks, i, i % 2 ? 64 * KIB : 60 * KIB));

	munmap(area, span);
	EXPECT_NE(NULL, HeapAlloc(heap, 0, 2 * MIB));
	for (int i = 0; i < 64; i++)
		EXPECT_EQ(TRUE, HeapFree(heap, 0, blocks[i]));
	EXPECT_EQ(TRUE, HeapDestroy(heap));
	EXPECT_EQ(0, charge());
}

/* ------------------------------------------------------ many free pieces */

/*
 * A hundred thousand free blocks of a size, none of which will do for what is
 * wanted: run under callgrind this shows the steps it takes, and here that it
 * works, and in which time of the processor's compared with few free blocks is
 * not asserted.
 */
TEST(many_free_blocks_of_nearly_the_size)
{
	const int count = 200000;
	HANDLE heap = HeapCreate(HEAP_NO_SERIALIZE, 0, 0);
	char **p = malloc(count * sizeof(*p)), *q;
	SIZE_T size = 1040;

	for (int i = 0; i < count; i++) {
		p[i] = HeapAlloc(heap, 0, size);
		ASSERT_NE(NULL, p[i]);
	}
	for (int i = 0; i < count; i += 2)
		ASSERT_EQ(TRUE, HeapFree(heap, 0, p[i]));
	/* in the same bin, and too large for any of them */
	for (int i = 0; i < count; i += 2) {
		p[i] = HeapAlloc(heap, 0, size + 64);
		ASSERT_NE(NULL, p[i]);
	}
	for (int i = 1; i < count; i += 2)
		ASSERT_EQ(TRUE, HeapFree(heap, 0, p[i]));
	/* neighbours were merged: blocks of twice the size fit where they were */
	q = HeapAlloc(heap, 0, 2 * size);
	EXPECT_NE(NULL, q);
	for (int i = 0; i < count; i += 2)
		ASSERT_EQ(TRUE, HeapFree(heap, 0, p[i]));
	ASSERT_EQ(TRUE, HeapFree(heap, 0, q));
	EXPECT_EQ(0, usage_of(heap).cBlocks);
	free(p);
	HeapDestroy(heap);
}

TEST_HARNESS_MAIN
