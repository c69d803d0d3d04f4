/* SPDX-License-Identifier: MIT */
/* Small things that every source file of the library uses. */
#ifndef PRIVHEAP_SRC_COMMON_H
#define PRIVHEAP_SRC_COMMON_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Public functions; everything else is hidden by -fvisibility=hidden. */
#define EXPORT		__attribute__((visibility("default")))

#ifndef __aligned
#define __aligned(x)	__attribute__((aligned(x)))
#endif

#define likely(x)	__builtin_expect(!!(x), 1)
#define unlikely(x)	__builtin_expect(!!(x), 0)

#define container_of(ptr, type, member) \
	((type *)((char *)(ptr) - offsetof(type, member)))

/* process.c: 0 before it is known. */
extern size_t process_page_size __attribute__((visibility("hidden")));
size_t process_ask_page_size(void);

/* The page size, a power of two. */
static inline size_t page_size(void)
{
	/* Another library's constructor may be earlier than ours. */
	return likely(process_page_size) ? process_page_size :
					   process_ask_page_size();
}

static inline bool page_aligned(uint64_t n)
{
	return (n & (page_size() - 1)) == 0;
}

/* Rounds up to whole pages; false if the result does not fit. */
static inline bool page_round_up(size_t n, size_t *out)
{
	size_t mask = page_size() - 1;

	if (__builtin_add_overflow(n, mask, out))
		return false;
	*out &= ~mask;
	return true;
}

#endif /* PRIVHEAP_SRC_COMMON_H */
