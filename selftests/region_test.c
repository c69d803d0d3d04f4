// SPDX-License-Identifier: GPL-2.0-only
/*
 * The native API of the library, privheap/region.h: the same answers from the
 * module and from anonymous mappings. Where they may differ the test says so.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <privheap/region.h>

#include "patient_harness.h"

#include "fault_selftest.h"
#include "region_selftest.h"

static bool is_anonymous(void)
{
	return privheap_backend() == PRIVHEAP_BACKEND_ANONYMOUS;
}

static struct privheap_region_info info_of(void *base)
{
	struct privheap_region_info info;

	if (privheap_region_query(base, &info))
		memset(&info, 0xff, sizeof(info));
	return info;
}

FIXTURE(region)
{
	size_t page;
	char *base;	/* 16 pages, of which 4 are committed */
};

FIXTURE_SETUP(region)
{
	self->page = sysconf(_SC_PAGESIZE);
	self->base = privheap_region_create(16 * self->page, 4 * self->page,
					    0, 0);
	ASSERT_NE(NULL, self->base);
}

FIXTURE_TEARDOWN(region)
{
	privheap_region_destroy(self->base);
}

TEST_F(region, create)
{
	struct privheap_region_info info = info_of(self->base);

	EXPECT_EQ(0, (uintptr_t)self->base % self->page);
	EXPECT_NE(0, info.id);
	EXPECT_EQ(1, info.regions);
	EXPECT_EQ(16 * self->page, info.reserved);
	EXPECT_EQ(16 * self->page, info.limit);
	EXPECT_EQ(4 * self->page, info.committed);
	EXPECT_EQ(4 * self->page, info.resident);
	EXPECT_EQ(4 * self->page, info.peak_committed);
	EXPECT_EQ(4 * self->page, info.peak_resident);
	EXPECT_EQ(0, info.denials);
	for (size_t i = 0; i < 4 * self->page; i++)
		ASSERT_EQ(0, self->base[i]);
}

TEST_F(region, create_refuses)
{
	size_t page = self->page;

	FAILS_NULL(EINVAL, privheap_region_create(0, 0, 0, 0));
	FAILS_NULL(EINVAL, privheap_region_create(page + 1, 0, 0, 0));
	FAILS_NULL(EINVAL, privheap_region_create(4 * page, 1, 0, 0));
	FAILS_NULL(EINVAL, privheap_region_create(4 * page, 5 * page, 0, 0));
	FAILS_NULL(EINVAL, privheap_region_create(4 * page, 2 * page, page, 0));
	FAILS_NULL(EINVAL, privheap_region_create(4 * page, 0, 5 * page, 0));
	FAILS_NULL(EINVAL, privheap_region_create(4 * page, 0, page + 1, 0));
	FAILS_NULL(EINVAL, privheap_region_create(4 * page, 0, 0, 1U << 31));
	/* more than any address space: a bad size, or no room for it */
	errno = 0;
	EXPECT_EQ(NULL, privheap_region_create(-page, 0, 0, 0));
	EXPECT_TRUE(errno == ENOMEM || errno == EINVAL);
}

TEST_F(region, lazy)
{
	size_t page = self->page;
	char *base = privheap_region_create(8 * page, 4 * page, 0,
					    PRIVHEAP_CREATE_LAZY);

	ASSERT_NE(NULL, base);
	EXPECT_EQ(4 * page, info_of(base).committed);
	EXPECT_EQ(0, info_of(base).resident);
	base[page] = 1;
	EXPECT_GE(info_of(base).resident, page);
	EXPECT_LE(info_of(base).resident, 4 * page);
	EXPECT_EQ(0, privheap_region_destroy(base));
}

TEST_F(region, touch_outside_of_commit)
{
	EXPECT_EQ(0, write_at(self->base + 4 * self->page - 1));
	EXPECT_EQ(SIGSEGV, write_at(self->base + 4 * self->page));
	EXPECT_EQ(SIGSEGV, write_at(self->base + 16 * self->page - 1));
}

