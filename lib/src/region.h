/* SPDX-License-Identifier: MIT */
/* What the heaps ask of region.c besides the public functions. */
#ifndef PRIVHEAP_SRC_REGION_H
#define PRIVHEAP_SRC_REGION_H

/* Sets what privheap_last_denied() tells the calling thread. */
void region_set_denied(unsigned int level);

#endif /* PRIVHEAP_SRC_REGION_H */
