// SPDX-License-Identifier: GPL-2.0-only
/* Is the module as the model is? Counters, limits, pages, bytes and signals. */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "privheap_selftest.h"
#include "region_model.h"

/* The first failure is told; what follows from it is not. */
void rm_fail(const char *condition, int line, const char *format, ...)
{
	va_list arguments;
	size_t length;

	if (rm->failed)
		return;
	rm->failed = true;
	length = snprintf(rm->failure, sizeof(rm->failure),
			  "operation %" PRIu64 ", line %d, %s: ", rm->op, line, condition);
	if (length >= sizeof(rm->failure))
		return;
	va_start(arguments, format);
	vsnprintf(rm->failure + length, sizeof(rm->failure) - length, format, arguments);
	va_end(arguments);
}

int rm_fd(unsigned int actor)
{
	return rm_chance(4) ? rm->shared_fd : rm->actor[actor].fd;
}

static uint64_t query_limit(const struct rm_counter *counter, uint64_t most)
{
	uint64_t limit = rm_min(rm_limit_of(counter), most);

	return rm_min(limit, INT64_MAX / PAGE) * PAGE;
}

static void check_query(const char *whose, uint64_t id, const struct rm_subject *subject,
			uint64_t most, const struct privheap_query *query)
{
	const struct rm_counter *commit = &subject->counter[PRIVHEAP_RESOURCE_COMMIT];
	const struct rm_counter *resident = &subject->counter[PRIVHEAP_RESOURCE_RESIDENT];
	const struct {
		const char *name;
		uint64_t expected;
		uint64_t found;
	} values[] = {
		{ "id", id, query->out_id },
		{ "regions", subject->regions, query->out_regions },
		{ "reserved", subject->reserved * PAGE, query->out_reserved },
		{ "committed", commit->usage * PAGE, query->out_committed },
		{ "resident", resident->usage * PAGE, query->out_resident },
		{ "peak committed", commit->peak * PAGE, query->out_peak_committed },
		{ "peak resident", resident->peak * PAGE, query->out_peak_resident },
		{ "limit", query_limit(commit, most), query->out_limit },
		{ "faults", subject->faults, query->out_faults },
		{ "denials", subject->denials, query->out_denials },
	};

	for (unsigned int i = 0; i < sizeof(values) / sizeof(*values); i++)
		RM_CHECK(values[i].found == values[i].expected,
			 "%s %" PRIu64 ": %s is %" PRIu64 ", should be %" PRIu64, whose,
			 subject->id, values[i].name, values[i].found, values[i].expected);
}

void rm_check_region(unsigned int actor, struct rm_region *region)
{
	struct privheap_query query;
	int ret = ph_query(rm_fd(actor), region->base, 0, &query);

	if (!region->findable) {
		RM_CHECK(ret == -ENOENT, "query of %p without its first page: %d",
			 region->base, ret);
		return;
	}
	if (RM_CHECK(!ret, "query of region %" PRIu64 ": %d", region->id, ret))
		check_query("region", region->id, &region->own, region->pages, &query);
}

void rm_check_sums(unsigned int actor)
{
	struct privheap_query query;
	int ret;

	/* By the own device's file a process without regions is known, too. */
	ret = ph_query(rm_fd(actor), NULL, PRIVHEAP_QUERY_PROCESS, &query);
	if (RM_CHECK(!ret, "query of the process: %d", ret))
		check_query("process", 0, &rm->process[actor], RM_UNLIMITED, &query);
	ret = ph_query(rm_fd(actor), NULL, PRIVHEAP_QUERY_SYSTEM, &query);
	if (RM_CHECK(!ret, "query of the system: %d", ret))
		check_query("system", 0, &rm->system, RM_UNLIMITED, &query);
}

static uint64_t limit_bytes(uint64_t pages)
{
	return pages == RM_UNLIMITED ? PRIVHEAP_NO_LIMIT : pages * PAGE;
}

