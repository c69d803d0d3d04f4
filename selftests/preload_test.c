// SPDX-License-Identifier: GPL-2.0-only
/*
 * libprivheap-malloc.so: what a program sees of it in one process. With fork(2):
 * preload_fork_test; malloc_calls has the functions one by one, and is compared
 * with the C library by preload_test.sh.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <spawn.h>
#include <sys/ioctl.h>

#include <linux/privheap.h>

#include "preload_selftest.h"

extern char **environ;

#define EAT_OPTION	"--eat"
#define EAT_MOST	64

/* Blocks of 1 MiB that there are to be had, of EAT_MOST. */
static int eat(void **blocks)
{
	int count = 0;

	errno = 0;
	while (count < EAT_MOST && (blocks[count] = hide(malloc(MIB)))) {
		*(char *)blocks[count++] = 1;
	}
	return count < EAT_MOST && errno != ENOMEM ? -1 : count;
}

static void free_all(void **blocks, int count)
{
	while (count)
		free(blocks[--count]);
}

/* Eats twice, and in a child: prints "COUNT COUNT COUNT". */
static int eat_main(void)
{
	void *blocks[EAT_MOST], *more[EAT_MOST];
	int first, second, child;

	first = eat(blocks);
	free_all(blocks, first < 0 ? 0 : first);
	second = eat(blocks);
	child = fork();
	if (!child)
		_exit(eat(more) & 0xFF);
	child = status_of(child);
	free_all(blocks, second < 0 ? 0 : second);
	printf("%d %d %d\n", first, second, child);
	return 0;
}

/* The three numbers of eat_main() with a variable set; false: it went wrong. */
static bool eat_with(const char *setting, int *first, int *second, int *child)
{
	char command[PATH_MAX + 128], self[PATH_MAX] = "";
	bool good;
	FILE *pipe;

	if (readlink("/proc/self/exe", self, sizeof(self) - 1) < 0)
		return false;
	snprintf(command, sizeof(command), "%s exec %s " EAT_OPTION, setting,
		 self);
	pipe = popen(command, "r");
	good = pipe && fscanf(pipe, "%d %d %d", first, second, child) == 3;
	return pipe && !pclose(pipe) && good;
}

TEST(all_functions_are_the_librarys)
{
	static const char *const names[] = {
		"malloc", "free", "calloc", "realloc", "reallocarray",
		"memalign", "aligned_alloc", "posix_memalign", "valloc",
		"pvalloc", "malloc_usable_size", "malloc_trim", "mallinfo",
		"mallinfo2",
	};
	Dl_info info;
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		ASSERT_NE(0, dladdr(dlsym(RTLD_DEFAULT, names[i]), &info));
		EXPECT_NE(NULL, strstr(info.dli_fname, "libprivheap-malloc.so"))
			TH_LOG("%s is of %s", names[i], info.dli_fname);
	}
	/* And nothing else is. */
	EXPECT_EQ(NULL, dlsym(RTLD_DEFAULT, "HeapAlloc"));
}

TEST(memory_is_a_heaps)
{
	char *small = hide(malloc(100)), *large = hide(malloc(3 * MIB));
	char line[512] = "";

	ASSERT_TRUE(mapping_of(small, line, sizeof(line)));
	EXPECT_EQ(on_module(), !!strstr(line, "privheap:["));
	EXPECT_EQ(NULL, strstr(line, "[heap]"));
	ASSERT_TRUE(mapping_of(large, line, sizeof(line)));
	EXPECT_EQ(on_module(), !!strstr(line, "privheap:["));
	free(small);
	free(large);
}

TEST(sizes_and_alignment)
{
	size_t size, align;
	char *p;

	for (size = 0; size < 2 * MIB; size += 1 + size / 2) {
		p = hide(malloc(size));
		ASSERT_NE(NULL, p);
		EXPECT_EQ(0, (uintptr_t)p % _Alignof(max_align_t));
		EXPECT_GE(malloc_usable_size(p), size);
		memset(p, 1, size);
		p = hide(realloc(p, size + 1));
		ASSERT_NE(NULL, p);
		EXPECT_EQ(0, (uintptr_t)p % _Alignof(max_align_t));
		free(p);
		for (align = 1; align <= MIB; align *= 16) {
			p = hide(aligned_alloc(align, size));
			ASSERT_NE(NULL, p);
			EXPECT_EQ(0, (uintptr_t)p % align);
			EXPECT_GE(malloc_usable_size(p), size);
			memset(p, 2, size);
			free(p);
		}
	}
}

