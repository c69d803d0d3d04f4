// SPDX-License-Identifier: GPL-2.0-only
/*
 * Heaps where there is no more: of heaps, of blocks, of mappings, of memory. Runs
 * on the module and on anonymous mappings alike.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "patient_harness.h"

#include "heap_memory.h"

TEST(many_heaps)
{
	static HANDLE heaps[10000];
	int count = ARRAY_SIZE(heaps);
	char *p;

	for (int i = 0; i < count; i++) {
		/* growable ones reserve more than 32 bits can address */
		heaps[i] = HeapCreate(0, 0, sizeof(void *) == 8 ? 0 : 64 * KIB);
		ASSERT_NE(NULL, heaps[i]);
		p = HeapAlloc(heaps[i], 0, 100);
		ASSERT_NE(NULL, p);
		memset(p, i, 100);
	}
	EXPECT_EQ(count * (ULONGLONG)sysconf(_SC_PAGESIZE), charge());
	for (int i = 0; i < count; i++) {
		ASSERT_EQ(1, usage_of(heaps[i]).cBlocks);
		ASSERT_EQ(TRUE, HeapDestroy(heaps[i]));
	}
	EXPECT_EQ(0, charge());
}

TEST(many_large_blocks)
{
	static char *blocks[10000];
	int count = sizeof(void *) == 8 ? 10000 : 1500;
	HANDLE heap = HeapCreate(0, 0, 0);
	const SIZE_T size = MIB + 1;

	/* valgrind goes through all mappings at each call for one */
	if (strstr(getenv("LD_PRELOAD") ?: "", "vgpreload"))
		count = 1500;
	for (int i = 0; i < count; i++) {
		blocks[i] = HeapAlloc(heap, 0, size);
		ASSERT_NE(NULL, blocks[i]);
		blocks[i][0] = i;
		/* where it is, so that all together are not too much */
		ASSERT_EQ(blocks[i],
			  HeapReAlloc(heap, HEAP_REALLOC_IN_PLACE_ONLY,
				      blocks[i], 1000));
	}
	EXPECT_EQ(1 + count, usage_of(heap).dwRegions);
	for (int i = 0; i < count; i++) {
		int k = i * 7 % count;

		ASSERT_EQ((char)k, blocks[k][0]);
		ASSERT_EQ(1000, HeapSize(heap, 0, blocks[k]));
		ASSERT_EQ(TRUE, HeapFree(heap, 0, blocks[k]));
		ASSERT_EQ(FALSE, HeapFree(heap, 0, blocks[k]));
	}
	EXPECT_EQ(1, usage_of(heap).dwRegions);
	HeapDestroy(heap);
	EXPECT_EQ(0, charge());
}

TEST(out_of_mappings)
{
	HANDLE heap = HeapCreate(0, 0, 0);
	SIZE_T page = sysconf(_SC_PAGESIZE), span;
	static char *blocks[64];
	char *area, *p;
	int count;

#ifdef __SANITIZE_THREAD__
	SKIP(return, "ThreadSanitizer itself needs mappings");
#endif
	/* every other page of it becomes a mapping of its own */
	span = 300000 * page;
	area = mmap(NULL, span, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS |
		    MAP_NORESERVE, -1, 0);
	ASSERT_NE(MAP_FAILED, area);
	ASSERT_EQ(64, fill(heap, blocks, 64, 64 * KIB));
	for (p = area; p < area + span; p += 2 * page)
		if (mprotect(p, page, PROT_READ))
			break;
	if (p >= area + span) {
		munmap(area, span);
		SKIP(return, "vm.max_map_count is higher than 300,000");
	}
	/* one mapping may be left, for what needs two to be split */
	for (count = 0; count < 4; count++)
		mmap(NULL, page, count % 2 ? PROT_READ : PROT_NONE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	SetLastError(STALE);
	EXPECT_EQ(NULL, HeapAlloc(heap, 0, 2 * MIB));
	EXPECT_EQ(ERROR_NOT_ENOUGH_MEMORY, GetLastError());
	EXPECT_EQ(ERROR_NOT_ENOUGH_MEMORY, errno);
	EXPECT_EQ(NULL, HeapCreate(0, 0, 0));
	EXPECT_EQ(ERROR_NOT_ENOUGH_MEMORY, GetLastError());
	/* what there is can be used: none of this may fail or harm */
	for (int i = 0; i < 64; i++)
		EXPECT_TRUE(intact(heap, blocks, i, 64 * KIB));
	for (int i = 0; i < 64; i += 2)
		EXPECT_EQ(TRUE, HeapFree(heap, 0, blocks[i]));
	for (int i = 0; i < 64; i += 2) {
		blocks[i] = HeapAlloc(heap, 0, 60 * KIB);
		ASSERT_NE(NULL, blocks[i]);
		memset(blocks[i], i, 60 * KIB);
	}
	for (int i = 0; i < 64; i++)
		EXPECT_TRUE(intact(heap, blocks, i, i % 2 ? 64 * KIB : 60 * KIB));

	munmap(area, span);
	EXPECT_NE(NULL, HeapAlloc(heap, 0, 2 * MIB));
	for (int i = 0; i < 64; i++)
		EXPECT_EQ(TRUE, HeapFree(heap, 0, blocks[i]));
	EXPECT_EQ(TRUE, HeapDestroy(heap));
	EXPECT_EQ(0, charge());
}

/* The data of this process, which RLIMIT_DATA limits; 0: not known. */
static SIZE_T data_size(void)
{
	char line[128];
	unsigned long kib = 0;
	FILE *file = fopen("/proc/self/status", "r");

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "VmData: %lu", &kib) == 1)
			break;
	if (file)
		fclose(file);
	return kib * KIB;
}

