/* SPDX-License-Identifier: MIT */
/* What the parts of privheapctl share: exit codes, complaints, commands. */
#ifndef PRIVHEAP_TOOLS_CTL_H
#define PRIVHEAP_TOOLS_CTL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CTL_NAME	"privheapctl"

#ifndef ARRAY_SIZE
#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#endif

/**
 * enum ctl_exit - exit codes, all but those of "run": see run.h
 * @CTL_OK: it is done
 * @CTL_FAILED: it was refused, or the module is not there
 * @CTL_USAGE: the command line is wrong; nothing was tried
 */
enum ctl_exit {
	CTL_OK = 0,
	CTL_FAILED = 1,
	CTL_USAGE = 2,
};

struct ctl_option;

/**
 * struct ctl_command - what can stand behind "privheapctl"
 * @name: its name
 * @arguments: how the rest of the line looks, for help
 * @summary: one line of what it does
 * @details: more of it, whole lines
 * @options: ends with one without a name
 * @main: runs it; argv[0] is the name; returns the exit code
 */
struct ctl_command {
	const char *name;
	const char *arguments;
	const char *summary;
	const char *details;
	const struct ctl_option *options;
	int (*main)(const struct ctl_command *command, int argc, char **argv);
};

extern const struct ctl_command list_command, show_command, quota_show_command,
	quota_set_command, monitor_command, top_command, run_command;

/* "privheapctl: " and a line, on standard error. */
void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The exit code when all is printed: 1, with a complaint, if that failed. */
int ctl_finish(void);

/* No memory: complains and ends the program with CTL_FAILED, as do these. */
__attribute__((noreturn)) void ctl_no_memory(void);
void *ctl_realloc(void *old, size_t count, size_t size);
char *ctl_strdup(const char *text);

#endif /* PRIVHEAP_TOOLS_CTL_H */
