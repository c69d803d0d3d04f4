// SPDX-License-Identifier: GPL-2.0-only
/*
 * Each allocation of each ioctl fails once: the call answers ENOMEM and has changed
 * nothing, or it could do without. The same for what unmaps, opens and forks.
 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "fail_fixture.h"

#define RESERVE		(16 * MIB)
#define SOME_UID	54331

/* --- what there is before */

/* 16 pages are committed and there, and 16 pages further up are committed. */
static int partly_lazy_region(struct fail_world *world)
{
	int ret = ph_create(world->fd, RESERVE, 16 * PAGE, 0, &world->base);

	if (ret)
		return ret;
	world->pattern = 8 * PAGE;
	world->letter = 'p';
	memset(world->base, world->letter, world->pattern);
	return ph_commit(world->fd, world->base, 64 * PAGE, 16 * PAGE, 0);
}

/* They are there as well. */
static int some_region(struct fail_world *world)
{
	int ret = partly_lazy_region(world);

	return ret ?: ph_commit(world->fd, world->base, 64 * PAGE, 16 * PAGE,
				PRIVHEAP_COMMIT_POPULATE);
}

/* Large folios, where there are any: at its start, and one more. */
static int huge_region(struct fail_world *world)
{
	int ret = ph_create(world->fd, RESERVE, 4 * MIB, 0, &world->base);

	world->pattern = ret ? 0 : MIB;
	world->letter = 'q';
	if (!ret)
		memset(world->base, world->letter, world->pattern);
	return ret;
}

/* As some_region(), in mappings of several kinds, and with a hole. */
static int parted_region(struct fail_world *world)
{
	int ret = some_region(world);

	if (ret)
		return ret;
	if (mprotect(world->base + 64 * PAGE, 4 * PAGE, PROT_READ) ||
	    munmap(world->base + 100 * PAGE, 2 * PAGE) ||
	    mprotect(world->base + 2 * MIB, MIB, PROT_NONE))
		return -errno;
	return 0;
}

static int watched_region(struct fail_world *world)
{
	int ret = some_region(world);

	return ret ?: ph_notify(world->fd, world->base, COMMIT, 40 * PAGE, world->value, 0);
}

static int forkable_region(struct fail_world *world)
{
	int ret = some_region(world);

	return ret ?: madvise(world->base, RESERVE, MADV_DOFORK) ? -errno : 0;
}

static int no_device(struct fail_world *world)
{
	if (world->fd >= 0)
		close(world->fd);
	world->fd = -1;
	return 0;
}

/* --- calls */

#define CALL(name, expression)						\
static int name(struct fail_world *world)				\
{									\
	return expression;						\
}

#define CREATE(reserve, commit, flags)					\
	ph_create(world->fd, reserve, commit, flags, &world->base)

CALL(create, CREATE(RESERVE, 0, 0))
CALL(create_lazy, CREATE(RESERVE, 4 * PAGE, PRIVHEAP_CREATE_LAZY))
CALL(create_exec, CREATE(RESERVE, 4 * PAGE, PRIVHEAP_CREATE_EXEC))
CALL(create_odd, CREATE(RESERVE, 7 * PAGE, 0))
CALL(create_huge, CREATE(RESERVE, 4 * MIB + 3 * PAGE, 0))
CALL(create_limit, ph_create_limit(world->fd, RESERVE, PAGE, MIB, 0, &world->base))
CALL(grow, ph_grow(world->fd, world->base, 20 * PAGE, 0))
CALL(grow_all, ph_grow(world->fd, world->base, RESERVE, 0))
CALL(grow_populate, ph_grow(world->fd, world->base, 90 * PAGE, PRIVHEAP_COMMIT_POPULATE))
CALL(grow_huge, ph_grow(world->fd, world->base, 8 * MIB, PRIVHEAP_COMMIT_POPULATE))
CALL(commit_apart, ph_commit(world->fd, world->base, 32 * PAGE, PAGE, 0))
CALL(commit_joined, ph_commit(world->fd, world->base, 8 * PAGE, 70 * PAGE, 0))
CALL(commit_populate, ph_commit(world->fd, world->base, 12 * PAGE, 60 * PAGE,
				PRIVHEAP_COMMIT_POPULATE))
CALL(commit_again, ph_commit(world->fd, world->base, 64 * PAGE, 16 * PAGE,
			     PRIVHEAP_COMMIT_POPULATE))
