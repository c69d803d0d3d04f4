// SPDX-License-Identifier: GPL-2.0-only
/*
 * Each allocation of a page fault fails once: the touch goes well, or is SIGBUS, or
 * the system call that touched tells of it; and nothing is counted that is not
 * there. And all of them fail: nobody is killed, and who waits can be interrupted.
 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "fail_fixture.h"

#define RESERVE		(16 * MIB)

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_READ	22
#define MADV_POPULATE_WRITE	23
#endif

/* Nothing is there yet. */
static int lazy_region(struct fail_world *world)
{
	return ph_create(world->fd, RESERVE, RESERVE, PRIVHEAP_CREATE_LAZY, &world->base);
}

/* A sequence that has begun: the next touch takes a larger folio. */
static int begun_region(struct fail_world *world)
{
	int ret = lazy_region(world);

	if (!ret) {
		world->letter = 's';
		world->pattern = 32 * PAGE;
		memset(world->base, world->letter, world->pattern);
	}
	return ret;
}

static int nearly_huge_region(struct fail_world *world)
{
	int ret = lazy_region(world);

	if (!ret) {
		world->letter = 'h';
		world->pattern = HUGE;
		for (uint64_t at = 0; at < HUGE; at += PAGE)
			memset(world->base + at, world->letter, PAGE);
	}
	return ret;
}

/* The pages are there, and not mapped. */
static int populated_region(struct fail_world *world)
{
	return ph_create(world->fd, RESERVE, 4 * MIB + 3 * PAGE, 0, &world->base);
}

#define CALL(name, expression)						\
static int name(struct fail_world *world)				\
{									\
	return expression;						\
}

CALL(read_first, -ph_read(world->base + 5 * PAGE))
CALL(write_first, -ph_write(world->base + 5 * PAGE, 1))
CALL(write_next, -ph_write(world->base + 32 * PAGE, 1))
CALL(write_huge, -ph_write(world->base + HUGE, 1))
CALL(read_huge, -ph_read(world->base + MIB))
CALL(read_small, -ph_read(world->base + 4 * MIB + PAGE))
CALL(populate_write, madvise(world->base, 20 * PAGE, MADV_POPULATE_WRITE) ? -errno : 0)
CALL(populate_read, madvise(world->base, 20 * PAGE, MADV_POPULATE_READ) ? -errno : 0)

/* The kernel itself touches the page, and cannot be given a signal for it. */
static int read_into(struct fail_world *world)
{
	uint64_t number = 7;
	int ret;

	/* The number is taken out of it before it is found that it cannot be given. */
	if (write(world->value, &number, sizeof(number)) != sizeof(number))
		return -EIO;
	ret = read(world->value, world->base + 5 * PAGE, sizeof(number)) < 0 ? -errno : 0;
	return ret;
}

/* As another process, or a debugger, would. */
static int readv_of(struct fail_world *world)
{
	char text[32] = "some text";
	struct iovec here = { text, sizeof(text) };
	struct iovec there = { world->base + 5 * PAGE, sizeof(text) };

	return process_vm_writev(getpid(), &here, 1, &there, 1, 0) < 0 ? -errno : 0;
}

static int write_proc(struct fail_world *world)
{
	off_t at = TO_BASE(world->base + 5 * PAGE);

	return pwrite(world->id, "text", 5, at) < 0 ? -errno : 0;
}

#define RESIDENT_IS(name, least, most)					\
static int name(struct fail_world *world)				\
{									\
	uint64_t resident = ph_resident(world->fd, world->base);	\
									\
	return resident < (least) || resident > (most);			\
}

RESIDENT_IS(one_page, PAGE, PAGE)
RESIDENT_IS(twenty_pages, 20 * PAGE, 64 * PAGE)
RESIDENT_IS(some_more, 33 * PAGE, 64 * PAGE)
RESIDENT_IS(much_more, HUGE + PAGE, 2 * HUGE)
RESIDENT_IS(as_populated, 4 * MIB + 3 * PAGE, 4 * MIB + 3 * PAGE)

