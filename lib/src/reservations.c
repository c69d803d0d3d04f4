// SPDX-License-Identifier: MIT
/* What VirtualAlloc() has reserved: see reservations.h. */
#include <string.h>
#include <sys/mman.h>

#include "reservations.h"

static struct reservation *table;
static size_t table_count;
static size_t table_length;		/* bytes that are mapped */

/* The index of the first reservation whose region ends after @address. */
static size_t table_search(uintptr_t address)
{
	size_t low = 0, high = table_count, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (address - table[middle].region < table[middle].length ||
		    address < table[middle].region)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

struct reservation *reservations_find(uintptr_t address)
{
	size_t i = table_search(address);

	/* Unsigned: what is before the base is too far after it. */
	if (i < table_count && address - table[i].base < table[i].size)
		return &table[i];
	return NULL;
}

bool reservations_between(uintptr_t address, uintptr_t *end)
{
	size_t i = table_search(address);

	if (i == table_count || address < table[i].region ||
	    address - table[i].base < table[i].size)
		return false;
	if (address < table[i].base)
		*end = table[i].base;
	else
		*end = table[i].region + table[i].length;
	return true;
}

void reservations_around(uintptr_t address, uintptr_t *low, uintptr_t *high)
{
	size_t i = table_search(address);

	*low = i ? table[i - 1].region + table[i - 1].length : 0;
	*high = i < table_count ? table[i].region : UINTPTR_MAX;
}

static bool table_make_room(void)
{
	size_t length = table_length ? 2 * table_length : page_size();
	void *memory;

	if ((table_count + 1) * sizeof(*table) <= table_length)
		return true;

	if (table_length)
		memory = mremap(table, table_length, length, MREMAP_MAYMOVE);
	else
		memory = mmap(NULL, length, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		return false;
	/* A child forgets the table; it need not have the memory either. */
	if (!table_length)
		madvise(memory, length, MADV_DONTFORK);
	table = memory;
	table_length = length;
	return true;
}

bool reservations_add(const struct reservation *reservation)
{
	size_t i;

	if (!table_make_room())
		return false;
	i = table_search(reservation->region);
	memmove(&table[i + 1], &table[i], (table_count - i) * sizeof(*table));
	table[i] = *reservation;
	table_count++;
	return true;
}

void reservations_remove(struct reservation *reservation)
{
	size_t i = reservation - table;

	runs_release(&reservation->runs);
	table_count--;
	memmove(&table[i], &table[i + 1], (table_count - i) * sizeof(*table));
}

void reservations_forget(void)
{
	table = NULL;
	table_count = 0;
	table_length = 0;
}
