// SPDX-License-Identifier: MIT
/* Names of users and processes: see names.h. For cgroups: names_cgroup.c. */
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ctl.h"
#include "names.h"
#include "text.h"
#include "units.h"

struct user {
	uint32_t uid;
	char *name;
};

static struct user *users;
static size_t user_count;

const char *names_user(uint32_t uid)
{
	struct units_text number = units_number(uid);
	char clean[64];
	const struct passwd *entry;
	size_t i;

	for (i = 0; i < user_count; i++) {
		if (users[i].uid == uid)
			return users[i].name;
	}
	entry = getpwuid(uid);
	text_clean(entry ? entry->pw_name : number.text, text_utf8(), clean,
		   sizeof(clean));
	users = ctl_realloc(users, user_count + 1, sizeof(*users));
	users[user_count].uid = uid;
	users[user_count].name = ctl_strdup(clean);
	return users[user_count++].name;
}

bool names_find_user(const char *name, uint32_t *uid)
{
	const struct passwd *entry = getpwnam(name);
	uint64_t number;

	if (entry) {
		*uid = entry->pw_uid;
		return true;
	}
	/* The highest one stands for none. */
	if (!units_parse_number(name, UINT32_MAX - 1, &number))
		return false;
	*uid = number;
	return true;
}

void names_raw_command(uint32_t pid, char *name, size_t size)
{
	char path[64];
	ssize_t length = -1;
	int fd;

	snprintf(path, sizeof(path), "/proc/%u/comm", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		length = read(fd, name, size - 1);
		close(fd);
	}
	if (length > 0 && name[length - 1] == '\n')
		length--;
	if (length <= 0) {
		snprintf(name, size, "-");
		return;
	}
	name[length] = '\0';
}

void names_command(uint32_t pid, char *name, size_t size)
{
	char raw[NAMES_COMMAND];

	names_raw_command(pid, raw, sizeof(raw));
	text_clean(raw, text_utf8(), name, size);
}
