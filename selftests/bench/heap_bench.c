// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the operations of a heap cost: the same measures for privheap, for
 * mimalloc's heaps and for whatever provides malloc(), one build for each of
 * the three (see heap_bench_ops.h). "run-heap" runs all and compares.
 *
 *   heap_bench_FAMILY [OPTION]... [GROUP | MEASURE]...
 *
 * Prints one line "NAME VALUE" for each measure: nanoseconds for each
 * operation, or what the name says. With --count, under callgrind, nothing:
 * callgrind then leaves a file for each window, labelled "NAME OPERATIONS".
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/rseq.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <valgrind/callgrind.h>
#include <valgrind/valgrind.h>

#include "heap_bench.h"
#include "heap_bench_ops.h"

/* Windows of a measure, natively; fewer if they take long, in nanoseconds. */
#define WINDOWS		5
#define ENOUGH		100000000UL
#define NAMES		8

bool bench_counting;
unsigned int bench_batch = 100;
#ifdef BENCH_PRIVHEAP
DWORD bench_create_flags;
DWORD bench_call_flags;
#endif

static const struct bench *const groups[] = {
	[BENCH_SPEED] = speed_benches,
	[BENCH_THREADS] = thread_benches,
	[BENCH_MEMORY] = memory_benches,
};

static const char *const group_names[] = {
	[BENCH_SPEED] = "speed",
	[BENCH_THREADS] = "threads",
	[BENCH_MEMORY] = "memory",
};

#define GROUPS		(sizeof(groups) / sizeof(groups[0]))

/* The windows of the measure that runs. */
static unsigned int windows;
static unsigned long window_start;
static struct {
	const char *name;
	double best;
} best[NAMES];

void bench_die(const char *what)
{
	fprintf(stderr, "heap_bench: %s: %s\n", what, strerror(errno));
	exit(1);
}

unsigned long bench_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC_RAW, &ts);
	return ts.tv_sec * 1000000000UL + ts.tv_nsec;
}

bool bench_again(void)
{
	static unsigned long first;

	if (bench_counting)
		return !windows++;
	if (!windows)
		first = bench_now();
	else if (windows == WINDOWS || bench_now() - first > ENOUGH)
		return false;
	windows++;
	return true;
}

/* Never part of the caller, so that each window begins and ends alike. */
__attribute__((noinline)) void window_begin(void)
{
	if (bench_counting)
		CALLGRIND_ZERO_STATS;
	else
		window_start = bench_now();
}

void window_put(const char *name, double value)
{
	unsigned int i;

	for (i = 0; i < NAMES && best[i].name; i++)
		if (!strcmp(best[i].name, name))
			break;
	if (i == NAMES) {
		errno = ENOSPC;
		bench_die(name);
	}
	if (!best[i].name || best[i].best > value)
		best[i].best = value;
	best[i].name = name;
}

static void count_end(const char *name, unsigned long operations)
{
	char label[64];

	snprintf(label, sizeof(label), "%s %lu", name, operations);
	CALLGRIND_DUMP_STATS_AT(label);
}

__attribute__((noinline)) void window_end(const char *name,
					  unsigned long operations)
{
	unsigned long end;

	if (bench_counting) {
		/* Not after the label is made: that would be counted. */
		CALLGRIND_TOGGLE_COLLECT;
		count_end(name, operations);
		CALLGRIND_TOGGLE_COLLECT;
	} else {
		end = bench_now();
		window_put(name, (double)(end - window_start) / operations);
	}
}

void bench_report(const char *name, double value)
{
	printf("%s %.6g\n", name, value);
}

void *bench_array(size_t bytes)
{
	void *array = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	if (array == MAP_FAILED)
		bench_die("mmap");
	return array;
}

/*
 * From the page tables: the counters in statm lag behind on some kernels.
 * Without stdio, which would allocate.
 */
