// SPDX-License-Identifier: GPL-2.0-only
/* What the experiments share. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "experiment.h"

struct experiment experiment;

static int claims_held, claims_failed;

void experiment_die(const char *format, ...)
{
	va_list args;

	fflush(stdout);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(2);
}

void experiment_begin(int argc, char **argv)
{
	int i;

	for (i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--small"))
			experiment.small = true;
		else if (!strcmp(argv[i], "--every"))
			experiment.every = true;
		else if (!strcmp(argv[i], "--out") && i + 1 < argc)
			experiment.folder = argv[++i];
		else if (!strcmp(argv[i], "--only") && i + 1 < argc)
			experiment.only = argv[++i];
		else
			experiment_die("usage: %s [--small] [--every] [--only PART] [--out FOLDER]",
				       argv[0]);
	}
	/* Claims in their order, whoever dies. */
	setvbuf(stdout, NULL, _IOLBF, 0);
	experiment.device = open(PRIVHEAP_DEVICE, O_RDWR | O_CLOEXEC);
	if (experiment.device < 0) {
		printf("SKIP: %s: %s\n", PRIVHEAP_DEVICE, strerror(errno));
		exit(EXIT_SKIP);
	}
}

int experiment_end(void)
{
	printf("%d claims hold, %d do not\n", claims_held, claims_failed);
	return claims_failed || !claims_held ? 1 : 0;
}

bool experiment_wants(const char *name)
{
	return !experiment.only || !strcmp(experiment.only, name);
}

void claim(bool holds, const char *format, ...)
{
	va_list args;

	printf("%s ", holds ? "holds: " : "FAILED:");
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
	if (holds)
		claims_held++;
	else
		claims_failed++;
}

FILE *table_open(const char *name, const char *heading)
{
	char path[512] = "/dev/null";
	FILE *table;

	if (experiment.folder)
		snprintf(path, sizeof(path), "%s/%s", experiment.folder, name);
	table = fopen(path, "we");
	if (!table)
		experiment_die("%s: %s", path, strerror(errno));
	fprintf(table, "%s\n", heading);
	return table;
}

void table_close(FILE *table)
{
	bool bad = ferror(table);

	if (fclose(table) || bad)
		experiment_die("cannot write a table: %s", strerror(errno));
}

int limit_set(const void *base, struct privheap_limit *limit)
{
	limit->size = sizeof(*limit);
	limit->flags = base ? 0 : PRIVHEAP_LIMIT_PROCESS;
	limit->base = (uintptr_t)base;
	return ioctl(experiment.device, PRIVHEAP_IOC_LIMIT, limit) ? -errno : 0;
}

uint32_t random_below(uint32_t *state, uint32_t below)
{
	return (uint64_t)ph_random(state) * below >> 32;
}

/* ----------------------------------------------------------------- cgroups */

void cgroup_make(char *path, size_t size, const char *name, uint64_t max)
{
	int ret = ph_cgroup_make(name, path, size);
	char text[32];

	if (ret)
		experiment_die("%s: %s", path, strerror(-ret));
	if (!max)
		return;
	snprintf(text, sizeof(text), "%llu", (unsigned long long)max);
	ret = ph_cgroup_set(path, "memory.max", text);
	/* A kernel without swap has no such file. */
	ph_cgroup_set(path, "memory.swap.max", "0");
	if (ret) {
		rmdir(path);
		experiment_die("%s: memory.max: %s", path, strerror(-ret));
	}
}

void cgroup_enter(const char *path)
{
	int ret = ph_cgroup_enter(path);

	if (ret)
		experiment_die("cannot enter %s: %s", path, strerror(-ret));
}

/* --------------------------------------------------------------- processes */

int child_start(int (*function)(void *argument, int out), void *argument,
		pid_t *pid)
{
	int ends[2];

	fflush(NULL);
	if (pipe(ends))
		experiment_die("pipe: %s", strerror(errno));
	*pid = fork();
	if (*pid < 0)
		experiment_die("fork: %s", strerror(errno));
	if (!*pid) {
		close(ends[0]);
		_exit(function(argument, ends[1]));
	}
	close(ends[1]);
	return ends[0];
}

bool read_row(int in, void *row, size_t size)
{
	size_t done = 0;
	ssize_t got;

	while (done < size) {
		got = read(in, (char *)row + done, size - done);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return false;
		done += got;
	}
	return true;
}

void write_row(int out, const void *row, size_t size)
{
	/* Less than PIPE_BUF, so it goes as a whole. */
	if (write(out, row, size) != (ssize_t)size)
		experiment_die("pipe: %s", strerror(errno));
}

int child_wait(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			experiment_die("waitpid: %s", strerror(errno));
	return status;
}
