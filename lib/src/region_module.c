// SPDX-License-Identifier: MIT
/*
 * Regions kept by the kernel module.
 *
 * One descriptor of /dev/privheap serves the process, and its children: the
 * module looks at who calls, not at who opened. The program may close it behind
 * our back (closefrom(3) in a daemon), and another file may get its number. A
 * call that the number's file does not know (ENOTTY, EBADF, or whatever else a
 * file may say to a command that is not for it) makes us look whether it still
 * is the device; where it is not, the number is left alone, for it is somebody
 * else's, and the device is opened again. So a call that the device answers is
 * one system call.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "no_cancel.h"
#include "process.h"
#include "region_ops.h"

/* Taken with a heap's lock held; nothing is taken under it. */
static pthread_mutex_t module_lock = PTHREAD_MUTEX_INITIALIZER;
static atomic_int module_fd = -1;
static _Atomic(dev_t) module_rdev;

static bool module_fd_is_device(int fd)
{
	struct stat st;

	return fd >= 0 && !fstat(fd, &st) && S_ISCHR(st.st_mode) &&
	       st.st_rdev == atomic_load(&module_rdev);
}

/* Opens the device; module_lock is held. Returns a descriptor or -errno. */
static int module_reopen(void)
{
	struct stat st;
	int fd, high, err;

	fd = no_cancel_open(PRIVHEAP_DEVICE, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	/* Not where a program that closed them expects its standard streams. */
	if (fd <= STDERR_FILENO) {
		high = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
		err = errno;
		no_cancel_close(fd);
		if (high < 0)
			return -err;
		fd = high;
	}
	if (fstat(fd, &st) || !S_ISCHR(st.st_mode)) {
		no_cancel_close(fd);
		return -ENODEV;
	}
	atomic_store(&module_rdev, st.st_rdev);
	atomic_store(&module_fd, fd);
	return fd;
}

/* Makes sure that there is a descriptor which is the device: it, or -errno. */
static int module_get_fd(void)
{
	int fd;
	NO_CANCEL;

	pthread_mutex_lock(&module_lock);
	fd = atomic_load(&module_fd);
	if (!module_fd_is_device(fd))
		fd = module_reopen();
	pthread_mutex_unlock(&module_lock);
	return fd;
}

static int module_call(unsigned long command, void *arg)
{
	int fd = atomic_load(&module_fd), err = -EBADF, tries;

	for (tries = 0; tries < 3; tries++) {
		if (likely(fd >= 0)) {
			if (likely(!ioctl(fd, command, arg)))
				return 0;
			err = -errno;
			/* What the device itself says is the answer. */
			if (module_fd_is_device(fd))
				return err;
		}
		fd = module_get_fd();
		if (fd < 0)
			return fd;
	}
	return err;
}

static int module_open(void)
{
	int fd = module_get_fd();

	return fd < 0 ? fd : 0;
}

static int module_create(struct privheap_create *arg)
{
	return module_call(PRIVHEAP_IOC_CREATE, arg);
}

static int module_grow(struct privheap_grow *arg)
{
	return module_call(PRIVHEAP_IOC_GROW, arg);
}

static int module_commit(struct privheap_commit *arg)
{
	return module_call(PRIVHEAP_IOC_COMMIT, arg);
}

static int module_decommit(struct privheap_decommit *arg)
{
	return module_call(PRIVHEAP_IOC_DECOMMIT, arg);
}

static int module_destroy(struct privheap_destroy *arg)
{
	return module_call(PRIVHEAP_IOC_DESTROY, arg);
}

static int module_query(struct privheap_query *arg)
{
	return module_call(PRIVHEAP_IOC_QUERY, arg);
}

static int module_notify(struct privheap_notify *arg)
{
	return module_call(PRIVHEAP_IOC_NOTIFY, arg);
}

static int module_limit(struct privheap_limit *arg)
{
	int err = module_call(PRIVHEAP_IOC_LIMIT, arg);

	/* A module that is older than this command. */
	return err == -ENOTTY ? -ENOTSUP : err;
}

void module_forget(void)
{
	/* The descriptor, inherited, is as good in a child. */
	pthread_mutex_init(&module_lock, NULL);
}

const struct region_ops region_module_ops = {
	.backend	= PRIVHEAP_BACKEND_MODULE,
	.open		= module_open,
	.create		= module_create,
	.grow		= module_grow,
	.commit		= module_commit,
	.decommit	= module_decommit,
	.destroy	= module_destroy,
	.query		= module_query,
	.notify		= module_notify,
	.limit		= module_limit,
};
