// SPDX-License-Identifier: GPL-2.0-only
/*
 * For scripts: listen to events, make many and read none of them, leave limits
 * set, have neither a region nor the device, say "ready", and go on listening
 * until standard input ends.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "netlink_selftest.h"
#include "privheap_selftest.h"

/* Nobody's. */
#define SOME_UID	54326
#define DENIALS		600

static struct nl_object object;

static int make_events(int fd)
{
	char *base;
	int ret = ph_create_limit(fd, 8 * PAGE, PAGE, 4 * PAGE, 0, &base);

	for (int i = 0; !ret && i < DENIALS; i++)
		ret = ph_grow(fd, base, 5 * PAGE, 0) == -EDQUOT ? 0 : -EIO;
	return ret ?: ph_destroy(fd, base);
}

int main(void)
{
	struct nl_socket nl;
	int fd = ph_open(), ret = fd < 0 ? fd : 0;
	char c;

	ret = ret ?: nl_open(&nl) ?: nl_listen(&nl) ?:
	      nl_set(&nl, PRIVHEAP_LEVEL_USER, SOME_UID, PRIVHEAP_A_COMMIT,
		     PRIVHEAP_A_COUNTER_HARD, MIB, &object) ?: make_events(fd);
	if (ret) {
		fprintf(stderr, "hold_listener: %s\n", strerror(-ret));
		return 1;
	}
	close(fd);
	puts("ready");
	fflush(stdout);
	while (read(STDIN_FILENO, &c, 1) > 0)
		;
	return 0;
}
