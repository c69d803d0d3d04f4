/* SPDX-License-Identifier: MIT */
/* What <windows.h> brings, for programs that include parts of it. */
#ifndef PRIVHEAP_WIN32_WINNT_H
#define PRIVHEAP_WIN32_WINNT_H

#include "windows.h"

#endif /* PRIVHEAP_WIN32_WINNT_H */
