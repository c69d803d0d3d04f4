/* SPDX-License-Identifier: MIT */
/* Orders of regions: the largest first, and names and numbers from the start. */
#ifndef PRIVHEAP_TOOLS_SORT_H
#define PRIVHEAP_TOOLS_SORT_H

#include <stdbool.h>
#include <stddef.h>

#include "record.h"

/* The names of all keys, with a comma between. */
#define SORT_KEYS \
	"id, pid, user, command, reserved, committed, resident, peak, limit, faults, denials"

/* How many keys there are, and the name of each. */
#define SORT_COUNT	11
const char *sort_name(unsigned int key);

/* false: there is none of that name */
bool sort_find(const char *name, unsigned int *key);

/* @reverse: the other way round */
void sort_regions(struct region *regions, size_t count, unsigned int key,
		  bool reverse);

#endif /* PRIVHEAP_TOOLS_SORT_H */
