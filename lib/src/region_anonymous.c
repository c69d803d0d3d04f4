// SPDX-License-Identifier: MIT
/*
 * Regions kept by the library itself, where there is no module: an anonymous
 * mapping without access is the reservation, a page that is readable and
 * writable is committed.
 */
#include <errno.h>
#include <pthread.h>
#include <sys/mman.h>

#include "anonymous_pages.h"
#include "lock_among.h"
#include "process.h"
#include "region_ops.h"

#define ANON_BUCKETS	1024

/*
 * One lock for all: every operation ends in a system call that takes a lock of
 * the whole address space anyway. Taken with a heap's lock held; nothing is
 * taken under it.
 */
static pthread_mutex_t anon_lock = PTHREAD_MUTEX_INITIALIZER;
static struct anon_region *anon_buckets[ANON_BUCKETS];
static uint64_t anon_next_id;
static struct quota anon_process = QUOTA_INIT(PRIVHEAP_NO_LIMIT);
static struct privheap_query anon_sum;	/* what is not in anon_process */

static struct anon_region **anon_bucket(uint64_t base)
{
	return &anon_buckets[base / page_size() % ANON_BUCKETS];
}

static struct anon_region *anon_find(uint64_t base)
{
	struct anon_region *region = *anon_bucket(base);

	while (region && (uintptr_t)region->base != base)
		region = region->next;
	return region;
}

static void anon_charge(struct anon_region *region, size_t bytes)
{
	uint64_t before = region->quota.usage;

	quota_charge(&region->quota, bytes);
	quota_charge(&anon_process, bytes);
	watch_signal(&region->watches, before, region->quota.usage);
}

static void anon_uncharge(struct anon_region *region, size_t bytes)
{
	uint64_t before = region->quota.usage;

	quota_uncharge(&region->quota, bytes);
	quota_uncharge(&anon_process, bytes);
	watch_signal(&region->watches, before, region->quota.usage);
}

/* Asks every level; what refuses, or PRIVHEAP_LEVEL_NONE. */
static uint32_t anon_ask(struct anon_region *region, size_t bytes)
{
	if (!quota_ask(&region->quota, bytes))
		return PRIVHEAP_LEVEL_REGION;
	if (!quota_ask(&anon_process, bytes)) {
		region->quota.denials++;
		return PRIVHEAP_LEVEL_PROCESS;
	}
	return PRIVHEAP_LEVEL_NONE;
}

static int anon_commit_pages(struct anon_region *region, size_t first,
			     size_t end, bool populate, uint32_t *denied)
{
	size_t page, next, fresh = 0;
	int err;

	for (page = first; page < end; page = next) {
		next = anon_run(region, page, end);
		if (!anon_is_set(region, page))
			fresh += (next - page) * page_size();
	}
	if (fresh) {
		*denied = anon_ask(region, fresh);
		if (*denied)
			return -EDQUOT;
	}

	err = anon_back(region, first, end, true);
	if (!err && populate && first < end)
		err = anon_populate(region, first, end);
	if (err) {
		anon_back(region, first, end, false);
		return err;
	}
	anon_mark(region, first, end, true);
	if (fresh)
		anon_charge(region, fresh);
	return 0;
}

static int anonymous_open(void)
{
	return 0;
}

static int anon_map(struct anon_region **out, uint64_t reserve)
{
	struct anon_region *region;
	size_t length, words = reserve / page_size() / ANON_WORD_BITS + 1;
	char *base;

	length = sizeof(*region) + words * sizeof(region->bits[0]);
	region = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE |
		      MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (region == MAP_FAILED)
		return -ENOMEM;
	base = mmap(NULL, reserve, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS |
		    MAP_NORESERVE, -1, 0);
	if (base == MAP_FAILED)
		goto err_unmap_struct;
	if (madvise(base, reserve, MADV_DONTFORK) ||
	    madvise(region, length, MADV_DONTFORK))
		goto err_unmap_base;

	region->base = base;
	region->length = length;
	region->reserved = reserve;
	*out = region;
	return 0;

err_unmap_base:
	munmap(base, reserve);
err_unmap_struct:
	munmap(region, length);
	return -ENOMEM;
}

