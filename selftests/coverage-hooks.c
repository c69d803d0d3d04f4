// SPDX-License-Identifier: GPL-2.0-only
/*
 * Linked into the tests by ./coverage: a process that ends without running
 * exit handlers, as the children of tests do, leaves its counts all the same.
 */
#include <stdlib.h>
#include <unistd.h>

void __gcov_dump(void);
void __real__exit(int status) __attribute__((noreturn));
void __wrap__exit(int status) __attribute__((noreturn));
void __real_abort(void) __attribute__((noreturn));
void __wrap_abort(void) __attribute__((noreturn));

void __wrap__exit(int status)
{
	__gcov_dump();
	__real__exit(status);
}

void __wrap_abort(void)
{
	__gcov_dump();
	__real_abort();
}
