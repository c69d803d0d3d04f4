// SPDX-License-Identifier: GPL-2.0-only
/* HeapAlloc, HeapFree and HeapSize: see heap_selftest.h. */
#include <sys/resource.h>
#include <sys/wait.h>

#include "heap_selftest.h"

/* ------------------------------------------------------------- HeapAlloc */

TEST(A1_A2_size_alignment_and_address)
{
	HANDLE heap = HeapCreate(0, 0, 0);
	char *blocks[300];

	for (SIZE_T n = 0; n < 300; n++) {
		KEEPS_ERROR(blocks[n] = HeapAlloc(heap, 0, n * n));
		ASSERT_NE(NULL, blocks[n]);
		ASSERT_EQ(0, (uintptr_t)blocks[n] % MEMORY_ALLOCATION_ALIGNMENT);
		memset(blocks[n], n, n * n);
	}
	for (SIZE_T n = 0; n < 300; n++) {
		ASSERT_TRUE(all_bytes(blocks[n], n, n * n));
		ASSERT_EQ(n * n, HeapSize(heap, 0, blocks[n]));
	}
	for (SIZE_T n = 0; n < 300; n++)
		ASSERT_EQ(TRUE, HeapFree(heap, 0, blocks[n]));
	EXPECT_EQ(0, usage_of(heap).cBlocks);
	EXPECT_EQ(1, usage_of(heap).dwRegions);
	HeapDestroy(heap);
}

TEST(A3_zero_bytes)
{
	HANDLE heap = HeapCreate(0, 0, 0);
	void *one, *two;

	KEEPS_ERROR(one = HeapAlloc(heap, 0, 0));
	two = HeapAlloc(heap, HEAP_ZERO_MEMORY, 0);
	ASSERT_NE(NULL, one);
	ASSERT_NE(NULL, two);
	EXPECT_NE(one, two);
	EXPECT_EQ(0, HeapSize(heap, 0, one));
	EXPECT_EQ(2, usage_of(heap).cBlocks);
	EXPECT_EQ(TRUE, HeapFree(heap, 0, one));
	EXPECT_EQ(FALSE, HeapFree(heap, 0, one));
	EXPECT_EQ(TRUE, HeapFree(heap, 0, two));
	HeapDestroy(heap);
}

TEST(A4_zero_memory)
{
	static const SIZE_T sizes[] = { 1, 24, 100, 5000, 300 * KIB, 2 * MIB };
	HANDLE heap = HeapCreate(0, 0, 0);

	/* twice: the second block is where the first was */
	for (int round = 0; round < 2; round++) {
		for (unsigned int i = 0; i < ARRAY_SIZE(sizes); i++) {
			char *p = HeapAlloc(heap, HEAP_ZERO_MEMORY, sizes[i]);

			ASSERT_NE(NULL, p);
			EXPECT_TRUE(all_bytes(p, 0, sizes[i]));
			memset(p, 0xa5, sizes[i]);
			HeapFree(heap, 0, p);
		}
	}
	HeapDestroy(heap);
}

TEST(A4_zero_memory_in_recycled_pieces)
{
	HANDLE heap = HeapCreate(0, 0, 0);
	char *blocks[64];

	for (int round = 0; round < 50; round++) {
		for (int i = 0; i < 64; i++) {
			SIZE_T n = (round * 37 + i * 101) % 3000;

			blocks[i] = HeapAlloc(heap, HEAP_ZERO_MEMORY, n);
			ASSERT_TRUE(all_bytes(blocks[i], 0, n));
			memset(blocks[i], 0xff, n);
		}
		for (int i = 0; i < 64; i++)
			HeapFree(heap, 0, blocks[(i * 29) % 64]);
	}
	HeapDestroy(heap);
}