CALL(decommit_inside, ph_decommit(world->fd, world->base, 70 * PAGE, 2 * PAGE))
CALL(decommit_page, ph_decommit(world->fd, world->base, 9 * PAGE, PAGE))
CALL(decommit_over, ph_decommit(world->fd, world->base, 12 * PAGE, 60 * PAGE))
CALL(decommit_of_huge, ph_decommit(world->fd, world->base, MIB + PAGE, PAGE))
CALL(decommit_of_two, ph_decommit(world->fd, world->base, MIB, 2 * MIB))
CALL(destroy, ph_destroy(world->fd, world->base))
CALL(limit_region, limit_set(world->fd, world->base, COMMIT, PRIVHEAP_SET_SOFT, MIB))
CALL(limit_process, limit_set(world->fd, NULL, COMMIT, PRIVHEAP_SET_HARD, GIB))
CALL(notify, ph_notify(world->fd, world->base, COMMIT, 2 * MIB, world->value, 0))
CALL(notify_remove, ph_notify(world->fd, world->base, COMMIT, 40 * PAGE, world->value,
			      PRIVHEAP_NOTIFY_REMOVE))
CALL(unmap_end, munmap(world->base + 72 * PAGE, RESERVE - 72 * PAGE) ? -errno : 0)
CALL(unmap_middle, munmap(world->base + 68 * PAGE, 4 * PAGE) ? -errno : 0)
CALL(protect_middle, mprotect(world->base + 68 * PAGE, 4 * PAGE, PROT_READ) ? -errno : 0)

static int ask(struct fail_world *world, const void *base, uint32_t flags)
{
	struct privheap_query query;

	return ph_query(world->fd, base, flags, &query);
}

CALL(query, ask(world, world->base, 0))
CALL(query_process, ask(world, NULL, PRIVHEAP_QUERY_PROCESS))
CALL(query_system, ask(world, NULL, PRIVHEAP_QUERY_SYSTEM))

static int open_device(struct fail_world *world)
{
	int fd = ph_open();

	if (fd < 0)
		return fd;
	world->fd = fd;
	return 0;
}

static int fork_child(struct fail_world *world)
{
	pid_t child = fork();
	int status;

	if (child < 0)
		return -errno;
	if (!child)
		_exit(ph_read(world->base) == SIGSEGV ? 0 : 1);
	return waitpid(child, &status, 0) == child && !status ? 0 : -ECHILD;
}

/* --- what there is afterwards */

#define COMMITTED(name, pages)						\
CALL(name, ph_committed(world->fd, world->base) != (pages) * PAGE)

COMMITTED(has_none, 0)
COMMITTED(has_1, 1)
COMMITTED(has_4, 4)
COMMITTED(has_33, 33)
COMMITTED(has_36, 36)
COMMITTED(has_all, RESERVE / PAGE)
COMMITTED(has_31, 31)
COMMITTED(has_20, 20)
COMMITTED(has_30, 30)
COMMITTED(has_28, 28)
COMMITTED(has_24, 24)
CALL(has_7, ph_resident(world->fd, world->base) != 7 * PAGE)
CALL(has_huge, ph_resident(world->fd, world->base) != 4 * MIB + 3 * PAGE)
CALL(has_8_mib, ph_resident(world->fd, world->base) != 8 * MIB)
CALL(has_90, ph_resident(world->fd, world->base) != 90 * PAGE)
CALL(has_80, ph_resident(world->fd, world->base) != 80 * PAGE)
CALL(has_32, ph_resident(world->fd, world->base) != 32 * PAGE)
CALL(lost_a_page, ph_resident(world->fd, world->base) != 4 * MIB - PAGE)
CALL(lost_half, ph_resident(world->fd, world->base) != 2 * MIB)
CALL(has_soft, limit_get(world->fd, world->base, COMMIT).out_soft != MIB)
CALL(has_hard, limit_get(world->fd, NULL, COMMIT).out_hard != GIB)
CALL(is_gone, ask(world, world->base, 0) != -ENOENT)

static void unlimited(struct fail_world *world)
{
	limit_set(world->fd, NULL, COMMIT, PRIVHEAP_SET_HARD, PRIVHEAP_NO_LIMIT);
}

