/* SPDX-License-Identifier: MIT */
/* The C library's list of open streams, while a process forks. */
#ifndef PRIVHEAP_PRELOAD_STREAMS_H
#define PRIVHEAP_PRELOAD_STREAMS_H

#include <stdbool.h>

/*
 * Before a fork. Takes the list's lock; @absent: the child will not have the
 * memory that streams are in at once.
 */
void streams_hold(bool absent);

/* In the parent. */
void streams_release(void);

/* In the child, when it has that memory. */
void streams_adopt(void);

#endif /* PRIVHEAP_PRELOAD_STREAMS_H */
