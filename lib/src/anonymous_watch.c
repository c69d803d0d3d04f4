// SPDX-License-Identifier: MIT
/*
 * Thresholds on the committed bytes of a region without the module.
 *
 * A watch outlives the program's descriptor, so it keeps a duplicate. That one
 * is in the program's table of descriptors too, and can be closed (closefrom(3))
 * and its number given to another file: nothing is written to it before its
 * number in the kernel was compared.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "anonymous_watch.h"
#include "no_cancel.h"

/* Stores the kernel's number of an eventfd. Returns 0 or -errno. */
static int watch_eventfd_id(int fd, long *id)
{
	static const char key[] = "\neventfd-id:";
	char path[64], text[512];
	const char *found;
	ssize_t length;
	int info;

	if (fcntl(fd, F_GETFD) < 0)
		return -EBADF;
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	info = no_cancel_open(path, O_RDONLY | O_CLOEXEC);
	if (info < 0)
		return -ENOTSUP;
	length = no_cancel_read(info, text, sizeof(text) - 1);
	no_cancel_close(info);
	if (length < 0)
		return -ENOTSUP;
	text[length] = '\0';

	found = strstr(text, key);
	if (!found)	/* an older kernel tells no id of an eventfd */
		return strstr(text, "\neventfd-count:") ? -ENOTSUP : -EINVAL;
	*id = strtol(found + sizeof(key) - 1, NULL, 10);
	return 0;
}

static struct watch *watch_find(struct watch_list *list, uint64_t threshold,
				long id)
{
	unsigned int i;

	for (i = 0; i < list->count; i++) {
		if (list->watches[i].threshold == threshold &&
		    list->watches[i].id == id)
			return &list->watches[i];
	}
	return NULL;
}

int watch_add(struct watch_list *list, uint64_t threshold, int eventfd)
{
	struct watch *watch;
	long id;
	int err;

	err = watch_eventfd_id(eventfd, &id);
	if (err)
		return err;
	if (watch_find(list, threshold, id))
		return -EEXIST;
	if (list->count == PRIVHEAP_NOTIFY_MAX)
		return -ENOSPC;

	watch = &list->watches[list->count];
	watch->fd = fcntl(eventfd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	if (watch->fd < 0)
		return -ENOMEM;
	watch->threshold = threshold;
	watch->id = id;
	list->count++;
	return 0;
}

static void watch_close(const struct watch *watch)
{
	long id;

	if (!watch_eventfd_id(watch->fd, &id) && id == watch->id)
		no_cancel_close(watch->fd);
}

int watch_remove(struct watch_list *list, uint64_t threshold, int eventfd)
{
	struct watch *watch;
	long id;
	int err;

	err = watch_eventfd_id(eventfd, &id);
	if (err)
		return err;
	watch = watch_find(list, threshold, id);
	if (!watch)
		return -ENOENT;
	watch_close(watch);
	*watch = list->watches[--list->count];
	return 0;
}

void watch_signal_some(const struct watch_list *list, uint64_t before,
		       uint64_t after)
{
	static const uint64_t one = 1;
	unsigned int i;
	NO_CANCEL;

	for (i = 0; i < list->count; i++) {
		const struct watch *watch = &list->watches[i];
		struct pollfd writable = { .fd = watch->fd, .events = POLLOUT };
		bool below = before < watch->threshold;
		long id;

		if (below == (after < watch->threshold))
			continue;
		if (watch_eventfd_id(watch->fd, &id) || id != watch->id)
			continue;
		/* A full counter must not make us wait. */
		if (no_cancel_poll(&writable, 1) == 1 && (writable.revents & POLLOUT))
			no_cancel_write(watch->fd, &one, sizeof(one));
	}
}

static void watch_close_all(struct watch_list *list)
{
	NO_CANCEL;

	while (list->count)
		watch_close(&list->watches[--list->count]);
}

void watch_remove_all(struct watch_list *list)
{
	if (unlikely(list->count))
		watch_close_all(list);
}
