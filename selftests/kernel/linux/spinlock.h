/* SPDX-License-Identifier: GPL-2.0-only */
/* Spinlocks as mutexes, which sanitizers understand. */
#ifndef PRIVHEAP_KERNEL_SPINLOCK_H
#define PRIVHEAP_KERNEL_SPINLOCK_H

#include <pthread.h>

typedef struct { pthread_mutex_t mutex; } spinlock_t;

static inline void spin_lock_init(spinlock_t *lock)
{
	pthread_mutex_init(&lock->mutex, NULL);
}

static inline void spin_lock(spinlock_t *lock)
{
	pthread_mutex_lock(&lock->mutex);
}

static inline void spin_unlock(spinlock_t *lock)
{
	pthread_mutex_unlock(&lock->mutex);
}

#endif /* PRIVHEAP_KERNEL_SPINLOCK_H */
