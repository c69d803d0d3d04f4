// SPDX-License-Identifier: MIT
/* Which pages inside a range were given back: see holes.h. */
#include <string.h>
#include <sys/mman.h>

#include "holes.h"

void holes_init(struct holes *holes, char *base)
{
	memset(holes, 0, sizeof(*holes));
	holes->base = base;
	holes->shift = __builtin_ctzl(page_size());
}

void holes_exit(struct holes *holes)
{
	if (holes->map)
		munmap(holes->map, holes->length);
	holes->map = NULL;
}

bool holes_prepare(struct holes *holes, size_t bytes)
{
	size_t words = (bytes >> holes->shift) / HOLES_WORD_BITS + 1;
	size_t length;
	void *map;

	if (holes->map)
		return true;
	if (!page_round_up(words * sizeof(*holes->map), &length))
		return false;
	map = mmap(NULL, length, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (map == MAP_FAILED)
		return false;
	/* A child of fork has not the range, and needs no map of it. */
	madvise(map, length, MADV_DONTFORK);
	holes->map = map;
	holes->length = length;
	return true;
}

static size_t holes_page(const struct holes *holes, const char *at)
{
	return (size_t)(at - holes->base) >> holes->shift;
}

/* The bits of the word of @page that stand for pages before @end. */
static unsigned long holes_mask(size_t page, size_t end)
{
	size_t word_end = (page | (HOLES_WORD_BITS - 1)) + 1;
	unsigned long mask = ~0UL << (page % HOLES_WORD_BITS);

	if (end < word_end)
		mask &= ~0UL >> (word_end - end);
	return mask;
}

char *holes_first(const struct holes *holes, const char *start,
		  const char *end)
{
	size_t page, last;
	unsigned long found;

	if (!holes->map || start >= end)
		return NULL;
	last = holes_page(holes, end - 1) + 1;
	for (page = holes_page(holes, start); page < last;
	     page = (page | (HOLES_WORD_BITS - 1)) + 1) {
		found = holes->map[page / HOLES_WORD_BITS] &
			holes_mask(page, last);
		if (found) {
			page &= ~(HOLES_WORD_BITS - 1);
			page += __builtin_ctzl(found);
			return holes->base + (page << holes->shift);
		}
	}
	return NULL;
}

/* Only called where something is gone, so there is a map. */
size_t holes_count(const struct holes *holes, const char *start,
		   const char *end)
{
	size_t page, last = holes_page(holes, end - 1) + 1, count = 0;

	for (page = holes_page(holes, start); page < last;
	     page = (page | (HOLES_WORD_BITS - 1)) + 1)
		count += __builtin_popcountl(holes->map[page / HOLES_WORD_BITS] &
					     holes_mask(page, last));
	return count << holes->shift;
}

static size_t holes_set(struct holes *holes, const char *start,
			const char *end, bool set)
{
	size_t page, last, changed = 0;

	if (!holes->map || start >= end)
		return 0;
	last = holes_page(holes, end - 1) + 1;
	for (page = holes_page(holes, start); page < last;
	     page = (page | (HOLES_WORD_BITS - 1)) + 1) {
		unsigned long *word = &holes->map[page / HOLES_WORD_BITS];
		unsigned long mask = holes_mask(page, last);

		mask &= set ? ~*word : *word;
		changed += __builtin_popcountl(mask);
		if (mask)	/* a word not written to may have no page */
			*word ^= mask;
	}
	return changed << holes->shift;
}

size_t holes_add(struct holes *holes, const char *start, const char *end)
{
	size_t bytes = holes_set(holes, start, end, true);

	holes->gone += bytes;
	return bytes;
}

size_t holes_remove(struct holes *holes, const char *start, const char *end)
{
	size_t bytes = holes_set(holes, start, end, false);

	holes->gone -= bytes;
	return bytes;
}
