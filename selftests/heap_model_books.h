/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The books of heap_model_test.c: which blocks there are in which heaps, where,
 * how large and with what contents; and whether the heaps agree.
 */
#ifndef HEAP_MODEL_BOOKS_H
#define HEAP_MODEL_BOOKS_H

#include "heap_model.h"

#define MAX_HEAPS	64
#define MAX_LIVE	16384
#define MAX_BYTES	(48 * MIB)	/* of live blocks: guests are small */
#define TABLE_SIZE	(4 * MAX_LIVE)
#define RECENT		256

struct block {
	unsigned char *at;
	SIZE_T size;
	uint64_t seed;		/* 0: never written to */
	unsigned int heap;
	uint32_t seen;		/* number of the walk that met it */
};

struct heap_state {
	HANDLE handle;
	SIZE_T maximum;		/* 0: grows */
	SIZE_T largest;		/* what a fixed heap serves when it is empty */
	DWORD options;
	uint64_t blocks;
	uint64_t bytes;
};

struct model {
	uint64_t random;
	uint64_t op;
	uint32_t walks;
	unsigned int heaps;
	struct heap_state heap[MAX_HEAPS];
	unsigned int live;
	uint64_t bytes;
	bool growing;
	struct block block[MAX_LIVE];
	uint32_t table[TABLE_SIZE];	/* index of a block + 1, by address */
	struct {
		void *at;
		unsigned int heap;
	} recent[RECENT];		/* freed last */
	uint64_t refused;
	uint64_t bad;
};

extern struct model model;

/* To describe a heap, or a block, in a report. */
#define IN_HEAP	"operation %" PRIu64 ", heap %u: "
#define AT	"operation %" PRIu64 ", heap %u, block %p of %zu"
#define AT_OF(b) model.op, (b)->heap, (b)->at, (b)->size

static inline uint32_t below(uint32_t limit)
{
	return model_below(&model.random, limit);
}

/* The live block at this address, of whatever heap; NULL: none. */
struct block *model_find(const void *at);

void model_add(unsigned int heap, void *at, SIZE_T size, uint64_t seed);

/* The place of @block in the array is then another block's. */
void model_remove(struct block *block);

/* Reports are failures: see heap_model.h. */
void check_size(const struct block *block);
void check_bytes(const struct block *block, SIZE_T from, SIZE_T to);

/* Size, both ends, and a piece of the middle. */
void check_some(const struct block *block);

/* Counters, and every block of every heap, by a walk. */
void check_all(void);

#endif /* HEAP_MODEL_BOOKS_H */