/* Those of a region, or of the process without one. */
void rm_check_limit(unsigned int actor, struct rm_region *region, unsigned int resource)
{
	const struct rm_subject *subject = region ? &region->own : &rm->process[actor];
	const struct rm_counter *counter = &subject->counter[resource];
	struct privheap_limit arg = {
		.size = sizeof(arg),
		.flags = region ? 0 : PRIVHEAP_LIMIT_PROCESS,
		.base = region ? TO_BASE(region->base) : 0,
		.resource = resource,
	};
	int ret = ph_ioctl(rm_fd(actor), PRIVHEAP_IOC_LIMIT, &arg);

	if (!RM_CHECK(!ret, "limits of level %u, %" PRIu64 ": %d", subject->level,
		      subject->id, ret))
		return;
	RM_CHECK(arg.out_soft == limit_bytes(counter->soft) &&
		 arg.out_hard == limit_bytes(counter->hard) &&
		 arg.out_reserve == counter->reserve * PAGE &&
		 arg.out_fail_nth == counter->fail_nth &&
		 arg.out_ceiling == limit_bytes(counter->ceiling) &&
		 arg.out_usage == counter->usage * PAGE &&
		 arg.out_peak == counter->peak * PAGE &&
		 arg.out_denials == counter->denials &&
		 arg.out_reserve_open == counter->open,
		 "level %u, %" PRIu64 ", resource %u: soft %llu %llu hard %llu %llu "
		 "reserve %llu %llu fail_nth %llu %llu ceiling %llu %llu peak %llu %llu "
		 "denials %llu %llu open %u %u", subject->level, subject->id, resource,
		 arg.out_soft, (unsigned long long)limit_bytes(counter->soft),
		 arg.out_hard, (unsigned long long)limit_bytes(counter->hard),
		 arg.out_reserve, (unsigned long long)counter->reserve * PAGE,
		 arg.out_fail_nth, (unsigned long long)counter->fail_nth,
		 arg.out_ceiling, (unsigned long long)limit_bytes(counter->ceiling),
		 arg.out_peak, (unsigned long long)counter->peak * PAGE,
		 arg.out_denials, (unsigned long long)counter->denials,
		 arg.out_reserve_open, counter->open);
}

/* Which pages there are, by mincore(2), where the region is mapped. */
void rm_check_pages(struct rm_region *region)
{
	static unsigned char there[RM_PAGES];
	uint64_t first = 0, end;

	while (first < region->pages) {
		bool mapped = region->page[first].mapped;

		for (end = first; end < region->pages && region->page[end].mapped == mapped;
		     end++)
			;
		if (mapped && !RM_CHECK(!mincore(region->base + first * PAGE,
						 (end - first) * PAGE, there + first),
					"mincore: %d", errno))
			return;
		for (; first < end; first++)
			if (mapped)
				RM_CHECK((there[first] & 1) == region->page[first].resident,
					 "region %" PRIu64 ", page %" PRIu64
					 " is there: %u, should be: %u", region->id, first,
					 there[first] & 1, region->page[first].resident);
	}
}

/* Each eventfd was signalled as often as thresholds were crossed. */
void rm_check_signals(unsigned int actor)
{
	struct rm_actor *own = &rm->actor[actor];

	/* One too many is found a little later. */
	if (!own->signals[0] && !own->signals[1] && !own->signals[2] && !rm_chance(16))
		return;
	for (unsigned int i = 0; i < RM_EVENTFDS; i++) {
		uint64_t found = 0;

		if (read(own->eventfd[i], &found, sizeof(found)) != sizeof(found))
			found = 0;
		RM_CHECK(found == own->signals[i],
			 "eventfd %u: %" PRIu64 " signals, should be %" PRIu64, i, found,
			 own->signals[i]);
		own->signals[i] = 0;
	}
}

/* --- bytes */

/* Of the number of the write and of the region; each word is another one. */
static uint64_t pattern(const struct rm_region *region, uint32_t content)
{
	return (region->id << 32 | content) * 0x9e3779b97f4a7c15 | 1;
}

void rm_fill(void *at, const struct rm_region *region, uint32_t content)
{
	uint64_t word = content ? pattern(region, content) : 0;
	uint64_t step = content ? 0x0001000200040007 : 0;
	uint64_t *words = at;

	for (unsigned int i = 0; i < PAGE / sizeof(word); i++)
		words[i] = word + i * step;
}

bool rm_check_bytes(const struct rm_region *region, uint64_t page, const void *at)
{
	uint32_t content = region->page[page].content;
	uint64_t word = content ? pattern(region, content) : 0;
	uint64_t step = content ? 0x0001000200040007 : 0;
	const uint64_t *words = at;
	unsigned int i = 0;

	while (i < PAGE / sizeof(word) && words[i] == word + i * step)
		i++;
	return RM_CHECK(i == PAGE / sizeof(word),
			"region %" PRIu64 ", page %" PRIu64 ", write %u: at %zu is %" PRIx64
			", should be %" PRIx64, region->id, page, content,
			i * sizeof(word), words[i], word + i * step);
}

/* Every byte that the actor can read. */
void rm_check_contents(unsigned int actor)
{
	for (unsigned int i = 0; i < RM_REGIONS && !rm->failed; i++) {
		const struct rm_region *region = &rm->region[i];

		if (!region->used || region->actor != actor)
			continue;
		for (uint64_t page = 0; page < region->pages; page++)
			if (region->page[page].resident && region->page[page].mapped &&
			    region->page[page].prot & PROT_READ &&
			    !rm_check_bytes(region, page, region->base + page * PAGE))
				break;
	}
}
