// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pages of regions are moved, by the kernel's own wish or another's: compaction,
 * migration between nodes, a block of memory that goes offline. Programs notice
 * nothing, and nothing is counted anew. For nodes on a machine that has one,
 * boot with numa=fake=2.
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "privheap_fixture.h"
#include "page_selftest.h"

#define RESERVE		(16 * MIB)
#define PAGES		(RESERVE / PAGE)
#define COMPACT		"/proc/sys/vm/compact_memory"
#define BLOCKS		"/sys/devices/system/memory"

/* From linux/mempolicy.h, of which there is no copy for programs everywhere. */
#define POLICY_BIND	2
#define MOVE_STRICT	1
#define MOVE_OWN	2

/* What each page holds; a writer adds to all of them, over and over. */
struct content {
	char *base;
	bool over;
	unsigned int rounds;
	unsigned int wrong;
};

static uint64_t *word_of(char *base, unsigned int page)
{
	return (uint64_t *)(base + page * PAGE + page % 512 * 8);
}

static void fill(char *base)
{
	for (unsigned int i = 0; i < PAGES; i++)
		*word_of(base, i) = i;
}

static unsigned int wrong_words(char *base, uint64_t added)
{
	unsigned int wrong = 0;

	for (unsigned int i = 0; i < PAGES; i++)
		wrong += *word_of(base, i) != i + added;
	return wrong;
}

static void *keep_writing(void *argument)
{
	struct content *content = argument;

	while (!__atomic_load_n(&content->over, __ATOMIC_RELAXED)) {
		for (unsigned int i = 0; i < PAGES; i++) {
			uint64_t *word = word_of(content->base, i);

			content->wrong += *word != i + content->rounds;
			*word = i + content->rounds + 1;
		}
		content->rounds++;
	}
	return NULL;
}

#define START_WRITING(content)						\
	ASSERT_EQ(0, pthread_create(&thread, NULL, keep_writing, content))
#define END_WRITING(content) do {					\
	__atomic_store_n(&(content)->over, true, __ATOMIC_RELAXED);	\
	ASSERT_EQ(0, pthread_join(thread, NULL));			\
	EXPECT_EQ(0, (content)->wrong);					\
	EXPECT_EQ(0, wrong_words((content)->base, (content)->rounds));	\
} while (0)

/* How many nodes have memory? */
static unsigned int nodes(void)
{
	unsigned int count = 0;
	char path[80];

	do {
		snprintf(path, sizeof(path), "/sys/devices/system/node/node%u/meminfo", count);
	} while (ph_exists(path) && ++count < 64);
	return count;
}

#define NEEDS_NODES() do {						\
	if (nodes() < 2)						\
		SKIP(return, "one node only (boot with numa=fake=2)");	\
} while (0)

static long long vmstat(const char *name)
{
	size_t length = strlen(name);
	long long value = -1;
	char line[128];
	FILE *file = fopen("/proc/vmstat", "re");

	while (file && value < 0 && fgets(line, sizeof(line), file))
		if (!strncmp(line, name, length) && line[length] == ' ')
			value = strtoll(line + length, NULL, 10);
	if (file)
		fclose(file);
	return value;
}

/* Which node each page is on, or a negative errno; targets of NULL only ask. */
static long move_pages_of(char *base, unsigned int count, const int *targets, int *status)
{
	void *pages[512];

	for (unsigned int i = 0; i < count; i++)
		pages[i] = base + i * PAGE;
	return syscall(SYS_move_pages, 0, (unsigned long)count, pages, targets, status,
		       MOVE_OWN);
}

TEST_F_TIMEOUT(privheap, compaction, 120)
{
	long long moved = vmstat("compact_migrate_scanned"), before, after;
	struct content content = { 0 };
	struct privheap_query counters;
	pthread_t thread;

	if (access(COMPACT, W_OK))
		SKIP(return, COMPACT " cannot be written");
	ASSERT_EQ(0, ph_create(self->fd, RESERVE, RESERVE, PRIVHEAP_CREATE_LAZY,
			       &content.base));
	/* From behind, and every other page first, so that there is to compact. */
	for (unsigned int i = 0; i < PAGES; i += 2)
		ph_touch(content.base + i * PAGE, PAGE, 1);
	fill(content.base);
	counters = ph_region(self->fd, content.base);
	START_WRITING(&content);
	before = vmstat("pgmigrate_success");
	for (int i = 0; i < 8; i++)
		EXPECT_EQ(0, ph_write_file(COMPACT, "1"));
	after = vmstat("pgmigrate_success");
	END_WRITING(&content);
	EXPECT_UNCHANGED(self->fd, content.base, counters);
	TH_LOG("%lld pages migrated, %lld scanned", after - before,
	       vmstat("compact_migrate_scanned") - moved);
	ASSERT_EQ(0, ph_decommit(self->fd, content.base, MIB, 3 * MIB));
	EXPECT_USAGE(self->fd, content.base, RESERVE - 3 * MIB, RESERVE - 3 * MIB);
}

