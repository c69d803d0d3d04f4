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
 * mapped. It may call everything at once, whatever the parent's threads were
 * doing.
 *
 * No function is a cancellation point of pthread_cancel(3). A thread that ends
 * while it holds a heap by HeapLock() does not keep others waiting; of 2,048
 * heaps at most, for the kernel releases no more. None is safe in a signal
 * handler that interrupts a call on the same heap, or, for those that take no
 * heap, any call; nor in a thread that can be cancelled asynchronously. Nor may
 * such a handler leave by longjmp(3).
 *
 * lib/README.md tells how heaps are built, and which misuse is noticed.
 */
#ifndef PRIVHEAP_HEAPAPI_H
#define PRIVHEAP_HEAPAPI_H

#include <stdint.h>

#include <privheap/wintypes.h>

#ifdef __cplusplus
extern "C" {
#endif

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

/* HeapWalk(): what an entry is; 0 is free memory. */
#define PROCESS_HEAP_REGION		0x0001
#define PROCESS_HEAP_UNCOMMITTED_RANGE	0x0002
#define PROCESS_HEAP_ENTRY_BUSY		0x0004
#define PROCESS_HEAP_SEG_ALLOC		0x0008	/* not used */
#define PROCESS_HEAP_ENTRY_MOVEABLE	0x0010	/* not used */
#define PROCESS_HEAP_ENTRY_DDESHARE	0x0020	/* not used */

#define HEAP_OPTIMIZE_RESOURCES_CURRENT_VERSION	1

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
 * Some 1,400 bytes of the heap (800 in a 32-bit process) hold its control data.
 * What describes small blocks, once there are many, is memory of the process and
 * not the heap's: about a 14th of theirs.
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
 * @hHeap: the heap; the process heap is refused, and keeps working
 *
 * Waits for a thread that holds the heap by HeapLock(); the caller may be that.
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
 * the quotas. What of it is blocks of more than 64 KiB, or lies around them, by a
 * rule that counts bytes: when more than a quarter of what the heap has committed
 * is free, and more than 256 KiB, all but an eighth (or 128 KiB) goes, in pieces
 * of 32 KiB and more. A heap that needs it again holds on to more, up to 4 MiB,
 * until it shrinks by more than that. Slabs of smaller blocks go when they are
 * empty and more than a quarter of all slabs' bytes is free; what is kept at hand
 * for threads, at a call that needs the heap's lock, if there was more than enough
 * of it 50 ms ago and more.
 * HeapCompact() gives all of it back at once. What HeapCreate() committed stays. A
 * block beyond the size that a fixed heap can hold has memory of its own, which
 * goes back at once.
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

/*
 * The same with 32-bit sizes, for declarations in other languages whose sizes
 * have 32 bits, as the uint of C#, mapped to these by a dllentry: with Mono the
 * upper half of such an argument is not always zero, and a 64-bit SIZE_T would
 * be another number.
 */

/**
 * HeapCreate_u32 - HeapCreate() with 32-bit sizes
 * @flOptions: as for HeapCreate()
 * @dwInitialSize: bytes
 * @dwMaximumSize: bytes
 *
 * Return: as HeapCreate().
 */
HANDLE WINAPI HeapCreate_u32(DWORD flOptions, uint32_t dwInitialSize,
			     uint32_t dwMaximumSize);

/**
 * HeapAlloc_u32 - HeapAlloc() with a 32-bit size
 * @hHeap: as for HeapAlloc()
 * @dwFlags: likewise
 * @dwBytes: bytes
 *
 * Return: as HeapAlloc().
 */
LPVOID WINAPI HeapAlloc_u32(HANDLE hHeap, DWORD dwFlags, uint32_t dwBytes);

/**
 * HeapReAlloc_u32 - HeapReAlloc() with a 32-bit size
 * @hHeap: as for HeapReAlloc()
 * @dwFlags: likewise
 * @lpMem: likewise
 * @dwBytes: bytes
 *
 * Return: as HeapReAlloc().
 */
LPVOID WINAPI HeapReAlloc_u32(HANDLE hHeap, DWORD dwFlags, LPVOID lpMem,
			      uint32_t dwBytes);

/* -------------------------------------------------- heaps of the process */

/**
 * GetProcessHeap - the heap that every process has
 *
 * It grows, is serialized, cannot be destroyed, and is made when it is first
 * asked for. A child of fork(2) has another one.
 *
 * Return: always the same handle; NULL with ERROR_NOT_ENOUGH_MEMORY.
 */
HANDLE WINAPI GetProcessHeap(void);

/**
 * GetProcessHeaps - all heaps of the process
 * @NumberOfHeaps: handles that @ProcessHeaps has room for; can be 0
 * @ProcessHeaps: receives handles, as many as there are and have room: the
 *	process heap first, then the others as they were made
 *
 * Return: the number of heaps, also when there was no room for all; 0 with
 * ERROR_INVALID_PARAMETER (no @ProcessHeaps for @NumberOfHeaps handles) or
 * ERROR_NOT_ENOUGH_MEMORY (the process heap could not be made).
 */
DWORD WINAPI GetProcessHeaps(DWORD NumberOfHeaps, PHANDLE ProcessHeaps);

/* ---------------------------------------------------- looking into a heap */

/**
 * HeapLock - keep other threads out of a heap
 * @hHeap: the heap
 *
 * Until as many calls of HeapUnlock() all calls of other threads on the heap
 * wait, except those with HEAP_NO_SERIALIZE. A heap made with that flag has no
 * lock: TRUE, and nobody is kept out.
 *
 * Return: TRUE; FALSE with ERROR_INVALID_HANDLE.
 */
BOOL WINAPI HeapLock(HANDLE hHeap);

/**
 * HeapUnlock - undo one HeapLock()
 * @hHeap: the heap
 *
 * Return: TRUE; FALSE with ERROR_INVALID_HANDLE, or ERROR_NOT_OWNER: the calling
 * thread does not hold the heap.
 */
BOOL WINAPI HeapUnlock(HANDLE hHeap);

/**
 * HeapValidate - check a block, or a whole heap
 * @hHeap: the heap
 * @dwFlags: HEAP_NO_SERIALIZE
 * @lpMem: an address to check; NULL: all control data of the heap
 *
 * Return: TRUE: it is a live block of the heap, or all is in order; FALSE. Never
 * sets the last error, and never ends the process.
 */
BOOL WINAPI HeapValidate(HANDLE hHeap, DWORD dwFlags, LPCVOID lpMem);

/**
 * HeapCompact - tidy a heap up
 * @hHeap: the heap
 * @dwFlags: HEAP_NO_SERIALIZE
 *
 * Return: the size in bytes of the largest free block that is committed; 0 with
 * NO_ERROR: there is none, ERROR_INVALID_HANDLE, or ERROR_GEN_FAILURE: the
 * heap's control data are damaged.
 */
SIZE_T WINAPI HeapCompact(HANDLE hHeap, DWORD dwFlags);

struct _PROCESS_HEAP_ENTRY_BLOCK {
	HANDLE		hMem;
	DWORD		dwReserved[3];
};

struct _PROCESS_HEAP_ENTRY_REGION {
	DWORD		dwCommittedSize;
	DWORD		dwUnCommittedSize;
	LPVOID		lpFirstBlock;
	LPVOID		lpLastBlock;
};

/**
 * struct _PROCESS_HEAP_ENTRY - a step of HeapWalk()
 * @lpData: where it begins; NULL begins a walk
 * @cbData: bytes: what a block's owner asked for; what a block could have of
 *	free memory; what a region reserves; the length of an uncommitted range
 * @cbOverhead: bytes of control data and rounding besides
 * @iRegionIndex: counts regions as they were made; 64 for large blocks
 * @wFlags: PROCESS_HEAP_*
 * @Block: all zero
 * @Region: for PROCESS_HEAP_REGION: committed and uncommitted bytes, the lpData
 *	of its first entry, the first address behind the region
 *
 * Sizes of more than 32 bits are told as 0xFFFFFFFF.
 */
typedef struct _PROCESS_HEAP_ENTRY {
	PVOID		lpData;
	DWORD		cbData;
	BYTE		cbOverhead;
	BYTE		iRegionIndex;
	WORD		wFlags;
#ifdef __GNUC__
	__extension__
#endif
	union {
		struct _PROCESS_HEAP_ENTRY_BLOCK	Block;
		struct _PROCESS_HEAP_ENTRY_REGION	Region;
	};
} PROCESS_HEAP_ENTRY, *LPPROCESS_HEAP_ENTRY, *PPROCESS_HEAP_ENTRY;

/**
 * HeapWalk - step to the next thing that a heap has
 * @hHeap: the heap
 * @lpEntry: the step before, as HeapWalk() left it; with lpData NULL, the start
 *
 * Each region is told of by an entry, followed by one for each block and piece
 * of free memory in it, as their addresses are, and one for what is not
 * committed. Blocks that have a region of their own come at last, without an
 * entry for it. The position is in @lpEntry alone. Hold the heap by HeapLock()
 * where other threads use it: otherwise a step may fail.
 *
 * Return: TRUE; FALSE with ERROR_NO_MORE_ITEMS at the end, ERROR_INVALID_HANDLE,
 * ERROR_INVALID_PARAMETER (NULL, or nothing of this heap is at @lpEntry->lpData)
 * or ERROR_GEN_FAILURE: the heap's control data are damaged.
 */
BOOL WINAPI HeapWalk(HANDLE hHeap, LPPROCESS_HEAP_ENTRY lpEntry);

/**
 * struct _HEAP_SUMMARY - what HeapSummary() tells, in bytes
 * @cb: sizeof(HEAP_SUMMARY), set by the caller
 * @cbAllocated: sum of the sizes of all blocks
 * @cbCommitted: committed
 * @cbReserved: address space
 * @cbMaxReserve: what @cbReserved can become: the maximum of a fixed heap, the
 *	highest multiple of the page size for others
 */
typedef struct _HEAP_SUMMARY {
	DWORD	cb;
	SIZE_T	cbAllocated;
	SIZE_T	cbCommitted;
	SIZE_T	cbReserved;
	SIZE_T	cbMaxReserve;
} HEAP_SUMMARY, *PHEAP_SUMMARY, *LPHEAP_SUMMARY;

/**
 * HeapSummary - sum up a heap
 * @hHeap: the heap
 * @dwFlags: HEAP_NO_SERIALIZE
 * @lpSummary: filled on success
 *
 * Return: as PrivheapQueryHeap().
 */
BOOL WINAPI HeapSummary(HANDLE hHeap, DWORD dwFlags, LPHEAP_SUMMARY lpSummary);

/**
 * enum _HEAP_INFORMATION_CLASS - what HeapSetInformation() sets
 * @HeapCompatibilityInformation: a ULONG: 0, or 2 after a low-fragmentation heap
 *	was asked for
 * @HeapEnableTerminationOnCorruption: from now on a double free and the like
 *	end the process
 * @HeapOptimizeResources: HEAP_OPTIMIZE_RESOURCES_INFORMATION
 * @HeapTag: refused
 * @PrivheapCommitLimit: PRIVHEAP_LIMIT_INFORMATION: what the heap may commit
 * @PrivheapResidentLimit: the same for what is resident, of a fixed heap
 * @PrivheapOpenReserve: a ULONG, PRIVHEAP_RESOURCE_COMMIT or
 *	PRIVHEAP_RESOURCE_RESIDENT: lets the heap have the reserve of that limit
 *	on top of it, once for each time that it was set, after a denial
 * @PrivheapUsage: PRIVHEAP_USAGE, as PrivheapQueryHeap() tells it
 *
 * The last four are this library's own: see privheap/heaplimits.h. Windows has
 * no class with such a number, and refuses it.
 */
typedef enum _HEAP_INFORMATION_CLASS {
	HeapCompatibilityInformation = 0,
	HeapEnableTerminationOnCorruption = 1,
	HeapOptimizeResources = 3,
	HeapTag = 7,
	PrivheapCommitLimit = 0x70680001,
	PrivheapResidentLimit = 0x70680002,
	PrivheapOpenReserve = 0x70680003,
	PrivheapUsage = 0x70680004
} HEAP_INFORMATION_CLASS;

/**
 * struct _HEAP_OPTIMIZE_RESOURCES_INFORMATION - for HeapOptimizeResources
 * @Version: HEAP_OPTIMIZE_RESOURCES_CURRENT_VERSION
 * @Flags: 0
 */
typedef struct _HEAP_OPTIMIZE_RESOURCES_INFORMATION {
	DWORD	Version;
	DWORD	Flags;
} HEAP_OPTIMIZE_RESOURCES_INFORMATION, *PHEAP_OPTIMIZE_RESOURCES_INFORMATION;

/**
 * HeapQueryInformation - ask what was set
 * @HeapHandle: the heap
 * @HeapInformationClass: HeapCompatibilityInformation, PrivheapCommitLimit,
 *	PrivheapResidentLimit or PrivheapUsage
 * @HeapInformation: receives a ULONG, a PRIVHEAP_LIMIT_INFORMATION or a
 *	PRIVHEAP_USAGE
 * @HeapInformationLength: bytes that it has room for
 * @ReturnLength: NULL, or receives how many bytes are needed
 *
 * Return: TRUE; FALSE with ERROR_INSUFFICIENT_BUFFER, ERROR_INVALID_PARAMETER
 * (another class), ERROR_NOACCESS (@HeapHandle or @HeapInformation is NULL) or
 * ERROR_INVALID_HANDLE; for the library's own classes also ERROR_NOT_SUPPORTED
 * (what is resident, of a heap that grows or with anonymous mappings) or
 * ERROR_GEN_FAILURE, as PrivheapQueryHeap().
 */
BOOL WINAPI
HeapQueryInformation(HANDLE HeapHandle,
		     HEAP_INFORMATION_CLASS HeapInformationClass,
		     PVOID HeapInformation, SIZE_T HeapInformationLength,
		     PSIZE_T ReturnLength);

/**
 * HeapSetInformation - set something
 * @HeapHandle: the heap; not looked at for HeapEnableTerminationOnCorruption,
 *	and NULL for HeapOptimizeResources means all heaps that are not in use
 * @HeapInformationClass: what to set
 * @HeapInformation: the value; not looked at for
 *	HeapEnableTerminationOnCorruption
 * @HeapInformationLength: its bytes
 *
 * HeapCompatibilityInformation takes 2 for a heap that grows and is serialized,
 * and that cannot be undone; it is remembered, and changes nothing else.
 *
 * PrivheapCommitLimit, PrivheapResidentLimit and PrivheapOpenReserve do what
 * privheap/heaplimits.h says.
 *
 * HeapEnableTerminationOnCorruption holds for the process and its children, and
 * cannot be undone. Where HeapFree(), HeapReAlloc() and HeapSize() would refuse
 * a pointer that is no block, and where HeapWalk(), HeapCompact(), HeapSummary()
 * and PrivheapQueryHeap() find control data damaged, a line on standard error
 * says so, and abort(3) is called, with no lock held. HeapValidate() answers as
 * before.
 *
 * Return: TRUE; FALSE with ERROR_INSUFFICIENT_BUFFER, ERROR_NOACCESS
 * (@HeapInformation is NULL), ERROR_INVALID_HANDLE, ERROR_GEN_FAILURE (a
 * compatibility other than 2) or ERROR_INVALID_PARAMETER (another class,
 * version or flags; a heap that cannot have low fragmentation). For limits,
 * which have cb, dwSet and sizes that can be ERROR_INVALID_PARAMETER, also:
 * ERROR_ACCESS_DENIED (more than the ceiling), ERROR_NOT_SUPPORTED (a soft limit
 * of a heap that grows; what is resident, of that or with anonymous mappings).
 * For PrivheapOpenReserve also: ERROR_NOT_FOUND (there is none),
 * ERROR_ALREADY_EXISTS (it is open), ERROR_NOT_READY (the limit has refused
 * nothing since the reserve was set).
 */
BOOL WINAPI
HeapSetInformation(HANDLE HeapHandle,
		   HEAP_INFORMATION_CLASS HeapInformationClass,
		   PVOID HeapInformation, SIZE_T HeapInformationLength);

#ifdef __cplusplus
}
#endif

#include <privheap/heapadditions.h>
#include <privheap/heaplimits.h>
#include <privheap/memoryapi.h>
#include <privheap/sysinfoapi.h>

#endif /* PRIVHEAP_HEAPAPI_H */
