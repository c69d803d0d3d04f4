/* SPDX-License-Identifier: MIT */
/*
 * The native API of libprivheap: limits that a program puts on itself. Comes
 * with privheap/region.h, whose rules hold here, too.
 *
 * A region and the process each have limits on two resources: committed bytes
 * (PRIVHEAP_RESOURCE_COMMIT) and resident ones (PRIVHEAP_RESOURCE_RESIDENT). A
 * commit beyond a limit is refused with EDQUOT, and privheap_last_denied() tells
 * whose limit it was. A page that is touched beyond a limit on residency is
 * SIGBUS; who commits with PRIVHEAP_COMMIT_POPULATE gets an error instead.
 *
 * With anonymous mappings there are limits on commit only, for others ENOTSUP. A
 * soft limit is remembered there, but there is nobody whom it could be told.
 * The limits of the process end with it; a child of fork(2) begins without any.
 */
#ifndef PRIVHEAP_LIMITS_H
#define PRIVHEAP_LIMITS_H

#include <stdint.h>

#include <linux/privheap.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * struct privheap_limits - limits and counters of one resource
 * @soft: bytes; more than this is told to who listens to the module's events,
 *	and refused to nobody. PRIVHEAP_NO_LIMIT: there is none
 * @hard: bytes; nothing can make the usage more than this. PRIVHEAP_NO_LIMIT:
 *	there is none
 * @reserve: bytes on top of @hard, for privheap_region_open_reserve() and
 *	privheap_process_open_reserve()
 * @fail_nth: the Nth charge from now fails as if at the limit, and then no more;
 *	counts down; 0: none does
 * @ceiling: bytes; what @hard and @reserve together can be set to. For a
 *	region's commit it is the limit that the region was made with. Only read
 * @usage: bytes charged now. Only read
 * @peak: the highest @usage there was. Only read
 * @denials: charges that this limit refused. Only read
 * @reserve_open: 1 while the reserve is open, else 0. Only read
 *
 * All sizes that are set are multiples of the page size, or PRIVHEAP_NO_LIMIT
 * for @soft and @hard. One charge is one call that commits something new; a call
 * of the heap functions can make several.
 */
struct privheap_limits {
	uint64_t soft;
	uint64_t hard;
	uint64_t reserve;
	uint64_t fail_nth;
	uint64_t ceiling;
	uint64_t usage;
	uint64_t peak;
	uint64_t denials;
	uint64_t reserve_open;
};

/**
 * privheap_region_get_limits - read the limits of a region
 * @base: the region
 * @resource: PRIVHEAP_RESOURCE_COMMIT or PRIVHEAP_RESOURCE_RESIDENT
 * @limits: filled on success
 *
 * Return: 0, or -1 with errno EINVAL, ENOENT (no region of this process begins
 * at @base) or ENOTSUP (anonymous mappings: PRIVHEAP_RESOURCE_RESIDENT; or a
 * module that is older than this call).
 */
int privheap_region_get_limits(void *base, unsigned int resource,
			       struct privheap_limits *limits);

/**
 * privheap_region_set_limits - set limits of a region
 * @base: the region
 * @resource: PRIVHEAP_RESOURCE_COMMIT or PRIVHEAP_RESOURCE_RESIDENT
 * @set: PRIVHEAP_SET_SOFT, PRIVHEAP_SET_HARD, PRIVHEAP_SET_RESERVE,
 *	PRIVHEAP_SET_FAIL_NTH: which members of @limits are to be set, all of
 *	them or none; 0 sets nothing
 * @limits: the values; other members are not looked at
 *
 * A limit below the usage is allowed: it refuses what is new, and frees nothing.
 * PRIVHEAP_SET_RESERVE also closes a reserve that was opened.
 *
 * Return: 0, or -1 with errno as privheap_region_get_limits(), or EPERM (@hard
 * and @reserve are more than the ceiling).
 */
int privheap_region_set_limits(void *base, unsigned int resource,
			       unsigned int set,
			       const struct privheap_limits *limits);

/**
 * privheap_region_open_reserve - let a region have its reserve
 * @base: the region
 * @resource: PRIVHEAP_RESOURCE_COMMIT or PRIVHEAP_RESOURCE_RESIDENT
 *
 * Raises the limit in force by the reserve, so that a program that was refused
 * has something to clean up with. Once for each time that the reserve was set.
 *
 * Return: 0, or -1 with errno as privheap_region_get_limits(), or ENODATA (there
 * is no reserve), EALREADY (it is open), EAGAIN (the limit has refused nothing
 * since the reserve was set).
 */
int privheap_region_open_reserve(void *base, unsigned int resource);

/**
 * privheap_process_get_limits - read the limits of this process
 * @resource: PRIVHEAP_RESOURCE_COMMIT or PRIVHEAP_RESOURCE_RESIDENT
 * @limits: filled on success; the usage is the sum over all regions
 *
 * Return: as privheap_region_get_limits(), but for ENOENT.
 */
int privheap_process_get_limits(unsigned int resource,
				struct privheap_limits *limits);

/**
 * privheap_process_set_limits - set limits of this process
 * @resource: PRIVHEAP_RESOURCE_COMMIT or PRIVHEAP_RESOURCE_RESIDENT
 * @set: as for privheap_region_set_limits()
 * @limits: likewise
 *
 * The ceiling is PRIVHEAP_NO_LIMIT, unless an administrator has set a limit.
 *
 * Return: as privheap_region_set_limits(), but for ENOENT.
 */
int privheap_process_set_limits(unsigned int resource, unsigned int set,
				const struct privheap_limits *limits);

/**
 * privheap_process_open_reserve - let this process have its reserve
 * @resource: PRIVHEAP_RESOURCE_COMMIT or PRIVHEAP_RESOURCE_RESIDENT
 *
 * Return: as privheap_region_open_reserve(), but for ENOENT.
 */
int privheap_process_open_reserve(unsigned int resource);

#ifdef __cplusplus
}
#endif

#endif /* PRIVHEAP_LIMITS_H */
