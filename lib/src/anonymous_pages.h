/* SPDX-License-Identifier: MIT */
/*
 * A region without the module, and the pages of it: which are committed, and
 * how they become so and cease to be. The caller keeps threads apart, and sees
 * to limits and counters.
 */
#ifndef PRIVHEAP_SRC_ANONYMOUS_PAGES_H
#define PRIVHEAP_SRC_ANONYMOUS_PAGES_H

#include "quota.h"
#include "anonymous_watch.h"
#include "common.h"

#define ANON_WORD_BITS	(8 * sizeof(unsigned long))

/**
 * struct anon_region - what is known of one region
 * @next: in its bucket
 * @base: its address
 * @id: its number
 * @length: bytes of this struct, which has a mapping of its own
 * @prot: protection of committed pages
 * @reserved: bytes
 * @quota: of what is committed, the pages whose bit is set
 * @peak_resident: bytes, the highest that a query saw
 * @watches: thresholds
 * @bits: a bit for each page: committed
 */
struct anon_region {
	struct anon_region *next;
	char *base;
	uint64_t id;
	size_t length;
	int prot;
	size_t reserved;
	struct quota quota;
	size_t peak_resident;
	struct watch_list watches;
	unsigned long bits[];
};

static inline bool anon_is_set(const struct anon_region *region, size_t page)
{
	return region->bits[page / ANON_WORD_BITS] >>
	       (page % ANON_WORD_BITS) & 1;
}

/* The end of the run of pages from @page, before @end, that are as @page is. */
size_t anon_run(const struct anon_region *region, size_t page, size_t end);

void anon_mark(struct anon_region *region, size_t page, size_t end, bool set);

/*
 * Makes a range as it was when it was reserved, without page and content.
 * Returns 0 or -errno, as all below.
 */
int anon_unback(struct anon_region *region, size_t page, size_t end);

/* Makes the pages of a range that are not marked accessible, or the reverse. */
int anon_back(struct anon_region *region, size_t first, size_t end,
	      bool accessible);

/* Takes the pages of a range that is accessible. */
int anon_populate(struct anon_region *region, size_t page, size_t end);

/* Bytes that have a page now. */
size_t anon_resident(const struct anon_region *region);

#endif /* PRIVHEAP_SRC_ANONYMOUS_PAGES_H */
