// SPDX-License-Identifier: GPL-2.0-only
/*
 * kmod/quota.c and kmod/limit.c with eight threads, which share some levels and
 * not others: exact to the page in the end, and never above a limit.
 */
#include <pthread.h>

#include "kselftest_harness.h"
#include "quota_unit.h"

#define COMMIT		PRIVHEAP_RESOURCE_COMMIT
#define RESIDENT	PRIVHEAP_RESOURCE_RESIDENT

#define THREADS		8
#define ROUNDS		20000
#define MOST		16	/* pages of one charge */

/* Threads by twos in a process, by fours of a user; all in one cgroup. */
FIXTURE(race)
{
	struct privheap_account region[THREADS];
	struct privheap_quota process[THREADS / 2];
	struct privheap_quota user[THREADS / 4];
	struct privheap_quota cgroup;
};

FIXTURE_SETUP(race)
{
	kuid_t root = { 0 };
	unsigned int i;

	unit_reset();
	privheap_quota_init(&self->cgroup, PRIVHEAP_LEVEL_CGROUP, 3, root);
	for (i = 0; i < THREADS / 4; i++)
		privheap_quota_init(&self->user[i], PRIVHEAP_LEVEL_USER, i, root);
	for (i = 0; i < THREADS / 2; i++)
		privheap_quota_init(&self->process[i], PRIVHEAP_LEVEL_PROCESS, i + 1, root);
	for (i = 0; i < THREADS; i++) {
		struct privheap_quota *outer[] = {
			&self->process[i / 2], &self->user[i / 4], &self->cgroup,
			&privheap_system_quota, NULL
		};

		unit_account(&self->region[i], i + 1, outer);
	}
}

FIXTURE_TEARDOWN(race)
{
}

struct worker {
	pthread_t thread;
	struct privheap_account *account;
	unsigned int seed;
	unsigned long held[PRIVHEAP_RESOURCES];
	unsigned long refused[PRIVHEAP_LEVEL_SYSTEM + 1];
	unsigned long charged;
	unsigned long above;	/* how often a limit was seen broken */
	bool drain;
};

