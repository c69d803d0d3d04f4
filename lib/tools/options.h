/* SPDX-License-Identifier: MIT */
/* The command line: options of a command, and the help that tells of them. */
#ifndef PRIVHEAP_TOOLS_OPTIONS_H
#define PRIVHEAP_TOOLS_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "api.h"
#include "ctl.h"

/* Keys that have it are taken by options_limit(). */
#define OPTION_LIMIT		0x1000
#define OPTION_HELP		'h'

/**
 * struct ctl_option - an option
 * @name: without the dashes
 * @argument: what it takes, for help; NULL for nothing
 * @key: what options_next() returns; a letter is its short form, too
 * @help: what it does, in a line
 */
struct ctl_option {
	const char *name;
	const char *argument;
	int key;
	const char *help;
};

/*
 * Options to set limits, for the tables of "quota set" and "run". The key is
 * OPTION_LIMIT, the resource in bit 4, and PRIVHEAP_SET_* below.
 */
#define OPTION_LIMIT_OF(resource, set)	(OPTION_LIMIT | (resource) << 4 | (set))
#define OPTION_COMMIT(set) \
	OPTION_LIMIT_OF(PRIVHEAP_RESOURCE_COMMIT, PRIVHEAP_SET_##set)
#define OPTION_RESIDENT(set) \
	OPTION_LIMIT_OF(PRIVHEAP_RESOURCE_RESIDENT, PRIVHEAP_SET_##set)

/**
 * options_next - the next option of a command
 * @command: its options
 * @argc: of the command
 * @argv: of the command; options may stand anywhere before "--", except where
 *	@command says that a command follows
 *
 * Sets optarg and optind, as getopt(3). --help prints and ends the program.
 *
 * Return: its key, -1 when there are no more, '?' after a complaint.
 */
int options_next(const struct ctl_command *command, int argc, char **argv);

/* Take an option whose key has OPTION_LIMIT. false after a complaint. */
bool options_limit(const struct ctl_command *command, int key,
		   struct limit *limits);

/* A whole number from @least to @most for an option; complains. */
bool options_number(const struct ctl_command *command, const char *option,
		    uint64_t least, uint64_t most, uint64_t *number);

/* Complain of the command line, with a way to help; returns CTL_USAGE. */
int options_wrong(const struct ctl_command *command, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/**
 * options_subject - whose
 * @command: for complaints
 * @text: as subject_parse() takes it
 * @subject: filled
 *
 * Return: CTL_OK; after a complaint CTL_FAILED, if there is no such user or
 * cgroup, or CTL_USAGE.
 */
int options_subject(const struct ctl_command *command, const char *text,
		    struct subject *subject);

/* Complain of arguments that nobody wants. false: there are none */
bool options_surplus(const struct ctl_command *command, int argc, char **argv);

void options_help(const struct ctl_command *command, FILE *out);

#endif /* PRIVHEAP_TOOLS_OPTIONS_H */
