// SPDX-License-Identifier: GPL-2.0-only
/* Processes that come and go, descriptors, and what the system can be told. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fuzz.h"
#include "guard.h"

#define CGROUP	"/sys/fs/cgroup/fuzz"

/* A region of a child's own, which it leaves behind. */
static void use_region(int fd, uint64_t length)
{
	char *base;

	if (ph_create(fd, 64 * PAGE, 8 * PAGE, length & PAGE ? PRIVHEAP_CREATE_LAZY : 0, &base))
		return;
	fuzz_touch(base + 3 * PAGE, 1);
	ph_commit(fd, base, 32 * PAGE, 16 * PAGE, PRIVHEAP_COMMIT_POPULATE);
}

static void child(struct fuzz_machine *machine, const uint64_t *arg)
{
	char *at = (char *)(uintptr_t)arg[1];
	int fd = machine->fd[FUZZ_FD_DEVICE];
	char byte;
	struct iovec local = { &byte, 1 }, remote = { at, 1 };

	switch (arg[0]) {
	case 0:
		break;
	case 1:
		/* Not inherited, unless MADV_DOFORK was. */
		fuzz_touch(at, 1);
		break;
	case 2:
		use_region(fd, arg[2]);
		break;
	case 3:
		use_region(ph_open(), arg[2]);
		kill(getpid(), SIGKILL);
		break;
	case 4:
		use_region(fd, arg[2]);
		execl("/proc/self/exe", "fuzz", "--nothing", NULL);
		break;
	case 5:
		if (setgid(1000) || setuid(1000))
			break;
		use_region(fd, arg[2]);
		ph_destroy(fd, at);
		break;
	default:
		process_vm_writev(getppid(), &local, 1, &remote, 1, 0);
		ph_grow(fd, at, 16 * PAGE, 0);
	}
	_exit(0);
}

int run_fork(struct fuzz_machine *machine, const uint64_t *arg)
{
	pid_t pid = fork();

	if (pid < 0)
		return -errno;
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		child(machine, arg);
	}
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	return 0;
}

/* Put a descriptor where another may be; nobody closes what others use. */
static void put_fd(struct fuzz_machine *machine, uint64_t number, int fd)
{
	int old = __atomic_exchange_n(&machine->fd[number % FUZZ_FDS], fd, __ATOMIC_SEQ_CST);

	if (old >= 0 && number % FUZZ_FDS != FUZZ_FD_FOREIGN)
		close(old);
}

int run_open(struct fuzz_machine *machine, const uint64_t *arg)
{
	int fd = open(PRIVHEAP_DEVICE, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	/* The books are looked at by this one. */
	if (arg[0] % FUZZ_FDS == FUZZ_FD_FOREIGN)
		close(fd);
	else
		put_fd(machine, arg[0], fd);
	return 0;
}

int run_close(struct fuzz_machine *machine, const uint64_t *arg)
{
	if (arg[0] % FUZZ_FDS == FUZZ_FD_FOREIGN)
		return 1;
	put_fd(machine, arg[0], -1);
	return 0;
}

/* Send a descriptor to ourselves, so that for a moment only the message holds it. */
int run_pass(struct fuzz_machine *machine, const uint64_t *arg)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr header;
	} control = { .header = {
		.cmsg_len = CMSG_LEN(sizeof(int)),
		.cmsg_level = SOL_SOCKET,
		.cmsg_type = SCM_RIGHTS,
	} };
	char byte = 0;
	struct iovec iov = { &byte, 1 };
	struct msghdr message = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	int pair[2], fd = machine->fd[arg[0] % FUZZ_FDS], ret = 0;

	if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair))
		return -errno;
	memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	if (sendmsg(pair[0], &message, MSG_DONTWAIT) < 0) {
		ret = -errno;
	} else {
		run_close(machine, arg);
		if (recvmsg(pair[1], &message, MSG_DONTWAIT) < 0) {
			ret = -errno;
		} else {
			memcpy(&fd, CMSG_DATA(&control.header), sizeof(fd));
			put_fd(machine, FUZZ_FD_EXTRA, fd);
		}
	}
	close(pair[0]);
	close(pair[1]);
	return ret;
}

int run_proc(struct fuzz_machine *machine, const uint64_t *arg)
{
	static const char *const names[] = {
		"smaps", "maps", "numa_maps", "smaps_rollup",
	};
	static __thread char text[64 * KIB];
	char path[64];

	if (arg[0] == 4) {
		snprintf(path, sizeof(path), "/proc/self/fdinfo/%d",
			 machine->fd[FUZZ_FD_DEVICE]);
		ph_read_file(path, text, sizeof(text));
	} else if (arg[0] > 4) {
		ph_write_file("/proc/self/clear_refs", arg[0] == 5 ? "4" : "1");
	} else {
		snprintf(path, sizeof(path), "/proc/self/%s", names[arg[0] % 4]);
		ph_read_file(path, text, sizeof(text));
	}
	return 0;
}

int run_rlimit(struct fuzz_machine *machine, const uint64_t *arg)
{
	static const int resources[] = { RLIMIT_AS, RLIMIT_MEMLOCK, RLIMIT_NOFILE };
	struct rlimit limit;
	int resource = resources[arg[0] % 3];

	(void)machine;
	if (getrlimit(resource, &limit))
		return -errno;
	limit.rlim_cur = resource == RLIMIT_NOFILE ? arg[1] / PAGE : arg[1];
	if (limit.rlim_cur > limit.rlim_max)
		limit.rlim_cur = limit.rlim_max;
	return setrlimit(resource, &limit) ? -errno : 0;
}

int run_cgroup(struct fuzz_machine *machine, const uint64_t *arg)
{
	char value[32];

	machine->shared->quotas_set = true;
	switch (arg[0]) {
	case 0:
		return ph_cgroup_enter(CGROUP);
	case 1:
		return ph_cgroup_enter("/sys/fs/cgroup");
	case 2:
		mkdir(CGROUP "/sub", 0755);
		return ph_cgroup_enter(CGROUP "/sub");
	default:
		/* Less is not enough for the process itself. */
		snprintf(value, sizeof(value), "%llu",
			 (unsigned long long)(8 * MIB + arg[1]));
		return ph_cgroup_set(CGROUP, "memory.max", value);
	}
}

/* The module's parameter, with a unit or something wrong behind it. */
int run_parameter(struct fuzz_machine *machine, const uint64_t *arg)
{
	static const char *const units[] = { "", "K", "x", "-1" };
	char value[40];

	machine->shared->quotas_set = true;
	snprintf(value, sizeof(value), "%llu%s", (unsigned long long)arg[0],
		 units[arg[1] % 4]);
	return ph_write_file("/sys/module/privheap/parameters/commit_limit", value);
}
