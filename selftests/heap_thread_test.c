// SPDX-License-Identifier: GPL-2.0-only
/*
 * What becomes of a heap when a thread that uses it ends, or the process forks:
 * see heap_selftest.h.
 */
#include <sys/wait.h>

#include "heap_attempt.h"

/* ------------------------------------------------------ threads that end */

static HANDLE left;

static void leave_locked(void)
{
	for (int i = 0; i < 3; i++)
		HeapLock(left);
}

static void *end_by_return(void *arg)
{
	leave_locked();
	return arg;
}

static void *end_by_exit(void *arg)
{
	leave_locked();
	pthread_exit(arg);
}

static void *end_by_cancel(void *arg)
{
	leave_locked();
	pthread_cancel(pthread_self());
	pthread_testcancel();
	return arg;
}

static void *end_by_asynchronous_cancel(void *arg)
{
	leave_locked();
	pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
	pthread_cancel(pthread_self());
	for (;;)
		;
	return arg;
}

TEST(X9_the_holder_ends)
{
	static void *(*const ends[])(void *) = {
		end_by_return, end_by_exit, end_by_cancel,
		end_by_asynchronous_cancel,
	};

	left = HeapCreate(0, 0, 0);
	for (unsigned int i = 0; i < ARRAY_SIZE(ends); i++) {
		pthread_t thread;

		ASSERT_EQ(0, pthread_create(&thread, NULL, ends[i], NULL));
		pthread_join(thread, NULL);
		/* nothing hangs, and it counts from one */
		SETS_ERROR(ERROR_NOT_OWNER, EXPECT_EQ(FALSE, HeapUnlock(left)));
		EXPECT_NE(NULL, HeapAlloc(left, 0, 10));

		ASSERT_EQ(0, pthread_create(&thread, NULL, ends[i], NULL));
		pthread_join(thread, NULL);
		EXPECT_EQ(TRUE, HeapLock(left));
		EXPECT_EQ(TRUE, HeapUnlock(left));
		SETS_ERROR(ERROR_NOT_OWNER, EXPECT_EQ(FALSE, HeapUnlock(left)));
		EXPECT_EQ(TRUE, HeapValidate(left, 0, NULL));
	}
	EXPECT_EQ(TRUE, HeapDestroy(left));
}

/* What is known of slots is set right, too. */
TEST(X9_the_holder_of_a_heap_with_slots_ends)
{
	static char *blocks[2000];
	const int count = ARRAY_SIZE(blocks);
	pthread_t thread;

	left = HeapCreate(0, 0, 0);
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < count; i++) {
			blocks[i] = HeapAlloc(left, 0, 50 + i % 400);
			ASSERT_NE(NULL, blocks[i]);
			memset(blocks[i], i, 50 + i % 400);
		}
		/* some slabs are full, some are not, and some are gone */
		for (int i = 0; i < count; i++)
			if (i % 7 && i % 400 > 30)
				HeapFree(left, 0, blocks[i]);
		HeapCompact(left, 0);
		ASSERT_EQ(0, pthread_create(&thread, NULL, end_by_exit, NULL));
		pthread_join(thread, NULL);
		EXPECT_EQ(TRUE, HeapValidate(left, 0, NULL));
		for (int i = 0; i < count; i++) {
			if (i % 7 && i % 400 > 30)
				continue;
			ASSERT_EQ(50 + i % 400, HeapSize(left, 0, blocks[i]));
			ASSERT_TRUE(all_bytes(blocks[i], i, 50 + i % 400));
			ASSERT_EQ(TRUE, HeapFree(left, 0, blocks[i]));
		}
		EXPECT_EQ(0, usage_of(left).cBlocks);
	}
	EXPECT_EQ(TRUE, HeapDestroy(left));
}

TEST(X9_destroyed_after_the_holder_ended)
{
	pthread_t thread;

	left = HeapCreate(0, 0, 0);
	ASSERT_EQ(0, pthread_create(&thread, NULL, end_by_return, NULL));
	pthread_join(thread, NULL);
	EXPECT_EQ(TRUE, HeapDestroy(left));
}

TEST(X9_the_holder_ends_while_others_wait)
{
	struct attempt tries_now[3];
	pthread_t thread;

	left = HeapCreate(0, 0, 0);
	HeapLock(left);
	for (int i = 0; i < 3; i++) {
		tries_now[i] = (struct attempt){
			.heap = left, .call = try_alloc,
		};
		attempt_start(&tries_now[i]);
	}
	/* waits as well, gets it at some time, and keeps it */
	ASSERT_EQ(0, pthread_create(&thread, NULL, end_by_exit, NULL));
	a_moment();
	HeapUnlock(left);
	pthread_join(thread, NULL);
	for (int i = 0; i < 3; i++) {
		attempt_join(&tries_now[i]);
		EXPECT_TRUE(tries_now[i].result);
	}
	EXPECT_EQ(3, usage_of(left).cBlocks);
	HeapDestroy(left);
}

static bool alloc_and_end(struct attempt *try)
{
	if (try->flags)
		pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
	HeapAlloc(try->heap, 0, 64);
	pthread_testcancel();
	return true;
}

