/* SPDX-License-Identifier: MIT */
/* What VirtualAlloc(), VirtualFree() and VirtualQuery() share. */
#ifndef PRIVHEAP_SRC_VIRTUAL_H
#define PRIVHEAP_SRC_VIRTUAL_H

#include <pthread.h>

#include "reservations.h"

/* For the table of reservations, and before the locks of the back ends. */
extern pthread_mutex_t virtual_lock;

#endif /* PRIVHEAP_SRC_VIRTUAL_H */
