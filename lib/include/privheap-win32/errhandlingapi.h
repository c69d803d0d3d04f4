/* SPDX-License-Identifier: MIT */
/* GetLastError(), for programs that include no more of <windows.h>. */
#ifndef PRIVHEAP_WIN32_ERRHANDLINGAPI_H
#define PRIVHEAP_WIN32_ERRHANDLINGAPI_H

#include "windows.h"

#endif /* PRIVHEAP_WIN32_ERRHANDLINGAPI_H */
