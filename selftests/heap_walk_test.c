// SPDX-License-Identifier: GPL-2.0-only
/* HeapValidate and HeapWalk: see heap_selftest.h. */
#include <stdatomic.h>
#include <pthread.h>
#include <stdlib.h>

#include "heap_selftest.h"

_Static_assert(sizeof(PROCESS_HEAP_ENTRY) == (sizeof(void *) == 8 ? 40 : 28),
	       "PROCESS_HEAP_ENTRY");
OFFSET_64_32(PROCESS_HEAP_ENTRY, lpData, 0, 0);
OFFSET_64_32(PROCESS_HEAP_ENTRY, cbData, 8, 4);
OFFSET_64_32(PROCESS_HEAP_ENTRY, cbOverhead, 12, 8);
OFFSET_64_32(PROCESS_HEAP_ENTRY, iRegionIndex, 13, 9);
OFFSET_64_32(PROCESS_HEAP_ENTRY, wFlags, 14, 10);
OFFSET_64_32(PROCESS_HEAP_ENTRY, Block.hMem, 16, 12);
OFFSET_64_32(PROCESS_HEAP_ENTRY, Block.dwReserved, 24, 16);
OFFSET_64_32(PROCESS_HEAP_ENTRY, Region.dwCommittedSize, 16, 12);
OFFSET_64_32(PROCESS_HEAP_ENTRY, Region.dwUnCommittedSize, 20, 16);
OFFSET_64_32(PROCESS_HEAP_ENTRY, Region.lpFirstBlock, 24, 20);
OFFSET_64_32(PROCESS_HEAP_ENTRY, Region.lpLastBlock, 32, 24);

#define WALK_MAX	4096

/* Every entry of a walk, at most WALK_MAX; checks how it ends. */
static int walk_all(struct __test_metadata *_metadata, HANDLE heap,
		    PROCESS_HEAP_ENTRY *entries)
{
	PROCESS_HEAP_ENTRY entry;
	int count = 0;

	memset(&entry, 0xa5, sizeof(entry));
	entry.lpData = NULL;
	while (count < WALK_MAX) {
		BOOL more;

		SetLastError(STALE);
		errno = STALE_ERRNO;
		more = HeapWalk(heap, &entry);
		if (!more)
			break;
		EXPECT_EQ(TRUE, more);
		EXPECT_EQ(STALE, GetLastError());
		EXPECT_EQ(STALE_ERRNO, errno);
		entries[count++] = entry;
	}
	EXPECT_EQ(ERROR_NO_MORE_ITEMS, GetLastError());
	EXPECT_EQ(ERROR_NO_MORE_ITEMS, errno);
	EXPECT_LT(count, WALK_MAX);
	return count;
}

static PROCESS_HEAP_ENTRY walked[WALK_MAX], walked_again[WALK_MAX];

/* The entry of the walk in @walked whose lpData it is and that is BUSY. */
static PROCESS_HEAP_ENTRY *walk_find(int count, const void *block)
{
	for (int i = 0; i < count; i++) {
		if (walked[i].lpData == block &&
		    (walked[i].wFlags & PROCESS_HEAP_ENTRY_BUSY))
			return &walked[i];
	}
	return NULL;
}

/* ---------------------------------------------------------- HeapValidate */

TEST(V1_sound_heap)
{
	HANDLE heap = HeapCreate(0, 0, 0), fixed = HeapCreate(0, 0, 64 * KIB);
	char *blocks[200];

	KEEPS_ERROR(EXPECT_EQ(TRUE, HeapValidate(heap, 0, NULL)));
	KEEPS_ERROR(EXPECT_EQ(TRUE, HeapValidate(fixed, 0, NULL)));
	for (int i = 0; i < 200; i++) {
		blocks[i] = HeapAlloc(heap, 0, i * i * 10);
		HeapAlloc(fixed, 0, i * i * 10);
	}
	HeapAlloc(heap, 0, 3 * MIB);
	for (int i = 0; i < 200; i += 2) {
		ASSERT_EQ(TRUE, HeapFree(heap, 0, blocks[i]));
		ASSERT_EQ(TRUE, HeapValidate(heap, 0, NULL));
	}
	KEEPS_ERROR(EXPECT_EQ(TRUE, HeapValidate(fixed, 0, NULL)));
	HeapDestroy(heap);
	HeapDestroy(fixed);
}

