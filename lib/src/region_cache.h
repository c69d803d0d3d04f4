/* SPDX-License-Identifier: MIT */
/*
 * First regions of heaps that were destroyed, kept for the next ones. Off until
 * the program asks for it: what is kept stays accessible.
 *
 * All of them are of one kind: HEAP_RESERVE bytes without the guard, not
 * executable, and the first page committed and nothing else. What that page
 * holds is anybody's guess.
 */
#ifndef PRIVHEAP_SRC_REGION_CACHE_H
#define PRIVHEAP_SRC_REGION_CACHE_H

#include "common.h"

/* The most that there can be. */
#define REGION_CACHE_MAX	64

/* How many to keep, at most REGION_CACHE_MAX; returns how many it was before. */
unsigned int region_cache_limit(unsigned int limit);

/* Whether region_cache_put() may succeed: worth the work before it. */
bool region_cache_wants(void);

/* Keeps a region; false: there are enough, and it is the caller's as before. */
bool region_cache_put(void *base);

/* One of them, the one that came last; NULL: there is none. */
void *region_cache_take(void);

/* Gives all back to the system; false: there was none. */
bool region_cache_release(void);

/* In a child of fork, which has none of them. */
void region_cache_forget(void);

#endif /* PRIVHEAP_SRC_REGION_CACHE_H */
