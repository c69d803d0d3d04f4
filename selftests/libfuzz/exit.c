// SPDX-License-Identifier: GPL-2.0-only
/* For targets that have options.c, and do not use it. */
#include <stdlib.h>

__attribute__((noreturn)) void fuzz_exit(int status);
void fuzz_exit(int status)
{
	exit(status);
}
