// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory that the hardware loses under a region. Who touches the page is told so,
 * at its address, until it is decommitted; all else stays as it was.
 */
#include <pthread.h>
#include <stdio.h>
#include <setjmp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/uio.h>
#include <sys/utsname.h>
#include <sys/wait.h>

#include "privheap_fixture.h"
#include "page_selftest.h"

#ifndef MADV_SOFT_OFFLINE
#define MADV_SOFT_OFFLINE	101
#endif

#define RESERVE		(8 * MIB)
#define PAGES		16
#define POISONED	5

/* What a SIGBUS said last. */
static __thread siginfo_t told;
static __thread volatile int times;
static __thread sigjmp_buf jump;
static __thread volatile sig_atomic_t touching;

static void on_bus(int sig, siginfo_t *info, void *context)
{
	told = *info;
	times++;
	if (touching)
		siglongjmp(jump, sig);
}

static int touch(char *address, bool write)
{
	int sig = sigsetjmp(jump, 1);

	if (!sig) {
		touching = 1;
		if (write)
			*(volatile char *)address = 1;
		else
			(void)*(volatile char *)address;
	}
	touching = 0;
	return sig;
}

static void listen_for_bus(void)
{
	struct sigaction action = {
		.sa_sigaction = on_bus,
		.sa_flags = SA_SIGINFO,
	};

	sigaction(SIGBUS, &action, NULL);
	times = 0;
	memset(&told, 0, sizeof(told));
}

#define EXPECT_LOST(address, write) do {				\
	listen_for_bus();						\
	EXPECT_EQ(SIGBUS, touch(address, write));			\
	EXPECT_EQ(BUS_MCEERR_AR, told.si_code);				\
	EXPECT_EQ((void *)(address), told.si_addr);			\
	EXPECT_EQ(12, told.si_addr_lsb);				\
} while (0)

#define NEEDS_POISON() do {						\
	if (access("/sys/devices/system/memory/hard_offline_page", W_OK)) \
		SKIP(return, "not root, or a kernel without MEMORY_FAILURE"); \
} while (0)

/* What was written into a page, and is still there? */
static bool holds(char *base, unsigned int page)
{
	return ph_all(base + page * PAGE, PAGE, page % 100 + 1);
}

static void fill(char *base, unsigned int pages)
{
	for (unsigned int i = 0; i < pages; i++)
		memset(base + i * PAGE, i % 100 + 1, PAGE);
}

/* Filled from random places, so that no folio is large. */
static void fill_apart(char *base, unsigned int pages)
{
	for (unsigned int i = 0; i < pages; i++)
		base[i * 7 % pages * PAGE] = 1;
	fill(base, pages);
}

/* Before 6.11 MADV_HWPOISON was no touch of the caller's own. */
static int tells_who_injects(void)
{
	unsigned int major = 0, minor = 0;
	struct utsname name;

	return !uname(&name) && sscanf(name.release, "%u.%u", &major, &minor) == 2 &&
	       (major > 6 || (major == 6 && minor >= 11));
}

/* A machine check by simulation: the caller itself has touched the page. */
static int poison(char *address)
{
	int ret;

	listen_for_bus();
	ret = madvise(address, PAGE, MADV_HWPOISON) ? -errno : 0;
	/* The compiler thinks that madvise() calls nothing in here. */
	__asm__ volatile("" : : : "memory");
	return ret;
}

