// SPDX-License-Identifier: GPL-2.0-only
/* Namespaces and the netlink family: what a container sees, and what it does not. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "netlink_fixture.h"

#define SOME_UID	54325

#define COMMIT		PRIVHEAP_A_COMMIT
#define HARD		PRIVHEAP_A_COUNTER_HARD

/* Exit codes of children. */
#define FINE		0
#define NOT_SO		1
#define NO_NAMESPACE	4

/* In a child: what is not so ends it, and is told. */
#define CHECK(condition) do {						\
	if (!(condition)) {						\
		printf("# %s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
		fflush(stdout);						\
		_exit(NOT_SO);						\
	}								\
} while (0)

#define EXPECT_CHILD(child) do {					\
	int _status;							\
									\
	ASSERT_LE(0, child);						\
	ASSERT_EQ(child, waitpid(child, &_status, 0));			\
	ASSERT_TRUE(WIFEXITED(_status));				\
	if (WEXITSTATUS(_status) == NO_NAMESPACE)			\
		SKIP(return, "no such namespaces here");		\
	EXPECT_EQ(FINE, WEXITSTATUS(_status));				\
} while (0)

static struct nl_object object;

static uint64_t make_region(int fd)
{
	char *base;

	if (ph_create(fd, 8 * PAGE, PAGE, 0, &base))
		return 0;
	return ph_region(fd, base).out_id;
}

static void count(struct nl_object *found, void *argument)
{
	++*(unsigned int *)argument;
}

static unsigned int count_all(struct nl_socket *nl, uint8_t command)
{
	unsigned int counted = 0;

	return nl_dump(nl, command, 0, 0, count, &counted) ? ~0U : counted;
}

/* End as the child does. */
static void end_as(pid_t child)
{
	int status;

	if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status))
		_exit(NOT_SO);
	_exit(WEXITSTATUS(status));
}

/* Root of a container that SOME_UID has made, in the network of all. */
static void be_container_root(int fd, uint64_t outside, bool network)
{
	int flags = CLONE_NEWUSER | CLONE_NEWPID | (network ? CLONE_NEWNET : 0);
	struct nl_socket nl;
	uint64_t mine;
	char map[64];
	pid_t child;

	if (unshare(flags))
		_exit(NO_NAMESPACE);
	CHECK(!ph_write_file("/proc/self/setgroups", "deny"));
	snprintf(map, sizeof(map), "0 %d 1", SOME_UID);
	CHECK(!ph_write_file("/proc/self/uid_map", map));
	CHECK(!ph_write_file("/proc/self/gid_map", map));
	child = fork();
	if (child)
		end_as(child);
	CHECK(getuid() == 0 && getpid() == 1);
	if (network) {
		CHECK(nl_open(&nl) == -ENOENT);
		_exit(FINE);
	}

	CHECK(!nl_open(&nl));
	mine = make_region(fd);
	CHECK(mine);
	CHECK(!nl_region(&nl, mine, &object));
	CHECK(object.value[PRIVHEAP_A_UID] == 0);
	CHECK(object.value[PRIVHEAP_A_PID] == 1);
	/* The same user's, but of a process that has no number here. */
	CHECK(nl_region(&nl, outside, &object) == -ENOENT);
	CHECK(nl_quota(&nl, PRIVHEAP_LEVEL_REGION, outside, &object) == -ENOENT);
	CHECK(count_all(&nl, PRIVHEAP_CMD_REGION_GET) == 1);
	/* Its process and its user. */
	CHECK(!nl_quota(&nl, PRIVHEAP_LEVEL_PROCESS, 1, &object));
	CHECK(object.value[PRIVHEAP_A_SUBJECT] == 1);
	CHECK(object.value[PRIVHEAP_A_REGIONS] == 1);
	CHECK(!nl_quota(&nl, PRIVHEAP_LEVEL_USER, 0, &object));
	CHECK(object.value[PRIVHEAP_A_SUBJECT] == 0);
	CHECK(count_all(&nl, PRIVHEAP_CMD_QUOTA_GET) == 2);
	CHECK(nl_quota(&nl, PRIVHEAP_LEVEL_USER, SOME_UID, &object) == -ENOENT);
	CHECK(nl_quota(&nl, PRIVHEAP_LEVEL_CGROUP, 1, &object) == -ENOENT);
	CHECK(nl_quota(&nl, PRIVHEAP_LEVEL_SYSTEM, 0, &object) == -ENOENT);

	CHECK(nl_set(&nl, PRIVHEAP_LEVEL_PROCESS, 1, COMMIT, HARD, MIB, &object) == -EPERM);
	CHECK(nl_set(&nl, PRIVHEAP_LEVEL_REGION, mine, COMMIT, HARD, MIB, &object) ==
	      -EPERM);
	CHECK(nl_listen(&nl) == -EPERM);
	_exit(FINE);
}

