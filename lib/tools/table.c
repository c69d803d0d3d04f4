// SPDX-License-Identifier: MIT
/* Tables: see table.h. */
#include <stdlib.h>
#include <string.h>

#include "ctl.h"
#include "table.h"
#include "text.h"

#define COLUMNS_MAX	16

void table_add(struct table *table, const char *word)
{
	if (table->count == table->room) {
		table->room = table->room ? 2 * table->room : 128;
		table->cells = ctl_realloc(table->cells, table->room,
					   sizeof(*table->cells));
	}
	table->cells[table->count++] = ctl_strdup(word);
}

void table_init(struct table *table, const char *heading, unsigned int left)
{
	char *words = ctl_strdup(heading), *next = words, *word;

	memset(table, 0, sizeof(*table));
	table->left = left;
	while ((word = strsep(&next, " "))) {
		table_add(table, word);
		table->columns++;
	}
	free(words);
}

static void print_spaces(size_t count, FILE *out)
{
	while (count--)
		fputc(' ', out);
}

/* A row's columns are two spaces apart; nothing follows the last word. */
static void print_row(const struct table *table, char *const *row,
		      const size_t *widths, size_t width, FILE *out)
{
	size_t column = 0, space, length, before = 0;
	unsigned int i;
	bool left;

	for (i = 0; i < table->columns; i++) {
		left = table->left & 1u << i;
		length = text_width(row[i]);
		space = widths[i] - length;
		if (!left)
			before += space;
		if (i)
			before += 2;
		if (width && column + before >= width)
			break;
		if (!length) {
			before += left ? space : 0;
			continue;
		}
		print_spaces(before, out);
		column += before;
		if (width && column + length > width)
			length = width - column;
		fwrite(row[i], 1, text_fit(row[i], length), out);
		column += length;
		before = left ? space : 0;
	}
	fputc('\n', out);
}

void table_print(const struct table *table, bool heading, size_t width, FILE *out)
{
	size_t widths[COLUMNS_MAX] = { 0 }, i, length;

	for (i = heading ? 0 : table->columns; i < table->count; i++) {
		length = text_width(table->cells[i]);
		if (length > widths[i % table->columns])
			widths[i % table->columns] = length;
	}
	for (i = heading ? 0 : table->columns; i < table->count; i += table->columns)
		print_row(table, table->cells + i, widths, width, out);
}

void table_release(struct table *table)
{
	while (table->count)
		free(table->cells[--table->count]);
	free(table->cells);
}
