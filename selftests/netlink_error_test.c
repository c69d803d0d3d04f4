// SPDX-License-Identifier: GPL-2.0-only
/*
 * Wrong requests of every kind over netlink: each is answered by its number, by a
 * text, and by where the attribute is that was wrong; and none changes anything.
 */
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/utsname.h>

#include "netlink_fixture.h"

#define REGION_GET	PRIVHEAP_CMD_REGION_GET
#define QUOTA_GET	PRIVHEAP_CMD_QUOTA_GET
#define QUOTA_SET	PRIVHEAP_CMD_QUOTA_SET
#define REGION		PRIVHEAP_LEVEL_REGION

static struct nl_object answer;

/* Send it: refused like this, with a text, and with the attribute at @offset. */
#define EXPECT_WRONG(error, offset_wanted, nl, message) do {		\
	EXPECT_REFUSED(error, nl, nl_call(nl, message, NULL, NULL));	\
	EXPECT_EQ(offset_wanted, (nl)->offset);				\
	EXPECT_EQ(0, (nl)->missing);					\
} while (0)
#define EXPECT_MISSING(type, nl, message) do {				\
	EXPECT_REFUSED(-EINVAL, nl, nl_call(nl, message, NULL, NULL));	\
	EXPECT_EQ(type, (nl)->missing);					\
} while (0)

/* The text is the kernel's own to give, and it gives none. */
#define EXPECT_NUMBER(error, nl, message)				\
	EXPECT_EQ(error, nl_call(nl, message, NULL, NULL))

TEST_F(netlink, messages)
{
	struct nl_message message;

	/* The header of generic netlink is not whole. */
	for (uint32_t length = NLMSG_HDRLEN; length < NLMSG_HDRLEN + GENL_HDRLEN;
	     length++) {
		nl_begin(&message, &self->nl, REGION_GET, 0);
		message.header.nlmsg_len = length;
		EXPECT_NUMBER(-EINVAL, &self->nl, &message);
		nl_begin(&message, &self->nl, REGION_GET, NLM_F_DUMP);
		message.header.nlmsg_len = length;
		EXPECT_NUMBER(-EINVAL, &self->nl, &message);
	}
	nl_begin(&message, &self->nl, REGION_GET, 0);
	message.genl.reserved = 1;
	EXPECT_WRONG(-EINVAL, 0, &self->nl, &message);
	nl_begin(&message, &self->nl, REGION_GET, NLM_F_APPEND);
	EXPECT_WRONG(-EINVAL, 0, &self->nl, &message);
	nl_begin(&message, &self->nl, QUOTA_SET, NLM_F_EXCL);
	EXPECT_WRONG(-EINVAL, 0, &self->nl, &message);

	/* No such commands, or not as requests, or not as dumps. */
	for (unsigned int command = 0; command < 256; command++) {
		if (command == REGION_GET || command == QUOTA_GET ||
		    command == QUOTA_SET)
			continue;
		nl_begin(&message, &self->nl, command, 0);
		EXPECT_NUMBER(-EOPNOTSUPP, &self->nl, &message);
		nl_begin(&message, &self->nl, command, NLM_F_DUMP);
		EXPECT_NUMBER(-EOPNOTSUPP, &self->nl, &message);
	}
	nl_begin(&message, &self->nl, QUOTA_SET, NLM_F_DUMP);
	EXPECT_NUMBER(-EOPNOTSUPP, &self->nl, &message);

	/* Generic netlink does not look at the version. */
	nl_begin(&message, &self->nl, QUOTA_GET, 0);
	message.genl.version = 99;
	nl_put_u32(&message, PRIVHEAP_A_LEVEL, PRIVHEAP_LEVEL_SYSTEM);
	nl_put_u64(&message, PRIVHEAP_A_SUBJECT, 0);
	EXPECT_EQ(0, nl_call_one(&self->nl, &message, &answer));
}

