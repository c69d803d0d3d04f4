// SPDX-License-Identifier: GPL-2.0-only
/* Thresholds on a counter that signal an eventfd. */
#include <linux/eventfd.h>
#include <linux/minmax.h>
#include <linux/slab.h>

#include "compat.h"
#include "notify.h"

struct privheap_watch {
	struct list_head list;
	struct eventfd_ctx *eventfd;
	unsigned int resource;
	unsigned long threshold;
};

static struct privheap_watch *watch_find(struct privheap_quota *quota,
					 unsigned int resource,
					 unsigned long threshold,
					 struct eventfd_ctx *eventfd,
					 unsigned int *count)
{
	struct privheap_watch *watch;

	*count = 0;
	list_for_each_entry(watch, &quota->watches, list) {
		if (watch->resource == resource &&
		    watch->threshold == threshold && watch->eventfd == eventfd)
			return watch;
		++*count;
	}
	return NULL;
}

/* Have changes of the counter come by here, or not any more. */
static void set_hook(struct privheap_quota *quota, unsigned int resource)
{
	struct privheap_counter *counter = &quota->counter[resource];
	unsigned long hooks = counter->hooks & ~PRIVHEAP_HOOK_WATCH;
	struct privheap_watch *watch;

	list_for_each_entry(watch, &quota->watches, list)
		if (watch->resource == resource)
			hooks |= PRIVHEAP_HOOK_WATCH;
	WRITE_ONCE(counter->hooks, hooks);
}

/**
 * privheap_notify_add() - watch a threshold
 * @quota: the subject
 * @resource: PRIVHEAP_RESOURCE_*
 * @threshold: pages
 * @fd: an eventfd
 *
 * Return: 0, -EBADF, -EINVAL (not an eventfd), -EEXIST, -ENOSPC or -ENOMEM.
 */
int privheap_notify_add(struct privheap_quota *quota, unsigned int resource,
			unsigned long threshold, int fd)
{
	struct privheap_watch *watch;
	struct eventfd_ctx *eventfd;
	unsigned int count;
	int ret = 0;

	eventfd = eventfd_ctx_fdget(fd);
	if (IS_ERR(eventfd))
		return PTR_ERR(eventfd);

	watch = kmalloc(sizeof(*watch), GFP_KERNEL_ACCOUNT);
	if (!watch) {
		ret = -ENOMEM;
		goto put_eventfd;
	}
	watch->eventfd = eventfd;
	watch->resource = resource;
	watch->threshold = threshold;

	spin_lock(&quota->watch_lock);
	if (watch_find(quota, resource, threshold, eventfd, &count))
		ret = -EEXIST;
	else if (count >= PRIVHEAP_NOTIFY_MAX)
		ret = -ENOSPC;
	else
		list_add_tail(&watch->list, &quota->watches);
	set_hook(quota, resource);
	spin_unlock(&quota->watch_lock);
	if (!ret)
		return 0;

	kfree(watch);
put_eventfd:
	eventfd_ctx_put(eventfd);
	return ret;
}

/**
 * privheap_notify_remove() - undo privheap_notify_add()
 * @quota: the subject
 * @resource: PRIVHEAP_RESOURCE_*
 * @threshold: pages
 * @fd: the eventfd
 *
 * Return: 0, -EBADF, -EINVAL (not an eventfd) or -ENOENT.
 */
int privheap_notify_remove(struct privheap_quota *quota, unsigned int resource,
			   unsigned long threshold, int fd)
{
	struct privheap_watch *watch;
	struct eventfd_ctx *eventfd;
	unsigned int count;

	eventfd = eventfd_ctx_fdget(fd);
	if (IS_ERR(eventfd))
		return PTR_ERR(eventfd);

	spin_lock(&quota->watch_lock);
	watch = watch_find(quota, resource, threshold, eventfd, &count);
	if (watch)
		list_del(&watch->list);
	set_hook(quota, resource);
	spin_unlock(&quota->watch_lock);
	eventfd_ctx_put(eventfd);
	if (!watch)
		return -ENOENT;

	eventfd_ctx_put(watch->eventfd);
	kfree(watch);
	return 0;
}

/**
 * privheap_notify_free() - drop all watches of a subject that nobody uses
 * @quota: the subject
 */
void privheap_notify_free(struct privheap_quota *quota)
{
	struct privheap_watch *watch, *next;

	list_for_each_entry_safe(watch, next, &quota->watches, list) {
		list_del(&watch->list);
		eventfd_ctx_put(watch->eventfd);
		kfree(watch);
	}
}

/**
 * privheap_notify_change() - signal the thresholds that a counter has crossed
 * @quota: the subject
 * @resource: PRIVHEAP_RESOURCE_*
 * @old: pages before the change
 * @now: pages after it
 *
 * Every change of a counter with PRIVHEAP_HOOK_WATCH comes by here. Each change
 * knows the two values it took the counter from and to, so that of racing
 * changes exactly those signal which did cross the threshold.
 */
void privheap_notify_change(struct privheap_quota *quota, unsigned int resource,
			    unsigned long old, unsigned long now)
{
	unsigned long low = min(old, now), high = max(old, now);
	struct privheap_watch *watch;

	spin_lock(&quota->watch_lock);
	list_for_each_entry(watch, &quota->watches, list)
		if (watch->resource == resource &&
		    low < watch->threshold && watch->threshold <= high)
			privheap_eventfd_signal(watch->eventfd);
	spin_unlock(&quota->watch_lock);
}
