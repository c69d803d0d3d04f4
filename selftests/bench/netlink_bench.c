// SPDX-License-Identifier: GPL-2.0-only
/*
 * What it costs to look at regions over netlink: one of them, and all of a
 * thousand and of ten thousand. Made for a guest whose clock counts instructions
 * (selftests/vm/run --icount); prints one line "NAME VALUE" for each measure.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../netlink_selftest.h"
#include "bench.h"

#define FEW		1000
#define MANY		10000
#define GETS		256
/* Nobody's. */
#define SOME_UID	54321

static int device;
static struct nl_socket nl;
static unsigned long last_id;

static void make_regions(unsigned int count)
{
	struct privheap_create arg = {
		.size = sizeof(arg), .flags = PRIVHEAP_CREATE_LAZY, .reserve = 4 * PAGE,
		.commit = PAGE,
	};

	while (count--)
		if (ioctl(device, PRIVHEAP_IOC_CREATE, &arg))
			die("CREATE");
	last_id = arg.out_id;
}

/* Nothing is done with the messages but to count them: it is the kernel's cost. */
static unsigned int dump(uint8_t command, uint16_t filter, uint32_t value)
{
	static char answer[32768];
	struct nl_message message;
	unsigned int count = 0;
	int ret;

	nl_begin(&message, &nl, command, NLM_F_DUMP);
	if (filter)
		nl_put_u32(&message, filter, value);
	ret = nl_send(&nl, &message);
	if (ret)
		die_of("send", -ret);
	for (;;) {
		ssize_t length = recv(nl.fd, answer, sizeof(answer), 0);
		struct nlmsghdr *header = (struct nlmsghdr *)answer;

		if (length < 0)
			die("recv");
		for (; NLMSG_OK(header, length); header = NLMSG_NEXT(header, length)) {
			if (header->nlmsg_type == NLMSG_DONE)
				return count;
			if (header->nlmsg_type == NLMSG_ERROR)
				die_of("dump", EIO);
			count++;
		}
	}
}

/* For each region that there is, whether it is in the dump or not. */
static void measure(const char *name, uint16_t filter, uint32_t value,
		    unsigned int regions, unsigned int wanted)
{
	unsigned long start = now();

	if (dump(PRIVHEAP_CMD_REGION_GET, filter, value) != wanted)
		die_of("dump", ENOENT);
	report(name, now() - start, regions);
}

static void measure_gets(const char *name)
{
	static struct nl_object object;
	unsigned long start = now();
	int ret;

	for (int i = 0; i < GETS; i++) {
		ret = nl_region(&nl, last_id, &object);
		if (ret)
			die_of("REGION_GET", -ret);
	}
	report(name, now() - start, GETS);
}

int main(void)
{
	int ret;

	device = open(PRIVHEAP_DEVICE, O_RDWR | O_CLOEXEC);
	if (device < 0)
		die(PRIVHEAP_DEVICE);
	ret = nl_open(&nl);
	if (ret)
		die_of("netlink", -ret);

	make_regions(FEW);
	/* The first one warms allocators. */
	dump(PRIVHEAP_CMD_REGION_GET, 0, 0);
	measure("dump-1000-each", 0, 0, FEW, FEW);
	measure("dump-1000-filtered-each", PRIVHEAP_A_UID, SOME_UID, FEW, 0);
	measure_gets("get-of-1000");

	make_regions(MANY - FEW);
	measure("dump-10000-each", 0, 0, MANY, MANY);
	measure("dump-10000-filtered-each", PRIVHEAP_A_UID, SOME_UID, MANY, 0);
	measure_gets("get-of-10000");
	return 0;
}
