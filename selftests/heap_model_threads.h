/* SPDX-License-Identifier: GPL-2.0-only */
/* Threads that share heaps and hand their blocks to each other. */
#ifndef HEAP_MODEL_THREADS_H
#define HEAP_MODEL_THREADS_H

#include <stdint.h>

/*
 * Does @ops operations in @threads threads at a time, and counts what goes
 * wrong in model_failures.
 */
void threads_run(uint64_t ops, unsigned int threads, uint64_t seed);

#endif /* HEAP_MODEL_THREADS_H */
