/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the parts of the heap benchmark share: measures and windows.
 *
 * A measure is a function that prepares, warms up and then does the same work
 * in one or more windows. A window is what counts: natively its time is taken,
 * under callgrind (--count) its instructions. Each measure runs in a child
 * process of its own, so that none finds what another has left behind.
 */
#ifndef HEAP_BENCH_H
#define HEAP_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a measure is good for; also the names of groups on the command line. */
enum bench_group {
	BENCH_SPEED,	/* one thread: instructions and nanoseconds */
	BENCH_THREADS,	/* two threads: nanoseconds */
	BENCH_MEMORY,	/* resident bytes */
};

/* Of the blocks that come and go in a churn. */
enum churn_sizes {
	CHURN_UNIFORM,	/* 16 to 1,024 bytes, all alike; mean 520 */
	CHURN_SMALL,	/* 16 to 1,024 bytes, twice as large is a quarter as dense: mean 68 */
	CHURN_WIDE,	/* 16 bytes to 64 KiB, each doubling alike; mean 7,900 */
};

struct bench {
	const char *name;
	void (*run)(const struct bench *bench);
	size_t size;	/* or a number: see the function */
	enum churn_sizes sizes;
	/* It uses HeapCreate() or what is like it: malloc() has no such thing. */
	bool needs_heaps;
	/* A heap that was not used before. */
	bool cold;
};

extern const struct bench speed_benches[];
extern const struct bench thread_benches[];
extern const struct bench memory_benches[];

/* Under callgrind. */
extern bool bench_counting;
/* Blocks of a batch. */
extern unsigned int bench_batch;

/* The rest ends the process, or does not fail. */
void bench_die(const char *what) __attribute__((noreturn));

/*
 * Windows: while (bench_again()) { window_begin(); ...; window_end(...); }
 * Natively there are several and the best one is reported, for a window in
 * which the thread was preempted tells nothing; callgrind needs only one.
 */
bool bench_again(void);
void window_begin(void);
void window_end(const char *name, unsigned long operations);

/* Nanoseconds of CLOCK_MONOTONIC_RAW, which --icount makes instructions. */
unsigned long bench_now(void);
/* Put the nanoseconds of a window that was measured by other means. */
void window_put(const char *name, double value);

/* A figure that is what it is, like a number of bytes. */
void bench_report(const char *name, double value);

/* Memory for the benchmark's own arrays, all pages present. */
void *bench_array(size_t bytes);

/* Resident bytes of this process. */
unsigned long bench_resident(void);

/* One step of the churn: the block in this slot goes, one of this size comes. */
struct churn_step {
	uint32_t slot;
	uint32_t size;
};

struct churn {
	unsigned int slots;
	enum churn_sizes sizes;
	unsigned long steps;	/* in the array; a power of two */
	struct churn_step *step;
	void **block;
	uint32_t *size;		/* of the block of each slot, at first */
};

/* The same steps each time. */
void churn_prepare(struct churn *churn, unsigned int slots, enum churn_sizes sizes);

/* A step made now, for where time does not matter. */
struct churn_step churn_next(const struct churn *churn);

#endif /* HEAP_BENCH_H */
