// SPDX-License-Identifier: GPL-2.0-only
/*
 * Whole programs whose memory is refused, at every point there is.
 *
 * Two programs run in a cgroup, over and over: experiment_store, whose commands
 * are to be all or nothing, and sqlite3 with its malloc on a private heap. From
 * outside, by netlink, the cgroup's quota is told to refuse the first charge that
 * they make, and in the next run the second, and so on until none is left to
 * refuse. Then it gets a hard limit, from nothing to what the program needs. A heap
 * that is refused once can often do with less, and sqlite3 is not told. So last
 * its allocations are refused, one in each run: these by the shim.
 *
 * What may come of it: nothing, for heap or program could do without; or the program
 * says that it has no memory, and goes on or ends as it documents. Nothing is to
 * crash, hang, or leave something behind. A store that does a refused command
 * again must have answered all of them in the end as it does otherwise.
 */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "experiment.h"
#include "fail_nth_load.h"
#include "observer.h"

/* So many charges nobody makes. */
#define NEVER_NTH	(1ULL << 40)
/* A limit that nobody reaches; while there is one, the cgroup's counters stay. */
#define HIGH		(1ULL << 40)
#define RUN_SECONDS	60
#define ARGUMENTS	3

static struct plan {
	int commands;		/* for the store */
	int rows;		/* for sqlite3 */
	int limits;		/* how many hard limits to try */
	int allocations;	/* how many of sqlite3's to refuse */
} plan = { 64, 50, 40, 120 };

enum outcome { COMPLETED, ABSORBED, REFUSED, BROKEN, OUTCOMES };

static const char *const outcome_names[OUTCOMES] = {
	"completed", "absorbed", "refused", "broken"
};

/**
 * struct program - a program under test
 * @name: in the tables
 * @argv: how it is called
 * @retry: what to call it with so that it tries again, or NULL
 * @preload: a library to be loaded first, or NULL
 * @input: the file that it reads
 * @reference: what it says, if nothing is refused
 * @charges: that it makes then
 * @allocations: likewise, if the shim counts them
 * @peak: bytes that it has committed then at most
 * @says: what it says when it gets no memory
 * @refused: whether it ended as it documents for that, see fail_nth_load.h
 */
struct program {
	const char *name;
	const char *argv[ARGUMENTS];
	const char *retry;
	const char *preload;
	char input[128];
	char *reference;
	uint64_t charges;
	uint64_t allocations;
	uint64_t peak;
	const char *says;
	bool (*refused)(int status, const char *said, const char *reference,
			bool retried);
};

/**
 * struct refusal - what is refused in a run
 * @hard: limit of the cgroup, in bytes
 * @charge: the charge that is refused; 0: none
 * @allocation: the same of the shim's allocations
 * @retry: the program is called so that it tries again
 */
struct refusal {
	uint64_t hard;
	uint64_t charge;
	uint64_t allocation;
	bool retry;
};

/**
 * struct result - of one run
 * @outcome: what came of it
 * @status: as of waitpid(2)
 * @refusals: how often the program said that it has no memory
 * @denials: charges that were refused
 * @limits: of the cgroup after it
 * @said: by the program, to be freed
 */
struct result {
	enum outcome outcome;
	int status;
	int refusals;
	uint64_t denials;
	struct quota_limits limits;
	char *said;
};

static char folder[64] = "/tmp/fail_nth.XXXXXX";
static char output[128];
static char report[128];
static char cgroup[128];
static uint64_t cgroup_id;
static int requests;

/* ----------------------------------------------------------------- running */

static void redirect(const char *path, int flags, int to)
{
	int fd = open(path, flags, 0600);

	if (fd < 0 || dup2(fd, to) < 0)
		_exit(126);
}

