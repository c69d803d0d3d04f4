// SPDX-License-Identifier: GPL-2.0-only
/*
 * What was in memory before is seen by nobody: a page of a region is zero however it
 * is had, and what a region held is not in what others get afterwards. It can only
 * fail on a kernel that does not zero pages by itself: boot it with init_on_alloc=0
 * and init_on_free=0.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "privheap_fixture.h"

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ	22
#endif

/* Fills much of what is free, and gives it back. */
#define STALE		(96 * MIB)
#define RESERVE		(16 * MIB)
#define SECRET		0x5a

static bool make_stale(void)
{
	char *memory = mmap(NULL, STALE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			    -1, 0);

	if (memory == MAP_FAILED)
		return false;
	memset(memory, SECRET, STALE);
	return !munmap(memory, STALE);
}

static char *lazy(int fd)
{
	char *base;

	return ph_create(fd, RESERVE, RESERVE, PRIVHEAP_CREATE_LAZY, &base) ? NULL : base;
}

TEST_F(privheap, by_a_touch)
{
	char *base;

	ASSERT_TRUE(make_stale());
	base = lazy(self->fd);
	ASSERT_NE(NULL, base);
	/* In a sequence, which takes larger folios; and each alone. */
	EXPECT_TRUE(ph_zero(base, 6 * MIB));
	for (uint64_t at = RESERVE - PAGE; at >= 8 * MIB; at -= 3 * PAGE)
		ASSERT_TRUE(ph_zero(base + at, PAGE));
	/* A write to one byte leaves the rest of the page zero. */
	base[7 * MIB + 5] = 1;
	EXPECT_TRUE(ph_zero(base + 7 * MIB, 5));
	EXPECT_TRUE(ph_zero(base + 7 * MIB + 6, PAGE - 6));
}

TEST_F(privheap, by_populate)
{
	char *base;

	ASSERT_TRUE(make_stale());
	ASSERT_EQ(0, ph_create(self->fd, RESERVE, 3 * MIB + PAGE, 0, &base));
	EXPECT_TRUE(ph_zero(base, 3 * MIB + PAGE));
	ASSERT_EQ(0, ph_grow(self->fd, base, 6 * MIB, PRIVHEAP_COMMIT_POPULATE));
	ASSERT_EQ(0, ph_commit(self->fd, base, 9 * MIB, 5 * PAGE, PRIVHEAP_COMMIT_POPULATE));
	EXPECT_TRUE(ph_zero(base, 6 * MIB));
	EXPECT_TRUE(ph_zero(base + 9 * MIB, 5 * PAGE));
}

/* The kernel is the first to touch, for somebody. */
TEST_F(privheap, by_the_kernel)
{
	static char buffer[64 * 4096];
	struct iovec here = { buffer, sizeof(buffer) }, there;
	int pipes[2], mem;
	char *base;

	ASSERT_TRUE(make_stale());
	base = lazy(self->fd);
	ASSERT_NE(NULL, base);
	there.iov_base = base;
	there.iov_len = sizeof(buffer);
	memset(buffer, 1, sizeof(buffer));
	ASSERT_EQ(sizeof(buffer), process_vm_readv(getpid(), &here, 1, &there, 1, 0));
	EXPECT_TRUE(ph_zero(buffer, sizeof(buffer)));

	mem = open("/proc/self/mem", O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, mem);
	memset(buffer, 1, sizeof(buffer));
	ASSERT_EQ(sizeof(buffer), pread(mem, buffer, sizeof(buffer), TO_BASE(base + 2 * MIB)));
	EXPECT_TRUE(ph_zero(buffer, sizeof(buffer)));
	close(mem);

	ASSERT_EQ(0, pipe(pipes));
	memset(buffer, 1, sizeof(buffer));
	ASSERT_EQ(16 * PAGE, write(pipes[1], base + 4 * MIB, 16 * PAGE));
	ASSERT_EQ(16 * PAGE, read(pipes[0], buffer, 16 * PAGE));
	EXPECT_TRUE(ph_zero(buffer, 16 * PAGE));

	ASSERT_EQ(0, madvise(base + 6 * MIB, MIB, MADV_POPULATE_READ));
	EXPECT_TRUE(ph_zero(base + 6 * MIB, MIB));
}

