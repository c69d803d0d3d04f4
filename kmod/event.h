/* SPDX-License-Identifier: GPL-2.0-only */
/* What observers are told, by multicast. */
#ifndef PRIVHEAP_EVENT_H
#define PRIVHEAP_EVENT_H

#include <linux/types.h>

struct privheap_quota;
struct privheap_region;

void privheap_event_region(struct privheap_region *region, bool created);
void privheap_event_soft(struct privheap_quota *quota, unsigned int resource, bool over);
void privheap_event_denied(struct privheap_quota *quota, unsigned int resource,
			   unsigned long pages, u64 region_id);

void privheap_event_start(void);
void privheap_event_stop(void);

#endif /* PRIVHEAP_EVENT_H */
