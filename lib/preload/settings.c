// SPDX-License-Identifier: MIT
/* What the environment says, and what is told about it: see preload.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <privheap/region.h>

#include "preload.h"
#include "../src/message.h"

#define LIMIT_NAME	"PRIVHEAP_MALLOC_LIMIT"

/* The C library's loader ends a program so, too, that it cannot start. */
#define EXIT_UNUSABLE	127

/* Digits, and perhaps K, M or G. false: anything else, or too much. */
static bool parse_size(const char *text, uint64_t *size)
{
	static const char units[] = "KMG";
	const char *unit;
	uint64_t sum = 0;
	unsigned int shift = 0;

	if (*text < '0' || *text > '9')
		return false;
	for (; *text >= '0' && *text <= '9'; text++) {
		if (__builtin_mul_overflow(sum, 10, &sum) ||
		    __builtin_add_overflow(sum, *text - '0', &sum))
			return false;
	}
	unit = *text ? strchr(units, *text) : NULL;
	if (unit) {
		shift = 10 * (unsigned int)(unit - units + 1);
		text++;
	}
	*size = sum << shift;
	return !*text && *size >> shift == sum;
}

void settings_apply(HANDLE heap)
{
	const char *text = secure_getenv(LIMIT_NAME);
	PRIVHEAP_LIMIT_INFORMATION limit = {
		.cb = sizeof(limit),
		.dwSet = PRIVHEAP_SET_HARD,
	};
	struct message message = { .length = 0 };
	uint64_t size;

	if (!text || !*text)
		return;
	if (parse_size(text, &size)) {
		limit.cbHard = size & ~(uint64_t)(page_size() - 1);
		if (HeapSetInformation(heap, PrivheapCommitLimit, &limit,
				       sizeof(limit)))
			return;
	}
	/* Who wants a limit does not want to go on without. */
	message_text(&message, LIMIT_NAME " is no size, as 64M: ");
	message_text(&message, text);
	message_write(&message);
	_exit(EXIT_UNUSABLE);
}

void settings_complain(void)
{
	static bool complained;
	struct message message = { .length = 0 };

	/* A quota that refuses is no news: that is what malloc returns NULL for. */
	if (complained || privheap_backend() != PRIVHEAP_BACKEND_NONE)
		return;
	complained = true;
	message_text(&message, "no memory for malloc: " PRIVHEAP_DEVICE ", ");
	message_text(&message, errno == EACCES ? "permission denied" : "error ");
	if (errno != EACCES)
		message_decimal(&message, (size_t)errno);
	message_write(&message);
}

void settings_die(const char *what, const void *pointer)
{
	struct message message = { .length = 0 };

	message_text(&message, what);
	if (pointer) {
		message_text(&message, ": ");
		message_hex(&message, (uintptr_t)pointer, 1);
	}
	message_write(&message);
	abort();
}
