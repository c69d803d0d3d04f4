// SPDX-License-Identifier: MIT
/*
 * Reads /proc/self/maps, without stdio: that would call malloc(3), which may be
 * built on this library.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "maps.h"
#include "no_cancel.h"

/* What the module calls a region there; a number follows. */
#define REGION_NAME	"privheap:["

/**
 * struct maps_reader - the open file
 * @fd: its descriptor
 * @next: index in @buffer of what comes next
 * @filled: bytes in @buffer
 * @line: the start of the latest line, which holds all but most of a path
 * @buffer: what was read
 */
struct maps_reader {
	int fd;
	size_t next;
	size_t filled;
	char line[160];
	char buffer[2048];
};

/**
 * struct maps_line - a line of the file
 * @start: first address
 * @end: address behind it
 * @access: r, w, x, and p or s, or - for each
 * @device: major and minor number of the file system
 * @inode: number of the file, 0: not a file
 * @region: of /dev/privheap
 */
struct maps_line {
	uint64_t start;
	uint64_t end;
	char access[4];
	uint64_t device;
	uint64_t inode;
	bool region;
};

static bool maps_get_char(struct maps_reader *reader, char *c)
{
	ssize_t got;

	if (reader->next == reader->filled) {
		do {
			got = no_cancel_read(reader->fd, reader->buffer,
					     sizeof(reader->buffer));
		} while (got < 0 && errno == EINTR);
		if (got <= 0)
			return false;
		reader->next = 0;
		reader->filled = got;
	}
	*c = reader->buffer[reader->next++];
	return true;
}

static uint64_t maps_number(char **at, int radix)
{
	uint64_t number = strtoull(*at, at, radix);

	/* what separates it from the next one */
	if (**at)
		++*at;
	return number;
}

/* false: there are no more lines */
static bool maps_get_line(struct maps_reader *reader, struct maps_line *line)
{
	size_t length = 0;
	char *at, c;

	while (maps_get_char(reader, &c) && c != '\n') {
		if (length < sizeof(reader->line) - 1)
			reader->line[length++] = c;
	}
	if (!length)
		return false;
	reader->line[length] = '\0';

	at = reader->line;
	line->start = maps_number(&at, 16);
	line->end = maps_number(&at, 16);
	if (strlen(at) < sizeof(line->access) + 1)
		return false;
	memcpy(line->access, at, sizeof(line->access));
	at += sizeof(line->access) + 1;
	maps_number(&at, 16);
	line->device = maps_number(&at, 16) << 32;
	line->device |= maps_number(&at, 16);
	line->inode = maps_number(&at, 10);
	at += strspn(at, " ");
	line->region = !strncmp(at, REGION_NAME, strlen(REGION_NAME));
	return true;
}

static bool maps_same_file(const struct maps_line *a, const struct maps_line *b)
{
	return a->end == b->start && a->inode && a->inode == b->inode &&
	       a->device == b->device;
}

static void maps_fill(struct mapping *mapping, const struct maps_line *line)
{
	mapping->mapped = true;
	mapping->end = line->end;
	mapping->readable = line->access[0] == 'r';
	mapping->writable = line->access[1] == 'w';
	mapping->executable = line->access[2] == 'x';
	mapping->private = line->access[3] == 'p';
	mapping->file = line->inode != 0;
	mapping->region = line->region;
}

static void maps_scan(struct maps_reader *reader, uintptr_t address,
		      struct mapping *mapping)
{
	struct maps_line line, before = {};

	mapping->end = UINTPTR_MAX;
	for (; maps_get_line(reader, &line); before = line) {
		if (!maps_same_file(&before, &line)) {
			if (mapping->mapped)
				break;
			if (line.start > address) {
				/* may be a page that 32 bits do not reach */
				if (line.start < UINTPTR_MAX)
					mapping->end = line.start;
				break;
			}
			mapping->start = line.start;
			mapping->image = false;
		}
		/* of a row that goes on behind the address, too */
		if (line.access[2] == 'x')
			mapping->image = true;
		if (!mapping->mapped && line.end > address)
			maps_fill(mapping, &line);
	}
}

bool maps_find(uintptr_t address, struct mapping *mapping)
{
	struct maps_reader reader;

	reader.fd = no_cancel_open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
	if (reader.fd >= 0) {
		reader.next = 0;
		reader.filled = 0;
		memset(mapping, 0, sizeof(*mapping));
		maps_scan(&reader, address, mapping);
		no_cancel_close(reader.fd);
	}
	return reader.fd >= 0;
}
