// SPDX-License-Identifier: GPL-2.0-only
/*
 * Eight threads and eight processes that race for what limits leave: exact to the
 * page in the end, and never above a limit.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>

#define PH_OWN_FIXTURE
#include "privheap_fixture.h"
#include "limit_selftest.h"

#define PARAMETER	"/sys/module/privheap/parameters/commit_limit"

#define RACERS		8
#define ROUNDS		400
#define REGION_PAGES	64

/* What racers leave for the test, shared with processes, too. */
struct shared {
	atomic_uint ready;
	atomic_bool stop;
	atomic_ulong granted;
	atomic_ulong refused[PRIVHEAP_LEVEL_SYSTEM + 1];
	atomic_ulong errors;
	atomic_ulong held[RACERS];	/* pages committed in the end */
};

FIXTURE(race)
{
	int fd;
	struct privheap_query system;
	char limit[64];
	struct shared *shared;
};

FIXTURE_SETUP(race)
{
	PH_SETUP();
	if (access(PARAMETER, W_OK))
		SKIP(return, PARAMETER ": cannot be written");
	ASSERT_LT(0, ph_read_file(PARAMETER, self->limit, sizeof(self->limit)));
	self->shared = mmap(NULL, sizeof(*self->shared), PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->shared);
}

FIXTURE_TEARDOWN_PARENT(race)
{
	EXPECT_EQ(0, ph_write_file(PARAMETER, self->limit));
	PH_TEARDOWN();
}

static int set_system_limit(uint64_t bytes)
{
	char text[32];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)bytes);
	return ph_write_file(PARAMETER, text);
}

struct racer {
	pthread_t thread;
	struct shared *shared;
	unsigned int number;
	int fd;
	char *base;
	unsigned int rounds;
};

/* Commit, touch and decommit where chance has it, in a region of one's own. */
static void race(struct racer *me)
{
	uint32_t state = 777 + me->number;
	unsigned int pages;

	atomic_fetch_add(&me->shared->ready, 1);
	while (atomic_load(&me->shared->ready) < RACERS)
		;
	for (unsigned int round = 0; round < me->rounds; round++) {
		struct privheap_commit arg = {
			.size = sizeof(arg), .base = TO_BASE(me->base),
		};
		unsigned int first = ph_random(&state) % REGION_PAGES;
		int ret;

		pages = 1 + ph_random(&state) % (REGION_PAGES - first);
		if (ph_random(&state) % 3) {
			arg.offset = first * PAGE;
			arg.length = pages * PAGE;
			if (ph_random(&state) % 2)
				arg.flags = PRIVHEAP_COMMIT_POPULATE;
			ret = ph_ioctl(me->fd, PRIVHEAP_IOC_COMMIT, &arg);
			if (ret == -EDQUOT && arg.out_denied <= PRIVHEAP_LEVEL_SYSTEM)
				atomic_fetch_add(&me->shared->refused[arg.out_denied], 1);
			else
				atomic_fetch_add(ret ? &me->shared->errors :
						       &me->shared->granted, 1);
		} else {
			ret = ph_decommit(me->fd, me->base, first * PAGE, pages * PAGE);
			if (ret)
				atomic_fetch_add(&me->shared->errors, 1);
		}
	}
	atomic_store(&me->shared->held[me->number], ph_committed(me->fd, me->base) / PAGE);
}

static void *race_thread(void *argument)
{
	race(argument);
	return NULL;
}

static unsigned long held(struct shared *shared)
{
	unsigned long sum = 0;

	for (int i = 0; i < RACERS; i++)
		sum += atomic_load(&shared->held[i]);
	return sum;
}

/* Looks on until told to stop; counts how often a limit was broken. */
struct watcher {
	pthread_t thread;
	struct shared *shared;
	int fd;
	uint64_t process_limit;	/* of both resources */
	uint64_t system_limit;
	unsigned long looks;
	unsigned long above;
};

static void *watch(void *argument)
{
	struct watcher *me = argument;
	struct privheap_query query;

	do {
		for (uint32_t resource = COMMIT; resource <= RESIDENT; resource++)
			if (limit_get(me->fd, NULL, resource).out_usage > me->process_limit)
				me->above++;
		if (ph_query(me->fd, NULL, PRIVHEAP_QUERY_SYSTEM, &query) ||
		    query.out_committed > me->system_limit)
			me->above++;
		me->looks++;
	} while (!atomic_load(&me->shared->stop));
	return NULL;
}

