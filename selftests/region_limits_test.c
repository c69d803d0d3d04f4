// SPDX-License-Identifier: GPL-2.0-only
/*
 * Limits that a program puts on its regions and on itself, privheap/limits.h: the
 * same answers from the module and from anonymous mappings, but for what these
 * have no limits on.
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <privheap/region.h>

#include "patient_harness.h"

#include "fault_selftest.h"

#define COMMIT		PRIVHEAP_RESOURCE_COMMIT
#define RESIDENT	PRIVHEAP_RESOURCE_RESIDENT
#define NONE		PRIVHEAP_NO_LIMIT

#define FAILS(error, call) do {			\
	errno = 0;				\
	EXPECT_EQ(-1, call);			\
	EXPECT_EQ(error, errno);		\
} while (0)

static bool is_anonymous(void)
{
	return privheap_backend() == PRIVHEAP_BACKEND_ANONYMOUS;
}

/* All members are ~0 - 1 when they cannot be asked. */
static struct privheap_limits limits_of(void *base)
{
	struct privheap_limits limits;

	if (base ? privheap_region_get_limits(base, COMMIT, &limits) :
		   privheap_process_get_limits(COMMIT, &limits))
		memset(&limits, 0xfe, sizeof(limits));
	return limits;
}

/* Sets one limit on commit, of a region, or with NULL of the process. */
static int set_one(void *base, unsigned int which, uint64_t value)
{
	struct privheap_limits limits = {
		.soft = value, .hard = value, .reserve = value,
		.fail_nth = value,
	};

	return base ? privheap_region_set_limits(base, COMMIT, which, &limits) :
		      privheap_process_set_limits(COMMIT, which, &limits);
}

FIXTURE(limits)
{
	size_t page;
	char *base;	/* 16 pages, of which 4 are committed */
};

FIXTURE_SETUP(limits)
{
	self->page = sysconf(_SC_PAGESIZE);
	self->base = privheap_region_create(16 * self->page, 4 * self->page,
					    12 * self->page, 0);
	ASSERT_NE(NULL, self->base);
}

FIXTURE_TEARDOWN(limits)
{
	privheap_region_destroy(self->base);
}

TEST_F(limits, at_first)
{
	struct privheap_limits limits = limits_of(self->base);
	size_t page = self->page;

	EXPECT_EQ(NONE, limits.soft);
	EXPECT_EQ(12 * page, limits.hard);
	EXPECT_EQ(12 * page, limits.ceiling);
	EXPECT_EQ(4 * page, limits.usage);
	EXPECT_EQ(4 * page, limits.peak);
	EXPECT_EQ(0, limits.reserve);
	EXPECT_EQ(0, limits.fail_nth);
	EXPECT_EQ(0, limits.denials);
	EXPECT_EQ(0, limits.reserve_open);

	limits = limits_of(NULL);
	EXPECT_EQ(NONE, limits.soft);
	EXPECT_EQ(NONE, limits.hard);
	EXPECT_EQ(NONE, limits.ceiling);
	EXPECT_EQ(4 * page, limits.usage);
	EXPECT_EQ(0, limits.reserve);
}

TEST_F(limits, refuses_arguments)
{
	const unsigned int all[] = {
		PRIVHEAP_SET_SOFT, PRIVHEAP_SET_HARD, PRIVHEAP_SET_RESERVE,
	};
	struct privheap_limits limits = { .hard = self->page };
	char *base = self->base;

	FAILS(EINVAL, privheap_region_get_limits(base, 2, &limits));
	FAILS(EINVAL, privheap_process_get_limits(2, &limits));
	FAILS(EINVAL, privheap_region_open_reserve(base, 2));
	FAILS(EINVAL, privheap_process_open_reserve(2));
	FAILS(EINVAL, privheap_region_set_limits(base, 2, PRIVHEAP_SET_HARD,
						 &limits));
	FAILS(EINVAL, privheap_region_set_limits(base, COMMIT, 16, &limits));
	FAILS(EINVAL, privheap_process_set_limits(COMMIT, 1U << 31, &limits));
	for (unsigned int i = 0; i < ARRAY_SIZE(all); i++) {
		FAILS(EINVAL, set_one(base, all[i], 1));
		FAILS(EINVAL, set_one(base, all[i], self->page + 8));
		FAILS(EINVAL, set_one(NULL, all[i], self->page - 1));
	}
	FAILS(EINVAL, set_one(base, PRIVHEAP_SET_RESERVE, NONE));
	FAILS(EINVAL, set_one(base, PRIVHEAP_SET_FAIL_NTH, NONE));
	/* all or nothing */
	limits = (struct privheap_limits){ .soft = self->page, .hard = 1 };
	FAILS(EINVAL, privheap_region_set_limits(base, COMMIT,
						 PRIVHEAP_SET_SOFT |
						 PRIVHEAP_SET_HARD, &limits));
	EXPECT_EQ(NONE, limits_of(base).soft);
	EXPECT_EQ(12 * self->page, limits_of(base).hard);
	EXPECT_EQ(NONE, limits_of(NULL).hard);

	FAILS(ENOENT, privheap_region_get_limits(base + self->page, COMMIT,
						 &limits));
	FAILS(ENOENT, privheap_region_get_limits(NULL, COMMIT, &limits));
	FAILS(ENOENT, privheap_region_set_limits(&limits, COMMIT,
						 PRIVHEAP_SET_SOFT, &limits));
	FAILS(ENOENT, privheap_region_open_reserve(NULL, COMMIT));
}

