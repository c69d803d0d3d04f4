// SPDX-License-Identifier: GPL-2.0-only
/*
 * Users and processes as subjects of quotas that an administrator limits: who is
 * charged, who refuses, what the program can do about it, and how long it lasts.
 */
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "netlink_fixture.h"
#include "limit_selftest.h"

#define HARD		PRIVHEAP_A_COUNTER_HARD
#define USAGE		PRIVHEAP_A_COUNTER_USAGE
#define DENIALS		PRIVHEAP_A_COUNTER_DENIALS
#define USER		PRIVHEAP_LEVEL_USER
#define PROCESS		PRIVHEAP_LEVEL_PROCESS

/* Nobody else is these. */
#define ALICE		54321
#define BOB		54322

static struct nl_object quota_of(struct nl_socket *nl, uint32_t level, uint64_t subject)
{
	struct nl_object object;

	if (nl_quota(nl, level, subject, &object))
		memset(&object, 0xff, sizeof(object));
	return object;
}

static int set(struct nl_socket *nl, uint32_t level, uint64_t subject, uint16_t what,
	       uint64_t value)
{
	struct nl_object object;

	return nl_set(nl, level, subject, PRIVHEAP_A_COMMIT, what, value, &object);
}

/* A child of another user, which does as it is told and says what came of it. */
struct child {
	pid_t pid;
	int to;
	int from;
};

struct order {
	char what;
	uint64_t bytes;
};

static void obey(int fd, int in, int out)
{
	struct order order;
	char *base = NULL;
	int result = 0;

	while (read(in, &order, sizeof(order)) == sizeof(order)) {
		switch (order.what) {
		case 'u':
			result = setuid(order.bytes) ? -errno : 0;
			break;
		case 'c':
			result = ph_create(fd, 256 * PAGE, 0, 0, &base);
			break;
		case 'g':
			result = limit_grow(fd, base, order.bytes, 0);
			break;
		case 'l':
			result = limit_set(fd, NULL, COMMIT, PRIVHEAP_SET_HARD, order.bytes);
			break;
		case 'd':
			result = ph_destroy(fd, base);
			break;
		case 'o':
			close(fd);
			fd = ph_open();
			result = fd < 0 ? fd : 0;
			break;
		case 'x':
			close(fd);
			result = 0;
			break;
		default:
			_exit(0);
		}
		if (write(out, &result, sizeof(result)) != sizeof(result))
			break;
	}
	_exit(1);
}

static bool start(struct child *child, int fd)
{
	int to[2], from[2];

	if (pipe(to) || pipe(from))
		return false;
	child->pid = fork();
	if (!child->pid) {
		close(to[1]);
		close(from[0]);
		/* A file of its own, not the parent's. */
		close(fd);
		obey(ph_open(), to[0], from[1]);
	}
	close(to[0]);
	close(from[1]);
	child->to = to[1];
	child->from = from[0];
	return child->pid > 0;
}

static int tell(struct child *child, char what, uint64_t bytes)
{
	struct order order = { .what = what, .bytes = bytes };
	int result;

	if (write(child->to, &order, sizeof(order)) != sizeof(order) ||
	    read(child->from, &result, sizeof(result)) != sizeof(result))
		return -EPIPE;
	return result;
}

/* There is no answer to that. */
#define END(child) do {							\
	EXPECT_EQ(-EPIPE, tell(child, 'q', 0));				\
	close((child)->to);						\
	close((child)->from);						\
	EXPECT_EXITED(0, (child)->pid);					\
} while (0)

