// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the kernel does to have free memory, and regions: their pages stay in
 * memory, whole, as their program sees them. Swapping, caches that are dropped,
 * same pages merged, huge pages collapsed: all for others.
 */
#include <pthread.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/swap.h>
#include <sys/wait.h>

#include "privheap_fixture.h"
#include "page_selftest.h"

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE	25
#endif

#define RESERVE		(16 * MIB)
#define SWAP_FILE	"/scratch/privheap-swap"
#define SWAP_SIZE	(128 * MIB)
#define SWAP_LABEL	"SWAPSPACE2"

static void fill(char *base, uint64_t length)
{
	for (uint64_t at = 0; at < length; at += PAGE)
		*(uint64_t *)(base + at + at / PAGE % 512 * 8) = at + 1;
}

static unsigned int wrong_words(char *base, uint64_t length)
{
	unsigned int wrong = 0;

	for (uint64_t at = 0; at < length; at += PAGE)
		wrong += *(uint64_t *)(base + at + at / PAGE % 512 * 8) != at + 1;
	return wrong;
}

/* As mkswap(8) does it: one page that says how many there are. */
static int make_swap(void)
{
	static char header[4096];
	int fd = open(SWAP_FILE, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600), ret = 0;
	uint32_t *info = (uint32_t *)(header + 1024);

	if (fd < 0)
		return -errno;
	info[0] = 1;
	info[1] = SWAP_SIZE / PAGE - 1;
	memcpy(header + PAGE - strlen(SWAP_LABEL), SWAP_LABEL, strlen(SWAP_LABEL));
	/* Swap files have no holes. */
	if (posix_fallocate(fd, 0, SWAP_SIZE) ||
	    pwrite(fd, header, sizeof(header), 0) != sizeof(header) || fsync(fd))
		ret = -EIO;
	close(fd);
	if (!ret && swapon(SWAP_FILE, 0))
		ret = -errno;
	return ret;
}

static void end_swap(void)
{
	swapoff(SWAP_FILE);
	unlink(SWAP_FILE);
}

