// SPDX-License-Identifier: MIT
/*
 * Two private heaps at work: a fixed one and a growable one, and after each
 * step what is reserved, committed and resident for this process.
 *
 * The program checks what it says. It ends with 1 when something does not hold.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <privheap/heapapi.h>
#include <privheap/region.h>

#define KIB		((SIZE_T)1024)
#define MIB		(1024 * KIB)

#define BAR_WIDTH	24

/* More than the first region of a growable heap holds, of 1 KiB each. */
#define BLOCKS		((SIZE_T)10000)

static char *blocks[BLOCKS];

static unsigned long long bar_full;	/* bytes that fill a bar */
static int failures;

static struct privheap_region_info totals(void)
{
	struct privheap_region_info info;

	if (privheap_query_process(&info)) {
		perror("privheap_query_process");
		failures++;
		memset(&info, 0, sizeof(info));
	}
	return info;
}

/* '#' resident, '=' committed, '.' reserved */
static void bar(char *text, const struct privheap_region_info *info)
{
	unsigned long long unit = bar_full / BAR_WIDTH;
	int i;

	for (i = 0; i < BAR_WIDTH; i++) {
		unsigned long long from = i * unit;

		if (from < info->resident)
			text[i] = '#';
		else if (from < info->committed)
			text[i] = '=';
		else if (from < info->reserved)
			text[i] = '.';
		else
			break;
	}
	text[i] = '\0';
}

/* Prints a row, and returns what it shows. */
static struct privheap_region_info row(const char *step)
{
	struct privheap_region_info info = totals();
	char drawn[BAR_WIDTH + 1];

	bar(drawn, &info);
	printf("%-25s%9llu%9llu%9llu%s%s\n", step,
	       (unsigned long long)info.reserved / KIB,
	       (unsigned long long)info.committed / KIB,
	       (unsigned long long)info.resident / KIB, *drawn ? "  " : "",
	       drawn);
	return info;
}

static void heading(const char *title, unsigned long long full)
{
	bar_full = full;
	printf("\n%s\n", title);
	printf("%-25s%9s%9s%9s\n", "KiB after this step", "reserved",
	       "commit", "resident");
}

__attribute__((format(printf, 2, 3)))
static void claim(int holds, const char *text, ...)
{
	va_list args;

	printf("  %s ", holds ? "->" : "FAILED:");
	va_start(args, text);
	vprintf(text, args);
	va_end(args);
	printf("\n");
	if (!holds)
		failures++;
}

static void zero_claim(const struct privheap_region_info *info)
{
	claim(!info->regions && !info->reserved && !info->committed &&
	      !info->resident, "HeapDestroy gave everything back, at once");
}

static void fixed_heap(void)
{
	struct privheap_region_info before, after;
	SIZE_T page = sysconf(_SC_PAGESIZE);
	char *block, *more, *small;
	HANDLE heap;

	heading("A fixed heap: HeapCreate(0, 64 KiB, 1 MiB)", MIB);
	row("before");
	heap = HeapCreate(0, 64 * KIB, MIB);
	if (!heap) {
		claim(0, "HeapCreate: error %u", GetLastError());
		return;
	}
	after = row("HeapCreate");
	claim(after.reserved == MIB + page && after.committed == 64 * KIB &&
	      after.resident == 64 * KIB,
	      "1 MiB, and a guard page; its first 64 KiB are memory already");

	before = after;
	block = HeapAlloc(heap, 0, 400 * KIB);
	after = row("HeapAlloc 400 KiB");
	claim(block && after.committed >= 400 * KIB,
	      "past the initial size: the heap committed more");
	claim(after.resident - before.resident <= 64 * KIB,
	      "but nobody touched it: no pages yet");
	if (!block)
		goto out;

	before = after;
	memset(block, 1, 200 * KIB);
	after = row("touch 200 KiB of it");
	claim(after.resident > before.resident &&
	      after.resident >= 200 * KIB &&
	      after.committed == before.committed,
	      "pages came with the touch; the commit is as it was");

	more = HeapAlloc(heap, 0, 400 * KIB);
	before = row("HeapAlloc 400 KiB more");
	claim(!!more, "a second one fits");
	SetLastError(0);
	more = HeapAlloc(heap, 0, 400 * KIB);
	after = row("and a third");
	claim(!more && GetLastError() == ERROR_NOT_ENOUGH_MEMORY,
	      "refused: NULL, error %u (ERROR_NOT_ENOUGH_MEMORY)",
	      GetLastError());
	claim(after.committed == before.committed &&
	      PrivheapGetDeniedLevel() == PRIVHEAP_LEVEL_REGION,
	      "by the heap's own maximum; no signal, no OOM kill: we live");

	small = HeapAlloc(heap, HEAP_ZERO_MEMORY, 2 * page);
	claim(small && !small[0] && block[200 * KIB - 1] == 1,
	      "and a smaller block still fits; what we wrote is there");
out:
	HeapDestroy(heap);
	after = row("HeapDestroy");
	zero_claim(&after);
}

