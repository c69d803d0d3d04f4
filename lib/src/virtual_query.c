// SPDX-License-Identifier: MIT
/* VirtualQuery() */
#include <errno.h>

#include <privheap/memoryapi.h>

#include "error.h"
#include "maps.h"
#include "no_cancel.h"
#include "process.h"
#include "sysinfo.h"
#include "virtual.h"

static void query_reservation(const struct reservation *r, uintptr_t address,
			      PMEMORY_BASIC_INFORMATION info)
{
	struct run run;

	run = runs_at(&r->runs, (address - r->base) / page_size(),
		      r->size / page_size());
	info->AllocationBase = (PVOID)r->base;
	info->AllocationProtect = r->protect;
	info->RegionSize = r->base + run.end * page_size() - address;
	info->State = run.protect ? MEM_COMMIT : MEM_RESERVE;
	info->Protect = run.protect;
	info->Type = MEM_PRIVATE;
}

/* Windows has no memory that can be written and not read. */
static DWORD query_protect(const struct mapping *mapping)
{
	bool copied = mapping->file && mapping->private;

	if (mapping->writable && mapping->executable)
		return copied ? PAGE_EXECUTE_WRITECOPY : PAGE_EXECUTE_READWRITE;
	if (mapping->writable)
		return copied ? PAGE_WRITECOPY : PAGE_READWRITE;
	if (mapping->executable)
		return mapping->readable ? PAGE_EXECUTE_READ : PAGE_EXECUTE;
	return mapping->readable ? PAGE_READONLY : PAGE_NOACCESS;
}

static void query_mapping(const struct mapping *mapping, uintptr_t address,
			  PMEMORY_BASIC_INFORMATION info)
{
	uintptr_t low, high;

	/* The kernel makes one mapping of neighbours, of our regions as well. */
	reservations_around(address, &low, &high);
	if (low < mapping->start)
		low = mapping->start;
	if (high > mapping->end)
		high = mapping->end;

	info->AllocationBase = (PVOID)low;
	info->AllocationProtect = query_protect(mapping);
	info->RegionSize = high - address;
	info->State = MEM_COMMIT;
	info->Protect = info->AllocationProtect;
	if (!mapping->file || mapping->region)
		info->Type = MEM_PRIVATE;
	else
		info->Type = mapping->image ? MEM_IMAGE : MEM_MAPPED;
}

/*
 * An address that is in no reservation. What is free ends where something is
 * mapped that is not just the part of a region that its reservation leaves.
 */
static bool query_other(uintptr_t address, PMEMORY_BASIC_INFORMATION info)
{
	const uintptr_t limit = sysinfo_highest_address() + 1;
	struct mapping mapping;
	uintptr_t at, end;

	for (at = address; at < limit && !reservations_find(at); at = end) {
		if (reservations_between(at, &end))
			continue;
		if (!maps_find(at, &mapping))
			return false;
		if (mapping.mapped) {
			if (at == address) {
				query_mapping(&mapping, address, info);
				return true;
			}
			break;
		}
		end = mapping.end < limit ? mapping.end : limit;
	}
	info->RegionSize = at - address;
	info->State = MEM_FREE;
	info->Protect = PAGE_NOACCESS;
	return true;
}

static DWORD virtual_query(uintptr_t address, PMEMORY_BASIC_INFORMATION info)
{
	const struct reservation *r;
	DWORD error = 0;

	address &= ~(uintptr_t)(page_size() - 1);
	info->BaseAddress = (PVOID)address;

	/* With the lock held, so that no reservation shows as what it is made of. */
	pthread_mutex_lock(&virtual_lock);
	r = reservations_find(address);
	if (r)
		query_reservation(r, address, info);
	else if (!query_other(address, info))
		error = ERROR_GEN_FAILURE;
	pthread_mutex_unlock(&virtual_lock);
	return error;
}

EXPORT SIZE_T WINAPI VirtualQuery(LPCVOID lpAddress,
				  PMEMORY_BASIC_INFORMATION lpBuffer,
				  SIZE_T dwLength)
{
	MEMORY_BASIC_INFORMATION info = {};
	int saved = errno;
	DWORD error;
	NO_CANCEL;

	process_check();
	if (dwLength < sizeof(info))
		error = ERROR_BAD_LENGTH;
	else if (!lpBuffer)
		error = ERROR_NOACCESS;
	else if ((uintptr_t)lpAddress > sysinfo_highest_address())
		error = ERROR_INVALID_PARAMETER;
	else
		error = virtual_query((uintptr_t)lpAddress, &info);
	if (error) {
		error_set(error);
		return 0;
	}
	*lpBuffer = info;
	errno = saved;
	return sizeof(info);
}
