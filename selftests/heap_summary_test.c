// SPDX-License-Identifier: GPL-2.0-only
/*
 * HeapCompact, HeapSummary, the heaps of the process, flags of calls, and 32-bit
 * sizes: see heap_selftest.h.
 */
#include "heap_selftest.h"

_Static_assert(sizeof(HEAP_SUMMARY) == (sizeof(void *) == 8 ? 40 : 20),
	       "HEAP_SUMMARY");
OFFSET_64_32(HEAP_SUMMARY, cb, 0, 0);
OFFSET_64_32(HEAP_SUMMARY, cbAllocated, 8, 4);
OFFSET_64_32(HEAP_SUMMARY, cbCommitted, 16, 8);
OFFSET_64_32(HEAP_SUMMARY, cbReserved, 24, 12);
OFFSET_64_32(HEAP_SUMMARY, cbMaxReserve, 32, 16);

/* ----------------------------------------------------------- HeapCompact */

TEST(P1_largest_committed_free_block)
{
	HANDLE heap = HeapCreate(0, 64 * KIB, MIB);
	char *blocks[10];
	SIZE_T most, committed;

	KEEPS_ERROR(most = HeapCompact(heap, 0));
	EXPECT_LT(most, 64 * KIB);
	EXPECT_GT(most, 60 * KIB);
	/* it is to be had, to the last byte, and without another commit */
	committed = usage_of(heap).cbCommitted;
	blocks[0] = HeapAlloc(heap, 0, most);
	ASSERT_NE(NULL, blocks[0]);
	EXPECT_EQ(committed, usage_of(heap).cbCommitted);
	HeapFree(heap, 0, blocks[0]);

	/* of pieces, the largest one; neighbours are one */
	for (int i = 0; i < 10; i++)
		blocks[i] = HeapAlloc(heap, 0, 500);
	HeapFree(heap, 0, blocks[1]);
	while (HeapAlloc(heap, HEAP_ZERO_MEMORY, 300) &&
	       HeapCompact(heap, 0) >= 500)
		;
	EXPECT_LT(HeapCompact(heap, 0), 500);
	HeapFree(heap, 0, blocks[5]);
	EXPECT_GE(HeapCompact(heap, 0), 500);
	EXPECT_LT(HeapCompact(heap, 0), 600);
	HeapFree(heap, 0, blocks[7]);
	HeapFree(heap, 0, blocks[6]);
	EXPECT_GE(HeapCompact(heap, 0), 1500);
	EXPECT_LT(HeapCompact(heap, 0), 1600);
	HeapDestroy(heap);
}

TEST(P2_no_free_memory)
{
	HANDLE heap = HeapCreate(0, 0, 8192);
	SIZE_T n = 8192;

	while (n)
		if (!HeapAlloc(heap, 0, n))
			n /= 2;
	while (HeapAlloc(heap, 0, 0))
		;
	SETS_ERROR(NO_ERROR, EXPECT_EQ(0, HeapCompact(heap, 0)));
	HeapDestroy(heap);
}

TEST(P3_bad_heap)
{
	HANDLE gone = HeapCreate(0, 0, 0);

	HeapDestroy(gone);
	SETS_ERROR(ERROR_INVALID_HANDLE, EXPECT_EQ(0, HeapCompact(NULL, 0)));
	SETS_ERROR(ERROR_INVALID_HANDLE, EXPECT_EQ(0, HeapCompact(gone, 0)));
}

/* -------------------------------------------------------- process heaps */

TEST(G1_process_heap)
{
	HANDLE heap;
	ULONG lfh = 2;

	KEEPS_ERROR(heap = GetProcessHeap());
	ASSERT_NE(NULL, heap);
	KEEPS_ERROR(EXPECT_EQ(heap, GetProcessHeap()));
	/* it grows */
	EXPECT_NE(NULL, HeapAlloc(heap, 0, 5 * MIB));
	for (int i = 0; i < 10; i++)
		EXPECT_NE(NULL, HeapAlloc(heap, 0, 500 * KIB));
	/* and is serialized, or this would be refused */
	SETS_ERROR(ERROR_NOT_OWNER, EXPECT_EQ(FALSE, HeapUnlock(heap)));
	EXPECT_EQ(TRUE, HeapSetInformation(heap, HeapCompatibilityInformation,
					   &lfh, sizeof(lfh)));
}

