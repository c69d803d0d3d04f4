/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel's limits of integer types. */
#ifndef PRIVHEAP_KERNEL_LIMITS_H
#define PRIVHEAP_KERNEL_LIMITS_H

#include_next <linux/limits.h>

#include <limits.h>
#include <stdint.h>

#define S64_MAX		INT64_MAX

#endif /* PRIVHEAP_KERNEL_LIMITS_H */
