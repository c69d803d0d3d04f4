// SPDX-License-Identifier: GPL-2.0-only
/*
 * The arguments of PRIVHEAP_IOC_LIMIT, one thing wrong at a time: the errno is
 * the documented one, the struct is as it was, and no limit has changed.
 */
#include <stddef.h>
#include <sys/mman.h>
#include <sys/wait.h>

#define PH_OWN_FIXTURE
#include "privheap_fixture.h"
#include "limit_selftest.h"

#define RESERVE		(16 * PAGE)
#define LIMIT		(8 * PAGE)

#define SETS		4

static const struct {
	uint32_t set;
	size_t value;	/* its member */
} sets[SETS] = {
	{ PRIVHEAP_SET_SOFT, offsetof(struct privheap_limit, soft) },
	{ PRIVHEAP_SET_HARD, offsetof(struct privheap_limit, hard) },
	{ PRIVHEAP_SET_RESERVE, offsetof(struct privheap_limit, reserve) },
	{ PRIVHEAP_SET_FAIL_NTH, offsetof(struct privheap_limit, fail_nth) },
};

FIXTURE(limit)
{
	int fd;
	struct privheap_query system;
	char *base;
	struct privheap_limit before[4];
};

/* Of the region and the process, both resources. */
static void look(int fd, char *base, struct privheap_limit *all)
{
	for (int i = 0; i < 4; i++)
		all[i] = limit_get(fd, i / 2 ? base : NULL, i % 2);
}

FIXTURE_SETUP(limit)
{
	PH_SETUP();
	ASSERT_EQ(0, ph_create_limit(self->fd, RESERVE, 2 * PAGE, LIMIT, 0, &self->base));
	look(self->fd, self->base, self->before);
}

FIXTURE_TEARDOWN_PARENT(limit)
{
	PH_TEARDOWN();
}

#define EXPECT_NOTHING_CHANGED() do {					\
	struct privheap_limit _now[4];					\
	look(self->fd, self->base, _now);				\
	EXPECT_EQ(0, memcmp(_now, self->before, sizeof(_now)));		\
} while (0)

/* Refused, and not written. */
#define EXPECT_REFUSED(error, change) do {				\
	struct privheap_limit _arg = limit_arg(self->base, COMMIT), _copy; \
	struct privheap_limit *arg = &_arg;				\
	change;								\
	_copy = _arg;							\
	EXPECT_EQ(error, ph_ioctl(self->fd, PRIVHEAP_IOC_LIMIT, &_arg)); \
	EXPECT_EQ(0, memcmp(&_arg, &_copy, sizeof(_arg)));		\
} while (0)

TEST_F(limit, layout)
{
	EXPECT_EQ(128, sizeof(struct privheap_limit));
	EXPECT_EQ(8, offsetof(struct privheap_limit, base));
	EXPECT_EQ(20, offsetof(struct privheap_limit, set));
	EXPECT_EQ(24, offsetof(struct privheap_limit, soft));
	EXPECT_EQ(56, offsetof(struct privheap_limit, out_soft));
	EXPECT_EQ(120, offsetof(struct privheap_limit, out_reserve_open));
	EXPECT_EQ(_IO(0xBE, 7), PRIVHEAP_IOC_LIMIT);
}

TEST_F(limit, what_there_is_in_the_beginning)
{
	struct privheap_limit limit = limit_get(self->fd, self->base, COMMIT);

	EXPECT_EQ(PRIVHEAP_NO_LIMIT, limit.out_soft);
	EXPECT_EQ(LIMIT, limit.out_hard);
	EXPECT_EQ(LIMIT, limit.out_ceiling);
	EXPECT_EQ(0, limit.out_reserve);
	EXPECT_EQ(0, limit.out_fail_nth);
	EXPECT_EQ(2 * PAGE, limit.out_usage);
	EXPECT_EQ(2 * PAGE, limit.out_peak);
	EXPECT_EQ(0, limit.out_denials);
	EXPECT_EQ(0, limit.out_reserve_open);

	for (int i = 0; i < 3; i++) {
		limit = i ? limit_get(self->fd, NULL, i - 1) :
			    limit_get(self->fd, self->base, RESIDENT);
		EXPECT_EQ(PRIVHEAP_NO_LIMIT, limit.out_soft);
		EXPECT_EQ(PRIVHEAP_NO_LIMIT, limit.out_hard);
		EXPECT_EQ(PRIVHEAP_NO_LIMIT, limit.out_ceiling);
		EXPECT_EQ(0, limit.out_reserve);
		EXPECT_EQ(2 * PAGE, limit.out_usage);
	}
}

