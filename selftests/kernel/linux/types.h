/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel's integer types, and what most of its headers bring along. */
#ifndef PRIVHEAP_KERNEL_TYPES_H
#define PRIVHEAP_KERNEL_TYPES_H

#include_next <linux/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef __u8 u8;
typedef __u32 u32;
typedef __u64 u64;
typedef __s64 s64;

#ifndef noinline
#define noinline	__attribute__((noinline))
#endif
#define likely(x)	__builtin_expect(!!(x), 1)
#define unlikely(x)	__builtin_expect(!!(x), 0)

/* Accesses that race: to the compiler, and to ThreadSanitizer, atomic ones. */
#define READ_ONCE(x)		__atomic_load_n(&(x), __ATOMIC_RELAXED)
#define WRITE_ONCE(x, value)	__atomic_store_n(&(x), value, __ATOMIC_RELAXED)

#endif /* PRIVHEAP_KERNEL_TYPES_H */
