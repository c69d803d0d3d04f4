/* SPDX-License-Identifier: MIT */
/* Quotas on paper. */
#ifndef PRIVHEAP_TOOLS_QUOTA_H
#define PRIVHEAP_TOOLS_QUOTA_H

#include <stdbool.h>
#include <stdio.h>

#include "record.h"

/* What belongs under a subject's name; @exact: all bytes. */
void quota_print_books(const struct quota *quota, bool exact, FILE *out);

/* A name, and what belongs under it. */
void quota_print(const struct quota *quota, bool exact, FILE *out);

/* A line for each; @width: cut lines there, 0 for not */
void quota_table(const struct quota_list *quotas, bool exact, bool heading,
		 size_t width, FILE *out);

#endif /* PRIVHEAP_TOOLS_QUOTA_H */
