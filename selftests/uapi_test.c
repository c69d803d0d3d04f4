// SPDX-License-Identifier: GPL-2.0-only
/*
 * The arguments of every ioctl, one thing wrong at a time: the errno is the
 * documented one, the struct is as it was, and no counter has changed.
 */
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#define PH_OWN_FIXTURE
#include "privheap_fixture.h"

#define RESERVE		(16 * PAGE)
#define COMMIT		(4 * PAGE)

/* Room for a struct and a tail that the module does not know. */
union argument {
	__u32 size;
	struct privheap_create create;
	struct privheap_grow grow;
	struct privheap_commit commit;
	struct privheap_decommit decommit;
	struct privheap_destroy destroy;
	struct privheap_query query;
	struct privheap_notify notify;
	char bytes[2 * PAGE];
};

#define NOWHERE		((size_t)-1)

FIXTURE(uapi)
{
	int fd;
	struct privheap_query system;
	char *base;
	int eventfd;
	struct privheap_query region;
	struct privheap_query process;
};

struct command {
	const char *name;
	unsigned int cmd;
	size_t size;
	__u32 flags;		/* that are known */
	size_t base;		/* offset of the member, or NOWHERE */
	size_t reserved;
	bool output;
	union argument valid;	/* but for size, base and eventfd */
};

static const struct command commands[] = { {
	.name = "create",
	.cmd = PRIVHEAP_IOC_CREATE,
	.size = sizeof(struct privheap_create),
	.flags = PRIVHEAP_CREATE_EXEC | PRIVHEAP_CREATE_LAZY,
	.base = NOWHERE,
	.reserved = offsetof(struct privheap_create, reserved),
	.output = true,
	.valid.create = {
		.reserve = 8 * PAGE, .commit = 2 * PAGE, .limit = 4 * PAGE,
	},
}, {
	.name = "grow",
	.cmd = PRIVHEAP_IOC_GROW,
	.size = sizeof(struct privheap_grow),
	.flags = PRIVHEAP_COMMIT_POPULATE,
	.base = offsetof(struct privheap_grow, base),
	.reserved = offsetof(struct privheap_grow, reserved),
	.output = true,
	.valid.grow = { .commit = 6 * PAGE },
}, {
	.name = "commit",
	.cmd = PRIVHEAP_IOC_COMMIT,
	.size = sizeof(struct privheap_commit),
	.flags = PRIVHEAP_COMMIT_POPULATE,
	.base = offsetof(struct privheap_commit, base),
	.reserved = offsetof(struct privheap_commit, reserved),
	.output = true,
	.valid.commit = { .offset = 8 * PAGE, .length = 2 * PAGE },
}, {
	.name = "decommit",
	.cmd = PRIVHEAP_IOC_DECOMMIT,
	.size = sizeof(struct privheap_decommit),
	.base = offsetof(struct privheap_decommit, base),
	.reserved = NOWHERE,
	.output = true,
	.valid.decommit = { .offset = PAGE, .length = PAGE },
}, {
	.name = "destroy",
	.cmd = PRIVHEAP_IOC_DESTROY,
	.size = sizeof(struct privheap_destroy),
	.base = offsetof(struct privheap_destroy, base),
	.reserved = NOWHERE,
}, {
	.name = "query",
	.cmd = PRIVHEAP_IOC_QUERY,
	.size = sizeof(struct privheap_query),
	.flags = PRIVHEAP_QUERY_PROCESS | PRIVHEAP_QUERY_SYSTEM,
	.base = offsetof(struct privheap_query, base),
	.reserved = NOWHERE,
	.output = true,
}, {
	.name = "notify",
	.cmd = PRIVHEAP_IOC_NOTIFY,
	.size = sizeof(struct privheap_notify),
	.flags = PRIVHEAP_NOTIFY_REMOVE,
	.base = offsetof(struct privheap_notify, base),
	.reserved = NOWHERE,
	.valid.notify = { .threshold = 2 * PAGE },
} };