TEST(V2_live_blocks)
{
	static const SIZE_T sizes[] = { 0, 1, 100, 5000, 300 * KIB, 3 * MIB };
	HANDLE heap = HeapCreate(0, 0, 0);

	for (unsigned int i = 0; i < ARRAY_SIZE(sizes); i++) {
		void *p = HeapAlloc(heap, 0, sizes[i]);

		KEEPS_ERROR(EXPECT_EQ(TRUE, HeapValidate(heap, 0, p)));
	}
	HeapDestroy(heap);
}

TEST(V3_what_is_no_live_block)
{
	HANDLE heap = HeapCreate(0, 0, 0), other = HeapCreate(0, 0, 0);
	char *p = HeapAlloc(heap, 0, 1000), *gone = HeapAlloc(heap, 0, 100);
	char *between = HeapAlloc(heap, 0, 100), *large, local;
	char *large_gone = HeapAlloc(heap, 0, 2 * MIB);
	void *bad[] = {
		gone, large_gone, p + 1, p + 8, p + 16, p - 16, p + 512,
		HeapAlloc(other, 0, 100), HeapAlloc(other, 0, 2 * MIB), heap,
		&local, (void *)1, (void *)16, (void *)UINTPTR_MAX,
		(void *)(UINTPTR_MAX - 15),
	};

	ASSERT_NE(NULL, between);
	memset(p, 0xff, 1000);
	HeapFree(heap, 0, gone);
	HeapFree(heap, 0, large_gone);
	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++)
		KEEPS_ERROR(EXPECT_EQ(FALSE, HeapValidate(heap, 0, bad[i])));
	large = HeapAlloc(heap, 0, 2 * MIB);
	KEEPS_ERROR(EXPECT_EQ(FALSE, HeapValidate(heap, 0, large + 4096)));
	KEEPS_ERROR(EXPECT_EQ(TRUE, HeapValidate(heap, 0, large)));

	/* free elements of a walk */
	for (int i = walk_all(_metadata, heap, walked); i--;) {
		if (!(walked[i].wFlags & PROCESS_HEAP_ENTRY_BUSY))
			EXPECT_EQ(FALSE, HeapValidate(heap, 0,
						      walked[i].lpData));
	}
	HeapDestroy(heap);
	HeapDestroy(other);
}

/* What each byte of the heap's own data does, when it is another. */
TEST(V4_damaged_control_data)
{
	/* all on one page, with a hole between the last two blocks */
	HANDLE heap = HeapCreate(0, 0, 4096);
	char *a = HeapAlloc(heap, 0, 100), *b = HeapAlloc(heap, 0, 100);
	char *hole = HeapAlloc(heap, 0, 100), *c = HeapAlloc(heap, 0, 100);
	HEAP_SUMMARY sum = { .cb = sizeof(sum) };
	PROCESS_HEAP_ENTRY entry;

	ASSERT_NE(NULL, c);
	memset(a, 0x11, 100);
	memset(b, 0x22, 100);
	HeapFree(heap, 0, hole);
	ASSERT_EQ(TRUE, HeapValidate(heap, 0, NULL));
	/* the overrun of a block runs into the next one's header */
	for (char *at = a + HeapSize(heap, 0, a); at < b; at++) {
		char was = *at;

		for (int bit = 0; bit < 8; bit++) {
			*at = was ^ 1 << bit;
			if (at >= b - 2 * (int)sizeof(size_t)) {
				KEEPS_ERROR(EXPECT_EQ(FALSE,
						      HeapValidate(heap, 0, NULL)));
				KEEPS_ERROR(EXPECT_EQ(FALSE,
						      HeapValidate(heap, 0, b)));
			}
			entry.lpData = NULL;
			for (int i = 0; i < 100 && HeapWalk(heap, &entry); i++)
				;
			HeapCompact(heap, 0);
		}
		*at = was;
	}
	EXPECT_EQ(TRUE, HeapValidate(heap, 0, NULL));
	/* a free chunk: its header and its list */
	for (char *at = hole - 2 * sizeof(size_t); at < hole; at++) {
		char was = *at;

		*at = was ^ 0x40;
		EXPECT_EQ(FALSE, HeapValidate(heap, 0, NULL));
		if (!HeapSummary(heap, 0, &sum))
			EXPECT_EQ(ERROR_GEN_FAILURE, GetLastError());
		HeapCompact(heap, 0);
		*at = was;
	}
	EXPECT_EQ(TRUE, HeapValidate(heap, 0, NULL));
	HeapDestroy(heap);
}

