/* SPDX-License-Identifier: GPL-2.0-only */
/* A user's id. */
#ifndef PRIVHEAP_KERNEL_UIDGID_H
#define PRIVHEAP_KERNEL_UIDGID_H

typedef struct { unsigned int val; } kuid_t;

#endif /* PRIVHEAP_KERNEL_UIDGID_H */
