// SPDX-License-Identifier: GPL-2.0-only
/*
 * For scripts: do to regions what the arguments say, one after the other.
 *
 *	create:RESERVE:COMMIT	a region, which the next ones are about
 *	commit:OFFSET:LENGTH
 *	decommit:OFFSET:LENGTH
 *	touch:OFFSET:LENGTH
 *	destroy:
 *	churn:N		make and destroy so many
 *	say:TEXT	a line
 *	id:		a line with the region's number
 *	read:		wait for a line of standard input, or its end
 *	sleep:SECONDS
 *	name:TEXT	of this process
 *	fork:		the rest is a child's, who is waited for
 *	leave:		the rest is a child's, who is left alone
 *	exit:STATUS
 *
 * Sizes are in bytes, or as 64K or 64M. A refusal is told in a line, "refused by
 * level N" or "failed: ERROR", and the next argument follows. The status is the
 * number of these, unless something else is said.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "privheap_selftest.h"

static int fd, failures;
static char *base;

static uint64_t size_of(char **text)
{
	uint64_t size = strtoull(*text, text, 0);

	if (**text == 'K')
		size *= KIB;
	else if (**text == 'M')
		size *= MIB;
	if (**text == 'K' || **text == 'M')
		(*text)++;
	if (**text == ':')
		(*text)++;
	return size;
}

static void tell(int ret, uint32_t denied)
{
	if (!ret)
		return;
	failures++;
	if (ret == -EDQUOT)
		printf("refused by level %u\n", denied);
	else
		printf("failed: %s\n", strerror(-ret));
}

static void create(uint64_t reserve, uint64_t commit)
{
	struct privheap_create arg = {
		.size = sizeof(arg),
		.flags = PRIVHEAP_CREATE_LAZY,
		.reserve = reserve,
		.commit = commit,
	};
	int ret = ph_ioctl(fd, PRIVHEAP_IOC_CREATE, &arg);

	if (!ret)
		base = (char *)(uintptr_t)arg.out_base;
	tell(ret, arg.out_denied);
}

static void commit(uint64_t offset, uint64_t length)
{
	struct privheap_commit arg = {
		.size = sizeof(arg),
		.base = TO_BASE(base),
		.offset = offset,
		.length = length,
	};
	int ret = ph_ioctl(fd, PRIVHEAP_IOC_COMMIT, &arg);

	tell(ret, arg.out_denied);
}

static void decommit(uint64_t offset, uint64_t length)
{
	tell(ph_decommit(fd, base, offset, length), 0);
}

static void touch(uint64_t offset, uint64_t length)
{
	ph_touch(base + offset, length, 1);
}

static void churn(unsigned long count)
{
	while (count--) {
		create(64 * KIB, 0);
		tell(ph_destroy(fd, base), 0);
	}
}

static void fork_here(bool wait)
{
	pid_t child = fork();
	int status;

	if (child < 0) {
		tell(-errno, 0);
		return;
	}
	if (!child) {
		/* None of the parent's regions, and a file of its own. */
		base = NULL;
		failures = 0;
		close(fd);
		fd = ph_open();
		return;
	}
	if (!wait)
		exit(failures);
	waitpid(child, &status, 0);
	exit(WIFSIGNALED(status) ? 128 + WTERMSIG(status) :
	     WEXITSTATUS(status));
}

static void wait_for_line(void)
{
	char c;

	while (read(STDIN_FILENO, &c, 1) > 0 && c != '\n')
		;
}

/* With sizes: false, if it is none of them. */
static bool act_on_range(const char *action, char *value)
{
	static const struct {
		const char *name;
		void (*act)(uint64_t first, uint64_t second);
	} actions[] = {
		{ "create:", create },
		{ "commit:", commit },
		{ "decommit:", decommit },
		{ "touch:", touch },
	};
	uint64_t first;

	for (size_t i = 0; i < sizeof(actions) / sizeof(*actions); i++) {
		if (strncmp(action, actions[i].name, strlen(actions[i].name)))
			continue;
		first = size_of(&value);
		actions[i].act(first, size_of(&value));
		return true;
	}
	return false;
}

static bool act(const char *action)
{
	char *value = strchr(action, ':');

	if (!value)
		return false;
	value++;
	if (act_on_range(action, value))
		return true;
	if (!strncmp(action, "say:", 4))
		puts(value);
	else if (!strcmp(action, "id:"))
		printf("%llu\n", (unsigned long long)ph_region(fd, base).out_id);
	else if (!strcmp(action, "read:"))
		wait_for_line();
	else if (!strcmp(action, "destroy:"))
		tell(ph_destroy(fd, base), 0);
	else if (!strncmp(action, "churn:", 6))
		churn(strtoul(value, NULL, 10));
	else if (!strncmp(action, "sleep:", 6))
		sleep(atoi(value));
	else if (!strncmp(action, "name:", 5))
		prctl(PR_SET_NAME, value);
	else if (!strcmp(action, "fork:") || !strcmp(action, "leave:"))
		fork_here(*action == 'f');
	else if (!strncmp(action, "exit:", 5))
		exit(atoi(value));
	else
		return false;
	return true;
}

int main(int argc, char **argv)
{
	int i;

	setvbuf(stdout, NULL, _IOLBF, 0);
	fd = ph_open();
	if (fd < 0) {
		fprintf(stderr, "region_script: %s\n", strerror(-fd));
		return 100;
	}
	for (i = 1; i < argc; i++) {
		if (act(argv[i]))
			continue;
		fprintf(stderr, "region_script: what is %s?\n", argv[i]);
		return 101;
	}
	return failures;
}