TEST_F(region, grow)
{
	size_t page = self->page;

	self->base[0] = 42;
	ASSERT_EQ(0, privheap_region_grow(self->base, 6 * page, 0));
	EXPECT_EQ(6 * page, info_of(self->base).committed);
	EXPECT_EQ(4 * page, info_of(self->base).resident);
	EXPECT_EQ(42, self->base[0]);
	EXPECT_EQ(0, self->base[5 * page]);
	/* never shrinks */
	EXPECT_EQ(0, privheap_region_grow(self->base, page, 0));
	EXPECT_EQ(0, privheap_region_grow(self->base, 0, 0));
	EXPECT_EQ(6 * page, info_of(self->base).committed);
	/* all of it, at once */
	EXPECT_EQ(0, privheap_region_grow(self->base, 16 * page,
					  PRIVHEAP_COMMIT_POPULATE));
	EXPECT_EQ(16 * page, info_of(self->base).resident);

	FAILS(EINVAL, privheap_region_grow(self->base, 17 * page, 0));
	FAILS(EINVAL, privheap_region_grow(self->base, 1, 0));
	FAILS(EINVAL, privheap_region_grow(self->base, page, 2));
	FAILS(ENOENT, privheap_region_grow(self->base + page, page, 0));
	FAILS(ENOENT, privheap_region_grow(NULL, page, 0));
	FAILS(ENOENT, privheap_region_grow(&page, page, 0));
}

TEST_F(region, commit_and_decommit_anywhere)
{
	size_t page = self->page;

	ASSERT_EQ(0, privheap_region_commit(self->base, 8 * page, 2 * page, 0));
	EXPECT_EQ(6 * page, info_of(self->base).committed);
	EXPECT_EQ(SIGSEGV, write_at(self->base + 7 * page));
	EXPECT_EQ(0, write_at(self->base + 9 * page));
	EXPECT_EQ(SIGSEGV, write_at(self->base + 10 * page));

	/* over holes and what was committed, contents stay */
	memset(self->base, 7, 4 * page);
	ASSERT_EQ(0, privheap_region_commit(self->base, page, 11 * page,
					    PRIVHEAP_COMMIT_POPULATE));
	EXPECT_EQ(12 * page, info_of(self->base).committed);
	EXPECT_EQ(12 * page, info_of(self->base).resident);
	EXPECT_EQ(7, self->base[4 * page - 1]);
	EXPECT_EQ(1, self->base[9 * page]);

	ASSERT_EQ(0, privheap_region_decommit(self->base, page, page));
	EXPECT_EQ(11 * page, info_of(self->base).committed);
	EXPECT_EQ(11 * page, info_of(self->base).resident);
	EXPECT_EQ(SIGSEGV, write_at(self->base + page));
	EXPECT_EQ(7, self->base[0]);
	EXPECT_EQ(7, self->base[2 * page]);

	/* contents are gone for good */
	ASSERT_EQ(0, privheap_region_commit(self->base, page, page, 0));
	EXPECT_EQ(0, self->base[page]);

	/* what is not committed is skipped */
	ASSERT_EQ(0, privheap_region_decommit(self->base, 0, 16 * page));
	ASSERT_EQ(0, privheap_region_decommit(self->base, 0, 16 * page));
	EXPECT_EQ(0, info_of(self->base).committed);
	EXPECT_EQ(0, info_of(self->base).resident);
	EXPECT_EQ(12 * page, info_of(self->base).peak_committed);
	EXPECT_EQ(SIGSEGV, write_at(self->base));
}