static unsigned int next_random(unsigned int *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

/* Charge and uncharge by turns of chance; look at all limits now and then. */
static void *work(void *argument)
{
	struct worker *me = argument;

	for (unsigned int round = 0; round < ROUNDS; round++) {
		unsigned int r = next_random(&me->seed) % PRIVHEAP_RESOURCES;
		unsigned long pages = 1 + next_random(&me->seed) % MOST;

		if (next_random(&me->seed) % 2) {
			unsigned int level = privheap_charge(me->account, r, pages) &
					     ~PRIVHEAP_INJECTED;

			if (level) {
				me->refused[level]++;
			} else {
				me->held[r] += pages;
				me->charged++;
			}
		} else if (me->held[r]) {
			if (pages > me->held[r])
				pages = me->held[r];
			if (pages % 2)
				privheap_uncharge(me->account, r, pages);
			else
				privheap_cancel(me->account, r, pages);
			me->held[r] -= pages;
		}
		for (unsigned int i = 0; !me->drain && i < me->account->levels; i++)
			if (privheap_quota_usage(me->account->level[i], r) >
			    privheap_quota_limit(me->account->level[i], r))
				me->above++;
	}
	for (unsigned int r = 0; me->drain && r < PRIVHEAP_RESOURCES; r++) {
		privheap_uncharge(me->account, r, me->held[r]);
		me->held[r] = 0;
	}
	return NULL;
}

static bool start(FIXTURE_DATA(race) *self, struct worker *workers, bool drain)
{
	for (unsigned int i = 0; i < THREADS; i++) {
		workers[i] = (struct worker){
			.account = &self->region[i], .seed = 12345 + i, .drain = drain,
		};
		if (pthread_create(&workers[i].thread, NULL, work, &workers[i]))
			return false;
	}
	return true;
}

static void join(struct worker *workers)
{
	for (unsigned int i = 0; i < THREADS; i++)
		pthread_join(workers[i].thread, NULL);
}

/* What these threads hold of one resource. */
static unsigned long held(struct worker *workers, unsigned int first, unsigned int count,
			  unsigned int resource)
{
	unsigned long sum = 0;

	for (unsigned int i = first; i < first + count; i++)
		sum += workers[i].held[resource];
	return sum;
}

TEST_F(race, exact_to_the_page)
{
	struct worker workers[THREADS];
	unsigned long refused[PRIVHEAP_LEVEL_SYSTEM + 1] = { 0 }, sum = 0;
	unsigned int i, r;

	/* Tight enough for every level to refuse. */
	for (r = 0; r < PRIVHEAP_RESOURCES; r++) {
		for (i = 0; i < THREADS; i++)
			unit_set(&self->region[i].quota, r, PRIVHEAP_SET_HARD, 60 * UNIT_PAGE,
				 true);
		for (i = 0; i < THREADS / 2; i++)
			unit_set(&self->process[i], r, PRIVHEAP_SET_HARD, 90 * UNIT_PAGE, true);
		for (i = 0; i < THREADS / 4; i++)
			unit_set(&self->user[i], r, PRIVHEAP_SET_HARD, 150 * UNIT_PAGE, true);
		unit_set(&self->cgroup, r, PRIVHEAP_SET_HARD, (r ? 250 : 270) * UNIT_PAGE, true);
		unit_set(&privheap_system_quota, r, PRIVHEAP_SET_HARD,
			 (r ? 270 : 250) * UNIT_PAGE, true);
	}
	ASSERT_TRUE(start(self, workers, false));
	join(workers);

	for (r = 0; r < PRIVHEAP_RESOURCES; r++) {
		for (i = 0; i < THREADS; i++)
			EXPECT_EQ(workers[i].held[r],
				  privheap_quota_usage(&self->region[i].quota, r));
		for (i = 0; i < THREADS / 2; i++)
			EXPECT_EQ(held(workers, 2 * i, 2, r),
				  privheap_quota_usage(&self->process[i], r));
		for (i = 0; i < THREADS / 4; i++)
			EXPECT_EQ(held(workers, 4 * i, 4, r),
				  privheap_quota_usage(&self->user[i], r));
		EXPECT_EQ(held(workers, 0, THREADS, r), privheap_quota_usage(&self->cgroup, r));
		EXPECT_EQ(held(workers, 0, THREADS, r),
			  privheap_quota_usage(&privheap_system_quota, r));
		EXPECT_GE(250 * UNIT_PAGE, unit_counter(r ? &self->cgroup :
							&privheap_system_quota, r).peak);
	}
	for (i = 0; i < THREADS; i++) {
		EXPECT_EQ(0, workers[i].above);
		EXPECT_LT(0, workers[i].charged);
		for (r = 1; r <= PRIVHEAP_LEVEL_SYSTEM; r++)
			refused[r] += workers[i].refused[r];
	}
	/* Each refusal is counted by who refused, and by none twice. */
	for (i = 0; i < THREADS; i++)
		sum += unit_counter(&self->region[i].quota, COMMIT).denials +
		       unit_counter(&self->region[i].quota, RESIDENT).denials;
	EXPECT_EQ(refused[PRIVHEAP_LEVEL_REGION], sum);
	EXPECT_EQ(refused[PRIVHEAP_LEVEL_CGROUP],
		  unit_counter(&self->cgroup, COMMIT).denials +
		  unit_counter(&self->cgroup, RESIDENT).denials);
	EXPECT_EQ(refused[PRIVHEAP_LEVEL_SYSTEM],
		  unit_counter(&privheap_system_quota, COMMIT).denials +
		  unit_counter(&privheap_system_quota, RESIDENT).denials);
	EXPECT_EQ(refused[PRIVHEAP_LEVEL_SYSTEM],
		  atomic_long_read(&privheap_system_quota.denials));
}

/* Of all threads that charge it, exactly one is refused for each that is set. */
TEST_F(race, fail_nth_hits_one)
{
	struct worker workers[THREADS];
	unsigned long refused = 0;

	ASSERT_EQ(0, unit_set(&self->cgroup, COMMIT, PRIVHEAP_SET_FAIL_NTH, 5000, true));
	ASSERT_TRUE(start(self, workers, true));
	join(workers);
	for (unsigned int i = 0; i < THREADS; i++)
		refused += workers[i].refused[PRIVHEAP_LEVEL_CGROUP];
	EXPECT_EQ(1, refused);
	EXPECT_EQ(1, unit_counter(&self->cgroup, COMMIT).denials);
	EXPECT_EQ(0, unit_counter(&self->cgroup, COMMIT).fail_nth);
	EXPECT_EQ(PRIVHEAP_UNLIMITED, READ_ONCE(self->cgroup.counter[COMMIT].gate));
	EXPECT_EQ(0, privheap_quota_usage(&self->cgroup, COMMIT));
}

/* Events come by turns, and the last one tells what is so. */
TEST_F(race, soft_edges_alternate)
{
	struct worker workers[THREADS];
	struct unit_heard heard;

	for (unsigned int r = 0; r < PRIVHEAP_RESOURCES; r++) {
		ASSERT_EQ(0, unit_set(&self->cgroup, r, PRIVHEAP_SET_SOFT, 200 * UNIT_PAGE,
				      true));
		ASSERT_EQ(0, unit_set(&self->user[0], r, PRIVHEAP_SET_SOFT, 50 * UNIT_PAGE,
				      true));
		ASSERT_EQ(0, unit_set(&privheap_system_quota, r, PRIVHEAP_SET_HARD,
				      300 * UNIT_PAGE, true));
	}
	ASSERT_TRUE(start(self, workers, true));
	/* Moved at the same time. */
	for (u64 i = 0; i < 2000; i++)
		unit_set(&self->cgroup, COMMIT, PRIVHEAP_SET_SOFT, i % 250 * UNIT_PAGE, true);
	ASSERT_EQ(0, unit_set(&self->cgroup, COMMIT, PRIVHEAP_SET_SOFT, 100 * UNIT_PAGE, true));
	join(workers);

	for (unsigned int r = 0; r < PRIVHEAP_RESOURCES; r++) {
		heard = unit_heard(&self->cgroup, r);
		EXPECT_EQ(0, heard.disorder);
		EXPECT_LT(0, heard.over);
		/* All is given back. */
		EXPECT_EQ(heard.over, heard.below);
		heard = unit_heard(&self->user[0], r);
		EXPECT_EQ(0, heard.disorder);
		EXPECT_LT(0, heard.over);
		EXPECT_EQ(heard.over, heard.below);
		EXPECT_EQ(0, privheap_quota_usage(&privheap_system_quota, r));
	}
}

/* Limits that are lowered, raised and taken away while threads run into them. */
TEST_F(race, limits_change_meanwhile)
{
	struct worker workers[THREADS];

	ASSERT_TRUE(start(self, workers, true));
	for (u64 i = 0; i < 2000; i++) {
		unit_set(&self->user[i % 2], COMMIT, PRIVHEAP_SET_HARD, i % 100 * UNIT_PAGE,
			 true);
		unit_set(&self->process[i % 4], RESIDENT, PRIVHEAP_SET_RESERVE,
			 i % 3 * UNIT_PAGE, true);
		unit_set(&self->process[i % 4], RESIDENT, PRIVHEAP_SET_HARD, 20 * UNIT_PAGE,
			 true);
		privheap_quota_open_reserve(&self->process[i % 4], RESIDENT);
		unit_set(&self->cgroup, COMMIT, PRIVHEAP_SET_FAIL_NTH, i % 5, true);
		unit_set(&self->user[(i + 1) % 2], COMMIT, PRIVHEAP_SET_HARD,
			 PRIVHEAP_NO_LIMIT, true);
	}
	join(workers);
	for (unsigned int i = 0; i < THREADS; i++)
		for (unsigned int r = 0; r < PRIVHEAP_RESOURCES; r++)
			for (unsigned int k = 0; k < self->region[i].levels; k++)
				EXPECT_EQ(0, privheap_quota_usage(self->region[i].level[k], r));
}

TEST_HARNESS_MAIN
