// SPDX-License-Identifier: MIT
/* Whose quota: see subject.h. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <linux/privheap.h>

#include "ctl.h"
#include "names.h"
#include "subject.h"
#include "text.h"
#include "units.h"

static const char *const level_names[] = {
	[PRIVHEAP_LEVEL_NONE] = "none",
	[PRIVHEAP_LEVEL_REGION] = "region",
	[PRIVHEAP_LEVEL_PROCESS] = "process",
	[PRIVHEAP_LEVEL_USER] = "user",
	[PRIVHEAP_LEVEL_CGROUP] = "cgroup",
	[PRIVHEAP_LEVEL_SYSTEM] = "system",
};

/* What stands before the colon. */
static const struct prefix {
	const char *text;
	uint32_t level;
} prefixes[] = {
	{ "region:", PRIVHEAP_LEVEL_REGION },
	{ "pid:", PRIVHEAP_LEVEL_PROCESS },
	{ "user:", PRIVHEAP_LEVEL_USER },
	{ "cgroup:", PRIVHEAP_LEVEL_CGROUP },
};

const char *subject_level_name(uint32_t level)
{
	return level < ARRAY_SIZE(level_names) ? level_names[level] : "unknown";
}

uint32_t subject_level(const char *name)
{
	uint32_t level;

	for (level = PRIVHEAP_LEVEL_REGION; level < ARRAY_SIZE(level_names); level++)
		if (!strcmp(name, level_names[level]))
			return level;
	return PRIVHEAP_LEVEL_NONE;
}

__attribute__((format(printf, 3, 4)))
static bool refuse(char *why, size_t size, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(why, size, format, args);
	va_end(args);
	return false;
}

static bool parse_cgroup(const char *text, uint64_t *id, char *why, size_t size)
{
	int ret;

	if (units_parse_number(text, UINT64_MAX, id))
		return *id > 1 || refuse(why, size,
			"the root cgroup has no quota of its own: use system");
	if (*text != '/')
		return refuse(why, size,
			      "a cgroup is a folder, as cgroup:/sys/fs/cgroup/x, or its number");
	ret = names_find_cgroup(text, id);
	if (ret == -ENOENT)
		return refuse(why, size, "there is no cgroup %s", text);
	if (ret == -ENOTDIR || ret == -EOPNOTSUPP)
		return refuse(why, size, "%s is no cgroup (v2)", text);
	if (ret)
		return refuse(why, size, "%s: %s", text, strerror(-ret));
	return *id || refuse(why, size,
			     "the root cgroup has no quota of its own: use system");
}

bool subject_parse(const char *text, struct subject *subject, char *why,
		   size_t size)
{
	const struct prefix *prefix = prefixes;
	const char *name;
	uint32_t uid;

	if (!strcmp(text, "system")) {
		subject->level = PRIVHEAP_LEVEL_SYSTEM;
		subject->id = 0;
		return true;
	}
	while (strncmp(text, prefix->text, strlen(prefix->text))) {
		if (++prefix == prefixes + ARRAY_SIZE(prefixes))
			return refuse(why, size, "what is %s? " SUBJECT_FORMS, text);
	}
	name = text + strlen(prefix->text);
	subject->level = prefix->level;
	switch (prefix->level) {
	case PRIVHEAP_LEVEL_REGION:
		return units_parse_number(name, UINT64_MAX, &subject->id) ||
			refuse(why, size, "%s: a region has a number, see " CTL_NAME " list",
			       text);
	case PRIVHEAP_LEVEL_PROCESS:
		return (units_parse_number(name, INT32_MAX, &subject->id) &&
			subject->id) ||
			refuse(why, size, "%s: a process has a number", text);
	case PRIVHEAP_LEVEL_USER:
		if (!names_find_user(name, &uid))
			return refuse(why, size, "there is no user %s", name);
		subject->id = uid;
		return true;
	default:
		return parse_cgroup(name, &subject->id, why, size);
	}
}

struct subject_text subject_format(const struct subject *subject)
{
	struct subject_text text;
	const char *path;
	int used;

	switch (subject->level) {
	case PRIVHEAP_LEVEL_REGION:
		snprintf(text.text, sizeof(text.text), "region:%s",
			 units_number(subject->id).text);
		break;
	case PRIVHEAP_LEVEL_PROCESS:
		snprintf(text.text, sizeof(text.text), "pid:%s",
			 units_number(subject->id).text);
		break;
	case PRIVHEAP_LEVEL_USER:
		snprintf(text.text, sizeof(text.text), "user:%s",
			 names_user(subject->id));
		break;
	case PRIVHEAP_LEVEL_CGROUP:
		path = names_cgroup(subject->id);
		if (!path) {
			snprintf(text.text, sizeof(text.text), "cgroup:%s",
				 units_number(subject->id).text);
			break;
		}
		used = snprintf(text.text, sizeof(text.text), "cgroup:");
		text_clean(path, text_utf8(), text.text + used,
			   sizeof(text.text) - used);
		break;
	default:
		snprintf(text.text, sizeof(text.text), "%s",
			 subject_level_name(subject->level));
		break;
	}
	return text;
}
