// SPDX-License-Identifier: GPL-2.0-only
/*
 * A program of somebody who has the header and the library, and nothing else of
 * ours: C99, C11 and C++. Ends with 1 when a call does not do what it must.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <privheap/heapapi.h>
#include <privheap/region.h>

#ifdef __cplusplus
#define LANGUAGE	"C++"
#define STANDARD	__cplusplus
#else
#define LANGUAGE	"C"
#define STANDARD	__STDC_VERSION__
#endif

static int failures;

static void must(int holds, const char *what)
{
	if (holds)
		return;
	printf("FAILED: %s, error %u\n", what, (unsigned int)GetLastError());
	failures++;
}

/* A third block of 400 KiB is beyond a maximum of 1 MiB; malloc would have it. */
static void fixed(void)
{
	HANDLE heap = HeapCreate(0, 0x10000, 0x100000);
	char *block, *other;

	must(!!heap, "HeapCreate");
	block = (char *)HeapAlloc(heap, HEAP_ZERO_MEMORY, 400000);
	other = (char *)HeapAlloc(heap, 0, 400000);
	must(block && other && !block[399999], "HeapAlloc");
	if (other)
		memset(other, 1, 400000);

	SetLastError(0);
	errno = 0;
	must(!HeapAlloc(heap, 0, 400000), "a block beyond the maximum");
	must(GetLastError() == ERROR_NOT_ENOUGH_MEMORY, "its last error");
	must(errno == ERROR_NOT_ENOUGH_MEMORY, "its errno");
	must(HeapSize(heap, 0, other) == 400000, "HeapSize");
	must(HeapFree(heap, 0, block) == TRUE, "HeapFree");
	must(HeapFree(heap, 0, block) == FALSE, "HeapFree, the second time");
	must(HeapDestroy(heap) == TRUE, "HeapDestroy");
	must(HeapDestroy(heap) == FALSE, "HeapDestroy, the second time");
	must(GetLastError() == ERROR_INVALID_HANDLE, "its last error");
}

static void region(void)
{
	struct privheap_region_info info;

	must(!privheap_query_process(&info) && info.regions == 0,
	     "no regions in the end");
}

int main(void)
{
	fixed();
	region();
	must(PrivheapGetBackend() != PRIVHEAP_BACKEND_NONE, "a back end");
	printf("%s %ld, back end %u: %s\n", LANGUAGE, (long)STANDARD,
	       (unsigned int)PrivheapGetBackend(), failures ? "FAILED" : "fine");
	return failures != 0;
}
