// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ranges that the ioctls refuse, and commands that are none: the errno is the
 * documented one, and no counter has changed. See uapi_test.c for the rest of
 * the arguments.
 */
#include <sys/eventfd.h>
#include <sys/ioctl.h>

#include "uapi_selftest.h"

FIXTURE(uapi_range)
{
	int fd;
	struct privheap_query system;
	char *base;
	struct privheap_query region;
	struct privheap_query process;
};

FIXTURE_SETUP(uapi_range)
{
	PH_SETUP();
	ASSERT_EQ(0, ph_create(self->fd, RESERVE, COMMIT, 0, &self->base));
	self->region = ph_region(self->fd, self->base);
	ASSERT_EQ(0, ph_query(self->fd, NULL, PRIVHEAP_QUERY_PROCESS,
			      &self->process));
}

FIXTURE_TEARDOWN_PARENT(uapi_range)
{
	PH_TEARDOWN();
}

TEST_F(uapi_range, create)
{
	static const struct {
		__u64 reserve, commit, limit;
		int error;
	} wrong[] = {
		{ 0, 0, 0, EINVAL },
		{ 1, 0, 0, EINVAL },
		{ PAGE - 1, 0, 0, EINVAL },
		{ PAGE + 1, 0, 0, EINVAL },
		{ 8 * PAGE + 512, 0, 0, EINVAL },
		{ ~0ULL, 0, 0, EINVAL },
		{ ~(PAGE - 1), 0, 0, EINVAL },
		{ 1ULL << 63, 0, 0, EINVAL },
		{ 8 * PAGE, 1, 0, EINVAL },
		{ 8 * PAGE, PAGE - 1, 0, EINVAL },
		{ 8 * PAGE, 8 * PAGE + 1, 0, EINVAL },
		{ 8 * PAGE, 9 * PAGE, 0, EINVAL },
		{ 8 * PAGE, ~(PAGE - 1), 0, EINVAL },
		{ 8 * PAGE, 0, 1, EINVAL },
		{ 8 * PAGE, 0, PAGE + 1, EINVAL },
		{ 8 * PAGE, 0, 9 * PAGE, EINVAL },
		{ 8 * PAGE, 0, ~(PAGE - 1), EINVAL },
		{ 8 * PAGE, 4 * PAGE, 3 * PAGE, EINVAL },
		/* All of the address space is one page too much. */
		{ 0x7ffffffff000 - PAGE, 0, 0, ENOMEM },
		{ 4ULL << 30, 0, 0, sizeof(long) == 4 ? ENOMEM : 0 },
	};
	char *base;

	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		int ret = ph_create_limit(self->fd, wrong[i].reserve,
					  wrong[i].commit, wrong[i].limit, 0,
					  &base);

		EXPECT_EQ(-wrong[i].error, ret) {
			TH_LOG("reserve %#llx commit %#llx limit %#llx",
			       wrong[i].reserve, wrong[i].commit,
			       wrong[i].limit);
		}
		if (!ret) {
			EXPECT_EQ(0, ph_destroy(self->fd, base));
			continue;
		}
		EXPECT_NOTHING_CHANGED();
	}
}

TEST_F(uapi_range, create_may_be_as_small_as_a_page)
{
	char *base;

	ASSERT_EQ(0, ph_create_limit(self->fd, PAGE, PAGE, PAGE, 0, &base));
	EXPECT_EQ(0, ph_write(base + PAGE - 1, 1));
	EXPECT_USAGE(self->fd, base, PAGE, PAGE);
	EXPECT_EQ(PAGE, ph_region(self->fd, base).out_limit);
}

TEST_F(uapi_range, grow)
{
	static const __u64 wrong[] = {
		1, PAGE - 1, PAGE + 1, RESERVE - 1, RESERVE + 1,
		RESERVE + PAGE, 1ULL << 63, ~0ULL, ~(PAGE - 1),
		(1ULL << 32) + PAGE, (1ULL << 44) + PAGE,
	};

	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		EXPECT_EQ(-EINVAL, ph_grow(self->fd, self->base, wrong[i], 0)) {
			TH_LOG("commit %#llx", wrong[i]);
		}
		EXPECT_NOTHING_CHANGED();
	}
}

