// SPDX-License-Identifier: GPL-2.0-only
/*
 * Threads that are cancelled in a call of the library, or on their way into one:
 * see heap_selftest.h.
 */
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>

#include "heap_selftest.h"

static atomic_int lived_through;

#define LIVES(call) do {	\
	call;			\
	lived_through++;	\
} while (0)

/* Every call of the library, with a cancellation pending. */
static __attribute__((noinline)) void call_all(int event)
{
	HEAP_SUMMARY sum = { .cb = sizeof(sum) };
	PROCESS_HEAP_ENTRY entry = { .lpData = NULL };
	SIZE_T page = sysconf(_SC_PAGESIZE);
	SYSTEM_INFO info;
	HANDLE heap, list[4];
	ULONG value = 2;
	void *p, *base;

	LIVES(GetSystemInfo(&info));
	LIVES(heap = HeapCreate(0, 0, 0));
	LIVES(p = HeapAlloc(heap, 0, 100));
	LIVES(p = HeapReAlloc(heap, 0, p, 2 * MIB));
	LIVES(p = HeapReAlloc(heap, 0, p, 1000 * KIB));
	LIVES(HeapSize(heap, 0, p));
	LIVES(HeapFree(heap, 0, p));
	LIVES(HeapFree(heap, 0, p));
	for (int i = 0; i < 10; i++)
		LIVES(HeapAlloc(heap, 0, 400 * KIB));
	LIVES(HeapLock(heap));
	LIVES(HeapWalk(heap, &entry));
	LIVES(HeapValidate(heap, 0, NULL));
	LIVES(HeapUnlock(heap));
	LIVES(HeapCompact(heap, 0));
	LIVES(HeapSummary(heap, 0, &sum));
	LIVES(HeapSetInformation(heap, HeapCompatibilityInformation, &value,
				 sizeof(value)));
	LIVES(HeapQueryInformation(heap, HeapCompatibilityInformation, &value,
				   sizeof(value), NULL));
	LIVES(usage_of(heap));
	LIVES(GetProcessHeap());
	LIVES(GetProcessHeaps(4, list));
	LIVES(HeapDestroy(heap));
	LIVES(base = privheap_region_create(4 * page, page, 0, 0));
	LIVES(privheap_region_notify(base, PRIVHEAP_RESOURCE_COMMIT, 2 * page,
				     event, 0));
	LIVES(privheap_region_grow(base, 3 * page, 0));
	LIVES(privheap_region_decommit(base, page, 2 * page));
	LIVES(privheap_region_notify(base, PRIVHEAP_RESOURCE_COMMIT, 2 * page,
				     event, PRIVHEAP_NOTIFY_REMOVE));
	LIVES(privheap_region_destroy(base));
}

static void *call_all_cancelled(void *arg)
{
	pthread_cancel(pthread_self());
	call_all(*(int *)arg);
	pthread_testcancel();
	return NULL;
}

TEST(X11_no_call_is_a_cancellation_point)
{
	int event = eventfd(0, EFD_NONBLOCK);
	pthread_t thread;
	void *result;

	lived_through = 0;
	ASSERT_EQ(0, pthread_create(&thread, NULL, call_all_cancelled, &event));
	pthread_join(thread, &result);
	EXPECT_EQ(PTHREAD_CANCELED, result);
	EXPECT_EQ(36, atomic_load(&lived_through));
	/* and it did its work */
	EXPECT_EQ(1, GetProcessHeaps(0, NULL));
	close(event);
}

static int late_event;

/* The signal by which glibc cancels threads that want it at once. */
#define SIGCANCEL	32

static void *wait_for_ever(void *arg)
{
	for (;;)
		pause();
	return arg;
}

static void *create_for_ever(void *arg)
{
	atomic_int *tid = arg;

	pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
	atomic_store(tid, gettid());
	for (;;)
		HeapDestroy(HeapCreate(0, 0, 0));
	return NULL;
}

/*
 * pthread_cancel() looks whether a thread can be cancelled, and then sends it a
 * signal: which may find it inside a call, with a lock of the whole process's.
 */
static void *query_for_ever(void *arg)
{
	MEMORY_BASIC_INFORMATION info;
	atomic_int *tid = arg;

	pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
	atomic_store(tid, gettid());
	for (;;)
		VirtualQuery(&late_event, &info, sizeof(info));
	return NULL;
}

static void *watch_for_ever(void *arg)
{
	SIZE_T page = sysconf(_SC_PAGESIZE);
	void *base = privheap_region_create(4 * page, page, 0, 0);
	atomic_int *tid = arg;

	privheap_region_notify(base, PRIVHEAP_RESOURCE_COMMIT, 2 * page, late_event,
			       0);
	pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
	atomic_store(tid, gettid());
	for (;;) {
		privheap_region_grow(base, 3 * page, 0);
		privheap_region_decommit(base, page, 2 * page);
	}
	return NULL;
}

static int count_descriptors(void)
{
	int count = 0;

	for (int fd = 0; fd < 1000; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

/* Threads that call for ever, each ended by a signal at another moment. */
static void cancel_late(struct __test_metadata *_metadata, void *(*call)(void *),
			int threads)
{
	pthread_t thread;
	atomic_int tid;

	/* The first one installs the handler. */
	ASSERT_EQ(0, pthread_create(&thread, NULL, wait_for_ever, NULL));
	ASSERT_EQ(0, pthread_cancel(thread));
	ASSERT_EQ(0, pthread_join(thread, NULL));

	for (int i = 0; i < threads; i++) {
		atomic_init(&tid, 0);
		ASSERT_EQ(0, pthread_create(&thread, NULL, call, &tid));
		while (!atomic_load(&tid))
			sched_yield();
		usleep(i * 7 % 500);
		ASSERT_EQ(0, syscall(SYS_tgkill, getpid(), atomic_load(&tid),
				     SIGCANCEL));
		ASSERT_EQ(0, pthread_join(thread, NULL));
		/* hangs if the thread has left a lock taken */
		ASSERT_EQ(TRUE, HeapDestroy(HeapCreate(0, 0, 0)));
	}
}

TEST(X11_a_cancel_that_arrives_late)
{
	cancel_late(_metadata, create_for_ever, 300);
}

TEST(X11_a_late_cancel_in_a_query)
{
	int before;

	/* What the process opens once. */
	ASSERT_EQ(TRUE, HeapDestroy(HeapCreate(0, 0, 0)));
	before = count_descriptors();
	cancel_late(_metadata, query_for_ever, 150);
	EXPECT_EQ(before, count_descriptors());
}

/* Without the module, the library signals the eventfd. */
TEST(X11_a_late_cancel_beside_a_watch)
{
	int before, threads = 100, kept = threads;

	late_event = eventfd(0, EFD_NONBLOCK);
	ASSERT_LE(0, late_event);
	/* What the process opens once, and the descriptors that the regions keep. */
	ASSERT_EQ(TRUE, HeapDestroy(HeapCreate(0, 0, 0)));
	before = count_descriptors();
	if (privheap_backend() == PRIVHEAP_BACKEND_MODULE)
		kept = 0;
	cancel_late(_metadata, watch_for_ever, threads);
	EXPECT_EQ(before + kept, count_descriptors());
	close(late_event);
}

TEST_HARNESS_MAIN
