// SPDX-License-Identifier: GPL-2.0-only
/*
 * The model's regions: what is committed, what has a page, and which folios are
 * taken for a touch, page by page.
 */
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "privheap_selftest.h"
#include "region_model.h"

struct rm_model *rm;

#define HUGE_ORDER	9	/* 2 MiB */
#define NOTE_SPAN	512
#define NOTES		8

static struct rm_region *find_free(unsigned int actor)
{
	unsigned int first = actor * RM_PER_ACTOR, count = RM_PER_ACTOR;

	if (actor >= RM_ACTORS) {
		first = RM_ACTORS * RM_PER_ACTOR + actor - RM_ACTORS;
		count = 1;
	}
	for (unsigned int i = first; i < first + count; i++)
		if (!rm->region[i].used)
			return &rm->region[i];
	return NULL;
}

static void set_levels(struct rm_region *region, const struct rm_actor *actor)
{
	struct rm_subject **level = region->level;

	*level++ = &region->own;
	*level++ = &rm->process[region->actor];
	*level++ = &rm->user[!!actor->uid];
	for (unsigned int i = actor->cgroup; i > 0; i--)
		*level++ = &rm->cgroup_subject[i - 1];
	*level++ = &rm->system;
	region->levels = level - region->level;
}

static void count(struct rm_region *region, int64_t sign)
{
	for (unsigned int i = 0; i < region->levels; i++) {
		region->level[i]->regions += sign;
		region->level[i]->reserved += sign * region->pages;
	}
}

/*
 * CREATE. Returns NULL where a level refused, which then is in @denied. The
 * number of a region is used up by a refusal as well, and events name it.
 */
struct rm_region *rm_create(unsigned int actor, uint64_t pages, uint64_t commit,
			    uint64_t limit, uint32_t flags, uint64_t id, char *base,
			    unsigned int *denied)
{
	struct rm_region *region = find_free(actor);
	const struct rm_actor *maker = &rm->actor[actor];

	memset(region, 0, offsetof(struct rm_region, page));
	memset(region->page, 0, pages * sizeof(*region->page));
	region->used = true;
	region->actor = actor;
	region->flags = flags;
	region->pages = pages;
	region->id = id;
	region->uid = maker->uid;
	region->cgroup = maker->cgroup ? rm->cgroup[maker->cgroup - 1].id : 0;
	rm_subject_init(&region->own, PRIVHEAP_LEVEL_REGION, id);
	region->own.counter[PRIVHEAP_RESOURCE_COMMIT].hard = limit;
	region->own.counter[PRIVHEAP_RESOURCE_COMMIT].ceiling = limit;
	region->own.watched = region;
	set_levels(region, maker);
	count(region, 1);

	if (commit && rm_commit(region, 0, commit - 1, !(flags & PRIVHEAP_CREATE_LAZY),
				denied)) {
		count(region, -1);
		region->used = false;
		return NULL;
	}
	region->base = base;
	region->findable = true;
	region->mapped = pages;
	for (uint64_t i = 0; i < pages; i++) {
		region->page[i].mapped = true;
		region->page[i].prot = PROT_READ | PROT_WRITE;
		if (flags & PRIVHEAP_CREATE_EXEC)
			region->page[i].prot |= PROT_EXEC;
	}
	rm_tell(PRIVHEAP_CMD_REGION_CREATE_NTF, &region->own, 0, 0, id);
	return region;
}

/* The end: all is given back on all levels. */
void rm_remove(struct rm_region *region)
{
	/* In pieces, each with what it holds, before the region itself. */
	rm->unordered |= region->split;
	rm_tell(PRIVHEAP_CMD_REGION_DESTROY_NTF, &region->own, 0, 0, region->id);
	rm_uncharge(region, PRIVHEAP_RESOURCE_RESIDENT, region->resident);
	rm_uncharge(region, PRIVHEAP_RESOURCE_COMMIT, region->committed);
	count(region, -1);
	region->used = false;
}

void rm_remove_all(unsigned int actor)
{
	for (unsigned int i = 0; i < RM_REGIONS; i++)
		if (rm->region[i].used && rm->region[i].actor == actor)
			rm_remove(&rm->region[i]);
}

/* --- pages */

static uint64_t count_uncommitted(const struct rm_region *region, uint64_t first,
				  uint64_t last)
{
	uint64_t found = 0;

	for (; first <= last; first++)
		found += !region->page[first].committed;
	return found;
}

