/* SPDX-License-Identifier: MIT */
/*
 * The Win32 virtual memory functions on Linux: VirtualAlloc(), VirtualFree(),
 * VirtualQuery(). Each reservation is a region of privheap/region.h, with the
 * module and without it. Errors, errno, BOOL and threads are as
 * privheap/heapapi.h says, and either header brings the other.
 *
 * A child of fork(2) has none of its parent's reservations: to it their
 * addresses are like any others. No function here is safe in a signal handler.
 * A reservation is ended by VirtualFree() and by nothing else: the library does
 * not see what munmap(2) and mmap(2) do to it. What mprotect(2) does to it is
 * allowed, but VirtualQuery() does not see it.
 *
 * What Windows has and this library has not, each an ERROR_NOT_SUPPORTED:
 *   PAGE_GUARD, PAGE_NOCACHE, PAGE_WRITECOMBINE, PAGE_TARGETS_INVALID
 *   MEM_LARGE_PAGES, MEM_PHYSICAL, MEM_WRITE_WATCH
 *   PAGE_EXECUTE* in a reservation that was not made with one of PAGE_EXECUTE*
 * And one more: the library cannot place a reservation at an address that the
 * program wants. MEM_RESERVE with an address is ERROR_INVALID_ADDRESS.
 */
#ifndef PRIVHEAP_MEMORYAPI_H
#define PRIVHEAP_MEMORYAPI_H

#include <privheap/heapapi.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ------------------------------------------------------------------ types */

/* What to do: VirtualAlloc() */
#define MEM_COMMIT		0x00001000
#define MEM_RESERVE		0x00002000
#define MEM_RESET		0x00080000
#define MEM_TOP_DOWN		0x00100000
#define MEM_WRITE_WATCH		0x00200000
#define MEM_PHYSICAL		0x00400000
#define MEM_RESET_UNDO		0x01000000
#define MEM_LARGE_PAGES		0x20000000

/* What to do: VirtualFree() */
#define MEM_DECOMMIT		0x00004000
#define MEM_RELEASE		0x00008000

/* What VirtualQuery() answers, besides MEM_COMMIT and MEM_RESERVE */
#define MEM_FREE		0x00010000
#define MEM_PRIVATE		0x00020000
#define MEM_MAPPED		0x00040000
#define MEM_IMAGE		0x01000000

/* Protections; exactly one of the first eight. */
#define PAGE_NOACCESS		0x01
#define PAGE_READONLY		0x02
#define PAGE_READWRITE		0x04
#define PAGE_WRITECOPY		0x08
#define PAGE_EXECUTE		0x10
#define PAGE_EXECUTE_READ	0x20
#define PAGE_EXECUTE_READWRITE	0x40
#define PAGE_EXECUTE_WRITECOPY	0x80
#define PAGE_GUARD		0x100
#define PAGE_NOCACHE		0x200
#define PAGE_WRITECOMBINE	0x400
#define PAGE_TARGETS_INVALID	0x40000000

#define ERROR_BAD_LENGTH	24
#define ERROR_BUSY		170
#define ERROR_INVALID_ADDRESS	487

/**
 * struct _MEMORY_BASIC_INFORMATION - what VirtualQuery() tells of a run of pages
 * @BaseAddress: the address asked for, rounded down to a page
 * @AllocationBase: the address that VirtualAlloc() returned; outside of its
 *	reservations the start of the mapping, or of the row of mappings of one
 *	file; NULL for MEM_FREE
 * @AllocationProtect: protection that the reservation was made with; outside
 *	of reservations as @Protect; 0 for MEM_FREE
 * @PartitionId: 0; 64-bit programs only
 * @RegionSize: bytes from @BaseAddress to the end of the run
 * @State: MEM_COMMIT, MEM_RESERVE or MEM_FREE
 * @Protect: PAGE_*; 0 for MEM_RESERVE, PAGE_NOACCESS for MEM_FREE
 * @Type: MEM_PRIVATE, MEM_MAPPED or MEM_IMAGE; 0 for MEM_FREE
 */
typedef struct _MEMORY_BASIC_INFORMATION {
	PVOID	BaseAddress;
	PVOID	AllocationBase;
	DWORD	AllocationProtect;
#if UINTPTR_MAX > 0xFFFFFFFF
	WORD	PartitionId;
#endif
	SIZE_T	RegionSize;
	DWORD	State;
	DWORD	Protect;
	DWORD	Type;
} MEMORY_BASIC_INFORMATION, *PMEMORY_BASIC_INFORMATION;

/* -------------------------------------------------------------- functions */