TEST_F(limit, sizes)
{
	struct {
		struct privheap_limit limit;
		char tail[2 * PAGE];
	} more = { .limit = limit_arg(self->base, COMMIT) };

	for (uint32_t size = 0; size < sizeof(struct privheap_limit); size++)
		EXPECT_REFUSED(-EINVAL, arg->size = size);
	EXPECT_REFUSED(-E2BIG, arg->size = PAGE + 1);
	EXPECT_REFUSED(-E2BIG, arg->size = 0xffffffff);

	/* A longer one, with nothing in what the module does not know. */
	more.limit.size = sizeof(more.limit) + 8;
	EXPECT_EQ(0, ph_ioctl(self->fd, PRIVHEAP_IOC_LIMIT, &more));
	EXPECT_EQ(LIMIT, more.limit.out_hard);
	more.limit.size = PAGE;
	EXPECT_EQ(0, ph_ioctl(self->fd, PRIVHEAP_IOC_LIMIT, &more));
	more.tail[PAGE - sizeof(more.limit) - 1] = 1;
	EXPECT_EQ(-E2BIG, ph_ioctl(self->fd, PRIVHEAP_IOC_LIMIT, &more));
	more.limit.size = sizeof(more.limit) + 8;
	more.tail[0] = 1;
	EXPECT_EQ(-E2BIG, ph_ioctl(self->fd, PRIVHEAP_IOC_LIMIT, &more));
	EXPECT_NOTHING_CHANGED();
}

TEST_F(limit, pointers)
{
	struct privheap_limit valid = limit_arg(self->base, COMMIT);
	char *pages = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *end = pages + PAGE - sizeof(valid);

	ASSERT_NE(MAP_FAILED, pages);
	valid.set = PRIVHEAP_SET_HARD;
	valid.hard = PAGE;
	EXPECT_EQ(-EFAULT, ph_ioctl(self->fd, PRIVHEAP_IOC_LIMIT, NULL));
	EXPECT_EQ(-EFAULT, ph_ioctl(self->fd, PRIVHEAP_IOC_LIMIT, (void *)-PAGE));
	EXPECT_EQ(-EFAULT, ph_ioctl(self->fd, PRIVHEAP_IOC_LIMIT, (void *)-4UL));
	ASSERT_EQ(0, munmap(pages + PAGE, PAGE));
	/* Across the end of what is mapped. */
	for (unsigned int i = 4; i < sizeof(valid); i += 4) {
		memcpy(end + i, &valid, sizeof(valid) - i);
		EXPECT_EQ(-EFAULT, ph_ioctl(self->fd, PRIVHEAP_IOC_LIMIT, end + i));
	}
	/* Where the result cannot go, nothing is done. */
	memcpy(end, &valid, sizeof(valid));
	ASSERT_EQ(0, mprotect(pages, PAGE, PROT_READ));
	EXPECT_EQ(-EFAULT, ph_ioctl(self->fd, PRIVHEAP_IOC_LIMIT, end));
	EXPECT_NOTHING_CHANGED();
	ASSERT_EQ(0, mprotect(pages, PAGE, PROT_READ | PROT_WRITE));
	EXPECT_EQ(0, ph_ioctl(self->fd, PRIVHEAP_IOC_LIMIT, end));
	EXPECT_EQ(PAGE, limit_get(self->fd, self->base, COMMIT).out_hard);
}

TEST_F(limit, flags_and_members)
{
	for (unsigned int bit = 2; bit < 32; bit++)
		EXPECT_REFUSED(-EINVAL, arg->flags = 1U << bit);
	for (unsigned int bit = 4; bit < 32; bit++)
		EXPECT_REFUSED(-EINVAL, arg->set = 1U << bit);
	for (unsigned int bit = 0; bit < 32; bit++)
		EXPECT_REFUSED(-EINVAL, arg->reserved = 1U << bit);
	for (unsigned int bit = 1; bit < 32; bit++)
		EXPECT_REFUSED(-EINVAL, arg->resource = 1U << bit);
	EXPECT_REFUSED(-EINVAL, arg->flags = PRIVHEAP_LIMIT_PROCESS);
	EXPECT_REFUSED(-EINVAL, (arg->flags = PRIVHEAP_LIMIT_PROCESS, arg->base = 1));
	for (unsigned int i = 0; i < SETS; i++)
		EXPECT_REFUSED(-EINVAL, (arg->flags = PRIVHEAP_LIMIT_OPEN_RESERVE,
					 arg->set = sets[i].set));
	EXPECT_REFUSED(-ENODATA, arg->flags = PRIVHEAP_LIMIT_OPEN_RESERVE);
	EXPECT_REFUSED(-ENODATA, (arg->base = 0, arg->flags = PRIVHEAP_LIMIT_PROCESS |
							      PRIVHEAP_LIMIT_OPEN_RESERVE));
	EXPECT_NOTHING_CHANGED();
}

