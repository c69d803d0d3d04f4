// SPDX-License-Identifier: GPL-2.0-only
/*
 * No byte of the kernel's reaches a user but those that are meant: of each struct only
 * the outputs are written, and nothing behind it; in netlink messages what pads
 * attributes is zero.
 */
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#define PH_OWN_FIXTURE
#include "privheap_fixture.h"
#include "netlink_selftest.h"

#define RESERVE		(4 * MIB)
#define LETTER		0xa5
#define ROOM		512

FIXTURE(output)
{
	int fd;
	struct privheap_query system;
	char *base;
	int eventfd;
};

FIXTURE_SETUP(output)
{
	PH_SETUP();
	ASSERT_EQ(0, ph_create_limit(self->fd, RESERVE, MIB, 2 * MIB, 0, &self->base));
	self->eventfd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	ASSERT_LE(0, self->eventfd);
}

FIXTURE_TEARDOWN_PARENT(output)
{
	PH_TEARDOWN();
}

/* A struct in the middle of nothing but a letter. */
union argument {
	__u32 size;
	struct privheap_create create;
	struct privheap_grow grow;
	struct privheap_commit commit;
	struct privheap_decommit decommit;
	struct privheap_destroy destroy;
	struct privheap_query query;
	struct privheap_notify notify;
	struct privheap_limit limit;
	unsigned char bytes[ROOM];
};

#define OUT(from, to)	{ (from), (to) }
/* Outputs are neighbours in every struct, but for those behind them. */
struct command {
	const char *name;
	unsigned int cmd;
	size_t size;
	size_t out[2][2];	/* first byte, and the one behind the last */
	size_t denied;		/* of out_denied, or 0 */
};

#define OF(name, member)	offsetof(struct privheap_##name, member)
#define COMMAND(NAME, struct_name)					\
	.name = #struct_name, .cmd = PRIVHEAP_IOC_##NAME,		\
	.size = sizeof(struct privheap_##struct_name)

static const struct command commands[] = {
	{ COMMAND(CREATE, create),
	  .out = { OUT(OF(create, out_base), OF(create, reserved)) },
	  .denied = OF(create, out_denied) },
	{ COMMAND(GROW, grow), .out = { OUT(OF(grow, out_committed), OF(grow, reserved)) },
	  .denied = OF(grow, out_denied) },
	{ COMMAND(COMMIT, commit),
	  .out = { OUT(OF(commit, out_committed), OF(commit, reserved)) },
	  .denied = OF(commit, out_denied) },
	{ COMMAND(DECOMMIT, decommit),
	  .out = { OUT(OF(decommit, out_committed), sizeof(struct privheap_decommit)) } },
	{ COMMAND(QUERY, query),
	  .out = { OUT(OF(query, out_id), sizeof(struct privheap_query)) } },
	{ COMMAND(NOTIFY, notify) },
	{ COMMAND(LIMIT, limit), .out = { OUT(OF(limit, out_soft), OF(limit, reserved)) } },
	{ COMMAND(DESTROY, destroy) },
};

/* What has no other meaning is the letter, outputs included. */
static void fill(const FIXTURE_DATA(output) *self, const struct command *command,
		 union argument *arg, bool too_much)
{
	__u64 base = TO_BASE(self->base);

	memset(arg, LETTER, sizeof(*arg));
	memset(arg, 0, command->size);
	for (int i = 0; i < 2; i++)
		memset(arg->bytes + command->out[i][0], LETTER,
		       command->out[i][1] - command->out[i][0]);
	arg->size = command->size;
	switch (command->cmd) {
	case PRIVHEAP_IOC_CREATE:
		arg->create.reserve = RESERVE;
		arg->create.commit = MIB;
		return;
	case PRIVHEAP_IOC_GROW:
		arg->grow.commit = too_much ? 3 * MIB : MIB;
		break;
	case PRIVHEAP_IOC_COMMIT:
		arg->commit.offset = MIB;
		arg->commit.length = too_much ? 2 * MIB : PAGE;
		break;
	case PRIVHEAP_IOC_DECOMMIT:
		arg->decommit.length = PAGE;
		break;
	case PRIVHEAP_IOC_NOTIFY:
		arg->notify.threshold = MIB;
		arg->notify.eventfd = self->eventfd;
		break;
	}
	memcpy(arg->bytes + 8, &base, sizeof(base));
}

/* Bytes that have changed and are neither @from to @to nor in the second run. */
static size_t strayed(const union argument *a, const union argument *b,
		      const size_t out[2][2])
{
	size_t count = 0;

	for (size_t i = 0; i < sizeof(*a); i++)
		count += a->bytes[i] != b->bytes[i] &&
			 (i < out[0][0] || i >= out[0][1]) &&
			 (i < out[1][0] || i >= out[1][1]);
	return count;
}

static bool has_letters(const union argument *arg, size_t from, size_t to)
{
	for (; from + 8 <= to; from += 8)
		if (ph_all(arg->bytes + from, 8, (char)LETTER))
			return true;
	return false;
}

/* What succeeds writes all of its outputs, and only these. */
TEST_F(output, of_success)
{
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		union argument before, arg;

		fill(self, &commands[i], &arg, false);
		before = arg;
		ASSERT_EQ(0, ph_ioctl(self->fd, commands[i].cmd, &arg)) {
			TH_LOG("%s", commands[i].name);
		}
		EXPECT_EQ(0, strayed(&before, &arg, commands[i].out)) {
			TH_LOG("%s", commands[i].name);
		}
		EXPECT_FALSE(has_letters(&arg, commands[i].out[0][0], commands[i].out[0][1]));
	}
}

