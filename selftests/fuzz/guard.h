/* SPDX-License-Identifier: GPL-2.0-only */
/* Touches of memory that may not be there. */
#ifndef FUZZ_GUARD_H
#define FUZZ_GUARD_H

#include <stddef.h>

/* Once in a process: from then on these return the signal, or 0. */
void fuzz_guard_init(void);
int fuzz_copy(void *to, const void *from, size_t size);
int fuzz_touch(char *address, int fill);

#endif /* FUZZ_GUARD_H */
