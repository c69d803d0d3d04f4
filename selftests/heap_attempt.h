/* SPDX-License-Identifier: GPL-2.0-only */
/* A call on a heap in another thread, which may wait. */
#ifndef HEAP_ATTEMPT_H
#define HEAP_ATTEMPT_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "heap_selftest.h"

/* A call in another thread, on a heap that this one holds. */
struct attempt {
	HANDLE heap;
	DWORD flags;
	char *block;
	bool (*call)(struct attempt *attempt);
	atomic_bool begun;
	atomic_bool done;
	bool result;
	pthread_t thread;
};

static inline bool try_alloc(struct attempt *try)
{
	return HeapAlloc(try->heap, try->flags, 100);
}

static inline void *attempt_run(void *arg)
{
	struct attempt *try = arg;

	try->begun = true;
	try->result = try->call(try);
	try->done = true;
	return NULL;
}

static inline void attempt_start(struct attempt *try)
{
	try->begun = false;
	try->done = false;
	if (pthread_create(&try->thread, NULL, attempt_run, try))
		abort();
	while (!try->begun)
		usleep(100);
}

static inline void attempt_join(struct attempt *try)
{
	pthread_join(try->thread, NULL);
}

/* Long enough for any call that does not wait. */
static inline void a_moment(void)
{
	usleep(50000);
}

#endif /* HEAP_ATTEMPT_H */
