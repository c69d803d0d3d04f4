// SPDX-License-Identifier: GPL-2.0-only
/*
 * What fork(2) costs a program whose malloc has given out and touched 64 MiB, until
 * the child, which does nothing, has gone. Knows of no heap: libprivheap-malloc.so
 * comes by LD_PRELOAD, or does not. Made for a guest whose clock counts instructions;
 * prints "fork-64m-NAME VALUE".
 *	fork_bench NAME
 */
#define _GNU_SOURCE
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

#define BLOCK	4000
#define BLOCKS	((64UL << 20) / BLOCK)
#define FORKS	8

static void fork_once(void)
{
	pid_t child = fork();
	int status;

	if (child < 0)
		die("fork");
	if (!child)
		_exit(0);
	if (waitpid(child, &status, 0) != child || status)
		die_of("the child", ECHILD);
}

int main(int argc, char **argv)
{
	unsigned long start;
	char name[64];

	if (argc != 2) {
		fprintf(stderr, "usage: fork_bench NAME\n");
		return 2;
	}
	for (unsigned long i = 0; i < BLOCKS; i++) {
		char *block = malloc(BLOCK);

		if (!block)
			die("malloc");
		memset(block, (int)i, BLOCK);
	}
	/* The first one of a process makes what the others find. */
	fork_once();
	start = now();
	for (int i = 0; i < FORKS; i++)
		fork_once();
	snprintf(name, sizeof(name), "fork-64m-%s", argv[1]);
	report(name, now() - start, FORKS);
	return 0;
}
