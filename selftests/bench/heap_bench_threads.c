// SPDX-License-Identifier: GPL-2.0-only
/*
 * Two threads, each on a processor of its own: nanoseconds for each pair of an
 * alloc and a free, as the slower of the two threads sees them. "one-thread" is
 * the same with one, to compare with.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>

#include "heap_bench.h"
#include "heap_bench_ops.h"

#define PAIRS		50000UL
#define WINDOWS		15
#define BLOCK		64
/* Blocks that change hands at once, and how many may be on their way. */
#define HANDFUL		32U
#define RING		1024U
#define LINE		64

struct ring {
	_Alignas(LINE) atomic_uint head;	/* written by who puts */
	_Alignas(LINE) atomic_uint tail;	/* written by who takes */
	_Alignas(LINE) void *block[RING];
};

struct contest;

struct runner {
	pthread_t thread;
	struct contest *contest;
	heap_t heap;
	unsigned int index;
	unsigned long nanoseconds;
};

struct contest {
	/* The work of one thread, done once to warm up and once for the time. */
	void (*work)(struct runner *runner, unsigned long count);
	unsigned int threads;
	/* Each thread has a heap, or thread 0 has one for both. */
	bool own_heaps;
	int cpu[2];
	atomic_uint arrived;
	struct ring ring[2];
	struct runner runner[2];
};

static void relax(unsigned int *spins)
{
	/* The other one may be preempted, on a machine with other load. */
	if (++*spins % 4096 == 0)
		sched_yield();
	else
		__builtin_ia32_pause();
}

/* Until all threads have come here for the time that is given. */
static void meet(struct contest *contest, unsigned int time)
{
	unsigned int spins = 0;

	atomic_fetch_add(&contest->arrived, 1);
	while (atomic_load(&contest->arrived) < time * contest->threads)
		relax(&spins);
}

static void pair_work(struct runner *runner, unsigned long count)
{
	heap_t heap = runner->heap;

	while (count--)
		heap_free(heap, heap_alloc(heap, BLOCK));
}

/* A handful of new blocks, each touched as who fills it would. */
static void put_handful(struct ring *ring, heap_t heap)
{
	unsigned int head = atomic_load_explicit(&ring->head, memory_order_relaxed);
	unsigned int i, spins = 0;
	char *block;

	while (head - atomic_load_explicit(&ring->tail, memory_order_acquire) >
	       RING - HANDFUL)
		relax(&spins);
	for (i = 0; i < HANDFUL; i++) {
		block = heap_alloc(heap, BLOCK);
		*(volatile char *)block = 1;
		ring->block[(head + i) % RING] = block;
	}
	atomic_store_explicit(&ring->head, head + HANDFUL, memory_order_release);
}

static void take_handful(struct ring *ring, heap_t heap)
{
	unsigned int tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);
	unsigned int i, spins = 0;

	while (atomic_load_explicit(&ring->head, memory_order_acquire) == tail)
		relax(&spins);
	for (i = 0; i < HANDFUL; i++)
		heap_free(heap, ring->block[(tail + i) % RING]);
	atomic_store_explicit(&ring->tail, tail + HANDFUL, memory_order_release);
}

static void handover_work(struct runner *runner, unsigned long count)
{
	struct ring *ring = &runner->contest->ring[0];

	for (; count >= HANDFUL; count -= HANDFUL) {
		if (runner->index == 0)
			put_handful(ring, runner->heap);
		else
			take_handful(ring, runner->heap);
	}
}

/* Each allocates as many as it frees, and frees what the other allocated. */
static void exchange_work(struct runner *runner, unsigned long count)
{
	struct contest *contest = runner->contest;

	for (; count >= HANDFUL; count -= HANDFUL) {
		put_handful(&contest->ring[runner->index], runner->heap);
		take_handful(&contest->ring[!runner->index], runner->heap);
	}
}

static void *run(void *argument)
{
	struct runner *runner = argument;
	struct contest *contest = runner->contest;
	bool makes_heap = !runner->index || contest->own_heaps;
	unsigned long begin;

	/* By the thread itself: some heaps belong to who makes them. */
	if (makes_heap)
		runner->heap = heap_create();
	meet(contest, 1);
	if (!makes_heap)
		runner->heap = contest->runner[0].heap;
	contest->work(runner, PAIRS / 2);
	meet(contest, 2);
	begin = bench_now();
	contest->work(runner, PAIRS);
	runner->nanoseconds = bench_now() - begin;
	meet(contest, 3);
	if (makes_heap)
		heap_destroy(runner->heap);
	return NULL;
}

static void start(struct contest *contest, unsigned int index)
{
	struct runner *runner = &contest->runner[index];
	pthread_attr_t attr;
	cpu_set_t cpus;

	runner->contest = contest;
	runner->index = index;
	CPU_ZERO(&cpus);
	CPU_SET(contest->cpu[index], &cpus);
	if (pthread_attr_init(&attr) ||
	    pthread_attr_setaffinity_np(&attr, sizeof(cpus), &cpus) ||
	    pthread_create(&runner->thread, &attr, run, runner))
		bench_die("pthread_create");
	pthread_attr_destroy(&attr);
}

static void one_window(const char *name, struct contest *contest)
{
	unsigned long slowest = 0;
	unsigned int i;

	atomic_store(&contest->arrived, 0);
	for (i = 0; i < contest->threads; i++)
		start(contest, i);
	for (i = 0; i < contest->threads; i++) {
		pthread_join(contest->runner[i].thread, NULL);
		if (contest->runner[i].nanoseconds > slowest)
			slowest = contest->runner[i].nanoseconds;
	}
	window_put(name, (double)slowest / PAIRS);
}

static bool two_processors(struct contest *contest)
{
	unsigned int found = 0;
	cpu_set_t cpus;
	int cpu;

	if (sched_getaffinity(0, sizeof(cpus), &cpus))
		bench_die("sched_getaffinity");
	for (cpu = 0; cpu < CPU_SETSIZE && found < 2; cpu++)
		if (CPU_ISSET(cpu, &cpus))
			contest->cpu[found++] = cpu;
	return found == 2;
}

static void compete(const struct bench *bench, unsigned int threads, bool own_heaps,
		    void (*work)(struct runner *runner, unsigned long count))
{
	static struct contest contest;
	unsigned int i;

	if (!two_processors(&contest)) {
		fprintf(stderr, "heap_bench: %s: SKIP, one processor\n", bench->name);
		return;
	}
	contest.work = work;
	contest.threads = threads;
	contest.own_heaps = own_heaps;
	for (i = 0; i < WINDOWS; i++)
		one_window(bench->name, &contest);
}

static void one_thread(const struct bench *bench)
{
	compete(bench, 1, true, pair_work);
}

static void one_heap(const struct bench *bench)
{
	if (!can_share())
		return;
	compete(bench, 2, false, pair_work);
}

static void own_heaps(const struct bench *bench)
{
	compete(bench, 2, true, pair_work);
}

static void handover(const struct bench *bench)
{
	if (!can_free_others())
		return;
	compete(bench, 2, false, handover_work);
}

static void exchange(const struct bench *bench)
{
	if (!can_free_others())
		return;
	compete(bench, 2, !can_share(), exchange_work);
}

const struct bench thread_benches[] = {
	{ .name = "one-thread", .run = one_thread },
	{ .name = "two-threads-one-heap", .run = one_heap },
	{ .name = "two-threads-own-heaps", .run = own_heaps },
	{ .name = "producer-consumer", .run = handover },
	{ .name = "exchange", .run = exchange },
	{ 0 },
};
