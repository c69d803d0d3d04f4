// SPDX-License-Identifier: MIT
/* The Win32 face: which heaps there are, and what they tell of themselves. */
#include <errno.h>

#include <privheap/heapapi.h>
#include <privheap/region.h>

#include "corruption.h"
#include "error.h"
#include "heap.h"
#include "heap_lock.h"
#include "no_cancel.h"
#include "heaps.h"

EXPORT HANDLE WINAPI GetProcessHeap(void)
{
	int saved = errno;
	NO_CANCEL;
	struct heap *heap = heaps_process();

	if (!heap) {
		error_set(ERROR_NOT_ENOUGH_MEMORY);
		return NULL;
	}
	errno = saved;
	return heap;
}

EXPORT DWORD WINAPI GetProcessHeaps(DWORD NumberOfHeaps, PHANDLE ProcessHeaps)
{
	int saved = errno;
	NO_CANCEL;

	if (NumberOfHeaps && !ProcessHeaps) {
		error_set(ERROR_INVALID_PARAMETER);
		return 0;
	}
	/* It is one of them, whether it was asked for yet or not. */
	if (!heaps_process()) {
		error_set(ERROR_NOT_ENOUGH_MEMORY);
		return 0;
	}
	errno = saved;
	return heaps_list(NumberOfHeaps, ProcessHeaps);
}

EXPORT SIZE_T WINAPI HeapCompact(HANDLE hHeap, DWORD dwFlags)
{
	struct heap *heap = heap_lookup(hHeap);
	int saved = errno;
	bool locked, sound;
	SIZE_T most = 0;
	NO_CANCEL;

	if (!heap) {
		error_set(ERROR_INVALID_HANDLE);
		return 0;
	}
	locked = heap_enter(heap, dwFlags);
	sound = heap_regions_sound(heap);
	if (sound)
		most = heap_compact(heap);
	heap_leave(heap, locked);

	if (!sound) {
		corruption_found("HeapCompact", hHeap, NULL);
		error_set(ERROR_GEN_FAILURE);
		return 0;
	}
	if (!most) {
		/* No failure, but no free memory. */
		error_set(NO_ERROR);
		return 0;
	}
	errno = saved;
	return most;
}

/* What the heap holds. If it cannot tell, it may be damaged. */
static DWORD locked_usage(struct heap *heap, DWORD flags, const char *function,
			  PRIVHEAP_USAGE *usage)
{
	bool locked = heap_enter(heap, flags);
	DWORD error = heap_usage(heap, usage);
	/* It can also be the kernel that did not answer. */
	bool damaged = error && !heap_check(heap);

	heap_leave(heap, locked);
	if (damaged)
		corruption_found(function, heap, NULL);
	return error;
}

EXPORT BOOL WINAPI HeapSummary(HANDLE hHeap, DWORD dwFlags,
			       LPHEAP_SUMMARY lpSummary)
{
	struct heap *heap = heap_lookup(hHeap);
	int saved = errno;
	PRIVHEAP_USAGE usage;
	DWORD error;
	NO_CANCEL;

	if (!heap) {
		error_set(ERROR_INVALID_HANDLE);
		return FALSE;
	}
	if (!lpSummary || lpSummary->cb != sizeof(*lpSummary)) {
		error_set(ERROR_INVALID_PARAMETER);
		return FALSE;
	}
	error = locked_usage(heap, dwFlags, "HeapSummary", &usage);
	if (error) {
		error_set(error);
		return FALSE;
	}
	heap_summary(heap, &usage, lpSummary);
	errno = saved;
	return TRUE;
}

EXPORT BOOL WINAPI
HeapQueryInformation(HANDLE HeapHandle,
		     HEAP_INFORMATION_CLASS HeapInformationClass,
		     PVOID HeapInformation, SIZE_T HeapInformationLength,
		     PSIZE_T ReturnLength)
{
	struct heap *heap = heap_lookup(HeapHandle);
	bool locked = false, damaged = false;
	int saved = errno;
	DWORD error;
	NO_CANCEL;

	if (HeapHandle && !heap) {
		error_set(ERROR_INVALID_HANDLE);
		return FALSE;
	}
	if (heap)
		locked = heap_enter(heap, 0);
	error = heap_query(heap, HeapInformationClass, HeapInformation,
			   HeapInformationLength, ReturnLength);
	if (heap) {
		damaged = error == ERROR_GEN_FAILURE && !heap_check(heap);
		heap_leave(heap, locked);
	}

	if (damaged)
		corruption_found("HeapQueryInformation", heap, NULL);
	if (error) {
		error_set(error);
		return FALSE;
	}
	errno = saved;
	return TRUE;
}

/* Whether it can be set, of a heap. */
static bool class_settable(HEAP_INFORMATION_CLASS class)
{
	switch ((int)class) {
	case HeapCompatibilityInformation:
	case HeapOptimizeResources:
	case PrivheapCommitLimit:
	case PrivheapResidentLimit:
	case PrivheapOpenReserve:
		return true;
	default:
		return false;
	}
}

static DWORD set_information(HANDLE handle, HEAP_INFORMATION_CLASS class,
			     const void *buffer, size_t length)
{
	struct heap *heap = heap_lookup(handle);
	bool locked = false;
	DWORD error;

	/* It concerns the process, whatever else was given. */
	if (class == HeapEnableTerminationOnCorruption) {
		corruption_terminate();
		return NO_ERROR;
	}
	if (!class_settable(class))
		return ERROR_INVALID_PARAMETER;
	if (!heap && (handle || class != HeapOptimizeResources))
		return ERROR_INVALID_HANDLE;

	if (heap)
		locked = heap_enter(heap, 0);
	error = heap_set(heap, class, buffer, length);
	if (heap)
		heap_leave(heap, locked);
	return error;
}

EXPORT BOOL WINAPI
HeapSetInformation(HANDLE HeapHandle,
		   HEAP_INFORMATION_CLASS HeapInformationClass,
		   PVOID HeapInformation, SIZE_T HeapInformationLength)
{
	int saved = errno;
	DWORD error;
	NO_CANCEL;

	error = set_information(HeapHandle, HeapInformationClass,
				HeapInformation, HeapInformationLength);
	if (error) {
		error_set(error);
		return FALSE;
	}
	errno = saved;
	return TRUE;
}

EXPORT BOOL WINAPI PrivheapQueryHeap(HANDLE hHeap, LPPRIVHEAP_USAGE lpUsage)
{
	struct heap *heap = heap_lookup(hHeap);
	int saved = errno;
	DWORD error;
	NO_CANCEL;

	if (!heap) {
		error_set(ERROR_INVALID_HANDLE);
		return FALSE;
	}
	if (!lpUsage || lpUsage->cb != sizeof(*lpUsage)) {
		error_set(ERROR_INVALID_PARAMETER);
		return FALSE;
	}
	error = locked_usage(heap, 0, "PrivheapQueryHeap", lpUsage);
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
	NO_CANCEL;

	errno = saved;
	return backend;
}

EXPORT DWORD WINAPI PrivheapGetDeniedLevel(void)
{
	return privheap_last_denied();
}
