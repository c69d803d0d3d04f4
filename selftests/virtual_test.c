// SPDX-License-Identifier: GPL-2.0-only
/*
 * The Win32 virtual memory functions, a test for each rule of their behaviour:
 * VirtualAlloc, VirtualFree, VirtualQuery; and GetNativeSystemInfo. Runs on the
 * module and on anonymous mappings alike.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include <privheap/memoryapi.h>
#include <privheap/region.h>

#include "kselftest_harness.h"

/* Emulated machines are slow, and kernels with all their checks slower. */
#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT 120

#define KIB		((SIZE_T)1024)
#define MIB		(1024 * KIB)
#define STALE		((DWORD)0xdeadbeef)	/* a last error nobody sets */
#define STALE_ERRNO	12345

#define LIMIT_FILE	"/sys/module/privheap/parameters/commit_limit"

/* The statement leaves last error and errno alone. */
#define KEEPS_ERROR(statement) do {		\
	SetLastError(STALE);			\
	errno = STALE_ERRNO;			\
	statement;				\
	EXPECT_EQ(STALE, GetLastError());	\
	EXPECT_EQ(STALE_ERRNO, errno);		\
} while (0)

/* The statement sets both to this number. */
#define SETS_ERROR(error, statement) do {		\
	SetLastError(STALE);				\
	errno = STALE_ERRNO;				\
	statement;					\
	EXPECT_EQ((int)(error), errno);			\
	EXPECT_EQ((DWORD)(error), GetLastError());	\
} while (0)

#define ALLOC_FAILS(error, ...) \
	SETS_ERROR(error, EXPECT_EQ(NULL, VirtualAlloc(__VA_ARGS__)))
#define FREE_FAILS(error, ...) \
	SETS_ERROR(error, EXPECT_EQ(FALSE, VirtualFree(__VA_ARGS__)))

/* The run that begins at @address, in the reservation at @base. */
#define EXPECT_RUN(base, address, size, state, protect) do {		\
	MEMORY_BASIC_INFORMATION _info = info_of(address);		\
	EXPECT_EQ((PVOID)(address), _info.BaseAddress);			\
	EXPECT_EQ((PVOID)(base), _info.AllocationBase);			\
	EXPECT_EQ(size, _info.RegionSize);				\
	EXPECT_EQ(state, _info.State);					\
	EXPECT_EQ(protect, _info.Protect);				\
	EXPECT_EQ(MEM_PRIVATE, _info.Type);				\
} while (0)

static MEMORY_BASIC_INFORMATION info_of(const void *address)
{
	MEMORY_BASIC_INFORMATION info;

	memset(&info, 0xff, sizeof(info));
	VirtualQuery(address, &info, sizeof(info));
	return info;
}

static struct privheap_region_info process_usage(void)
{
	struct privheap_region_info info;

	if (privheap_query_process(&info))
		memset(&info, 0xff, sizeof(info));
	return info;
}

static bool is_anonymous(void)
{
	return privheap_backend() == PRIVHEAP_BACKEND_ANONYMOUS;
}

static bool all_bytes(const void *memory, int value, SIZE_T size)
{
	const unsigned char *byte = memory;

	while (size--)
		if (*byte++ != (unsigned char)value)
			return false;
	return true;
}

static __thread sigjmp_buf fault_jump;

static void on_fault(int sig)
{
	siglongjmp(fault_jump, sig);
}

/* The signal that the statement raises; 0: none. */
#define SIGNAL_OF(statement) ({					\
	struct sigaction _action = { .sa_handler = on_fault };	\
	struct sigaction _old[2];				\
	volatile int _sig;					\
								\
	sigaction(SIGSEGV, &_action, &_old[0]);			\
	sigaction(SIGBUS, &_action, &_old[1]);			\
	_sig = sigsetjmp(fault_jump, 1);			\
	if (!_sig) {						\
		statement;					\
	}							\
	sigaction(SIGSEGV, &_old[0], NULL);			\
	sigaction(SIGBUS, &_old[1], NULL);			\
	_sig;							\
})

static int read_at(const volatile char *address)
{
	return SIGNAL_OF((void)*address);
}

static int write_at(volatile char *address)
{
	return SIGNAL_OF(*address = 1);
}

FIXTURE(memory)
{
	SIZE_T page;
	struct privheap_region_info before;
};

FIXTURE_SETUP(memory)
{
	self->page = sysconf(_SC_PAGESIZE);
	self->before = process_usage();
}

FIXTURE_TEARDOWN(memory)
{
	/* what the test has reserved, it has released */
	struct privheap_region_info now = process_usage();

	EXPECT_EQ(self->before.regions, now.regions);
	EXPECT_EQ(self->before.reserved, now.reserved);
	EXPECT_EQ(self->before.committed, now.committed);
	EXPECT_EQ(self->before.resident, now.resident);
}

