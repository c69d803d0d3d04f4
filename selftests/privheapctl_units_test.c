// SPDX-License-Identifier: GPL-2.0-only
/*
 * privheapctl's words: sizes, numbers, subjects, clean text, tables, JSON, and
 * what the kernel's answers say.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "privheapctl_selftest.h"

#include "json.h"
#include "names.h"
#include "netlink.h"
#include "subject.h"
#include "table.h"
#include "text.h"
#include "units.h"

#define PAGE	4096

/* ------------------------------------------------------------- sizes */

TEST(sizes_that_are_some)
{
	static const struct {
		const char *text;
		uint64_t bytes;
	} sizes[] = {
		{ "0", 0 },
		{ "4096", 4096 },
		{ "8192B", 8192 },
		{ "64K", 64 * KIB },
		{ "64k", 64 * KIB },
		{ "64KiB", 64 * KIB },
		{ "64M", 64 * MIB },
		{ "1.5G", 1536 * MIB },
		{ "1.25GiB", 1280 * MIB },
		{ "2T", 2048 * GIB },
		{ "15E", 15ULL << 60 },
		/* rounded down to pages: 107374182.4 bytes */
		{ "0.1G", 107374182 / PAGE * PAGE },
		{ "1.000000000000000000000001G", GIB },
		{ "1.999999999999999999999999K", 0 },
		{ "4.5K", 4 * KIB },
		{ "unlimited", PRIVHEAP_NO_LIMIT },
		{ "Unlimited", PRIVHEAP_NO_LIMIT },
	};
	uint64_t bytes;
	const char *why;

	for (unsigned int i = 0; i < ARRAY_SIZE(sizes); i++) {
		bytes = 77;
		why = units_parse_size(sizes[i].text, PAGE, &bytes);
		/* The one below a page is none. */
		if (strstr(sizes[i].text, "1.9999")) {
			EXPECT_STREQ("is less than a page", why);
			continue;
		}
		EXPECT_EQ(NULL, why) {
			TH_LOG("%s: %s", sizes[i].text, why);
		}
		EXPECT_EQ(sizes[i].bytes, bytes) {
			TH_LOG("%s", sizes[i].text);
		}
	}
}

TEST(sizes_that_are_none)
{
	static const char *const sizes[] = {
		"", " ", "K", "-1", "+1", "1 K", "1,5G", ".5G", "1.G", "1.K",
		"0x10", "64MB", "64kb", "64X", "64Mi", "64MiBs", "64KK", "4097",
		"1", "0.5", "0.5K", "1.5", "none", "99999999999999999999",
		"16E", "18446744073709551616", "1e6", "inf",
		/* that would be no limit */
		"18446744073709551615",
	};
	uint64_t bytes;

	for (unsigned int i = 0; i < ARRAY_SIZE(sizes); i++) {
		EXPECT_NE(NULL, units_parse_size(sizes[i], PAGE, &bytes)) {
			TH_LOG("\"%s\"", sizes[i]);
		}
	}
	EXPECT_HAS(units_parse_size("64MB", PAGE, &bytes), "ambiguous");
	EXPECT_STREQ("is not a whole number of pages",
		     units_parse_size("4097", PAGE, &bytes));
	EXPECT_STREQ("is too large", units_parse_size("16E", PAGE, &bytes));
}

TEST(sizes_for_people)
{
	static const struct {
		uint64_t bytes;
		const char *text;
		const char *exact;
	} sizes[] = {
		{ 0, "0", "0" },
		{ 1, "1", "1" },
		{ 1023, "1023", "1023" },
		{ 1024, "1K", "1K" },
		{ 4096, "4K", "4K" },
		{ 1536, "1.5K", "1536" },
		{ 1023 * KIB, "1023K", "1023K" },
		{ MIB - 1, "1M", "1048575" },
		{ 1280 * KIB, "1.3M", "1280K" },
		{ 99 * MIB + 512 * KIB, "99.5M", "101888K" },
		{ 100 * MIB + 512 * KIB, "101M", "102912K" },
		{ 1023 * MIB + 900 * KIB, "1G", "1048452K" },
		{ 1536 * MIB, "1.5G", "1536M" },
		{ 15ULL << 60, "15E", "15E" },
		{ PRIVHEAP_NO_LIMIT - 1, "16E", "18446744073709551614" },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(sizes); i++) {
		EXPECT_STREQ(sizes[i].text, units_size(sizes[i].bytes).text);
		EXPECT_STREQ(sizes[i].exact, units_exact(sizes[i].bytes).text);
	}
	EXPECT_STREQ("-", units_size(PRIVHEAP_NO_LIMIT).text);
	EXPECT_STREQ("-", units_bytes(PRIVHEAP_NO_LIMIT).text);
	EXPECT_STREQ("1048575", units_either(MIB - 1, true).text);
}

