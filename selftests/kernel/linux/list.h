/* SPDX-License-Identifier: GPL-2.0-only */
/* As much of the kernel's lists as a quota that nobody watches needs. */
#ifndef PRIVHEAP_KERNEL_LIST_H
#define PRIVHEAP_KERNEL_LIST_H

struct list_head {
	struct list_head *next;
	struct list_head *prev;
};

static inline void INIT_LIST_HEAD(struct list_head *list)
{
	list->next = list;
	list->prev = list;
}

#endif /* PRIVHEAP_KERNEL_LIST_H */
