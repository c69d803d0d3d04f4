// SPDX-License-Identifier: GPL-2.0-only
/*
 * The Win32 heap functions, a test for each rule of their behaviour. The names
 * begin with the number of the rule: C HeapCreate, A HeapAlloc, R HeapReAlloc,
 * F HeapFree, Z HeapSize, D HeapDestroy, Y GetSystemInfo; L is for what Linux
 * adds. Runs on the module and on anonymous mappings alike.
 */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <privheap/heapapi.h>
#include <privheap/region.h>

#include "kselftest_harness.h"

#define KIB		((SIZE_T)1024)
#define MIB		(1024 * KIB)
#define STALE		((DWORD)0xdeadbeef)	/* a last error nobody sets */
#define STALE_ERRNO	12345

#if UINTPTR_MAX > 0xFFFFFFFF
#define FIXED_MAX	((SIZE_T)0xFEFF0)
#define FIXED_TOO_MUCH	((SIZE_T)0x100000)
#else
#define FIXED_MAX	((SIZE_T)0x7EFF8)
#define FIXED_TOO_MUCH	((SIZE_T)0x7F000)
#endif

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

static PRIVHEAP_USAGE usage_of(HANDLE heap)
{
	PRIVHEAP_USAGE usage = { .cb = sizeof(usage) };

	if (!PrivheapQueryHeap(heap, &usage))
		memset(&usage, 0xff, sizeof(usage));
	return usage;
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

/* The signal that reading a byte there raises; 0: none. */
static int fault_at(const volatile void *address)
{
	struct sigaction action = { .sa_handler = on_fault }, old[2];
	int sig;

	sigaction(SIGSEGV, &action, &old[0]);
	sigaction(SIGBUS, &action, &old[1]);
	sig = sigsetjmp(fault_jump, 1);
	if (!sig)
		(void)*(const volatile char *)address;
	sigaction(SIGSEGV, &old[0], NULL);
	sigaction(SIGBUS, &old[1], NULL);
	return sig;
}

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
	EXPECT_EQ(SIGSEGV, fault_at(blocks[4]));
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

static jmp_buf raised;
static DWORD raised_code;
static HANDLE raised_heap;
static SIZE_T raised_bytes;

static void WINAPI on_exception(DWORD code, HANDLE heap, SIZE_T bytes)
{
	raised_code = code;
	raised_heap = heap;
	raised_bytes = bytes;
	longjmp(raised, 1);
}

static void WINAPI on_exception_return(DWORD code, HANDLE heap, SIZE_T bytes)
{
	(void)heap;
	(void)bytes;
	raised_code = code;
}

/* The exception that a statement raises; 0: none. */
#define RAISES(code, statement) do {			\
	raised_code = 0;				\
	if (!setjmp(raised)) {				\
		statement;				\
	}						\
	EXPECT_EQ((DWORD)(code), raised_code);		\
} while (0)

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
	/* R9 */
	HeapAlloc(raising, 0, 100);
	RAISES(STATUS_NO_MEMORY,
	       HeapReAlloc(raising, HEAP_REALLOC_IN_PLACE_ONLY, p, 4000));
	RAISES(STATUS_ACCESS_VIOLATION, HeapReAlloc(raising, 0, p + 16, 10));
	RAISES(STATUS_ACCESS_VIOLATION,
	       HeapAlloc(NULL, HEAP_GENERATE_EXCEPTIONS, 10));
	/* R1 */
	RAISES(0, HeapReAlloc(raising, 0, NULL, 10));
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

/* ----------------------------------------------------------- HeapReAlloc */

TEST(R1_realloc_null)
{
	HANDLE heap = HeapCreate(0, 0, 0);

	SetLastError(STALE);
	EXPECT_EQ(NULL, HeapReAlloc(heap, 0, NULL, 10));
	EXPECT_EQ(NO_ERROR, GetLastError());
	SetLastError(STALE);
	EXPECT_EQ(NULL, HeapReAlloc(heap, HEAP_GENERATE_EXCEPTIONS, NULL, 0));
	EXPECT_EQ(NO_ERROR, GetLastError());
	EXPECT_EQ(0, usage_of(heap).cBlocks);
	HeapDestroy(heap);
}

