/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * kmod/quota.c and kmod/limit.c as a part of a program: regions charged to
 * subjects as the test likes, and what observers would have heard.
 */
#ifndef QUOTA_UNIT_H
#define QUOTA_UNIT_H

#include "quota.h"

#define UNIT_PAGE	4096ULL
#define UNIT_QUOTAS	64

/**
 * struct unit_heard - what came of one resource of one quota
 * @over: how often it rose above the soft limit
 * @below: how often it came back
 * @disorder: how often the same came twice
 * @denied: refusals
 * @denied_pages: pages of the last refusal
 * @denied_region: region of the last refusal
 */
struct unit_heard {
	unsigned int over;
	unsigned int below;
	unsigned int disorder;
	unsigned int denied;
	unsigned long denied_pages;
	u64 denied_region;
};

/* A region outside of which these levels are, innermost first, NULL at the end. */
void unit_account(struct privheap_account *account, u64 id, struct privheap_quota **outer);

struct unit_heard unit_heard(struct privheap_quota *quota, unsigned int resource);

/* Nothing heard, and the system without limits and usage. */
void unit_reset(void);

/* Change one limit; returns what privheap_quota_set() does. */
int unit_set(struct privheap_quota *quota, unsigned int resource, unsigned int what,
	     u64 value, bool privileged);

/* As observers see it. */
struct privheap_counter_info unit_counter(struct privheap_quota *quota,
					  unsigned int resource);

#endif /* QUOTA_UNIT_H */
