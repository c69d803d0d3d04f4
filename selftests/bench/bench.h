/* SPDX-License-Identifier: GPL-2.0-only */
/* What the benchmarks of the module share. */
#ifndef PRIVHEAP_BENCH_H
#define PRIVHEAP_BENCH_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PAGE	4096UL

static inline void die_of(const char *what, int error)
{
	fprintf(stderr, "%s: %s: %s\n", program_invocation_short_name, what,
		strerror(error));
	exit(1);
}

static inline void die(const char *what)
{
	die_of(what, errno);
}

/* Nanoseconds; with --icount that is instructions. */
static inline unsigned long now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC_RAW, &ts);
	return ts.tv_sec * 1000000000UL + ts.tv_nsec;
}

/* One line: what one of @count took. */
static inline void report(const char *name, unsigned long total, unsigned long count)
{
	printf("%s %lu\n", name, (total + count / 2) / count);
	fflush(stdout);
}

#endif /* PRIVHEAP_BENCH_H */
