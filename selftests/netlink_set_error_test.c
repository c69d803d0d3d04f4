// SPDX-License-Identifier: GPL-2.0-only
/* What QUOTA_SET refuses, and that it has changed nothing then; and garbage. */
#include <sys/mman.h>

#include "netlink_fixture.h"

#define COMMIT		PRIVHEAP_A_COMMIT
#define QUOTA_SET	PRIVHEAP_CMD_QUOTA_SET
#define HARD		PRIVHEAP_A_COUNTER_HARD

static struct nl_object answer;

static uint32_t begin_set(struct nl_message *message, struct nl_socket *nl, uint32_t level,
			  uint64_t subject, uint16_t nest)
{
	nl_begin(message, nl, QUOTA_SET, 0);
	nl_put_u32(message, PRIVHEAP_A_LEVEL, level);
	nl_put_u64(message, PRIVHEAP_A_SUBJECT, subject);
	return nl_put(message, nest, NULL, 0);
}

/* Refused, with the attribute at @at; then the limits are as they were. */
#define EXPECT_WRONG(error, at, message) do {				\
	struct nl_object _now;						\
									\
	EXPECT_REFUSED(error, &self->nl,				\
		       nl_call(&self->nl, message, NULL, NULL));	\
	EXPECT_EQ(at, self->nl.offset);					\
	EXPECT_EQ(0, nl_quota(&self->nl, PRIVHEAP_LEVEL_PROCESS, getpid(), &_now)); \
	EXPECT_EQ(0, memcmp(before.commit, _now.commit, sizeof(_now.commit))); \
	EXPECT_EQ(0, memcmp(before.resident, _now.resident, sizeof(_now.resident))); \
} while (0)

static struct nl_object before;

TEST_F(netlink, nests)
{
	static const uint16_t reading[] = {
		PRIVHEAP_A_COUNTER_USAGE, PRIVHEAP_A_COUNTER_PEAK,
		PRIVHEAP_A_COUNTER_RESERVE_OPEN, PRIVHEAP_A_COUNTER_DENIALS,
	};
	static const uint16_t setting[] = {
		PRIVHEAP_A_COUNTER_SOFT, PRIVHEAP_A_COUNTER_HARD,
		PRIVHEAP_A_COUNTER_RESERVE, PRIVHEAP_A_COUNTER_FAIL_NTH,
	};
	static const uint16_t unknown[] = {
		0, PRIVHEAP_A_COUNTER_PAD, PRIVHEAP_A_COUNTER_MAX + 1, 100, 0x3fff,
	};
	static const char data[16];
	struct nl_message message;
	uint32_t nest, at;

	ASSERT_EQ(0, nl_quota(&self->nl, PRIVHEAP_LEVEL_PROCESS, getpid(), &before));
	/* No flag that it is a nest. */
	nest = begin_set(&message, &self->nl, PRIVHEAP_LEVEL_PROCESS, getpid(), COMMIT);
	nl_put_u64(&message, HARD, MIB);
	nl_nest_end(&message, nest);
	EXPECT_WRONG(-EINVAL, nest, &message);
	/* Nothing in it. */
	nest = begin_set(&message, &self->nl, PRIVHEAP_LEVEL_PROCESS, getpid(),
			 COMMIT | NLA_F_NESTED);
	EXPECT_WRONG(-EINVAL, nest, &message);
	/* Less in it than an attribute. */
	nl_begin(&message, &self->nl, QUOTA_SET, 0);
	nl_put_u32(&message, PRIVHEAP_A_LEVEL, PRIVHEAP_LEVEL_PROCESS);
	nl_put_u64(&message, PRIVHEAP_A_SUBJECT, getpid());
	at = nl_put(&message, COMMIT | NLA_F_NESTED, data, 3);
	EXPECT_REFUSED(-ERANGE, &self->nl, nl_call(&self->nl, &message, NULL, NULL));
	EXPECT_EQ(at, self->nl.offset);

	for (unsigned int i = 0; i < sizeof(reading) / sizeof(*reading); i++) {
		nest = begin_set(&message, &self->nl, PRIVHEAP_LEVEL_PROCESS, getpid(),
				 COMMIT | NLA_F_NESTED);
		nl_put_u64(&message, HARD, MIB);
		at = nl_put_u64(&message, reading[i], 0);
		nl_nest_end(&message, nest);
		EXPECT_WRONG(-EINVAL, at, &message);
	}
	for (unsigned int i = 0; i < sizeof(unknown) / sizeof(*unknown); i++) {
		nest = begin_set(&message, &self->nl, PRIVHEAP_LEVEL_PROCESS, getpid(),
				 COMMIT | NLA_F_NESTED);
		nl_put_u64(&message, HARD, MIB);
		at = nl_put_u64(&message, unknown[i], 0);
		nl_nest_end(&message, nest);
		EXPECT_WRONG(-EINVAL, at, &message);
	}
	for (unsigned int i = 0; i < sizeof(setting) / sizeof(*setting); i++)
		for (uint16_t length = 0; length <= 16; length++) {
			if (length == 8)
				continue;
			nest = begin_set(&message, &self->nl, PRIVHEAP_LEVEL_PROCESS,
					 getpid(), COMMIT | NLA_F_NESTED);
			at = nl_put(&message, setting[i], data, length);
			nl_nest_end(&message, nest);
			EXPECT_WRONG(-EINVAL, at, &message);
		}
	/* An attribute that ends behind its nest. */
	nest = begin_set(&message, &self->nl, PRIVHEAP_LEVEL_PROCESS, getpid(),
			 COMMIT | NLA_F_NESTED);
	at = nl_put_u64(&message, HARD, MIB);
	nl_nest_end(&message, nest);
	((struct nlattr *)(message.bytes + at))->nla_len += 4;
	EXPECT_WRONG(-EINVAL, 0, &message);
}