__attribute__((noreturn))
static void exec_program(const struct program *program,
			 const struct refusal *refusal)
{
	const char *argv[ARGUMENTS + 2];
	char number[32];
	int i;

	for (i = 0; i < ARGUMENTS && program->argv[i]; i++)
		argv[i] = program->argv[i];
	if (refusal->retry)
		argv[i++] = program->retry;
	argv[i] = NULL;
	cgroup_enter(cgroup);
	redirect(program->input, O_RDONLY, STDIN_FILENO);
	redirect(output, O_WRONLY | O_CREAT | O_TRUNC, STDOUT_FILENO);
	dup2(STDOUT_FILENO, STDERR_FILENO);
	if (program->preload) {
		setenv("LD_PRELOAD", program->preload, 1);
		setenv("PRIVHEAP_SHIM_REPORT", report, 1);
	}
	if (refusal->allocation) {
		snprintf(number, sizeof(number), "%llu",
			 (unsigned long long)refusal->allocation);
		setenv("PRIVHEAP_SHIM_FAIL_NTH", number, 1);
	}
	/* What hangs is ended by it, and so is broken. */
	alarm(RUN_SECONDS);
	execv(argv[0], (char **)argv);
	_exit(126);
}

static char *read_output(void)
{
	char *text = NULL;
	size_t size = 0;
	FILE *file = fopen(output, "re");

	if (!file)
		experiment_die("%s: %s", output, strerror(errno));
	if (getdelim(&text, &size, '\0', file) < 0) {
		free(text);
		text = strdup("");
	}
	fclose(file);
	return text;
}

static struct quota_limits cgroup_limits(bool set, uint64_t hard, uint64_t nth)
{
	struct quota_limits limits = { .hard = hard, .fail_nth = nth };
	int ret = observer_cgroup(requests, cgroup_id, set, &limits);

	if (ret)
		experiment_die("quota of the cgroup: %s", strerror(-ret));
	return limits;
}

static struct result run(const struct program *program,
			 const struct refusal *refusal)
{
	struct result result = { .outcome = BROKEN };
	struct quota_limits before;
	bool refused, same;
	pid_t pid;

	before = cgroup_limits(true, refusal->hard, refusal->charge);
	fflush(NULL);
	pid = fork();
	if (pid < 0)
		experiment_die("fork: %s", strerror(errno));
	if (!pid)
		exec_program(program, refusal);
	result.status = child_wait(pid);
	result.limits = cgroup_limits(false, 0, 0);
	result.denials = result.limits.denials - before.denials;
	result.said = read_output();
	result.refusals = count_words(result.said, program->says);
	if (!WIFEXITED(result.status) || result.limits.usage ||
	    !program->reference)
		return result;
	refused = result.denials || refusal->allocation;
	same = !WEXITSTATUS(result.status) &&
	       !strcmp(result.said, program->reference);
	if (same)
		result.outcome = refused ? ABSORBED : COMPLETED;
	else if (refused && program->refused(WEXITSTATUS(result.status),
					     result.said, program->reference,
					     refusal->retry))
		result.outcome = REFUSED;
	return result;
}

static void tell_broken(const struct program *program,
			const struct result *result, const char *what,
			uint64_t value)
{
	if (result->outcome != BROKEN)
		return;
	printf("        %s, %s %llu: status %#x, %llu bytes left, said:\n%.600s\n",
	       program->name, what, (unsigned long long)value, result->status,
	       (unsigned long long)result->limits.usage, result->said);
}

static int exit_status(const struct result *result)
{
	return WIFEXITED(result->status) ? WEXITSTATUS(result->status) :
					   128 + WTERMSIG(result->status);
}

/* ------------------------------------------------------------------- sweeps */

/* The number that the shim reports of its last run; 0 for none. */
static uint64_t count_allocations(void)
{
	unsigned long calls = 0;
	FILE *file = fopen(report, "re");

	if (!file)
		return 0;
	if (fscanf(file, "%*s backend=module calls=%lu", &calls) != 1)
		calls = 0;
	fclose(file);
	return calls;
}