TEST_F(region, commit_and_decommit_refuse)
{
	size_t page = self->page, top = -page;

	FAILS(EINVAL, privheap_region_commit(self->base, 0, 0, 0));
	FAILS(EINVAL, privheap_region_commit(self->base, 0, 17 * page, 0));
	FAILS(EINVAL, privheap_region_commit(self->base, 16 * page, page, 0));
	FAILS(EINVAL, privheap_region_commit(self->base, 8, page, 0));
	FAILS(EINVAL, privheap_region_commit(self->base, 0, page, 4));
	FAILS(EINVAL, privheap_region_commit(self->base, page, top, 0));
	FAILS(EINVAL, privheap_region_commit(self->base, top, 2 * page, 0));
	FAILS(ENOENT, privheap_region_commit(self->base + page, 0, page, 0));
	FAILS(EINVAL, privheap_region_decommit(self->base, 0, 0));
	FAILS(EINVAL, privheap_region_decommit(self->base, 0, 17 * page));
	FAILS(EINVAL, privheap_region_decommit(self->base, 16 * page, page));
	FAILS(EINVAL, privheap_region_decommit(self->base, top, 2 * page));
	FAILS(EINVAL, privheap_region_decommit(self->base, 0, 100));
	FAILS(ENOENT, privheap_region_decommit(self->base + page, 0, page));
	EXPECT_EQ(4 * page, info_of(self->base).committed);
}

TEST_F(region, limit)
{
	size_t page = self->page;
	char *base = privheap_region_create(8 * page, page, 3 * page, 0);

	ASSERT_NE(NULL, base);
	EXPECT_EQ(3 * page, info_of(base).limit);
	EXPECT_EQ(0, privheap_region_grow(base, 3 * page, 0));
	FAILS(EDQUOT, privheap_region_grow(base, 4 * page, 0));
	EXPECT_EQ(PRIVHEAP_LEVEL_REGION, privheap_last_denied());
	FAILS(EDQUOT, privheap_region_commit(base, 6 * page, page, 0));
	EXPECT_EQ(3 * page, info_of(base).committed);
	EXPECT_EQ(2, info_of(base).denials);
	EXPECT_EQ(SIGSEGV, write_at(base + 6 * page));
	/* room that is given back can be had elsewhere */
	EXPECT_EQ(0, privheap_region_decommit(base, 0, page));
	EXPECT_EQ(0, privheap_region_commit(base, 6 * page, page, 0));
	EXPECT_EQ(0, privheap_region_destroy(base));
}

TEST_F(region, destroy)
{
	struct privheap_region_info info;

	EXPECT_EQ(0, privheap_region_destroy(self->base));
	EXPECT_EQ(SIGSEGV, write_at(self->base));
	FAILS(ENOENT, privheap_region_destroy(self->base));
	FAILS(ENOENT, privheap_region_grow(self->base, self->page, 0));
	FAILS(ENOENT, privheap_region_query(self->base, &info));
	FAILS(ENOENT, privheap_region_destroy(NULL));
	FAILS(ENOENT, privheap_region_destroy((void *)&info));
}

TEST_F(region, query_process_and_system)
{
	size_t page = self->page;
	struct privheap_region_info info;
	void *other = privheap_region_create(4 * page, page, 0, 0);

	ASSERT_EQ(0, privheap_query_process(&info));
	EXPECT_EQ(0, info.id);
	EXPECT_EQ(2, info.regions);
	EXPECT_EQ(20 * page, info.reserved);
	EXPECT_EQ(5 * page, info.committed);
	EXPECT_EQ(5 * page, info.resident);
	EXPECT_EQ(0, info.limit % page);
	EXPECT_GT(info.limit, INT64_MAX - page);

	privheap_region_destroy(other);
	privheap_region_destroy(self->base);
	ASSERT_EQ(0, privheap_query_process(&info));
	EXPECT_EQ(0, info.regions);
	EXPECT_EQ(0, info.reserved);
	EXPECT_EQ(0, info.committed);
	EXPECT_EQ(0, info.resident);
	EXPECT_EQ(5 * page, info.peak_committed);

	if (is_anonymous())
		FAILS(ENOTSUP, privheap_query_system(&info));
	else
		EXPECT_EQ(0, privheap_query_system(&info));
}

static uint64_t signals(int fd)
{
	uint64_t count = 0;

	if (read(fd, &count, sizeof(count)) != sizeof(count))
		return 0;
	return count;
}