/* ------------------------------------------------------------ the header */

TEST(layout_is_that_of_windows)
{
#if UINTPTR_MAX > 0xFFFFFFFF
	static const size_t offsets[] = { 0, 8, 16, 24, 32, 36, 40, 48 };

	EXPECT_EQ(20, offsetof(MEMORY_BASIC_INFORMATION, PartitionId));
#else
	static const size_t offsets[] = { 0, 4, 8, 12, 16, 20, 24, 28 };
#endif
	EXPECT_EQ(offsets[0], offsetof(MEMORY_BASIC_INFORMATION, BaseAddress));
	EXPECT_EQ(offsets[1], offsetof(MEMORY_BASIC_INFORMATION, AllocationBase));
	EXPECT_EQ(offsets[2],
		  offsetof(MEMORY_BASIC_INFORMATION, AllocationProtect));
	EXPECT_EQ(offsets[3], offsetof(MEMORY_BASIC_INFORMATION, RegionSize));
	EXPECT_EQ(offsets[4], offsetof(MEMORY_BASIC_INFORMATION, State));
	EXPECT_EQ(offsets[5], offsetof(MEMORY_BASIC_INFORMATION, Protect));
	EXPECT_EQ(offsets[6], offsetof(MEMORY_BASIC_INFORMATION, Type));
	EXPECT_EQ(offsets[7], sizeof(MEMORY_BASIC_INFORMATION));
}

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

/* ----------------------------------------------------------------- query */

TEST_F(memory, query_arguments)
{
	MEMORY_BASIC_INFORMATION info, untouched;
	char *p = VirtualAlloc(NULL, MIB, MEM_RESERVE, PAGE_READONLY);
	SYSTEM_INFO system;
	SIZE_T got;

	memset(&info, 0xee, sizeof(info));
	memset(&untouched, 0xee, sizeof(untouched));
	GetSystemInfo(&system);
	SETS_ERROR(ERROR_BAD_LENGTH,
		   EXPECT_EQ(0, VirtualQuery(p, &info, sizeof(info) - 1)));
	SETS_ERROR(ERROR_BAD_LENGTH, EXPECT_EQ(0, VirtualQuery(p, &info, 0)));
	SETS_ERROR(ERROR_NOACCESS,
		   EXPECT_EQ(0, VirtualQuery(p, NULL, sizeof(info))));
	SETS_ERROR(ERROR_INVALID_PARAMETER,
		   EXPECT_EQ(0, VirtualQuery((LPCVOID)UINTPTR_MAX, &info,
					     sizeof(info))));
	SETS_ERROR(ERROR_INVALID_PARAMETER,
		   EXPECT_EQ(0, VirtualQuery((char *)
				system.lpMaximumApplicationAddress + 1, &info,
				sizeof(info))));
	EXPECT_EQ(0, memcmp(&info, &untouched, sizeof(info)));

	KEEPS_ERROR(got = VirtualQuery(p, &info, sizeof(info)));
	EXPECT_EQ(sizeof(info), got);
	KEEPS_ERROR(got = VirtualQuery(p, &info, sizeof(info) + 100));
	EXPECT_EQ(sizeof(info), got);
	KEEPS_ERROR(got = VirtualQuery(system.lpMaximumApplicationAddress, &info,
				       sizeof(info)));
	EXPECT_EQ(sizeof(info), got);
	VirtualFree(p, 0, MEM_RELEASE);
}

TEST_F(memory, query_inside_of_a_run)
{
	SIZE_T page = self->page;
	char *p = VirtualAlloc(NULL, 32 * page, MEM_RESERVE, PAGE_READONLY);
	MEMORY_BASIC_INFORMATION info;

	VirtualAlloc(p + 8 * page, 8 * page, MEM_COMMIT, PAGE_READWRITE);
	info = info_of(p + 10 * page + 123);
	EXPECT_EQ(p + 10 * page, info.BaseAddress);
	EXPECT_EQ(p, info.AllocationBase);
	EXPECT_EQ(PAGE_READONLY, info.AllocationProtect);
	EXPECT_EQ(6 * page, info.RegionSize);
	EXPECT_EQ(MEM_COMMIT, info.State);
	EXPECT_EQ(PAGE_READWRITE, info.Protect);
	info = info_of(p + 17 * page - 1);
	EXPECT_EQ(p + 16 * page, info.BaseAddress);
	EXPECT_EQ(16 * page, info.RegionSize);
	EXPECT_EQ(MEM_RESERVE, info.State);
	info = info_of(p + 32 * page - 1);
	EXPECT_EQ(p + 31 * page, info.BaseAddress);
	EXPECT_EQ(page, info.RegionSize);
	VirtualFree(p, 0, MEM_RELEASE);
}

