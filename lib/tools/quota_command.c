// SPDX-License-Identifier: MIT
/* "privheapctl quota show" and "quota set". */
#include <getopt.h>
#include <string.h>
#include <unistd.h>

#include <linux/privheap.h>

#include "options.h"
#include "quota.h"
#include "record_json.h"

enum quota_option {
	QUOTA_JSON = 'j',
	QUOTA_BYTES = 'b',
	QUOTA_LEVEL = 'l',
	QUOTA_NO_HEADER = 0x100,
};

static void print_json(const struct quota *quota)
{
	struct json json = { .out = stdout };

	json_object(&json, NULL);
	record_json_quota(&json, quota);
	json_object_end(&json);
	json_line(&json);
}

static void print_all_json(const struct quota_list *quotas)
{
	struct json json = { .out = stdout };
	size_t i;

	json_array(&json, NULL);
	for (i = 0; i < quotas->count; i++) {
		json_object(&json, NULL);
		record_json_quota(&json, &quotas->items[i]);
		json_object_end(&json);
	}
	json_array_end(&json);
	json_line(&json);
}

static void print_one(const struct quota *quota, bool json, bool exact)
{
	if (json)
		print_json(quota);
	else
		quota_print(quota, exact, stdout);
}

static int show_all(uint32_t level, bool json, bool exact, bool heading)
{
	struct quota_list quotas = { 0 };
	struct netlink nl;
	int ret;

	if (!netlink_open_or_complain(&nl))
		return CTL_FAILED;
	ret = api_quotas(&nl, level, &quotas);
	if (ret)
		netlink_complain(&nl, ret, "quota show");
	else if (json)
		print_all_json(&quotas);
	else
		quota_table(&quotas, exact, heading, 0, stdout);
	if (!ret && nl.interrupted)
		complain("quotas came and went all the time; the list may lack some");
	quota_list_release(&quotas);
	netlink_close(&nl);
	return ret ? CTL_FAILED : ctl_finish();
}

static int show_one(const struct subject *subject, bool json, bool exact)
{
	struct netlink nl;
	struct quota quota;
	int ret;

	if (!netlink_open_or_complain(&nl))
		return CTL_FAILED;
	ret = api_quota(&nl, subject, &quota);
	if (ret)
		netlink_complain(&nl, ret, subject_format(subject).text);
	else
		print_one(&quota, json, exact);
	netlink_close(&nl);
	return ret ? CTL_FAILED : ctl_finish();
}

static int quota_show_main(const struct ctl_command *command, int argc,
			   char **argv)
{
	bool json = false, exact = false, heading = true;
	uint32_t level = PRIVHEAP_LEVEL_NONE;
	struct subject subject;
	int key, ret;

	while ((key = options_next(command, argc, argv)) != -1) {
		switch (key) {
		case QUOTA_JSON:
			json = true;
			break;
		case QUOTA_BYTES:
			exact = true;
			break;
		case QUOTA_NO_HEADER:
			heading = false;
			break;
		case QUOTA_LEVEL:
			level = subject_level(optarg);
			if (level != PRIVHEAP_LEVEL_NONE)
				break;
			return options_wrong(command,
				"--level takes one of region, process, user, cgroup, system, not %s",
				optarg);
		default:
			return CTL_USAGE;
		}
	}
	if (optind == argc)
		return show_all(level, json, exact, heading);
	ret = options_subject(command, argv[optind++], &subject);
	if (ret)
		return ret;
	if (options_surplus(command, argc, argv))
		return CTL_USAGE;
	return show_one(&subject, json, exact);
}

static int set(const struct subject *subject, const struct limit *limits,
	       bool json, bool exact)
{
	struct netlink nl;
	struct quota quota;
	int ret;

	if (!netlink_open_or_complain(&nl))
		return CTL_FAILED;
	ret = api_quota_set(&nl, subject, limits, &quota);
	if (ret)
		netlink_complain(&nl, ret, subject_format(subject).text);
	else
		print_one(&quota, json, exact);
	netlink_close(&nl);
	return ret ? CTL_FAILED : ctl_finish();
}

