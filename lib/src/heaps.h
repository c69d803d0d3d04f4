/* SPDX-License-Identifier: MIT */
/*
 * The heaps of this process: which handles are heaps, and in which order they
 * are told of: the process heap first, then as they were made.
 */
#ifndef PRIVHEAP_SRC_HEAPS_H
#define PRIVHEAP_SRC_HEAPS_H

#include "heap.h"

/* Makes it known, as the process heap if @process; false: no memory. */
bool heaps_add(struct heap *heap, bool process);

/*
 * Makes it unknown. ERROR_INVALID_HANDLE: it is no heap, or the process heap,
 * which stays. Of two callers exactly one gets NO_ERROR.
 */
DWORD heaps_remove(HANDLE handle);

/* The process heap, which is made when it is first asked for; NULL: refused. */
struct heap *heaps_process(void);

/* Stores the first @count handles, and returns how many heaps there are. */
DWORD heaps_list(DWORD count, HANDLE *handles);

/*
 * Calls @fn for each heap that nobody is using just now, with the heap's lock
 * held. Heaps without a lock are left out: only the program knows who uses them.
 */
void heaps_for_each_idle(void (*fn)(struct heap *heap));

#endif /* PRIVHEAP_SRC_HEAPS_H */
