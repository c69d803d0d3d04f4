// SPDX-License-Identifier: GPL-2.0-only
/* Thresholds on a region's counters, signalled through eventfds. */
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>

#include "privheap_fixture.h"

#define COMMIT		PRIVHEAP_RESOURCE_COMMIT
#define RESIDENT	PRIVHEAP_RESOURCE_RESIDENT
#define REMOVE		PRIVHEAP_NOTIFY_REMOVE

#define RESERVE		(64 * PAGE)

static int make_event(void)
{
	return eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
}

/* How often it was signalled since last asked. */
static uint64_t signals(int event)
{
	uint64_t count;

	return read(event, &count, sizeof(count)) == sizeof(count) ? count : 0;
}

TEST_F(privheap, commit_crosses_both_ways)
{
	int event = make_event();
	char *base;

	ASSERT_EQ(0, ph_create(self->fd, RESERVE, 2 * PAGE, 0, &base));
	ASSERT_EQ(0, ph_notify(self->fd, base, COMMIT, 8 * PAGE, event, 0));
	EXPECT_EQ(0, signals(event));

	EXPECT_EQ(0, ph_grow(self->fd, base, 7 * PAGE, 0));
	EXPECT_EQ(0, signals(event));
	/* To the threshold is across it. */
	EXPECT_EQ(0, ph_grow(self->fd, base, 8 * PAGE, 0));
	EXPECT_EQ(1, signals(event));
	EXPECT_EQ(0, ph_grow(self->fd, base, 20 * PAGE, 0));
	EXPECT_EQ(0, signals(event));
	EXPECT_EQ(0, ph_decommit(self->fd, base, 0, 12 * PAGE));
	EXPECT_EQ(0, signals(event));
	EXPECT_EQ(0, ph_decommit(self->fd, base, 19 * PAGE, PAGE));
	EXPECT_EQ(1, signals(event));
	EXPECT_EQ(0, ph_decommit(self->fd, base, 18 * PAGE, PAGE));
	EXPECT_EQ(0, signals(event));

	/* Three crossings, three signals. */
	for (int i = 0; i < 3; i++) {
		EXPECT_EQ(0, ph_commit(self->fd, base, 30 * PAGE, 10 * PAGE,
				       i % 2 ? PRIVHEAP_COMMIT_POPULATE : 0));
		if (i < 2)
			EXPECT_EQ(0, ph_decommit(self->fd, base, 30 * PAGE,
						 10 * PAGE));
	}
	EXPECT_EQ(5, signals(event));
}

TEST_F(privheap, state_at_the_call_is_not_signalled)
{
	int event = make_event();
	char *base;

	ASSERT_EQ(0, ph_create(self->fd, RESERVE, 8 * PAGE, 0, &base));
	EXPECT_EQ(0, ph_notify(self->fd, base, COMMIT, 8 * PAGE, event, 0));
	EXPECT_EQ(0, ph_notify(self->fd, base, RESIDENT, 4 * PAGE, event, 0));
	EXPECT_EQ(0, ph_notify(self->fd, base, COMMIT, 9 * PAGE, event, 0));
	EXPECT_EQ(0, signals(event));
}

TEST_F(privheap, resident_crosses_both_ways)
{
	int event = make_event();
	char *base;

	ASSERT_EQ(0, ph_create(self->fd, RESERVE, RESERVE, PRIVHEAP_CREATE_LAZY,
			       &base));
	ASSERT_EQ(0, ph_notify(self->fd, base, RESIDENT, 3 * PAGE, event, 0));
	EXPECT_EQ(0, ph_write(base, 1));
	EXPECT_EQ(0, ph_read(base + 20 * PAGE));
	EXPECT_EQ(0, signals(event));
	EXPECT_EQ(0, ph_write(base + 40 * PAGE, 1));
	EXPECT_EQ(1, signals(event));
	EXPECT_EQ(0, ph_decommit(self->fd, base, 20 * PAGE, PAGE));
	EXPECT_EQ(1, signals(event));
	/* Populate takes it far beyond, and counts once. */
	EXPECT_EQ(0, ph_grow(self->fd, base, RESERVE, PRIVHEAP_COMMIT_POPULATE));
	EXPECT_EQ(1, signals(event));
	EXPECT_EQ(0, ph_decommit(self->fd, base, 0, RESERVE));
	EXPECT_LE(1, signals(event));
}

