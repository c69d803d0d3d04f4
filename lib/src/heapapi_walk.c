// SPDX-License-Identifier: MIT
/* The Win32 face: holding a heap, and looking through it. */
#include <errno.h>

#include <privheap/heapapi.h>

#include "corruption.h"
#include "error.h"
#include "heap.h"
#include "heap_lock.h"
#include "no_cancel.h"

EXPORT BOOL WINAPI HeapLock(HANDLE hHeap)
{
	struct heap *heap = heap_lookup(hHeap);
	int saved = errno;
	NO_CANCEL;

	if (!heap) {
		error_set(ERROR_INVALID_HANDLE);
		return FALSE;
	}
	/* Whose threads the program keeps apart needs no lock, and has none. */
	if (!(heap->options & HEAP_NO_SERIALIZE))
		heap_hold(heap);
	errno = saved;
	return TRUE;
}

EXPORT BOOL WINAPI HeapUnlock(HANDLE hHeap)
{
	struct heap *heap = heap_lookup(hHeap);
	int saved = errno;
	NO_CANCEL;

	if (!heap) {
		error_set(ERROR_INVALID_HANDLE);
		return FALSE;
	}
	if (!(heap->options & HEAP_NO_SERIALIZE) && !heap_release(heap)) {
		error_set(ERROR_NOT_OWNER);
		return FALSE;
	}
	errno = saved;
	return TRUE;
}

EXPORT BOOL WINAPI HeapValidate(HANDLE hHeap, DWORD dwFlags, LPCVOID lpMem)
{
	struct heap *heap = heap_lookup(hHeap);
	int saved = errno;
	bool locked, valid;
	NO_CANCEL;

	/* The answer alone says it all: no error is set. */
	if (!heap)
		return FALSE;
	locked = heap_enter(heap, dwFlags);
	valid = lpMem ? heap_check_block(heap, lpMem) : heap_check(heap);
	heap_leave(heap, locked);
	errno = saved;
	return valid ? TRUE : FALSE;
}

EXPORT BOOL WINAPI HeapWalk(HANDLE hHeap, LPPROCESS_HEAP_ENTRY lpEntry)
{
	struct heap *heap = heap_lookup(hHeap);
	int saved = errno;
	DWORD error;
	bool locked;
	NO_CANCEL;

	if (!heap) {
		error_set(ERROR_INVALID_HANDLE);
		return FALSE;
	}
	if (!lpEntry) {
		error_set(ERROR_INVALID_PARAMETER);
		return FALSE;
	}
	locked = heap_enter(heap, 0);
	error = heap_walk(heap, lpEntry);
	heap_leave(heap, locked);

	if (error == ERROR_GEN_FAILURE)
		corruption_found("HeapWalk", hHeap, NULL);
	if (error) {
		error_set(error);
		return FALSE;
	}
	errno = saved;
	return TRUE;
}