TEST_F(region, notify_commit)
{
	size_t page = self->page;
	int fd = eventfd(0, EFD_NONBLOCK), copy = dup(fd);

	ASSERT_GE(fd, 0);
	ASSERT_EQ(0, privheap_region_notify(self->base, PRIVHEAP_RESOURCE_COMMIT,
					    6 * page, fd, 0));
	FAILS(EEXIST, privheap_region_notify(self->base,
					     PRIVHEAP_RESOURCE_COMMIT,
					     6 * page, fd, 0));
	EXPECT_EQ(0, signals(fd));
	privheap_region_grow(self->base, 5 * page, 0);
	EXPECT_EQ(0, signals(fd));
	privheap_region_grow(self->base, 6 * page, 0);
	EXPECT_EQ(1, signals(fd));
	privheap_region_grow(self->base, 8 * page, 0);
	EXPECT_EQ(0, signals(fd));
	privheap_region_decommit(self->base, 0, 3 * page);
	EXPECT_EQ(1, signals(fd));

	/* closing the descriptor does not end it */
	close(fd);
	privheap_region_grow(self->base, 8 * page, 0);
	EXPECT_EQ(1, signals(copy));
	EXPECT_EQ(0, privheap_region_notify(self->base,
					    PRIVHEAP_RESOURCE_COMMIT,
					    6 * page, copy,
					    PRIVHEAP_NOTIFY_REMOVE));
	FAILS(ENOENT, privheap_region_notify(self->base,
					     PRIVHEAP_RESOURCE_COMMIT,
					     6 * page, copy,
					     PRIVHEAP_NOTIFY_REMOVE));
	privheap_region_decommit(self->base, 0, 8 * page);
	EXPECT_EQ(0, signals(copy));
	close(copy);
}

TEST_F(region, notify_full_counter_does_not_block)
{
	int fd = eventfd(0, 0);

	ASSERT_EQ(0, privheap_region_notify(self->base, PRIVHEAP_RESOURCE_COMMIT,
					    5 * self->page, fd, 0));
	ASSERT_EQ(0, eventfd_write(fd, UINT64_MAX - 1));
	EXPECT_EQ(0, privheap_region_grow(self->base, 5 * self->page, 0));
	close(fd);
}

TEST_F(region, notify_refuses)
{
	size_t page = self->page;
	int fd = eventfd(0, EFD_NONBLOCK), pipes[2];
	const unsigned int commit = PRIVHEAP_RESOURCE_COMMIT;

	ASSERT_EQ(0, pipe(pipes));
	FAILS(EBADF, privheap_region_notify(self->base, commit, page, -1, 0));
	FAILS(EINVAL, privheap_region_notify(self->base, commit, page,
					     pipes[0], 0));
	FAILS(EINVAL, privheap_region_notify(self->base, commit, 0, fd, 0));
	FAILS(EINVAL, privheap_region_notify(self->base, commit, page + 1, fd,
					     0));
	FAILS(EINVAL, privheap_region_notify(self->base, commit, 17 * page, fd,
					     0));
	FAILS(EINVAL, privheap_region_notify(self->base, 2, page, fd, 0));
	FAILS(EINVAL, privheap_region_notify(self->base, commit, page, fd, 2));
	FAILS(ENOENT, privheap_region_notify(self->base + page, commit, page,
					     fd, 0));
	if (is_anonymous())
		FAILS(ENOTSUP, privheap_region_notify(self->base,
						      PRIVHEAP_RESOURCE_RESIDENT,
						      page, fd, 0));

	for (int i = 0; i < PRIVHEAP_NOTIFY_MAX; i++) {
		int one = eventfd(0, EFD_NONBLOCK);

		ASSERT_EQ(0, privheap_region_notify(self->base, commit, page,
						    one, 0));
		close(one);
	}
	FAILS(ENOSPC, privheap_region_notify(self->base, commit, page, fd, 0));
	close(fd);
}

TEST_F(region, notify_closed_behind_our_back)
{
	int fd = eventfd(0, EFD_NONBLOCK), pipes[2];
	char byte;

	ASSERT_EQ(0, privheap_region_notify(self->base, PRIVHEAP_RESOURCE_COMMIT,
					    5 * self->page, fd, 0));
	for (int i = 3; i < 64; i++)
		close(i);
	/* takes the numbers that were the watch's and the device's */
	for (int i = 0; i < 8; i++)
		ASSERT_EQ(0, pipe2(pipes, O_NONBLOCK));
	EXPECT_EQ(0, privheap_region_grow(self->base, 5 * self->page, 0));
	for (int i = 3; i < 3 + 16; i++)
		EXPECT_NE(1, read(i, &byte, 1));
}