/* Counts the charges, and keeps what the program says. */
static bool run_reference(struct program *program)
{
	const struct refusal none = { .hard = HIGH, .charge = NEVER_NTH };
	struct result result = run(program, &none);

	program->charges = NEVER_NTH - result.limits.fail_nth;
	program->peak = result.limits.peak;
	program->allocations = program->preload ? count_allocations() : 0;
	program->reference = result.said;
	claim(!result.status && !result.limits.usage && !result.denials &&
	      !result.refusals && program->charges &&
	      (program->allocations || !program->preload),
	      "%s: without limits it is fine: %llu charges, %llu KiB committed",
	      program->name, (unsigned long long)program->charges,
	      (unsigned long long)(program->peak / KIB));
	return !result.status && program->charges;
}

static void sweep_charges(const struct program *program, FILE *table)
{
	unsigned long counts[OUTCOMES] = { 0 };
	struct refusal refusal = { .hard = HIGH, .retry = program->retry };
	uint64_t nth, most = 2 * program->charges + 100;
	struct result result;
	bool fired = true;

	for (nth = 1; fired && nth < most; nth++) {
		refusal.charge = nth;
		result = run(program, &refusal);
		fired = !result.limits.fail_nth;
		tell_broken(program, &result, "charge", nth);
		free(result.said);
		/* Refused once, and no more. */
		if (result.denials != fired)
			result.outcome = BROKEN;
		counts[result.outcome]++;
		if (fired)
			fprintf(table, "%s,%llu,%s,%d,%d\n", program->name,
				(unsigned long long)nth,
				outcome_names[result.outcome],
				exit_status(&result), result.refusals);
	}
	claim(!fired && nth >= 2 && nth - 2 >= program->charges &&
	      counts[COMPLETED] == 1,
	      "%s: each of %llu charges was refused, and then none was left",
	      program->name, (unsigned long long)nth - 2);
	/* A heap that is refused once asks for less, and seldom says no. */
	claim(!counts[BROKEN] && (counts[REFUSED] || !program->retry),
	      "%s: it survived: %lu absorbed by the heap, %lu told to the program, %lu broken",
	      program->name, counts[ABSORBED], counts[REFUSED], counts[BROKEN]);
}

static void sweep_limits(const struct program *program, FILE *table)
{
	unsigned long counts[OUTCOMES] = { 0 };
	uint64_t step = program->peak / plan.limits / PAGE * PAGE + PAGE;
	struct refusal refusal = { 0 };
	struct result result;
	uint64_t limit;

	for (limit = 0; limit < program->peak + step; limit += step) {
		refusal.hard = limit;
		result = run(program, &refusal);
		tell_broken(program, &result, "limit", limit);
		fprintf(table, "%s,%llu,%s,%d,%d,%d\n", program->name,
			(unsigned long long)limit,
			outcome_names[result.outcome], exit_status(&result),
			result.refusals, count_words(result.said, "\n"));
		free(result.said);
		counts[result.outcome]++;
	}
	claim(!counts[BROKEN] && counts[REFUSED] && counts[COMPLETED],
	      "%s: under %lu hard limits: %lu refused, %lu absorbed, %lu broken",
	      program->name, counts[REFUSED] + counts[ABSORBED] +
	      counts[COMPLETED] + counts[BROKEN], counts[REFUSED],
	      counts[ABSORBED], counts[BROKEN]);
}

