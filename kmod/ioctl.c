// SPDX-License-Identifier: GPL-2.0-only
/* The ioctls of /dev/privheap: arguments in, checks, results out. */
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/memcontrol.h>
#include <linux/nospec.h>
#include <linux/overflow.h>
#include <linux/sched.h>
#include <linux/uaccess.h>

#include "ioctl.h"
#include "notify.h"
#include "process.h"
#include "region.h"

/* The layout is for ever, and the same for 32- and 64-bit programs. */
static_assert(sizeof(struct privheap_create) == 56);
static_assert(sizeof(struct privheap_grow) == 40);
static_assert(sizeof(struct privheap_commit) == 48);
static_assert(sizeof(struct privheap_decommit) == 40);
static_assert(sizeof(struct privheap_destroy) == 16);
static_assert(sizeof(struct privheap_query) == 104);
static_assert(sizeof(struct privheap_notify) == 32);
static_assert(sizeof(struct privheap_limit) == 128);

/* A size in bytes that must be in whole pages and fit an address space. */
static bool to_pages(u64 bytes, unsigned long *pages)
{
	if (!IS_ALIGNED(bytes, PAGE_SIZE) || bytes > (u64)TASK_SIZE_MAX)
		return false;
	*pages = bytes >> PAGE_SHIFT;
	return true;
}

/* A range that must lie inside the reservation of @region. */
static int to_range(struct privheap_region *region, u64 offset, u64 length,
		    unsigned long *first, unsigned long *last)
{
	unsigned long start, count, end;

	if (!to_pages(offset, &start) || !to_pages(length, &count) || !count ||
	    check_add_overflow(start, count, &end) || end > region->pages)
		return -EINVAL;
	*first = start;
	*last = end - 1;
	return 0;
}

/**
 * privheap_ioctl_region() - the region that an ioctl names
 * @process: the current process or NULL
 * @base: the region's address, as the user gave it
 * @take: whether to make it unfindable for others
 *
 * Return: the region with a reference to its inode for the caller, or NULL.
 */
struct privheap_region *privheap_ioctl_region(struct privheap_process *process,
					      u64 base, bool take)
{
	if (!process || base != (unsigned long)base)
		return NULL;
	return privheap_process_find_region(process, base, take);
}

static int privheap_ioctl_create(struct privheap_process *process,
				 union privheap_argument *argument)
{
	struct privheap_create *arg = &argument->create;
	unsigned long reserve, commit, limit;
	struct privheap_region *region;
	unsigned int denied = 0;

	if (arg->flags & ~(PRIVHEAP_CREATE_EXEC | PRIVHEAP_CREATE_LAZY) || arg->reserved)
		return -EINVAL;
	if (!to_pages(arg->reserve, &reserve) || !reserve ||
	    !to_pages(arg->commit, &commit) || commit > reserve ||
	    !to_pages(arg->limit, &limit) || limit > reserve)
		return -EINVAL;
	if (!limit)
		limit = reserve;
	if (commit > limit)
		return -EINVAL;

	process = privheap_process_get_current();
	if (IS_ERR(process))
		return PTR_ERR(process);
	region = privheap_region_create(process, reserve, commit, limit, arg->flags,
					&denied);
	privheap_process_put(process);
	if (IS_ERR(region)) {
		arg->out_denied = denied;
		return PTR_ERR(region);
	}
	arg->out_base = region->base;
	arg->out_id = region->id;
	arg->out_denied = PRIVHEAP_LEVEL_NONE;
	privheap_region_put(region);
	return 0;
}

/* The user never learned of the region: take it back. */
static void privheap_undo_create(union privheap_argument *argument)
{
	struct privheap_process *process = privheap_process_find(current->mm);
	struct privheap_region *region;

	if (!process)
		return;
	region = privheap_process_find_region(process, argument->create.out_base, true);
	if (region) {
		privheap_region_destroy(region);
		privheap_region_put(region);
	}
	privheap_process_put(process);
}

