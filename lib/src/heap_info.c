// SPDX-License-Identifier: MIT
/* What a heap tells of itself, and what can be set. */
#include <string.h>

#include "front.h"
#include "heap.h"
#include "heaps.h"

/* The values of HeapCompatibilityInformation. */
#define COMPATIBILITY_LOW_FRAGMENTATION	2

size_t heap_compact(struct heap *heap)
{
	struct heap_region *region;
	size_t most = 0, size;

	/* Free neighbours are merged whenever a block is freed. */
	front_drain(heap);
	heap_trim(heap, heap->initial);
	for (region = heap->regions; region; region = region->next) {
		size = blocks_largest_free(&region->blocks);
		if (size > most)
			most = size;
	}
	return most;
}

void heap_summary(const struct heap *heap, const PRIVHEAP_USAGE *usage,
		  HEAP_SUMMARY *summary)
{
	summary->cbAllocated = usage->cbAllocated;
	summary->cbCommitted = usage->cbCommitted;
	summary->cbReserved = usage->cbReserved;
	/* Without a maximum: what no program can reach. */
	summary->cbMaxReserve = heap->fixed ? heap->first.reserved :
					      SIZE_MAX & ~(page_size() - 1);
}

/* What HeapQueryInformation() can tell. */
union information {
	ULONG compatibility;
	PRIVHEAP_LIMIT_INFORMATION limit;
	PRIVHEAP_USAGE usage;
};

/* 0: nothing of this class. */
static size_t information_size(HEAP_INFORMATION_CLASS class)
{
	switch ((int)class) {
	case HeapCompatibilityInformation:
		return sizeof(ULONG);
	case PrivheapCommitLimit:
	case PrivheapResidentLimit:
		return sizeof(PRIVHEAP_LIMIT_INFORMATION);
	case PrivheapUsage:
		return sizeof(PRIVHEAP_USAGE);
	default:
		return 0;
	}
}

static DWORD information_of(struct heap *heap, HEAP_INFORMATION_CLASS class,
			    union information *value)
{
	switch ((int)class) {
	case PrivheapCommitLimit:
		return heap_query_limit(heap, PRIVHEAP_RESOURCE_COMMIT,
					&value->limit);
	case PrivheapResidentLimit:
		return heap_query_limit(heap, PRIVHEAP_RESOURCE_RESIDENT,
					&value->limit);
	case PrivheapUsage:
		return heap_usage(heap, &value->usage);
	default:
		value->compatibility = heap->low_fragmentation ?
				       COMPATIBILITY_LOW_FRAGMENTATION : 0;
		return NO_ERROR;
	}
}

DWORD heap_query(struct heap *heap, HEAP_INFORMATION_CLASS class, void *buffer,
		 size_t length, size_t *needed)
{
	size_t size = information_size(class);
	union information value;
	DWORD error;

	if (!size)
		return ERROR_INVALID_PARAMETER;
	if (!heap)
		return ERROR_NOACCESS;
	if (needed)
		*needed = size;
	if (length < size)
		return ERROR_INSUFFICIENT_BUFFER;
	if (!buffer)
		return ERROR_NOACCESS;
	error = information_of(heap, class, &value);
	if (!error)
		memcpy(buffer, &value, size);
	return error;
}

static DWORD heap_set_compatibility(struct heap *heap, const void *buffer,
				    size_t length)
{
	ULONG value;

	if (length < sizeof(value))
		return ERROR_INSUFFICIENT_BUFFER;
	if (!buffer)
		return ERROR_NOACCESS;
	memcpy(&value, buffer, sizeof(value));
	/* The only one that can be asked for, and there is no way back. */
	if (value != COMPATIBILITY_LOW_FRAGMENTATION)
		return ERROR_GEN_FAILURE;
	if (heap->fixed || (heap->options & HEAP_NO_SERIALIZE))
		return ERROR_INVALID_PARAMETER;
	heap->low_fragmentation = true;
	return NO_ERROR;
}

static void heap_optimize(struct heap *heap)
{
	heap_compact(heap);
}

static DWORD heap_set_optimize(struct heap *heap, const void *buffer,
			       size_t length)
{
	HEAP_OPTIMIZE_RESOURCES_INFORMATION info;

	if (length < sizeof(info))
		return ERROR_INSUFFICIENT_BUFFER;
	if (!buffer)
		return ERROR_NOACCESS;
	memcpy(&info, buffer, sizeof(info));
	if (info.Version != HEAP_OPTIMIZE_RESOURCES_CURRENT_VERSION ||
	    info.Flags)
		return ERROR_INVALID_PARAMETER;
	if (heap)
		heap_optimize(heap);
	else
		heaps_for_each_idle(heap_optimize);
	return NO_ERROR;
}

DWORD heap_set(struct heap *heap, HEAP_INFORMATION_CLASS class,
	       const void *buffer, size_t length)
{
	switch ((int)class) {
	case HeapCompatibilityInformation:
		return heap_set_compatibility(heap, buffer, length);
	case HeapOptimizeResources:
		return heap_set_optimize(heap, buffer, length);
	case PrivheapCommitLimit:
		return heap_set_limit(heap, PRIVHEAP_RESOURCE_COMMIT, buffer,
				      length);
	case PrivheapResidentLimit:
		return heap_set_limit(heap, PRIVHEAP_RESOURCE_RESIDENT, buffer,
				      length);
	default:	/* PrivheapOpenReserve */
		return heap_open_reserve(heap, buffer, length);
	}
}