TEST(A6_sizes_that_overflow)
{
	static const SIZE_T sizes[] = {
		SIZE_MAX, SIZE_MAX - 7, SIZE_MAX - 15, SIZE_MAX - 63,
		SIZE_MAX - 64, SIZE_MAX - 0xfff, SIZE_MAX - 0x1040,
		SIZE_MAX - SIZE_MAX / 64, SIZE_MAX - SIZE_MAX / 16,
#if UINTPTR_MAX > 0xFFFFFFFF
		(SIZE_T)1 << 63, (SIZE_T)1 << 47,
#endif
	};
	HANDLE heaps[] = { HeapCreate(0, 0, 0), HeapCreate(0, 0, MIB) };

	for (int h = 0; h < 2; h++) {
		for (unsigned int i = 0; i < ARRAY_SIZE(sizes); i++)
			SETS_ERROR(ERROR_NOT_ENOUGH_MEMORY,
				   EXPECT_EQ(NULL, HeapAlloc(heaps[h], 0,
							     sizes[i])));
		EXPECT_NE(NULL, HeapAlloc(heaps[h], 0, 100));
		EXPECT_EQ(1, usage_of(heaps[h]).dwRegions);
		HeapDestroy(heaps[h]);
	}
}

TEST(A7_commits_more)
{
	HANDLE heap = HeapCreate(0, 0, MIB);
	char *p;

	KEEPS_ERROR(p = HeapAlloc(heap, 0, 300 * KIB));
	ASSERT_NE(NULL, p);
	EXPECT_GE(usage_of(heap).cbCommitted, 300 * KIB);
	memset(p, 1, 300 * KIB);
	HeapDestroy(heap);
}

TEST(A8_fixed_heap_without_room)
{
	HANDLE heap = HeapCreate(0, 64 * KIB, 64 * KIB);
	char *p = HeapAlloc(heap, 0, 40 * KIB);

	ASSERT_NE(NULL, p);
	memset(p, 7, 40 * KIB);
	SETS_ERROR(ERROR_NOT_ENOUGH_MEMORY,
		   EXPECT_EQ(NULL, HeapAlloc(heap, 0, 40 * KIB)));
	EXPECT_EQ(PRIVHEAP_LEVEL_REGION, PrivheapGetDeniedLevel());
	EXPECT_TRUE(all_bytes(p, 7, 40 * KIB));
	/* room comes back */
	EXPECT_EQ(TRUE, HeapFree(heap, 0, p));
	EXPECT_NE(NULL, HeapAlloc(heap, 0, 60 * KIB));
	HeapDestroy(heap);
}

TEST(A9_A12_largest_block_of_a_fixed_heap)
{
	HANDLE heap = HeapCreate(0, 0, 4 * MIB);
	char *p;

	SETS_ERROR(ERROR_NOT_ENOUGH_MEMORY,
		   EXPECT_EQ(NULL, HeapAlloc(heap, 0, FIXED_TOO_MUCH)));
	SETS_ERROR(ERROR_NOT_ENOUGH_MEMORY,
		   EXPECT_EQ(NULL, HeapAlloc(heap, 0, FIXED_MAX + 1)));
	EXPECT_EQ(PRIVHEAP_LEVEL_NONE, PrivheapGetDeniedLevel());
	p = HeapAlloc(heap, 0, FIXED_MAX);
	ASSERT_NE(NULL, p);
	EXPECT_EQ(FIXED_MAX, HeapSize(heap, 0, p));
	memset(p, 1, FIXED_MAX);
	EXPECT_EQ(NULL, HeapReAlloc(heap, 0, p, FIXED_MAX + 1));
	EXPECT_NE(NULL, HeapAlloc(heap, 0, FIXED_MAX));
	HeapDestroy(heap);

	heap = HeapCreate(0, 2 * MIB, 2 * MIB);
	EXPECT_EQ(NULL, HeapAlloc(heap, 0, MIB));
	EXPECT_NE(NULL, HeapAlloc(heap, 0, FIXED_MAX - 0x1ff0));
	HeapDestroy(heap);
}

TEST(A10_A11_below_the_limit_of_a_fixed_heap)
{
#if UINTPTR_MAX > 0xFFFFFFFF
	static const SIZE_T fits[] = { 0x7FFF8, 0x80000, 0xFD000, 0xFEFF0 };
	static const SIZE_T edge[] = { 0xFEFF1, 0xFF000, 0xFFFFF };
#else
	static const SIZE_T fits[] = { 0x40000, 0x7D000, 0x7EFF8 };
	static const SIZE_T edge[] = { 0x7EFF9, 0x7F000, 0x7FFFF };
#endif
	HANDLE heap = HeapCreate(0, 0, 2 * MIB);

	for (unsigned int i = 0; i < ARRAY_SIZE(fits); i++) {
		char *p = HeapAlloc(heap, 0, fits[i]);

		ASSERT_NE(NULL, p);
		EXPECT_EQ(fits[i], HeapSize(heap, 0, p));
		p[fits[i] - 1] = 1;
		HeapFree(heap, 0, p);
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(edge); i++)
		SETS_ERROR(ERROR_NOT_ENOUGH_MEMORY,
			   EXPECT_EQ(NULL, HeapAlloc(heap, 0, edge[i])));
	HeapDestroy(heap);
}