TEST_F(limits, set_nothing)
{
	struct privheap_limits limits = { .soft = 1, .hard = 1, .reserve = 1 };

	EXPECT_EQ(0, privheap_region_set_limits(self->base, COMMIT, 0, &limits));
	EXPECT_EQ(0, privheap_process_set_limits(COMMIT, 0, &limits));
	EXPECT_EQ(12 * self->page, limits_of(self->base).hard);
	EXPECT_EQ(NONE, limits_of(NULL).hard);
}

TEST_F(limits, ceiling)
{
	struct privheap_limits limits = limits_of(self->base);
	size_t page = self->page;

	FAILS(EPERM, set_one(self->base, PRIVHEAP_SET_HARD, 13 * page));
	FAILS(EPERM, set_one(self->base, PRIVHEAP_SET_HARD, NONE));
	FAILS(EPERM, set_one(self->base, PRIVHEAP_SET_RESERVE, page));
	limits.hard = 10 * page;
	limits.reserve = 3 * page;
	FAILS(EPERM, privheap_region_set_limits(self->base, COMMIT,
						PRIVHEAP_SET_HARD |
						PRIVHEAP_SET_RESERVE, &limits));
	EXPECT_EQ(12 * page, limits_of(self->base).hard);
	limits.reserve = 2 * page;
	EXPECT_EQ(0, privheap_region_set_limits(self->base, COMMIT,
						PRIVHEAP_SET_HARD |
						PRIVHEAP_SET_RESERVE, &limits));
	FAILS(EPERM, set_one(self->base, PRIVHEAP_SET_HARD, 11 * page));
	EXPECT_EQ(10 * page, limits_of(self->base).hard);
	EXPECT_EQ(2 * page, limits_of(self->base).reserve);
	EXPECT_EQ(12 * page, limits_of(self->base).ceiling);
	EXPECT_EQ(0, set_one(self->base, PRIVHEAP_SET_RESERVE, 0));
	EXPECT_EQ(0, set_one(self->base, PRIVHEAP_SET_HARD, 12 * page));
	/* nothing is above no limit */
	EXPECT_EQ(0, set_one(NULL, PRIVHEAP_SET_RESERVE, page));
	EXPECT_EQ(NONE, limits_of(NULL).hard);
}

