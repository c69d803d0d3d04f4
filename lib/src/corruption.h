/* SPDX-License-Identifier: MIT */
/* What happens when a program gave us what is no block, or damaged a heap. */
#ifndef PRIVHEAP_SRC_CORRUPTION_H
#define PRIVHEAP_SRC_CORRUPTION_H

#include <privheap/heapapi.h>

/* From now on corruption that is found ends the process; there is no way back. */
void corruption_terminate(void);

/*
 * Says that @function found @block not to be a block of the heap, or with NULL
 * that the heap's control data are damaged. Returns if nobody asked for more
 * than an error. No lock may be held: a handler of SIGABRT may use heaps.
 */
void corruption_found(const char *function, HANDLE heap, const void *block);

#endif /* PRIVHEAP_SRC_CORRUPTION_H */
