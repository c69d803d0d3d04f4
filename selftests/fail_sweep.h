/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A call is made again and again, and each time the next of its allocations fails,
 * until there is none left: each time it succeeds, or it fails with an errno of its
 * own and everything is as it was before.
 */
#ifndef FAIL_SWEEP_H
#define FAIL_SWEEP_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fail_nth.h"
#include "kselftest_harness.h"
#include "limit_selftest.h"
#include "netlink_selftest.h"
#include "privheap_selftest.h"

/* No call has so many allocations. */
#define FAIL_MOST	3000

/**
 * struct fail_world - what a call works on
 * @fd: the open device
 * @base: the region, or NULL
 * @extra: whatever the call needs beside it
 * @value: the same
 * @pattern: bytes at the region's start, all of them @letter
 * @letter: see @pattern
 * @nl: a socket for calls over netlink
 * @look: one that is used between the calls only
 * @id: a region's number
 * @level: with @subject, of a quota that calls may change; or 0
 * @subject: see @level
 */
struct fail_world {
	int fd;
	char *base;
	char *extra;
	long value;
	uint64_t pattern;
	char letter;
	struct nl_socket nl;
	struct nl_socket look;
	uint64_t id;
	uint32_t level;
	uint64_t subject;
};

/**
 * struct fail_case - a call
 * @name: for the log
 * @before: brings about what the call needs; 0 or a negative errno
 * @call: the call; 0 or what it failed with
 * @after: looks at what a call that succeeded has done; 0 if that is right
 * @clean: takes back what is there; NULL: destroy the region
 * @least: so many allocations it has at least
 * @allowed: what it may fail with; -ENOMEM if there is nothing
 * @changed: what it may fail with after it has done its work
 */
struct fail_case {
	const char *name;
	int (*before)(struct fail_world *world);
	int (*call)(struct fail_world *world);
	int (*after)(struct fail_world *world);
	void (*clean)(struct fail_world *world);
	unsigned int least;
	int allowed[3];
	int changed[2];
};

/**
 * struct fail_state - all that can be asked
 * @region: counters of the region
 * @process: the same of the process
 * @system: the same of the system
 * @region_limit: limits of the region by resource
 * @process_limit: limits of the process by resource
 * @user: the user's quota over netlink
 * @quota: that of the world's subject
 * @pattern: the pattern is there
 */
struct fail_state {
	struct privheap_query region;
	struct privheap_query process;
	struct privheap_query system;
	struct privheap_limit region_limit[2];
	struct privheap_limit process_limit[2];
	struct nl_object user;
	struct nl_object quota;
	bool pattern;
};

static inline void fail_look(struct fail_world *world, struct fail_state *state)
{
	memset(state, 0, sizeof(*state));
	if (world->base) {
		state->region = ph_region(world->fd, world->base);
		for (int i = 0; i < 2; i++)
			state->region_limit[i] = limit_get(world->fd, world->base, i);
		state->pattern = ph_all(world->base, world->pattern, world->letter);
	}
	/* A process that is not known becomes so for the moment of the question. */
	ph_query(world->fd, NULL, PRIVHEAP_QUERY_PROCESS, &state->process);
	for (int i = 0; i < 2; i++)
		state->process_limit[i] = limit_get(world->fd, NULL, i);
	ph_query(world->fd, NULL, PRIVHEAP_QUERY_SYSTEM, &state->system);
	nl_quota(&world->look, PRIVHEAP_LEVEL_USER, getuid(), &state->user);
	if (world->level)
		nl_quota(&world->look, world->level, world->subject, &state->quota);
}

/* Peaks of the system are of what other users do as well. */
static inline bool fail_same(const struct fail_state *a, const struct fail_state *b)
{
	return !memcmp(&a->region, &b->region, sizeof(a->region)) &&
	       !memcmp(&a->process, &b->process, sizeof(a->process)) &&
	       !memcmp(a->region_limit, b->region_limit, sizeof(a->region_limit)) &&
	       !memcmp(a->process_limit, b->process_limit, sizeof(a->process_limit)) &&
	       ph_same_usage(&a->system, &b->system) &&
	       !memcmp(&a->user, &b->user, offsetof(struct nl_object, map)) &&
	       !memcmp(&a->quota, &b->quota, offsetof(struct nl_object, map)) &&
	       a->pattern && b->pattern == a->pattern;
}

static inline bool fail_changed(const struct fail_case *one, int ret)
{
	return ret == one->changed[0] || ret == one->changed[1];
}

static inline bool fail_allowed(const struct fail_case *one, int ret)
{
	if (fail_changed(one, ret))
		return true;
	for (int i = 0; i < 3 && one->allowed[i]; i++)
		if (ret == one->allowed[i])
			return true;
	return !one->allowed[0] && ret == -ENOMEM;
}

static inline void fail_clean(const struct fail_case *one, struct fail_world *world)
{
	if (one->clean)
		one->clean(world);
	else if (world->base)
		ph_destroy(world->fd, world->base);
	world->base = NULL;
	world->pattern = 0;
}

/* All of a case; tells how many allocations there were and what came of them. */
static inline void fail_sweep_once(struct __test_metadata *_metadata,
				   const struct fail_case *one, struct fail_world *world)
{
	unsigned int failed = 0, fine = 0, nth;
	struct fail_state before, after;
	bool injected = true;
	int ret;

	for (nth = 1; injected && nth < FAIL_MOST; nth++) {
		ASSERT_EQ(0, one->before ? one->before(world) : 0) {
			TH_LOG("%s: not prepared, %u", one->name, nth);
		}
		fail_look(world, &before);
		before.pattern = true;
		fail_nth_arm(nth);
		ret = one->call(world);
		injected = fail_nth_disarm();
		if (!ret) {
			fine += injected;
			EXPECT_EQ(0, one->after ? one->after(world) : 0) {
				TH_LOG("%s: not what it should be, %u", one->name, nth);
			}
			fail_clean(one, world);
			continue;
		}
		failed++;
		fail_look(world, &after);
		after.pattern |= !world->base;
		EXPECT_TRUE(injected && fail_allowed(one, ret)) {
			TH_LOG("%s: %d, %u", one->name, ret, nth);
		}
		EXPECT_TRUE(fail_changed(one, ret) || fail_same(&before, &after)) {
			TH_LOG("%s: something has changed, %d, %u", one->name, ret, nth);
		}
		/* A region that was made is taken back, whoever was to get its base. */
		EXPECT_TRUE(world->base || ph_same_usage(&before.system, &after.system)) {
			TH_LOG("%s: something is left, %d, %u", one->name, ret, nth);
		}
		fail_clean(one, world);
	}
	EXPECT_FALSE(injected);
	EXPECT_LE(one->least, nth - 2) {
		TH_LOG("%s: fewer allocations than there must be", one->name);
	}
	TH_LOG("%s: %u allocations, %u failed it, %u did not", one->name, nth - 2, failed,
	       fine);
}

/*
 * A call has one allocation more where a slab or a cache of buffers has just run
 * empty, and so that of the next number can be one that was before, and one be passed
 * over. PRIVHEAP_FAIL_ROUNDS: so often, 1 if not set.
 */
static inline void fail_sweep(struct __test_metadata *_metadata,
			      const struct fail_case *one, struct fail_world *world)
{
	const char *rounds = getenv("PRIVHEAP_FAIL_ROUNDS");
	int left = rounds ? atoi(rounds) : 1;

	do {
		fail_sweep_once(_metadata, one, world);
	} while (--left > 0);
}

#endif /* FAIL_SWEEP_H */