TEST(G2_process_heaps)
{
	HANDLE first = HeapCreate(0, 0, 0), list[8], made[4];
	DWORD total;

	/* it counts, though nobody has asked for it yet */
	KEEPS_ERROR(total = GetProcessHeaps(0, NULL));
	EXPECT_EQ(2, total);
	for (int i = 0; i < 4; i++)
		made[i] = HeapCreate(i & 1, 0, i * 8192);
	memset(list, 0xee, sizeof(list));
	KEEPS_ERROR(total = GetProcessHeaps(8, list));
	EXPECT_EQ(6, total);
	EXPECT_EQ(GetProcessHeap(), list[0]);
	EXPECT_EQ(first, list[1]);
	for (int i = 0; i < 4; i++)
		EXPECT_EQ(made[i], list[2 + i]);
	EXPECT_TRUE(all_bytes(&list[6], 0xee, 2 * sizeof(list[6])));

	HeapDestroy(made[1]);
	HeapDestroy(made[3]);
	made[1] = HeapCreate(0, 0, 0);
	EXPECT_EQ(5, GetProcessHeaps(8, list));
	EXPECT_EQ(made[0], list[2]);
	EXPECT_EQ(made[2], list[3]);
	EXPECT_EQ(made[1], list[4]);
	SETS_ERROR(ERROR_INVALID_PARAMETER,
		   EXPECT_EQ(0, GetProcessHeaps(3, NULL)));
}

TEST(G3_short_buffer)
{
	HANDLE one = HeapCreate(0, 0, 0), two = HeapCreate(0, 0, 0), list[4];

	for (DWORD n = 0; n < 4; n++) {
		memset(list, 0xee, sizeof(list));
		EXPECT_EQ(3, GetProcessHeaps(n, list));
		EXPECT_TRUE(n < 1 || list[0] == GetProcessHeap());
		EXPECT_TRUE(n < 2 || list[1] == one);
		EXPECT_TRUE(n < 3 || list[2] == two);
		EXPECT_TRUE(all_bytes(&list[n], 0xee,
				      (4 - n) * sizeof(list[0])));
	}
}

/* ----------------------------------------------------------- HeapSummary */

TEST(U1_summary)
{
	HANDLE heap = HeapCreate(0, 64 * KIB, MIB);
	HEAP_SUMMARY sum = { .cb = sizeof(sum) };

	for (int i = 0; i < 2; i++) {
		HeapAlloc(heap, 0, 100);
		HeapAlloc(heap, 0, 20 * KIB);
		KEEPS_ERROR(EXPECT_EQ(TRUE, HeapSummary(heap, 0, &sum)));
		EXPECT_EQ(sizeof(sum), sum.cb);
		EXPECT_LE(sum.cbAllocated, sum.cbCommitted);
		EXPECT_LE(sum.cbCommitted, sum.cbReserved);
		EXPECT_LE(sum.cbReserved, sum.cbMaxReserve);
		EXPECT_GE(sum.cbAllocated, (i + 1) * (100 + 20 * KIB));
		EXPECT_GE(sum.cbCommitted, 64 * KIB);
		EXPECT_EQ(MIB, sum.cbReserved);
		EXPECT_EQ(MIB, sum.cbMaxReserve);
	}
	HeapDestroy(heap);

	heap = HeapCreate(0, 0, 0);
	HeapAlloc(heap, 0, 3 * MIB);
	EXPECT_EQ(TRUE, HeapSummary(heap, 0, &sum));
	EXPECT_EQ(3 * MIB, sum.cbAllocated);
	EXPECT_LE(sum.cbAllocated, sum.cbCommitted);
	EXPECT_LE(sum.cbCommitted, sum.cbReserved);
	EXPECT_LT(sum.cbReserved, sum.cbMaxReserve);
	HeapDestroy(heap);
}

TEST(U2_summary_refused)
{
	HANDLE heap = HeapCreate(0, 0, 0);
	HEAP_SUMMARY sum = { .cb = sizeof(sum) - 1 };

	SETS_ERROR(ERROR_INVALID_PARAMETER,
		   EXPECT_EQ(FALSE, HeapSummary(heap, 0, &sum)));
	SETS_ERROR(ERROR_INVALID_PARAMETER,
		   EXPECT_EQ(FALSE, HeapSummary(heap, 0, NULL)));
	EXPECT_EQ(0, sum.cbCommitted);
	sum.cb = sizeof(sum);
	SETS_ERROR(ERROR_INVALID_HANDLE,
		   EXPECT_EQ(FALSE, HeapSummary(NULL, 0, &sum)));
	HeapDestroy(heap);
}

/* -------------------------------------------------------- flags of calls */

TEST(O1_unknown_bits_are_ignored)
{
	/* all but NO_SERIALIZE, GENERATE_EXCEPTIONS, ZERO, IN_PLACE */
	const DWORD odd = ~(DWORD)0x1D;
	HANDLE heap = HeapCreate(0, 0, 0);
	HEAP_SUMMARY sum = { .cb = sizeof(sum) };
	char *p, *next;

	KEEPS_ERROR(p = HeapAlloc(heap, odd, 100));
	ASSERT_NE(NULL, p);
	next = HeapAlloc(heap, odd, 100);
	KEEPS_ERROR(EXPECT_EQ(100, HeapSize(heap, odd, p)));
	KEEPS_ERROR(EXPECT_EQ(TRUE, HeapValidate(heap, odd, p)));
	KEEPS_ERROR(EXPECT_NE(0, HeapCompact(heap, odd)));
	KEEPS_ERROR(EXPECT_EQ(TRUE, HeapSummary(heap, odd, &sum)));
	KEEPS_ERROR(p = HeapReAlloc(heap, odd, p, 3000));
	ASSERT_NE(NULL, p);
	KEEPS_ERROR(EXPECT_EQ(TRUE, HeapFree(heap, odd, p)));
	KEEPS_ERROR(EXPECT_EQ(TRUE, HeapFree(heap, odd, next)));
	HeapDestroy(heap);
}

