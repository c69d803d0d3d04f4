// SPDX-License-Identifier: GPL-2.0-only
/* Patterns, sizes and whole-heap checks: see heap_model.h. */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "heap_model.h"

#define SHOWN	20	/* failures that are printed */
#define STEP	UINT64_C(0x9e3779b97f4a7c15)

atomic_uint model_failures;

void model_fail(const char *file, int line, const char *format, ...)
{
	char text[512];
	va_list args;

	if (atomic_fetch_add(&model_failures, 1) >= SHOWN)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	fprintf(stderr, "# %s:%d: %s\n", file, line, text);
}

bool model_under_tool(void)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	return true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
	return true;
#endif
#endif
	return strstr(getenv("LD_PRELOAD") ?: "", "vgpreload");
}

unsigned long model_option(const char *name, unsigned long value)
{
	const char *text = getenv(name);
	char *end;

	if (!text || !*text)
		return value;
	value = strtoul(text, &end, 0);
	if (*end || !value) {
		fprintf(stderr, "# %s=%s is not a number above 0\n", name, text);
		exit(1);
	}
	return value;
}

uint32_t model_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state >> 16;
}

uint64_t model_seed(uint64_t *state)
{
	return (model_random(state) | UINT64_C(1) << 32) *
	       UINT64_C(0xd1342543de82ef95);
}

static uint64_t pattern_word(uint64_t seed, SIZE_T index)
{
	return seed + index * STEP;
}

static unsigned char pattern_byte(uint64_t seed, SIZE_T offset)
{
	uint64_t word = pattern_word(seed, offset / 8);
	unsigned char bytes[8];

	memcpy(bytes, &word, sizeof(word));
	return bytes[offset % 8];
}

void model_fill(void *block, SIZE_T from, SIZE_T to, uint64_t seed)
{
	unsigned char *bytes = block;
	uint64_t word;

	for (; from < to && from % 8; from++)
		bytes[from] = pattern_byte(seed, from);
	for (; to - from >= 8 && from < to; from += 8) {
		word = pattern_word(seed, from / 8);
		memcpy(bytes + from, &word, sizeof(word));
	}
	for (; from < to; from++)
		bytes[from] = pattern_byte(seed, from);
}

SIZE_T model_differs(const void *block, SIZE_T from, SIZE_T to, uint64_t seed)
{
	const unsigned char *bytes = block;
	uint64_t word, wrong = 0;
	SIZE_T at = from;

	for (; at < to && at % 8; at++)
		wrong |= bytes[at] ^ pattern_byte(seed, at);
	for (; to > at && to - at >= 8; at += 8) {
		memcpy(&word, bytes + at, sizeof(word));
		wrong |= word ^ pattern_word(seed, at / 8);
	}
	for (; at < to; at++)
		wrong |= bytes[at] ^ pattern_byte(seed, at);
	if (!wrong)
		return to;
	while (bytes[from] == pattern_byte(seed, from))
		from++;
	return from;
}

SIZE_T model_nonzero(const void *block, SIZE_T from, SIZE_T to)
{
	const unsigned char *bytes = block;
	uint64_t word, any = 0;
	SIZE_T at = from;

	for (; to > at && to - at >= 8; at += 8) {
		memcpy(&word, bytes + at, sizeof(word));
		any |= word;
	}
	for (; at < to; at++)
		any |= bytes[at];
	if (!any)
		return to;
	while (!bytes[from])
		from++;
	return from;
}

/* Near a size where a heap serves blocks in another way. */
static SIZE_T size_around(uint64_t *state, SIZE_T edge)
{
	return edge - 5000 + model_below(state, 10000);
}

SIZE_T model_size(uint64_t *state, SIZE_T most)
{
	uint32_t kind = model_below(state, 10000);
	SIZE_T size;

	if (kind < 2500)
		size = model_below(state, 33);
	else if (kind < 7000)
		size = 16 + model_below(state, 1009);
	else if (kind < 9960)
		size = ((SIZE_T)1 << model_below(state, 16)) +
		       model_below(state, 1u << model_below(state, 16));
	else if (kind < 9975)
		size = size_around(state, 512 * KIB);
	else if (kind < 9984)
		size = size_around(state, MIB);
	else if (kind < 9990)
		size = FIXED_MAX - 8 + model_below(state, 16);
	else if (kind < 9998)
		size = model_below(state, MIB);
	else
		size = MIB + model_below(state, 5 * MIB);
	return size <= most ? size : size % (most + 1);
}

void model_set_stale(void)
{
	SetLastError(STALE);
	errno = STALE_ERRNO;
}

bool model_is_stale(void)
{
	return errno == STALE_ERRNO && GetLastError() == STALE;
}

bool model_has_error(DWORD error)
{
	return errno == (int)error && GetLastError() == error;
}

bool model_walk_heap(HANDLE heap, model_visit visit, void *arg,
		     struct model_walk *walk)
{
	PROCESS_HEAP_ENTRY entry;
	bool good = true, first = true;

	/* Whatever the other members hold at the start. */
	memset(&entry, 0xa5, sizeof(entry));
	entry.lpData = NULL;
	memset(walk, 0, sizeof(*walk));
	model_set_stale();
	while (HeapWalk(heap, &entry)) {
		good &= MODEL_CHECK(model_is_stale(), "a step of a walk");
		if (first)
			good &= MODEL_CHECK(entry.wFlags == PROCESS_HEAP_REGION,
					    "first entry, flags %#x",
					    entry.wFlags);
		first = false;
		switch (entry.wFlags) {
		case 0:
		case PROCESS_HEAP_REGION:
		case PROCESS_HEAP_UNCOMMITTED_RANGE:
			break;
		case PROCESS_HEAP_ENTRY_BUSY:
			walk->blocks++;
			walk->bytes += entry.cbData;
			walk->addresses ^= (uintptr_t)entry.lpData;
			visit(arg, entry.lpData, entry.cbData);
			break;
		default:
			good = false;
			MODEL_FAIL("a walk's entry has flags %#x",
				   entry.wFlags);
		}
		model_set_stale();
	}
	return MODEL_CHECK(model_has_error(ERROR_NO_MORE_ITEMS),
			   "end of a walk, error %u", GetLastError()) && good;
}

uint64_t model_process_regions(void)
{
	struct privheap_region_info info;

	return privheap_query_process(&info) ? UINT64_MAX : info.regions;
}
