/* SPDX-License-Identifier: MIT */
/* Thresholds on the committed bytes of a region without the module. */
#ifndef PRIVHEAP_SRC_ANONYMOUS_WATCH_H
#define PRIVHEAP_SRC_ANONYMOUS_WATCH_H

#include <linux/privheap.h>

#include "common.h"

/**
 * struct watch - one threshold
 * @threshold: bytes
 * @id: the kernel's number of the eventfd
 * @fd: our own descriptor of it
 */
struct watch {
	uint64_t threshold;
	long id;
	int fd;
};

struct watch_list {
	unsigned int count;
	struct watch watches[PRIVHEAP_NOTIFY_MAX];
};

/* Both return 0 or -errno, as PRIVHEAP_IOC_NOTIFY. */
int watch_add(struct watch_list *list, uint64_t threshold, int eventfd);
int watch_remove(struct watch_list *list, uint64_t threshold, int eventfd);

void watch_signal_some(const struct watch_list *list, uint64_t before,
		       uint64_t after);

/* Signals what lies between two values of the counter. */
static inline void watch_signal(const struct watch_list *list, uint64_t before,
				uint64_t after)
{
	if (unlikely(list->count))
		watch_signal_some(list, before, after);
}

void watch_remove_all(struct watch_list *list);

#endif /* PRIVHEAP_SRC_ANONYMOUS_WATCH_H */