TEST(of_no_bytes)
{
	void *one = hide(malloc(0)), *two = hide(malloc(0));

	EXPECT_NE(NULL, one);
	EXPECT_NE(NULL, two);
	EXPECT_NE(one, two);
	free(one);
	free(two);
	free(NULL);
	EXPECT_EQ(NULL, hide(realloc(hide(malloc(10)), 0)));
}

TEST(too_much)
{
	volatile size_t most = PTRDIFF_MAX, half = SIZE_MAX / 2 + 2;
	void *p = NULL;

	errno = 0;
	EXPECT_EQ(NULL, hide(malloc(most)));
	EXPECT_EQ(ENOMEM, errno);
	errno = 0;
	EXPECT_EQ(NULL, hide(malloc(most + 1)));
	EXPECT_EQ(ENOMEM, errno);
	errno = 0;
	EXPECT_EQ(NULL, hide(calloc(half, 2)));
	EXPECT_EQ(ENOMEM, errno);
	errno = 0;
	EXPECT_EQ(NULL, hide(memalign(4096, most)));
	EXPECT_EQ(ENOMEM, errno);
	errno = 0;
	EXPECT_EQ(NULL, hide(memalign(most + 2, 1)));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(ENOMEM, posix_memalign(&p, 64, most));
	EXPECT_EQ(NULL, p);
}

TEST(errno_stays)
{
	void *p, *aligned;

	/* Blocks of all kinds, and one that moves. */
	errno = 77;
	p = hide(malloc(10));
	aligned = hide(memalign(4096, 10));
	p = hide(realloc(p, 5 * MIB));
	aligned = hide(realloc(aligned, 5 * MIB));
	EXPECT_EQ(5 * MIB, malloc_usable_size(p));
	free(p);
	free(aligned);
	aligned = hide(memalign(4096, 10));
	EXPECT_LE(10, malloc_usable_size(aligned));
	free(aligned);
	free(NULL);
	malloc_trim(0);
	EXPECT_EQ(77, errno);
}

TEST(an_aligned_block_keeps_its_bytes)
{
	char *p = hide(memalign(65536, 5000));
	size_t size, i;

	memset(p, 7, 5000);
	for (size = 5000; size > 1; size = size * 3 / 4) {
		p = hide(realloc(p, size));
		for (i = 0; i < size; i++)
			ASSERT_EQ(7, p[i]);
	}
	p = hide(realloc(p, MIB));
	EXPECT_EQ(7, p[0]);
	free(p);
}

TEST(memory_goes_back)
{
	struct mallinfo2 before = mallinfo2(), full, after;
	void *blocks[64];
	int i;

	for (i = 0; i < 64; i++)
		blocks[i] = hide(malloc(256 * KIB));
	full = mallinfo2();
	EXPECT_GE(full.arena, before.arena + 16 * MIB);
	EXPECT_GE(full.uordblks, before.uordblks + 16 * MIB);
	/* All but the last go: what is free lies in between. */
	free_all(blocks, 63);
	malloc_trim(0);
	after = mallinfo2();
	EXPECT_LE(after.arena, before.arena + 2 * MIB);
	EXPECT_EQ(0, malloc_trim(0));
	free(blocks[63]);
}

static int free_twice(void *arg)
{
	void *p = hide(malloc(100));

	free(hide(p));
	free(hide(p));
	return 0;
}

static int free_aligned_twice(void *arg)
{
	void *p = hide(memalign(4096, 100));

	free(hide(p));
	free(hide(p));
	return 0;
}

static int free_inside(void *arg)
{
	free(hide((char *)hide(malloc(1000)) + 16));
	return 0;
}

static int free_stack(void *arg)
{
	char bytes[256] __attribute__((aligned(64))) = { 0 };

	free(hide(bytes + 128));
	return 0;
}

static int resize_freed(void *arg)
{
	void *p = hide(malloc(100));

	free(hide(p));
	return !realloc(hide(p), 1000);
}

static int fine(void *arg)
{
	free(hide(malloc(100)));
	return 0;
}

