// SPDX-License-Identifier: MIT
/* The committed pages of a reservation: see runs.h. */
#include <string.h>
#include <sys/mman.h>

#include "runs.h"

static struct run *runs_all(struct runs *runs)
{
	return runs->mapped ? runs->mapped : runs->inside;
}

/* The index of the first run that ends after @page. */
static size_t runs_search(const struct runs *runs, size_t page)
{
	const struct run *all = runs->mapped ? runs->mapped : runs->inside;
	size_t low = 0, high = runs->count, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (all[middle].end > page)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

struct run runs_at(const struct runs *runs, size_t page, size_t end)
{
	const struct run *all = runs->mapped ? runs->mapped : runs->inside;
	size_t i = runs_search(runs, page);
	struct run hole = { .first = i ? all[i - 1].end : 0, .end = end };

	if (i < runs->count) {
		if (all[i].first <= page)
			return all[i];
		hole.end = all[i].first;
	}
	return hole;
}

bool runs_make_room(struct runs *runs)
{
	size_t room = runs->mapped ? runs->room : RUNS_INSIDE;
	size_t length = room * sizeof(struct run), longer = page_size();
	void *memory;

	/* A set that falls in the middle of a run makes three of it. */
	if (runs->count + 2 <= room)
		return true;

	if (!runs->mapped) {
		memory = mmap(NULL, longer, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (memory == MAP_FAILED)
			return false;
		/* A child has no reservations. */
		madvise(memory, longer, MADV_DONTFORK);
		memcpy(memory, runs->inside, runs->count * sizeof(struct run));
	} else {
		page_round_up(length, &length);
		longer = 2 * length;
		memory = mremap(runs->mapped, length, longer, MREMAP_MAYMOVE);
		if (memory == MAP_FAILED)
			return false;
	}
	runs->mapped = memory;
	runs->room = longer / sizeof(struct run);
	return true;
}

/* Makes a run begin at @page if that is in the middle of one. */
static void runs_cut(struct runs *runs, size_t page)
{
	struct run *all = runs_all(runs);
	size_t i = runs_search(runs, page);

	if (i == runs->count || all[i].first >= page)
		return;
	memmove(&all[i + 1], &all[i], (runs->count - i) * sizeof(*all));
	all[i].end = page;
	all[i + 1].first = page;
	runs->count++;
}

/* Makes one of a run and the one before it, if they are alike and touch. */
static void runs_join(struct runs *runs, size_t i)
{
	struct run *all = runs_all(runs);

	if (!i || i >= runs->count || all[i - 1].end != all[i].first ||
	    all[i - 1].protect != all[i].protect)
		return;
	all[i - 1].end = all[i].end;
	runs->count--;
	memmove(&all[i], &all[i + 1], (runs->count - i) * sizeof(*all));
}

void runs_set(struct runs *runs, size_t first, size_t end, uint32_t protect)
{
	struct run *all = runs_all(runs);
	size_t from, to, kept = protect ? 1 : 0;

	runs_cut(runs, first);
	runs_cut(runs, end);
	from = runs_search(runs, first);
	for (to = from; to < runs->count && all[to].first < end; to++)
		;
	memmove(&all[from + kept], &all[to],
		(runs->count - to) * sizeof(*all));
	runs->count = runs->count - (to - from) + kept;
	if (!protect)
		return;
	all[from] = (struct run){ first, end, protect };
	runs_join(runs, from + 1);
	runs_join(runs, from);
}

void runs_release(struct runs *runs)
{
	size_t length;

	if (runs->mapped) {
		page_round_up(runs->room * sizeof(struct run), &length);
		munmap(runs->mapped, length);
	}
	*runs = (struct runs){};
}
