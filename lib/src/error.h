/* SPDX-License-Identifier: MIT */
/* How a Win32 function fails. */
#ifndef PRIVHEAP_SRC_ERROR_H
#define PRIVHEAP_SRC_ERROR_H

#include <privheap/heapapi.h>

/* Sets the thread's last error, and errno to the same number. */
void error_set(DWORD error);

/* Calls the program's handler, which may not return; without one, aborts. */
void error_raise(DWORD exception, HANDLE handle, SIZE_T bytes);

#endif /* PRIVHEAP_SRC_ERROR_H */