TEST_F(uapi_range, commit_and_decommit)
{
	static const struct {
		__u64 offset, length;
	} wrong[] = {
		{ 0, 0 }, { PAGE, 0 }, { RESERVE, 0 },
		{ 1, PAGE }, { PAGE - 1, PAGE }, { PAGE + 1, PAGE },
		{ 0, 1 }, { 0, PAGE - 1 }, { 0, PAGE + 1 }, { 1, PAGE - 1 },
		{ 0, RESERVE + PAGE }, { PAGE, RESERVE },
		{ RESERVE - PAGE, 2 * PAGE }, { RESERVE, PAGE },
		{ RESERVE + PAGE, PAGE },
		/* Sums that wrap, at 32, 44, 52 and 64 bits. */
		{ PAGE, ~(PAGE - 1) }, { ~(PAGE - 1), PAGE },
		{ ~(PAGE - 1), 2 * PAGE }, { 2 * PAGE, ~(PAGE - 1) },
		{ 1ULL << 63, 1ULL << 63 }, { PAGE, 0xfffff000 },
		{ 1ULL << 32, PAGE }, { 1ULL << 44, PAGE }, { 1ULL << 52, PAGE },
		{ PAGE, (1ULL << 44) + PAGE }, { ~0ULL, ~0ULL },
		{ 0, 1ULL << 63 }, { 0, ~0ULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		EXPECT_EQ(-EINVAL, ph_commit(self->fd, self->base,
					     wrong[i].offset, wrong[i].length,
					     0)) {
			TH_LOG("commit offset %#llx length %#llx",
			       wrong[i].offset, wrong[i].length);
		}
		EXPECT_NOTHING_CHANGED();
		EXPECT_EQ(-EINVAL, ph_decommit(self->fd, self->base,
					       wrong[i].offset,
					       wrong[i].length)) {
			TH_LOG("decommit offset %#llx length %#llx",
			       wrong[i].offset, wrong[i].length);
		}
		EXPECT_NOTHING_CHANGED();
	}
}

TEST_F(uapi_range, notify)
{
	static const __u64 wrong[] = {
		0, 1, PAGE - 1, PAGE + 1, RESERVE + PAGE, RESERVE + 1,
		1ULL << 63, ~(PAGE - 1), ~0ULL,
	};
	int event = eventfd(0, EFD_CLOEXEC), ret;

	ASSERT_LE(0, event);
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		ret = ph_notify(self->fd, self->base, PRIVHEAP_RESOURCE_COMMIT,
				wrong[i], event, 0);
		EXPECT_EQ(-EINVAL, ret) {
			TH_LOG("threshold %#llx", wrong[i]);
		}
	}
	for (__u32 resource = 2; resource; resource <<= 1) {
		ret = ph_notify(self->fd, self->base, resource, PAGE, event, 0);
		EXPECT_EQ(-EINVAL, ret);
	}
	EXPECT_EQ(-EINVAL, ph_notify(self->fd, self->base, ~0U, PAGE, event, 0));
	EXPECT_EQ(-EBADF, ph_notify(self->fd, self->base, 0, PAGE, -1, 0));
	EXPECT_EQ(-EBADF, ph_notify(self->fd, self->base, 0, PAGE, 9999, 0));
	EXPECT_EQ(-EINVAL, ph_notify(self->fd, self->base, 0, PAGE, self->fd, 0));
	EXPECT_EQ(-EBADF, ph_notify(self->fd, self->base, 0, PAGE, -1,
				    PRIVHEAP_NOTIFY_REMOVE));
	EXPECT_EQ(-EINVAL, ph_notify(self->fd, self->base, 0, PAGE, self->fd,
				     PRIVHEAP_NOTIFY_REMOVE));
	EXPECT_NOTHING_CHANGED();
}

TEST_F(uapi_range, query_flags)
{
	struct privheap_query query;

	EXPECT_EQ(-EINVAL, ph_query(self->fd, NULL, PRIVHEAP_QUERY_PROCESS |
				    PRIVHEAP_QUERY_SYSTEM, &query));
	EXPECT_EQ(-EINVAL, ph_query(self->fd, self->base,
				    PRIVHEAP_QUERY_PROCESS, &query));
	EXPECT_EQ(-EINVAL, ph_query(self->fd, self->base,
				    PRIVHEAP_QUERY_SYSTEM, &query));
	EXPECT_NOTHING_CHANGED();
}

TEST_F(uapi_range, unknown_ioctls)
{
	struct privheap_query arg = { .size = sizeof(struct privheap_query) };

	for (unsigned int nr = 8; nr < 256; nr++)
		EXPECT_EQ(-ENOTTY, ph_ioctl(self->fd,
					    _IO(PRIVHEAP_IOC_MAGIC, nr), &arg));
	for (unsigned int nr = 0; nr < 8; nr++) {
		/* Another magic, or a size or a direction in the number. */
		EXPECT_EQ(-ENOTTY, ph_ioctl(self->fd, _IO(0xBF, nr), &arg));
		EXPECT_EQ(-ENOTTY, ph_ioctl(self->fd, _IO(0x3E, nr), &arg));
		EXPECT_EQ(-ENOTTY, ph_ioctl(self->fd,
					    _IOW(PRIVHEAP_IOC_MAGIC, nr, __u32), &arg));
		EXPECT_EQ(-ENOTTY, ph_ioctl(self->fd,
					    _IOWR(PRIVHEAP_IOC_MAGIC, nr, __u64), &arg));
		EXPECT_EQ(-ENOTTY, ph_ioctl(self->fd,
					    _IOC(_IOC_READ, PRIVHEAP_IOC_MAGIC, nr, 0), &arg));
	}
	EXPECT_NOTHING_CHANGED();
}

TEST_F(uapi_range, outputs_are_ignored_on_input)
{
	struct privheap_create arg;

	memset(&arg, 0xa5, sizeof(arg));
	arg.size = sizeof(arg);
	arg.flags = 0;
	arg.reserve = 4 * PAGE;
	arg.commit = PAGE;
	arg.limit = 0;
	arg.reserved = 0;
	ASSERT_EQ(0, ph_ioctl(self->fd, PRIVHEAP_IOC_CREATE, &arg));
	EXPECT_EQ(0, arg.out_base % PAGE);
	EXPECT_EQ(PRIVHEAP_LEVEL_NONE, arg.out_denied);
	EXPECT_EQ(arg.out_id, ph_region(self->fd,
					(void *)(uintptr_t)arg.out_base).out_id);
	EXPECT_LT(self->region.out_id, arg.out_id);
	EXPECT_EQ(4 * PAGE, arg.reserve);
	EXPECT_EQ(PAGE, arg.commit);
}

TEST_HARNESS_MAIN