TEST(V4_walks_end_whatever_was_overwritten)
{
	unsigned int seed = 7;

	for (int round = 0; round < 300; round++) {
		HANDLE heap = HeapCreate(0, 0, 64 * KIB);
		PROCESS_HEAP_ENTRY entry = { .lpData = NULL };
		PRIVHEAP_USAGE usage = { .cb = sizeof(usage) };
		char *blocks[64];
		int steps = 0;

		for (int i = 0; i < 64; i++)
			blocks[i] = HeapAlloc(heap, 0, rand_r(&seed) % 300);
		for (int i = 0; i < 64; i += 2)
			HeapFree(heap, 0, blocks[i]);
		/* an overrun, of any length and contents */
		for (int i = rand_r(&seed) % 3000; i >= 0; i--)
			blocks[9][i] = round % 3 ? rand_r(&seed) :
						   (rand_r(&seed) % 8) * 16;
		HeapValidate(heap, 0, NULL);
		while (HeapWalk(heap, &entry))
			ASSERT_LT(steps++, 64 * KIB / 16);
		HeapCompact(heap, 0);
		PrivheapQueryHeap(heap, &usage);
		for (int i = 1; i < 64; i += 2)
			HeapValidate(heap, 0, blocks[i]);
		ASSERT_EQ(TRUE, HeapDestroy(heap));
	}
}

TEST(V5_bad_heap)
{
	HANDLE gone = HeapCreate(0, 0, 0);
	int local;

	HeapDestroy(gone);
	KEEPS_ERROR(EXPECT_EQ(FALSE, HeapValidate(NULL, 0, NULL)));
	KEEPS_ERROR(EXPECT_EQ(FALSE, HeapValidate(gone, 0, NULL)));
	KEEPS_ERROR(EXPECT_EQ(FALSE, HeapValidate(&local, 0, &local)));
}

/* -------------------------------------------------------------- HeapWalk */

TEST(K4_K6_K7_fresh_heap)
{
	SIZE_T page = sysconf(_SC_PAGESIZE);
	HANDLE heap = HeapCreate(0, 0, 0);
	SIZE_T reserved = usage_of(heap).cbReserved;

	ASSERT_EQ(3, walk_all(_metadata, heap, walked));
	EXPECT_EQ(PROCESS_HEAP_REGION, walked[0].wFlags);
	EXPECT_EQ(heap, walked[0].lpData);
	EXPECT_EQ(reserved, walked[0].cbData);
	EXPECT_EQ(page, walked[0].Region.dwCommittedSize);
	EXPECT_EQ(reserved - page, walked[0].Region.dwUnCommittedSize);
	EXPECT_EQ(walked[1].lpData, walked[0].Region.lpFirstBlock);
	EXPECT_EQ((char *)heap + reserved,
		  (char *)walked[0].Region.lpLastBlock);
	EXPECT_EQ(0, walked[0].iRegionIndex);

	EXPECT_EQ(0, walked[1].wFlags);
	EXPECT_EQ(page, (char *)walked[1].lpData - (char *)heap +
			walked[1].cbData);

	EXPECT_EQ(PROCESS_HEAP_UNCOMMITTED_RANGE, walked[2].wFlags);
	EXPECT_EQ((char *)heap + page, (char *)walked[2].lpData);
	EXPECT_EQ(reserved - page, walked[2].cbData);
	EXPECT_EQ(0, walked[2].cbOverhead);
	HeapDestroy(heap);

	/* nothing uncommitted, no entry for it */
	heap = HeapCreate(0, 64 * KIB, 64 * KIB);
	EXPECT_EQ(2, walk_all(_metadata, heap, walked));
	EXPECT_EQ(0, walked[0].Region.dwUnCommittedSize);
	HeapDestroy(heap);
}

TEST(K1_only_lpData_starts_a_walk)
{
	HANDLE heap = HeapCreate(0, 0, 0);
	PROCESS_HEAP_ENTRY entry;

	for (int fill = 0; fill < 256; fill++) {
		memset(&entry, fill, sizeof(entry));
		entry.lpData = NULL;
		KEEPS_ERROR(EXPECT_EQ(TRUE, HeapWalk(heap, &entry)));
		EXPECT_EQ(heap, entry.lpData);
	}
	HeapDestroy(heap);
}