FIXTURE_SETUP(uapi)
{
	PH_SETUP();
	self->eventfd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	ASSERT_LE(0, self->eventfd);
}

FIXTURE_TEARDOWN_PARENT(uapi)
{
	PH_TEARDOWN();
}

/* A call that would succeed. */
static void make_valid(const FIXTURE_DATA(uapi) *self,
		       const struct command *command, union argument *arg)
{
	__u64 base = TO_BASE(self->base);

	memset(arg, 0, sizeof(*arg));
	memcpy(arg, &command->valid, command->size);
	arg->size = command->size;
	if (command->base != NOWHERE)
		memcpy(arg->bytes + command->base, &base, sizeof(base));
	if (command->cmd == PRIVHEAP_IOC_NOTIFY)
		arg->notify.eventfd = self->eventfd;
}

#define VALID(arg)	make_valid(self, command, arg)

/* A region as in the beginning, which calls that succeed have changed. */
static int start_anew(FIXTURE_DATA(uapi) *self)
{
	if (self->base)
		ph_destroy(self->fd, self->base);
	if (ph_create(self->fd, RESERVE, COMMIT, 0, &self->base))
		return -1;
	self->region = ph_region(self->fd, self->base);
	return ph_query(self->fd, NULL, PRIVHEAP_QUERY_PROCESS, &self->process);
}

#define FOR_EACH_COMMAND(command)					\
	for (const struct command *command = commands;			\
	     command < commands + ARRAY_SIZE(commands); command++)

#define EXPECT_NOTHING_CHANGED() do {					\
	struct privheap_query _process;					\
	EXPECT_UNCHANGED(self->fd, self->base, self->region);		\
	EXPECT_EQ(0, ph_query(self->fd, NULL, PRIVHEAP_QUERY_PROCESS,	\
			      &_process));				\
	EXPECT_EQ(0, memcmp(&_process, &self->process, sizeof(_process))); \
} while (0)

/* The call fails so, whatever the pointer; nothing else happens. */
#define EXPECT_ERROR_AT(error, pointer) do {				\
	EXPECT_EQ(-(error), ph_ioctl(self->fd, command->cmd, pointer)) { \
		TH_LOG("%s", command->name);				\
	}								\
	EXPECT_NOTHING_CHANGED();					\
} while (0)

#define EXPECT_ERROR(error, arg) do {					\
	union argument _before = *(arg);				\
	EXPECT_ERROR_AT(error, arg);					\
	EXPECT_EQ(0, memcmp(&_before, arg, sizeof(_before)));		\
} while (0)

TEST_F(uapi, valid)
{
	union argument arg;

	FOR_EACH_COMMAND(command) {
		ASSERT_EQ(0, start_anew(self));
		VALID(&arg);
		EXPECT_EQ(0, ph_ioctl(self->fd, command->cmd, &arg));
		EXPECT_EQ(command->size, arg.size);
		/* Nothing is written behind the struct. */
		EXPECT_TRUE(ph_zero(arg.bytes + command->size,
				    sizeof(arg) - command->size));
	}
}

TEST_F(uapi, size_too_short)
{
	union argument arg;

	FOR_EACH_COMMAND(command) {
		ASSERT_EQ(0, start_anew(self));
		for (size_t size = 0; size < command->size; size++) {
			VALID(&arg);
			arg.size = size;
			EXPECT_ERROR(EINVAL, &arg);
		}
	}
}

TEST_F(uapi, size_longer_with_zeroes)
{
	union argument arg;

	FOR_EACH_COMMAND(command) {
		ASSERT_EQ(0, start_anew(self));
		VALID(&arg);
		arg.size = PAGE;
		EXPECT_EQ(0, ph_ioctl(self->fd, command->cmd, &arg));
		EXPECT_EQ(PAGE, arg.size);
		EXPECT_TRUE(ph_zero(arg.bytes + command->size,
				    sizeof(arg) - command->size));
	}
}

