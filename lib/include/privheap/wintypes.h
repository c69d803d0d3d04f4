/* SPDX-License-Identifier: MIT */
/* The types of Win32, and how its functions tell of errors: part of heapapi.h. */
#ifndef PRIVHEAP_WINTYPES_H
#define PRIVHEAP_WINTYPES_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ------------------------------------------------------------------ types */

#ifndef WINAPI
#define WINAPI
#endif

#ifndef FALSE
#define FALSE	0
#endif
#ifndef TRUE
#define TRUE	1
#endif

/* DWORD and ULONG have 32 bits, also where long has 64. */
typedef uint8_t		BYTE;
typedef uint16_t	WORD;
typedef uint32_t	DWORD;
typedef uint32_t	ULONG;
typedef uint64_t	ULONGLONG;
typedef int		BOOL;
typedef size_t		SIZE_T;
typedef uintptr_t	DWORD_PTR;
typedef void		*HANDLE;
typedef void		*PVOID;
typedef void		*LPVOID;
typedef const void	*LPCVOID;
typedef DWORD		*PDWORD;
typedef ULONG		*PULONG;
typedef SIZE_T		*PSIZE_T;
typedef HANDLE		*PHANDLE;

/* ----------------------------------------------------------------- errors */

#define NO_ERROR			0
#define ERROR_SUCCESS			0
#define ERROR_ACCESS_DENIED		5
#define ERROR_INVALID_HANDLE		6
#define ERROR_NOT_ENOUGH_MEMORY		8
#define ERROR_NOT_READY			21
#define ERROR_GEN_FAILURE		31
#define ERROR_NOT_SUPPORTED		50
#define ERROR_INVALID_PARAMETER		87
#define ERROR_CALL_NOT_IMPLEMENTED	120
#define ERROR_INSUFFICIENT_BUFFER	122
#define ERROR_ALREADY_EXISTS		183
#define ERROR_NO_MORE_ITEMS		259
#define ERROR_NOT_OWNER			288
#define ERROR_NOACCESS			998
#define ERROR_NOT_FOUND			1168
#define ERROR_COMMITMENT_LIMIT		1455

#define STATUS_ACCESS_VIOLATION		((DWORD)0xC0000005)
#define STATUS_NO_MEMORY		((DWORD)0xC0000017)
#define STATUS_HEAP_CORRUPTION		((DWORD)0xC0000374)

/**
 * GetLastError - read the calling thread's last error
 *
 * Return: an ERROR_* value; 0 in a thread where nothing failed yet.
 */
DWORD WINAPI GetLastError(void);

/**
 * SetLastError - set the calling thread's last error
 * @dwErrCode: any value
 */
void WINAPI SetLastError(DWORD dwErrCode);

#ifdef __cplusplus
}
#endif

#endif /* PRIVHEAP_WINTYPES_H */
