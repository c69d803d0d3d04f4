// SPDX-License-Identifier: GPL-2.0-only
/* HeapLock and HeapUnlock: see heap_selftest.h. */
#include "heap_attempt.h"

static bool try_realloc(struct attempt *try)
{
	return HeapReAlloc(try->heap, try->flags, try->block, 200);
}

static bool try_free(struct attempt *try)
{
	return HeapFree(try->heap, try->flags, try->block);
}

static bool try_size(struct attempt *try)
{
	return HeapSize(try->heap, try->flags, try->block) == 64;
}

static bool try_validate(struct attempt *try)
{
	return HeapValidate(try->heap, try->flags, NULL);
}

static bool try_compact(struct attempt *try)
{
	/* There may be nothing free, which is an answer as well. */
	SetLastError(STALE);
	return HeapCompact(try->heap, try->flags) ||
	       GetLastError() == NO_ERROR;
}

static bool try_summary(struct attempt *try)
{
	HEAP_SUMMARY sum = { .cb = sizeof(sum) };

	return HeapSummary(try->heap, try->flags, &sum);
}

/* These have no flags: they always wait. */
static bool try_walk(struct attempt *try)
{
	PROCESS_HEAP_ENTRY entry = { .lpData = NULL };

	return HeapWalk(try->heap, &entry);
}

static bool try_lock(struct attempt *try)
{
	return HeapLock(try->heap) && HeapUnlock(try->heap);
}

static bool try_query(struct attempt *try)
{
	return usage_of(try->heap).cbCommitted != (ULONGLONG)-1;
}

static bool (*const tries[])(struct attempt *) = {
	try_alloc, try_realloc, try_free, try_size, try_validate, try_compact,
	try_summary, try_walk, try_lock, try_query,
};

#define WITH_FLAGS	7	/* the first ones */

TEST(L1_other_threads_wait)
{
	struct attempt try = { .heap = HeapCreate(0, 0, 0) };

	for (unsigned int i = 0; i < ARRAY_SIZE(tries); i++) {
		try.block = HeapAlloc(try.heap, 0, 64);
		try.call = tries[i];
		KEEPS_ERROR(EXPECT_EQ(TRUE, HeapLock(try.heap)));
		attempt_start(&try);
		a_moment();
		EXPECT_FALSE(atomic_load(&try.done));
		/* the owner can use it meanwhile */
		EXPECT_NE(NULL, HeapAlloc(try.heap, 0, 1000));
		EXPECT_EQ(TRUE, HeapValidate(try.heap, 0, NULL));
		EXPECT_EQ(64, HeapSize(try.heap, 0, try.block));
		EXPECT_FALSE(atomic_load(&try.done));
		KEEPS_ERROR(EXPECT_EQ(TRUE, HeapUnlock(try.heap)));
		attempt_join(&try);
		EXPECT_TRUE(try.result);
	}
	HeapDestroy(try.heap);
}

TEST(L1_as_many_unlocks_as_locks)
{
	struct attempt try = { .heap = HeapCreate(0, 0, 0), .call = try_alloc };

	for (int i = 0; i < 3; i++)
		EXPECT_EQ(TRUE, HeapLock(try.heap));
	attempt_start(&try);
	for (int i = 0; i < 2; i++) {
		EXPECT_EQ(TRUE, HeapUnlock(try.heap));
		a_moment();
		EXPECT_FALSE(atomic_load(&try.done));
	}
	EXPECT_EQ(TRUE, HeapUnlock(try.heap));
	attempt_join(&try);
	EXPECT_TRUE(try.result);
	SETS_ERROR(ERROR_NOT_OWNER, EXPECT_EQ(FALSE, HeapUnlock(try.heap)));
	HeapDestroy(try.heap);
}

TEST(L1_other_heaps_are_free)
{
	HANDLE held = HeapCreate(0, 0, 0);
	struct attempt try = { .heap = HeapCreate(0, 0, 0), .call = try_alloc };

	HeapLock(held);
	attempt_start(&try);
	attempt_join(&try);
	EXPECT_TRUE(try.result);
	HeapUnlock(held);
	HeapDestroy(held);
	HeapDestroy(try.heap);
}

/* These hang when they fail, and the harness ends them. */
TEST(L2_no_serialize_does_not_wait)
{
	struct attempt try = {
		.heap = HeapCreate(0, 0, 0),
		.flags = HEAP_NO_SERIALIZE,
	};

	for (int i = 0; i < WITH_FLAGS; i++) {
		try.block = HeapAlloc(try.heap, 0, 64);
		try.call = tries[i];
		HeapLock(try.heap);
		attempt_start(&try);
		attempt_join(&try);
		EXPECT_TRUE(try.result);
		HeapUnlock(try.heap);
	}
	HeapDestroy(try.heap);
}

