/* SPDX-License-Identifier: GPL-2.0-only */
/* What the programs of fail_nth.c are given to do, and what they may answer. */
#ifndef FAIL_NTH_LOAD_H
#define FAIL_NTH_LOAD_H

#include <stdbool.h>

/* What the programs say when they get no memory. */
#define STORE_SAYS	"error: no memory"
#define SQLITE_SAYS	"out of memory"

/* Write @count commands for the store, or work on @count rows for sqlite3. */
void store_load(const char *path, int count);
void sqlite_load(const char *path, int count);

/*
 * Whether a program ended as it documents for a refusal: @status is its exit
 * status, @said all that it said, and @reference what it says without one.
 * @retried: the store did each refused command once more, and only one charge
 * was refused: then all else that it said is as without.
 */
bool store_refused(int status, const char *said, const char *reference,
		   bool retried);
bool sqlite_refused(int status, const char *said, const char *reference,
		    bool retried);

/* How often @words are in @text. */
int count_words(const char *text, const char *words);

#endif /* FAIL_NTH_LOAD_H */
