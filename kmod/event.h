/* SPDX-License-Identifier: GPL-2.0-only */
/* What observers are told. */
#ifndef PRIVHEAP_EVENT_H
#define PRIVHEAP_EVENT_H

#include <linux/types.h>

struct privheap_quota;
struct privheap_region;

/* A region is there, or about to go with what it holds; may sleep. */
static inline void privheap_event_region(struct privheap_region *region, bool created)
{
}

/*
 * The usage rose above the soft limit, or is back at it or below. Called with
 * the quota's watch_lock held, so that events are in the order of the changes.
 */
static inline void privheap_event_soft(struct privheap_quota *quota, unsigned int resource,
				       bool over)
{
}

/* The quota refused a charge of so many pages, for this region; does not sleep. */
static inline void privheap_event_denied(struct privheap_quota *quota, unsigned int resource,
					 unsigned long pages, u64 region_id)
{
}

#endif /* PRIVHEAP_EVENT_H */
