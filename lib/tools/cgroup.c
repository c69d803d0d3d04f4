// SPDX-License-Identifier: MIT
/* A cgroup (v2) for one command: see cgroup.h. */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cgroup.h"
#include "names.h"

/* Folders that are open at once while a hierarchy is walked. */
#define WALK_DEPTH	16

/* How long what was killed, or has just died, may take to go, in 10 ms. */
#define GOING_TRIES	500

static int open_file(const struct cgroup *cgroup, const char *name, int flags)
{
	char path[PATH_MAX + 32];

	snprintf(path, sizeof(path), "%s/%s", cgroup->path, name);
	return open(path, flags | O_CLOEXEC);
}

bool cgroup_make(struct cgroup *cgroup, const char *name, char *why, size_t size)
{
	int ret = names_own_cgroup(cgroup->path, sizeof(cgroup->path));
	size_t length;

	cgroup->procs = -1;
	if (ret == -ENOENT) {
		snprintf(why, size,
			 "no cgroups (v2) are mounted; as root: mount -t cgroup2 none /sys/fs/cgroup");
		return false;
	}
	if (ret)
		goto failed;
	length = strlen(cgroup->path);
	if ((size_t)snprintf(cgroup->path + length, sizeof(cgroup->path) - length,
			     "/%s", name) >= sizeof(cgroup->path) - length) {
		ret = -ENAMETOOLONG;
		goto failed;
	}
	if (mkdir(cgroup->path, 0755)) {
		ret = -errno;
		goto failed;
	}
	ret = names_find_cgroup(cgroup->path, &cgroup->id);
	if (ret)
		goto failed_made;
	cgroup->procs = open_file(cgroup, "cgroup.procs", O_WRONLY);
	if (cgroup->procs >= 0)
		return true;
	ret = -errno;
failed_made:
	rmdir(cgroup->path);
failed:
	snprintf(why, size, "cannot make the cgroup %s: %s%s", cgroup->path,
		 strerror(-ret), ret == -EEXIST ?
		 "; choose another --name, or remove it (rmdir)" :
		 ret == -EACCES || ret == -EPERM ? "; run it as root" : "");
	return false;
}

int cgroup_enter(const struct cgroup *cgroup)
{
	return write(cgroup->procs, "0", 1) == 1 ? 0 : -errno;
}

/* nftw() has no argument for it. */
static long counted;

static int count_processes(const char *path, const struct stat *status, int type,
			   struct FTW *where)
{
	struct cgroup cgroup;
	char text[4096];
	ssize_t length;
	int fd;

	(void)status;
	(void)where;
	if (type != FTW_D)
		return 0;
	snprintf(cgroup.path, sizeof(cgroup.path), "%s", path);
	fd = open_file(&cgroup, "cgroup.procs", O_RDONLY);
	if (fd < 0)
		return errno == ENOENT ? 0 : -1;
	while ((length = read(fd, text, sizeof(text))) > 0)
		while (length--)
			counted += text[length] == '\n';
	close(fd);
	return 0;
}

long cgroup_processes(const struct cgroup *cgroup)
{
	counted = 0;
	return nftw(cgroup->path, count_processes, WALK_DEPTH, FTW_PHYS) ?
		-1 : counted;
}

static bool has_processes(int fd)
{
	char text[256];
	ssize_t length = pread(fd, text, sizeof(text) - 1, 0);

	text[length > 0 ? length : 0] = '\0';
	return strstr(text, "populated 1");
}

void cgroup_wait_empty(const struct cgroup *cgroup)
{
	int fd = open_file(cgroup, "cgroup.events", O_RDONLY);
	struct pollfd poll_for = { .fd = fd, .events = POLLPRI };

	if (fd < 0)
		return;
	/* Each reading re-arms the poll. */
	while (has_processes(fd))
		poll(&poll_for, 1, -1);
	close(fd);
}

/* Kernels before 5.14 have no cgroup.kill. */
static int kill_processes(const char *path, const struct stat *status, int type,
			  struct FTW *where)
{
	struct cgroup cgroup;
	FILE *procs;
	int fd, pid;

	(void)status;
	(void)where;
	if (type != FTW_D)
		return 0;
	snprintf(cgroup.path, sizeof(cgroup.path), "%s", path);
	fd = open_file(&cgroup, "cgroup.procs", O_RDONLY);
	procs = fd < 0 ? NULL : fdopen(fd, "r");
	if (!procs)
		return 0;
	while (fscanf(procs, "%d", &pid) == 1)
		if (pid > 0)
			kill(pid, SIGKILL);
	fclose(procs);
	return 0;
}

void cgroup_kill(const struct cgroup *cgroup)
{
	int fd = open_file(cgroup, "cgroup.kill", O_WRONLY), tries = GOING_TRIES;
	bool done = fd >= 0 && write(fd, "1", 1) == 1;

	if (fd >= 0)
		close(fd);
	while (cgroup_processes(cgroup) > 0 && --tries) {
		if (!done)
			nftw(cgroup->path, kill_processes, WALK_DEPTH, FTW_PHYS);
		usleep(10000);
	}
}

static int remove_folder(const char *path, const struct stat *status, int type,
			 struct FTW *where)
{
	(void)status;
	(void)where;
	if (type != FTW_DP)
		return 0;
	return rmdir(path) && errno != ENOENT ? -1 : 0;
}

int cgroup_remove(struct cgroup *cgroup)
{
	int tries = GOING_TRIES, ret = 0;

	if (cgroup->procs >= 0)
		close(cgroup->procs);
	cgroup->procs = -1;
	/* What has just died may still be on its way out. */
	do {
		if (!nftw(cgroup->path, remove_folder, WALK_DEPTH,
			  FTW_DEPTH | FTW_PHYS))
			return 0;
		ret = -errno;
		if (ret != -EBUSY || cgroup_processes(cgroup) > 0)
			return ret;
		usleep(10000);
	} while (--tries);
	return ret;
}
