// SPDX-License-Identifier: GPL-2.0-only
/*
 * What heaps do when the memory for them is refused: the first call for it,
 * then the second, and so on, until a whole scenario runs through.
 *
 * Calls for regions fail, or the system calls below them (heap_fail_inject.h).
 * After each failure every block must be what it was, and after the scenario
 * nothing may be left, neither a region nor a mapping.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "patient_harness.h"

#include "heap_fail_books.h"

/* -------------------------------------------------------- the scenario */

/* All ways in which a heap asks for memory, and gives some back. */
static void scenario(void)
{
	track_create(0, 0, 0, 0);
	track_create(1, HEAP_NO_SERIALIZE, 5000, MIB);
	track_create(2, 0, MIB + 5, 0);

	/* the first page, small sizes, more of the first region */
	for (unsigned int i = 0; i < 16; i++)
		track_alloc(0, i, 24 + i * i * 40, false);
	for (unsigned int i = 16; i < 20; i++)
		track_alloc(1, i, 100 * KIB, false);
	track_alloc(1, 20, MIB - 4096, true);
	/* further regions, and large blocks */
	for (unsigned int i = 21; i < 25; i++)
		track_alloc(0, i, 400 * KIB, false);
	for (unsigned int i = 29; i < 32; i++)
		track_alloc(0, i, MIB + i * 5000, false);
	track_alloc(2, 32, MIB, false);
	track_check(false);

	/* growth in all of them: in place, moving, small to large */
	track_resize(0, 3000, 0);
	track_resize(1, 200 * KIB, HEAP_REALLOC_IN_PLACE_ONLY);
	track_resize(2, 300 * KIB, 0);
	track_resize(21, 900 * KIB, 0);
	track_resize(22, MIB + 1, 0);
	track_resize(29, 2 * MIB, 0);
	/* shrinking, which gives back; and a large one to a small one */
	track_resize(30, 600 * KIB + 5, 0);
	track_resize(30, MIB, HEAP_REALLOC_IN_PLACE_ONLY);
	track_resize(31, 1000, 0);
	track_resize(23, 10, 0);
	track_resize(32, 0, 0);
	track_check(true);
	for (unsigned int h = 0; h < 3; h++)
		HeapCompact(books.heap[h], 0);
	track_check(true);

	/* holes, which are filled again */
	for (unsigned int i = 0; i < 33; i += 2)
		track_release(i);
	for (unsigned int i = 0; i < 33; i += 2)
		if (i != 20)
			track_alloc(i % 3 == 1 ? 2 : 0, i, 1000 * i, false);
	track_check(false);
	track_create(3, HEAP_CREATE_ENABLE_EXECUTE, 0, 0);
	for (unsigned int i = 38; i < 41; i++)
		track_alloc(3, i, 400 * KIB, false);
	for (unsigned int i = 0; i < 20; i++)
		track_release(i);
	track_check(true);
	track_destroy(1);
	track_check(false);
}

/* After it, with all blocks still there: the heaps are of use again. */
static void aftermath(void)
{
	inject.nth = 0;
	for (unsigned int h = 0; h < 3; h++) {
		track_alloc(h, 41 + h, 100 * KIB, false);
		track_alloc(h, 44 + h, 10, false);
	}
	track_alloc(0, 47, MIB, false);
	track_alloc(0, 48, 900 * KIB, false);
	track_check(true);
	for (unsigned int h = 0; h < MAX_HEAPS; h++)
		track_destroy(h);
}

/* ------------------------------------------------------------- leaks */

struct mappings {
	unsigned long count;
	unsigned long long bytes;
};

/* Without stdio or malloc, which would add mappings of their own. */
static struct mappings mappings(void)
{
	static char text[1 << 20];
	struct mappings sum = { 0, 0 };
	ssize_t length = 0, got;
	char *line, *end;
	int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);

	while ((got = read(fd, text + length, sizeof(text) - 1 - length)) > 0)
		length += got;
	close(fd);
	text[length > 0 ? length : 0] = 0;
	for (line = text; *line; line = strchr(line, '\n') + 1) {
		unsigned long long from = strtoull(line, &end, 16);

		sum.bytes += strtoull(end + 1, NULL, 16) - from;
		sum.count++;
	}
	return sum;
}

