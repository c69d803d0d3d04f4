// SPDX-License-Identifier: GPL-2.0-only
/* Random ioctls, made of the module and of the model, with what must come of them. */
#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>

#include "privheap_selftest.h"
#include "region_model.h"

/* --- choices */

struct rm_region *rm_some_region(unsigned int actor)
{
	struct rm_region *found[RM_PER_ACTOR];
	unsigned int count = 0;

	for (unsigned int i = 0; i < RM_PER_ACTOR; i++) {
		struct rm_region *region = &rm->region[actor * RM_PER_ACTOR + i];

		if (region->used)
			found[count++] = region;
	}
	return count ? found[rm_below(count)] : NULL;
}

/* Any page; more often one at an end of what is committed. */
uint64_t rm_some_page(const struct rm_region *region)
{
	uint64_t page = rm_below(region->pages);

	if (rm_chance(3))
		while (page + 1 < region->pages &&
		       region->page[page].committed == region->page[page + 1].committed)
			page++;
	return page;
}

void rm_some_range(const struct rm_region *region, uint64_t *first, uint64_t *last)
{
	uint64_t most = rm_chance(4) ? region->pages : rm_chance(3) ? 1 : 16;

	*first = rm_some_page(region);
	*last = *first + rm_below(rm_min(most, region->pages - *first));
}

static uint64_t some_size(void)
{
	switch (rm_below(16)) {
	case 0:
		return 512 + rm_below(RM_PAGES - 512) + 1;
	case 1 ... 3:
		return 1 + rm_below(200);
	default:
		return 1 + rm_below(32);
	}
}

/* --- the ioctls */

static bool has_room(unsigned int actor)
{
	for (unsigned int i = 0; i < RM_PER_ACTOR; i++)
		if (!rm->region[actor * RM_PER_ACTOR + i].used)
			return true;
	return false;
}

static void create(unsigned int actor)
{
	uint64_t pages = some_size(), commit = rm_chance(3) ? 0 : rm_below(pages + 1);
	uint64_t limit = rm_chance(2) ? 0 : rm_below(pages + 1);
	struct privheap_create arg = {
		.size = sizeof(arg),
		.flags = rm_below(4),
		.reserve = pages * PAGE,
		.commit = commit * PAGE,
		.limit = limit * PAGE,
	};
	struct rm_region *region;
	unsigned int denied = 0;
	bool valid = true;
	int result;

	if (!has_room(actor))
		return;
	switch (rm_below(40)) {
	case 0:
		arg.reserve += 1 + rm_below(PAGE - 1);
		break;
	case 1:
		arg.commit = arg.reserve + PAGE;
		break;
	case 2:
		arg.limit = arg.reserve + PAGE;
		break;
	case 3:
		arg.reserve = 1ULL << (47 + rm_below(17));
		break;
	case 4:
		arg.reserve = 0;
		break;
	case 5:
		arg.reserved = 1;
		break;
	}
	valid = !(arg.reserve % PAGE) && arg.reserve && arg.reserve <= RM_PAGES * PAGE &&
		arg.commit <= arg.reserve && arg.limit <= arg.reserve &&
		(!arg.limit || arg.commit <= arg.limit) && !arg.reserved;
	if (!rm_call(actor, PRIVHEAP_IOC_CREATE, &arg, &result))
		return;
	rm_record(actor, "create", NULL, arg.reserve, arg.commit, arg.limit, arg.flags);
	rm_result(result, arg.out_denied);
	if (!valid) {
		RM_CHECK(result == -EINVAL, "create of %llx %llx %llx: %d", arg.reserve,
			 arg.commit, arg.limit, result);
		return;
	}
	region = rm_create(actor, pages, commit, limit ?: pages, arg.flags, ++rm->last_id,
			   (char *)(uintptr_t)arg.out_base, &denied);
	RM_CHECK(result == (region ? 0 : -EDQUOT) && arg.out_denied == denied,
		 "create: %d by level %u, should be %d by level %u", result,
		 arg.out_denied, region ? 0 : -EDQUOT, denied);
	if (region)
		RM_CHECK(arg.out_id == region->id, "create: region %llu, should be %" PRIu64,
			 arg.out_id, region->id);
}

/* GROW and COMMIT of what the model says can be. */
static void check_commit(const char *name, struct rm_region *region, int result,
			 int expected, uint64_t committed, unsigned int by,
			 unsigned int denied)
{
	rm_result(result, by);
	RM_CHECK(result == expected, "%s: %d, should be %d (by level %u, should be %u)",
		 name, result, expected, by, denied);
	if (result == -EDQUOT || !result)
		RM_CHECK(by == denied, "%s: %d by level %u, should be by level %u", name,
			 result, by, denied);
	if (!result)
		RM_CHECK(committed == region->committed * PAGE,
			 "%s: %" PRIu64 " committed, should be %" PRIu64, name, committed,
			 region->committed * PAGE);
}

static void grow(unsigned int actor, struct rm_region *region)
{
	uint64_t pages = rm_chance(2) ? rm_min(region->committed + rm_below(20), region->pages) :
			 rm_below(region->pages + 1);
	struct privheap_grow arg = {
		.size = sizeof(arg),
		.flags = rm_chance(2) ? PRIVHEAP_COMMIT_POPULATE : 0,
		.base = TO_BASE(region->base),
		.commit = pages * PAGE,
	};
	int result, expected = 0;
	unsigned int denied = 0;

	switch (rm_below(40)) {
	case 0:
		arg.commit += 1 + rm_below(PAGE - 1);
		break;
	case 1:
		arg.commit = (region->pages + 1 + rm_below(1000)) * PAGE;
		break;
	case 2:
		arg.commit = (1ULL << 63) + PAGE * rm_below(3);
		break;
	}
	if (!rm_call(actor, PRIVHEAP_IOC_GROW, &arg, &result))
		return;
	rm_record(actor, "grow", region, arg.commit, arg.flags, 0, 0);
	if (arg.commit % PAGE)
		expected = -EINVAL;
	else if (!region->findable)
		expected = -ENOENT;
	else if (arg.commit > region->pages * PAGE)
		expected = -EINVAL;
	else if (pages)
		expected = rm_commit(region, 0, pages - 1, arg.flags, &denied);
	check_commit("grow", region, result, expected, arg.out_committed, arg.out_denied,
		     denied);
}

