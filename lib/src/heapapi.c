// SPDX-License-Identifier: MIT
/*
 * The Win32 face of the heaps: handles, flags, locks, errors. Whatever fails
 * sets the last error and then errno, to the same number, as its last act;
 * whatever succeeds leaves both as they were.
 */
#include <errno.h>

#include <privheap/heapapi.h>
#include <privheap/region.h>

#include "error.h"
#include "heap.h"

static bool heap_enter(struct heap *heap, DWORD flags)
{
	if ((heap->options | flags) & HEAP_NO_SERIALIZE)
		return false;
	pthread_mutex_lock(&heap->lock);
	return true;
}

static void heap_leave(struct heap *heap, bool locked)
{
	if (locked)
		pthread_mutex_unlock(&heap->lock);
}

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

	heap = heap_create(flOptions, dwInitialSize, dwMaximumSize);
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

	if (!heap_destroy(hHeap)) {
		error_set(ERROR_INVALID_HANDLE);
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
		SetLastError(NO_ERROR);
		return NULL;
	}

	locked = heap_enter(heap, dwFlags);
	error = heap_realloc(heap, &lpMem, dwBytes, dwFlags & HEAP_ZERO_MEMORY,
			     dwFlags & HEAP_REALLOC_IN_PLACE_ONLY);
	heap_leave(heap, locked);

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
		error_set(error);
		return (SIZE_T)-1;
	}
	return size;
}

EXPORT BOOL WINAPI PrivheapQueryHeap(HANDLE hHeap, LPPRIVHEAP_USAGE lpUsage)
{
	struct heap *heap = heap_lookup(hHeap);
	int saved = errno;
	DWORD error;
	bool locked;

	if (!heap) {
		error_set(ERROR_INVALID_HANDLE);
		return FALSE;
	}
	if (!lpUsage || lpUsage->cb != sizeof(*lpUsage)) {
		error_set(ERROR_INVALID_PARAMETER);
		return FALSE;
	}
	locked = heap_enter(heap, 0);
	error = heap_usage(heap, lpUsage);
	heap_leave(heap, locked);

	if (error) {
		error_set(error);
		return FALSE;
	}
	errno = saved;
	return TRUE;
}

EXPORT DWORD WINAPI PrivheapGetBackend(void)
{
	int saved = errno;
	enum privheap_backend backend = privheap_backend();

	errno = saved;
	return backend;
}

EXPORT DWORD WINAPI PrivheapGetDeniedLevel(void)
{
	return privheap_last_denied();
}
