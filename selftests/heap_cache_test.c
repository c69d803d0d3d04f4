// SPDX-License-Identifier: GPL-2.0-only
/*
 * The threads' caches of free slots: what interrupts them (signals, revocation,
 * cancellation), what outlives them, and what a child of fork sees of them. All
 * of it holds without caches, too, where there is no rseq.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#ifdef __has_include
#if __has_include(<sys/rseq.h>)
#include <sys/rseq.h>
#define RSEQ_SIZE	__rseq_size
#endif
#endif
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "heap_cache_selftest.h"

/* They are run both ways. The C library says which of them this is. */
TEST(rseq_unless_it_was_turned_off)
{
	const char *tunables = getenv("GLIBC_TUNABLES");
	bool off = tunables && strstr(tunables, "glibc.pthread.rseq=0");

#ifdef RSEQ_SIZE
	TH_LOG("rseq: %s", RSEQ_SIZE ? "yes" : "no");
	if (off) {
		EXPECT_EQ(0, RSEQ_SIZE);
	}
#else
	TH_LOG("rseq: no, the C library knows nothing of it");
	(void)off;
#endif
}

/* ------------------------------------------------------------ interruptions */

static void on_signal(int sig)
{
	(void)sig;
}

/* Each signal may abort a call in the middle of its restartable sequence. */
TEST_F_TIMEOUT(cache, signals, PATIENCE)
{
	struct sigaction action = { .sa_handler = on_signal,
				    .sa_flags = SA_RESTART };
	struct itimerval often = { { 0, 50 }, { 0, 50 } }, never = {};
	struct sigaction old;

	ASSERT_EQ(0, sigaction(SIGALRM, &action, &old));
	ASSERT_EQ(0, setitimer(ITIMER_REAL, &often, NULL));
	exercise(shared, 1, 3 * rounds());
	setitimer(ITIMER_REAL, &never, NULL);
	sigaction(SIGALRM, &old, NULL);
	EXPECT_EQ(0, blocks_of(shared));
}

static void *revoker(void *arg)
{
	(void)arg;
	while (!atomic_load(&stop)) {
		HeapLock(shared);
		if (!HeapValidate(shared, 0, NULL))
			atomic_fetch_add(&damaged, 1);
		HeapUnlock(shared);
		HeapCompact(shared, 0);
		sched_yield();
	}
	return NULL;
}

/* HeapLock() and HeapCompact() take the caches from threads at work. */
TEST_F_TIMEOUT(cache, revoked_at_work, PATIENCE)
{
	pthread_t threads[3], other;

	ASSERT_EQ(0, pthread_create(&other, NULL, revoker, NULL));
	for (int i = 0; i < 3; i++) {
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, exerciser,
					    (void *)(uintptr_t)(i + 1)));
	}
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	atomic_store(&stop, 1);
	pthread_join(other, NULL);
	EXPECT_EQ(0, blocks_of(shared));
}

/* While the lock is held nothing changes, however fast the others are. */
TEST_F(cache, lock_stops_all)
{
	pthread_t threads[3];
	SIZE_T before;

	for (int i = 0; i < 3; i++) {
		ASSERT_EQ(0, pthread_create(&threads[i], NULL,
					    exerciser_until_stop,
					    (void *)(uintptr_t)(i + 1)));
	}
	for (int i = 0; i < 20; i++) {
		ASSERT_EQ(TRUE, HeapLock(shared));
		before = blocks_of(shared);
		for (int j = 0; j < 20; j++) {
			sched_yield();
			EXPECT_EQ(before, blocks_of(shared));
		}
		ASSERT_EQ(TRUE, HeapUnlock(shared));
		usleep(1000);
	}
	atomic_store(&stop, 1);
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	EXPECT_EQ(0, blocks_of(shared));
}