TEST_F(memory, query_of_many_runs)
{
	const int count = 2000;
	SIZE_T page = self->page;
	char *p = VirtualAlloc(NULL, count * page, MEM_RESERVE, PAGE_NOACCESS);

	/* every other page, from both ends: more runs than fit in a page */
	for (int i = 0; i < count; i += 4) {
		ASSERT_NE(NULL, VirtualAlloc(p + i * page, 1, MEM_COMMIT,
					     PAGE_READWRITE));
		ASSERT_NE(NULL, VirtualAlloc(p + (count - 2 - i) * page, 1,
					     MEM_COMMIT, PAGE_READWRITE));
	}
	for (int i = 0; i < count; i++) {
		MEMORY_BASIC_INFORMATION info = info_of(p + i * page);

		ASSERT_EQ(page, info.RegionSize);
		ASSERT_EQ(i % 2 ? MEM_RESERVE : MEM_COMMIT, info.State);
		ASSERT_EQ(p, info.AllocationBase);
	}
	EXPECT_EQ(self->before.committed + count / 2 * page,
		  process_usage().committed);
	/* the holes closed, in an order that joins runs on either side */
	for (int i = 1; i < count; i += 2)
		ASSERT_NE(NULL, VirtualAlloc(p + i * 7 % count * page, 1,
					     MEM_COMMIT, PAGE_READWRITE));
	EXPECT_RUN(p, p, count * page, MEM_COMMIT, PAGE_READWRITE);
	EXPECT_EQ(TRUE, VirtualFree(p, 0, MEM_RELEASE));
}

TEST(query_of_what_is_free)
{
	SIZE_T page = sysconf(_SC_PAGESIZE);
	char *map = mmap(NULL, 7 * page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS,
			 -1, 0);
	MEMORY_BASIC_INFORMATION info;

	ASSERT_NE(MAP_FAILED, map);
	/* the library's first call needs some memory, and not in that hole */
	info = info_of(map);
	EXPECT_EQ(7 * page, info.RegionSize);
	ASSERT_EQ(0, munmap(map + 2 * page, 3 * page));
	info = info_of(map + 3 * page + 5);
	EXPECT_EQ(map + 3 * page, info.BaseAddress);
	EXPECT_EQ(NULL, info.AllocationBase);
	EXPECT_EQ(0, info.AllocationProtect);
	EXPECT_EQ(2 * page, info.RegionSize);
	EXPECT_EQ(MEM_FREE, info.State);
	EXPECT_EQ(PAGE_NOACCESS, info.Protect);
	EXPECT_EQ(0, info.Type);

	info = info_of(NULL);
	EXPECT_EQ(NULL, info.BaseAddress);
	EXPECT_EQ(MEM_FREE, info.State);
	EXPECT_LE(65536, info.RegionSize);
}

TEST(query_of_other_mappings)
{
	static const struct {
		int prot;
		DWORD private_protect;
		DWORD file_protect;
	} rules[] = {
		{ PROT_NONE, PAGE_NOACCESS, PAGE_NOACCESS },
		{ PROT_READ, PAGE_READONLY, PAGE_READONLY },
		{ PROT_READ | PROT_WRITE, PAGE_READWRITE, PAGE_WRITECOPY },
		{ PROT_READ | PROT_EXEC, PAGE_EXECUTE_READ, PAGE_EXECUTE_READ },
		{ PROT_READ | PROT_WRITE | PROT_EXEC, PAGE_EXECUTE_READWRITE,
		  PAGE_EXECUTE_WRITECOPY },
	};
	SIZE_T page = sysconf(_SC_PAGESIZE);
	MEMORY_BASIC_INFORMATION info;
	char *map, *file, *middle;
	int fd = memfd_create("test", 0);

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, ftruncate(fd, 4 * page));
	/* a page of something else on either side, so that nothing merges */
	map = mmap(NULL, 6 * page, PROT_NONE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, map);
	middle = map + page;
	for (unsigned int i = 0; i < ARRAY_SIZE(rules); i++) {
		ASSERT_EQ(middle, mmap(middle, 4 * page, rules[i].prot,
				       MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS,
				       -1, 0));
		info = info_of(middle + page + 1);
		EXPECT_EQ(middle + page, info.BaseAddress);
		EXPECT_EQ(middle, info.AllocationBase);
		EXPECT_EQ(3 * page, info.RegionSize);
		EXPECT_EQ(MEM_COMMIT, info.State);
		EXPECT_EQ(rules[i].private_protect, info.Protect);
		EXPECT_EQ(rules[i].private_protect, info.AllocationProtect);
		EXPECT_EQ(MEM_PRIVATE, info.Type);

		file = mmap(middle, 4 * page, rules[i].prot,
			    MAP_FIXED | MAP_PRIVATE, fd, 0);
		ASSERT_EQ(middle, file);
		info = info_of(file);
		EXPECT_EQ(file, info.AllocationBase);
		EXPECT_EQ(4 * page, info.RegionSize);
		EXPECT_EQ(rules[i].file_protect, info.Protect);
		EXPECT_EQ(rules[i].prot & PROT_EXEC ? MEM_IMAGE : MEM_MAPPED,
			  info.Type);
	}
	file = mmap(middle, 4 * page, PROT_READ | PROT_WRITE,
		    MAP_FIXED | MAP_SHARED, fd, 0);
	ASSERT_EQ(middle, file);
	info = info_of(file);
	EXPECT_EQ(PAGE_READWRITE, info.Protect);
	EXPECT_EQ(MEM_MAPPED, info.Type);

	/* one allocation of two protections */
	ASSERT_EQ(0, mprotect(file + 2 * page, page, PROT_READ));
	EXPECT_EQ(2 * page, info_of(file).RegionSize);
	EXPECT_EQ(file, info_of(file + 2 * page).AllocationBase);
	EXPECT_EQ(page, info_of(file + 2 * page).RegionSize);
	EXPECT_EQ(PAGE_READONLY, info_of(file + 2 * page).Protect);
	EXPECT_EQ(file, info_of(file + 3 * page).AllocationBase);
}

