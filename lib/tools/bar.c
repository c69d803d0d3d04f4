// SPDX-License-Identifier: MIT
/* Bars: see bar.h. */
#include <stdio.h>
#include <string.h>

#include <linux/privheap.h>

#include "bar.h"

/* @part of @whole in columns; a bit is a column, and all is all of them. */
static size_t columns_of(uint64_t part, uint64_t whole, size_t width)
{
	size_t columns;

	if (part >= whole)
		return part ? width : 0;
	columns = (long double)part / whole * width;
	return columns || !part ? columns : 1;
}

void bar_draw(char *text, size_t width, uint64_t resident, uint64_t committed,
	      uint64_t limit, bool utf8)
{
	size_t dark, light, i;
	unsigned int percent;

	text[0] = '\0';
	if (limit == PRIVHEAP_NO_LIMIT)
		return;
	dark = columns_of(resident, limit, width);
	light = columns_of(committed, limit, width);
	text = stpcpy(text, "[");
	for (i = 0; i < width; i++)
		text = stpcpy(text, i < dark ? (utf8 ? "█" : "#") :
			      i < light ? (utf8 ? "▒" : "=") :
			      (utf8 ? "·" : "."));
	/* A limit of 0, or below the usage, can be. */
	if (!limit || committed / limit >= 10)
		percent = committed ? 999 : 0;
	else
		percent = (long double)committed / limit * 100;
	snprintf(text, 16, "] %3u%%", percent);
}
