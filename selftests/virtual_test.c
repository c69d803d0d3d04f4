// SPDX-License-Identifier: GPL-2.0-only
/*
 * VirtualAlloc() and VirtualFree(), a test for each rule of their behaviour.
 */
#include "virtual_selftest.h"

/* --------------------------------------------------------------- reserve */

TEST_F(memory, reserve_is_aligned_and_rounded)
{
	static const SIZE_T sizes[] = { 1, 4095, 4096, 4097, 0xFFFC, 65536, 65537 };

	for (unsigned int i = 0; i < ARRAY_SIZE(sizes); i++) {
		SIZE_T rounded = (sizes[i] + self->page - 1) & ~(self->page - 1);
		char *p;

		KEEPS_ERROR(p = VirtualAlloc(NULL, sizes[i], MEM_RESERVE,
					     PAGE_NOACCESS));
		ASSERT_NE(NULL, p);
		EXPECT_EQ(0, (uintptr_t)p % 65536);
		EXPECT_RUN(p, p, rounded, MEM_RESERVE, 0);
		EXPECT_EQ(PAGE_NOACCESS, info_of(p).AllocationProtect);
		EXPECT_EQ(SIGSEGV, read_at(p));
		EXPECT_EQ(SIGSEGV, write_at(p + rounded - 1));
		EXPECT_EQ(self->before.committed, process_usage().committed);
		KEEPS_ERROR(EXPECT_EQ(TRUE, VirtualFree(p, 0, MEM_RELEASE)));
	}
}

TEST_F(memory, reserve_at_an_address_is_refused)
{
	char *p = VirtualAlloc(NULL, MIB, MEM_RESERVE, PAGE_READWRITE);

	ASSERT_NE(NULL, p);
	ALLOC_FAILS(ERROR_INVALID_ADDRESS, p, MIB, MEM_RESERVE, PAGE_READWRITE);
	ALLOC_FAILS(ERROR_INVALID_ADDRESS, p + 65536, 1, MEM_RESERVE | MEM_COMMIT,
		    PAGE_READWRITE);
	EXPECT_RUN(p, p, MIB, MEM_RESERVE, 0);
	EXPECT_EQ(TRUE, VirtualFree(p, 0, MEM_RELEASE));
	ALLOC_FAILS(ERROR_INVALID_ADDRESS, p, MIB, MEM_RESERVE, PAGE_READWRITE);
	EXPECT_EQ(MEM_FREE, info_of(p).State);
}

TEST_F(memory, impossible_sizes)
{
	static const SIZE_T sizes[] = {
		SIZE_MAX, SIZE_MAX - 4095, SIZE_MAX - 4096, SIZE_MAX - 65536,
		SIZE_MAX - SIZE_MAX / 64, SIZE_MAX - SIZE_MAX / 16,
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(sizes); i++) {
		ALLOC_FAILS(ERROR_NOT_ENOUGH_MEMORY, NULL, sizes[i], MEM_RESERVE,
			    PAGE_NOACCESS);
		ALLOC_FAILS(ERROR_NOT_ENOUGH_MEMORY, NULL, sizes[i], MEM_COMMIT,
			    PAGE_READWRITE);
		EXPECT_EQ(PRIVHEAP_LEVEL_NONE, PrivheapGetDeniedLevel());
	}
	ALLOC_FAILS(ERROR_INVALID_PARAMETER, NULL, 0, MEM_RESERVE, PAGE_NOACCESS);
	ALLOC_FAILS(ERROR_INVALID_PARAMETER, NULL, 0, MEM_COMMIT, PAGE_READWRITE);
}

TEST_F(memory, bad_types)
{
	static const DWORD unknown[] = {
		0, MEM_TOP_DOWN, MEM_DECOMMIT, MEM_RELEASE, MEM_FREE,
		MEM_RESERVE | MEM_DECOMMIT, MEM_RESERVE | MEM_PRIVATE,
		MEM_COMMIT | 1, MEM_COMMIT | 0x80000000, MEM_LARGE_PAGES,
		MEM_RESET | MEM_COMMIT, MEM_RESET | MEM_RESERVE,
		MEM_RESET | MEM_RESET_UNDO, MEM_RESET | MEM_TOP_DOWN,
	};
	static const DWORD missing[] = {
		MEM_LARGE_PAGES, MEM_PHYSICAL, MEM_WRITE_WATCH,
		MEM_LARGE_PAGES | MEM_TOP_DOWN,
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(unknown); i++)
		ALLOC_FAILS(ERROR_INVALID_PARAMETER, NULL, MIB, unknown[i],
			    PAGE_READWRITE);
	for (unsigned int i = 0; i < ARRAY_SIZE(missing); i++)
		ALLOC_FAILS(ERROR_NOT_SUPPORTED, NULL, MIB,
			    MEM_RESERVE | MEM_COMMIT | missing[i],
			    PAGE_READWRITE);
}

