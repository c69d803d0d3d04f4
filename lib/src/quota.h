/* SPDX-License-Identifier: MIT */
/*
 * What the library counts and limits itself: committed bytes of a region and of
 * the process where there is no module, and of a heap that has several regions.
 * The answers are those of PRIVHEAP_IOC_LIMIT. The caller keeps threads apart.
 */
#ifndef PRIVHEAP_SRC_QUOTA_H
#define PRIVHEAP_SRC_QUOTA_H

#include <linux/privheap.h>

#include "common.h"

/**
 * struct quota - a counter and its limits, in bytes
 * @usage: charged now
 * @peak: the highest @usage there was
 * @soft: only remembered
 * @hard: nothing may take @usage above it; PRIVHEAP_NO_LIMIT: there is none
 * @ceiling: what @hard and @reserve together may be set to
 * @reserve: what may be added to @hard once
 * @fail_nth: charges to go until one fails; 0: none does
 * @refused: charges that this limit refused
 * @denials: these, and those that a limit further out did
 * @reserve_open: @reserve is in force
 * @reserve_due: something was refused since @reserve was set
 */
struct quota {
	uint64_t usage;
	uint64_t peak;
	uint64_t soft;
	uint64_t hard;
	uint64_t ceiling;
	uint64_t reserve;
	uint64_t fail_nth;
	uint64_t refused;
	uint64_t denials;
	bool reserve_open;
	bool reserve_due;
};

#define QUOTA_INIT(limit) {			\
	.soft = PRIVHEAP_NO_LIMIT,		\
	.hard = (limit),			\
	.ceiling = (limit),			\
}

/* The limit in force. */
uint64_t quota_in_force(const struct quota *quota);

/* Whether so many bytes may be charged; if not, it is counted as refused. */
bool quota_ask(struct quota *quota, uint64_t bytes);

void quota_charge(struct quota *quota, uint64_t bytes);
void quota_uncharge(struct quota *quota, uint64_t bytes);

/* PRIVHEAP_IOC_LIMIT, but for the choice of the quota. Returns 0 or -errno. */
int quota_limit(struct quota *quota, struct privheap_limit *arg);

#endif /* PRIVHEAP_SRC_QUOTA_H */
