/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * privheap: the generic netlink family, to see regions and quotas from outside
 * and to set quotas. uapi/privheap.yaml describes the same in the language of
 * the kernel's netlink specifications.
 *
 * Requests, and what they answer:
 *
 *   REGION_GET  do: { REGION_ID } -> a region; with REGION_CELLS also its map
 *               dump: { filters: PID, UID, CGROUP } -> regions by rising id
 *   QUOTA_GET   do: { LEVEL, SUBJECT } -> a quota
 *               dump: { filter: LEVEL } -> quotas by rising level and subject,
 *               those of regions only where LEVEL asks for them
 *   QUOTA_SET   do: { LEVEL, SUBJECT, COMMIT and/or RESIDENT with what is to be
 *               set } -> the quota as it is afterwards
 *
 * Notifications go to the multicast group "events": REGION_CREATE_NTF and
 * REGION_DESTROY_NTF hold a region as REGION_GET answers it, the QUOTA_*_NTF a
 * quota as QUOTA_GET answers it, and all have an EVENT nest. They are queued only
 * while somebody listens. What CREATE commits is charged before the region is there:
 * a soft limit that this crosses is told before REGION_CREATE_NTF.
 *
 * Where events were lost, the next one says how many, and a listener that had no
 * room for them gets ENOBUFS from recvmsg(2), as usual. It also gets that where the
 * last ones were lost and no event has followed: dumps tell what is so.
 *
 * What is there throughout a dump is in it exactly once. Where something has come
 * or gone meanwhile, messages have NLM_F_DUMP_INTR.
 *
 * Sizes are in bytes. PRIVHEAP_NO_LIMIT (linux/privheap.h) stands for no limit.
 *
 * Who may do what: a user sees the regions, processes and the user quota of the
 * user id that the socket was opened with; CAP_SYS_ADMIN or CAP_SYS_RESOURCE, of
 * the opener as well as of the sender and in the initial user namespace, see all.
 * QUOTA_SET needs CAP_SYS_RESOURCE in the same way, and the group "events"
 * CAP_SYS_ADMIN. What may not be seen is ENOENT, as what does not exist. The
 * family exists in the initial network namespace only.
 *
 * Process and user ids are those of the sender's namespaces; what has no id there
 * is not seen. In notifications they are those of the initial namespaces.
 *
 * Errors come with a text, and with the attribute that was wrong:
 *   EINVAL      missing, malformed or unknown attribute, or a value out of range
 *   ERANGE      a value out of an attribute's range
 *   EOPNOTSUPP  unknown command
 *   ENOENT      no such region, process or cgroup, or none that you may see
 *   EPERM       not allowed
 *   ENOMEM      no memory
 */
#ifndef _LINUX_PRIVHEAP_NETLINK_H
#define _LINUX_PRIVHEAP_NETLINK_H

#include <linux/privheap.h>

#define PRIVHEAP_FAMILY_NAME		"privheap"
#define PRIVHEAP_FAMILY_VERSION		1
#define PRIVHEAP_MCGRP_EVENTS		"events"

/* The most cells that a map may be asked for: it fits a buffer of 32 KiB. */
#define PRIVHEAP_CELLS_MAX		1024

enum privheap_cmd {
	PRIVHEAP_CMD_REGION_GET = 1,
	PRIVHEAP_CMD_REGION_CREATE_NTF,
	PRIVHEAP_CMD_REGION_DESTROY_NTF,
	PRIVHEAP_CMD_QUOTA_GET,
	PRIVHEAP_CMD_QUOTA_SET,
	PRIVHEAP_CMD_QUOTA_SOFT_NTF,	/* the usage rose above the soft limit */
	PRIVHEAP_CMD_QUOTA_BELOW_NTF,	/* it is back at it or below */
	PRIVHEAP_CMD_QUOTA_DENIED_NTF,	/* a hard limit refused a charge */

	__PRIVHEAP_CMD_MAX,
	PRIVHEAP_CMD_MAX = (__PRIVHEAP_CMD_MAX - 1)
};

/**
 * enum privheap_attr - attributes of every message
 * @PRIVHEAP_A_PAD: padding of 64-bit values
 * @PRIVHEAP_A_REGION_ID: u64, number of a region, as CREATE's out_id
 * @PRIVHEAP_A_BASE: u64, address of a region; only for who sees all, and for the
 *	region's own process
 * @PRIVHEAP_A_FLAGS: u32, PRIVHEAP_CREATE_* of a region
 * @PRIVHEAP_A_PID: u32, the process of a region; as a filter, only its regions
 * @PRIVHEAP_A_UID: u32, the user of a region; as a filter, only theirs
 * @PRIVHEAP_A_CGROUP: u64, id of the cgroup that a region is charged to, absent
 *	for the root; as a filter, only regions in it or below it
 * @PRIVHEAP_A_LEVEL: u32, PRIVHEAP_LEVEL_* of a quota
 * @PRIVHEAP_A_SUBJECT: u64, whose quota: the region's number, the process's id,
 *	the user's id, the cgroup's id, 0 for the system
 * @PRIVHEAP_A_REGIONS: u64, number of regions charged to a quota
 * @PRIVHEAP_A_RESERVED: u64, bytes of address space
 * @PRIVHEAP_A_FAULTS: u64, page faults that took pages
 * @PRIVHEAP_A_DENIALS: u64, charges refused, here or further out
 * @PRIVHEAP_A_COMMIT: nest of PRIVHEAP_A_COUNTER_*, of committed bytes
 * @PRIVHEAP_A_RESIDENT: nest of PRIVHEAP_A_COUNTER_*, of resident bytes
 * @PRIVHEAP_A_CELLS: u32, 1 to PRIVHEAP_CELLS_MAX, into how many parts of the
 *	same number of pages (the last may have fewer) to divide a region for a
 *	map; the answer has as many as the region has pages, where that is less
 * @PRIVHEAP_A_MAP: the map: for each cell two __u64, its committed and its
 *	resident bytes; the cells' size is RESERVED / CELLS, rounded up to pages
 * @PRIVHEAP_A_EVENT: nest of PRIVHEAP_A_EVENT_*
 */
