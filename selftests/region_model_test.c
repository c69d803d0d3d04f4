// SPDX-License-Identifier: GPL-2.0-only
/*
 * Random operations on regions, of several processes, against a model that knows
 * every page, every byte, every counter and every limit.
 *
 *   PRIVHEAP_MODEL_OPS     operations (30000)
 *   PRIVHEAP_MODEL_SEED    other random numbers (1)
 *   PRIVHEAP_MODEL_SHRINK  seconds to look for a shorter sequence that fails as
 *                          well, where one has failed (60; 0: do not look)
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "netlink_fixture.h"
#include "region_model.h"

static uint64_t option(const char *name, uint64_t value)
{
	const char *text = getenv(name);
	char *end;

	if (!text || !*text)
		return value;
	value = strtoull(text, &end, 0);
	if (*end) {
		fprintf(stderr, "# %s=%s is not a number\n", name, text);
		exit(1);
	}
	return value;
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

/* All processes see it at the same address. */
static bool make_model(void)
{
	rm = mmap(NULL, sizeof(*rm), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		  -1, 0);
	return rm != MAP_FAILED;
}

/* What failed, and what was done before. */
static void report(void)
{
	unsigned int first = rm->records < RM_RECORDS ? 0 : rm->records - RM_RECORDS;

	printf("# seed %" PRIu64 ": %s\n", rm->seed, rm->failure);
	for (unsigned int i = first; i < rm->records; i++) {
		const struct rm_record *record = &rm->record[i % RM_RECORDS];

		printf("# %8" PRIu64 " process %u: %-12s region %3d  %#" PRIx64 " %#" PRIx64
		       " %#" PRIx64 " %#" PRIx64 " = %d", record->op, record->actor,
		       record->name, record->region, record->argument[0],
		       record->argument[1], record->argument[2], record->argument[3],
		       record->result);
		if (record->denied)
			printf(" by level %u", record->denied);
		printf("\n");
	}
	fflush(stdout);
}

/* --- a shorter sequence */

/* Leave more and more out, in ever smaller pieces, as long as it still fails. */
static void shrink(const struct rm_run *failed, double limit)
{
	uint64_t ops = rm->op + 1, size, from, left = 0;
	double end = seconds() + limit;
	struct rm_run run = *failed;
	unsigned int runs = 0;
	uint8_t *skip;

	skip = calloc(2, ops);
	if (!skip)
		return;
	run.ops = ops;
	run.skip = skip;
	for (size = ops / 2; size && seconds() < end; size /= 2) {
		for (from = 0; from < ops && seconds() < end; from += size) {
			uint64_t length = rm_min(size, ops - from);

			memcpy(skip + ops, skip, ops);
			memset(skip + from, 1, length);
			if (!memcmp(skip, skip + ops, ops))
				continue;
			runs++;
			if (rm_world_run(&run))
				memcpy(skip, skip + ops, ops);
		}
	}
	for (from = 0; from < ops; from++)
		left += !skip[from];
	printf("# %" PRIu64 " of %" PRIu64 " operations fail as well (%u runs):\n", left, ops,
	       runs);
	if (rm_world_run(&run))
		printf("# not any more\n");
	else
		report();
	free(skip);
}

static bool run_world(uint64_t seed, uint64_t ops)
{
	struct rm_run run = { .seed = seed, .ops = ops };
	double start = seconds(), took;
	uint64_t patience;

	if (rm_world_run(&run)) {
		took = seconds() - start;
		printf("# seed %" PRIu64 ": %" PRIu64 " operations in %.1f s, %.0f a second; %"
		       PRIu64 " touches, %" PRIu64 " large folios, %" PRIu64
		       " charges refused, %" PRIu64 " calls failed, %" PRIu64
		       " events, %u cgroups\n", seed, ops, took, ops / took, rm->touches,
		       rm->large, rm->refused, rm->errors, rm->events_heard, rm->cgroups);
		fflush(stdout);
		return true;
	}
	report();
	patience = option("PRIVHEAP_MODEL_SHRINK", 60);
	if (patience)
		shrink(&run, patience);
	return false;
}

/* Long enough for what somebody asks for; run-all has a limit as well. */
TEST_F_TIMEOUT(netlink, matches, 3600)
{
	ASSERT_TRUE(make_model());
	nl_close(&self->nl);
	EXPECT_TRUE(run_world(option("PRIVHEAP_MODEL_SEED", 1),
			      option("PRIVHEAP_MODEL_OPS", 30000)));
	/* It was not the same few things again and again. */
	if (option("PRIVHEAP_MODEL_OPS", 30000) >= 10000) {
		EXPECT_LT(100, rm->refused);
		if (rm->max_order) {
			EXPECT_LT(100, rm->large);
		} else {
			EXPECT_EQ(0, rm->large);
		}
		EXPECT_LT(100, rm->errors);
		EXPECT_LT(100, rm->events_heard);
	}
}

/* Beginnings and ends: many short lives. */
TEST_F_TIMEOUT(netlink, matches_many_times, 600)
{
	uint64_t seed = option("PRIVHEAP_MODEL_SEED", 1);

	ASSERT_TRUE(make_model());
	nl_close(&self->nl);
	for (unsigned int i = 1; i <= 10; i++)
		ASSERT_TRUE(run_world(seed * 1000 + i, 320));
}

TEST_HARNESS_MAIN
