/* SPDX-License-Identifier: MIT */
/*
 * What VirtualAlloc() has reserved: a table sorted by address. The caller keeps
 * threads apart; a pointer into the table is good until the next add or remove.
 */
#ifndef PRIVHEAP_SRC_RESERVATIONS_H
#define PRIVHEAP_SRC_RESERVATIONS_H

#include "runs.h"

/**
 * struct reservation - a range that VirtualAlloc() has reserved
 * @base: its first byte, a multiple of the allocation granularity
 * @size: its bytes
 * @region: the region that it lies in; the rest of that is nobody's
 * @length: bytes of the region
 * @protect: PAGE_*, as it was reserved
 * @executable: the region was made executable
 * @mixed: mprotect(2) was used in it: pages that are committed anew can have
 *	any protection
 * @runs: what is committed, in pages from @base
 */
struct reservation {
	uintptr_t base;
	size_t size;
	uintptr_t region;
	size_t length;
	uint32_t protect;
	bool executable;
	bool mixed;
	struct runs runs;
};

/* The reservation that holds this address, or NULL. */
struct reservation *reservations_find(uintptr_t address);

/*
 * Whether an address lies in a region of ours but outside of its reservation;
 * if so, @end is the end of that.
 */
bool reservations_between(uintptr_t address, uintptr_t *end);

/*
 * The end of the region of ours before an address and the start of the one
 * after it, 0 and UINTPTR_MAX if there is none; the address is in none.
 */
void reservations_around(uintptr_t address, uintptr_t *low, uintptr_t *high);

/* false: no memory */
bool reservations_add(const struct reservation *reservation);

void reservations_remove(struct reservation *reservation);

/* Empties the table in a child of fork. */
void reservations_forget(void);

#endif /* PRIVHEAP_SRC_RESERVATIONS_H */
