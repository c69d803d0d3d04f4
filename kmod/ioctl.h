/* SPDX-License-Identifier: GPL-2.0-only */
/* The ioctls of /dev/privheap. */
#ifndef PRIVHEAP_IOCTL_H
#define PRIVHEAP_IOCTL_H

#include <linux/privheap.h>

struct file;
struct privheap_process;
struct privheap_region;

/**
 * union privheap_argument - the struct of an ioctl, copied from the user
 * @create: of PRIVHEAP_IOC_CREATE
 * @grow: of PRIVHEAP_IOC_GROW
 * @commit: of PRIVHEAP_IOC_COMMIT
 * @decommit: of PRIVHEAP_IOC_DECOMMIT
 * @destroy: of PRIVHEAP_IOC_DESTROY
 * @query: of PRIVHEAP_IOC_QUERY
 * @notify: of PRIVHEAP_IOC_NOTIFY
 * @limit: of PRIVHEAP_IOC_LIMIT
 */
union privheap_argument {
	struct privheap_create create;
	struct privheap_grow grow;
	struct privheap_commit commit;
	struct privheap_decommit decommit;
	struct privheap_destroy destroy;
	struct privheap_query query;
	struct privheap_notify notify;
	struct privheap_limit limit;
};

/* ioctl.c */
long privheap_ioctl(struct file *file, unsigned int cmd, unsigned long arg);
struct privheap_region *privheap_ioctl_region(struct privheap_process *process,
					      u64 base, bool take);

/* ioctl_limit.c */
int privheap_ioctl_limit(struct privheap_process *process, union privheap_argument *argument);

#endif /* PRIVHEAP_IOCTL_H */
