// SPDX-License-Identifier: GPL-2.0-only
/*
 * The mapping of a region under mprotect, madvise, mlock; and what the kernel
 * says of it in smaps, maps and the process's status.
 */
#include <sys/mman.h>
#include <sys/resource.h>

#include "privheap_fixture.h"

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE	25
#endif

#define RESERVE		(8 * MIB)
#define COMMIT		(4 * MIB)

static char *make_region(int fd, uint32_t flags)
{
	char *base;

	if (ph_create(fd, RESERVE, COMMIT, flags, &base))
		return NULL;
	return base;
}

TEST_F(privheap, mprotect_read_only_and_back)
{
	char *base = make_region(self->fd, 0);

	ASSERT_NE(NULL, base);
	memset(base, 5, COMMIT);
	ASSERT_EQ(0, mprotect(base + MIB, MIB, PROT_READ));
	EXPECT_NO_WRITE(base + MIB);
	EXPECT_NO_WRITE(base + 2 * MIB - 1);
	EXPECT_EQ(5, base[MIB]);
	EXPECT_EQ(0, ph_write(base + MIB - 1, 5));
	EXPECT_EQ(0, ph_write(base + 2 * MIB, 5));
	ASSERT_EQ(0, mprotect(base + MIB, MIB, PROT_NONE));
	EXPECT_NO_READ(base + MIB);
	/* Protection is the program's, commit is the region's. */
	EXPECT_USAGE(self->fd, base, COMMIT, COMMIT);
	ASSERT_EQ(0, mprotect(base + MIB, MIB, PROT_READ | PROT_WRITE));
	EXPECT_TRUE(ph_all(base, COMMIT, 5));
	EXPECT_EQ(0, ph_write(base + MIB, 6));
	EXPECT_EQ(0, ph_destroy(self->fd, base));
}

/* Split by protection, decommitted over the borders, and destroyed whole. */
TEST_F(privheap, mprotect_splits_are_one_region)
{
	char *base = make_region(self->fd, 0);

	ASSERT_NE(NULL, base);
	memset(base, 5, COMMIT);
	for (uint64_t offset = 3 * PAGE; offset < COMMIT; offset += 300 * PAGE) {
		ASSERT_EQ(0, mprotect(base + offset, 7 * PAGE, PROT_READ));
	}
	EXPECT_USAGE(self->fd, base, COMMIT, COMMIT);
	ASSERT_EQ(0, ph_decommit(self->fd, base, PAGE, COMMIT - 2 * PAGE));
	EXPECT_USAGE(self->fd, base, 2 * PAGE, 2 * PAGE);
	EXPECT_NO_READ(base + 5 * PAGE);
	ASSERT_EQ(0, ph_grow(self->fd, base, RESERVE, 0));
	EXPECT_TRUE(ph_zero(base + PAGE, COMMIT - 2 * PAGE));
	EXPECT_NO_WRITE(base + 5 * PAGE);
	EXPECT_EQ(0, ph_destroy(self->fd, base));
	EXPECT_NO_READ(base + 5 * PAGE);
	EXPECT_NO_READ(base + RESERVE - 1);
}

TEST_F(privheap, not_executable)
{
	char *base = make_region(self->fd, 0), line[256];

	ASSERT_NE(NULL, base);
	ASSERT_TRUE(ph_maps_line(base, line, sizeof(line)));
	EXPECT_NE(NULL, strstr(line, " rw-s "));

	/* Neither beside writing nor alone, nor for a part. */
	EXPECT_EQ(-1, mprotect(base, RESERVE, PROT_READ | PROT_WRITE | PROT_EXEC));
	EXPECT_EQ(EACCES, errno);
	EXPECT_EQ(-1, mprotect(base, RESERVE, PROT_READ | PROT_EXEC));
	EXPECT_EQ(EACCES, errno);
	EXPECT_EQ(-1, mprotect(base + PAGE, PAGE, PROT_EXEC));
	EXPECT_EQ(EACCES, errno);
	ASSERT_EQ(0, mprotect(base + PAGE, PAGE, PROT_READ));
	EXPECT_EQ(-1, mprotect(base + PAGE, PAGE, PROT_READ | PROT_EXEC));
	EXPECT_EQ(EACCES, errno);
	EXPECT_EQ(0, ph_write(base, 1));
}

