// SPDX-License-Identifier: MIT
/* What a heap holds. */
#include <privheap/region.h>

#include "front.h"
#include "heap.h"

static bool usage_add_region(PRIVHEAP_USAGE *usage, void *base)
{
	struct privheap_region_info info;

	if (privheap_region_query(base, &info))
		return false;
	usage->dwRegions++;
	/* The guard is not for use. */
	usage->cbReserved += info.reserved - page_size();
	usage->cbCommitted += info.committed;
	usage->cbResident += info.resident;
	usage->cbPeakCommitted += info.peak_committed;
	usage->cbPeakResident += info.peak_resident;
	return true;
}

/* Adds the blocks in a slab; false: it is not one. */
static bool usage_add_slab(PRIVHEAP_USAGE *usage, const struct front *front,
			   const char *block)
{
	struct slab *slab = front_slab(front, block);
	size_t slot;

	if (!slab)
		return false;
	for (slot = 0; slot < slab->slots; slot++) {
		if (front_class(front, block)) {
			usage->cBlocks++;
			usage->cbAllocated += front_size(front, block);
		}
		block += class_size(slab->class);
	}
	return true;
}

DWORD heap_usage(struct heap *heap, PRIVHEAP_USAGE *usage)
{
	PRIVHEAP_USAGE sum = { .cb = sizeof(sum) };
	struct heap_region *region;
	struct large_block *large;
	int more;

	if (!heap_regions_sound(heap) || !heap_larges_sound(heap))
		return ERROR_GEN_FAILURE;
	front_revoke(heap);
	for (region = heap->regions; region; region = region->next) {
		struct block_view view = { NULL, 0 };

		if (!usage_add_region(&sum, region->base))
			return ERROR_GEN_FAILURE;
		while ((more = blocks_next(&region->blocks, &view)) > 0) {
			if (usage_add_slab(&sum, heap->front, view.block))
				continue;
			sum.cBlocks++;
			sum.cbAllocated += view.size;
		}
		if (more < 0)
			return ERROR_GEN_FAILURE;
	}
	for (large = heap->large; large; large = large->next) {
		if (!usage_add_region(&sum, large))
			return ERROR_GEN_FAILURE;
		sum.cBlocks++;
		sum.cbAllocated += large->size;
	}
	*usage = sum;
	return NO_ERROR;
}
