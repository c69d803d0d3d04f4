// SPDX-License-Identifier: MIT
/*
 * The public functions of privheap/region.h, and the choice of a back end.
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <privheap/region.h>

#include "annotate.h"
#include "message.h"
#include "no_cancel.h"
#include "process.h"
#include "region.h"
#include "region_ops.h"

/* Taken with a heap's lock held, and before the locks of the back ends. */
static pthread_mutex_t region_lock = PTHREAD_MUTEX_INITIALIZER;
static _Atomic(const struct region_ops *) region_ops;	/* once chosen */
static bool region_complained;

static atomic_bool region_limited;	/* limits were set on one */

static __thread unsigned int region_denied;
static __thread uint64_t region_committed;

/* Chooses a back end; region_lock is held. Returns 0 or -errno. */
static int region_choose(const struct region_ops **ops)
{
	const char *wish = secure_getenv("PRIVHEAP_BACKEND");
	bool automatic = !wish || !*wish || !strcmp(wish, "auto");
	bool anonymous = automatic ? annotate_needs_anonymous() :
				     !strcmp(wish, "anonymous");
	struct message message = { .length = 0 };
	int err;

	if (!anonymous && (automatic || !strcmp(wish, "module"))) {
		*ops = &region_module_ops;
		err = (*ops)->open();
		if (err != -ENOENT || !automatic)
			return err;
		anonymous = true;
	}
	if (anonymous) {
		*ops = &region_anonymous_ops;
		return (*ops)->open();
	}
	if (!region_complained) {
		region_complained = true;
		message_text(&message, "PRIVHEAP_BACKEND is not auto, module or anonymous: ");
		message_text(&message, wish);
		message_write(&message);
	}
	return -EINVAL;
}

static const struct region_ops *region_find_ops(void)
{
	const struct region_ops *ops;
	int err = 0;
	NO_CANCEL;

	pthread_mutex_lock(&region_lock);
	ops = atomic_load_explicit(&region_ops, memory_order_relaxed);
	if (!ops) {
		err = region_choose(&ops);
		if (!err)
			atomic_store_explicit(&region_ops, ops,
					      memory_order_release);
	}
	pthread_mutex_unlock(&region_lock);
	if (err) {
		errno = -err;
		return NULL;
	}
	return ops;
}

/* The back end of this process; NULL with errno. */
static inline const struct region_ops *region_get_ops(void)
{
	const struct region_ops *ops;

	process_check();
	ops = atomic_load_explicit(&region_ops, memory_order_acquire);
	return likely(ops) ? ops : region_find_ops();
}

void region_forget(void)
{
	/* The choice stays: a child is the same program with the same rights. */
	pthread_mutex_init(&region_lock, NULL);
}

void region_set_denied(unsigned int level)
{
	region_denied = level;
}

uint64_t region_last_committed(void)
{
	return region_committed;
}

static int region_result(int err)
{
	if (!err)
		return 0;
	errno = -err;
	return -1;
}

/* The level comes by address: it is written by the call that makes @err. */
static int region_result_denied(int err, const __u32 *level)
{
	if (err == -EDQUOT && level)
		region_denied = *level;
	return region_result(err);
}

/* So does what is committed then. */
static int region_result_committed(int err, const __u64 *committed,
				   const __u32 *level)
{
	if (!err)
		region_committed = *committed;
	return region_result_denied(err, level);
}

EXPORT void *privheap_region_create(size_t reserve, size_t commit, size_t limit,
				    unsigned int flags)
{
	NO_CANCEL_BY_OTHERS;
	const struct region_ops *ops = region_get_ops();
	struct privheap_create arg = {
		.size = sizeof(arg),
		.flags = flags,
		.reserve = reserve,
		.commit = commit,
		.limit = limit,
	};

	if (!ops || region_result_denied(ops->create(&arg), &arg.out_denied))
		return NULL;
	return (void *)(uintptr_t)arg.out_base;
}