TEST(O2_flags_that_mean_nothing_to_other_calls)
{
	const DWORD flags = HEAP_ZERO_MEMORY | HEAP_REALLOC_IN_PLACE_ONLY;
	HANDLE heap = HeapCreate(0, 0, 0);
	char *p;

	/* HeapAlloc knows no place to stay in */
	p = HeapAlloc(heap, HEAP_REALLOC_IN_PLACE_ONLY, 100);
	ASSERT_NE(NULL, p);
	memset(p, 0x77, 100);
	EXPECT_EQ(100, HeapSize(heap, flags, p));
	EXPECT_EQ(TRUE, HeapValidate(heap, flags, p));
	EXPECT_TRUE(all_bytes(p, 0x77, 100));
	EXPECT_EQ(TRUE, HeapFree(heap, flags, p));
	HeapDestroy(heap);

	/* as an option of the heap ZERO_MEMORY is one of the ignored bits */
	heap = HeapCreate(HEAP_ZERO_MEMORY | HEAP_REALLOC_IN_PLACE_ONLY, 0, 0);
	p = HeapAlloc(heap, 0, 100);
	HeapAlloc(heap, 0, 100);
	EXPECT_NE(NULL, HeapReAlloc(heap, 0, p, 5000));
	HeapDestroy(heap);
}

/* --------------------------------------------------------- 32-bit sizes */

TEST(X_u32_entry_points)
{
	/* what they take is what the declarations of other languages have */
	HANDLE (*create)(DWORD, uint32_t, uint32_t) = HeapCreate_u32;
	LPVOID (*alloc)(HANDLE, DWORD, uint32_t) = HeapAlloc_u32;
	LPVOID (*re)(HANDLE, DWORD, LPVOID, uint32_t) = HeapReAlloc_u32;
	HANDLE heap;
	char *p;

	KEEPS_ERROR(heap = create(0, 0x1001, 0x12345));
	ASSERT_NE(NULL, heap);
	EXPECT_EQ(0x2000, usage_of(heap).cbCommitted);
	EXPECT_EQ(0x13000, usage_of(heap).cbReserved);
	KEEPS_ERROR(p = alloc(heap, HEAP_ZERO_MEMORY, 1000));
	ASSERT_NE(NULL, p);
	EXPECT_TRUE(all_bytes(p, 0, 1000));
	KEEPS_ERROR(p = re(heap, 0, p, 2000));
	EXPECT_EQ(2000, HeapSize(heap, 0, p));
	SETS_ERROR(ERROR_NOT_ENOUGH_MEMORY,
		   EXPECT_EQ(NULL, alloc(heap, 0, 0xFFFFFFFF)));
	SETS_ERROR(ERROR_NOT_ENOUGH_MEMORY,
		   EXPECT_EQ(NULL, re(heap, 0, p, 0xFFFFF000)));
	HeapDestroy(heap);
	SETS_ERROR(ERROR_NOT_ENOUGH_MEMORY,
		   EXPECT_EQ(NULL, create(0, 2 * MIB, MIB)));

#if UINTPTR_MAX > 0xFFFFFFFF
	/* rounded with 64 bits; reserved is not committed */
	heap = create(0, 0, 0xFFFFFFFF);
	ASSERT_NE(NULL, heap);
	EXPECT_EQ(0x100000000, usage_of(heap).cbReserved);
	HeapDestroy(heap);

	/* dirty upper halves of the registers, as Mono leaves them */
	heap = ((HANDLE (*)(uint64_t, uint64_t, uint64_t))(uintptr_t)create)(
		0xdead000000000000, 0xffffffff00001000, 0xdead000000010000);
	ASSERT_NE(NULL, heap);
	EXPECT_EQ(0x10000, usage_of(heap).cbReserved);
	p = ((LPVOID (*)(HANDLE, uint64_t, uint64_t))(uintptr_t)alloc)(
		heap, 0xdead000000000000, 0xffffffff00000064);
	ASSERT_NE(NULL, p);
	EXPECT_EQ(100, HeapSize(heap, 0, p));
	p = ((LPVOID (*)(HANDLE, uint64_t, LPVOID, uint64_t))(uintptr_t)re)(
		heap, 0xdead000000000000, p, 0xffffffff000000c8);
	EXPECT_EQ(200, HeapSize(heap, 0, p));
	HeapDestroy(heap);
#endif
}

TEST_HARNESS_MAIN
