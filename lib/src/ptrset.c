// SPDX-License-Identifier: MIT
/*
 * A set of page-aligned addresses: see ptrset.h.
 *
 * Linear probing, at most half full. A removed member becomes GONE, so that
 * readers go on past it; every GONE that stands before an empty slot is made
 * empty at once. So a reader never meets an empty slot before a live member it
 * looks for, and used slots do not pile up however often members come and go.
 *
 * A table that became too small stays mapped, since readers may be in it, but
 * without its pages: it reads as empty then, and who finds nothing looks again
 * whether his table is still the one in use.
 */
#include <sys/mman.h>

#include "lock_among.h"
#include "ptrset.h"

struct ptrset_table ptrset_none = { .slots = { PTRSET_EMPTY } };

static void ptrset_put(struct ptrset_table *table, uintptr_t key)
{
	size_t i = ptrset_hash(key) & table->mask;

	while (atomic_load_explicit(&table->slots[i], memory_order_relaxed) >
	       PTRSET_GONE)
		i = (i + 1) & table->mask;
	atomic_store_explicit(&table->slots[i], key, memory_order_release);
}

static size_t ptrset_length(size_t slots)
{
	return sizeof(struct ptrset_table) + slots * sizeof(atomic_uintptr_t);
}

/* A table of one page at first, then twice as large each time. */
static struct ptrset_table *ptrset_enlarge(struct ptrset_table *old)
{
	struct ptrset_table *table;
	size_t slots = page_size() / sizeof(table->slots[0]);
	size_t length, i;
	uintptr_t key;

	if (old != &ptrset_none)
		slots = (old->mask + 1) * 2;
	length = ptrset_length(slots);
	table = mmap(NULL, length, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (table == MAP_FAILED)
		return NULL;

	/* A child forgets the set; it need not have the memory either. */
	madvise(table, length, MADV_DONTFORK);
	table->mask = slots - 1;
	for (i = 0; i <= old->mask; i++) {
		key = atomic_load_explicit(&old->slots[i],
					   memory_order_relaxed);
		if (key > PTRSET_GONE)
			ptrset_put(table, key);
	}
	return table;
}

bool ptrset_add(struct ptrset *set, void *ptr)
{
	struct ptrset_table *table, *old;
	bool done = false, locked;

	locked = lock_among(&set->lock);
	table = atomic_load_explicit(&set->table, memory_order_relaxed);
	if (set->count >= (table->mask + 1) / 2) {
		old = table;
		table = ptrset_enlarge(old);
		if (!table)
			goto out;
		atomic_store_explicit(&set->table, table, memory_order_release);
		if (old != &ptrset_none)
			madvise(old, ptrset_length(old->mask + 1),
				MADV_DONTNEED);
	}
	ptrset_put(table, (uintptr_t)ptr);
	set->count++;
	done = true;
out:
	unlock_among(&set->lock, locked);
	return done;
}

bool ptrset_remove(struct ptrset *set, void *ptr)
{
	struct ptrset_table *table;
	atomic_uintptr_t *slot;
	bool locked;
	size_t i;

	locked = lock_among(&set->lock);
	table = atomic_load_explicit(&set->table, memory_order_relaxed);
	slot = ptrset_find(table, (uintptr_t)ptr);
	if (!slot)
		goto out;

	atomic_store_explicit(slot, PTRSET_GONE, memory_order_release);
	set->count--;
	i = slot - table->slots;
	if (atomic_load_explicit(&table->slots[(i + 1) & table->mask],
				 memory_order_relaxed) == PTRSET_EMPTY) {
		while (atomic_load_explicit(&table->slots[i],
					    memory_order_relaxed) ==
		       PTRSET_GONE) {
			atomic_store_explicit(&table->slots[i], PTRSET_EMPTY,
					      memory_order_release);
			i = (i - 1) & table->mask;
		}
	}
out:
	unlock_among(&set->lock, locked);
	return slot;
}

void ptrset_forget(struct ptrset *set)
{
	pthread_mutex_init(&set->lock, NULL);
	atomic_store_explicit(&set->table, &ptrset_none, memory_order_relaxed);
	set->count = 0;
}
