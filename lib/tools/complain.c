// SPDX-License-Identifier: MIT
/* What to say when something goes wrong. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl.h"

void complain(const char *format, ...)
{
	va_list args;

	/* In the order that it was meant in, where both go to one place. */
	fflush(stdout);
	fputs(CTL_NAME ": ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
}

int ctl_finish(void)
{
	if (!fflush(stdout) && !ferror(stdout))
		return CTL_OK;
	/* Who closed the pipe knows that there is more. */
	if (errno != EPIPE)
		complain("cannot write: %s", strerror(errno));
	return CTL_FAILED;
}

void ctl_no_memory(void)
{
	complain("no memory");
	exit(CTL_FAILED);
}

void *ctl_realloc(void *old, size_t count, size_t size)
{
	void *new = reallocarray(old, count ? count : 1, size);

	if (!new)
		ctl_no_memory();
	return new;
}

char *ctl_strdup(const char *text)
{
	char *copy = strdup(text);

	if (!copy)
		ctl_no_memory();
	return copy;
}
