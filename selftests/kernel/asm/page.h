/* SPDX-License-Identifier: GPL-2.0-only */
/* Pages of 4 KiB. */
#ifndef PRIVHEAP_KERNEL_PAGE_H
#define PRIVHEAP_KERNEL_PAGE_H

#define PAGE_SHIFT	12
#define PAGE_SIZE	(1UL << PAGE_SHIFT)

#endif /* PRIVHEAP_KERNEL_PAGE_H */