#define KERNEL_TOUCH	.allowed = { -ENOMEM, -EFAULT }

/* The kernel tries once more itself, so that a program sees none of it. */
static const struct fail_case touches[] = {
	{ "read", lazy_region, read_first, one_page, NULL, 2, .allowed = { -SIGBUS } },
	{ "write", lazy_region, write_first, one_page, NULL, 2, .allowed = { -SIGBUS } },
	{ "write, in a sequence", begun_region, write_next, some_more, NULL, 1,
	  .allowed = { -SIGBUS } },
	{ "write, huge", nearly_huge_region, write_huge, much_more, NULL, 2,
	  .allowed = { -SIGBUS } },
	{ "read, huge and there", populated_region, read_huge, as_populated, NULL, 0,
	  .allowed = { -SIGBUS } },
	{ "read, small and there", populated_region, read_small, as_populated, NULL, 1,
	  .allowed = { -SIGBUS } },
};

static const struct fail_case kernel_touches[] = {
	{ "read(2)", lazy_region, read_into, one_page, NULL, 2, KERNEL_TOUCH },
	{ "process_vm_writev(2)", lazy_region, readv_of, one_page, NULL, 2, KERNEL_TOUCH },
	{ "/proc/self/mem", lazy_region, write_proc, one_page, NULL, 2,
	  .allowed = { -ENOMEM, -EFAULT, -EIO } },
};

/* These may have taken some of the pages already. */
static const struct fail_case populates[] = {
	{ "MADV_POPULATE_WRITE", lazy_region, populate_write, twenty_pages, NULL, 6,
	  .allowed = { -EFAULT }, .changed = { -ENOMEM } },
	{ "MADV_POPULATE_READ", lazy_region, populate_read, twenty_pages, NULL, 6,
	  .allowed = { -EFAULT }, .changed = { -ENOMEM } },
};

TEST_F(fail, touch)
{
	SWEEP_ALL(touches, &self->world);
}

TEST_F(fail, touch_by_the_kernel)
{
	self->world.value = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	self->world.id = open("/proc/self/mem", O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, self->world.value);
	ASSERT_LE(0, (int)self->world.id);
	SWEEP_ALL(kernel_touches, &self->world);
}

TEST_F(fail, populate_by_madvise)
{
	SWEEP_ALL(populates, &self->world);
}

/* On behalf of another cgroup there is nothing to wait for: SIGBUS at once. */
TEST_F(fail, touch_on_behalf_of_another_cgroup)
{
	char path[256];
	pid_t child;

	if (ph_cgroup_make("fault", path, sizeof(path)))
		SKIP(return, "no cgroup of the second version");
	child = fork();
	ASSERT_LE(0, child);
	if (!child) {
		bool bus = false;

		for (unsigned int nth = 1; nth < FAIL_MOST; nth++) {
			char *base;
			int sig;

			if (ph_cgroup_set("/sys/fs/cgroup", "cgroup.procs", "0") ||
			    ph_create(self->fd, MIB, MIB, PRIVHEAP_CREATE_LAZY, &base) ||
			    ph_cgroup_enter(path))
				_exit(2);
			fail_only_from(FAIL_MODULE);
			fail_nth_arm(nth);
			sig = ph_write(base + 5 * PAGE, 1);
			if (!fail_nth_disarm())
				_exit(!sig && bus ? 0 : 3);
			fail_only_from(FAIL_ANY);
			if (sig && (sig != SIGBUS || ph_resident(self->fd, base)))
				_exit(4);
			bus |= sig == SIGBUS;
			if (ph_write(base + 5 * PAGE, 1) || ph_destroy(self->fd, base))
				_exit(5);
		}
		_exit(6);
	}
	EXPECT_EXITED(0, child);
	fail_only_from(FAIL_ANY);
	ph_cgroup_remove(path);
}

/* --- no page is to be had at all */

static long long killed_for_memory(void)
{
	char text[16384], *found;

	if (ph_read_file("/proc/vmstat", text, sizeof(text)) < 0)
		return -1;
	found = strstr(text, "\noom_kill ");
	return found ? strtoll(found + 10, NULL, 10) : -1;
}

