// SPDX-License-Identifier: GPL-2.0-only
/*
 * Programs as text. A call is a line, or ends with a semicolon:
 *   [THREAD:]NAME [ARGUMENT=VALUE]...
 * Arguments that are 0 are left out. A VALUE is a number, or what it is added to
 * and a number: r0+0x1000 is a page behind the base of the region in slot 0, i0 is
 * that region's number, pid the process, cg its cgroup. "#" begins a comment.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

static size_t print_value(const struct fuzz_value *value, char *text, size_t size)
{
	int64_t number = value->number;
	char symbol[8];

	switch (value->kind) {
	case VALUE_BASE:
		snprintf(symbol, sizeof(symbol), "r%u", value->slot);
		break;
	case VALUE_ID:
		snprintf(symbol, sizeof(symbol), "i%u", value->slot);
		break;
	case VALUE_PID:
		strcpy(symbol, "pid");
		break;
	case VALUE_CGROUP:
		strcpy(symbol, "cg");
		break;
	default:
		return snprintf(text, size, "%#llx", (unsigned long long)value->number);
	}
	if (!number)
		return snprintf(text, size, "%s", symbol);
	if (number < 0)
		return snprintf(text, size, "%s-%#llx", symbol,
				(unsigned long long)-(uint64_t)number);
	return snprintf(text, size, "%s+%#llx", symbol, (unsigned long long)number);
}

/**
 * fuzz_print_call() - the text of a call
 * @call: the call
 * @text: result
 * @size: of @text, which has room for any call
 *
 * Return: the length.
 */
size_t fuzz_print_call(const struct fuzz_call *call, char *text, size_t size)
{
	const struct fuzz_call_type *type = &fuzz_calls[call->type];
	size_t length = 0;
	unsigned int i;

	if (call->thread)
		length = snprintf(text, size, "%u:", call->thread);
	length += snprintf(text + length, size - length, "%s", type->name);
	for (i = 0; i < FUZZ_ARGS && type->args[i].name; i++) {
		if (call->arg[i].kind == VALUE_NUMBER && !call->arg[i].number)
			continue;
		length += snprintf(text + length, size - length, " %s=",
				   type->args[i].name);
		length += print_value(&call->arg[i], text + length, size - length);
	}
	return length;
}

/**
 * fuzz_print() - the text of a program
 * @program: the program
 * @text: result
 * @size: of @text, FUZZ_TEXT
 * @separator: what ends a call
 */
void fuzz_print(const struct fuzz_program *program, char *text, size_t size,
		char separator)
{
	size_t length = 0;
	unsigned int i;

	text[0] = '\0';
	for (i = 0; i < program->count && size - length > 1; i++) {
		length += fuzz_print_call(&program->call[i], text + length,
					  size - length);
		if (length + 2 > size)
			break;
		text[length++] = separator;
		text[length] = '\0';
	}
}

static bool parse_value(struct fuzz_value *value, const char *text)
{
	char *end;

	memset(value, 0, sizeof(*value));
	if (*text == 'r' || *text == 'i') {
		value->kind = *text == 'r' ? VALUE_BASE : VALUE_ID;
		value->slot = text[1] - '0';
		if (value->slot >= FUZZ_SLOTS)
			return false;
		text += 2;
	} else if (!strncmp(text, "pid", 3)) {
		value->kind = VALUE_PID;
		text += 3;
	} else if (!strncmp(text, "cg", 2)) {
		value->kind = VALUE_CGROUP;
		text += 2;
	}
	if (!*text)
		return value->kind != VALUE_NUMBER;
	value->number = strtoull(text + (*text == '-' || *text == '+'), &end, 0);
	if (*text == '-')
		value->number = -value->number;
	return !*end;
}

static int find_type(const char *name)
{
	unsigned int i;

	for (i = 0; i < fuzz_call_count; i++)
		if (!strcmp(fuzz_calls[i].name, name))
			return i;
	return -1;
}

static bool parse_argument(struct fuzz_call *call, char *word)
{
	const struct fuzz_call_type *type = &fuzz_calls[call->type];
	char *value = strchr(word, '=');
	unsigned int i;

	if (!value)
		return false;
	*value++ = '\0';
	for (i = 0; i < FUZZ_ARGS && type->args[i].name; i++)
		if (!strcmp(type->args[i].name, word))
			return parse_value(&call->arg[i], value);
	return false;
}

/* One call, or none where the text is blank or a comment. */
static bool parse_call(struct fuzz_program *program, char *text)
{
	struct fuzz_call *call = &program->call[program->count];
	char *word, *rest = text, *hash = strchr(text, '#');
	int type;

	if (hash)
		*hash = '\0';
	word = strtok_r(text, " \t\r", &rest);
	if (!word)
		return true;
	if (program->count == FUZZ_CALLS)
		return false;
	memset(call, 0, sizeof(*call));
	if (word[0] >= '0' && word[0] < '0' + FUZZ_THREADS && word[1] == ':') {
		call->thread = word[0] - '0';
		word += 2;
	}
	type = find_type(word);
	if (type < 0)
		return false;
	call->type = type;
	while ((word = strtok_r(NULL, " \t\r", &rest)) != NULL)
		if (!parse_argument(call, word))
			return false;
	program->count++;
	return true;
}

/**
 * fuzz_parse() - make a program of its text
 * @program: result
 * @text: the text
 * @wrong: where it cannot be understood, the call
 *
 * Return: whether it is one.
 */
bool fuzz_parse(struct fuzz_program *program, const char *text, const char **wrong)
{
	static char copy[FUZZ_TEXT], line[FUZZ_TEXT];
	char *call, *rest = copy;

	memset(program, 0, sizeof(*program));
	snprintf(copy, sizeof(copy), "%s", text);
	while ((call = strsep(&rest, ";\n")) != NULL) {
		strcpy(line, call);
		if (!parse_call(program, call)) {
			*wrong = line;
			return false;
		}
	}
	return true;
}

/**
 * fuzz_load() - read a program
 * @program: result
 * @path: the file
 *
 * Return: whether it is one; complains if not.
 */
bool fuzz_load(struct fuzz_program *program, const char *path)
{
	static char text[FUZZ_TEXT];
	const char *wrong = "";

	if (ph_read_file(path, text, sizeof(text)) < 0) {
		fprintf(stderr, "fuzz: cannot read %s\n", path);
		return false;
	}
	if (fuzz_parse(program, text, &wrong) && program->count)
		return true;
	fprintf(stderr, "fuzz: %s: no program: %s\n", path, wrong);
	return false;
}