TEST_F(privheap, executable_runs)
{
#if defined(__aarch64__)
	/* mov w0, #42; ret */
	static const unsigned int code[] = { 0x52800540, 0xd65f03c0 };
#else
	/* mov $42, %eax; ret */
	static const unsigned char code[] = { 0xb8, 42, 0, 0, 0, 0xc3 };
#endif
	char *base = make_region(self->fd, PRIVHEAP_CREATE_EXEC), line[256];
	int (*function)(void) = (int (*)(void))base;

#if !defined(__x86_64__) && !defined(__i386__) && !defined(__aarch64__)
	SKIP(return, "no code for this machine");
#endif
	ASSERT_NE(NULL, base);
	ASSERT_TRUE(ph_maps_line(base, line, sizeof(line)));
	EXPECT_NE(NULL, strstr(line, " rwxs "));
	memcpy(base, code, sizeof(code));
	__builtin___clear_cache(base, base + sizeof(code));
	EXPECT_EQ(42, function());
	ASSERT_EQ(0, mprotect(base, PAGE, PROT_READ | PROT_EXEC));
	EXPECT_EQ(42, function());
	EXPECT_NO_WRITE(base);
}

TEST_F(privheap, read_implies_exec_is_no_way_round)
{
	char *base, line[256];

	base = make_region(self->fd, 0);
	ASSERT_NE(NULL, base);
	ASSERT_TRUE(ph_maps_line(base + COMMIT, line, sizeof(line)));
	EXPECT_EQ(NULL, strstr(line, "xs ")) {
		TH_LOG("%s", line);
	}
}

/*
 * Each advice: what it returns, and that it does not change a byte or a
 * counter. EITHER: kernels differ in whether they refuse it.
 */
enum { EITHER = -1 };

static const struct {
	const char *name;
	int advice;
	int error;
} advices[] = {
	{ "NORMAL", MADV_NORMAL, 0 },
	{ "RANDOM", MADV_RANDOM, 0 },
	{ "SEQUENTIAL", MADV_SEQUENTIAL, 0 },
	{ "WILLNEED", MADV_WILLNEED, EITHER },
	{ "DONTNEED", MADV_DONTNEED, 0 },
	{ "FREE", MADV_FREE, EINVAL },
	{ "REMOVE", MADV_REMOVE, EOPNOTSUPP },
	{ "DONTFORK", MADV_DONTFORK, 0 },
	/* Newer kernels refuse it for mappings that must not grow. */
	{ "DOFORK", MADV_DOFORK, EITHER },
	{ "MERGEABLE", MADV_MERGEABLE, EITHER },
	{ "UNMERGEABLE", MADV_UNMERGEABLE, EITHER },
	{ "HUGEPAGE", MADV_HUGEPAGE, EITHER },
	{ "NOHUGEPAGE", MADV_NOHUGEPAGE, EITHER },
	{ "COLLAPSE", MADV_COLLAPSE, EITHER },
	{ "DONTDUMP", MADV_DONTDUMP, 0 },
	{ "DODUMP", MADV_DODUMP, EITHER },
	{ "WIPEONFORK", MADV_WIPEONFORK, EINVAL },
	{ "KEEPONFORK", MADV_KEEPONFORK, EITHER },
	{ "COLD", MADV_COLD, EITHER },
	{ "PAGEOUT", MADV_PAGEOUT, EITHER },
	{ "POPULATE_READ", MADV_POPULATE_READ, 0 },
	{ "POPULATE_WRITE", MADV_POPULATE_WRITE, 0 },
};

TEST_F(privheap, madvise_of_every_kind)
{
	struct privheap_query before;
	char *base;

	for (size_t i = 0; i < ARRAY_SIZE(advices); i++) {
		int ret, error;

		base = make_region(self->fd, 0);
		ASSERT_NE(NULL, base);
		memset(base, 5, COMMIT);
		before = ph_region(self->fd, base);

		/* A part that no folio is aligned to. */
		errno = 0;
		ret = madvise(base + 5 * PAGE, MIB + 3 * PAGE,
			      advices[i].advice);
		error = ret ? errno : 0;
		if (advices[i].error != EITHER) {
			EXPECT_EQ(advices[i].error, error) {
				TH_LOG("MADV_%s", advices[i].name);
			}
		}
		EXPECT_UNCHANGED(self->fd, base, before);
		EXPECT_TRUE(ph_all(base, COMMIT, 5)) {
			TH_LOG("MADV_%s", advices[i].name);
		}
		/* It works on. */
		EXPECT_EQ(0, ph_decommit(self->fd, base, 4 * PAGE, 2 * PAGE));
		EXPECT_NO_READ(base + 5 * PAGE);
		EXPECT_EQ(0, ph_grow(self->fd, base, RESERVE, 0));
		EXPECT_EQ(0, ph_write(base + RESERVE - 1, 1));
		EXPECT_EQ(0, ph_destroy(self->fd, base));
	}
}