static bool empty(const struct rm_region *region, uint64_t first, uint64_t last)
{
	for (; first <= last; first++)
		if (region->page[first].resident)
			return false;
	return true;
}

static bool aligned(uint64_t page, unsigned int order)
{
	return !(page & ((1UL << order) - 1));
}

/* Pages are zeroed, whoever had them before. */
static void add_pages(struct rm_region *region, uint64_t first, unsigned int order)
{
	for (uint64_t i = first; i < first + (1UL << order); i++) {
		region->page[i].resident = true;
		region->page[i].content = 0;
	}
	region->resident += 1UL << order;
	rm->large += order > 0;
}

/* Returns how many are gone, and still charged. */
static uint64_t drop_pages(struct rm_region *region, uint64_t first, uint64_t last)
{
	uint64_t gone = 0;

	for (; first <= last; first++) {
		gone += region->page[first].resident;
		region->page[first].resident = false;
		region->page[first].content = 0;
	}
	region->resident -= gone;
	return gone;
}

static unsigned int lower_order(unsigned int order)
{
	if (order > 4)
		return 4;
	return order > 2 ? 2 : 0;
}

/* Take all pages of a run that is all committed or all not, largest folios first. */
static int populate_run(struct rm_region *region, uint64_t page, uint64_t last,
			unsigned int *denied)
{
	unsigned int order;

	for (; page <= last; page += 1UL << order) {
		order = 0;
		if (region->page[page].resident)
			continue;
		for (order = rm->max_order; order; order--)
			if (order != 1 && aligned(page, order) &&
			    page + (1UL << order) - 1 <= last &&
			    empty(region, page, page + (1UL << order) - 1))
				break;
		while (order && rm_room(region, PRIVHEAP_RESOURCE_RESIDENT) < 1UL << order)
			order = lower_order(order);
		*denied = rm_charge(region, PRIVHEAP_RESOURCE_RESIDENT, 1UL << order, order);
		if (*denied) {
			*denied &= ~RM_INJECTED;
			return -EDQUOT;
		}
		add_pages(region, page, order);
	}
	return 0;
}

/* The last page of the run that is committed, or not, as @page is. */
static uint64_t run_end(const struct rm_region *region, uint64_t page, uint64_t last)
{
	uint64_t end = page;

	while (end < last && region->page[end + 1].committed == region->page[page].committed)
		end++;
	return end;
}

static int populate(struct rm_region *region, uint64_t first, uint64_t last,
		    unsigned int *denied)
{
	uint64_t page, end;
	int ret = 0;

	for (page = first; page <= last && !ret; page = end + 1) {
		end = run_end(region, page, last);
		ret = populate_run(region, page, end, denied);
	}
	return ret;
}

int rm_commit(struct rm_region *region, uint64_t first, uint64_t last, bool take,
	      unsigned int *denied)
{
	uint64_t new = count_uncommitted(region, first, last), gone = 0, page, end;

	*denied = 0;
	if (new) {
		*denied = rm_charge(region, PRIVHEAP_RESOURCE_COMMIT, new, false);
		*denied &= ~RM_INJECTED;
		if (*denied)
			return -EDQUOT;
	}
	if (take && populate(region, first, last, denied)) {
		/* What was committed before keeps the pages that it has got. */
		for (page = first; page <= last; page = end + 1) {
			end = run_end(region, page, last);
			if (!region->page[page].committed)
				gone += drop_pages(region, page, end);
		}
		rm_cancel(region, PRIVHEAP_RESOURCE_RESIDENT, gone);
		rm_cancel(region, PRIVHEAP_RESOURCE_COMMIT, new);
		rm_raise_peaks(region);
		return -EDQUOT;
	}
	for (page = first; page <= last; page++)
		region->page[page].committed = true;
	region->committed += new;
	rm_raise_peaks(region);
	return 0;
}

void rm_decommit(struct rm_region *region, uint64_t first, uint64_t last)
{
	uint64_t gone = last - first + 1 - count_uncommitted(region, first, last);

	rm_uncharge(region, PRIVHEAP_RESOURCE_RESIDENT, drop_pages(region, first, last));
	for (; first <= last; first++)
		region->page[first].committed = false;
	region->committed -= gone;
	rm_uncharge(region, PRIVHEAP_RESOURCE_COMMIT, gone);
}

/* --- touches */

/* There are no large folios where the kernel has no huge pages, as with PREEMPT_RT. */
unsigned int rm_max_order(void)
{
	return access("/sys/kernel/mm/transparent_hugepage", F_OK) ? 0 : HUGE_ORDER;
}