TEST(refused_commits_make_a_heap_trim_itself)
{
	static char *blocks[256];
	HANDLE heap = HeapCreate(0, 0, 0);
	struct rlimit limit;
	char *p, *q;

	if (privheap_backend() != PRIVHEAP_BACKEND_ANONYMOUS)
		SKIP(goto out, "RLIMIT_DATA does not limit regions of the module");
	ASSERT_EQ(256, fill(heap, blocks, 256, 66 * KIB));
	/* 3 MiB of 16, in pieces: less than makes the heap trim by itself */
	for (int i = 0; i < 135; i += 3)
		ASSERT_EQ(TRUE, HeapFree(heap, 0, blocks[i]));
	EXPECT_GE(committed_of(heap), 15 * MIB);
	ASSERT_NE(0, data_size());
	ASSERT_EQ(0, getrlimit(RLIMIT_DATA, &limit));
	limit.rlim_cur = data_size();
	ASSERT_EQ(0, setrlimit(RLIMIT_DATA, &limit));

	/* no piece has room: what was in the pieces is used at the end */
	p = HeapAlloc(heap, HEAP_ZERO_MEMORY, 400 * KIB);
	ASSERT_NE(NULL, p);
	EXPECT_TRUE(all_bytes(p, 0, 400 * KIB));
	q = HeapAlloc(heap, 0, MIB + 100 * KIB);
	EXPECT_NE(NULL, q);
	/* now there is nothing left to give back */
	SetLastError(STALE);
	EXPECT_EQ(NULL, HeapAlloc(heap, 0, 2 * MIB));
	EXPECT_EQ(ERROR_NOT_ENOUGH_MEMORY, GetLastError());
	EXPECT_EQ(ERROR_NOT_ENOUGH_MEMORY, errno);
	EXPECT_EQ(NULL, HeapReAlloc(heap, 0, p, 4 * MIB));
	for (int i = 0; i < 256; i++)
		if (i >= 135 || i % 3)
			ASSERT_TRUE(intact(heap, blocks, i, 66 * KIB));
	/* nor can a hole be used, until there is memory again */
	while (HeapAlloc(heap, 0, 100 * KIB))
		;
	EXPECT_EQ(ERROR_NOT_ENOUGH_MEMORY, GetLastError());
	EXPECT_EQ(TRUE, HeapFree(heap, 0, q));
	EXPECT_NE(NULL, HeapAlloc(heap, 0, 65 * KIB));
	limit.rlim_cur = limit.rlim_max;
	ASSERT_EQ(0, setrlimit(RLIMIT_DATA, &limit));
	EXPECT_NE(NULL, HeapAlloc(heap, 0, 2 * MIB));
out:
	HeapDestroy(heap);
}

TEST_HARNESS_MAIN