TEST(R2_contents_are_kept)
{
	static const SIZE_T sizes[] = {
		10, 1000, 100, 200 * KIB, 50, 3 * MIB, 2 * MIB, 5 * MIB, 77, 0,
		MIB, FIXED_MAX, 900 * KIB, 33,
	};
	HANDLE heap = HeapCreate(0, 0, 0);
	SIZE_T before = 5, keep;
	char *p = HeapAlloc(heap, 0, before), *q;

	memset(p, 0, before);
	for (unsigned int i = 0; i < ARRAY_SIZE(sizes); i++) {
		KEEPS_ERROR(q = HeapReAlloc(heap, 0, p, sizes[i]));
		ASSERT_NE(NULL, q);
		keep = before < sizes[i] ? before : sizes[i];
		ASSERT_TRUE(all_bytes(q, i, keep));
		ASSERT_EQ(sizes[i], HeapSize(heap, 0, q));
		ASSERT_EQ(1, usage_of(heap).cBlocks);
		memset(q, i + 1, sizes[i]);
		p = q;
		before = sizes[i];
	}
	EXPECT_EQ(TRUE, HeapFree(heap, 0, p));
	EXPECT_EQ(1, usage_of(heap).dwRegions);
	HeapDestroy(heap);
}

TEST(R3_realloc_to_zero)
{
	HANDLE heap = HeapCreate(0, 0, 0);
	void *p = HeapAlloc(heap, 0, 100), *q;

	KEEPS_ERROR(q = HeapReAlloc(heap, 0, p, 0));
	EXPECT_EQ(p, q);
	EXPECT_EQ(0, HeapSize(heap, 0, q));
	EXPECT_EQ(TRUE, HeapFree(heap, 0, q));
	HeapDestroy(heap);
}

TEST(R4_zero_memory_from_the_old_size_on)
{
	static const SIZE_T from[] = { 0, 1, 13, 100, 5000, 2 * MIB + 3 };
	static const SIZE_T to[] = { 7, 14, 30, 5000, 300 * KIB, 3 * MIB };
	HANDLE heap = HeapCreate(0, 0, 0);

	for (unsigned int i = 0; i < ARRAY_SIZE(from); i++) {
		for (unsigned int j = 0; j < ARRAY_SIZE(to); j++) {
			char *p = HeapAlloc(heap, 0, to[j] + 100);

			/* shrink, which leaves scribbled slack, then grow */
			memset(p, 0xee, to[j] + 100);
			if (to[j] + 100 < from[i])
				p = HeapReAlloc(heap, 0, p, from[i]);
			p = HeapReAlloc(heap, 0, p, from[i]);
			memset(p, 0xee, from[i]);
			p = HeapReAlloc(heap, HEAP_ZERO_MEMORY, p, to[j]);
			ASSERT_NE(NULL, p);
			if (to[j] > from[i])
				ASSERT_TRUE(all_bytes(p + from[i], 0,
						      to[j] - from[i]));
			HeapFree(heap, 0, p);
		}
	}
	HeapDestroy(heap);
}

TEST(R5_failure_leaves_the_block)
{
	HANDLE heap = HeapCreate(0, 0, 64 * KIB), big = HeapCreate(0, 0, 0);
	char *p = HeapAlloc(heap, 0, 1000), *q = HeapAlloc(big, 0, 2 * MIB);

	memset(p, 3, 1000);
	memset(q, 4, 2 * MIB);
	SETS_ERROR(ERROR_NOT_ENOUGH_MEMORY,
		   EXPECT_EQ(NULL, HeapReAlloc(heap, 0, p, 100 * KIB)));
	SETS_ERROR(ERROR_NOT_ENOUGH_MEMORY,
		   EXPECT_EQ(NULL, HeapReAlloc(heap, 0, p, SIZE_MAX)));
	SETS_ERROR(ERROR_NOT_ENOUGH_MEMORY,
		   EXPECT_EQ(NULL, HeapReAlloc(big, 0, q, SIZE_MAX - 7)));
	SETS_ERROR(ERROR_NOT_ENOUGH_MEMORY,
		   EXPECT_EQ(NULL, HeapReAlloc(big, 0, q, SIZE_MAX / 16 * 15)));
	EXPECT_TRUE(all_bytes(p, 3, 1000));
	EXPECT_EQ(1000, HeapSize(heap, 0, p));
	EXPECT_TRUE(all_bytes(q, 4, 2 * MIB));
	EXPECT_EQ(2 * MIB, HeapSize(big, 0, q));
	HeapDestroy(heap);
	HeapDestroy(big);
}

