/* SPDX-License-Identifier: GPL-2.0-only */
/* Thresholds on a counter that signal an eventfd. */
#ifndef PRIVHEAP_NOTIFY_H
#define PRIVHEAP_NOTIFY_H

#include "quota.h"

int privheap_notify_add(struct privheap_quota *quota, unsigned int resource,
			unsigned long threshold, int fd);
int privheap_notify_remove(struct privheap_quota *quota, unsigned int resource,
			   unsigned long threshold, int fd);
void privheap_notify_free(struct privheap_quota *quota);
void __privheap_notify_change(struct privheap_quota *quota, unsigned int resource,
			      unsigned long old, unsigned long now);

/*
 * Every change of a counter comes by here. Each change knows the two values it
 * took the counter from and to, so that of racing changes exactly those signal
 * which did cross the threshold.
 */
static inline void privheap_notify_change(struct privheap_quota *quota,
					  unsigned int resource,
					  unsigned long old, unsigned long now)
{
	if (unlikely(!list_empty(&quota->watches)))
		__privheap_notify_change(quota, resource, old, now);
}

#endif /* PRIVHEAP_NOTIFY_H */
