/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Included before all else of a file of the module that is compiled as a program:
 * in place of kmod/event.h, whose functions the program then has, and of
 * kmod/trace.h, whose tracepoints are nothing.
 */
#ifndef PRIVHEAP_KERNEL_HOOKS_H
#define PRIVHEAP_KERNEL_HOOKS_H

#include <linux/types.h>

#define PRIVHEAP_EVENT_H
#define PRIVHEAP_TRACE_H

struct privheap_quota;

void privheap_event_soft(struct privheap_quota *quota, unsigned int resource, bool over);
void privheap_event_denied(struct privheap_quota *quota, unsigned int resource,
			   unsigned long pages, u64 region_id);

#define trace_privheap_denial(...)	do { } while (0)
#define trace_privheap_soft(...)	do { } while (0)
#define trace_privheap_limit_set(...)	do { } while (0)

#endif /* PRIVHEAP_KERNEL_HOOKS_H */
