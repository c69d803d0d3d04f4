// SPDX-License-Identifier: GPL-2.0-only
/*
 * The arguments of every ioctl, one thing wrong at a time: the errno is the
 * documented one, the struct is as it was, and no counter has changed.
 */
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "uapi_selftest.h"

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

TEST_HARNESS_MAIN