TEST(R6_R7_in_place)
{
	/* ordinary blocks on both widths, then large ones */
	static const SIZE_T sizes[][3] = {
		{ 1000, 500, 800 }, { 400 * KIB, 200 * KIB, 300 * KIB },
		{ 768 * KIB, 384 * KIB, 512 * KIB }, { 4 * MIB, 384 * KIB, MIB },
	};
	HANDLE heap = HeapCreate(0, 0, 0);

	for (unsigned int i = 0; i < ARRAY_SIZE(sizes); i++) {
		char *p = HeapAlloc(heap, 0, sizes[i][0]);

		memset(p, 9, sizes[i][0]);
		for (int j = 1; j < 3; j++) {
			KEEPS_ERROR(EXPECT_EQ(p, HeapReAlloc(heap,
				    HEAP_REALLOC_IN_PLACE_ONLY, p,
				    sizes[i][j])));
			EXPECT_EQ(sizes[i][j], HeapSize(heap, 0, p));
		}
		EXPECT_TRUE(all_bytes(p, 9, sizes[i][1]));
		HeapFree(heap, 0, p);
	}
	HeapDestroy(heap);
}

TEST(R8_in_place_impossible)
{
	HANDLE heap = HeapCreate(0, 0, 0);
	char *p = HeapAlloc(heap, 0, 100), *next = HeapAlloc(heap, 0, 100);
	char *q = HeapAlloc(heap, 0, 2 * MIB);

	memset(p, 5, 100);
	memset(next, 6, 100);
	SETS_ERROR(ERROR_NOT_ENOUGH_MEMORY,
		   EXPECT_EQ(NULL, HeapReAlloc(heap, HEAP_REALLOC_IN_PLACE_ONLY,
					       p, 4000)));
	SETS_ERROR(ERROR_NOT_ENOUGH_MEMORY,
		   EXPECT_EQ(NULL, HeapReAlloc(heap, HEAP_REALLOC_IN_PLACE_ONLY,
					       q, 4 * MIB)));
	EXPECT_EQ(100, HeapSize(heap, 0, p));
	EXPECT_EQ(2 * MIB, HeapSize(heap, 0, q));
	EXPECT_TRUE(all_bytes(p, 5, 100));
	EXPECT_TRUE(all_bytes(next, 6, 100));
	HeapDestroy(heap);
}

