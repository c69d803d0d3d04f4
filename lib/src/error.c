// SPDX-License-Identifier: MIT
/* How a Win32 function fails: the last error, and exceptions. */
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "common.h"
#include "error.h"
#include "message.h"

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
	struct message message = { .length = 0 };

	if (handler) {
		handler(exception, handle, bytes);
		return;
	}
	message_text(&message, "exception ");
	message_hex(&message, exception, 8);
	message_text(&message, ": heap ");
	message_hex(&message, (uintptr_t)handle, 1);
	message_text(&message, ", ");
	message_decimal(&message, bytes);
	message_text(&message, " bytes");
	message_write(&message);
	abort();
}
