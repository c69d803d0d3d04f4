// SPDX-License-Identifier: GPL-2.0-only
/*
 * How an ioctl is made: as it is, or with something wrong other than what it asks
 * for. Also the records of operations.
 */
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>

#include "privheap_selftest.h"
#include "region_model.h"

void rm_record(unsigned int actor, const char *name, const struct rm_region *region,
	       uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
	struct rm_record *record = &rm->record[rm->records++ % RM_RECORDS];

	record->op = rm->op;
	record->actor = actor;
	record->name = name;
	record->region = region ? (int)region->id : -1;
	record->argument[0] = a;
	record->argument[1] = b;
	record->argument[2] = c;
	record->argument[3] = d;
	record->result = 0;
	record->denied = 0;
}

void rm_result(int result, unsigned int denied)
{
	struct rm_record *record = &rm->record[(rm->records - 1) % RM_RECORDS];

	record->result = result;
	record->denied = denied;
	rm->errors += result < 0;
}

enum spoil {
	SPOIL_NOTHING,
	SPOIL_SIZE_SMALL,
	SPOIL_SIZE_HUGE,
	SPOIL_TAIL,
	SPOIL_TAIL_ZERO,	/* is all right */
	SPOIL_FLAGS,
	SPOIL_POINTER,
	SPOIL_READ_ONLY,
	SPOIL_BASE,
	SPOILS,
};

static const struct {
	unsigned long cmd;
	size_t size;
	bool output;
	size_t base;		/* offset of the member, or 0 */
	const char *name;
} calls[] = {
	{ PRIVHEAP_IOC_CREATE, sizeof(struct privheap_create), true, 0, "create" },
	{ PRIVHEAP_IOC_GROW, sizeof(struct privheap_grow), true,
	  offsetof(struct privheap_grow, base), "grow" },
	{ PRIVHEAP_IOC_COMMIT, sizeof(struct privheap_commit), true,
	  offsetof(struct privheap_commit, base), "commit" },
	{ PRIVHEAP_IOC_DECOMMIT, sizeof(struct privheap_decommit), true,
	  offsetof(struct privheap_decommit, base), "decommit" },
	{ PRIVHEAP_IOC_DESTROY, sizeof(struct privheap_destroy), false,
	  offsetof(struct privheap_destroy, base), "destroy" },
	{ PRIVHEAP_IOC_QUERY, sizeof(struct privheap_query), true,
	  offsetof(struct privheap_query, base), "query" },
	{ PRIVHEAP_IOC_NOTIFY, sizeof(struct privheap_notify), false,
	  offsetof(struct privheap_notify, base), "notify" },
	{ PRIVHEAP_IOC_LIMIT, sizeof(struct privheap_limit), true,
	  offsetof(struct privheap_limit, base), "limit" },
};

/* A page that can be read and not written, where output goes nowhere. */
static char *read_only_page(const void *arg, size_t size)
{
	static char *page;

	if (!page)
		page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	mprotect(page, PAGE, PROT_READ | PROT_WRITE);
	memcpy(page, arg, size);
	mprotect(page, PAGE, PROT_READ);
	return page;
}

/* Neighbours differ by a bit. */
static bool is_base(unsigned int actor, uint64_t base)
{
	for (unsigned int i = 0; i < RM_PER_ACTOR; i++) {
		const struct rm_region *region = &rm->region[actor * RM_PER_ACTOR + i];

		if (region->used && TO_BASE(region->base) == base)
			return true;
	}
	return false;
}

/* The call as it is, spoiled; returns whether it was one that must not work. */
static bool spoiled(unsigned int actor, unsigned int call, const void *arg, int *result)
{
	static char copy[2 * PAGE];
	enum spoil spoil = rm_below(SPOILS);
	size_t size = calls[call].size;
	void *pointer = copy;
	int expected;
	uint32_t *words = (uint32_t *)copy;

	memset(copy, 0, sizeof(copy));
	memcpy(copy, arg, size);
	switch (spoil) {
	case SPOIL_SIZE_SMALL:
		words[0] = rm_below(16);
		expected = -EINVAL;
		break;
	case SPOIL_SIZE_HUGE:
		words[0] = PAGE + 1 + rm_below(1U << 31);
		expected = -E2BIG;
		break;
	case SPOIL_TAIL:
		words[0] = size + 8 + rm_below(64);
		copy[size + rm_below(8)] = 1 + rm_below(255);
		expected = -E2BIG;
		break;
	case SPOIL_FLAGS:
		words[1] |= 0x100U << rm_below(23);
		expected = -EINVAL;
		break;
	case SPOIL_POINTER:
		pointer = (void *)(uintptr_t)(rm_chance(2) ? 0 : -PAGE);
		expected = -EFAULT;
		break;
	case SPOIL_READ_ONLY:
		if (!calls[call].output)
			return false;
		pointer = read_only_page(arg, size);
		expected = -EFAULT;
		break;
	case SPOIL_BASE:
		/* A base of nothing: and what else is wrong may come before it. */
		if (!calls[call].base)
			return false;
		*(uint64_t *)(copy + calls[call].base) ^= 1ULL << rm_below(64);
		if (is_base(actor, *(uint64_t *)(copy + calls[call].base)))
			return false;
		*result = ph_ioctl(rm_fd(actor), calls[call].cmd, copy);
		rm_record(actor, calls[call].name, NULL, spoil, 0, 0, 0);
		rm_result(*result, 0);
		RM_CHECK(*result == -ENOENT || *result == -EINVAL, "%s with a wrong base: %d",
			 calls[call].name, *result);
		return true;
	default:
		return false;
	}
	*result = ph_ioctl(rm_fd(actor), calls[call].cmd, pointer);
	rm_record(actor, calls[call].name, NULL, spoil, 0, 0, 0);
	rm_result(*result, 0);
	RM_CHECK(*result == expected, "%s, spoiled by %u: %d, should be %d",
		 calls[call].name, spoil, *result, expected);
	return true;
}

/* Make the call; false where it was made in a way that it could only fail. */
bool rm_call(unsigned int actor, unsigned long cmd, void *arg, int *result)
{
	if (rm_chance(24) && spoiled(actor, _IOC_NR(cmd), arg, result))
		return false;
	*result = ph_ioctl(rm_fd(actor), cmd, arg);
	return true;
}