static int anonymous_create(struct privheap_create *arg)
{
	uint64_t limit = arg->limit ? arg->limit : arg->reserve;
	bool populate = !(arg->flags & PRIVHEAP_CREATE_LAZY);
	struct anon_region *region, **bucket;
	bool locked;
	int err;

	if (arg->flags & ~(PRIVHEAP_CREATE_EXEC | PRIVHEAP_CREATE_LAZY) ||
	    !arg->reserve || !page_aligned(arg->reserve) ||
	    !page_aligned(arg->commit) || !page_aligned(limit) ||
	    arg->commit > limit || limit > arg->reserve)
		return -EINVAL;

	err = anon_map(&region, arg->reserve);
	if (err)
		return err;
	region->quota = (struct quota)QUOTA_INIT(limit);
	region->prot = PROT_READ | PROT_WRITE;
	if (arg->flags & PRIVHEAP_CREATE_EXEC)
		region->prot |= PROT_EXEC;

	locked = lock_among(&anon_lock);
	err = anon_commit_pages(region, 0, arg->commit / page_size(), populate,
				&arg->out_denied);
	if (!err) {
		region->id = ++anon_next_id;
		anon_sum.out_regions++;
		anon_sum.out_reserved += region->reserved;
		bucket = anon_bucket((uintptr_t)region->base);
		region->next = *bucket;
		*bucket = region;
		arg->out_base = (uintptr_t)region->base;
		arg->out_id = region->id;
	}
	unlock_among(&anon_lock, locked);

	if (err) {
		munmap(region->base, region->reserved);
		munmap(region, region->length);
	}
	return err;
}

/* GROW and COMMIT */
static int anon_commit_range(uint64_t base, uint64_t offset, uint64_t length,
			     uint32_t flags, __u64 *committed,
			     uint32_t *denied)
{
	struct anon_region *region;
	bool locked;
	int err;

	if (flags & ~PRIVHEAP_COMMIT_POPULATE || !page_aligned(offset) ||
	    !page_aligned(length))
		return -EINVAL;

	locked = lock_among(&anon_lock);
	region = anon_find(base);
	if (!region) {
		err = -ENOENT;
	} else if (length > region->reserved ||
		   offset > region->reserved - length) {
		err = -EINVAL;
	} else {
		err = anon_commit_pages(region, offset / page_size(),
					(offset + length) / page_size(),
					flags & PRIVHEAP_COMMIT_POPULATE,
					denied);
		if (!err)
			*committed = region->quota.usage;
	}
	unlock_among(&anon_lock, locked);
	return err;
}

static int anonymous_grow(struct privheap_grow *arg)
{
	return anon_commit_range(arg->base, 0, arg->commit, arg->flags,
				 &arg->out_committed, &arg->out_denied);
}

static int anonymous_commit(struct privheap_commit *arg)
{
	if (!arg->length)
		return -EINVAL;
	return anon_commit_range(arg->base, arg->offset, arg->length,
				 arg->flags, &arg->out_committed,
				 &arg->out_denied);
}

static int anonymous_decommit(struct privheap_decommit *arg)
{
	struct anon_region *region;
	size_t page, next, end, given = 0;
	bool locked;
	int err = 0;

	if (arg->flags || !arg->length || !page_aligned(arg->offset) ||
	    !page_aligned(arg->length))
		return -EINVAL;

	locked = lock_among(&anon_lock);
	region = anon_find(arg->base);
	if (!region) {
		err = -ENOENT;
		goto out;
	}
	if (arg->length > region->reserved ||
	    arg->offset > region->reserved - arg->length) {
		err = -EINVAL;
		goto out;
	}

	end = (arg->offset + arg->length) / page_size();
	for (page = arg->offset / page_size(); page < end; page = next) {
		next = anon_run(region, page, end);
		if (!anon_is_set(region, page))
			continue;
		err = anon_unback(region, page, next);
		if (err)
			break;
		anon_mark(region, page, next, false);
		given += (next - page) * page_size();
	}
	if (given)
		anon_uncharge(region, given);
	arg->out_committed = region->quota.usage;
out:
	unlock_among(&anon_lock, locked);
	return err;
}

static int anonymous_destroy(struct privheap_destroy *arg)
{
	struct anon_region **link, *region;
	bool locked;

	if (arg->flags)
		return -EINVAL;

	locked = lock_among(&anon_lock);
	link = anon_bucket(arg->base);
	while (*link && (uintptr_t)(*link)->base != arg->base)
		link = &(*link)->next;
	region = *link;
	if (region) {
		*link = region->next;
		anon_uncharge(region, region->quota.usage);
		anon_sum.out_regions--;
		anon_sum.out_reserved -= region->reserved;
	}
	unlock_among(&anon_lock, locked);
	if (!region)
		return -ENOENT;

	watch_remove_all(&region->watches);
	munmap(region->base, region->reserved);
	munmap(region, region->length);
	return 0;
}

/* Bytes that have a page now; remembers the highest answer. */
static size_t anon_measure(struct anon_region *region)
{
	size_t resident = anon_resident(region);

	if (resident > region->peak_resident)
		region->peak_resident = resident;
	return resident;
}

