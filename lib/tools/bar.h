/* SPDX-License-Identifier: MIT */
/* Bars: what is used of a limit. */
#ifndef PRIVHEAP_TOOLS_BAR_H
#define PRIVHEAP_TOOLS_BAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of text for a bar of that many columns. */
#define BAR_BYTES(width)	((width) * 4 + 16)

/**
 * bar_draw - a bar, and how many percent
 * @text: BAR_BYTES(@width)
 * @width: columns of the bar itself
 * @resident: bytes, drawn dark
 * @committed: bytes, drawn lighter from there on
 * @limit: bytes that fill the bar; PRIVHEAP_NO_LIMIT: there is no bar
 * @utf8: of blocks
 */
void bar_draw(char *text, size_t width, uint64_t resident, uint64_t committed,
	      uint64_t limit, bool utf8);

#endif /* PRIVHEAP_TOOLS_BAR_H */
