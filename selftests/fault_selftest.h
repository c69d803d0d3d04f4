/* SPDX-License-Identifier: GPL-2.0-only */
/* Touching what may not be touched: the signal that comes of it. */
#ifndef FAULT_SELFTEST_H
#define FAULT_SELFTEST_H

#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

static __thread sigjmp_buf fault_jump __attribute__((unused));

static inline void on_fault(int sig)
{
	siglongjmp(fault_jump, sig);
}

/* The signal that the statement raises; 0: none. */
#define SIGNAL_OF(statement) ({					\
	struct sigaction _action = { .sa_handler = on_fault };	\
	struct sigaction _old[2];				\
	volatile int _sig;					\
								\
	sigaction(SIGSEGV, &_action, &_old[0]);			\
	sigaction(SIGBUS, &_action, &_old[1]);			\
	_sig = sigsetjmp(fault_jump, 1);			\
	if (!_sig) {						\
		statement;					\
	}							\
	sigaction(SIGSEGV, &_old[0], NULL);			\
	sigaction(SIGBUS, &_old[1], NULL);			\
	_sig;							\
})

/* The signal that reading or writing a byte there raises. */
static inline int fault_at(const void *address, bool writing)
{
	volatile char *byte = (volatile char *)address;

	if (writing)
		return SIGNAL_OF(*byte = 1);
	return SIGNAL_OF((void)*byte);
}

static inline int read_at(const void *address)
{
	return fault_at(address, false);
}

static inline int write_at(const void *address)
{
	return fault_at(address, true);
}

#endif /* FAULT_SELFTEST_H */
