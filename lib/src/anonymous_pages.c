// SPDX-License-Identifier: MIT
/* The pages of a region without the module: see anonymous_pages.h. */
#include <errno.h>
#include <sys/mman.h>

#include "anonymous_pages.h"

/* Linux 5.14, not in every header */
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE	23
#endif

/* The bits of the word of @page that stand for pages from there to @end. */
static unsigned long anon_mask(size_t page, size_t end)
{
	size_t word_end = (page | (ANON_WORD_BITS - 1)) + 1;
	unsigned long mask = ~0UL << (page % ANON_WORD_BITS);

	if (end < word_end)
		mask &= ~0UL >> (word_end - end);
	return mask;
}

size_t anon_run(const struct anon_region *region, size_t page, size_t end)
{
	unsigned long same = anon_is_set(region, page) ? ~0UL : 0, other;

	while (page < end) {
		other = (region->bits[page / ANON_WORD_BITS] ^ same) &
			anon_mask(page, end);
		page &= ~(ANON_WORD_BITS - 1);
		if (other)
			return page + __builtin_ctzl(other);
		page += ANON_WORD_BITS;
	}
	return end;
}

void anon_mark(struct anon_region *region, size_t page, size_t end, bool set)
{
	for (; page < end; page = (page | (ANON_WORD_BITS - 1)) + 1) {
		unsigned long *word = &region->bits[page / ANON_WORD_BITS];

		if (set)
			*word |= anon_mask(page, end);
		else
			*word &= ~anon_mask(page, end);
	}
}

int anon_unback(struct anon_region *region, size_t page, size_t end)
{
	char *start = region->base + page * page_size();
	size_t length = (end - page) * page_size();

	if (mmap(start, length, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS |
		 MAP_NORESERVE | MAP_FIXED, -1, 0) == MAP_FAILED)
		return -ENOMEM;
	madvise(start, length, MADV_DONTFORK);
	return 0;
}

int anon_back(struct anon_region *region, size_t first, size_t end,
	      bool accessible)
{
	size_t page, next;
	int err = 0;

	for (page = first; page < end && !err; page = next) {
		next = anon_run(region, page, end);
		if (anon_is_set(region, page))
			continue;
		if (!accessible)
			err = anon_unback(region, page, next);
		else if (mprotect(region->base + page * page_size(),
				  (next - page) * page_size(), region->prot))
			err = errno == EACCES ? -EPERM : -ENOMEM;
	}
	return err;
}

int anon_populate(struct anon_region *region, size_t page, size_t end)
{
	char *start = region->base + page * page_size();
	size_t length = (end - page) * page_size();
	size_t i;

	if (!madvise(start, length, MADV_POPULATE_WRITE))
		return 0;
	if (errno != EINVAL)
		return -ENOMEM;
	/* A kernel that does not know how. Others may be writing there. */
	for (i = 0; i < length; i += page_size())
		__atomic_fetch_add(start + i, 0, __ATOMIC_RELAXED);
	return 0;
}

size_t anon_resident(const struct anon_region *region)
{
	size_t end = region->reserved / page_size();
	size_t page, next, pages, i, resident = 0;
	unsigned char vec[1024];

	for (page = 0; page < end; page = next) {
		next = anon_run(region, page, end);
		if (!anon_is_set(region, page))
			continue;
		for (; page < next; page += pages) {
			pages = next - page;
			if (pages > sizeof(vec))
				pages = sizeof(vec);
			if (mincore(region->base + page * page_size(),
				    pages * page_size(), vec))
				continue;
			for (i = 0; i < pages; i++)
				resident += vec[i] & 1;
		}
	}
	return resident * page_size();
}
