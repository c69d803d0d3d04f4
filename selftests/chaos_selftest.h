/* SPDX-License-Identifier: GPL-2.0-only */
/* A process whose threads do all that can be done to regions, at the same time. */
#ifndef CHAOS_SELFTEST_H
#define CHAOS_SELFTEST_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* What it does, to be told afterwards how often. */
enum chaos_operation {
	CHAOS_CREATE,
	CHAOS_DESTROY,
	CHAOS_GROW,
	CHAOS_COMMIT,
	CHAOS_POPULATE,
	CHAOS_DECOMMIT,
	CHAOS_WRITE,
	CHAOS_READ,
	CHAOS_COPY,		/* system calls that read and write there */
	CHAOS_LIMIT,
	CHAOS_NOTIFY,
	CHAOS_QUERY,
	CHAOS_MAPPING,		/* munmap, mremap, mprotect, madvise */
	CHAOS_FORK,
	CHAOS_OPEN,
	CHAOS_NETLINK,
	CHAOS_OPERATIONS,
};

/**
 * struct chaos - one such process
 * @fd: an open device
 * @threads: how many
 * @seed: of all random numbers
 * @reserve: bytes of each of its regions
 * @seconds: after these it ends by itself, with status 0; 0 for never
 * @uid: the user to become; 0 stays root, who may also set limits of others
 * @done: CHAOS_OPERATIONS counters in shared memory, or NULL
 */
struct chaos {
	int fd;
	unsigned int threads;
	uint32_t seed;
	uint64_t reserve;
	unsigned int seconds;
	uid_t uid;
	unsigned long *done;
};

/* Counters for struct chaos, shared with children; NULL without memory. */
unsigned long *chaos_counters(void);
/* The sum of all. */
unsigned long chaos_sum(const unsigned long *done);
/* "create 12, destroy 7, ..." */
void chaos_print(const unsigned long *done);

/* In a child made for it. Does not return. */
void chaos_run(const struct chaos *chaos) __attribute__((noreturn));
/* Start such a child, in a cgroup unless that is NULL. */
pid_t chaos_start(const struct chaos *chaos, const char *cgroup);
/*
 * Kill it, if it has not ended already, and wait for its end. Returns whether it is
 * gone, and by no other signal: where its threads find no region they expect that.
 */
bool chaos_end(pid_t child);

#endif /* CHAOS_SELFTEST_H */
