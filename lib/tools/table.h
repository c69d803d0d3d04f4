/* SPDX-License-Identifier: MIT */
/* Tables of words in columns that are as wide as they must be. */
#ifndef PRIVHEAP_TOOLS_TABLE_H
#define PRIVHEAP_TOOLS_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/**
 * struct table - a table in the making
 * @columns: how many
 * @left: bit for each column whose words begin at its left
 * @cells: words, row by row; the first row is the heading
 * @count: of words
 * @room: for how many words there is memory
 */
struct table {
	unsigned int columns;
	unsigned int left;
	char **cells;
	size_t count;
	size_t room;
};

/* @heading: words with a space between */
void table_init(struct table *table, const char *heading, unsigned int left);
/* The next word; clean, and copied. */
void table_add(struct table *table, const char *word);
/* @width: lines are cut there; 0: they are not */
void table_print(const struct table *table, bool heading, size_t width, FILE *out);
void table_release(struct table *table);

#endif /* PRIVHEAP_TOOLS_TABLE_H */
