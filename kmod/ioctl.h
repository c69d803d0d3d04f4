/* SPDX-License-Identifier: GPL-2.0-only */
/* The ioctls of /dev/privheap. */
#ifndef PRIVHEAP_IOCTL_H
#define PRIVHEAP_IOCTL_H

struct file;

long privheap_ioctl(struct file *file, unsigned int cmd, unsigned long arg);

#endif /* PRIVHEAP_IOCTL_H */
