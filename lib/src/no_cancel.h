/* SPDX-License-Identifier: MIT */
/*
 * Keeps pthread_cancel(3) away from what the library does. open(2), read(2),
 * write(2), close(2), poll(2) and getrandom(2) are cancellation points: a thread
 * that ended in one of them would leave a lock taken and a descriptor open. So
 * no function of the library is a cancellation point.
 *
 * A thread that can be cancelled asynchronously is made one that cannot for as
 * long. To disable cancellation would not do: the C library looks at the state
 * before it sends the thread a signal, but only at the type when the signal
 * arrives. For the same reason those calls are made without the C library, which
 * gives a thread the other type for as long as one of them takes: a cancel on its
 * way would end it there, disabled or not.
 *
 * Every public function that looks at a heap's memory has one of the macros below, so
 * that they also tell a tool which watches that a thread is in the library.
 */
#ifndef PRIVHEAP_SRC_NO_CANCEL_H
#define PRIVHEAP_SRC_NO_CANCEL_H

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "annotate.h"
#include "process.h"

struct no_cancel {
	int type;
	int state;
};

static inline struct no_cancel no_cancel_begin(void)
{
	struct no_cancel before;

	if (annotating())
		annotate_quiet();
	pthread_setcanceltype(PTHREAD_CANCEL_DEFERRED, &before.type);
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before.state);
	return before;
}

static inline void no_cancel_end(const struct no_cancel *before)
{
	pthread_setcancelstate(before->state, NULL);
	pthread_setcanceltype(before->type, NULL);
	if (annotating())
		annotate_loud();
}

/* Among a function's declarations: holds until the function returns. */
#define NO_CANCEL \
	__attribute__((cleanup(no_cancel_end), unused)) \
	const struct no_cancel no_cancel_before = no_cancel_begin()

static inline int no_cancel_begin_among(void)
{
	int type = -1;

	if (annotating())
		annotate_quiet();
	if (!process_alone())
		pthread_setcanceltype(PTHREAD_CANCEL_DEFERRED, &type);
	return type;
}

static inline void no_cancel_end_among(const int *type)
{
	if (*type >= 0)
		pthread_setcanceltype(*type, NULL);
	if (annotating())
		annotate_loud();
}

/*
 * The same where there is no cancellation point, or none but in functions that
 * have the above: no thread cancels itself.
 */
#define NO_CANCEL_BY_OTHERS \
	__attribute__((cleanup(no_cancel_end_among), unused)) \
	const int no_cancel_type = no_cancel_begin_among()

/* Like open(2), read(2), write(2), writev(2), close(2), getrandom(2), and no such point. */

static inline int no_cancel_open(const char *path, int flags)
{
	return syscall(SYS_openat, AT_FDCWD, path, flags);
}

static inline ssize_t no_cancel_read(int fd, void *buffer, size_t size)
{
	return syscall(SYS_read, fd, buffer, size);
}

static inline ssize_t no_cancel_write(int fd, const void *buffer, size_t size)
{
	return syscall(SYS_write, fd, buffer, size);
}

static inline ssize_t no_cancel_writev(int fd, const struct iovec *parts, int count)
{
	return syscall(SYS_writev, fd, parts, count);
}

static inline void no_cancel_close(int fd)
{
	syscall(SYS_close, fd);
}

static inline ssize_t no_cancel_getrandom(void *buffer, size_t size,
					  unsigned int flags)
{
	return syscall(SYS_getrandom, buffer, size, flags);
}

/* As poll(2) with a timeout of 0. */
static inline int no_cancel_poll(struct pollfd *fds, nfds_t count)
{
	struct timespec none = {};

	return syscall(SYS_ppoll, fds, count, &none, NULL, 0);
}

#endif /* PRIVHEAP_SRC_NO_CANCEL_H */
