/* SPDX-License-Identifier: MIT */
/* What the library itself needs of GetSystemInfo(). */
#ifndef PRIVHEAP_SRC_SYSINFO_H
#define PRIVHEAP_SRC_SYSINFO_H

#include "common.h"

/* What programs expect of Windows, though any page would do here. */
#define ALLOCATION_GRANULARITY	65536

/* The last byte below the kernel's part of the address space. */
uintptr_t sysinfo_highest_address(void);

#endif /* PRIVHEAP_SRC_SYSINFO_H */
