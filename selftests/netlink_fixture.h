/* SPDX-License-Identifier: GPL-2.0-only */
/* The frame of a test of the netlink family: that of others, and a socket. */
#ifndef NETLINK_FIXTURE_H
#define NETLINK_FIXTURE_H

#define PH_OWN_FIXTURE
#include "privheap_fixture.h"
#include "netlink_selftest.h"

FIXTURE(netlink)
{
	int fd;
	struct privheap_query system;
	struct nl_socket nl;
};

FIXTURE_SETUP(netlink)
{
	PH_SETUP();
	if (geteuid())
		SKIP(return, "needs root");
	ASSERT_EQ(0, nl_open(&self->nl));
}

FIXTURE_TEARDOWN_PARENT(netlink)
{
	PH_TEARDOWN();
}

/* A request was refused, with this number and a text. */
#define EXPECT_REFUSED(error, nl, call) do {				\
	EXPECT_EQ(error, call) {					\
		TH_LOG("%s", (nl)->text);				\
	}								\
	EXPECT_NE(0, strlen((nl)->text));				\
} while (0)

#define BIT_OF(attr)		(1U << (attr))

#endif /* NETLINK_FIXTURE_H */
