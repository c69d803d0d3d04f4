/* SPDX-License-Identifier: MIT */
/*
 * Slabs: runs of slots of one size. A slab is one block of the heap's back end;
 * everything that is known of it lies elsewhere, out of reach of a program that
 * writes beyond a block's end.
 *
 * All functions want the heap's lock.
 */
#ifndef PRIVHEAP_SRC_SLAB_H
#define PRIVHEAP_SRC_SLAB_H

#include "size_class.h"

#define SLAB_SLOTS	512
#define SLAB_WORDS	(SLAB_SLOTS / 64)

/* Slabs are found by pages of this many bytes; a slab is not smaller. */
#define SLAB_PAGE_SHIFT	12
#define SLAB_PAGE	((size_t)1 << SLAB_PAGE_SHIFT)

struct front;

/**
 * struct slab - one slab
 * @first: granule where the first slot begins
 * @next: in a list, the number of the next slab, or 0
 * @prev: likewise
 * @slots: how many there are
 * @free: how many are free, and neither in a cache nor in a depot
 * @class: size class of the slots; 0 in a slab that is not in use
 * @bits: a bit for each slot, set when it is free
 */
struct slab {
	uint32_t first;
	uint32_t next;
	uint32_t prev;
	uint16_t slots;
	uint16_t free;
	uint8_t class;
	uint64_t bits[SLAB_WORDS];
};

/**
 * struct slab_page - which slabs are in a page
 * @begins: the slab that begins here, or 0; there is at most one
 * @covers: the slab that lies over the beginning of the page, or 0
 */
struct slab_page {
	uint32_t begins;
	uint32_t covers;
};

/* The slab over a granule, or NULL. */
struct slab *slab_find(const struct front *front, unsigned long granule);

/* The slot's number that begins at this granule of the slab, or -1. */
static inline int slab_slot(const struct slab *slab, unsigned long granule)
{
	unsigned long distance = granule - slab->first;
	unsigned long slot = distance *
			     (uint64_t)class_reciprocal[slab->class] >> 32;

	return slot * (class_size(slab->class) / GRANULE) == distance ?
	       (int)slot : -1;
}

static inline bool slab_slot_is_free(const struct slab *slab, unsigned int slot)
{
	return slab->bits[slot / 64] >> (slot % 64) & 1;
}

/*
 * Takes up to @count free slots, from slabs that there are. Each @number begins
 * elsewhere in a slab: threads that share a slab would else have slots side by
 * side, and write to the same cache lines of the map all the time.
 */
unsigned int slab_take(struct front *front, unsigned int class,
		       uint32_t *entries, unsigned int count,
		       unsigned int number);

/* Makes a slab; false: no memory, or such slots are too large for the heap. */
bool slab_create(struct front *front, unsigned int class);

/* Gives slots back. Slabs that get empty stay for now. */
void slab_put(struct front *front, const uint32_t *entries, unsigned int count);

/* Gives all empty slabs to the back end. */
void slab_release_empty(struct front *front);

/* Counts and links anew, by what the slabs' bits say. */
void slab_repair(struct front *front);

/* Whether what is known of the slabs is in order. */
bool slab_check(const struct front *front);

#endif /* PRIVHEAP_SRC_SLAB_H */
