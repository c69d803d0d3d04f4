// SPDX-License-Identifier: GPL-2.0-only
/*
 * A program's malloc on a private heap, to use real programs as load:
 *
 *   LD_PRELOAD=./malloc_shim.so PRIVHEAP_SHIM_REPORT=FILE program
 *
 * PRIVHEAP_SHIM_FAIL_NTH=N makes the Nth allocation fail, and no other.
 *
 * Everything that the program allocates comes from one growable heap by
 * HeapAlloc(). A block that HeapFree() refuses, or that has another HeapSize()
 * than it was given, ends the program. At exit a line of counters is added to
 * FILE. 64-bit programs only: they want 16-byte alignment.
 *
 * Before each pointer lies a header, because a block may have to begin later
 * than the heap's (alignment), and because a forked child must know the sizes
 * of blocks whose heap it does not have.
 *
 * fork(2): a child has no heaps of its parent's, and goes on using its memory
 * all the same. On the anonymous back end it can: the library is linked so
 * that its MADV_DONTFORK does nothing, and the child gets copies. The library
 * notices the fork, refuses the old handle, and the shim makes a new heap;
 * blocks from before the fork stay where they are and are never freed. On the
 * module there is no such way, the kernel does not pass regions on: programs
 * may vfork(2) and posix_spawn(3) there, but not fork.
 */
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <privheap/heapapi.h>

#define EXPORT		__attribute__((visibility("default")))
#define SHIM_ALIGN	16
#define SHIM_MAGIC	0xA7
#define SHIM_MAX_ORDER	31
#define SHIM_EARLY_SIZE	(256 << 10)

/**
 * struct shim_header - lies right before the program's pointer
 * @size: bytes that the program asked for
 * @offset: from the start of the heap's block to the program's pointer
 * @generation: number of the heap that it came from
 * @order: the alignment is 1 << @order
 * @magic: SHIM_MAGIC; 0 in a freed block
 */
struct shim_header {
	size_t size;
	uint32_t offset;
	uint16_t generation;
	uint8_t order;
	uint8_t magic;
};

_Static_assert(sizeof(struct shim_header) == SHIM_ALIGN,
	       "the header keeps the alignment");

/*
 * The heap is made by the first allocation in a process or a forked child. No
 * second thread exists then: to start one allocates.
 */
static HANDLE shim_heap;
static uint16_t shim_generation;

/* The thread is in the library, which must not call malloc. */
static __thread bool shim_inside __attribute__((tls_model("initial-exec")));

static struct {
	atomic_size_t calls;		/* allocations served by the heap */
	atomic_size_t bytes;		/* that they asked for */
	atomic_size_t live;		/* blocks in the current heap */
	atomic_size_t early;		/* allocations before there was a heap */
	atomic_size_t reentered;	/* calls that the library made */
	atomic_size_t inherited;	/* uses of a parent's blocks */
} shim_count;

static void shim_add(atomic_size_t *counter, size_t more)
{
	atomic_fetch_add_explicit(counter, more, memory_order_relaxed);
}

static _Noreturn void shim_die(const char *what, const void *pointer)
{
	char line[128];
	int length;

	shim_inside = true;
	length = snprintf(line, sizeof(line), "malloc_shim: %s: %p, error %u\n",
			  what, pointer, (unsigned int)GetLastError());
	if (write(STDERR_FILENO, line, (size_t)length) < 0)
		_exit(126);
	abort();
}

/* The child of a fork shall have the memory, see above. */
int __real_madvise(void *start, size_t length, int advice);
int __wrap_madvise(void *start, size_t length, int advice);

int __wrap_madvise(void *start, size_t length, int advice)
{
	if (advice == MADV_DONTFORK)
		return 0;
	return __real_madvise(start, length, advice);
}

/* ------------------------------------------- before, and besides, the heap */

static _Alignas(SHIM_ALIGN) char early_arena[SHIM_EARLY_SIZE];
static atomic_size_t early_used;

static bool early_owns(const void *pointer)
{
	return (uintptr_t)pointer - (uintptr_t)early_arena <
	       sizeof(early_arena);
}

/* All zero, as nothing is ever used again. */
static void *early_get(size_t whole)
{
	size_t used;

	if (whole > sizeof(early_arena))
		return NULL;
	whole = (whole + SHIM_ALIGN - 1) & ~(size_t)(SHIM_ALIGN - 1);
	used = atomic_fetch_add(&early_used, whole);
	if (used > sizeof(early_arena) - whole)
		return NULL;
	return early_arena + used;
}

/* --------------------------------------------------------------- the blocks */

static struct shim_header *shim_header(const void *pointer)
{
	struct shim_header *header = (struct shim_header *)pointer - 1;

