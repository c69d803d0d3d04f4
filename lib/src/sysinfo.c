// SPDX-License-Identifier: MIT
/* GetSystemInfo() and GetNativeSystemInfo() */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#endif

#include <privheap/heapapi.h>

#include "common.h"
#include "no_cancel.h"
#include "sysinfo.h"

static uintptr_t sysinfo_lowest_address(void)
{
	unsigned long lowest = 65536;	/* every distribution's setting */
	char text[32];
	ssize_t length;
	int fd;
	NO_CANCEL;

	fd = no_cancel_open("/proc/sys/vm/mmap_min_addr", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return lowest;
	length = no_cancel_read(fd, text, sizeof(text) - 1);
	no_cancel_close(fd);
	if (length > 0) {
		text[length] = '\0';
		lowest = strtoul(text, NULL, 10);
	}
	/* Never NULL, even where the kernel would let root map it. */
	return lowest < page_size() ? page_size() : lowest;
}

#if defined(__i386__)
/*
 * uname(2) would tell, but says what a personality wants programs to believe.
 * The kernels have given the code segment of 32-bit programs these numbers
 * since there are two of them.
 */
static bool sysinfo_kernel_is_64bit(void)
{
	unsigned int cs;

	__asm__("mov %%cs, %0" : "=r"(cs));
	return cs == 0x23;
}
#endif

uintptr_t sysinfo_highest_address(void)
{
#if defined(__x86_64__)
	return ((uintptr_t)1 << 47) - page_size() - 1;
#elif defined(__i386__)
	/* A 64-bit kernel leaves nearly all of it to a 32-bit program. */
	return (sysinfo_kernel_is_64bit() ? 0xFFFFE000u : 0xC0000000u) - 1;
#elif UINTPTR_MAX > 0xFFFFFFFF
	return ((uintptr_t)1 << 47) - 1;
#else
	return 0xC0000000u - 1;
#endif
}

static void sysinfo_processor(LPSYSTEM_INFO info)
{
#if defined(__x86_64__) || defined(__i386__)
	unsigned int a = 0, b, c, d, family, model;

	__get_cpuid(1, &a, &b, &c, &d);
	family = a >> 8 & 15;
	model = a >> 4 & 15;
	if (family == 6 || family == 15)
		model += (a >> 16 & 15) << 4;
	if (family == 15)
		family += a >> 20 & 255;
	info->wProcessorLevel = family;
	info->wProcessorRevision = model << 8 | (a & 15);
#endif
#if defined(__x86_64__)
	info->wProcessorArchitecture = PROCESSOR_ARCHITECTURE_AMD64;
	info->dwProcessorType = PROCESSOR_AMD_X8664;
#elif defined(__i386__)
	info->wProcessorArchitecture = PROCESSOR_ARCHITECTURE_INTEL;
	info->dwProcessorType = PROCESSOR_INTEL_PENTIUM;
#elif defined(__aarch64__)
	info->wProcessorArchitecture = PROCESSOR_ARCHITECTURE_ARM64;
#elif defined(__arm__)
	info->wProcessorArchitecture = PROCESSOR_ARCHITECTURE_ARM;
#else
	info->wProcessorArchitecture = PROCESSOR_ARCHITECTURE_UNKNOWN;
#endif
}

EXPORT void WINAPI GetSystemInfo(LPSYSTEM_INFO lpSystemInfo)
{
	int saved = errno;
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	const long mask_bits = 8 * sizeof(DWORD_PTR);

	if (processors < 1)
		processors = 1;
	memset(lpSystemInfo, 0, sizeof(*lpSystemInfo));
	sysinfo_processor(lpSystemInfo);
	lpSystemInfo->dwPageSize = page_size();
	lpSystemInfo->lpMinimumApplicationAddress =
		(LPVOID)sysinfo_lowest_address();
	lpSystemInfo->lpMaximumApplicationAddress =
		(LPVOID)sysinfo_highest_address();
	lpSystemInfo->dwActiveProcessorMask = processors >= mask_bits ?
		~(DWORD_PTR)0 : ((DWORD_PTR)1 << processors) - 1;
	lpSystemInfo->dwNumberOfProcessors = processors;
	lpSystemInfo->dwAllocationGranularity = ALLOCATION_GRANULARITY;
	errno = saved;
}

EXPORT void WINAPI GetNativeSystemInfo(LPSYSTEM_INFO lpSystemInfo)
{
	GetSystemInfo(lpSystemInfo);
#if defined(__i386__)
	if (sysinfo_kernel_is_64bit()) {
		lpSystemInfo->wProcessorArchitecture =
			PROCESSOR_ARCHITECTURE_AMD64;
		lpSystemInfo->dwProcessorType = PROCESSOR_AMD_X8664;
		lpSystemInfo->lpMaximumApplicationAddress = (LPVOID)UINTPTR_MAX;
	}
#endif
}
