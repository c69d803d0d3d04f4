// SPDX-License-Identifier: MIT
/*
 * Enumerates the heaps of a process, and what is in a heap, by the functions that
 * Windows has for it. Written for Windows: nothing here knows of another system,
 * or of a library. It builds there, and here with the include path
 * lib/include/privheap-win32 and no other.
 *
 * The program checks what it finds. It ends with 1 when something does not hold.
 */
#include <windows.h>
#include <tchar.h>
#include <stdio.h>
#include <intsafe.h>
#include <strsafe.h>

#define BLOCKS		12
#define BIG_BLOCK	((SIZE_T)3 << 20)

typedef struct _COUNTS {
	DWORD	Regions;
	DWORD	Busy;
	DWORD	Free;
	DWORD	Uncommitted;
	SIZE_T	BusyBytes;
} COUNTS, *LPCOUNTS;

static BOOL ReportError(LPCTSTR Function)
{
	TCHAR Text[80];

	if (SUCCEEDED(StringCchPrintf(Text, sizeof(Text) / sizeof(Text[0]),
				      TEXT("%s failed, error %lu"), Function,
				      (unsigned long)GetLastError())))
		_ftprintf(stderr, TEXT("%s\n"), Text);
	return FALSE;
}

static VOID PrintEntry(const PROCESS_HEAP_ENTRY *Entry)
{
	LPCTSTR Kind = TEXT("free");

	if (Entry->wFlags & PROCESS_HEAP_ENTRY_BUSY)
		Kind = TEXT("block");
	else if (Entry->wFlags & PROCESS_HEAP_REGION)
		Kind = TEXT("region");
	else if (Entry->wFlags & PROCESS_HEAP_UNCOMMITTED_RANGE)
		Kind = TEXT("uncommitted");

	_tprintf(TEXT("  %-12s%10lu bytes, %3u besides, in region %u\n"), Kind,
		 (unsigned long)Entry->cbData, Entry->cbOverhead,
		 Entry->iRegionIndex);
	if (Entry->wFlags & PROCESS_HEAP_REGION)
		_tprintf(TEXT("  %-12s%10lu bytes committed, %lu not\n"),
			 TEXT(""), (unsigned long)Entry->Region.dwCommittedSize,
			 (unsigned long)Entry->Region.dwUnCommittedSize);
}

/* Other threads wait meanwhile, so that the heap does not change. */
static BOOL WalkHeap(HANDLE Heap, BOOL Print, LPCOUNTS Counts)
{
	PROCESS_HEAP_ENTRY Entry;
	DWORD Error;

	ZeroMemory(Counts, sizeof(*Counts));
	if (!HeapLock(Heap))
		return ReportError(TEXT("HeapLock"));

	Entry.lpData = NULL;
	while (HeapWalk(Heap, &Entry)) {
		if (Print)
			PrintEntry(&Entry);
		if (Entry.wFlags & PROCESS_HEAP_ENTRY_BUSY) {
			Counts->Busy++;
			Counts->BusyBytes += Entry.cbData;
		} else if (Entry.wFlags & PROCESS_HEAP_REGION) {
			Counts->Regions++;
		} else if (Entry.wFlags & PROCESS_HEAP_UNCOMMITTED_RANGE) {
			Counts->Uncommitted++;
		} else {
			Counts->Free++;
		}
	}
	Error = GetLastError();

	if (!HeapUnlock(Heap))
		return ReportError(TEXT("HeapUnlock"));
	SetLastError(Error);
	return Error == ERROR_NO_MORE_ITEMS || ReportError(TEXT("HeapWalk"));
}

/* How many heaps there are may change between two calls: ask until all fit. */
static BOOL EnumerateHeaps(HANDLE Wanted)
{
	HANDLE ProcessHeap = GetProcessHeap();
	PHANDLE Heaps = NULL;
	DWORD Count, Room = 0, Index;
	BOOL Found = FALSE;
	COUNTS Counts;
	SIZE_T Bytes;

	for (;;) {
		Count = GetProcessHeaps(Room, Heaps);
		if (Count == 0)
			return ReportError(TEXT("GetProcessHeaps"));
		if (Count <= Room)
			break;
		if (Heaps)
			HeapFree(ProcessHeap, 0, Heaps);
		Room = Count;
		if (FAILED(SizeTMult(Room, sizeof(*Heaps), &Bytes)))
			return FALSE;
		Heaps = (PHANDLE)HeapAlloc(ProcessHeap, 0, Bytes);
		if (!Heaps)
			return ReportError(TEXT("HeapAlloc"));
	}

	_tprintf(TEXT("This process has %lu heaps.\n"), (unsigned long)Count);
	for (Index = 0; Index < Count; Index++) {
		if (Heaps[Index] == Wanted)
			Found = TRUE;
		if (!WalkHeap(Heaps[Index], FALSE, &Counts)) {
			Found = FALSE;
			break;
		}
		_tprintf(TEXT("Heap %lu%s has %s.\n"), (unsigned long)Index,
			 Heaps[Index] == ProcessHeap ?
				 TEXT(", of the process,") : TEXT(""),
			 Counts.Busy ? TEXT("blocks") : TEXT("no blocks"));
	}
	HeapFree(ProcessHeap, 0, Heaps);
	return Found;
}

static BOOL FillHeap(HANDLE Heap, LPVOID *Blocks, SIZE_T *Sum)
{
	DWORD Index;
	SIZE_T Bytes;

	for (Index = 0; Index < BLOCKS; Index++) {
		Bytes = Index == BLOCKS - 1 ? BIG_BLOCK :
					      (SIZE_T)100 * (Index + 1);
		Blocks[Index] = HeapAlloc(Heap, HEAP_ZERO_MEMORY, Bytes);
		if (!Blocks[Index])
			return ReportError(TEXT("HeapAlloc"));
		if (HeapSize(Heap, 0, Blocks[Index]) != Bytes)
			return ReportError(TEXT("HeapSize"));
		*Sum += Bytes;
	}
	return TRUE;
}

int __cdecl _tmain(void)
{
	LPVOID Blocks[BLOCKS];
	SYSTEM_INFO System;
	SIZE_T Sum = 0;
	COUNTS Counts;
	BOOL Good;
	HANDLE Heap;

	GetSystemInfo(&System);
	Heap = HeapCreate(0, System.dwPageSize, 0);
	if (!Heap) {
		ReportError(TEXT("HeapCreate"));
		return 1;
	}
	Good = FillHeap(Heap, Blocks, &Sum) && EnumerateHeaps(Heap);

	if (Good) {
		_tprintf(TEXT("A heap of %d blocks:\n"), BLOCKS);
		Good = WalkHeap(Heap, TRUE, &Counts) && Counts.Busy == BLOCKS &&
		       Counts.BusyBytes == Sum && Counts.Regions > 0;
	}
	if (Good) {
		Good = HeapFree(Heap, 0, Blocks[3]) &&
		       HeapFree(Heap, 0, Blocks[BLOCKS - 1]) &&
		       HeapValidate(Heap, 0, NULL);
		_tprintf(TEXT("Without two of them:\n"));
		Good = Good && WalkHeap(Heap, TRUE, &Counts) &&
		       Counts.Busy == BLOCKS - 2 &&
		       Counts.BusyBytes == Sum - BIG_BLOCK - 400;
	}
	if (!HeapDestroy(Heap))
		Good = ReportError(TEXT("HeapDestroy"));

	_tprintf(TEXT("%s\n"), Good ? TEXT("All blocks were found, and no others.") :
				      TEXT("FAILED: the walk found something else."));
	return Good ? 0 : 1;
}