extern const char __executable_start;

TEST(query_of_the_program)
{
	static int initialized = 5;
	MEMORY_BASIC_INFORMATION info = info_of((void *)(uintptr_t)&info_of);
	int local;

	EXPECT_EQ(MEM_COMMIT, info.State);
	EXPECT_EQ(PAGE_EXECUTE_READ, info.Protect);
	EXPECT_EQ(MEM_IMAGE, info.Type);
	EXPECT_EQ(&__executable_start, info.AllocationBase);
	/* data before and behind the code */
	info = info_of(&__executable_start);
	EXPECT_EQ(MEM_IMAGE, info.Type);
	EXPECT_EQ(PAGE_READONLY, info.Protect);
	info = info_of(&initialized);
	EXPECT_EQ(&__executable_start, info.AllocationBase);
	EXPECT_EQ(PAGE_WRITECOPY, info.Protect);
	info = info_of(&local);
	EXPECT_EQ(MEM_PRIVATE, info.Type);
	EXPECT_EQ(PAGE_READWRITE, info.Protect);
}

/* From NULL up, each run ends where the next one begins. */
TEST_F(memory, query_walks_all_addresses)
{
	static char *all[20];
	MEMORY_BASIC_INFORMATION info;
	const char *at = NULL;
	int found = 0, hidden = 0;
	DWORD before = 0;
	SYSTEM_INFO system;
	unsigned char in_core;

	/* sizes that leave something over in every unit of 64 KiB */
	for (unsigned int i = 0; i < ARRAY_SIZE(all); i++) {
		all[i] = VirtualAlloc(NULL, (3 * i + 1) * self->page, i % 2 ?
				      MEM_RESERVE : MEM_COMMIT, PAGE_READWRITE);
		ASSERT_NE(NULL, all[i]);
	}
	GetSystemInfo(&system);
	while (VirtualQuery(at, &info, sizeof(info))) {
		ASSERT_EQ(at, info.BaseAddress);
		ASSERT_LT(0, info.RegionSize);
		ASSERT_EQ(0, info.RegionSize % self->page);
		/* free ranges are as long as they can be */
		if (before == MEM_FREE) {
			ASSERT_NE(MEM_FREE, info.State);
		}
		if (info.State == MEM_FREE)
			hidden += !mincore((void *)at, self->page, &in_core);
		for (unsigned int i = 0; i < ARRAY_SIZE(all); i++) {
			if (at != all[i])
				continue;
			EXPECT_EQ(all[i], info.AllocationBase);
			EXPECT_EQ((3 * i + 1) * self->page, info.RegionSize);
			EXPECT_EQ(i % 2 ? MEM_RESERVE : MEM_COMMIT, info.State);
			found++;
		}
		before = info.State;
		at += info.RegionSize;
	}
	EXPECT_EQ(ERROR_INVALID_PARAMETER, GetLastError());
	EXPECT_EQ((char *)system.lpMaximumApplicationAddress + 1, at);
	EXPECT_EQ(20, found);
	/* and some of it is mapped: what is left of a region is not shown */
	EXPECT_LT(0, hidden);
	for (unsigned int i = 0; i < ARRAY_SIZE(all); i++)
		EXPECT_EQ(TRUE, VirtualFree(all[i], 0, MEM_RELEASE));
}