TEST_F(netlink, values)
{
	static const struct {
		uint16_t what;
		uint64_t value;
	} wrong[] = {
		{ PRIVHEAP_A_COUNTER_SOFT, 1 },
		{ PRIVHEAP_A_COUNTER_SOFT, MIB + 512 },
		{ PRIVHEAP_A_COUNTER_SOFT, ~0ULL - 1 },
		{ PRIVHEAP_A_COUNTER_HARD, PAGE - 1 },
		{ PRIVHEAP_A_COUNTER_HARD, PAGE + 1 },
		{ PRIVHEAP_A_COUNTER_HARD, ~0ULL - 4096 },
		{ PRIVHEAP_A_COUNTER_RESERVE, 1 },
		{ PRIVHEAP_A_COUNTER_RESERVE, 1ULL << 63 },
		{ PRIVHEAP_A_COUNTER_RESERVE, ~0ULL },
		{ PRIVHEAP_A_COUNTER_FAIL_NTH, 1ULL << 63 },
		{ PRIVHEAP_A_COUNTER_FAIL_NTH, ~0ULL },
	};
	static const struct {
		uint32_t level;
		uint64_t subject;
	} without_reserve[] = {
		{ PRIVHEAP_LEVEL_USER, 54321 },
		{ PRIVHEAP_LEVEL_CGROUP, 1 },
		{ PRIVHEAP_LEVEL_SYSTEM, 0 },
	};
	struct nl_message message;
	uint32_t nest, at;

	ASSERT_EQ(0, nl_quota(&self->nl, PRIVHEAP_LEVEL_PROCESS, getpid(), &before));
	for (unsigned int i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		nest = begin_set(&message, &self->nl, PRIVHEAP_LEVEL_PROCESS, getpid(),
				 COMMIT | NLA_F_NESTED);
		if (wrong[i].what != HARD)
			nl_put_u64(&message, HARD, MIB);
		at = nl_put_u64(&message, wrong[i].what, wrong[i].value);
		nl_nest_end(&message, nest);
		EXPECT_WRONG(-EINVAL, at, &message);
	}
	for (unsigned int i = 0; i < sizeof(without_reserve) / sizeof(*without_reserve);
	     i++) {
		nest = begin_set(&message, &self->nl, without_reserve[i].level,
				 without_reserve[i].subject, COMMIT | NLA_F_NESTED);
		at = nl_put_u64(&message, PRIVHEAP_A_COUNTER_RESERVE, PAGE);
		nl_nest_end(&message, nest);
		EXPECT_WRONG(-EINVAL, at, &message);
	}
}

/* The last of two is the one that counts, as everywhere in netlink. */
TEST_F(netlink, twice)
{
	struct nl_message message;
	uint32_t nest;

	nest = begin_set(&message, &self->nl, PRIVHEAP_LEVEL_PROCESS, getpid(),
			 COMMIT | NLA_F_NESTED);
	nl_put_u64(&message, HARD, MIB);
	nl_put_u64(&message, HARD, 2 * MIB);
	nl_nest_end(&message, nest);
	ASSERT_EQ(0, nl_call_one(&self->nl, &message, &answer));
	EXPECT_EQ(2 * MIB, answer.commit[HARD]);
}

static void count_answers(struct nl_object *object, void *argument)
{
	++*(unsigned int *)argument;
}

/*
 * Thousands of messages of random attributes: each is answered, with an error or
 * with objects. What is set is set of this process.
 */
TEST_F(netlink, garbage)
{
	static const uint8_t commands[] = {
		PRIVHEAP_CMD_REGION_GET, PRIVHEAP_CMD_QUOTA_GET, QUOTA_SET,
	};
	unsigned int errors = 0, answers = 0;
	uint32_t random = 20260911;
	struct nl_message message;
	char data[64];

	for (unsigned int round = 0; round < 3000; round++) {
		uint8_t command = commands[ph_random(&random) % 3];
		int ret;

		nl_begin(&message, &self->nl, command,
			 command != QUOTA_SET && ph_random(&random) % 4 == 0 ?
			 NLM_F_DUMP : 0);
		for (uint32_t attrs = ph_random(&random) % 6; attrs; attrs--) {
			uint32_t choice = ph_random(&random);

			for (unsigned int i = 0; i < sizeof(data); i++)
				data[i] = choice & 256 ? 0 : ph_random(&random);
			if (choice & 512)
				data[0] = choice >> 24 & 7;
			nl_put(&message, choice % 20 | (choice & 1024 ? NLA_F_NESTED : 0),
			       data, choice & 2048 ? 4 + (choice & 4) : choice >> 16 & 63);
		}
		if (command == QUOTA_SET) {
			nl_put_u32(&message, PRIVHEAP_A_LEVEL, PRIVHEAP_LEVEL_PROCESS);
			nl_put_u64(&message, PRIVHEAP_A_SUBJECT, getpid());
		}
		ret = nl_call(&self->nl, &message, count_answers, &answers);
		errors += ret != 0;
		if (ret)
			ASSERT_TRUE(ret == -EINVAL || ret == -ERANGE || ret == -ENOENT);
	}
	TH_LOG("%u errors, %u objects", errors, answers);
	EXPECT_NE(0, errors);
	EXPECT_NE(0, answers);
	EXPECT_EQ(0, nl_quota(&self->nl, PRIVHEAP_LEVEL_SYSTEM, 0, &answer));
	EXPECT_EQ(self->system.out_limit, answer.commit[HARD]);
}

TEST_HARNESS_MAIN
