// SPDX-License-Identifier: GPL-2.0-only
/*
 * The classes of HeapSetInformation() and HeapQueryInformation() for limits, and
 * those of heaps with a maximum. I, X as in heap_selftest.h.
 */
#include <sys/resource.h>
#include <sys/wait.h>

#include "heap_limit_selftest.h"

_Static_assert(sizeof(PRIVHEAP_LIMIT_INFORMATION) == 80, "its size");
OFFSET_64_32(PRIVHEAP_LIMIT_INFORMATION, dwSet, 4, 4);
OFFSET_64_32(PRIVHEAP_LIMIT_INFORMATION, cbSoft, 8, 8);
OFFSET_64_32(PRIVHEAP_LIMIT_INFORMATION, cDenials, 64, 64);
OFFSET_64_32(PRIVHEAP_LIMIT_INFORMATION, dwReserveOpen, 72, 72);
_Static_assert(PrivheapCommitLimit == 0x70680001 &&
	       PrivheapResidentLimit == 0x70680002 &&
	       PrivheapOpenReserve == 0x70680003 &&
	       PrivheapUsage == 0x70680004, "the classes");
_Static_assert(sizeof(HEAP_INFORMATION_CLASS) == 4, "an enum as before");

static bool is_anonymous(void)
{
	return PrivheapGetBackend() == PRIVHEAP_BACKEND_ANONYMOUS;
}

/* ------------------------------------------------------------ arguments */

TEST(I_query_lengths)
{
	static const struct {
		HEAP_INFORMATION_CLASS class;
		SIZE_T size;
	} cases[] = {
		{ PrivheapCommitLimit, sizeof(PRIVHEAP_LIMIT_INFORMATION) },
		{ PrivheapUsage, sizeof(PRIVHEAP_USAGE) },
	};
	HANDLE heaps[] = { HeapCreate(0, 0, 0), HeapCreate(0, 0, 64 * KIB) };
	SIZE_T length, size;
	char buffer[256];
	DWORD cb;

	for (unsigned int i = 0; i < 4; i++) {
		HANDLE heap = heaps[i % 2];
		HEAP_INFORMATION_CLASS class = cases[i / 2].class;

		size = cases[i / 2].size;
		for (SIZE_T n = 0; n < size; n++) {
			length = 55;
			memset(buffer, 7, sizeof(buffer));
			SETS_ERROR(ERROR_INSUFFICIENT_BUFFER,
				   EXPECT_EQ(FALSE, HeapQueryInformation(heap,
									 class, buffer, n,
									 &length)));
			EXPECT_EQ(size, length);
			EXPECT_TRUE(all_bytes(buffer, 7, sizeof(buffer)));
		}
		/* neither cb nor anything else in it is looked at */
		length = 55;
		KEEPS_ERROR(EXPECT_EQ(TRUE, HeapQueryInformation(heap, class,
								 buffer, size, &length)));
		EXPECT_EQ(size, length);
		memcpy(&cb, buffer, sizeof(cb));
		EXPECT_EQ(size, cb);
		memset(buffer, 7, sizeof(buffer));
		KEEPS_ERROR(EXPECT_EQ(TRUE, HeapQueryInformation(heap, class,
								 buffer, sizeof(buffer), NULL)));
		EXPECT_TRUE(all_bytes(buffer + size, 7, sizeof(buffer) - size));
		SETS_ERROR(ERROR_NOACCESS,
			   EXPECT_EQ(FALSE, HeapQueryInformation(heap, class,
								 NULL, size, &length)));
		length = 55;
		SETS_ERROR(ERROR_NOACCESS,
			   EXPECT_EQ(FALSE, HeapQueryInformation(NULL, class,
								 buffer, size, &length)));
		SETS_ERROR(ERROR_INVALID_HANDLE,
			   EXPECT_EQ(FALSE, HeapQueryInformation(buffer, class,
								 buffer, size, &length)));
		EXPECT_EQ(55, length);
	}
	SETS_ERROR(ERROR_INVALID_PARAMETER,
		   EXPECT_EQ(FALSE, HeapQueryInformation(heaps[0],
							 PrivheapOpenReserve, buffer, 4, NULL)));
	HeapDestroy(heaps[0]);
	HeapDestroy(heaps[1]);
}