TEST_F(uapi, size_longer_by_one)
{
	union argument arg;

	FOR_EACH_COMMAND(command) {
		ASSERT_EQ(0, start_anew(self));
		VALID(&arg);
		arg.size = command->size + 1;
		EXPECT_EQ(0, ph_ioctl(self->fd, command->cmd, &arg));
	}
}

TEST_F(uapi, size_longer_with_a_byte_that_is_not_zero)
{
	static const size_t tails[] = { 1, 2, 8, 9, 100 };
	union argument arg;

	FOR_EACH_COMMAND(command) {
		ASSERT_EQ(0, start_anew(self));
		for (size_t i = 0; i < ARRAY_SIZE(tails); i++) {
			VALID(&arg);
			arg.size = command->size + tails[i];
			arg.bytes[arg.size - 1] = 1;
			EXPECT_ERROR(E2BIG, &arg);

			VALID(&arg);
			arg.size = command->size + tails[i];
			arg.bytes[command->size] = (char)0x80;
			EXPECT_ERROR(E2BIG, &arg);
		}
	}
}

TEST_F(uapi, size_beyond_reason)
{
	union argument arg;

	FOR_EACH_COMMAND(command) {
		ASSERT_EQ(0, start_anew(self));
		VALID(&arg);
		arg.size = 0xffffffff;
		EXPECT_ERROR(E2BIG, &arg);
		arg.size = 0x80000000;
		EXPECT_ERROR(E2BIG, &arg);
	}
}

TEST_F(uapi, unknown_flags)
{
	union argument arg;

	FOR_EACH_COMMAND(command) {
		ASSERT_EQ(0, start_anew(self));
		for (int bit = 0; bit < 32; bit++) {
			if (command->flags & (1U << bit))
				continue;
			VALID(&arg);
			arg.create.flags |= 1U << bit;
			EXPECT_EQ(-EINVAL, ph_ioctl(self->fd, command->cmd, &arg)) {
				TH_LOG("bit %d", bit);
			}
			EXPECT_NOTHING_CHANGED();
		}
	}
}

TEST_F(uapi, reserved_member)
{
	union argument arg;

	FOR_EACH_COMMAND(command) {
		ASSERT_EQ(0, start_anew(self));
		if (command->reserved == NOWHERE)
			continue;
		for (int bit = 0; bit < 32; bit++) {
			VALID(&arg);
			arg.bytes[command->reserved + bit / 8] = 1 << bit % 8;
			EXPECT_ERROR(EINVAL, &arg);
		}
	}
}

TEST_F(uapi, pointer_to_nothing)
{
	static const unsigned long wrong[] = {
		0, 1, 8, 4096,
#if UINTPTR_MAX > 0xffffffff
		0x00007ffffffff000, 0x00007ffffffffffc, 0x0000800000000000,
		0x00fffffffffffff8, 0x8000000000000000, 0xffff800000000000,
		0xffff888000000000, 0xffffffff81000000,
#else
		0xffffe000,
#endif
		-4096UL, -8UL, -1UL,
	};
	char *page = mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS,
			  -1, 0);

	FOR_EACH_COMMAND(command) {
		ASSERT_EQ(0, start_anew(self));
		ASSERT_NE(MAP_FAILED, page);
		for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
			EXPECT_ERROR_AT(EFAULT, (void *)wrong[i]);
		EXPECT_ERROR_AT(EFAULT, page);
		EXPECT_ERROR_AT(EFAULT, page + PAGE - 4);
	}
}

