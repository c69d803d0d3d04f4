// SPDX-License-Identifier: GPL-2.0-only
/* Notifications over netlink: which there are, in which order, and how often. */
#include <pthread.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>

#include "netlink_fixture.h"

#define COMMIT		PRIVHEAP_A_COMMIT
#define RESIDENT	PRIVHEAP_A_RESIDENT
#define USAGE		PRIVHEAP_A_COUNTER_USAGE
#define SOFT		PRIVHEAP_A_COUNTER_SOFT
#define HARD		PRIVHEAP_A_COUNTER_HARD
#define NO_LIMIT	PRIVHEAP_NO_LIMIT
#define REGION		PRIVHEAP_LEVEL_REGION
#define PROCESS		PRIVHEAP_LEVEL_PROCESS

#define CREATE_NTF	PRIVHEAP_CMD_REGION_CREATE_NTF
#define DESTROY_NTF	PRIVHEAP_CMD_REGION_DESTROY_NTF
#define SOFT_NTF	PRIVHEAP_CMD_QUOTA_SOFT_NTF
#define BELOW_NTF	PRIVHEAP_CMD_QUOTA_BELOW_NTF
#define DENIED_NTF	PRIVHEAP_CMD_QUOTA_DENIED_NTF

#define EVENT_ATTRS	(BIT_OF(PRIVHEAP_A_EVENT_SEQ) | BIT_OF(PRIVHEAP_A_EVENT_TIME))
#define QUOTA_ATTRS	(EVENT_ATTRS | BIT_OF(PRIVHEAP_A_EVENT_RESOURCE))

static struct nl_object event;
static struct nl_object object;

/* Room for all that a test makes happen. */
static int open_listener(struct nl_socket *nl)
{
	int size = 64 << 20;

	return nl_open(nl) ?: nl_listen(nl) ?:
	       setsockopt(nl->fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
}

#define EXPECT_NEXT(wanted, nl) do {					\
	ASSERT_EQ(0, nl_event(nl, &event, 5000));			\
	EXPECT_EQ(wanted, event.command);				\
	EXPECT_EQ(0, event.unknown);					\
} while (0)
#define EXPECT_QUIET(nl)						\
	EXPECT_EQ(-ETIMEDOUT, nl_event(nl, &event, 200))

static uint64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000000000ULL + time.tv_nsec;
}

TEST_F(netlink, regions_come_and_go)
{
	struct nl_socket nl;
	uint64_t id, seq, began = now();
	char *base;

	ASSERT_EQ(0, open_listener(&nl));
	ASSERT_EQ(0, ph_create(self->fd, 64 * PAGE, 8 * PAGE, 0, &base));
	id = ph_region(self->fd, base).out_id;
	ASSERT_EQ(0, nl_region(&self->nl, id, &object));

	EXPECT_NEXT(CREATE_NTF, &nl);
	EXPECT_EQ(object.have | BIT_OF(PRIVHEAP_A_EVENT), event.have);
	EXPECT_EQ(0, memcmp(object.value, event.value, sizeof(event.value)));
	EXPECT_EQ(0, memcmp(object.commit, event.commit, sizeof(event.commit)));
	EXPECT_EQ(0, memcmp(object.resident, event.resident, sizeof(event.resident)));
	EXPECT_EQ(EVENT_ATTRS, event.event_have);
	EXPECT_LE(began, event.event[PRIVHEAP_A_EVENT_TIME]);
	EXPECT_GE(now(), event.event[PRIVHEAP_A_EVENT_TIME]);
	seq = event.event[PRIVHEAP_A_EVENT_SEQ];

	ASSERT_EQ(0, ph_grow(self->fd, base, 20 * PAGE, 0));
	ASSERT_EQ(0, ph_destroy(self->fd, base));
	EXPECT_NEXT(DESTROY_NTF, &nl);
	EXPECT_EQ(id, event.value[PRIVHEAP_A_REGION_ID]);
	EXPECT_EQ(20 * PAGE, event.commit[USAGE]);
	EXPECT_EQ(seq + 1, event.event[PRIVHEAP_A_EVENT_SEQ]);
	EXPECT_QUIET(&nl);
}

