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
void privheap_notify_change(struct privheap_quota *quota, unsigned int resource,
			    unsigned long old, unsigned long now);

#endif /* PRIVHEAP_NOTIFY_H */
