/* SPDX-License-Identifier: MIT */
/*
 * Size classes: the sizes of slots that slabs are cut into.
 *
 * Classes 1 to 31 are the small ones, up to 1 KiB: steps of 16 bytes to 256, of
 * 32 to 512, of 64 to 1,024. Above, eight classes for each doubling, up to
 * 64 KiB. There is no slot of 16 bytes: the two map bytes that describe a block
 * must be its own.
 *
 * A block in a slot is described by map bytes, one for each 16 bytes (granule)
 * of the heap: the byte of its first granule is CLASS_LIVE | class. The next one
 * holds a small block's slack, the bytes of the slot beyond what the program
 * asked for; the next three the size of a larger one, less 1, in groups of seven
 * bits. So a byte with CLASS_LIVE set is the beginning of a live block, and
 * nothing else.
 */
#ifndef PRIVHEAP_SRC_SIZE_CLASS_H
#define PRIVHEAP_SRC_SIZE_CLASS_H

#include <string.h>

#include "common.h"

#define GRANULE		((size_t)16)
#define CLASS_COUNT	80		/* 0 is no class */
#define CLASS_SMALL	31		/* the last small one */
#define CLASS_LIVE	0x80u

#define SMALL_MAX	((size_t)1024)
#define SLOT_MAX	((size_t)65536)

/* A small block's slack of this or more: the size is in the slot's last bytes. */
#define SLACK_FAR	64u

/**
 * struct class_tables - what the fast paths look up; each front has a copy, at a
 *	fixed distance from its map, so that one address does for both
 * @small: map bytes of a new small block, by its size: tag in the low, slack in
 *	the high
 * @slots: bytes of a small slot, by tag; -1 for what is no tag of one
 * @medium: map bytes of a new larger block, by (size - 1) / 128, less 256 times
 *	the size. Of 128 sizes in a row only the seven bits differ that begin at
 *	256: so the sum of this and 256 times the size has them right, whatever
 *	the size's other bits do to it, for these are in the table as well
 */
struct class_tables {
	uint16_t small[SMALL_MAX + 1];
	int16_t slots[256];
	uint32_t medium[SLOT_MAX / 128];
};

extern struct class_tables class_tables;

/* Bytes of a slot, by tag: only entries from CLASS_LIVE on mean something. */
extern uint32_t class_slot_size[256];

/* ceil(2^32 / granules of a slot), by class: to divide by multiplying. */
extern uint32_t class_reciprocal[CLASS_COUNT];

/* Fills the tables; idempotent, before anything else here. */
void class_init(void);

/* The class for @size, at most SLOT_MAX. */
static inline unsigned int class_of(size_t size)
{
	return (size <= SMALL_MAX ? class_tables.small[size] :
				    class_tables.medium[(size - 1) / 128]) &
	       (CLASS_LIVE - 1);
}

static inline size_t class_size(unsigned int class)
{
	return class_slot_size[CLASS_LIVE | class];
}

/* The map bytes of a block of any class: two if it is small, or else four. */
static inline uint32_t class_mark_of(unsigned int class, size_t size)
{
	size_t slack = class_size(class) - size;

	if (class > CLASS_SMALL) {
		/* The fourth byte has what is more, after a shrink in place. */
		return CLASS_LIVE | class | ((size - 1) & 0x7f) << 8 |
		       ((size - 1) & 0x3f80) << 9 | slack >> 14 << 24;
	}
	if (slack > SLACK_FAR)
		slack = SLACK_FAR;
	return CLASS_LIVE | class | slack << 8;
}

/* Whether a small block's size is in the slot's last bytes. */
static inline bool class_mark_is_far(uint32_t mark)
{
	return mark >> 8 == SLACK_FAR;
}

/*
 * The size of the block that these two map bytes are of; negative: they do not say
 * it, or there is none.
 */
static inline long class_near_size(const struct class_tables *tables, size_t tag,
				   size_t slack)
{
	return slack & SLACK_FAR ? -1 : tables->slots[tag] - (long)slack;
}

static inline char *class_far(unsigned int class, char *block)
{
	return block + class_size(class) - sizeof(uint32_t);
}

/* Says in the map that a slot holds a live block of @size bytes. */
static inline void class_mark(uint8_t *map, unsigned int class, size_t size,
			      char *block)
{
	uint32_t mark = class_mark_of(class, size), far = size;
	uint16_t small = mark;

	if (class > CLASS_SMALL) {
		memcpy(map, &mark, sizeof(mark));
		return;
	}
	if (class_mark_is_far(mark))
		memcpy(class_far(class, block), &far, sizeof(far));
	memcpy(map, &small, sizeof(small));
}

/* The bytes that were asked for, of any live block. */
static inline size_t class_block_size(const uint8_t *map, const char *block)
{
	size_t slot = class_slot_size[map[0]];
	long near = class_near_size(&class_tables, map[0], map[1]);
	uint32_t far;

	if (near >= 0)
		return near;
	if (map[0] > (CLASS_LIVE | CLASS_SMALL))
		return slot - ((slot - 1 - (map[1] | (size_t)map[2] << 7)) &
			       0x3fff) - ((size_t)map[3] << 14);
	memcpy(&far, block + slot - sizeof(far), sizeof(far));
	return far <= slot ? far : slot;
}

#endif /* PRIVHEAP_SRC_SIZE_CLASS_H */
