// SPDX-License-Identifier: MIT
/*
 * VirtualAlloc() and VirtualFree(): reservations, each in a region of its own.
 *
 * A region begins at any page and a reservation at a multiple of 64 KiB, so a
 * region is longer, and what the reservation does not need of it is never
 * committed. Protections are mprotect(2): a region's committed pages start
 * readable and writable, and executable if the region is.
 */
#include <errno.h>
#include <pthread.h>
#include <sys/mman.h>

#include <privheap/memoryapi.h>
#include <privheap/region.h>

#include "error.h"
#include "no_cancel.h"
#include "process.h"
#include "region.h"
#include "sysinfo.h"
#include "virtual.h"

/* How much longer a region must be to hold an aligned range for sure. */
#define SLACK		(ALLOCATION_GRANULARITY - page_size())

#define TYPES_KNOWN	(MEM_COMMIT | MEM_RESERVE | MEM_TOP_DOWN | \
			 MEM_RESET | MEM_RESET_UNDO)
#define TYPES_WINDOWS	(MEM_LARGE_PAGES | MEM_PHYSICAL | MEM_WRITE_WATCH)
#define MODIFIERS	(PAGE_GUARD | PAGE_NOCACHE | PAGE_WRITECOMBINE | \
			 PAGE_TARGETS_INVALID)

pthread_mutex_t virtual_lock = PTHREAD_MUTEX_INITIALIZER;

/**
 * struct page_range - pages of a reservation
 * @first: the first one
 * @end: the one after the last
 */
struct page_range {
	size_t first;
	size_t end;
};

void virtual_forget(void)
{
	pthread_mutex_init(&virtual_lock, NULL);
	reservations_forget();
}

static size_t pages_of(size_t bytes)
{
	return bytes / page_size();
}

static uintptr_t address_of(const struct reservation *r, size_t page)
{
	return r->base + page * page_size();
}

static DWORD error_no_memory(void)
{
	region_set_denied(PRIVHEAP_LEVEL_NONE);
	return ERROR_NOT_ENOUGH_MEMORY;
}

/* What a call on a region has left in errno, as a last error. */
static DWORD error_of_region(void)
{
	switch (errno) {
	case EDQUOT:
		return ERROR_COMMITMENT_LIMIT;
	case EBUSY:
		return ERROR_BUSY;
	case ENOENT:
		return ERROR_INVALID_ADDRESS;
	default:
		return error_no_memory();
	}
}

/* ------------------------------------------------------------ protections */

static int protect_to_prot(DWORD protect)
{
	switch (protect) {
	case PAGE_NOACCESS:
		return PROT_NONE;
	case PAGE_READONLY:
		return PROT_READ;
	case PAGE_READWRITE:
		return PROT_READ | PROT_WRITE;
	case PAGE_EXECUTE:
	case PAGE_EXECUTE_READ:
		return PROT_READ | PROT_EXEC;
	default:
		return PROT_READ | PROT_WRITE | PROT_EXEC;
	}
}

static DWORD protect_check(DWORD protect)
{
	switch (protect & ~MODIFIERS) {
	case PAGE_NOACCESS:
		/* Windows does not take modifiers with this one. */
		return protect & MODIFIERS ? ERROR_INVALID_PARAMETER : 0;
	case PAGE_READONLY:
	case PAGE_READWRITE:
	case PAGE_EXECUTE:
	case PAGE_EXECUTE_READ:
	case PAGE_EXECUTE_READWRITE:
		return protect & MODIFIERS ? ERROR_NOT_SUPPORTED : 0;
	default:
		return ERROR_INVALID_PARAMETER;
	}
}

static int protect_pages(const struct reservation *r, size_t first, size_t end,
			 DWORD protect)
{
	return mprotect((void *)address_of(r, first),
			(end - first) * page_size(), protect_to_prot(protect));
}

/* ---------------------------------------------------- commit and decommit */

/* Makes a range again what the runs say that it was. */
static void commit_undo(struct reservation *r, struct page_range range)
{
	size_t page, next;
	struct run run;

	for (page = range.first; page < range.end; page = next) {
		run = runs_at(&r->runs, page, pages_of(r->size));
		next = run.end < range.end ? run.end : range.end;
		if (run.protect)
			protect_pages(r, page, next, run.protect);
		else
			privheap_region_decommit((void *)r->region,
						 address_of(r, page) - r->region,
						 (next - page) * page_size());
	}
}