TEST(misuse_ends_the_program)
{
	/* With what it has to say. */
	int error = dup(STDERR_FILENO), null = open("/dev/null", O_WRONLY);

	dup2(null, STDERR_FILENO);
	EXPECT_EQ(128 + SIGABRT, in_child(free_twice, NULL));
	EXPECT_EQ(128 + SIGABRT, in_child(free_aligned_twice, NULL));
	EXPECT_EQ(128 + SIGABRT, in_child(free_inside, NULL));
	EXPECT_EQ(128 + SIGABRT, in_child(free_stack, NULL));
	EXPECT_EQ(128 + SIGABRT, in_child(resize_freed, NULL));
	dup2(error, STDERR_FILENO);
	EXPECT_EQ(0, in_child(fine, NULL));
}

static void *pass_on(void *arg)
{
	void **slot = arg;
	int i;

	/* Frees what the other thread has allocated. */
	for (i = 0; i < 30000; i++)
		free(__atomic_exchange_n(slot, hide(malloc(1 + i % 3000)),
					 __ATOMIC_ACQ_REL));
	return NULL;
}

TEST(blocks_go_from_thread_to_thread)
{
	pthread_t threads[3];
	void *slot = NULL;
	int i;

	for (i = 0; i < 3; i++)
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, pass_on, &slot));
	for (i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	free(slot);
}

TEST(a_limit_of_the_environment)
{
	int first, second, child;

	ASSERT_TRUE(eat_with("PRIVHEAP_MALLOC_LIMIT=32M", &first, &second,
			     &child));
	EXPECT_GE(first, 28);
	EXPECT_LE(first, 31);
	EXPECT_EQ(first, second);
	/* Of its own, beside what it has of its parent's. */
	EXPECT_GE(child, 28);
	EXPECT_LE(child, 31);

	ASSERT_TRUE(eat_with("PRIVHEAP_MALLOC_LIMIT=", &first, &second, &child));
	EXPECT_EQ(EAT_MOST, first);
	EXPECT_FALSE(eat_with("PRIVHEAP_MALLOC_LIMIT=32X", &first, &second,
			      &child));
	EXPECT_FALSE(eat_with("PRIVHEAP_MALLOC_LIMIT=-1", &first, &second,
			      &child));
	EXPECT_FALSE(eat_with("PRIVHEAP_MALLOC_LIMIT=99999999999999999999",
			      &first, &second, &child));
}

TEST(a_limit_of_the_process)
{
	struct privheap_limit limit = {
		.size = sizeof(limit),
		.flags = PRIVHEAP_LIMIT_PROCESS,
		.set = PRIVHEAP_SET_HARD,
		.resource = PRIVHEAP_RESOURCE_COMMIT,
		.hard = 32 * MIB,
	};
	int fd = open("/dev/privheap", O_RDWR | O_CLOEXEC), count;
	void *blocks[EAT_MOST];

	if (!on_module() || fd < 0)
		SKIP(return, "regions are not the module's");
	ASSERT_EQ(0, ioctl(fd, PRIVHEAP_IOC_LIMIT, &limit));
	count = eat(blocks);
	EXPECT_GE(count, 28);
	EXPECT_LE(count, 31);
	free_all(blocks, count);
	EXPECT_EQ(count, eat(blocks));
	free_all(blocks, count);
}

TEST(other_programs_are_started)
{
	char *const argv[] = { "sh", "-c", "exit 7", NULL };
	char line[16] = "";
	FILE *pipe;
	pid_t pid;

	ASSERT_EQ(0, posix_spawn(&pid, "/bin/sh", NULL, NULL, argv, environ));
	EXPECT_EQ(7, status_of(pid));
	EXPECT_EQ(3, WEXITSTATUS(system("exit 3")));
	pipe = popen("echo said", "r");
	ASSERT_NE(NULL, pipe);
	EXPECT_NE(NULL, fgets(line, sizeof(line), pipe));
	EXPECT_EQ(0, strcmp(line, "said\n"));
	EXPECT_EQ(0, pclose(pipe));
	pid = vfork();
	if (!pid) {
		execv("/bin/sh", argv);
		_exit(1);
	}
	EXPECT_EQ(7, status_of(pid));
}

int main(int argc, char **argv)
{
	preload_self(argv);
	if (argc == 2 && !strcmp(argv[1], EAT_OPTION))
		return eat_main();
	return test_harness_run(argc, argv);
}
