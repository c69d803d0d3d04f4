// SPDX-License-Identifier: MIT
/*
 * Blocks for the dynamic loader, which calls malloc before the C library is set
 * up: an array, of which each byte is given out once.
 */
#include <stdatomic.h>

#include "preload.h"

#define EARLY_LENGTH	((size_t)256 << 10)

/* Lies right before each block. */
struct early_header {
	size_t size;
} __aligned(16);

static_assert(sizeof(struct early_header) == MEMORY_ALIGN,
	      "the header keeps the alignment");

char early_arena[EARLY_LENGTH] __aligned(16);
const size_t early_length = EARLY_LENGTH;
static atomic_size_t early_used;

void *early_get(size_t align, size_t size)
{
	struct early_header *header;
	uintptr_t pointer;
	size_t whole, used;

	if (align < MEMORY_ALIGN)
		align = MEMORY_ALIGN;
	if (size > EARLY_LENGTH || align > EARLY_LENGTH)
		return NULL;
	whole = (size + sizeof(*header) + align + MEMORY_ALIGN - 1) &
		~(MEMORY_ALIGN - 1);
	if (whole > EARLY_LENGTH)
		return NULL;
	used = atomic_fetch_add(&early_used, whole);
	if (used > EARLY_LENGTH - whole) {
		atomic_fetch_sub(&early_used, whole);
		return NULL;
	}
	pointer = (uintptr_t)early_arena + used + sizeof(*header);
	pointer = (pointer + align - 1) & ~(uintptr_t)(align - 1);
	header = (struct early_header *)pointer - 1;
	header->size = size;
	return (void *)pointer;
}

size_t early_size(const void *pointer)
{
	return ((const struct early_header *)pointer - 1)->size;
}