TEST_F_TIMEOUT(privheap, move_pages, 120)
{
	struct content content = { 0 };
	int targets[512], status[512];
	struct privheap_query before;
	pthread_t thread;

	NEEDS_NODES();
	ASSERT_EQ(0, ph_create(self->fd, RESERVE, RESERVE, PRIVHEAP_CREATE_LAZY,
			       &content.base));
	for (unsigned int i = 0; i < PAGES; i++)
		ph_touch(content.base + i * 7 % PAGES * PAGE, PAGE, 1);
	fill(content.base);
	before = ph_region(self->fd, content.base);
	START_WRITING(&content);
	for (int round = 0; round < 6; round++) {
		unsigned int arrived = 0;

		for (unsigned int i = 0; i < ARRAY_SIZE(targets); i++)
			targets[i] = round % 2;
		/* Those that somebody holds at the moment are left: how many, it says. */
		EXPECT_LE(0, move_pages_of(content.base, ARRAY_SIZE(targets), targets, status));
		EXPECT_EQ(0, move_pages_of(content.base, ARRAY_SIZE(targets), NULL, status));
		for (unsigned int i = 0; i < ARRAY_SIZE(targets); i++)
			arrived += status[i] == targets[i];
		/* They are movable: nearly all arrive. */
		EXPECT_LT(ARRAY_SIZE(targets) * 9 / 10, arrived);
	}
	END_WRITING(&content);
	EXPECT_UNCHANGED(self->fd, content.base, before);
}

/* Large folios move as what they are, or in pieces; all of a process at once. */
TEST_F_TIMEOUT(privheap, migrate_pages, 120)
{
	unsigned long nodemask[2] = { 1, 2 };
	struct content content = { 0 };
	struct privheap_query before;
	pthread_t thread;
	int status[512];

	NEEDS_NODES();
	ASSERT_EQ(0, ph_create(self->fd, RESERVE, RESERVE, 0, &content.base));
	fill(content.base);
	before = ph_region(self->fd, content.base);
	START_WRITING(&content);
	for (int round = 0; round < 6; round++) {
		unsigned int there = 0;

		EXPECT_LE(0, syscall(SYS_migrate_pages, 0, 3UL, &nodemask[!(round % 2)],
				     &nodemask[round % 2])) {
			TH_LOG("%m");
		}
		ASSERT_EQ(0, move_pages_of(content.base, ARRAY_SIZE(status), NULL, status));
		for (unsigned int i = 0; i < ARRAY_SIZE(status); i++)
			there += status[i] == round % 2;
		EXPECT_LT(ARRAY_SIZE(status) * 9 / 10, there);
	}
	END_WRITING(&content);
	EXPECT_UNCHANGED(self->fd, content.base, before);
	ASSERT_EQ(0, ph_decommit(self->fd, content.base, 0, RESERVE));
	EXPECT_USAGE(self->fd, content.base, 0, 0);
}

TEST_F_TIMEOUT(privheap, mbind, 120)
{
	unsigned long nodemask = 2;
	struct content content = { 0 };
	struct privheap_query before;
	int status[512];

	NEEDS_NODES();
	ASSERT_EQ(0, ph_create(self->fd, RESERVE, RESERVE, 0, &content.base));
	fill(content.base);
	before = ph_region(self->fd, content.base);
	/* What there is moves; where new pages come from is not the mapping's to say. */
	EXPECT_EQ(0, syscall(SYS_mbind, content.base, RESERVE, POLICY_BIND, &nodemask, 3UL,
			     MOVE_OWN | MOVE_STRICT)) {
		TH_LOG("%m");
	}
	ASSERT_EQ(0, move_pages_of(content.base, ARRAY_SIZE(status), NULL, status));
	for (unsigned int i = 0; i < ARRAY_SIZE(status); i++)
		ASSERT_EQ(1, status[i]);
	EXPECT_EQ(0, wrong_words(content.base, 0));
	EXPECT_UNCHANGED(self->fd, content.base, before);
}