TEST(K2_K3_end_and_interleaved_walks)
{
	HANDLE heap = HeapCreate(0, 0, 0);
	PROCESS_HEAP_ENTRY one = { .lpData = NULL }, two = { .lpData = NULL };
	int count, i;

	for (i = 0; i < 20; i++)
		HeapAlloc(heap, 0, i ? 100 * i : 2 * MIB);
	count = walk_all(_metadata, heap, walked);
	for (i = 0; i < count; i++) {
		ASSERT_EQ(TRUE, HeapWalk(heap, &one));
		EXPECT_EQ(0, memcmp(&one, &walked[i], sizeof(one)));
		if (i >= 3) {
			ASSERT_EQ(TRUE, HeapWalk(heap, &two));
			EXPECT_EQ(0, memcmp(&two, &walked[i - 3], sizeof(two)));
		}
	}
	for (i = 0; i < 3; i++)
		SETS_ERROR(ERROR_NO_MORE_ITEMS,
			   EXPECT_EQ(FALSE, HeapWalk(heap, &one)));
	EXPECT_EQ(TRUE, HeapWalk(heap, &two));
	HeapDestroy(heap);
}

TEST(K5_K8_K9_every_block_once_and_in_order)
{
	HANDLE heap = HeapCreate(0, 0, 0);
	char *blocks[300], *large[5], *end = NULL;
	int count, busy = 0, free_pieces = 0, regions = 0, last;

	for (int i = 0; i < 300; i++)
		blocks[i] = HeapAlloc(heap, 0, i * 397 % 80000);
	for (int i = 0; i < 5; i++)
		large[i] = HeapAlloc(heap, 0, (i + 2) * MIB + i);
	for (int i = 0; i < 300; i += 3)
		HeapFree(heap, 0, blocks[i]);
	count = walk_all(_metadata, heap, walked);

	for (int i = 0; i < 300; i++) {
		PROCESS_HEAP_ENTRY *entry = walk_find(count, blocks[i]);

		if (i % 3 == 0) {
			EXPECT_EQ(NULL, entry);
			continue;
		}
		ASSERT_NE(NULL, entry);
		EXPECT_EQ(PROCESS_HEAP_ENTRY_BUSY, entry->wFlags);
		EXPECT_EQ(i * 397 % 80000, entry->cbData);
		EXPECT_EQ(NULL, entry->Block.hMem);
	}
	for (int i = 0; i < 5; i++) {
		PROCESS_HEAP_ENTRY *entry = walk_find(count, large[i]);

		ASSERT_NE(NULL, entry);
		EXPECT_GE(entry, &walked[count - 5]);
		EXPECT_EQ(PROCESS_HEAP_ENTRY_BUSY, entry->wFlags);
		EXPECT_EQ((i + 2) * MIB + i, entry->cbData);
		EXPECT_EQ(0, entry->cbOverhead);
		EXPECT_EQ(64, entry->iRegionIndex);
	}
	last = count - 5;
	for (int i = 0; i < count; i++) {
		char *at = walked[i].lpData;

		busy += walked[i].wFlags == PROCESS_HEAP_ENTRY_BUSY;
		free_pieces += walked[i].wFlags == 0;
		if (walked[i].wFlags == PROCESS_HEAP_REGION) {
			EXPECT_EQ(regions, walked[i].iRegionIndex);
			regions++;
			end = at;
		} else if (i < last) {
			/* neither overlaps nor gaps: header, body, slack */
			EXPECT_GE(at, end);
			if (walked[i].wFlags == 0)
				EXPECT_EQ(FALSE, HeapFree(heap, 0, at));
			EXPECT_EQ(regions - 1, walked[i].iRegionIndex);
			end = at + walked[i].cbData;
		}
	}
	EXPECT_EQ(205, busy);
	EXPECT_GT(free_pieces, 50);
	EXPECT_GE(regions, 2);
	EXPECT_EQ(usage_of(heap).dwRegions, regions + 5);
	EXPECT_EQ(TRUE, HeapValidate(heap, 0, NULL));
	HeapDestroy(heap);
}

TEST(K6_pieces_fill_the_committed_part)
{
	HANDLE heap = HeapCreate(0, 0, MIB);
	char *blocks[200];
	SIZE_T sum = 0;
	int count;

	for (int i = 0; i < 200; i++)
		blocks[i] = HeapAlloc(heap, 0, i * 7 % 900);
	for (int i = 0; i < 200; i += 5)
		HeapFree(heap, 0, blocks[i]);
	count = walk_all(_metadata, heap, walked);
	for (int i = 1; i < count - 1; i++)
		sum += walked[i].cbData + walked[i].cbOverhead;
	/* all but the heap's own header, which is less than half a page */
	EXPECT_LE(sum, usage_of(heap).cbCommitted);
	EXPECT_GT(sum, usage_of(heap).cbCommitted - 2048);
	HeapDestroy(heap);
}

