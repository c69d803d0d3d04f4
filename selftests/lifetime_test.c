// SPDX-License-Identifier: GPL-2.0-only
/*
 * How regions end, and who does not get one: fork, exec, exit, kill, munmap,
 * mremap. Whatever the way, everything is given back.
 */
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "privheap_fixture.h"

#define RESERVE		(8 * MIB)
#define COMMIT		(4 * MIB)

/* A region with something in it. */
static char *make_region(int fd)
{
	char *base;

	if (ph_create(fd, RESERVE, COMMIT, 0, &base))
		return NULL;
	memset(base, 3, COMMIT);
	return base;
}

#define EXPECT_PROCESS(regions, committed, resident) do {		\
	struct privheap_query _query;					\
	EXPECT_EQ(0, ph_query(self->fd, NULL, PRIVHEAP_QUERY_PROCESS,	\
			      &_query));				\
	EXPECT_EQ(regions, _query.out_regions);				\
	EXPECT_EQ(committed, _query.out_committed);			\
	EXPECT_EQ(resident, _query.out_resident);			\
} while (0)

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

TEST_F(privheap, fork_with_dofork)
{
	char *base = make_region(self->fd);
	struct privheap_query before = ph_region(self->fd, base);
	pid_t child;

	ASSERT_NE(NULL, base);
	ASSERT_EQ(0, madvise(base, RESERVE, MADV_DOFORK));
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
	ASSERT_EQ(0, madvise(base, RESERVE, MADV_DOFORK));
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

TEST_F(privheap, munmap_whole)
{
	char *base = make_region(self->fd);

	ASSERT_NE(NULL, base);
	ASSERT_EQ(0, munmap(base, RESERVE));
	EXPECT_NO_READ(base);
	EXPECT_EQ(-ENOENT, ph_grow(self->fd, base, COMMIT, 0));
	EXPECT_EQ(-ENOENT, ph_destroy(self->fd, base));
	EXPECT_PROCESS(0, 0, 0);
	EXPECT_TRUE(PH_WAIT_FOR(ph_system_is(self->fd, &self->system)));
}

TEST_F(privheap, munmap_tail)
{
	char *base = make_region(self->fd);

	ASSERT_NE(NULL, base);
	ASSERT_EQ(0, munmap(base + MIB, RESERVE - MIB));
	EXPECT_NO_READ(base + MIB);
	EXPECT_TRUE(ph_all(base, MIB, 3));
	/* Nobody can reach those pages any more: they are given back. */
	EXPECT_USAGE(self->fd, base, MIB, MIB);
	EXPECT_EQ(RESERVE, ph_region(self->fd, base).out_reserved);
	/* The rest works on. */
	EXPECT_EQ(0, ph_decommit(self->fd, base, 0, PAGE));
	EXPECT_EQ(0, ph_commit(self->fd, base, 0, PAGE, 0));
	EXPECT_TRUE(ph_zero(base, PAGE));
	EXPECT_EQ(0, ph_destroy(self->fd, base));
	EXPECT_PROCESS(0, 0, 0);
}

TEST_F(privheap, munmap_hole)
{
	char *base = make_region(self->fd);

	ASSERT_NE(NULL, base);
	/* Not along the borders of folios. */
	ASSERT_EQ(0, munmap(base + MIB + PAGE, MIB + 3 * PAGE));
	EXPECT_NO_READ(base + MIB + PAGE);
	EXPECT_NO_READ(base + 2 * MIB + 4 * PAGE - 1);
	EXPECT_TRUE(ph_all(base, MIB + PAGE, 3));
	EXPECT_TRUE(ph_all(base + 2 * MIB + 4 * PAGE,
			   COMMIT - 2 * MIB - 4 * PAGE, 3));
	EXPECT_EQ(COMMIT - MIB - 3 * PAGE, ph_committed(self->fd, base));
	/* Something of the program's own there: DESTROY leaves it alone. */
	ASSERT_EQ(base + 2 * MIB, mmap(base + 2 * MIB, PAGE,
				       PROT_READ | PROT_WRITE, MAP_PRIVATE |
				       MAP_ANONYMOUS | MAP_FIXED_NOREPLACE,
				       -1, 0));
	base[2 * MIB] = 42;
	EXPECT_EQ(0, ph_destroy(self->fd, base));
	EXPECT_NO_READ(base);
	EXPECT_NO_READ(base + 2 * MIB + 4 * PAGE);
	EXPECT_EQ(42, base[2 * MIB]);
	EXPECT_PROCESS(0, 0, 0);
}

/*
 * The base is gone, and with it the handle: another region may take its place.
 * What is left lives until it is unmapped, too.
 */
TEST_F(privheap, munmap_head)
{
	char *base = make_region(self->fd);
	struct privheap_query query;

	ASSERT_NE(NULL, base);
	ASSERT_EQ(0, munmap(base, PAGE));
	EXPECT_NO_READ(base);
	EXPECT_TRUE(ph_all(base + PAGE, COMMIT - PAGE, 3));
	EXPECT_EQ(-ENOENT, ph_query(self->fd, base, 0, &query));
	EXPECT_EQ(-ENOENT, ph_query(self->fd, base + PAGE, 0, &query));
	EXPECT_PROCESS(1, COMMIT - PAGE, COMMIT - PAGE);
	EXPECT_EQ(0, ph_write(base + COMMIT - PAGE, 1));
	ASSERT_EQ(0, munmap(base + PAGE, RESERVE - PAGE));
	EXPECT_PROCESS(0, 0, 0);
}

TEST_F(privheap, munmap_page_by_page)
{
	char *base;

	ASSERT_EQ(0, ph_create(self->fd, 64 * PAGE, 64 * PAGE, 0, &base));
	for (int page = 63; page >= 0; page--) {
		EXPECT_USAGE(self->fd, base, (page + 1) * PAGE,
			     (page + 1) * PAGE);
		ASSERT_EQ(0, munmap(base + page * PAGE, PAGE));
	}
	EXPECT_EQ(-ENOENT, ph_destroy(self->fd, base));
	EXPECT_PROCESS(0, 0, 0);
}

/* Something else is mapped over a part: the same as unmapping it. */
TEST_F(privheap, mmap_over_a_part)
{
	char *base = make_region(self->fd);

	ASSERT_NE(NULL, base);
	ASSERT_EQ(base + MIB, mmap(base + MIB, MIB, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
				   -1, 0));
	EXPECT_TRUE(ph_zero(base + MIB, MIB));
	EXPECT_TRUE(ph_all(base, MIB, 3));
	EXPECT_TRUE(ph_all(base + 2 * MIB, COMMIT - 2 * MIB, 3));
	EXPECT_EQ(COMMIT - MIB, ph_committed(self->fd, base));
	/* What the region says of this range has no effect on it. */
	memset(base + MIB, 8, MIB);
	EXPECT_EQ(0, ph_decommit(self->fd, base, 0, COMMIT));
	EXPECT_TRUE(ph_all(base + MIB, MIB, 8));
	EXPECT_NO_READ(base + MIB - 1);
	EXPECT_NO_READ(base + 2 * MIB);
	EXPECT_EQ(0, ph_destroy(self->fd, base));
	EXPECT_TRUE(ph_all(base + MIB, MIB, 8));
}

/* An mremap that is refused, at an address of its own if asked for one. */
static void refuse_mremap(struct __test_metadata *_metadata, int fd,
			  uint64_t offset, uint64_t old, uint64_t new, int flags)
{
	char *base = make_region(fd), *there = NULL;
	struct privheap_query before = ph_region(fd, base);

	ASSERT_NE(NULL, base);
	if (flags & MREMAP_FIXED) {
		there = mmap(NULL, new, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS,
			     -1, 0);
		ASSERT_NE(MAP_FAILED, there);
	}
	EXPECT_EQ(MAP_FAILED, mremap(base + offset, old, new, flags, there));
	EXPECT_UNCHANGED(fd, base, before);
	EXPECT_EQ(0, ph_read(base + COMMIT - 1));
	EXPECT_EQ(0, ph_read(base + offset));
	EXPECT_TRUE(ph_all(base, COMMIT, 3));
	EXPECT_NO_READ(base + COMMIT);
	/* It works as before. */
	EXPECT_EQ(0, ph_grow(fd, base, RESERVE, 0));
	EXPECT_EQ(0, ph_write(base + RESERVE - 1, 1));
	EXPECT_EQ(0, ph_decommit(fd, base, 0, PAGE));
	EXPECT_NO_READ(base);
	EXPECT_EQ(0, ph_destroy(fd, base));
	EXPECT_NO_READ(base + PAGE);
}

TEST_F(privheap, mremap_does_not_move)
{
	refuse_mremap(_metadata, self->fd, 0, RESERVE, RESERVE,
		      MREMAP_MAYMOVE | MREMAP_FIXED);
	EXPECT_PROCESS(0, 0, 0);
}

TEST_F(privheap, mremap_does_not_move_a_part)
{
	refuse_mremap(_metadata, self->fd, MIB, MIB, MIB,
		      MREMAP_MAYMOVE | MREMAP_FIXED);
	EXPECT_PROCESS(0, 0, 0);
}

TEST_F(privheap, mremap_does_not_move_the_head)
{
	refuse_mremap(_metadata, self->fd, 0, MIB, MIB,
		      MREMAP_MAYMOVE | MREMAP_FIXED);
	EXPECT_PROCESS(0, 0, 0);
}

TEST_F(privheap, mremap_does_not_grow)
{
	refuse_mremap(_metadata, self->fd, 0, RESERVE, 2 * RESERVE, 0);
	refuse_mremap(_metadata, self->fd, 0, RESERVE, 2 * RESERVE,
		      MREMAP_MAYMOVE);
	refuse_mremap(_metadata, self->fd, MIB, MIB, 2 * MIB, MREMAP_MAYMOVE);
	EXPECT_PROCESS(0, 0, 0);
}

/* An old size of zero asks for a second mapping of the same pages. */
TEST_F(privheap, mremap_does_not_map_twice)
{
	refuse_mremap(_metadata, self->fd, 0, 0, RESERVE, MREMAP_MAYMOVE);
	EXPECT_PROCESS(0, 0, 0);
}

TEST_F(privheap, mremap_does_not_leave_a_copy)
{
	refuse_mremap(_metadata, self->fd, 0, RESERVE, RESERVE,
		      MREMAP_MAYMOVE | MREMAP_DONTUNMAP);
	EXPECT_PROCESS(0, 0, 0);
}

TEST_F(privheap, mremap_shrinks)
{
	char *base = make_region(self->fd);

	ASSERT_NE(NULL, base);
	EXPECT_EQ(base, mremap(base, RESERVE, RESERVE, 0));
	EXPECT_EQ(base, mremap(base, RESERVE, MIB, 0));
	EXPECT_NO_READ(base + MIB);
	EXPECT_TRUE(ph_all(base, MIB, 3));
	EXPECT_EQ(MIB, ph_committed(self->fd, base));
	EXPECT_EQ(0, ph_destroy(self->fd, base));
	EXPECT_PROCESS(0, 0, 0);
}

/* The kernel unmaps the range before it asks: to the region it is munmap. */
TEST_F(privheap, remap_file_pages_maps_nothing)
{
	char *base = make_region(self->fd);

	ASSERT_NE(NULL, base);
	EXPECT_EQ(-1, syscall(SYS_remap_file_pages, base + MIB, MIB, 0, 0, 0));
	EXPECT_TRUE(ph_all(base, MIB, 3));
	EXPECT_TRUE(ph_all(base + 2 * MIB, COMMIT - 2 * MIB, 3));
	EXPECT_NO_READ(base + MIB);
	EXPECT_EQ(COMMIT - MIB, ph_committed(self->fd, base));
	EXPECT_EQ(0, ph_destroy(self->fd, base));
	EXPECT_PROCESS(0, 0, 0);
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
