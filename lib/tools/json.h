/* SPDX-License-Identifier: MIT */
/* JSON (RFC 8259), written as it comes. */
#ifndef PRIVHEAP_TOOLS_JSON_H
#define PRIVHEAP_TOOLS_JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/**
 * struct json - a text in the making; begins as { .out = where it goes }
 * @out: where it goes
 * @more: something stands before, at this depth: a comma is due
 */
struct json {
	FILE *out;
	bool more;
};

/*
 * A name of NULL is for what stands in an array, or alone. Objects and arrays
 * that were begun must be ended.
 */
void json_object(struct json *json, const char *name);
void json_object_end(struct json *json);
void json_array(struct json *json, const char *name);
void json_array_end(struct json *json);
void json_number(struct json *json, const char *name, uint64_t value);
/* null for PRIVHEAP_NO_LIMIT */
void json_limit(struct json *json, const char *name, uint64_t value);
void json_bool(struct json *json, const char *name, bool value);
/* Bytes that are not UTF-8 become U+FFFD. NULL: null */
void json_string(struct json *json, const char *name, const char *value);
/* Ends a line, so that the next text can follow. */
void json_line(struct json *json);

#endif /* PRIVHEAP_TOOLS_JSON_H */
