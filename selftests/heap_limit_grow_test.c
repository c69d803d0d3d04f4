// SPDX-License-Identifier: GPL-2.0-only
/*
 * A limit on what a heap that grows commits, over all of its regions and large
 * blocks: exact to the page, whatever is going on. X as in heap_selftest.h.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "heap_limit_selftest.h"

/* In front of a large block. */
#define LARGE_HEADER	(sizeof(void *) == 8 ? 64 : 32)

/* Bytes of a block that has a region of its own, of so many pages. */
#define LARGE(pages)	((pages) * page() - LARGE_HEADER)

#define COMMIT		PRIVHEAP_RESOURCE_COMMIT

/* Takes blocks of this size until no more is to be had, in a list. */
static SIZE_T fill(HANDLE heap, SIZE_T size, void **list)
{
	SIZE_T count = 0;
	void **block;

	while ((block = HeapAlloc(heap, 0, size))) {
		*block = *list;
		*list = block;
		count++;
	}
	return count;
}

static void free_list(HANDLE heap, void *list)
{
	void *next;

	for (; list; list = next) {
		next = *(void **)list;
		HeapFree(heap, 0, list);
	}
}

TEST(X_at_first)
{
	HANDLE heap = HeapCreate(0, 3 * page(), 0);
	PRIVHEAP_LIMIT_INFORMATION info = limit_of(heap);

	EXPECT_EQ(NONE, info.cbSoft);
	EXPECT_EQ(NONE, info.cbHard);
	EXPECT_EQ(NONE, info.cbCeiling);
	EXPECT_EQ(3 * page(), info.cbUsage);
	EXPECT_EQ(3 * page(), info.cbPeak);
	EXPECT_EQ(0, info.cbReserve);
	EXPECT_EQ(0, info.nFailNth);
	EXPECT_EQ(0, info.cDenials);
	/* who should be told of it? */
	SETS_ERROR(ERROR_NOT_SUPPORTED,
		   EXPECT_EQ(FALSE, set_limits(heap, PRIVHEAP_SET_SOFT |
					       PRIVHEAP_SET_HARD, page(),
					       page(), 0, 0)));
	EXPECT_EQ(NONE, limit_of(heap).cbHard);
	HeapDestroy(heap);
}

TEST(X_large_at_below_above)
{
	HANDLE heap = HeapCreate(0, 0, 0);
	const SIZE_T pages = 700;
	void *block;

	for (int more = -1; more <= 1; more++) {
		ULONGLONG before = limit_of(heap).cbUsage;

		KEEPS_ERROR(EXPECT_EQ(TRUE, set_hard(heap, before +
				      (pages + more) * page())));
		if (more < 0) {
			REFUSED(HeapAlloc(heap, 0, LARGE(pages)));
			EXPECT_EQ(before, limit_of(heap).cbUsage);
			continue;
		}
		block = HeapAlloc(heap, 0, LARGE(pages));
		ASSERT_NE(NULL, block);
		EXPECT_EQ(before + pages * page(), limit_of(heap).cbUsage);
		EXPECT_EXACT(heap);
		EXPECT_EQ(TRUE, HeapFree(heap, 0, block));
		EXPECT_EQ(before, limit_of(heap).cbUsage);
		/* a byte more is a page more, and fits if there is one */
		block = HeapAlloc(heap, 0, LARGE(pages) + 1);
		EXPECT_EQ(more > 0, !!block);
		EXPECT_EQ(TRUE, HeapFree(heap, 0, block));
	}
	EXPECT_EQ((700 + 1 + 1) * page(), limit_of(heap).cbPeak);
	HeapDestroy(heap);
}

TEST(X_blocks_up_to_the_last_page)
{
	static const SIZE_T sizes[] = { 24, 300, 5000, 70000, 500000 };

	for (unsigned int i = 0; i < ARRAY_SIZE(sizes); i++) {
		HANDLE heap = HeapCreate(0, 0, 0);
		/* more than a region, and not a multiple of anything */
		ULONGLONG hard = 2503 * page(), denials;
		void *list = NULL;
		SIZE_T count;

		KEEPS_ERROR(EXPECT_EQ(TRUE, set_hard(heap, hard)));
		count = fill(heap, sizes[i], &list);
		EXPECT_EQ(1, PrivheapGetDeniedLevel());
		EXPECT_GE(hard, limit_of(heap).cbUsage);
		/* what is left is no use to such a block */
		EXPECT_LT(hard - limit_of(heap).cbUsage, sizes[i] + page());
		EXPECT_GE(hard, limit_of(heap).cbPeak);
		EXPECT_EXACT(heap);
		denials = limit_of(heap).cDenials;
		EXPECT_LT(0, denials);
		/* one page more is used as well */
		KEEPS_ERROR(EXPECT_EQ(TRUE, set_hard(heap, hard + 200 * page())));
		EXPECT_LT(0, fill(heap, sizes[i], &list));
		EXPECT_GE(hard + 200 * page(), limit_of(heap).cbUsage);
		EXPECT_LT(denials, limit_of(heap).cDenials);
		free_list(heap, list);
		/* and as often as one likes */
		list = NULL;
		KEEPS_ERROR(EXPECT_EQ(TRUE, set_hard(heap, hard)));
		EXPECT_GE(fill(heap, sizes[i], &list), count * 9 / 10);
		free_list(heap, list);
		HeapCompact(heap, 0);
		EXPECT_GE(4 * page(), limit_of(heap).cbUsage);
		EXPECT_EXACT(heap);
		EXPECT_EQ(TRUE, HeapValidate(heap, 0, NULL));
		HeapDestroy(heap);
	}
}