/* At the limit, one below it and one above, of the region or the process. */
static void check_hard(struct __test_metadata *_metadata, char *base,
		       void *subject, unsigned int level)
{
	size_t page = sysconf(_SC_PAGESIZE);
	struct privheap_region_info info;

	ASSERT_EQ(0, set_one(subject, PRIVHEAP_SET_HARD, 6 * page));
	FAILS(EDQUOT, privheap_region_commit(base, 4 * page, 3 * page, 0));
	EXPECT_EQ(level, privheap_last_denied());
	EXPECT_EQ(1, limits_of(subject).denials);
	EXPECT_EQ(4 * page, limits_of(subject).usage);
	EXPECT_EQ(0, privheap_region_commit(base, 4 * page, page, 0));
	EXPECT_EQ(0, privheap_region_commit(base, 5 * page, page, 0));
	EXPECT_EQ(6 * page, limits_of(subject).usage);
	FAILS(EDQUOT, privheap_region_grow(base, 7 * page, 0));
	EXPECT_EQ(SIGSEGV, write_at(base + 6 * page));
	/* what is committed already costs nothing */
	EXPECT_EQ(0, privheap_region_grow(base, 6 * page, 0));

	/* below the usage: frees nothing, refuses what is new */
	ASSERT_EQ(0, set_one(subject, PRIVHEAP_SET_HARD, 2 * page));
	EXPECT_EQ(6 * page, limits_of(subject).usage);
	EXPECT_EQ(0, write_at(base + 5 * page));
	FAILS(EDQUOT, privheap_region_commit(base, 8 * page, page, 0));
	EXPECT_EQ(0, privheap_region_decommit(base, 2 * page, 4 * page));
	FAILS(EDQUOT, privheap_region_commit(base, 8 * page, page, 0));
	EXPECT_EQ(0, privheap_region_decommit(base, page, page));
	EXPECT_EQ(0, privheap_region_commit(base, 8 * page, page, 0));
	FAILS(EDQUOT, privheap_region_commit(base, 9 * page, page, 0));
	EXPECT_EQ(5, limits_of(subject).denials);
	EXPECT_EQ(6 * page, limits_of(subject).peak);

	/* none at all, and up again */
	ASSERT_EQ(0, set_one(subject, PRIVHEAP_SET_HARD, 0));
	EXPECT_EQ(0, privheap_region_decommit(base, 0, 16 * page));
	FAILS(EDQUOT, privheap_region_grow(base, page, 0));
	ASSERT_EQ(0, set_one(subject, PRIVHEAP_SET_HARD, 12 * page));
	EXPECT_EQ(0, privheap_region_grow(base, 12 * page, 0));
	FAILS(EDQUOT, privheap_region_grow(base, 13 * page, 0));
	ASSERT_EQ(0, privheap_region_query(base, &info));
	/* of the region, whoever refused it */
	EXPECT_EQ(7, info.denials);
	if (subject)
		EXPECT_EQ(12 * page, info.limit);
	ASSERT_EQ(0, privheap_query_process(&info));
	EXPECT_EQ(subject ? 0 : 7, info.denials);
	if (!subject)
		EXPECT_EQ(12 * page, info.limit);
}

TEST_F(limits, hard_of_the_region)
{
	check_hard(_metadata, self->base, self->base, PRIVHEAP_LEVEL_REGION);
}

TEST_F(limits, hard_of_the_process)
{
	char *other;

	/* without a limit of its own, and no peak but its own */
	privheap_region_destroy(self->base);
	other = privheap_region_create(16 * self->page, 4 * self->page, 0, 0);
	ASSERT_NE(NULL, other);
	self->base = other;
	check_hard(_metadata, other, NULL, PRIVHEAP_LEVEL_PROCESS);
	/* CREATE is refused as well, as a whole */
	errno = 0;
	EXPECT_EQ(NULL, privheap_region_create(2 * self->page, self->page, 0,
					       0));
	EXPECT_EQ(EDQUOT, errno);
	EXPECT_EQ(PRIVHEAP_LEVEL_PROCESS, privheap_last_denied());
	EXPECT_EQ(8, limits_of(NULL).denials);
	/* what is reserved only is free of charge */
	other = privheap_region_create(2 * self->page, 0, 0, 0);
	EXPECT_NE(NULL, other);
	privheap_region_destroy(other);
}

TEST_F(limits, fail_nth)
{
	void *subjects[] = { self->base, NULL };
	size_t page = self->page;

	for (int i = 0; i < 2; i++) {
		ASSERT_EQ(0, set_one(subjects[i], PRIVHEAP_SET_FAIL_NTH, 3));
		EXPECT_EQ(3, limits_of(subjects[i]).fail_nth);
		EXPECT_EQ(0, privheap_region_grow(self->base, 5 * page, 0));
		EXPECT_EQ(2, limits_of(subjects[i]).fail_nth);
		/* nothing new is no charge */
		EXPECT_EQ(0, privheap_region_grow(self->base, 5 * page, 0));
		EXPECT_EQ(2, limits_of(subjects[i]).fail_nth);
		EXPECT_EQ(0, privheap_region_grow(self->base, 6 * page, 0));
		EXPECT_EQ(1, limits_of(subjects[i]).fail_nth);
		FAILS(EDQUOT, privheap_region_grow(self->base, 7 * page, 0));
		EXPECT_EQ(i ? PRIVHEAP_LEVEL_PROCESS : PRIVHEAP_LEVEL_REGION,
			  privheap_last_denied());
		EXPECT_EQ(0, limits_of(subjects[i]).fail_nth);
		EXPECT_EQ(1, limits_of(subjects[i]).denials);
		EXPECT_EQ(0, privheap_region_grow(self->base, 7 * page, 0));
		/* ended before it comes */
		ASSERT_EQ(0, set_one(subjects[i], PRIVHEAP_SET_FAIL_NTH, 1));
		ASSERT_EQ(0, set_one(subjects[i], PRIVHEAP_SET_FAIL_NTH, 0));
		EXPECT_EQ(0, privheap_region_grow(self->base, 8 * page, 0));
		EXPECT_EQ(0, privheap_region_decommit(self->base, 4 * page,
						      4 * page));
	}
}

