/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * All that differs between kernels. Kbuild looks into the kernel's headers and
 * defines PRIVHEAP_HAVE_*; distributions backport, so versions prove nothing.
 */
#ifndef PRIVHEAP_COMPAT_H
#define PRIVHEAP_COMPAT_H

#include <linux/eventfd.h>
#include <linux/mm.h>
#include <net/genetlink.h>

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

/* 6.3 gave inode operations the mount's map of ids, and not a user namespace. */
#ifdef PRIVHEAP_HAVE_SETATTR_IDMAP
#define privheap_idmap		mnt_idmap
#else
#define privheap_idmap		user_namespace
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

/*
 * 6.7 moved them. The older ones also give the start of a dump no extack: its
 * errors are a number only.
 */
static inline struct nlattr **privheap_dump_attrs(struct netlink_callback *cb)
{
#ifdef PRIVHEAP_HAVE_GENL_INFO_DUMP
	return genl_info_dump(cb)->attrs;
#else
	return genl_dumpit_info(cb)->attrs;
#endif
}

/* 6.8 hands pages that are lost to a file system as folios. */
int privheap_error_remove_folio(struct address_space *mapping, struct folio *folio);
#ifdef PRIVHEAP_HAVE_ERROR_REMOVE_FOLIO
#define PRIVHEAP_ERROR_REMOVE	.error_remove_folio = privheap_error_remove_folio
#else
static inline int generic_error_remove_folio(struct address_space *mapping,
					     struct folio *folio)
{
	return generic_error_remove_page(mapping, &folio->page);
}

static inline int privheap_error_remove_page(struct address_space *mapping,
					     struct page *page)
{
	return privheap_error_remove_folio(mapping, page_folio(page));
}

#define PRIVHEAP_ERROR_REMOVE	.error_remove_page = privheap_error_remove_page
#endif

/* Stable kernels have it since December 2023, as 6.1.67. */
#ifndef GENL_MCAST_CAP_SYS_ADMIN
#error "on this kernel, anybody could listen to privheap's events; it has other holes, too"
#endif

#endif /* PRIVHEAP_COMPAT_H */