static pid_t start_container(int fd, bool network)
{
	pid_t child = fork();

	if (child)
		return child;
	if (setgroups(0, NULL) || setresgid(SOME_UID, SOME_UID, SOME_UID) ||
	    setresuid(SOME_UID, SOME_UID, SOME_UID))
		_exit(NOT_SO);
	/* setuid(2) has made /proc/self root's. */
	if (prctl(PR_SET_DUMPABLE, 1))
		_exit(NOT_SO);
	be_container_root(fd, make_region(fd), network);
	return 0;
}

TEST_F(netlink, container_root)
{
	pid_t child = start_container(self->fd, false);

	EXPECT_CHILD(child);
}

TEST_F(netlink, container_root_with_a_network)
{
	pid_t child = start_container(self->fd, true);

	EXPECT_CHILD(child);
}

/* Root with all rights, but numbers of processes of its own. */
TEST_F(netlink, process_ids)
{
	uint64_t outside = make_region(self->fd);
	pid_t child = fork();

	if (!child) {
		struct privheap_limit limit = {
			.size = sizeof(limit),
			.flags = PRIVHEAP_LIMIT_PROCESS,
		};
		struct nl_socket nl;
		uint64_t mine;

		if (unshare(CLONE_NEWPID))
			_exit(NO_NAMESPACE);
		child = fork();
		if (child)
			end_as(child);
		CHECK(getpid() == 1);
		CHECK(!nl_open(&nl));
		mine = make_region(self->fd);
		CHECK(mine);
		CHECK(!nl_region(&nl, mine, &object));
		CHECK(object.value[PRIVHEAP_A_PID] == 1);
		CHECK(nl_region(&nl, outside, &object) == -ENOENT);
		CHECK(count_all(&nl, PRIVHEAP_CMD_REGION_GET) == 1);
		CHECK(!nl_quota(&nl, PRIVHEAP_LEVEL_SYSTEM, 0, &object));
		CHECK(nl_quota(&nl, PRIVHEAP_LEVEL_PROCESS, getppid() + 100, &object) ==
		      -ENOENT);
		/* 1 is this process, and not the system's init. */
		CHECK(!nl_set(&nl, PRIVHEAP_LEVEL_PROCESS, 1, COMMIT, HARD, MIB, &object));
		CHECK(object.value[PRIVHEAP_A_SUBJECT] == 1);
		CHECK(!ph_ioctl(self->fd, PRIVHEAP_IOC_LIMIT, &limit));
		CHECK(limit.out_hard == MIB);
		CHECK(nl_set(&nl, PRIVHEAP_LEVEL_REGION, outside, COMMIT, HARD, MIB,
			     &object) == -ENOENT);
		_exit(FINE);
	}
	EXPECT_CHILD(child);
}

/* No family in another network, nor its events, whoever knows their numbers. */
TEST_F(netlink, networks)
{
	struct nl_socket known = self->nl;
	int up[2], down[2];
	char byte = 0;
	pid_t child;

	ASSERT_EQ(0, pipe(up));
	ASSERT_EQ(0, pipe(down));
	child = fork();
	if (!child) {
		struct nl_message message;
		struct nl_socket nl;

		if (unshare(CLONE_NEWNET))
			_exit(NO_NAMESPACE);
		CHECK(nl_open(&nl) == -ENOENT);
		CHECK(!nl_open_socket(&nl));
		nl.family = known.family;
		nl.group = known.group;
		CHECK(nl_region(&nl, 1, &object) == -ENOENT);
		CHECK(nl_quota(&nl, PRIVHEAP_LEVEL_SYSTEM, 0, &object) == -ENOENT);
		nl_begin(&message, &nl, PRIVHEAP_CMD_REGION_GET, NLM_F_DUMP);
		CHECK(nl_call(&nl, &message, NULL, NULL) == -ENOENT);
		nl_listen(&nl);
		CHECK(write(up[1], &byte, 1) == 1);
		CHECK(read(down[0], &byte, 1) == 1);
		CHECK(nl_event(&nl, &object, 300) == -ETIMEDOUT);
		_exit(FINE);
	}
	close(up[1]);
	close(down[0]);
	if (read(up[0], &byte, 1) == 1) {
		EXPECT_NE(0, make_region(self->fd));
		EXPECT_EQ(1, write(down[1], &byte, 1));
	}
	EXPECT_CHILD(child);
}

TEST_HARNESS_MAIN
