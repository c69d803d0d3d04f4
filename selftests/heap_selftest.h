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

#include <setjmp.h>
#include <stddef.h>
#include <unistd.h>

#include "patient_harness.h"

#include "fault_selftest.h"
#include "win32_selftest.h"

/* Where a member of a struct must be, in 64-bit and in 32-bit programs. */
#define OFFSET_64_32(type, member, on_64, on_32)			\
	_Static_assert(offsetof(type, member) ==			\
		       (sizeof(void *) == 8 ? (on_64) : (on_32)), #member)

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
