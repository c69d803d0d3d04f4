/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel's atomics, on those of the compiler: operations that return
 * something are full barriers, others order nothing.
 */
#ifndef PRIVHEAP_KERNEL_ATOMIC_H
#define PRIVHEAP_KERNEL_ATOMIC_H

#include <linux/types.h>

typedef struct { long counter; } atomic_long_t;
typedef struct { s64 counter; } atomic64_t;

static inline long atomic_long_read(const atomic_long_t *v)
{
	return READ_ONCE(v->counter);
}

static inline void atomic_long_set(atomic_long_t *v, long value)
{
	WRITE_ONCE(v->counter, value);
}

static inline void atomic_long_add(long i, atomic_long_t *v)
{
	__atomic_fetch_add(&v->counter, i, __ATOMIC_RELAXED);
}

static inline void atomic_long_sub(long i, atomic_long_t *v)
{
	__atomic_fetch_sub(&v->counter, i, __ATOMIC_RELAXED);
}

static inline void atomic_long_inc(atomic_long_t *v)
{
	atomic_long_add(1, v);
}

static inline void atomic_long_dec(atomic_long_t *v)
{
	atomic_long_sub(1, v);
}

static inline long atomic_long_sub_return(long i, atomic_long_t *v)
{
	return __atomic_sub_fetch(&v->counter, i, __ATOMIC_SEQ_CST);
}

static inline bool atomic_long_try_cmpxchg(atomic_long_t *v, long *old, long value)
{
	return __atomic_compare_exchange_n(&v->counter, old, value, false,
					   __ATOMIC_SEQ_CST, __ATOMIC_RELAXED);
}

static inline s64 atomic64_read(const atomic64_t *v)
{
	return READ_ONCE(v->counter);
}

static inline void atomic64_set(atomic64_t *v, s64 value)
{
	WRITE_ONCE(v->counter, value);
}

/* What it would be one less, whether it was above zero and is that now or not. */
static inline s64 atomic64_dec_if_positive(atomic64_t *v)
{
	s64 old = atomic64_read(v);

	while (old > 0)
		if (__atomic_compare_exchange_n(&v->counter, &old, old - 1, false,
						__ATOMIC_SEQ_CST, __ATOMIC_RELAXED))
			break;
	return old - 1;
}

/* ThreadSanitizer knows no fences, but this. */
static inline void smp_mb(void)
{
	static long fence;

	__atomic_fetch_add(&fence, 0, __ATOMIC_SEQ_CST);
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
}

#endif /* PRIVHEAP_KERNEL_ATOMIC_H */
