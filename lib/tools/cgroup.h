/* SPDX-License-Identifier: MIT */
/* A cgroup (v2) for one command: made below the caller's own, and removed. */
#ifndef PRIVHEAP_TOOLS_CGROUP_H
#define PRIVHEAP_TOOLS_CGROUP_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * struct cgroup - a cgroup
 * @path: its folder
 * @id: its id
 * @procs: its file cgroup.procs, open for writing; -1 when closed
 */
struct cgroup {
	char path[PATH_MAX];
	uint64_t id;
	int procs;
};

/**
 * cgroup_make - make one
 * @cgroup: filled
 * @name: of the folder
 * @why: filled where it fails: the end of a sentence
 * @size: bytes of @why
 */
bool cgroup_make(struct cgroup *cgroup, const char *name, char *why, size_t size);

/* Move this process there; async-signal-safe. Returns 0 or a negative errno. */
int cgroup_enter(const struct cgroup *cgroup);

/* How many processes are in it or below; -1 if that cannot be read. */
long cgroup_processes(const struct cgroup *cgroup);

/* Wait until no process is in it or below. Signals do not end the wait. */
void cgroup_wait_empty(const struct cgroup *cgroup);

/* Kill all that are in it or below, and wait until they are gone. */
void cgroup_kill(const struct cgroup *cgroup);

/*
 * Remove it, with cgroups that were made below it. Returns 0 or a negative
 * errno; -EBUSY: there are processes.
 */
int cgroup_remove(struct cgroup *cgroup);

#endif /* PRIVHEAP_TOOLS_CGROUP_H */