/* Two processes of one user, and one of another. */
TEST_F(netlink, a_user_is_all_its_processes)
{
	struct child one, two, bob;

	ASSERT_TRUE(start(&one, self->fd));
	ASSERT_TRUE(start(&two, self->fd));
	ASSERT_TRUE(start(&bob, self->fd));
	ASSERT_EQ(0, tell(&one, 'u', ALICE));
	ASSERT_EQ(0, tell(&two, 'u', ALICE));
	ASSERT_EQ(0, tell(&bob, 'u', BOB));
	ASSERT_EQ(0, tell(&one, 'c', 0));
	ASSERT_EQ(0, tell(&two, 'c', 0));
	ASSERT_EQ(0, tell(&bob, 'c', 0));
	ASSERT_EQ(0, set(&self->nl, USER, ALICE, HARD, 8 * PAGE));

	EXPECT_EQ(0, tell(&one, 'g', 5 * PAGE));
	EXPECT_EQ(0, tell(&two, 'g', 2 * PAGE));
	EXPECT_EQ(USER, tell(&two, 'g', 4 * PAGE));
	EXPECT_EQ(0, tell(&two, 'g', 3 * PAGE));
	EXPECT_EQ(USER, tell(&one, 'g', 6 * PAGE));
	EXPECT_EQ(0, tell(&bob, 'g', 100 * PAGE));
	EXPECT_EQ(8 * PAGE, quota_of(&self->nl, USER, ALICE).commit[USAGE]);
	EXPECT_EQ(2, quota_of(&self->nl, USER, ALICE).value[PRIVHEAP_A_REGIONS]);
	EXPECT_EQ(2, quota_of(&self->nl, USER, ALICE).commit[DENIALS]);
	EXPECT_EQ(100 * PAGE, quota_of(&self->nl, USER, BOB).commit[USAGE]);
	EXPECT_EQ(3 * PAGE, quota_of(&self->nl, PROCESS, two.pid).commit[USAGE]);

	/* Lowered below the usage, and taken away. */
	ASSERT_EQ(0, set(&self->nl, USER, ALICE, HARD, PAGE));
	EXPECT_EQ(USER, tell(&two, 'g', 4 * PAGE));
	EXPECT_EQ(8 * PAGE, quota_of(&self->nl, USER, ALICE).commit[USAGE]);
	ASSERT_EQ(0, set(&self->nl, USER, ALICE, HARD, PRIVHEAP_NO_LIMIT));
	EXPECT_EQ(0, tell(&two, 'g', 50 * PAGE));
	END(&one);
	END(&two);
	END(&bob);
	EXPECT_EQ(0, quota_of(&self->nl, USER, ALICE).commit[USAGE]);
	EXPECT_EQ(0, quota_of(&self->nl, USER, ALICE).commit[DENIALS]);
}

/* Limits are there before the user comes, and when it has gone. */
TEST_F(netlink, a_users_limits_stay)
{
	struct child child;

	ASSERT_EQ(0, set(&self->nl, USER, ALICE, HARD, 4 * PAGE));
	for (int i = 0; i < 3; i++) {
		ASSERT_TRUE(start(&child, self->fd));
		ASSERT_EQ(0, tell(&child, 'u', ALICE));
		ASSERT_EQ(0, tell(&child, 'c', 0));
		EXPECT_EQ(0, tell(&child, 'g', 4 * PAGE));
		EXPECT_EQ(USER, tell(&child, 'g', 5 * PAGE));
		END(&child);
		EXPECT_EQ(0, quota_of(&self->nl, USER, ALICE).commit[USAGE]);
		EXPECT_EQ(i + 1, quota_of(&self->nl, USER, ALICE).commit[DENIALS]);
	}
	EXPECT_EQ(4 * PAGE, quota_of(&self->nl, USER, ALICE).commit[HARD]);
	ASSERT_EQ(0, set(&self->nl, USER, ALICE, HARD, PRIVHEAP_NO_LIMIT));
	EXPECT_EQ(0, quota_of(&self->nl, USER, ALICE).commit[DENIALS]);
	/* Users have no reserve; all bits set is no user. */
	EXPECT_EQ(-EINVAL, set(&self->nl, USER, ALICE, PRIVHEAP_A_COUNTER_RESERVE, PAGE));
	EXPECT_GT(0, set(&self->nl, USER, 0xffffffff, HARD, PAGE));
	EXPECT_GT(0, set(&self->nl, USER, 1ULL << 32, HARD, PAGE));
}