TEST_F(privheap, a_single_page)
{
	long long corrupted = ph_proc_bytes("/proc/meminfo", "HardwareCorrupted");
	struct privheap_query before;
	uint64_t frame;
	char *base;

	NEEDS_POISON();
	ASSERT_EQ(0, ph_create(self->fd, RESERVE, PAGES * PAGE, PRIVHEAP_CREATE_LAZY, &base));
	fill_apart(base, PAGES);
	frame = page_frame(base + POISONED * PAGE);
	ASSERT_NE(0, frame);
	before = ph_region(self->fd, base);

	/* Taken out of the page cache: the kernel calls it recovered. */
	EXPECT_EQ(0, poison(base + POISONED * PAGE));
	EXPECT_EQ(tells_who_injects(), times);
	if (times) {
		EXPECT_EQ(BUS_MCEERR_AR, told.si_code);
		EXPECT_EQ((void *)(base + POISONED * PAGE), told.si_addr);
		EXPECT_EQ(12, told.si_addr_lsb);
	}
	EXPECT_TRUE(page_flag(frame, PAGE_FLAG_HWPOISON));
	EXPECT_FALSE(page_flag(frame, PAGE_FLAG_LRU));
	EXPECT_EQ(corrupted + PAGE, ph_proc_bytes("/proc/meminfo", "HardwareCorrupted"));

	EXPECT_UNCHANGED(self->fd, base, before);
	EXPECT_LOST(base + POISONED * PAGE + 123, true);
	EXPECT_LOST(base + POISONED * PAGE, false);
	for (unsigned int i = 0; i < PAGES; i++)
		EXPECT_TRUE(i == POISONED || holds(base, i));
	EXPECT_UNCHANGED(self->fd, base, before);

	/* Given back and taken again it is a page as any other. */
	EXPECT_EQ(0, ph_decommit(self->fd, base, POISONED * PAGE, PAGE));
	EXPECT_USAGE(self->fd, base, (PAGES - 1) * PAGE, (PAGES - 1) * PAGE);
	EXPECT_NO_READ(base + POISONED * PAGE);
	EXPECT_EQ(0, ph_commit(self->fd, base, POISONED * PAGE, PAGE,
			       PRIVHEAP_COMMIT_POPULATE));
	EXPECT_TRUE(ph_zero(base + POISONED * PAGE, PAGE));
	EXPECT_NE(frame, page_frame(base + POISONED * PAGE));
	EXPECT_EQ(0, ph_write(base + POISONED * PAGE, 1));
	EXPECT_USAGE(self->fd, base, PAGES * PAGE, PAGES * PAGE);

	EXPECT_EQ(0, ph_destroy(self->fd, base));
	EXPECT_TRUE(ph_system_is(self->fd, &self->system));
	/* Nobody ever gets the frame again. */
	EXPECT_TRUE(page_flag(frame, PAGE_FLAG_HWPOISON));
	EXPECT_FALSE(page_flag(frame, PAGE_FLAG_BUDDY));
	EXPECT_EQ(corrupted + PAGE, ph_proc_bytes("/proc/meminfo", "HardwareCorrupted"));
}

/* Not mapped when it is lost: never zeros in the place of what was there. */
TEST_F(privheap, a_page_that_is_not_mapped)
{
	struct privheap_query before;
	uint64_t frame;
	char *base;

	NEEDS_POISON();
	ASSERT_EQ(0, ph_create(self->fd, RESERVE, PAGES * PAGE, PRIVHEAP_CREATE_LAZY, &base));
	fill_apart(base, PAGES);
	frame = page_frame(base + POISONED * PAGE);
	ASSERT_NE(0, frame);
	ASSERT_EQ(0, madvise(base, PAGES * PAGE, MADV_DONTNEED));
	before = ph_region(self->fd, base);
	EXPECT_EQ(0, page_offline("hard", frame));
	for (int i = 0; i < 3; i++) {
		EXPECT_LOST(base + POISONED * PAGE, i % 2);
		/* Whatever pretends to throw away what is there. */
		EXPECT_EQ(0, madvise(base, PAGES * PAGE, MADV_DONTNEED));
		EXPECT_EQ(0, ph_write_file("/proc/sys/vm/drop_caches", "3"));
	}
	/* Nor is it populated anew, or refused. */
	EXPECT_EQ(0, ph_commit(self->fd, base, 0, PAGES * PAGE, PRIVHEAP_COMMIT_POPULATE));
	EXPECT_LOST(base + POISONED * PAGE, false);
	for (unsigned int i = 0; i < PAGES; i++)
		EXPECT_TRUE(i == POISONED || holds(base, i));
	EXPECT_UNCHANGED(self->fd, base, before);
	EXPECT_TRUE(page_flag(frame, PAGE_FLAG_HWPOISON));
	EXPECT_EQ(0, ph_destroy(self->fd, base));
	EXPECT_TRUE(ph_system_is(self->fd, &self->system));
}

