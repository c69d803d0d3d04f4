// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sets limits of its user, another one, itself, a cgroup and one in it, closes all
 * that it opened, says "ready" and waits until its input ends: limits are all that is
 * there then.
 */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "limit_selftest.h"
#include "netlink_selftest.h"

#define USER	54321
#define OUTER	"/sys/fs/cgroup/privheap-keep-limits"
#define INNER	OUTER "/inner"

static int set(struct nl_socket *nl, uint32_t level, uint64_t subject)
{
	struct nl_object object;

	return nl_set(nl, level, subject, PRIVHEAP_A_COMMIT, PRIVHEAP_A_COUNTER_HARD,
		      4 * PAGE, &object);
}

/* The inner one, which is looked at later, holds the outer one. */
static int set_cgroups(struct nl_socket *nl)
{
	struct stat outer, inner;
	int ret = 0;

	if (mkdir(OUTER, 0755))
		return 0;
	if (!mkdir(INNER, 0755) && !stat(OUTER, &outer) && !stat(INNER, &inner)) {
		ret = set(nl, PRIVHEAP_LEVEL_CGROUP, outer.st_ino);
		if (!ret)
			ret = set(nl, PRIVHEAP_LEVEL_CGROUP, inner.st_ino);
	}
	/* They are there no more, and their limits still are. */
	rmdir(INNER);
	rmdir(OUTER);
	return ret;
}

int main(void)
{
	struct nl_socket nl;
	int fd, ret;
	char byte;

	fd = ph_open();
	if (fd < 0 || nl_open(&nl)) {
		fprintf(stderr, "keep_limits: no device or no family\n");
		return 1;
	}
	ret = set(&nl, PRIVHEAP_LEVEL_USER, getuid());
	if (!ret)
		ret = limit_set(fd, NULL, RESIDENT, PRIVHEAP_SET_HARD, 4 * PAGE);
	close(fd);
	if (!ret)
		ret = set(&nl, PRIVHEAP_LEVEL_USER, USER);
	if (!ret)
		ret = set(&nl, PRIVHEAP_LEVEL_PROCESS, getpid());
	if (!ret)
		ret = set_cgroups(&nl);
	nl_close(&nl);
	if (ret) {
		fprintf(stderr, "keep_limits: %s\n", strerror(-ret));
		return 1;
	}
	puts("ready");
	fflush(stdout);
	return read(0, &byte, 1) ? 1 : 0;
}
