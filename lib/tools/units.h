/* SPDX-License-Identifier: MIT */
/* Sizes and numbers as people write and read them. */
#ifndef PRIVHEAP_TOOLS_UNITS_H
#define PRIVHEAP_TOOLS_UNITS_H

#include <stdbool.h>
#include <stdint.h>

/* A short text returned by value. */
struct units_text {
	char text[32];
};

/**
 * units_parse_size - 4096, 64K, 64M, 1.5G, 1GiB, unlimited
 * @text: K to E are powers of 1,024, in either case
 * @page: what limits must be a multiple of, in bytes
 * @bytes: set on success; PRIVHEAP_NO_LIMIT for "unlimited"
 *
 * A size with a fraction is rounded down to pages; one without must be whole
 * pages.
 *
 * Return: NULL, or what is wrong with @text: the end of a sentence.
 */
const char *units_parse_size(const char *text, uint64_t page, uint64_t *bytes);

/* A whole number, decimal, without a sign; false if it is none. */
bool units_parse_number(const char *text, uint64_t most, uint64_t *number);

/* Seconds with up to three digits behind the point, in milliseconds. */
bool units_parse_seconds(const char *text, unsigned int *milliseconds);

/* For people: three or four digits, as 0, 4K, 1.5G. "-" for PRIVHEAP_NO_LIMIT. */
struct units_text units_size(uint64_t bytes);

/* In the largest unit of which it is a whole number: 1280K. */
struct units_text units_exact(uint64_t bytes);

/* All digits; "-" for PRIVHEAP_NO_LIMIT. */
struct units_text units_bytes(uint64_t bytes);

/* units_bytes() where @exact, else units_size(). */
struct units_text units_either(uint64_t bytes, bool exact);

struct units_text units_number(uint64_t number);

#endif /* PRIVHEAP_TOOLS_UNITS_H */