/* The kernel shows neighbours of the same kind as one mapping. */
TEST_F(memory, query_tells_neighbours_apart)
{
	SIZE_T page = self->page;
	char *p, *first, *at, *map = MAP_FAILED;

	/* With the first one comes memory for the library's own records. */
	first = VirtualAlloc(NULL, 16 * page, MEM_RESERVE, PAGE_READWRITE);
	p = VirtualAlloc(NULL, 16 * page, MEM_RESERVE, PAGE_READWRITE);
	/* the page just before the region, which may begin before the reservation */
	for (at = p - page; info_of(at).State == MEM_FREE; at -= page) {
		map = mmap(at, page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS |
			   MAP_FIXED_NOREPLACE | MAP_NORESERVE, -1, 0);
		if (map == at)
			break;
		ASSERT_EQ(MAP_FAILED, map);
		ASSERT_EQ(EEXIST, errno);
	}
	if (map == MAP_FAILED) {
		VirtualFree(first, 0, MEM_RELEASE);
		VirtualFree(p, 0, MEM_RELEASE);
		SKIP(return, "no room before the region");
	}
	/* as the library does with a region that it keeps itself */
	madvise(map, page, MADV_DONTFORK);
	EXPECT_RUN(map, map, page, MEM_COMMIT, PAGE_NOACCESS);
	if (map + page < p) {
		EXPECT_EQ(MEM_FREE, info_of(map + page).State);
		EXPECT_EQ(p - map - page, info_of(map + page).RegionSize);
	}
	EXPECT_RUN(p, p, 16 * page, MEM_RESERVE, 0);
	EXPECT_EQ(TRUE, VirtualFree(p, 0, MEM_RELEASE));
	EXPECT_EQ(TRUE, VirtualFree(first, 0, MEM_RELEASE));
	EXPECT_EQ(0, munmap(map, page));
}

/* ------------------------------------------------------ many, and at once */

TEST_F(memory, a_thousand_reservations)
{
	static char *all[1000];
	const int count = ARRAY_SIZE(all);

	for (int i = 0; i < count; i++) {
		all[i] = VirtualAlloc(NULL, 65536, MEM_RESERVE, PAGE_READWRITE);
		ASSERT_NE(NULL, all[i]);
		ASSERT_EQ(all[i] + 4096, VirtualAlloc(all[i] + 4096, i % 5 + 1,
						      MEM_COMMIT,
						      PAGE_READWRITE));
		all[i][4096] = i % 100;
	}
	for (int i = 0; i < count; i++) {
		ASSERT_EQ(all[i], info_of(all[i] + 4100).AllocationBase);
		ASSERT_EQ(MEM_COMMIT, info_of(all[i] + 4100).State);
		ASSERT_EQ(MEM_RESERVE, info_of(all[i] + 65535).State);
		ASSERT_EQ(i % 100, all[i][4096]);
	}
	EXPECT_EQ(self->before.regions + count, process_usage().regions);
	/* 7 and 1000 have no common factor */
	for (int i = 0; i < count; i++) {
		char *p = all[i * 7 % count];

		ASSERT_EQ(TRUE, VirtualFree(p, 0, MEM_RELEASE));
		ASSERT_EQ(FALSE, VirtualFree(p, 0, MEM_RELEASE));
	}
}

#define RACE_PAGES	64
#define RACE_ROUNDS	400

static char *race_base;
static char *_Atomic race_slots[8];
static atomic_int race_errors;
static atomic_int race_released;

static unsigned int race_random(unsigned int *state)
{
	*state = *state * 1103515245 + 12345;
	return *state >> 16;
}

#define RACE_CHECK(condition) do {					\
	if (!(condition)) {						\
		atomic_fetch_add(&race_errors, 1);			\
		fprintf(stderr, "# %s, line %d\n", #condition, __LINE__); \
	}								\
} while (0)

/* A reservation that all share: every answer is one that could have been. */
static void race_shared(unsigned int *state, SIZE_T page)
{
	SIZE_T first = race_random(state) % RACE_PAGES;
	SIZE_T count = race_random(state) % (RACE_PAGES - first) + 1;
	char *at = race_base + first * page;
	MEMORY_BASIC_INFORMATION info;

	switch (race_random(state) % 4) {
	case 0:
		RACE_CHECK(VirtualFree(at, count * page, MEM_DECOMMIT));
		break;
	case 1:
		RACE_CHECK(VirtualAlloc(at, count * page, MEM_COMMIT,
					race_random(state) % 2 ? PAGE_READONLY :
					PAGE_READWRITE) == at);
		break;
	default:
		RACE_CHECK(VirtualQuery(at, &info, sizeof(info)));
		RACE_CHECK(info.AllocationBase == race_base);
		RACE_CHECK(info.State == MEM_RESERVE ? !info.Protect :
			   info.State == MEM_COMMIT && info.Protect);
		RACE_CHECK(info.RegionSize && info.RegionSize <=
			   (RACE_PAGES - first) * page);
	}
}

