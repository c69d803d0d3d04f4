// SPDX-License-Identifier: GPL-2.0-only
/* JSON values in a private heap. */
#include <ctype.h>
#include <string.h>

#include "store_value.h"

#define DEPTH_MAX	64
#define MEMBERS_FIRST	4
#define PRINT_FIRST	64

static struct value *value_new(HANDLE heap, enum kind kind)
{
	struct value *value = HeapAlloc(heap, HEAP_ZERO_MEMORY, sizeof(*value));

	if (value)
		value->kind = kind;
	return value;
}

static char *text_new(HANDLE heap, const char *start, size_t length)
{
	char *text = HeapAlloc(heap, 0, length + 1);

	if (text) {
		memcpy(text, start, length);
		text[length] = '\0';
	}
	return text;
}

void value_free(HANDLE heap, struct value *value)
{
	size_t i;

	if (!value)
		return;
	for (i = 0; i < value->count; i++) {
		HeapFree(heap, 0, value->members[i].name);
		value_free(heap, value->members[i].value);
	}
	HeapFree(heap, 0, value->members);
	HeapFree(heap, 0, value->text);
	HeapFree(heap, 0, value);
}

size_t value_blocks(const struct value *value)
{
	size_t i, blocks = 1 + !!value->text + !!value->members;

	for (i = 0; i < value->count; i++)
		blocks += !!value->members[i].name +
			  value_blocks(value->members[i].value);
	return blocks;
}

static bool value_reserve(HANDLE heap, struct value *array)
{
	size_t room = array->room ? array->room * 2 : MEMBERS_FIRST;
	size_t size = room * sizeof(*array->members);
	struct member *members;

	if (array->count < array->room)
		return true;
	members = array->members ? HeapReAlloc(heap, 0, array->members, size) :
				   HeapAlloc(heap, 0, size);
	if (!members)
		return false;
	array->members = members;
	array->room = room;
	return true;
}

bool value_append(HANDLE heap, struct value *array, const char *name,
		  struct value *value)
{
	char *copy = NULL;

	if (name) {
		copy = text_new(heap, name, strlen(name));
		if (!copy)
			return false;
	}
	if (!value_reserve(heap, array)) {
		HeapFree(heap, 0, copy);
		return false;
	}
	array->members[array->count++] = (struct member){ copy, value };
	return true;
}

struct value *value_copy(HANDLE heap, const struct value *value)
{
	struct value *copy = value_new(heap, value->kind), *part;
	size_t i;

	if (!copy)
		return NULL;
	if (value->text) {
		copy->text = text_new(heap, value->text, strlen(value->text));
		if (!copy->text)
			goto fail;
	}
	for (i = 0; i < value->count; i++) {
		part = value_copy(heap, value->members[i].value);
		if (!part)
			goto fail;
		if (!value_append(heap, copy, value->members[i].name, part)) {
			value_free(heap, part);
			goto fail;
		}
	}
	return copy;
fail:
	value_free(heap, copy);
	return NULL;
}

struct value *value_text(HANDLE heap, size_t length)
{
	struct value *value = value_new(heap, VALUE_STRING);

	if (!value)
		return NULL;
	value->text = HeapAlloc(heap, 0, length + 3);
	if (!value->text) {
		value_free(heap, value);
		return NULL;
	}
	memset(value->text, 'x', length + 2);
	value->text[0] = '"';
	value->text[length + 1] = '"';
	value->text[length + 2] = '\0';
	return value;
}

/* ------------------------------------------------------------------ parsing */

/**
 * struct parser - where the parser is
 * @heap: for values
 * @at: the next letter
 * @depth: of arrays and objects around it
 * @bad: it is no value
 */
struct parser {
	HANDLE heap;
	const char *at;
	int depth;
	bool bad;
};

static void skip_space(struct parser *parser)
{
	while (isspace((unsigned char)*parser->at))
		parser->at++;
}

static bool skip_letter(struct parser *parser, char letter)
{
	skip_space(parser);
	if (*parser->at != letter)
		return false;
	parser->at++;
	return true;
}

/* The length of the string or plain word that begins here; 0 for none. */
static size_t word_length(const char *at)
{
	size_t length = 0;

	if (*at != '"') {
		while (isalnum((unsigned char)at[length]) ||
		       (at[length] && strchr("+-.", at[length])))
			length++;
		return length;
	}
	for (length = 1; at[length] && at[length] != '"'; length++)
		if (at[length] == '\\' && at[length + 1])
			length++;
	return at[length] ? length + 1 : 0;
}