#define NO_MEMORY	.allowed = { -ENOMEM }
/* The struct cannot be read: nothing is done. */
#define UNDONE		.allowed = { -ENOMEM, -EFAULT }
/* It cannot be read, or not be given back: then it may be done. */
#define DONE_OR_NOT	.allowed = { -ENOMEM }, .changed = { -EFAULT }

static const struct fail_case creates[] = {
	{ "create", NULL, create, has_none, NULL, 7, DONE_OR_NOT },
	{ "create, lazy", NULL, create_lazy, has_4, NULL, 7, DONE_OR_NOT },
	{ "create, exec", NULL, create_exec, has_4, NULL, 7, DONE_OR_NOT },
	{ "create, 7 pages", NULL, create_odd, has_7, NULL, 7, DONE_OR_NOT },
	{ "create, huge", NULL, create_huge, has_huge, NULL, 7, DONE_OR_NOT },
	{ "create, limited", NULL, create_limit, has_1, NULL, 7, DONE_OR_NOT },
};

static const struct fail_case calls[] = {
	{ "grow", some_region, grow, has_36, NULL, 0, DONE_OR_NOT },
	{ "grow, all", some_region, grow_all, has_all, NULL, 0, DONE_OR_NOT },
	{ "grow, populate", some_region, grow_populate, has_90, NULL, 6, DONE_OR_NOT },
	/* Pages of what was committed before may stay. */
	{ "grow, populate more", partly_lazy_region, grow_populate, has_90, NULL, 6,
	  .changed = { -ENOMEM, -EFAULT } },
	{ "grow, huge", huge_region, grow_huge, has_8_mib, NULL, 2, DONE_OR_NOT },
	{ "commit, apart", some_region, commit_apart, has_33, NULL, 1, DONE_OR_NOT },
	{ "commit, joined", some_region, commit_joined, NULL, NULL, 0, DONE_OR_NOT },
	{ "commit, populate", some_region, commit_populate, has_80, NULL, 3, DONE_OR_NOT },
	{ "commit, again", partly_lazy_region, commit_again, has_32, NULL, 1, DONE_OR_NOT },
	{ "decommit, inside", some_region, decommit_inside, has_30, NULL, 1, DONE_OR_NOT },
	{ "decommit, a page", some_region, decommit_page, has_31, NULL, 1, DONE_OR_NOT },
	{ "decommit, over", some_region, decommit_over, has_20, NULL, 1, DONE_OR_NOT },
	{ "decommit, of huge", huge_region, decommit_of_huge, lost_a_page, NULL, 1,
	  DONE_OR_NOT },
	{ "decommit, of two", huge_region, decommit_of_two, lost_half, NULL, 1, DONE_OR_NOT },
	{ "query", some_region, query, NULL, NULL, 0, .allowed = { -EFAULT } },
	{ "query, process", some_region, query_process, NULL, NULL, 0, .allowed = { -EFAULT } },
	{ "query, system", some_region, query_system, NULL, NULL, 0, .allowed = { -EFAULT } },
	{ "notify", some_region, notify, NULL, NULL, 1, UNDONE },
	{ "notify, remove", watched_region, notify_remove, NULL, NULL, 0, .allowed = { -EFAULT } },
	{ "limit", some_region, limit_region, has_soft, NULL, 0, DONE_OR_NOT },
	{ "limit, process", NULL, limit_process, has_hard, unlimited, 0, DONE_OR_NOT },
	{ "destroy", some_region, destroy, is_gone, NULL, 1, UNDONE },
	{ "destroy, huge", huge_region, destroy, is_gone, NULL, 1, UNDONE },
};

/* The same where nobody knew the process. */
static const struct fail_case first_calls[] = {
	{ "query, first", NULL, query_process, NULL, NULL, 1, UNDONE },
	{ "limit, first", NULL, limit_process, has_hard, unlimited, 1, DONE_OR_NOT },
};

/* What the kernel does with a mapping, and what the module does then. */
static const struct fail_case mappings[] = {
	{ "munmap, end", some_region, unmap_end, has_24, NULL, 1, NO_MEMORY },
	{ "munmap, middle", some_region, unmap_middle, has_28, NULL, 2, NO_MEMORY },
	{ "mprotect, middle", some_region, protect_middle, NULL, NULL, 2, NO_MEMORY },
	{ "fork", forkable_region, fork_child, NULL, NULL, 20,
	  .allowed = { -ENOMEM, -EAGAIN } },
};

