/* SPDX-License-Identifier: GPL-2.0-only */
/* What the tests of the limits of heaps share. */
#ifndef HEAP_LIMIT_SELFTEST_H
#define HEAP_LIMIT_SELFTEST_H

#include "heap_selftest.h"

#define NONE		PRIVHEAP_NO_LIMIT

static inline SIZE_T page(void)
{
	return sysconf(_SC_PAGESIZE);
}

/* What the heap tells of its limit on commit; 0xfe all over if it does not. */
static inline PRIVHEAP_LIMIT_INFORMATION limit_of(HANDLE heap)
{
	PRIVHEAP_LIMIT_INFORMATION info;

	if (!HeapQueryInformation(heap, PrivheapCommitLimit, &info,
				  sizeof(info), NULL))
		memset(&info, 0xfe, sizeof(info));
	return info;
}

static inline BOOL set_limits(HANDLE heap, DWORD which, ULONGLONG soft,
			      ULONGLONG hard, ULONGLONG reserve, ULONGLONG nth)
{
	PRIVHEAP_LIMIT_INFORMATION info = {
		.cb = sizeof(info),
		.dwSet = which,
		.cbSoft = soft,
		.cbHard = hard,
		.cbReserve = reserve,
		.nFailNth = nth,
	};

	return HeapSetInformation(heap, PrivheapCommitLimit, &info,
				  sizeof(info));
}

static inline BOOL set_hard(HANDLE heap, ULONGLONG hard)
{
	return set_limits(heap, PRIVHEAP_SET_HARD, 0, hard, 0, 0);
}

static inline BOOL set_nth(HANDLE heap, ULONGLONG nth)
{
	return set_limits(heap, PRIVHEAP_SET_FAIL_NTH, 0, 0, 0, nth);
}

static inline BOOL set_reserve(HANDLE heap, ULONGLONG reserve)
{
	return set_limits(heap, PRIVHEAP_SET_RESERVE, 0, 0, reserve, 0);
}

static inline BOOL open_reserve(HANDLE heap)
{
	ULONG resource = PRIVHEAP_RESOURCE_COMMIT;

	return HeapSetInformation(heap, PrivheapOpenReserve, &resource,
				  sizeof(resource));
}

/* What is counted is what the kernel, or who does its work, counts. */
#define EXPECT_EXACT(heap)						\
	EXPECT_EQ(usage_of(heap).cbCommitted, limit_of(heap).cbUsage)

/* A call that the heap's own limit refuses. */
#define REFUSED(call) do {						\
	SETS_ERROR(ERROR_NOT_ENOUGH_MEMORY, EXPECT_EQ(NULL, call));	\
	EXPECT_EQ(1, PrivheapGetDeniedLevel());				\
} while (0)

#endif /* HEAP_LIMIT_SELFTEST_H */