TEST(numbers)
{
	unsigned int milliseconds;
	uint64_t number;

	EXPECT_TRUE(units_parse_number("18446744073709551615", UINT64_MAX, &number));
	EXPECT_EQ(UINT64_MAX, number);
	EXPECT_FALSE(units_parse_number("18446744073709551616", UINT64_MAX, &number));
	EXPECT_FALSE(units_parse_number("11", 10, &number));
	EXPECT_FALSE(units_parse_number("", 10, &number));
	EXPECT_FALSE(units_parse_number("-1", 10, &number));
	EXPECT_FALSE(units_parse_number(" 1", 10, &number));
	EXPECT_FALSE(units_parse_number("1 ", 10, &number));
	EXPECT_TRUE(units_parse_seconds("0.25", &milliseconds));
	EXPECT_EQ(250, milliseconds);
	EXPECT_TRUE(units_parse_seconds("3", &milliseconds));
	EXPECT_EQ(3000, milliseconds);
	EXPECT_FALSE(units_parse_seconds("1.", &milliseconds));
	EXPECT_FALSE(units_parse_seconds("1.0001", &milliseconds));
	EXPECT_FALSE(units_parse_seconds("1s", &milliseconds));
	EXPECT_FALSE(units_parse_seconds("99999999999", &milliseconds));
}

/* ---------------------------------------------------------- subjects */

static bool parses(const char *text, uint32_t level, uint64_t id)
{
	struct subject subject = { 99, 99 };
	char why[PATH_MAX + 128];

	return subject_parse(text, &subject, why, sizeof(why)) &&
		subject.level == level && subject.id == id;
}

/* Is it refused, with these words? */
static bool refuses(const char *text, const char *words)
{
	char why[PATH_MAX + 128] = "";
	struct subject subject;

	if (subject_parse(text, &subject, why, sizeof(why)))
		return false;
	if (strstr(why, words))
		return true;
	printf("# %s: %s\n", text, why);
	return false;
}

TEST(subjects)
{
	EXPECT_TRUE(parses("system", PRIVHEAP_LEVEL_SYSTEM, 0));
	EXPECT_TRUE(parses("user:root", PRIVHEAP_LEVEL_USER, 0));
	EXPECT_TRUE(parses("user:1000", PRIVHEAP_LEVEL_USER, 1000));
	EXPECT_TRUE(parses("user:4294967294", PRIVHEAP_LEVEL_USER, 4294967294));
	EXPECT_TRUE(parses("pid:123", PRIVHEAP_LEVEL_PROCESS, 123));
	EXPECT_TRUE(parses("region:17", PRIVHEAP_LEVEL_REGION, 17));
	EXPECT_TRUE(parses("cgroup:4711", PRIVHEAP_LEVEL_CGROUP, 4711));
	EXPECT_TRUE(refuses("systems", "what is systems?"));
	EXPECT_TRUE(refuses("", "what is ?"));
	EXPECT_TRUE(refuses("alice", "user:NAME"));
	EXPECT_TRUE(refuses("user:", "no user"));
	EXPECT_TRUE(refuses("user:nobody-of-that-name", "there is no user"));
	EXPECT_TRUE(refuses("user:4294967295", "there is no user"));
	EXPECT_TRUE(refuses("pid:", "a process has a number"));
	EXPECT_TRUE(refuses("pid:0", "a process has a number"));
	EXPECT_TRUE(refuses("pid:99999999999", "a process has a number"));
	EXPECT_TRUE(refuses("pid:self", "a process has a number"));
	EXPECT_TRUE(refuses("region:-1", "a region has a number"));
	EXPECT_TRUE(refuses("cgroup:", "a cgroup is a folder"));
	EXPECT_TRUE(refuses("cgroup:x", "a cgroup is a folder"));
	EXPECT_TRUE(refuses("cgroup:1", "use system"));
	EXPECT_TRUE(refuses("cgroup:/proc", "is no cgroup"));
	EXPECT_TRUE(refuses("cgroup:/no/such/folder", "no"));
	EXPECT_EQ(PRIVHEAP_LEVEL_USER, subject_level("user"));
	EXPECT_EQ(PRIVHEAP_LEVEL_NONE, subject_level("none"));
	EXPECT_EQ(PRIVHEAP_LEVEL_NONE, subject_level("users"));
}

