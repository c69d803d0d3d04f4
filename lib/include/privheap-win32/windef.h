/* SPDX-License-Identifier: MIT */
/*
 * Names of types that programs for Windows use, besides those of
 * privheap/wintypes.h: part of windows.h. LONG has 32 bits, also where long has
 * 64; WCHAR is this system's wchar_t, of 32 bits.
 */
#ifndef PRIVHEAP_WIN32_WINDEF_H
#define PRIVHEAP_WIN32_WINDEF_H

#include <stddef.h>
#include <stdint.h>

#include <privheap/wintypes.h>

/* Calling conventions: there is one. */
#define CALLBACK
#define APIENTRY	WINAPI
#ifndef __cdecl
#define __cdecl
#endif
#ifndef __stdcall
#define __stdcall
#endif

#define CONST		const
#ifndef VOID
#define VOID		void
#endif

#define MAX_PATH	260
#define INFINITE	0xFFFFFFFF

typedef char		CHAR;
typedef unsigned char	UCHAR;
typedef wchar_t		WCHAR;
typedef int16_t		SHORT;
typedef uint16_t	USHORT;
typedef int		INT;
typedef unsigned int	UINT;
typedef int32_t		LONG;
typedef int64_t		LONGLONG;
typedef uint64_t	DWORDLONG;
typedef uint32_t	DWORD32;
typedef uint64_t	DWORD64;
typedef uint32_t	ULONG32;
typedef uint64_t	ULONG64;
typedef BYTE		BOOLEAN;
typedef intptr_t	INT_PTR;
typedef uintptr_t	UINT_PTR;
typedef intptr_t	LONG_PTR;
typedef uintptr_t	ULONG_PTR;
typedef intptr_t	SSIZE_T;

typedef BYTE		*PBYTE;
typedef BYTE		*LPBYTE;
typedef WORD		*PWORD;
typedef WORD		*LPWORD;
typedef DWORD		*LPDWORD;
typedef ULONG_PTR	*PULONG_PTR;
typedef INT		*LPINT;
typedef UINT		*PUINT;
typedef LONG		*PLONG;
typedef LONG		*LPLONG;
typedef BOOL		*PBOOL;
typedef BOOL		*LPBOOL;
typedef HANDLE		*LPHANDLE;

typedef CHAR		*PCHAR;
typedef CHAR		*PSTR;
typedef CHAR		*LPSTR;
typedef const CHAR	*PCSTR;
typedef const CHAR	*LPCSTR;
typedef WCHAR		*PWSTR;
typedef WCHAR		*LPWSTR;
typedef const WCHAR	*PCWSTR;
typedef const WCHAR	*LPCWSTR;

/* TCHAR is char. As wchar_t it would want a main() that this system does not call. */
#if defined(UNICODE) || defined(_UNICODE)
#error privheap: TCHAR is char here, please build without UNICODE and _UNICODE
#endif
typedef CHAR		TCHAR;
typedef TCHAR		*PTSTR;
typedef TCHAR		*LPTSTR;
typedef const TCHAR	*PCTSTR;
typedef const TCHAR	*LPCTSTR;

#ifndef TEXT
#define TEXT(string)	string
#endif

#endif /* PRIVHEAP_WIN32_WINDEF_H */