enum privheap_attr {
	PRIVHEAP_A_PAD = 1,
	PRIVHEAP_A_REGION_ID,
	PRIVHEAP_A_BASE,
	PRIVHEAP_A_FLAGS,
	PRIVHEAP_A_PID,
	PRIVHEAP_A_UID,
	PRIVHEAP_A_CGROUP,
	PRIVHEAP_A_LEVEL,
	PRIVHEAP_A_SUBJECT,
	PRIVHEAP_A_REGIONS,
	PRIVHEAP_A_RESERVED,
	PRIVHEAP_A_FAULTS,
	PRIVHEAP_A_DENIALS,
	PRIVHEAP_A_COMMIT,
	PRIVHEAP_A_RESIDENT,
	PRIVHEAP_A_CELLS,
	PRIVHEAP_A_MAP,
	PRIVHEAP_A_EVENT,

	/* private: */
	__PRIVHEAP_A_MAX,
	PRIVHEAP_A_MAX = (__PRIVHEAP_A_MAX - 1)
};

/**
 * enum privheap_counter_attr - one resource of a region or quota
 * @PRIVHEAP_A_COUNTER_PAD: padding of 64-bit values
 * @PRIVHEAP_A_COUNTER_USAGE: u64, bytes charged now
 * @PRIVHEAP_A_COUNTER_PEAK: u64, the highest usage there was
 * @PRIVHEAP_A_COUNTER_SOFT: u64, soft limit; may be set
 * @PRIVHEAP_A_COUNTER_HARD: u64, hard limit; may be set
 * @PRIVHEAP_A_COUNTER_RESERVE: u64, bytes above the hard limit to be opened once
 *	after a denial; may be set, for a region or a process
 * @PRIVHEAP_A_COUNTER_RESERVE_OPEN: flag, the reserve is open
 * @PRIVHEAP_A_COUNTER_FAIL_NTH: u64, the Nth charge from now will fail; may be
 *	set; 0 for none
 * @PRIVHEAP_A_COUNTER_DENIALS: u64, charges that this very limit refused
 */
enum privheap_counter_attr {
	PRIVHEAP_A_COUNTER_PAD = 1,
	PRIVHEAP_A_COUNTER_USAGE,
	PRIVHEAP_A_COUNTER_PEAK,
	PRIVHEAP_A_COUNTER_SOFT,
	PRIVHEAP_A_COUNTER_HARD,
	PRIVHEAP_A_COUNTER_RESERVE,
	PRIVHEAP_A_COUNTER_RESERVE_OPEN,
	PRIVHEAP_A_COUNTER_FAIL_NTH,
	PRIVHEAP_A_COUNTER_DENIALS,

	/* private: */
	__PRIVHEAP_A_COUNTER_MAX,
	PRIVHEAP_A_COUNTER_MAX = (__PRIVHEAP_A_COUNTER_MAX - 1)
};

/**
 * enum privheap_event_attr - what is particular to a notification
 * @PRIVHEAP_A_EVENT_PAD: padding of 64-bit values
 * @PRIVHEAP_A_EVENT_SEQ: u64, number of the event, one more for each
 * @PRIVHEAP_A_EVENT_LOST: u64, events lost before this one, for want of memory or
 *	because they came too fast; their numbers are missing; absent for none; the
 *	first event that a listener hears may tell of some from before it listened
 * @PRIVHEAP_A_EVENT_TIME: u64, nanoseconds of CLOCK_MONOTONIC
 * @PRIVHEAP_A_EVENT_RESOURCE: u32, PRIVHEAP_RESOURCE_* of a quota's event
 * @PRIVHEAP_A_EVENT_REQUEST: u64, bytes that were refused
 * @PRIVHEAP_A_EVENT_REGION_ID: u64, the region that was refused them
 */
enum privheap_event_attr {
	PRIVHEAP_A_EVENT_PAD = 1,
	PRIVHEAP_A_EVENT_SEQ,
	PRIVHEAP_A_EVENT_LOST,
	PRIVHEAP_A_EVENT_TIME,
	PRIVHEAP_A_EVENT_RESOURCE,
	PRIVHEAP_A_EVENT_REQUEST,
	PRIVHEAP_A_EVENT_REGION_ID,

	/* private: */
	__PRIVHEAP_A_EVENT_MAX,
	PRIVHEAP_A_EVENT_MAX = (__PRIVHEAP_A_EVENT_MAX - 1)
};

#endif /* _LINUX_PRIVHEAP_NETLINK_H */
