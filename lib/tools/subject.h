/* SPDX-License-Identifier: MIT */
/* Whose quota: user:alice, pid:123, region:17, cgroup:/sys/fs/cgroup/x, system. */
#ifndef PRIVHEAP_TOOLS_SUBJECT_H
#define PRIVHEAP_TOOLS_SUBJECT_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How subjects look, for complaints. */
#define SUBJECT_FORMS \
	"A subject is system, user:NAME, pid:NUMBER, region:NUMBER or cgroup:FOLDER"

/**
 * struct subject - whose quota
 * @level: PRIVHEAP_LEVEL_*
 * @id: number of the region, process, user or cgroup; 0 for the system
 */
struct subject {
	uint32_t level;
	uint64_t id;
};

struct subject_text {
	char text[PATH_MAX];
};

/**
 * subject_parse - find a subject by what was written for it
 * @text: the words above; users and cgroups by number, too
 * @subject: set on success
 * @why: filled otherwise: a sentence
 * @size: bytes of @why
 */
bool subject_parse(const char *text, struct subject *subject, char *why,
		   size_t size);

/* As subject_parse() takes it, clean for printing. */
struct subject_text subject_format(const struct subject *subject);

/* "region", "process", "user", "cgroup", "system". */
const char *subject_level_name(uint32_t level);

/* PRIVHEAP_LEVEL_* of a name, PRIVHEAP_LEVEL_NONE if there is none. */
uint32_t subject_level(const char *name);

#endif /* PRIVHEAP_TOOLS_SUBJECT_H */
