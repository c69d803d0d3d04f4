// SPDX-License-Identifier: GPL-2.0-only
/*
 * The guest's surroundings: file systems, network, modules, and the device
 * with the owner that the udev rule gives it elsewhere.
 */
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "guest.h"

#define DEVICE		"/dev/privheap"
#define MODULE		"privheap"
#define GID_PRIVHEAP	900
#define SCRATCH_DISK	"/dev/vda"
#define SCRATCH		"/scratch"

/* How long files that a dead process held may keep the module, in 50 ms. */
#define UNLOAD_TRIES	100

static const struct mount_point {
	const char *type;
	const char *path;
	const char *options;
	mode_t mode;
} mount_points[] = {
	/* First, so that there is a log to complain in. */
	{ "devtmpfs",	"/dev",			"mode=0755",	0755 },
	{ "proc",	"/proc",		NULL,		0555 },
	{ "sysfs",	"/sys",			NULL,		0555 },
	{ "devpts",	"/dev/pts",		"ptmxmode=0666", 0755 },
	{ "tmpfs",	"/dev/shm",		"mode=1777",	01777 },
	{ "tmpfs",	"/tmp",			"mode=1777",	01777 },
	{ "tmpfs",	"/run",			"mode=0755",	0755 },
	{ "cgroup2",	"/sys/fs/cgroup",	NULL,		0555 },
	{ "debugfs",	"/sys/kernel/debug",	NULL,		0700 },
	{ "tracefs",	"/sys/kernel/tracing",	NULL,		0700 },
};

/*
 * The host may have put files below /tmp; the root is a tmpfs as well, so they
 * can stay where they are.
 */
static bool holds_files(const char *path)
{
	return rmdir(path) && errno == ENOTEMPTY;
}

void setup_mounts(void)
{
	const struct mount_point *m;
	size_t i;

	for (i = 0; i < sizeof(mount_points) / sizeof(*mount_points); i++) {
		m = &mount_points[i];
		if (holds_files(m->path) && !strcmp(m->type, "tmpfs")) {
			chmod(m->path, m->mode);
			continue;
		}
		mkdir(m->path, m->mode);
		if (mount(m->type, m->path, m->type, 0, m->options))
			fault("cannot mount %s: %s", m->path, strerror(errno));
	}
	chown("/home/alice", 1000, 1000);
	chown("/home/bob", 1001, 1001);
	symlink("/proc/self/fd", "/dev/fd");
	symlink("/proc/self/fd/0", "/dev/stdin");
	symlink("/proc/self/fd/1", "/dev/stdout");
	symlink("/proc/self/fd/2", "/dev/stderr");

	if (write_file("/sys/fs/cgroup/cgroup.subtree_control", "+memory"))
		fault("no memory controller: %s", strerror(errno));
	/* Nice to have for tests that place processes. */
	write_file("/sys/fs/cgroup/cgroup.subtree_control", "+pids");
	write_file("/sys/fs/cgroup/cgroup.subtree_control", "+cpuset");
}

void setup_network(void)
{
	struct ifreq request = { .ifr_name = "lo" };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0) {
		fault("no network: %s", strerror(errno));
		return;
	}
	request.ifr_flags = IFF_UP | IFF_RUNNING;
	if (ioctl(fd, SIOCSIFFLAGS, &request))
		fault("cannot bring lo up: %s", strerror(errno));
	close(fd);
}

void setup_scratch(void)
{
	mkdir(SCRATCH, 0755);
	if (mount(SCRATCH_DISK, SCRATCH, "ext4", MS_NOATIME, NULL))
		fault("cannot mount " SCRATCH ": %s", strerror(errno));
	else if (chmod(SCRATCH, 01777))
		fault("cannot open " SCRATCH ": %s", strerror(errno));
}

static void load_module(const char *path, const char *parameters)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || syscall(SYS_finit_module, fd, parameters, 0))
		fault("cannot load %s: %s", path, strerror(errno));
	if (fd >= 0)
		close(fd);
}

/* load_modules - load the modules that a file names, one path a line */
void load_modules(const char *list)
{
	char buffer[4096], *path, *rest = buffer;

	if (read_file(list, buffer, sizeof(buffer)) < 0)
		return;
	while ((path = strsep(&rest, "\n")) != NULL)
		if (*path)
			load_module(path, "");
}

/* load_privheap - load the module under test; its device gets its owner */
void load_privheap(void)
{
	char parameters[1024] = "";

	read_file(ORDER("parameters"), parameters, sizeof(parameters));
	load_module(PRIVHEAP_MODULE, parameters);
	if (chown(DEVICE, 0, GID_PRIVHEAP) || chmod(DEVICE, 0660))
		fault("no " DEVICE " after loading the module: %s",
		      strerror(errno));
}

/*
 * A file's release may run a little after its process is gone, so a busy
 * module gets some time. A test may have removed it already.
 */
void unload_privheap(void)
{
	const struct timespec pause = { .tv_nsec = 50 * 1000 * 1000 };
	char count[32] = "?", text[32];
	int tries;

	if (read_file("/sys/module/" MODULE "/sections/.text", text,
		      sizeof(text)) > 0)
		note("text at %.*s", (int)strcspn(text, "\n"), text);
	for (tries = 0; tries < UNLOAD_TRIES; tries++) {
		if (!syscall(SYS_delete_module, MODULE, O_NONBLOCK))
			return;
		if (errno == ENOENT) {
			note("the command has removed the module");
			return;
		}
		if (errno != EAGAIN && errno != EBUSY)
			break;
		nanosleep(&pause, NULL);
	}
	fault("cannot remove the module: %s", strerror(errno));
	read_file("/sys/module/" MODULE "/refcnt", count, sizeof(count));
	note("references to the module: %s", count);
}
