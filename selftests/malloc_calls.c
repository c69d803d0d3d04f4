// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every function of the malloc family, as programs may use it. Prints a line
 * for each promise: the same whoever keeps it, and "ok" if it is kept.
 *
 *   malloc_calls [nofork]
 */
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define THREADS		4
#define ROUNDS		20000

static bool all_kept = true;

static void promise(const char *what, bool kept)
{
	printf("%s: %s\n", what, kept ? "ok" : "BROKEN");
	all_kept &= kept;
}

/* All of it can be written, and is aligned; frees it. */
static bool good(void *pointer, size_t align, size_t size)
{
	bool kept = pointer && (uintptr_t)pointer % align == 0 &&
		    malloc_usable_size(pointer) >= size;

	if (kept)
		memset(pointer, 0xA5, malloc_usable_size(pointer));
	free(pointer);
	return kept;
}

static void alignments(void)
{
	bool kept = true;
	size_t align, size;
	void *pointer;

	for (align = 8; align <= 8 << 20; align *= 2) {
		for (size = 0; size < 3 << 20; size = size * 7 + 1) {
			kept &= good(memalign(align, size), align, size);
			kept &= good(aligned_alloc(align, size), align, size);
			kept &= !posix_memalign(&pointer, align, size) &&
				good(pointer, align, size);
		}
	}
	promise("alignments", kept);
	promise("valloc", good(valloc(100), 4096, 100));
	promise("pvalloc", good(pvalloc(100), 4096, 4096));
	promise("malloc(0)", good(malloc(0), 16, 0));

	pointer = NULL;
	promise("posix_memalign: 24", posix_memalign(&pointer, 24, 1) == EINVAL &&
		!pointer);
	promise("posix_memalign: 4", posix_memalign(&pointer, 4, 1) == EINVAL);
	promise("malloc_usable_size(NULL)", !malloc_usable_size(NULL));
}

static void refusals(void)
{
	/* What a compiler cannot see, it does not warn of. */
	volatile size_t huge = SIZE_MAX, half = SIZE_MAX / 2 + 2;
	char *pointer = malloc(10);

	strcpy(pointer, "unharmed");
	errno = 0;
	promise("malloc", !malloc(huge) && errno == ENOMEM);
	errno = 0;
	promise("calloc", !calloc(half, 2) && errno == ENOMEM);
	errno = 0;
	promise("realloc", !realloc(pointer, huge) && errno == ENOMEM);
	errno = 0;
	promise("reallocarray", !reallocarray(NULL, half, 2) &&
		errno == ENOMEM);
	errno = 0;
	promise("memalign", !memalign(4096, huge) && errno == ENOMEM);
	promise("block after refusals", !strcmp(pointer, "unharmed"));
	errno = 77;
	free(pointer);
	promise("free and errno", errno == 77);
}

/* Grows and shrinks with its bytes kept, from @pointer, which it frees. */
static bool resizes(unsigned char *pointer, size_t old)
{
	static const size_t sizes[] = {
		1, 17, 4000, 70000, 3 << 20, 5 << 20, 100000, 300, 24, 2,
	};
	size_t i, j;
	bool kept = true;

	memset(pointer, 7, old);
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		pointer = realloc(pointer, sizes[i]);
		for (j = 0; j < old && j < sizes[i]; j++)
			kept &= pointer[j] == 7;
		old = sizes[i];
		memset(pointer, 7, old);
	}
	return kept && !realloc(pointer, 0);
}

static bool zeroes(void)
{
	size_t size, i;
	bool kept = true;
	char *pointer;

	for (size = 1; size < 4 << 20; size = size * 3 + 1) {
		free(memset(malloc(size), 0xFF, size));
		pointer = calloc(1, size);
		for (i = 0; i < size; i++)
			kept &= !pointer[i];
		free(pointer);
	}
	return kept;
}

static void *churn(void *arg)
{
	unsigned int seed = (unsigned int)(uintptr_t)arg, i, slot;
	unsigned char *blocks[64] = {};
	unsigned char value;
	size_t size;
	void *kept = arg;

	for (i = 0; i < ROUNDS; i++) {
		seed = seed * 1103515245 + 12345;
		slot = seed >> 16 & 63;
		if (blocks[slot] && blocks[slot][0] != slot)
			kept = NULL;
		value = (unsigned char)slot;
		size = (seed >> 8 & 0xFFF) + 1;
		blocks[slot] = realloc(blocks[slot], size);
		memset(blocks[slot], value, size);
	}
	for (i = 0; i < 64; i++)
		free(blocks[i]);
	return kept;
}

static bool threads(void)
{
	pthread_t thread[THREADS];
	bool kept = true;
	void *result;
	uintptr_t i;

	for (i = 0; i < THREADS; i++)
		kept &= !pthread_create(&thread[i], NULL, churn,
					(void *)(i + 1));
	for (i = 0; i < THREADS; i++)
		kept &= !pthread_join(thread[i], &result) && result;
	return kept;
}

/* What a child does with memory from before and after the fork. */
static int child(char *old, char *large)
{
	char *more = strdup("new");
	int status;
	pid_t pid;

	if (!more || strcmp(old, "before the fork") || large[999999] != 'x')
		return 1;
	old = realloc(old, 100000);
	if (!old || strcmp(old, "before the fork"))
		return 2;
	free(old);
	free(large);
	pid = fork();
	if (!pid)
		_exit(!resizes((unsigned char *)more, 4));
	if (waitpid(pid, &status, 0) != pid || status || strcmp(more, "new"))
		return 3;
	free(more);
	return zeroes() && threads() ? 0 : 4;
}

static void forks(void)
{
	char *old = strdup("before the fork"), *large = malloc(1000000);
	int status = -1;
	pid_t pid;

	memset(large, 'x', 1000000);
	fflush(stdout);
	pid = fork();
	if (!pid)
		_exit(child(old, large));
	promise("fork", waitpid(pid, &status, 0) == pid && !status);
	if (status)
		printf("the child's status is %#x\n", status);
	promise("parent after fork", !strcmp(old, "before the fork") &&
		large[0] == 'x');
	free(old);
	free(large);
}

int main(int argc, char **argv)
{
	alignments();
	refusals();
	promise("resizing", resizes(malloc(5), 5));
	promise("resizing of an aligned block",
		resizes(memalign(65536, 5000), 5000));
	promise("zeroes", zeroes());
	promise("threads", threads());
	if (argc < 2 || strcmp(argv[1], "nofork"))
		forks();
	return !all_kept;
}
