// SPDX-License-Identifier: MIT
/* Orders of regions: see sort.h. */
#include <stdlib.h>
#include <string.h>

#include <linux/privheap.h>

#include "ctl.h"
#include "names.h"
#include "sort.h"

enum sort_key {
	SORT_ID, SORT_PID, SORT_USER, SORT_COMMAND, SORT_RESERVED, SORT_COMMITTED,
	SORT_RESIDENT, SORT_PEAK, SORT_LIMIT, SORT_FAULTS, SORT_DENIALS,
};

static const char *const names[SORT_COUNT] = {
	"id", "pid", "user", "command", "reserved", "committed", "resident",
	"peak", "limit", "faults", "denials",
};

/**
 * struct entry - a region, and what it is sorted by
 * @region: the region
 * @value: a number, where the key is one
 * @name: where it is not
 */
struct entry {
	struct region region;
	uint64_t value;
	char name[NAMES_COMMAND];
};

const char *sort_name(unsigned int key)
{
	return names[key];
}

bool sort_find(const char *name, unsigned int *key)
{
	for (*key = 0; *key < SORT_COUNT; (*key)++)
		if (!strcmp(name, names[*key]))
			return true;
	return false;
}

static void set_key(struct entry *entry, unsigned int key)
{
	const struct quota *quota = &entry->region.quota;
	const struct counter *commit = &quota->counters[PRIVHEAP_RESOURCE_COMMIT];

	entry->name[0] = '\0';
	entry->value = 0;
	switch ((enum sort_key)key) {
	case SORT_ID:
		break;
	case SORT_PID:
		/* All are sorted downwards. */
		entry->value = UINT32_MAX - entry->region.pid;
		break;
	case SORT_USER:
		strncat(entry->name, names_user(entry->region.uid),
			sizeof(entry->name) - 1);
		break;
	case SORT_COMMAND:
		names_command(entry->region.pid, entry->name,
			      sizeof(entry->name));
		break;
	case SORT_RESERVED:
		entry->value = quota->reserved;
		break;
	case SORT_COMMITTED:
		entry->value = commit->usage;
		break;
	case SORT_RESIDENT:
		entry->value = quota->counters[PRIVHEAP_RESOURCE_RESIDENT].usage;
		break;
	case SORT_PEAK:
		entry->value = commit->peak;
		break;
	case SORT_LIMIT:
		entry->value = commit->hard;
		break;
	case SORT_FAULTS:
		entry->value = quota->faults;
		break;
	case SORT_DENIALS:
		entry->value = quota->denials;
		break;
	}
}

static int compare(const void *first, const void *second)
{
	const struct entry *a = first, *b = second;
	uint64_t id_a = a->region.quota.subject.id, id_b = b->region.quota.subject.id;
	int order = strcmp(a->name, b->name);

	if (order)
		return order;
	if (a->value != b->value)
		return a->value > b->value ? -1 : 1;
	return id_a < id_b ? -1 : id_a > id_b;
}

void sort_regions(struct region *regions, size_t count, unsigned int key,
		  bool reverse)
{
	struct entry *entries = ctl_realloc(NULL, count, sizeof(*entries));
	size_t i;

	for (i = 0; i < count; i++) {
		entries[i].region = regions[i];
		set_key(&entries[i], key);
	}
	qsort(entries, count, sizeof(*entries), compare);
	for (i = 0; i < count; i++)
		regions[reverse ? count - 1 - i : i] = entries[i].region;
	free(entries);
}
