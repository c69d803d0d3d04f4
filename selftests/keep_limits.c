// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sets limits of its user, another one, a cgroup and itself, closes all that it
 * opened, says "ready" and waits until its input ends: limits are all that is there
 * then.
 */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "limit_selftest.h"
#include "netlink_selftest.h"

#define USER	54321
#define CGROUP	"/sys/fs/cgroup/privheap-keep-limits"

static int set(struct nl_socket *nl, uint32_t level, uint64_t subject)
{
	struct nl_object object;

	return nl_set(nl, level, subject, PRIVHEAP_A_COMMIT, PRIVHEAP_A_COUNTER_HARD,
		      4 * PAGE, &object);
}

int main(void)
{
	struct nl_socket nl;
	struct stat st;
	int fd, ret;
	char byte;

	fd = ph_open();
	if (fd < 0 || nl_open(&nl)) {
		fprintf(stderr, "keep_limits: no device or no family\n");
		return 1;
	}
	/* First of the user that the process below is charged to: it has that one, too. */
	ret = set(&nl, PRIVHEAP_LEVEL_USER, getuid());
	if (!ret)
		ret = limit_set(fd, NULL, RESIDENT, PRIVHEAP_SET_HARD, 4 * PAGE);
	close(fd);
	if (!ret)
		ret = set(&nl, PRIVHEAP_LEVEL_USER, USER);
	if (!ret)
		ret = set(&nl, PRIVHEAP_LEVEL_PROCESS, getpid());
	if (!ret && !mkdir(CGROUP, 0755)) {
		if (!stat(CGROUP, &st))
			ret = set(&nl, PRIVHEAP_LEVEL_CGROUP, st.st_ino);
		/* One that is there no more, and its limit still is. */
		rmdir(CGROUP);
	}
	nl_close(&nl);
	if (ret) {
		fprintf(stderr, "keep_limits: %s\n", strerror(-ret));
		return 1;
	}
	puts("ready");
	fflush(stdout);
	return read(0, &byte, 1) ? 1 : 0;
}
