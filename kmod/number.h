/* SPDX-License-Identifier: GPL-2.0-only */
/* Regions by number, as observers see them. */
#ifndef PRIVHEAP_NUMBER_H
#define PRIVHEAP_NUMBER_H

#include "quota.h"

struct privheap_region;

/**
 * struct privheap_region_info - a region as observers see it
 * @quota: its counters and limits; quota.pid is NULL
 * @base: its address
 * @cgroup_id: the cgroup it is charged to, 0 for the root
 * @flags: PRIVHEAP_CREATE_*
 * @uid: the user it is charged to
 * @pid: the process it is in, with a reference that the receiver puts
 */
struct privheap_region_info {
	struct privheap_quota_info quota;
	u64 base;
	u64 cgroup_id;
	u32 flags;
	kuid_t uid;
	struct pid *pid;
};

void privheap_number_add(struct privheap_region *region);
void privheap_number_remove(struct privheap_region *region);

void privheap_region_read(struct privheap_region *region, struct privheap_region_info *info);
int privheap_number_next(u64 after, struct privheap_region_info *info);
int privheap_number_find(u64 id, struct privheap_region_info *info);
int privheap_number_map(u64 id, unsigned int cells, u64 *pairs, unsigned int *cells_out);
int privheap_number_set(u64 id, const struct privheap_limit_set *sets, unsigned int count,
			struct privheap_quota_info *info);
bool privheap_number_in_cgroup(u64 id, u64 cgroup_id);

#endif /* PRIVHEAP_NUMBER_H */