/* What is refused or undone leaves no trace that adds up to a crossing. */
TEST_F(privheap, a_refused_commit_crosses_nothing)
{
	int event = make_event();
	char *base;

	ASSERT_EQ(0, ph_create_limit(self->fd, RESERVE, 0, 4 * PAGE, 0, &base));
	ASSERT_EQ(0, ph_notify(self->fd, base, COMMIT, 2 * PAGE, event, 0));
	EXPECT_EQ(-EDQUOT, ph_grow(self->fd, base, 8 * PAGE, 0));
	EXPECT_EQ(0, signals(event));
}

TEST_F(privheap, several_thresholds_several_events)
{
	int one = make_event(), two = make_event();
	char *base;

	ASSERT_EQ(0, ph_create(self->fd, RESERVE, 0, 0, &base));
	for (int page = 1; page <= 10; page++) {
		ASSERT_EQ(0, ph_notify(self->fd, base, COMMIT, page * PAGE, one,
				       0));
	}
	ASSERT_EQ(0, ph_notify(self->fd, base, COMMIT, 5 * PAGE, two, 0));
	ASSERT_EQ(0, ph_notify(self->fd, base, RESIDENT, 5 * PAGE, two, 0));
	EXPECT_EQ(0, ph_grow(self->fd, base, 4 * PAGE, 0));
	EXPECT_EQ(4, signals(one));
	EXPECT_EQ(0, signals(two));
	EXPECT_EQ(0, ph_grow(self->fd, base, 20 * PAGE, PRIVHEAP_COMMIT_POPULATE));
	EXPECT_EQ(6, signals(one));
	EXPECT_EQ(2, signals(two));
	EXPECT_EQ(0, ph_decommit(self->fd, base, 0, 20 * PAGE));
	EXPECT_EQ(10, signals(one));
	EXPECT_EQ(2, signals(two));
}

TEST_F(privheap, one_region_does_not_signal_for_another)
{
	int event = make_event();
	char *watched, *other;

	ASSERT_EQ(0, ph_create(self->fd, RESERVE, 0, 0, &watched));
	ASSERT_EQ(0, ph_create(self->fd, RESERVE, 0, 0, &other));
	ASSERT_EQ(0, ph_notify(self->fd, watched, COMMIT, PAGE, event, 0));
	EXPECT_EQ(0, ph_grow(self->fd, other, RESERVE, 0));
	EXPECT_EQ(0, signals(event));
	EXPECT_EQ(0, ph_grow(self->fd, watched, PAGE, 0));
	EXPECT_EQ(1, signals(event));
}

TEST_F(privheap, exist_remove_and_again)
{
	int event = make_event(), same = dup(event), other = make_event();
	char *base;

	ASSERT_EQ(0, ph_create(self->fd, RESERVE, 0, 0, &base));
	EXPECT_EQ(-ENOENT, ph_notify(self->fd, base, COMMIT, 8 * PAGE, event,
				     REMOVE));
	EXPECT_EQ(0, ph_notify(self->fd, base, COMMIT, 8 * PAGE, event, 0));
	EXPECT_EQ(-EEXIST, ph_notify(self->fd, base, COMMIT, 8 * PAGE, event, 0));
	/* The same eventfd by another number is the same watch. */
	EXPECT_EQ(-EEXIST, ph_notify(self->fd, base, COMMIT, 8 * PAGE, same, 0));
	/* Others are others. */
	EXPECT_EQ(0, ph_notify(self->fd, base, COMMIT, 8 * PAGE, other, 0));
	EXPECT_EQ(0, ph_notify(self->fd, base, RESIDENT, 8 * PAGE, event, 0));
	EXPECT_EQ(0, ph_notify(self->fd, base, COMMIT, 9 * PAGE, event, 0));
	EXPECT_EQ(-ENOENT, ph_notify(self->fd, base, COMMIT, 7 * PAGE, event,
				     REMOVE));
	EXPECT_EQ(-ENOENT, ph_notify(self->fd, base, RESIDENT, 8 * PAGE, other,
				     REMOVE));

	EXPECT_EQ(0, ph_notify(self->fd, base, COMMIT, 8 * PAGE, same, REMOVE));
	EXPECT_EQ(-ENOENT, ph_notify(self->fd, base, COMMIT, 8 * PAGE, event,
				     REMOVE));
	EXPECT_EQ(0, ph_grow(self->fd, base, 8 * PAGE, 0));
	EXPECT_EQ(0, signals(event));
	EXPECT_EQ(1, signals(other));
	EXPECT_EQ(0, ph_notify(self->fd, base, COMMIT, 8 * PAGE, event, 0));
	EXPECT_EQ(0, ph_decommit(self->fd, base, 0, PAGE));
	EXPECT_EQ(1, signals(event));
	EXPECT_EQ(1, signals(other));
}

