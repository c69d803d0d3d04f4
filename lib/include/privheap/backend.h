/* SPDX-License-Identifier: MIT */
/*
 * Who keeps the regions of this process. Both public headers need the names.
 */
#ifndef PRIVHEAP_BACKEND_H
#define PRIVHEAP_BACKEND_H

/**
 * enum privheap_backend - who keeps the regions of this process
 * @PRIVHEAP_BACKEND_NONE: nobody, every region call fails
 * @PRIVHEAP_BACKEND_MODULE: the kernel module, through /dev/privheap
 * @PRIVHEAP_BACKEND_ANONYMOUS: the library itself, with anonymous mappings
 *
 * The environment variable PRIVHEAP_BACKEND chooses, when the library is first
 * used:
 *
 *   auto       (or empty, or not set) the module; anonymous mappings only where
 *              /dev/privheap does not exist. A device that exists and cannot be
 *              opened is an error, and never silently replaced.
 *   module     the module or nothing
 *   anonymous  anonymous mappings, even where the module is loaded
 *
 * Anything else is reported once on standard error, and every call then fails
 * with EINVAL. A choice that succeeded holds until exec; after one that failed
 * (no right to open the device, no free descriptor) the next call tries again.
 */
enum privheap_backend {
	PRIVHEAP_BACKEND_NONE		= 0,
	PRIVHEAP_BACKEND_MODULE		= 1,
	PRIVHEAP_BACKEND_ANONYMOUS	= 2
};

#endif /* PRIVHEAP_BACKEND_H */