/* From one region to the next: each is charged to who made it. */
TEST_F(netlink, one_process_of_two_users)
{
	uint64_t root = quota_of(&self->nl, USER, getuid()).commit[USAGE];
	struct child child;

	ASSERT_TRUE(start(&child, self->fd));
	ASSERT_EQ(0, tell(&child, 'c', 0));
	EXPECT_EQ(0, tell(&child, 'g', 6 * PAGE));
	ASSERT_EQ(0, tell(&child, 'u', ALICE));
	/* Still root's. */
	EXPECT_EQ(0, tell(&child, 'g', 7 * PAGE));
	EXPECT_EQ(root + 7 * PAGE, quota_of(&self->nl, USER, getuid()).commit[USAGE]);
	ASSERT_EQ(0, tell(&child, 'c', 0));
	EXPECT_EQ(0, tell(&child, 'g', 2 * PAGE));
	EXPECT_EQ(2 * PAGE, quota_of(&self->nl, USER, ALICE).commit[USAGE]);
	EXPECT_EQ(root + 7 * PAGE, quota_of(&self->nl, USER, getuid()).commit[USAGE]);
	EXPECT_EQ(9 * PAGE, quota_of(&self->nl, PROCESS, child.pid).commit[USAGE]);
	END(&child);
	EXPECT_EQ(root, quota_of(&self->nl, USER, getuid()).commit[USAGE]);
	EXPECT_EQ(0, quota_of(&self->nl, USER, ALICE).commit[USAGE]);
}

/* An administrator's limit holds whatever the program closes, opens or sets. */
TEST_F(netlink, a_process_cannot_get_rid_of_it)
{
	struct nl_object object;
	struct child child;

	ASSERT_TRUE(start(&child, self->fd));
	ASSERT_EQ(0, tell(&child, 'x', 0));
	ASSERT_EQ(0, set(&self->nl, PROCESS, child.pid, HARD, 4 * PAGE));
	ASSERT_EQ(0, tell(&child, 'o', 0));
	ASSERT_EQ(0, tell(&child, 'c', 0));
	EXPECT_EQ(PROCESS, tell(&child, 'g', 5 * PAGE));
	EXPECT_EQ(-EPERM, tell(&child, 'l', 5 * PAGE));
	EXPECT_EQ(-EPERM, tell(&child, 'l', PRIVHEAP_NO_LIMIT));
	EXPECT_EQ(0, tell(&child, 'l', 2 * PAGE));
	EXPECT_EQ(PROCESS, tell(&child, 'g', 3 * PAGE));
	EXPECT_EQ(0, tell(&child, 'l', 4 * PAGE));
	EXPECT_EQ(0, tell(&child, 'g', 4 * PAGE));
	ASSERT_EQ(0, tell(&child, 'd', 0));
	ASSERT_EQ(0, tell(&child, 'o', 0));
	ASSERT_EQ(0, tell(&child, 'c', 0));
	EXPECT_EQ(PROCESS, tell(&child, 'g', 5 * PAGE));
	EXPECT_EQ(3, quota_of(&self->nl, PROCESS, child.pid).commit[DENIALS]);
	/* Raised, and it may go as far. */
	ASSERT_EQ(0, set(&self->nl, PROCESS, child.pid, HARD, 6 * PAGE));
	EXPECT_EQ(0, tell(&child, 'g', 6 * PAGE));
	ASSERT_EQ(0, tell(&child, 'd', 0));
	ASSERT_EQ(0, tell(&child, 'x', 0));
	END(&child);
	/* With neither file nor region at its end, and gone all the same. */
	EXPECT_EQ(-ENOENT, nl_quota(&self->nl, PROCESS, child.pid, &object));
	EXPECT_EQ(-ENOENT, set(&self->nl, PROCESS, child.pid, HARD, PAGE));
}

TEST_HARNESS_MAIN
