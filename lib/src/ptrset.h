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

#define PTRSET_EMPTY	((uintptr_t)0)
#define PTRSET_GONE	((uintptr_t)1)

struct ptrset_table {
	size_t mask;			/* slots - 1, slots a power of two */
	atomic_uintptr_t slots[];
};

/**
 * struct ptrset - a set of page-aligned addresses
 * @lock: for writers; taken last of all locks
 * @table: open addressing; readers follow it without @lock; never NULL
 * @count: members
 */
struct ptrset {
	pthread_mutex_t lock;
	_Atomic(struct ptrset_table *) table;
	size_t count;
};

/* What an empty set has for a table. */
extern struct ptrset_table ptrset_none __attribute__((visibility("hidden")));

#define PTRSET_INIT	{ .lock = PTHREAD_MUTEX_INITIALIZER, \
			  .table = &ptrset_none }

static inline size_t ptrset_hash(uintptr_t key)
{
	uint64_t hash = (uint64_t)key / 4096 * 0x9e3779b97f4a7c15u;

	return (size_t)(hash >> 32);
}

/* The slot of @key, or NULL. */
static inline atomic_uintptr_t *ptrset_find(struct ptrset_table *table,
					    uintptr_t key)
{
	size_t i;
	uintptr_t seen;

	if (key <= PTRSET_GONE)
		return NULL;
	for (i = ptrset_hash(key) & table->mask;; i = (i + 1) & table->mask) {
		seen = atomic_load_explicit(&table->slots[i],
					    memory_order_acquire);
		if (seen == key)
			return &table->slots[i];
		if (seen == PTRSET_EMPTY)
			return NULL;
	}
}

static inline bool ptrset_has(struct ptrset *set, const void *ptr)
{
	struct ptrset_table *table, *seen;

	table = atomic_load_explicit(&set->table, memory_order_acquire);
	while (!ptrset_find(table, (uintptr_t)ptr)) {
		/* Nothing in a table that is out of use means nothing. */
		seen = table;
		table = atomic_load_explicit(&set->table, memory_order_acquire);
		if (likely(table == seen))
			return false;
	}
	return true;
}

/* false: no memory. The address must not be a member. */
bool ptrset_add(struct ptrset *set, void *ptr);

/* false: was not a member. Of two callers exactly one gets true. */
bool ptrset_remove(struct ptrset *set, void *ptr);

/* Empties the set in a child of fork. */
void ptrset_forget(struct ptrset *set);

#endif /* PRIVHEAP_SRC_PTRSET_H */