TEST(R10_not_a_block)
{
	HANDLE heap = HeapCreate(0, 0, 0), other = HeapCreate(0, 0, 0);
	char *p = HeapAlloc(heap, 0, 1000), *gone = HeapAlloc(heap, 0, 100);
	char *foreign[] = {
		p + 1, p + 8, p + 16, p - 16, gone, HeapAlloc(other, 0, 100),
		HeapAlloc(other, 0, 2 * MIB), (char *)heap, (char *)&heap,
		(char *)16, (char *)UINTPTR_MAX, (char *)(UINTPTR_MAX - 15),
	};
	PRIVHEAP_USAGE before;

	memset(p, 0xff, 1000);
	HeapFree(heap, 0, gone);
	before = usage_of(heap);
	for (unsigned int i = 0; i < ARRAY_SIZE(foreign); i++)
		SETS_ERROR(ERROR_INVALID_PARAMETER,
			   EXPECT_EQ(NULL, HeapReAlloc(heap, 0, foreign[i], 8)));
	EXPECT_EQ(before.cBlocks, usage_of(heap).cBlocks);
	EXPECT_EQ(before.cbCommitted, usage_of(heap).cbCommitted);
	EXPECT_TRUE(all_bytes(p, 0xff, 1000));
	HeapDestroy(heap);
	HeapDestroy(other);
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

/* ----------------------------------------------------------- HeapDestroy */

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
	EXPECT_EQ(SIGSEGV, fault_at(p));
	EXPECT_EQ(SIGSEGV, fault_at(q));
	for (int i = 0; i < 20; i++)
		EXPECT_EQ(SIGSEGV, fault_at(r[i]));

	ASSERT_EQ(0, privheap_query_process(&info));
	EXPECT_EQ(0, info.regions);
	EXPECT_EQ(0, info.reserved);
	EXPECT_EQ(0, info.committed);
	EXPECT_EQ(0, info.resident);
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

/* ------------------------------------------------- C11, GetSystemInfo */

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

/* --------------------------------------------------------- on this system */

TEST(L1_untouched_blocks_take_no_pages)
{
	static const SIZE_T sizes[] = { 400 * KIB, 8 * MIB };
	HANDLE heap = HeapCreate(0, 0, 0);
	DWORD flags[] = { 0, HEAP_ZERO_MEMORY };

	for (int f = 0; f < 2; f++) {
		for (int s = 0; s < 2; s++) {
			ULONGLONG before = usage_of(heap).cbResident, after;
			char *p = HeapAlloc(heap, flags[f], sizes[s]);

			after = usage_of(heap).cbResident;
			/* control data before and behind it, perhaps a window */
			EXPECT_LE(after - before, sizes[s] / 2);
			memset(p, 1, sizes[s]);
			EXPECT_GE(usage_of(heap).cbResident, after);
			EXPECT_GE(usage_of(heap).cbResident, sizes[s]);
		}
	}
	HeapDestroy(heap);
}

TEST(L2_growth_regions_go_back)
{
	HANDLE heap = HeapCreate(0, 0, 0);
	char *blocks[100];
	DWORD most;

	for (int i = 0; i < 100; i++) {
		blocks[i] = HeapAlloc(heap, 0, 300 * KIB);
		ASSERT_NE(NULL, blocks[i]);
	}
	most = usage_of(heap).dwRegions;
	EXPECT_GE(most, 2);
	for (int i = 0; i < 100; i++)
		ASSERT_EQ(TRUE, HeapFree(heap, 0, blocks[i]));
	EXPECT_EQ(1, usage_of(heap).dwRegions);
	HeapDestroy(heap);
}

TEST(L3_fork_child_has_no_heaps)
{
	HANDLE heap = HeapCreate(0, 0, 0), mine;
	char *p = HeapAlloc(heap, 0, 100), *q = HeapAlloc(heap, 0, 2 * MIB);
	int status;
	pid_t pid;

	memcpy(p, "parent", sizeof("parent"));
	pid = fork();
	ASSERT_GE(pid, 0);
	if (!pid) {
		EXPECT_EQ(NULL, HeapAlloc(heap, 0, 10));
		EXPECT_EQ(ERROR_INVALID_HANDLE, GetLastError());
		EXPECT_EQ(FALSE, HeapFree(heap, 0, p));
		EXPECT_EQ(FALSE, HeapDestroy(heap));
		EXPECT_EQ(ERROR_INVALID_HANDLE, GetLastError());
		EXPECT_EQ(SIGSEGV, fault_at(p));
		EXPECT_EQ(SIGSEGV, fault_at(q));
		/* and can have its own */
		mine = HeapCreate(0, 0, 0);
		EXPECT_NE(NULL, mine);
		EXPECT_NE(NULL, HeapAlloc(mine, HEAP_ZERO_MEMORY, 3 * MIB));
		EXPECT_EQ(TRUE, HeapDestroy(mine));
		_exit(__test_passed(_metadata) ? 0 : 1);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(0, strcmp(p, "parent"));
	EXPECT_EQ(TRUE, HeapFree(heap, 0, q));
	EXPECT_EQ(TRUE, HeapDestroy(heap));
}

TEST(L4_all_descriptors_closed)
{
	HANDLE heap = HeapCreate(0, 0, 0);
	int fd, pipes[2];

	ASSERT_NE(NULL, HeapAlloc(heap, 0, 100));
	for (fd = 3; fd < 64; fd++)
		close(fd);
	EXPECT_NE(NULL, HeapAlloc(heap, 0, 700 * KIB / 2));
	for (fd = 3; fd < 64; fd++)
		close(fd);
	/* the number that was the device's is somebody else's now */
	ASSERT_EQ(0, pipe(pipes));
	EXPECT_NE(NULL, HeapAlloc(heap, 0, 2 * MIB));
	EXPECT_EQ(TRUE, HeapDestroy(heap));
	EXPECT_EQ(1, write(pipes[1], "x", 1));
}

static HANDLE shared_heap;

static void *hammer(void *arg)
{
	unsigned int seed = (uintptr_t)arg;
	unsigned char *blocks[64] = { NULL };
	SIZE_T sizes[64] = { 0 };
	uintptr_t errors = 0;

	for (int i = 0; i < 5000; i++) {
		int k = rand_r(&seed) % 64;
		SIZE_T n = rand_r(&seed) % (rand_r(&seed) % 50 ? 2000 : 100000);

		if (blocks[k] && rand_r(&seed) % 3 == 0) {
			unsigned char *p = HeapReAlloc(shared_heap, 0,
						       blocks[k], n);

			if (!p || !all_bytes(p, (uintptr_t)arg,
					     n < sizes[k] ? n : sizes[k]))
				errors++;
			blocks[k] = p;
		} else {
			if (blocks[k] &&
			    (!all_bytes(blocks[k], (uintptr_t)arg, sizes[k]) ||
			     HeapSize(shared_heap, 0, blocks[k]) != sizes[k] ||
			     !HeapFree(shared_heap, 0, blocks[k])))
				errors++;
			blocks[k] = HeapAlloc(shared_heap, 0, n);
		}
		if (!blocks[k]) {
			errors++;
			continue;
		}
		sizes[k] = n;
		memset(blocks[k], (uintptr_t)arg, n);
	}
	for (int k = 0; k < 64; k++)
		if (blocks[k] && !HeapFree(shared_heap, 0, blocks[k]))
			errors++;
	return (void *)errors;
}

TEST(L5_threads)
{
	pthread_t threads[4];
	void *errors;

	shared_heap = HeapCreate(0, 0, 0);
	for (uintptr_t i = 0; i < 4; i++)
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, hammer,
					    (void *)(i + 1)));
	for (int i = 0; i < 4; i++) {
		pthread_join(threads[i], &errors);
		EXPECT_EQ(NULL, errors);
	}
	EXPECT_EQ(0, usage_of(shared_heap).cBlocks);
	EXPECT_EQ(1, usage_of(shared_heap).dwRegions);
	HeapDestroy(shared_heap);
}

