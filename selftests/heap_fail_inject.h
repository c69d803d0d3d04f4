/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Calls that fail when they are told to. The linker (--wrap) puts the functions
 * of heap_fail_inject.c between the library and the calls for regions, and the
 * system calls below them.
 */
#ifndef HEAP_FAIL_INJECT_H
#define HEAP_FAIL_INJECT_H

#include <stdbool.h>

enum call {
	REGION_CREATE, REGION_GROW, REGION_COMMIT, REGION_DECOMMIT,
	REGION_DESTROY, REGION_QUERY,
	SYSTEM_MMAP, SYSTEM_MPROTECT, SYSTEM_POPULATE, SYSTEM_ADVICE,
	SYSTEM_IOCTL,
	CALLS
};

/**
 * struct inject - which calls count, which of them fails, and with what
 * @which: bits 1 << enum call
 * @nth: from 1; 0: none fails
 * @on: all later ones fail, too
 * @error: errno
 * @most: regions and mappings of more bytes than this are refused as well,
 *	with ENOMEM, and not counted; 0: none
 * @calls: how many of them there were
 * @injected: how many failed
 * @seen: how many there were of each sort, counted or not
 */
struct inject {
	unsigned int which;
	unsigned long nth;
	bool on;
	int error;
	unsigned long most;
	unsigned long calls;
	unsigned long injected;
	unsigned long seen[CALLS];
};

extern struct inject inject;

/*
 * From now on the @nth of these calls fails; @on: and all later ones. The last
 * error and errno become what no call sets.
 */
void refuse(unsigned int which, int error, unsigned long nth, bool on);
void refuse_nothing(void);

#endif /* HEAP_FAIL_INJECT_H */
