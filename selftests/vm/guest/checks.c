// SPDX-License-Identifier: GPL-2.0-only
/*
 * Instruments that do not speak by themselves: kmemleak scans when asked to,
 * and lockdep, which turns itself off at its first report.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "guest.h"

#define KMEMLEAK	"/sys/kernel/debug/kmemleak"
#define LOCKDEP_STATS	"/proc/lockdep_stats"
#define TAINTED		"/proc/sys/kernel/tainted"

/* A module from outside the tree, without signature; a test module. */
#define TAINT_OUT_OF_TREE	(1UL << 12)
#define TAINT_HARMLESS		(TAINT_OUT_OF_TREE | 1UL << 13 | 1UL << 18)

/* kmemleak reports no object that is younger. */
#define KMEMLEAK_AGE_SECONDS	5

/* Leaks beyond this many lines are more of the same. */
#define KMEMLEAK_LINES	200

static unsigned long read_taint(void)
{
	char text[32];

	if (read_file(TAINTED, text, sizeof(text)) <= 0) {
		fault("no taint flags: %s", strerror(errno));
		return 0;
	}
	return strtoul(text, NULL, 10);
}

/*
 * check_leaks - fail the run if kmemleak finds anything
 *
 * Without a module from outside the tree, nothing is looked for.
 *
 * An object is reported when two scans have found no pointer to it, the second
 * one when it has its age. A scan takes seconds; the first one is part of the
 * wait. Called when the module is gone, so that what only the module still
 * knew is leaked, too; the price is that its functions have no names any more,
 * which is why unload_privheap() tells where they were.
 */
void check_leaks(void)
{
	struct timespec ripe;
	char line[512];
	int lines = 0;
	FILE *report;

	if (!file_exists(KMEMLEAK) || !(read_taint() & TAINT_OUT_OF_TREE))
		return;
	clock_gettime(CLOCK_MONOTONIC, &ripe);
	ripe.tv_sec += KMEMLEAK_AGE_SECONDS + 1;
	if (write_file(KMEMLEAK, "scan"))
		goto no_scan;
	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ripe, NULL) ==
	       EINTR)
		;
	if (write_file(KMEMLEAK, "scan"))
		goto no_scan;

	report = fopen(KMEMLEAK, "re");
	if (!report) {
		fault("kmemleak has no report: %s", strerror(errno));
		return;
	}
	while (lines < KMEMLEAK_LINES && fgets(line, sizeof(line), report)) {
		line[strcspn(line, "\n")] = '\0';
		note("leak: %s", line);
		lines++;
	}
	fclose(report);
	if (lines)
		fault("kmemleak has found leaks");
	return;

no_scan:
	fault("kmemleak does not scan: %s", strerror(errno));
}

/* check_lockdep - fail the run if the kernel has lockdep and it is off */
void check_lockdep(void)
{
	char line[256];
	FILE *stats = fopen(LOCKDEP_STATS, "re");
	int on = -1;

	if (!stats) {
		if (errno != ENOENT)
			fault("lockdep says nothing: %s", strerror(errno));
		return;
	}
	while (fgets(line, sizeof(line), stats))
		if (sscanf(line, " debug_locks: %d", &on) == 1)
			break;
	fclose(stats);
	if (on != 1)
		fault("lockdep is off");
}

/* check_taint - fail the run if the kernel has warned, whoever saw it */
void check_taint(void)
{
	unsigned long taint = read_taint();

	if (taint & ~TAINT_HARMLESS)
		fault("the kernel is tainted: %lu", taint);
}