static int commit_range(struct privheap_region *region, u32 flags, u64 offset, u64 length,
			__u64 *out_committed, __u32 *out_denied)
{
	unsigned long first, last, committed;
	unsigned int denied = 0;
	int ret;

	ret = to_range(region, offset, length, &first, &last);
	if (ret)
		return ret;
	ret = privheap_commit(region, first, last, flags & PRIVHEAP_COMMIT_POPULATE,
			      &committed, &denied);
	*out_denied = denied;
	if (!ret)
		*out_committed = (u64)committed << PAGE_SHIFT;
	return ret;
}

static int privheap_ioctl_grow(struct privheap_process *process,
			       union privheap_argument *argument)
{
	struct privheap_grow *arg = &argument->grow;
	struct privheap_region *region;
	int ret;

	if (arg->flags & ~PRIVHEAP_COMMIT_POPULATE || arg->reserved ||
	    !IS_ALIGNED(arg->commit, PAGE_SIZE))
		return -EINVAL;
	region = privheap_ioctl_region(process, arg->base, false);
	if (!region)
		return -ENOENT;
	if (arg->commit) {
		ret = commit_range(region, arg->flags, 0, arg->commit,
				   &arg->out_committed, &arg->out_denied);
	} else {
		arg->out_committed = (u64)privheap_quota_usage(&region->account.quota,
				PRIVHEAP_RESOURCE_COMMIT) << PAGE_SHIFT;
		arg->out_denied = PRIVHEAP_LEVEL_NONE;
		ret = 0;
	}
	privheap_region_put(region);
	return ret;
}

static int privheap_ioctl_commit(struct privheap_process *process,
				 union privheap_argument *argument)
{
	struct privheap_commit *arg = &argument->commit;
	struct privheap_region *region;
	int ret;

	if (arg->flags & ~PRIVHEAP_COMMIT_POPULATE || arg->reserved ||
	    !IS_ALIGNED(arg->offset | arg->length, PAGE_SIZE) || !arg->length)
		return -EINVAL;
	region = privheap_ioctl_region(process, arg->base, false);
	if (!region)
		return -ENOENT;
	ret = commit_range(region, arg->flags, arg->offset, arg->length,
			   &arg->out_committed, &arg->out_denied);
	privheap_region_put(region);
	return ret;
}

static int privheap_ioctl_decommit(struct privheap_process *process,
				   union privheap_argument *argument)
{
	struct privheap_decommit *arg = &argument->decommit;
	unsigned long first, last, committed;
	struct privheap_region *region;
	int ret;

	if (arg->flags || !IS_ALIGNED(arg->offset | arg->length, PAGE_SIZE) || !arg->length)
		return -EINVAL;
	region = privheap_ioctl_region(process, arg->base, false);
	if (!region)
		return -ENOENT;
	ret = to_range(region, arg->offset, arg->length, &first, &last);
	if (!ret)
		ret = privheap_decommit(region, first, last, GFP_KERNEL_ACCOUNT, &committed);
	if (!ret)
		arg->out_committed = (u64)committed << PAGE_SHIFT;
	privheap_region_put(region);
	return ret;
}

static int privheap_ioctl_destroy(struct privheap_process *process,
				  union privheap_argument *argument)
{
	struct privheap_destroy *arg = &argument->destroy;
	struct privheap_region *region;
	int ret;

	if (arg->flags)
		return -EINVAL;
	region = privheap_ioctl_region(process, arg->base, true);
	if (!region)
		return -ENOENT;
	ret = privheap_region_destroy(region);
	privheap_region_put(region);
	return ret;
}

static u64 supported_features(void)
{
	u64 features = 0;

	if (IS_ENABLED(CONFIG_TRANSPARENT_HUGEPAGE) && has_transparent_hugepage())
		features |= PRIVHEAP_FEATURE_HUGE;
	if (!mem_cgroup_disabled())
		features |= PRIVHEAP_FEATURE_MEMCG;
	return features;
}