/* Pages that were given back from among blocks are charged when they return. */
TEST(X_holes)
{
	HANDLE heap = HeapCreate(HEAP_NO_SERIALIZE, 0, 0);
	SIZE_T size = 40 * page();
	ULONGLONG usage;
	char *p[9], *q;

	for (int i = 0; i < 9; i++) {
		p[i] = HeapAlloc(heap, 0, size);
		ASSERT_NE(NULL, p[i]);
	}
	for (int i = 1; i < 9; i += 2)
		HeapFree(heap, 0, p[i]);
	HeapCompact(heap, 0);
	usage = limit_of(heap).cbUsage;
	EXPECT_EXACT(heap);
	q = HeapAlloc(heap, 0, size);
	ASSERT_NE(NULL, q);
	EXPECT_EXACT(heap);
	/* what it took, exactly: one page less is refused */
	usage = limit_of(heap).cbUsage - usage;
	EXPECT_LE(38 * page(), usage);
	HeapFree(heap, 0, q);
	HeapCompact(heap, 0);
	KEEPS_ERROR(EXPECT_EQ(TRUE, set_hard(heap, limit_of(heap).cbUsage +
					     usage - page())));
	REFUSED(HeapAlloc(heap, 0, size));
	EXPECT_EXACT(heap);
	KEEPS_ERROR(EXPECT_EQ(TRUE, set_hard(heap, limit_of(heap).cbHard +
					     page())));
	EXPECT_NE(NULL, HeapAlloc(heap, 0, size));
	EXPECT_EQ(limit_of(heap).cbHard, limit_of(heap).cbUsage);
	EXPECT_EXACT(heap);
	HeapDestroy(heap);
}

TEST(X_lowered_and_raised)
{
	HANDLE heap = HeapCreate(0, 0, 0), other = HeapCreate(0, 0, 0);
	char *large = HeapAlloc(heap, 0, LARGE(600)), *small;
	ULONGLONG usage = limit_of(heap).cbUsage;

	ASSERT_NE(NULL, large);
	memset(large, 1, LARGE(600));
	KEEPS_ERROR(EXPECT_EQ(TRUE, set_hard(heap, 0)));
	EXPECT_EQ(usage, limit_of(heap).cbUsage);
	EXPECT_TRUE(all_bytes(large, 1, LARGE(600)));
	/* of the page that the heap has */
	small = HeapAlloc(heap, 0, 100);
	EXPECT_NE(NULL, small);
	REFUSED(HeapAlloc(heap, 0, page()));
	REFUSED(HeapAlloc(heap, 0, LARGE(600)));
	REFUSED(HeapReAlloc(heap, 0, large, LARGE(601)));
	EXPECT_EQ(large, HeapReAlloc(heap, 0, large, LARGE(550)));
	EXPECT_EQ(usage - 50 * page(), limit_of(heap).cbUsage);
	EXPECT_TRUE(all_bytes(large, 1, LARGE(550)));
	/* nobody else is concerned */
	EXPECT_NE(NULL, HeapAlloc(other, 0, 10 * MIB));
	EXPECT_EQ(0, limit_of(other).cDenials);
	EXPECT_EQ(NONE, limit_of(other).cbHard);
	KEEPS_ERROR(EXPECT_EQ(TRUE, set_hard(heap, NONE)));
	EXPECT_NE(NULL, HeapAlloc(heap, 0, LARGE(600)));
	EXPECT_EXACT(heap);
	HeapDestroy(heap);
	HeapDestroy(other);
}

