/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the experiments share: options, tables in CSV files, claims that are
 * checked, a cgroup, and processes of which rows come back through a pipe.
 *
 * An experiment is a program that writes tables into a folder and checks what
 * it claims. It ends with 0 if all claims hold, 1 if one does not, 2 if it could
 * not be set up, and 4 (which the tests take for "skipped") without a module.
 */
#ifndef EXPERIMENT_H
#define EXPERIMENT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include <linux/privheap.h>

#include "../privheap_selftest.h"

#define EXIT_SKIP	4

/**
 * struct experiment - how this experiment is to run
 * @small: as a test: fewer steps, the same claims
 * @every: leave no point out, however long it takes
 * @only: the part of the experiment that is to run; NULL: all
 * @folder: where the tables go; NULL: nowhere
 * @device: an open /dev/privheap
 */
struct experiment {
	bool small;
	bool every;
	const char *only;
	const char *folder;
	int device;
};

extern struct experiment experiment;

/* Reads the options, and ends the program where it must. */
void experiment_begin(int argc, char **argv);
/* Says how many claims held. Return: the program's exit status. */
int experiment_end(void);

/* Says so, and ends the program with 2. */
__attribute__((noreturn, format(printf, 1, 2)))
void experiment_die(const char *format, ...);

/* Whether the part @name of the experiment is to run. */
bool experiment_wants(const char *name);

/* A claim, of which one line tells whether it holds. */
__attribute__((format(printf, 2, 3)))
void claim(bool holds, const char *format, ...);

/*
 * Opens the table @name in the folder, or /dev/null, and writes its heading.
 * Closed by table_close(), which ends the program if the disk is full.
 */
FILE *table_open(const char *name, const char *heading);
void table_close(FILE *table);

/**
 * limit_set - set and ask limits of this process or of a region
 * @base: the region; NULL: the process
 * @limit: what to set, and what is in force afterwards; size, flags and base
 *	are filled in
 *
 * Return: 0 or a negative errno.
 */
int limit_set(const void *base, struct privheap_limit *limit);

/* From 0 to @below - 1, by ph_random(). */
uint32_t random_below(uint32_t *state, uint32_t below);

/*
 * A cgroup (v2) of the experiment's own below the root, without swap; @max is
 * its memory.max in bytes, 0 for none.
 */
void cgroup_make(char *path, size_t size, const char *name, uint64_t max);
void cgroup_enter(const char *path);

/**
 * child_start - run a function in a process of its own
 * @function: gets @argument, and a descriptor to write to; its return value is
 *	the exit status
 * @argument: whatever it needs
 * @pid: the process
 *
 * Return: a descriptor that reads what the function writes.
 */
int child_start(int (*function)(void *argument, int out), void *argument,
		pid_t *pid);
/* Reads exactly @size bytes; false at the end of what there is. */
bool read_row(int in, void *row, size_t size);
/* Writes all of it, or ends the program. */
void write_row(int out, const void *row, size_t size);
/* Waits for a child. Return: as waitpid(2)'s status. */
int child_wait(pid_t pid);

#endif /* EXPERIMENT_H */
