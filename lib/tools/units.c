// SPDX-License-Identifier: MIT
/* Sizes and numbers as people write and read them: see units.h. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <linux/privheap.h>

#include "units.h"

static const char unit_letters[] = "KMGTPE";

/* The digits of @text, from its start. false: too large */
static bool parse_digits(const char **text, uint64_t *number)
{
	*number = 0;
	for (; isdigit((unsigned char)**text); (*text)++) {
		if (__builtin_mul_overflow(*number, 10, number) ||
		    __builtin_add_overflow(*number, **text - '0', number))
			return false;
	}
	return true;
}

/* 0.DIGITS of a unit, rounded down. */
static uint64_t parse_fraction(const char *digits, size_t count, uint64_t unit)
{
	uint64_t part = 0;

	/* From the last one on: it stays below a unit, and ten fit in 64 bits. */
	while (count--)
		part = (part + (digits[count] - '0') * unit) / 10;
	return part;
}

static const char *parse_unit(const char *text, uint64_t *unit)
{
	const char *letter;

	*unit = 1;
	if (!*text || !strcasecmp(text, "B"))
		return NULL;
	letter = strchr(unit_letters, toupper((unsigned char)*text));
	if (!letter)
		return "has a unit that is none of K, M, G, T, P, E";
	if (!strcasecmp(text + 1, "B"))
		return "is ambiguous: write K or KiB, M or MiB, and so on";
	if (text[1] && strcasecmp(text + 1, "iB"))
		return "has something behind its unit";
	*unit <<= 10 * (letter - unit_letters + 1);
	return NULL;
}

const char *units_parse_size(const char *text, uint64_t page, uint64_t *bytes)
{
	uint64_t whole, unit, part;
	const char *fraction = NULL, *why;
	size_t digits = 0;

	if (!strcasecmp(text, "unlimited")) {
		*bytes = PRIVHEAP_NO_LIMIT;
		return NULL;
	}
	if (!isdigit((unsigned char)*text))
		return "is no size: write 4096, 64K, 64M, 1.5G or unlimited";
	if (!parse_digits(&text, &whole))
		return "is too large";
	if (*text == '.') {
		fraction = ++text;
		digits = strspn(fraction, "0123456789");
		if (!digits)
			return "has no digits behind its point";
		text += digits;
	}
	why = parse_unit(text, &unit);
	if (why)
		return why;
	part = fraction ? parse_fraction(fraction, digits, unit) : 0;
	if (__builtin_mul_overflow(whole, unit, &whole) ||
	    __builtin_add_overflow(whole, part, &whole))
		return "is too large";
	if (fraction) {
		part = whole;
		whole -= whole % page;
		if (!whole && (part || strspn(fraction, "0") < digits))
			return "is less than a page";
	}
	if (whole % page)
		return "is not a whole number of pages";
	*bytes = whole;
	return NULL;
}

bool units_parse_number(const char *text, uint64_t most, uint64_t *number)
{
	return isdigit((unsigned char)*text) && parse_digits(&text, number) &&
	       !*text && *number <= most;
}

bool units_parse_seconds(const char *text, unsigned int *milliseconds)
{
	uint64_t whole, part = 0;
	size_t digits;

	if (!isdigit((unsigned char)*text) || !parse_digits(&text, &whole) ||
	    whole > 1000000)
		return false;
	if (*text == '.') {
		digits = strspn(++text, "0123456789");
		if (!digits || digits > 3)
			return false;
		part = parse_fraction(text, digits, 1000);
		text += digits;
	}
	*milliseconds = whole * 1000 + part;
	return !*text;
}

struct units_text units_size(uint64_t bytes)
{
	static const char suffix[][2] = { "", "K", "M", "G", "T", "P", "E" };
	struct units_text size;
	uint64_t whole, tenths;
	unsigned int i = 0;

	if (bytes == PRIVHEAP_NO_LIMIT)
		return units_bytes(bytes);
	while (i + 1 < sizeof(suffix) / sizeof(*suffix) && bytes >> 10 * (i + 1))
		i++;
	whole = bytes >> 10 * i;
	/* Of what is left, ten bits say enough, and do not overflow. */
	tenths = i ? ((bytes >> 10 * (i - 1) & 1023) * 10 + 512) >> 10 : 0;
	if (tenths == 10 || whole >= 100) {
		whole += tenths >= 5;
		tenths = 0;
	}
	if (whole == 1024) {
		whole = 1;
		i++;
	}
	if (tenths)
		snprintf(size.text, sizeof(size.text), "%llu.%llu%s",
			 (unsigned long long)whole, (unsigned long long)tenths,
			 suffix[i]);
	else
		snprintf(size.text, sizeof(size.text), "%llu%s",
			 (unsigned long long)whole, suffix[i]);
	return size;
}

struct units_text units_exact(uint64_t bytes)
{
	struct units_text text;
	unsigned int i = 0;

	while (bytes && !(bytes & 1023) && unit_letters[i]) {
		bytes >>= 10;
		i++;
	}
	snprintf(text.text, sizeof(text.text), "%llu%.1s",
		 (unsigned long long)bytes,
		 i ? unit_letters + i - 1 : "");
	return text;
}

struct units_text units_bytes(uint64_t bytes)
{
	struct units_text size = { "-" };

	return bytes == PRIVHEAP_NO_LIMIT ? size : units_number(bytes);
}

struct units_text units_either(uint64_t bytes, bool exact)
{
	return exact ? units_bytes(bytes) : units_size(bytes);
}

struct units_text units_number(uint64_t number)
{
	struct units_text text;

	snprintf(text.text, sizeof(text.text), "%llu",
		 (unsigned long long)number);
	return text;
}
