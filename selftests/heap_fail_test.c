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

#include "heap_fail_inject.h"
#include "heap_model.h"
#include "kselftest_harness.h"

#define MAX_BLOCKS	64
#define MAX_HEAPS	4
#define ENDS		(4 * KIB)

/* ----------------------------------------------------- blocks and heaps */

struct tracked {
	unsigned char *at;	/* NULL: none */
	SIZE_T size;
	uint64_t seed;
	unsigned int heap;
};

static struct {
	HANDLE heap[MAX_HEAPS];
	struct tracked block[MAX_BLOCKS];
	uint64_t next_seed;
	unsigned long before;	/* injections before the call */
} books;

#define WHERE	"error %d at call %lu%s: "
#define HERE	inject.error, inject.nth, inject.on ? " and all later ones" : ""

/*
 * Sizes, counters and contents. Of large blocks both ends are enough where the
 * whole is looked at later.
 */
static void check_blocks(bool whole)
{
	uint64_t blocks[MAX_HEAPS] = { 0 }, bytes[MAX_HEAPS] = { 0 };
	PRIVHEAP_USAGE usage;
	struct tracked *block;
	SIZE_T at, end;

	for (unsigned int i = 0; i < MAX_BLOCKS; i++) {
		block = &books.block[i];
		if (!block->at)
			continue;
		blocks[block->heap]++;
		bytes[block->heap] += block->size;
		MODEL_CHECK(HeapSize(books.heap[block->heap], 0, block->at) ==
			    block->size, WHERE "block %u of %zu", HERE, i,
			    block->size);
		end = block->size;
		if (!whole && end > 2 * ENDS) {
			at = model_differs(block->at, end - ENDS, end,
					   block->seed);
			if (at == end) {
				end = ENDS;
				at = model_differs(block->at, 0, end,
						   block->seed);
			}
		} else {
			at = model_differs(block->at, 0, end, block->seed);
		}
		MODEL_CHECK(at == end,
			    WHERE "block %u of %zu: byte %zu has changed", HERE,
			    i, block->size, at);
	}
	for (unsigned int h = 0; h < MAX_HEAPS; h++) {
		if (!books.heap[h])
			continue;
		usage = model_usage(books.heap[h]);
		MODEL_CHECK(usage.cBlocks == blocks[h] &&
			    usage.cbAllocated == bytes[h],
			    WHERE "heap %u counts %llu blocks", HERE, h,
			    (unsigned long long)usage.cBlocks);
		MODEL_CHECK(HeapValidate(books.heap[h], 0, NULL) == TRUE,
				    WHERE "heap %u", HERE, h);
	}
}

static void begin_call(void)
{
	books.before = inject.injected;
	model_set_stale();
}

/*
 * A call that failed: it may if one was refused meanwhile, or if it is meant
 * to, and must say that memory is short, and nothing more has happened.
 */
static void call_failed(const char *what, bool meant)
{
	MODEL_CHECK(model_has_error(ERROR_NOT_ENOUGH_MEMORY),
		    WHERE "%s, error %u, errno %d", HERE, what, GetLastError(),
		    errno);
	/* Pages that somebody has pinned are no reason. */
	MODEL_CHECK(meant || (inject.injected > books.before &&
			      inject.error != EBUSY),
		    WHERE "%s failed, and nothing was refused", HERE, what);
	check_blocks(false);
}

static void call_succeeded(const char *what)
{
	MODEL_CHECK(model_is_stale(), WHERE "%s, error %u, errno %d", HERE, what,
		    GetLastError(), errno);
}

static void create(unsigned int h, DWORD options, SIZE_T initial, SIZE_T maximum)
{
	begin_call();
	books.heap[h] = HeapCreate(options, initial, maximum);
	if (books.heap[h])
		call_succeeded("HeapCreate");
	else
		call_failed("HeapCreate", false);
}

static void destroy(unsigned int h)
{
	if (!books.heap[h])
		return;
	begin_call();
	MODEL_CHECK(HeapDestroy(books.heap[h]) == TRUE, WHERE "heap %u", HERE,
		    h);
	call_succeeded("HeapDestroy");
	books.heap[h] = NULL;
	for (unsigned int i = 0; i < MAX_BLOCKS; i++)
		if (books.block[i].heap == h)
			books.block[i].at = NULL;
}

