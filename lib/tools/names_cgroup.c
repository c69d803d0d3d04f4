// SPDX-License-Identifier: MIT
/*
 * Cgroups (v2) by number and by folder. A cgroup's id is the handle of its
 * folder, for name_to_handle_at(2). Where the kernel has no such calls, or this
 * user may not open by handle, it is the folder's inode number, with 64 bits.
 */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "ctl.h"
#include "names.h"

/* The kernel's FILEID_KERNFS: the handle is the id. */
#define HANDLE_KERNFS	0xfe

/* Folders that are open at once while a hierarchy is walked. */
#define WALK_DEPTH	16

/* The root of every hierarchy. */
#define ROOT_ID		1

union cgroup_handle {
	struct file_handle handle;
	char room[sizeof(struct file_handle) + sizeof(uint64_t)];
};

struct cgroup {
	uint64_t id;
	char *path;
};

static struct cgroup *cgroups;
static size_t cgroup_count;

static char *mount_path, *mount_root;

/* Spaces and the like are \040 in there; in place. */
static void unescape(char *text)
{
	char *to = text;

	while (*text) {
		if (text[0] == '\\' && text[1] && text[2] && text[3]) {
			*to++ = (text[1] - '0') << 6 | (text[2] - '0') << 3 |
				(text[3] - '0');
			text += 4;
		} else {
			*to++ = *text++;
		}
	}
	*to = '\0';
}

/* A line of mountinfo: ID PARENT DEVICE ROOT MOUNTPOINT ... - TYPE ... */
static bool parse_mount(char *line)
{
	char *type = strstr(line, " - "), *root, *path, *next = line;
	int i;

	if (!type || strncmp(type, " - cgroup2 ", strlen(" - cgroup2 ")))
		return false;
	for (i = 0; i < 3; i++)
		strsep(&next, " ");
	root = strsep(&next, " ");
	path = strsep(&next, " ");
	if (!path)
		return false;
	unescape(root);
	unescape(path);
	mount_root = ctl_strdup(root);
	mount_path = ctl_strdup(path);
	return true;
}

const char *names_cgroup_mount(void)
{
	static bool looked;
	size_t room = 0;
	char *line = NULL;
	FILE *mounts;

	if (looked)
		return mount_path;
	looked = true;
	mounts = fopen("/proc/self/mountinfo", "re");
	if (!mounts)
		return NULL;
	while (getline(&line, &room, mounts) > 0)
		if (parse_mount(line))
			break;
	free(line);
	fclose(mounts);
	return mount_path;
}

int names_own_cgroup(char *path, size_t size)
{
	const char *mount = names_cgroup_mount();
	char *line = NULL, *inside;
	int ret = -ENOENT;
	size_t room = 0, length;
	FILE *own;

	if (!mount)
		return -ENOENT;
	own = fopen("/proc/self/cgroup", "re");
	if (!own)
		return -errno;
	while (ret == -ENOENT && getline(&line, &room, own) > 0) {
		if (strncmp(line, "0::", 3))
			continue;
		inside = line + 3;
		inside[strcspn(inside, "\n")] = '\0';
		/* Only a part of the hierarchy may be mounted. */
		length = strlen(mount_root);
		if (length > 1 && !strncmp(inside, mount_root, length))
			inside += length;
		if (!strcmp(inside, "/"))
			inside = (char *)"";
		ret = (size_t)snprintf(path, size, "%s%s", mount, inside) < size ?
			0 : -ENAMETOOLONG;
	}
	free(line);
	fclose(own);
	return ret;
}

_Static_assert(sizeof(ino_t) == sizeof(uint64_t), "ids fit");

/* nftw() has no argument for them. */
static uint64_t sought;
static char *found;

static int look_at_folder(const char *path, const struct stat *status, int type,
			  struct FTW *where)
{
	(void)where;
	if (type != FTW_D || status->st_ino != sought)
		return 0;
	found = ctl_strdup(path);
	return 1;
}

static char *search_path(const char *mount, uint64_t id)
{
	sought = id;
	found = NULL;
	nftw(mount, look_at_folder, WALK_DEPTH, FTW_PHYS | FTW_MOUNT);
	return found;
}

static char *path_of(uint64_t id)
{
	union cgroup_handle handle = { .handle = {
		.handle_bytes = sizeof(id),
		.handle_type = HANDLE_KERNFS,
	} };
	const char *mount = names_cgroup_mount();
	char link[64], path[PATH_MAX];
	ssize_t length = -1;
	int fd = -1, at;

	if (!mount)
		return NULL;
	memcpy(handle.handle.f_handle, &id, sizeof(id));
	at = open(mount, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (at >= 0) {
		fd = open_by_handle_at(at, &handle.handle,
				       O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		close(at);
	}
	if (fd >= 0) {
		snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
		length = readlink(link, path, sizeof(path) - 1);
		close(fd);
	}
	if (length <= 0)
		return search_path(mount, id);
	path[length] = '\0';
	return ctl_strdup(path);
}

const char *names_cgroup(uint64_t id)
{
	size_t i;

	for (i = 0; i < cgroup_count; i++) {
		if (cgroups[i].id == id)
			return cgroups[i].path;
	}
	cgroups = ctl_realloc(cgroups, cgroup_count + 1, sizeof(*cgroups));
	cgroups[cgroup_count].id = id;
	cgroups[cgroup_count].path = path_of(id);
	return cgroups[cgroup_count++].path;
}

static int id_of(const char *path, uint64_t *id)
{
	union cgroup_handle handle = { .handle = {
		.handle_bytes = sizeof(*id),
	} };
	struct stat status;
	struct statfs fs;
	int mount;

	if (statfs(path, &fs))
		return -errno;
	if (fs.f_type != CGROUP2_SUPER_MAGIC)
		return -ENOTDIR;
	if (!name_to_handle_at(AT_FDCWD, path, &handle.handle, &mount, 0) &&
	    handle.handle.handle_type == HANDLE_KERNFS)
		memcpy(id, handle.handle.f_handle, sizeof(*id));
	else if (!stat(path, &status))
		*id = status.st_ino;
	else
		return -errno;
	if (*id == ROOT_ID)
		*id = 0;
	return 0;
}

int names_find_cgroup(const char *path, uint64_t *id)
{
	const char *mount = names_cgroup_mount();
	char *below;
	int ret = id_of(path, id);

	if (ret != -ENOENT || !mount)
		return ret;
	if (asprintf(&below, "%s/%s", mount, path) < 0)
		return -ENOMEM;
	ret = id_of(below, id);
	free(below);
	return ret;
}
