// SPDX-License-Identifier: GPL-2.0-only
/*
 * The worker that tells of events gets no memory: what is lost is counted, and what
 * is not counted a listener was told of by ENOBUFS.
 */
#include <stdlib.h>

#define PH_OWN_FIXTURE
#include "privheap_fixture.h"
#include "fail_nth.h"
#include "netlink_selftest.h"

/* Two events each. */
#define ROUNDS		12

FIXTURE(fail)
{
	int fd;
	struct privheap_query system;
	struct nl_socket listener[2];
};

FIXTURE_SETUP(fail)
{
	const char *why;

	PH_SETUP();
	why = fail_nth_start();
	if (why)
		SKIP(return, "%s", why);
	for (int i = 0; i < 2; i++) {
		ASSERT_EQ(0, nl_open(&self->listener[i]));
		ASSERT_EQ(0, nl_listen(&self->listener[i]));
	}
}

FIXTURE_TEARDOWN_PARENT(fail)
{
	fail_nth_end();
	PH_TEARDOWN();
}

static int make_events(int fd, int rounds)
{
	char *base;
	int ret = 0;

	while (rounds-- && !ret)
		ret = ph_create(fd, MIB, PAGE, 0, &base) ?: ph_destroy(fd, base);
	return ret;
}

/* What a listener has heard. */
struct heard {
	uint64_t events;
	uint64_t lost;		/* as it was told */
	uint64_t first;		/* number */
	uint64_t last;
	unsigned int overruns;
};

static void hear(struct nl_socket *listener, struct heard *heard)
{
	static struct nl_object object;
	int ret;

	while ((ret = nl_event(listener, &object, 500)) != -ETIMEDOUT) {
		if (ret == -ENOBUFS) {
			heard->overruns++;
			continue;
		}
		if (!heard->events++)
			heard->first = object.event[PRIVHEAP_A_EVENT_SEQ];
		else
			heard->lost += object.event[PRIVHEAP_A_EVENT_LOST];
		heard->last = object.event[PRIVHEAP_A_EVENT_SEQ];
	}
}

/* Returns how many a listener has not heard. */
static uint64_t lose_each(struct __test_metadata *_metadata, FIXTURE_DATA(fail) *self,
			  unsigned int interval)
{
	uint64_t unheard = 0;
	struct heard heard[2] = { 0 };
	uint64_t numbers;

	/* One round before and one behind, so that the ends are known. */
	EXPECT_EQ(0, make_events(self->fd, 1));
	ph_sleep_ms(200);
	EXPECT_EQ(0, fail_always(FAIL_EVENTS, interval, false));
	EXPECT_EQ(0, make_events(self->fd, ROUNDS));
	ph_sleep_ms(500);
	EXPECT_EQ(0, fail_always(FAIL_ANY, 0, false));
	EXPECT_EQ(0, make_events(self->fd, 1));

	for (int i = 0; i < 2; i++) {
		hear(&self->listener[i], &heard[i]);
		numbers = heard[i].last - heard[i].first + 1;
		TH_LOG("one of %u: %llu events, %llu lost, %u overruns", interval,
		       (unsigned long long)heard[i].events,
		       (unsigned long long)heard[i].lost, heard[i].overruns);
		EXPECT_EQ(2 * (ROUNDS + 2), numbers);
		EXPECT_LE(heard[i].events + heard[i].lost, numbers);
		if (!heard[i].overruns)
			EXPECT_EQ(numbers, heard[i].events + heard[i].lost);
		unheard += numbers - heard[i].events;
		/* Without any memory, the two at each end. */
		if (interval == 1)
			EXPECT_EQ(4, heard[i].events);
	}
	/* Who comes first in the list has no copy made. */
	EXPECT_TRUE(heard[0].events + heard[0].lost == numbers ||
		    heard[1].events + heard[1].lost == numbers);
	return unheard;
}

TEST_F(fail, none_at_all)
{
	EXPECT_LT(0, lose_each(_metadata, self, 1));
}

TEST_F(fail, one_of_some)
{
	uint64_t unheard = 0;

	/* Some of these hit only what a message can do without. */
	for (unsigned int interval = 2; interval < 6; interval++)
		unheard += lose_each(_metadata, self, interval);
	EXPECT_LT(0, unheard);
}

TEST_HARNESS_MAIN
