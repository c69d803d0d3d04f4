// SPDX-License-Identifier: GPL-2.0-only
/* HeapCreate, HeapDestroy and GetSystemInfo: see heap_selftest.h. */
#include "heap_selftest.h"

/* ------------------------------------------------------------ HeapCreate */

TEST(C1_create_growable)
{
	HANDLE heap;

	KEEPS_ERROR(heap = HeapCreate(0, 0, 0));
	ASSERT_NE(NULL, heap);
	/* more than any fixed heap and more than its first region holds */
	EXPECT_NE(NULL, HeapAlloc(heap, 0, 4 * MIB));
	for (int i = 0; i < 10; i++)
		EXPECT_NE(NULL, HeapAlloc(heap, 0, 500 * KIB));
	EXPECT_EQ(TRUE, HeapDestroy(heap));
}

TEST(C2_initial_zero_commits_one_page)
{
	SIZE_T page = sysconf(_SC_PAGESIZE);
	HANDLE heap = HeapCreate(0, 0, 0);

	EXPECT_EQ(page, usage_of(heap).cbCommitted);
	EXPECT_EQ(page, usage_of(heap).cbResident);
	/* in which a first small block has room */
	EXPECT_NE(NULL, HeapAlloc(heap, 0, 100));
	EXPECT_EQ(page, usage_of(heap).cbCommitted);
	HeapDestroy(heap);

	heap = HeapCreate(0, 0, MIB);
	EXPECT_EQ(page, usage_of(heap).cbCommitted);
	HeapDestroy(heap);
}

TEST(C3_initial_is_rounded_and_populated)
{
	SIZE_T page = sysconf(_SC_PAGESIZE);
	HANDLE heap = HeapCreate(0, 5 * page + 1, MIB);

	EXPECT_EQ(6 * page, usage_of(heap).cbCommitted);
	EXPECT_EQ(6 * page, usage_of(heap).cbResident);
	HeapDestroy(heap);
}

TEST(C4_maximum_is_rounded_and_never_exceeded)
{
	HANDLE heap = HeapCreate(0, 0, 0x12345);
	SIZE_T served = 0;

	EXPECT_EQ(0x13000, usage_of(heap).cbReserved);
	while (HeapAlloc(heap, 0, 1000))
		served += 1000;
	EXPECT_EQ(ERROR_NOT_ENOUGH_MEMORY, GetLastError());
	EXPECT_LT(served, 0x13000);
	/* and nearly all of it is of use */
	EXPECT_GT(served, 0x13000 - 0x1000);
	EXPECT_EQ(0x13000, usage_of(heap).cbReserved);
	EXPECT_LE(usage_of(heap).cbCommitted, 0x13000);
	HeapDestroy(heap);
}

TEST(C5_initial_below_maximum)
{
	HANDLE heap;

	KEEPS_ERROR(heap = HeapCreate(0, 64 * KIB, MIB));
	ASSERT_NE(NULL, heap);
	EXPECT_EQ(64 * KIB, usage_of(heap).cbCommitted);
	EXPECT_EQ(MIB, usage_of(heap).cbReserved);
	HeapDestroy(heap);
}

TEST(C6_initial_equals_maximum)
{
	HANDLE heap;

	KEEPS_ERROR(heap = HeapCreate(0, 256 * KIB, 256 * KIB));
	ASSERT_NE(NULL, heap);
	HeapDestroy(heap);
	KEEPS_ERROR(heap = HeapCreate(0, 2 * MIB, 2 * MIB));
	ASSERT_NE(NULL, heap);
	HeapDestroy(heap);
}

TEST(C7_equal_after_rounding)
{
	HANDLE heap = HeapCreate(0, 0x1001, 0x1fff);

	EXPECT_NE(NULL, heap);
	HeapDestroy(heap);
	heap = HeapCreate(0, 0x1fff, 0x1234);
	EXPECT_NE(NULL, heap);
	HeapDestroy(heap);
}

TEST(C8_initial_above_maximum)
{
	SETS_ERROR(ERROR_NOT_ENOUGH_MEMORY,
		   EXPECT_EQ(NULL, HeapCreate(0, 2 * MIB, MIB)));
	SETS_ERROR(ERROR_NOT_ENOUGH_MEMORY,
		   EXPECT_EQ(NULL, HeapCreate(0, 0x2000, 1)));
}

TEST(C9_any_initial_grows)
{
	HANDLE heap;

	KEEPS_ERROR(heap = HeapCreate(0, 3 * MIB + 5, 0));
	ASSERT_NE(NULL, heap);
	EXPECT_EQ(3 * MIB + 4096, usage_of(heap).cbCommitted);
	for (int i = 0; i < 10; i++)
		EXPECT_NE(NULL, HeapAlloc(heap, 0, 500 * KIB));
	HeapDestroy(heap);
}