TEST(I_set_arguments)
{
	HANDLE heaps[] = { HeapCreate(0, 0, 0), HeapCreate(0, 0, 64 * KIB) };
	PRIVHEAP_LIMIT_INFORMATION info;
	SIZE_T size = sizeof(info);

	for (int i = 0; i < 2; i++) {
		HANDLE heap = heaps[i];
		ULONGLONG hard = limit_of(heap).cbHard;

#define SETS(error, handle, buffer, bytes)				\
	SETS_ERROR(error, EXPECT_EQ(FALSE, HeapSetInformation(handle,	\
		   PrivheapCommitLimit, buffer, bytes)))
		info = (PRIVHEAP_LIMIT_INFORMATION){
			.cb = size,
			.dwSet = PRIVHEAP_SET_HARD,
			.cbHard = 8 * page(),
		};
		SETS(ERROR_INSUFFICIENT_BUFFER, heap, &info, size - 1);
		SETS(ERROR_INSUFFICIENT_BUFFER, heap, NULL, 0);
		SETS(ERROR_NOACCESS, heap, NULL, size);
		SETS(ERROR_INVALID_HANDLE, NULL, &info, size);
		SETS(ERROR_INVALID_HANDLE, &info, &info, size);
		info.cb = size - 1;
		SETS(ERROR_INVALID_PARAMETER, heap, &info, size);
		info.cb = size + 8;
		SETS(ERROR_INVALID_PARAMETER, heap, &info, size + 8);
		info.cb = size;
		info.dwReserved = 1;
		SETS(ERROR_INVALID_PARAMETER, heap, &info, size);
		info.dwReserved = 0;
		info.dwSet = 16;
		SETS(ERROR_INVALID_PARAMETER, heap, &info, size);
		info.dwSet = PRIVHEAP_SET_HARD;
		info.cbHard = page() + 1;
		SETS(ERROR_INVALID_PARAMETER, heap, &info, size);
		info.dwSet = PRIVHEAP_SET_RESERVE;
		info.cbReserve = 100;
		SETS(ERROR_INVALID_PARAMETER, heap, &info, size);
		EXPECT_EQ(hard, limit_of(heap).cbHard);
		/* nothing to set, and what is only told is not looked at */
		info = limit_of(heap);
		info.cbUsage = 1;
		info.cbCeiling = 1;
		info.cDenials = 1;
		KEEPS_ERROR(EXPECT_EQ(TRUE, HeapSetInformation(heap,
							       PrivheapCommitLimit, &info, size)));
		EXPECT_EQ(hard, limit_of(heap).cbHard);
		HeapDestroy(heap);
	}
}

TEST(I_open_reserve_arguments)
{
	HANDLE heap = HeapCreate(0, 0, 0);
	ULONG resource = 2;

	for (SIZE_T n = 0; n < sizeof(resource); n++)
		SETS_ERROR(ERROR_INSUFFICIENT_BUFFER,
			   EXPECT_EQ(FALSE, HeapSetInformation(heap,
							       PrivheapOpenReserve, &resource, n)));
	SETS_ERROR(ERROR_INVALID_PARAMETER,
		   EXPECT_EQ(FALSE, HeapSetInformation(heap,
						       PrivheapOpenReserve, &resource, 4)));
	SETS_ERROR(ERROR_NOACCESS,
		   EXPECT_EQ(FALSE, HeapSetInformation(heap,
						       PrivheapOpenReserve, NULL, 4)));
	resource = PRIVHEAP_RESOURCE_COMMIT;
	SETS_ERROR(ERROR_INVALID_HANDLE,
		   EXPECT_EQ(FALSE, HeapSetInformation(NULL,
						       PrivheapOpenReserve, &resource, 4)));
	SETS_ERROR(ERROR_INVALID_HANDLE, EXPECT_EQ(FALSE, open_reserve(&heap)));
	SETS_ERROR(ERROR_INVALID_PARAMETER,
		   EXPECT_EQ(FALSE, HeapSetInformation(heap, PrivheapUsage,
						       &resource, 4)));
	HeapDestroy(heap);
}

TEST(I_usage)
{
	HANDLE heap = HeapCreate(0, 0, 0);
	PRIVHEAP_USAGE usage, other;

	ASSERT_NE(NULL, HeapAlloc(heap, 0, 100));
	ASSERT_NE(NULL, HeapAlloc(heap, 0, 3 * MIB));
	EXPECT_EQ(TRUE, HeapQueryInformation(heap, PrivheapUsage, &usage,
					     sizeof(usage), NULL));
	other = usage_of(heap);
	EXPECT_EQ(0, memcmp(&usage, &other, sizeof(usage)));
	EXPECT_EQ(2, usage.cBlocks);
	HeapDestroy(heap);
}