static void growable_heap(void)
{
	struct privheap_region_info before, after;
	PRIVHEAP_USAGE usage = { .cb = sizeof(usage) };
	SIZE_T i, served = 0;
	char *block, *large;
	HANDLE heap;
	BOOL known;

	heading("A growable heap: HeapCreate(0, 0, 0)", 96 * MIB);
	heap = HeapCreate(0, 0, 0);
	if (!heap) {
		claim(0, "HeapCreate: error %u", GetLastError());
		return;
	}
	after = row("HeapCreate");
	claim(after.committed == (SIZE_T)sysconf(_SC_PAGESIZE),
	      "an initial size of 0 commits one page");

	before = after;
	for (i = 0; i < BLOCKS; i++) {
		block = HeapAlloc(heap, 0, KIB);
		if (block) {
			memset(block, 2, KIB);
			blocks[served++] = block;
		}
	}
	after = row("10000 blocks of 1 KiB");
	claim(served == BLOCKS && after.reserved > before.reserved,
	      "its first range was full: it reserved another");

	before = after;
	large = HeapAlloc(heap, 0, 16 * MIB);
	after = row("HeapAlloc 16 MiB");
	claim(large && after.regions == before.regions + 1 &&
	      after.committed - before.committed >= 16 * MIB,
	      "a large block has a range of its own");
	claim(after.resident - before.resident <= 4 * MIB, "without its pages");
	if (!large)
		goto out;

	before = after;
	memset(large, 3, 8 * MIB);
	after = row("touch 8 MiB of it");
	claim(after.resident >= 8 * MIB && after.committed == before.committed,
	      "pages as they are touched");

	known = PrivheapQueryHeap(heap, &usage);
	claim(known && usage.cBlocks == BLOCKS + 1 && usage.cbAllocated ==
	      BLOCKS * KIB + 16 * MIB && usage.cbCommitted == after.committed,
	      "the heap counts %llu blocks, the kernel %u ranges",
	      (unsigned long long)usage.cBlocks, usage.dwRegions);

	before = after;
	HeapFree(heap, 0, large);
	after = row("HeapFree 16 MiB");
	claim(after.committed <= before.committed - 16 * MIB,
	      "a large block goes back when it is freed");

	before = after;
	for (i = 0; i < served; i++)
		HeapFree(heap, 0, blocks[i]);
	after = row("HeapFree all others");
	claim(after.committed <= before.committed / 2,
	      "most of what small blocks had goes back by itself");
	HeapCompact(heap, 0);
	after = row("HeapCompact");
	claim(after.committed <= 64 * KIB, "and the rest when it is asked to");
out:
	HeapDestroy(heap);
	after = row("HeapDestroy");
	zero_claim(&after);
}

int main(void)
{
	static const char *const names[] = {
		[PRIVHEAP_BACKEND_NONE]		= "nobody",
		[PRIVHEAP_BACKEND_MODULE]	= "the kernel module privheap",
		[PRIVHEAP_BACKEND_ANONYMOUS]	= "the library itself: no module here",
	};
	enum privheap_backend backend = privheap_backend();

	printf("Private heaps, kept by %s (%u-bit program).\n",
	       names[backend], (unsigned int)sizeof(void *) * 8);
	printf("Bars: # resident (pages), = committed (a promise), . reserved (addresses)\n");
	if (backend == PRIVHEAP_BACKEND_NONE) {
		perror("no back end");
		return 1;
	}
	fixed_heap();
	growable_heap();

	if (failures) {
		printf("\n%d of the demo's claims FAILED\n", failures);
		return 1;
	}
	printf("\nall of the demo's claims hold\n");
	return 0;
}