static char *parse_word(struct parser *parser)
{
	size_t length;
	char *word;

	skip_space(parser);
	length = word_length(parser->at);
	if (!length) {
		parser->bad = true;
		return NULL;
	}
	word = text_new(parser->heap, parser->at, length);
	parser->at += length;
	return word;
}

static struct value *parse_value(struct parser *parser);

/* A member or an element, and what is between it and the next. */
static bool parse_member(struct parser *parser, struct value *value)
{
	struct value *part = NULL;
	char *name = NULL;
	bool done = false;

	if (value->kind == VALUE_OBJECT) {
		name = parse_word(parser);
		if (!name)
			return false;
		if (*name != '"' || !skip_letter(parser, ':')) {
			parser->bad = true;
			goto out;
		}
	}
	part = parse_value(parser);
	if (part && value_append(parser->heap, value, name, part))
		done = true;
	else
		value_free(parser->heap, part);
out:
	HeapFree(parser->heap, 0, name);
	return done;
}

static struct value *parse_members(struct parser *parser, enum kind kind)
{
	char end = kind == VALUE_ARRAY ? ']' : '}';
	struct value *value = value_new(parser->heap, kind);

	if (!value || skip_letter(parser, end))
		return value;
	do {
		if (!parse_member(parser, value))
			goto fail;
	} while (skip_letter(parser, ','));
	if (skip_letter(parser, end))
		return value;
	parser->bad = true;
fail:
	value_free(parser->heap, value);
	return NULL;
}

static struct value *parse_value(struct parser *parser)
{
	struct value *value = NULL;

	if (parser->depth == DEPTH_MAX) {
		parser->bad = true;
		return NULL;
	}
	parser->depth++;
	if (skip_letter(parser, '[')) {
		value = parse_members(parser, VALUE_ARRAY);
	} else if (skip_letter(parser, '{')) {
		value = parse_members(parser, VALUE_OBJECT);
	} else {
		value = value_new(parser->heap, *parser->at == '"' ?
				  VALUE_STRING : VALUE_PLAIN);
		if (value) {
			value->text = parse_word(parser);
			if (!value->text) {
				value_free(parser->heap, value);
				value = NULL;
			}
		}
	}
	parser->depth--;
	return value;
}

struct value *value_parse(HANDLE heap, const char *text, bool *bad)
{
	struct parser parser = { .heap = heap, .at = text };
	struct value *value = parse_value(&parser);

	skip_space(&parser);
	if (value && *parser.at) {
		parser.bad = true;
		value_free(heap, value);
		value = NULL;
	}
	*bad = parser.bad;
	return value;
}

/* ----------------------------------------------------------------- printing */

struct printer {
	HANDLE heap;
	char *text;
	size_t length, room;
};

static bool print_text(struct printer *printer, const char *text)
{
	size_t length = strlen(text), room = printer->room;
	char *larger;

	while (printer->length + length + 1 > room)
		room *= 2;
	if (room > printer->room) {
		larger = HeapReAlloc(printer->heap, 0, printer->text, room);
		if (!larger)
			return false;
		printer->text = larger;
		printer->room = room;
	}
	memcpy(printer->text + printer->length, text, length + 1);
	printer->length += length;
	return true;
}

static bool print_value(struct printer *printer, const struct value *value)
{
	bool array = value->kind == VALUE_ARRAY;
	size_t i;

	if (value->text)
		return print_text(printer, value->text);
	if (!print_text(printer, array ? "[" : "{"))
		return false;
	for (i = 0; i < value->count; i++) {
		if (i && !print_text(printer, ","))
			return false;
		if (!array && (!print_text(printer, value->members[i].name) ||
			       !print_text(printer, ":")))
			return false;
		if (!print_value(printer, value->members[i].value))
			return false;
	}
	return print_text(printer, array ? "]" : "}");
}

char *value_print(HANDLE heap, const struct value *value)
{
	struct printer printer = { .heap = heap, .room = PRINT_FIRST };

	printer.text = HeapAlloc(heap, 0, printer.room);
	if (!printer.text)
		return NULL;
	*printer.text = '\0';
	if (print_value(&printer, value))
		return printer.text;
	HeapFree(heap, 0, printer.text);
	return NULL;
}
