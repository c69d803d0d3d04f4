/* SPDX-License-Identifier: GPL-2.0-only */
/* What the targets for libFuzzer share: numbers out of the input, and checks. */
#ifndef PRIVHEAP_LIBFUZZ_FUZZ_H
#define PRIVHEAP_LIBFUZZ_FUZZ_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What must hold, whatever the input is; a failure ends the run with the input. */
#define FUZZ_CHECK(condition, ...) do {						\
	if (!(condition)) {							\
		fprintf(stderr, "%s:%d: %s: ", __FILE__, __LINE__, #condition);	\
		fprintf(stderr, __VA_ARGS__);					\
		fprintf(stderr, "\n");						\
		abort();							\
	}									\
} while (0)

/* The input, as a source of numbers: zeroes when it is used up. */
struct fuzz_input {
	const uint8_t *data;
	size_t left;
};

static inline size_t fuzz_take(struct fuzz_input *input, void *to, size_t size)
{
	size_t some = size < input->left ? size : input->left;

	memset(to, 0, size);
	if (some)
		memcpy(to, input->data, some);
	input->data += some;
	input->left -= some;
	return some;
}

static inline uint8_t fuzz_u8(struct fuzz_input *input)
{
	uint8_t value;

	fuzz_take(input, &value, sizeof(value));
	return value;
}

static inline uint16_t fuzz_u16(struct fuzz_input *input)
{
	uint16_t value;

	fuzz_take(input, &value, sizeof(value));
	return value;
}

static inline uint32_t fuzz_u32(struct fuzz_input *input)
{
	uint32_t value;

	fuzz_take(input, &value, sizeof(value));
	return value;
}

static inline uint64_t fuzz_u64(struct fuzz_input *input)
{
	uint64_t value;

	fuzz_take(input, &value, sizeof(value));
	return value;
}

/*
 * A copy with a zero behind it, in memory of its own size, so that a read beyond
 * it is seen; to be freed.
 */
static inline char *fuzz_text(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	if (!text)
		abort();
	if (size)
		memcpy(text, data, size);
	text[size] = '\0';
	return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif /* PRIVHEAP_LIBFUZZ_FUZZ_H */
