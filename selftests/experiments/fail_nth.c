// SPDX-License-Identifier: GPL-2.0-only
/*
 * Whole programs whose memory is refused, at every point there is.
 *
 * Two programs run in a cgroup, over and over: experiment_store, whose commands
 * are to be all or nothing, and sqlite3 with its malloc on a private heap. From
 * outside, by netlink, the cgroup's quota is told to refuse the first charge that
 * they make, and in the next run the second, and so on until none is left to
 * refuse. Then it gets a hard limit, from next to nothing to what the program
 * needs.
 *
 * What may come of it: nothing, for the heap could do with less; or the program
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
#define RUN_SECONDS	60
#define ARGUMENTS	3

static struct plan {
	int commands;		/* for the store */
	int rows;		/* for sqlite3 */
	int limits;		/* how many hard limits to try */
} plan = { 120, 2000, 48 };

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
	uint64_t peak;
	const char *says;
	bool (*refused)(int status, const char *said, const char *reference,
			bool retried);
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
static void exec_program(const struct program *program, bool retry)
{
	const char *argv[ARGUMENTS + 2];
	int i;

	for (i = 0; i < ARGUMENTS && program->argv[i]; i++)
		argv[i] = program->argv[i];
	if (retry)
		argv[i++] = program->retry;
	argv[i] = NULL;
	cgroup_enter(cgroup);
	redirect(program->input, O_RDONLY, STDIN_FILENO);
	redirect(output, O_WRONLY | O_CREAT | O_TRUNC, STDOUT_FILENO);
	dup2(STDOUT_FILENO, STDERR_FILENO);
	if (program->preload)
		setenv("LD_PRELOAD", program->preload, 1);
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

static struct result run(const struct program *program, uint64_t hard,
			 uint64_t nth, bool retry)
{
	struct result result = { .outcome = BROKEN };
	struct quota_limits before;
	pid_t pid;

	before = cgroup_limits(true, hard, nth);
	fflush(NULL);
	pid = fork();
	if (pid < 0)
		experiment_die("fork: %s", strerror(errno));
	if (!pid)
		exec_program(program, retry);
	result.status = child_wait(pid);
	result.limits = cgroup_limits(false, 0, 0);
	result.denials = result.limits.denials - before.denials;
	result.said = read_output();
	result.refusals = count_words(result.said, program->says);
	if (!WIFEXITED(result.status) || result.limits.usage)
		return result;
	if (!WEXITSTATUS(result.status) && program->reference &&
	    !strcmp(result.said, program->reference))
		result.outcome = result.denials ? ABSORBED : COMPLETED;
	else if (program->reference && result.denials &&
		 program->refused(WEXITSTATUS(result.status), result.said,
				  program->reference, retry))
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

/* Counts the charges, and keeps what the program says. */
static bool run_reference(struct program *program)
{
	struct result result = run(program, PRIVHEAP_NO_LIMIT, NEVER_NTH, false);

	program->charges = NEVER_NTH - result.limits.fail_nth;
	program->peak = result.limits.peak;
	program->reference = result.said;
	claim(!result.status && !result.limits.usage && !result.denials &&
	      !result.refusals && program->charges,
	      "%s: without limits it is fine: %llu charges, %llu KiB committed",
	      program->name, (unsigned long long)program->charges,
	      (unsigned long long)(program->peak / KIB));
	return !result.status && program->charges;
}

static void sweep_charges(const struct program *program, FILE *table)
{
	unsigned long counts[OUTCOMES] = { 0 };
	struct result result;
	uint64_t nth, most = 2 * program->charges + 100;
	bool fired = true;

	for (nth = 1; fired && nth < most; nth++) {
		result = run(program, PRIVHEAP_NO_LIMIT, nth, program->retry);
		fired = !result.limits.fail_nth;
		tell_broken(program, &result, "charge", nth);
		free(result.said);
		if (fired != (result.denials == 1))
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
	claim(!counts[BROKEN] && counts[REFUSED],
	      "%s: it survived: %lu absorbed by the heap, %lu told to the program, %lu broken",
	      program->name, counts[ABSORBED], counts[REFUSED], counts[BROKEN]);
}

static void sweep_limits(const struct program *program, FILE *table)
{
	unsigned long counts[OUTCOMES] = { 0 };
	uint64_t step = program->peak / plan.limits / PAGE * PAGE + PAGE;
	struct result result;
	uint64_t limit;

	for (limit = 0; limit < program->peak + step; limit += step) {
		result = run(program, limit, 0, false);
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

/* ----------------------------------------------------------------- programs */

static void sweep(struct program *program, FILE *charges, FILE *limits)
{
	struct stat stat;

	cgroup_make(cgroup, sizeof(cgroup), program->name, 0);
	if (lstat(cgroup, &stat))
		experiment_die("%s: %s", cgroup, strerror(errno));
	/* The number of a cgroup's folder is the cgroup's. */
	cgroup_id = stat.st_ino;
	if (run_reference(program)) {
		sweep_charges(program, charges);
		sweep_limits(program, limits);
	} else {
		printf("%.600s\n", program->reference);
	}
	free(program->reference);
	unlink(program->input);
	cgroup_remove(cgroup);
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
	FILE *charges, *limits;
	bool skipped = false;

	experiment_begin(argc, argv);
	if (experiment.small)
		plan = (struct plan){ 16, 100, 8 };
	if (!mkdtemp(folder))
		experiment_die("%s: %s", folder, strerror(errno));
	snprintf(output, sizeof(output), "%s/output", folder);
	snprintf(store.input, sizeof(store.input), "%s/commands", folder);
	snprintf(sqlite.input, sizeof(sqlite.input), "%s/queries", folder);
	requests = observer_requests();
	charges = table_open("fail_nth.csv",
			     "program,charge,outcome,status,refusals");
	limits = table_open("fail_limit.csv",
			    "program,limit,outcome,status,refusals,answers");
	if (experiment_wants(store.name)) {
		store_load(store.input, plan.commands);
		sweep(&store, charges, limits);
	}
	if (experiment_wants(sqlite.name) && !access(sqlite.argv[0], X_OK)) {
		sqlite_load(sqlite.input, plan.rows);
		sweep(&sqlite, charges, limits);
	} else if (experiment_wants(sqlite.name)) {
		printf("SKIP: no %s here\n", sqlite.argv[0]);
		skipped = experiment.only;
	}
	table_close(charges);
	table_close(limits);
	unlink(output);
	rmdir(folder);
	return skipped ? EXIT_SKIP : experiment_end();
}
