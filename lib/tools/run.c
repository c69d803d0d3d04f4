// SPDX-License-Identifier: MIT
/* "privheapctl run": a command under a quota. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/privheap.h>

#include "cgroup.h"
#include "options.h"
#include "preload.h"
#include "run.h"

enum run_option {
	RUN_NAME = 'n',
	RUN_WAIT = 'w',
	RUN_KILL = 'k',
	RUN_QUIET = 'q',
	RUN_NO_MALLOC = 'm',
};

/* How long what is still there may take to end by itself, in 10 ms. */
#define LEAVING_TRIES	20

/* Above any usage: see hold_quota(). */
#define LIMIT_BEYOND	(1ULL << 62)

/**
 * struct run - a command and its quota
 * @nl: the socket
 * @cgroup: where the command runs
 * @subject: the cgroup
 * @limits: to be set
 * @name: of the cgroup; NULL for one of our own
 * @wait_all: wait for all that the command leaves running
 * @kill_rest: kill that
 * @quiet: no report
 * @no_malloc: leave the command's malloc alone
 * @argv: the command
 * @usual: signals that were blocked at the start
 */
struct run {
	struct netlink nl;
	struct cgroup cgroup;
	struct subject subject;
	struct limit limits[RECORD_RESOURCES];
	const char *name;
	bool wait_all;
	bool kill_rest;
	bool quiet;
	bool no_malloc;
	char **argv;
	sigset_t usual;
};

/*
 * Signals that are passed on. Those that stop and continue do so to the whole
 * group, as it is usual.
 */
static const int forwarded[] = {
	SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGALRM, SIGWINCH,
};

/*
 * A quota that has no limit goes with its last region, and the peak with it. So
 * one is set that nothing reaches.
 */
static void hold_quota(struct limit *commit)
{
	if (commit->set & (PRIVHEAP_SET_SOFT | PRIVHEAP_SET_HARD))
		return;
	commit->set |= PRIVHEAP_SET_SOFT;
	commit->soft = LIMIT_BEYOND;
}

static bool set_up(struct run *run)
{
	char name[64], why[PATH_MAX + 256];
	struct quota quota;
	int ret;

	if (!netlink_open_or_complain(&run->nl))
		return false;
	snprintf(name, sizeof(name), CTL_NAME "-%d", getpid());
	if (!cgroup_make(&run->cgroup, run->name ? run->name : name, why,
			 sizeof(why))) {
		complain("run: %s", why);
		goto out_close;
	}
	run->subject.level = PRIVHEAP_LEVEL_CGROUP;
	run->subject.id = run->cgroup.id;
	hold_quota(&run->limits[PRIVHEAP_RESOURCE_COMMIT]);
	ret = api_quota_set(&run->nl, &run->subject, run->limits, &quota);
	if (!ret)
		return true;
	netlink_complain(&run->nl, ret, "run: the quota of the new cgroup");
	cgroup_remove(&run->cgroup);
out_close:
	netlink_close(&run->nl);
	return false;
}

/* Takes the limits back, so that nothing stays of the quota. */
static void drop_quota(struct run *run)
{
	const uint32_t all = PRIVHEAP_SET_SOFT | PRIVHEAP_SET_HARD |
		PRIVHEAP_SET_FAIL_NTH;
	const struct limit none = {
		.set = all,
		.soft = PRIVHEAP_NO_LIMIT,
		.hard = PRIVHEAP_NO_LIMIT,
	};
	const struct limit limits[RECORD_RESOURCES] = { none, none };
	struct quota quota;

	api_quota_set(&run->nl, &run->subject, limits, &quota);
}

/* What the child has to say before it is the command: an errno. */
struct failure {
	int error;
	bool exec;
};