TEST_F(race, threads)
{
	uint64_t process_limit = 200 * PAGE;
	struct watcher watcher = {
		.shared = self->shared, .fd = self->fd, .process_limit = process_limit,
		.system_limit = self->system.out_committed + 190 * PAGE,
	};
	struct racer racers[RACERS];
	struct privheap_query query;
	uint64_t resident = 0;

	ASSERT_EQ(0, limit_set(self->fd, NULL, COMMIT, PRIVHEAP_SET_HARD, process_limit));
	ASSERT_EQ(0, limit_set(self->fd, NULL, RESIDENT, PRIVHEAP_SET_HARD, 150 * PAGE));
	ASSERT_EQ(0, set_system_limit(watcher.system_limit));
	for (int i = 0; i < RACERS; i++) {
		racers[i] = (struct racer){
			.shared = self->shared, .number = i, .fd = self->fd, .rounds = ROUNDS,
		};
		/* Some by their own limit, the others by what is further out. */
		ASSERT_EQ(0, ph_create_limit(self->fd, REGION_PAGES * PAGE, 0,
					     i % 2 ? 30 * PAGE : 0, 0, &racers[i].base));
	}
	ASSERT_EQ(0, pthread_create(&watcher.thread, NULL, watch, &watcher));
	for (int i = 0; i < RACERS; i++)
		ASSERT_EQ(0, pthread_create(&racers[i].thread, NULL, race_thread, &racers[i]));
	for (int i = 0; i < RACERS; i++)
		ASSERT_EQ(0, pthread_join(racers[i].thread, NULL));
	atomic_store(&self->shared->stop, true);
	ASSERT_EQ(0, pthread_join(watcher.thread, NULL));

	EXPECT_EQ(0, atomic_load(&self->shared->errors));
	EXPECT_LT(0, atomic_load(&self->shared->granted));
	EXPECT_LT(0, watcher.looks);
	EXPECT_EQ(0, watcher.above);
	ASSERT_EQ(0, ph_query(self->fd, NULL, PRIVHEAP_QUERY_PROCESS, &query));
	EXPECT_EQ(held(self->shared) * PAGE, query.out_committed);
	EXPECT_GE(process_limit, query.out_peak_committed);
	EXPECT_GE(150 * PAGE, query.out_peak_resident);
	for (int i = 0; i < RACERS; i++)
		resident += ph_resident(self->fd, racers[i].base);
	EXPECT_EQ(resident, query.out_resident);
	/* Each refusal is counted where it was made. */
	EXPECT_EQ(atomic_load(&self->shared->refused[PRIVHEAP_LEVEL_PROCESS]),
		  limit_get(self->fd, NULL, COMMIT).out_denials +
		  limit_get(self->fd, NULL, RESIDENT).out_denials);
	EXPECT_LT(0, atomic_load(&self->shared->refused[PRIVHEAP_LEVEL_REGION]));
	/* What is left goes to the last page. */
	ASSERT_EQ(0, set_system_limit(0));
	for (int i = 0; i < RACERS; i++)
		ASSERT_EQ(0, ph_destroy(self->fd, racers[i].base));
	ASSERT_EQ(0, ph_query(self->fd, NULL, PRIVHEAP_QUERY_PROCESS, &query));
	EXPECT_EQ(0, query.out_committed);
	EXPECT_EQ(0, query.out_resident);
	ASSERT_EQ(0, ph_create(self->fd, 2 * process_limit, process_limit, PRIVHEAP_CREATE_LAZY,
			       &racers[0].base));
	EXPECT_EQ(PRIVHEAP_LEVEL_PROCESS, limit_grow(self->fd, racers[0].base,
						     process_limit + PAGE, 0));
}