	if ((uintptr_t)pointer % SHIM_ALIGN || header->magic != SHIM_MAGIC)
		shim_die("not a block", pointer);
	return header;
}

/* The bytes of the heap's block for @size bytes; false: too many. */
static bool shim_whole(size_t size, unsigned int order, size_t *whole)
{
	return !__builtin_add_overflow(size, (size_t)1 << order, whole);
}

static void *shim_heap_alloc(DWORD flags, size_t whole)
{
	void *block;

	block = HeapAlloc(shim_heap, flags, whole);
	if (block || GetLastError() != ERROR_INVALID_HANDLE)
		return block;

	/* None yet, or it was our parent's. */
	shim_heap = HeapCreate(0, 0, 0);
	if (!shim_heap)
		return NULL;
	shim_generation++;
	atomic_store(&shim_count.live, 0);
	return HeapAlloc(shim_heap, flags, whole);
}

/* Whether this allocation is the one that PRIVHEAP_SHIM_FAIL_NTH says. */
static bool shim_fails(void)
{
	static atomic_ulong allocations;
	const char *nth;

	/* The library's own, and the loader's, do not count. */
	if (shim_inside || !environ)
		return false;
	nth = getenv("PRIVHEAP_SHIM_FAIL_NTH");
	return nth && atomic_fetch_add(&allocations, 1) + 1 ==
		      strtoul(nth, NULL, 10);
}

/* A block aligned to 1 << @order, at least SHIM_ALIGN; NULL with ENOMEM. */
static void *shim_get(size_t size, unsigned int order, DWORD flags)
{
	int saved = errno;
	struct shim_header *header;
	size_t whole;
	char *block = NULL, *pointer;

	if (!shim_whole(size, order, &whole) || shim_fails()) {
		errno = ENOMEM;
		return NULL;
	}
	/* The library reads the environment, which the loader is before. */
	if (shim_inside || (!shim_heap && !environ)) {
		shim_add(shim_inside ? &shim_count.reentered :
				       &shim_count.early, 1);
		block = early_get(whole);
	} else {
		shim_inside = true;
		block = shim_heap_alloc(flags, whole);
		shim_inside = false;
	}
	if (!block) {
		errno = ENOMEM;
		return NULL;
	}

	pointer = (char *)(((uintptr_t)block + ((uintptr_t)1 << order)) &
			   ~(((uintptr_t)1 << order) - 1));
	header = (struct shim_header *)pointer - 1;
	header->size = size;
	header->offset = (uint32_t)(pointer - block);
	header->generation = shim_generation;
	header->order = (uint8_t)order;
	header->magic = SHIM_MAGIC;
	if (!early_owns(pointer)) {
		shim_add(&shim_count.calls, 1);
		shim_add(&shim_count.bytes, size);
		shim_add(&shim_count.live, 1);
	}
	errno = saved;
	return pointer;
}

/*
 * Whether the block is one of this process's heap; the library must agree.
 * shim_inside is set.
 */
static bool shim_owns(const void *pointer, const struct shim_header *header)
{
	size_t size, whole = 0;

	if (early_owns(pointer))
		return false;
	if (header->generation == shim_generation) {
		size = HeapSize(shim_heap, 0,
				(const char *)pointer - header->offset);
		shim_whole(header->size, header->order, &whole);
		if (size == whole)
			return true;
		/* The first call in a forked child. */
		if (size != (SIZE_T)-1 ||
		    GetLastError() != ERROR_INVALID_HANDLE)
			shim_die("HeapSize is wrong", pointer);
	}
	shim_add(&shim_count.inherited, 1);
	return false;
}

EXPORT void *malloc(size_t size)
{
	return shim_get(size, 4, 0);
}

EXPORT void *calloc(size_t count, size_t size)
{
	if (__builtin_mul_overflow(count, size, &size)) {
		errno = ENOMEM;
		return NULL;
	}
	return shim_get(size, 4, HEAP_ZERO_MEMORY);
}

EXPORT void free(void *pointer)
{
	int saved = errno;
	struct shim_header *header;
	bool outer = shim_inside;

	if (!pointer)
		return;
	header = shim_header(pointer);
	if (outer)
		shim_add(&shim_count.reentered, 1);

	shim_inside = true;
	if (!outer && shim_owns(pointer, header)) {
		header->magic = 0;
		if (HeapFree(shim_heap, 0, (char *)pointer - header->offset) !=
		    TRUE)
			shim_die("HeapFree refuses", pointer);
		atomic_fetch_sub(&shim_count.live, 1);
	}
	shim_inside = outer;
	errno = saved;
}

