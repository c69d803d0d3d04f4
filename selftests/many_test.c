// SPDX-License-Identifier: GPL-2.0-only
/* Ten thousand regions in one process. */
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "privheap_fixture.h"

#define REGIONS		10000
#define MAX_MAP_COUNT	"/proc/sys/vm/max_map_count"

static char *bases[REGIONS];

#define NEEDS_MAPPINGS() do {						\
	if (ph_read_number(MAX_MAP_COUNT) < 3 * REGIONS)		\
		SKIP(return, MAX_MAP_COUNT " is too low");		\
} while (0)

static int make_all(int fd)
{
	for (unsigned int i = 0; i < REGIONS; i++) {
		int ret = ph_create(fd, 16 * PAGE, (i % 4 + 1) * PAGE,
				    PRIVHEAP_CREATE_LAZY, &bases[i]);

		if (ret)
			return ret;
	}
	return 0;
}

TEST_F_TIMEOUT(privheap, ten_thousand, 300)
{
	struct privheap_query query;
	unsigned int wrong = 0;

	NEEDS_MAPPINGS();
	ASSERT_EQ(0, make_all(self->fd));
	ASSERT_EQ(0, ph_query(self->fd, NULL, PRIVHEAP_QUERY_PROCESS, &query));
	EXPECT_EQ(REGIONS, query.out_regions);
	EXPECT_EQ(REGIONS * 16 * PAGE, query.out_reserved);
	EXPECT_EQ(REGIONS / 4 * 10 * PAGE, query.out_committed);
	EXPECT_EQ(0, query.out_resident);

	for (unsigned int i = 0; i < REGIONS; i++)
		*(unsigned int *)bases[i] = i;
	ASSERT_EQ(0, ph_query(self->fd, NULL, PRIVHEAP_QUERY_PROCESS, &query));
	EXPECT_EQ(REGIONS * PAGE, query.out_resident);
	EXPECT_EQ(REGIONS, query.out_faults);

	/* Each is found, and is its own. */
	for (unsigned int i = 0; i < REGIONS; i++) {
		unsigned int pick = i * 7919 % REGIONS;

		wrong += ph_committed(self->fd, bases[pick]) !=
			 (pick % 4 + 1) * PAGE;
		wrong += *(unsigned int *)bases[pick] != pick;
	}
	EXPECT_EQ(0, wrong);

	/* Every other one goes, in another order than they came. */
	for (unsigned int i = 0; i < REGIONS; i += 2)
		wrong += ph_destroy(self->fd, bases[(i * 4219) % REGIONS]) != 0;
	EXPECT_EQ(0, wrong);
	for (unsigned int i = 0; i < REGIONS; i++)
		wrong += ph_query(self->fd, bases[i], 0, &query) !=
			 (i % 2 ? 0 : -ENOENT);
	EXPECT_EQ(0, wrong);
	ASSERT_EQ(0, ph_query(self->fd, NULL, PRIVHEAP_QUERY_PROCESS, &query));
	EXPECT_EQ(REGIONS / 2, query.out_regions);
	EXPECT_EQ(REGIONS / 2 * PAGE, query.out_resident);
	for (unsigned int i = 1; i < REGIONS; i += 2)
		wrong += ph_destroy(self->fd, bases[i]) != 0;
	EXPECT_EQ(0, wrong);
	EXPECT_TRUE(ph_system_is(self->fd, &self->system));
}

TEST_F_TIMEOUT(privheap, exit_with_ten_thousand, 300)
{
	pid_t child;

	NEEDS_MAPPINGS();
	child = fork();
	ASSERT_LE(0, child);
	if (!child) {
		if (make_all(self->fd))
			_exit(1);
		for (unsigned int i = 0; i < REGIONS; i++)
			bases[i][0] = 1;
		raise(SIGKILL);
	}
	EXPECT_KILLED(SIGKILL, child);
	EXPECT_TRUE(PH_WAIT_FOR(ph_system_is(self->fd, &self->system)));
}

/* Where the process may not have more mappings: an error, and no leak. */
TEST_F_TIMEOUT(privheap, as_many_as_mappings, 300)
{
	struct privheap_query query;
	char old[64], *base;
	uint64_t made = 0;
	int ret = 0;

	if (access(MAX_MAP_COUNT, W_OK))
		SKIP(return, MAX_MAP_COUNT " cannot be written");
	ASSERT_LT(0, ph_read_file(MAX_MAP_COUNT, old, sizeof(old)));
	ASSERT_EQ(0, ph_write_file(MAX_MAP_COUNT, "500"));
	while (made < 1000) {
		ret = ph_create(self->fd, 4 * PAGE, PAGE, 0, &base);
		if (ret)
			break;
		made++;
	}
	ph_write_file(MAX_MAP_COUNT, old);
	EXPECT_EQ(-ENOMEM, ret);
	EXPECT_LT(300, made);
	ASSERT_EQ(0, ph_query(self->fd, NULL, PRIVHEAP_QUERY_PROCESS, &query));
	EXPECT_EQ(made, query.out_regions);
	EXPECT_EQ(made * PAGE, query.out_committed);
	EXPECT_EQ(made * PAGE, query.out_resident);
	EXPECT_EQ(0, ph_create(self->fd, 4 * PAGE, PAGE, 0, &base));
}

TEST_HARNESS_MAIN