/* The sizes of a small block, near and far from its slot's, and of a larger one. */
static void *resizer(void *arg)
{
	static const SIZE_T sizes[2][4] = {
		{ 1000, 990, 700, 520 }, { 20000, 100, 5000, 17000 },
	};
	void **block = arg;
	unsigned int i;

	for (i = 0; !atomic_load(&stop); i++) {
		if (HeapReAlloc(shared, HEAP_REALLOC_IN_PLACE_ONLY,
				block[i % 2], sizes[i % 2][i / 2 % 4]) !=
		    block[i % 2])
			atomic_fetch_add(&damaged, 1);
		/* which gives the thread its cache back */
		if (i % 64 == 0)
			HeapFree(shared, 0, HeapAlloc(shared, 0, 1000));
	}
	return NULL;
}

/* Nor does a block's size change meanwhile, in place as it may be. */
TEST_F(cache, lock_stops_resizes)
{
	unsigned int changed = 0;
	SIZE_T before[2];
	pthread_t thread;
	void *block[2];

	for (int i = 0; i < 100; i++) {
		block[0] = HeapAlloc(shared, 0, 1000);
		block[1] = HeapAlloc(shared, 0, 20000);
	}
	ASSERT_EQ(0, pthread_create(&thread, NULL, resizer, block));
	for (int i = 0; i < 300; i++) {
		ASSERT_EQ(TRUE, HeapLock(shared));
		for (int k = 0; k < 2; k++) {
			before[k] = HeapSize(shared, 0, block[k]);
			changed += before[k] > 20000;
		}
		for (int j = 0; j < 20; j++) {
			sched_yield();
			for (int k = 0; k < 2; k++)
				changed += before[k] !=
					   HeapSize(shared, 0, block[k]);
		}
		ASSERT_EQ(TRUE, HeapUnlock(shared));
		usleep(100);
	}
	atomic_store(&stop, 1);
	pthread_join(thread, NULL);
	EXPECT_EQ(0, changed);
}

static void *pair_for_ever(void *arg)
{
	(void)arg;
	pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
	for (;;)
		HeapFree(shared, 0, HeapAlloc(shared, 0, 100));
	return NULL;
}

/* A thread that is cancelled anywhere in a call holds nobody up. */
TEST_F_TIMEOUT(cache, cancelled_anywhere, PATIENCE)
{
	pthread_t thread;

	exercise(shared, 1, 1000);
	for (int i = 0; i < 200; i++) {
		ASSERT_EQ(0, pthread_create(&thread, NULL, pair_for_ever,
					    NULL));
		usleep(i * 7 % 500);
		pthread_cancel(thread);
		pthread_join(thread, NULL);
		ASSERT_EQ(TRUE, HeapLock(shared));
		ASSERT_EQ(TRUE, HeapUnlock(shared));
	}
	/* What it had in its hands is lost, at most. */
	EXPECT_GE(200, blocks_of(shared));
	exercise(shared, 1, 100000);
}

/* ----------------------------------------------------------- threads end */

static void *allocate_and_exit(void *arg)
{
	void **block = arg;

	for (int i = 0; i < 40; i++)
		block[i] = HeapAlloc(shared, 0, 100);
	for (int i = 0; i < 40; i += 2) {
		if (HeapFree(shared, 0, block[i]) != TRUE)
			atomic_fetch_add(&damaged, 1);
	}
	return NULL;
}

static unsigned int mappings(void)
{
	FILE *maps = fopen("/proc/self/maps", "r");
	unsigned int lines = 0;
	int c;

	while (maps && (c = fgetc(maps)) != EOF)
		lines += c == '\n';
	if (maps)
		fclose(maps);
	return lines;
}