/* Reservations that threads hand to each other: one of them releases each. */
static void race_slot(unsigned int *state, SIZE_T page)
{
	unsigned int slot = race_random(state) % ARRAY_SIZE(race_slots);
	char *mine, *seen = atomic_load(&race_slots[slot]);

	mine = VirtualAlloc(NULL, 3 * page, MEM_COMMIT, PAGE_READWRITE);
	RACE_CHECK(mine && all_bytes(mine, 0, 3 * page));
	memset(mine, 1, 3 * page);
	mine = atomic_exchange(&race_slots[slot], mine);
	if (mine)
		atomic_fetch_add(&race_released,
				 VirtualFree(mine, 0, MEM_RELEASE));
	/* one that another thread may have released, or just reserved anew */
	if (seen) {
		MEMORY_BASIC_INFORMATION info;

		RACE_CHECK(VirtualQuery(seen, &info, sizeof(info)));
		VirtualAlloc(seen, 1, MEM_RESET, PAGE_NOACCESS);
	}
}

static void *race_thread(void *seed)
{
	unsigned int state = (uintptr_t)seed;
	SIZE_T page = sysconf(_SC_PAGESIZE);

	for (int i = 0; i < RACE_ROUNDS; i++) {
		race_shared(&state, page);
		race_slot(&state, page);
	}
	return NULL;
}

TEST_F(memory, threads)
{
	pthread_t threads[4];
	int left = 0;

	race_base = VirtualAlloc(NULL, RACE_PAGES * self->page, MEM_RESERVE,
				 PAGE_READWRITE);
	for (uintptr_t i = 0; i < ARRAY_SIZE(threads); i++)
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, race_thread,
					    (void *)(i + 1)));
	for (unsigned int i = 0; i < ARRAY_SIZE(threads); i++)
		pthread_join(threads[i], NULL);
	EXPECT_EQ(0, atomic_load(&race_errors));

	for (unsigned int i = 0; i < ARRAY_SIZE(race_slots); i++) {
		if (!race_slots[i])
			continue;
		left++;
		EXPECT_EQ(TRUE, VirtualFree(race_slots[i], 0, MEM_RELEASE));
	}
	EXPECT_EQ(ARRAY_SIZE(threads) * RACE_ROUNDS,
		  atomic_load(&race_released) + left);

	/* what the records say is what the region has */
	for (SIZE_T i = 0, committed = 0; i <= RACE_PAGES; i++) {
		if (i == RACE_PAGES) {
			EXPECT_EQ(self->before.committed + committed,
				  process_usage().committed);
			break;
		}
		if (info_of(race_base + i * self->page).State == MEM_COMMIT) {
			committed += self->page;
			EXPECT_EQ(0, read_at(race_base + i * self->page));
		} else {
			EXPECT_EQ(SIGSEGV, read_at(race_base + i * self->page));
		}
	}
	VirtualFree(race_base, 0, MEM_RELEASE);
}

static void *release_thread(void *base)
{
	atomic_fetch_add(&race_released, VirtualFree(base, 0, MEM_RELEASE));
	return NULL;
}

TEST_F(memory, one_release_of_many_wins)
{
	pthread_t threads[4];

	for (int round = 0; round < 50; round++) {
		char *p = VirtualAlloc(NULL, MIB, MEM_COMMIT, PAGE_READWRITE);

		for (unsigned int i = 0; i < ARRAY_SIZE(threads); i++)
			ASSERT_EQ(0, pthread_create(&threads[i], NULL,
						    release_thread, p));
		for (unsigned int i = 0; i < ARRAY_SIZE(threads); i++)
			pthread_join(threads[i], NULL);
		ASSERT_EQ(round + 1, atomic_load(&race_released));
	}
}

/* --------------------------------------------------------- on this system */

TEST_F(memory, a_child_has_no_reservations)
{
	SIZE_T page = self->page;
	char *p = VirtualAlloc(NULL, 8 * page, MEM_COMMIT, PAGE_READWRITE);
	int status;
	pid_t pid;

	memset(p, 6, 8 * page);
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		bool good = true;
		char *q;

		good = good && info_of(p).State == MEM_FREE;
		good = good && !VirtualFree(p, page, MEM_DECOMMIT) &&
		       GetLastError() == ERROR_INVALID_ADDRESS;
		good = good && !VirtualFree(p, 0, MEM_RELEASE) &&
		       GetLastError() == ERROR_INVALID_ADDRESS;
		good = good && !VirtualAlloc(p, page, MEM_COMMIT,
					     PAGE_READWRITE) &&
		       GetLastError() == ERROR_INVALID_ADDRESS;
		q = VirtualAlloc(NULL, MIB, MEM_COMMIT, PAGE_READWRITE);
		good = good && q && all_bytes(q, 0, MIB);
		good = good && info_of(q).RegionSize == MIB;
		good = good && VirtualFree(q, 0, MEM_RELEASE);
		_exit(good ? 0 : 1);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_TRUE(all_bytes(p, 6, 8 * page));
	EXPECT_RUN(p, p, 8 * page, MEM_COMMIT, PAGE_READWRITE);
	EXPECT_EQ(TRUE, VirtualFree(p, 0, MEM_RELEASE));
}

