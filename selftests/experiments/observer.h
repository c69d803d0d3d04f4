/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Quotas from outside, by generic netlink: events, and limits of cgroups. No
 * more of it than the experiments need, and without a library.
 */
#ifndef OBSERVER_H
#define OBSERVER_H

#include <stdbool.h>
#include <stdint.h>

#include <linux/privheap_netlink.h>

/**
 * struct quota_event - a notification about a quota
 * @command: PRIVHEAP_CMD_QUOTA_*_NTF
 * @level: PRIVHEAP_LEVEL_*
 * @subject: whose
 * @resource: PRIVHEAP_RESOURCE_*
 */
struct quota_event {
	uint8_t command;
	uint32_t level;
	uint64_t subject;
	uint32_t resource;
};

/**
 * struct quota_limits - limits on what a quota has committed
 * @hard: bytes, or PRIVHEAP_NO_LIMIT
 * @fail_nth: the charge from now that is to fail; 0: none
 * @usage: bytes; not set
 * @peak: the most of it that there was; not set
 * @denials: charges that this limit refused; not set
 */
struct quota_limits {
	uint64_t hard;
	uint64_t fail_nth;
	uint64_t usage;
	uint64_t peak;
	uint64_t denials;
};

/* A socket that gets events. Return: its descriptor; ends the program if none. */
int observer_events(void);
/*
 * Waits @ms for an event of a quota; others are skipped. Return: false if there
 * is none.
 */
bool observer_wait(int events, int ms, struct quota_event *event);

/* A socket for requests. Return: its descriptor; ends the program if none. */
int observer_requests(void);
/*
 * Sets (or asks, for @set of false) the limits of the cgroup @id; *@limits is
 * what there is afterwards. Return: 0 or a negative errno.
 */
int observer_cgroup(int requests, uint64_t id, bool set,
		    struct quota_limits *limits);

#endif /* OBSERVER_H */
