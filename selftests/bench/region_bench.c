// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a region costs, beside what else a program could use. Made for a guest
 * whose clock counts instructions (selftests/vm/run --icount); prints one line
 * "NAME VALUE" for each measure. Without /dev/privheap it prints the others'.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <limits.h>
#include <linux/privheap.h>
#include <stdbool.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench.h"

#define MIB		(1UL << 20)
#define HUGE_ALIGN	(2 * MIB)

#define TOUCH_SIZE	(64 * MIB)
#define RANDOM_SIZE	(256 * MIB)
#define RANDOM_TOUCHES	4096
#define GROW_STEP	(64 * 1024UL)
#define GROW_STEPS	512
#define CYCLES		256

#define CGROUP_ROOT	"/sys/fs/cgroup"

static int device = -1;

/* A way to get memory: reserve, make it usable, give it back. */
struct way {
	const char *name;
	/* Usable memory of this size, aligned to 2 MiB. */
	char *(*get)(size_t size);
	void (*put)(char *memory, size_t size);
};

static char *map_aligned(size_t size, int prot, int flags)
{
	char *raw, *aligned;

	raw = mmap(NULL, size + HUGE_ALIGN, PROT_NONE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (raw == MAP_FAILED)
		die("mmap");
	aligned = (char *)(((unsigned long)raw + HUGE_ALIGN - 1) & ~(HUGE_ALIGN - 1));
	if (munmap(raw, size + HUGE_ALIGN))
		die("munmap");
	aligned = mmap(aligned, size, prot, flags | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	if (aligned == MAP_FAILED)
		die("mmap");
	return aligned;
}

static void unmap(char *memory, size_t size)
{
	if (munmap(memory, size))
		die("munmap");
}

static char *get_anonymous(size_t size)
{
	char *memory = map_aligned(size, PROT_READ | PROT_WRITE, MAP_PRIVATE);

	if (madvise(memory, size, MADV_NOHUGEPAGE))
		die("madvise");
	return memory;
}

static char *get_thp(size_t size)
{
	char *memory = map_aligned(size, PROT_READ | PROT_WRITE, MAP_PRIVATE);

	if (madvise(memory, size, MADV_HUGEPAGE))
		die("madvise");
	return memory;
}

static char *get_shmem(size_t size)
{
	return map_aligned(size, PROT_READ | PROT_WRITE, MAP_SHARED);
}

static unsigned long create(size_t reserve, size_t commit, unsigned int flags)
{
	struct privheap_create arg = {
		.size = sizeof(arg), .flags = flags, .reserve = reserve, .commit = commit,
	};

	if (ioctl(device, PRIVHEAP_IOC_CREATE, &arg))
		die("CREATE");
	return arg.out_base;
}

static void destroy(unsigned long base)
{
	struct privheap_destroy arg = { .size = sizeof(arg), .base = base };

	if (ioctl(device, PRIVHEAP_IOC_DESTROY, &arg))
		die("DESTROY");
}

static void grow(unsigned long base, size_t commit, unsigned int flags)
{
	struct privheap_grow arg = {
		.size = sizeof(arg), .flags = flags, .base = base, .commit = commit,
	};

	if (ioctl(device, PRIVHEAP_IOC_GROW, &arg))
		die("GROW");
}

/* Of both resources; of the process where @base is 0. */
static void set_limits(unsigned long base, unsigned long soft, unsigned long hard)
{
	struct privheap_limit arg = {
		.size = sizeof(arg),
		.flags = base ? 0 : PRIVHEAP_LIMIT_PROCESS,
		.base = base,
		.set = PRIVHEAP_SET_SOFT | PRIVHEAP_SET_HARD,
		.soft = soft,
		.hard = hard,
	};

	for (arg.resource = 0; arg.resource <= PRIVHEAP_RESOURCE_RESIDENT; arg.resource++)
		if (ioctl(device, PRIVHEAP_IOC_LIMIT, &arg))
			die("LIMIT");
}

/* A step of GROW_STEP, and its pages. */
static void populate(unsigned long base, size_t offset)
{
	struct privheap_commit arg = {
		.size = sizeof(arg), .flags = PRIVHEAP_COMMIT_POPULATE, .base = base,
		.offset = offset, .length = GROW_STEP,
	};

	if (ioctl(device, PRIVHEAP_IOC_COMMIT, &arg))
		die("COMMIT");
}

static char *get_region(size_t size)
{
	return (char *)create(size, size, PRIVHEAP_CREATE_LAZY);
}

static void put_region(char *memory, size_t size)
{
	(void)size;
	destroy((unsigned long)memory);
}

static const struct way ways[] = {
	{ "anonymous", get_anonymous, unmap },
	{ "thp", get_thp, unmap },
	{ "shmem", get_shmem, unmap },
	{ "region", get_region, put_region },
};

#define WAYS (sizeof(ways) / sizeof(ways[0]))

static bool usable(const struct way *way)
{
	return way->get != get_region || device >= 0;
}

static void touch_all(volatile char *memory, size_t size)
{
	size_t offset;

	for (offset = 0; offset < size; offset += PAGE)
		memory[offset] = 1;
}

/* Pages in the order of a permutation that is the same each time. */
static void touch_random(volatile char *memory, size_t size, unsigned int touches)
{
	unsigned long pages = size / PAGE, page = 0;

	/* A full-period generator: no page comes twice. */
	while (touches--) {
		page = (page * 1664525 + 1013904223) % pages;
		memory[page * PAGE] = 1;
	}
}

static void bench_touch(const struct way *way)
{
	unsigned long begin, touched, end;
	char name[64];
	char *memory;

	memory = way->get(TOUCH_SIZE);
	begin = now();
	touch_all(memory, TOUCH_SIZE);
	touched = now();
	way->put(memory, TOUCH_SIZE);
	end = now();
	snprintf(name, sizeof(name), "touch-sequential-%s", way->name);
	report(name, touched - begin, TOUCH_SIZE / PAGE);
	snprintf(name, sizeof(name), "teardown-%s", way->name);
	report(name, end - touched, TOUCH_SIZE / PAGE);

	memory = way->get(RANDOM_SIZE);
	begin = now();
	touch_random(memory, RANDOM_SIZE, RANDOM_TOUCHES);
	end = now();
	way->put(memory, RANDOM_SIZE);
	snprintf(name, sizeof(name), "touch-random-%s", way->name);
	report(name, end - begin, RANDOM_TOUCHES);
}

/* All pages at once, and then one touch of each. */
static void bench_populate(void)
{
	unsigned long begin, end;
	char *memory;

	begin = now();
	memory = mmap(NULL, TOUCH_SIZE, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (memory == MAP_FAILED)
		die("mmap");
	touch_all(memory, TOUCH_SIZE);
	end = now();
	unmap(memory, TOUCH_SIZE);
	report("populate-MAP_POPULATE", end - begin, TOUCH_SIZE / PAGE);

	if (device < 0)
		return;
	memory = (char *)create(TOUCH_SIZE, 0, 0);
	begin = now();
	grow((unsigned long)memory, TOUCH_SIZE, PRIVHEAP_COMMIT_POPULATE);
	touch_all(memory, TOUCH_SIZE);
	end = now();
	destroy((unsigned long)memory);
	report("populate-region", end - begin, TOUCH_SIZE / PAGE);
}

static void bench_grow(void)
{
	unsigned long begin, end, base;
	unsigned int i;
	char *memory;

	memory = mmap(NULL, GROW_STEP * GROW_STEPS, PROT_NONE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		die("mmap");
	begin = now();
	for (i = 0; i < GROW_STEPS; i++)
		if (mprotect(memory + i * GROW_STEP, GROW_STEP, PROT_READ | PROT_WRITE))
			die("mprotect");
	end = now();
	unmap(memory, GROW_STEP * GROW_STEPS);
	report("grow-mprotect", end - begin, GROW_STEPS);

	if (device < 0)
		return;
	base = create(GROW_STEP * GROW_STEPS, 0, 0);
	begin = now();
	for (i = 0; i < GROW_STEPS; i++)
		grow(base, (i + 1) * GROW_STEP, 0);
	end = now();
	destroy(base);
	report("grow-region", end - begin, GROW_STEPS);

	base = create(GROW_STEP * GROW_STEPS, 0, 0);
	begin = now();
	for (i = 0; i < GROW_STEPS; i++)
		grow(base, (i + 1) * GROW_STEP, PRIVHEAP_COMMIT_POPULATE);
	end = now();
	destroy(base);
	report("grow-populate-region", end - begin, GROW_STEPS * (GROW_STEP / PAGE));
}

/*
 * What levels of the quota hierarchy cost. A region of this process is charged to
 * itself, its process, its user, each cgroup it is in and the system: in one cgroup
 * these are five levels, and each cgroup below that is one more, charged by the
 * same loop. So ten levels beside five tell what a charge of five levels is. The
 * cgroups have no controllers, so that nothing else depends on where this is.
 */
static void bench_levels(const char *what, const char *levels, bool pages)
{
	unsigned long begin, end, base;
	unsigned int i;
	char name[64];

	base = create(GROW_STEP * GROW_STEPS, 0, 0);
	/* None of them is reached. */
	set_limits(base, GROW_STEP * GROW_STEPS - PAGE, GROW_STEP * GROW_STEPS);
	set_limits(0, GROW_STEP * GROW_STEPS - PAGE, GROW_STEP * GROW_STEPS);
	begin = now();
	for (i = 0; i < GROW_STEPS - 1; i++) {
		if (pages)
			populate(base, i * GROW_STEP);
		else
			grow(base, (i + 1) * GROW_STEP, 0);
	}
	end = now();
	set_limits(0, PRIVHEAP_NO_LIMIT, PRIVHEAP_NO_LIMIT);
	destroy(base);
	snprintf(name, sizeof(name), "%s-%s", what, levels);
	report(name, end - begin, GROW_STEPS - 1);
}

static void enter_cgroup(const char *path)
{
	char name[PATH_MAX];
	int fd;

	snprintf(name, sizeof(name), "%s/cgroup.procs", path);
	fd = open(name, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, "0", 1) != 1)
		die(name);
	close(fd);
}

static void bench_quotas(void)
{
	char path[PATH_MAX] = CGROUP_ROOT "/privheap-bench";
	const char *levels;
	unsigned int depth;

	if (device < 0)
		return;
	for (depth = 1; depth <= 6; depth++) {
		if (mkdir(path, 0755))
			die(path);
		if (depth == 1 || depth == 6) {
			enter_cgroup(path);
			levels = depth == 1 ? "5-levels" : "10-levels";
			bench_levels("grow-region", levels, false);
			/* Such a step is 16 pages. */
			bench_levels("populate16-region", levels, true);
		}
		strcat(path, "/d");
	}
	enter_cgroup(CGROUP_ROOT);
	while (depth-- > 1) {
		path[strlen(path) - 2] = '\0';
		if (rmdir(path))
			die(path);
	}
}

/*
 * A shared anonymous mapping is what an mmap() and a munmap() with one file
 * behind it that has no descriptor cost: an inode, a dentry and a struct file.
 */
static void bench_create(void)
{
	unsigned long begin, end;
	unsigned int i;
	char *memory;

	begin = now();
	for (i = 0; i < CYCLES; i++) {
		memory = mmap(NULL, MIB, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (memory == MAP_FAILED)
			die("mmap");
		unmap(memory, MIB);
	}
	end = now();
	report("create-mmap", end - begin, CYCLES);

	begin = now();
	for (i = 0; i < CYCLES; i++) {
		memory = mmap(NULL, MIB, PROT_READ | PROT_WRITE,
			      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
		if (memory == MAP_FAILED)
			die("mmap");
		unmap(memory, MIB);
	}
	end = now();
	report("create-mmap-file", end - begin, CYCLES);

	if (device < 0)
		return;
	begin = now();
	for (i = 0; i < CYCLES; i++)
		destroy(create(MIB, 0, 0));
	end = now();
	report("create-region", end - begin, CYCLES);
}

/* How much memory one touch takes, in KiB. */
static void bench_resident(void)
{
	struct privheap_query query = { .size = sizeof(query) };

	if (device < 0)
		return;
	query.base = create(TOUCH_SIZE, TOUCH_SIZE, PRIVHEAP_CREATE_LAZY);
	((volatile char *)(unsigned long)query.base)[5 * MIB] = 1;
	if (ioctl(device, PRIVHEAP_IOC_QUERY, &query))
		die("QUERY");
	report("resident-kib-one-touch", query.out_resident, 1024);
	destroy(query.base);
}

int main(void)
{
	unsigned int round, i;

	device = open(PRIVHEAP_DEVICE, O_RDWR | O_CLOEXEC);
	if (device < 0 && errno != ENOENT)
		die(PRIVHEAP_DEVICE);

	/* The first round warms caches of the allocators; the last line counts. */
	for (round = 0; round < 2; round++) {
		for (i = 0; i < WAYS; i++)
			if (usable(&ways[i]))
				bench_touch(&ways[i]);
		bench_populate();
		bench_grow();
		bench_create();
		bench_resident();
	}
	/* Cgroups that were removed make work for a while. */
	for (round = 0; round < 2; round++)
		bench_quotas();
	return 0;
}