TEST_F(race, processes)
{
	struct watcher watcher = {
		.shared = self->shared, .fd = self->fd, .process_limit = 0,
		.system_limit = self->system.out_committed + 150 * PAGE,
	};
	struct privheap_query query;
	pid_t child[RACERS];
	int go[2], done[2];
	char byte;

	ASSERT_EQ(0, pipe(go));
	ASSERT_EQ(0, pipe(done));
	ASSERT_EQ(0, set_system_limit(watcher.system_limit));
	for (int i = 0; i < RACERS; i++) {
		child[i] = fork();
		ASSERT_LE(0, child[i]);
		if (!child[i]) {
			struct racer me = {
				.shared = self->shared, .number = i, .fd = self->fd,
				.rounds = ROUNDS,
			};

			if (limit_set(me.fd, NULL, COMMIT, PRIVHEAP_SET_HARD, 40 * PAGE) ||
			    ph_create(me.fd, REGION_PAGES * PAGE, 0, 0, &me.base))
				_exit(1);
			race(&me);
			if (limit_get(me.fd, NULL, COMMIT).out_peak > 40 * PAGE)
				_exit(2);
			/* Stay, with what is held, until all have been looked at. */
			if (write(done[1], &byte, 1) != 1 || close(go[1]) ||
			    read(go[0], &byte, 1))
				_exit(3);
			_exit(0);
		}
	}
	ASSERT_EQ(0, pthread_create(&watcher.thread, NULL, watch, &watcher));
	for (int i = 0; i < RACERS; i++)
		ASSERT_EQ(1, read(done[0], &byte, 1));
	atomic_store(&self->shared->stop, true);
	ASSERT_EQ(0, pthread_join(watcher.thread, NULL));
	ASSERT_EQ(0, ph_query(self->fd, NULL, PRIVHEAP_QUERY_SYSTEM, &query));
	EXPECT_EQ(self->system.out_committed + held(self->shared) * PAGE, query.out_committed);
	EXPECT_EQ(0, watcher.above);
	EXPECT_LT(0, atomic_load(&self->shared->granted));
	EXPECT_EQ(0, atomic_load(&self->shared->errors));
	EXPECT_LT(0, atomic_load(&self->shared->refused[PRIVHEAP_LEVEL_PROCESS]));
	EXPECT_LT(0, atomic_load(&self->shared->refused[PRIVHEAP_LEVEL_SYSTEM]));
	EXPECT_EQ(0, close(go[1]));
	for (int i = 0; i < RACERS; i++)
		EXPECT_EXITED(0, child[i]);
}

/* Limits lowered, raised and taken away under the racers. */
TEST_F(race, limits_change_meanwhile)
{
	struct racer racers[RACERS];
	struct privheap_query query;
	uint32_t state = 4711;

	for (int i = 0; i < RACERS; i++) {
		racers[i] = (struct racer){
			.shared = self->shared, .number = i, .fd = self->fd, .rounds = ROUNDS,
		};
		ASSERT_EQ(0, ph_create(self->fd, REGION_PAGES * PAGE, 0, 0, &racers[i].base));
		ASSERT_EQ(0, pthread_create(&racers[i].thread, NULL, race_thread, &racers[i]));
	}
	for (int i = 0; i < 2000; i++) {
		void *base = i % 2 ? racers[i / 2 % RACERS].base : NULL;
		uint32_t resource = ph_random(&state) % 2;
		uint64_t bytes = ph_random(&state) % (REGION_PAGES + 1) * PAGE;

		EXPECT_EQ(0, limit_set(self->fd, base, resource, PRIVHEAP_SET_RESERVE, 0));
		EXPECT_EQ(0, limit_set(self->fd, base, resource, PRIVHEAP_SET_HARD, bytes));
		EXPECT_EQ(0, limit_set(self->fd, base, resource, PRIVHEAP_SET_SOFT,
				       bytes / 2 / PAGE * PAGE));
		EXPECT_EQ(0, limit_set(self->fd, base, resource, PRIVHEAP_SET_RESERVE,
				       (REGION_PAGES * PAGE - bytes) / 2 / PAGE * PAGE));
		limit_open_reserve(self->fd, base, resource);
		if (!(i % 10))
			EXPECT_EQ(0, limit_set(self->fd, base, resource,
					       PRIVHEAP_SET_FAIL_NTH, i / 10 % 4));
		if (!(i % 16) && !base)
			EXPECT_EQ(0, set_system_limit(self->system.out_committed + bytes));
	}
	for (int i = 0; i < RACERS; i++)
		ASSERT_EQ(0, pthread_join(racers[i].thread, NULL));
	EXPECT_EQ(0, atomic_load(&self->shared->errors));
	ASSERT_EQ(0, ph_query(self->fd, NULL, PRIVHEAP_QUERY_PROCESS, &query));
	EXPECT_EQ(held(self->shared) * PAGE, query.out_committed);
	for (int i = 0; i < RACERS; i++)
		ASSERT_EQ(0, ph_destroy(self->fd, racers[i].base));
	ASSERT_EQ(0, ph_query(self->fd, NULL, PRIVHEAP_QUERY_PROCESS, &query));
	EXPECT_EQ(0, query.out_committed);
	EXPECT_EQ(0, query.out_resident);
}

TEST_HARNESS_MAIN
