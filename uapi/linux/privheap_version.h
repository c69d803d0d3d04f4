/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * The version of the module, the library, the tool and their packages. It stands
 * here alone: makefiles and packages take it from the line below.
 */
#ifndef _LINUX_PRIVHEAP_VERSION_H
#define _LINUX_PRIVHEAP_VERSION_H

#define PRIVHEAP_VERSION	"0.1.0"

#endif /* _LINUX_PRIVHEAP_VERSION_H */