TEST(X10_cancelled_while_waiting)
{
	for (int asynchronous = 0; asynchronous < 2; asynchronous++) {
		struct attempt try = {
			.heap = HeapCreate(0, 0, 0),
			.flags = asynchronous,
			.call = alloc_and_end,
		};
		void *result;

		HeapLock(try.heap);
		attempt_start(&try);
		a_moment();
		pthread_cancel(try.thread);
		a_moment();
		EXPECT_FALSE(atomic_load(&try.done));
		HeapUnlock(try.heap);
		pthread_join(try.thread, &result);
		EXPECT_EQ(PTHREAD_CANCELED, result);
		EXPECT_FALSE(atomic_load(&try.done));
		/* a call that has begun is finished */
		EXPECT_EQ(1, usage_of(try.heap).cBlocks);
		EXPECT_EQ(TRUE, HeapLock(try.heap));
		EXPECT_EQ(TRUE, HeapUnlock(try.heap));
		EXPECT_EQ(TRUE, HeapDestroy(try.heap));
	}
}

/* ------------------------------------------------------------------ fork */

static HANDLE forked_heap;
static atomic_bool fork_stop;

static void *use_while_forking(void *arg)
{
	unsigned int seed = (uintptr_t)arg;
	HANDLE list[4];

	while (!fork_stop) {
		HANDLE heap = HeapCreate(0, 0, 0);
		void *p = HeapAlloc(forked_heap, 0, rand_r(&seed) % 3000);
		void *q = HeapAlloc(heap, 0, 2 * MIB);

		HeapAlloc(GetProcessHeap(), 0, 10);
		GetProcessHeaps(4, list);
		HeapLock(forked_heap);
		HeapFree(forked_heap, 0, p);
		HeapUnlock(forked_heap);
		HeapFree(heap, 0, q);
		HeapDestroy(heap);
	}
	return NULL;
}

/* Long in the list of heaps, and so at nearly every fork. */
static void *list_while_forking(void *arg)
{
	static HANDLE list[600];

	while (!fork_stop)
		GetProcessHeaps(ARRAY_SIZE(list), list);
	return arg;
}

TEST(X12_fork_in_the_middle_of_calls)
{
	HANDLE process = GetProcessHeap(), many[500];
	pthread_t threads[4];

	forked_heap = HeapCreate(0, 0, 0);
	for (int i = 0; i < 500; i++)
		many[i] = HeapCreate(0, 0, 4096);
	fork_stop = false;
	for (uintptr_t i = 0; i < 3; i++)
		ASSERT_EQ(0, pthread_create(&threads[i], NULL,
					    use_while_forking, (void *)(i + 1)));
	ASSERT_EQ(0, pthread_create(&threads[3], NULL, list_while_forking,
				    NULL));
	for (int i = 0; i < 40; i++) {
		int status;
		pid_t pid;

		/* held by this thread, or by whichever */
		if (i % 2)
			HeapLock(forked_heap);
		pid = fork();
		ASSERT_GE(pid, 0);
		if (!pid) {
			HANDLE mine, list[4], heap = HeapCreate(0, 0, 0);

			/* a child that hangs is ended by this */
			alarm(20);
			EXPECT_EQ(FALSE, HeapUnlock(forked_heap));
			EXPECT_EQ(ERROR_INVALID_HANDLE, GetLastError());
			mine = GetProcessHeap();
			EXPECT_NE(NULL, mine);
			EXPECT_NE(NULL, HeapAlloc(mine, 0, 100));
			EXPECT_NE(NULL, HeapAlloc(mine, 0, 2 * MIB));
			EXPECT_EQ(2, GetProcessHeaps(4, list));
			EXPECT_EQ(mine, list[0]);
			EXPECT_EQ(heap, list[1]);
			EXPECT_EQ(TRUE, HeapLock(mine));
			EXPECT_EQ(TRUE, HeapUnlock(mine));
			EXPECT_EQ(TRUE, HeapDestroy(heap));
			_exit(__test_passed(_metadata) ? 0 : 1);
		}
		if (i % 2)
			EXPECT_EQ(TRUE, HeapUnlock(forked_heap));
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		ASSERT_EQ(0, status);
	}
	fork_stop = true;
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	for (int i = 0; i < 500; i++)
		EXPECT_EQ(TRUE, HeapDestroy(many[i]));
	EXPECT_EQ(process, GetProcessHeap());
	EXPECT_EQ(2, GetProcessHeaps(0, NULL));
	EXPECT_EQ(TRUE, HeapValidate(forked_heap, 0, NULL));
	HeapDestroy(forked_heap);
}

/* The first of all calls can be that of a child, and of several threads. */
static void *get_process_heap(void *arg)
{
	(void)arg;
	return GetProcessHeap();
}

TEST(G1_the_same_for_all_threads)
{
	pthread_t threads[8];
	void *heap;

	for (int i = 0; i < 8; i++)
		ASSERT_EQ(0, pthread_create(&threads[i], NULL,
					    get_process_heap, NULL));
	for (int i = 0; i < 8; i++) {
		pthread_join(threads[i], &heap);
		EXPECT_EQ(GetProcessHeap(), heap);
	}
	EXPECT_EQ(1, GetProcessHeaps(0, NULL));
}

TEST_HARNESS_MAIN