TEST(subjects_as_text)
{
	static const char *const texts[] = {
		"system", "user:root", "pid:123", "region:17",
		"cgroup:18446744073709551614", "user:4000000001",
	};
	struct subject subject;
	char why[256];

	for (unsigned int i = 0; i < ARRAY_SIZE(texts); i++) {
		ASSERT_TRUE(subject_parse(texts[i], &subject, why, sizeof(why)));
		EXPECT_STREQ(texts[i], subject_format(&subject).text);
	}
}

/* A cgroup's folder, its number, and back. */
TEST(cgroups)
{
	const char *mount = names_cgroup_mount();
	char path[PATH_MAX], text[PATH_MAX + 16], why[PATH_MAX + 128];
	struct subject subject;
	struct stat status;

	if (!mount)
		SKIP(return, "no cgroups (v2) are mounted here");
	EXPECT_TRUE(refuses("cgroup:/", "no cgroup"));
	snprintf(text, sizeof(text), "cgroup:%s", mount);
	EXPECT_TRUE(refuses(text, "use system"));
	snprintf(path, sizeof(path), "%s/privheapctl test %d", mount, getpid());
	if (mkdir(path, 0755))
		SKIP(return, "cannot make a cgroup: %s", strerror(errno));
	snprintf(text, sizeof(text), "cgroup:%s", path);
	EXPECT_TRUE(subject_parse(text, &subject, why, sizeof(why))) {
		TH_LOG("%s", why);
	}
	EXPECT_EQ(0, stat(path, &status));
	EXPECT_EQ(PRIVHEAP_LEVEL_CGROUP, subject.level);
	EXPECT_EQ(status.st_ino, subject.id);
	EXPECT_STREQ(text, subject_format(&subject).text);
	/* The same below the mount. */
	snprintf(text, sizeof(text), "cgroup:/privheapctl test %d", getpid());
	EXPECT_TRUE(parses(text, PRIVHEAP_LEVEL_CGROUP, status.st_ino));
	EXPECT_EQ(0, rmdir(path));
	EXPECT_TRUE(refuses(text, "there is no cgroup"));
}

/* -------------------------------------------------------------- text */

static const char *cleaned(const char *text, bool utf8)
{
	static char clean[64];

	text_clean(text, utf8, clean, sizeof(clean));
	return clean;
}

TEST(text_that_others_chose)
{
	char small[6];

	EXPECT_STREQ("plain text", cleaned("plain text", true));
	EXPECT_STREQ("?[31mred?[0m", cleaned("\033[31mred\033[0m", true));
	EXPECT_STREQ("a?b?c?", cleaned("a\nb\tc\177", true));
	EXPECT_STREQ("größe", cleaned("größe", true));
	EXPECT_STREQ("gr??e", cleaned("größe", false));
	/* CSI as one character, what turns text around, broken UTF-8 */
	EXPECT_STREQ("?31m", cleaned("\302\23331m", true));
	EXPECT_STREQ("?abc", cleaned("\342\200\256abc", true));
	EXPECT_STREQ("?x", cleaned("\377x", true));
	EXPECT_STREQ("??", cleaned("\300\200", true));
	EXPECT_STREQ("???", cleaned("\355\240\200", true));
	EXPECT_STREQ("?", cleaned("\303", true));
	EXPECT_STREQ("????", cleaned("\364\220\200\200", true));
	text_clean("abcdöx", true, small, sizeof(small));
	EXPECT_STREQ("abcd", small);
	EXPECT_EQ(5, text_width("größe"));
	EXPECT_EQ(4, text_fit("größe", 3));
	EXPECT_EQ(7, text_fit("größe", 9));
	EXPECT_EQ(0, text_distance("list", "list"));
	EXPECT_EQ(1, text_distance("lst", "list"));
	EXPECT_EQ(2, text_distance("lsit", "list"));
	EXPECT_EQ(4, text_distance("", "list"));
	EXPECT_LT(30, text_distance("x", "a word that is longer than any that is known"));
}

