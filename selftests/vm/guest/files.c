// SPDX-License-Identifier: GPL-2.0-only
/* Small files, read and written whole. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "guest.h"

/* Returns the length, or -1; the text is cut to fit and ends in a zero. */
ssize_t read_file(const char *path, char *buffer, size_t size)
{
	size_t length = 0;
	ssize_t got = 0;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -1;
	while (length < size - 1) {
		got = read(fd, buffer + length, size - 1 - length);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		length += got;
	}
	close(fd);
	buffer[length] = '\0';
	return got < 0 ? -1 : (ssize_t)length;
}

int write_file(const char *path, const char *text)
{
	size_t length = strlen(text);
	ssize_t done;
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return -1;
	done = write(fd, text, length);
	close(fd);
	return done == (ssize_t)length ? 0 : -1;
}

bool file_exists(const char *path)
{
	return access(path, F_OK) == 0;
}
