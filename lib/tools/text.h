/* SPDX-License-Identifier: MIT */
/*
 * Text that others chose (names of commands, users and cgroups), made fit to be
 * printed: no control characters, no sequences that a terminal obeys.
 */
#ifndef PRIVHEAP_TOOLS_TEXT_H
#define PRIVHEAP_TOOLS_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* Does the locale print UTF-8? */
bool text_utf8(void);

/**
 * text_next - one character of text that should be UTF-8
 * @text: not at its end
 * @length: set to the bytes it takes, at least 1
 *
 * Return: the code point, or -1 for a byte that is not of a character (also
 * overlong forms, surrogates, and what is beyond U+10FFFF).
 */
int text_next(const char *text, size_t *length);

/**
 * text_clean - a copy for a terminal or a table
 * @text: of anybody
 * @utf8: characters other than ASCII may stay
 * @clean: the copy; what does not fit is left out, at a character's end
 * @size: bytes of @clean
 *
 * What is not printable becomes a question mark.
 */
void text_clean(const char *text, bool utf8, char *clean, size_t size);

/* Columns that clean text takes, if all of its characters take one. */
size_t text_width(const char *text);

/* Bytes of the longest start of clean text that fits into that many columns. */
size_t text_fit(const char *text, size_t columns);

/* How much two words differ: for "did you mean". */
unsigned int text_distance(const char *a, const char *b);

#endif /* PRIVHEAP_TOOLS_TEXT_H */