/* What fails writes nothing, or which level has refused. */
TEST_F(output, of_failure)
{
	static const size_t nothing[2][2];

	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		const struct command *command = &commands[i];
		union argument before, arg;
		__u64 nowhere = 0x1000;

		fill(self, command, &arg, false);
		arg.bytes[7] = 0x80;	/* a flag that nobody knows */
		before = arg;
		EXPECT_EQ(-EINVAL, ph_ioctl(self->fd, command->cmd, &arg));
		EXPECT_EQ(0, strayed(&before, &arg, nothing));

		fill(self, command, &arg, false);
		arg.size = command->size + 8;
		before = arg;
		EXPECT_EQ(-E2BIG, ph_ioctl(self->fd, command->cmd, &arg));
		EXPECT_EQ(0, strayed(&before, &arg, nothing));

		if (command->cmd == PRIVHEAP_IOC_CREATE)
			continue;
		fill(self, command, &arg, false);
		memcpy(arg.bytes + 8, &nowhere, sizeof(nowhere));
		before = arg;
		EXPECT_EQ(-ENOENT, ph_ioctl(self->fd, command->cmd, &arg));
		EXPECT_EQ(0, strayed(&before, &arg, nothing));
	}
}

TEST_F(output, of_refusal)
{
	for (size_t i = 1; i < 3; i++) {
		const struct command *command = &commands[i];
		const size_t denied[2][2] = {
			{ command->denied, command->denied + sizeof(__u32) },
		};
		union argument before, arg;

		fill(self, command, &arg, true);
		before = arg;
		EXPECT_EQ(-EDQUOT, ph_ioctl(self->fd, command->cmd, &arg));
		EXPECT_EQ(0, strayed(&before, &arg, denied)) {
			TH_LOG("%s", command->name);
		}
		EXPECT_EQ(PRIVHEAP_LEVEL_REGION,
			  *(__u32 *)(arg.bytes + command->denied));
	}
}

/* --- netlink: attributes lie side by side, and what pads them is zero */

static unsigned int padding, nonzero, unknown;

static bool is_nest(uint16_t type, int depth)
{
	return !depth && (type == PRIVHEAP_A_COMMIT || type == PRIVHEAP_A_RESIDENT);
}