static unsigned int next_order(unsigned int order)
{
	order = order < 1 ? 2 : order + 1;
	return order > rm->max_order ? rm->max_order : order;
}

/*
 * A touch next to what was taken last takes the next larger folio, on the side of
 * the touch that is away from it, inside the commit and where nothing is.
 */
static unsigned int choose_order(const struct rm_region *region, uint64_t page,
				 uint64_t *index)
{
	uint64_t first = page, last = page, slot;
	unsigned int order;

	while (first && region->page[first - 1].committed)
		first--;
	while (last + 1 < region->pages && region->page[last + 1].committed)
		last++;
	*index = page;
	slot = (page - 1) / NOTE_SPAN % NOTES;
	if (page > first &&
	    region->taken[slot].index + (1UL << region->taken[slot].order) == page) {
		for (order = next_order(region->taken[slot].order); order > 1; order--)
			if (aligned(page, order) && page + (1UL << order) - 1 <= last &&
			    empty(region, page, page + (1UL << order) - 1))
				return order;
	}
	slot = (page + 1) / NOTE_SPAN % NOTES;
	if (page < last && region->taken[slot].index == page + 1) {
		for (order = next_order(region->taken[slot].order); order > 1; order--)
			if (aligned(page + 1, order) && page - first >= (1UL << order) - 1 &&
			    empty(region, page + 1 - (1UL << order), page)) {
				*index = page + 1 - (1UL << order);
				return order;
			}
	}
	return 0;
}

static void note_taken(struct rm_region *region, uint64_t index, unsigned int order)
{
	uint64_t slot = index / NOTE_SPAN % NOTES;

	region->taken[slot].index = index;
	region->taken[slot].order = order;
}

static int take_page(struct rm_region *region, uint64_t page)
{
	uint64_t index;
	unsigned int order = choose_order(region, page, &index);
	bool below = index != page;

	while (order && rm_room(region, PRIVHEAP_RESOURCE_RESIDENT) < 1UL << order)
		order = lower_order(order);
	index = below ? page + 1 - (1UL << order) : page;
	if (rm_charge(region, PRIVHEAP_RESOURCE_RESIDENT, 1UL << order, order))
		return -EDQUOT;
	add_pages(region, index, order);
	note_taken(region, index, order);
	for (unsigned int i = 0; i < region->levels; i++)
		region->level[i]->faults++;
	rm_raise_peaks(region);
	return 0;
}

int rm_touch(struct rm_region *region, uint64_t page, int prot)
{
	const struct rm_page *at = &region->page[page];

	if (!at->mapped || (at->prot & prot) != prot || !at->committed)
		return SIGSEGV;
	if (at->resident)
		return 0;
	return take_page(region, page) ? SIGBUS : 0;
}

/* munmap(): what nobody can reach any more goes. Holes may be in the range. */
void rm_unmap(struct rm_region *region, uint64_t first, uint64_t last)
{
	uint64_t page, end;

	/* One mapping after the other, each with all that it holds. */
	rm->unordered |= region->split;
	if (!first)
		region->findable = false;
	for (page = first; page <= last; page = end + 1) {
		end = page;
		if (!region->page[page].mapped)
			continue;
		while (end < last && region->page[end + 1].mapped)
			end++;
		for (uint64_t i = page; i <= end; i++)
			region->page[i].mapped = false;
		region->mapped -= end - page + 1;
		if (!region->mapped) {
			rm_remove(region);
			return;
		}
		rm_decommit(region, page, end);
	}
}

/* --- watches */

int rm_notify(struct rm_region *region, uint32_t resource, uint64_t threshold,
	      unsigned int eventfd, bool removal)
{
	struct rm_watch *unused = NULL;

	for (unsigned int i = 0; i < RM_WATCHES; i++) {
		struct rm_watch *watch = &region->watch[i];

		if (!watch->threshold) {
			unused = watch;
		} else if (watch->threshold == threshold && watch->resource == resource &&
			   watch->eventfd == eventfd) {
			if (!removal)
				return -EEXIST;
			watch->threshold = 0;
			region->watches--;
			return 0;
		}
	}
	if (removal)
		return -ENOENT;
	if (!unused)
		return -ENOSPC;
	unused->threshold = threshold;
	unused->resource = resource;
	unused->eventfd = eventfd;
	region->watches++;
	return 0;
}
