/* SPDX-License-Identifier: MIT */
/*
 * The terminal as a screen that is drawn again and again, and is given back as it
 * was, whatever ends the program.
 */
#ifndef PRIVHEAP_TOOLS_TERMINAL_H
#define PRIVHEAP_TOOLS_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>

/**
 * enum terminal_happening - what a wait ended with
 * @TERMINAL_TIME: the time is over
 * @TERMINAL_KEY: a key was pressed
 * @TERMINAL_CHANGED: it has another size, or shows what others wrote: draw again
 * @TERMINAL_END: a signal, or the end of the terminal, wants the program to end
 */
enum terminal_happening {
	TERMINAL_TIME,
	TERMINAL_KEY,
	TERMINAL_CHANGED,
	TERMINAL_END,
};

/*
 * Take the terminal, or only wait for signals where standard output is none.
 * Once for each program. Returns false, with a complaint, if that fails.
 */
bool terminal_begin(bool screen);

/* Give it back. Also done at exit, and by signals that end the program. */
void terminal_end(void);

/* Ends the program with the signal that terminal_wait() met, if it did. */
void terminal_pass_signal(void);

void terminal_size(size_t *columns, size_t *lines);

/* Put a screen of clean lines there; what does not fit is left out. */
void terminal_draw(const char *text, size_t length);

/* Wait so long at most. @key: set with TERMINAL_KEY */
enum terminal_happening terminal_wait(unsigned int milliseconds, char *key);

#endif /* PRIVHEAP_TOOLS_TERMINAL_H */