TEST(C10_impossible_sizes)
{
	static const SIZE_T sizes[] = {
		SIZE_MAX, SIZE_MAX - 1, SIZE_MAX - 4094, SIZE_MAX - 4095,
		SIZE_MAX - SIZE_MAX / 64, SIZE_MAX - SIZE_MAX / 16,
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(sizes); i++) {
		SETS_ERROR(ERROR_NOT_ENOUGH_MEMORY,
			   EXPECT_EQ(NULL, HeapCreate(0, sizes[i], 0)));
		SETS_ERROR(ERROR_NOT_ENOUGH_MEMORY,
			   EXPECT_EQ(NULL, HeapCreate(0, 0, sizes[i])));
		SETS_ERROR(ERROR_NOT_ENOUGH_MEMORY,
			   EXPECT_EQ(NULL, HeapCreate(0, sizes[i], sizes[i])));
	}
}

TEST(C12_unknown_options_are_ignored)
{
	HANDLE heap = HeapCreate(0xFFFBFFFA, 0, 64 * KIB);

	ASSERT_NE(NULL, heap);
	/* HEAP_GROWABLE, too: it stays fixed */
	EXPECT_EQ(NULL, HeapAlloc(heap, 0, 128 * KIB));
	EXPECT_NE(NULL, HeapAlloc(heap, 0, 32 * KIB));
	HeapDestroy(heap);
}

TEST(C13_create_never_raises)
{
	SETS_ERROR(ERROR_NOT_ENOUGH_MEMORY,
		   EXPECT_EQ(NULL, HeapCreate(HEAP_GENERATE_EXCEPTIONS,
					      2 * MIB, MIB)));
}

TEST(C14_heaps_are_independent)
{
	HANDLE one = HeapCreate(0, 0, 0), two = HeapCreate(0, 0, 0);
	char *p, *q;

	ASSERT_NE(one, two);
	p = HeapAlloc(one, 0, 1000);
	q = HeapAlloc(two, 0, 1000);
	memset(p, 1, 1000);
	memset(q, 2, 1000);
	EXPECT_TRUE(all_bytes(p, 1, 1000));
	HeapDestroy(one);
	EXPECT_TRUE(all_bytes(q, 2, 1000));
	EXPECT_NE(NULL, HeapAlloc(two, 0, 1000));
	HeapDestroy(two);
}

TEST(C11_enable_execute)
{
#if defined(__x86_64__) || defined(__i386__)
	static const unsigned char code[] = { 0xb8, 42, 0, 0, 0, 0xc3 };
	static const DWORD options[] = { HEAP_CREATE_ENABLE_EXECUTE, 0 };
	static const SIZE_T sizes[] = { 16, 100 * KIB, 2 * MIB };
	struct sigaction action = { .sa_handler = on_fault };

	sigaction(SIGSEGV, &action, NULL);
	for (volatile int o = 0; o < 2; o++) {
		HANDLE heap = HeapCreate(options[o], 0, 0);

		for (volatile int s = 0; s < 3; s++) {
			void *p = HeapAlloc(heap, 0, sizes[s]);
			volatile int got = 0;

			memcpy(p, code, sizeof(code));
			if (!sigsetjmp(fault_jump, 1))
				got = ((int (*)(void))(uintptr_t)p)();
			EXPECT_EQ(options[o] ? 42 : 0, got);
		}
		HeapDestroy(heap);
	}
#else
	SKIP(return, "no machine code for this machine");
#endif
}

/* ----------------------------------------------------------- HeapDestroy */

TEST(D1_not_listed_any_more)
{
	HANDLE heap = HeapCreate(0, 0, 0), list[2];

	EXPECT_EQ(2, GetProcessHeaps(2, list));
	EXPECT_EQ(heap, list[1]);
	EXPECT_EQ(TRUE, HeapDestroy(heap));
	EXPECT_EQ(1, GetProcessHeaps(2, list));
}

TEST(D1_destroy_frees_everything)
{
	HANDLE heap = HeapCreate(0, 0, 0);
	struct privheap_region_info info;
	char *p, *q, *r[20];

	p = HeapAlloc(heap, 0, 100);
	q = HeapAlloc(heap, 0, 2 * MIB);
	for (int i = 0; i < 20; i++)
		r[i] = HeapAlloc(heap, 0, 400 * KIB);
	memset(q, 1, 2 * MIB);
	KEEPS_ERROR(EXPECT_EQ(TRUE, HeapDestroy(heap)));
	EXPECT_EQ(SIGSEGV, read_at(p));
	EXPECT_EQ(SIGSEGV, read_at(q));
	for (int i = 0; i < 20; i++)
		EXPECT_EQ(SIGSEGV, read_at(r[i]));

	ASSERT_EQ(0, privheap_query_process(&info));
	EXPECT_EQ(0, info.regions);
	EXPECT_EQ(0, info.reserved);
	EXPECT_EQ(0, info.committed);
	EXPECT_EQ(0, info.resident);
}