/* The limit is @most where there is no lower one. */
static void query_quota(struct privheap_query *arg, struct privheap_quota *quota,
			unsigned long most)
{
	unsigned long limit = privheap_quota_limit(quota, PRIVHEAP_RESOURCE_COMMIT);

	arg->out_regions = atomic_long_read(&quota->regions);
	arg->out_reserved = (u64)atomic_long_read(&quota->reserved) << PAGE_SHIFT;
	arg->out_committed =
		(u64)privheap_quota_usage(quota, PRIVHEAP_RESOURCE_COMMIT) << PAGE_SHIFT;
	arg->out_resident =
		(u64)privheap_quota_usage(quota, PRIVHEAP_RESOURCE_RESIDENT) << PAGE_SHIFT;
	arg->out_peak_committed =
		(u64)privheap_quota_peak(quota, PRIVHEAP_RESOURCE_COMMIT) << PAGE_SHIFT;
	arg->out_peak_resident =
		(u64)privheap_quota_peak(quota, PRIVHEAP_RESOURCE_RESIDENT) << PAGE_SHIFT;
	arg->out_limit = min_t(u64, min(limit, most), S64_MAX >> PAGE_SHIFT) << PAGE_SHIFT;
	arg->out_faults = atomic_long_read(&quota->faults);
	arg->out_denials = atomic_long_read(&quota->denials);
}

static int privheap_ioctl_query(struct privheap_process *process,
				union privheap_argument *argument)
{
	struct privheap_query *arg = &argument->query;
	struct privheap_region *region;
	int ret = 0;

	switch (arg->flags) {
	case 0:
		region = privheap_ioctl_region(process, arg->base, false);
		if (!region)
			return -ENOENT;
		/* Under the lock the commit stays, so that the answer is one. */
		ret = mutex_lock_killable(&region->lock);
		if (!ret) {
			query_quota(arg, &region->account.quota, region->pages);
			arg->out_id = region->id;
			mutex_unlock(&region->lock);
		}
		privheap_region_put(region);
		break;
	case PRIVHEAP_QUERY_PROCESS:
		if (arg->base)
			return -EINVAL;
		/* A process without regions is known as soon as it asks. */
		process = privheap_process_get_current();
		if (IS_ERR(process))
			return PTR_ERR(process);
		query_quota(arg, &process->subject.quota, PRIVHEAP_UNLIMITED);
		arg->out_id = 0;
		privheap_process_put(process);
		break;
	case PRIVHEAP_QUERY_SYSTEM:
		if (arg->base)
			return -EINVAL;
		query_quota(arg, &privheap_system_quota, PRIVHEAP_UNLIMITED);
		arg->out_id = 0;
		break;
	default:
		return -EINVAL;
	}
	arg->out_features = supported_features();
	return ret;
}

static int privheap_ioctl_notify(struct privheap_process *process,
				 union privheap_argument *argument)
{
	struct privheap_notify *arg = &argument->notify;
	struct privheap_region *region;
	unsigned long threshold;
	int ret;

	if (arg->flags & ~PRIVHEAP_NOTIFY_REMOVE ||
	    arg->resource >= PRIVHEAP_RESOURCES ||
	    !to_pages(arg->threshold, &threshold) || !threshold)
		return -EINVAL;
	arg->resource = array_index_nospec(arg->resource, PRIVHEAP_RESOURCES);
	region = privheap_ioctl_region(process, arg->base, false);
	if (!region)
		return -ENOENT;
	if (threshold > region->pages)
		ret = -EINVAL;
	else if (arg->flags & PRIVHEAP_NOTIFY_REMOVE)
		ret = privheap_notify_remove(&region->account.quota, arg->resource, threshold,
					     arg->eventfd);
	else
		ret = privheap_notify_add(&region->account.quota, arg->resource, threshold,
					  arg->eventfd);
	privheap_region_put(region);
	return ret;
}