TEST_F(memory, bad_protections)
{
	static const DWORD unknown[] = {
		0, PAGE_READONLY | PAGE_READWRITE, PAGE_READONLY | PAGE_EXECUTE,
		PAGE_NOACCESS | PAGE_READWRITE, PAGE_WRITECOPY, 0x800,
		PAGE_EXECUTE_WRITECOPY, PAGE_GUARD, PAGE_NOACCESS | PAGE_GUARD,
		PAGE_NOACCESS | PAGE_NOCACHE, PAGE_READWRITE | 0x1000,
	};
	static const DWORD missing[] = {
		PAGE_READWRITE | PAGE_GUARD, PAGE_READWRITE | PAGE_NOCACHE,
		PAGE_READONLY | PAGE_WRITECOMBINE,
		PAGE_EXECUTE_READ | PAGE_TARGETS_INVALID,
	};
	char *p = VirtualAlloc(NULL, MIB, MEM_RESERVE, PAGE_READWRITE);

	for (unsigned int i = 0; i < ARRAY_SIZE(unknown); i++) {
		ALLOC_FAILS(ERROR_INVALID_PARAMETER, NULL, MIB, MEM_RESERVE,
			    unknown[i]);
		ALLOC_FAILS(ERROR_INVALID_PARAMETER, p, MIB, MEM_COMMIT,
			    unknown[i]);
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(missing); i++) {
		ALLOC_FAILS(ERROR_NOT_SUPPORTED, NULL, MIB, MEM_RESERVE,
			    missing[i]);
		ALLOC_FAILS(ERROR_NOT_SUPPORTED, p, MIB, MEM_COMMIT, missing[i]);
	}
	EXPECT_RUN(p, p, MIB, MEM_RESERVE, 0);
	VirtualFree(p, 0, MEM_RELEASE);
}

/* ---------------------------------------------------------------- commit */

TEST_F(memory, commit_with_null_reserves_too)
{
	static const DWORD types[] = {
		MEM_COMMIT, MEM_COMMIT | MEM_RESERVE,
		MEM_COMMIT | MEM_RESERVE | MEM_TOP_DOWN,
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(types); i++) {
		char *p;

		KEEPS_ERROR(p = VirtualAlloc(NULL, 300000, types[i],
					     PAGE_READWRITE));
		ASSERT_NE(NULL, p);
		EXPECT_EQ(0, (uintptr_t)p % 65536);
		EXPECT_RUN(p, p, 74 * self->page, MEM_COMMIT, PAGE_READWRITE);
		EXPECT_EQ(PAGE_READWRITE, info_of(p).AllocationProtect);
		EXPECT_TRUE(all_bytes(p, 0, 74 * self->page));
		memset(p, 1, 74 * self->page);
		EXPECT_EQ(TRUE, VirtualFree(p, 0, MEM_RELEASE));
		EXPECT_EQ(SIGSEGV, read_at(p));
	}
}

TEST_F(memory, pages_come_at_the_first_touch)
{
	uint64_t resident = self->before.resident;
	char *p = VirtualAlloc(NULL, 64 * MIB, MEM_RESERVE, PAGE_READWRITE);

	ASSERT_EQ(p, VirtualAlloc(p, 48 * MIB, MEM_COMMIT, PAGE_READWRITE));
	EXPECT_EQ(self->before.committed + 48 * MIB, process_usage().committed);
	EXPECT_EQ(resident, process_usage().resident);
	p[5 * MIB] = 1;
	EXPECT_LT(resident, process_usage().resident);
	/* a large page at most */
	EXPECT_GE(resident + 4 * MIB, process_usage().resident);
	EXPECT_EQ(TRUE, VirtualFree(p, 0, MEM_DECOMMIT));
	EXPECT_EQ(resident, process_usage().resident);
	EXPECT_EQ(self->before.committed, process_usage().committed);
	VirtualFree(p, 0, MEM_RELEASE);
}

