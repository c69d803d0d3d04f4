/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the tests of the heap's contents share: a pattern for every byte of a
 * block, random sizes, checks of whole heaps against what ought to be in them,
 * and reports that say how to see a failure again.
 *
 * Nothing here knows how the library keeps its blocks.
 */
#ifndef HEAP_MODEL_H
#define HEAP_MODEL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "win32_selftest.h"

/* A sanitizer or valgrind is there, which maps memory as it likes. */
bool model_under_tool(void);

/* Failures so far, in all threads. The first ones are shown. */
extern atomic_uint model_failures;

#define MODEL_FAIL(...) \
	model_fail(__FILE__, __LINE__, __VA_ARGS__)
void model_fail(const char *file, int line, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* A condition that must hold; the line tells which, what follows where. */
#define MODEL_CHECK(condition, ...) ({				\
	bool _holds = (condition);				\
								\
	if (!_holds)						\
		model_fail(__FILE__, __LINE__, __VA_ARGS__);	\
	_holds;							\
})

/* The number that an environment variable gives, or else @value. */
unsigned long model_option(const char *name, unsigned long value);

/* xorshift: the same numbers everywhere, so that a failure comes again. */
uint32_t model_random(uint64_t *state);

/* A number below @limit, which is not 0. */
static inline uint32_t model_below(uint64_t *state, uint32_t limit)
{
	return (uint64_t)model_random(state) * limit >> 32;
}

/* A seed of a block's contents, not 0. */
uint64_t model_seed(uint64_t *state);

/*
 * Contents: each byte depends on the seed of its block and on its offset, so
 * that a block may change its size without a new seed.
 */
void model_fill(void *block, SIZE_T from, SIZE_T to, uint64_t seed);

/* The first offset in the range that is not as it was filled; @to: none. */
SIZE_T model_differs(const void *block, SIZE_T from, SIZE_T to, uint64_t seed);

/* The first offset in the range that is not zero; @to: none. */
SIZE_T model_nonzero(const void *block, SIZE_T from, SIZE_T to);

/* A size of the mix: from 0 to @most, mostly small. */
SIZE_T model_size(uint64_t *state, SIZE_T most);

/* Last error and errno, before a call and after it. */
void model_set_stale(void);
bool model_is_stale(void);
bool model_has_error(DWORD error);

/**
 * struct model_walk - what a walk over a heap found
 * @blocks: live blocks
 * @bytes: sum of their sizes
 * @addresses: exclusive or of their addresses
 */
struct model_walk {
	uint64_t blocks;
	uint64_t bytes;
	uintptr_t addresses;
};

/* Called for every live block of a walk. */
typedef void (*model_visit)(void *arg, void *block, SIZE_T size);

/*
 * Walks a heap that nobody changes meanwhile; false: the walk itself broke its
 * rules. Only where there is a HeapWalk().
 */
bool model_walk_heap(HANDLE heap, model_visit visit, void *arg,
		     struct model_walk *walk);

/* Regions of the whole process; ~0 when that cannot be asked. */
uint64_t model_process_regions(void);

#endif /* HEAP_MODEL_H */