TEST(K10_freed_memory_is_merged)
{
	HANDLE heap = HeapCreate(0, 0, 0);
	char *blocks[3], *large = HeapAlloc(heap, 0, 5 * MIB);
	int fresh;

	HeapFree(heap, 0, large);
	fresh = walk_all(_metadata, heap, walked);
	EXPECT_EQ(3, fresh);
	for (int round = 0; round < 6; round++) {
		for (int i = 0; i < 3; i++)
			blocks[i] = HeapAlloc(heap, 0, 100);
		large = HeapAlloc(heap, 0, 2 * MIB);
		HeapFree(heap, 0, blocks[round % 3]);
		HeapFree(heap, 0, blocks[(round + 1 + round / 3) % 3]);
		HeapFree(heap, 0, blocks[(round + 2 - round / 3) % 3]);
		HeapFree(heap, 0, large);
		/* what was committed for them goes back as well */
		HeapCompact(heap, 0);
		ASSERT_EQ(fresh, walk_all(_metadata, heap, walked_again));
		EXPECT_EQ(0, memcmp(walked, walked_again,
				    fresh * sizeof(walked[0])));
	}
	HeapDestroy(heap);
}

TEST(K11_K12_bad_arguments)
{
	HANDLE heap = HeapCreate(0, 0, 0), other = HeapCreate(0, 0, 0);
	PROCESS_HEAP_ENTRY entry = { .lpData = NULL }, before;
	char *p = HeapAlloc(heap, 0, 1000), local;
	char *bad[] = {
		p + 1, p + 16, p - 16, HeapAlloc(other, 0, 100),
		HeapAlloc(other, 0, 2 * MIB), &local, (char *)1,
		(char *)UINTPTR_MAX, (char *)(UINTPTR_MAX - 15),
		(char *)other,
	};
	WORD flags[] = { 0, 1, 2, 4, 3, 5, 8, 0xffff };

	memset(p, 0, 1000);
	SETS_ERROR(ERROR_INVALID_PARAMETER,
		   EXPECT_EQ(FALSE, HeapWalk(heap, NULL)));
	SETS_ERROR(ERROR_INVALID_HANDLE,
		   EXPECT_EQ(FALSE, HeapWalk(NULL, &entry)));
	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++) {
		for (unsigned int f = 0; f < ARRAY_SIZE(flags); f++) {
			/* an uncommitted range may have become less */
			if (flags[f] == 2 && i < 3)
				continue;
			memset(&entry, 0, sizeof(entry));
			entry.lpData = bad[i];
			entry.wFlags = flags[f];
			before = entry;
			SETS_ERROR(ERROR_INVALID_PARAMETER,
				   EXPECT_EQ(FALSE, HeapWalk(heap, &entry)));
			EXPECT_EQ(0, memcmp(&before, &entry, sizeof(entry)));
		}
	}
	HeapDestroy(heap);
	HeapDestroy(other);
}

static HANDLE churned;
static atomic_int churn_stop;

static void *churn(void *arg)
{
	unsigned int seed = 3;
	void *blocks[50] = { NULL };

	(void)arg;
	while (!churn_stop) {
		int k = rand_r(&seed) % 50;

		HeapFree(churned, 0, blocks[k]);
		blocks[k] = HeapAlloc(churned, 0, rand_r(&seed) % 20 ?
				      rand_r(&seed) % 3000 : 2 * MIB);
	}
	for (int k = 0; k < 50; k++)
		HeapFree(churned, 0, blocks[k]);
	return NULL;
}

TEST(K13_change_between_the_steps)
{
	pthread_t thread;
	int ends = 0;

	churned = HeapCreate(0, 0, 0);
	churn_stop = 0;
	ASSERT_EQ(0, pthread_create(&thread, NULL, churn, NULL));
	/* any of the walks can fail; none may crash, or go on for ever */
	for (int i = 0; i < 300; i++) {
		PROCESS_HEAP_ENTRY entry = { .lpData = NULL };
		int steps = 0;

		while (HeapWalk(churned, &entry))
			ASSERT_LT(steps++, 100000);
		ASSERT_TRUE(GetLastError() == ERROR_NO_MORE_ITEMS ||
			    GetLastError() == ERROR_INVALID_PARAMETER);
		/* a held heap does not change */
		HeapLock(churned);
		entry.lpData = NULL;
		while (HeapWalk(churned, &entry))
			;
		ends += GetLastError() == ERROR_NO_MORE_ITEMS;
		ASSERT_EQ(TRUE, HeapValidate(churned, 0, NULL));
		HeapUnlock(churned);
	}
	EXPECT_EQ(300, ends);
	churn_stop = 1;
	pthread_join(thread, NULL);
	HeapDestroy(churned);
}

TEST_HARNESS_MAIN