unsigned long bench_resident(void)
{
	char text[4096];
	ssize_t length;
	char *rss;
	int fd;

	fd = open("/proc/self/smaps_rollup", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		bench_die("smaps_rollup");
	length = read(fd, text, sizeof(text) - 1);
	if (length < 0)
		bench_die("smaps_rollup");
	close(fd);
	text[length] = '\0';
	rss = strstr(text, "Rss:");
	if (!rss) {
		errno = EPROTO;
		bench_die("smaps_rollup");
	}
	return strtoul(rss + 4, NULL, 10) * 1024;
}

/*
 * valgrind has no rseq: the C library could not register this thread's area and
 * has left a negative cpu_id there, at which a per-CPU allocator takes another,
 * slower way than in any real run. So this pretends that the kernel had put
 * CPU 0 there. What the kernel does besides, to restart a sequence that was
 * preempted or moved, is not missed: the sequences protect a CPU's data from
 * other threads on the same CPU, and there is no other thread. The instructions
 * are then those of a run without preemption. Of no use with threads, and wrong
 * outside of valgrind, where cpu_id is the kernel's.
 */
static void assume_rseq(void)
{
	struct rseq *area;

	if (!RUNNING_ON_VALGRIND) {
		fprintf(stderr, "heap_bench: --assume-rseq is for valgrind\n");
		exit(2);
	}
	area = (struct rseq *)((char *)__builtin_thread_pointer() + __rseq_offset);
	*(volatile uint32_t *)&area->cpu_id_start = 0;
	*(volatile uint32_t *)&area->cpu_id = 0;
}

static bool wanted(const struct bench *bench, unsigned int group, char **names)
{
	bool all = true;

	for (; *names; names++) {
		all = false;
		if (!strcmp(*names, bench->name) ||
		    !strcmp(*names, group_names[group]))
			break;
	}
	if (!all && !*names)
		return false;
	if (bench->needs_heaps && !HAVE_HEAPS)
		return false;
	return !bench_counting || group == BENCH_SPEED;
}

/* In a child, so that each measure finds a fresh process. */
static int run_bench(const struct bench *bench)
{
	unsigned int i;
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid < 0)
		bench_die("fork");
	if (!pid) {
		bench->run(bench);
		for (i = 0; i < NAMES && best[i].name; i++)
			bench_report(best[i].name, best[i].best);
		fflush(stdout);
		_exit(0);
	}
	if (waitpid(pid, &status, 0) != pid)
		bench_die("waitpid");
	if (!status)
		return 0;
	fprintf(stderr, "heap_bench: %s failed (wait status %#x)\n", bench->name,
		status);
	return 1;
}

/* A name that is misspelt must not look like a measure that has no figure. */
static bool known(const char *name)
{
	const struct bench *bench;
	unsigned int i;

	for (i = 0; i < GROUPS; i++) {
		if (!strcmp(name, group_names[i]))
			return true;
		for (bench = groups[i]; bench->name; bench++)
			if (!strcmp(name, bench->name))
				return true;
	}
	return false;
}

static void usage(void)
{
	const struct bench *bench;
	unsigned int i;

	printf("usage: heap_bench_FAMILY [OPTION]... [GROUP | MEASURE]...\n\n"
	       "  --count               label windows for callgrind, print nothing\n"
	       "  --assume-rseq         as if the C library had registered rseq;\n"
	       "                        under valgrind only\n"
#ifdef BENCH_PRIVHEAP
	       "  --no-serialize-heap   create heaps with HEAP_NO_SERIALIZE\n"
	       "  --no-serialize-calls  give HEAP_NO_SERIALIZE to each call\n"
#endif
	       "  --batch N             blocks of a batch (default: 100)\n\n");
	for (i = 0; i < GROUPS; i++) {
		printf("%s:", group_names[i]);
		for (bench = groups[i]; bench->name; bench++)
			printf(" %s", bench->name);
		printf("\n");
	}
}

/* Returns what follows the options: groups and measures. */
static char **parse_options(int argc, char **argv)
{
	static const struct option options[] = {
		{ "count", no_argument, NULL, 'c' },
		{ "assume-rseq", no_argument, NULL, 'r' },
#ifdef BENCH_PRIVHEAP
		{ "no-serialize-heap", no_argument, NULL, 'n' },
		{ "no-serialize-calls", no_argument, NULL, 'N' },
#endif
		{ "batch", required_argument, NULL, 'b' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	char **name;
	int option;

	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (option) {
		case 'c':
			bench_counting = true;
			break;
		case 'r':
			assume_rseq();
			break;
#ifdef BENCH_PRIVHEAP
		case 'n':
			bench_create_flags = HEAP_NO_SERIALIZE;
			break;
		case 'N':
			bench_call_flags = HEAP_NO_SERIALIZE;
			break;
#endif
		case 'b':
			bench_batch = strtoul(optarg, NULL, 0);
			break;
		case 'h':
			usage();
			exit(0);
		default:
			exit(2);
		}
	}
	for (name = argv + optind; *name; name++) {
		if (!known(*name)) {
			fprintf(stderr, "heap_bench: no measure %s\n", *name);
			exit(2);
		}
	}
	if (!bench_batch || bench_batch > 100000) {
		fprintf(stderr, "heap_bench: --batch: 1 to 100000\n");
		exit(2);
	}
	return argv + optind;
}

int main(int argc, char **argv)
{
	const struct bench *bench;
	unsigned int i;
	char **names;
	int bad = 0;

	names = parse_options(argc, argv);

#ifdef BENCH_MIMALLOC
	if (!mi_heap_new) {
		fprintf(stderr, "heap_bench: no mimalloc is preloaded\n");
		return 2;
	}
#endif
	/* Huge pages are a matter of luck, and of other programs. */
	if (prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0))
		bench_die("PR_SET_THP_DISABLE");
	for (i = 0; i < GROUPS; i++)
		for (bench = groups[i]; bench->name; bench++)
			if (wanted(bench, i, names))
				bad |= run_bench(bench);
	return bad;
}
