/* SPDX-License-Identifier: MIT */
/* A command under a quota: its report. */
#ifndef PRIVHEAP_TOOLS_RUN_H
#define PRIVHEAP_TOOLS_RUN_H

#include <stdio.h>

#include "record.h"

/**
 * enum run_exit - exit codes of "run" that are not the command's
 * @RUN_FAILED: "run" itself failed, and the command was not started
 * @RUN_NOT_EXECUTED: the command is there, but cannot be executed
 * @RUN_NOT_FOUND: there is no such command
 * @RUN_SIGNAL: and the number of the signal that killed it
 */
enum run_exit {
	RUN_FAILED = 125,
	RUN_NOT_EXECUTED = 126,
	RUN_NOT_FOUND = 127,
	RUN_SIGNAL = 128,
};

/* The exit code for a status of waitpid(2). */
int run_exit_code(int status);

/* @name: the command; @quota: NULL if it could not be read */
void run_report(const char *name, int status, const struct quota *quota,
		FILE *out);

#endif /* PRIVHEAP_TOOLS_RUN_H */