/* In place or moved by the heap itself; NULL: failed, all is as it was. */
static void *shim_resize(void *pointer, struct shim_header *header, size_t size,
			 bool fails)
{
	size_t whole;
	char *block = NULL;

	if (shim_whole(size, header->order, &whole) && !fails)
		block = HeapReAlloc(shim_heap, 0,
				    (char *)pointer - header->offset, whole);
	if (!block) {
		errno = ENOMEM;
		return NULL;
	}
	pointer = block + sizeof(*header);
	shim_header(pointer)->size = size;
	shim_add(&shim_count.calls, 1);
	shim_add(&shim_count.bytes, size);
	return pointer;
}

EXPORT void *realloc(void *pointer, size_t size)
{
	struct shim_header *header;
	bool owned, fails;
	void *moved;

	if (!pointer)
		return malloc(size);
	if (!size) {
		free(pointer);
		return NULL;
	}

	header = shim_header(pointer);
	if (!shim_inside && header->offset == sizeof(*header)) {
		fails = shim_fails();
		shim_inside = true;
		owned = shim_owns(pointer, header);
		if (owned)
			pointer = shim_resize(pointer, header, size, fails);
		shim_inside = false;
		if (owned)
			return pointer;
	}
	moved = malloc(size);
	if (!moved)
		return NULL;
	memcpy(moved, pointer, size < header->size ? size : header->size);
	free(pointer);
	return moved;
}

EXPORT void *reallocarray(void *pointer, size_t count, size_t size)
{
	if (__builtin_mul_overflow(count, size, &size)) {
		errno = ENOMEM;
		return NULL;
	}
	return realloc(pointer, size);
}

/* The order of the power of two that @align is or that comes next. */
static unsigned int shim_order(size_t align)
{
	unsigned int order = 4;

	while (order <= SHIM_MAX_ORDER && ((size_t)1 << order) < align)
		order++;
	return order;
}

EXPORT void *memalign(size_t align, size_t size)
{
	unsigned int order = shim_order(align);

	if (order > SHIM_MAX_ORDER) {
		errno = EINVAL;
		return NULL;
	}
	return shim_get(size, order, 0);
}

EXPORT void *aligned_alloc(size_t align, size_t size)
{
	return memalign(align, size);
}

EXPORT int posix_memalign(void **out, size_t align, size_t size)
{
	int saved = errno;
	void *pointer;

	if (!align || align & (align - 1) || align % sizeof(void *))
		return EINVAL;
	pointer = memalign(align, size);
	errno = saved;
	if (!pointer)
		return ENOMEM;
	*out = pointer;
	return 0;
}

EXPORT void *valloc(size_t size)
{
	return memalign((size_t)sysconf(_SC_PAGESIZE), size);
}

EXPORT void *pvalloc(size_t size)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	if (__builtin_add_overflow(size, page - 1, &size)) {
		errno = ENOMEM;
		return NULL;
	}
	return memalign(page, size & ~(page - 1));
}

EXPORT size_t malloc_usable_size(void *pointer)
{
	return pointer ? shim_header(pointer)->size : 0;
}

/* ---------------------------------------------------------------- the report */

/* One line, in one write: the programs of a pipeline share the file. */
__attribute__((destructor)) static void shim_report(void)
{
	static const char *const backends[] = { "none", "module", "anonymous" };
	const char *file = getenv("PRIVHEAP_SHIM_REPORT");
	PRIVHEAP_USAGE usage = { .cb = sizeof(usage) };
	char line[512];
	int fd, length;

	if (!file || !*file)
		return;
	shim_inside = true;
	if (!PrivheapQueryHeap(shim_heap, &usage)) {
		if (GetLastError() != ERROR_INVALID_HANDLE)
			shim_die("PrivheapQueryHeap", shim_heap);
		/* A forked child that has allocated nothing. */
		atomic_store(&shim_count.live, 0);
	}
	length = snprintf(line, sizeof(line),
			  "%s backend=%s calls=%zu bytes=%zu live=%zu blocks=%llu",
			  program_invocation_short_name,
			  backends[PrivheapGetBackend() % 3],
			  atomic_load(&shim_count.calls),
			  atomic_load(&shim_count.bytes),
			  atomic_load(&shim_count.live),
			  (unsigned long long)usage.cBlocks);
	length += snprintf(line + length, sizeof(line) - length,
			   " reentered=%zu early=%zu inherited=%zu\n",
			   atomic_load(&shim_count.reentered),
			   atomic_load(&shim_count.early),
			   atomic_load(&shim_count.inherited));
	fd = open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	if (fd < 0 || write(fd, line, (size_t)length) != length)
		shim_die("cannot write the report", file);
	close(fd);
	shim_inside = false;
}
