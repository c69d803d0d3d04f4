/* SPDX-License-Identifier: MIT */
/*
 * Locks of the library's own, which a process with one thread does without: no
 * thread can come while that one is in here.
 */
#ifndef PRIVHEAP_SRC_LOCK_AMONG_H
#define PRIVHEAP_SRC_LOCK_AMONG_H

#include <pthread.h>

#include "process.h"

/* Takes the lock if there is anybody to keep out; what unlock_among() wants. */
static inline bool lock_among(pthread_mutex_t *lock)
{
	if (process_alone())
		return false;
	pthread_mutex_lock(lock);
	return true;
}

static inline void unlock_among(pthread_mutex_t *lock, bool locked)
{
	if (locked)
		pthread_mutex_unlock(lock);
}

#endif /* PRIVHEAP_SRC_LOCK_AMONG_H */
