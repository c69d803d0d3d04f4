/* SPDX-License-Identifier: MIT */
/*
 * HRESULTs, as <intsafe.h> and <strsafe.h> return them: part of windows.h. The
 * ERROR_* that the library sets are in privheap/wintypes.h.
 */
#ifndef PRIVHEAP_WIN32_WINERROR_H
#define PRIVHEAP_WIN32_WINERROR_H

#include "windef.h"

typedef LONG		HRESULT;

#define S_OK		((HRESULT)0)
#define S_FALSE		((HRESULT)1)
#define E_FAIL		((HRESULT)0x80004005)
#define E_INVALIDARG	((HRESULT)0x80070057)
#define E_OUTOFMEMORY	((HRESULT)0x8007000E)

#define SUCCEEDED(hr)	((HRESULT)(hr) >= 0)
#define FAILED(hr)	((HRESULT)(hr) < 0)
#define HRESULT_CODE(hr)	((hr) & 0xFFFF)

#endif /* PRIVHEAP_WIN32_WINERROR_H */
