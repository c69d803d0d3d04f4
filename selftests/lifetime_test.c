// SPDX-License-Identifier: GPL-2.0-only
/*
 * How regions end, and who does not get one: fork, exec, exit, kill. Whatever the
 * way, everything is given back. See unmap_test.c for munmap and mremap.
 */
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "lifetime_selftest.h"

TEST_F(privheap, fork_child_has_no_region)
{
	char *base = make_region(self->fd);
	struct privheap_query before = ph_region(self->fd, base);
	pid_t child;

	ASSERT_NE(NULL, base);
	child = fork();
	ASSERT_LE(0, child);
	if (!child) {
		struct privheap_query query;
		char line[256], *own;

		if (ph_read(base) != SIGSEGV || ph_fault_address != base)
			_exit(1);
		if (ph_maps_line(base, line, sizeof(line)))
			_exit(2);
		if (ph_query(self->fd, base, 0, &query) != -ENOENT)
			_exit(3);
		/* It may have regions of its own, through the same file. */
		own = make_region(self->fd);
		if (!own || ph_committed(self->fd, own) != COMMIT)
			_exit(4);
		if (ph_query(self->fd, NULL, PRIVHEAP_QUERY_PROCESS, &query) ||
		    query.out_regions != 1)
			_exit(5);
		_exit(0);
	}
	EXPECT_EXITED(0, child);
	EXPECT_UNCHANGED(self->fd, base, before);
	EXPECT_TRUE(ph_all(base, COMMIT, 3));
	EXPECT_PROCESS(1, COMMIT, COMMIT);
}

/* Newer kernels keep MADV_DONTFORK of mappings that must not grow. */
#define NEEDS_DOFORK(base) do {						\
	if (madvise(base, RESERVE, MADV_DOFORK)) {			\
		ASSERT_EQ(EINVAL, errno);				\
		SKIP(return, "this kernel refuses MADV_DOFORK");	\
	}								\
} while (0)

TEST_F(privheap, fork_with_dofork)
{
	char *base = make_region(self->fd);
	struct privheap_query before = ph_region(self->fd, base);
	pid_t child;

	ASSERT_NE(NULL, base);
	NEEDS_DOFORK(base);
	child = fork();
	ASSERT_LE(0, child);
	if (!child) {
		char *moved;

		/* It has the mapping, but nothing in it is its own. */
		if (ph_read(base) != SIGSEGV || ph_fault_address != base)
			_exit(1);
		if (ph_write(base + PAGE, 1) != SIGSEGV)
			_exit(2);
		if (ph_read(base + COMMIT) != SIGSEGV)
			_exit(3);
		if (ph_decommit(self->fd, base, 0, PAGE) != -ENOENT ||
		    ph_destroy(self->fd, base) != -ENOENT)
			_exit(4);
		/* Nor can it move it to where it would be. */
		moved = mremap(base, RESERVE, RESERVE, MREMAP_MAYMOVE |
			       MREMAP_FIXED, base + 64 * MIB);
		if (moved != MAP_FAILED && ph_read(moved) != SIGSEGV)
			_exit(5);
		if (munmap(base, PAGE) || munmap(base + RESERVE / 2, PAGE))
			_exit(6);
		_exit(0);
	}
	EXPECT_EXITED(0, child);
	EXPECT_UNCHANGED(self->fd, base, before);
	EXPECT_TRUE(ph_all(base, COMMIT, 3));
	EXPECT_EQ(0, ph_write(base + COMMIT - 1, 4));
}

/* The child of MADV_DOFORK lives on when the region has gone. */
TEST_F(privheap, dofork_child_outlives_the_region)
{
	char *base = make_region(self->fd);
	int pipes[2];
	pid_t child;
	char c;

	ASSERT_NE(NULL, base);
	ASSERT_EQ(0, pipe(pipes));
	NEEDS_DOFORK(base);
	child = fork();
	ASSERT_LE(0, child);
	if (!child) {
		close(pipes[1]);
		if (read(pipes[0], &c, 1) != 1)
			_exit(1);
		if (ph_read(base) != SIGSEGV || ph_write(base, 1) != SIGSEGV)
			_exit(2);
		if (munmap(base, RESERVE))
			_exit(3);
		_exit(0);
	}
	ASSERT_EQ(0, ph_destroy(self->fd, base));
	EXPECT_NO_READ(base);
	ASSERT_EQ(1, write(pipes[1], "x", 1));
	EXPECT_EXITED(0, child);
	EXPECT_PROCESS(0, 0, 0);
}

static int write_and_read(void *argument)
{
	char *base = argument;

	base[0] = 77;
	return base[1];
}

/* A child as vfork makes it is in the same address space. */
TEST_F(privheap, vfork_child_shares)
{
	char *base = make_region(self->fd);
	char stack[16384] __attribute__((aligned(16)));
	pid_t child;

	ASSERT_NE(NULL, base);
	child = clone(write_and_read, stack + sizeof(stack),
		      CLONE_VM | CLONE_VFORK | SIGCHLD, base);
	ASSERT_LE(0, child);
	EXPECT_EXITED(3, child);
	EXPECT_EQ(77, base[0]);
	EXPECT_PROCESS(1, COMMIT, COMMIT);
}