TEST_F(netlink, soft_limit_once_per_edge)
{
	struct nl_socket nl;
	char *base;
	uint64_t id;

	ASSERT_EQ(0, ph_create(self->fd, 64 * PAGE, 8 * PAGE, PRIVHEAP_CREATE_LAZY,
			       &base));
	id = ph_region(self->fd, base).out_id;
	ASSERT_EQ(0, open_listener(&nl));
	ASSERT_EQ(0, nl_set(&self->nl, REGION, id, COMMIT, SOFT, 16 * PAGE, &object));
	ASSERT_EQ(0, ph_grow(self->fd, base, 16 * PAGE, 0));
	EXPECT_QUIET(&nl);
	ASSERT_EQ(0, ph_grow(self->fd, base, 17 * PAGE, 0));
	ASSERT_EQ(0, ph_grow(self->fd, base, 30 * PAGE, 0));
	EXPECT_NEXT(SOFT_NTF, &nl);
	EXPECT_EQ(QUOTA_ATTRS, event.event_have);
	EXPECT_EQ(PRIVHEAP_RESOURCE_COMMIT, event.event[PRIVHEAP_A_EVENT_RESOURCE]);
	EXPECT_EQ(REGION, event.value[PRIVHEAP_A_LEVEL]);
	EXPECT_EQ(id, event.value[PRIVHEAP_A_SUBJECT]);
	EXPECT_EQ(17 * PAGE, event.commit[USAGE]);
	EXPECT_EQ(16 * PAGE, event.commit[SOFT]);
	ASSERT_EQ(0, ph_decommit(self->fd, base, 17 * PAGE, 13 * PAGE));
	EXPECT_QUIET(&nl);
	ASSERT_EQ(0, ph_decommit(self->fd, base, 16 * PAGE, PAGE));
	EXPECT_NEXT(BELOW_NTF, &nl);
	EXPECT_EQ(16 * PAGE, event.commit[USAGE]);
	ASSERT_EQ(0, ph_decommit(self->fd, base, 0, 8 * PAGE));
	EXPECT_QUIET(&nl);

	/* To set it is to cross it as well. */
	ASSERT_EQ(0, nl_set(&self->nl, REGION, id, COMMIT, SOFT, 7 * PAGE, &object));
	EXPECT_NEXT(SOFT_NTF, &nl);
	ASSERT_EQ(0, nl_set(&self->nl, REGION, id, COMMIT, SOFT, 6 * PAGE, &object));
	EXPECT_QUIET(&nl);
	ASSERT_EQ(0, nl_set(&self->nl, REGION, id, COMMIT, SOFT, NO_LIMIT, &object));
	EXPECT_NEXT(BELOW_NTF, &nl);

	/* Of resident pages, of the process. */
	ASSERT_EQ(0, nl_set(&self->nl, PROCESS, getpid(), RESIDENT, SOFT, 0, &object));
	ASSERT_EQ(0, ph_write(base + 9 * PAGE, 1));
	EXPECT_NEXT(SOFT_NTF, &nl);
	EXPECT_EQ(PRIVHEAP_RESOURCE_RESIDENT, event.event[PRIVHEAP_A_EVENT_RESOURCE]);
	EXPECT_EQ(PROCESS, event.value[PRIVHEAP_A_LEVEL]);
	EXPECT_EQ(getpid(), event.value[PRIVHEAP_A_SUBJECT]);
	ASSERT_EQ(0, ph_decommit(self->fd, base, 8 * PAGE, 8 * PAGE));
	EXPECT_NEXT(BELOW_NTF, &nl);
	EXPECT_QUIET(&nl);
}