/* Whatever a thread had at hand is there for the others. */
TEST_F_TIMEOUT(cache, threads_come_and_go, PATIENCE)
{
	PRIVHEAP_USAGE usage = { .cb = sizeof(usage) };
	unsigned int first = 0;
	pthread_t thread;
	void *block[40];

	for (int i = 0; i < 2000; i++) {
		ASSERT_EQ(0, pthread_create(&thread, NULL, allocate_and_exit,
					    block));
		pthread_join(thread, NULL);
		for (int j = 1; j < 40; j += 2)
			ASSERT_EQ(TRUE, HeapFree(shared, 0, block[j]));
		if (i == 100)
			first = mappings();
	}
	EXPECT_GE(first + 4, mappings());
	HeapCompact(shared, 0);
	ASSERT_EQ(TRUE, PrivheapQueryHeap(shared, &usage));
	EXPECT_EQ(0, usage.cBlocks);
	EXPECT_GE(64 * 1024, usage.cbCommitted);
}

/* A fixed heap that is full by what one thread has at hand serves another. */
static void *fill_and_free(void *arg)
{
	HANDLE heap = arg;
	static void *block[20000];
	int n = 0;

	while (n < 20000 && (block[n] = HeapAlloc(heap, 0, 100)))
		n++;
	while (n)
		HeapFree(heap, 0, block[--n]);
	return NULL;
}

TEST_F(cache, what_others_hold_back_is_used)
{
	HANDLE heap = HeapCreate(0, 0, 1 << 20);
	pthread_t thread;

	ASSERT_NE(NULL, heap);
	ASSERT_EQ(0, pthread_create(&thread, NULL, fill_and_free, heap));
	pthread_join(thread, NULL);
	EXPECT_NE(NULL, HeapAlloc(heap, 0, sizeof(void *) > 4 ? 900000 :
							       500000));
	EXPECT_EQ(TRUE, HeapDestroy(heap));
}

/* ------------------------------------------------------- locked memory */

static unsigned long status_kib(const char *name)
{
	FILE *status = fopen("/proc/self/status", "r");
	unsigned long kib = 0;
	char line[128];

	while (status && fgets(line, sizeof(line), status))
		if (!strncmp(line, name, strlen(name)))
			kib = strtoul(line + strlen(name) + 1, NULL, 10);
	if (status)
		fclose(status);
	return kib;
}

/* What is only reserved, or there to be looked at, stays without pages. */
TEST_F(cache, mlockall)
{
	unsigned long before;

	if (mlockall(MCL_CURRENT | MCL_FUTURE))
		SKIP(return, "mlockall: %s", strerror(errno));
	before = status_kib("VmRSS");
	exercise(shared, 1, 100000);
	/* the blocks, a stack's worth of caches, and maps of slabs */
	EXPECT_GT(before + 16 * 1024, status_kib("VmRSS"));
	munlockall();
}

/* -------------------------------------------------------- giving back */

/*
 * A heap that shrank does not hold its peak: its slots go back after a while,
 * when the heap is used again now and then. The rule: see HeapFree().
 */
TEST_F(cache, shrinks_by_itself)
{
	PRIVHEAP_USAGE usage = { .cb = sizeof(usage) };
	static void *block[100000];
	unsigned int state = 1;
	ULONGLONG peak;

	for (int i = 0; i < 100000; i++) {
		block[i] = HeapAlloc(shared, 0, 16 + next_random(&state) % 1009);
		ASSERT_NE(NULL, block[i]);
	}
	ASSERT_EQ(TRUE, PrivheapQueryHeap(shared, &usage));
	peak = usage.cbCommitted;
	for (int i = 0; i < 100000; i++)
		ASSERT_EQ(TRUE, HeapFree(shared, 0, block[i * 7919ul % 100000]));
	for (int i = 0; i < 5; i++) {
		usleep(60000);
		exercise(shared, i, 20000);
	}
	ASSERT_EQ(TRUE, PrivheapQueryHeap(shared, &usage));
	EXPECT_GT(peak / 4, usage.cbCommitted);
	HeapCompact(shared, 0);
	ASSERT_EQ(TRUE, PrivheapQueryHeap(shared, &usage));
	EXPECT_GE(64 * 1024, usage.cbCommitted);
}

TEST_HARNESS_MAIN
