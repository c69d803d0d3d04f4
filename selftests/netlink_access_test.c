// SPDX-License-Identifier: GPL-2.0-only
/* Who sees what over netlink, and who sets: users, capabilities, the socket's opener. */
#include <grp.h>
#include <linux/capability.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "netlink_fixture.h"

/* Nobody's. */
#define SOME_UID	54323
#define OTHER_UID	54324

#define COMMIT		PRIVHEAP_A_COMMIT
#define HARD		PRIVHEAP_A_COUNTER_HARD

/* In a child: what is not so ends it, and is told. */
#define CHECK(condition) do {						\
	if (!(condition)) {						\
		printf("# %s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
		fflush(stdout);						\
		_exit(1);						\
	}								\
} while (0)

/* The rest of the block runs in a child, which exits with 0 at its end. */
#define IN_CHILD(block) do {						\
	pid_t _child = fork();						\
									\
	ASSERT_LE(0, _child);						\
	if (!_child) {							\
		block							\
		_exit(0);						\
	}								\
	EXPECT_EXITED(0, _child);					\
} while (0)

static struct nl_object object;

static int become(uid_t uid)
{
	return setgroups(0, NULL) || setresgid(uid, uid, uid) ||
	       setresuid(uid, uid, uid) ? -errno : 0;
}

/* Keep these capabilities only. */
static int keep_capabilities(uint64_t keep)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct data[2] = {
		{ keep, keep, 0 }, { keep >> 32, keep >> 32, 0 },
	};

	return syscall(SYS_capset, &header, data) ? -errno : 0;
}

struct counts {
	unsigned int all;
	unsigned int own;
	unsigned int processes;
	unsigned int users;
	unsigned int outer;
	uint64_t uid;
};

static void count(struct nl_object *found, void *argument)
{
	struct counts *counts = argument;

	counts->all++;
	if (found->command == PRIVHEAP_CMD_REGION_GET) {
		counts->own += found->value[PRIVHEAP_A_UID] == counts->uid;
		return;
	}
	counts->processes += found->value[PRIVHEAP_A_LEVEL] == PRIVHEAP_LEVEL_PROCESS;
	counts->users += found->value[PRIVHEAP_A_LEVEL] == PRIVHEAP_LEVEL_USER;
	counts->outer += found->value[PRIVHEAP_A_LEVEL] > PRIVHEAP_LEVEL_USER;
}

static struct counts count_all(struct nl_socket *nl, uint8_t command, uint64_t uid)
{
	struct counts counts = { .uid = uid };

	if (nl_dump(nl, command, 0, 0, count, &counts))
		counts.all = ~0U;
	return counts;
}

static int set_own(struct nl_socket *nl, uint64_t value)
{
	return nl_set(nl, PRIVHEAP_LEVEL_PROCESS, getpid(), COMMIT, HARD, value, &object);
}

/* A region of this process, by its number. */
static uint64_t make_region(int fd)
{
	char *base;

	if (ph_create(fd, 8 * PAGE, PAGE, 0, &base))
		return 0;
	return ph_region(fd, base).out_id;
}

TEST_F(netlink, a_user_sees_their_own)
{
	uint64_t roots = make_region(self->fd);
	pid_t root = getpid();

	ASSERT_NE(0, roots);
	IN_CHILD({
		struct nl_socket nl;
		struct counts counts;
		uint64_t mine;

		CHECK(!become(SOME_UID));
		CHECK(!nl_open(&nl));
		counts = count_all(&nl, PRIVHEAP_CMD_REGION_GET, SOME_UID);
		CHECK(counts.all == 0);
		mine = make_region(self->fd);
		CHECK(mine);

		CHECK(!nl_region(&nl, mine, &object));
		CHECK(object.value[PRIVHEAP_A_UID] == SOME_UID);
		CHECK(NL_HAS(&object, PRIVHEAP_A_BASE));
		CHECK(!nl_map(&nl, mine, 4, &object));
		CHECK(nl_region(&nl, roots, &object) == -ENOENT);
		CHECK(nl_map(&nl, roots, 4, &object) == -ENOENT);
		counts = count_all(&nl, PRIVHEAP_CMD_REGION_GET, SOME_UID);
		CHECK(counts.all == 1 && counts.own == 1);

		CHECK(!nl_quota(&nl, PRIVHEAP_LEVEL_REGION, mine, &object));
		CHECK(!nl_quota(&nl, PRIVHEAP_LEVEL_PROCESS, getpid(), &object));
		CHECK(!nl_quota(&nl, PRIVHEAP_LEVEL_USER, SOME_UID, &object));
		CHECK(object.value[PRIVHEAP_A_REGIONS] == 1);
		CHECK(nl_quota(&nl, PRIVHEAP_LEVEL_REGION, roots, &object) == -ENOENT);
		CHECK(nl_quota(&nl, PRIVHEAP_LEVEL_PROCESS, root, &object) == -ENOENT);
		CHECK(nl_quota(&nl, PRIVHEAP_LEVEL_PROCESS, 1, &object) == -ENOENT);
		CHECK(nl_quota(&nl, PRIVHEAP_LEVEL_USER, 0, &object) == -ENOENT);
		CHECK(nl_quota(&nl, PRIVHEAP_LEVEL_USER, OTHER_UID, &object) == -ENOENT);
		CHECK(nl_quota(&nl, PRIVHEAP_LEVEL_CGROUP, 1, &object) == -ENOENT);
		CHECK(nl_quota(&nl, PRIVHEAP_LEVEL_SYSTEM, 0, &object) == -ENOENT);
		counts = count_all(&nl, PRIVHEAP_CMD_QUOTA_GET, 0);
		CHECK(counts.processes == 1 && counts.users == 1 && !counts.outer);

		CHECK(set_own(&nl, MIB) == -EPERM);
		CHECK(nl.text[0]);
		CHECK(nl_listen(&nl) == -EPERM);
	});
}