TEST(A13_large_blocks_of_a_growable_heap)
{
	HANDLE heap = HeapCreate(0, 0, 0);
	SIZE_T sizes[] = {
		FIXED_MAX, FIXED_MAX + 1, MIB, MIB + 1, 64 * MIB + 12345,
	};
	char *blocks[ARRAY_SIZE(sizes)];

	for (unsigned int i = 0; i < ARRAY_SIZE(sizes); i++) {
		blocks[i] = HeapAlloc(heap, 0, sizes[i]);
		ASSERT_NE(NULL, blocks[i]);
		EXPECT_EQ(0, (uintptr_t)blocks[i] % MEMORY_ALLOCATION_ALIGNMENT);
		EXPECT_EQ(sizes[i], HeapSize(heap, 0, blocks[i]));
		blocks[i][0] = 1;
		blocks[i][sizes[i] - 1] = 2;
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(sizes); i++) {
		EXPECT_EQ(1, blocks[i][0]);
		EXPECT_EQ(2, blocks[i][sizes[i] - 1]);
		EXPECT_EQ(TRUE, HeapFree(heap, 0, blocks[i]));
		SETS_ERROR(ERROR_INVALID_PARAMETER,
			   EXPECT_EQ(FALSE, HeapFree(heap, 0, blocks[i])));
	}
	/* what a large block took goes back to the system at once */
	EXPECT_EQ(1, usage_of(heap).dwRegions);
	EXPECT_EQ(SIGSEGV, read_at(blocks[4]));
	HeapDestroy(heap);
}

TEST(A14_one_block_fills_a_fixed_heap)
{
	HANDLE heap = HeapCreate(0, 256 * KIB, 256 * KIB);
	char *p = HeapAlloc(heap, 0, 256 * KIB - 0xC00);

	ASSERT_NE(NULL, p);
	memset(p, 1, 256 * KIB - 0xC00);
	EXPECT_EQ(256 * KIB, usage_of(heap).cbCommitted);
	HeapDestroy(heap);
}

static void WINAPI on_exception_return(DWORD code, HANDLE heap, SIZE_T bytes)
{
	(void)heap;
	(void)bytes;
	raised_code = code;
}

TEST(C11_generate_exceptions_of_the_heap)
{
	static HANDLE plain, raising;

	plain = HeapCreate(0, 0, 64 * KIB);
	raising = HeapCreate(HEAP_GENERATE_EXCEPTIONS, 0, 64 * KIB);
	PrivheapSetExceptionHandler(on_exception);
	for (int i = 0; i < 3; i++) {
		RAISES(0, EXPECT_EQ(NULL, HeapAlloc(plain, 0, MIB)));
		RAISES(STATUS_NO_MEMORY, HeapAlloc(raising, 0, MIB));
	}
	RAISES(0, EXPECT_NE(NULL, HeapAlloc(raising, 0, 1000)));
	HeapDestroy(plain);
	HeapDestroy(raising);
}

