/* SPDX-License-Identifier: MIT */
/*
 * A copy of a heap's memory for a child, where the kernel passes on nothing of it:
 * regions of the module end with fork(2).
 */
#ifndef PRIVHEAP_PRELOAD_SNAPSHOT_H
#define PRIVHEAP_PRELOAD_SNAPSHOT_H

#include "../src/heap.h"

struct snapshot;

/* In the parent, with the heap's lock; NULL: no memory. */
struct snapshot *snapshot_take(const struct heap *heap);

/*
 * In the child: the copies go to where the regions were, and the snapshot itself
 * goes away. false: that did not work, and not all of it is there.
 */
bool snapshot_use(struct snapshot *snapshot);

/* In the parent, when there is a child, or none. NULL: nothing. */
void snapshot_drop(struct snapshot *snapshot);

#endif /* PRIVHEAP_PRELOAD_SNAPSHOT_H */