TEST_F(memory, commit_of_parts)
{
	SIZE_T page = self->page;
	char *p = VirtualAlloc(NULL, 100 * page, MEM_RESERVE, PAGE_NOACCESS);

	/* two bytes that lie in two pages; the first page's address comes back */
	KEEPS_ERROR(EXPECT_EQ(p + 9 * page,
			      VirtualAlloc(p + 10 * page - 1, 2, MEM_COMMIT,
					   PAGE_READWRITE)));
	EXPECT_RUN(p, p, 9 * page, MEM_RESERVE, 0);
	EXPECT_RUN(p, p + 9 * page, 2 * page, MEM_COMMIT, PAGE_READWRITE);
	EXPECT_RUN(p, p + 11 * page, 89 * page, MEM_RESERVE, 0);
	EXPECT_EQ(SIGSEGV, read_at(p + 9 * page - 1));
	EXPECT_EQ(0, read_at(p + 9 * page));
	EXPECT_EQ(0, write_at(p + 11 * page - 1));
	EXPECT_EQ(SIGSEGV, write_at(p + 11 * page));

	/* the last page, then all between: one run */
	EXPECT_NE(NULL, VirtualAlloc(p + 100 * page - 1, 1, MEM_COMMIT,
				     PAGE_READWRITE));
	EXPECT_RUN(p, p + 99 * page, page, MEM_COMMIT, PAGE_READWRITE);
	EXPECT_NE(NULL, VirtualAlloc(p + 11 * page, 88 * page, MEM_COMMIT,
				     PAGE_READWRITE));
	EXPECT_RUN(p, p + 9 * page, 91 * page, MEM_COMMIT, PAGE_READWRITE);
	EXPECT_EQ(self->before.committed + 91 * page, process_usage().committed);
	VirtualFree(p, 0, MEM_RELEASE);
}

TEST_F(memory, recommit_keeps_contents)
{
	SIZE_T page = self->page;
	char *p = VirtualAlloc(NULL, 16 * page, MEM_RESERVE, PAGE_READWRITE);

	VirtualAlloc(p + 4 * page, 4 * page, MEM_COMMIT, PAGE_READWRITE);
	memset(p + 4 * page, 7, 4 * page);
	KEEPS_ERROR(EXPECT_EQ(p, VirtualAlloc(p, 16 * page, MEM_COMMIT,
					      PAGE_READWRITE)));
	KEEPS_ERROR(EXPECT_EQ(p, VirtualAlloc(p, 16 * page, MEM_COMMIT,
					      PAGE_READWRITE)));
	EXPECT_TRUE(all_bytes(p, 0, 4 * page));
	EXPECT_TRUE(all_bytes(p + 4 * page, 7, 4 * page));
	EXPECT_TRUE(all_bytes(p + 8 * page, 0, 8 * page));
	EXPECT_EQ(self->before.committed + 16 * page, process_usage().committed);
	VirtualFree(p, 0, MEM_RELEASE);
}