TEST_F(netlink, denied_names_level_and_size)
{
	struct nl_socket nl;
	char *base;
	uint64_t id, seq;

	ASSERT_EQ(0, ph_create_limit(self->fd, 64 * PAGE, 8 * PAGE, 32 * PAGE, 0, &base));
	id = ph_region(self->fd, base).out_id;
	ASSERT_EQ(0, open_listener(&nl));
	EXPECT_EQ(-EDQUOT, ph_grow(self->fd, base, 40 * PAGE, 0));
	EXPECT_NEXT(DENIED_NTF, &nl);
	EXPECT_EQ(QUOTA_ATTRS | BIT_OF(PRIVHEAP_A_EVENT_REQUEST) |
		  BIT_OF(PRIVHEAP_A_EVENT_REGION_ID), event.event_have);
	EXPECT_EQ(REGION, event.value[PRIVHEAP_A_LEVEL]);
	EXPECT_EQ(id, event.value[PRIVHEAP_A_SUBJECT]);
	EXPECT_EQ(32 * PAGE, event.event[PRIVHEAP_A_EVENT_REQUEST]);
	EXPECT_EQ(id, event.event[PRIVHEAP_A_EVENT_REGION_ID]);
	EXPECT_EQ(PRIVHEAP_RESOURCE_COMMIT, event.event[PRIVHEAP_A_EVENT_RESOURCE]);
	seq = event.event[PRIVHEAP_A_EVENT_SEQ];

	ASSERT_EQ(0, nl_set(&self->nl, PROCESS, getpid(), COMMIT, HARD, 10 * PAGE,
			    &object));
	EXPECT_EQ(-EDQUOT, ph_grow(self->fd, base, 11 * PAGE, 0));
	EXPECT_NEXT(DENIED_NTF, &nl);
	EXPECT_EQ(PROCESS, event.value[PRIVHEAP_A_LEVEL]);
	EXPECT_EQ(getpid(), event.value[PRIVHEAP_A_SUBJECT]);
	EXPECT_EQ(3 * PAGE, event.event[PRIVHEAP_A_EVENT_REQUEST]);
	EXPECT_EQ(id, event.event[PRIVHEAP_A_EVENT_REGION_ID]);
	EXPECT_EQ(seq + 1, event.event[PRIVHEAP_A_EVENT_SEQ]);
	EXPECT_EQ(1, event.commit[PRIVHEAP_A_COUNTER_DENIALS]);
	EXPECT_QUIET(&nl);
}

/* Nothing is noted while nobody listens, so no number is missing. */
TEST_F(netlink, nothing_without_listeners)
{
	struct nl_socket nl;
	uint64_t seq;
	char *base;

	ASSERT_EQ(0, ph_create_limit(self->fd, 64 * PAGE, 8 * PAGE, 32 * PAGE, 0, &base));
	ASSERT_EQ(0, open_listener(&nl));
	EXPECT_EQ(-EDQUOT, ph_grow(self->fd, base, 33 * PAGE, 0));
	EXPECT_NEXT(DENIED_NTF, &nl);
	seq = event.event[PRIVHEAP_A_EVENT_SEQ];
	nl_close(&nl);
	for (int i = 0; i < 5000; i++)
		ASSERT_EQ(-EDQUOT, ph_grow(self->fd, base, 33 * PAGE, 0));
	ASSERT_EQ(0, open_listener(&nl));
	EXPECT_QUIET(&nl);
	EXPECT_EQ(-EDQUOT, ph_grow(self->fd, base, 33 * PAGE, 0));
	EXPECT_NEXT(DENIED_NTF, &nl);
	EXPECT_EQ(seq + 1, event.event[PRIVHEAP_A_EVENT_SEQ]);
	EXPECT_EQ(0, event.event[PRIVHEAP_A_EVENT_LOST]);
}

static void collect(struct nl_object *found, void *argument)
{
	uint64_t *sum = argument;

	if (found->value[PRIVHEAP_A_PID] == (uint64_t)getpid()) {
		sum[0]++;
		sum[1] += found->commit[USAGE];
	}
}

/* Who reads too slowly is told so, and finds by a dump what was lost. */
TEST_F(netlink, slow_listener)
{
	uint64_t sum[2] = { 0, 0 }, first = 0;
	unsigned int got = 0;
	int small = 4096, ret;
	struct nl_socket nl;
	char *base[200];

	ASSERT_EQ(0, nl_open(&nl));
	ASSERT_EQ(0, nl_listen(&nl));
	ASSERT_EQ(0, setsockopt(nl.fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small)));
	for (int i = 0; i < 200; i++)
		ASSERT_EQ(0, ph_create(self->fd, 16 * PAGE, PAGE, PRIVHEAP_CREATE_LAZY,
				       &base[i]));
	ph_sleep_ms(300);
	EXPECT_EQ(-ENOBUFS, nl_event(&nl, &event, 5000));
	while ((ret = nl_event(&nl, &event, 200)) != -ETIMEDOUT) {
		ASSERT_TRUE(!ret || ret == -ENOBUFS);
		if (!ret && !got++)
			first = event.event[PRIVHEAP_A_EVENT_SEQ];
	}
	EXPECT_LT(got, 200);
	ASSERT_EQ(0, nl_dump(&self->nl, PRIVHEAP_CMD_REGION_GET, 0, 0, collect, sum));
	EXPECT_EQ(200, sum[0]);
	EXPECT_EQ(200 * PAGE, sum[1]);
	/* And it goes on, with the numbers of the lost ones left out. */
	ASSERT_EQ(0, ph_destroy(self->fd, base[0]));
	EXPECT_NEXT(DESTROY_NTF, &nl);
	EXPECT_EQ(first + 200, event.event[PRIVHEAP_A_EVENT_SEQ]);
}

