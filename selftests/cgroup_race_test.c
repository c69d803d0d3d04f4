// SPDX-License-Identifier: GPL-2.0-only
/*
 * Cgroups that come and go, and processes that are moved between them, while
 * regions are made, populated and given back in them. What a removed one was
 * charged goes with its last region.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "chaos_selftest.h"
#include "netlink_fixture.h"

#define CGROUPS		"/sys/fs/cgroup"
#define WORKERS		4
#define ROUNDS		24

struct known {
	uint64_t first;
	uint64_t last;
	unsigned int found;
};

static void count_one(struct nl_object *object, void *argument)
{
	struct known *known = argument;

	known->found += object->value[PRIVHEAP_A_LEVEL] == PRIVHEAP_LEVEL_CGROUP &&
			object->value[PRIVHEAP_A_SUBJECT] >= known->first &&
			object->value[PRIVHEAP_A_SUBJECT] <= known->last;
}

static unsigned int known_between(struct nl_socket *nl, uint64_t first, uint64_t last)
{
	struct known known = { .first = first, .last = last };

	if (nl_dump(nl, PRIVHEAP_CMD_QUOTA_GET, 0, 0, count_one, &known))
		return -1;
	return known.found;
}

static int move(pid_t pid, const char *path)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", pid);
	return ph_cgroup_set(path, "cgroup.procs", text);
}

static int make_path(unsigned int number, char *path, size_t size, uint64_t *id)
{
	struct stat st;

	snprintf(path, size, CGROUPS "/privheap-race-%d-%u", getpid(), number);
	if (mkdir(path, 0755) || stat(path, &st))
		return -errno;
	*id = st.st_ino;
	return 0;
}

TEST_F_TIMEOUT(netlink, removed_while_populating, 300)
{
	unsigned long *done = chaos_counters();
	uint64_t first = 0, last = 0;
	struct nl_object object;
	struct chaos chaos[WORKERS];
	pid_t child[WORKERS];
	char path[128];

	ASSERT_NE(NULL, done);
	ph_write_file(CGROUPS "/cgroup.subtree_control", "+memory");
	for (int i = 0; i < WORKERS; i++) {
		chaos[i] = (struct chaos) {
			.fd = self->fd,
			.threads = 4,
			.seed = 69069 + i,
			.reserve = 2 * MIB,
			.uid = i % 2 ? 12000 : 0,
			.done = done,
		};
		child[i] = chaos_start(&chaos[i], NULL);
		ASSERT_LT(0, child[i]);
	}
	for (unsigned int round = 0; round < ROUNDS; round++) {
		uint64_t limit = round % 3 ? 64 * PAGE : PRIVHEAP_NO_LIMIT;

		ASSERT_EQ(0, make_path(round, path, sizeof(path), &last));
		if (!round)
			first = last;
		for (int i = 0; i < WORKERS; i++)
			EXPECT_EQ(0, move(child[i], path));
		EXPECT_EQ(0, nl_set(&self->nl, PRIVHEAP_LEVEL_CGROUP, last, PRIVHEAP_A_COMMIT,
				    PRIVHEAP_A_COUNTER_HARD, limit, &object));
		/* Of memory, too: who is in there may be killed, which is started anew. */
		ph_cgroup_set(path, "memory.max", round % 4 ? "max" : "16M");
		ph_sleep_ms(20);
		for (int i = 0; i < WORKERS; i++) {
			if (!move(child[i], CGROUPS) &&
			    waitpid(child[i], NULL, WNOHANG) != child[i])
				continue;
			chaos[i].seed++;
			child[i] = chaos_start(&chaos[i], NULL);
			ASSERT_LT(0, child[i]);
		}
		/* Children that it has forked meanwhile. */
		ASSERT_TRUE(PH_WAIT_FOR(!ph_cgroup_stat(path, "cgroup.events", "populated")));
		/* Most of it is still charged there. */
		ASSERT_EQ(0, rmdir(path));
	}
	chaos_print(done);
	EXPECT_LT(100, chaos_sum(done));
	for (int i = 0; i < WORKERS; i++) {
		EXPECT_TRUE(chaos_end(child[i]));
	}
	EXPECT_TRUE(PH_WAIT_FOR(ph_system_is(self->fd, &self->system)));
	EXPECT_TRUE(PH_WAIT_FOR(!known_between(&self->nl, first, last)));
	EXPECT_EQ(-ENOENT, nl_quota(&self->nl, PRIVHEAP_LEVEL_CGROUP, last, &object));
}

TEST_HARNESS_MAIN