/* A message that ends in the middle of an attribute, or an attribute behind it. */
TEST_F(netlink, truncated)
{
	struct nl_message whole, message;
	struct nlattr *attr;

	nl_begin(&whole, &self->nl, QUOTA_GET, 0);
	nl_put_u32(&whole, PRIVHEAP_A_LEVEL, PRIVHEAP_LEVEL_SYSTEM);
	nl_put_u64(&whole, PRIVHEAP_A_SUBJECT, 0);
	for (uint32_t length = NLMSG_HDRLEN + GENL_HDRLEN;
	     length < whole.header.nlmsg_len; length++) {
		message = whole;
		message.header.nlmsg_seq = ++self->nl.seq;
		message.header.nlmsg_len = length;
		EXPECT_REFUSED(-EINVAL, &self->nl,
			       nl_call(&self->nl, &message, NULL, NULL));
	}
	for (uint16_t length = 0; length < 64; length++) {
		if (length == NLA_HDRLEN + sizeof(uint64_t))
			continue;
		message = whole;
		message.header.nlmsg_seq = ++self->nl.seq;
		attr = (struct nlattr *)(message.bytes + NLMSG_HDRLEN + GENL_HDRLEN +
					 NLA_HDRLEN + sizeof(uint32_t));
		attr->nla_len = length;
		EXPECT_REFUSED(-EINVAL, &self->nl,
			       nl_call(&self->nl, &message, NULL, NULL));
	}
	/* It says that it is longer than it is: not answered at all. */
	message = whole;
	message.header.nlmsg_seq = ++self->nl.seq;
	message.header.nlmsg_len += 4096;
	EXPECT_EQ(whole.header.nlmsg_len,
		  send(self->nl.fd, &message, whole.header.nlmsg_len, 0));
	whole.header.nlmsg_seq = ++self->nl.seq;
	EXPECT_EQ(0, nl_call_one(&self->nl, &whole, &answer));
}

/* Attributes of other lengths than theirs. */
TEST_F(netlink, lengths)
{
	static const struct {
		uint8_t command;
		uint16_t type, length, flags;
	} attrs[] = {
		{ REGION_GET, PRIVHEAP_A_REGION_ID, 8, 0 },
		{ REGION_GET, PRIVHEAP_A_CELLS, 4, 0 },
		{ REGION_GET, PRIVHEAP_A_PID, 4, NLM_F_DUMP },
		{ REGION_GET, PRIVHEAP_A_UID, 4, NLM_F_DUMP },
		{ REGION_GET, PRIVHEAP_A_CGROUP, 8, NLM_F_DUMP },
		{ QUOTA_GET, PRIVHEAP_A_LEVEL, 4, 0 },
		{ QUOTA_GET, PRIVHEAP_A_SUBJECT, 8, 0 },
		{ QUOTA_GET, PRIVHEAP_A_LEVEL, 4, NLM_F_DUMP },
		{ QUOTA_SET, PRIVHEAP_A_LEVEL, 4, 0 },
		{ QUOTA_SET, PRIVHEAP_A_SUBJECT, 8, 0 },
	};
	static const char data[64] = { 1 };
	struct nl_message message;
	uint32_t at;

	for (unsigned int i = 0; i < sizeof(attrs) / sizeof(*attrs); i++) {
		for (uint16_t length = 0; length <= 16; length++) {
			if (length == attrs[i].length)
				continue;
			nl_begin(&message, &self->nl, attrs[i].command, attrs[i].flags);
			at = nl_put(&message, attrs[i].type, data, length);
			EXPECT_WRONG(-EINVAL, at, &self->nl, &message);
		}
		/* Right, but said to be a nest. */
		nl_begin(&message, &self->nl, attrs[i].command, attrs[i].flags);
		at = nl_put(&message, attrs[i].type | NLA_F_NESTED, data,
			    attrs[i].length);
		EXPECT_WRONG(-EINVAL, at, &self->nl, &message);
	}
}