/* Of a large folio one page is lost, and no other. */
TEST_F(privheap, a_page_of_a_large_folio)
{
	unsigned int pages = RESERVE / PAGE, lost = pages / 2 + 77, wrong = 0;
	struct privheap_query before;
	uint64_t frame;
	char *base;

	NEEDS_POISON();
	ASSERT_EQ(0, ph_create(self->fd, RESERVE, RESERVE, 0, &base));
	fill(base, pages);
	frame = page_frame(base + lost * PAGE);
	ASSERT_NE(0, frame);
	if (!page_flag(frame, PAGE_FLAG_COMPOUND_TAIL))
		SKIP(return, "no large folios on this kernel");
	before = ph_region(self->fd, base);
	EXPECT_EQ(0, poison(base + lost * PAGE));
	/* To split it the kernel has unmapped it: nobody is told until the touch. */
	EXPECT_LOST(base + lost * PAGE, true);
	for (unsigned int i = 0; i < pages; i++)
		wrong += i != lost && !holds(base, i);
	EXPECT_EQ(0, wrong);
	EXPECT_UNCHANGED(self->fd, base, before);

	/* The same, not mapped at the time. */
	lost = 200;
	frame = page_frame(base + lost * PAGE);
	ASSERT_EQ(0, madvise(base, RESERVE, MADV_DONTNEED));
	EXPECT_EQ(0, page_offline("hard", frame));
	EXPECT_LOST(base + lost * PAGE, false);
	EXPECT_UNCHANGED(self->fd, base, before);
	EXPECT_EQ(0, ph_decommit(self->fd, base, 0, 2 * MIB));
	EXPECT_USAGE(self->fd, base, RESERVE - 2 * MIB, RESERVE - 2 * MIB);
	EXPECT_EQ(0, ph_grow(self->fd, base, 2 * MIB, PRIVHEAP_COMMIT_POPULATE));
	EXPECT_TRUE(ph_zero(base, 2 * MIB));
	EXPECT_EQ(0, ph_destroy(self->fd, base));
	EXPECT_TRUE(ph_system_is(self->fd, &self->system));
}

/* A page that begins to fail is replaced, and nobody notices. */
TEST_F(privheap, soft_offline)
{
	unsigned int pages = RESERVE / PAGE, wrong = 0;
	struct privheap_query before;
	char *base;

	NEEDS_POISON();
	ASSERT_EQ(0, ph_create(self->fd, RESERVE, RESERVE, PRIVHEAP_CREATE_LAZY, &base));
	fill(base, pages);
	before = ph_region(self->fd, base);
	for (unsigned int i = 0; i < 4; i++) {
		unsigned int page = i < 2 ? i : i * 300;
		uint64_t frame;

		EXPECT_TRUE(holds(base, page));
		frame = page_frame(base + page * PAGE);
		ASSERT_NE(0, frame);
		listen_for_bus();
		EXPECT_EQ(0, madvise(base + page * PAGE, PAGE, MADV_SOFT_OFFLINE)) {
			TH_LOG("page %u: %m", page);
		}
		EXPECT_EQ(0, times);
		EXPECT_TRUE(holds(base, page));
		EXPECT_TRUE(page_flag(frame, PAGE_FLAG_HWPOISON));
		EXPECT_NE(frame, page_frame(base + page * PAGE));
	}
	for (unsigned int i = 0; i < pages; i++)
		wrong += !holds(base, i);
	EXPECT_EQ(0, wrong);
	EXPECT_UNCHANGED(self->fd, base, before);
}

