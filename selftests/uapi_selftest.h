/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the tests of the ioctls' arguments share: how large a region they begin
 * with, and that a refused call has changed nothing.
 */
#ifndef UAPI_SELFTEST_H
#define UAPI_SELFTEST_H

#define PH_OWN_FIXTURE
#include "privheap_fixture.h"

#define RESERVE		(16 * PAGE)
#define COMMIT		(4 * PAGE)

/* In a fixture that keeps the counters of the region and of the process. */
#define EXPECT_NOTHING_CHANGED() do {					\
	struct privheap_query _process;					\
	EXPECT_UNCHANGED(self->fd, self->base, self->region);		\
	EXPECT_EQ(0, ph_query(self->fd, NULL, PRIVHEAP_QUERY_PROCESS,	\
			      &_process));				\
	EXPECT_EQ(0, memcmp(&_process, &self->process, sizeof(_process))); \
} while (0)

#endif /* UAPI_SELFTEST_H */