TEST_F(memory, commit_outside_of_a_reservation)
{
	SIZE_T page = self->page;
	char *p = VirtualAlloc(NULL, 5 * page, MEM_RESERVE, PAGE_READWRITE);
	char *q = VirtualAlloc(NULL, 5 * page, MEM_RESERVE, PAGE_READWRITE);
	char local;

	/* also where the region has more pages than the reservation */
	ALLOC_FAILS(ERROR_INVALID_ADDRESS, p, 5 * page + 1, MEM_COMMIT,
		    PAGE_READWRITE);
	ALLOC_FAILS(ERROR_INVALID_ADDRESS, p + 4 * page, 2 * page, MEM_COMMIT,
		    PAGE_READWRITE);
	ALLOC_FAILS(ERROR_INVALID_ADDRESS, p + 5 * page, 1, MEM_COMMIT,
		    PAGE_READWRITE);
	ALLOC_FAILS(ERROR_INVALID_ADDRESS, p - 1, 1, MEM_COMMIT, PAGE_READWRITE);
	ALLOC_FAILS(ERROR_INVALID_ADDRESS, p - page, 2 * page, MEM_COMMIT,
		    PAGE_READWRITE);
	ALLOC_FAILS(ERROR_INVALID_ADDRESS, p < q ? p : q, (p < q ? q - p : p - q) +
		    page, MEM_COMMIT, PAGE_READWRITE);
	ALLOC_FAILS(ERROR_INVALID_ADDRESS, &local, 1, MEM_COMMIT, PAGE_READWRITE);
	/* what no range of addresses can be */
	ALLOC_FAILS(ERROR_INVALID_PARAMETER, p, 0, MEM_COMMIT, PAGE_READWRITE);
	ALLOC_FAILS(ERROR_INVALID_PARAMETER, p, SIZE_MAX, MEM_COMMIT,
		    PAGE_READWRITE);
	ALLOC_FAILS(ERROR_INVALID_PARAMETER, p, (SIZE_T)0 - (uintptr_t)p,
		    MEM_COMMIT, PAGE_READWRITE);
	ALLOC_FAILS(ERROR_INVALID_PARAMETER, (LPVOID)1, 1, MEM_COMMIT,
		    PAGE_READWRITE);
	ALLOC_FAILS(ERROR_INVALID_PARAMETER, (LPVOID)65535, 1, MEM_RESERVE,
		    PAGE_READWRITE);
	ALLOC_FAILS(ERROR_INVALID_PARAMETER, (LPVOID)UINTPTR_MAX, 1, MEM_COMMIT,
		    PAGE_READWRITE);
	EXPECT_RUN(p, p, 5 * page, MEM_RESERVE, 0);
	EXPECT_EQ(self->before.committed, process_usage().committed);
	VirtualFree(p, 0, MEM_RELEASE);
	VirtualFree(q, 0, MEM_RELEASE);
	ALLOC_FAILS(ERROR_INVALID_ADDRESS, p, 1, MEM_COMMIT, PAGE_READWRITE);
}

TEST_F(memory, reset_is_a_hint)
{
	SIZE_T page = self->page;
	char *p = VirtualAlloc(NULL, 16 * page, MEM_RESERVE, PAGE_NOACCESS);

	VirtualAlloc(p, page, MEM_COMMIT, PAGE_READWRITE);
	memset(p, 0x55, page);
	KEEPS_ERROR(EXPECT_EQ(p, VirtualAlloc(p, page, MEM_RESET,
					      PAGE_NOACCESS)));
	EXPECT_TRUE(all_bytes(p, 0x55, page));
	EXPECT_RUN(p, p, page, MEM_COMMIT, PAGE_READWRITE);
	KEEPS_ERROR(EXPECT_EQ(p, VirtualAlloc(p, page, MEM_RESET_UNDO,
					      PAGE_NOACCESS)));
	EXPECT_EQ(p + page, VirtualAlloc(p + page, page, MEM_RESET,
					 PAGE_NOACCESS));
	EXPECT_RUN(p, p + page, 15 * page, MEM_RESERVE, 0);
	ALLOC_FAILS(ERROR_INVALID_ADDRESS, p + 15 * page, 2 * page, MEM_RESET,
		    PAGE_NOACCESS);
	ALLOC_FAILS(ERROR_INVALID_ADDRESS, NULL, page, MEM_RESET, PAGE_NOACCESS);
	VirtualFree(p, 0, MEM_RELEASE);
}

/* ----------------------------------------------------------- protections */

TEST_F(memory, protections_hold)
{
	static const struct {
		DWORD protect;
		int read;
		int write;
	} rules[] = {
		{ PAGE_NOACCESS, SIGSEGV, SIGSEGV },
		{ PAGE_READONLY, 0, SIGSEGV },
		{ PAGE_READWRITE, 0, 0 },
	};
	SIZE_T page = self->page;
	char *p = VirtualAlloc(NULL, 64 * page, MEM_RESERVE, PAGE_NOACCESS);

	for (unsigned int round = 0; round < 3; round++) {
		for (unsigned int i = 0; i < ARRAY_SIZE(rules); i++) {
			char *q = p + (5 * i + 7 * round) % 60 * page;

			EXPECT_EQ(q, VirtualAlloc(q, 2 * page, MEM_COMMIT,
						  rules[i].protect));
			EXPECT_EQ(rules[i].protect, info_of(q).Protect);
			EXPECT_EQ(rules[i].read, read_at(q));
			EXPECT_EQ(rules[i].write, write_at(q + 2 * page - 1));
		}
		/* what is committed anew forgets what it was */
		EXPECT_EQ(TRUE, VirtualFree(p, 0, MEM_DECOMMIT));
		EXPECT_EQ(p, VirtualAlloc(p, 64 * page, MEM_COMMIT,
					  PAGE_READWRITE));
		EXPECT_RUN(p, p, 64 * page, MEM_COMMIT, PAGE_READWRITE);
		EXPECT_TRUE(all_bytes(p, 0, 64 * page));
		memset(p, 1, 64 * page);
		EXPECT_EQ(TRUE, VirtualFree(p, 0, MEM_DECOMMIT));
	}
	VirtualFree(p, 0, MEM_RELEASE);
}