/* In place, in room that it has for that, and by moving. */
TEST(X_realloc)
{
	static const SIZE_T sizes[] = { 100, 3000, 40000, 300000, 1500000 };
	HANDLE heap;
	char *p, *q;

	for (unsigned int i = 0; i < ARRAY_SIZE(sizes); i++) {
		SIZE_T size = sizes[i], last;

		heap = HeapCreate(0, 0, 0);
		KEEPS_ERROR(EXPECT_EQ(TRUE, set_hard(heap, 1500 * page())));
		p = HeapAlloc(heap, HEAP_ZERO_MEMORY, size);
		ASSERT_NE(NULL, p);
		/* something behind it */
		ASSERT_NE(NULL, HeapAlloc(heap, 0, 100));
		for (last = size;; last = size) {
			size += size / 3;
			q = HeapReAlloc(heap, HEAP_ZERO_MEMORY, p, size);
			if (!q)
				break;
			p = q;
			ASSERT_GE(1500 * page(), limit_of(heap).cbUsage);
		}
		EXPECT_EQ(ERROR_NOT_ENOUGH_MEMORY, GetLastError());
		EXPECT_EQ(1, PrivheapGetDeniedLevel());
		EXPECT_LT(600 * page(), last);
		EXPECT_EQ(last, HeapSize(heap, 0, p));
		EXPECT_TRUE(all_bytes(p, 0, last));
		EXPECT_GE(1500 * page(), limit_of(heap).cbPeak);
		EXPECT_EXACT(heap);
		p = HeapReAlloc(heap, 0, p, 50000);
		ASSERT_NE(NULL, p);
		EXPECT_GE(1500 * page(), limit_of(heap).cbPeak);
		HeapCompact(heap, 0);
		EXPECT_GE(100 * page(), limit_of(heap).cbUsage);
		EXPECT_EXACT(heap);
		EXPECT_EQ(TRUE, HeapDestroy(heap));
	}
}

TEST(X_reserve)
{
	HANDLE heap = HeapCreate(0, 0, 0);

	SETS_ERROR(ERROR_NOT_FOUND, EXPECT_EQ(FALSE, open_reserve(heap)));
	EXPECT_EQ(TRUE, set_limits(heap, PRIVHEAP_SET_HARD |
				   PRIVHEAP_SET_RESERVE, 0, 500 * page(),
				   400 * page(), 0));
	SETS_ERROR(ERROR_NOT_READY, EXPECT_EQ(FALSE, open_reserve(heap)));
	REFUSED(HeapAlloc(heap, 0, LARGE(600)));
	KEEPS_ERROR(EXPECT_EQ(TRUE, open_reserve(heap)));
	EXPECT_EQ(1, limit_of(heap).dwReserveOpen);
	EXPECT_EQ(500 * page(), limit_of(heap).cbHard);
	EXPECT_NE(NULL, HeapAlloc(heap, 0, LARGE(600)));
	REFUSED(HeapAlloc(heap, 0, LARGE(600)));
	SETS_ERROR(ERROR_ALREADY_EXISTS, EXPECT_EQ(FALSE, open_reserve(heap)));
	/* closed when it is set anew */
	EXPECT_EQ(TRUE, set_reserve(heap, 600 * page()));
	EXPECT_EQ(0, limit_of(heap).dwReserveOpen);
	REFUSED(HeapAlloc(heap, 0, LARGE(300)));
	EXPECT_EQ(TRUE, open_reserve(heap));
	EXPECT_NE(NULL, HeapAlloc(heap, 0, LARGE(300)));
	HeapDestroy(heap);
}

TEST(X_exceptions)
{
	HANDLE heap = HeapCreate(HEAP_GENERATE_EXCEPTIONS, 0, 0);

	PrivheapSetExceptionHandler(on_exception);
	EXPECT_EQ(TRUE, set_hard(heap, 2 * page()));
	RAISES(STATUS_NO_MEMORY, HeapAlloc(heap, 0, 3 * page()));
	EXPECT_EQ(heap, raised_heap);
	HeapDestroy(heap);
}

/* Steps of a program that wants memory in every way there is. */
static int program(HANDLE heap)
{
	int failed = 0;
	char *p[6] = { NULL }, *q;

#define STEP(at, call) do {		\
	q = call;			\
	if (q)				\
		at = q;			\
	else				\
		failed++;		\
} while (0)
	STEP(p[0], HeapAlloc(heap, 0, 3 * page()));
	STEP(p[1], HeapAlloc(heap, 0, LARGE(500)));
	for (int i = 0; i < 40; i++)
		STEP(p[2], HeapAlloc(heap, 0, 2000));
	STEP(p[3], HeapAlloc(heap, 0, 40000));
	STEP(p[4], HeapAlloc(heap, 0, 100));
	if (p[3])
		STEP(p[3], HeapReAlloc(heap, 0, p[3], 200000));
	if (p[3])
		STEP(p[3], HeapReAlloc(heap, 0, p[3], 3000000));
	if (p[1])
		STEP(p[1], HeapReAlloc(heap, 0, p[1], LARGE(900)));
	if (p[0])
		STEP(p[0], HeapReAlloc(heap, 0, p[0], 500000));
	for (int i = 0; i < 12; i++)
		STEP(p[5], HeapAlloc(heap, 0, 400000 + i * 50000));
	return failed;
}