/* --- many at once */

#define THREADS		8
#define ROUNDS		300

struct racer {
	pthread_t thread;
	int fd;
	char *base;
	unsigned int rounds;
	int failed;
};

/* All of them at once, or they may come one after the other. */
static pthread_barrier_t start;

static void *cross(void *argument)
{
	struct racer *racer = argument;

	pthread_barrier_wait(&start);
	for (unsigned int i = 0; i < racer->rounds; i++)
		racer->failed |= ph_grow(racer->fd, racer->base, 2 * PAGE, 0) ||
				 ph_decommit(racer->fd, racer->base, 0, 2 * PAGE);
	return NULL;
}

/* Ahead of the kernel's worker: on each processor one of these, and it tells nothing. */
static void *be_refused(void *argument)
{
	const struct sched_param first = { .sched_priority = 1 };
	struct racer *racer = argument;

	racer->failed = !!pthread_setschedparam(pthread_self(), SCHED_FIFO, &first);
	pthread_barrier_wait(&start);
	for (unsigned int i = 0; i < racer->rounds; i++)
		racer->failed |= ph_grow(racer->fd, racer->base, 9 * PAGE, 0) != -EDQUOT;
	return NULL;
}

TEST_F(netlink, racing_threads_cross_by_turns)
{
	unsigned int events = 0, overruns = 0, wrong = 0;
	struct racer racers[THREADS];
	uint8_t last = BELOW_NTF;
	uint64_t seq = 0, time = 0;
	struct nl_socket nl;
	int ret;

	ASSERT_EQ(0, nl_set(&self->nl, PROCESS, getpid(), COMMIT, SOFT, 3 * PAGE, &object));
	for (int i = 0; i < THREADS; i++) {
		racers[i] = (struct racer){ .fd = self->fd, .rounds = ROUNDS };
		ASSERT_EQ(0, ph_create(self->fd, 4 * PAGE, 0, 0, &racers[i].base));
	}
	ASSERT_EQ(0, open_listener(&nl));
	ASSERT_EQ(0, pthread_barrier_init(&start, NULL, THREADS));
	for (int i = 0; i < THREADS; i++)
		ASSERT_EQ(0, pthread_create(&racers[i].thread, NULL, cross, &racers[i]));
	for (int i = 0; i < THREADS; i++) {
		pthread_join(racers[i].thread, NULL);
		EXPECT_EQ(0, racers[i].failed);
	}
	/* Once for certain, whoever ran when. */
	for (int i = 0; i < 2; i++)
		EXPECT_EQ(0, ph_grow(self->fd, racers[i].base, 2 * PAGE, 0));
	for (int i = 0; i < 2; i++)
		EXPECT_EQ(0, ph_decommit(self->fd, racers[i].base, 0, 2 * PAGE));
	while ((ret = nl_event(&nl, &event, events ? 2000 : 10000)) != -ETIMEDOUT) {
		uint64_t lost = event.event[PRIVHEAP_A_EVENT_LOST];

		if (ret == -ENOBUFS) {
			overruns++;
			continue;
		}
		ASSERT_EQ(0, ret);
		/* Those that the first tells of were before this listener. */
		if (!seq)
			lost = 0;
		else if (event.event[PRIVHEAP_A_EVENT_SEQ] != seq + lost + 1)
			wrong++;
		if (event.event[PRIVHEAP_A_EVENT_TIME] < time)
			wrong++;
		/* Of an odd number of lost ones the next is the same. */
		if (event.command != (lost % 2 ? last : last ^ SOFT_NTF ^ BELOW_NTF))
			wrong++;
		seq = event.event[PRIVHEAP_A_EVENT_SEQ];
		time = event.event[PRIVHEAP_A_EVENT_TIME];
		last = event.command;
		events++;
	}
	TH_LOG("%u events, %u overruns", events, overruns);
	EXPECT_EQ(0, wrong);
	EXPECT_LT(0, events);
	/* The last is true, unless it is said that there were more. */
	EXPECT_TRUE(last == BELOW_NTF || overruns);
}

