/* SPDX-License-Identifier: MIT */
/* What heaps can do here and not on Windows: part of heapapi.h. */
#ifndef PRIVHEAP_HEAPADDITIONS_H
#define PRIVHEAP_HEAPADDITIONS_H

#include <privheap/backend.h>
#include <privheap/wintypes.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * typedef PRIVHEAP_EXCEPTION_HANDLER - what HEAP_GENERATE_EXCEPTIONS calls
 * @dwExceptionCode: STATUS_NO_MEMORY, or STATUS_ACCESS_VIOLATION for a handle
 *	or a block that is none
 * @hHeap: the heap of the call
 * @dwBytes: the bytes that the call asked for
 *
 * Runs in the thread of the failed call, after the heap was left in order and
 * unlocked. It may longjmp(3), throw a C++ exception, use the heap, or return:
 * then the call returns NULL.
 */
typedef void (*PRIVHEAP_EXCEPTION_HANDLER)(DWORD dwExceptionCode, HANDLE hHeap,
					   SIZE_T dwBytes);

/**
 * PrivheapSetExceptionHandler - set what HEAP_GENERATE_EXCEPTIONS calls
 * @pHandler: for all threads; NULL restores the default, which writes a line to
 *	standard error and calls abort(3)
 *
 * Return: the former handler, NULL for the default.
 */
PRIVHEAP_EXCEPTION_HANDLER WINAPI
PrivheapSetExceptionHandler(PRIVHEAP_EXCEPTION_HANDLER pHandler);

/**
 * PrivheapSetRegionCache - keep memory of destroyed heaps for new ones
 * @dwRegions: how many heaps' worth to keep, at most 64 (more counts as 64); 0,
 *	which it is at first, gives back all that is kept, and keeps no more
 *
 * With this a program that makes and destroys many small heaps does so without
 * a system call. Kept is the first region of a heap that grows, made without
 * HEAP_CREATE_ENABLE_EXECUTE, if it has at most 16 pages committed there besides
 * the first one, which alone stays committed. The next such heap whose initial
 * size is at most a page gets it.
 *
 * Until then its first page stays accessible and counts as the process's, though
 * no heap has it: a pointer into a destroyed heap is not sure to fault, the
 * handle of a new heap is likely to be that of a destroyed one, and peaks and
 * thresholds (privheap_region_notify()) of a region live on in the next heap;
 * limits that the program has set do not. The handle of a destroyed heap is
 * refused all the same, and so are pointers into it. HeapCreate() gives back
 * what is kept before it fails. A child of fork(2) inherits the number, and
 * nothing that is kept.
 *
 * Return: the former number; leaves the last error alone.
 */
DWORD WINAPI PrivheapSetRegionCache(DWORD dwRegions);

/**
 * struct _PRIVHEAP_USAGE - what a heap holds
 * @cb: sizeof(PRIVHEAP_USAGE), set by the caller
 * @dwRegions: number of regions, of which each large block has one
 * @cbReserved: bytes of address space
 * @cbCommitted: bytes committed
 * @cbResident: bytes that have a page
 * @cbPeakCommitted: sum of the regions' highest @cbCommitted
 * @cbPeakResident: sum of the regions' highest @cbResident
 * @cbAllocated: sum of the sizes of all blocks, as HeapSize() gives them
 * @cBlocks: number of blocks
 *
 * The first five counters of memory are those of the regions that the heap has
 * now, as the kernel counts them.
 */
typedef struct _PRIVHEAP_USAGE {
	DWORD		cb;
	DWORD		dwRegions;
	ULONGLONG	cbReserved;
	ULONGLONG	cbCommitted;
	ULONGLONG	cbResident;
	ULONGLONG	cbPeakCommitted;
	ULONGLONG	cbPeakResident;
	ULONGLONG	cbAllocated;
	ULONGLONG	cBlocks;
} PRIVHEAP_USAGE, *LPPRIVHEAP_USAGE;

/**
 * PrivheapQueryHeap - ask what a heap holds
 * @hHeap: the heap
 * @lpUsage: filled on success
 *
 * Return: TRUE; FALSE with ERROR_INVALID_HANDLE, ERROR_INVALID_PARAMETER
 * (@lpUsage is NULL, or its cb is wrong), or ERROR_GEN_FAILURE: the heap's
 * control data are damaged, or the kernel did not answer.
 */
BOOL WINAPI PrivheapQueryHeap(HANDLE hHeap, LPPRIVHEAP_USAGE lpUsage);

/**
 * PrivheapGetBackend - ask who keeps the regions of this process
 *
 * Return: enum privheap_backend; leaves the last error alone.
 */
DWORD WINAPI PrivheapGetBackend(void);

/**
 * PrivheapGetDeniedLevel - ask which quota refused
 *
 * Return: why the calling thread's latest HeapCreate(), HeapAlloc() or
 * HeapReAlloc() that failed with ERROR_NOT_ENOUGH_MEMORY, or VirtualAlloc()
 * with that or ERROR_COMMITMENT_LIMIT, did so: 0 no quota
 * (out of memory, or a block larger than the heap can ever hold), 1 the heap's
 * own maximum or limit, 2 the limit of the process, 3 of the user, 4 of the cgroup,
 * 5 of the system (the values of PRIVHEAP_LEVEL_* in <linux/privheap.h>).
 */
DWORD WINAPI PrivheapGetDeniedLevel(void);

#ifdef __cplusplus
}
#endif

#endif /* PRIVHEAP_HEAPADDITIONS_H */
