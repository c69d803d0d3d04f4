// SPDX-License-Identifier: GPL-2.0-only
/*
 * The guest's first process: set up the machine, run one command, tell the
 * host how it went, reboot.
 *
 * The command writes to the second serial port, or where the host wants it. The
 * kernel's log has the first, and the result is a line in that log: so it stands
 * behind everything the kernel had to say. It begins with a number that the host
 * drew for this run and that nobody but this process gets to see, so that no
 * program in the guest gives the result by accident:
 *
 *	privheap-vm NUMBER status N	the command has ended with N
 *	privheap-vm NUMBER timeout	the command was killed, time was up
 *	privheap-vm NUMBER fault: TEXT	whatever else, the run has failed
 *	privheap-vm NUMBER end		the log is complete
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "guest.h"

#define OUTPUT		"/dev/ttyS1"
#define STATUS_NOT_FOUND	127
#define STATUS_NOT_RUN		126
#define STATUS_SIGNAL		128

/* How long killed processes may take to go. */
#define REAP_SECONDS	20

static char nonce[80];
static int kmsg = -1;

static void log_line(const char *what, const char *format, va_list args)
{
	char line[900];
	int length;

	length = snprintf(line, sizeof(line), "<5>privheap-vm %s %s", nonce,
			  what);
	length += vsnprintf(line + length, sizeof(line) - length - 1, format,
			    args);
	if (length > (int)sizeof(line) - 2)
		length = sizeof(line) - 2;
	line[length++] = '\n';
	if (kmsg < 0)
		kmsg = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
	/* Nothing can be done about a log that takes no line. */
	if (write(kmsg, line, length) < 0)
		return;
}

void note(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	log_line("", format, args);
	va_end(args);
}

void fault(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	log_line("fault: ", format, args);
	va_end(args);
}

static void read_nonce(void)
{
	if (read_file(ORDER("nonce"), nonce, sizeof(nonce)) < 0)
		nonce[0] = '\0';
	nonce[strcspn(nonce, "\n")] = '\0';
	/* The command must not find it. */
	unlink(ORDER("nonce"));
}

static long read_number(const char *path, long otherwise)
{
	char text[32];

	return read_file(path, text, sizeof(text)) > 0 ?
	       strtol(text, NULL, 10) : otherwise;
}

/* Split a file of strings that each end in a zero; the last one is NULL. */
static char **read_strings(const char *path)
{
	char *buffer = malloc(ORDER_MAX), **strings;
	size_t count = 0, i;
	ssize_t length;

	if (!buffer)
		return NULL;
	length = read_file(path, buffer, ORDER_MAX);
	if (length < 0)
		length = 0;
	for (i = 0; i < (size_t)length; i++)
		count += buffer[i] == '\0';
	strings = calloc(count + 1, sizeof(*strings));
	if (!strings)
		return NULL;
	for (i = 0; i < count; i++) {
		strings[i] = buffer;
		buffer += strlen(buffer) + 1;
	}
	return strings;
}

/* Bytes go through as they are. */
static int open_output(void)
{
	char path[64] = OUTPUT;
	struct termios t;
	int fd;

	read_file(ORDER("output"), path, sizeof(path));
	path[strcspn(path, "\n")] = '\0';
	fd = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (fd < 0 || tcgetattr(fd, &t)) {
		fault("no %s: %s", path, strerror(errno));
		return -1;
	}
	cfmakeraw(&t);
	t.c_cflag |= CLOCAL;
	t.c_cflag &= ~CRTSCTS;
	cfsetspeed(&t, B115200);
	tcsetattr(fd, TCSANOW, &t);
	return fd;
}

static void __attribute__((noreturn)) exec_command(int output, char **argv,
						   char **env)
{
	int null = open("/dev/null", O_RDONLY);
	sigset_t none;
	int error;

	setsid();
	dup2(null, STDIN_FILENO);
	dup2(output, STDOUT_FILENO);
	dup2(output, STDERR_FILENO);
	if (null > STDERR_FILENO)
		close(null);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);

	clearenv();
	setenv("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin", 1);
	setenv("HOME", "/root", 1);
	setenv("USER", "root", 1);
	setenv("SHELL", "/bin/sh", 1);
	setenv("LC_ALL", "C", 1);
	for (; env && *env; env++)
		putenv(*env);
	if (chdir("/root"))
		dprintf(STDERR_FILENO, "/root: %s\n", strerror(errno));
	execvp(argv[0], argv);
	error = errno;
	dprintf(STDERR_FILENO, "%s: %s\n", argv[0], strerror(error));
	_exit(error == ENOENT ? STATUS_NOT_FOUND : STATUS_NOT_RUN);
}

static time_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec;
}

/*
 * Reap whatever ends, until that is @wanted (-1: until nothing is left) or
 * @seconds are over. Returns -1 when they are.
 */
static int reap_until(pid_t wanted, long seconds, int *status)
{
	const struct timespec second = { .tv_sec = 1 };
	time_t deadline = now() + seconds;
	sigset_t child;
	pid_t pid;
	int any;

	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	for (;;) {
		while ((pid = waitpid(-1, &any, WNOHANG)) > 0) {
			if (pid == wanted) {
				*status = any;
				return 0;
			}
		}
		if (pid < 0 && errno == ECHILD)
			return wanted < 0 ? 0 : -1;
		if (now() >= deadline)
			return -1;
		/* Blocked everywhere, so that none is missed. */
		sigtimedwait(&child, NULL, &second);
	}
}

static void run_command(int output)
{
	char **argv = read_strings(ORDER("argv"));
	char **env = read_strings(ORDER("env"));
	long seconds = read_number(ORDER("seconds"), 60);
	int status = 0;
	pid_t pid;

	if (!argv || !argv[0]) {
		fault("no command");
		return;
	}
	pid = fork();
	if (pid == 0)
		exec_command(output, argv, env);
	if (pid < 0) {
		fault("cannot fork: %s", strerror(errno));
		return;
	}

	if (reap_until(pid, seconds, &status)) {
		note("timeout");
		/* Where they hang, for those who wonder: w, t would be long. */
		write_file("/proc/sysrq-trigger", "w");
	} else if (WIFSIGNALED(status)) {
		note("status %d", STATUS_SIGNAL + WTERMSIG(status));
	} else {
		note("status %d", WEXITSTATUS(status));
	}
	kill(-1, SIGKILL);
	if (reap_until(-1, REAP_SECONDS, &status)) {
		fault("processes that do not die");
		write_file("/proc/sysrq-trigger", "w");
	}
}

int main(void)
{
	bool with_module = file_exists(PRIVHEAP_MODULE);
	bool with_scratch = file_exists(ORDER("scratch"));
	sigset_t all;
	int output;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	umask(0);
	read_nonce();
	setup_mounts();
	umask(022);
	/* What init itself has open must not be the kernel's console. */
	output = open_output();

	setup_network();
	load_modules(ORDER("modules"));
	if (with_scratch)
		setup_scratch();
	if (with_module)
		load_privheap();
	sleep(read_number(ORDER("settle"), 0));

	if (output >= 0)
		run_command(output);
	if (output >= 0) {
		tcdrain(output);
		close(output);
	}
	if (with_scratch && umount("/scratch"))
		fault("cannot unmount /scratch: %s", strerror(errno));
	if (with_module)
		unload_privheap();
	check_leaks();
	check_lockdep();
	check_taint();
	note("end");
	sync();
	/* QEMU ends at that, and it needs no ACPI. */
	reboot(RB_AUTOBOOT);
	for (;;)
		pause();
}
