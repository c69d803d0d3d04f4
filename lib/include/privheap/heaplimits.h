/* SPDX-License-Identifier: MIT */
/*
 * Limits of heaps: what HeapSetInformation() and HeapQueryInformation() take
 * besides the classes of Windows. Comes with privheap/heapapi.h.
 *
 * A heap that HeapCreate() gave a maximum has one region, whose limits these
 * are. One that grows has a limit on what all of its regions have committed
 * together, large blocks and what the heap itself keeps there included: it is
 * exact to the page, and no number of threads gets beyond it. What it refuses
 * fails with ERROR_NOT_ENOUGH_MEMORY, and PrivheapGetDeniedLevel() is 1; before
 * that the heap gives back what it has free. What is not charged to quotas at
 * all (see HeapCreate()) is not counted here either.
 */
#ifndef PRIVHEAP_HEAPLIMITS_H
#define PRIVHEAP_HEAPLIMITS_H

#include <linux/privheap.h>
#include <privheap/heapapi.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * struct _PRIVHEAP_LIMIT_INFORMATION - for PrivheapCommitLimit and
 *	PrivheapResidentLimit
 * @cb: sizeof(PRIVHEAP_LIMIT_INFORMATION)
 * @dwSet: PRIVHEAP_SET_SOFT, PRIVHEAP_SET_HARD, PRIVHEAP_SET_RESERVE,
 *	PRIVHEAP_SET_FAIL_NTH: which of the next four HeapSetInformation() sets,
 *	all of them or none; HeapQueryInformation() gives 0
 * @cbSoft: bytes; that there are more is told to who listens to the module's
 *	events. Not of a heap that grows
 * @cbHard: bytes; there cannot be more
 * @cbReserve: bytes on top of @cbHard for PrivheapOpenReserve
 * @nFailNth: the Nth commit of the heap from now is refused, as at the limit,
 *	and so is whatever the heap tries instead, until a call has failed for it.
 *	Counts down; 0: no more
 * @cbCeiling: bytes; what @cbHard and @cbReserve together can be set to: the
 *	maximum of HeapCreate() for what a fixed heap commits
 * @cbUsage: bytes that there are now
 * @cbPeak: the highest @cbUsage there was
 * @cDenials: commits that this limit refused; for one call that fails the heap
 *	may have tried several times
 * @dwReserveOpen: 1 while the reserve is open, else 0
 * @dwReserved: 0
 *
 * Sizes that are set are multiples of the page size; PRIVHEAP_NO_LIMIT for
 * @cbSoft and @cbHard means none. A limit below the usage is allowed: it refuses
 * what is new, and takes nothing away. @cbCeiling and what follows it is only
 * told, and not looked at by HeapSetInformation().
 *
 * A heap's limits end with it, also where PrivheapSetRegionCache() keeps the
 * region. What an outer level has refused (the process, the user, the cgroup, the
 * system) is not counted in @cDenials.
 */
typedef struct _PRIVHEAP_LIMIT_INFORMATION {
	DWORD		cb;
	DWORD		dwSet;
	ULONGLONG	cbSoft;
	ULONGLONG	cbHard;
	ULONGLONG	cbReserve;
	ULONGLONG	nFailNth;
	ULONGLONG	cbCeiling;
	ULONGLONG	cbUsage;
	ULONGLONG	cbPeak;
	ULONGLONG	cDenials;
	DWORD		dwReserveOpen;
	DWORD		dwReserved;
} PRIVHEAP_LIMIT_INFORMATION, *PPRIVHEAP_LIMIT_INFORMATION;

#ifdef __cplusplus
}
#endif

#endif /* PRIVHEAP_HEAPLIMITS_H */
