// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the library reads of its surroundings: /proc/self/maps, an eventfd's
 * fdinfo, and the environment's PRIVHEAP_BACKEND. Its sources are compiled into
 * this file, with files of the input in place of the kernel's.
 */
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fuzz.h"

static int input_file = -1;

/* Whatever is to be opened: the input, from its start. */
static int open_input(void)
{
	int fd = dup(input_file);

	if (fd >= 0)
		lseek(fd, 0, SEEK_SET);
	return fd;
}

#define open(...)	open_input()
#include "../../lib/src/maps.c"
#include "../../lib/src/anonymous_watch.c"
#undef open

static const char *backend;

#define secure_getenv(name)	backend
#include "../../lib/src/region.c"

static void maps(const struct fuzz_input *input)
{
	struct fuzz_input from = *input;
	uintptr_t address = fuzz_u64(&from);
	struct mapping mapping;

	if (!maps_find(address, &mapping))
		return;
	FUZZ_CHECK(mapping.mapped || !(mapping.readable || mapping.writable), "of nothing");
	if (mapping.mapped)
		FUZZ_CHECK(mapping.end > address, "%lx ends at %lx", address, mapping.end);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = { .data = data, .left = size };
	const struct region_ops *ops;
	char *text;
	long id;

	if (input_file < 0)
		input_file = memfd_create("input", MFD_CLOEXEC);
	if (input_file < 0 || ftruncate(input_file, 0) ||
	    pwrite(input_file, data, size, 0) != (ssize_t)size)
		return 0;
	maps(&input);
	watch_eventfd_id(input_file, &id);

	text = fuzz_text(data, size);
	backend = text;
	region_complained = false;
	if (!region_choose(&ops))
		FUZZ_CHECK(ops == &region_anonymous_ops || ops == &region_module_ops, "%s",
			   text);
	backend = NULL;
	free(text);
	return 0;
}
