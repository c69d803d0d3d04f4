// SPDX-License-Identifier: GPL-2.0-only
/*
 * A process is killed at a random moment, while 64 of its threads do everything
 * at once. PRIVHEAP_KILLS times (1000 is the whole test), PRIVHEAP_SEED decides
 * when. Nothing of it is left then: not of the process, its user, its cgroup.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "chaos_selftest.h"
#include "netlink_fixture.h"

#define THREADS		64
#define USERS		4

static uint32_t number_from(const char *name, uint32_t otherwise)
{
	const char *text = getenv(name);

	return text ? strtoul(text, NULL, 0) : otherwise;
}

/* Does a subject hold anything, or is it still known where it should not be? */
static bool holds_nothing(struct nl_socket *nl, uint32_t level, uint64_t subject)
{
	struct nl_object object;
	int ret = nl_quota(nl, level, subject, &object);

	if (ret)
		return ret == -ENOENT;
	return level != PRIVHEAP_LEVEL_PROCESS &&
	       !object.value[PRIVHEAP_A_REGIONS] && !object.value[PRIVHEAP_A_RESERVED] &&
	       !object.commit[PRIVHEAP_A_COUNTER_USAGE] &&
	       !object.resident[PRIVHEAP_A_COUNTER_USAGE];
}

TEST_F_TIMEOUT(netlink, killed_while_doing_everything, 3600)
{
	unsigned int kills = number_from("PRIVHEAP_KILLS", 40), early = 0;
	uint32_t random = number_from("PRIVHEAP_SEED", 2463534242u);
	unsigned long *done = chaos_counters(), last = 0, wanted;
	char cgroup[256];
	struct stat st;

	ASSERT_NE(NULL, done);
	ASSERT_EQ(0, ph_cgroup_make("kill", cgroup, sizeof(cgroup)));
	ASSERT_EQ(0, stat(cgroup, &st));
	TH_LOG("%u kills, PRIVHEAP_SEED=%u", kills, random);
	for (unsigned int i = 0; i < kills; i++) {
		struct chaos chaos = {
			.fd = self->fd,
			.threads = THREADS,
			.seed = ph_random(&random),
			.reserve = 4 * MIB,
			.uid = i % USERS ? 12000 + i % USERS : 0,
			.done = done,
		};
		pid_t child;

		child = chaos_start(&chaos, cgroup);
		ASSERT_LT(0, child);
		/* Now and then before it has done anything. */
		wanted = i % 8 ? ph_random(&random) % 512 : 0;
		PH_WAIT_FOR(chaos_sum(done) >= last + wanted);
		ph_sleep_ms(ph_random(&random) % 60);
		ASSERT_TRUE(chaos_end(child));
		early += chaos_sum(done) == last;
		last = chaos_sum(done);
		/* Its children have a moment more. */
		ASSERT_TRUE(PH_WAIT_FOR(!ph_cgroup_stat(cgroup, "cgroup.events",
							"populated")));
		ASSERT_TRUE(PH_WAIT_FOR(ph_system_is(self->fd, &self->system))) {
			TH_LOG("kill %u, seed %u: something is left", i, chaos.seed);
		}
		ASSERT_TRUE(PH_WAIT_FOR(holds_nothing(&self->nl, PRIVHEAP_LEVEL_PROCESS,
						      child)));
		ASSERT_TRUE(PH_WAIT_FOR(holds_nothing(&self->nl, PRIVHEAP_LEVEL_USER,
						      chaos.uid)));
		ASSERT_TRUE(PH_WAIT_FOR(holds_nothing(&self->nl, PRIVHEAP_LEVEL_CGROUP,
						      st.st_ino)));
	}
	chaos_print(done);
	/* They did something. */
	EXPECT_LT(early, kills / 2 + 1);
	for (int i = 0; i < CHAOS_OPERATIONS; i++)
		EXPECT_NE(0, done[i]);
	EXPECT_TRUE(PH_WAIT_FOR(ph_cgroup_get(cgroup, "memory.current") < 2 * (long long)MIB)) {
		TH_LOG("%lld bytes are charged", ph_cgroup_get(cgroup, "memory.current"));
	}
	ph_cgroup_remove(cgroup);
	EXPECT_FALSE(ph_exists(cgroup));
}

TEST_HARNESS_MAIN