TEST_F(privheap, so_many_and_no_more)
{
	int event = make_event();
	char *base;

	ASSERT_EQ(0, ph_create(self->fd, 128 * PAGE, 0, 0, &base));
	for (int i = 1; i <= PRIVHEAP_NOTIFY_MAX; i++) {
		ASSERT_EQ(0, ph_notify(self->fd, base, i % 2, i * PAGE, event,
				       0));
	}
	EXPECT_EQ(-ENOSPC, ph_notify(self->fd, base, COMMIT, 100 * PAGE, event,
				     0));
	/* There already: that is said first. */
	EXPECT_EQ(-EEXIST, ph_notify(self->fd, base, COMMIT, 2 * PAGE, event, 0));
	EXPECT_EQ(0, ph_notify(self->fd, base, COMMIT, 2 * PAGE, event, REMOVE));
	EXPECT_EQ(0, ph_notify(self->fd, base, COMMIT, 100 * PAGE, event, 0));
	EXPECT_EQ(-ENOSPC, ph_notify(self->fd, base, COMMIT, 2 * PAGE, event, 0));
	EXPECT_EQ(0, ph_grow(self->fd, base, 128 * PAGE, 0));
	EXPECT_EQ(PRIVHEAP_NOTIFY_MAX / 2, signals(event));
}

TEST_F(privheap, closing_the_eventfd_is_no_end)
{
	int event = make_event(), again;
	char *base;

	ASSERT_EQ(0, ph_create(self->fd, RESERVE, 0, 0, &base));
	ASSERT_EQ(0, ph_notify(self->fd, base, COMMIT, PAGE, event, 0));
	again = dup(event);
	close(event);
	EXPECT_EQ(0, ph_grow(self->fd, base, PAGE, 0));
	EXPECT_EQ(1, signals(again));
	/* Nobody has it any more: signalling it must do no harm. */
	close(again);
	EXPECT_EQ(0, ph_decommit(self->fd, base, 0, PAGE));
	EXPECT_EQ(0, ph_grow(self->fd, base, 2 * PAGE, 0));
	EXPECT_EQ(0, ph_destroy(self->fd, base));
}

TEST_F(privheap, wakes_a_poller)
{
	struct pollfd poller = { .fd = make_event(), .events = POLLIN };
	char *base;
	pid_t child;

	ASSERT_EQ(0, ph_create(self->fd, RESERVE, 0, 0, &base));
	ASSERT_EQ(0, ph_notify(self->fd, base, COMMIT, 4 * PAGE, poller.fd, 0));
	EXPECT_EQ(0, poll(&poller, 1, 0));
	child = fork();
	ASSERT_LE(0, child);
	if (!child)
		_exit(poll(&poller, 1, 20000) == 1 ? 0 : 1);
	ph_sleep_ms(100);
	EXPECT_EQ(0, ph_grow(self->fd, base, 4 * PAGE, 0));
	EXPECT_EXITED(0, child);
}

TEST_F(privheap, destroy_ends_the_watch)
{
	int event = make_event();
	char *base;

	ASSERT_EQ(0, ph_create(self->fd, RESERVE, 8 * PAGE, 0, &base));
	ASSERT_EQ(0, ph_notify(self->fd, base, COMMIT, 16 * PAGE, event, 0));
	ASSERT_EQ(0, ph_destroy(self->fd, base));
	EXPECT_EQ(-ENOENT, ph_notify(self->fd, base, COMMIT, 16 * PAGE, event,
				     REMOVE));
	EXPECT_EQ(0, signals(event));
}

TEST_HARNESS_MAIN