static void check_nothing_left(const struct mappings *before)
{
	struct privheap_region_info info = { .regions = 99 };
	struct mappings now = mappings();

	MODEL_CHECK(!privheap_query_process(&info) && !info.regions &&
		    !info.committed && !info.reserved,
		    WHERE "%llu regions, %llu bytes committed are left", HERE,
		    (unsigned long long)info.regions,
		    (unsigned long long)info.committed);
	/* Only bytes: how many mappings they are in depends on neighbours. */
	if (!model_under_tool())
		MODEL_CHECK(now.bytes == before->bytes,
			    WHERE "%llu bytes in %lu mappings, %llu in %lu before",
			    HERE, now.bytes, now.count, before->bytes,
			    before->count);
}

/* A heap with more than the one region that it begins with. */
static void grow_by_a_region(void)
{
	HANDLE heap = HeapCreate(0, 0, 0);

	for (unsigned int i = 0; i < 40; i++)
		MODEL_CHECK(HeapAlloc(heap, 0, 300 * KIB), "block %u", i);
	HeapDestroy(heap);
}

/* 1: each call fails in its turn; more: only each so manieth, to save time. */
static unsigned long step(void)
{
	return model_option("PRIVHEAP_FAIL_STEP", 1);
}

/* The scenario, again and again, until no call is left that could fail. */
static unsigned long fail_each(unsigned int which, int error, bool on)
{
	struct mappings before;

	memset(&inject, 0, sizeof(inject));
	inject.which = which;
	inject.error = error;
	/*
	 * Twice without failures, for what the library keeps for itself: the
	 * page that sees a fork, and the tables of heaps, regions and large
	 * blocks, which have room for many more than the scenario makes.
	 */
	grow_by_a_region();
	for (int i = 0; i < 2; i++) {
		scenario();
		aftermath();
	}
	before = mappings();
	check_nothing_left(&before);

	inject.on = on;
	for (inject.nth = 1; !model_failures; inject.nth += step()) {
		unsigned long nth = inject.nth;

		inject.calls = 0;
		inject.injected = 0;
		scenario();
		aftermath();
		inject.nth = nth;
		check_nothing_left(&before);
		if (!inject.injected)
			return nth - 1;
	}
	return inject.nth;
}

FIXTURE(heap_fail) {
};

FIXTURE_VARIANT(heap_fail) {
	unsigned int which;
	int error;
	bool on;
};

#define REGION_CALLS	(1 << REGION_CREATE | 1 << REGION_GROW | \
			 1 << REGION_COMMIT | 1 << REGION_DECOMMIT)
#define SYSTEM_CALLS	(1 << SYSTEM_MMAP | 1 << SYSTEM_MPROTECT | \
			 1 << SYSTEM_POPULATE | 1 << SYSTEM_IOCTL)

FIXTURE_VARIANT_ADD(heap_fail, one_region_call_no_memory) {
	REGION_CALLS, ENOMEM, false,
};

FIXTURE_VARIANT_ADD(heap_fail, one_region_call_over_quota) {
	REGION_CALLS, EDQUOT, false,
};

FIXTURE_VARIANT_ADD(heap_fail, region_calls_no_memory_from_then_on) {
	REGION_CALLS, ENOMEM, true,
};

FIXTURE_VARIANT_ADD(heap_fail, region_calls_over_quota_from_then_on) {
	REGION_CALLS, EDQUOT, true,
};

FIXTURE_VARIANT_ADD(heap_fail, pinned_pages) {
	1 << REGION_DECOMMIT, EBUSY, true,
};

FIXTURE_VARIANT_ADD(heap_fail, one_system_call) {
	SYSTEM_CALLS, ENOMEM, false,
};

FIXTURE_VARIANT_ADD(heap_fail, system_calls_from_then_on) {
	SYSTEM_CALLS, ENOMEM, true,
};

FIXTURE_SETUP(heap_fail)
{
}

FIXTURE_TEARDOWN(heap_fail)
{
}

TEST_F_TIMEOUT(heap_fail, nth_call, 600)
{
	unsigned long failed = fail_each(variant->which, variant->error,
					 variant->on);

	EXPECT_EQ(0, atomic_load(&model_failures));
	TH_LOG("%lu calls, refused in steps of %lu", failed, step());
	EXPECT_GT(failed, 0);
}

FIXTURE(heap_fail_fresh) {
};

