/* SPDX-License-Identifier: MIT */
/* Heaps, for programs that include no more of <windows.h>. */
#ifndef PRIVHEAP_WIN32_HEAPAPI_H
#define PRIVHEAP_WIN32_HEAPAPI_H

#include "windows.h"

#endif /* PRIVHEAP_WIN32_HEAPAPI_H */
