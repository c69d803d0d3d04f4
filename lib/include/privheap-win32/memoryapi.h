/* SPDX-License-Identifier: MIT */
/* VirtualAlloc() and its kin, for programs that include no more of <windows.h>. */
#ifndef PRIVHEAP_WIN32_MEMORYAPI_H
#define PRIVHEAP_WIN32_MEMORYAPI_H

#include "windows.h"

#endif /* PRIVHEAP_WIN32_MEMORYAPI_H */
