// SPDX-License-Identifier: GPL-2.0-only
/*
 * For scripts: make a region that may have a mebibyte, touch some of it, be refused
 * more, and end it. The status is 0 if all of that came so.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "privheap_selftest.h"

int main(void)
{
	int fd = ph_open(), ret = fd;
	char *base;

	if (fd >= 0)
		ret = ph_create_limit(fd, 4 * MIB, MIB / 2, MIB, 0, &base);
	if (ret < 0) {
		fprintf(stderr, "be_refused: %s\n", strerror(-ret));
		return 1;
	}
	memset(base, 1, MIB / 4);
	if (ph_commit(fd, base, MIB, 2 * MIB, 0) != -EDQUOT)
		return 2;
	return ph_destroy(fd, base) ? 3 : 0;
}
