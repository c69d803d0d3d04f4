// SPDX-License-Identifier: GPL-2.0-only
/* Touches of memory that may not be there. */
#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "guard.h"

static __thread sigjmp_buf jump;
static __thread volatile sig_atomic_t expected;

static void on_fault(int sig)
{
	if (expected)
		siglongjmp(jump, sig);
	/* A program has unmapped what its process needs. */
	_exit(128 + sig);
}

/**
 * fuzz_guard_init() - catch the signals, for the functions below
 *
 * The handler's stack is the thread's.
 */
void fuzz_guard_init(void)
{
	struct sigaction action = {
		.sa_handler = on_fault,
		.sa_flags = SA_NODEFER,
	};

	sigaction(SIGSEGV, &action, NULL);
	sigaction(SIGBUS, &action, NULL);
}

/**
 * fuzz_copy() - copy from or to memory that may not be there
 * @to: where to
 * @from: where from
 * @size: bytes
 *
 * Return: 0 or the signal.
 */
int fuzz_copy(void *to, const void *from, size_t size)
{
	volatile char *target = to;
	const volatile char *source = from;
	int sig = sigsetjmp(jump, 0);
	size_t i;

	if (sig) {
		expected = 0;
		return sig;
	}
	expected = 1;
	for (i = 0; i < size; i++)
		target[i] = source[i];
	expected = 0;
	return 0;
}

/**
 * fuzz_touch() - touch a byte
 * @address: the byte
 * @fill: what to write; 0 to read only
 *
 * Return: 0 or the signal.
 */
int fuzz_touch(char *address, int fill)
{
	int sig = sigsetjmp(jump, 0);

	if (sig) {
		expected = 0;
		return sig;
	}
	expected = 1;
	if (fill)
		*(volatile char *)address = fill;
	else
		(void)*(volatile char *)address;
	expected = 0;
	return 0;
}
