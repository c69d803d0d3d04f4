/* SPDX-License-Identifier: MIT */
/* As many programs for Windows spell it, whose file names have no case. */
#ifndef PRIVHEAP_WIN32_WINDOWS_CAPITAL_H
#define PRIVHEAP_WIN32_WINDOWS_CAPITAL_H

#include "windows.h"

#endif /* PRIVHEAP_WIN32_WINDOWS_CAPITAL_H */