TEST(L6_random_use_matches_a_model)
{
	static unsigned char *blocks[500];
	static SIZE_T sizes[500];
	HANDLE heap = HeapCreate(HEAP_NO_SERIALIZE, 0, 512 * KIB);
	unsigned int seed = 1;
	ULONGLONG bytes = 0, count = 0, refused = 0;

	for (int i = 0; i < 60000; i++) {
		int k = rand_r(&seed) % 500;
		SIZE_T n = rand_r(&seed) % (rand_r(&seed) % 9 ? 800 : 40000);

		if (!blocks[k]) {
			blocks[k] = HeapAlloc(heap, 0, n);
			if (!blocks[k]) {
				refused++;
				continue;
			}
			count++;
			bytes += n;
		} else if (rand_r(&seed) % 2) {
			unsigned char *p = HeapReAlloc(heap, 0, blocks[k], n);

			if (!p) {
				refused++;
				continue;
			}
			ASSERT_TRUE(all_bytes(p, sizes[k],
					      n < sizes[k] ? n : sizes[k]));
			blocks[k] = p;
			bytes += n;
			bytes -= sizes[k];
		} else {
			ASSERT_TRUE(all_bytes(blocks[k], sizes[k], sizes[k]));
			ASSERT_EQ(TRUE, HeapFree(heap, 0, blocks[k]));
			blocks[k] = NULL;
			count--;
			bytes -= sizes[k];
			continue;
		}
		sizes[k] = n;
		memset(blocks[k], n, n);
		if (i % 1000 == 0) {
			ASSERT_EQ(count, usage_of(heap).cBlocks);
			ASSERT_EQ(bytes, usage_of(heap).cbAllocated);
		}
	}
	/* it did run into the maximum, and lived */
	EXPECT_GT(refused, 0);
	EXPECT_LE(usage_of(heap).cbCommitted, 512 * KIB);
	for (int k = 0; k < 500; k++)
		if (blocks[k])
			ASSERT_EQ(TRUE, HeapFree(heap, 0, blocks[k]));
	EXPECT_EQ(0, usage_of(heap).cBlocks);
	/* all free memory is in one piece again */
	EXPECT_NE(NULL, HeapAlloc(heap, 0, 500 * KIB));
	HeapDestroy(heap);
}

