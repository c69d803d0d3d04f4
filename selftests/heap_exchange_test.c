// SPDX-License-Identifier: GPL-2.0-only
/*
 * Threads that share heaps and hand their blocks to each other: heap_model_threads.c.
 *
 * PRIVHEAP_MODEL_OPS, PRIVHEAP_MODEL_THREADS and PRIVHEAP_MODEL_SEED say how many
 * operations there are, in how many threads at a time, and where chance begins.
 */
#include "heap_model.h"
#include "heap_model_threads.h"
#include "patient_harness.h"

FIXTURE(heap_threads) {
};

FIXTURE_SETUP(heap_threads)
{
}

FIXTURE_TEARDOWN(heap_threads)
{
}

TEST_F_TIMEOUT(heap_threads, hand_blocks_to_each_other, 1800)
{
	threads_run(model_option("PRIVHEAP_MODEL_OPS", 300000),
		    model_option("PRIVHEAP_MODEL_THREADS", 4),
		    model_option("PRIVHEAP_MODEL_SEED", 1));
	EXPECT_EQ(0, atomic_load(&model_failures));
}

TEST_HARNESS_MAIN