TEST(L3_C11_heap_without_a_lock)
{
	struct attempt try = { .heap = HeapCreate(HEAP_NO_SERIALIZE, 0, 0) };

	KEEPS_ERROR(EXPECT_EQ(TRUE, HeapLock(try.heap)));
	for (unsigned int i = 0; i < ARRAY_SIZE(tries); i++) {
		try.block = HeapAlloc(try.heap, 0, 64);
		try.call = tries[i];
		attempt_start(&try);
		attempt_join(&try);
		EXPECT_TRUE(try.result);
	}
	KEEPS_ERROR(EXPECT_EQ(TRUE, HeapUnlock(try.heap)));
	KEEPS_ERROR(EXPECT_EQ(TRUE, HeapUnlock(try.heap)));
	HeapDestroy(try.heap);
}

TEST(L4_low_fragmentation_heaps_are_held_as_well)
{
	struct attempt try = { .heap = HeapCreate(0, 0, 0), .call = try_alloc };
	ULONG lfh = 2;

	HeapSetInformation(try.heap, HeapCompatibilityInformation, &lfh,
			   sizeof(lfh));
	for (int i = 0; i < 100; i++)
		HeapFree(try.heap, 0, HeapAlloc(try.heap, 0, 100));
	HeapLock(try.heap);
	attempt_start(&try);
	a_moment();
	EXPECT_FALSE(atomic_load(&try.done));
	HeapUnlock(try.heap);
	attempt_join(&try);
	HeapDestroy(try.heap);
}

static bool try_unlock(struct attempt *try)
{
	return !HeapUnlock(try->heap) && GetLastError() == ERROR_NOT_OWNER &&
	       errno == ERROR_NOT_OWNER;
}

TEST(L5_bad_heap_or_owner)
{
	struct attempt try = { .heap = HeapCreate(0, 0, 0), .call = try_unlock };
	HANDLE gone = HeapCreate(0, 0, 0), bad[] = { NULL, gone, &try };

	HeapDestroy(gone);
	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++) {
		SETS_ERROR(ERROR_INVALID_HANDLE,
			   EXPECT_EQ(FALSE, HeapLock(bad[i])));
		SETS_ERROR(ERROR_INVALID_HANDLE,
			   EXPECT_EQ(FALSE, HeapUnlock(bad[i])));
	}
	SETS_ERROR(ERROR_NOT_OWNER, EXPECT_EQ(FALSE, HeapUnlock(try.heap)));
	HeapLock(try.heap);
	attempt_start(&try);
	attempt_join(&try);
	EXPECT_TRUE(try.result);
	/* which did not take it from its owner */
	EXPECT_EQ(TRUE, HeapUnlock(try.heap));
	HeapDestroy(try.heap);
}

/* Its own cache is out of force then: that is no heap that NULL stands for. */
TEST(L5_no_heap_while_one_is_held_or_gone)
{
	HANDLE heap = HeapCreate(0, 0, 0);
	void *block = NULL;

	for (int i = 0; i < 100; i++)
		block = HeapAlloc(heap, 0, 40);
	ASSERT_EQ(TRUE, HeapLock(heap));
	for (int i = 0; i < 2; i++) {
		for (SIZE_T size = 40; size <= 4000; size += 3960)
			SETS_ERROR(ERROR_INVALID_HANDLE,
				   EXPECT_EQ(NULL, HeapAlloc(NULL, 0, size)));
		SETS_ERROR(ERROR_INVALID_HANDLE,
			   EXPECT_EQ(NULL, HeapReAlloc(NULL, 0, block, 41)));
		SETS_ERROR(ERROR_INVALID_HANDLE,
			   EXPECT_EQ((SIZE_T)-1, HeapSize(NULL, 0, block)));
		SETS_ERROR(ERROR_INVALID_HANDLE,
			   EXPECT_EQ(FALSE, HeapFree(NULL, 0, block)));
		if (i)
			break;
		EXPECT_EQ(40, HeapSize(heap, 0, block));
		EXPECT_EQ(TRUE, HeapUnlock(heap));
		EXPECT_EQ(TRUE, HeapFree(heap, 0, block));
		EXPECT_EQ(TRUE, HeapDestroy(heap));
	}
}

TEST(L1_destroyed_by_the_holder)
{
	HANDLE heap, other = HeapCreate(0, 0, 0);

	for (int i = 0; i < 100; i++) {
		heap = HeapCreate(0, 0, 0);
		HeapLock(other);
		for (int k = 0; k < 1 + i % 3; k++)
			HeapLock(heap);
		ASSERT_EQ(TRUE, HeapDestroy(heap));
		SETS_ERROR(ERROR_INVALID_HANDLE,
			   EXPECT_EQ(FALSE, HeapUnlock(heap)));
		/* the thread's list of held locks is in order */
		ASSERT_EQ(TRUE, HeapUnlock(other));
	}
	HeapDestroy(other);
}

TEST_HARNESS_MAIN
