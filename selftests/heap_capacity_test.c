// SPDX-License-Identifier: GPL-2.0-only
/*
 * How much of its maximum a heap gives out. Whoever pays for a cap wants nearly
 * all of it, whatever sizes the blocks have and however old the heap is.
 */
#include <stdlib.h>

#include "heap_selftest.h"

#define ROUNDS	30000
#define BLOCKS	65536

FIXTURE(capacity)
{
	HANDLE heap;
	void **blocks;
	SIZE_T *sizes;
};

/* Blocks of all sizes alike, until @percent of @maximum are theirs. */
FIXTURE_VARIANT(capacity)
{
	SIZE_T maximum;
	SIZE_T least;
	SIZE_T most;
	unsigned int percent;
};

FIXTURE_VARIANT_ADD(capacity, middling_blocks_4_MiB) {
	.maximum = 4 * MIB, .least = 1024, .most = 65536, .percent = 75,
};

FIXTURE_VARIANT_ADD(capacity, middling_blocks_12_MiB) {
	.maximum = 12 * MIB, .least = 1024, .most = 65536, .percent = 80,
};

FIXTURE_VARIANT_ADD(capacity, mostly_small_blocks_1_MiB) {
	.maximum = MIB, .least = 16, .most = 4096, .percent = 80,
};

FIXTURE_VARIANT_ADD(capacity, small_blocks_1_MiB) {
	.maximum = MIB, .least = 16, .most = 1024, .percent = 80,
};

FIXTURE_SETUP(capacity)
{
	self->heap = HeapCreate(0, 0, variant->maximum);
	ASSERT_NE(NULL, self->heap);
	self->blocks = calloc(BLOCKS, sizeof(*self->blocks));
	self->sizes = calloc(BLOCKS, sizeof(*self->sizes));
	ASSERT_NE(NULL, self->blocks);
	ASSERT_NE(NULL, self->sizes);
}

FIXTURE_TEARDOWN(capacity)
{
	EXPECT_EQ(TRUE, HeapDestroy(self->heap));
	free(self->blocks);
	free(self->sizes);
}

/* Random blocks come and go at the aim, and none is refused. */
TEST_F(capacity, A_refuses_nothing_while_that_much_is_free)
{
	SIZE_T aim = variant->maximum / 100 * variant->percent, live = 0;
	unsigned int state = 1, count = 0, round, refused = 0;

	for (round = 0; round < ROUNDS; round++) {
		unsigned int random = (state = state * 1103515245 + 12345) >> 8;
		SIZE_T size = variant->least +
			      random % (variant->most - variant->least);
		void *block;

		while (live + size > aim) {
			unsigned int victim;

			state = state * 1103515245 + 12345;
			victim = (state >> 8) % count;
			live -= self->sizes[victim];
			ASSERT_EQ(TRUE, HeapFree(self->heap, 0,
						 self->blocks[victim]));
			self->blocks[victim] = self->blocks[--count];
			self->sizes[victim] = self->sizes[count];
		}
		block = HeapAlloc(self->heap, 0, size);
		if (!block) {
			refused++;
			continue;
		}
		self->blocks[count] = block;
		self->sizes[count++] = size;
		live += size;
		ASSERT_GE(BLOCKS, count);
	}
	EXPECT_EQ(0, refused);
}

/* More than the other heaps, of which no region becomes large. */
TEST(a_heap_of_64_MiB_is_filled)
{
	const SIZE_T size = 450 * KIB;
	HANDLE heap = HeapCreate(0, 17 * MIB, 64 * MIB);
	static void *blocks[200];
	int count = 0, i;

	ASSERT_NE(NULL, heap);
	while (count < 200 && (blocks[count] = HeapAlloc(heap, 0, size))) {
		memset(blocks[count], count, size);
		count++;
	}
	EXPECT_GE(count, 138);
	EXPECT_LE(count, 145);
	for (i = 0; i < count; i++) {
		EXPECT_TRUE(all_bytes(blocks[i], i, size));
		EXPECT_EQ(TRUE, HeapFree(heap, 0, blocks[i]));
	}
	EXPECT_EQ(0, usage_of(heap).cBlocks);
	EXPECT_EQ(TRUE, HeapDestroy(heap));
}

TEST_HARNESS_MAIN
