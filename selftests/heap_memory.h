/* SPDX-License-Identifier: GPL-2.0-only */
/* What the tests of the memory of heaps share. */
#ifndef PRIVHEAP_SELFTESTS_HEAP_MEMORY_H
#define PRIVHEAP_SELFTESTS_HEAP_MEMORY_H

#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>

#include <privheap/heapapi.h>
#include <privheap/region.h>

#define KIB		((SIZE_T)1024)
#define MIB		(1024 * KIB)
#define STALE		((DWORD)0xdeadbeef)	/* a last error nobody sets */

/* What a heap may keep that holds nothing, by the rule beside HeapFree(). */
#define KEPT		(512 * KIB)

static inline PRIVHEAP_USAGE usage_of(HANDLE heap)
{
	PRIVHEAP_USAGE usage = { .cb = sizeof(usage) };

	if (!PrivheapQueryHeap(heap, &usage))
		memset(&usage, 0xff, sizeof(usage));
	return usage;
}

static inline ULONGLONG committed_of(HANDLE heap)
{
	return usage_of(heap).cbCommitted;
}

/* What the process is charged for. */
static inline ULONGLONG charge(void)
{
	struct privheap_region_info info;

	if (privheap_query_process(&info))
		return UINT64_MAX;
	return info.committed;
}

static inline bool all_bytes(const void *block, int value, SIZE_T size)
{
	const unsigned char *byte = block;

	/* Each is like the next one: quick under tools, too. */
	return !size || (byte[0] == (unsigned char)value &&
			 !memcmp(byte, byte + 1, size - 1));
}

static sigjmp_buf fault_jump;

static inline void on_fault(int sig)
{
	siglongjmp(fault_jump, sig);
}

/* The signal that writing a byte there raises; 0: none. */
static inline int fault_at(volatile char *address)
{
	struct sigaction action = { .sa_handler = on_fault }, old[2];
	int sig;

	sigaction(SIGSEGV, &action, &old[0]);
	sigaction(SIGBUS, &action, &old[1]);
	sig = sigsetjmp(fault_jump, 1);
	if (!sig)
		*address = 1;
	sigaction(SIGSEGV, &old[0], NULL);
	sigaction(SIGBUS, &old[1], NULL);
	return sig;
}

/*
 * Blocks of one size, all written to: that they take pages shows that these
 * come back. As many as the array holds, or as the heap has room for.
 */
static inline int fill(HANDLE heap, char **blocks, int count, SIZE_T size)
{
	int i;

	for (i = 0; i < count; i++) {
		blocks[i] = HeapAlloc(heap, 0, size);
		if (!blocks[i])
			break;
		memset(blocks[i], i, size);
	}
	return i;
}

static inline bool intact(HANDLE heap, char **blocks, int i, SIZE_T size)
{
	return HeapSize(heap, 0, blocks[i]) == size &&
	       all_bytes(blocks[i], i, size);
}

#endif /* PRIVHEAP_SELFTESTS_HEAP_MEMORY_H */
