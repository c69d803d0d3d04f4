/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Making allocations of the kernel fail, one at a time: for kernels with
 * CONFIG_FAULT_INJECTION, CONFIG_FAILSLAB and CONFIG_FAIL_PAGE_ALLOC.
 *
 * What counts for a thread: each allocation of slab objects and of pages that it
 * makes, of any size, whether it may sleep or not; and each copy between the module
 * and the user, where the kernel has CONFIG_FAULT_INJECTION_USERCOPY. Not those of
 * sysfs_slab_add(), in which the kernel itself leaks.
 */
#ifndef FAIL_NTH_H
#define FAIL_NTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Set up what counts. Returns NULL, or why it cannot be had here. From here to
 * fail_nth_end() the kernel's log may tell of page faults that were tried again.
 */
const char *fail_nth_start(void);
void fail_nth_end(void);

/* The Nth of this thread from now on fails; 1 is the next one. */
void fail_nth_arm(unsigned int nth);
/* Undo it; returns whether one has failed. */
bool fail_nth_disarm(void);

/* Which functions have to be among an allocation's callers. */
enum fail_caller {
	FAIL_ANY,
	FAIL_MODULE,		/* any of the module's */
	FAIL_INITCALL,		/* a module's init */
	FAIL_EVENTS,		/* the worker that tells of events */
	FAIL_CALLERS,
};

/*
 * Only of these callers. As fail_nth_start() leaves it: any allocation, and the
 * module's copies. Returns 0 or a negative errno.
 */
int fail_only_from(enum fail_caller caller);

/*
 * Beside fail_nth_arm(), for any thread: of each @interval allocations from this
 * caller one fails; 0: none any more. With @marked only those of threads that have
 * called fail_mark_thread(), and their children.
 */
int fail_always(enum fail_caller caller, unsigned int interval, bool marked);
int fail_mark_thread(void);

#endif /* FAIL_NTH_H */
