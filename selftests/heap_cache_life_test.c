// SPDX-License-Identifier: GPL-2.0-only
/*
 * The threads' caches of blocks across fork, the end of a heap, and calls on blocks
 * that they hold.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "heap_cache_selftest.h"

/* A fork in so many rounds: where these are slow, forks are slower still. */
#define FORK_ROUNDS	6000

/* ------------------------------------------------------------------ fork */

static int child_sees_nothing(HANDLE heap, void *block)
{
	SetLastError(0);
	if (HeapAlloc(heap, 0, 100) || GetLastError() != ERROR_INVALID_HANDLE)
		return 1;
	SetLastError(0);
	if (HeapAlloc(heap, 0, 5000) || GetLastError() != ERROR_INVALID_HANDLE)
		return 2;
	SetLastError(0);
	if (HeapFree(heap, 0, block) || GetLastError() != ERROR_INVALID_HANDLE)
		return 3;
	if (HeapSize(heap, 0, block) != (SIZE_T)-1)
		return 4;
	if (HeapAlloc(NULL, 0, 100) || HeapFree(NULL, 0, block))
		return 5;
	/* and has what it makes itself */
	heap = HeapCreate(0, 0, 0);
	for (int i = 0; i < 1000; i++) {
		block = HeapAlloc(heap, HEAP_ZERO_MEMORY, i);
		if (!block || HeapSize(heap, 0, block) != (SIZE_T)i)
			return 6;
		if (i % 3 && !HeapFree(heap, 0, block))
			return 7;
	}
	return HeapDestroy(heap) ? 0 : 8;
}

/* The cache is hot when the process forks, by the C library or without it. */
TEST_F(cache, fork_child)
{
	void *block = NULL;
	int status;
	pid_t pid;

	for (int i = 0; i < 100; i++) {
		HeapFree(shared, 0, block);
		block = HeapAlloc(shared, 0, 100);
	}
	pid = fork();
	if (!pid)
		_exit(child_sees_nothing(shared, block));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);

	pid = syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
	if (!pid)
		_exit(child_sees_nothing(shared, block));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(TRUE, HeapFree(shared, 0, block));
}

/* Another thread is in the middle of its calls. */
TEST_F_TIMEOUT(cache, fork_amid_calls, PATIENCE)
{
	pthread_t threads[2];
	int status;
	pid_t pid;

	for (int i = 0; i < 2; i++) {
		ASSERT_EQ(0, pthread_create(&threads[i], NULL,
					    exerciser_until_stop,
					    (void *)(uintptr_t)(i + 1)));
	}
	for (unsigned int i = 0; i <= rounds() / FORK_ROUNDS; i++) {
		pid = fork();
		if (!pid)
			_exit(child_sees_nothing(shared, shared));
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		ASSERT_EQ(0, status);
	}
	atomic_store(&stop, 1);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	EXPECT_EQ(0, blocks_of(shared));
}

/* --------------------------------------------------------------- handles */

/* A heap that another thread destroyed is no heap here, cache or not. */
static void *destroyer(void *arg)
{
	return (void *)(uintptr_t)HeapDestroy(arg);
}

TEST_F(cache, destroyed_by_another_thread)
{
	HANDLE heap = HeapCreate(0, 0, 0);
	pthread_t thread;
	void *result;

	for (int i = 0; i < 100; i++)
		HeapFree(heap, 0, HeapAlloc(heap, 0, 100));
	ASSERT_EQ(0, pthread_create(&thread, NULL, destroyer, heap));
	pthread_join(thread, &result);
	EXPECT_NE(NULL, result);
	SetLastError(0);
	EXPECT_EQ(NULL, HeapAlloc(heap, 0, 100));
	EXPECT_EQ(ERROR_INVALID_HANDLE, GetLastError());
}

/* Two heaps in turn, each with its own cache, and neither has the other's. */
TEST_F(cache, heaps_in_turn)
{
	HANDLE heap = HeapCreate(0, 0, 0);

	for (int i = 0; i < 1000; i++) {
		void *one = HeapAlloc(shared, 0, 100);
		void *two = HeapAlloc(heap, 0, 100);

		ASSERT_EQ(FALSE, HeapFree(heap, 0, one));
		ASSERT_EQ(FALSE, HeapFree(shared, 0, two));
		ASSERT_EQ((SIZE_T)-1, HeapSize(heap, 0, one));
		ASSERT_EQ(TRUE, HeapFree(heap, 0, two));
		ASSERT_EQ(FALSE, HeapFree(heap, 0, two));
		ASSERT_EQ(TRUE, HeapFree(shared, 0, one));
	}
	EXPECT_EQ(TRUE, HeapDestroy(heap));
}

/* Every address of a slab but those where live blocks begin is refused. */
TEST_F(cache, interior_pointers)
{
	static const SIZE_T sizes[] = { 1, 32, 100, 1000, 5000, 60000 };
	char *block[20];

	for (unsigned int s = 0; s < ARRAY_SIZE(sizes); s++) {
		for (int i = 0; i < 40; i++)
			block[i % 20] = HeapAlloc(shared, 0, sizes[s]);
		for (SIZE_T at = 1; at < sizes[s]; at += at < 64 ? 1 : 16) {
			ASSERT_EQ(FALSE, HeapFree(shared, 0, block[3] + at));
			ASSERT_EQ((SIZE_T)-1,
				  HeapSize(shared, 0, block[3] + at));
			ASSERT_EQ(FALSE,
				  HeapValidate(shared, 0, block[3] + at));
		}
		for (int i = 0; i < 20; i++) {
			ASSERT_EQ(TRUE, HeapFree(shared, 0, block[i]));
			ASSERT_EQ(FALSE, HeapFree(shared, 0, block[i]));
			ASSERT_EQ(NULL, HeapReAlloc(shared, 0, block[i], 10));
			ASSERT_EQ(FALSE, HeapValidate(shared, 0, block[i]));
		}
	}
}

/* In place, by steps of one byte, and the bytes that come are zero. */
TEST_F(cache, resized_in_place)
{
	unsigned char *block = NULL, *same;
	SIZE_T size;

	for (int i = 0; i < 100; i++)
		block = HeapAlloc(shared, 0, 1000);
	for (size = 999; size != (SIZE_T)-1; size--) {
		same = HeapReAlloc(shared, HEAP_REALLOC_IN_PLACE_ONLY, block,
				   size);
		ASSERT_EQ(block, same);
		ASSERT_EQ(size, HeapSize(shared, 0, block));
	}
	memset(block, 0xff, 1000);
	ASSERT_EQ(block, HeapReAlloc(shared, HEAP_REALLOC_IN_PLACE_ONLY, block,
				     10));
	ASSERT_EQ(block, HeapReAlloc(shared, HEAP_REALLOC_IN_PLACE_ONLY |
				     HEAP_ZERO_MEMORY, block, 1000));
	for (size = 0; size < 1000; size++)
		ASSERT_EQ(size < 10 ? 0xff : 0, block[size]);
}

TEST_HARNESS_MAIN