TEST(tables)
{
	static const char *const words[] = { "1", "long name", "64M", "22", "ö", "1" };
	struct table table;

	table_init(&table, "ID NAME SIZE", 1 << 1);
	EXPECT_PRINTS("ID  NAME  SIZE\n", table_print(&table, true, 0, out));
	for (unsigned int i = 0; i < ARRAY_SIZE(words); i++)
		table_add(&table, words[i]);
	EXPECT_PRINTS("ID  NAME       SIZE\n"
		      " 1  long name   64M\n"
		      "22  ö             1\n", table_print(&table, true, 0, out));
	EXPECT_PRINTS(" 1  long name  64M\n"
		      "22  ö            1\n", table_print(&table, false, 0, out));
	EXPECT_PRINTS("ID  NAM\n"
		      " 1  lon\n"
		      "22  ö\n", table_print(&table, true, 7, out));
	/* Nothing stands behind the last word. */
	table_init(&table, "A B", 3);
	table_add(&table, "1");
	table_add(&table, "");
	table_add(&table, "");
	table_add(&table, "22");
	EXPECT_PRINTS("A  B\n1\n   22\n", table_print(&table, true, 0, out));
	table_release(&table);
}

TEST(json_of_all_kinds)
{
	static const char text[] =
		"{\"a\":[],\"b\":[1,{}],\"c\":null,\"d\":true,\"e\":18446744073709551614}\n";

	EXPECT_PRINTS(text, {
		struct json json = { .out = out };

		json_object(&json, NULL);
		json_array(&json, "a");
		json_array_end(&json);
		json_array(&json, "b");
		json_number(&json, NULL, 1);
		json_object(&json, NULL);
		json_object_end(&json);
		json_array_end(&json);
		json_limit(&json, "c", PRIVHEAP_NO_LIMIT);
		json_bool(&json, "d", true);
		json_limit(&json, "e", PRIVHEAP_NO_LIMIT - 1);
		json_object_end(&json);
		json_line(&json);
	});
	EXPECT_PRINTS("\"\\\"\\\\\\n\\t\\u0001\\u001b[m\\u007f\\u009bö\\ufffd\"", {
		struct json json = { .out = out };

		json_string(&json, NULL, "\"\\\n\t\001\033[m\177\302\233ö\377");
	});
}

/* ------------------------------------------------- the kernel's answers */

/* As the kernel answers to a request: the error, and what is said with it. */
static struct nlmsghdr *error_message(int error, const char *text, uint32_t offset)
{
	struct nlmsghdr *message = mnl_nlmsg_put_header(message_room);
	struct nlmsgerr *body;

	message->nlmsg_type = NLMSG_ERROR;
	message->nlmsg_flags = NLM_F_CAPPED;
	body = mnl_nlmsg_put_extra_header(message, sizeof(*body));
	body->error = error;
	if (text)
		mnl_attr_put_strz(message, NLMSGERR_ATTR_MSG, text);
	if (offset)
		mnl_attr_put_u32(message, NLMSGERR_ATTR_OFFS, offset);
	if (text || offset)
		message->nlmsg_flags |= NLM_F_ACK_TLVS;
	return message;
}

TEST(errors_name_the_attribute)
{
	static uint32_t room[256];
	struct nlmsghdr *request = mnl_nlmsg_put_header(room);
	struct nlattr *nest, *hard;
	uint32_t offset;
	char said[200];

	request->nlmsg_type = 0x20;
	mnl_nlmsg_put_extra_header(request, sizeof(struct genlmsghdr));
	mnl_attr_put_u32(request, PRIVHEAP_A_LEVEL, 9);
	mnl_attr_put_u64(request, PRIVHEAP_A_SUBJECT, 1);
	nest = mnl_attr_nest_start(request, PRIVHEAP_A_COMMIT);
	hard = mnl_nlmsg_get_payload_tail(request);
	mnl_attr_put_u64(request, PRIVHEAP_A_COUNTER_HARD, 4097);
	mnl_attr_nest_end(request, nest);

	EXPECT_EQ(0, netlink_parse_error(error_message(0, NULL, 0), request,
					 said, sizeof(said)));
	EXPECT_STREQ("", said);
	EXPECT_EQ(-ENOENT, netlink_parse_error(error_message(-ENOENT, "no", 0),
					       request, said, sizeof(said)));
	EXPECT_STREQ("no", said);
	EXPECT_EQ(-ERANGE, netlink_parse_error(error_message(-ERANGE, "bad", 20),
					       request, said, sizeof(said)));
	EXPECT_STREQ("bad (level)", said);
	offset = (char *)hard - (char *)request;
	EXPECT_EQ(-EINVAL, netlink_parse_error(error_message(-EINVAL, "odd", offset),
					       request, said, sizeof(said)));
	EXPECT_STREQ("odd (commit.hard)", said);
	/* Somewhere behind the request, and a message that is cut off. */
	EXPECT_EQ(-EINVAL, netlink_parse_error(error_message(-EINVAL, "odd", 4000),
					       request, said, sizeof(said)));
	EXPECT_STREQ("odd", said);
	error_message(-EINVAL, NULL, 0)->nlmsg_len = NLMSG_HDRLEN + 2;
	EXPECT_EQ(-EBADMSG, netlink_parse_error((void *)message_room, request,
						said, sizeof(said)));
}