TEST_F(uapi, struct_runs_out_of_its_page)
{
	char *pages = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	union argument arg;

	FOR_EACH_COMMAND(command) {
		ASSERT_EQ(0, start_anew(self));
		ASSERT_NE(MAP_FAILED, pages);
		ASSERT_EQ(0, mprotect(pages + PAGE, PAGE, PROT_NONE));

		VALID(&arg);
		for (size_t there = 1; there < command->size; there++) {
			char *at = pages + PAGE - there;

			memcpy(at, &arg, there);
			EXPECT_ERROR_AT(EFAULT, at);
			EXPECT_EQ(0, memcmp(at, &arg, there));
		}

		/* All of the struct is there, but not all that its size says. */
		arg.size++;
		memcpy(pages + PAGE - command->size, &arg, command->size);
		EXPECT_ERROR_AT(EFAULT, pages + PAGE - command->size);

		/* Up to the last byte of the page. */
		arg.size--;
		memcpy(pages + PAGE - command->size, &arg, command->size);
		EXPECT_EQ(0, ph_ioctl(self->fd, command->cmd,
				      pages + PAGE - command->size));
	}
}

TEST_F(uapi, struct_is_read_only)
{
	char *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	union argument arg;

	FOR_EACH_COMMAND(command) {
		ASSERT_EQ(0, start_anew(self));
		ASSERT_NE(MAP_FAILED, page);
		if (!command->output)
			continue;
		VALID(&arg);
		ASSERT_EQ(0, mprotect(page, PAGE, PROT_READ | PROT_WRITE));
		memcpy(page, &arg, PAGE);
		ASSERT_EQ(0, mprotect(page, PAGE, PROT_READ));
		EXPECT_ERROR_AT(EFAULT, page);
		EXPECT_EQ(0, memcmp(page, &arg, PAGE));
	}
}

TEST_F(uapi, wrong_bases)
{
	union argument arg;
	char *stale, *other;
	__u64 wrong[12];

	FOR_EACH_COMMAND(command) {
		ASSERT_EQ(0, start_anew(self));
		if (command->base == NOWHERE)
			continue;
		ASSERT_EQ(0, ph_create(self->fd, RESERVE, 0, 0, &stale));
		ASSERT_EQ(0, ph_destroy(self->fd, stale));
		other = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		ASSERT_NE(MAP_FAILED, other);
		/* The peaks have changed. */
		ASSERT_EQ(0, ph_query(self->fd, NULL, PRIVHEAP_QUERY_PROCESS,
				      &self->process));

		wrong[0] = 0;
		wrong[1] = TO_BASE(self->base) + PAGE;
		wrong[2] = TO_BASE(self->base) - PAGE;
		wrong[3] = TO_BASE(self->base) + 1;
		wrong[4] = TO_BASE(self->base) + RESERVE;
		wrong[5] = TO_BASE(self->base) | 1ULL << 63;
		wrong[6] = TO_BASE(self->base) + (1ULL << 32);
		wrong[7] = TO_BASE(stale);
		wrong[8] = TO_BASE(other);
		wrong[9] = TO_BASE(&arg);
		wrong[10] = 0xffffffff81000000;
		wrong[11] = ~0ULL;
		for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
			VALID(&arg);
			memcpy(arg.bytes + command->base, &wrong[i], sizeof(wrong[i]));
			EXPECT_EQ(-ENOENT, ph_ioctl(self->fd, command->cmd, &arg)) {
				TH_LOG("base %#llx", wrong[i]);
			}
			EXPECT_NOTHING_CHANGED();
		}
	}
}

TEST_F(uapi, base_of_another_process)
{
	union argument arg;
	pid_t child;

	FOR_EACH_COMMAND(command) {
		ASSERT_EQ(0, start_anew(self));
		if (command->base == NOWHERE)
			continue;
		child = fork();
		ASSERT_LE(0, child);
		if (!child) {
			/* Neither through the parent's descriptor nor its own. */
			int fd = ph_open();

			VALID(&arg);
			if (fd < 0)
				_exit(1);
			if (ph_ioctl(self->fd, command->cmd, &arg) != -ENOENT)
				_exit(2);
			if (ph_ioctl(fd, command->cmd, &arg) != -ENOENT)
				_exit(3);
			_exit(0);
		}
		EXPECT_EXITED(0, child);
		EXPECT_NOTHING_CHANGED();
	}
}

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
	union argument arg = { .size = sizeof(struct privheap_query) };

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
