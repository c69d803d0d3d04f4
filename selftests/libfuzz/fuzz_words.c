// SPDX-License-Identifier: GPL-2.0-only
/*
 * privheapctl's words: sizes, numbers, seconds, subjects, text of others. What is
 * printed of a number is read again as the same number.
 */
#include <ctype.h>
#include <stdbool.h>

#include <linux/privheap.h>

#include "fuzz.h"
#include "subject.h"
#include "text.h"
#include "units.h"

#define PAGE	4096

static void sizes(const char *text)
{
	uint64_t bytes = 1, again, number;
	const char *why = units_parse_size(text, PAGE, &bytes);
	unsigned int ms = 0;

	if (!why) {
		FUZZ_CHECK(bytes == PRIVHEAP_NO_LIMIT || !(bytes % PAGE), "%s: %lu", text, bytes);
		why = bytes == PRIVHEAP_NO_LIMIT ? NULL :
		      units_parse_size(units_exact(bytes).text, PAGE, &again);
		FUZZ_CHECK(!why && (bytes == PRIVHEAP_NO_LIMIT || again == bytes),
			   "%s: %lu, %lu", text, bytes, again);
	} else {
		FUZZ_CHECK(*why && bytes == 1, "%s: %s", text, why);
	}
	if (units_parse_number(text, UINT64_MAX, &number)) {
		const char *digits = text + strspn(text, "0");

		FUZZ_CHECK(!strcmp(units_number(number).text, *digits ? digits : "0") ||
			   number == 0, "%s: %lu", text, number);
	}
	if (units_parse_seconds(text, &ms))
		FUZZ_CHECK(ms <= 1000000999, "%s: %u", text, ms);
}

static void printing(struct fuzz_input *input)
{
	uint64_t bytes = fuzz_u64(input), again;

	bytes >>= bytes & 63;
	FUZZ_CHECK(strlen(units_size(bytes).text) <= 7 || bytes == PRIVHEAP_NO_LIMIT, "%s",
		   units_size(bytes).text);
	bytes -= bytes % PAGE;
	FUZZ_CHECK(!units_parse_size(units_exact(bytes).text, PAGE, &again) && again == bytes,
		   "%lu: %s", bytes, units_exact(bytes).text);
}

static void subjects(const char *text)
{
	struct subject subject, again;
	char why[64];

	/* Folders are of this machine, not of the input. */
	if (!strncmp(text, "cgroup:/", 8))
		return;
	if (!subject_parse(text, &subject, why, sizeof(why))) {
		FUZZ_CHECK(*why && strlen(why) < sizeof(why), "%s", text);
		return;
	}
	FUZZ_CHECK(subject.level >= PRIVHEAP_LEVEL_REGION &&
		   subject.level <= PRIVHEAP_LEVEL_SYSTEM, "%s: %u", text, subject.level);
	if (subject.level == PRIVHEAP_LEVEL_CGROUP)
		return;
	FUZZ_CHECK(subject_parse(subject_format(&subject).text, &again, why, sizeof(why)) &&
		   again.level == subject.level && again.id == subject.id, "%s: %s", text,
		   subject_format(&subject).text);
}

static void texts(const char *text, size_t size)
{
	char *clean = malloc(size + 1);
	size_t length, columns;
	const char *at;

	if (!clean)
		return;
	for (at = text; *at; at += length) {
		int point = text_next(at, &length);

		FUZZ_CHECK(length >= 1 && length <= 4 && point <= 0x10ffff &&
			   !memchr(at, 0, length), "%s: %d", at, point);
	}
	for (unsigned int utf8 = 0; utf8 < 2; utf8++) {
		text_clean(text, utf8, clean, size + 1);
		for (at = clean; *at; at++)
			FUZZ_CHECK((unsigned char)*at >= ' ' && *at != 127 &&
				   (utf8 || !(*at & 0x80)), "%s", clean);
		columns = text_width(clean);
		FUZZ_CHECK(text_fit(clean, columns) == strlen(clean), "%s", clean);
		FUZZ_CHECK(text_fit(clean, columns / 2) <= strlen(clean), "%s", clean);
		/* In less room than it takes. */
		if (size > 1)
			text_clean(text, utf8, clean, size / 2);
	}
	if (size < 64)
		text_distance(text, "commit-limit");
	free(clean);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = { .data = data, .left = size };
	char *text = fuzz_text(data, size);

	sizes(text);
	subjects(text);
	texts(text, size);
	printing(&input);
	free(text);
	return 0;
}