/* As PrivheapQueryHeap(): an error, or after V, the end. */
TEST(I14_usage_of_a_damaged_heap)
{
	HANDLE heap = HeapCreate(0, 0, 0);
	char *p = HeapAlloc(heap, 0, 100), *q = HeapAlloc(heap, 0, 100);
	PRIVHEAP_USAGE usage;
	int status;
	pid_t pid;

	memset(p, 0xee, q - p);
	SETS_ERROR(ERROR_GEN_FAILURE,
		   EXPECT_EQ(FALSE, HeapQueryInformation(heap, PrivheapUsage,
							 &usage, sizeof(usage), NULL)));
	pid = fork();
	ASSERT_GE(pid, 0);
	if (!pid) {
		heap = HeapCreate(0, 0, 0);
		p = HeapAlloc(heap, 0, 100);
		q = HeapAlloc(heap, 0, 100);
		memset(p, 0xee, q - p);
		HeapSetInformation(NULL, HeapEnableTerminationOnCorruption,
				   NULL, 0);
		HeapQueryInformation(heap, PrivheapUsage, &usage, sizeof(usage),
				     NULL);
		_exit(0);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_TRUE(WIFSIGNALED(status));
	EXPECT_EQ(SIGABRT, WTERMSIG(status));
}

/* --------------------------------------------------------- a fixed heap */

TEST(X_fixed_at_first)
{
	HANDLE heap = HeapCreate(0, 2 * page(), 64 * page() - 100);
	PRIVHEAP_LIMIT_INFORMATION info = limit_of(heap);

	EXPECT_EQ(sizeof(info), info.cb);
	EXPECT_EQ(0, info.dwSet);
	EXPECT_EQ(NONE, info.cbSoft);
	EXPECT_EQ(64 * page(), info.cbHard);
	EXPECT_EQ(64 * page(), info.cbCeiling);
	EXPECT_EQ(2 * page(), info.cbUsage);
	EXPECT_EQ(2 * page(), info.cbPeak);
	EXPECT_EQ(0, info.cbReserve);
	EXPECT_EQ(0, info.nFailNth);
	EXPECT_EQ(0, info.cDenials);
	EXPECT_EQ(0, info.dwReserveOpen);
	EXPECT_EQ(0, info.dwReserved);
	HeapDestroy(heap);
}

TEST(X_fixed_ceiling)
{
	HANDLE heap = HeapCreate(0, 0, 64 * page());

	SETS_ERROR(ERROR_ACCESS_DENIED,
		   EXPECT_EQ(FALSE, set_hard(heap, 65 * page())));
	SETS_ERROR(ERROR_ACCESS_DENIED, EXPECT_EQ(FALSE, set_hard(heap, NONE)));
	SETS_ERROR(ERROR_ACCESS_DENIED,
		   EXPECT_EQ(FALSE, set_reserve(heap, page())));
	EXPECT_EQ(64 * page(), limit_of(heap).cbHard);
	KEEPS_ERROR(EXPECT_EQ(TRUE, set_hard(heap, 32 * page())));
	KEEPS_ERROR(EXPECT_EQ(TRUE, set_reserve(heap, 32 * page())));
	SETS_ERROR(ERROR_ACCESS_DENIED,
		   EXPECT_EQ(FALSE, set_hard(heap, 33 * page())));
	EXPECT_EQ(32 * page(), limit_of(heap).cbHard);
	EXPECT_EQ(64 * page(), limit_of(heap).cbCeiling);
	HeapDestroy(heap);
}

TEST(X_fixed_hard)
{
	HANDLE heap = HeapCreate(0, 0, 256 * page());
	struct privheap_limits native;
	char *block, *more;

	KEEPS_ERROR(EXPECT_EQ(TRUE, set_hard(heap, 16 * page())));
	block = HeapAlloc(heap, 0, 12 * page());
	ASSERT_NE(NULL, block);
	memset(block, 1, 12 * page());
	REFUSED(HeapAlloc(heap, 0, 4 * page()));
	EXPECT_LT(0, limit_of(heap).cDenials);
	/* up to the last page */
	more = HeapAlloc(heap, 0, 3 * page());
	EXPECT_NE(NULL, more);
	EXPECT_EQ(16 * page(), limit_of(heap).cbUsage);
	EXPECT_EXACT(heap);
	REFUSED(HeapReAlloc(heap, 0, block, 14 * page()));
	EXPECT_TRUE(all_bytes(block, 1, 12 * page()));

	/* these are its region's */
	ASSERT_EQ(0, privheap_region_get_limits(heap, PRIVHEAP_RESOURCE_COMMIT,
						&native));
	EXPECT_EQ(16 * page(), native.hard);
	EXPECT_EQ(limit_of(heap).cDenials, native.denials);

	/* lower than there is */
	KEEPS_ERROR(EXPECT_EQ(TRUE, set_hard(heap, page())));
	EXPECT_EQ(16 * page(), limit_of(heap).cbUsage);
	EXPECT_TRUE(all_bytes(block, 1, 12 * page()));
	EXPECT_EQ(TRUE, HeapFree(heap, 0, more));
	/* what is committed and free can be had */
	more = HeapAlloc(heap, 0, page());
	EXPECT_NE(NULL, more);
	EXPECT_EQ(TRUE, HeapFree(heap, 0, more));
	HeapCompact(heap, 0);
	REFUSED(HeapAlloc(heap, 0, 2 * page()));
	KEEPS_ERROR(EXPECT_EQ(TRUE, set_hard(heap, 256 * page())));
	EXPECT_NE(NULL, HeapAlloc(heap, 0, 100 * page()));
	EXPECT_EXACT(heap);
	HeapDestroy(heap);
}

TEST(X_fixed_reserve)
{
	HANDLE heap = HeapCreate(0, 0, 256 * page());

	SETS_ERROR(ERROR_NOT_FOUND, EXPECT_EQ(FALSE, open_reserve(heap)));
	KEEPS_ERROR(EXPECT_EQ(TRUE, set_limits(heap, PRIVHEAP_SET_HARD |
					       PRIVHEAP_SET_RESERVE, 0,
					       16 * page(), 8 * page(), 0)));
	SETS_ERROR(ERROR_NOT_READY, EXPECT_EQ(FALSE, open_reserve(heap)));
	REFUSED(HeapAlloc(heap, 0, 20 * page()));
	KEEPS_ERROR(EXPECT_EQ(TRUE, open_reserve(heap)));
	EXPECT_EQ(1, limit_of(heap).dwReserveOpen);
	EXPECT_NE(NULL, HeapAlloc(heap, 0, 20 * page()));
	REFUSED(HeapAlloc(heap, 0, 8 * page()));
	SETS_ERROR(ERROR_ALREADY_EXISTS, EXPECT_EQ(FALSE, open_reserve(heap)));
	HeapDestroy(heap);
}

TEST(X_fixed_soft)
{
	HANDLE heap = HeapCreate(0, 0, 256 * page());

	KEEPS_ERROR(EXPECT_EQ(TRUE, set_limits(heap, PRIVHEAP_SET_SOFT,
					       8 * page(), 0, 0, 0)));
	EXPECT_EQ(8 * page(), limit_of(heap).cbSoft);
	EXPECT_NE(NULL, HeapAlloc(heap, 0, 20 * page()));
	HeapDestroy(heap);
}

/* One call fails, and no other, though the heap tries more than once. */
TEST(X_fixed_fail_nth)
{
	HANDLE heap = HeapCreate(0, 0, 256 * page());
	struct privheap_limits native;
	ULONGLONG denials;

	KEEPS_ERROR(EXPECT_EQ(TRUE, set_nth(heap, 2)));
	EXPECT_EQ(2, limit_of(heap).nFailNth);
	EXPECT_NE(NULL, HeapAlloc(heap, 0, 20 * page()));
	EXPECT_EQ(1, limit_of(heap).nFailNth);
	REFUSED(HeapAlloc(heap, 0, 20 * page()));
	EXPECT_EQ(0, limit_of(heap).nFailNth);
	EXPECT_NE(NULL, HeapAlloc(heap, 0, 20 * page()));
	denials = limit_of(heap).cDenials;
	EXPECT_EQ(1, denials);
	/* the region knows nothing of it */
	ASSERT_EQ(0, privheap_region_get_limits(heap, PRIVHEAP_RESOURCE_COMMIT,
						&native));
	EXPECT_EQ(0, native.denials);
	EXPECT_EQ(0, native.fail_nth);
	/* with others at once, and taken back */
	KEEPS_ERROR(EXPECT_EQ(TRUE, set_limits(heap, PRIVHEAP_SET_HARD |
					       PRIVHEAP_SET_FAIL_NTH, 0,
					       200 * page(), 0, 1)));
	EXPECT_EQ(1, limit_of(heap).nFailNth);
	EXPECT_EQ(200 * page(), limit_of(heap).cbHard);
	KEEPS_ERROR(EXPECT_EQ(TRUE, set_nth(heap, 0)));
	EXPECT_NE(NULL, HeapAlloc(heap, 0, 60 * page()));
	EXPECT_EXACT(heap);
	HeapDestroy(heap);
}

/* The kernel cannot be asked: an error, and the heap is not taken for damaged. */
TEST(X_device_out_of_reach)
{
	HANDLE heap = HeapCreate(0, 0, 64 * page()), grows = HeapCreate(0, 0, 0);
	struct rlimit none = { 0, 0 };
	PRIVHEAP_LIMIT_INFORMATION info;

	HeapSetInformation(NULL, HeapEnableTerminationOnCorruption, NULL, 0);
	if (!is_anonymous())	/* valgrind needs descriptors of its own */
		ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &none));
	for (int fd = STDERR_FILENO + 1; fd < 1024; fd++)
		close(fd);
	if (is_anonymous()) {
		EXPECT_EQ(TRUE, set_hard(heap, page()));
	} else {
		SETS_ERROR(ERROR_GEN_FAILURE,
			   EXPECT_EQ(FALSE, HeapQueryInformation(heap,
								 PrivheapCommitLimit, &info,
								 sizeof(info), NULL)));
		SETS_ERROR(ERROR_GEN_FAILURE,
			   EXPECT_EQ(FALSE, set_hard(heap, page())));
	}
	/* What the library keeps itself is known all the same. */
	KEEPS_ERROR(EXPECT_EQ(TRUE, set_hard(grows, 4 * page())));
	EXPECT_EQ(4 * page(), limit_of(grows).cbHard);
}

