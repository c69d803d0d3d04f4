/* SPDX-License-Identifier: GPL-2.0-only */
/* What the tests of the memory of heaps share. */
#ifndef PRIVHEAP_SELFTESTS_HEAP_MEMORY_H
#define PRIVHEAP_SELFTESTS_HEAP_MEMORY_H

#include "fault_selftest.h"
#include "win32_selftest.h"

/* What a heap may keep that holds nothing, by the rule beside HeapFree(). */
#define KEPT		(512 * KIB)

static inline ULONGLONG committed_of(HANDLE heap)
{
	return usage_of(heap).cbCommitted;
}

/* What the process is charged for. */
static inline ULONGLONG charge(void)
{
	struct privheap_region_info info;

	if (privheap_query_process(&info))
		return UINT64_MAX;
	return info.committed;
}

/*
 * Blocks of one size, all written to: that they take pages shows that these
 * come back. As many as the array holds, or as the heap has room for.
 */
static inline int fill(HANDLE heap, char **blocks, int count, SIZE_T size)
{
	int i;

	for (i = 0; i < count; i++) {
		blocks[i] = HeapAlloc(heap, 0, size);
		if (!blocks[i])
			break;
		memset(blocks[i], i, size);
	}
	return i;
}

static inline bool intact(HANDLE heap, char **blocks, int i, SIZE_T size)
{
	return HeapSize(heap, 0, blocks[i]) == size &&
	       all_bytes(blocks[i], i, size);
}

#endif /* PRIVHEAP_SELFTESTS_HEAP_MEMORY_H */