/* What was heard of refusals. */
struct heard {
	unsigned int events;
	unsigned int overruns;
	unsigned int wrong;
	uint64_t first;
	uint64_t last;
	uint64_t lost;
};

static int hear(struct nl_socket *nl, struct heard *heard)
{
	int ret;

	while ((ret = nl_event(nl, &event, 1000)) != -ETIMEDOUT) {
		uint64_t seq = event.event[PRIVHEAP_A_EVENT_SEQ];
		uint64_t lost = event.event[PRIVHEAP_A_EVENT_LOST];

		if (ret == -ENOBUFS) {
			heard->overruns++;
			continue;
		}
		if (ret)
			return ret;
		if (event.command != DENIED_NTF)
			continue;
		if (!heard->first) {
			heard->first = seq;
		} else {
			heard->wrong += seq != heard->last + lost + 1;
			heard->lost += lost;
		}
		heard->last = seq;
		heard->events++;
	}
	return 0;
}

/* Each at a moment when the one before may just have been told: none is lost. */
TEST_F_TIMEOUT(netlink, none_is_lost_of_a_few, 300)
{
	struct nl_socket nl;
	uint64_t last = 0;
	char *base;

	ASSERT_EQ(0, open_listener(&nl));
	for (int i = 0; i < 3000; i++) {
		ASSERT_EQ(0, ph_create(self->fd, MIB, 0, PRIVHEAP_CREATE_LAZY, &base));
		for (volatile int wait = i % 64 * 32; wait; wait--)
			;
		ASSERT_EQ(0, ph_destroy(self->fd, base));
		for (int j = 0; j < 2; j++) {
			/* ENOBUFS would say that there were more. */
			ASSERT_EQ(0, nl_event(&nl, &event, 5000)) {
				TH_LOG("round %d, event %d", i, j);
			}
			/* The first may tell of some before this listener was there. */
			if (last) {
				EXPECT_EQ(0, event.event[PRIVHEAP_A_EVENT_LOST]);
				EXPECT_EQ(last + 1, event.event[PRIVHEAP_A_EVENT_SEQ]);
			}
			last = event.event[PRIVHEAP_A_EVENT_SEQ];
		}
	}
	nl_close(&nl);
}

/*
 * More than the module queues: what is lost is counted, and where no event tells
 * of the last ones, an error does.
 */
TEST_F_TIMEOUT(netlink, lost_are_counted, 300)
{
	int cpus = sysconf(_SC_NPROCESSORS_ONLN);
	struct heard heard = { 0 };
	struct racer racers[64];
	unsigned int total;
	struct nl_socket nl;
	uint64_t lost;
	char *base;

	ASSERT_EQ(0, open_listener(&nl));
	ASSERT_GE(64, cpus);
	total = cpus * (8192 / cpus);
	for (int i = 0; i < cpus; i++) {
		ASSERT_EQ(0, ph_create_limit(self->fd, 16 * PAGE, PAGE, 8 * PAGE, 0,
					     &base));
		racers[i] = (struct racer){ .fd = self->fd, .base = base,
					    .rounds = total / cpus };
	}
	ASSERT_EQ(0, pthread_barrier_init(&start, NULL, cpus));
	for (int i = 0; i < cpus; i++)
		ASSERT_EQ(0, pthread_create(&racers[i].thread, NULL, be_refused,
					    &racers[i]));
	for (int i = 0; i < cpus; i++) {
		pthread_join(racers[i].thread, NULL);
		EXPECT_EQ(0, racers[i].failed);
	}
	ASSERT_EQ(0, hear(&nl, &heard));
	lost = heard.lost;
	/* One that has room in the queue again, and tells of the lost ones. */
	EXPECT_EQ(-EDQUOT, ph_grow(self->fd, base, 9 * PAGE, 0));
	ASSERT_EQ(0, hear(&nl, &heard));
	TH_LOG("%u events, %llu lost, %llu of them at the end, %u overruns", heard.events,
	       (unsigned long long)heard.lost, (unsigned long long)(heard.lost - lost),
	       heard.overruns);
	EXPECT_EQ(0, heard.wrong);
	EXPECT_EQ(total + 1, heard.events + heard.lost);
	EXPECT_EQ(total, heard.last - heard.first);
	EXPECT_NE(0, heard.lost);
	EXPECT_TRUE(heard.lost == lost || heard.overruns);
}

TEST_HARNESS_MAIN
