/* SPDX-License-Identifier: GPL-2.0-only */
/* A region to be ended, and what its process has then. */
#ifndef LIFETIME_SELFTEST_H
#define LIFETIME_SELFTEST_H

#include "privheap_fixture.h"

#define RESERVE		(8 * MIB)
#define COMMIT		(4 * MIB)

/* A region with something in it. */
static char *make_region(int fd)
{
	char *base;

	if (ph_create(fd, RESERVE, COMMIT, 0, &base))
		return NULL;
	memset(base, 3, COMMIT);
	return base;
}

#define EXPECT_PROCESS(regions, committed, resident) do {		\
	struct privheap_query _query;					\
	EXPECT_EQ(0, ph_query(self->fd, NULL, PRIVHEAP_QUERY_PROCESS,	\
			      &_query));				\
	EXPECT_EQ(regions, _query.out_regions);				\
	EXPECT_EQ(committed, _query.out_committed);			\
	EXPECT_EQ(resident, _query.out_resident);			\
} while (0)

#endif /* LIFETIME_SELFTEST_H */
