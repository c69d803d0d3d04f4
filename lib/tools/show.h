/* SPDX-License-Identifier: MIT */
/* One region on a page, and what the terminal can do. */
#ifndef PRIVHEAP_TOOLS_SHOW_H
#define PRIVHEAP_TOOLS_SHOW_H

#include <stdbool.h>
#include <stdio.h>

#include "map.h"
#include "record.h"

/* Columns of the terminal, or of $COLUMNS, or 80. */
size_t show_width(int fd);

/* A terminal that does colours, and nobody set NO_COLOR. */
bool show_colour(int fd);

void show_region(const struct region *region, const struct map_style *style,
		 bool exact, FILE *out);

#endif /* PRIVHEAP_TOOLS_SHOW_H */