/* Somebody else's access, or the patrol scrubber's: who asked for it is told. */
TEST_F(privheap, told_early)
{
	uint64_t frame;
	char *base;

	NEEDS_POISON();
	ASSERT_EQ(0, prctl(PR_MCE_KILL, PR_MCE_KILL_SET, PR_MCE_KILL_EARLY, 0, 0));
	ASSERT_EQ(0, ph_create(self->fd, RESERVE, PAGES * PAGE, PRIVHEAP_CREATE_LAZY, &base));
	fill_apart(base, PAGES);
	frame = page_frame(base + POISONED * PAGE);
	listen_for_bus();
	EXPECT_EQ(0, page_offline("hard", frame));
	EXPECT_EQ(1, times);
	EXPECT_EQ(BUS_MCEERR_AO, told.si_code);
	EXPECT_EQ((void *)(base + POISONED * PAGE), told.si_addr);
	EXPECT_EQ(12, told.si_addr_lsb);
	EXPECT_LOST(base + POISONED * PAGE, true);
}

/* Through the kernel: an error, and no signal. */
TEST_F(privheap, system_calls_are_refused)
{
	struct iovec local, remote;
	char *base, copy[64];
	uint64_t frame;
	int pipes[2];

	NEEDS_POISON();
	ASSERT_EQ(0, pipe(pipes));
	ASSERT_EQ(0, ph_create(self->fd, RESERVE, PAGES * PAGE, PRIVHEAP_CREATE_LAZY, &base));
	fill_apart(base, PAGES);
	frame = page_frame(base + POISONED * PAGE);
	EXPECT_EQ(0, page_offline("hard", frame));
	listen_for_bus();
	for (int i = 0; i < 2; i++) {
		local = (struct iovec){ copy, sizeof(copy) };
		remote = (struct iovec){ base + POISONED * PAGE, sizeof(copy) };
		EXPECT_EQ(-1, process_vm_readv(getpid(), &local, 1, &remote, 1, 0));
		EXPECT_EQ(EFAULT, errno);
		EXPECT_EQ(-1, write(pipes[1], base + POISONED * PAGE, 64));
		EXPECT_EQ(EFAULT, errno);
		remote.iov_base = base + (POISONED + 1) * PAGE;
		EXPECT_EQ(sizeof(copy), process_vm_readv(getpid(), &local, 1, &remote, 1, 0));
		/* Once by its entry in the page table, once by what is in the page cache. */
		ASSERT_EQ(0, madvise(base, PAGES * PAGE, MADV_DONTNEED));
	}
	EXPECT_EQ(0, times);
}

TEST_F(privheap, killed_by_it)
{
	pid_t child = fork();

	NEEDS_POISON();
	ASSERT_LE(0, child);
	if (!child) {
		char *base;

		if (ph_create(self->fd, RESERVE, RESERVE, 0, &base))
			_exit(1);
		fill(base, RESERVE / PAGE);
		signal(SIGBUS, SIG_DFL);
		madvise(base + MIB, PAGE, MADV_HWPOISON);
		fill(base, RESERVE / PAGE);
		_exit(2);
	}
	EXPECT_KILLED(SIGBUS, child);
	EXPECT_TRUE(PH_WAIT_FOR(ph_system_is(self->fd, &self->system)));
}

/*
 * Of four pages only three are ever committed: no folio is large. One that cannot
 * be split, for somebody holds it, keeps its lost page, and the kernel frees both
 * as if all were well: whoever gets the frame next gets SIGBUS.
 */
#define RACE_PAGES	128

