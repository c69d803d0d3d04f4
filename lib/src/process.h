/* SPDX-License-Identifier: MIT */
/*
 * Notices that this process is a child that fork(2) made.
 *
 * Regions do not survive fork, so everything the library remembers about its
 * parent's regions must be forgotten in a child, before the child's first use
 * of it. A page that the kernel wipes in the child (MADV_WIPEONFORK) says so;
 * unlike pthread_atfork(3) this sees clone(2) and _Fork(3) too, and costs one
 * load a call.
 */
#ifndef PRIVHEAP_SRC_PROCESS_H
#define PRIVHEAP_SRC_PROCESS_H

#include <stdatomic.h>
#ifdef __has_include
#if __has_include(<sys/single_threaded.h>)
#include <sys/single_threaded.h>
#define PROCESS_ALONE	__libc_single_threaded
#endif
#endif

#include "common.h"

enum {
	PROCESS_NEW,		/* what a wiped page reads as */
	PROCESS_STARTING,
	PROCESS_READY,
};

/* Never NULL. */
extern _Atomic(atomic_uint *) process_state
	__attribute__((visibility("hidden")));

void process_start(void);

/* What is remembered is this process's. */
static inline bool process_is_ready(void)
{
	atomic_uint *state = atomic_load_explicit(&process_state,
						  memory_order_acquire);

	return likely(atomic_load_explicit(state, memory_order_acquire) ==
		      PROCESS_READY);
}

/* Must come first in every public function that looks at regions or heaps. */
static inline void process_check(void)
{
	if (!process_is_ready())
		process_start();
}

/* There is no other thread, and none comes while the caller is in the library. */
static inline bool process_alone(void)
{
#ifdef PROCESS_ALONE
	return PROCESS_ALONE;
#else
	return false;
#endif
}

/*
 * What forgets, each in its own file. They run once in the first process as
 * well, and with a single thread in a child; locks that the parent's other
 * threads held are made anew.
 */
void module_forget(void);
void anonymous_forget(void);
void region_forget(void);
void cache_forget(void);
void heap_forget(void);
void virtual_forget(void);

#endif /* PRIVHEAP_SRC_PROCESS_H */
