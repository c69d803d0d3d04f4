// SPDX-License-Identifier: MIT
/* "privheapctl monitor": events as they come. */
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "options.h"
#include "watch.h"

enum monitor_option {
	MONITOR_JSON = 'j',
	MONITOR_COUNT = 'n',
};

/**
 * struct monitor - a monitor at work
 * @listener: the socket with the events; another one, so that they do not stand
 *	among answers
 * @requests: the one to ask with
 * @watch: what is known
 * @json: in JSON
 * @limited: ends when @left is 0
 * @left: events still to be told of
 * @lost: events were lost, all is to be read again
 */
struct monitor {
	struct netlink listener;
	struct netlink requests;
	struct watch watch;
	bool json;
	bool limited;
	uint64_t left;
	bool lost;
};

static void print(const struct monitor *monitor, const struct notice *notice)
{
	if (monitor->json)
		event_print_json(notice, stdout);
	else
		event_print(notice, stdout);
	fflush(stdout);
}

static void tell(const struct notice *notice, void *data)
{
	struct monitor *monitor = data;

	if (monitor->limited && !monitor->left)
		return;
	print(monitor, notice);
	/* What was lost, and found again, is no event that came. */
	if (monitor->limited && notice->event && notice->kind != NOTICE_LOST)
		monitor->left--;
}

static int take_event(const struct nlmsghdr *message, void *data)
{
	struct monitor *monitor = data;
	int ret = watch_event(&monitor->watch, message);

	if (ret == -ENOBUFS) {
		monitor->lost = true;
		return 0;
	}
	/* A kind of event that this program does not know. */
	return ret == -EBADMSG ? 0 : ret;
}

static int read_all(struct monitor *monitor, bool begin)
{
	const struct region_filter all = { 0 };
	struct region_list regions = { 0 };
	struct quota_list quotas = { 0 };
	struct notice notice = { .kind = NOTICE_LISTENING };
	int ret;

	ret = api_regions(&monitor->requests, &all, &regions);
	if (!ret)
		ret = api_quotas(&monitor->requests, PRIVHEAP_LEVEL_NONE, &quotas);
	if (ret)
		goto out;
	if (begin) {
		notice.count = regions.count;
		print(monitor, &notice);
		watch_begin(&monitor->watch, &regions, &quotas);
	} else {
		watch_compare(&monitor->watch, &regions, &quotas);
	}
out:
	region_list_release(&regions);
	quota_list_release(&quotas);
	return ret;
}

/* All events that are there. */
static int drain(struct monitor *monitor)
{
	const struct notice overrun = { .kind = NOTICE_OVERRUN };
	int ret;

	while (!monitor->limited || monitor->left) {
		ret = netlink_next(&monitor->listener, take_event, monitor);
		if (ret == -EAGAIN)
			return 0;
		if (ret == -ENOBUFS) {
			print(monitor, &overrun);
			monitor->lost = true;
		} else if (ret && ret != -EINTR) {
			return ret;
		}
	}
	return 0;
}

static int follow(struct monitor *monitor)
{
	struct pollfd poll_for = {
		.fd = netlink_fd(&monitor->listener),
		.events = POLLIN,
	};
	int ret;

	while (!ferror(stdout) && (!monitor->limited || monitor->left)) {
		if (poll(&poll_for, 1, -1) < 0 && errno != EINTR)
			return -errno;
		ret = drain(monitor);
		/* Events that are older than what is read now have been told. */
		if (!ret && monitor->lost) {
			monitor->lost = false;
			ret = read_all(monitor, false);
		}
		if (ret)
			return ret;
	}
	return 0;
}

static int monitor_run(struct monitor *monitor)
{
	int ret;

	if (!netlink_open_or_complain(&monitor->requests))
		return CTL_FAILED;
	if (!netlink_open_or_complain(&monitor->listener)) {
		netlink_close(&monitor->requests);
		return CTL_FAILED;
	}
	ret = netlink_listen(&monitor->listener);
	if (ret) {
		netlink_complain(&monitor->listener, ret, "monitor");
		goto out;
	}
	ret = read_all(monitor, true);
	if (!ret)
		ret = follow(monitor);
	if (ret)
		netlink_complain(&monitor->requests, ret, "monitor");
out:
	watch_release(&monitor->watch);
	netlink_close(&monitor->listener);
	netlink_close(&monitor->requests);
	return ret ? CTL_FAILED : ctl_finish();
}

static int monitor_main(const struct ctl_command *command, int argc, char **argv)
{
	struct monitor monitor = { .watch = { .tell = tell } };
	int key;

	monitor.watch.data = &monitor;
	while ((key = options_next(command, argc, argv)) != -1) {
		switch (key) {
		case MONITOR_JSON:
			monitor.json = true;
			break;
		case MONITOR_COUNT:
			monitor.limited = true;
			if (!options_number(command, "count", 1, UINT64_MAX,
					    &monitor.left))
				return CTL_USAGE;
			break;
		default:
			return CTL_USAGE;
		}
	}
	if (options_surplus(command, argc, argv))
		return CTL_USAGE;
	return monitor_run(&monitor);
}

static const struct ctl_option monitor_options[] = {
	{ "count", "N", MONITOR_COUNT, "end after N events" },
	{ "json", NULL, MONITOR_JSON, "an object in JSON for each, in a line" },
	{ "help", NULL, OPTION_HELP, "show this" },
	{ NULL, NULL, 0, NULL },
};

const struct ctl_command monitor_command = {
	.name = "monitor",
	.arguments = "[OPTION]...",
	.summary = "Tell of regions that come and go, soft limits crossed, charges refused.",
	.details = "Where events were lost it says so, reads all again, and tells what is\n"
		"different.\n"
		"Needs CAP_SYS_ADMIN.\n",
	.options = monitor_options,
	.main = monitor_main,
};