TEST_F(privheap, exec_ends_regions)
{
	struct privheap_query before, now;
	int down[2], up[2];
	pid_t child;
	char c;

	ASSERT_EQ(0, pipe(down));
	ASSERT_EQ(0, pipe(up));
	ASSERT_EQ(0, ph_query(self->fd, NULL, PRIVHEAP_QUERY_SYSTEM, &before));
	child = fork();
	ASSERT_LE(0, child);
	if (!child) {
		if (!make_region(self->fd))
			_exit(100);
		/* cat says that it runs by ending what it reads. */
		dup2(down[0], 0);
		dup2(up[1], 1);
		close(down[1]);
		close(up[0]);
		execlp("cat", "cat", NULL);
		_exit(101);
	}
	close(down[0]);
	close(up[1]);
	ASSERT_EQ(1, write(down[1], "x", 1));
	ASSERT_EQ(1, read(up[0], &c, 1));
	/* It runs, as another program, and has nothing. */
	ASSERT_EQ(0, ph_query(self->fd, NULL, PRIVHEAP_QUERY_SYSTEM, &now));
	EXPECT_TRUE(PH_WAIT_FOR(ph_system_is(self->fd, &before)));
	close(down[1]);
	EXPECT_EXITED(0, child);
}

TEST_F(privheap, exit_ends_regions)
{
	pid_t child;

	for (int way = 0; way < 2; way++) {
		child = fork();
		ASSERT_LE(0, child);
		if (!child) {
			for (int i = 0; i < 10; i++)
				if (!make_region(self->fd))
					_exit(1);
			if (way)
				raise(SIGKILL);
			_exit(0);
		}
		if (way)
			EXPECT_KILLED(SIGKILL, child);
		else
			EXPECT_EXITED(0, child);
		EXPECT_TRUE(PH_WAIT_FOR(ph_system_is(self->fd, &self->system)));
	}
}

static void *touch_for_ever(void *argument)
{
	char *base = argument;
	int fd = ph_open();

	for (;;) {
		ph_grow(fd, base, RESERVE, 0);
		ph_touch(base, RESERVE, 1);
		ph_decommit(fd, base, 0, RESERVE);
	}
	return NULL;
}

/* Killed in the middle of faults, populates and decommits, at any moment. */
TEST_F(privheap, kill_while_faulting)
{
	uint32_t state = 123456789;

	for (int round = 0; round < 25; round++) {
		pid_t child = fork();

		ASSERT_LE(0, child);
		if (!child) {
			pthread_t thread;
			char *base;

			setpgid(0, 0);
			if (ph_create(self->fd, RESERVE, RESERVE,
				      PRIVHEAP_CREATE_LAZY, &base))
				_exit(1);
			if (round % 2)
				pthread_create(&thread, NULL, touch_for_ever,
					       make_region(self->fd));
			touch_for_ever(base);
		}
		ph_sleep_ms(1 + ph_random(&state) % 40);
		ASSERT_EQ(0, kill(child, SIGKILL));
		EXPECT_KILLED(SIGKILL, child);
	}
	EXPECT_TRUE(PH_WAIT_FOR(ph_system_is(self->fd, &self->system)));
}

/* There is no second way to the file: neither by name nor by descriptor. */
TEST_F(privheap, map_files_cannot_be_opened)
{
	char *base = make_region(self->fd), path[100];
	int fd;

	ASSERT_NE(NULL, base);
	snprintf(path, sizeof(path), "/proc/self/map_files/%lx-%lx",
		 (unsigned long)TO_BASE(base),
		 (unsigned long)TO_BASE(base + RESERVE));
	if (!ph_exists(path) && access("/proc/self/map_files", X_OK))
		SKIP(return, "no /proc/self/map_files");
	fd = open(path, O_RDWR);
	if (fd >= 0) {
		char c;

		/* It may be opened, but nothing can be done with it. */
		EXPECT_EQ(MAP_FAILED, mmap(NULL, RESERVE, PROT_READ, MAP_SHARED,
					   fd, 0));
		EXPECT_EQ(MAP_FAILED, mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE,
					   fd, 0));
		EXPECT_EQ(-1, read(fd, &c, 1));
		EXPECT_EQ(-1, write(fd, "x", 1));
		EXPECT_EQ(-1, ftruncate(fd, 0));
		EXPECT_EQ(-1, fallocate(fd, 3, 0, PAGE));
		close(fd);
	}
	EXPECT_TRUE(ph_all(base, COMMIT, 3));
	EXPECT_EQ(COMMIT, ph_committed(self->fd, base));
}

static void *make_region_in_thread(void *argument)
{
	return make_region(*(int *)argument);
}

/* Regions are the process's: one thread makes, another uses and ends it. */
TEST_F(privheap, threads_share_regions)
{
	pthread_t thread;
	void *base;

	ASSERT_EQ(0, pthread_create(&thread, NULL, make_region_in_thread,
				    &self->fd));
	ASSERT_EQ(0, pthread_join(thread, &base));
	ASSERT_NE(NULL, base);
	EXPECT_TRUE(ph_all(base, COMMIT, 3));
	EXPECT_EQ(0, ph_destroy(self->fd, base));
	EXPECT_PROCESS(0, 0, 0);
}

/* The descriptor may be closed; any other one serves. */
TEST_F(privheap, regions_live_without_a_descriptor)
{
	char *base = make_region(self->fd);

	ASSERT_NE(NULL, base);
	ASSERT_EQ(0, close(self->fd));
	EXPECT_TRUE(ph_all(base, COMMIT, 3));
	EXPECT_EQ(0, ph_write(base, 1));
	self->fd = ph_open();
	ASSERT_LE(0, self->fd);
	EXPECT_EQ(COMMIT, ph_committed(self->fd, base));
	EXPECT_EQ(0, ph_grow(self->fd, base, RESERVE, 0));
	EXPECT_EQ(0, ph_destroy(self->fd, base));
}

TEST_HARNESS_MAIN
