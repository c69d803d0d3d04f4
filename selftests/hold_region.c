// SPDX-License-Identifier: GPL-2.0-only
/*
 * For scripts: make a region, close the device, say "ready", and hold the
 * region until standard input ends.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "privheap_selftest.h"

int main(void)
{
	int fd = ph_open(), ret = fd;
	char *base, c;

	if (fd >= 0)
		ret = ph_create(fd, 8 * MIB, 4 * MIB, 0, &base);
	if (ret < 0) {
		fprintf(stderr, "hold_region: %s\n", strerror(-ret));
		return 1;
	}
	close(fd);
	puts("ready");
	fflush(stdout);
	while (read(STDIN_FILENO, &c, 1) > 0)
		;
	return base[0];
}
