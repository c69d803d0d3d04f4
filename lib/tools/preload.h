/* SPDX-License-Identifier: MIT */
/* Has a command's malloc go to a heap, where quotas count it. */
#ifndef PRIVHEAP_TOOLS_PRELOAD_H
#define PRIVHEAP_TOOLS_PRELOAD_H

#include <stdbool.h>

/**
 * preload_set - prepare the environment of a command
 *
 * The library is the one that was installed with the tool, or what PRIVHEAP_MALLOC
 * names; none, if that is empty.
 *
 * Return: false after a complaint: it is not there, and then a limit would be none.
 */
bool preload_set(void);

#endif /* PRIVHEAP_TOOLS_PRELOAD_H */
