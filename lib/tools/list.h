/* SPDX-License-Identifier: MIT */
/* Regions as a table: for "list", and for "top" where there is no terminal. */
#ifndef PRIVHEAP_TOOLS_LIST_H
#define PRIVHEAP_TOOLS_LIST_H

#include <stdbool.h>
#include <stdio.h>

#include "record.h"

/* @exact: all bytes; @width: cut lines there, 0 for not */
void list_table(const struct region_list *regions, bool exact, bool heading,
		size_t width, FILE *out);
void list_json(const struct region_list *regions, FILE *out);

#endif /* PRIVHEAP_TOOLS_LIST_H */
