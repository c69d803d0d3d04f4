/* SPDX-License-Identifier: MIT */
/*
 * Which pages inside a range were given back to the system. A bit a page, kept
 * outside the range and made when the first page goes: a heap that never gave
 * any back pays nothing, and an address inside a hole, which must not be
 * touched, is told from one that may be.
 */
#ifndef PRIVHEAP_SRC_HOLES_H
#define PRIVHEAP_SRC_HOLES_H

#include "common.h"

#define HOLES_WORD_BITS	(8 * sizeof(unsigned long))

/**
 * struct holes - the pages of a range that are gone
 * @base: start of the range, at a page
 * @map: a bit a page: gone; NULL while none ever was
 * @length: bytes of @map
 * @shift: logarithm of the page size
 * @gone: bytes of all pages that are gone
 */
struct holes {
	char *base;
	unsigned long *map;
	size_t length;
	unsigned int shift;
	size_t gone;
};

void holes_init(struct holes *holes, char *base);
void holes_exit(struct holes *holes);

/* Makes the map for a range of @bytes; false: no memory. */
bool holes_prepare(struct holes *holes, size_t bytes);

/* Whether the page of @at, an address in the range, is gone. */
static inline bool holes_has(const struct holes *holes, const void *at)
{
	size_t page;

	if (likely(!holes->map))
		return false;
	page = (size_t)((const char *)at - holes->base) >> holes->shift;
	return holes->map[page / HOLES_WORD_BITS] >>
	       (page % HOLES_WORD_BITS) & 1;
}

/*
 * For the pages that the bytes from @start to @end lie in: the first that is
 * gone, or NULL; the bytes of those that are; notes that they all are, or that
 * none is, and returns by how many bytes that changed what is gone.
 */
char *holes_first(const struct holes *holes, const char *start,
		  const char *end);
size_t holes_count(const struct holes *holes, const char *start,
		   const char *end);
size_t holes_add(struct holes *holes, const char *start, const char *end);
size_t holes_remove(struct holes *holes, const char *start, const char *end);

#endif /* PRIVHEAP_SRC_HOLES_H */
