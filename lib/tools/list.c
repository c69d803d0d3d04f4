// SPDX-License-Identifier: MIT
/* "privheapctl list": all regions that may be seen. */
#include <getopt.h>
#include <string.h>

#include <linux/privheap.h>

#include "list.h"
#include "names.h"
#include "options.h"
#include "prometheus.h"
#include "record_json.h"
#include "sort.h"
#include "table.h"
#include "units.h"

#define LIST_HEADING \
	"ID PID USER COMMAND RESERVED COMMITTED RESIDENT PEAK LIMIT FAULTS DENIALS"

/* Columns with names begin at the left: USER and COMMAND. */
#define LEFT_COLUMNS	(1 << 2 | 1 << 3)

enum list_option {
	LIST_USER = 'u',
	LIST_PID = 'p',
	LIST_CGROUP = 'c',
	LIST_SORT = 's',
	LIST_BYTES = 'b',
	LIST_JSON = 'j',
	LIST_REVERSE = 'r',
	LIST_NO_HEADER = 0x100,
	LIST_PROMETHEUS,
};

/**
 * struct list_arguments - how the list shall be
 * @filter: which regions
 * @sort: key
 * @reverse: the other way round
 * @exact: all bytes
 * @no_heading: rows only
 * @json: in JSON
 * @prometheus: in Prometheus's format, with quotas
 */
struct list_arguments {
	struct region_filter filter;
	unsigned int sort;
	bool reverse;
	bool exact;
	bool no_heading;
	bool json;
	bool prometheus;
};

void list_table(const struct region_list *regions, bool exact, bool heading,
		size_t width, FILE *out)
{
	const struct counter *commit, *resident;
	const struct region *region;
	char command[NAMES_COMMAND];
	struct table table;
	size_t i;

	table_init(&table, LIST_HEADING, LEFT_COLUMNS);
	for (i = 0; i < regions->count; i++) {
		region = &regions->items[i];
		commit = &region->quota.counters[PRIVHEAP_RESOURCE_COMMIT];
		resident = &region->quota.counters[PRIVHEAP_RESOURCE_RESIDENT];
		names_command(region->pid, command, sizeof(command));
		table_add(&table, units_number(region->quota.subject.id).text);
		table_add(&table, units_number(region->pid).text);
		table_add(&table, names_user(region->uid));
		table_add(&table, command);
		table_add(&table, units_either(region->quota.reserved, exact).text);
		table_add(&table, units_either(commit->usage, exact).text);
		table_add(&table, units_either(resident->usage, exact).text);
		table_add(&table, units_either(commit->peak, exact).text);
		table_add(&table, units_either(commit->hard, exact).text);
		table_add(&table, units_number(region->quota.faults).text);
		table_add(&table, units_number(region->quota.denials).text);
	}
	table_print(&table, heading, width, out);
	table_release(&table);
}

void list_json(const struct region_list *regions, FILE *out)
{
	struct json json = { .out = out };
	size_t i;

	json_array(&json, NULL);
	for (i = 0; i < regions->count; i++) {
		json_object(&json, NULL);
		record_json_region(&json, &regions->items[i]);
		json_object_end(&json);
	}
	json_array_end(&json);
	json_line(&json);
}

static int take_filter(const struct ctl_command *command, int key,
		       struct region_filter *filter)
{
	char text[PATH_MAX];
	struct subject subject;
	uint64_t number;
	int ret;

	if (key == LIST_PID) {
		filter->by_pid = true;
		if (!options_number(command, "pid", 1, INT32_MAX, &number))
			return CTL_USAGE;
		filter->pid = number;
		return CTL_OK;
	}
	/* Words that subjects begin with may stand here, and need not. */
	snprintf(text, sizeof(text), "%s%s",
		 key == LIST_USER ? "user:" :
		 strncmp(optarg, "cgroup:", strlen("cgroup:")) ? "cgroup:" : "",
		 optarg);
	ret = options_subject(command, text, &subject);
	if (ret)
		return ret;
	if (key == LIST_USER) {
		filter->by_uid = true;
		filter->uid = subject.id;
	} else {
		filter->by_cgroup = true;
		filter->cgroup = subject.id;
	}
	return CTL_OK;
}