static int open_of(void *subject)
{
	return subject ? privheap_region_open_reserve(subject, COMMIT) :
			 privheap_process_open_reserve(COMMIT);
}

TEST_F(limits, reserve)
{
	void *subjects[] = { self->base, NULL };
	struct privheap_limits limits;
	size_t page = self->page;

	for (int i = 0; i < 2; i++) {
		FAILS(ENODATA, open_of(subjects[i]));
		ASSERT_EQ(0, set_one(subjects[i], PRIVHEAP_SET_HARD, 5 * page));
		/* a denial before it was set is none */
		FAILS(EDQUOT, privheap_region_grow(self->base, 6 * page, 0));
		ASSERT_EQ(0, set_one(subjects[i], PRIVHEAP_SET_RESERVE,
				     2 * page));
		FAILS(EAGAIN, open_of(subjects[i]));
		FAILS(EDQUOT, privheap_region_grow(self->base, 6 * page, 0));
		EXPECT_EQ(0, limits_of(subjects[i]).reserve_open);
		EXPECT_EQ(0, open_of(subjects[i]));
		limits = limits_of(subjects[i]);
		EXPECT_EQ(1, limits.reserve_open);
		EXPECT_EQ(5 * page, limits.hard);
		EXPECT_EQ(2 * page, limits.reserve);
		EXPECT_EQ(0, privheap_region_grow(self->base, 7 * page, 0));
		FAILS(EDQUOT, privheap_region_grow(self->base, 8 * page, 0));
		FAILS(EALREADY, open_of(subjects[i]));

		/* set anew it is closed, and can be had once more */
		ASSERT_EQ(0, set_one(subjects[i], PRIVHEAP_SET_RESERVE,
				     4 * page));
		EXPECT_EQ(0, limits_of(subjects[i]).reserve_open);
		FAILS(EAGAIN, open_of(subjects[i]));
		FAILS(EDQUOT, privheap_region_grow(self->base, 8 * page, 0));
		EXPECT_EQ(0, open_of(subjects[i]));
		EXPECT_EQ(0, privheap_region_grow(self->base, 9 * page, 0));
		FAILS(EDQUOT, privheap_region_grow(self->base, 10 * page, 0));

		ASSERT_EQ(0, set_one(subjects[i], PRIVHEAP_SET_RESERVE, 0));
		FAILS(ENODATA, open_of(subjects[i]));
		ASSERT_EQ(0, set_one(subjects[i], PRIVHEAP_SET_HARD, 12 * page));
		EXPECT_EQ(0, privheap_region_decommit(self->base, 4 * page,
						      5 * page));
	}
}

/* Remembered by both; what the module does with it is for its own tests. */
TEST_F(limits, soft)
{
	size_t page = self->page;

	ASSERT_EQ(0, set_one(self->base, PRIVHEAP_SET_SOFT, 5 * page));
	ASSERT_EQ(0, set_one(NULL, PRIVHEAP_SET_SOFT, 0));
	EXPECT_EQ(5 * page, limits_of(self->base).soft);
	EXPECT_EQ(0, limits_of(NULL).soft);
	EXPECT_EQ(0, privheap_region_grow(self->base, 8 * page, 0));
	EXPECT_EQ(0, limits_of(self->base).denials);
	ASSERT_EQ(0, set_one(self->base, PRIVHEAP_SET_SOFT, NONE));
	EXPECT_EQ(NONE, limits_of(self->base).soft);
}

