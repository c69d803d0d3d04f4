/* SPDX-License-Identifier: MIT */
/*
 * A set of page-aligned addresses: is this number, that the program gave us,
 * the address of something of ours? Answering needs neither a lock nor a look
 * at the address itself, which may be anything.
 */
#ifndef PRIVHEAP_SRC_PTRSET_H
#define PRIVHEAP_SRC_PTRSET_H

#include <pthread.h>
#include <stdatomic.h>

#include "common.h"

struct ptrset_table;

/**
 * struct ptrset - a set of page-aligned addresses
 * @lock: for writers; taken last of all locks
 * @table: open addressing; readers follow it without @lock
 * @count: members
 */
struct ptrset {
	pthread_mutex_t lock;
	_Atomic(struct ptrset_table *) table;
	size_t count;
};

#define PTRSET_INIT	{ .lock = PTHREAD_MUTEX_INITIALIZER }

bool ptrset_has(struct ptrset *set, const void *ptr);

/* false: no memory. The address must not be a member. */
bool ptrset_add(struct ptrset *set, void *ptr);

/* false: was not a member. Of two callers exactly one gets true. */
bool ptrset_remove(struct ptrset *set, void *ptr);

/* Empties the set in a child of fork. */
void ptrset_forget(struct ptrset *set);

#endif /* PRIVHEAP_SRC_PTRSET_H */
