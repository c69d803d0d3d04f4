/* SPDX-License-Identifier: MIT */
/* What the heaps ask of region.c besides the public functions. */
#ifndef PRIVHEAP_SRC_REGION_H
#define PRIVHEAP_SRC_REGION_H

#include <errno.h>
#include <stdbool.h>
#include <sys/mman.h>

#include <privheap/region.h>

/* Sets what privheap_last_denied() tells the calling thread. */
void region_set_denied(unsigned int level);

/*
 * Bytes that a region has committed after the calling thread's latest grow,
 * commit or decommit, which has succeeded.
 */
uint64_t region_last_committed(void);

/* PRIVHEAP_IOC_LIMIT; sets the size. Returns 0, or -1 with errno. */
int region_limit(struct privheap_limit *arg);

/* Whether any region of this process was ever given limits by the program. */
bool region_limits_used(void);

/* Takes all limits from a region; false: it may have some. */
bool region_clear_limits(void *base);

/* Ends a region that has @length bytes, whatever happens. */
static inline void region_end(void *base, size_t length)
{
	/*
	 * A region ends with its mapping, too, should the device be out of
	 * reach. ENOENT: what is at that address is not ours any more.
	 */
	if (privheap_region_destroy(base) && errno != ENOENT)
		munmap(base, length);
}

#endif /* PRIVHEAP_SRC_REGION_H */
