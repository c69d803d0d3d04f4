// SPDX-License-Identifier: GPL-2.0-only
/*
 * A small store of JSON values, which must survive every refusal of memory.
 *
 * It reads commands from standard input, one a line:
 *
 *   set NAME JSON	keep a value
 *   append NAME JSON	add it to the array NAME
 *   copy NAME NEW	keep a copy under another name
 *   get NAME		print it
 *   del NAME		forget it
 *   text NAME LENGTH	keep a string of that many letters
 *
 * and answers each with a line. A command that gets no memory answers
 * "error: no memory", and has changed nothing. With --retry it is then done once
 * more. At the end the store looks through all it has, forgets it, and says how
 * many blocks are left in its heap, which are to be none.
 *
 * Values live in one growable heap. What a command needs while it runs is in a
 * heap of its own that has a maximum, and is destroyed when it is done.
 *
 * Exit status: 0: done; 3: at least one command got no memory; 4: not even the
 * heap of the store could be made; 1: something is wrong with the store.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <privheap/heapapi.h>

#include "store_value.h"

#define ENTRIES_FIRST	16
#define SCRATCH		(2u << 20)
#define LINE		(64 << 10)

#define EXIT_WRONG	1
#define EXIT_REFUSED	3
#define EXIT_NO_HEAP	4

struct entry {
	char *name;
	struct value *value;
};

static struct {
	HANDLE heap;
	struct entry *entries;
	size_t count, room;
} store;

enum answer { ANSWERED, NO_MEMORY, BAD };

/* ------------------------------------------------------------------- entries */

static struct entry *entry_find(const char *name)
{
	size_t i;

	for (i = 0; i < store.count; i++)
		if (!strcmp(store.entries[i].name, name))
			return &store.entries[i];
	return NULL;
}

static bool entries_reserve(void)
{
	size_t room = store.room ? store.room * 2 : ENTRIES_FIRST;
	struct entry *entries;

	if (store.count < store.room)
		return true;
	entries = store.entries ?
		  HeapReAlloc(store.heap, 0, store.entries,
			      room * sizeof(*entries)) :
		  HeapAlloc(store.heap, 0, room * sizeof(*entries));
	if (!entries)
		return false;
	store.entries = entries;
	store.room = room;
	return true;
}

/* Keeps @value, or on failure forgets it; the old one stays until then. */
static bool entry_put(const char *name, struct value *value)
{
	struct entry *entry = entry_find(name);
	char *copy;

	if (entry) {
		value_free(store.heap, entry->value);
		entry->value = value;
		return true;
	}
	copy = HeapAlloc(store.heap, 0, strlen(name) + 1);
	if (!copy || !entries_reserve()) {
		HeapFree(store.heap, 0, copy);
		value_free(store.heap, value);
		return false;
	}
	memcpy(copy, name, strlen(name) + 1);
	store.entries[store.count++] = (struct entry){ copy, value };
	return true;
}

static void entry_remove(struct entry *entry)
{
	HeapFree(store.heap, 0, entry->name);
	value_free(store.heap, entry->value);
	*entry = store.entries[--store.count];
}

/* ------------------------------------------------------------------ commands */

/* Parsed in the scratch heap, so that a line that is bad leaves nothing. */
static enum answer parse(HANDLE scratch, const char *text, struct value **kept)
{
	struct value *value;
	bool bad;

	value = value_parse(scratch, text, &bad);
	if (!value)
		return bad ? BAD : NO_MEMORY;
	*kept = value_copy(store.heap, value);
	return *kept ? ANSWERED : NO_MEMORY;
}

static enum answer do_set(HANDLE scratch, const char *name, const char *text)
{
	struct value *value;
	enum answer answer = parse(scratch, text, &value);

	if (answer != ANSWERED)
		return answer;
	if (!entry_put(name, value))
		return NO_MEMORY;
	puts("ok");
	return ANSWERED;
}

static enum answer do_append(HANDLE scratch, const char *name, const char *text)
{
	struct entry *entry = entry_find(name);
	struct value *value;
	enum answer answer;

	if (!entry || entry->value->kind != VALUE_ARRAY)
		return BAD;
	answer = parse(scratch, text, &value);
	if (answer != ANSWERED)
		return answer;
	if (!value_append(store.heap, entry->value, NULL, value)) {
		value_free(store.heap, value);
		return NO_MEMORY;
	}
	printf("ok %zu\n", entry->value->count);
	return ANSWERED;
}

