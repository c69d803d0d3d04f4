/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * All that differs between kernels. Kbuild looks into the kernel's headers and
 * defines PRIVHEAP_HAVE_*; distributions backport, so versions prove nothing.
 */
#ifndef PRIVHEAP_COMPAT_H
#define PRIVHEAP_COMPAT_H

#include <linux/eventfd.h>
#include <linux/mm.h>

/* 6.3 made vma->vm_flags read-only, to be changed by these only. */
#ifndef PRIVHEAP_HAVE_VM_FLAGS_SET
static inline void vm_flags_set(struct vm_area_struct *vma, vm_flags_t flags)
{
	vma->vm_flags |= flags;
}

static inline void vm_flags_clear(struct vm_area_struct *vma, vm_flags_t flags)
{
	vma->vm_flags &= ~flags;
}
#endif

/* 6.8 took the count, which was always 1, from eventfd_signal(). */
static inline void privheap_eventfd_signal(struct eventfd_ctx *eventfd)
{
#ifdef PRIVHEAP_HAVE_EVENTFD_SIGNAL_COUNT
	eventfd_signal(eventfd, 1);
#else
	eventfd_signal(eventfd);
#endif
}

#endif /* PRIVHEAP_COMPAT_H */
