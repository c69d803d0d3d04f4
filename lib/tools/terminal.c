// SPDX-License-Identifier: MIT
/*
 * The terminal as a screen: see terminal.h.
 *
 * Signals that end or stop the program are blocked but in terminal_wait(), and
 * only noted there; those that say that it is broken give the terminal back at
 * once, with calls that a signal's handler may make.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "ctl.h"
#include "terminal.h"

#define LINES_DEFAULT	24
#define COLUMNS_DEFAULT	80

/* Another screen, without the cursor; and back. */
#define ENTER		"\033[?1049h\033[?25l\033[2J"
#define LEAVE		"\033[0m\033[?25h\033[?1049l"

static const int ending[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
static const int breaking[] = { SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL };

static bool with_screen;
static bool with_keys;
static volatile sig_atomic_t entered;
static struct termios saved;
static sigset_t usual;
static volatile sig_atomic_t end_signal, changed, stop_asked;

static void write_all(const char *text, size_t length)
{
	ssize_t done;

	while (length) {
		done = write(STDOUT_FILENO, text, length);
		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return;
		text += done;
		length -= done;
	}
}

static void enter(void)
{
	struct termios raw = saved;

	/* Ctrl-C and Ctrl-Z stay signals. */
	raw.c_lflag &= ~(ICANON | ECHO);
	raw.c_cc[VMIN] = 1;
	raw.c_cc[VTIME] = 0;
	if (with_keys)
		tcsetattr(STDIN_FILENO, TCSADRAIN, &raw);
	entered = 1;
	write_all(ENTER, strlen(ENTER));
}

void terminal_end(void)
{
	if (!entered)
		return;
	entered = 0;
	write_all(LEAVE, strlen(LEAVE));
	/* What was typed for us is not for the shell. */
	if (with_keys)
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &saved);
}

static void on_signal(int number)
{
	switch (number) {
	case SIGWINCH:
	case SIGCONT:
		changed = 1;
		break;
	case SIGTSTP:
		stop_asked = 1;
		break;
	default:
		end_signal = number;
		break;
	}
}

/* SA_RESETHAND: when it comes back from here, the program dies of it. */
static void on_break(int number)
{
	terminal_end();
	raise(number);
}

static void handle(int number, void (*handler)(int), int flags)
{
	struct sigaction action = { .sa_handler = handler, .sa_flags = flags };
	struct sigaction before;

	/* Who ignores it, as under nohup(1), goes on to do so. */
	sigaction(number, NULL, &before);
	if (before.sa_handler != SIG_IGN)
		sigaction(number, &action, NULL);
}

static void handle_signals(void)
{
	sigset_t blocked;
	size_t i;

	sigemptyset(&blocked);
	for (i = 0; i < ARRAY_SIZE(ending); i++) {
		sigaddset(&blocked, ending[i]);
		handle(ending[i], on_signal, 0);
	}
	for (i = 0; i < ARRAY_SIZE(breaking); i++)
		handle(breaking[i], on_break, SA_RESETHAND | SA_NODEFER);
	if (with_screen) {
		sigaddset(&blocked, SIGWINCH);
		sigaddset(&blocked, SIGTSTP);
		sigaddset(&blocked, SIGCONT);
		handle(SIGWINCH, on_signal, 0);
		handle(SIGTSTP, on_signal, 0);
		handle(SIGCONT, on_signal, 0);
	}
	sigprocmask(SIG_BLOCK, &blocked, &usual);
	/* Whatever the caller blocked, these must reach us. */
	for (i = 0; i < ARRAY_SIZE(ending); i++)
		sigdelset(&usual, ending[i]);
}

bool terminal_begin(bool screen)
{
	with_screen = screen;
	with_keys = screen && isatty(STDIN_FILENO);
	if (with_keys && tcgetattr(STDIN_FILENO, &saved)) {
		complain("the terminal does not answer: %s", strerror(errno));
		return false;
	}
	handle_signals();
	if (screen) {
		atexit(terminal_end);
		enter();
	}
	return true;
}

