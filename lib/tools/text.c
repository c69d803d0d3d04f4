// SPDX-License-Identifier: MIT
/* Text fit to be printed: see text.h. */
#include <langinfo.h>
#include <string.h>

#include "text.h"

/* The longest words that text_distance() looks at. */
#define WORD_MAX	31

bool text_utf8(void)
{
	return !strcmp(nl_langinfo(CODESET), "UTF-8");
}

int text_next(const char *text, size_t *length)
{
	static const int least[] = { 0, 0x80, 0x800, 0x10000 };
	const unsigned char *byte = (const unsigned char *)text;
	unsigned int more, i;
	int code;

	*length = 1;
	if (byte[0] < 0x80)
		return byte[0];
	if (byte[0] >= 0xc2 && byte[0] < 0xe0) {
		more = 1;
		code = byte[0] & 0x1f;
	} else if (byte[0] >= 0xe0 && byte[0] < 0xf0) {
		more = 2;
		code = byte[0] & 0x0f;
	} else if (byte[0] >= 0xf0 && byte[0] < 0xf5) {
		more = 3;
		code = byte[0] & 0x07;
	} else {
		return -1;
	}
	/* The zero at the end stops this, too. */
	for (i = 1; i <= more; i++) {
		if ((byte[i] & 0xc0) != 0x80)
			return -1;
		code = code << 6 | (byte[i] & 0x3f);
	}
	if (code < least[more] || code > 0x10ffff ||
	    (code >= 0xd800 && code <= 0xdfff))
		return -1;
	*length = more + 1;
	return code;
}

/* Controls, and what turns the direction of writing around. */
static bool printable(int code)
{
	if (code < 0x20 || (code >= 0x7f && code < 0xa0))
		return false;
	return !(code >= 0x200b && code <= 0x200f) &&
	       !(code >= 0x2028 && code <= 0x202e) &&
	       !(code >= 0x2060 && code <= 0x206f) && code != 0xfeff;
}

void text_clean(const char *text, bool utf8, char *clean, size_t size)
{
	size_t used = 0, length;
	int code;

	while (*text) {
		code = text_next(text, &length);
		if (!printable(code) || (code >= 0x80 && !utf8)) {
			if (used + 1 >= size)
				break;
			clean[used++] = '?';
		} else {
			if (used + length >= size)
				break;
			memcpy(clean + used, text, length);
			used += length;
		}
		text += length;
	}
	clean[used] = '\0';
}

size_t text_width(const char *text)
{
	size_t width = 0;

	for (; *text; text++)
		width += ((unsigned char)*text & 0xc0) != 0x80;
	return width;
}

size_t text_fit(const char *text, size_t columns)
{
	size_t used = 0;

	for (; text[used]; used++) {
		if (((unsigned char)text[used] & 0xc0) == 0x80)
			continue;
		if (!columns--)
			break;
	}
	return used;
}

unsigned int text_distance(const char *a, const char *b)
{
	unsigned int row[WORD_MAX + 1], diagonal, above, change;
	size_t i, j, columns = strlen(b);

	if (columns > WORD_MAX)
		return columns;
	for (j = 0; j <= columns; j++)
		row[j] = j;
	for (i = 0; a[i]; i++) {
		diagonal = row[0];
		row[0] = i + 1;
		for (j = 1; j <= columns; j++) {
			above = row[j];
			change = diagonal + (a[i] != b[j - 1]);
			row[j] = above < row[j - 1] ? above + 1 : row[j - 1] + 1;
			if (change < row[j])
				row[j] = change;
			diagonal = above;
		}
	}
	return row[columns];
}