/* Of another process of the same user all but where its memory is. */
TEST_F(netlink, not_the_address_of_another_process)
{
	uint64_t *shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
				MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	ASSERT_NE(MAP_FAILED, shared);
	IN_CHILD({
		struct nl_socket nl;
		pid_t other;

		CHECK(!become(SOME_UID));
		other = fork();
		if (!other) {
			__atomic_store_n(shared, make_region(self->fd), __ATOMIC_RELEASE);
			pause();
			_exit(0);
		}
		CHECK(PH_WAIT_FOR(__atomic_load_n(shared, __ATOMIC_ACQUIRE)));
		CHECK(!nl_open(&nl));
		CHECK(!nl_region(&nl, *shared, &object));
		CHECK(object.value[PRIVHEAP_A_PID] == (uint64_t)other);
		CHECK(!NL_HAS(&object, PRIVHEAP_A_BASE));
		kill(other, SIGKILL);
		waitpid(other, NULL, 0);
	});
}

/* What CAP_SYS_RESOURCE and CAP_SYS_ADMIN are for, and what other ones are not. */
TEST_F(netlink, capabilities)
{
	static const struct {
		uint64_t keep;
		int see, set, listen;
	} cases[] = {
		{ 1ULL << CAP_SYS_RESOURCE, 0, 0, -EPERM },
		{ 1ULL << CAP_SYS_ADMIN, 0, -EPERM, 0 },
		{ 1ULL << CAP_NET_ADMIN | 1ULL << CAP_SYS_PTRACE, -ENOENT, -EPERM, -EPERM },
		{ 0, -ENOENT, -EPERM, -EPERM },
	};
	uint64_t id;

	for (unsigned int i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		IN_CHILD({
			struct nl_socket nl;

			CHECK(!keep_capabilities(cases[i].keep));
			CHECK(!nl_open(&nl));
			CHECK(nl_quota(&nl, PRIVHEAP_LEVEL_SYSTEM, 0, &object) ==
			      cases[i].see);
			CHECK(nl_quota(&nl, PRIVHEAP_LEVEL_USER, OTHER_UID, &object) ==
			      cases[i].see);
			/* What is root's own is so without them. */
			id = make_region(self->fd);
			CHECK(!nl_region(&nl, id, &object));
			CHECK(set_own(&nl, MIB) == cases[i].set);
			CHECK(nl_listen(&nl) == cases[i].listen);
		});
	}
}

/* The opener had it, the sender has it no more. */
TEST_F(netlink, dropped_after_opening)
{
	uint64_t roots = make_region(self->fd);

	IN_CHILD({
		struct nl_socket nl;

		CHECK(!nl_open(&nl));
		CHECK(!set_own(&nl, MIB));
		CHECK(!keep_capabilities(0));
		CHECK(set_own(&nl, 2 * MIB) == -EPERM);
		CHECK(nl_quota(&nl, PRIVHEAP_LEVEL_SYSTEM, 0, &object) == -ENOENT);
		CHECK(!nl_region(&nl, roots, &object));
	});
	/* Another user, to whom the socket shows its opener's. */
	IN_CHILD({
		struct nl_socket nl;
		uint64_t mine;

		CHECK(!nl_open(&nl));
		CHECK(!become(SOME_UID));
		CHECK(set_own(&nl, MIB) == -EPERM);
		CHECK(nl_quota(&nl, PRIVHEAP_LEVEL_SYSTEM, 0, &object) == -ENOENT);
		CHECK(!nl_region(&nl, roots, &object));
		mine = make_region(self->fd);
		CHECK(mine);
		CHECK(nl_region(&nl, mine, &object) == -ENOENT);
	});
}

/* The sender has it, the opener had it not: as a program that was handed a socket. */
TEST_F(netlink, had_not_when_opening)
{
	uint64_t roots = make_region(self->fd);

	IN_CHILD({
		struct nl_socket nl;
		struct counts counts;

		CHECK(!seteuid(SOME_UID));
		CHECK(!nl_open(&nl));
		CHECK(!seteuid(0));
		CHECK(set_own(&nl, MIB) == -EPERM);
		CHECK(nl_region(&nl, roots, &object) == -ENOENT);
		CHECK(nl_quota(&nl, PRIVHEAP_LEVEL_SYSTEM, 0, &object) == -ENOENT);
		CHECK(nl_quota(&nl, PRIVHEAP_LEVEL_USER, 0, &object) == -ENOENT);
		CHECK(!nl_quota(&nl, PRIVHEAP_LEVEL_USER, SOME_UID, &object));
		counts = count_all(&nl, PRIVHEAP_CMD_REGION_GET, 0);
		CHECK(counts.all == 0);
	});
}

/* A process stays its first user's, and so do its regions. */
TEST_F(netlink, regions_stay_their_makers)
{
	IN_CHILD({
		struct nl_socket nl;
		uint64_t id = make_region(self->fd);

		CHECK(id);
		CHECK(!become(SOME_UID));
		CHECK(!nl_open(&nl));
		CHECK(nl_region(&nl, id, &object) == -ENOENT);
		CHECK(nl_quota(&nl, PRIVHEAP_LEVEL_REGION, id, &object) == -ENOENT);
	});
}

TEST_HARNESS_MAIN
