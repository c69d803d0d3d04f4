/* SPDX-License-Identifier: GPL-2.0-only */
/* JSON values in a private heap. */
#ifndef STORE_VALUE_H
#define STORE_VALUE_H

#include <stdbool.h>
#include <stddef.h>

#include <privheap/heapapi.h>

enum kind { VALUE_PLAIN, VALUE_STRING, VALUE_ARRAY, VALUE_OBJECT };

struct value;

struct member {
	char *name;
	struct value *value;
};

/**
 * struct value - a value
 * @kind: what it is
 * @text: VALUE_STRING: with its quotes and escapes; VALUE_PLAIN: a number, true,
 *	false or null, as it was written
 * @members: VALUE_ARRAY, VALUE_OBJECT: of an array without names
 * @count: of them
 * @room: how many @members can hold
 */
struct value {
	enum kind kind;
	char *text;
	struct member *members;
	size_t count, room;
};

/*
 * All return NULL (false) when there is no memory, with nothing left behind.
 * value_parse() also does where @text is no value; *@bad tells.
 */
struct value *value_parse(HANDLE heap, const char *text, bool *bad);
struct value *value_copy(HANDLE heap, const struct value *value);
struct value *value_text(HANDLE heap, size_t length);
/* Puts @value, which must be of the same heap, at the end; copies @name. */
bool value_append(HANDLE heap, struct value *array, const char *name,
		  struct value *value);
char *value_print(HANDLE heap, const struct value *value);
void value_free(HANDLE heap, struct value *value);
/* The blocks that it consists of. */
size_t value_blocks(const struct value *value);

#endif /* STORE_VALUE_H */
