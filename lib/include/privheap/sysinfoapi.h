/* SPDX-License-Identifier: MIT */
/* What Win32 programs ask about the machine: part of heapapi.h. */
#ifndef PRIVHEAP_SYSINFOAPI_H
#define PRIVHEAP_SYSINFOAPI_H

#include <privheap/wintypes.h>

#ifdef __cplusplus
extern "C" {
#endif

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

/**
 * GetNativeSystemInfo - describe the machine, also to a 32-bit program on it
 * @lpSystemInfo: filled; cannot fail
 *
 * As GetSystemInfo(); but in a 32-bit process on a 64-bit kernel for x86 it
 * tells of the machine and not of the process: the architecture is
 * PROCESSOR_ARCHITECTURE_AMD64, the type PROCESSOR_AMD_X8664, and the highest
 * address the machine's, or rather the highest that the member can hold.
 */
void WINAPI GetNativeSystemInfo(LPSYSTEM_INFO lpSystemInfo);

#ifdef __cplusplus
}
#endif

#endif /* PRIVHEAP_SYSINFOAPI_H */