/* The mapping goes, the contents stay: it is a shared mapping. */
TEST_F(privheap, madvise_dontneed_keeps_contents)
{
	char *base = make_region(self->fd, 0);

	ASSERT_NE(NULL, base);
	memset(base, 5, COMMIT);
	EXPECT_EQ(COMMIT, ph_smaps(base, RESERVE, "Rss"));
	ASSERT_EQ(0, madvise(base, RESERVE, MADV_DONTNEED));
	EXPECT_EQ(0, ph_smaps(base, RESERVE, "Rss"));
	EXPECT_USAGE(self->fd, base, COMMIT, COMMIT);
	EXPECT_EQ(0, ph_region(self->fd, base).out_faults);
	EXPECT_TRUE(ph_all(base, COMMIT, 5));
	EXPECT_EQ(COMMIT, ph_smaps(base, RESERVE, "Rss"));
	/* These faults found their pages. */
	EXPECT_EQ(0, ph_region(self->fd, base).out_faults);
}

TEST_F(privheap, madvise_populate)
{
	char *base;

	ASSERT_EQ(0, ph_create(self->fd, RESERVE, COMMIT, PRIVHEAP_CREATE_LAZY,
			       &base));
	ASSERT_EQ(0, madvise(base, MIB, MADV_POPULATE_WRITE));
	EXPECT_LE(MIB, ph_resident(self->fd, base));
	EXPECT_GE(COMMIT, ph_resident(self->fd, base));
	ASSERT_EQ(0, madvise(base, COMMIT, MADV_POPULATE_READ));
	EXPECT_USAGE(self->fd, base, COMMIT, COMMIT);
	EXPECT_TRUE(ph_zero(base, COMMIT));
	/* Beyond the commit there is nothing to have. */
	EXPECT_EQ(-1, madvise(base, RESERVE, MADV_POPULATE_WRITE));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(-1, madvise(base + COMMIT, PAGE, MADV_POPULATE_READ));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_USAGE(self->fd, base, COMMIT, COMMIT);
}

TEST_F(privheap, mlock_takes_committed_pages_only)
{
	struct privheap_query query;
	char *base;
	int ret;

	ASSERT_EQ(0, ph_create(self->fd, RESERVE, MIB, PRIVHEAP_CREATE_LAZY,
			       &base));
	EXPECT_EQ(0, mlock(base, MIB));
	query = ph_region(self->fd, base);
	EXPECT_GE(MIB, query.out_resident);
	/* The rest cannot be had; whatever the kernel says, none is taken. */
	ret = mlock(base, RESERVE);
	if (ret)
		EXPECT_EQ(ENOMEM, errno);
	EXPECT_GE(MIB, ph_resident(self->fd, base));
	EXPECT_NO_READ(base + MIB);
	EXPECT_EQ(0, munlock(base, RESERVE));
	/* Nobody's lock keeps pages from being given back. */
	EXPECT_EQ(0, mlock(base, MIB));
	EXPECT_EQ(0, ph_decommit(self->fd, base, 0, MIB));
	EXPECT_USAGE(self->fd, base, 0, 0);
	EXPECT_EQ(0, ph_destroy(self->fd, base));
	EXPECT_EQ(0, ph_proc_bytes("/proc/self/status", "VmLck"));
}

TEST_F(privheap, mlockall_now_and_later)
{
	char *before, *after;

	ASSERT_EQ(0, ph_create(self->fd, RESERVE, MIB, PRIVHEAP_CREATE_LAZY,
			       &before));
	if (mlockall(MCL_CURRENT | MCL_FUTURE))
		SKIP(return, "mlockall: %s", strerror(errno));
	EXPECT_GE(MIB, ph_resident(self->fd, before));
	EXPECT_NO_READ(before + MIB);
	ASSERT_EQ(0, ph_create(self->fd, RESERVE, MIB, PRIVHEAP_CREATE_LAZY,
			       &after));
	EXPECT_GE(MIB, ph_resident(self->fd, after));
	EXPECT_NO_READ(after + MIB);
	ASSERT_EQ(0, ph_grow(self->fd, after, RESERVE, 0));
	EXPECT_EQ(0, ph_write(after + RESERVE - 1, 1));
	EXPECT_EQ(0, ph_decommit(self->fd, after, 0, RESERVE));
	EXPECT_EQ(0, ph_destroy(self->fd, after));
	EXPECT_EQ(0, munlockall());
	EXPECT_EQ(0, ph_destroy(self->fd, before));
}

