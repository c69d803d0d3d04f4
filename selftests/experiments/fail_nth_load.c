// SPDX-License-Identifier: GPL-2.0-only
/* What the programs of fail_nth.c are given to do, and what they may answer. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "experiment.h"
#include "fail_nth_load.h"

/* Exit status of the store: see store.c. */
#define STORE_REFUSED	3
#define STORE_NO_HEAP	4
#define STORE_END	"end: 0 blocks are left\n"

static FILE *load_open(const char *path)
{
	FILE *file = fopen(path, "we");

	if (!file)
		experiment_die("%s: %s", path, strerror(errno));
	return file;
}

static void load_close(FILE *file, const char *path)
{
	bool bad = ferror(file);

	if (fclose(file) || bad)
		experiment_die("cannot write %s", path);
}

/* --------------------------------------------------------------- the store */

/* An object with so many members, each of which is an array. */
static void put_object(FILE *file, int members, uint32_t *random)
{
	int i, j;

	fputc('{', file);
	for (i = 0; i < members; i++) {
		fprintf(file, "%s\"member %d\": [", i ? ", " : "", i);
		for (j = random_below(random, 12); j >= 0; j--)
			fprintf(file, "%u, ", ph_random(random) % 100000);
		fprintf(file, "\"%0*d\"]", (int)random_below(random, 200), i);
	}
	fputs("}\n", file);
}

void store_load(const char *path, int count)
{
	FILE *file = load_open(path);
	uint32_t random = 7;
	int i;

	fputs("set list []\n", file);
	for (i = 0; i < count; i++) {
		switch (i % 8) {
		case 0:
		case 4:
			fprintf(file, "set object%d ", i / 4);
			put_object(file, random_below(&random, 60), &random);
			break;
		case 1:
			fputs("append list ", file);
			put_object(file, random_below(&random, 20), &random);
			break;
		case 2:
			fprintf(file, "get object%d\n", i / 4);
			break;
		case 3:
			fprintf(file, "text text%d %u\n", i % 24,
				random_below(&random, 300000));
			break;
		case 5:
			fprintf(file, "copy list list%d\n", i % 16);
			break;
		case 6:
			/* Larger than a block of the heap's own region. */
			if (i % 16 == 6)
				fprintf(file, "text large %u\n", 1200000 +
					random_below(&random, 500000));
			else
				fputs("del large\n", file);
			break;
		case 7:
			fprintf(file, i % 16 == 7 ? "get list\n" :
				"copy object%d object0\n", i / 8);
			break;
		}
	}
	load_close(file, path);
}

int count_words(const char *text, const char *words)
{
	int count = 0;

	while ((text = strstr(text, words))) {
		text += strlen(words);
		count++;
	}
	return count;
}

/* The lines that @said has besides those of @reference all tell of a refusal. */
static bool same_but_refusals(const char *said, const char *reference)
{
	const size_t length = strlen(STORE_SAYS "\n");

	while (*said) {
		if (!strncmp(said, STORE_SAYS "\n", length)) {
			said += length;
			continue;
		}
		do {
			if (*said != *reference++)
				return false;
		} while (*said++ != '\n');
	}
	return !*reference;
}

bool store_refused(int status, const char *said, const char *reference,
		   bool retried)
{
	size_t length = strlen(said), end = strlen(STORE_END);

	if (status == STORE_NO_HEAP)
		return !strcmp(said, "error: no memory for the store\n");
	if (status != STORE_REFUSED || !strstr(said, STORE_SAYS))
		return false;
	if (retried)
		return same_but_refusals(said, reference);
	/* One answer to each command, and nothing is left behind. */
	return length >= end && !strcmp(said + length - end, STORE_END) &&
	       count_words(said, "\n") == count_words(reference, "\n");
}

/* ----------------------------------------------------------------- sqlite3 */

void sqlite_load(const char *path, int count)
{
	FILE *file = load_open(path);

	fprintf(file,
		"PRAGMA cache_size = -2000;\n"
		"PRAGMA temp_store = MEMORY;\n"
		"CREATE TABLE sale (id INTEGER PRIMARY KEY, shop INT, cents INT, label TEXT);\n"
		"BEGIN;\n"
		"WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < %d)\n"
		"INSERT INTO sale SELECT i, i * 2654435761 %% 97, i * 48271 %% 9973,\n"
		"	printf('label %%x of %%d', i * 40503 %% 65536, i) FROM n;\n"
		"COMMIT;\n"
		"CREATE INDEX sale_shop ON sale(shop, cents);\n"
		"SELECT shop, count(*), sum(cents), max(label) FROM sale GROUP BY shop ORDER BY 3 LIMIT 20;\n"
		"SELECT count(*) FROM sale a JOIN sale b ON a.shop = b.shop AND a.cents = b.cents AND a.id < b.id;\n"
		"SELECT length(group_concat(label)) FROM sale;\n"
		"SELECT label FROM sale ORDER BY label DESC LIMIT 5;\n"
		"SELECT length(hex(zeroblob(700000)));\n"
		"DELETE FROM sale WHERE id %% 3 = 0;\n"
		"PRAGMA integrity_check;\n", count);
	load_close(file, path);
}

bool sqlite_refused(int status, const char *said, const char *reference,
		    bool retried)
{
	const char *rest = strchr(said, '\n');

	(void)retried;
	/* It says what it goes without, and all the rest is the same. */
	if (!status)
		return strstr(said, "-- warning: cannot find home directory") ==
		       said && rest && !strcmp(rest + 1, reference);
	/* What the loader says when it gets none, before there is a program. */
	if (status == 127)
		return strstr(said, "cannot allocate memory");
	/* Its temporary files are in memory, too. */
	return strstr(said, SQLITE_SAYS) ||
	       strstr(said, "unable to open a temporary");
}
