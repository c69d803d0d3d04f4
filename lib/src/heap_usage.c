// SPDX-License-Identifier: MIT
/* What a heap holds. */
#include <privheap/region.h>

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

DWORD heap_usage(struct heap *heap, PRIVHEAP_USAGE *usage)
{
	PRIVHEAP_USAGE sum = { .cb = sizeof(sum) };
	struct heap_region *region;
	struct large_block *large;
	int more;

	for (region = heap->regions; region; region = region->next) {
		struct block_view view = { NULL, 0 };

		if (!usage_add_region(&sum, region->base))
			return ERROR_GEN_FAILURE;
		while ((more = blocks_next(&region->blocks, &view)) > 0) {
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