EXPORT int privheap_region_grow(void *base, size_t commit, unsigned int flags)
{
	NO_CANCEL_BY_OTHERS;
	const struct region_ops *ops = region_get_ops();
	struct privheap_grow arg = {
		.size = sizeof(arg),
		.flags = flags,
		.base = (uintptr_t)base,
		.commit = commit,
	};

	if (!ops)
		return -1;
	return region_result_committed(ops->grow(&arg), &arg.out_committed,
				       &arg.out_denied);
}

EXPORT int privheap_region_commit(void *base, size_t offset, size_t length,
				  unsigned int flags)
{
	NO_CANCEL_BY_OTHERS;
	const struct region_ops *ops = region_get_ops();
	struct privheap_commit arg = {
		.size = sizeof(arg),
		.flags = flags,
		.base = (uintptr_t)base,
		.offset = offset,
		.length = length,
	};

	if (!ops)
		return -1;
	return region_result_committed(ops->commit(&arg), &arg.out_committed,
				       &arg.out_denied);
}

EXPORT int privheap_region_decommit(void *base, size_t offset, size_t length)
{
	NO_CANCEL_BY_OTHERS;
	const struct region_ops *ops = region_get_ops();
	struct privheap_decommit arg = {
		.size = sizeof(arg),
		.base = (uintptr_t)base,
		.offset = offset,
		.length = length,
	};

	if (!ops)
		return -1;
	return region_result_committed(ops->decommit(&arg), &arg.out_committed,
				       NULL);
}

EXPORT int privheap_region_destroy(void *base)
{
	NO_CANCEL_BY_OTHERS;
	const struct region_ops *ops = region_get_ops();
	struct privheap_destroy arg = {
		.size = sizeof(arg),
		.base = (uintptr_t)base,
	};

	if (!ops)
		return -1;
	return region_result(ops->destroy(&arg));
}

static int region_query(unsigned int flags, void *base,
			struct privheap_region_info *info)
{
	NO_CANCEL;
	const struct region_ops *ops = region_get_ops();
	struct privheap_query arg = {
		.size = sizeof(arg),
		.flags = flags,
		.base = (uintptr_t)base,
	};
	int err;

	if (!ops)
		return -1;
	err = ops->query(&arg);
	if (err)
		return region_result(err);

	info->id = arg.out_id;
	info->regions = arg.out_regions;
	info->reserved = arg.out_reserved;
	info->committed = arg.out_committed;
	info->resident = arg.out_resident;
	info->peak_committed = arg.out_peak_committed;
	info->peak_resident = arg.out_peak_resident;
	info->limit = arg.out_limit;
	info->faults = arg.out_faults;
	info->denials = arg.out_denials;
	info->features = arg.out_features;
	return 0;
}

EXPORT int privheap_region_query(void *base, struct privheap_region_info *info)
{
	return region_query(0, base, info);
}

EXPORT int privheap_query_process(struct privheap_region_info *info)
{
	return region_query(PRIVHEAP_QUERY_PROCESS, NULL, info);
}

EXPORT int privheap_query_system(struct privheap_region_info *info)
{
	return region_query(PRIVHEAP_QUERY_SYSTEM, NULL, info);
}

EXPORT int privheap_region_notify(void *base, unsigned int resource,
				  size_t threshold, int eventfd,
				  unsigned int flags)
{
	NO_CANCEL;
	const struct region_ops *ops = region_get_ops();
	struct privheap_notify arg = {
		.size = sizeof(arg),
		.flags = flags,
		.base = (uintptr_t)base,
		.threshold = threshold,
		.resource = resource,
		.eventfd = eventfd,
	};

	if (!ops)
		return -1;
	return region_result(ops->notify(&arg));
}

int region_limit(struct privheap_limit *arg)
{
	NO_CANCEL;
	const struct region_ops *ops = region_get_ops();

	if (!ops)
		return -1;
	if (arg->set && !(arg->flags & PRIVHEAP_LIMIT_PROCESS))
		atomic_store_explicit(&region_limited, true,
				      memory_order_relaxed);
	arg->size = sizeof(*arg);
	return region_result(ops->limit(arg));
}

