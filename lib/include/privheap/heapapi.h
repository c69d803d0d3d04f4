/* SPDX-License-Identifier: MIT */
/*
 * The Win32 heap functions on Linux, with the names, types, values and layouts
 * that Windows programs know. C99, C11, C++.
 *
 * Sizes are in bytes. A call that fails sets the thread's last error; a call
 * that succeeds leaves it alone. On failure errno holds the same *number* as
 * the last error (8 for ERROR_NOT_ENOUGH_MEMORY, and not ENOMEM), for that is
 * where Mono's Marshal.GetLastWin32Error() looks; after success errno is as it
 * was before. A BOOL is exactly 0 or 1.
 *
 * Every function may be called by any thread. HeapDestroy() must not run while
 * another thread still uses the heap, and with HEAP_NO_SERIALIZE the program
 * itself keeps its threads apart. A child of fork(2) has none of its parent's
 * heaps: their handles are ERROR_INVALID_HANDLE there, and their memory is not
 * mapped.
 */
#ifndef PRIVHEAP_HEAPAPI_H
#define PRIVHEAP_HEAPAPI_H

#include <stddef.h>
#include <stdint.h>

#include <privheap/backend.h>

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

/* ------------------------------------------------------------------ flags */

#define HEAP_NO_SERIALIZE		0x00000001
#define HEAP_GENERATE_EXCEPTIONS	0x00000004
#define HEAP_ZERO_MEMORY		0x00000008
#define HEAP_REALLOC_IN_PLACE_ONLY	0x00000010
#define HEAP_CREATE_ENABLE_EXECUTE	0x00040000

/* Accepted and without effect. */
#define HEAP_GROWABLE			0x00000002
#define HEAP_TAIL_CHECKING_ENABLED	0x00000020
#define HEAP_FREE_CHECKING_ENABLED	0x00000040
#define HEAP_DISABLE_COALESCE_ON_FREE	0x00000080
#define HEAP_CREATE_SEGMENT_HEAP	0x00000100
#define HEAP_CREATE_HARDENED		0x00000200
#define HEAP_CREATE_ALIGN_16		0x00010000
#define HEAP_CREATE_ENABLE_TRACING	0x00020000
#define HEAP_MAXIMUM_TAG		0x00000FFF
#define HEAP_PSEUDO_TAG_FLAG		0x00008000
#define HEAP_TAG_SHIFT			18

/* Blocks begin at multiples of this. */
#if UINTPTR_MAX > 0xFFFFFFFF
#define MEMORY_ALLOCATION_ALIGNMENT	16
#else
#define MEMORY_ALLOCATION_ALIGNMENT	8
#endif

/* ----------------------------------------------------------------- errors */

#define NO_ERROR			0
#define ERROR_SUCCESS			0
#define ERROR_INVALID_HANDLE		6
#define ERROR_NOT_ENOUGH_MEMORY		8
#define ERROR_GEN_FAILURE		31
#define ERROR_NOT_SUPPORTED		50
#define ERROR_INVALID_PARAMETER		87
#define ERROR_CALL_NOT_IMPLEMENTED	120
#define ERROR_INSUFFICIENT_BUFFER	122
#define ERROR_NO_MORE_ITEMS		259
#define ERROR_NOT_OWNER			288
#define ERROR_NOACCESS			998
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

/* ------------------------------------------------------------------ heaps */

/**
 * HeapCreate - make a heap
 * @flOptions: HEAP_NO_SERIALIZE, HEAP_GENERATE_EXCEPTIONS: hold for every
 *	later call on the heap; HEAP_CREATE_ENABLE_EXECUTE: code in its blocks
 *	can be run. All other bits are ignored.
 * @dwInitialSize: bytes to commit, and populate, now; rounded up to whole
 *	pages, and 0 means one page
 * @dwMaximumSize: 0: the heap grows as memory and quotas allow. Otherwise it
 *	is fixed: never more than this, rounded up to whole pages, is reserved
 *	or committed for it, and its largest block is slightly less than 1 MiB
 *	(512 KiB in a 32-bit process).
 *
 * Some 1,200 bytes of the heap (600 in a 32-bit process) hold its control data.
 * Behind what is reserved lies a page that is never committed, as behind each
 * large block: to touch it is SIGSEGV. A growable heap reserves 8 MiB at first
 * (1 MiB in a 32-bit process), more as it grows, and a region for each block
 * that a fixed heap could not hold. Without the module each region takes three
 * of the mappings that vm.max_map_count allows a process; when there are no
 * more, calls that need a region fail as for want of memory.
 *
 * Return: the heap's handle, which is the address of its first region; NULL
 * with ERROR_NOT_ENOUGH_MEMORY, also when @dwInitialSize is greater than
 * @dwMaximumSize.
 */
HANDLE WINAPI HeapCreate(DWORD flOptions, SIZE_T dwInitialSize,
			 SIZE_T dwMaximumSize);

/**
 * HeapDestroy - give a heap and all its blocks back to the system
 * @hHeap: the heap
 *
 * Return: TRUE; FALSE with ERROR_INVALID_HANDLE.
 */
BOOL WINAPI HeapDestroy(HANDLE hHeap);

/**
 * HeapAlloc - get a block
 * @hHeap: the heap
 * @dwFlags: HEAP_NO_SERIALIZE, HEAP_GENERATE_EXCEPTIONS, HEAP_ZERO_MEMORY
 * @dwBytes: bytes wanted; a block of 0 bytes is a block like others
 *
 * Return: a block at a multiple of MEMORY_ALLOCATION_ALIGNMENT; NULL with
 * ERROR_NOT_ENOUGH_MEMORY (PrivheapGetDeniedLevel() tells whether a quota
 * refused) or ERROR_INVALID_HANDLE.
 */