TEST_F(limit, values)
{
	uint64_t value;

	for (unsigned int i = 0; i < SETS; i++) {
		for (unsigned int bit = 0; bit < 12; bit++) {
			value = PAGE | 1ULL << bit;
			if (sets[i].set == PRIVHEAP_SET_FAIL_NTH)
				continue;
			EXPECT_REFUSED(-EINVAL, (arg->set = sets[i].set,
						 memcpy((char *)arg + sets[i].value, &value, 8)));
		}
	}
	EXPECT_REFUSED(-EINVAL, (arg->set = PRIVHEAP_SET_RESERVE,
				 arg->reserve = PRIVHEAP_NO_LIMIT));
	EXPECT_REFUSED(-EINVAL, (arg->set = PRIVHEAP_SET_HARD,
				 arg->hard = PRIVHEAP_NO_LIMIT - 1));
	EXPECT_REFUSED(-EINVAL, (arg->set = PRIVHEAP_SET_FAIL_NTH,
				 arg->fail_nth = 1ULL << 63));
	/* One that is wrong takes all the others along. */
	EXPECT_REFUSED(-EINVAL, (arg->set = 0xf, arg->soft = PAGE, arg->hard = PAGE,
				 arg->reserve = 1));
	/* Beyond the ceiling. */
	EXPECT_REFUSED(-EPERM, (arg->set = PRIVHEAP_SET_HARD, arg->hard = LIMIT + PAGE));
	EXPECT_REFUSED(-EPERM, (arg->set = PRIVHEAP_SET_HARD,
				arg->hard = PRIVHEAP_NO_LIMIT));
	EXPECT_REFUSED(-EPERM, (arg->set = PRIVHEAP_SET_RESERVE, arg->reserve = PAGE));
	EXPECT_REFUSED(-EPERM, (arg->set = PRIVHEAP_SET_HARD | PRIVHEAP_SET_RESERVE |
				PRIVHEAP_SET_SOFT, arg->hard = 4 * PAGE,
				arg->reserve = 5 * PAGE, arg->soft = PAGE));
	EXPECT_NOTHING_CHANGED();

	/* What is not to be set is not looked at. */
	for (unsigned int i = 0; i < SETS; i++) {
		struct privheap_limit arg = limit_arg(self->base, RESIDENT);

		memset(&arg.soft, 0xa5, 4 * 8);
		memset(&arg.out_soft, 0xa5, 8 * 8 + 4);
		value = 4 * PAGE;
		memcpy((char *)&arg + sets[i].value, &value, 8);
		arg.set = sets[i].set;
		EXPECT_EQ(0, ph_ioctl(self->fd, PRIVHEAP_IOC_LIMIT, &arg));
		EXPECT_EQ(4 * PAGE, arg.out_soft);
		EXPECT_EQ(i < 1 ? PRIVHEAP_NO_LIMIT : 4 * PAGE, arg.out_hard);
		EXPECT_EQ(i < 2 ? 0 : 4 * PAGE, arg.out_reserve);
		EXPECT_EQ(i < 3 ? 0 : 4 * PAGE, arg.out_fail_nth);
		EXPECT_EQ(0, arg.out_reserve_open);
	}
	/* The largest ones, given back as they came. */
	EXPECT_EQ(0, limit_set(self->fd, NULL, COMMIT, PRIVHEAP_SET_HARD, -PAGE));
	EXPECT_EQ(-PAGE, limit_get(self->fd, NULL, COMMIT).out_hard);
	EXPECT_EQ(0, limit_set(self->fd, NULL, COMMIT, PRIVHEAP_SET_RESERVE, -PAGE));
	EXPECT_EQ(-PAGE, limit_get(self->fd, NULL, COMMIT).out_reserve);
	EXPECT_EQ(0, limit_set(self->fd, NULL, COMMIT, PRIVHEAP_SET_FAIL_NTH, ~0ULL >> 1));
	EXPECT_EQ(~0ULL >> 1, limit_get(self->fd, NULL, COMMIT).out_fail_nth);
	EXPECT_EQ(0, ph_grow(self->fd, self->base, 3 * PAGE, 0));
	EXPECT_EQ((~0ULL >> 1) - 1, limit_get(self->fd, NULL, COMMIT).out_fail_nth);
}

TEST_F(limit, whose_region)
{
	pid_t child;

	EXPECT_REFUSED(-ENOENT, arg->base = 0);
	EXPECT_REFUSED(-ENOENT, arg->base += PAGE);
	EXPECT_REFUSED(-ENOENT, arg->base |= 1ULL << 63);
	EXPECT_NOTHING_CHANGED();

	/* A child's limits are its own, even by a descriptor of its parent's. */
	child = fork();
	ASSERT_LE(0, child);
	if (!child) {
		if (limit_set(self->fd, self->base, COMMIT, PRIVHEAP_SET_HARD, PAGE) != -ENOENT)
			_exit(1);
		if (limit_set(self->fd, NULL, COMMIT, PRIVHEAP_SET_HARD, PAGE))
			_exit(2);
		_exit(limit_get(self->fd, NULL, COMMIT).out_usage != 0);
	}
	EXPECT_EXITED(0, child);
	EXPECT_NOTHING_CHANGED();

	ASSERT_EQ(0, ph_destroy(self->fd, self->base));
	EXPECT_EQ(-ENOENT, limit_set(self->fd, self->base, COMMIT, PRIVHEAP_SET_HARD, PAGE));
}

TEST_HARNESS_MAIN
