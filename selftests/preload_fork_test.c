// SPDX-License-Identifier: GPL-2.0-only
/*
 * libprivheap-malloc.so and fork(2): a child has what its parent has allocated, at
 * the same addresses, and all functions work on it.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>

#include "preload_selftest.h"

#define KINDS		9
#define EACH		20

/**
 * struct world - blocks of all kinds
 * @blocks: by kind
 */
struct world {
	unsigned char *blocks[KINDS][EACH];
};

/* Bytes of a kind; those that are aligned have ALIGNED kinds. */
static const size_t kind_size[KINDS] = {
	1, 24, 100, 1000, 5000, 70000, 1100000, 100, 300000,
};

static const size_t kind_align[KINDS] = { [7] = 4096, [8] = 65536 };

/* So many of the small ones that a heap makes slabs of them. */
static int kind_count(int kind)
{
	return kind_size[kind] > 50000 ? 2 : EACH;
}

static unsigned char kind_value(int kind, int i, int seed)
{
	return (unsigned char)(1 + kind * EACH + i + seed);
}

static void world_make(struct world *world, int seed)
{
	size_t size;
	int kind, i;

	for (kind = 0; kind < KINDS; kind++) {
		for (i = 0; i < kind_count(kind); i++) {
			size = kind_size[kind];
			world->blocks[kind][i] = kind_align[kind] ?
				hide(memalign(kind_align[kind], size)) :
				hide(malloc(size));
			if (!world->blocks[kind][i])
				abort();
			memset(world->blocks[kind][i], kind_value(kind, i, seed),
			       size);
		}
	}
}

static bool all_are(const unsigned char *bytes, size_t size, unsigned char value)
{
	return *bytes == value && (size == 1 || !memcmp(bytes, bytes + 1, size - 1));
}

/* What is wrong with it, as a number; 0: nothing */
static int world_check(const struct world *world, int seed)
{
	int kind, i;

	for (kind = 0; kind < KINDS; kind++) {
		for (i = 0; i < kind_count(kind); i++) {
			unsigned char *block = world->blocks[kind][i];

			if (!all_are(block, kind_size[kind],
				     kind_value(kind, i, seed)))
				return 10 + kind;
			if (malloc_usable_size(block) < kind_size[kind] ||
			    malloc_usable_size(block) > kind_size[kind] +
							kind_align[kind])
				return 30 + kind;
		}
	}
	return 0;
}

/* Makes each larger, and frees it. */
static int world_end(struct world *world, int seed)
{
	unsigned char *block;
	int kind, i;

	for (kind = 0; kind < KINDS; kind++) {
		for (i = 0; i < kind_count(kind); i++) {
			block = hide(realloc(world->blocks[kind][i],
					     kind_size[kind] * 2));
			if (!block || !all_are(block, kind_size[kind],
					       kind_value(kind, i, seed)))
				return 50 + kind;
			memset(block, 0xFF, kind_size[kind] * 2);
			free(block);
		}
	}
	return 0;
}

static int child_uses(void *arg)
{
	struct world *world = arg, mine;
	int wrong = world_check(world, 0);

	if (wrong)
		return wrong;
	/* Beside new blocks, which must not be in the way of the old. */
	world_make(&mine, 3);
	wrong = world_check(world, 0);
	if (!wrong)
		wrong = world_end(world, 0);
	if (!wrong)
		wrong = world_check(&mine, 3);
	return wrong ? wrong : world_end(&mine, 3);
}

TEST(a_child_has_all_and_its_parent_keeps_it)
{
	struct world world;
	int i;

	world_make(&world, 0);
	for (i = 0; i < 5; i++)
		EXPECT_EQ(0, in_child(child_uses, &world));
	EXPECT_EQ(0, world_check(&world, 0));
	EXPECT_EQ(0, world_end(&world, 0));
}

/* Each of the line has blocks of its own, and those of all before it. */
static int generation(struct world *worlds, int number)
{
	int wrong = 0, i;
	pid_t pid;

	world_make(&worlds[number], number);
	if (number < 3) {
		pid = fork();
		if (!pid)
			_exit(generation(worlds, number + 1));
		wrong = pid < 0 ? 99 : status_of(pid);
	}
	for (i = 0; i <= number && !wrong; i++)
		wrong = world_check(&worlds[i], i);
	for (i = 0; i <= number && !wrong; i++)
		wrong = world_end(&worlds[i], i);
	return wrong;
}

TEST(children_of_children)
{
	static struct world worlds[4];

	EXPECT_EQ(0, generation(worlds, 0));
}

static int child_writes(void *arg)
{
	memset(arg, 2, 5 * MIB);
	return 0;
}

TEST(what_a_child_writes_is_its_own)
{
	unsigned char *block = hide(malloc(5 * MIB));

	memset(block, 1, 5 * MIB);
	EXPECT_EQ(0, in_child(child_writes, block));
	EXPECT_TRUE(all_are(block, 5 * MIB, 1));
	free(block);
}