static int region_get_limits(struct privheap_limit *arg,
			     struct privheap_limits *limits)
{
	if (region_limit(arg))
		return -1;
	limits->soft = arg->out_soft;
	limits->hard = arg->out_hard;
	limits->reserve = arg->out_reserve;
	limits->fail_nth = arg->out_fail_nth;
	limits->ceiling = arg->out_ceiling;
	limits->usage = arg->out_usage;
	limits->peak = arg->out_peak;
	limits->denials = arg->out_denials;
	limits->reserve_open = arg->out_reserve_open;
	return 0;
}

static int region_set_limits(struct privheap_limit *arg, unsigned int set,
			     const struct privheap_limits *limits)
{
	arg->set = set;
	arg->soft = limits->soft;
	arg->hard = limits->hard;
	arg->reserve = limits->reserve;
	arg->fail_nth = limits->fail_nth;
	return region_limit(arg);
}

EXPORT int privheap_region_get_limits(void *base, unsigned int resource,
				      struct privheap_limits *limits)
{
	struct privheap_limit arg = {
		.base = (uintptr_t)base,
		.resource = resource,
	};

	return region_get_limits(&arg, limits);
}

EXPORT int privheap_region_set_limits(void *base, unsigned int resource,
				      unsigned int set,
				      const struct privheap_limits *limits)
{
	struct privheap_limit arg = {
		.base = (uintptr_t)base,
		.resource = resource,
	};

	return region_set_limits(&arg, set, limits);
}

EXPORT int privheap_region_open_reserve(void *base, unsigned int resource)
{
	struct privheap_limit arg = {
		.flags = PRIVHEAP_LIMIT_OPEN_RESERVE,
		.base = (uintptr_t)base,
		.resource = resource,
	};

	return region_limit(&arg);
}

EXPORT int privheap_process_get_limits(unsigned int resource,
				       struct privheap_limits *limits)
{
	struct privheap_limit arg = {
		.flags = PRIVHEAP_LIMIT_PROCESS,
		.resource = resource,
	};

	return region_get_limits(&arg, limits);
}

EXPORT int privheap_process_set_limits(unsigned int resource, unsigned int set,
				       const struct privheap_limits *limits)
{
	struct privheap_limit arg = {
		.flags = PRIVHEAP_LIMIT_PROCESS,
		.resource = resource,
	};

	return region_set_limits(&arg, set, limits);
}

EXPORT int privheap_process_open_reserve(unsigned int resource)
{
	struct privheap_limit arg = {
		.flags = PRIVHEAP_LIMIT_PROCESS | PRIVHEAP_LIMIT_OPEN_RESERVE,
		.resource = resource,
	};

	return region_limit(&arg);
}

bool region_limits_used(void)
{
	return atomic_load_explicit(&region_limited, memory_order_relaxed);
}

bool region_clear_limits(void *base)
{
	unsigned int i;

	for (i = 0; i <= PRIVHEAP_RESOURCE_RESIDENT; i++) {
		struct privheap_limit arg = {
			.base = (uintptr_t)base,
			.resource = i,
		};

		/* No limits where there cannot be any. */
		if (region_limit(&arg)) {
			if (errno == ENOTSUP)
				continue;
			return false;
		}
		arg.set = PRIVHEAP_SET_SOFT | PRIVHEAP_SET_HARD |
			  PRIVHEAP_SET_RESERVE | PRIVHEAP_SET_FAIL_NTH;
		arg.soft = PRIVHEAP_NO_LIMIT;
		arg.hard = arg.out_ceiling;
		if (region_limit(&arg))
			return false;
	}
	return true;
}

EXPORT enum privheap_backend privheap_backend(void)
{
	NO_CANCEL;
	const struct region_ops *ops = region_get_ops();

	return ops ? ops->backend : PRIVHEAP_BACKEND_NONE;
}

EXPORT unsigned int privheap_last_denied(void)
{
	return region_denied;
}
