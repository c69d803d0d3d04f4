// SPDX-License-Identifier: MIT
/* The tables of the size classes: see size_class.h. */
#include "size_class.h"

struct class_tables class_tables;
uint32_t class_slot_size[256];
uint32_t class_reciprocal[CLASS_COUNT];

static void class_add(unsigned int class, size_t slot)
{
	size_t granules = slot / GRANULE;

	class_slot_size[CLASS_LIVE | class] = slot;
	class_reciprocal[class] =
		(((uint64_t)1 << 32) + granules - 1) / granules;
}

void class_init(void)
{
	unsigned int class = 1;
	size_t slot, step, size = 0, medium = SMALL_MAX;

	memset(class_tables.slots, -1, sizeof(class_tables.slots));
	for (slot = 32; slot <= SLOT_MAX; slot += step) {
		class_add(class, slot);
		for (; size <= slot && size <= SMALL_MAX; size++)
			class_tables.small[size] = CLASS_LIVE | class |
						   (slot - size) << 8;
		if (class <= CLASS_SMALL)
			class_tables.slots[CLASS_LIVE | class] = slot;
		for (; medium < slot; medium += 128)
			class_tables.medium[medium / 128] =
				class_mark_of(class, medium + 1) -
				((uint32_t)(medium + 1) << 8);
		class++;
		if (slot < 256)
			step = 16;
		else if (slot < 512)
			step = 32;
		else
			step = slot < 1024 ? 64 :
			       (size_t)1 << (63 - __builtin_clzl(slot) - 3);
	}
	static_assert(CLASS_COUNT == 80, "31 small classes, 48 above");
}
