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
 * asked for; the next three the size of a larger one, in groups of seven bits. So
 * a byte with CLASS_LIVE set is the beginning of a live block, and nothing else.
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

/* Map bytes of a new small block, by its size: tag in the low, slack in the high. */
extern uint16_t class_tags[SMALL_MAX + 1];

/* Tags of medium sizes, by (size - 1) / 128. */
extern uint8_t class_tags_medium[SLOT_MAX / 128];

/* Bytes of a slot, by tag: only entries from CLASS_LIVE on mean something. */
extern uint32_t class_slot_size[256];

/* ceil(2^32 / granules of a slot), by class: to divide by multiplying. */
extern uint32_t class_reciprocal[CLASS_COUNT];

/* Fills the tables; idempotent, before anything else here. */
void class_init(void);

/* The tag for @size, SMALL_MAX < @size <= SLOT_MAX: steps of 128 and more. */
static inline unsigned int class_tag_medium(size_t size)
{
	return class_tags_medium[(size - 1) / 128];
}

/* The class for @size, at most SLOT_MAX. */
static inline unsigned int class_of(size_t size)
{
	return (size <= SMALL_MAX ? class_tags[size] & 0xff :
				    class_tag_medium(size)) & ~CLASS_LIVE;
}

static inline size_t class_size(unsigned int class)
{
	return class_slot_size[CLASS_LIVE | class];
}

/*
 * The map bytes of a new block of @size bytes that is not small: the low 14 bits
 * of the size tell it from all others of its class.
 */
static inline uint32_t class_mark_of_medium(size_t size)
{
	uint32_t low = (size & 0x7f) | (size & 0x3f80) << 1;

	return low << 8 | class_tag_medium(size);
}

/* The map bytes of a block of any class: two if it is small, or else four. */
static inline uint32_t class_mark_of(unsigned int class, size_t size)
{
	size_t slack = class_size(class) - size;

	if (class > CLASS_SMALL) {
		/* The fourth byte has what is more, after a shrink in place. */
		return CLASS_LIVE | class | (size & 0x7f) << 8 |
		       (size & 0x3f80) << 9 | slack >> 14 << 24;
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

/* Two map bytes: of a live small block whose slack is here, and not far. */
#define MAP_NEAR_MASK	(SLACK_FAR << 8 | CLASS_LIVE | 0x60)
#define MAP_NEAR	CLASS_LIVE

static_assert(CLASS_SMALL == 0x1f, "the tags of small classes have no more bits");

/* The bytes that were asked for, of such a block. */
static inline size_t class_near_size(unsigned int map)
{
	return class_slot_size[map & 0xff] - (map >> 8);
}

/* The bytes that were asked for, of any live block. */
static inline size_t class_block_size(const uint8_t *map, const char *block)
{
	size_t slot = class_slot_size[map[0]];
	uint32_t far;
	uint16_t tag;

	memcpy(&tag, map, sizeof(tag));
	if ((tag & MAP_NEAR_MASK) == MAP_NEAR)
		return class_near_size(tag);
	if (map[0] > (CLASS_LIVE | CLASS_SMALL))
		return slot - ((slot - (map[1] | (size_t)map[2] << 7)) & 0x3fff) -
		       ((size_t)map[3] << 14);
	memcpy(&far, block + slot - sizeof(far), sizeof(far));
	return far <= slot ? far : slot;
}

#endif /* PRIVHEAP_SRC_SIZE_CLASS_H */
