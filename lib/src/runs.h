/* SPDX-License-Identifier: MIT */
/*
 * Which pages of a reservation are committed, and with which protection: the
 * runs of such pages, sorted. The caller keeps threads apart.
 */
#ifndef PRIVHEAP_SRC_RUNS_H
#define PRIVHEAP_SRC_RUNS_H

#include "common.h"

/**
 * struct run - pages that are alike
 * @first: the first page
 * @end: the page after the last one
 * @protect: PAGE_*; 0: the pages are not committed
 */
struct run {
	size_t first;
	size_t end;
	uint32_t protect;
};

/* As many as a reservation of one run needs, see runs_make_room(). */
#define RUNS_INSIDE	3

/**
 * struct runs - the committed pages of a reservation
 * @mapped: the runs, where they are more than fit in @inside; else NULL
 * @count: number of runs; those that touch differ in protection
 * @room: how many runs there is memory for, 0: that of @inside
 * @inside: the runs otherwise. Most reservations have one, and need no memory
 *	of their own for it.
 */
struct runs {
	struct run *mapped;
	size_t count;
	size_t room;
	struct run inside[RUNS_INSIDE];
};

/* The longest run of pages before @end that are as @page is, with @page in it. */
struct run runs_at(const struct runs *runs, size_t page, size_t end);

/* Memory for one runs_set(); false: there is none. */
bool runs_make_room(struct runs *runs);

/* Sets what a range is; needs runs_make_room() before, and cannot fail then. */
void runs_set(struct runs *runs, size_t first, size_t end, uint32_t protect);

/* Gives the memory back. */
void runs_release(struct runs *runs);

#endif /* PRIVHEAP_SRC_RUNS_H */