/* Attributes that a command does not have. */
TEST_F(netlink, types)
{
	static const uint8_t commands[] = { REGION_GET, QUOTA_GET, QUOTA_SET };
	static const unsigned int known[] = {
		BIT_OF(PRIVHEAP_A_REGION_ID) | BIT_OF(PRIVHEAP_A_PID) |
		BIT_OF(PRIVHEAP_A_UID) | BIT_OF(PRIVHEAP_A_CGROUP) |
		BIT_OF(PRIVHEAP_A_CELLS),
		BIT_OF(PRIVHEAP_A_LEVEL) | BIT_OF(PRIVHEAP_A_SUBJECT),
		BIT_OF(PRIVHEAP_A_LEVEL) | BIT_OF(PRIVHEAP_A_SUBJECT) |
		BIT_OF(PRIVHEAP_A_COMMIT) | BIT_OF(PRIVHEAP_A_RESIDENT),
	};
	struct nl_message message;
	uint32_t at;

	for (unsigned int i = 0; i < sizeof(commands); i++)
		for (uint16_t type = 0; type < 300; type++) {
			if (type < 32 && known[i] & BIT_OF(type))
				continue;
			nl_begin(&message, &self->nl, commands[i], 0);
			nl_put_u32(&message, commands[i] == REGION_GET ?
				   PRIVHEAP_A_CELLS : PRIVHEAP_A_LEVEL, 1);
			at = nl_put_u64(&message, type, 0);
			EXPECT_WRONG(-EINVAL, at, &self->nl, &message);
			if (commands[i] == QUOTA_SET)
				continue;
			message.header.nlmsg_flags |= NLM_F_DUMP;
			message.header.nlmsg_seq = ++self->nl.seq;
			EXPECT_WRONG(-EINVAL, at, &self->nl, &message);
		}
	/* Filters are for dumps. */
	nl_begin(&message, &self->nl, REGION_GET, 0);
	nl_put_u64(&message, PRIVHEAP_A_REGION_ID, 1);
	at = nl_put_u32(&message, PRIVHEAP_A_UID, 0);
	EXPECT_WRONG(-EINVAL, at, &self->nl, &message);
}

/* And what names one object is not: kernels before 6.2 give no text for that. */
TEST_F(netlink, not_for_dumps)
{
	static const struct {
		uint8_t command;
		uint16_t type;
	} attrs[] = {
		{ REGION_GET, PRIVHEAP_A_REGION_ID },
		{ REGION_GET, PRIVHEAP_A_CELLS },
		{ QUOTA_GET, PRIVHEAP_A_SUBJECT },
	};
	struct nl_message message;
	struct utsname name;
	uint32_t at;

	ASSERT_EQ(0, uname(&name));
	for (unsigned int i = 0; i < sizeof(attrs) / sizeof(*attrs); i++) {
		nl_begin(&message, &self->nl, attrs[i].command, NLM_F_DUMP);
		at = attrs[i].type == PRIVHEAP_A_CELLS ?
		     nl_put_u32(&message, attrs[i].type, 1) :
		     nl_put_u64(&message, attrs[i].type, 1);
		if (strncmp(name.release, "6.1.", 4))
			EXPECT_WRONG(-EINVAL, at, &self->nl, &message);
		else
			EXPECT_NUMBER(-EINVAL, &self->nl, &message);
	}
}

TEST_F(netlink, missing)
{
	struct nl_message message;

	nl_begin(&message, &self->nl, REGION_GET, 0);
	EXPECT_MISSING(PRIVHEAP_A_REGION_ID, &self->nl, &message);
	nl_begin(&message, &self->nl, REGION_GET, 0);
	nl_put_u32(&message, PRIVHEAP_A_CELLS, 1);
	EXPECT_MISSING(PRIVHEAP_A_REGION_ID, &self->nl, &message);
	for (int set = 0; set < 2; set++) {
		uint8_t command = set ? QUOTA_SET : QUOTA_GET;

		nl_begin(&message, &self->nl, command, 0);
		EXPECT_MISSING(PRIVHEAP_A_LEVEL, &self->nl, &message);
		nl_begin(&message, &self->nl, command, 0);
		nl_put_u64(&message, PRIVHEAP_A_SUBJECT, 0);
		EXPECT_MISSING(PRIVHEAP_A_LEVEL, &self->nl, &message);
		nl_begin(&message, &self->nl, command, 0);
		nl_put_u32(&message, PRIVHEAP_A_LEVEL, PRIVHEAP_LEVEL_SYSTEM);
		EXPECT_MISSING(PRIVHEAP_A_SUBJECT, &self->nl, &message);
	}
	nl_put_u64(&message, PRIVHEAP_A_SUBJECT, 0);
	message.header.nlmsg_seq = ++self->nl.seq;
	EXPECT_MISSING(PRIVHEAP_A_COMMIT, &self->nl, &message);
}

