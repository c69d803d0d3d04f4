/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Heaps and blocks of which it is known what they must be, while calls that the
 * library makes fail.
 */
#ifndef HEAP_FAIL_BOOKS_H
#define HEAP_FAIL_BOOKS_H

#include "heap_fail_inject.h"
#include "heap_model.h"

#define MAX_BLOCKS	64
#define MAX_HEAPS	4

/**
 * struct tracked - a block
 * @at: where it is; NULL: there is none
 * @size: bytes
 * @seed: of its contents
 * @heap: index of its heap
 */
struct tracked {
	unsigned char *at;
	SIZE_T size;
	uint64_t seed;
	unsigned int heap;
};

/**
 * struct books - what there must be
 * @heap: heaps, or NULL
 * @block: blocks
 * @next_seed: of the next block
 * @before: injections before the call that is made now
 */
struct books {
	HANDLE heap[MAX_HEAPS];
	struct tracked block[MAX_BLOCKS];
	uint64_t next_seed;
	unsigned long before;
};

extern struct books books;

/* For reports: which call fails. */
#define WHERE	"error %d at call %lu%s: "
#define HERE	inject.error, inject.nth, inject.on ? " and all later ones" : ""

/*
 * Checks sizes, counters and contents. Of large blocks both ends are enough
 * where the whole is looked at later.
 */
void track_check(bool whole);

/*
 * Calls of the library on heap @h and block @i, which may fail if something was
 * refused meanwhile, or if they are @meant to; but must be right in what they
 * say, and change nothing then. Nothing happens where there is no such heap.
 */
void track_create(unsigned int h, DWORD options, SIZE_T initial, SIZE_T maximum);
void track_destroy(unsigned int h);
void track_alloc(unsigned int h, unsigned int i, SIZE_T size, bool meant);
void track_resize(unsigned int i, SIZE_T size, DWORD flags);
void track_release(unsigned int i);

#endif /* HEAP_FAIL_BOOKS_H */