TEST(A15_A16_generate_exceptions)
{
	static HANDLE heap, raising;
	static char *p;

	heap = HeapCreate(0, 0, 64 * KIB);
	raising = HeapCreate(HEAP_GENERATE_EXCEPTIONS, 0, 64 * KIB);
	EXPECT_EQ(NULL, PrivheapSetExceptionHandler(on_exception));

	RAISES(0, HeapAlloc(heap, 0, MIB));
	RAISES(STATUS_NO_MEMORY, HeapAlloc(heap, HEAP_GENERATE_EXCEPTIONS, MIB));
	EXPECT_EQ(heap, raised_heap);
	EXPECT_EQ(MIB, raised_bytes);
	RAISES(STATUS_NO_MEMORY, HeapAlloc(raising, 0, MIB));
	p = HeapAlloc(raising, 0, 100);
	RAISES(STATUS_NO_MEMORY, HeapReAlloc(raising, 0, p, MIB));
	RAISES(STATUS_ACCESS_VIOLATION, HeapReAlloc(raising, 0, p + 16, 10));
	RAISES(STATUS_ACCESS_VIOLATION,
	       HeapAlloc(NULL, HEAP_GENERATE_EXCEPTIONS, 10));
	RAISES(0, EXPECT_EQ(FALSE, HeapFree(raising, 0, p + 16)));

	/* the heap was left unlocked and sound */
	EXPECT_NE(NULL, HeapAlloc(raising, 0, 1000));
	EXPECT_EQ(100, HeapSize(raising, 0, p));

	/* a handler that returns makes it an ordinary failure */
	EXPECT_EQ(&on_exception,
		  PrivheapSetExceptionHandler(on_exception_return));
	raised_code = 0;
	SETS_ERROR(ERROR_NOT_ENOUGH_MEMORY,
		   EXPECT_EQ(NULL, HeapAlloc(raising, 0, MIB)));
	EXPECT_EQ(STATUS_NO_MEMORY, raised_code);
	HeapDestroy(heap);
	HeapDestroy(raising);
}