static DWORD commit_range(struct reservation *r, struct page_range range,
			  DWORD protect)
{
	int prot = protect_to_prot(protect);
	int native = PROT_READ | PROT_WRITE;

	if (r->executable)
		native |= PROT_EXEC;
	if (prot & ~native)
		return ERROR_NOT_SUPPORTED;
	if (!runs_make_room(&r->runs))
		return error_no_memory();

	/* Of all of it: only the region knows for sure what is committed. */
	if (privheap_region_commit((void *)r->region,
				   address_of(r, range.first) - r->region,
				   (range.end - range.first) * page_size(), 0))
		return error_of_region();
	if (prot != native || r->mixed) {
		r->mixed = true;
		if (protect_pages(r, range.first, range.end, protect)) {
			commit_undo(r, range);
			return error_no_memory();
		}
	}
	runs_set(&r->runs, range.first, range.end, protect);
	return 0;
}

static DWORD decommit_range(struct reservation *r, struct page_range range)
{
	struct page_range low = range, high = range;
	DWORD error;

	if (!runs_make_room(&r->runs))
		return error_no_memory();
	if (!privheap_region_decommit((void *)r->region,
				      address_of(r, range.first) - r->region,
				      (range.end - range.first) * page_size())) {
		runs_set(&r->runs, range.first, range.end, 0);
		return 0;
	}
	error = error_of_region();
	if (range.end - range.first == 1 || (error != ERROR_BUSY &&
					     error != ERROR_NOT_ENOUGH_MEMORY))
		return error;

	/* Some pages went and some did not: which ones? */
	low.end = range.first + (range.end - range.first) / 2;
	high.first = low.end;
	error = decommit_range(r, low);
	if (!error)
		return decommit_range(r, high);
	decommit_range(r, high);
	return error;
}

/* ---------------------------------------------------------------- reserve */

/* Makes a region with the reservation in it, which is in no table yet. */
static DWORD reserve_region(struct reservation *r, size_t size, DWORD protect)
{
	unsigned int flags = PRIVHEAP_CREATE_LAZY;
	void *region;

	*r = (struct reservation){ .protect = protect };
	if (!page_round_up(size, &r->size) ||
	    __builtin_add_overflow(r->size, SLACK, &r->length))
		return error_no_memory();

	r->executable = protect_to_prot(protect) & PROT_EXEC;
	if (r->executable)
		flags |= PRIVHEAP_CREATE_EXEC;
	region = privheap_region_create(r->length, 0, 0, flags);
	if (!region)
		return error_of_region();
	r->region = (uintptr_t)region;
	r->base = (r->region + SLACK) & ~(uintptr_t)(ALLOCATION_GRANULARITY - 1);
	return 0;
}

static DWORD virtual_reserve(uintptr_t *address, size_t size, DWORD type,
			     DWORD protect)
{
	struct reservation r;
	DWORD error;
	bool added;

	error = reserve_region(&r, size, protect);
	if (error)
		return error;
	/* Nobody knows of it yet, so this needs no lock. */
	if (type & MEM_COMMIT) {
		error = commit_range(&r, (struct page_range){
				     0, pages_of(r.size) }, protect);
		if (error)
			goto err_undo;
	}

	pthread_mutex_lock(&virtual_lock);
	added = reservations_add(&r);
	pthread_mutex_unlock(&virtual_lock);
	if (!added) {
		error = error_no_memory();
		goto err_undo;
	}
	*address = r.base;
	return 0;

err_undo:
	runs_release(&r.runs);
	region_end((void *)r.region, r.length);
	return error;
}

/* --------------------------------------------------------------- requests */

/* The pages with a byte of the range; false: it is not in the reservation. */
static bool range_in(const struct reservation *r, uintptr_t address, size_t size,
		     struct page_range *range)
{
	size_t offset = address - r->base;

	if (size > r->size - offset)
		return false;
	range->first = pages_of(offset);
	range->end = pages_of(offset + size + page_size() - 1);
	return true;
}

