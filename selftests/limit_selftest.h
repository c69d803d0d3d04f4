/* SPDX-License-Identifier: GPL-2.0-only */
/* PRIVHEAP_IOC_LIMIT as calls: of a region, or of the process where base is NULL */
#ifndef LIMIT_SELFTEST_H
#define LIMIT_SELFTEST_H

#include <errno.h>
#include <string.h>

#include "privheap_selftest.h"

#define COMMIT		PRIVHEAP_RESOURCE_COMMIT
#define RESIDENT	PRIVHEAP_RESOURCE_RESIDENT

static inline struct privheap_limit limit_arg(const void *base, uint32_t resource)
{
	struct privheap_limit arg = {
		.size = sizeof(arg),
		.flags = base ? 0 : PRIVHEAP_LIMIT_PROCESS,
		.base = TO_BASE(base),
		.resource = resource,
	};

	return arg;
}

/* Set one of PRIVHEAP_SET_*. Returns 0 or a negative errno. */
static inline int limit_set(int fd, const void *base, uint32_t resource, uint32_t what,
			    uint64_t value)
{
	struct privheap_limit arg = limit_arg(base, resource);

	arg.set = what;
	arg.soft = value;
	arg.hard = value;
	arg.reserve = value;
	arg.fail_nth = value;
	return ph_ioctl(fd, PRIVHEAP_IOC_LIMIT, &arg);
}

/* What is in force; all bits set when there is no such region. */
static inline struct privheap_limit limit_get(int fd, const void *base, uint32_t resource)
{
	struct privheap_limit arg = limit_arg(base, resource);

	if (ph_ioctl(fd, PRIVHEAP_IOC_LIMIT, &arg))
		memset(&arg, 0xff, sizeof(arg));
	return arg;
}

static inline int limit_open_reserve(int fd, const void *base, uint32_t resource)
{
	struct privheap_limit arg = limit_arg(base, resource);

	arg.flags |= PRIVHEAP_LIMIT_OPEN_RESERVE;
	return ph_ioctl(fd, PRIVHEAP_IOC_LIMIT, &arg);
}

/* GROW; the level that refused, 0 when granted, a negative errno for all else. */
static inline int limit_grow(int fd, void *base, uint64_t commit, uint32_t flags)
{
	struct privheap_grow arg = {
		.size = sizeof(arg),
		.flags = flags,
		.base = TO_BASE(base),
		.commit = commit,
	};
	int ret = ph_ioctl(fd, PRIVHEAP_IOC_GROW, &arg);

	return ret == -EDQUOT ? (int)arg.out_denied : ret;
}

#endif /* LIMIT_SELFTEST_H */