/* Pages move while others decommit, populate, and touch. */
TEST_F_TIMEOUT(privheap, moved_while_it_changes, 120)
{
	int targets[512], status[512];
	time_t end = time(NULL) + 60;
	uint32_t random = 88172645;
	char *base;
	pid_t mover;

	NEEDS_NODES();
	ASSERT_EQ(0, ph_create(self->fd, RESERVE, RESERVE, 0, &base));
	mover = fork();
	ASSERT_LE(0, mover);
	if (!mover) {
		void *pages[512];

		for (unsigned int round = 0;; round++) {
			for (unsigned int i = 0; i < ARRAY_SIZE(targets); i++) {
				pages[i] = base + (round * 512 + i) % PAGES * PAGE;
				targets[i] = round / 8 % 2;
			}
			syscall(SYS_move_pages, getppid(), 512UL, pages, targets, status,
				MOVE_OWN);
		}
	}
	/* So often, or as often as a slow machine can. */
	for (int i = 0; i < 300 && (i < 10 || time(NULL) < end); i++) {
		uint64_t first = ph_random(&random) % PAGES;
		uint64_t count = 1 + ph_random(&random) % (PAGES - first);
		int ret;

		if (count > 700)
			count = 700;
		ret = ph_decommit(self->fd, base, first * PAGE, count * PAGE);
		/* Held for the moment: said so, and still whole. */
		if (ret) {
			EXPECT_EQ(-EBUSY, ret);
		} else {
			EXPECT_NO_READ(base + first * PAGE);
		}
		ASSERT_EQ(0, ph_commit(self->fd, base, first * PAGE, count * PAGE,
				       i % 2 ? PRIVHEAP_COMMIT_POPULATE : 0));
		EXPECT_EQ(0, *(base + (first + count / 2) * PAGE));
		ph_touch(base + first * PAGE, count * PAGE, i);
	}
	EXPECT_EQ(0, kill(mover, SIGKILL));
	EXPECT_KILLED(SIGKILL, mover);
	EXPECT_USAGE(self->fd, base, RESERVE, RESERVE);
	ASSERT_EQ(0, ph_decommit(self->fd, base, 0, RESERVE));
	EXPECT_USAGE(self->fd, base, 0, 0);
}

static void interrupt(int sig)
{
	(void)sig;
}

/* The kernel tries without end to empty a block: -EINTR if it takes too long. */
static int set_block(uint64_t block, const char *state)
{
	struct sigaction action = { .sa_handler = interrupt };
	char path[128];
	int ret;

	sigaction(SIGALRM, &action, NULL);
	snprintf(path, sizeof(path), BLOCKS "/memory%llu/state", (unsigned long long)block);
	alarm(20);
	ret = ph_write_file(path, state);
	alarm(0);
	return ret;
}

/* The blocks in which there are pages of the region go offline, if others let them. */
TEST_F_TIMEOUT(privheap, memory_goes_offline, 300)
{
	unsigned int gone = 0, refused = 0;
	struct content content = { 0 };
	struct privheap_query before;
	uint64_t size = 0, last = ~0;
	pthread_t thread;
	char text[32];
	int ret;

	if (ph_read_file(BLOCKS "/block_size_bytes", text, sizeof(text)) > 0)
		size = strtoull(text, NULL, 16);
	if (!size || geteuid())
		SKIP(return, "not root, or a kernel without MEMORY_HOTREMOVE");
	ASSERT_EQ(0, ph_create(self->fd, RESERVE, RESERVE, 0, &content.base));
	fill(content.base);
	before = ph_region(self->fd, content.base);
	START_WRITING(&content);
	for (unsigned int i = 0; i < PAGES && gone + refused < 4; i += 64) {
		uint64_t block = page_frame(content.base + i * PAGE) * PAGE / size;

		if (!block || block == last)
			continue;
		last = block;
		if (set_block(block, "offline")) {
			/* Also by what is the kernel's own in that block. */
			refused++;
			continue;
		}
		gone++;
		EXPECT_NE(block, page_frame(content.base + i * PAGE) * PAGE / size);
		ret = set_block(block, "online_movable");
		if (ret)
			ret = set_block(block, "online");
		EXPECT_EQ(0, ret);
	}
	END_WRITING(&content);
	EXPECT_UNCHANGED(self->fd, content.base, before);
	TH_LOG("%u blocks went, %u could not", gone, refused);
	if (!gone)
		SKIP(return, "no block of memory can go here (movable_node, or more memory)");
}

TEST_HARNESS_MAIN
