/* SPDX-License-Identifier: MIT */
/*
 * <windows.h> for programs that are about heaps: with this folder as an include
 * path their sources need no edits, and no other path. It declares the heap
 * functions, VirtualAlloc() and its kin, GetSystemInfo(), GetLastError(), the
 * types and macros that come with them, and what a program with one thread and a
 * console needs besides: ExitProcess(), GetCurrentProcessId() and ZeroMemory().
 *
 * It is no Windows: windows, files, threads, messages and SEH are not here, and a
 * program that uses them does not compile. <tchar.h>, <strsafe.h> and <intsafe.h>
 * are beside this file. lib/PORTING.md tells what differs.
 */
#ifndef PRIVHEAP_WIN32_WINDOWS_H
#define PRIVHEAP_WIN32_WINDOWS_H

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "windef.h"
#include "winerror.h"

#include <privheap/heapapi.h>

#define RtlZeroMemory(to, length)	memset((to), 0, (length))
#define RtlFillMemory(to, length, byte)	memset((to), (byte), (length))
#define RtlCopyMemory(to, from, length)	memcpy((to), (from), (length))
#define RtlMoveMemory(to, from, length)	memmove((to), (from), (length))

#define ZeroMemory		RtlZeroMemory
#define FillMemory		RtlFillMemory
#define CopyMemory		RtlCopyMemory
#define MoveMemory		RtlMoveMemory

#define UNREFERENCED_PARAMETER(name)	((void)(name))

/**
 * ExitProcess - end the process
 * @uExitCode: its status, of which this system passes on the lowest 8 bits
 *
 * By exit(3): streams are flushed, and what was registered is called.
 */
static inline VOID ExitProcess(UINT uExitCode)
{
	exit((int)uExitCode);
}

/**
 * GetCurrentProcessId - the number of this process
 *
 * Return: as getpid(2).
 */
static inline DWORD GetCurrentProcessId(void)
{
	return (DWORD)getpid();
}

#endif /* PRIVHEAP_WIN32_WINDOWS_H */
