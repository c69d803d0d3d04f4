// SPDX-License-Identifier: MIT
/*
 * The functions with sizes for callers that have 32 bits for them. A register
 * that brings a 32-bit argument may hold anything in its upper half.
 */
#include <privheap/heapapi.h>

#include "common.h"

EXPORT HANDLE WINAPI HeapCreate_u32(DWORD flOptions, uint32_t dwInitialSize,
				    uint32_t dwMaximumSize)
{
	return HeapCreate(flOptions, dwInitialSize, dwMaximumSize);
}

EXPORT LPVOID WINAPI HeapAlloc_u32(HANDLE hHeap, DWORD dwFlags,
				   uint32_t dwBytes)
{
	return HeapAlloc(hHeap, dwFlags, dwBytes);
}

EXPORT LPVOID WINAPI HeapReAlloc_u32(HANDLE hHeap, DWORD dwFlags,
				     LPVOID lpMem, uint32_t dwBytes)
{
	return HeapReAlloc(hHeap, dwFlags, lpMem, dwBytes);
}