static void __attribute__((noreturn)) be_command(const struct run *run, int report)
{
	struct failure failure = { 0 };

	failure.error = -cgroup_enter(&run->cgroup);
	if (!failure.error) {
		sigprocmask(SIG_SETMASK, &run->usual, NULL);
		failure.exec = true;
		execvp(run->argv[0], run->argv);
		failure.error = errno;
	}
	/* Whoever reads it has the status, too, if this fails. */
	if (write(report, &failure, sizeof(failure)) < 0)
		_exit(RUN_FAILED);
	_exit(failure.exec ? RUN_NOT_FOUND : RUN_FAILED);
}

/* The terminal's own signals reach the command without our help. */
static bool from_terminal(const siginfo_t *info)
{
	return info->si_code == SI_KERNEL &&
		(info->si_signo == SIGINT || info->si_signo == SIGQUIT ||
		 info->si_signo == SIGWINCH || info->si_signo == SIGHUP);
}

static int wait_for(pid_t child, const sigset_t *signals)
{
	siginfo_t info;
	int status;

	for (;;) {
		if (waitpid(child, &status, WNOHANG) == child)
			return status;
		if (sigwaitinfo(signals, &info) < 0)
			continue;
		if (info.si_signo != SIGCHLD && !from_terminal(&info))
			kill(child, info.si_signo);
	}
}

/* false: it was not started, and *code says how that went */
static bool start(struct run *run, pid_t *child, int *code)
{
	struct failure failure = { 0 };
	int report[2];
	ssize_t got;

	*code = RUN_FAILED;
	if (pipe2(report, O_CLOEXEC)) {
		complain("run: no pipe: %s", strerror(errno));
		return false;
	}
	*child = fork();
	if (*child < 0) {
		complain("run: no process: %s", strerror(errno));
		close(report[0]);
		close(report[1]);
		return false;
	}
	if (!*child)
		be_command(run, report[1]);
	close(report[1]);
	do
		got = read(report[0], &failure, sizeof(failure));
	while (got < 0 && errno == EINTR);
	close(report[0]);
	if (got != sizeof(failure))
		return true;
	waitpid(*child, NULL, 0);
	if (failure.exec) {
		complain("run: %s: %s", run->argv[0], strerror(failure.error));
		*code = failure.error == ENOENT ? RUN_NOT_FOUND :
			RUN_NOT_EXECUTED;
	} else {
		complain("run: cannot move to %s: %s", run->cgroup.path,
			 strerror(failure.error));
	}
	return false;
}

/* What the command has left running, and what is left of the cgroup. */
static void clean_up(struct run *run)
{
	int tries = LEAVING_TRIES, ret;
	long left;

	if (run->kill_rest)
		cgroup_kill(&run->cgroup);
	/* Of a pipeline some may end a moment after the last. */
	while ((left = cgroup_processes(&run->cgroup)) > 0 && --tries)
		usleep(10000);
	if (left > 0) {
		complain("run: %ld process%s still running under the quota; when gone: rmdir %s",
			 left, left == 1 ? " is" : "es are", run->cgroup.path);
		return;
	}
	drop_quota(run);
	ret = cgroup_remove(&run->cgroup);
	if (ret)
		complain("run: cannot remove %s: %s", run->cgroup.path,
			 strerror(-ret));
}

static int run_command_line(struct run *run)
{
	struct quota quota;
	sigset_t signals;
	bool started;
	int status, code;
	pid_t child;
	size_t i;

	if (!run->no_malloc && !preload_set())
		return RUN_FAILED;
	if (!set_up(run))
		return RUN_FAILED;
	sigemptyset(&signals);
	sigaddset(&signals, SIGCHLD);
	for (i = 0; i < ARRAY_SIZE(forwarded); i++)
		sigaddset(&signals, forwarded[i]);
	/* Who has this ignored gets no child's status. */
	signal(SIGCHLD, SIG_DFL);
	sigprocmask(SIG_BLOCK, &signals, &run->usual);
	started = start(run, &child, &code);
	if (started) {
		status = wait_for(child, &signals);
		code = run_exit_code(status);
		if (run->wait_all)
			cgroup_wait_empty(&run->cgroup);
		if (!run->quiet)
			run_report(run->argv[0], status,
				   api_quota(&run->nl, &run->subject, &quota) ?
				   NULL : &quota, stderr);
	}
	clean_up(run);
	netlink_close(&run->nl);
	return code;
}