LPVOID WINAPI HeapAlloc(HANDLE hHeap, DWORD dwFlags, SIZE_T dwBytes);

/**
 * HeapReAlloc - change the size of a block
 * @hHeap: the heap
 * @dwFlags: as for HeapAlloc(); HEAP_ZERO_MEMORY concerns the bytes beyond the
 *	old size; HEAP_REALLOC_IN_PLACE_ONLY: fail rather than move the block
 * @lpMem: the block; NULL fails, with the last error set to NO_ERROR
 * @dwBytes: new size in bytes
 *
 * Return: the block, perhaps elsewhere; NULL with ERROR_NOT_ENOUGH_MEMORY,
 * ERROR_INVALID_PARAMETER (not a block of this heap) or ERROR_INVALID_HANDLE.
 * On failure the block is as it was.
 *
 * A block of 32 KiB or more that has to move because it grew gets address space
 * to grow in, in a growable heap. A block that gets smaller gives back what it
 * does not need any more, as HeapFree() does.
 */
LPVOID WINAPI HeapReAlloc(HANDLE hHeap, DWORD dwFlags, LPVOID lpMem,
			  SIZE_T dwBytes);

/**
 * HeapFree - give a block back to its heap
 * @hHeap: the heap
 * @dwFlags: HEAP_NO_SERIALIZE
 * @lpMem: the block; NULL is TRUE without effect
 *
 * Now and then the heap gives free memory back to the system, and its charge to
 * the quotas. The rule counts bytes, not time: when more than a quarter of what
 * the heap has committed is free, and more than 256 KiB, all but an eighth (or
 * 128 KiB) goes, in pieces of 32 KiB and more. A heap that needs it again holds
 * on to more, up to 4 MiB, until it shrinks by more than that. What HeapCreate()
 * committed stays. A block beyond the size that a fixed heap can hold has memory
 * of its own, which goes back at once.
 *
 * Return: TRUE; FALSE with ERROR_INVALID_PARAMETER (not a block of this heap,
 * or freed before: nothing has changed) or ERROR_INVALID_HANDLE.
 */
BOOL WINAPI HeapFree(HANDLE hHeap, DWORD dwFlags, LPVOID lpMem);

/**
 * HeapSize - ask the size of a block
 * @hHeap: the heap
 * @dwFlags: HEAP_NO_SERIALIZE
 * @lpMem: the block
 *
 * Return: exactly the bytes that were asked for; (SIZE_T)-1 with
 * ERROR_INVALID_PARAMETER (not a block of this heap, or freed) or
 * ERROR_INVALID_HANDLE.
 */
SIZE_T WINAPI HeapSize(HANDLE hHeap, DWORD dwFlags, LPCVOID lpMem);

/* ----------------------------------------------------------------- system */

#define PROCESSOR_ARCHITECTURE_INTEL	0
#define PROCESSOR_ARCHITECTURE_ARM	5
#define PROCESSOR_ARCHITECTURE_AMD64	9
#define PROCESSOR_ARCHITECTURE_ARM64	12
#define PROCESSOR_ARCHITECTURE_UNKNOWN	0xFFFF
#define PROCESSOR_INTEL_PENTIUM		586
#define PROCESSOR_AMD_X8664		8664

/**
 * struct _SYSTEM_INFO - what GetSystemInfo() tells
 * @wProcessorArchitecture: PROCESSOR_ARCHITECTURE_*
 * @wReserved: 0
 * @dwPageSize: bytes; heaps are committed in units of this
 * @lpMinimumApplicationAddress: lowest address a program can map
 * @lpMaximumApplicationAddress: highest address a program can map
 * @dwActiveProcessorMask: a bit for each processor, as many as fit
 * @dwNumberOfProcessors: processors that are online
 * @dwProcessorType: PROCESSOR_*, 0 where Windows has no value
 * @dwAllocationGranularity: 65536, as on Windows
 * @wProcessorLevel: the processor's family
 * @wProcessorRevision: its model in the high byte, its stepping in the low one
 */
typedef struct _SYSTEM_INFO {
	WORD		wProcessorArchitecture;
	WORD		wReserved;
	DWORD		dwPageSize;
	LPVOID		lpMinimumApplicationAddress;
	LPVOID		lpMaximumApplicationAddress;
	DWORD_PTR	dwActiveProcessorMask;
	DWORD		dwNumberOfProcessors;
	DWORD		dwProcessorType;
	DWORD		dwAllocationGranularity;
	WORD		wProcessorLevel;
	WORD		wProcessorRevision;
} SYSTEM_INFO, *LPSYSTEM_INFO;

/**
 * GetSystemInfo - describe the machine
 * @lpSystemInfo: filled; cannot fail
 */
void WINAPI GetSystemInfo(LPSYSTEM_INFO lpSystemInfo);

/* ------------------------------------------------- additions for Linux */

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
typedef void (WINAPI *PRIVHEAP_EXCEPTION_HANDLER)(DWORD dwExceptionCode,
						  HANDLE hHeap, SIZE_T dwBytes);

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
 * HeapReAlloc() that failed with ERROR_NOT_ENOUGH_MEMORY did so: 0 no quota
 * (out of memory, or a block larger than the heap can ever hold), 1 the heap's
 * own maximum, 2 the limit of the process, 3 of the user, 4 of the cgroup,
 * 5 of the system (the values of PRIVHEAP_LEVEL_* in <linux/privheap.h>).
 */
DWORD WINAPI PrivheapGetDeniedLevel(void);

#ifdef __cplusplus
}
#endif

#endif /* PRIVHEAP_HEAPAPI_H */