TEST(D2_the_process_heap_stays)
{
	HANDLE heap = GetProcessHeap();
	char *p = HeapAlloc(heap, 0, 1000);

	ASSERT_NE(NULL, p);
	memset(p, 1, 1000);
	for (int i = 0; i < 2; i++)
		SETS_ERROR(ERROR_INVALID_HANDLE,
			   EXPECT_EQ(FALSE, HeapDestroy(heap)));
	EXPECT_EQ(heap, GetProcessHeap());
	EXPECT_TRUE(all_bytes(p, 1, 1000));
	EXPECT_EQ(1000, HeapSize(heap, 0, p));
	EXPECT_EQ(TRUE, HeapFree(heap, 0, p));
	EXPECT_NE(NULL, HeapAlloc(heap, 0, 3 * MIB));
	EXPECT_EQ(TRUE, HeapValidate(heap, 0, NULL));
}

TEST(D3_bad_handles)
{
	HANDLE heap = HeapCreate(0, 0, 0), gone = HeapCreate(0, 0, 0);
	char *block = HeapAlloc(heap, 0, 5000), local;
	HANDLE bad[] = {
		NULL, gone, block, (char *)heap + 1, (char *)heap + 4096, &local,
		(HANDLE)1, (HANDLE)2, (HANDLE)4096, (HANDLE)UINTPTR_MAX,
	};
	PRIVHEAP_USAGE usage = { .cb = sizeof(usage) };

	ASSERT_EQ(TRUE, HeapDestroy(gone));
	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++) {
		SETS_ERROR(ERROR_INVALID_HANDLE,
			   EXPECT_EQ(FALSE, HeapDestroy(bad[i])));
		SETS_ERROR(ERROR_INVALID_HANDLE,
			   EXPECT_EQ(NULL, HeapAlloc(bad[i], 0, 1)));
		SETS_ERROR(ERROR_INVALID_HANDLE,
			   EXPECT_EQ(NULL, HeapReAlloc(bad[i], 0, block, 1)));
		SETS_ERROR(ERROR_INVALID_HANDLE,
			   EXPECT_EQ(FALSE, HeapFree(bad[i], 0, block)));
		SETS_ERROR(ERROR_INVALID_HANDLE,
			   EXPECT_EQ((SIZE_T)-1, HeapSize(bad[i], 0, block)));
		SETS_ERROR(ERROR_INVALID_HANDLE,
			   EXPECT_EQ(FALSE, PrivheapQueryHeap(bad[i], &usage)));
	}
	EXPECT_EQ(5000, HeapSize(heap, 0, block));
	HeapDestroy(heap);
}

TEST(D3_many_handles_come_and_go)
{
	static HANDLE heaps[1500];
	const int count = ARRAY_SIZE(heaps);

	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < count; i++) {
			heaps[i] = HeapCreate(0, 0, 8192);
			ASSERT_NE(NULL, heaps[i]);
		}
		for (int i = 0; i < count; i++)
			ASSERT_NE(NULL, HeapAlloc(heaps[i], 0, 10));
		for (int i = 0; i < count; i++) {
			int k = i * 7 % count;

			ASSERT_EQ(TRUE, HeapDestroy(heaps[k]));
			ASSERT_EQ(FALSE, HeapDestroy(heaps[k]));
		}
	}
}

/* --------------------------------------------------------- GetSystemInfo */

TEST(Y1_system_info)
{
	SYSTEM_INFO info;

	memset(&info, 0xff, sizeof(info));
	KEEPS_ERROR(GetSystemInfo(&info));
	EXPECT_EQ(sysconf(_SC_PAGESIZE), info.dwPageSize);
	EXPECT_EQ(65536, info.dwAllocationGranularity);
	EXPECT_EQ(sysconf(_SC_NPROCESSORS_ONLN), info.dwNumberOfProcessors);
	EXPECT_EQ(0, info.wReserved);
	EXPECT_EQ(1, info.dwActiveProcessorMask & 1);
	EXPECT_LT((uintptr_t)info.lpMinimumApplicationAddress,
		  (uintptr_t)&Y1_system_info);
	EXPECT_GT((uintptr_t)info.lpMaximumApplicationAddress,
		  (uintptr_t)&info);
#if defined(__x86_64__)
	EXPECT_EQ(48, sizeof(info));
	EXPECT_EQ(PROCESSOR_ARCHITECTURE_AMD64, info.wProcessorArchitecture);
	EXPECT_EQ(8664, info.dwProcessorType);
#elif defined(__i386__)
	EXPECT_EQ(36, sizeof(info));
	EXPECT_EQ(PROCESSOR_ARCHITECTURE_INTEL, info.wProcessorArchitecture);
	EXPECT_EQ(586, info.dwProcessorType);
#endif
}

TEST_HARNESS_MAIN
