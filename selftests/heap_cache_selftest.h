/* SPDX-License-Identifier: GPL-2.0-only */
/* A heap that threads work on, each with blocks of its own that it looks after. */
#ifndef HEAP_CACHE_SELFTEST_H
#define HEAP_CACHE_SELFTEST_H

#include <limits.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <privheap/heapapi.h>

#include "patient_harness.h"

#define BLOCKS	64

/* Seconds, for machines that are slow or busy. */
#define PATIENCE	180

static HANDLE shared;
static atomic_int stop;
static atomic_int damaged;

/* Of each thread; fewer where a tool makes each of them slow. */
static inline unsigned int rounds(void)
{
	const char *wanted = getenv("PRIVHEAP_CACHE_ROUNDS");

	return wanted ? strtoul(wanted, NULL, 10) : 300000;
}

static inline unsigned int next_random(unsigned int *state)
{
	*state = *state * 1103515245 + 12345;
	return *state >> 8;
}

static inline SIZE_T random_size(unsigned int *state)
{
	unsigned int r = next_random(state);

	return r % 8 ? r / 8 % 1024 : r / 8 % 20000;
}

static inline bool holds(const unsigned char *block, SIZE_T size, int value)
{
	return !size || (block[0] == value && block[size - 1] == value &&
			 block[size / 2] == value);
}

/* Keeps some blocks, each full of its own value; counts what is not so. */
static inline void exercise(HANDLE heap, unsigned int seed, unsigned int rounds)
{
	unsigned char *block[BLOCKS] = {};
	SIZE_T size[BLOCKS];
	unsigned int state = seed, i;

	while (rounds-- && !atomic_load(&stop)) {
		i = next_random(&state) % BLOCKS;
		if (block[i]) {
			if (!holds(block[i], size[i], (seed + i) & 0xff) ||
			    HeapSize(heap, 0, block[i]) != size[i] ||
			    HeapFree(heap, 0, block[i]) != TRUE)
				atomic_fetch_add(&damaged, 1);
			block[i] = NULL;
			continue;
		}
		size[i] = random_size(&state);
		block[i] = HeapAlloc(heap, 0, size[i]);
		if (!block[i]) {
			atomic_fetch_add(&damaged, 1);
			continue;
		}
		memset(block[i], (seed + i) & 0xff, size[i]);
	}
	for (i = 0; i < BLOCKS; i++)
		if (block[i] && HeapFree(heap, 0, block[i]) != TRUE)
			atomic_fetch_add(&damaged, 1);
}

static inline SIZE_T blocks_of(HANDLE heap)
{
	PRIVHEAP_USAGE usage = { .cb = sizeof(usage) };

	return PrivheapQueryHeap(heap, &usage) ? usage.cBlocks : (SIZE_T)-1;
}

FIXTURE(cache) {};

FIXTURE_SETUP(cache)
{
	atomic_store(&stop, 0);
	atomic_store(&damaged, 0);
	shared = HeapCreate(0, 0, 0);
	ASSERT_NE(NULL, shared);
}

FIXTURE_TEARDOWN(cache)
{
	EXPECT_EQ(0, atomic_load(&damaged));
	EXPECT_EQ(TRUE, HeapValidate(shared, 0, NULL));
	EXPECT_EQ(TRUE, HeapDestroy(shared));
}

static inline void *exerciser(void *arg)
{
	exercise(shared, (uintptr_t)arg, rounds());
	return NULL;
}

static inline void *exerciser_until_stop(void *arg)
{
	exercise(shared, (uintptr_t)arg, UINT_MAX);
	return NULL;
}

#endif /* HEAP_CACHE_SELFTEST_H */
