/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * For tests of libprivheap-malloc.so, which are programs that have it loaded: main()
 * starts itself again with the library that lies beside it.
 */
#ifndef PRELOAD_SELFTEST_H
#define PRELOAD_SELFTEST_H

#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "patient_harness.h"

#define KIB		((size_t)1024)
#define MIB		(1024 * KIB)

#define PRELOAD_MARK	"PRIVHEAP_PRELOAD_TEST"

/* So that the compiler does not know what becomes of a block. */
static inline void *hide(void *pointer)
{
	asm volatile("" : "+r" (pointer) : : "memory");
	return pointer;
}

static inline bool on_module(void)
{
	const char *wish = getenv("PRIVHEAP_BACKEND");

	return (!wish || strcmp(wish, "anonymous")) &&
	       !access("/dev/privheap", F_OK);
}

/* The line of /proc/self/maps for an address; false: it is not mapped. */
static inline bool mapping_of(const void *pointer, char *line, size_t size)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	unsigned long start, end;
	bool found = false;

	while (maps && !found && fgets(line, (int)size, maps))
		found = sscanf(line, "%lx-%lx", &start, &end) == 2 &&
			(uintptr_t)pointer >= start && (uintptr_t)pointer < end;
	if (maps)
		fclose(maps);
	return found;
}

/* Waits for a child; its exit status, or 128 and the signal. */
static inline int status_of(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) != pid)
		return -1;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) :
				     WEXITSTATUS(status);
}

/* What a function returns in a child of its own. */
static inline int in_child(int (*fn)(void *arg), void *arg)
{
	pid_t pid = fork();

	if (!pid)
		_exit(fn(arg));
	return pid < 0 ? -1 : status_of(pid);
}

/* Returns with the library loaded, or not at all. */
static inline void preload_self(char **argv)
{
	char self[PATH_MAX] = "", path[PATH_MAX + 32], *folder;

	if (getenv(PRELOAD_MARK))
		return;
	if (readlink("/proc/self/exe", self, sizeof(self) - 1) < 0)
		exit(1);
	folder = dirname(strdupa(self));
	snprintf(path, sizeof(path), "%s/libprivheap-malloc.so", folder);
	if (access(path, R_OK)) {
		printf("TAP version 13\n1..0 # SKIP no %s\n", path);
		exit(4);
	}
	setenv("LD_PRELOAD", path, 1);
	setenv(PRELOAD_MARK, "1", 1);
	execv(self, argv);
	exit(1);
}

#endif /* PRELOAD_SELFTEST_H */
