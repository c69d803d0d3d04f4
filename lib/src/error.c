// SPDX-License-Identifier: MIT
/* How a Win32 function fails: the last error, and exceptions. */
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "common.h"
#include "error.h"

static __thread DWORD last_error;
static _Atomic(PRIVHEAP_EXCEPTION_HANDLER) exception_handler;

EXPORT DWORD WINAPI GetLastError(void)
{
	return last_error;
}

EXPORT void WINAPI SetLastError(DWORD dwErrCode)
{
	last_error = dwErrCode;
}

void error_set(DWORD error)
{
	last_error = error;
	errno = (int)error;
}

EXPORT PRIVHEAP_EXCEPTION_HANDLER WINAPI
PrivheapSetExceptionHandler(PRIVHEAP_EXCEPTION_HANDLER pHandler)
{
	return atomic_exchange(&exception_handler, pHandler);
}

void error_raise(DWORD exception, HANDLE handle, SIZE_T bytes)
{
	PRIVHEAP_EXCEPTION_HANDLER handler = atomic_load(&exception_handler);

	if (handler) {
		handler(exception, handle, bytes);
		return;
	}
	fprintf(stderr, "privheap: exception 0x%08X: heap %p, %zu bytes\n",
		(unsigned int)exception, handle, bytes);
	abort();
}
