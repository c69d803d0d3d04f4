// SPDX-License-Identifier: GPL-2.0-only
/*
 * For scripts: run a command on a terminal of its own, do to it what a person
 * would, and say how the terminal was left.
 *
 *	pty_run [ACTION]... -- COMMAND [ARGUMENT]...
 *
 *	wait:TEXT	until the command has printed it, after the last wait
 *	keys:TEXT	type it
 *	size:COLUMNSxLINES	of the window; 80x24 at first
 *	signal:NUMBER	to the command
 *	stopped:	until the command has stopped
 *	sleep:MS
 *
 * Prints what the command does, and after its end a line "pty: ..." each for its
 * status and the terminal. The status is 0, or 1 if an action failed: a wait
 * takes ten seconds at most (or PTY_RUN_SECONDS). Then the command is killed.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define OUTPUT_MAX	(4 * 1024 * 1024)

/**
 * struct note - what the session's leader tells of the command
 * @pid: the command's
 * @status: of waitpid(2); nothing yet, the first time
 */
struct note {
	pid_t pid;
	int status;
};

static int master, slave, notes;
static pid_t leader, child;
static char output[OUTPUT_MAX + 1];
static size_t length, looked;
static bool ended;
static int status;

static long long now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

/* Read what there is, for that long at most. false: nothing came */
static bool read_some(int ms)
{
	struct pollfd poll_for = { .fd = master, .events = POLLIN };
	ssize_t got;

	if (poll(&poll_for, 1, ms) <= 0 || length == OUTPUT_MAX)
		return false;
	got = read(master, output + length, OUTPUT_MAX - length);
	if (got <= 0)
		return false;
	fwrite(output + length, 1, got, stdout);
	length += got;
	return true;
}

/* The child's end, or its being stopped, is noticed here. */
static bool look_at_child(void)
{
	struct note note;

	if (ended || read(notes, &note, sizeof(note)) != sizeof(note))
		return false;
	if (WIFSTOPPED(note.status))
		return true;
	ended = true;
	status = note.status;
	return false;
}

static bool wait_for_text(const char *text, long long until)
{
	const char *found;

	for (;;) {
		output[length] = '\0';
		found = memmem(output + looked, length - looked, text,
			       strlen(text));
		if (found) {
			looked = found - output + strlen(text);
			return true;
		}
		if (now_ms() > until)
			return false;
		look_at_child();
		if (!read_some(50) && ended)
			return false;
	}
}

static bool wait_for_stop(long long until)
{
	while (now_ms() <= until && !ended) {
		if (look_at_child())
			return true;
		read_some(20);
	}
	return false;
}

static void wait_for_end(long long until)
{
	while (!ended && now_ms() <= until) {
		look_at_child();
		read_some(20);
	}
}

static bool resize(const char *text)
{
	struct winsize size = { 0 };
	unsigned int columns, lines;

	if (sscanf(text, "%ux%u", &columns, &lines) != 2)
		return false;
	size.ws_col = columns;
	size.ws_row = lines;
	return !ioctl(master, TIOCSWINSZ, &size);
}

static bool act(const char *action, int seconds)
{
	const char *value = strchr(action, ':');
	long long until = now_ms() + seconds * 1000LL;

	if (!value)
		return false;
	value++;
	if (!strncmp(action, "wait:", 5))
		return wait_for_text(value, until);
	if (!strncmp(action, "keys:", 5))
		return write(master, value, strlen(value)) == (ssize_t)strlen(value);
	if (!strncmp(action, "size:", 5))
		return resize(value);
	if (!strncmp(action, "signal:", 7))
		return !kill(child, atoi(value));
	if (!strncmp(action, "stopped:", 8))
		return wait_for_stop(until);
	if (!strncmp(action, "sleep:", 6)) {
		for (until = now_ms() + atoi(value); now_ms() < until;)
			read_some(20);
		return true;
	}
	return false;
}

