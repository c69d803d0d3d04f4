/* SPDX-License-Identifier: MIT */
/* Names of users, processes and cgroups, and back. */
#ifndef PRIVHEAP_TOOLS_NAMES_H
#define PRIVHEAP_TOOLS_NAMES_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The kernel's TASK_COMM_LEN, and each byte may become a longer one. */
#define NAMES_COMMAND	64

/* A user's name, or the number; good for as long as the program runs. */
const char *names_user(uint32_t uid);

/* By name or number; false: no such user */
bool names_find_user(const char *name, uint32_t *uid);

/* The name of a process, clean for printing; "-" if it is gone. */
void names_command(uint32_t pid, char *name, size_t size);

/* The same as it is. */
void names_raw_command(uint32_t pid, char *name, size_t size);

/* Where cgroups (v2) are mounted; NULL: nowhere. */
const char *names_cgroup_mount(void);

/**
 * names_own_cgroup - the folder of the cgroup that this process is in
 * @path: filled
 * @size: bytes of @path
 *
 * Return: 0 or a negative errno; -ENOENT: there are no cgroups (v2) here.
 */
int names_own_cgroup(char *path, size_t size);

/* The folder of a cgroup; NULL if it is gone, or this user may not ask. */
const char *names_cgroup(uint64_t id);

/**
 * names_find_cgroup - the id of a cgroup
 * @path: its folder; where there is none of that name, below the mount
 * @id: set; 0 for the root
 *
 * Return: 0 or a negative errno; -ENOTDIR: it is a folder, but no cgroup.
 */
int names_find_cgroup(const char *path, uint64_t *id);

#endif /* PRIVHEAP_TOOLS_NAMES_H */