TEST(A15_without_a_handler_it_aborts)
{
	int status;
	pid_t pid = fork();

	ASSERT_GE(pid, 0);
	if (!pid) {
		struct rlimit none = { 0, 0 };
		HANDLE heap = HeapCreate(HEAP_GENERATE_EXCEPTIONS, 0, 4096);

		setrlimit(RLIMIT_CORE, &none);
		HeapAlloc(heap, 0, MIB);
		_exit(0);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_TRUE(WIFSIGNALED(status));
	EXPECT_EQ(SIGABRT, WTERMSIG(status));
}

/* -------------------------------------------------------------- HeapFree */

TEST(F1_F2_F3_free)
{
	HANDLE heap = HeapCreate(0, 0, 0);
	void *p = HeapAlloc(heap, 0, 100);

	KEEPS_ERROR(EXPECT_EQ(TRUE, HeapFree(heap, 0, p)));
	KEEPS_ERROR(EXPECT_EQ(TRUE, HeapFree(heap, 0, NULL)));
	KEEPS_ERROR(EXPECT_EQ(TRUE, HeapFree(NULL, 0, NULL)));
	HeapDestroy(heap);
}

TEST(F4_refuses_what_is_not_a_block)
{
	HANDLE heap = HeapCreate(0, 0, 0), other = HeapCreate(0, 0, 0);
	char *p = HeapAlloc(heap, 0, 1000), *large = HeapAlloc(heap, 0, 2 * MIB);
	char *foreign = HeapAlloc(other, 0, 100);
	char local[64];

	/* bodies that look like control data of any sort */
	for (int fill = 0; fill < 256; fill++) {
		memset(p, fill, 1000);
		for (int i = -32; i < 1000; i++) {
			if (!i)
				continue;
			ASSERT_EQ(FALSE, HeapFree(heap, 0, p + i));
			ASSERT_EQ(ERROR_INVALID_PARAMETER, GetLastError());
		}
		ASSERT_TRUE(all_bytes(p, fill, 1000));
	}
	/* the header of a block, copied: it belongs to its address */
	memcpy(p + 48, p - 64, 64);
	for (int i = 16; i < 200; i += 8)
		EXPECT_EQ(FALSE, HeapFree(heap, 0, p + i));
	for (SIZE_T i = 8; i < 2 * MIB; i += 4096 - 8)
		EXPECT_EQ(FALSE, HeapFree(heap, 0, large + i));
	SETS_ERROR(ERROR_INVALID_PARAMETER,
		   EXPECT_EQ(FALSE, HeapFree(heap, 0, foreign)));
	SETS_ERROR(ERROR_INVALID_PARAMETER,
		   EXPECT_EQ(FALSE, HeapFree(other, 0, large)));
	SETS_ERROR(ERROR_INVALID_PARAMETER,
		   EXPECT_EQ(FALSE, HeapFree(heap, 0, local)));
	EXPECT_EQ(2, usage_of(heap).cBlocks);
	EXPECT_EQ(1, usage_of(other).cBlocks);

	EXPECT_EQ(TRUE, HeapFree(heap, 0, p));
	EXPECT_EQ(TRUE, HeapFree(heap, 0, large));
	EXPECT_EQ(TRUE, HeapFree(other, 0, foreign));
	HeapDestroy(heap);
	HeapDestroy(other);
}

TEST(F4_double_free_in_every_order)
{
	HANDLE heap = HeapCreate(0, 0, 0);
	char *p[5];
	int order[5];

	/* each permutation merges neighbours in another way */
	for (int n = 0; n < 120; n++) {
		int left[5] = { 0, 1, 2, 3, 4 }, rest = n;

		for (int i = 0; i < 5; i++) {
			int pick = rest % (5 - i);

			rest /= 5 - i;
			order[i] = left[pick];
			memmove(&left[pick], &left[pick + 1],
				(4 - pick) * sizeof(int));
		}
		for (int i = 0; i < 5; i++)
			p[i] = HeapAlloc(heap, 0, 40 + 24 * i);
		for (int i = 0; i < 5; i++) {
			ASSERT_EQ(TRUE, HeapFree(heap, 0, p[order[i]]));
			for (int j = 0; j <= i; j++) {
				ASSERT_EQ(FALSE,
					  HeapFree(heap, 0, p[order[j]]));
				ASSERT_EQ((SIZE_T)-1,
					  HeapSize(heap, 0, p[order[j]]));
			}
			ASSERT_EQ(4 - i, usage_of(heap).cBlocks);
		}
	}
	HeapDestroy(heap);
}

TEST(F5_results_are_0_or_1)
{
	HANDLE heap = HeapCreate(0, 0, 0), gone = HeapCreate(0, 0, 0);
	PRIVHEAP_USAGE usage = { .cb = sizeof(usage) };
	void *p = HeapAlloc(heap, 0, 10);

	EXPECT_EQ(1, HeapValidate(heap, 0, p));
	EXPECT_EQ(1, HeapFree(heap, 0, p));
	EXPECT_EQ(1, HeapFree(heap, 0, NULL));
	EXPECT_EQ(1, HeapLock(heap));
	EXPECT_EQ(1, HeapUnlock(heap));
	EXPECT_EQ(1, PrivheapQueryHeap(heap, &usage));
	EXPECT_EQ(1, HeapDestroy(gone));

	EXPECT_EQ(0, HeapValidate(heap, 0, p));
	EXPECT_EQ(0, HeapFree(heap, 0, p));
	EXPECT_EQ(0, HeapFree(gone, 0, p));
	EXPECT_EQ(0, HeapLock(gone));
	EXPECT_EQ(0, HeapUnlock(heap));
	EXPECT_EQ(0, PrivheapQueryHeap(gone, &usage));
	EXPECT_EQ(0, HeapWalk(heap, NULL));
	EXPECT_EQ(0, HeapDestroy(gone));
	HeapDestroy(heap);
}

/* -------------------------------------------------------------- HeapSize */

TEST(Z1_exact_size)
{
	HANDLE heap = HeapCreate(0, 0, 0);

	for (SIZE_T n = 0; n < 4000; n += 7) {
		void *p = HeapAlloc(heap, 0, n);
		SIZE_T size;

		KEEPS_ERROR(size = HeapSize(heap, 0, p));
		ASSERT_EQ(n, size);
	}
	HeapDestroy(heap);
}

TEST(Z2_failure)
{
	HANDLE heap = HeapCreate(0, 0, 0);
	char *p = HeapAlloc(heap, 0, 100);

	SETS_ERROR(ERROR_INVALID_PARAMETER,
		   EXPECT_EQ((SIZE_T)-1, HeapSize(heap, 0, NULL)));
	SETS_ERROR(ERROR_INVALID_PARAMETER,
		   EXPECT_EQ((SIZE_T)-1, HeapSize(heap, 0, p + 16)));
	SETS_ERROR(ERROR_INVALID_PARAMETER,
		   EXPECT_EQ((SIZE_T)-1, HeapSize(heap, 0, &p)));
	SETS_ERROR(ERROR_INVALID_HANDLE,
		   EXPECT_EQ((SIZE_T)-1, HeapSize(NULL, 0, p)));
	HeapDestroy(heap);
}

TEST_HARNESS_MAIN