static void anon_query_region(struct anon_region *region,
			      struct privheap_query *arg)
{
	arg->out_id = region->id;
	arg->out_regions = 1;
	arg->out_reserved = region->reserved;
	arg->out_committed = region->quota.usage;
	arg->out_resident = anon_measure(region);
	arg->out_peak_committed = region->quota.peak;
	arg->out_peak_resident = region->peak_resident;
	arg->out_limit = quota_in_force(&region->quota);
	arg->out_denials = region->quota.denials;
}

static void anon_query_process(struct privheap_query *arg)
{
	const uint64_t most = INT64_MAX & ~(uint64_t)(page_size() - 1);
	uint64_t limit = quota_in_force(&anon_process);
	struct anon_region *region;
	size_t i;

	anon_sum.out_resident = 0;
	for (i = 0; i < ANON_BUCKETS; i++) {
		for (region = anon_buckets[i]; region; region = region->next)
			anon_sum.out_resident += anon_measure(region);
	}
	if (anon_sum.out_resident > anon_sum.out_peak_resident)
		anon_sum.out_peak_resident = anon_sum.out_resident;
	anon_sum.out_committed = anon_process.usage;
	anon_sum.out_peak_committed = anon_process.peak;
	anon_sum.out_denials = anon_process.denials;
	anon_sum.out_limit = limit < most ? limit : most;
	*arg = anon_sum;
}

static int anonymous_query(struct privheap_query *arg)
{
	struct anon_region *region;
	int err = 0;

	if (arg->flags == PRIVHEAP_QUERY_SYSTEM && !arg->base)
		return -ENOTSUP;
	if (arg->flags & ~PRIVHEAP_QUERY_PROCESS || (arg->flags && arg->base))
		return -EINVAL;

	pthread_mutex_lock(&anon_lock);
	if (arg->flags) {
		anon_query_process(arg);
	} else {
		region = anon_find(arg->base);
		if (region)
			anon_query_region(region, arg);
		else
			err = -ENOENT;
	}
	pthread_mutex_unlock(&anon_lock);
	return err;
}

static int anonymous_notify(struct privheap_notify *arg)
{
	struct anon_region *region;
	int err;

	if (arg->flags & ~PRIVHEAP_NOTIFY_REMOVE || !arg->threshold ||
	    !page_aligned(arg->threshold) ||
	    arg->resource > PRIVHEAP_RESOURCE_RESIDENT)
		return -EINVAL;

	pthread_mutex_lock(&anon_lock);
	region = anon_find(arg->base);
	if (!region)
		err = -ENOENT;
	else if (arg->threshold > region->reserved)
		err = -EINVAL;
	else if (arg->resource != PRIVHEAP_RESOURCE_COMMIT)
		err = -ENOTSUP;
	else if (arg->flags)
		err = watch_remove(&region->watches, arg->threshold,
				   arg->eventfd);
	else
		err = watch_add(&region->watches, arg->threshold,
				arg->eventfd);
	pthread_mutex_unlock(&anon_lock);
	return err;
}

static int anonymous_limit(struct privheap_limit *arg)
{
	bool process = arg->flags & PRIVHEAP_LIMIT_PROCESS;
	struct anon_region *region;
	int err;

	if (arg->resource > PRIVHEAP_RESOURCE_RESIDENT || (process && arg->base))
		return -EINVAL;

	pthread_mutex_lock(&anon_lock);
	region = process ? NULL : anon_find(arg->base);
	if (!process && !region)
		err = -ENOENT;
	else if (arg->resource != PRIVHEAP_RESOURCE_COMMIT)
		err = -ENOTSUP;
	else
		err = quota_limit(process ? &anon_process : &region->quota,
				  arg);
	pthread_mutex_unlock(&anon_lock);
	return err;
}

void anonymous_forget(void)
{
	size_t i;

	/*
	 * The regions and what was known of them are not mapped in a child. The
	 * duplicates of its eventfds stay open until it execs: where they were
	 * written down is gone, too.
	 */
	pthread_mutex_init(&anon_lock, NULL);
	for (i = 0; i < ANON_BUCKETS; i++)
		anon_buckets[i] = NULL;
	anon_process = (struct quota)QUOTA_INIT(PRIVHEAP_NO_LIMIT);
	anon_sum = (struct privheap_query){};
}

const struct region_ops region_anonymous_ops = {
	.backend	= PRIVHEAP_BACKEND_ANONYMOUS,
	.open		= anonymous_open,
	.create		= anonymous_create,
	.grow		= anonymous_grow,
	.commit		= anonymous_commit,
	.decommit	= anonymous_decommit,
	.destroy	= anonymous_destroy,
	.query		= anonymous_query,
	.notify		= anonymous_notify,
	.limit		= anonymous_limit,
};