static void alloc(unsigned int h, unsigned int i, SIZE_T size, bool meant)
{
	struct tracked *block = &books.block[i];

	if (!books.heap[h])
		return;
	begin_call();
	block->at = HeapAlloc(books.heap[h], HEAP_ZERO_MEMORY, size);
	if (!block->at) {
		call_failed("HeapAlloc", meant);
		return;
	}
	call_succeeded("HeapAlloc");
	MODEL_CHECK(model_nonzero(block->at, 0, size) == size,
		    WHERE "block %u of %zu is not zero", HERE, i, size);
	block->heap = h;
	block->size = size;
	block->seed = ++books.next_seed * UINT64_C(0xd1342543de82ef95);
	model_fill(block->at, 0, size, block->seed);
}

static void resize(unsigned int i, SIZE_T size, DWORD flags)
{
	struct tracked *block = &books.block[i];
	SIZE_T old = block->size;
	unsigned char *moved;

	if (!block->at)
		return;
	begin_call();
	moved = HeapReAlloc(books.heap[block->heap], flags | HEAP_ZERO_MEMORY,
			    block->at, size);
	if (!moved) {
		MODEL_CHECK(size > old, WHERE "shrinking %zu to %zu failed",
			    HERE, old, size);
		call_failed("HeapReAlloc", flags & HEAP_REALLOC_IN_PLACE_ONLY);
		return;
	}
	call_succeeded("HeapReAlloc");
	block->at = moved;
	block->size = size;
	if (size > old) {
		MODEL_CHECK(model_nonzero(moved, old, size) == size,
			    WHERE "block %u, %zu to %zu is not zero", HERE, i,
			    old, size);
		model_fill(moved, old, size, block->seed);
	}
	MODEL_CHECK(model_differs(moved, 0, size, block->seed) == size,
		    WHERE "block %u, %zu to %zu has changed", HERE, i, old, size);
}

static void release(unsigned int i)
{
	struct tracked *block = &books.block[i];

	if (!block->at)
		return;
	begin_call();
	MODEL_CHECK(HeapFree(books.heap[block->heap], 0, block->at) == TRUE,
		    WHERE "block %u", HERE, i);
	call_succeeded("HeapFree");
	block->at = NULL;
}

/* -------------------------------------------------------- the scenario */

/* All ways in which a heap asks for memory, and gives some back. */
static void scenario(void)
{
	create(0, 0, 0, 0);
	create(1, HEAP_NO_SERIALIZE, 5000, MIB);
	create(2, 0, MIB + 5, 0);

	/* the first page, small sizes, more of the first region */
	for (unsigned int i = 0; i < 16; i++)
		alloc(0, i, 24 + i * i * 40, false);
	for (unsigned int i = 16; i < 20; i++)
		alloc(1, i, 100 * KIB, false);
	alloc(1, 20, MIB - 4096, true);
	/* further regions, and large blocks */
	for (unsigned int i = 21; i < 25; i++)
		alloc(0, i, 400 * KIB, false);
	for (unsigned int i = 29; i < 32; i++)
		alloc(0, i, MIB + i * 5000, false);
	alloc(2, 32, MIB, false);
	check_blocks(false);

	/* growth in all of them: in place, moving, small to large */
	resize(0, 3000, 0);
	resize(1, 200 * KIB, HEAP_REALLOC_IN_PLACE_ONLY);
	resize(2, 300 * KIB, 0);
	resize(21, 900 * KIB, 0);
	resize(22, MIB + 1, 0);
	resize(29, 2 * MIB, 0);
	/* shrinking, which gives back; and a large one to a small one */
	resize(30, 600 * KIB + 5, 0);
	resize(30, MIB, HEAP_REALLOC_IN_PLACE_ONLY);
	resize(31, 1000, 0);
	resize(23, 10, 0);
	resize(32, 0, 0);
	check_blocks(true);
	for (unsigned int h = 0; h < 3; h++)
		HeapCompact(books.heap[h], 0);
	check_blocks(true);

	/* holes, which are filled again */
	for (unsigned int i = 0; i < 33; i += 2)
		release(i);
	for (unsigned int i = 0; i < 33; i += 2)
		if (i != 20)
			alloc(i % 3 == 1 ? 2 : 0, i, 1000 * i, false);
	check_blocks(false);
	create(3, HEAP_CREATE_ENABLE_EXECUTE, 0, 0);
	for (unsigned int i = 38; i < 41; i++)
		alloc(3, i, 400 * KIB, false);
	for (unsigned int i = 0; i < 20; i++)
		release(i);
	check_blocks(true);
	destroy(1);
	check_blocks(false);
}