static void sweep_allocations(const struct program *program, FILE *table)
{
	unsigned long counts[OUTCOMES] = { 0 };
	uint64_t nth, step = program->allocations / plan.allocations + 1;
	struct refusal refusal = { .hard = HIGH };
	struct result result;

	if (experiment.every)
		step = 1;
	for (nth = 1; nth <= program->allocations; nth += step) {
		refusal.allocation = nth;
		result = run(program, &refusal);
		tell_broken(program, &result, "allocation", nth);
		fprintf(table, "%s,%llu,%s,%d,%d\n", program->name,
			(unsigned long long)nth, outcome_names[result.outcome],
			exit_status(&result), result.refusals);
		free(result.said);
		counts[result.outcome]++;
	}
	claim(!counts[BROKEN] && counts[REFUSED],
	      "%s: each %lluth of %llu allocations refused: %lu absorbed, %lu told, %lu broken",
	      program->name, (unsigned long long)step,
	      (unsigned long long)program->allocations, counts[ABSORBED],
	      counts[REFUSED], counts[BROKEN]);
}

/* ----------------------------------------------------------------- programs */

/* A table for each thing that is refused. */
struct tables {
	FILE *charges;
	FILE *limits;
	FILE *allocations;
};

static void sweep(struct program *program, const struct tables *tables)
{
	struct stat stat;

	cgroup_make(cgroup, sizeof(cgroup), program->name, 0);
	if (lstat(cgroup, &stat))
		experiment_die("%s: %s", cgroup, strerror(errno));
	/* The number of a cgroup's folder is the cgroup's. */
	cgroup_id = stat.st_ino;
	if (run_reference(program)) {
		sweep_charges(program, tables->charges);
		sweep_limits(program, tables->limits);
		if (program->preload)
			sweep_allocations(program, tables->allocations);
	} else {
		printf("%.600s\n", program->reference);
	}
	free(program->reference);
	unlink(program->input);
	ph_cgroup_remove(cgroup);
}

/* What lies beside this program. */
static const char *beside(const char *name)
{
	char self[400] = "", *path;

	if (readlink("/proc/self/exe", self, sizeof(self) - 1) < 0 ||
	    asprintf(&path, "%s/%s", dirname(self), name) < 0)
		experiment_die("who am I?");
	return path;
}

int main(int argc, char **argv)
{
	struct program store = {
		.name = "store", .argv = { beside("experiment_store") },
		.retry = "--retry", .says = STORE_SAYS, .refused = store_refused,
	};
	struct program sqlite = {
		.name = "sqlite3",
		.argv = { "/usr/bin/sqlite3", "-bail" },
		.preload = beside("malloc_shim.so"),
		.says = SQLITE_SAYS, .refused = sqlite_refused,
	};
	struct tables tables;
	bool skipped = false;

	experiment_begin(argc, argv);
	if (experiment.small)
		plan = (struct plan){ 9, 10, 4, 8 };
	if (!mkdtemp(folder))
		experiment_die("%s: %s", folder, strerror(errno));
	snprintf(output, sizeof(output), "%s/output", folder);
	snprintf(report, sizeof(report), "%s/report", folder);
	snprintf(store.input, sizeof(store.input), "%s/commands", folder);
	snprintf(sqlite.input, sizeof(sqlite.input), "%s/queries", folder);
	requests = observer_requests();
	tables.charges = table_open("fail_charge.csv",
				    "program,charge,outcome,status,refusals");
	tables.limits = table_open("fail_limit.csv",
				   "program,limit,outcome,status,refusals,answers");
	tables.allocations = table_open("fail_allocation.csv",
					"program,allocation,outcome,status,refusals");
	if (experiment_wants(store.name)) {
		store_load(store.input, plan.commands);
		sweep(&store, &tables);
	}
	if (experiment_wants(sqlite.name) && !access(sqlite.argv[0], X_OK)) {
		sqlite_load(sqlite.input, plan.rows);
		sweep(&sqlite, &tables);
	} else if (experiment_wants(sqlite.name)) {
		printf("SKIP: no %s here\n", sqlite.argv[0]);
		skipped = experiment.only;
	}
	table_close(tables.charges);
	table_close(tables.limits);
	table_close(tables.allocations);
	unlink(output);
	unlink(report);
	rmdir(folder);
	return skipped ? EXIT_SKIP : experiment_end();
}
