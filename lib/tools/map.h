/* SPDX-License-Identifier: MIT */
/* The map of a region, drawn: what is reserved, committed, resident. */
#ifndef PRIVHEAP_TOOLS_MAP_H
#define PRIVHEAP_TOOLS_MAP_H

#include <stdbool.h>
#include <stdio.h>

#include "record.h"

/**
 * struct map_style - how to draw
 * @width: columns of a line, with what stands before the cells
 * @utf8: blocks, and not letters
 * @colour: with the sequences of ECMA-48
 */
struct map_style {
	size_t width;
	bool utf8;
	bool colour;
};

/* Into how many cells to divide a region, to fill some lines of that width. */
uint32_t map_cells(uint64_t reserved, size_t width);

/* Bytes of one of a region's cells; of the last one there may be fewer. */
uint64_t map_cell_bytes(const struct region *region);

/* Lines of cells, and what they mean. */
void map_draw(const struct region *region, const struct map_style *style,
	      FILE *out);

#endif /* PRIVHEAP_TOOLS_MAP_H */