static enum answer do_copy(const char *name, const char *to)
{
	struct entry *entry = entry_find(name);
	struct value *value;

	if (!entry || !*to)
		return BAD;
	value = value_copy(store.heap, entry->value);
	if (!value || !entry_put(to, value))
		return NO_MEMORY;
	puts("ok");
	return ANSWERED;
}

/* The whole answer is made before any of it is said. */
static enum answer do_get(HANDLE scratch, const char *name)
{
	struct entry *entry = entry_find(name);
	char *text;

	if (!entry)
		return BAD;
	text = value_print(scratch, entry->value);
	if (!text)
		return NO_MEMORY;
	puts(text);
	return ANSWERED;
}

static enum answer do_text(const char *name, const char *length)
{
	struct value *value = value_text(store.heap, strtoul(length, NULL, 10));

	if (!value || !entry_put(name, value))
		return NO_MEMORY;
	puts("ok");
	return ANSWERED;
}

static enum answer do_del(const char *name)
{
	struct entry *entry = entry_find(name);

	if (!entry)
		return BAD;
	entry_remove(entry);
	puts("ok");
	return ANSWERED;
}

/* @rest is what follows the name. */
static enum answer command(const char *verb, const char *name, const char *rest)
{
	HANDLE scratch = HeapCreate(0, 0, SCRATCH);
	enum answer answer = BAD;

	if (!scratch)
		return NO_MEMORY;
	if (!strcmp(verb, "set"))
		answer = do_set(scratch, name, rest);
	else if (!strcmp(verb, "append"))
		answer = do_append(scratch, name, rest);
	else if (!strcmp(verb, "copy"))
		answer = do_copy(name, rest);
	else if (!strcmp(verb, "get"))
		answer = do_get(scratch, name);
	else if (!strcmp(verb, "text"))
		answer = do_text(name, rest);
	else if (!strcmp(verb, "del"))
		answer = do_del(name);
	HeapDestroy(scratch);
	return answer;
}

/* Return: the status so far. */
static int run_line(char *line, bool retry)
{
	char *rest = line, *verb, *name;
	enum answer answer;
	int status = 0, tries;

	line[strcspn(line, "\n")] = '\0';
	verb = strsep(&rest, " ");
	name = strsep(&rest, " ");
	for (tries = 0; tries < 2; tries++) {
		answer = command(verb, name ? name : "", rest ? rest : "");
		if (answer != NO_MEMORY)
			break;
		status = EXIT_REFUSED;
		puts("error: no memory");
		if (!retry)
			break;
	}
	if (answer == BAD)
		puts("error: bad command");
	return status;
}

/* ----------------------------------------------------------------- the end */

/* Whether all that it has is in order, and all blocks are known. */
static bool store_sound(size_t blocks)
{
	PRIVHEAP_USAGE usage = { .cb = sizeof(usage) };
	size_t i, seen = store.entries ? 1 : 0;

	for (i = 0; i < store.count; i++)
		seen += 1 + value_blocks(store.entries[i].value);
	return HeapValidate(store.heap, 0, NULL) &&
	       PrivheapQueryHeap(store.heap, &usage) &&
	       usage.cBlocks == seen + blocks;
}

int main(int argc, char **argv)
{
	bool retry = argc > 1 && !strcmp(argv[1], "--retry");
	PRIVHEAP_USAGE usage = { .cb = sizeof(usage) };
	static char line[LINE];
	int status = 0, ended;

	store.heap = HeapCreate(0, 0, 0);
	if (!store.heap) {
		puts("error: no memory for the store");
		return EXIT_NO_HEAP;
	}
	while (fgets(line, sizeof(line), stdin)) {
		ended = run_line(line, retry);
		if (ended)
			status = ended;
	}
	if (!store_sound(0)) {
		puts("the store is not sound");
		return EXIT_WRONG;
	}
	while (store.count)
		entry_remove(&store.entries[store.count - 1]);
	HeapFree(store.heap, 0, store.entries);
	if (!PrivheapQueryHeap(store.heap, &usage) || usage.cBlocks) {
		printf("%llu blocks are left\n",
		       (unsigned long long)usage.cBlocks);
		return EXIT_WRONG;
	}
	if (!HeapDestroy(store.heap))
		return EXIT_WRONG;
	puts("end: 0 blocks are left");
	return fflush(stdout) ? EXIT_WRONG : status;
}
