// SPDX-License-Identifier: GPL-2.0-only
/* What heaps promise on Linux besides: see heap_selftest.h. */
#include <pthread.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "heap_selftest.h"

TEST(X1_untouched_blocks_take_no_pages)
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

TEST(X2_growth_regions_go_back)
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

TEST(X3_fork_child_has_no_heaps)
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
		EXPECT_EQ(SIGSEGV, read_at(p));
		EXPECT_EQ(SIGSEGV, read_at(q));
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

TEST(X4_all_descriptors_closed)
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

TEST(X5_threads)
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
	/* and nothing is kept back for threads that are no more */
	HeapCompact(shared_heap, 0);
	EXPECT_EQ(1, usage_of(shared_heap).dwRegions);
	HeapDestroy(shared_heap);
}

TEST(X6_random_use_matches_a_model)
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

TEST(X8_no_memory_at_growth)
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

TEST(X7_usage_arguments)
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
