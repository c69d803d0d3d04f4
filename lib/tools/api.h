/* SPDX-License-Identifier: MIT */
/* The requests of the family privheap, as calls. All return 0 or a negative errno. */
#ifndef PRIVHEAP_TOOLS_API_H
#define PRIVHEAP_TOOLS_API_H

#include "netlink.h"
#include "record.h"

/**
 * struct region_filter - which regions
 * @by_pid: only those of the process @pid
 * @by_uid: only those of the user @uid
 * @by_cgroup: only those in the cgroup @cgroup, or below
 * @pid: of the process, in this pid namespace
 * @uid: of the user, in this user namespace
 * @cgroup: its number
 */
struct region_filter {
	bool by_pid;
	bool by_uid;
	bool by_cgroup;
	uint32_t pid;
	uint32_t uid;
	uint64_t cgroup;
};

/**
 * struct limit - what to set of a resource; PRIVHEAP_SET_* in @set says what
 * @set: which of the others
 * @soft: bytes, or PRIVHEAP_NO_LIMIT
 * @hard: bytes, or PRIVHEAP_NO_LIMIT
 * @reserve: bytes
 * @fail_nth: number of the charge; 0 for none
 */
struct limit {
	uint32_t set;
	uint64_t soft;
	uint64_t hard;
	uint64_t reserve;
	uint64_t fail_nth;
};

/* By rising number. What was in the list is released. */
int api_regions(struct netlink *nl, const struct region_filter *filter,
		struct region_list *list);

/* @cells: 0 for no map */
int api_region(struct netlink *nl, uint64_t id, uint32_t cells,
	       struct region *region);

/* @level: PRIVHEAP_LEVEL_NONE for all but regions */
int api_quotas(struct netlink *nl, uint32_t level, struct quota_list *list);

int api_quota(struct netlink *nl, const struct subject *subject,
	      struct quota *quota);

/**
 * api_quota_set - set what is to be set
 * @nl: the socket
 * @subject: whose
 * @limits: RECORD_RESOURCES of them
 * @quota: filled with what it is afterwards
 */
int api_quota_set(struct netlink *nl, const struct subject *subject,
		  const struct limit *limits, struct quota *quota);

#endif /* PRIVHEAP_TOOLS_API_H */