TEST(L8_no_memory_at_growth)
{
	HANDLE heap = HeapCreate(0, 0, 0);
	struct rlimit limit = { 0, 0 };
	char *blocks[64];
	int count = 0;
	ULONGLONG bytes;

	if (strstr(getenv("LD_PRELOAD") ?: "", "vgpreload"))
		SKIP(return, "valgrind itself needs address space");
	/* touched once, so that the C library has what it needs */
	ASSERT_NE(NULL, HeapAlloc(heap, 0, 100));
	ASSERT_EQ(TRUE, HeapFree(heap, 0, HeapAlloc(heap, 0, 2 * MIB)));
	ASSERT_EQ(0, getrlimit(RLIMIT_AS, &limit));
	limit.rlim_cur = 0;
	ASSERT_EQ(0, setrlimit(RLIMIT_AS, &limit));

	SETS_ERROR(ERROR_NOT_ENOUGH_MEMORY,
		   EXPECT_EQ(NULL, HeapAlloc(heap, 0, 2 * MIB)));
	EXPECT_EQ(PRIVHEAP_LEVEL_NONE, PrivheapGetDeniedLevel());
	SETS_ERROR(ERROR_NOT_ENOUGH_MEMORY,
		   EXPECT_EQ(NULL, HeapCreate(0, 0, 0)));
	/* what is reserved can still be used up, and no more */
	while (count < 64) {
		blocks[count] = HeapAlloc(heap, 0, 300 * KIB);
		if (!blocks[count])
			break;
		memset(blocks[count], count, 300 * KIB);
		count++;
	}
	EXPECT_GE(count, 2);
	EXPECT_LT(count, 64);
	EXPECT_EQ(ERROR_NOT_ENOUGH_MEMORY, GetLastError());
	bytes = usage_of(heap).cbAllocated;
	EXPECT_EQ(100 + count * 300 * KIB, bytes);
	for (int i = 0; i < count; i++) {
		EXPECT_TRUE(all_bytes(blocks[i], i, 300 * KIB));
		EXPECT_EQ(TRUE, HeapFree(heap, 0, blocks[i]));
	}
	/* and all is well when there is memory again */
	limit.rlim_cur = limit.rlim_max;
	ASSERT_EQ(0, setrlimit(RLIMIT_AS, &limit));
	EXPECT_NE(NULL, HeapAlloc(heap, 0, 2 * MIB));
	for (int i = 0; i < 64; i++)
		EXPECT_NE(NULL, HeapAlloc(heap, 0, 300 * KIB));
	EXPECT_EQ(TRUE, HeapDestroy(heap));
}

TEST(L7_usage_arguments)
{
	HANDLE heap = HeapCreate(0, 0, 0);
	PRIVHEAP_USAGE usage = { .cb = sizeof(usage) - 1 };

	EXPECT_EQ(64, sizeof(usage));
	SETS_ERROR(ERROR_INVALID_PARAMETER,
		   EXPECT_EQ(FALSE, PrivheapQueryHeap(heap, &usage)));
	SETS_ERROR(ERROR_INVALID_PARAMETER,
		   EXPECT_EQ(FALSE, PrivheapQueryHeap(heap, NULL)));
	HeapDestroy(heap);
}

TEST_HARNESS_MAIN
