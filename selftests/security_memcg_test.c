// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a program makes the kernel hold is paid for by its memory cgroup: pages, and
 * what describes them. No descriptor, and no move, is a way round its limit.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "privheap_fixture.h"

#define ROOT		"/sys/fs/cgroup"
/* As they are on kernels without any checks; with them they are larger. */
#define EXTENT_SIZE	40
#define REGION_SIZE	1024
#define WATCH_SIZE	40

/* Run the function in a child in a cgroup of its own; it exits with its result. */
static void in_cgroup(struct __test_metadata *_metadata, int fd, const char *name,
		      const char *max, int (*function)(int fd, const char *path),
		      bool may_be_killed)
{
	char path[256];
	int status;
	pid_t child;
	long long limit;

	if (ph_cgroup_make(name, path, sizeof(path)))
		SKIP(return, "no memory cgroups of the second version");
	if (max) {
		ASSERT_EQ(0, ph_cgroup_set(path, "memory.max", max));
		ph_cgroup_set(path, "memory.swap.max", "0");
	}
	child = fork();
	ASSERT_LE(0, child);
	if (!child) {
		if (ph_cgroup_enter(path))
			_exit(100);
		_exit(function(fd, path));
	}
	ASSERT_EQ(child, waitpid(child, &status, 0));
	if (!may_be_killed || !WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL)
		EXPECT_EQ(0, status) {
			TH_LOG("wait status %#x", status);
		}
	limit = ph_cgroup_get(path, "memory.max");
	if (max && ph_cgroup_get(path, "memory.peak") > 0)
		EXPECT_LE(ph_cgroup_get(path, "memory.peak"), limit);
	ph_cgroup_remove(path);
}

static long long slab(const char *path)
{
	return ph_cgroup_stat(path, "memory.stat", "slab");
}

#define EXTENTS		20000

static int pay_for_extents(int fd, const char *path)
{
	long long before, after;
	char *base;

	if (ph_create(fd, 2 * EXTENTS * PAGE, 0, 0, &base))
		return 1;
	before = slab(path);
	for (uint64_t i = 0; i < EXTENTS; i++)
		if (ph_commit(fd, base, 2 * i * PAGE, PAGE, 0))
			return 2;
	after = slab(path);
	if (after - before < EXTENTS * EXTENT_SIZE * 9 / 10)
		return 3;
	return ph_destroy(fd, base) ? 4 : 0;
}

TEST_F(privheap, extents_are_paid_for)
{
	in_cgroup(_metadata, self->fd, "extents", NULL, pay_for_extents, false);
}

#define REGIONS		1000

static int pay_for_regions(int fd, const char *path)
{
	long long before = slab(path), after;
	char *base;

	for (int i = 0; i < REGIONS; i++)
		if (ph_create(fd, PAGE, 0, 0, &base))
			return 2;
	after = slab(path);
	return after - before < REGIONS * REGION_SIZE ? 3 : 0;
}

TEST_F(privheap, regions_are_paid_for)
{
	in_cgroup(_metadata, self->fd, "regions", NULL, pay_for_regions, false);
}

static int pay_for_watches(int fd, const char *path)
{
	int eventfd_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	char *base[100];
	long long before, after;

	for (int i = 0; i < 100; i++)
		if (ph_create(fd, MIB, 0, 0, &base[i]))
			return 1;
	before = slab(path);
	for (int i = 0; i < 100; i++)
		for (uint64_t k = 1; k <= PRIVHEAP_NOTIFY_MAX; k++)
			if (ph_notify(fd, base[i], PRIVHEAP_RESOURCE_COMMIT, k * PAGE,
				      eventfd_fd, 0))
				return 2;
	after = slab(path);
	return after - before < 100 * PRIVHEAP_NOTIFY_MAX * WATCH_SIZE * 9 / 10 ? 3 : 0;
}

TEST_F(privheap, watches_are_paid_for)
{
	in_cgroup(_metadata, self->fd, "watches", NULL, pay_for_watches, false);
}

/* Without end: it is refused, or killed in its own cgroup, and nobody else is. */
static int extents_without_end(int fd, const char *path)
{
	char *base;
	int ret = 0;

	if (ph_create(fd, 16 * GIB, 0, 0, &base))
		return 1;
	for (uint64_t at = 0; at < 16 * GIB && !ret; at += 2 * PAGE)
		ret = ph_commit(fd, base, at, PAGE, 0);
	/* At the system's limit on commit, before that of the cgroup: no test. */
	return ret == -ENOMEM ? 0 : 2;
}

TEST_F(privheap, limit_holds_for_extents)
{
	in_cgroup(_metadata, self->fd, "endless", "6M", extents_without_end, true);
}

static int regions_without_end(int fd, const char *path)
{
	char *base;
	int ret = 0;

	for (int i = 0; i < 60000 && !ret; i++)
		ret = ph_create(fd, PAGE, 0, 0, &base);
	return ret == -ENOMEM ? 0 : 2;
}

TEST_F(privheap, limit_holds_for_regions)
{
	in_cgroup(_metadata, self->fd, "many", "12M", regions_without_end, true);
}

/* The device was opened outside, by a process that has no limit. */
static int pages_by_a_descriptor(int fd, const char *path)
{
	char *base;

	if (ph_create(fd, 64 * MIB, 64 * MIB, 0, &base) != -ENOMEM)
		return 1;
	if (ph_create(fd, 64 * MIB, 4 * MIB, 0, &base))
		return 2;
	if (ph_cgroup_get(path, "memory.current") < (long long)(4 * MIB))
		return 3;
	return ph_grow(fd, base, 64 * MIB, PRIVHEAP_COMMIT_POPULATE) != -ENOMEM ? 4 : 0;
}

TEST_F(privheap, descriptor_from_outside)
{
	in_cgroup(_metadata, self->fd, "descriptor", "16M", pages_by_a_descriptor, false);
}

/* A region stays what its first cgroup pays for, and that cgroup's limit stays. */
static int pages_after_a_move(int fd, const char *path)
{
	struct privheap_query query;
	char *base;
	int ret;

	if (ph_create(fd, 64 * MIB, 4 * MIB, 0, &base) ||
	    ph_cgroup_set(ROOT, "cgroup.procs", "0"))
		return 1;
	ret = ph_grow(fd, base, 64 * MIB, PRIVHEAP_COMMIT_POPULATE);
	if (ret != -ENOMEM || ph_grow(fd, base, 64 * MIB, 0))
		return 2;
	ret = 0;
	for (uint64_t at = 0; at < 64 * MIB && !ret; at += PAGE)
		ret = ph_write(base + at, 1);
	query = ph_region(fd, base);
	if (ret != SIGBUS || query.out_resident > 16 * MIB)
		return 3;
	return ph_cgroup_get(path, "memory.current") > (long long)(16 * MIB) ? 4 : 0;
}

TEST_F(privheap, moved_away)
{
	in_cgroup(_metadata, self->fd, "moved", "16M", pages_after_a_move, false);
}

TEST_HARNESS_MAIN