TEST_F(memory, commit_changes_the_protection)
{
	SIZE_T page = self->page;
	char *p = VirtualAlloc(NULL, 12 * page, MEM_COMMIT, PAGE_READWRITE);

	memset(p, 3, 12 * page);
	EXPECT_EQ(p + 4 * page, VirtualAlloc(p + 4 * page, 4 * page, MEM_COMMIT,
					     PAGE_READONLY));
	EXPECT_RUN(p, p, 4 * page, MEM_COMMIT, PAGE_READWRITE);
	EXPECT_RUN(p, p + 4 * page, 4 * page, MEM_COMMIT, PAGE_READONLY);
	EXPECT_RUN(p, p + 8 * page, 4 * page, MEM_COMMIT, PAGE_READWRITE);
	EXPECT_EQ(PAGE_READWRITE, info_of(p + 4 * page).AllocationProtect);
	EXPECT_EQ(SIGSEGV, write_at(p + 4 * page));
	EXPECT_TRUE(all_bytes(p, 3, 12 * page));
	EXPECT_NE(NULL, VirtualAlloc(p + 5 * page, page, MEM_COMMIT,
				     PAGE_NOACCESS));
	EXPECT_RUN(p, p + 4 * page, page, MEM_COMMIT, PAGE_READONLY);
	EXPECT_RUN(p, p + 6 * page, 2 * page, MEM_COMMIT, PAGE_READONLY);
	EXPECT_EQ(SIGSEGV, read_at(p + 5 * page));
	EXPECT_NE(NULL, VirtualAlloc(p, 12 * page, MEM_COMMIT, PAGE_READWRITE));
	EXPECT_RUN(p, p, 12 * page, MEM_COMMIT, PAGE_READWRITE);
	EXPECT_TRUE(all_bytes(p, 3, 12 * page));
	EXPECT_EQ(0, write_at(p + 5 * page));
	VirtualFree(p, 0, MEM_RELEASE);
}

TEST_F(memory, code_needs_an_executable_reservation)
{
	static const DWORD protects[] = {
		PAGE_EXECUTE, PAGE_EXECUTE_READ, PAGE_EXECUTE_READWRITE,
	};
	SIZE_T page = self->page;
	char *p = VirtualAlloc(NULL, 8 * page, MEM_RESERVE, PAGE_READWRITE);

	VirtualAlloc(p, page, MEM_COMMIT, PAGE_READWRITE);
	p[0] = 1;
	for (unsigned int i = 0; i < ARRAY_SIZE(protects); i++)
		ALLOC_FAILS(ERROR_NOT_SUPPORTED, p, 2 * page, MEM_COMMIT,
			    protects[i]);
	EXPECT_RUN(p, p, page, MEM_COMMIT, PAGE_READWRITE);
	EXPECT_EQ(1, p[0]);
	VirtualFree(p, 0, MEM_RELEASE);
}

