// SPDX-License-Identifier: GPL-2.0-only
/*
 * What heaps do when the memory for them is refused: the first call for it,
 * then the second, and so on, until a whole scenario runs through.
 *
 * The linker puts functions of this file (--wrap) between the library and the
 * calls that are to fail: those of regions, or the system calls below them.
 * After each failure every block must be what it was, and after the scenario
 * nothing may be left, neither a region nor a mapping.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/privheap.h>

#include "heap_model.h"
#include "kselftest_harness.h"

#define MAX_BLOCKS	64
#define MAX_HEAPS	4
#define ENDS		(4 * KIB)

/* ---------------------------------------------------------- injection */

enum call {
	REGION_CREATE, REGION_GROW, REGION_COMMIT, REGION_DECOMMIT,
	SYSTEM_MMAP, SYSTEM_MPROTECT, SYSTEM_MADVISE, SYSTEM_IOCTL,
	CALLS
};

/* Which calls count, which of them fails, and with what. */
static struct {
	unsigned int which;	/* bits 1 << enum call */
	unsigned long nth;	/* from 1; 0: none fails */
	bool on;		/* all later ones fail, too */
	int error;
	unsigned long calls;
	unsigned long injected;
	unsigned long seen[CALLS];
} inject;

static bool injected(enum call call)
{
	inject.seen[call]++;
	if (!(inject.which >> call & 1))
		return false;
	inject.calls++;
	if (!inject.nth || (inject.on ? inject.calls < inject.nth :
					inject.calls != inject.nth))
		return false;
	inject.injected++;
	errno = inject.error;
	return true;
}

void *__real_privheap_region_create(size_t reserve, size_t commit, size_t limit,
				    unsigned int flags);
void *__wrap_privheap_region_create(size_t reserve, size_t commit, size_t limit,
				    unsigned int flags);
int __real_privheap_region_grow(void *base, size_t commit, unsigned int flags);
int __wrap_privheap_region_grow(void *base, size_t commit, unsigned int flags);
int __real_privheap_region_commit(void *base, size_t offset, size_t length,
				  unsigned int flags);
int __wrap_privheap_region_commit(void *base, size_t offset, size_t length,
				  unsigned int flags);
int __real_privheap_region_decommit(void *base, size_t offset, size_t length);
int __wrap_privheap_region_decommit(void *base, size_t offset, size_t length);
void *__real_mmap(void *address, size_t length, int prot, int flags, int fd,
		  off_t offset);
void *__wrap_mmap(void *address, size_t length, int prot, int flags, int fd,
		  off_t offset);
int __real_mprotect(void *address, size_t length, int prot);
int __wrap_mprotect(void *address, size_t length, int prot);
int __real_madvise(void *address, size_t length, int advice);
int __wrap_madvise(void *address, size_t length, int advice);
int __real_ioctl(int fd, unsigned long request, void *arg);
int __wrap_ioctl(int fd, unsigned long request, ...);

void *__wrap_privheap_region_create(size_t reserve, size_t commit, size_t limit,
				    unsigned int flags)
{
	if (injected(REGION_CREATE))
		return NULL;
	return __real_privheap_region_create(reserve, commit, limit, flags);
}

int __wrap_privheap_region_grow(void *base, size_t commit, unsigned int flags)
{
	if (injected(REGION_GROW))
		return -1;
	return __real_privheap_region_grow(base, commit, flags);
}

int __wrap_privheap_region_commit(void *base, size_t offset, size_t length,
				  unsigned int flags)
{
	if (injected(REGION_COMMIT))
		return -1;
	return __real_privheap_region_commit(base, offset, length, flags);
}

static uint64_t committed(void *base)
{
	struct privheap_region_info info;

	return privheap_region_query(base, &info) ? 0 : info.committed;
}

/*
 * What the module does when somebody has pinned the first page of the range:
 * it becomes zero and stays, if it was committed, and the others go.
 */
static int decommit_but_first(void *base, size_t offset, size_t length)
{
	uint64_t before = committed(base);
	size_t page = sysconf(_SC_PAGESIZE);

	if (__real_privheap_region_decommit(base, offset, page))
		return -1;
	if (committed(base) < before &&
	    __real_privheap_region_commit(base, offset, page, 0))
		return -1;
	if (length > page && __real_privheap_region_decommit(base, offset + page,
							      length - page))
		return -1;
	errno = EBUSY;
	return -1;
}

int __wrap_privheap_region_decommit(void *base, size_t offset, size_t length)
{
	if (injected(REGION_DECOMMIT))
		return inject.error == EBUSY ?
		       decommit_but_first(base, offset, length) : -1;
	return __real_privheap_region_decommit(base, offset, length);
}

void *__wrap_mmap(void *address, size_t length, int prot, int flags, int fd,
		  off_t offset)
{
	if (injected(SYSTEM_MMAP))
		return MAP_FAILED;
	return __real_mmap(address, length, prot, flags, fd, offset);
}

/* Taking access away cannot be refused for want of memory on a whole mapping. */
int __wrap_mprotect(void *address, size_t length, int prot)
{
	if (prot != PROT_NONE && injected(SYSTEM_MPROTECT))
		return -1;
	return __real_mprotect(address, length, prot);
}

/* Only taking pages can fail for want of memory; advice cannot. */
int __wrap_madvise(void *address, size_t length, int advice)
{
	if (advice == MADV_POPULATE_WRITE && injected(SYSTEM_MADVISE))
		return -1;
	return __real_madvise(address, length, advice);
}

/* The calls of the module that may be refused. */
int __wrap_ioctl(int fd, unsigned long request, ...)
{
	va_list args;
	void *arg;

	va_start(args, request);
	arg = va_arg(args, void *);
	va_end(args);
	if ((request == PRIVHEAP_IOC_CREATE || request == PRIVHEAP_IOC_GROW ||
	     request == PRIVHEAP_IOC_COMMIT ||
	     request == PRIVHEAP_IOC_DECOMMIT) && injected(SYSTEM_IOCTL))
		return -1;
	return __real_ioctl(fd, request, arg);
}

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
		if (HeapValidate)
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
	if (HeapCompact)
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
	create(3, HEAP_CREATE_ENABLE_EXECUTE, 0, 64 * KIB);
	alloc(3, 40, 50 * KIB, false);
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

/* The scenario, again and again, until no call is left that could fail. */
static unsigned long fail_each(unsigned int which, int error, bool on)
{
	struct mappings before;

	memset(&inject, 0, sizeof(inject));
	inject.which = which;
	inject.error = error;
	/*
	 * Twice without failures, for what the library keeps for itself: the
	 * page that sees a fork, and the tables of heaps and large blocks,
	 * which have room for many more than the scenario makes.
	 */
	for (int i = 0; i < 2; i++) {
		scenario();
		aftermath();
	}
	before = mappings();
	check_nothing_left(&before);

	inject.on = on;
	for (inject.nth = 1; !model_failures; inject.nth++) {
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
			 1 << SYSTEM_MADVISE | 1 << SYSTEM_IOCTL)

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
	TH_LOG("%lu calls, each refused", failed);
	EXPECT_GT(failed, 0);
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
		EXPECT_GT(inject.seen[SYSTEM_MADVISE], 0);
	}
}

__attribute__((constructor)) static void say_what_is_missing(void)
{
	model_lacks();
}

TEST_HARNESS_MAIN
