// SPDX-License-Identifier: MIT
/* JSON: see json.h. */
#include <linux/privheap.h>

#include "json.h"
#include "text.h"

static void write_string(FILE *out, const char *text)
{
	size_t length;
	int code;

	fputc('"', out);
	for (; *text; text += length) {
		code = text_next(text, &length);
		if (code == '"' || code == '\\')
			fprintf(out, "\\%c", code);
		else if (code == '\n')
			fputs("\\n", out);
		else if (code == '\t')
			fputs("\\t", out);
		else if (code < 0)
			fputs("\\ufffd", out);
		/* DEL and the second set of controls may stand, but why? */
		else if (code < 0x20 || (code >= 0x7f && code < 0xa0))
			fprintf(out, "\\u%04x", code);
		else
			fwrite(text, 1, length, out);
	}
	fputc('"', out);
}

static void begin(struct json *json, const char *name)
{
	if (json->more)
		fputc(',', json->out);
	json->more = true;
	if (name) {
		write_string(json->out, name);
		fputc(':', json->out);
	}
}

void json_object(struct json *json, const char *name)
{
	begin(json, name);
	fputc('{', json->out);
	json->more = false;
}

void json_object_end(struct json *json)
{
	fputc('}', json->out);
	json->more = true;
}

void json_array(struct json *json, const char *name)
{
	begin(json, name);
	fputc('[', json->out);
	json->more = false;
}

void json_array_end(struct json *json)
{
	fputc(']', json->out);
	json->more = true;
}

void json_number(struct json *json, const char *name, uint64_t value)
{
	begin(json, name);
	fprintf(json->out, "%llu", (unsigned long long)value);
}

void json_limit(struct json *json, const char *name, uint64_t value)
{
	if (value == PRIVHEAP_NO_LIMIT)
		json_string(json, name, NULL);
	else
		json_number(json, name, value);
}

void json_bool(struct json *json, const char *name, bool value)
{
	begin(json, name);
	fputs(value ? "true" : "false", json->out);
}

void json_string(struct json *json, const char *name, const char *value)
{
	begin(json, name);
	if (value)
		write_string(json->out, value);
	else
		fputs("null", json->out);
}

void json_line(struct json *json)
{
	fputc('\n', json->out);
	json->more = false;
}