static void walk(const unsigned char *at, const unsigned char *end, int depth)
{
	while (end - at >= NLA_HDRLEN) {
		const struct nlattr *attr = (const struct nlattr *)at;
		uint16_t type = attr->nla_type & NLA_TYPE_MASK;
		size_t length = attr->nla_len, whole = NLA_ALIGN(length);

		if (length < NLA_HDRLEN || (ssize_t)length > end - at) {
			unknown++;
			return;
		}
		if (is_nest(type, depth))
			walk(at + NLA_HDRLEN, at + length, depth + 1);
		/* One that pads has no bytes itself. */
		if (type == (depth ? PRIVHEAP_A_COUNTER_PAD : PRIVHEAP_A_PAD))
			unknown += length != NLA_HDRLEN;
		for (size_t i = length; i < whole && at + i < end; i++, padding++)
			nonzero += at[i] != 0;
		at += whole;
	}
	unknown += at != end;
}

/* All messages of an answer. */
static int look_through(struct nl_socket *nl, const struct nl_message *request)
{
	static unsigned char answer[65536];
	int messages = 0;

	if (nl_send(nl, request))
		return -1;
	for (;;) {
		ssize_t length = recv(nl->fd, answer, sizeof(answer), 0);
		struct nlmsghdr *header = (struct nlmsghdr *)answer;

		if (length < 0)
			return -1;
		for (; NLMSG_OK(header, length); header = NLMSG_NEXT(header, length)) {
			const struct genlmsghdr *genl = NLMSG_DATA(header);
			const unsigned char *start = (const unsigned char *)header;

			if (header->nlmsg_type < NLMSG_MIN_TYPE)
				return messages;
			nonzero += genl->reserved != 0;
			walk(start + NLMSG_HDRLEN + GENL_HDRLEN, start + header->nlmsg_len, 0);
			messages++;
		}
	}
}

TEST_F(output, of_netlink)
{
	struct nl_message message;
	struct nl_socket nl;
	uint64_t id = ph_region(self->fd, self->base).out_id;

	if (nl_open(&nl))
		SKIP(return, "no netlink family here");
	nl_begin(&message, &nl, PRIVHEAP_CMD_REGION_GET, 0);
	nl_put_u64(&message, PRIVHEAP_A_REGION_ID, id);
	EXPECT_EQ(1, look_through(&nl, &message));
	nl_put_u32(&message, PRIVHEAP_A_CELLS, 7);
	EXPECT_EQ(1, look_through(&nl, &message));
	nl_begin(&message, &nl, PRIVHEAP_CMD_REGION_GET, NLM_F_DUMP);
	EXPECT_LE(1, look_through(&nl, &message));
	nl_begin(&message, &nl, PRIVHEAP_CMD_QUOTA_GET, NLM_F_DUMP);
	EXPECT_LE(2, look_through(&nl, &message));
	EXPECT_EQ(0, nonzero);
	EXPECT_EQ(0, unknown);
	TH_LOG("%u bytes pad attributes", padding);
}

/* A map of fewer cells than were asked for has no more numbers than cells. */
TEST_F(output, of_a_map)
{
	static struct nl_object object;
	uint64_t sum[2] = { 0, 0 };
	struct nl_socket nl;
	char *base;

	if (nl_open(&nl))
		SKIP(return, "no netlink family here");
	ASSERT_EQ(0, ph_create(self->fd, 5 * PAGE, 3 * PAGE, 0, &base));
	ASSERT_EQ(0, nl_map(&nl, ph_region(self->fd, base).out_id, PRIVHEAP_CELLS_MAX,
			    &object));
	EXPECT_EQ(5, object.pairs);
	for (unsigned int i = 0; i < object.pairs; i++) {
		sum[0] += object.map[i][0];
		sum[1] += object.map[i][1];
	}
	EXPECT_EQ(3 * PAGE, sum[0]);
	EXPECT_EQ(3 * PAGE, sum[1]);
}

/* What /proc tells of the descriptor is numbers, and no address. */
TEST_F(output, of_fdinfo)
{
	char path[64], text[4096], *line, *end;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", self->fd);
	ASSERT_LT(0, ph_read_file(path, text, sizeof(text)));
	for (line = strstr(text, "privheap-"); line; line = strstr(line + 1, "privheap-")) {
		unsigned long long value = strtoull(strchr(line, '\t'), &end, 10);

		EXPECT_GE(RESERVE / KIB, value);
		EXPECT_TRUE(!strncmp(end, " KiB\n", 5) || *end == '\n');
	}
}

TEST_HARNESS_MAIN