static int quota_set_main(const struct ctl_command *command, int argc, char **argv)
{
	struct limit limits[RECORD_RESOURCES] = { 0 };
	bool json = false, exact = false;
	struct subject subject;
	int key, ret;

	while ((key = options_next(command, argc, argv)) != -1) {
		if (key & OPTION_LIMIT) {
			if (!options_limit(command, key, limits))
				return CTL_USAGE;
			continue;
		}
		switch (key) {
		case QUOTA_JSON:
			json = true;
			break;
		case QUOTA_BYTES:
			exact = true;
			break;
		default:
			return CTL_USAGE;
		}
	}
	if (optind == argc)
		return options_wrong(command, "whose quota? " SUBJECT_FORMS);
	ret = options_subject(command, argv[optind++], &subject);
	if (ret)
		return ret;
	if (options_surplus(command, argc, argv))
		return CTL_USAGE;
	if (!limits[0].set && !limits[1].set)
		return options_wrong(command, "what shall be set? As in --commit-limit 64M");
	if (((limits[0].set | limits[1].set) & PRIVHEAP_SET_RESERVE) &&
	    subject.level > PRIVHEAP_LEVEL_PROCESS)
		return options_wrong(command, "only a region or a process has a reserve");
	return set(&subject, limits, json, exact);
}

#define SUBJECTS \
	"SUBJECT is one of\n" \
	"  system          all regions together\n" \
	"  user:NAME       those a user made; also user:NUMBER\n" \
	"  pid:NUMBER      those of a process\n" \
	"  region:NUMBER   one\n" \
	"  cgroup:FOLDER   those made in a cgroup (v2), or below it; also cgroup:NUMBER\n"

static const struct ctl_option quota_show_options[] = {
	{ "level", "LEVEL", QUOTA_LEVEL,
	  "only of this level: region, process, user, cgroup, system" },
	{ "bytes", NULL, QUOTA_BYTES, "sizes in bytes, not as 64M" },
	{ "no-header", NULL, QUOTA_NO_HEADER, "without the line of headings" },
	{ "json", NULL, QUOTA_JSON, "in JSON: an object, or an array of all" },
	{ "help", NULL, OPTION_HELP, "show this" },
	{ NULL, NULL, 0, NULL },
};

const struct ctl_command quota_show_command = {
	.name = "quota show",
	.arguments = "[SUBJECT] [OPTION]...",
	.summary = "Show a quota, or a table of all but the regions' own.",
	.details = SUBJECTS
		"A dash stands for no limit.\n",
	.options = quota_show_options,
	.main = quota_show_main,
};

static const struct ctl_option quota_set_options[] = {
	{ "commit-limit", "SIZE", OPTION_COMMIT(HARD),
	  "no more than SIZE committed (hard limit)" },
	{ "commit-soft", "SIZE", OPTION_COMMIT(SOFT),
	  "tell observers when more than SIZE is committed" },
	{ "commit-reserve", "SIZE", OPTION_COMMIT(RESERVE),
	  "what a refused program may open once beyond its limit" },
	{ "commit-fail-nth", "N", OPTION_COMMIT(FAIL_NTH),
	  "refuse the Nth commit from now, once; 0: none" },
	{ "resident-limit", "SIZE", OPTION_RESIDENT(HARD),
	  "no more than SIZE with pages (hard limit)" },
	{ "resident-soft", "SIZE", OPTION_RESIDENT(SOFT),
	  "tell observers when more than SIZE has pages" },
	{ "resident-reserve", "SIZE", OPTION_RESIDENT(RESERVE),
	  "the same of pages" },
	{ "resident-fail-nth", "N", OPTION_RESIDENT(FAIL_NTH),
	  "refuse the Nth charge of pages from now, once; 0: none" },
	{ "bytes", NULL, QUOTA_BYTES, "then print sizes in bytes, not as 64M" },
	{ "json", NULL, QUOTA_JSON, "then print in JSON" },
	{ "help", NULL, OPTION_HELP, "show this" },
	{ NULL, NULL, 0, NULL },
};

const struct ctl_command quota_set_command = {
	.name = "quota set",
	.arguments = "SUBJECT OPTION...",
	.summary = "Set limits, all of them or none, and show the quota as it is then.",
	.details = SUBJECTS
		"SIZE is in bytes, or as 64K, 64M, 1.5G (powers of 1,024), or \"unlimited\".\n"
		"It is a whole number of pages; one with a point is rounded down to that.\n"
		"A limit below the usage refuses new charges, and frees nothing.\n"
		"Needs CAP_SYS_RESOURCE.\n",
	.options = quota_set_options,
	.main = quota_set_main,
};
