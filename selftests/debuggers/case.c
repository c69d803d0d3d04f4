// SPDX-License-Identifier: GPL-2.0-only
/*
 * Programs with one mistake each, for debuggers_test.sh: case NAME. The mistake is in a
 * function of that name, and none of it is a mistake to the library, but for free_twice.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <privheap/heapapi.h>

static HANDLE heap;
/* What the compiler does not see through. */
static volatile char sink;
static void *(*volatile set)(void *, int, size_t) = memset;
/* What is in use to the end. */
char **holder;

static char *alloc(DWORD flags, SIZE_T size)
{
	char *block = HeapAlloc(heap, flags, size);

	if (!block)
		exit(2);
	return block;
}

static char *alloc_filled(SIZE_T size)
{
	return memset(alloc(0, size), 'a', size);
}

static void beyond(void)
{
	volatile char *block = alloc_filled(40);

	alloc(0, 40);
	block[40] = 1;
}

static void beyond_by_memset(void)
{
	char *block = alloc_filled(40);

	set(block + 8, 0, 33);
}

static void before(void)
{
	volatile char *block = alloc_filled(40);

	block[-1] = 1;
}

static void beyond_large(void)
{
	volatile char *block = alloc(HEAP_ZERO_MEMORY, 3000000);

	sink = block[2999999];
	block[3000000] = 1;
}

static void after_free(void)
{
	volatile char *block = alloc_filled(40);

	HeapFree(heap, 0, (void *)block);
	sink = block[3];
}

static void after_realloc(void)
{
	volatile char *block = alloc_filled(40);

	alloc(0, 40);
	HeapReAlloc(heap, 0, (void *)block, 4000);
	sink = block[3];
}

static void after_shrink(void)
{
	volatile char *block = alloc_filled(4000);

	if (!HeapReAlloc(heap, HEAP_REALLOC_IN_PLACE_ONLY, (void *)block, 100))
		exit(2);
	sink = block[99];
	sink = block[100];
}

static void after_destroy(void)
{
	volatile char *block = alloc_filled(40);

	HeapDestroy(heap);
	/* So that there is memory again. */
	heap = HeapCreate(0, 0, 0);
	sink = block[3];
}

static void free_twice(void)
{
	char *block = alloc_filled(40);

	HeapFree(heap, 0, block);
	HeapFree(heap, 0, block);
}

static void uninitialised(void)
{
	volatile char *block = alloc(0, 40);

	if (block[7] == 'x')
		sink = 1;
}

/* What was written stays known, and what is new is not. */
static void uninitialised_realloc(void)
{
	char *block = alloc_filled(40);

	alloc(0, 40);
	block = HeapReAlloc(heap, 0, block, 4000);
	if (block[39] == 'x')
		sink = 1;
	if (block[40] == 'x')
		sink = 2;
}

static __attribute__((noinline)) void leak(void)
{
	sink = *alloc(HEAP_ZERO_MEMORY, 12345);
}

/* Memory of malloc(3) that only a block knows of. */
static __attribute__((noinline)) void hold_malloc(void)
{
	holder = (char **)alloc(HEAP_ZERO_MEMORY, sizeof(*holder));
	*holder = malloc(777);
}

/* Much of everything that is right. */
static void nothing(void)
{
	PROCESS_HEAP_ENTRY entry = { 0 };
	char *blocks[300] = { NULL };
	HANDLE other = HeapCreate(0, 0, 64 << 10);
	unsigned int i, round, bad = 0;

	for (round = 0; round < 20; round++) {
		for (i = 0; i < 300; i++) {
			SIZE_T size = (i * 37 + round * 101) % 3000 + 1;

			if (!blocks[i])
				blocks[i] = HeapAlloc(heap, HEAP_ZERO_MEMORY, size);
			else if (i % 3 == round % 3)
				blocks[i] = HeapReAlloc(heap, HEAP_ZERO_MEMORY,
							blocks[i], size);
			else if (i % 3 == (round + 1) % 3) {
				HeapFree(heap, 0, blocks[i]);
				blocks[i] = NULL;
			}
			if (blocks[i])
				bad += blocks[i][HeapSize(heap, 0, blocks[i]) - 1];
		}
		bad += !HeapValidate(heap, 0, NULL);
		HeapCompact(heap, 0);
	}
	while (HeapAlloc(other, 0, 1000))
		;
	while (HeapWalk(heap, &entry))
		;
	bad += GetLastError() != ERROR_NO_MORE_ITEMS;
	HeapDestroy(other);
	for (i = 0; i < 300; i++)
		HeapFree(heap, 0, blocks[i]);
	if (bad)
		exit(2);
}

/* For a debugger of states: what it finds is in these. */
char *slot, *large;
HANDLE fixed;

static void stop(void)
{
	unsigned int i;
	char *block;

	fixed = HeapCreate(HEAP_NO_SERIALIZE, 0, 256 << 10);
	HeapAlloc(fixed, 0, 33);
	for (i = 0; i < 100; i++) {
		block = alloc(0, 200);
		if (i == 60)
			slot = block;
		if (i % 5 == 0 && i < 60)
			HeapFree(heap, 0, block);
	}
	for (i = 0; i < 40; i++) {
		alloc(0, 600 + i);
		alloc(0, 3000 + i);
	}
	alloc(0, 5000);
	large = alloc(0, 2000000);
	abort();
}

#define CASE(name)	{ #name, name }

static const struct {
	const char *name;
	void (*run)(void);
} cases[] = {
	CASE(beyond), CASE(beyond_by_memset), CASE(before), CASE(beyond_large),
	CASE(after_free), CASE(after_realloc), CASE(after_shrink), CASE(after_destroy),
	CASE(free_twice), CASE(uninitialised), CASE(uninitialised_realloc), CASE(leak),
	CASE(hold_malloc), CASE(nothing), CASE(stop),
};

int main(int argc, char **argv)
{
	heap = HeapCreate(0, 0, 0);
	for (size_t i = 0; heap && i < sizeof(cases) / sizeof(*cases); i++) {
		if (argc < 2 || strcmp(argv[1], cases[i].name))
			continue;
		cases[i].run();
		/* What a leak is, a destroyed heap would not tell. */
		if (cases[i].run != leak && cases[i].run != hold_malloc)
			HeapDestroy(heap);
		return 0;
	}
	fprintf(stderr, "usage: case NAME\n");
	return 2;
}
