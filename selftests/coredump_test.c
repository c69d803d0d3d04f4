// SPDX-License-Identifier: GPL-2.0-only
/* A core dump holds what was touched, and takes no memory for the rest. */
#include <elf.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "privheap_fixture.h"

#define PATTERN		"/proc/sys/kernel/core_pattern"
#define RESERVE		(32 * MIB)
#define COMMIT		(16 * MIB)

#if UINTPTR_MAX > 0xffffffff
#define EHDR		Elf64_Ehdr
#define PHDR		Elf64_Phdr
#else
#define EHDR		Elf32_Ehdr
#define PHDR		Elf32_Phdr
#endif

/* Bytes of the dumped process's memory at @address; false if not in the core. */
static bool read_core(int core, uint64_t address, char *bytes, size_t length)
{
	EHDR header;
	PHDR program;

	if (pread(core, &header, sizeof(header), 0) != sizeof(header) ||
	    memcmp(header.e_ident, ELFMAG, SELFMAG) || header.e_type != ET_CORE)
		return false;
	for (unsigned int i = 0; i < header.e_phnum; i++) {
		if (pread(core, &program, sizeof(program), header.e_phoff +
			  i * sizeof(program)) != sizeof(program))
			return false;
		if (program.p_type != PT_LOAD || address < program.p_vaddr ||
		    address + length > program.p_vaddr + program.p_filesz)
			continue;
		return pread(core, bytes, length, program.p_offset +
			     (address - program.p_vaddr)) == (ssize_t)length;
	}
	return false;
}

/* Dies with a core in @directory; never returns. */
static void die(const char *directory, const uint64_t *touched, size_t count,
		int pipe_up, int advice)
{
	struct rlimit limit = { RLIM_INFINITY, RLIM_INFINITY };
	char *base;
	int fd = ph_open();

	if (chdir(directory) || setrlimit(RLIMIT_CORE, &limit) ||
	    ph_create(fd, RESERVE, COMMIT, PRIVHEAP_CREATE_LAZY, &base))
		_exit(1);
	if (advice && madvise(base, RESERVE, advice))
		_exit(2);
	for (size_t i = 0; i < count; i++)
		memset(base + touched[i], i + 1, PAGE);
	if (write(pipe_up, &base, sizeof(base)) != sizeof(base))
		_exit(3);
	signal(SIGABRT, SIG_DFL);
	abort();
}

static const uint64_t touched[] = {
	0, 5 * PAGE, MIB + 3 * PAGE, 8 * MIB, COMMIT - PAGE,
};

/* Open a child's core; base is where its region was. */
static int dump(struct __test_metadata *_metadata, int advice, char **base)
{
	char directory[] = "/tmp/privheap-core-XXXXXX", name[64], old[256];
	int pipes[2], core, status = 0;
	pid_t child;

	ASSERT_LT(0, ph_read_file(PATTERN, old, sizeof(old)));
	ASSERT_NE(NULL, mkdtemp(directory));
	ASSERT_EQ(0, pipe(pipes));
	ASSERT_EQ(0, ph_write_file(PATTERN, "core"));
	child = fork();
	ASSERT_LE(0, child);
	if (!child)
		die(directory, touched, ARRAY_SIZE(touched), pipes[1], advice);
	EXPECT_EQ(child, waitpid(child, &status, 0));
	ph_write_file(PATTERN, old);
	EXPECT_TRUE(WIFSIGNALED(status));
	EXPECT_EQ(SIGABRT, WTERMSIG(status));
	EXPECT_TRUE(WCOREDUMP(status));
	ASSERT_EQ(sizeof(*base), read(pipes[0], base, sizeof(*base)));

	snprintf(name, sizeof(name), "%s/core", directory);
	core = open(name, O_RDONLY);
	if (core < 0) {
		snprintf(name, sizeof(name), "%s/core.%d", directory, child);
		core = open(name, O_RDONLY);
	}
	unlink(name);
	rmdir(directory);
	return core;
}

#define NEEDS_CORES() do {						\
	if (access(PATTERN, W_OK))					\
		SKIP(return, PATTERN " cannot be written");		\
} while (0)

TEST_F(privheap, core_has_the_data)
{
	char page[4096], *base;
	struct stat status;
	int core;

	NEEDS_CORES();
	core = dump(_metadata, 0, &base);
	ASSERT_LE(0, core);
	for (size_t i = 0; i < ARRAY_SIZE(touched); i++) {
		ASSERT_TRUE(read_core(core, TO_BASE(base) + touched[i], page,
				      sizeof(page))) {
			TH_LOG("nothing at %#llx",
			       (unsigned long long)touched[i]);
		}
		EXPECT_TRUE(ph_all(page, sizeof(page), i + 1));
	}
	/* Untouched, and not committed: zeroes, if anything. */
	if (read_core(core, TO_BASE(base) + 3 * MIB, page, sizeof(page)))
		EXPECT_TRUE(ph_zero(page, sizeof(page)));
	if (read_core(core, TO_BASE(base) + COMMIT, page, sizeof(page)))
		EXPECT_TRUE(ph_zero(page, sizeof(page)));
	/* Holes take no space on disk. */
	ASSERT_EQ(0, fstat(core, &status));
	EXPECT_GT(8 * MIB, status.st_blocks * 512ULL);
	close(core);
}

TEST_F(privheap, dontdump_keeps_it_out)
{
	char page[4096], *base;
	int core;

	NEEDS_CORES();
	core = dump(_metadata, MADV_DONTDUMP, &base);
	ASSERT_LE(0, core);
	EXPECT_FALSE(read_core(core, TO_BASE(base), page, sizeof(page)));
	EXPECT_FALSE(read_core(core, TO_BASE(base) + 8 * MIB, page,
			       sizeof(page)));
	close(core);
}

/* The dump itself takes no pages: the peak is what the process touched. */
TEST_F(privheap, dump_populates_nothing)
{
	struct privheap_query before, after;
	char *base;
	int core;

	NEEDS_CORES();
	ASSERT_EQ(0, ph_query(self->fd, NULL, PRIVHEAP_QUERY_SYSTEM, &before));
	core = dump(_metadata, 0, &base);
	ASSERT_LE(0, core);
	ASSERT_EQ(0, ph_query(self->fd, NULL, PRIVHEAP_QUERY_SYSTEM, &after));
	/* As many faults as touches: none by the dump. */
	EXPECT_EQ(before.out_faults + ARRAY_SIZE(touched), after.out_faults);
	close(core);
}

TEST_HARNESS_MAIN