static int take_option(const struct ctl_command *command, int key,
		       struct list_arguments *arguments)
{
	switch (key) {
	case LIST_USER:
	case LIST_PID:
	case LIST_CGROUP:
		return take_filter(command, key, &arguments->filter);
	case LIST_SORT:
		if (sort_find(optarg, &arguments->sort))
			return CTL_OK;
		return options_wrong(command, "--sort takes one of " SORT_KEYS ", not %s",
				     optarg);
	case LIST_REVERSE:
		arguments->reverse = true;
		return CTL_OK;
	case LIST_BYTES:
		arguments->exact = true;
		return CTL_OK;
	case LIST_NO_HEADER:
		arguments->no_heading = true;
		return CTL_OK;
	case LIST_JSON:
		arguments->json = true;
		return CTL_OK;
	case LIST_PROMETHEUS:
		arguments->prometheus = true;
		return CTL_OK;
	default:
		return CTL_USAGE;
	}
}

static int print_list(struct netlink *nl, const struct list_arguments *arguments)
{
	struct region_list regions = { 0 };
	struct quota_list quotas = { 0 };
	int ret = api_regions(nl, &arguments->filter, &regions);
	bool interrupted = nl->interrupted;

	if (!ret && arguments->prometheus) {
		ret = api_quotas(nl, PRIVHEAP_LEVEL_NONE, &quotas);
		interrupted |= nl->interrupted;
	}
	if (ret) {
		netlink_complain(nl, ret, "list");
		goto out;
	}
	sort_regions(regions.items, regions.count, arguments->sort,
		     arguments->reverse);
	if (arguments->prometheus)
		prometheus_write(&regions, &quotas, stdout);
	else if (arguments->json)
		list_json(&regions, stdout);
	else
		list_table(&regions, arguments->exact, !arguments->no_heading, 0,
			   stdout);
	if (interrupted)
		complain("regions came and went all the time; the list may lack some");
out:
	region_list_release(&regions);
	quota_list_release(&quotas);
	return ret ? CTL_FAILED : ctl_finish();
}

static int list_main(const struct ctl_command *command, int argc, char **argv)
{
	struct list_arguments arguments = { 0 };
	struct netlink nl;
	int key, ret;

	while ((key = options_next(command, argc, argv)) != -1) {
		ret = take_option(command, key, &arguments);
		if (ret)
			return ret;
	}
	if (options_surplus(command, argc, argv))
		return CTL_USAGE;
	if (arguments.json && arguments.prometheus)
		return options_wrong(command, "either --json or --prometheus");
	if (!netlink_open_or_complain(&nl))
		return CTL_FAILED;
	ret = print_list(&nl, &arguments);
	netlink_close(&nl);
	return ret;
}

static const struct ctl_option list_options[] = {
	{ "user", "USER", LIST_USER, "only regions that this user made" },
	{ "pid", "PID", LIST_PID, "only regions of this process" },
	{ "cgroup", "CGROUP", LIST_CGROUP,
	  "only regions charged to this cgroup, or below it" },
	{ "sort", "KEY", LIST_SORT, "by this column (see below); default: id" },
	{ "reverse", NULL, LIST_REVERSE, "the other way round" },
	{ "bytes", NULL, LIST_BYTES, "sizes in bytes, not as 64M" },
	{ "no-header", NULL, LIST_NO_HEADER, "without the line of headings" },
	{ "json", NULL, LIST_JSON, "an array in JSON" },
	{ "prometheus", NULL, LIST_PROMETHEUS,
	  "metrics of regions and quotas for Prometheus" },
	{ "help", NULL, OPTION_HELP, "show this" },
	{ NULL, NULL, 0, NULL },
};

const struct ctl_command list_command = {
	.name = "list",
	.arguments = "[OPTION]...",
	.summary = "List the regions: your own, or, for root, all.",
	.details = "KEY is one of " SORT_KEYS ".\n"
		"Numbers of size and count begin with the largest.\n"
		"PEAK and LIMIT are of committed bytes; DENIALS counts refused charges.\n",
	.options = list_options,
	.main = list_main,
};