/* By the debugger of a process that has never touched it. */
TEST_F(privheap, by_another_process)
{
	static char buffer[64 * 4096];
	struct iovec here = { buffer, sizeof(buffer) }, there;
	int up[2], down[2];
	char *base, byte;
	pid_t child;

	ASSERT_TRUE(make_stale());
	ASSERT_EQ(0, pipe(up));
	ASSERT_EQ(0, pipe(down));
	child = fork();
	ASSERT_LE(0, child);
	if (!child) {
		close(down[1]);
		base = lazy(self->fd);
		if (!base || write(up[1], &base, sizeof(base)) != sizeof(base))
			_exit(1);
		_exit(read(down[0], &byte, 1) == 0 ? 0 : 2);
	}
	ASSERT_EQ(sizeof(base), read(up[0], &base, sizeof(base)));
	there.iov_base = base + MIB;
	there.iov_len = sizeof(buffer);
	memset(buffer, 1, sizeof(buffer));
	EXPECT_EQ(sizeof(buffer), process_vm_readv(child, &here, 1, &there, 1, 0));
	EXPECT_TRUE(ph_zero(buffer, sizeof(buffer)));
	close(down[1]);
	EXPECT_EXITED(0, child);
}

/* The same addresses again, after they were given back. */
TEST_F(privheap, after_a_decommit)
{
	static const uint64_t lengths[] = { PAGE, 3 * PAGE, 16 * PAGE, MIB, 2 * MIB };
	char *base;

	ASSERT_EQ(0, ph_create(self->fd, RESERVE, 8 * MIB, 0, &base));
	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
		uint64_t at = (2 * i + 1) * 31 * PAGE;

		memset(base, SECRET, 8 * MIB);
		ASSERT_EQ(0, ph_decommit(self->fd, base, at, lengths[i]));
		ASSERT_EQ(0, ph_commit(self->fd, base, at, lengths[i],
				       i & 1 ? PRIVHEAP_COMMIT_POPULATE : 0));
		EXPECT_TRUE(ph_zero(base + at, lengths[i]));
		EXPECT_TRUE(ph_all(base, at, SECRET));
		EXPECT_TRUE(ph_all(base + at + lengths[i], 8 * MIB - at - lengths[i], SECRET));
	}
}

/* A region's pages go to another region, and to whoever asks for memory. */
TEST_F(privheap, in_what_others_get)
{
	char *base, *memory;

	for (int round = 0; round < 3; round++) {
		ASSERT_EQ(0, ph_create(self->fd, RESERVE, RESERVE, 0, &base));
		memset(base, SECRET, RESERVE);
		ASSERT_EQ(0, ph_destroy(self->fd, base));
		ASSERT_EQ(0, ph_create(self->fd, RESERVE, RESERVE, 0, &base));
		EXPECT_TRUE(ph_zero(base, RESERVE));
		memset(base, SECRET, RESERVE);
		ASSERT_EQ(0, ph_destroy(self->fd, base));
		memory = mmap(NULL, RESERVE, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		ASSERT_NE(MAP_FAILED, memory);
		EXPECT_TRUE(ph_zero(memory, RESERVE));
		munmap(memory, RESERVE);
	}
}

/* Who has a page pinned keeps it, with what is in it; the region's new page is zero. */
TEST_F(privheap, a_pin_keeps_what_it_had)
{
	static char buffer[4096];
	struct iovec part;
	int pipes[2];
	char *base;

	ASSERT_EQ(0, ph_create(self->fd, RESERVE, PAGE, 0, &base));
	memset(base, SECRET, PAGE);
	ASSERT_EQ(0, pipe(pipes));
	part.iov_base = base;
	part.iov_len = PAGE;
	ASSERT_EQ(PAGE, vmsplice(pipes[1], &part, 1, 0));
	ASSERT_EQ(0, ph_decommit(self->fd, base, 0, PAGE));
	ASSERT_EQ(0, ph_commit(self->fd, base, 0, PAGE, PRIVHEAP_COMMIT_POPULATE));
	EXPECT_TRUE(ph_zero(base, PAGE));
	memset(base, 1, PAGE);
	ASSERT_EQ(PAGE, read(pipes[0], buffer, PAGE));
	EXPECT_TRUE(ph_all(buffer, PAGE, SECRET));
}

TEST_HARNESS_MAIN