/**
 * VirtualAlloc - reserve addresses, commit memory to them
 * @lpAddress: NULL: reserve wherever there is room, at a multiple of 64 KiB.
 *	Otherwise, for MEM_COMMIT, an address inside a reservation.
 * @dwSize: bytes; all pages with a byte of @lpAddress to @lpAddress + @dwSize
 *	are meant, with NULL it is rounded up to whole pages; 0 is an error
 * @flAllocationType: any of
 *	MEM_RESERVE: reserve; @lpAddress must be NULL;
 *	MEM_COMMIT: commit a range of one reservation, or, with NULL, of a new
 *	one. Pages that are committed already are not charged again and keep
 *	their contents, but get @flProtect; others read as zero. A page is taken
 *	at its first touch;
 *	MEM_TOP_DOWN: without effect, as Linux places everything so;
 *	or MEM_RESET or MEM_RESET_UNDO, each alone: the contents of a range of
 *	one reservation are of no interest for a while, and are wanted again. A
 *	hint that is checked and not acted on: contents stay, and undoing it
 *	succeeds.
 * @flProtect: PAGE_NOACCESS, PAGE_READONLY, PAGE_READWRITE, PAGE_EXECUTE,
 *	PAGE_EXECUTE_READ (the same as PAGE_EXECUTE) or PAGE_EXECUTE_READWRITE.
 *	When reserving, one of PAGE_EXECUTE* allows them for later commits.
 *
 * Return: the address of the reservation or of the first page; NULL with
 *   ERROR_INVALID_PARAMETER: @dwSize is 0, or the range ends beyond all
 *	addresses; @lpAddress is below 64 KiB; a bit or combination that
 *	Windows does not know either, PAGE_WRITECOPY and PAGE_EXECUTE_WRITECOPY
 *	among them;
 *   ERROR_NOT_SUPPORTED: what the head of this file lists;
 *   ERROR_INVALID_ADDRESS: the range is not in one reservation; or MEM_RESERVE
 *	with an @lpAddress;
 *   ERROR_COMMITMENT_LIMIT: a quota refused, PrivheapGetDeniedLevel() says
 *	which;
 *   ERROR_NOT_ENOUGH_MEMORY: no memory or no addresses, or nobody keeps
 *	regions here (PrivheapGetBackend()).
 * On failure nothing has changed.
 */
LPVOID WINAPI VirtualAlloc(LPVOID lpAddress, SIZE_T dwSize,
			   DWORD flAllocationType, DWORD flProtect);

/**
 * VirtualFree - give memory back to the system
 * @lpAddress: for MEM_RELEASE exactly what VirtualAlloc() returned for the
 *	reservation
 * @dwSize: bytes; 0 for MEM_RELEASE
 * @dwFreeType: MEM_RELEASE: all of the reservation, committed or not;
 *	MEM_DECOMMIT: all pages with a byte of the range, whose contents are
 *	lost and whose addresses stay reserved; those that are not committed are
 *	skipped. With @dwSize 0 and the address of a reservation: all of it.
 *
 * Return: TRUE; FALSE with
 *   ERROR_INVALID_PARAMETER: @dwFreeType is not one of the two; MEM_RELEASE
 *	with a @dwSize; a range that begins in a reservation and ends outside;
 *   ERROR_INVALID_ADDRESS: @lpAddress is in no reservation, or is not the
 *	address of one where it must be;
 *   ERROR_BUSY: with the module, somebody has pinned pages of the range (a
 *	device transfer, io_uring): those were zeroed and are committed still,
 *	the others were decommitted; repeat the call later;
 *   ERROR_NOT_ENOUGH_MEMORY: the kernel lacked memory for its own records;
 *	as VirtualQuery() tells, a part of the range may be decommitted.
 * In the first two cases nothing has changed.
 */
BOOL WINAPI VirtualFree(LPVOID lpAddress, SIZE_T dwSize, DWORD dwFreeType);

/**
 * VirtualQuery - ask what is at an address
 * @lpAddress: any address
 * @lpBuffer: filled on success
 * @dwLength: its size in bytes
 *
 * For addresses in a reservation, the run of pages with the same state and
 * protection. For others what /proc/self/maps says at this moment: nothing is
 * MEM_FREE; a mapping is MEM_COMMIT with its protection, also where a touch
 * would fail (files that are too short, the uncommitted part of a heap); Type is
 * MEM_IMAGE for a file of which a part is mapped executable beside it,
 * MEM_MAPPED for other files and shared memory, MEM_PRIVATE for the rest, heaps
 * too. The addresses around a reservation that the library needs for its
 * alignment are MEM_FREE.
 *
 * Return: sizeof(MEMORY_BASIC_INFORMATION); 0 with ERROR_BAD_LENGTH (@dwLength
 * is less), ERROR_NOACCESS (@lpBuffer is NULL), ERROR_INVALID_PARAMETER
 * (@lpAddress is above lpMaximumApplicationAddress of GetSystemInfo()), or
 * ERROR_GEN_FAILURE (there is no /proc).
 */
SIZE_T WINAPI VirtualQuery(LPCVOID lpAddress,
			   PMEMORY_BASIC_INFORMATION lpBuffer, SIZE_T dwLength);

#ifdef __cplusplus
}
#endif

#endif /* PRIVHEAP_MEMORYAPI_H */