FIXTURE_SETUP(heap_fail_fresh)
{
}

FIXTURE_TEARDOWN(heap_fail_fresh)
{
}

/*
 * Runs a scenario in one process after the other, so that there is nothing that
 * the library has already, and refuses the first, the second ... call in them.
 */
static unsigned long fail_each_fresh(struct __test_metadata *_metadata,
				     void (*run)(void), unsigned int which,
				     bool on)
{
	unsigned long nth = 1 - step();
	int status;
	pid_t pid;

	do {
		nth += step();
		pid = fork();
		ASSERT_GE(pid, 0);
		if (!pid) {
			inject.which = which;
			inject.error = ENOMEM;
			inject.nth = nth;
			inject.on = on;
			run();
			aftermath();
			_exit(model_failures ? 2 : !inject.injected);
		}
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		ASSERT_TRUE(WIFEXITED(status));
		ASSERT_NE(2, WEXITSTATUS(status));
	} while (!WEXITSTATUS(status));
	return nth - 1;
}

TEST_F_TIMEOUT(heap_fail_fresh, first_use, 600)
{
	unsigned long failed = fail_each_fresh(_metadata, scenario, SYSTEM_CALLS |
					       1 << SYSTEM_ADVICE, false);

	TH_LOG("%lu calls, refused in steps of %lu", failed, step());
	EXPECT_GT(failed, 9);
}

/* Slots for blocks that are asked for often, and threads' caches of them. */
static void slots(void)
{
	track_create(0, 0, 0, 0);
	for (unsigned int i = 0; i < 36; i++)
		track_alloc(0, i, 100 + i % 3, false);
	for (unsigned int i = 36; i < MAX_BLOCKS; i++)
		track_alloc(0, i, 3000, false);
	for (unsigned int i = 0; i < MAX_BLOCKS; i += 3)
		track_resize(i, i % 2 ? 5000 : 50, 0);
	track_check(true);
	for (unsigned int i = 0; i < MAX_BLOCKS; i++)
		track_release(i);
	track_check(true);
	for (unsigned int i = 0; i < 40; i++)
		track_alloc(0, i, 100, false);
	HeapCompact(books.heap[0], 0);
	track_check(true);
}

TEST_F_TIMEOUT(heap_fail_fresh, first_slots, 600)
{
	const unsigned int which = SYSTEM_CALLS | 1 << SYSTEM_ADVICE;
	unsigned long failed = fail_each_fresh(_metadata, slots, which, false);

	TH_LOG("%lu calls, refused in steps of %lu", failed, step());
	/* the module's 32 bits have no caches to ask for: nine calls */
	EXPECT_GT(failed, sizeof(void *) > 4 ? 9 : 8);
	EXPECT_EQ(failed, fail_each_fresh(_metadata, slots, which, true));
}

/* Kernels before 5.14 do not know how to populate: pages are touched. */
TEST(populating_that_the_kernel_does_not_know)
{
	inject.which = 1 << SYSTEM_POPULATE;
	inject.error = EINVAL;
	inject.nth = 1;
	inject.on = true;
	scenario();
	aftermath();
	EXPECT_EQ(0, atomic_load(&model_failures));
}

/*
 * Were the library to use other functions than those that are wrapped here,
 * this file would prove nothing.
 */
TEST(the_wrapped_calls_are_those_that_the_library_makes)
{
	memset(&inject, 0, sizeof(inject));
	inject.which = REGION_CALLS;
	scenario();
	aftermath();
	EXPECT_EQ(0, atomic_load(&model_failures));
	EXPECT_GT(inject.seen[REGION_CREATE], 5);
	EXPECT_GT(inject.seen[REGION_GROW] + inject.seen[REGION_COMMIT], 5);
	EXPECT_GT(inject.seen[REGION_DECOMMIT], 0);
	if (PrivheapGetBackend() == PRIVHEAP_BACKEND_MODULE) {
		EXPECT_GT(inject.seen[SYSTEM_IOCTL], 5);
	} else {
		EXPECT_GT(inject.seen[SYSTEM_MMAP], 5);
		EXPECT_GT(inject.seen[SYSTEM_MPROTECT], 5);
		EXPECT_GT(inject.seen[SYSTEM_POPULATE], 0);
	}
}

TEST_HARNESS_MAIN
