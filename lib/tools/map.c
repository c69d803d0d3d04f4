// SPDX-License-Identifier: MIT
/* The map of a region, drawn: see map.h. */
#include <string.h>
#include <unistd.h>

#include <linux/privheap_netlink.h>

#include "map.h"
#include "units.h"

/* Before the cells of a line: where it begins. */
#define LABEL_WIDTH	10

/* The most lines that a map has. */
#define LINES_MAX	8

/* What a message can hold: its length has 16 bits. */
#define CELLS_MAX \
	(PRIVHEAP_CELLS_MAX < 4000 ? PRIVHEAP_CELLS_MAX : 4000)

/* A line has a number of cells that makes its offsets round. */
#define CELLS_A_LINE	256
#define CELLS_LEAST	8

enum cell {
	CELL_RESERVED,
	CELL_PARTLY_COMMITTED,
	CELL_COMMITTED,
	CELL_PARTLY_RESIDENT,
	CELL_RESIDENT,
	CELL_KINDS
};

static const struct look {
	const char *ascii;
	const char *block;
	const char *colour;
	const char *meaning;
} looks[CELL_KINDS] = {
	[CELL_RESERVED] = { ".", "·", "\033[2m", "reserved" },
	[CELL_PARTLY_COMMITTED] = { "-", "░", "\033[33m", "partly committed" },
	[CELL_COMMITTED] = { "=", "▒", "\033[33m", "committed" },
	[CELL_PARTLY_RESIDENT] = { "+", "▓", "\033[32m", "partly resident" },
	[CELL_RESIDENT] = { "#", "█", "\033[32m", "resident" },
};

#define COLOUR_OFF	"\033[0m"

static size_t cells_a_line(size_t width)
{
	size_t cells = CELLS_LEAST;

	while (cells < CELLS_A_LINE && 2 * cells + LABEL_WIDTH <= width)
		cells *= 2;
	return cells;
}

uint32_t map_cells(uint64_t reserved, size_t width)
{
	uint64_t page = sysconf(_SC_PAGESIZE), pages = reserved / page, most, each = 1;

	most = LINES_MAX * cells_a_line(width);
	if (most > CELLS_MAX)
		most = CELLS_MAX;
	/* Cells of a power of two of pages, so that they begin at round ones. */
	while ((pages + each - 1) / each > most)
		each *= 2;
	return pages ? (pages + each - 1) / each : 1;
}

uint64_t map_cell_bytes(const struct region *region)
{
	uint64_t page = sysconf(_SC_PAGESIZE), pages = region->quota.reserved / page;

	if (!region->cells)
		return 0;
	return (pages + region->cells - 1) / region->cells * page;
}

static enum cell kind_of(uint64_t bytes, uint64_t committed, uint64_t resident)
{
	if (resident)
		return resident >= bytes ? CELL_RESIDENT : CELL_PARTLY_RESIDENT;
	if (committed)
		return committed >= bytes ? CELL_COMMITTED : CELL_PARTLY_COMMITTED;
	return CELL_RESERVED;
}

static void put_look(enum cell kind, const struct map_style *style,
		     const char **colour, FILE *out)
{
	const struct look *look = &looks[kind];

	if (style->colour && (!*colour || strcmp(*colour, look->colour))) {
		fprintf(out, "%s%s", *colour ? COLOUR_OFF : "", look->colour);
		*colour = look->colour;
	}
	fputs(style->utf8 ? look->block : look->ascii, out);
}

static void put_legend(const struct map_style *style, FILE *out)
{
	const char *colour;
	size_t column = 0, width;
	int kind;

	for (kind = CELL_KINDS - 1; kind >= 0; kind--) {
		width = strlen(looks[kind].meaning) + 2;
		if (column && column + 2 + width > style->width) {
			fputc('\n', out);
			column = 0;
		}
		if (column)
			fputs("  ", out);
		colour = NULL;
		put_look(kind, style, &colour, out);
		fprintf(out, "%s %s", colour ? COLOUR_OFF : "",
			looks[kind].meaning);
		column += width + (column ? 2 : 0);
	}
	fputc('\n', out);
}

void map_draw(const struct region *region, const struct map_style *style,
	      FILE *out)
{
	uint64_t size = map_cell_bytes(region), offset, bytes;
	uint64_t reserved = region->quota.reserved;
	size_t each = cells_a_line(style->width), i;
	const char *colour = NULL;

	for (i = 0; i < region->cells; i++) {
		offset = i * size;
		/* The last ones may lie behind the end. */
		if (offset >= reserved)
			break;
		if (i % each == 0) {
			if (i)
				fprintf(out, "%s\n", colour ? COLOUR_OFF : "");
			colour = NULL;
			fprintf(out, "%*s ", LABEL_WIDTH - 1,
				units_exact(offset).text);
		}
		bytes = reserved - offset < size ? reserved - offset : size;
		put_look(kind_of(bytes, region->map[2 * i], region->map[2 * i + 1]),
			 style, &colour, out);
	}
	fprintf(out, "%s\n\nEach cell is %s. ", colour ? COLOUR_OFF : "",
		units_exact(size).text);
	fputs("The map begins at the region's address; lines tell the offset.\n",
	      out);
	put_legend(style, out);
}