TEST_F(privheap, maps_names_it)
{
	char *base = make_region(self->fd, 0), line[256];
	unsigned long from, to;

	ASSERT_NE(NULL, base);
	ASSERT_TRUE(ph_maps_line(base, line, sizeof(line)));
	EXPECT_NE(NULL, strstr(line, "privheap")) {
		TH_LOG("%s", line);
	}
	ASSERT_EQ(2, sscanf(line, "%lx-%lx", &from, &to));
	EXPECT_EQ(TO_BASE(base), from);
	EXPECT_EQ(TO_BASE(base) + RESERVE, to);
	EXPECT_EQ(RESERVE, ph_smaps(base, RESERVE, "Size"));
}

/*
 * Up to 6.1 a thread keeps counts of its own and hands them over once in 64
 * page faults, however many pages each of them mapped.
 */
static void hand_over_rss(void)
{
	size_t size = 256 * PAGE;
	char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		return;
	madvise(memory, size, MADV_NOHUGEPAGE);
	for (size_t offset = 0; offset < size; offset += PAGE)
		*(volatile char *)(memory + offset) = 1;
	munmap(memory, size);
}

/* RSS follows what is mapped; and nothing is counted as swappable or locked. */
TEST_F(privheap, rss_is_right)
{
	long long before = ph_proc_bytes("/proc/self/status", "RssFile") +
			   ph_proc_bytes("/proc/self/status", "RssShmem") +
			   ph_proc_bytes("/proc/self/status", "RssAnon");
	long long after;
	char *base;

	ASSERT_EQ(0, ph_create(self->fd, 64 * MIB, 64 * MIB,
			       PRIVHEAP_CREATE_LAZY, &base));
	EXPECT_EQ(0, ph_smaps(base, 64 * MIB, "Rss"));
	for (int i = 0; i < 32; i++) {
		ASSERT_EQ(0, ph_write(base + i * MIB + MIB / 2, 1));
	}
	EXPECT_EQ(32 * PAGE, ph_smaps(base, 64 * MIB, "Rss"));
	EXPECT_EQ(32 * PAGE, ph_smaps(base, 64 * MIB, "Pss"));
	ph_touch(base, 64 * MIB, 1);
	EXPECT_EQ(64 * MIB, ph_smaps(base, 64 * MIB, "Rss"));
	EXPECT_EQ(0, ph_smaps(base, 64 * MIB, "Swap"));
	EXPECT_EQ(0, ph_smaps(base, 64 * MIB, "Locked"));

	hand_over_rss();
	after = ph_proc_bytes("/proc/self/status", "RssFile") +
		ph_proc_bytes("/proc/self/status", "RssShmem") +
		ph_proc_bytes("/proc/self/status", "RssAnon");
	/* Counters of processors are summed up with some delay. */
	EXPECT_LE(63 * MIB, after - before);
	EXPECT_GE(66 * MIB, after - before);

	ASSERT_EQ(0, ph_decommit(self->fd, base, 0, 32 * MIB));
	EXPECT_EQ(32 * MIB, ph_smaps(base, 64 * MIB, "Rss"));
	ASSERT_EQ(0, ph_destroy(self->fd, base));
	after = ph_proc_bytes("/proc/self/status", "RssFile") +
		ph_proc_bytes("/proc/self/status", "RssShmem") +
		ph_proc_bytes("/proc/self/status", "RssAnon");
	EXPECT_GE(2 * MIB, after - before);
}

TEST_F(privheap, address_space_limit)
{
	struct rlimit limit, old;
	struct privheap_query process;
	char *base;

	ASSERT_EQ(0, getrlimit(RLIMIT_AS, &old));
	limit = old;
	limit.rlim_cur = 512 * MIB;
	ASSERT_EQ(0, setrlimit(RLIMIT_AS, &limit));
	EXPECT_EQ(-ENOMEM, ph_create(self->fd, 600 * MIB, MIB, 0, &base));
	ASSERT_EQ(0, ph_query(self->fd, NULL, PRIVHEAP_QUERY_PROCESS, &process));
	EXPECT_EQ(0, process.out_regions);
	EXPECT_EQ(0, process.out_committed);
	EXPECT_EQ(0, process.out_resident);
	EXPECT_EQ(0, ph_create(self->fd, 64 * MIB, MIB, 0, &base));
	ASSERT_EQ(0, setrlimit(RLIMIT_AS, &old));
}

TEST_HARNESS_MAIN