/* How many lost frames will be given to somebody? */
static unsigned int lost_and_free(void)
{
	const uint64_t both = 1ULL << PAGE_FLAG_HWPOISON | 1ULL << PAGE_FLAG_BUDDY;
	FILE *file = fopen("/proc/kpageflags", "re");
	unsigned int count = 0;
	uint64_t flags;

	while (file && fread(&flags, sizeof(flags), 1, file) == 1)
		count += (flags & both) == both;
	if (file)
		fclose(file);
	return count;
}

struct race {
	int fd;
	char *base;
	bool over;
};

/* All that changes a region's pages, until told to end. */
static void *change(void *argument)
{
	struct race *race = argument;
	uint32_t random = 2463534242u;

	listen_for_bus();
	while (!__atomic_load_n(&race->over, __ATOMIC_RELAXED)) {
		uint64_t first = ph_random(&random) % (RACE_PAGES / 4) * 4;
		uint64_t count = 1 + ph_random(&random) % 3;

		switch (ph_random(&random) % 4) {
		case 0:
			ph_decommit(race->fd, race->base, first * PAGE, count * PAGE);
			break;
		case 1:
			ph_commit(race->fd, race->base, first * PAGE, count * PAGE,
				  PRIVHEAP_COMMIT_POPULATE);
			break;
		case 2:
			ph_commit(race->fd, race->base, first * PAGE, count * PAGE, 0);
			break;
		default:
			madvise(race->base + first * PAGE, count * PAGE, MADV_DONTNEED);
		}
	}
	return NULL;
}

/* Lost while its region changes: counters count right, and it all can go. */
TEST_F_TIMEOUT(privheap, while_the_region_changes, 200)
{
	struct race race = { .fd = self->fd };
	struct privheap_query query;
	unsigned int lost = 0;
	pthread_t thread[2];
	uint32_t random = 1;

	NEEDS_POISON();
	ASSERT_EQ(0, ph_create(self->fd, RESERVE, 0, 0, &race.base));
	for (unsigned int i = 0; i < RACE_PAGES; i += 4)
		ASSERT_EQ(0, ph_commit(self->fd, race.base, i * PAGE, 3 * PAGE, 0));
	listen_for_bus();
	for (int i = 0; i < 2; i++)
		ASSERT_EQ(0, pthread_create(&thread[i], NULL, change, &race));
	for (int i = 0; i < 400 && lost < 60; i++) {
		unsigned int page = ph_random(&random) % RACE_PAGES;

		/*
		 * Not by its frame: that may be anybody's by the time. This takes a
		 * reference first, so that it stays the region's, or nobody's.
		 */
		if (page % 4 != 3)
			lost += !madvise(race.base + page * PAGE, PAGE, MADV_HWPOISON);
	}
	EXPECT_LT(10, lost);
	__atomic_store_n(&race.over, true, __ATOMIC_RELAXED);
	for (int i = 0; i < 2; i++)
		ASSERT_EQ(0, pthread_join(thread[i], NULL));
	ASSERT_EQ(0, ph_grow(self->fd, race.base, RACE_PAGES * PAGE,
			     PRIVHEAP_COMMIT_POPULATE));
	EXPECT_USAGE(self->fd, race.base, RACE_PAGES * PAGE, RACE_PAGES * PAGE);
	ASSERT_EQ(0, ph_decommit(self->fd, race.base, 0, RACE_PAGES * PAGE));
	EXPECT_USAGE(self->fd, race.base, 0, 0);
	ASSERT_EQ(0, ph_grow(self->fd, race.base, RACE_PAGES * PAGE,
			     PRIVHEAP_COMMIT_POPULATE));
	EXPECT_TRUE(ph_zero(race.base, RACE_PAGES * PAGE));
	ASSERT_EQ(0, ph_destroy(self->fd, race.base));
	ASSERT_EQ(0, ph_query(self->fd, NULL, PRIVHEAP_QUERY_PROCESS, &query));
	EXPECT_EQ(0, query.out_resident);
	EXPECT_EQ(0, query.out_committed);
	EXPECT_EQ(0, lost_and_free());
}

TEST_HARNESS_MAIN
