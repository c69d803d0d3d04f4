// SPDX-License-Identifier: GPL-2.0-only
/* Touches of regions, and what else the kernel does to mappings. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "fuzz.h"
#include "guard.h"

/* Below that is the fuzzer itself; a slot without a region is at 0. */
#define LOWEST		(64 * MIB)
#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE	25
#endif
#define MOST_TOUCHES	4096

enum { ADDRESS, LENGTH, MODE, MORE, OTHER };

/* What the kernel says to these is its own business; 1 where it was not asked. */
#define RESULT(call)	((call) < 0 ? -errno : 0)

static bool ours(const uint64_t *arg)
{
	return arg[ADDRESS] >= LOWEST && arg[ADDRESS] < 1ULL << 47;
}

static void *address(const uint64_t *arg)
{
	return (void *)(uintptr_t)arg[ADDRESS];
}

static void *page(const uint64_t *arg)
{
	return (void *)(uintptr_t)(arg[ADDRESS] & -PAGE);
}

/* So much is copied, not more. */
static size_t some(const uint64_t *arg)
{
	return arg[LENGTH] < 256 * KIB ? arg[LENGTH] : 256 * KIB;
}

int run_touch(struct fuzz_machine *machine, const uint64_t *arg)
{
	uint64_t at = arg[ADDRESS], end = at + arg[LENGTH];
	unsigned int count = 0, signals = 0;
	int sig;

	(void)machine;
	if (!ours(arg))
		return 1;
	do {
		sig = fuzz_touch((char *)(uintptr_t)at, (int)arg[MODE]);
		signals += !!sig;
		at = (at & -PAGE) + PAGE;
	} while (at < end && ++count < MOST_TOUCHES && signals < 3);
	return -sig;
}

int run_munmap(struct fuzz_machine *machine, const uint64_t *arg)
{
	(void)machine;
	return ours(arg) ? RESULT(munmap(page(arg), arg[LENGTH])) : 1;
}

int run_mmap(struct fuzz_machine *machine, const uint64_t *arg)
{
	int fd = machine->fd[arg[MORE] % FUZZ_FDS];
	int flags = MAP_SHARED | MAP_FIXED;

	if (!ours(arg) || arg[LENGTH] > GIB)
		return 1;
	if (arg[MORE] % FUZZ_FDS == FUZZ_FD_DEVICE) {
		flags = MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS;
		fd = -1;
	}
	return mmap(page(arg), arg[LENGTH], arg[MODE] & 7, flags, fd, 0) == MAP_FAILED ?
	       -errno : 0;
}

int run_mprotect(struct fuzz_machine *machine, const uint64_t *arg)
{
	(void)machine;
	return ours(arg) ? RESULT(mprotect(page(arg), arg[LENGTH], arg[MODE] & 7)) : 1;
}

int run_madvise(struct fuzz_machine *machine, const uint64_t *arg)
{
	(void)machine;
	/* Beyond are those that break memory on purpose. */
	if (!ours(arg) || arg[MODE] > MADV_COLLAPSE)
		return 1;
	return RESULT(madvise(page(arg), arg[LENGTH], arg[MODE]));
}

int run_mremap(struct fuzz_machine *machine, const uint64_t *arg)
{
	uint64_t to = arg[OTHER] & -PAGE;

	(void)machine;
	if (!ours(arg) || (arg[MORE] & MREMAP_FIXED && to < LOWEST))
		return 1;
	return mremap(page(arg), arg[LENGTH], arg[MODE], arg[MORE] & 7,
		      (void *)(uintptr_t)to) == MAP_FAILED ? -errno : 0;
}

int run_mlock(struct fuzz_machine *machine, const uint64_t *arg)
{
	(void)machine;
	if (!ours(arg))
		return 1;
	switch (arg[MODE]) {
	case 0:
		return RESULT(mlock(address(arg), arg[LENGTH]));
	case 1:
		return RESULT(munlock(address(arg), arg[LENGTH]));
	case 2:
		return RESULT(mlock2(address(arg), arg[LENGTH], MLOCK_ONFAULT));
	case 3:
		return RESULT(mlockall(MCL_FUTURE));
	default:
		return RESULT(munlockall());
	}
}

/* As a debugger, at our own memory. */
int run_remote(struct fuzz_machine *machine, const uint64_t *arg)
{
	static __thread char buffer[256 * KIB];
	struct iovec local = { buffer, some(arg) }, remote = { address(arg), some(arg) };

	(void)machine;
	if (!ours(arg))
		return 1;
	if (arg[MODE])
		return RESULT(process_vm_writev(getpid(), &local, 1, &remote, 1, 0));
	return RESULT(process_vm_readv(getpid(), &local, 1, &remote, 1, 0));
}

int run_pipe(struct fuzz_machine *machine, const uint64_t *arg)
{
	static __thread char buffer[64 * KIB];
	struct iovec iov = { address(arg), some(arg) };

	if (!ours(arg))
		return 1;
	switch (arg[MODE]) {
	case 0:
		return RESULT(write(machine->pipe[1], iov.iov_base, iov.iov_len));
	case 1:
		return RESULT(read(machine->pipe[0], iov.iov_base, iov.iov_len));
	case 2:
		return RESULT(vmsplice(machine->pipe[1], &iov, 1, SPLICE_F_NONBLOCK));
	case 3:
		return RESULT(vmsplice(machine->pipe[1], &iov, 1,
				       SPLICE_F_NONBLOCK | SPLICE_F_GIFT));
	default:
		return RESULT(read(machine->pipe[0], buffer, sizeof(buffer)));
	}
}

int run_userfault(struct fuzz_machine *machine, const uint64_t *arg)
{
	/* Nobody would answer: where it is registered, touches get a signal. */
	struct uffdio_api api = { .api = UFFD_API, .features = UFFD_FEATURE_SIGBUS };
	struct uffdio_register range = {
		.range = { arg[ADDRESS] & -PAGE, arg[LENGTH] },
		.mode = arg[MODE] & 7,
	};
	int fd, ret = 0;

	(void)machine;
	if (!ours(arg))
		return 1;
	fd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return -errno;
	if (ioctl(fd, UFFDIO_API, &api) || ioctl(fd, UFFDIO_REGISTER, &range))
		ret = -errno;
	close(fd);
	return ret;
}

/* Calls that ask for mappings or pages, or want memory for their answer. */
int run_ask(struct fuzz_machine *machine, const uint64_t *arg)
{
	static __thread unsigned char residency[256 * KIB / PAGE];
	void *pages[1] = { page(arg) };
	int node = 0, status = 0;

	(void)machine;
	if (!ours(arg))
		return 1;
	switch (arg[MODE]) {
	case 0:
		return RESULT(mincore(page(arg), some(arg), residency));
	case 1:
		return RESULT(msync(page(arg), arg[LENGTH], MS_SYNC | MS_INVALIDATE));
	case 2:
		return RESULT(remap_file_pages(page(arg), arg[LENGTH], 0, 1, 0));
	case 3:
		return RESULT(syscall(SYS_futex, (uint64_t)(uintptr_t)page(arg), FUTEX_WAKE, 1,
				      NULL, NULL, 0));
	case 4:
		return RESULT(syscall(SYS_getrandom, address(arg), some(arg) & 0xfff, 0));
	default:
		/* MPOL_MF_MOVE */
		return RESULT(syscall(SYS_move_pages, 0, 1UL, pages, &node, &status, 2));
	}
}