/* ------------------------------------------------------ what is resident */

TEST(X_resident)
{
	HANDLE heaps[] = { HeapCreate(0, 0, 0), HeapCreate(0, 0, 256 * page()) };
	PRIVHEAP_LIMIT_INFORMATION info = {
		.cb = sizeof(info),
		.dwSet = PRIVHEAP_SET_HARD,
		.cbHard = 8 * page(),
	};
	char *block;

	for (int i = 0; i < (is_anonymous() ? 2 : 1); i++) {
		SETS_ERROR(ERROR_NOT_SUPPORTED,
			   EXPECT_EQ(FALSE, HeapSetInformation(heaps[i],
							       PrivheapResidentLimit, &info,
							       sizeof(info))));
		SETS_ERROR(ERROR_NOT_SUPPORTED,
			   EXPECT_EQ(FALSE, HeapQueryInformation(heaps[i],
								 PrivheapResidentLimit, &info,
								 sizeof(info), NULL)));
		EXPECT_EQ(8 * page(), info.cbHard);
	}
	if (!is_anonymous()) {
		KEEPS_ERROR(EXPECT_EQ(TRUE, HeapSetInformation(heaps[1],
							       PrivheapResidentLimit, &info,
							       sizeof(info))));
		/* a commit is none of its business, a touch is */
		block = HeapAlloc(heaps[1], 0, 20 * page());
		ASSERT_NE(NULL, block);
		EXPECT_EQ(0, write_at(block + page()));
		EXPECT_EQ(SIGBUS, SIGNAL_OF(memset(block, 1, 20 * page())));
		KEEPS_ERROR(EXPECT_EQ(TRUE, HeapQueryInformation(heaps[1],
								 PrivheapResidentLimit, &info,
								 sizeof(info), NULL)));
		EXPECT_EQ(8 * page(), info.cbHard);
		EXPECT_EQ(8 * page(), info.cbUsage);
		EXPECT_EQ(NONE, info.cbCeiling);
		EXPECT_LT(0, info.cDenials);
	}
	HeapDestroy(heaps[0]);
	HeapDestroy(heaps[1]);
}

TEST_HARNESS_MAIN
