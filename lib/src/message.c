// SPDX-License-Identifier: MIT
/* Lines on standard error: see message.h. */
#include <errno.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "message.h"
#include "no_cancel.h"

static void message_char(struct message *message, char c)
{
	if (message->length < sizeof(message->text))
		message->text[message->length++] = c;
}

void message_text(struct message *message, const char *text)
{
	while (*text)
		message_char(message, *text++);
}

static void message_number(struct message *message, uintptr_t number,
			   unsigned int base, unsigned int digits)
{
	char text[3 * sizeof(number)];
	unsigned int count = 0;

	do {
		text[count++] = "0123456789abcdef"[number % base];
		number /= base;
	} while (number || count < digits);
	while (count)
		message_char(message, text[--count]);
}

void message_hex(struct message *message, uintptr_t number,
		 unsigned int digits)
{
	message_text(message, "0x");
	message_number(message, number, 16, digits);
}

void message_decimal(struct message *message, size_t number)
{
	message_number(message, number, 10, 1);
}

void message_write(const struct message *message)
{
	static const char name[] = "privheap: ";
	struct iovec parts[] = {
		{ (char *)name, sizeof(name) - 1 },
		{ (char *)message->text, message->length },
		{ (char *)"\n", 1 },
	};
	int saved = errno;
	NO_CANCEL;

	/* One call, so that lines of several threads stay whole. */
	while (no_cancel_writev(STDERR_FILENO, parts, 3) < 0 && errno == EINTR)
		;
	errno = saved;
}