static bool same_counter(const struct counter *a, const struct counter *b)
{
	return a->usage == b->usage && a->peak == b->peak && a->soft == b->soft &&
		a->hard == b->hard && a->reserve == b->reserve &&
		a->fail_nth == b->fail_nth && a->denials == b->denials &&
		a->reserve_open == b->reserve_open;
}

static bool same_quota(const struct quota *a, const struct quota *b)
{
	return a->subject.level == b->subject.level &&
		a->subject.id == b->subject.id && a->regions == b->regions &&
		a->reserved == b->reserved && a->faults == b->faults &&
		a->denials == b->denials &&
		same_counter(&a->counters[0], &b->counters[0]) &&
		same_counter(&a->counters[1], &b->counters[1]);
}

TEST(records)
{
	struct region region = sample_region(17), read;
	struct quota quota = sample_quota(PRIVHEAP_LEVEL_USER, 1000), read_quota;
	struct event event = { 0, 5, 2, 99, 1, 4096, 17 }, read_event;
	uint64_t map[] = { 4096, 0, 8192, 4096 };
	struct nlmsghdr *message;

	region.cgroup = 33;
	region.quota.counters[1].reserve_open = true;
	region.map = map;
	region.cells = 2;
	message = region_message(PRIVHEAP_CMD_REGION_GET, &region);
	ASSERT_EQ(0, record_region(message, &read));
	ASSERT_EQ(2, read.cells);
	EXPECT_EQ(0, memcmp(map, read.map, sizeof(map)));
	EXPECT_TRUE(same_quota(&region.quota, &read.quota));
	EXPECT_EQ(33, read.cgroup);
	EXPECT_EQ(region.uid, read.uid);
	EXPECT_EQ(region.base, read.base);
	region_release(&read);

	message = quota_message(PRIVHEAP_CMD_QUOTA_DENIED_NTF, &quota);
	put_event(message, &event);
	ASSERT_EQ(0, record_quota(message, &read_quota));
	EXPECT_TRUE(same_quota(&quota, &read_quota));
	ASSERT_EQ(0, record_event(message, &read_event));
	EXPECT_EQ(PRIVHEAP_CMD_QUOTA_DENIED_NTF, read_event.command);
	EXPECT_EQ(5, read_event.seq);
	EXPECT_EQ(2, read_event.lost);
	EXPECT_EQ(99, read_event.time);
	EXPECT_EQ(1, read_event.resource);
	EXPECT_EQ(4096, read_event.request);
	EXPECT_EQ(17, read_event.region);
}

/* What is not as the header says; sanitizers look whether more is read. */
TEST(records_that_are_broken)
{
	struct region region = sample_region(17), read;
	struct quota quota;
	struct event event;
	struct nlmsghdr *message;
	uint32_t whole;

	message = region_message(PRIVHEAP_CMD_REGION_GET, &region);
	whole = message->nlmsg_len;
	for (message->nlmsg_len = NLMSG_HDRLEN; message->nlmsg_len < whole;
	     message->nlmsg_len++) {
		if (!record_region(message, &read))
			region_release(&read);
		record_quota(message, &quota);
		EXPECT_EQ(-EBADMSG, record_event(message, &event));
	}
	message = message_begin(PRIVHEAP_CMD_REGION_GET);
	EXPECT_EQ(-EBADMSG, record_region(message, &read));
	EXPECT_EQ(-EBADMSG, record_quota(message, &quota));
	mnl_attr_put_u32(message, PRIVHEAP_A_RESERVED, 4096);
	EXPECT_EQ(-EBADMSG, record_region(message, &read));
	message = region_message(PRIVHEAP_CMD_REGION_GET, &region);
	mnl_attr_put(message, PRIVHEAP_A_MAP, 24, message_room);
	EXPECT_EQ(-EBADMSG, record_region(message, &read));
	/* What a later module adds is skipped. */
	message = region_message(PRIVHEAP_CMD_REGION_GET, &region);
	mnl_attr_put_u64(message, PRIVHEAP_A_MAX + 7, 1);
	EXPECT_EQ(0, record_region(message, &read));
}

TEST_HARNESS_MAIN
