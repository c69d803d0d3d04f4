// SPDX-License-Identifier: MIT
/* The limits of a heap, as classes of HeapSetInformation() and its sister. */
#include <errno.h>
#include <string.h>

#include "heap.h"

/* What Windows would call it. */
static DWORD limit_error(int err)
{
	switch (-err) {
	case 0:
		return NO_ERROR;
	case EINVAL:
		return ERROR_INVALID_PARAMETER;
	case EPERM:
		return ERROR_ACCESS_DENIED;
	case ENOTSUP:
		return ERROR_NOT_SUPPORTED;
	case ENODATA:
		return ERROR_NOT_FOUND;
	case EAGAIN:
		return ERROR_NOT_READY;
	case EALREADY:
		return ERROR_ALREADY_EXISTS;
	default:	/* the kernel did not answer */
		return ERROR_GEN_FAILURE;
	}
}

DWORD heap_query_limit(struct heap *heap, unsigned int resource,
		       PRIVHEAP_LIMIT_INFORMATION *info)
{
	struct privheap_limit arg = { .resource = resource };
	DWORD error = limit_error(heap_limit(heap, &arg));

	if (error)
		return error;
	*info = (PRIVHEAP_LIMIT_INFORMATION){
		.cb = sizeof(*info),
		.cbSoft = arg.out_soft,
		.cbHard = arg.out_hard,
		.cbReserve = arg.out_reserve,
		.nFailNth = arg.out_fail_nth,
		.cbCeiling = arg.out_ceiling,
		.cbUsage = arg.out_usage,
		.cbPeak = arg.out_peak,
		.cDenials = arg.out_denials,
		.dwReserveOpen = arg.out_reserve_open,
	};
	return NO_ERROR;
}

DWORD heap_set_limit(struct heap *heap, unsigned int resource,
		     const void *buffer, size_t length)
{
	PRIVHEAP_LIMIT_INFORMATION info;
	struct privheap_limit arg = { .resource = resource };

	if (length < sizeof(info))
		return ERROR_INSUFFICIENT_BUFFER;
	if (!buffer)
		return ERROR_NOACCESS;
	memcpy(&info, buffer, sizeof(info));
	if (info.cb != sizeof(info) || info.dwReserved)
		return ERROR_INVALID_PARAMETER;
	arg.set = info.dwSet;
	arg.soft = info.cbSoft;
	arg.hard = info.cbHard;
	arg.reserve = info.cbReserve;
	arg.fail_nth = info.nFailNth;
	return limit_error(heap_limit(heap, &arg));
}

DWORD heap_open_reserve(struct heap *heap, const void *buffer, size_t length)
{
	struct privheap_limit arg = { .flags = PRIVHEAP_LIMIT_OPEN_RESERVE };
	ULONG resource;

	if (length < sizeof(resource))
		return ERROR_INSUFFICIENT_BUFFER;
	if (!buffer)
		return ERROR_NOACCESS;
	memcpy(&resource, buffer, sizeof(resource));
	if (resource > PRIVHEAP_RESOURCE_RESIDENT)
		return ERROR_INVALID_PARAMETER;
	arg.resource = resource;
	return limit_error(heap_limit(heap, &arg));
}
