/* SPDX-License-Identifier: MIT */
/*
 * Keeps pthread_cancel(3) away from what the library does. open(2), read(2),
 * write(2), close(2), poll(2) and getrandom(2) are cancellation points: a thread
 * that ended in one of them would leave a lock taken and a descriptor open. So
 * no function of the library is a cancellation point.
 */
#ifndef PRIVHEAP_SRC_NO_CANCEL_H
#define PRIVHEAP_SRC_NO_CANCEL_H

#include <pthread.h>

#include "process.h"

static inline int no_cancel_begin(void)
{
	int state;

	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
	return state;
}

static inline void no_cancel_end(const int *state)
{
	pthread_setcancelstate(*state, NULL);
}

/* Among a function's declarations: holds until the function returns. */
#define NO_CANCEL \
	__attribute__((cleanup(no_cancel_end), unused)) \
	const int no_cancel_state = no_cancel_begin()

static inline int no_cancel_begin_among(void)
{
	return process_alone() ? -1 : no_cancel_begin();
}

static inline void no_cancel_end_among(const int *state)
{
	if (*state >= 0)
		no_cancel_end(state);
}

/*
 * The same where there is no cancellation point, or none but in functions that
 * have the above: no thread cancels itself.
 */
#define NO_CANCEL_BY_OTHERS \
	__attribute__((cleanup(no_cancel_end_among), unused)) \
	const int no_cancel_state = no_cancel_begin_among()

#endif /* PRIVHEAP_SRC_NO_CANCEL_H */