/* The rest in a child: it has the device from its parent, and nobody knows it. */
#define IN_CHILD(block) do {						\
	pid_t _child = fork();						\
									\
	ASSERT_LE(0, _child);						\
	if (!_child) {							\
		block							\
		_exit(__test_passed(_metadata) ? 0 : 1);		\
	}								\
	EXPECT_EXITED(0, _child);					\
} while (0)

TEST_F(fail, create)
{
	SWEEP_ALL(creates, &self->world);
}

TEST_F(fail, calls)
{
	self->world.value = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	ASSERT_LE(0, self->world.value);
	SWEEP_ALL(calls, &self->world);
}

/* fork(2) has hundreds of allocations. */
TEST_F_TIMEOUT(fail, mappings, 600)
{
	SWEEP_ALL(mappings, &self->world);
}

/*
 * Parts are unmapped one after the other, that at the base last. So what failed can
 * be called again.
 */
TEST_F(fail, destroy_of_parts)
{
	struct fail_world *world = &self->world;
	unsigned int nth;
	bool injected = true;

	for (nth = 1; injected; nth++) {
		int ret;

		ASSERT_EQ(0, parted_region(world));
		fail_nth_arm(nth);
		ret = ph_destroy(world->fd, world->base);
		injected = fail_nth_disarm();
		if (ret) {
			EXPECT_TRUE(ret == -ENOMEM || ret == -EFAULT) {
				TH_LOG("%d", ret);
			}
			EXPECT_EQ(0, ask(world, world->base, 0));
			EXPECT_TRUE(ph_all(world->base, world->pattern, world->letter));
			EXPECT_EQ(0, ph_destroy(world->fd, world->base));
		}
		EXPECT_EQ(-ENOENT, ask(world, world->base, 0));
		EXPECT_TRUE(ph_system_is(self->fd, &self->system));
	}
	EXPECT_LE(2, nth - 2);
	TH_LOG("destroy of parts: %u allocations", nth - 2);
}

/* The device is open elsewhere, and nowhere, so that nothing is mounted. */
TEST_F(fail, open)
{
	const struct fail_case first = {
		"open", no_device, open_device, query_process, NULL, 10,
		.allowed = { -ENOMEM, -ENFILE },
	};
	const struct fail_case again = {
		"open, once more", no_device, open_device, query_process, NULL, 2,
		.allowed = { -ENOMEM, -ENFILE },
	};

	self->world.fd = dup(self->fd);
	fail_sweep(_metadata, &again, &self->world);
	close(self->fd);
	fail_sweep(_metadata, &first, &self->world);
}

/* Of a process, and of a user, that nobody knew. */
TEST_F(fail, first_of_a_process)
{
	IN_CHILD({
		SWEEP_ALL(creates, &self->world);
		SWEEP_ALL(first_calls, &self->world);
	});
}

TEST_F(fail, first_of_a_user)
{
	IN_CHILD({
		ASSERT_EQ(0, setresuid(SOME_UID, 0, 0));
		SWEEP_ALL(creates, &self->world);
	});
}

/* So deep that the levels need memory of their own, and each cgroup is a new one. */
TEST_F(fail, deep_in_cgroups)
{
	char path[512];
	size_t length;
	int depth;

	if (ph_cgroup_make("fail", path, sizeof(path) - 64))
		SKIP(return, "no cgroup of the second version");
	for (depth = 0; depth < 7; depth++) {
		strcat(path, "/deeper");
		ASSERT_EQ(0, mkdir(path, 0755));
	}
	IN_CHILD({
		ASSERT_EQ(0, ph_cgroup_enter(path));
		SWEEP_ALL(creates, &self->world);
		fail_sweep(_metadata, &calls[2], &self->world);
	});
	for (; depth >= 0; depth--) {
		ph_cgroup_remove(path);
		length = strrchr(path, '/') - path;
		path[length] = '\0';
	}
}

/* Events take memory as well, and without it are lost; the call is as ever. */
TEST_F(fail, while_somebody_listens)
{
	struct nl_socket listener;

	ASSERT_EQ(0, nl_open(&listener));
	ASSERT_EQ(0, nl_listen(&listener));
	SWEEP_ALL(creates, &self->world);
	nl_close(&listener);
}

TEST_HARNESS_MAIN