static void be_command(char **argv)
{
	setpgid(0, 0);
	/* Of a group in the background: that would stop it. */
	signal(SIGTTOU, SIG_IGN);
	tcsetpgrp(slave, getpid());
	signal(SIGTTOU, SIG_DFL);
	dup2(slave, STDIN_FILENO);
	dup2(slave, STDOUT_FILENO);
	dup2(slave, STDERR_FILENO);
	close(slave);
	close(master);
	execvp(argv[0], argv);
	perror(argv[0]);
	_exit(127);
}

/*
 * As a shell is: the command is a group of its own in the leader's session. A
 * group without such a parent is never stopped by its terminal.
 */
static void be_leader(char **argv, int to)
{
	struct note note = { 0 };

	setsid();
	ioctl(slave, TIOCSCTTY, 0);
	note.pid = fork();
	if (note.pid < 0)
		_exit(1);
	if (!note.pid)
		be_command(argv);
	do {
		if (write(to, &note, sizeof(note)) != sizeof(note))
			_exit(1);
		if (waitpid(note.pid, &note.status, WUNTRACED) != note.pid)
			_exit(1);
	} while (WIFSTOPPED(note.status));
	_exit(write(to, &note, sizeof(note)) != sizeof(note));
}

static bool start(char **argv)
{
	struct note note;
	int pipes[2];

	if (pipe2(pipes, O_CLOEXEC))
		return false;
	leader = fork();
	if (leader < 0)
		return false;
	if (!leader)
		be_leader(argv, pipes[1]);
	close(pipes[1]);
	if (read(pipes[0], &note, sizeof(note)) != sizeof(note))
		return false;
	child = note.pid;
	notes = pipes[0];
	fcntl(notes, F_SETFL, O_NONBLOCK);
	return true;
}

static bool same_terminal(const struct termios *a, const struct termios *b)
{
	return a->c_iflag == b->c_iflag && a->c_oflag == b->c_oflag &&
		a->c_cflag == b->c_cflag && a->c_lflag == b->c_lflag &&
		!memcmp(a->c_cc, b->c_cc, sizeof(a->c_cc));
}

/* How often a text was printed. */
static size_t count_text(const char *text)
{
	const char *at = output;
	size_t count = 0;

	while ((at = memmem(at, output + length - at, text, strlen(text)))) {
		at += strlen(text);
		count++;
	}
	return count;
}

static void report(const struct termios *before)
{
	struct termios after;
	bool cursor, screen;

	if (WIFSIGNALED(status))
		printf("\npty: signal %d\n", WTERMSIG(status));
	else
		printf("\npty: status %d\n", WEXITSTATUS(status));
	tcgetattr(slave, &after);
	printf("pty: modes %s\n", same_terminal(before, &after) ?
	       "as before" : "changed");
	cursor = count_text("\033[?25l") == count_text("\033[?25h");
	screen = count_text("\033[?1049h") == count_text("\033[?1049l");
	printf("pty: screen %s\n", cursor && screen ? "as before" : "changed");
}

int main(int argc, char **argv)
{
	const char *seconds_text = getenv("PTY_RUN_SECONDS");
	struct winsize size = { .ws_col = 80, .ws_row = 24 };
	int seconds = seconds_text ? atoi(seconds_text) : 10, i, command = 1;
	struct termios before;
	bool good = true;

	while (command < argc && strcmp(argv[command], "--"))
		command++;
	if (command + 1 >= argc) {
		fprintf(stderr, "usage: pty_run [ACTION]... -- COMMAND [ARGUMENT]...\n");
		return 2;
	}
	if (openpty(&master, &slave, NULL, NULL, &size)) {
		perror("pty_run: no terminal");
		return 2;
	}
	tcgetattr(slave, &before);
	if (!start(argv + command + 1)) {
		perror("pty_run: no process");
		return 2;
	}
	for (i = 1; good && i < command; i++) {
		good = act(argv[i], seconds);
		if (!good)
			printf("\npty: failed: %s\n", argv[i]);
	}
	wait_for_end(now_ms() + (good ? seconds * 1000LL : 0));
	if (!ended) {
		good = false;
		printf("\npty: killed, it did not end\n");
		kill(child, SIGKILL);
		wait_for_end(now_ms() + 10000);
	}
	/* What it printed last. */
	while (read_some(50))
		;
	report(&before);
	return !good;
}
