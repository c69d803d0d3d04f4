/* SPDX-License-Identifier: GPL-2.0-only */
/* What the tests of all Win32 functions share, those of heaps and of memory. */
#ifndef WIN32_SELFTEST_H
#define WIN32_SELFTEST_H

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <privheap/heapapi.h>
#include <privheap/region.h>

#define KIB		((SIZE_T)1024)
#define MIB		(1024 * KIB)
#define STALE		((DWORD)0xdeadbeef)	/* a last error nobody sets */
#define STALE_ERRNO	12345

/* The largest block of a fixed heap, and what is none any more: A9 to A12. */
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

/* All members are ~0 when it cannot be asked. */
static inline PRIVHEAP_USAGE usage_of(HANDLE heap)
{
	PRIVHEAP_USAGE usage = { .cb = sizeof(usage) };

	if (!PrivheapQueryHeap(heap, &usage))
		memset(&usage, 0xff, sizeof(usage));
	return usage;
}

/* What the heap has charged to its own limit; ~0 when it cannot be asked. */
static inline ULONGLONG charged_of(HANDLE heap)
{
	PRIVHEAP_LIMIT_INFORMATION info;

	return HeapQueryInformation(heap, PrivheapCommitLimit, &info,
				    sizeof(info), NULL) ? info.cbUsage :
							  UINT64_MAX;
}

static inline bool all_bytes(const void *block, int value, SIZE_T size)
{
	const unsigned char *byte = block;

	/* Each is like the next one: quick under tools, too. */
	return !size || (byte[0] == (unsigned char)value &&
			 !memcmp(byte, byte + 1, size - 1));
}

#endif /* WIN32_SELFTEST_H */