TEST_F(region, not_inherited)
{
	struct privheap_region_info info;
	int status;
	pid_t pid;
	void *mine;

	for (int raw = 0; raw < 2; raw++) {
		pid = raw ? syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0) : fork();
		ASSERT_GE(pid, 0);
		if (!pid) {
			EXPECT_EQ(SIGSEGV, write_at(self->base));
			FAILS(ENOENT, privheap_region_query(self->base, &info));
			EXPECT_EQ(0, privheap_query_process(&info));
			EXPECT_EQ(0, info.regions);
			EXPECT_EQ(0, info.committed);
			mine = privheap_region_create(self->page, self->page,
						      0, 0);
			EXPECT_NE(NULL, mine);
			EXPECT_EQ(0, privheap_region_destroy(mine));
			_exit(__test_passed(_metadata) ? 0 : 1);
		}
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		EXPECT_EQ(0, status);
	}
	EXPECT_EQ(4 * self->page, info_of(self->base).committed);
	/* holes and what fills them are not inherited either */
	privheap_region_decommit(self->base, self->page, self->page);
	privheap_region_commit(self->base, self->page, self->page, 0);
	self->base[self->page] = 1;
	pid = fork();
	if (!pid)
		_exit(write_at(self->base + self->page) == SIGSEGV ? 0 : 1);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
}

TEST_F(region, exec_flag)
{
#if defined(__x86_64__) || defined(__i386__)
	static const unsigned char code[] = { 0xb8, 42, 0, 0, 0, 0xc3 };
	volatile int got = 0;
	char *base = privheap_region_create(2 * self->page, self->page, 0,
					    PRIVHEAP_CREATE_EXEC);

	ASSERT_NE(NULL, base);
	memcpy(base, code, sizeof(code));
	EXPECT_EQ(42, ((int (*)(void))(uintptr_t)base)());
	EXPECT_EQ(0, privheap_region_grow(base, 2 * self->page, 0));
	memcpy(base + self->page, code, sizeof(code));
	EXPECT_EQ(42, ((int (*)(void))(uintptr_t)(base + self->page))());
	privheap_region_destroy(base);

	memcpy(self->base, code, sizeof(code));
	signal(SIGSEGV, on_fault);
	if (!sigsetjmp(fault_jump, 1))
		got = ((int (*)(void))(uintptr_t)self->base)();
	EXPECT_EQ(0, got);
	if (!is_anonymous())
		EXPECT_EQ(-1, mprotect(self->base, self->page,
				       PROT_READ | PROT_EXEC));
#else
	SKIP(return, "no machine code for this machine");
#endif
}

static void *churn(void *arg)
{
	size_t page = sysconf(_SC_PAGESIZE);
	uintptr_t errors = 0;

	(void)arg;
	for (int i = 0; i < 300; i++) {
		char *base = privheap_region_create(32 * page, page, 0, 0);

		if (!base) {
			errors++;
			continue;
		}
		errors += !!privheap_region_grow(base, 8 * page, 0);
		base[7 * page] = 1;
		errors += !!privheap_region_decommit(base, 2 * page, page);
		errors += info_of(base).committed != 7 * page;
		errors += !!privheap_region_destroy(base);
	}
	return (void *)errors;
}

TEST_F(region, threads)
{
	struct privheap_region_info info;
	pthread_t threads[4];
	void *errors;

	for (int i = 0; i < 4; i++)
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, churn, NULL));
	for (int i = 0; i < 4; i++) {
		pthread_join(threads[i], &errors);
		EXPECT_EQ(NULL, errors);
	}
	ASSERT_EQ(0, privheap_query_process(&info));
	EXPECT_EQ(1, info.regions);
	EXPECT_EQ(4 * self->page, info.committed);
}

TEST_HARNESS_MAIN
