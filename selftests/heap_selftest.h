/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the tests of the Win32 heap functions share. A test's name begins with
 * the number of the rule that it is about:
 *
 *   C HeapCreate     D HeapDestroy   A HeapAlloc      R HeapReAlloc
 *   F HeapFree       Z HeapSize      V HeapValidate   K HeapWalk
 *   I Heap...Information             P HeapCompact    L HeapLock, HeapUnlock
 *   G GetProcessHeap(s)              U HeapSummary    Y GetSystemInfo
 *   O flags of calls                 X what Linux adds
 *
 * All of them run on the module and on anonymous mappings alike.
 */
#ifndef HEAP_SELFTEST_H
#define HEAP_SELFTEST_H

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
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

/* Where a member of a struct must be, in 64-bit and in 32-bit programs. */
#define OFFSET_64_32(type, member, on_64, on_32)			\
	_Static_assert(offsetof(type, member) ==			\
		       (sizeof(void *) == 8 ? (on_64) : (on_32)), #member)

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

static inline PRIVHEAP_USAGE usage_of(HANDLE heap)
{
	PRIVHEAP_USAGE usage = { .cb = sizeof(usage) };

	if (!PrivheapQueryHeap(heap, &usage))
		memset(&usage, 0xff, sizeof(usage));
	return usage;
}

static inline bool all_bytes(const void *block, int value, SIZE_T size)
{
	const unsigned char *byte = block;

	while (size--)
		if (*byte++ != (unsigned char)value)
			return false;
	return true;
}

static sigjmp_buf fault_jump __attribute__((unused));

static inline void on_fault(int sig)
{
	siglongjmp(fault_jump, sig);
}

/* The signal that reading a byte there raises; 0: none. */
static inline int fault_at(const volatile void *address)
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

static jmp_buf raised __attribute__((unused));
static DWORD raised_code __attribute__((unused));
static HANDLE raised_heap __attribute__((unused));
static SIZE_T raised_bytes __attribute__((unused));

static inline void WINAPI on_exception(DWORD code, HANDLE heap, SIZE_T bytes)
{
	raised_code = code;
	raised_heap = heap;
	raised_bytes = bytes;
	longjmp(raised, 1);
}

/* The exception that a statement raises; 0: none. */
#define RAISES(code, statement) do {			\
	raised_code = 0;				\
	if (!setjmp(raised)) {				\
		statement;				\
	}						\
	EXPECT_EQ((DWORD)(code), raised_code);		\
} while (0)

#endif /* HEAP_SELFTEST_H */