static int run_main(const struct ctl_command *command, int argc, char **argv)
{
	struct run run = { 0 };
	int key;

	while ((key = options_next(command, argc, argv)) != -1) {
		if (key & OPTION_LIMIT) {
			if (!options_limit(command, key, run.limits))
				return RUN_FAILED;
			continue;
		}
		switch (key) {
		case RUN_NAME:
			run.name = optarg;
			if (*optarg && !strchr(optarg, '/') && *optarg != '.' &&
			    strlen(optarg) <= NAME_MAX)
				break;
			options_wrong(command, "--name takes the name of a new folder, not %s",
				      optarg);
			return RUN_FAILED;
		case RUN_WAIT:
			run.wait_all = true;
			break;
		case RUN_KILL:
			run.kill_rest = true;
			break;
		case RUN_QUIET:
			run.quiet = true;
			break;
		case RUN_NO_MALLOC:
			run.no_malloc = true;
			break;
		default:
			return RUN_FAILED;
		}
	}
	run.argv = argv + optind;
	if (!*run.argv) {
		options_wrong(command, "which command?");
		return RUN_FAILED;
	}
	return run_command_line(&run);
}

static const struct ctl_option run_options[] = {
	{ "commit-limit", "SIZE", OPTION_COMMIT(HARD),
	  "no more than SIZE committed (hard limit)" },
	{ "commit-soft", "SIZE", OPTION_COMMIT(SOFT),
	  "tell observers when more than SIZE is committed" },
	{ "commit-fail-nth", "N", OPTION_COMMIT(FAIL_NTH),
	  "refuse the Nth commit from now, once; 0: none" },
	{ "resident-limit", "SIZE", OPTION_RESIDENT(HARD),
	  "no more than SIZE with pages (hard limit)" },
	{ "resident-soft", "SIZE", OPTION_RESIDENT(SOFT),
	  "tell observers when more than SIZE has pages" },
	{ "resident-fail-nth", "N", OPTION_RESIDENT(FAIL_NTH),
	  "refuse the Nth charge of pages from now, once; 0: none" },
	{ "name", "NAME", RUN_NAME, "of the cgroup; default: " CTL_NAME "-PID" },
	{ "wait", NULL, RUN_WAIT, "wait for all that COMMAND leaves running" },
	{ "kill", NULL, RUN_KILL, "kill what COMMAND leaves running" },
	{ "quiet", NULL, RUN_QUIET, "without the report" },
	{ "no-malloc", NULL, RUN_NO_MALLOC,
	  "leave COMMAND's malloc alone: count only regions it makes itself" },
	{ "help", NULL, OPTION_HELP, "show this" },
	{ NULL, NULL, 0, NULL },
};

const struct ctl_command run_command = {
	.name = "run",
	.arguments = "[OPTION]... [--] COMMAND [ARGUMENT]...",
	.summary = "Run a command under a quota, and report peaks, denials and exit status.",
	.details = "COMMAND runs in a cgroup (v2) of its own, made below the caller's, with this\n"
		"quota, and its malloc is put on a heap (LD_PRELOAD), so that it is NULL at the\n"
		"limit. The report goes to standard error. What COMMAND leaves running stays\n"
		"under the quota, and the cgroup with it; then a line says so.\n"
		"SIZE is in bytes, or as 64K, 64M, 1.5G (powers of 1,024), or \"unlimited\".\n"
		"The exit status is COMMAND's; 128 and the signal's number if one killed it; 127\n"
		"if it was not found, 126 if it cannot be executed, 125 if \"run\" itself failed.\n"
		"Needs CAP_SYS_RESOURCE, and a cgroup to make cgroups in: root.\n",
	.options = run_options,
	.main = run_main,
};