TEST_F(memory, code_runs_where_it_may)
{
#if defined(__x86_64__) || defined(__i386__)
	/* mov $42, %eax; ret */
	static const unsigned char code[] = { 0xb8, 42, 0, 0, 0, 0xc3 };
	SIZE_T page = self->page;
	char *p = VirtualAlloc(NULL, 8 * page, MEM_RESERVE, PAGE_EXECUTE);
	int (*function)(void) = (int (*)(void))(uintptr_t)p;
	volatile int got = 0;

	ASSERT_NE(NULL, p);
	EXPECT_RUN(p, p, 8 * page, MEM_RESERVE, 0);
	EXPECT_EQ(p, VirtualAlloc(p, page, MEM_COMMIT, PAGE_READWRITE));
	memcpy(p, code, sizeof(code));
	EXPECT_EQ(SIGSEGV, SIGNAL_OF(got = function()));
	EXPECT_EQ(p, VirtualAlloc(p, page, MEM_COMMIT, PAGE_EXECUTE_READ));
	EXPECT_EQ(0, SIGNAL_OF(got = function()));
	EXPECT_EQ(42, got);
	EXPECT_EQ(SIGSEGV, write_at(p));
	EXPECT_RUN(p, p, page, MEM_COMMIT, PAGE_EXECUTE_READ);

	EXPECT_EQ(p, VirtualAlloc(p, 8 * page, MEM_COMMIT,
				  PAGE_EXECUTE_READWRITE));
	memcpy(p + 5 * page, code, sizeof(code));
	function = (int (*)(void))(uintptr_t)(p + 5 * page);
	got = 0;
	EXPECT_EQ(0, SIGNAL_OF(got = function()));
	EXPECT_EQ(42, got);
	EXPECT_RUN(p, p, 8 * page, MEM_COMMIT, PAGE_EXECUTE_READWRITE);
	VirtualFree(p, 0, MEM_RELEASE);
#else
	SKIP(return, "no machine code for this machine");
#endif
}

/* ------------------------------------------------------------------ free */

TEST_F(memory, decommit_of_parts)
{
	SIZE_T page = self->page;
	char *p = VirtualAlloc(NULL, 32 * page, MEM_COMMIT, PAGE_READWRITE);

	memset(p, 9, 32 * page);
	/* two bytes in two pages */
	KEEPS_ERROR(EXPECT_EQ(TRUE, VirtualFree(p + 8 * page - 1, 2,
						MEM_DECOMMIT)));
	EXPECT_RUN(p, p, 7 * page, MEM_COMMIT, PAGE_READWRITE);
	EXPECT_RUN(p, p + 7 * page, 2 * page, MEM_RESERVE, 0);
	EXPECT_RUN(p, p + 9 * page, 23 * page, MEM_COMMIT, PAGE_READWRITE);
	EXPECT_EQ(SIGSEGV, read_at(p + 7 * page));
	EXPECT_EQ(SIGSEGV, read_at(p + 9 * page - 1));
	EXPECT_TRUE(all_bytes(p, 9, 7 * page));
	EXPECT_TRUE(all_bytes(p + 9 * page, 9, 23 * page));
	EXPECT_EQ(self->before.committed + 30 * page, process_usage().committed);

	/* what is not committed is skipped */
	KEEPS_ERROR(EXPECT_EQ(TRUE, VirtualFree(p + 7 * page, 2 * page,
						MEM_DECOMMIT)));
	KEEPS_ERROR(EXPECT_EQ(TRUE, VirtualFree(p + 6 * page, 4 * page,
						MEM_DECOMMIT)));
	EXPECT_RUN(p, p + 6 * page, 4 * page, MEM_RESERVE, 0);

	/* what comes again is zero */
	VirtualAlloc(p, 32 * page, MEM_COMMIT, PAGE_READWRITE);
	EXPECT_TRUE(all_bytes(p, 9, 6 * page));
	EXPECT_TRUE(all_bytes(p + 6 * page, 0, 4 * page));
	EXPECT_TRUE(all_bytes(p + 10 * page, 9, 22 * page));
	VirtualFree(p, 0, MEM_RELEASE);
}

TEST_F(memory, decommit_of_all)
{
	SIZE_T page = self->page;
	char *p = VirtualAlloc(NULL, 32 * page, MEM_COMMIT, PAGE_READWRITE);

	FREE_FAILS(ERROR_INVALID_ADDRESS, p + page, 0, MEM_DECOMMIT);
	FREE_FAILS(ERROR_INVALID_ADDRESS, p + 1, 0, MEM_DECOMMIT);
	EXPECT_RUN(p, p, 32 * page, MEM_COMMIT, PAGE_READWRITE);
	KEEPS_ERROR(EXPECT_EQ(TRUE, VirtualFree(p, 0, MEM_DECOMMIT)));
	EXPECT_RUN(p, p, 32 * page, MEM_RESERVE, 0);
	KEEPS_ERROR(EXPECT_EQ(TRUE, VirtualFree(p, 0, MEM_DECOMMIT)));
	KEEPS_ERROR(EXPECT_EQ(TRUE, VirtualFree(p, 32 * page, MEM_DECOMMIT)));
	EXPECT_EQ(TRUE, VirtualFree(p, 0, MEM_RELEASE));
}

