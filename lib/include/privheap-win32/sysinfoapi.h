/* SPDX-License-Identifier: MIT */
/* GetSystemInfo(), for programs that include no more of <windows.h>. */
#ifndef PRIVHEAP_WIN32_SYSINFOAPI_H
#define PRIVHEAP_WIN32_SYSINFOAPI_H

#include "windows.h"

#endif /* PRIVHEAP_WIN32_SYSINFOAPI_H */