TEST_F(limits, resident)
{
	struct privheap_limits limits = { .hard = 5 * self->page };
	size_t page = self->page;

	if (is_anonymous()) {
		FAILS(ENOTSUP, privheap_region_get_limits(self->base, RESIDENT,
							  &limits));
		FAILS(ENOTSUP, privheap_region_set_limits(self->base, RESIDENT,
							  PRIVHEAP_SET_HARD,
							  &limits));
		FAILS(ENOTSUP, privheap_process_get_limits(RESIDENT, &limits));
		FAILS(ENOTSUP, privheap_process_open_reserve(RESIDENT));
		return;
	}
	ASSERT_EQ(0, privheap_region_set_limits(self->base, RESIDENT,
						PRIVHEAP_SET_HARD, &limits));
	ASSERT_EQ(0, privheap_region_get_limits(self->base, RESIDENT, &limits));
	EXPECT_EQ(5 * page, limits.hard);
	EXPECT_EQ(NONE, limits.ceiling);
	EXPECT_EQ(4 * page, limits.usage);
	/* a call is refused, a touch is a signal */
	FAILS(EDQUOT, privheap_region_grow(self->base, 6 * page,
					   PRIVHEAP_COMMIT_POPULATE));
	EXPECT_EQ(PRIVHEAP_LEVEL_REGION, privheap_last_denied());
	EXPECT_EQ(0, privheap_region_grow(self->base, 6 * page, 0));
	EXPECT_EQ(0, write_at(self->base + 4 * page));
	EXPECT_EQ(SIGBUS, write_at(self->base + 5 * page));
	/* of the commit nothing was refused */
	EXPECT_EQ(0, limits_of(self->base).denials);
}

TEST_F(limits, not_inherited)
{
	size_t page = self->page;
	int status;
	pid_t pid;
	void *mine;

	ASSERT_EQ(0, set_one(NULL, PRIVHEAP_SET_HARD, 4 * page));
	ASSERT_EQ(0, set_one(NULL, PRIVHEAP_SET_FAIL_NTH, 1));
	pid = fork();
	ASSERT_GE(pid, 0);
	if (!pid) {
		struct privheap_limits limits;

		FAILS(ENOENT, privheap_region_get_limits(self->base, COMMIT,
							 &limits));
		EXPECT_EQ(NONE, limits_of(NULL).hard);
		EXPECT_EQ(0, limits_of(NULL).usage);
		EXPECT_EQ(0, limits_of(NULL).fail_nth);
		mine = privheap_region_create(8 * page, 8 * page, 0, 0);
		EXPECT_NE(NULL, mine);
		_exit(__test_passed(_metadata) ? 0 : 1);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(4 * page, limits_of(NULL).hard);
	EXPECT_EQ(1, limits_of(NULL).fail_nth);
}

#define RACERS	8
#define REGION	64

static atomic_size_t got;
static atomic_int wrong;

/* Commits pages one by one until no more is to be had. */
static void *race(void *arg)
{
	size_t page = sysconf(_SC_PAGESIZE);
	char *base = privheap_region_create(REGION * page, 0, 0, 0);

	for (size_t i = 0; base && i < REGION; i++) {
		if (!privheap_region_commit(base, i * page, page, 0))
			atomic_fetch_add(&got, 1);
		else if (errno != EDQUOT ||
			 privheap_last_denied() != PRIVHEAP_LEVEL_PROCESS)
			atomic_fetch_add(&wrong, 1);
		if (limits_of(NULL).usage > (4 + 100) * page)
			atomic_fetch_add(&wrong, 1);
	}
	return base;
}

TEST_F(limits, threads)
{
	size_t page = self->page;
	pthread_t threads[RACERS];
	void *bases[RACERS];

	ASSERT_EQ(0, set_one(NULL, PRIVHEAP_SET_HARD, (4 + 100) * page));
	for (int i = 0; i < RACERS; i++)
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, race, NULL));
	for (int i = 0; i < RACERS; i++) {
		ASSERT_EQ(0, pthread_join(threads[i], &bases[i]));
		EXPECT_NE(NULL, bases[i]);
	}
	EXPECT_EQ(100, got);
	EXPECT_EQ(0, wrong);
	EXPECT_EQ(104 * page, limits_of(NULL).usage);
	EXPECT_EQ(104 * page, limits_of(NULL).peak);
	EXPECT_EQ(RACERS * REGION - 100, limits_of(NULL).denials);
	for (int i = 0; i < RACERS; i++)
		EXPECT_EQ(0, privheap_region_destroy(bases[i]));
	EXPECT_EQ(4 * page, limits_of(NULL).usage);
}

TEST_HARNESS_MAIN
