// SPDX-License-Identifier: GPL-2.0-only
/*
 * An allocator that does nothing, preloaded before libprivheap.so: what the
 * measured loops cost by themselves, with a call to a library and back.
 */
#include <privheap/heapapi.h>

static _Alignas(16) char block[1 << 16];

HANDLE HeapCreate(DWORD options, SIZE_T initial, SIZE_T maximum)
{
	(void)options;
	(void)initial;
	(void)maximum;
	return block;
}

BOOL HeapDestroy(HANDLE heap)
{
	(void)heap;
	return TRUE;
}

LPVOID HeapAlloc(HANDLE heap, DWORD flags, SIZE_T size)
{
	(void)heap;
	(void)flags;
	(void)size;
	return block;
}

LPVOID HeapReAlloc(HANDLE heap, DWORD flags, LPVOID old, SIZE_T size)
{
	(void)heap;
	(void)flags;
	(void)size;
	return old;
}

BOOL HeapFree(HANDLE heap, DWORD flags, LPVOID old)
{
	(void)heap;
	(void)flags;
	(void)old;
	return TRUE;
}

SIZE_T HeapSize(HANDLE heap, DWORD flags, LPCVOID old)
{
	(void)heap;
	(void)flags;
	(void)old;
	return 0;
}