TEST_F(memory, free_with_bad_arguments)
{
	static const DWORD types[] = {
		0, MEM_DECOMMIT | MEM_RELEASE, MEM_FREE, MEM_COMMIT, MEM_RESERVE,
		MEM_RELEASE | 1, MEM_RELEASE | 2, MEM_DECOMMIT | MEM_COMMIT,
		0xFFFFFFFF,
	};
	SIZE_T page = self->page;
	char *p = VirtualAlloc(NULL, 32 * page, MEM_COMMIT, PAGE_READWRITE);
	char local;

	memset(p, 4, 32 * page);
	for (unsigned int i = 0; i < ARRAY_SIZE(types); i++) {
		FREE_FAILS(ERROR_INVALID_PARAMETER, p, 0, types[i]);
		FREE_FAILS(ERROR_INVALID_PARAMETER, p, page, types[i]);
	}
	FREE_FAILS(ERROR_INVALID_PARAMETER, p, 1, MEM_RELEASE);
	FREE_FAILS(ERROR_INVALID_PARAMETER, p, 32 * page, MEM_RELEASE);
	FREE_FAILS(ERROR_INVALID_PARAMETER, p, 32 * page + 1, MEM_DECOMMIT);
	FREE_FAILS(ERROR_INVALID_PARAMETER, p + page, SIZE_MAX, MEM_DECOMMIT);
	FREE_FAILS(ERROR_INVALID_ADDRESS, p + 1, 0, MEM_RELEASE);
	FREE_FAILS(ERROR_INVALID_ADDRESS, p + page, 0, MEM_RELEASE);
	FREE_FAILS(ERROR_INVALID_ADDRESS, p + 32 * page, 1, MEM_DECOMMIT);
	FREE_FAILS(ERROR_INVALID_ADDRESS, p - page, 2 * page, MEM_DECOMMIT);
	FREE_FAILS(ERROR_INVALID_ADDRESS, &local, 0, MEM_RELEASE);
	FREE_FAILS(ERROR_INVALID_ADDRESS, &local, 1, MEM_DECOMMIT);
	FREE_FAILS(ERROR_INVALID_ADDRESS, NULL, 0, MEM_RELEASE);
	FREE_FAILS(ERROR_INVALID_ADDRESS, NULL, 1, MEM_DECOMMIT);
	FREE_FAILS(ERROR_INVALID_ADDRESS, (LPVOID)UINTPTR_MAX, 1, MEM_DECOMMIT);
	EXPECT_RUN(p, p, 32 * page, MEM_COMMIT, PAGE_READWRITE);
	EXPECT_TRUE(all_bytes(p, 4, 32 * page));

	EXPECT_EQ(TRUE, VirtualFree(p, 0, MEM_RELEASE));
	FREE_FAILS(ERROR_INVALID_ADDRESS, p, 0, MEM_RELEASE);
	FREE_FAILS(ERROR_INVALID_ADDRESS, p, page, MEM_DECOMMIT);
}

TEST_F(memory, heaps_and_regions_are_not_reservations)
{
	HANDLE heap = HeapCreate(0, 0, 0);
	char *region = privheap_region_create(MIB, MIB, 0, 0);
	char *block = HeapAlloc(heap, 0, 4 * MIB);

	FREE_FAILS(ERROR_INVALID_ADDRESS, heap, 0, MEM_RELEASE);
	FREE_FAILS(ERROR_INVALID_ADDRESS, block, MIB, MEM_DECOMMIT);
	FREE_FAILS(ERROR_INVALID_ADDRESS, region, 0, MEM_RELEASE);
	ALLOC_FAILS(ERROR_INVALID_ADDRESS, region, 1, MEM_COMMIT,
		    PAGE_READWRITE);
	EXPECT_EQ(MEM_COMMIT, info_of(block).State);
	EXPECT_EQ(MEM_PRIVATE, info_of(block).Type);
	EXPECT_EQ(PAGE_READWRITE, info_of(block).Protect);
	EXPECT_EQ(MEM_COMMIT, info_of(region).State);
	EXPECT_EQ(MEM_PRIVATE, info_of(region).Type);
	EXPECT_EQ(0, privheap_region_destroy(region));
	EXPECT_EQ(TRUE, HeapDestroy(heap));
}

TEST_HARNESS_MAIN