TEST(X_every_commit_fails_once)
{
	ULONGLONG left = 0;
	HANDLE heap;
	int n;

	for (n = 1; n < 200; n++) {
		heap = HeapCreate(0, 0, 0);
		EXPECT_EQ(TRUE, set_nth(heap, n));
		/* that there are others changes nothing */
		EXPECT_EQ(TRUE, set_hard(heap, 100 * MIB));
		EXPECT_EQ(n, limit_of(heap).nFailNth);
		if (program(heap) != 1)
			break;
		EXPECT_EQ(0, limit_of(heap).nFailNth);
		EXPECT_EQ(1, limit_of(heap).cDenials);
		EXPECT_EXACT(heap);
		EXPECT_EQ(TRUE, HeapValidate(heap, 0, NULL));
		EXPECT_EQ(TRUE, HeapDestroy(heap));
	}
	/* the first that no commit is left for: and none has failed */
	left = limit_of(heap).nFailNth;
	EXPECT_LT(0, left);
	EXPECT_EQ(0, limit_of(heap).cDenials);
	EXPECT_LT(10, n);
	EXPECT_LT(n, 200);
	EXPECT_EQ(TRUE, HeapDestroy(heap));
}

TEST(X_region_cache)
{
	struct privheap_limits limits = {
		.soft = page(), .hard = 2 * page(), .fail_nth = 100,
	};
	struct privheap_region_info first, info;
	HANDLE heap;

	PrivheapSetRegionCache(1);
	heap = HeapCreate(0, 0, 0);
	ASSERT_EQ(0, privheap_region_query(heap, &first));
	EXPECT_EQ(TRUE, set_limits(heap, PRIVHEAP_SET_HARD |
				   PRIVHEAP_SET_RESERVE |
				   PRIVHEAP_SET_FAIL_NTH, 0, 4 * page(), page(),
				   100));
	REFUSED(HeapAlloc(heap, 0, 5 * page()));
	EXPECT_NE(NULL, HeapAlloc(heap, 0, 2 * page()));
	/* and what the program has done to its first region itself */
	ASSERT_EQ(0, privheap_region_set_limits(heap, COMMIT,
						PRIVHEAP_SET_SOFT |
						PRIVHEAP_SET_HARD |
						PRIVHEAP_SET_FAIL_NTH,
						&limits));
	EXPECT_EQ(TRUE, HeapDestroy(heap));

	heap = HeapCreate(0, 0, 0);
	ASSERT_EQ(0, privheap_region_query(heap, &info));
	EXPECT_EQ(first.id, info.id);
	EXPECT_EQ(NONE, limit_of(heap).cbHard);
	EXPECT_EQ(0, limit_of(heap).cbReserve);
	EXPECT_EQ(0, limit_of(heap).nFailNth);
	EXPECT_EQ(0, limit_of(heap).cDenials);
	EXPECT_EQ(page(), limit_of(heap).cbUsage);
	EXPECT_EQ(page(), limit_of(heap).cbPeak);
	ASSERT_EQ(0, privheap_region_get_limits(heap, COMMIT, &limits));
	EXPECT_EQ(NONE, limits.soft);
	EXPECT_EQ(limits.ceiling, limits.hard);
	EXPECT_LT(100 * page(), limits.hard);
	EXPECT_EQ(0, limits.fail_nth);
	EXPECT_NE(NULL, HeapAlloc(heap, 0, 50 * page()));
	EXPECT_EXACT(heap);
	EXPECT_EQ(TRUE, HeapDestroy(heap));
	PrivheapSetRegionCache(0);
}

TEST(X_fork)
{
	HANDLE heap = HeapCreate(0, 0, 0);
	PRIVHEAP_LIMIT_INFORMATION info;
	int status;
	pid_t pid;

	EXPECT_EQ(TRUE, set_hard(heap, 10 * page()));
	pid = fork();
	ASSERT_GE(pid, 0);
	if (!pid) {
		SETS_ERROR(ERROR_INVALID_HANDLE,
			   EXPECT_EQ(FALSE, HeapQueryInformation(heap,
								 PrivheapCommitLimit, &info,
								 sizeof(info), NULL)));
		SETS_ERROR(ERROR_INVALID_HANDLE,
			   EXPECT_EQ(FALSE, set_hard(heap, page())));
		heap = HeapCreate(0, 0, 0);
		EXPECT_EQ(NONE, limit_of(heap).cbHard);
		EXPECT_NE(NULL, HeapAlloc(heap, 0, LARGE(600)));
		EXPECT_EXACT(heap);
		_exit(__test_passed(_metadata) ? 0 : 1);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(10 * page(), limit_of(heap).cbHard);
	HeapDestroy(heap);
}

TEST_HARNESS_MAIN
