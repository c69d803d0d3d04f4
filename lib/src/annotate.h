/* SPDX-License-Identifier: MIT */
/*
 * What tools that watch memory are told, so that they see a heap's blocks as they see
 * malloc(3)'s: valgrind's memcheck, AddressSanitizer with LeakSanitizer when the program
 * was built with it, and heaptrack. Whether one of them is there is found out once; then
 * each call takes the heap's lock, no block comes from a slab, and memory that is no
 * block's may not be touched by the program. Nothing else costs more than a look at one
 * variable, and none on the fast paths.
 *
 * The library itself looks at such memory all the time. It is not instrumented by
 * AddressSanitizer, and memcheck's reports are off while a thread is in it.
 */
#ifndef PRIVHEAP_SRC_ANNOTATE_H
#define PRIVHEAP_SRC_ANNOTATE_H

#include <stdatomic.h>

#include "common.h"

enum {
	ANNOTATE_VALGRIND	= 1,
	ANNOTATE_ASAN		= 2,
	ANNOTATE_HEAPTRACK	= 4,
};

/* Which of them there are: what annotate_start() finds, each time the same. */
extern atomic_uint annotate_tools __attribute__((visibility("hidden")));

static inline bool annotating(void)
{
	return unlikely(atomic_load_explicit(&annotate_tools, memory_order_relaxed));
}

/* Finds out: when the library is loaded, or before the first region if that is earlier. */
void annotate_start(void);

/* Whether there is a tool that would not know of memory that a device maps. */
bool annotate_needs_anonymous(void);

/* Between these memcheck does not report what the calling thread does. They nest. */
void annotate_quiet(void);
void annotate_loud(void);

/* A heap's region came, or goes; @size: all of it. */
void annotate_region(void *base, size_t size);
void annotate_region_end(void *base, size_t size);

/* Memory was committed, in which no block is yet. */
void annotate_commit(void *start, size_t size);

/* Of that, what the library looks at on short ways that do not say so. */
void annotate_header(void *start, size_t size);

/*
 * A block came, its contents not to be relied on; has another size; goes. The last
 * two are to be called while it is still there.
 */
void annotate_alloc(void *block, size_t size);
void annotate_resize(void *block, size_t old, size_t size);
void annotate_free(void *block, size_t size);

/* What was to be freed or moved is no block; to be called when loud. */
void annotate_bad_free(void *block);

#endif /* PRIVHEAP_SRC_ANNOTATE_H */