/* After it, with all blocks still there: the heaps are of use again. */
static void aftermath(void)
{
	inject.nth = 0;
	for (unsigned int h = 0; h < 3; h++) {
		alloc(h, 41 + h, 100 * KIB, false);
		alloc(h, 44 + h, 10, false);
	}
	alloc(0, 47, MIB, false);
	alloc(0, 48, 900 * KIB, false);
	check_blocks(true);
	for (unsigned int h = 0; h < MAX_HEAPS; h++)
		destroy(h);
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
 * From the very first call of the process on, before the library has anything:
 * each time in a process of its own.
 */
TEST_F_TIMEOUT(heap_fail_fresh, first_use, 600)
{
	const unsigned int which = SYSTEM_CALLS | 1 << SYSTEM_ADVICE;
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
			scenario();
			aftermath();
			_exit(model_failures ? 2 : !inject.injected);
		}
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		ASSERT_TRUE(WIFEXITED(status));
		ASSERT_NE(2, WEXITSTATUS(status));
	} while (!WEXITSTATUS(status));
	TH_LOG("%lu calls, refused in steps of %lu", nth - 1, step());
	EXPECT_GT(nth, 10);
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

/* Without a page that forks wipe, those that the C library makes are seen. */
TEST(forks_are_seen_without_advice)
{
	HANDLE heap;
	void *block;
	int status;
	pid_t pid;

	inject.which = 1 << SYSTEM_ADVICE;
	inject.error = EINVAL;
	inject.nth = 1;
	heap = HeapCreate(0, 0, 0);
	ASSERT_NE(NULL, heap);
	EXPECT_EQ(1, inject.injected);
	block = HeapAlloc(heap, 0, 100);
	pid = fork();
	ASSERT_GE(pid, 0);
	if (!pid) {
		if (HeapFree(heap, 0, block) ||
		    GetLastError() != ERROR_INVALID_HANDLE)
			_exit(1);
		heap = HeapCreate(0, 0, 0);
		_exit(heap && HeapAlloc(heap, 0, 100) ? 0 : 2);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(TRUE, HeapFree(heap, 0, block));
	EXPECT_EQ(TRUE, HeapDestroy(heap));
}

/* The device is out of reach: a region ends with its mapping, too. */
TEST(destroy_goes_through)
{
	size_t page = sysconf(_SC_PAGESIZE);
	HANDLE heap = HeapCreate(0, 0, 0);
	char *large = HeapAlloc(heap, 0, 2 * MIB);
	unsigned char vec;

	ASSERT_NE(NULL, large);
	large -= (uintptr_t)large % page;
	EXPECT_EQ(0, mincore(large, page, &vec));
	inject.which = 1 << REGION_DESTROY;
	inject.error = EACCES;
	inject.nth = 1;
	inject.on = true;
	model_set_stale();
	EXPECT_EQ(TRUE, HeapDestroy(heap));
	EXPECT_TRUE(model_is_stale());
	EXPECT_GE(inject.injected, 2);
	EXPECT_EQ(-1, mincore(large, page, &vec));
	EXPECT_EQ(-1, mincore(heap, page, &vec));
	EXPECT_EQ(FALSE, HeapDestroy(heap));
}

/* The kernel does not answer: no numbers rather than wrong ones. */
TEST(usage_that_cannot_be_asked)
{
	HANDLE heap = HeapCreate(0, 0, 0);
	PRIVHEAP_USAGE usage = { .cb = sizeof(usage), .cBlocks = 77 };

	ASSERT_NE(NULL, HeapAlloc(heap, 0, 2 * MIB));
	for (int nth = 1; nth <= 2; nth++) {
		inject.which = 1 << REGION_QUERY;
		inject.error = EACCES;
		inject.calls = 0;
		inject.nth = nth;
		model_set_stale();
		EXPECT_EQ(FALSE, PrivheapQueryHeap(heap, &usage));
		EXPECT_TRUE(model_has_error(ERROR_GEN_FAILURE));
		EXPECT_EQ(77, usage.cBlocks);
	}
	inject.nth = 0;
	EXPECT_EQ(TRUE, PrivheapQueryHeap(heap, &usage));
	EXPECT_EQ(1, usage.cBlocks);
	HeapDestroy(heap);
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
