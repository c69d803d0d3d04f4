/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the tests of the Win32 virtual memory functions share. They run on the
 * module and on anonymous mappings alike.
 */
#ifndef VIRTUAL_SELFTEST_H
#define VIRTUAL_SELFTEST_H

#include <stddef.h>
#include <sys/mman.h>
#include <unistd.h>

#include <privheap/memoryapi.h>

#include "patient_harness.h"

#include "fault_selftest.h"
#include "win32_selftest.h"

/* Emulated machines are slow, and kernels with all their checks slower. */
#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT 120

#define ALLOC_FAILS(error, ...) \
	SETS_ERROR(error, EXPECT_EQ(NULL, VirtualAlloc(__VA_ARGS__)))
#define FREE_FAILS(error, ...) \
	SETS_ERROR(error, EXPECT_EQ(FALSE, VirtualFree(__VA_ARGS__)))

/* The run that begins at @address, in the reservation at @base. */
#define EXPECT_RUN(base, address, size, state, protect) do {		\
	MEMORY_BASIC_INFORMATION _info = info_of(address);		\
	EXPECT_EQ((PVOID)(address), _info.BaseAddress);			\
	EXPECT_EQ((PVOID)(base), _info.AllocationBase);			\
	EXPECT_EQ(size, _info.RegionSize);				\
	EXPECT_EQ(state, _info.State);					\
	EXPECT_EQ(protect, _info.Protect);				\
	EXPECT_EQ(MEM_PRIVATE, _info.Type);				\
} while (0)

static inline MEMORY_BASIC_INFORMATION info_of(const void *address)
{
	MEMORY_BASIC_INFORMATION info;

	memset(&info, 0xff, sizeof(info));
	VirtualQuery(address, &info, sizeof(info));
	return info;
}

static inline struct privheap_region_info process_usage(void)
{
	struct privheap_region_info info;

	if (privheap_query_process(&info))
		memset(&info, 0xff, sizeof(info));
	return info;
}

static inline bool is_anonymous(void)
{
	return privheap_backend() == PRIVHEAP_BACKEND_ANONYMOUS;
}

FIXTURE(memory)
{
	SIZE_T page;
	struct privheap_region_info before;
};

FIXTURE_SETUP(memory)
{
	self->page = sysconf(_SC_PAGESIZE);
	self->before = process_usage();
}

FIXTURE_TEARDOWN(memory)
{
	/* what the test has reserved, it has released */
	struct privheap_region_info now = process_usage();

	EXPECT_EQ(self->before.regions, now.regions);
	EXPECT_EQ(self->before.reserved, now.reserved);
	EXPECT_EQ(self->before.committed, now.committed);
	EXPECT_EQ(self->before.resident, now.resident);
}

#endif /* VIRTUAL_SELFTEST_H */