void terminal_pass_signal(void)
{
	int number = end_signal;
	sigset_t one;

	if (!number)
		return;
	terminal_end();
	fflush(stdout);
	signal(number, SIG_DFL);
	sigemptyset(&one);
	sigaddset(&one, number);
	sigprocmask(SIG_UNBLOCK, &one, NULL);
	raise(number);
}

/* Ctrl-Z: as if there had never been a screen, until somebody continues us. */
static void stop(void)
{
	sigset_t one;

	stop_asked = 0;
	terminal_end();
	signal(SIGTSTP, SIG_DFL);
	raise(SIGTSTP);
	sigemptyset(&one);
	sigaddset(&one, SIGTSTP);
	sigprocmask(SIG_UNBLOCK, &one, NULL);
	/* It stops here, and goes on here. */
	sigprocmask(SIG_BLOCK, &one, NULL);
	handle(SIGTSTP, on_signal, 0);
	enter();
	changed = 1;
}

void terminal_size(size_t *columns, size_t *lines)
{
	struct winsize size;

	*columns = COLUMNS_DEFAULT;
	*lines = LINES_DEFAULT;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size))
		return;
	if (size.ws_col)
		*columns = size.ws_col;
	if (size.ws_row)
		*lines = size.ws_row;
}

void terminal_draw(const char *text, size_t length)
{
	const char *end = text + length, *next;
	size_t columns, lines, line, screen_length;
	char *screen;
	FILE *out;

	terminal_size(&columns, &lines);
	out = open_memstream(&screen, &screen_length);
	if (!out)
		ctl_no_memory();
	fputs("\033[H", out);
	for (line = 0; line < lines && text < end; line++) {
		next = memchr(text, '\n', end - text);
		if (!next)
			next = end;
		/* The last line has no end, for the screen would move up. */
		fputs(line ? "\r\n" : "", out);
		fwrite(text, 1, next - text, out);
		fputs("\033[0m\033[K", out);
		text = next + 1;
	}
	fputs("\033[J", out);
	if (fclose(out))
		ctl_no_memory();
	write_all(screen, screen_length);
	free(screen);
}

static bool read_key(char *key)
{
	char keys[32];
	ssize_t length = read(STDIN_FILENO, keys, sizeof(keys));

	if (length < 0 && (errno == EINTR || errno == EAGAIN))
		return false;
	if (length <= 0) {
		/* The terminal has gone. */
		end_signal = SIGHUP;
		return false;
	}
	/* Arrows and the like begin with it, and mean nothing here. */
	*key = keys[0] == '\033' ? 0 : keys[0];
	return *key;
}

static void time_left(const struct timespec *end, struct timespec *left)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	left->tv_sec = end->tv_sec - now.tv_sec;
	left->tv_nsec = end->tv_nsec - now.tv_nsec;
	if (left->tv_nsec < 0) {
		left->tv_sec--;
		left->tv_nsec += 1000000000L;
	}
	if (left->tv_sec < 0) {
		left->tv_sec = 0;
		left->tv_nsec = 0;
	}
}

enum terminal_happening terminal_wait(unsigned int milliseconds, char *key)
{
	struct pollfd poll_for = { .fd = STDIN_FILENO, .events = POLLIN };
	struct timespec end, left;
	int ready;

	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += milliseconds / 1000;
	end.tv_nsec += milliseconds % 1000 * 1000000L;
	if (end.tv_nsec >= 1000000000L) {
		end.tv_sec++;
		end.tv_nsec -= 1000000000L;
	}
	for (;;) {
		time_left(&end, &left);
		ready = ppoll(&poll_for, with_keys ? 1 : 0, &left, &usual);
		if (ready < 0 && errno != EINTR)
			return TERMINAL_END;
		if (ready > 0 && read_key(key))
			return TERMINAL_KEY;
		if (end_signal)
			return TERMINAL_END;
		if (stop_asked)
			stop();
		if (changed) {
			changed = 0;
			return TERMINAL_CHANGED;
		}
		if (!ready)
			return TERMINAL_TIME;
	}
}
