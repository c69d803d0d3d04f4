/* SPDX-License-Identifier: MIT */
/*
 * <strsafe.h> for strings of char: whatever happens, what is written has an end,
 * and the HRESULT tells whether all of it is there. A count of characters (Cch)
 * and one of bytes (Cb) are the same here.
 */
#ifndef PRIVHEAP_WIN32_STRSAFE_H
#define PRIVHEAP_WIN32_STRSAFE_H

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "winerror.h"

#define STRSAFE_MAX_CCH			2147483647
#define STRSAFE_E_INSUFFICIENT_BUFFER	((HRESULT)0x8007007A)
#define STRSAFE_E_INVALID_PARAMETER	((HRESULT)0x80070057)

/* Without an end within cchMax characters it is no string. */
static inline HRESULT StringCchLengthA(PCSTR psz, size_t cchMax,
				       size_t *pcchLength)
{
	const char *end = NULL;

	if (psz && cchMax <= STRSAFE_MAX_CCH)
		end = (const char *)memchr(psz, '\0', cchMax);
	if (pcchLength)
		*pcchLength = end ? (size_t)(end - psz) : 0;
	return end ? S_OK : STRSAFE_E_INVALID_PARAMETER;
}

static inline HRESULT StringCchCopyA(PSTR pszDest, size_t cchDest, PCSTR pszSrc)
{
	size_t length;

	if (!cchDest || cchDest > STRSAFE_MAX_CCH)
		return STRSAFE_E_INVALID_PARAMETER;
	length = strlen(pszSrc);
	if (length < cchDest) {
		memcpy(pszDest, pszSrc, length + 1);
		return S_OK;
	}
	memcpy(pszDest, pszSrc, cchDest - 1);
	pszDest[cchDest - 1] = '\0';
	return STRSAFE_E_INSUFFICIENT_BUFFER;
}

static inline HRESULT StringCchCatA(PSTR pszDest, size_t cchDest, PCSTR pszSrc)
{
	size_t length;

	if (FAILED(StringCchLengthA(pszDest, cchDest, &length)))
		return STRSAFE_E_INVALID_PARAMETER;
	return StringCchCopyA(pszDest + length, cchDest - length, pszSrc);
}

#ifdef __GNUC__
__attribute__((format(printf, 3, 0)))
#endif
static inline HRESULT StringCchVPrintfA(PSTR pszDest, size_t cchDest,
					PCSTR pszFormat, va_list argList)
{
	int length;

	if (!cchDest || cchDest > STRSAFE_MAX_CCH)
		return STRSAFE_E_INVALID_PARAMETER;
	length = vsnprintf(pszDest, cchDest, pszFormat, argList);
	if (length < 0) {
		*pszDest = '\0';
		return STRSAFE_E_INVALID_PARAMETER;
	}
	return (size_t)length < cchDest ? S_OK : STRSAFE_E_INSUFFICIENT_BUFFER;
}

#ifdef __GNUC__
__attribute__((format(printf, 3, 4)))
#endif
static inline HRESULT StringCchPrintfA(PSTR pszDest, size_t cchDest,
				       PCSTR pszFormat, ...)
{
	va_list args;
	HRESULT result;

	va_start(args, pszFormat);
	result = StringCchVPrintfA(pszDest, cchDest, pszFormat, args);
	va_end(args);
	return result;
}

#define StringCbLengthA		StringCchLengthA
#define StringCbCopyA		StringCchCopyA
#define StringCbCatA		StringCchCatA
#define StringCbVPrintfA	StringCchVPrintfA
#define StringCbPrintfA		StringCchPrintfA

/* TCHAR is char. */
#define StringCchLength		StringCchLengthA
#define StringCchCopy		StringCchCopyA
#define StringCchCat		StringCchCatA
#define StringCchVPrintf	StringCchVPrintfA
#define StringCchPrintf		StringCchPrintfA
#define StringCbLength		StringCchLengthA
#define StringCbCopy		StringCchCopyA
#define StringCbCat		StringCchCatA
#define StringCbVPrintf		StringCchVPrintfA
#define StringCbPrintf		StringCchPrintfA

#endif /* PRIVHEAP_WIN32_STRSAFE_H */
