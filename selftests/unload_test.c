// SPDX-License-Identifier: GPL-2.0-only
/* Somebody tries to remove the module while it is in use: in vain, without harm. */
#include <pthread.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "privheap_fixture.h"

#define ROUNDS		100

/* As rmmod does it: never waits. */
static int remove_module(void)
{
	return syscall(SYS_delete_module, "privheap", O_NONBLOCK) ? -errno : 0;
}

/* What a refused attempt says: in use. */
static bool refused(int ret)
{
	return ret == -EAGAIN || ret == -EBUSY;
}

struct attempts {
	bool over;
	unsigned int refused;
	unsigned int wrong;
};

static void *attempt(void *argument)
{
	struct attempts *attempts = argument;

	while (!__atomic_load_n(&attempts->over, __ATOMIC_RELAXED)) {
		if (refused(remove_module()))
			attempts->refused++;
		else
			attempts->wrong++;
		sched_yield();
	}
	return NULL;
}

#define NEEDS_PRIVILEGE() do {						\
	if (geteuid() || !ph_exists("/sys/module/privheap/refcnt"))	\
		SKIP(return, "not root, or privheap cannot be removed here"); \
} while (0)

TEST_F(privheap, attempts_while_regions_come_and_go)
{
	struct attempts attempts = { 0 };
	pthread_t thread;
	char *base;

	NEEDS_PRIVILEGE();
	ASSERT_EQ(0, pthread_create(&thread, NULL, attempt, &attempts));
	for (int i = 0; i < ROUNDS; i++) {
		ASSERT_EQ(0, ph_create(self->fd, MIB, 4 * PAGE, i % 2, &base));
		ASSERT_EQ(0, ph_write(base + PAGE, i));
		ASSERT_EQ(0, ph_grow(self->fd, base, 64 * PAGE, i % 2));
		ASSERT_EQ(0, ph_decommit(self->fd, base, 0, 8 * PAGE));
		if (i % 2) {
			ASSERT_EQ(0, ph_destroy(self->fd, base));
		} else {
			ASSERT_EQ(0, munmap(base, MIB));
		}
	}
	__atomic_store_n(&attempts.over, true, __ATOMIC_RELAXED);
	ASSERT_EQ(0, pthread_join(thread, NULL));
	EXPECT_LT(0, attempts.refused);
	EXPECT_EQ(0, attempts.wrong);
	EXPECT_TRUE(ph_system_is(self->fd, &self->system));
}

/*
 * The device is opened, closed, and forked with; the one that always stays open
 * is what keeps the module.
 */
TEST_F(privheap, attempts_while_the_device_comes_and_goes)
{
	struct attempts attempts = { 0 };
	struct privheap_query query;
	pthread_t thread;

	NEEDS_PRIVILEGE();
	ASSERT_EQ(0, pthread_create(&thread, NULL, attempt, &attempts));
	for (int i = 0; i < ROUNDS; i++) {
		int fd = ph_open();

		ASSERT_LE(0, fd);
		ASSERT_EQ(0, ph_query(fd, NULL, PRIVHEAP_QUERY_PROCESS, &query));
		ASSERT_EQ(0, close(fd));
		if (i % 20 == 0) {
			pid_t child = fork();

			ASSERT_LE(0, child);
			if (!child)
				_exit(ph_query(self->fd, NULL, PRIVHEAP_QUERY_PROCESS,
					       &query) != 0);
			EXPECT_EXITED(0, child);
		}
	}
	__atomic_store_n(&attempts.over, true, __ATOMIC_RELAXED);
	ASSERT_EQ(0, pthread_join(thread, NULL));
	EXPECT_LT(0, attempts.refused);
	EXPECT_EQ(0, attempts.wrong);
}

/* A process is killed that has the only region; attempts go on all the time. */
TEST_F(privheap, attempts_while_processes_are_killed)
{
	struct attempts attempts = { 0 };
	pthread_t thread;

	NEEDS_PRIVILEGE();
	ASSERT_EQ(0, pthread_create(&thread, NULL, attempt, &attempts));
	for (int i = 0; i < 15; i++) {
		int ready[2];
		pid_t child;
		char byte;

		ASSERT_EQ(0, pipe(ready));
		child = fork();
		ASSERT_LE(0, child);
		if (!child) {
			char *base;

			if (ph_create(self->fd, MIB, MIB, 0, &base) ||
			    write(ready[1], "", 1) != 1)
				_exit(1);
			for (;;)
				ph_touch(base, MIB, 1);
		}
		close(ready[1]);
		ASSERT_EQ(1, read(ready[0], &byte, 1));
		close(ready[0]);
		ASSERT_EQ(0, kill(child, SIGKILL));
		EXPECT_KILLED(SIGKILL, child);
	}
	__atomic_store_n(&attempts.over, true, __ATOMIC_RELAXED);
	ASSERT_EQ(0, pthread_join(thread, NULL));
	EXPECT_EQ(0, attempts.wrong);
	EXPECT_TRUE(PH_WAIT_FOR(ph_system_is(self->fd, &self->system)));
}

TEST_HARNESS_MAIN
