/* SPDX-License-Identifier: GPL-2.0-only */
/* What must not be ends the program. */
#ifndef PRIVHEAP_KERNEL_BUG_H
#define PRIVHEAP_KERNEL_BUG_H

#include <stdlib.h>

#define WARN_ON_ONCE(condition) do {	\
	if (condition)			\
		abort();		\
} while (0)

#endif /* PRIVHEAP_KERNEL_BUG_H */
