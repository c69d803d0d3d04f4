// SPDX-License-Identifier: MIT
/*
 * The Win32 face of heaps and blocks: handles, flags, locks, errors. Whatever
 * fails sets the last error and then errno, to the same number, as its last act;
 * whatever succeeds leaves both as they were. So do the other heapapi_*.c.
 */
#include <errno.h>

#include <privheap/heapapi.h>

#include "corruption.h"
#include "error.h"
#include "heap.h"
#include "heap_lock.h"

/* For a call that returns a block: fails, or raises if it was asked to. */
static void *heap_fail(HANDLE handle, DWORD flags, SIZE_T bytes, DWORD error)
{
	if (flags & HEAP_GENERATE_EXCEPTIONS)
		error_raise(error == ERROR_NOT_ENOUGH_MEMORY ?
			    STATUS_NO_MEMORY : STATUS_ACCESS_VIOLATION,
			    handle, bytes);
	error_set(error);
	return NULL;
}

EXPORT HANDLE WINAPI HeapCreate(DWORD flOptions, SIZE_T dwInitialSize,
				SIZE_T dwMaximumSize)
{
	int saved = errno;
	struct heap *heap;

	heap = heap_create(flOptions, dwInitialSize, dwMaximumSize, false);
	if (!heap) {
		error_set(ERROR_NOT_ENOUGH_MEMORY);
		return NULL;
	}
	errno = saved;
	return heap;
}

EXPORT BOOL WINAPI HeapDestroy(HANDLE hHeap)
{
	int saved = errno;
	DWORD error;

	error = heap_destroy(hHeap);
	if (error) {
		error_set(error);
		return FALSE;
	}
	errno = saved;
	return TRUE;
}

EXPORT LPVOID WINAPI HeapAlloc(HANDLE hHeap, DWORD dwFlags, SIZE_T dwBytes)
{
	struct heap *heap = heap_lookup(hHeap);
	int saved = errno;
	void *block;
	bool locked;

	if (!heap)
		return heap_fail(hHeap, dwFlags, dwBytes, ERROR_INVALID_HANDLE);

	locked = heap_enter(heap, dwFlags);
	block = heap_alloc(heap, dwBytes, dwFlags & HEAP_ZERO_MEMORY);
	heap_leave(heap, locked);

	if (!block)
		return heap_fail(hHeap, dwFlags | heap->options, dwBytes,
				 ERROR_NOT_ENOUGH_MEMORY);
	errno = saved;
	return block;
}

EXPORT LPVOID WINAPI HeapReAlloc(HANDLE hHeap, DWORD dwFlags, LPVOID lpMem,
				 SIZE_T dwBytes)
{
	struct heap *heap = heap_lookup(hHeap);
	int saved = errno;
	DWORD error;
	bool locked;

	if (!heap)
		return heap_fail(hHeap, dwFlags, dwBytes, ERROR_INVALID_HANDLE);
	if (!lpMem) {
		/* What Windows does: neither a block nor an error. */
		error_set(NO_ERROR);
		return NULL;
	}

	locked = heap_enter(heap, dwFlags);
	error = heap_realloc(heap, &lpMem, dwBytes, dwFlags & HEAP_ZERO_MEMORY,
			     dwFlags & HEAP_REALLOC_IN_PLACE_ONLY);
	heap_leave(heap, locked);

	if (error == ERROR_INVALID_PARAMETER)
		corruption_found("HeapReAlloc", hHeap, lpMem);
	if (error)
		return heap_fail(hHeap, dwFlags | heap->options, dwBytes,
				 error);
	errno = saved;
	return lpMem;
}

EXPORT BOOL WINAPI HeapFree(HANDLE hHeap, DWORD dwFlags, LPVOID lpMem)
{
	struct heap *heap;
	int saved = errno;
	DWORD error;
	bool locked;

	/* Whatever the handle is. */
	if (!lpMem)
		return TRUE;

	heap = heap_lookup(hHeap);
	if (!heap) {
		error_set(ERROR_INVALID_HANDLE);
		return FALSE;
	}
	locked = heap_enter(heap, dwFlags);
	error = heap_free(heap, lpMem);
	heap_leave(heap, locked);

	if (error) {
		corruption_found("HeapFree", hHeap, lpMem);
		error_set(error);
		return FALSE;
	}
	errno = saved;
	return TRUE;
}

EXPORT SIZE_T WINAPI HeapSize(HANDLE hHeap, DWORD dwFlags, LPCVOID lpMem)
{
	struct heap *heap = heap_lookup(hHeap);
	SIZE_T size = 0;
	DWORD error;
	bool locked;

	if (!heap) {
		error_set(ERROR_INVALID_HANDLE);
		return (SIZE_T)-1;
	}
	locked = heap_enter(heap, dwFlags);
	error = heap_size(heap, lpMem, &size);
	heap_leave(heap, locked);

	if (error) {
		if (lpMem)
			corruption_found("HeapSize", hHeap, lpMem);
		error_set(error);
		return (SIZE_T)-1;
	}
	return size;
}