static int child_sees_zero(void *arg)
{
	unsigned char *block = arg;

	return !all_are(block, 64 * MIB, 0);
}

static size_t resident(void *block, size_t size)
{
	size_t pages = size / 4096, i, count = 0;
	unsigned char *there = calloc(pages, 1);

	if (mincore((void *)((uintptr_t)block & ~(uintptr_t)4095), size, there))
		return SIZE_MAX;
	for (i = 0; i < pages; i++)
		count += there[i] & 1;
	free(there);
	return count;
}

TEST(pages_that_are_not_there_are_not_made)
{
	unsigned char *block = hide(malloc(64 * MIB));
	size_t before = resident(block, 64 * MIB);

	EXPECT_EQ(0, in_child(child_sees_zero, block));
	EXPECT_EQ(before, resident(block, 64 * MIB));
	EXPECT_GT(64 * MIB / 4096 / 2, before);
	free(block);
}

static int child_without_holes(void *arg)
{
	unsigned char **blocks = arg;
	int i;

	for (i = 1; i < 200; i += 2)
		if (!all_are(blocks[i], 100000, (unsigned char)i))
			return 1;
	for (i = 1; i < 200; i += 2)
		free(blocks[i]);
	return 0;
}

TEST(a_heap_with_holes)
{
	unsigned char *blocks[200];
	int i;

	for (i = 0; i < 200; i++) {
		blocks[i] = hide(malloc(100000));
		memset(blocks[i], i, 100000);
	}
	for (i = 0; i < 200; i += 2)
		free(blocks[i]);
	EXPECT_EQ(1, malloc_trim(0));
	EXPECT_EQ(0, in_child(child_without_holes, blocks));
	for (i = 1; i < 200; i += 2) {
		EXPECT_TRUE(all_are(blocks[i], 100000, (unsigned char)i));
		free(blocks[i]);
	}
}

static int child_frees_large(void *arg)
{
	char line[512];

	if (!mapping_of(arg, line, sizeof(line)))
		return 1;
	free(hide(arg));
	return mapping_of(arg, line, sizeof(line)) ? 2 : 0;
}

TEST(a_child_gives_large_blocks_back)
{
	void *block = hide(malloc(5 * MIB));

	memset(block, 1, 5 * MIB);
	EXPECT_EQ(0, in_child(child_frees_large, block));
	free(block);
}

static volatile bool done;

/* Also takes the locks of streams, which fork(3) takes as well. */
static void *make_noise(void *arg)
{
	char *blocks[64] = { 0 };
	unsigned int i;
	FILE *file;

	for (i = 0; !done; i++) {
		blocks[i % 64] = hide(realloc(blocks[i % 64],
					      1 + i * 7919 % 20000));
		if (i % 64)
			continue;
		/* Whoever forks is to have its turn, too. */
		usleep(1000);
		file = fopen("/dev/null", "we");
		if (file) {
			fputs("x", file);
			fflush(NULL);
			fclose(file);
		}
	}
	for (i = 0; i < 64; i++)
		free(blocks[i]);
	return NULL;
}

static int child_with_streams(void *arg)
{
	FILE *file = fopen("/dev/null", "we");

	if (!file || fputs("x", file) < 0 || fclose(file))
		return 1;
	return child_uses(arg);
}

TEST(fork_beside_threads_that_allocate)
{
	pthread_t threads[3];
	struct world world;
	int i;

	world_make(&world, 0);
	done = false;
	for (i = 0; i < 3; i++)
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, make_noise, NULL));
	for (i = 0; i < 20; i++)
		ASSERT_EQ(0, in_child(child_with_streams, &world));
	done = true;
	for (i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	EXPECT_EQ(0, world_check(&world, 0));
}

static void *fork_often(void *arg)
{
	struct world world;
	long wrong = 0;
	int i;

	world_make(&world, 0);
	for (i = 0; i < 10 && !wrong; i++)
		wrong = in_child(child_uses, &world);
	if (!wrong)
		wrong = world_end(&world, 0);
	return (void *)wrong;
}

TEST(threads_that_fork)
{
	pthread_t threads[3];
	void *wrong;
	int i;

	for (i = 0; i < 3; i++)
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, fork_often, NULL));
	for (i = 0; i < 3; i++) {
		pthread_join(threads[i], &wrong);
		EXPECT_EQ(NULL, wrong);
	}
}

static int fork_with_errno(void *arg)
{
	pid_t pid;

	errno = 77;
	pid = fork();
	if (!pid)
		_exit(errno == 77 ? 0 : 1);
	if (errno != 77)
		return 2;
	return status_of(pid);
}

TEST(errno_stays)
{
	EXPECT_EQ(0, in_child(fork_with_errno, NULL));
}

int main(int argc, char **argv)
{
	preload_self(argv);
	return test_harness_run(argc, argv);
}