TEST_F(netlink, ranges)
{
	static const struct {
		uint8_t command;
		uint16_t flags, type;
		uint32_t value;
	} values[] = {
		{ REGION_GET, 0, PRIVHEAP_A_CELLS, 0 },
		{ REGION_GET, 0, PRIVHEAP_A_CELLS, PRIVHEAP_CELLS_MAX + 1 },
		{ REGION_GET, 0, PRIVHEAP_A_CELLS, 0xffffffff },
		{ REGION_GET, NLM_F_DUMP, PRIVHEAP_A_PID, 0 },
		{ REGION_GET, NLM_F_DUMP, PRIVHEAP_A_UID, 0xffffffff },
		{ QUOTA_GET, 0, PRIVHEAP_A_LEVEL, 0 },
		{ QUOTA_GET, 0, PRIVHEAP_A_LEVEL, PRIVHEAP_LEVEL_SYSTEM + 1 },
		{ QUOTA_GET, NLM_F_DUMP, PRIVHEAP_A_LEVEL, 0 },
		{ QUOTA_GET, NLM_F_DUMP, PRIVHEAP_A_LEVEL, 0xffffffff },
		{ QUOTA_SET, 0, PRIVHEAP_A_LEVEL, 0 },
		{ QUOTA_SET, 0, PRIVHEAP_A_LEVEL, 0x80000001 },
	};
	static const struct {
		uint32_t level;
		uint64_t subject;
		int error;
	} subjects[] = {
		{ PRIVHEAP_LEVEL_PROCESS, 0, -EINVAL },
		{ PRIVHEAP_LEVEL_PROCESS, 1ULL << 32 | 1, -EINVAL },
		{ PRIVHEAP_LEVEL_PROCESS, ~0ULL, -EINVAL },
		{ PRIVHEAP_LEVEL_USER, 0xffffffff, -EINVAL },
		{ PRIVHEAP_LEVEL_USER, 1ULL << 32, -EINVAL },
		{ PRIVHEAP_LEVEL_SYSTEM, 1, -EINVAL },
		{ PRIVHEAP_LEVEL_REGION, ~0ULL, -ENOENT },
		{ PRIVHEAP_LEVEL_CGROUP, ~0ULL, -ENOENT },
		{ PRIVHEAP_LEVEL_CGROUP, 0, -ENOENT },
		{ PRIVHEAP_LEVEL_PROCESS, 0x7fffffff, -ENOENT },
	};
	struct nl_message message;
	uint32_t at;

	for (unsigned int i = 0; i < sizeof(values) / sizeof(*values); i++) {
		nl_begin(&message, &self->nl, values[i].command, values[i].flags);
		at = nl_put_u32(&message, values[i].type, values[i].value);
		EXPECT_WRONG(-ERANGE, at, &self->nl, &message);
	}
	for (unsigned int i = 0; i < sizeof(subjects) / sizeof(*subjects); i++) {
		nl_begin(&message, &self->nl, QUOTA_GET, 0);
		nl_put_u32(&message, PRIVHEAP_A_LEVEL, subjects[i].level);
		at = nl_put_u64(&message, PRIVHEAP_A_SUBJECT, subjects[i].subject);
		EXPECT_WRONG(subjects[i].error, at, &self->nl, &message);
		EXPECT_REFUSED(subjects[i].error, &self->nl,
			       nl_set(&self->nl, subjects[i].level, subjects[i].subject,
				      PRIVHEAP_A_COMMIT, PRIVHEAP_A_COUNTER_HARD, 0,
				      &answer));
		EXPECT_EQ(at, self->nl.offset);
	}
}

TEST_HARNESS_MAIN
