// SPDX-License-Identifier: GPL-2.0-only
/*
 * How the memory of heaps grows, and what guards it. Runs on the module and on
 * anonymous mappings alike.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "patient_harness.h"

#include "heap_memory.h"

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

/* In a region of 64 MiB one block becomes as large as no heap has at first. */
TEST(last_block_of_a_larger_region)
{
	HANDLE heap = HeapCreate(0, 0, 0);
	SIZE_T size = 100, moves = 0;
	char *p, *q;

	if (sizeof(void *) < 8)
		SKIP(goto out, "regions of a 32-bit process are smaller");
	while (usage_of(heap).dwRegions < 2)
		ASSERT_NE(NULL, HeapAlloc(heap, 0, 500 * KIB));
	p = HeapAlloc(heap, 0, size);
	ASSERT_NE(NULL, p);
	while (size < 24 * MIB) {
		memset(p + size / 3 * 2, size, size - size / 3 * 2);
		q = HeapReAlloc(heap, 0, p, size + size / 2);
		ASSERT_NE(NULL, q);
		moves += q != p;
		p = q;
		ASSERT_EQ((char)size, p[size - 1]);
		size += size / 2;
	}
	EXPECT_EQ(0, moves);
	EXPECT_EQ(size, HeapSize(heap, 0, p));
out:
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

		EXPECT_EQ(0, write_at(end - 1));
		EXPECT_EQ(SIGSEGV, write_at(end));
		EXPECT_EQ(SIGSEGV, write_at(end + sysconf(_SC_PAGESIZE) - 1));
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
		EXPECT_EQ(0, write_at((char *)end - 1));
		EXPECT_EQ(SIGSEGV, write_at((char *)end));
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
	EXPECT_EQ(SIGSEGV, write_at((char *)heap + size));
	HeapDestroy(heap);
}

/* ------------------------------------------------------ many free pieces */

/* A hundred thousand free blocks, none of which will do for what is wanted. */
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

/* A block that had to move has room, which it can use up in small steps. */
TEST(room_of_a_block_that_grows)
{
	HANDLE heap = HeapCreate(0, 0, 0);
	ULONGLONG before = usage_of(heap).cbReserved, room;
	char *block = HeapAlloc(heap, 0, 40 * KIB), *moved;
	SIZE_T size = 300 * KIB, page = sysconf(_SC_PAGESIZE);

	ASSERT_NE(NULL, HeapAlloc(heap, 0, 40 * KIB));
	block = HeapReAlloc(heap, 0, block, size);
	ASSERT_NE(NULL, block);
	room = usage_of(heap).cbReserved - before;
	EXPECT_LT(2 * size, room);
	block[0] = 7;
	for (;;) {
		moved = HeapReAlloc(heap, HEAP_REALLOC_IN_PLACE_ONLY, block,
				    size + page);
		if (!moved)
			break;
		ASSERT_EQ(block, moved);
		size += page;
		block[size - 1] = 7;
	}
	/* all but a header */
	EXPECT_GE(room, size);
	EXPECT_LE(room, size + 2 * page);
	EXPECT_EQ(room, usage_of(heap).cbReserved - before);
	EXPECT_EQ(size, HeapSize(heap, 0, block));
	/* beyond that it moves, and has more of it */
	block = HeapReAlloc(heap, 0, block, size + page);
	ASSERT_NE(NULL, block);
	EXPECT_EQ(7, block[0]);
	EXPECT_EQ(7, block[size - 1]);
	EXPECT_LT(2 * room, usage_of(heap).cbReserved - before);
	EXPECT_EQ(TRUE, HeapDestroy(heap));
}

/* But no more than a certain sum, however large the block is. */
TEST(room_of_a_very_large_block)
{
#if UINTPTR_MAX > 0xFFFFFFFF
	const ULONGLONG size = 5000 * MIB, most = 65536 * MIB;
#else
	const ULONGLONG size = 30 * MIB, most = 64 * MIB;
#endif
	HANDLE heap = HeapCreate(0, 0, 0);
	char *block = HeapAlloc(heap, 0, 40 * KIB);
	ULONGLONG before = usage_of(heap).cbReserved, more;

	ASSERT_NE(NULL, HeapAlloc(heap, 0, 40 * KIB));
	block[1000] = 8;
	block = HeapReAlloc(heap, 0, block, size);
	if (!block) {
		HeapDestroy(heap);
		SKIP(return, "%llu bytes cannot be promised here",
		     (unsigned long long)size);
	}
	EXPECT_EQ(8, block[1000]);
	more = usage_of(heap).cbReserved - before;
	/* or none at all, where address space is limited */
	EXPECT_GE(more, size);
	EXPECT_LE(more, size + most + 2 * sysconf(_SC_PAGESIZE));
	EXPECT_EQ(size, HeapSize(heap, 0, block));
	EXPECT_EQ(TRUE, HeapDestroy(heap));
}

TEST_HARNESS_MAIN
