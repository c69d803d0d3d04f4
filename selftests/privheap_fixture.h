/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The frame of a test: the device is open, and when the test's process is gone
 * the system holds what it held before. Each test runs in a process of its own.
 */
#ifndef PRIVHEAP_FIXTURE_H
#define PRIVHEAP_FIXTURE_H

#include <errno.h>
#include <fcntl.h>
#include <signal.h>

#include "kselftest_harness.h"
#include "privheap_selftest.h"

/* Emulated machines are slow, and kernels with all their checks slower. */
#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT 120

/* A touch that must fail, with this signal and at this very address. */
#define EXPECT_FAULT(sig, touch, address) do {				\
	EXPECT_EQ(sig, touch);						\
	EXPECT_EQ((void *)(address), ph_fault_address);			\
} while (0)
#define EXPECT_NO_READ(address)						\
	EXPECT_FAULT(SIGSEGV, ph_read(address), address)
#define EXPECT_NO_WRITE(address)					\
	EXPECT_FAULT(SIGSEGV, ph_write(address, 1), address)

/* A region's counters, all of them, are what they were. */
#define EXPECT_UNCHANGED(fd, base, before) do {				\
	struct privheap_query _now = ph_region(fd, base);		\
	EXPECT_EQ(0, memcmp(&_now, &(before), sizeof(_now)));		\
} while (0)

/* Reserved, committed and resident bytes of a region. */
#define EXPECT_USAGE(fd, base, committed, resident) do {		\
	struct privheap_query _now = ph_region(fd, base);		\
	EXPECT_EQ(committed, _now.out_committed);			\
	EXPECT_EQ(resident, _now.out_resident);				\
} while (0)

/* A child process ended like this. */
#define EXPECT_EXITED(code, pid) do {					\
	int _status = 0;						\
	EXPECT_EQ(pid, waitpid(pid, &_status, 0));			\
	EXPECT_TRUE(WIFEXITED(_status)) {				\
		TH_LOG("wait status %#x", _status);			\
	}								\
	EXPECT_EQ(code, WEXITSTATUS(_status));				\
} while (0)
#define EXPECT_KILLED(sig, pid) do {					\
	int _status = 0;						\
	EXPECT_EQ(pid, waitpid(pid, &_status, 0));			\
	EXPECT_TRUE(WIFSIGNALED(_status)) {				\
		TH_LOG("wait status %#x", _status);			\
	}								\
	EXPECT_EQ(sig, WTERMSIG(_status));				\
} while (0)

/* For fixtures: members @fd and @system. */
#define PH_SETUP() do {							\
	self->fd = ph_open();						\
	if (self->fd == -ENOENT)					\
		SKIP(return, "no " PRIVHEAP_DEVICE ": module not loaded"); \
	if (self->fd == -EACCES)					\
		SKIP(return, "no access to " PRIVHEAP_DEVICE);		\
	ASSERT_LE(0, self->fd);						\
	ASSERT_EQ(0, ph_query(self->fd, NULL, PRIVHEAP_QUERY_SYSTEM,	\
			      &self->system));				\
} while (0)

/* In the parent, after the end of the process that ran the test. */
#define PH_TEARDOWN() do {						\
	struct privheap_query _now;					\
	int _fd = ph_open();						\
									\
	ASSERT_LE(0, _fd);						\
	if (!PH_WAIT_FOR(ph_system_is(_fd, &self->system))) {		\
		ph_query(_fd, NULL, PRIVHEAP_QUERY_SYSTEM, &_now);	\
		EXPECT_EQ(self->system.out_regions, _now.out_regions);	\
		EXPECT_EQ(self->system.out_reserved, _now.out_reserved); \
		EXPECT_EQ(self->system.out_committed, _now.out_committed); \
		EXPECT_EQ(self->system.out_resident, _now.out_resident); \
	}								\
	close(_fd);							\
} while (0)

#ifndef PH_OWN_FIXTURE
FIXTURE(privheap)
{
	int fd;
	struct privheap_query system;
};

FIXTURE_SETUP(privheap)
{
	PH_SETUP();
}

FIXTURE_TEARDOWN_PARENT(privheap)
{
	PH_TEARDOWN();
}
#endif

#endif /* PRIVHEAP_FIXTURE_H */