static void touch_marked(struct fail_world *world)
{
	if (fail_mark_thread())
		_exit(2);
	alarm(0);
	*(volatile char *)world->base = 1;
	_exit(0);
}

/* The region is the child's own; it tells by @ready that it is about to touch. */
static pid_t start_toucher(struct fail_world *world, int ready)
{
	pid_t child = fork();

	if (child)
		return child;
	signal(SIGBUS, SIG_DFL);
	signal(SIGSEGV, SIG_DFL);
	if (lazy_region(world) || write(ready, "", 1) != 1)
		_exit(3);
	touch_marked(world);
	return 0;
}

TEST_F(fail, no_page_for_a_while)
{
	long long killed = killed_for_memory();
	int pipes[2], status;
	char byte;
	pid_t child;

	ASSERT_EQ(0, pipe(pipes));
	ASSERT_EQ(0, fail_always(FAIL_MODULE, 1, true));
	child = start_toucher(&self->world, pipes[1]);
	ASSERT_LE(0, child);
	ASSERT_EQ(1, read(pipes[0], &byte, 1));
	ph_sleep_ms(500);
	/* It waits, and tries. */
	EXPECT_EQ(0, waitpid(child, &status, WNOHANG));
	ASSERT_EQ(0, fail_always(FAIL_ANY, 0, false));
	EXPECT_EXITED(0, child);
	EXPECT_EQ(killed, killed_for_memory());
}

TEST_F(fail, no_page_and_killed)
{
	long long killed = killed_for_memory();
	int pipes[2], status;
	char byte;
	pid_t child;

	ASSERT_EQ(0, pipe(pipes));
	ASSERT_EQ(0, fail_always(FAIL_MODULE, 1, true));
	child = start_toucher(&self->world, pipes[1]);
	ASSERT_LE(0, child);
	ASSERT_EQ(1, read(pipes[0], &byte, 1));
	ph_sleep_ms(200);
	EXPECT_EQ(0, waitpid(child, &status, WNOHANG));
	EXPECT_EQ(0, kill(child, SIGKILL));
	EXPECT_KILLED(SIGKILL, child);
	ASSERT_EQ(0, fail_always(FAIL_ANY, 0, false));
	EXPECT_EQ(killed, killed_for_memory());
}

/* Calls do not wait for memory that does not come. */
TEST_F(fail, no_page_for_a_call)
{
	long long killed = killed_for_memory();
	struct fail_world *world = &self->world;
	struct fail_state before, after;
	char text[16] = "";
	struct iovec here = { text, sizeof(text) }, there = { NULL, sizeof(text) };
	int ret[4];

	ASSERT_EQ(0, begun_region(world));
	there.iov_base = world->base + MIB;
	fail_look(world, &before);
	ASSERT_EQ(0, fail_mark_thread());
	ASSERT_EQ(0, fail_always(FAIL_MODULE, 1, true));
	ret[0] = ph_grow(self->fd, world->base, RESERVE, PRIVHEAP_COMMIT_POPULATE);
	ret[1] = process_vm_writev(getpid(), &here, 1, &there, 1, 0) < 0 ? -errno : 0;
	ret[2] = madvise(world->base, 2 * MIB, MADV_POPULATE_WRITE) ? -errno : 0;
	ret[3] = ph_create(self->fd, MIB, MIB, 0, &world->extra);
	ASSERT_EQ(0, fail_always(FAIL_ANY, 0, false));
	EXPECT_EQ(-ENOMEM, ret[0]);
	EXPECT_EQ(-EFAULT, ret[1]);
	EXPECT_EQ(-ENOMEM, ret[2]);
	EXPECT_EQ(-ENOMEM, ret[3]);
	fail_look(world, &after);
	before.pattern = true;
	EXPECT_TRUE(fail_same(&before, &after));
	EXPECT_EQ(killed, killed_for_memory());
}

TEST_HARNESS_MAIN