/* A range beyond the reservation, or not of pages; @offset and @length in bytes. */
static bool spoil_range(const struct rm_region *region, uint64_t *offset,
			uint64_t *length)
{
	switch (rm_below(60)) {
	case 0:
		*offset += 1 + rm_below(PAGE - 1);
		return true;
	case 1:
		*length += 1 + rm_below(PAGE - 1);
		return true;
	case 2:
		*length = region->pages * PAGE - *offset + PAGE;
		return true;
	case 3:
		*length = 0;
		return true;
	case 4:
		if (!*offset)
			return false;
		*length = -*offset;
		return true;
	case 5:
		*offset = -PAGE;
		return true;
	}
	return false;
}

static void commit(unsigned int actor, struct rm_region *region)
{
	struct privheap_commit arg = {
		.size = sizeof(arg),
		.flags = rm_chance(2) ? PRIVHEAP_COMMIT_POPULATE : 0,
		.base = TO_BASE(region->base),
	};
	uint64_t first, last, offset, length;
	int result, expected = -ENOENT;
	unsigned int denied = 0;
	bool wrong;

	rm_some_range(region, &first, &last);
	offset = first * PAGE;
	length = (last - first + 1) * PAGE;
	wrong = spoil_range(region, &offset, &length);
	if (wrong && !region->findable)
		return;
	arg.offset = offset;
	arg.length = length;
	if (!rm_call(actor, PRIVHEAP_IOC_COMMIT, &arg, &result))
		return;
	rm_record(actor, "commit", region, arg.offset, arg.length, arg.flags, 0);
	if (wrong)
		expected = -EINVAL;
	else if (region->findable)
		expected = rm_commit(region, first, last, arg.flags, &denied);
	check_commit("commit", region, result, expected, arg.out_committed, arg.out_denied,
		     denied);
}

static void decommit(unsigned int actor, struct rm_region *region)
{
	struct privheap_decommit arg = {
		.size = sizeof(arg),
		.base = TO_BASE(region->base),
	};
	uint64_t first, last, offset, length;
	int result, expected = -ENOENT;
	bool wrong;

	rm_some_range(region, &first, &last);
	offset = first * PAGE;
	length = (last - first + 1) * PAGE;
	wrong = spoil_range(region, &offset, &length);
	if (wrong && !region->findable)
		return;
	arg.offset = offset;
	arg.length = length;
	if (!rm_call(actor, PRIVHEAP_IOC_DECOMMIT, &arg, &result))
		return;
	rm_record(actor, "decommit", region, arg.offset, arg.length, 0, 0);
	if (wrong) {
		expected = -EINVAL;
	} else if (region->findable) {
		expected = 0;
		rm_decommit(region, first, last);
	}
	check_commit("decommit", region, result, expected, arg.out_committed, 0, 0);
}

static void destroy(unsigned int actor, struct rm_region *region)
{
	struct privheap_destroy arg = {
		.size = sizeof(arg),
		.base = TO_BASE(region->base),
	};
	int result;

	if (!rm_call(actor, PRIVHEAP_IOC_DESTROY, &arg, &result))
		return;
	rm_record(actor, "destroy", region, 0, 0, 0, 0);
	rm_result(result, 0);
	RM_CHECK(result == (region->findable ? 0 : -ENOENT), "destroy: %d", result);
	if (!region->findable)
		return;
	/* What is mapped in its holes stays, until we take it away. */
	for (uint64_t i = 0; i < region->pages; i++)
		if (!region->page[i].mapped)
			RM_CHECK(!munmap(region->base + i * PAGE, PAGE), "munmap: %d", errno);
	rm_remove(region);
	RM_CHECK(ph_query(rm_fd(actor), region->base, 0, &(struct privheap_query){}) == -ENOENT,
		 "a region that was destroyed is found");
}

/* One ioctl that is about memory; @region may be NULL. */
void rm_ioctl_operation(unsigned int actor, struct rm_region *region)
{
	unsigned int what = rm_below(16);

	if (!region || what < 2)
		create(actor);
	else if (what < 6)
		grow(actor, region);
	else if (what < 10)
		commit(actor, region);
	else if (what < 15)
		decommit(actor, region);
	else
		destroy(actor, region);
}

/* One operation, and whether all is as it should be afterwards. */
void rm_operation(unsigned int actor)
{
	struct rm_region *region = rm_some_region(actor);
	unsigned int what = rm_below(32);

	if (!region || what < 14)
		rm_ioctl_operation(actor, region);
	else if (what < 19)
		rm_limit_operation(actor, region);
	else
		rm_memory_operation(actor, region);

	/* It may be gone, or another one. */
	if (region && region->used) {
		rm_check_region(actor, region);
		if (region->pages <= 64 || rm_chance(16))
			rm_check_pages(region);
		if (region->findable && rm_chance(2))
			rm_check_limit(actor, region, rm_below(RM_RESOURCES));
	}
	if (rm_chance(4))
		rm_check_limit(actor, NULL, rm_below(RM_RESOURCES));
	rm_check_sums(actor);
	rm_check_signals(actor);
	if (rm_chance(256))
		rm_check_contents(actor);
}