/* MEM_COMMIT, MEM_RESET and MEM_RESET_UNDO of addresses that are reserved */
static DWORD virtual_change(uintptr_t *address, size_t size, DWORD type,
			    DWORD protect)
{
	DWORD error = ERROR_INVALID_ADDRESS;
	struct reservation *r;
	struct page_range range;

	pthread_mutex_lock(&virtual_lock);
	r = reservations_find(*address);
	if (r && range_in(r, *address, size, &range)) {
		error = 0;
		if (type & MEM_COMMIT)
			error = commit_range(r, range, protect);
		if (!error)
			*address = address_of(r, range.first);
	}
	pthread_mutex_unlock(&virtual_lock);
	return error;
}

static DWORD types_check(DWORD type)
{
	if (type & ~(TYPES_KNOWN | TYPES_WINDOWS))
		return ERROR_INVALID_PARAMETER;
	if (type & (MEM_RESET | MEM_RESET_UNDO)) {
		if (type != MEM_RESET && type != MEM_RESET_UNDO)
			return ERROR_INVALID_PARAMETER;
	} else if (!(type & (MEM_COMMIT | MEM_RESERVE))) {
		return ERROR_INVALID_PARAMETER;
	}
	return type & TYPES_WINDOWS ? ERROR_NOT_SUPPORTED : 0;
}

static DWORD virtual_alloc(uintptr_t *address, size_t size, DWORD type,
			   DWORD protect)
{
	DWORD error = types_check(type);
	uintptr_t last;

	if (!error)
		error = protect_check(protect);
	if (error)
		return error;
	if (!size)
		return ERROR_INVALID_PARAMETER;
	if (!*address && type & (MEM_COMMIT | MEM_RESERVE))
		return virtual_reserve(address, size, type, protect);

	if (*address && *address < ALLOCATION_GRANULARITY)
		return ERROR_INVALID_PARAMETER;
	if (__builtin_add_overflow(*address, size - 1, &last) ||
	    last > sysinfo_highest_address())
		return ERROR_INVALID_PARAMETER;
	/* Regions go where the kernel finds room. */
	if (type & MEM_RESERVE)
		return ERROR_INVALID_ADDRESS;
	return virtual_change(address, size, type, protect);
}

EXPORT LPVOID WINAPI VirtualAlloc(LPVOID lpAddress, SIZE_T dwSize,
				  DWORD flAllocationType, DWORD flProtect)
{
	uintptr_t address = (uintptr_t)lpAddress;
	int saved = errno;
	DWORD error;
	NO_CANCEL;

	process_check();
	error = virtual_alloc(&address, dwSize, flAllocationType, flProtect);
	if (error) {
		error_set(error);
		return NULL;
	}
	errno = saved;
	return (LPVOID)address;
}

static DWORD virtual_decommit(uintptr_t address, size_t size)
{
	DWORD error = ERROR_INVALID_ADDRESS;
	struct reservation *r;
	struct page_range range;

	pthread_mutex_lock(&virtual_lock);
	r = reservations_find(address);
	if (!r || (!size && address != r->base))
		goto out;
	error = ERROR_INVALID_PARAMETER;
	if (range_in(r, address, size ? size : r->size, &range))
		error = decommit_range(r, range);
out:
	pthread_mutex_unlock(&virtual_lock);
	return error;
}

static DWORD virtual_release(uintptr_t address)
{
	struct reservation *r;
	uintptr_t region;
	size_t length;

	pthread_mutex_lock(&virtual_lock);
	r = reservations_find(address);
	if (!r || r->base != address) {
		pthread_mutex_unlock(&virtual_lock);
		return ERROR_INVALID_ADDRESS;
	}
	region = r->region;
	length = r->length;
	reservations_remove(r);
	pthread_mutex_unlock(&virtual_lock);

	/* Takes a while for many pages. No new region can be here before. */
	region_end((void *)region, length);
	return 0;
}

EXPORT BOOL WINAPI VirtualFree(LPVOID lpAddress, SIZE_T dwSize,
			       DWORD dwFreeType)
{
	DWORD error = ERROR_INVALID_PARAMETER;
	int saved = errno;
	NO_CANCEL;

	process_check();
	if (dwFreeType == MEM_DECOMMIT)
		error = virtual_decommit((uintptr_t)lpAddress, dwSize);
	else if (dwFreeType == MEM_RELEASE && !dwSize)
		error = virtual_release((uintptr_t)lpAddress);
	if (error) {
		error_set(error);
		return FALSE;
	}
	errno = saved;
	return TRUE;
}