/**
 * struct privheap_ioctl_op - one ioctl
 * @size: of its struct, as this module knows it
 * @min_size: of its struct's first version
 * @has_output: whether the struct is written back
 * @handler: does it; gets the current process, or NULL where it has no region
 *	and no device open
 * @undo: takes back what @handler did when the result cannot be written
 */
struct privheap_ioctl_op {
	size_t size;
	size_t min_size;
	bool has_output;
	int (*handler)(struct privheap_process *process, union privheap_argument *argument);
	void (*undo)(union privheap_argument *argument);
};

#define PRIVHEAP_OP(nr, name, last, output, ...)				\
	[_IOC_NR(nr)] = {							\
		.size = sizeof(struct privheap_##name),				\
		.min_size = offsetofend(struct privheap_##name, last),		\
		.has_output = output,						\
		.handler = privheap_ioctl_##name,				\
		__VA_ARGS__							\
	}

static const struct privheap_ioctl_op privheap_ioctl_ops[] = {
	PRIVHEAP_OP(PRIVHEAP_IOC_CREATE, create, reserved, true,
		    .undo = privheap_undo_create),
	PRIVHEAP_OP(PRIVHEAP_IOC_GROW, grow, reserved, true),
	PRIVHEAP_OP(PRIVHEAP_IOC_COMMIT, commit, reserved, true),
	PRIVHEAP_OP(PRIVHEAP_IOC_DECOMMIT, decommit, out_committed, true),
	PRIVHEAP_OP(PRIVHEAP_IOC_DESTROY, destroy, base, false),
	PRIVHEAP_OP(PRIVHEAP_IOC_QUERY, query, out_features, true),
	PRIVHEAP_OP(PRIVHEAP_IOC_NOTIFY, notify, eventfd, false),
	PRIVHEAP_OP(PRIVHEAP_IOC_LIMIT, limit, reserved, true),
};

/**
 * privheap_ioctl() - unlocked_ioctl of the device
 * @file: an open device
 * @cmd: PRIVHEAP_IOC_*
 * @arg: address of its struct
 *
 * Return: 0 or a negative errno, see the uapi header.
 */
long privheap_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct privheap_process *opener = file->private_data, *process;
	void __user *user = (void __user *)arg;
	unsigned int nr = _IOC_NR(cmd);
	const struct privheap_ioctl_op *op;
	union privheap_argument argument;
	size_t copied;
	u32 size;
	int ret;

	if (nr >= ARRAY_SIZE(privheap_ioctl_ops) || cmd != _IO(PRIVHEAP_IOC_MAGIC, nr))
		return -ENOTTY;
	op = &privheap_ioctl_ops[array_index_nospec(nr, ARRAY_SIZE(privheap_ioctl_ops))];

	if (get_user(size, (u32 __user *)user))
		return -EFAULT;
	if (size < op->min_size)
		return -EINVAL;
	if (size > PAGE_SIZE)
		return -E2BIG;
	ret = copy_struct_from_user(&argument, op->size, user, size);
	if (ret)
		return ret;
	copied = min_t(size_t, size, op->size);
	/* Another thread may have changed it meanwhile. */
	*(u32 *)&argument = size;

	/*
	 * Find out now whether the result can be written, not afterwards. So
	 * small a struct lies in one page or in two.
	 */
	if (op->has_output &&
	    (put_user(size, (u32 __user *)user) ||
	     put_user(((u8 *)&argument)[copied - 1], (u8 __user *)user + copied - 1)))
		return -EFAULT;

	/* Whose fd it is does not matter, only whose address space this is. */
	process = opener->mm == current->mm ? opener : privheap_process_find(current->mm);
	ret = op->handler(process, &argument);
	if (process && process != opener)
		privheap_process_put(process);

	if ((ret && ret != -EDQUOT) || !op->has_output)
		return ret;
	if (copy_to_user(user, &argument, copied)) {
		/* Only a thread that unmaps it at this moment gets here. */
		if (!ret && op->undo)
			op->undo(&argument);
		return -EFAULT;
	}
	return ret;
}
