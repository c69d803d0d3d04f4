// SPDX-License-Identifier: MIT
/* "privheapctl top": regions or quotas, live. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <linux/privheap.h>

#include "options.h"
#include "sort.h"
#include "terminal.h"
#include "text.h"
#include "top_frame.h"
#include "units.h"

#define INTERVAL_DEFAULT	2000
#define INTERVAL_LEAST		100
#define INTERVAL_MOST		3600000

enum top_option {
	TOP_INTERVAL = 'd',
	TOP_COUNT = 'n',
	TOP_SORT = 's',
	TOP_QUOTAS = 'q',
};

/**
 * struct top - at work
 * @nl: the socket
 * @regions: as read last
 * @quotas: as read last
 * @system: the system's own quota
 * @look: how to draw
 * @limited: ends when @left is 0
 * @left: refreshes to come
 * @screen: on a terminal
 */
struct top {
	struct netlink nl;
	struct region_list regions;
	struct quota_list quotas;
	struct quota system;
	struct top_look look;
	bool limited;
	uint64_t left;
	bool screen;
};

static int read_all(struct top *top)
{
	const struct subject system = { .level = PRIVHEAP_LEVEL_SYSTEM };
	const struct region_filter all = { 0 };
	int ret = api_regions(&top->nl, &all, &top->regions);

	if (!ret)
		ret = api_quotas(&top->nl, PRIVHEAP_LEVEL_NONE, &top->quotas);
	if (ret)
		return ret;
	/* Ordinary users may not see it. */
	top->look.with_system = !api_quota(&top->nl, &system, &top->system);
	return 0;
}

static void draw(struct top *top)
{
	size_t length, columns, lines;
	char *text;
	FILE *out;

	sort_regions(top->regions.items, top->regions.count, top->look.sort,
		     top->look.reverse);
	if (!top->screen) {
		top->look.width = 0;
		top_frame(&top->look, &top->system, &top->regions, &top->quotas,
			  stdout);
		fputc('\n', stdout);
		fflush(stdout);
		return;
	}
	terminal_size(&columns, &lines);
	top->look.width = columns;
	out = open_memstream(&text, &length);
	if (!out)
		ctl_no_memory();
	top_frame(&top->look, &top->system, &top->regions, &top->quotas, out);
	if (fclose(out))
		ctl_no_memory();
	terminal_draw(text, length);
	free(text);
}

/* false: it is to end */
static bool take_key(struct top_look *look, char key)
{
	switch (key) {
	case 'q':
	case 'Q':
		return false;
	case 's':
	case '>':
		look->sort = (look->sort + 1) % SORT_COUNT;
		break;
	case 'S':
	case '<':
		look->sort = (look->sort + SORT_COUNT - 1) % SORT_COUNT;
		break;
	case 'r':
		look->reverse = !look->reverse;
		break;
	case 'v':
		look->quotas = !look->quotas;
		break;
	case 'p':
	case ' ':
		look->paused = !look->paused;
		break;
	case 'h':
	case '?':
		look->help = !look->help;
		break;
	case '+':
		if (look->interval <= INTERVAL_MOST / 2)
			look->interval *= 2;
		break;
	case '-':
		if (look->interval >= 2 * INTERVAL_LEAST)
			look->interval /= 2;
		break;
	}
	return true;
}

/* Keys, and other sizes of the window, until it is time. false: end */
static bool wait_and_draw(struct top *top)
{
	char key;

	for (;;) {
		switch (terminal_wait(top->look.interval, &key)) {
		case TERMINAL_TIME:
			return true;
		case TERMINAL_END:
			return false;
		case TERMINAL_KEY:
			if (!take_key(&top->look, key))
				return false;
			break;
		case TERMINAL_CHANGED:
			break;
		}
		draw(top);
	}
}

static int follow(struct top *top)
{
	int ret;

	do {
		if (!top->look.paused) {
			ret = read_all(top);
			if (ret)
				return ret;
		}
		draw(top);
		if (top->limited && !--top->left)
			return 0;
	} while (!ferror(stdout) && wait_and_draw(top));
	return 0;
}

static int top_run(struct top *top)
{
	int ret;

	if (!netlink_open_or_complain(&top->nl))
		return CTL_FAILED;
	/* What fails at once is better read without a screen. */
	ret = read_all(top);
	if (ret) {
		netlink_complain(&top->nl, ret, "top");
		goto out;
	}
	top->screen = isatty(STDOUT_FILENO);
	top->look.screen = top->screen;
	top->look.utf8 = text_utf8();
	if (!terminal_begin(top->screen)) {
		ret = CTL_FAILED;
		goto out;
	}
	ret = follow(top);
	terminal_end();
	if (ret)
		netlink_complain(&top->nl, ret, "top");
out:
	region_list_release(&top->regions);
	quota_list_release(&top->quotas);
	netlink_close(&top->nl);
	terminal_pass_signal();
	return ret ? CTL_FAILED : ctl_finish();
}

static int top_main(const struct ctl_command *command, int argc, char **argv)
{
	struct top top = { .look.interval = INTERVAL_DEFAULT };
	int key;

	sort_find("committed", &top.look.sort);
	while ((key = options_next(command, argc, argv)) != -1) {
		switch (key) {
		case TOP_INTERVAL:
			if (units_parse_seconds(optarg, &top.look.interval) &&
			    top.look.interval >= INTERVAL_LEAST &&
			    top.look.interval <= INTERVAL_MOST)
				break;
			return options_wrong(command,
				"--interval takes seconds from 0.1 to 3600, not %s",
				optarg);
		case TOP_COUNT:
			top.limited = true;
			if (!options_number(command, "count", 1, UINT64_MAX,
					    &top.left))
				return CTL_USAGE;
			break;
		case TOP_SORT:
			if (sort_find(optarg, &top.look.sort))
				break;
			return options_wrong(command, "--sort takes one of " SORT_KEYS ", not %s",
					     optarg);
		case TOP_QUOTAS:
			top.look.quotas = true;
			break;
		default:
			return CTL_USAGE;
		}
	}
	if (options_surplus(command, argc, argv))
		return CTL_USAGE;
	return top_run(&top);
}

static const struct ctl_option top_options[] = {
	{ "interval", "SECONDS", TOP_INTERVAL, "how often; default: 2" },
	{ "count", "N", TOP_COUNT, "end after N times" },
	{ "sort", "KEY", TOP_SORT, "by this column (see below); default: committed" },
	{ "quotas", NULL, TOP_QUOTAS, "begin with quotas, not with regions" },
	{ "help", NULL, OPTION_HELP, "show this" },
	{ NULL, NULL, 0, NULL },
};

const struct ctl_command top_command = {
	.name = "top",
	.arguments = "[OPTION]...",
	.summary = "Show regions or quotas live, with bars of what they use of their limits.",
	.details = "KEY is one of " SORT_KEYS ".\n"
		"Keys: q ends, s and S sort by the next and the last column, r turns the order\n"
		"round, v shows quotas or regions, p pauses, + and - double and halve the\n"
		"interval, h shows the keys.\n"
		"Where standard output is no terminal it prints one table after the other.\n",
	.options = top_options,
	.main = top_main,
};