/* A cgroup in which there is too little memory for what a process has. */
TEST_F_TIMEOUT(privheap, swapping, 300)
{
	struct privheap_query before;
	int ready[2], more[2];
	char path[256], byte;
	pid_t child;
	int ret;

	if (geteuid() || access("/scratch", W_OK))
		SKIP(return, "not root, or no /scratch to swap to");
	ret = ph_cgroup_make("swap", path, sizeof(path));
	if (ret)
		SKIP(return, "cannot make a memory cgroup: %s", strerror(-ret));
	ret = make_swap();
	if (ret) {
		ph_cgroup_remove(path);
		SKIP(return, "cannot swap: %s", strerror(-ret));
	}
	ASSERT_EQ(0, pipe(ready));
	ASSERT_EQ(0, pipe(more));
	child = fork();
	ASSERT_LE(0, child);
	if (!child) {
		char *base, *anonymous;

		anonymous = mmap(NULL, 32 * MIB, PROT_READ | PROT_WRITE,
				 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (ph_cgroup_enter(path) || anonymous == MAP_FAILED ||
		    ph_create(self->fd, RESERVE, RESERVE, 0, &base))
			_exit(1);
		fill(base, RESERVE);
		fill(anonymous, 32 * MIB);
		before = ph_region(self->fd, base);
		if (write(ready[1], "", 1) != 1 || read(more[0], &byte, 1) != 1)
			_exit(2);
		/* The limit is there now: something has to go, and it is not the region. */
		for (int round = 0; round < 3; round++) {
			struct privheap_query now = ph_region(self->fd, base);

			if (wrong_words(base, RESERVE) || wrong_words(anonymous, 32 * MIB))
				_exit(3);
			if (memcmp(&now, &before, sizeof(now)))
				_exit(4);
			if (ph_smaps(base, RESERVE, "Swap") > 0)
				_exit(5);
			/* Hints to put it out are no more than hints. */
			madvise(base, RESERVE, MADV_PAGEOUT);
			madvise(base, RESERVE, MADV_COLD);
		}
		if (ph_smaps(anonymous, 32 * MIB, "Swap") <= 0)
			_exit(6);
		if (write(ready[1], "", 1) != 1 || read(more[0], &byte, 1) != 1)
			_exit(7);
		/* Swap is off again, under its feet. */
		if (wrong_words(base, RESERVE) || wrong_words(anonymous, 32 * MIB))
			_exit(8);
		_exit(0);
	}
	EXPECT_EQ(1, read(ready[0], &byte, 1));
	EXPECT_EQ(0, ph_cgroup_set(path, "memory.max", "33554432"));
	EXPECT_LT(0, ph_cgroup_get(path, "memory.swap.current"));
	EXPECT_EQ(1, write(more[1], "", 1));
	EXPECT_EQ(1, read(ready[0], &byte, 1));
	EXPECT_EQ(0, ph_cgroup_set(path, "memory.max", "max"));
	EXPECT_EQ(0, swapoff(SWAP_FILE));
	EXPECT_EQ(1, write(more[1], "", 1));
	EXPECT_EXITED(0, child);
	end_swap();
	ph_cgroup_remove(path);
}

TEST_F(privheap, pages_stay_in_memory)
{
	char *base;

	ASSERT_EQ(0, ph_create(self->fd, RESERVE, RESERVE, 0, &base));
	fill(base, RESERVE);
	EXPECT_EQ(RESERVE, ph_smaps(base, RESERVE, "Rss"));
	if (page_frame(base))
		EXPECT_TRUE(page_flag(page_frame(base), PAGE_FLAG_UNEVICTABLE));
	/* Counted where an administrator looks for such. */
	EXPECT_LE(RESERVE, ph_proc_bytes("/proc/meminfo", "Unevictable"));
	madvise(base, RESERVE, MADV_PAGEOUT);
	EXPECT_EQ(0, wrong_words(base, RESERVE));
	EXPECT_USAGE(self->fd, base, RESERVE, RESERVE);
}

/* Also those that are not mapped at the moment. */
TEST_F(privheap, caches_are_dropped)
{
	struct privheap_query before;
	char *base, *other;

	if (access("/proc/sys/vm/drop_caches", W_OK))
		SKIP(return, "not root");
	ASSERT_EQ(0, ph_create(self->fd, RESERVE, RESERVE, 0, &base));
	ASSERT_EQ(0, ph_create(self->fd, RESERVE, RESERVE, 0, &other));
	fill(base, RESERVE);
	fill(other, RESERVE);
	before = ph_region(self->fd, base);
	ASSERT_EQ(0, madvise(base, RESERVE, MADV_DONTNEED));
	for (int i = 0; i < 3; i++)
		EXPECT_EQ(0, ph_write_file("/proc/sys/vm/drop_caches", "3"));
	EXPECT_EQ(0, wrong_words(base, RESERVE));
	EXPECT_EQ(0, wrong_words(other, RESERVE));
	EXPECT_UNCHANGED(self->fd, base, before);
}

/* Merging same pages is for private memory: the advice is taken, and ignored. */
TEST_F(privheap, same_pages_are_not_merged)
{
	long long merging = ph_read_number("/sys/kernel/mm/ksm/run");
	struct privheap_query before;
	char *base;

	if (merging < 0)
		SKIP(return, "no KSM in this kernel");
	ASSERT_EQ(0, ph_create(self->fd, RESERVE, 2 * MIB, 0, &base));
	memset(base, 5, 2 * MIB);
	before = ph_region(self->fd, base);
	EXPECT_EQ(0, ph_write_file("/sys/kernel/mm/ksm/run", "1"));
	EXPECT_EQ(0, madvise(base, 2 * MIB, MADV_MERGEABLE));
	ph_sleep_ms(300);
	EXPECT_TRUE(ph_smaps(base, RESERVE, "KSM") <= 0);
	EXPECT_EQ(0, madvise(base, 2 * MIB, MADV_UNMERGEABLE));
	base[0] = 6;
	EXPECT_EQ(5, base[PAGE]);
	EXPECT_TRUE(ph_all(base + 1, 2 * MIB - 1, 5));
	EXPECT_UNCHANGED(self->fd, base, before);
	EXPECT_EQ(0, ph_write_file("/sys/kernel/mm/ksm/run", merging ? "1" : "0"));
}

/* The module chooses the folios: nobody collapses small ones behind its back. */
TEST_F(privheap, nothing_is_collapsed)
{
	struct privheap_query before;
	char *base;

	ASSERT_EQ(0, ph_create(self->fd, RESERVE, 4 * MIB, PRIVHEAP_CREATE_LAZY, &base));
	/* Single pages, half of them. */
	for (uint64_t at = 0; at < 4 * MIB; at += 2 * PAGE)
		base[at] = 1;
	before = ph_region(self->fd, base);
	EXPECT_EQ(2 * MIB, before.out_resident);
	madvise(base, 4 * MIB, MADV_HUGEPAGE);
	EXPECT_NE(0, madvise(base, 4 * MIB, MADV_COLLAPSE));
	EXPECT_UNCHANGED(self->fd, base, before);
	EXPECT_EQ(0, ph_smaps(base, RESERVE, "FilePmdMapped"));
	EXPECT_EQ(2 * MIB, ph_resident(self->fd, base));
	for (uint64_t at = 0; at < 4 * MIB; at += 2 * PAGE)
		ASSERT_EQ(1, base[at]);
}

TEST_HARNESS_MAIN