static bool write_file(const char *name, const char *text)
{
	int fd = open(name, O_WRONLY | O_CLOEXEC);
	bool good = fd >= 0 && write(fd, text, strlen(text)) == strlen(text);

	if (fd >= 0)
		close(fd);
	return good;
}

TEST_F(memory, a_quota_refuses)
{
	SIZE_T page = self->page;
	struct privheap_region_info system;
	char old[64] = "", limit[32];
	char *p, *q;
	int fd;

	if (is_anonymous())
		SKIP(return, "anonymous mappings have no quota");
	fd = open(LIMIT_FILE, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		SKIP(return, LIMIT_FILE ": cannot be written");
	ASSERT_LT(0, read(fd, old, sizeof(old) - 1));
	close(fd);

	p = VirtualAlloc(NULL, 64 * MIB, MEM_RESERVE, PAGE_READWRITE);
	VirtualAlloc(p, 4 * page, MEM_COMMIT, PAGE_READONLY);
	ASSERT_EQ(0, privheap_query_system(&system));
	snprintf(limit, sizeof(limit), "%llu",
		 (unsigned long long)system.committed + 8 * MIB);
	ASSERT_TRUE(write_file(LIMIT_FILE, limit));
	ALLOC_FAILS(ERROR_COMMITMENT_LIMIT, p, 9 * MIB, MEM_COMMIT,
		    PAGE_READWRITE);
	EXPECT_EQ(PRIVHEAP_LEVEL_SYSTEM, PrivheapGetDeniedLevel());
	EXPECT_RUN(p, p, 4 * page, MEM_COMMIT, PAGE_READONLY);
	EXPECT_EQ(SIGSEGV, write_at(p));
	ALLOC_FAILS(ERROR_COMMITMENT_LIMIT, NULL, 9 * MIB, MEM_COMMIT,
		    PAGE_READWRITE);
	EXPECT_EQ(PRIVHEAP_LEVEL_SYSTEM, PrivheapGetDeniedLevel());
	q = VirtualAlloc(NULL, 7 * MIB, MEM_COMMIT, PAGE_READWRITE);
	EXPECT_NE(NULL, q);
	EXPECT_TRUE(write_file(LIMIT_FILE, old));
	EXPECT_EQ(TRUE, VirtualFree(q, 0, MEM_RELEASE));
	EXPECT_EQ(p, VirtualAlloc(p, 9 * MIB, MEM_COMMIT, PAGE_READWRITE));
	EXPECT_EQ(TRUE, VirtualFree(p, 0, MEM_RELEASE));
}

/* The most mappings that a process can have; 0: not known. */
static long most_mappings(void)
{
	char text[32] = "";
	int fd = open("/proc/sys/vm/max_map_count", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return 0;
	if (read(fd, text, sizeof(text) - 1) < 0)
		text[0] = '\0';
	close(fd);
	return atol(text);
}

TEST_F(memory, without_a_mapping_to_spare)
{
	SIZE_T page = self->page, length, i;
	long most = most_mappings();
	char *p, *fill;
	BOOL done;

#ifdef __SANITIZE_THREAD__
	SKIP(return, "ThreadSanitizer itself needs mappings");
#endif
	if (most <= 0 || most > 200000)
		SKIP(return, "max_map_count is %ld", most);
	p = VirtualAlloc(NULL, 64 * page, MEM_RESERVE, PAGE_READWRITE);
	VirtualAlloc(p, 32 * page, MEM_COMMIT, PAGE_READWRITE);
	memset(p, 8, 32 * page);

	length = 2 * (most + 2) * page;
	fill = mmap(NULL, length, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS |
		    MAP_NORESERVE, -1, 0);
	ASSERT_NE(MAP_FAILED, fill);
	for (i = page; i < length; i += 2 * page)
		if (mprotect(fill + i, page, PROT_READ))
			break;
	ASSERT_LT(i, length);

	/* it would take two more mappings, and perhaps one is left */
	ALLOC_FAILS(ERROR_NOT_ENOUGH_MEMORY, p + 8 * page, 4 * page, MEM_COMMIT,
		    PAGE_READONLY);
	ALLOC_FAILS(ERROR_NOT_ENOUGH_MEMORY, p + 40 * page, 4 * page, MEM_COMMIT,
		    PAGE_READONLY);
	ALLOC_FAILS(ERROR_NOT_ENOUGH_MEMORY, p + 30 * page, 4 * page, MEM_COMMIT,
		    PAGE_READONLY);
	EXPECT_RUN(p, p, 32 * page, MEM_COMMIT, PAGE_READWRITE);
	EXPECT_RUN(p, p + 32 * page, 32 * page, MEM_RESERVE, 0);
	EXPECT_EQ(self->before.committed + 32 * page, process_usage().committed);
	EXPECT_TRUE(all_bytes(p, 8, 32 * page));
	memset(p, 8, 32 * page);
	EXPECT_EQ(SIGSEGV, read_at(p + 32 * page));

	/* mappings of a region of the module need no splitting for this */
	SetLastError(STALE);
	done = VirtualFree(p + 8 * page, 4 * page, MEM_DECOMMIT);
	EXPECT_EQ(!is_anonymous(), done);
	if (done) {
		EXPECT_RUN(p, p + 8 * page, 4 * page, MEM_RESERVE, 0);
	} else {
		EXPECT_EQ(ERROR_NOT_ENOUGH_MEMORY, GetLastError());
		EXPECT_RUN(p, p, 32 * page, MEM_COMMIT, PAGE_READWRITE);
		EXPECT_TRUE(all_bytes(p, 8, 32 * page));
	}

	ASSERT_EQ(0, munmap(fill, length));
	EXPECT_EQ(p + 8 * page, VirtualAlloc(p + 8 * page, 4 * page, MEM_COMMIT,
					     PAGE_READONLY));
	EXPECT_EQ(TRUE, VirtualFree(p + 8 * page, 4 * page, MEM_DECOMMIT));
	EXPECT_EQ(TRUE, VirtualFree(p, 0, MEM_RELEASE));
}

/* With the module a device can hold pages; then the others go. */
TEST_F(memory, decommit_of_pinned_pages)
{
	SIZE_T page = self->page, committed = 0, i;
	struct io_uring_params params;
	struct iovec buffer;
	char *p;
	int ring;

	if (is_anonymous())
		SKIP(return, "anonymous mappings just forget pages");
	memset(&params, 0, sizeof(params));
	ring = syscall(SYS_io_uring_setup, 4, &params);
	if (ring < 0)
		SKIP(return, "io_uring: %s", strerror(errno));
	p = VirtualAlloc(NULL, 8 * MIB, MEM_COMMIT, PAGE_READWRITE);
	memset(p, 5, 8 * MIB);
	buffer.iov_base = p + 2 * MIB;
	buffer.iov_len = 4 * MIB;
	if (syscall(SYS_io_uring_register, ring, IORING_REGISTER_BUFFERS,
		    &buffer, 1)) {
		VirtualFree(p, 0, MEM_RELEASE);
		SKIP(return, "IORING_REGISTER_BUFFERS: %s", strerror(errno));
	}

	/* large pages cannot be split now, at either end */
	SetLastError(STALE);
	if (VirtualFree(p + 2 * MIB + page, 4 * MIB - 2 * page, MEM_DECOMMIT)) {
		VirtualFree(p, 0, MEM_RELEASE);
		SKIP(return, "no large pages were pinned");
	}
	EXPECT_EQ(ERROR_BUSY, GetLastError());
	for (i = 0; i < 8 * MIB; i += page) {
		bool in = i > 2 * MIB && i < 6 * MIB - page;

		if (info_of(p + i).State == MEM_COMMIT) {
			committed += page;
			ASSERT_TRUE(all_bytes(p + i, in ? 0 : 5, page));
		} else {
			ASSERT_TRUE(in);
			ASSERT_EQ(SIGSEGV, read_at(p + i));
		}
	}
	EXPECT_LT(4 * MIB + 2 * page, committed);
	EXPECT_EQ(self->before.committed + committed, process_usage().committed);

	/* the ring lets go of them some time after it was closed */
	close(ring);
	for (i = 0; i < 6000 && !VirtualFree(p, 0, MEM_DECOMMIT); i++)
		usleep(10000);
	EXPECT_RUN(p, p, 8 * MIB, MEM_RESERVE, 0);
	EXPECT_EQ(TRUE, VirtualFree(p, 0, MEM_RELEASE));
}

TEST(native_system_info)
{
	SYSTEM_INFO info, native;

	memset(&info, 0xff, sizeof(info));
	memset(&native, 0xff, sizeof(native));
	GetSystemInfo(&info);
	KEEPS_ERROR(GetNativeSystemInfo(&native));
#if defined(__i386__)
	struct utsname name;

	ASSERT_EQ(0, uname(&name));
	if (!strcmp(name.machine, "x86_64")) {
		EXPECT_EQ(PROCESSOR_ARCHITECTURE_AMD64,
			  native.wProcessorArchitecture);
		EXPECT_EQ(PROCESSOR_AMD_X8664, native.dwProcessorType);
		EXPECT_EQ((LPVOID)UINTPTR_MAX,
			  native.lpMaximumApplicationAddress);
		/* and all else is the same */
		native.wProcessorArchitecture = info.wProcessorArchitecture;
		native.dwProcessorType = info.dwProcessorType;
		native.lpMaximumApplicationAddress =
			info.lpMaximumApplicationAddress;
	}
#endif
	EXPECT_EQ(0, memcmp(&info, &native, sizeof(info)));
}

TEST_HARNESS_MAIN
