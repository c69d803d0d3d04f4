/* SPDX-License-Identifier: GPL-2.0-only */
/* The frame of a test in which each allocation fails once. */
#ifndef FAIL_FIXTURE_H
#define FAIL_FIXTURE_H

#define PH_OWN_FIXTURE
#include "privheap_fixture.h"
#include "fail_sweep.h"

FIXTURE(fail)
{
	int fd;
	struct privheap_query system;
	struct fail_world world;
};

FIXTURE_SETUP(fail)
{
	const char *why;

	PH_SETUP();
	why = fail_nth_start();
	if (why)
		SKIP(return, "%s", why);
	self->world.fd = self->fd;
	ASSERT_EQ(0, nl_open(&self->world.nl));
	ASSERT_EQ(0, nl_open(&self->world.look));
}

FIXTURE_TEARDOWN_PARENT(fail)
{
	fail_nth_end();
	PH_TEARDOWN();
}

#define SWEEP_ALL(cases, world) do {					\
	for (size_t _i = 0; _i < ARRAY_SIZE(cases); _i++)		\
		fail_sweep(_metadata, &(cases)[_i], world);		\
} while (0)

#endif /* FAIL_FIXTURE_H */
