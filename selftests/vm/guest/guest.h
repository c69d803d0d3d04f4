/* SPDX-License-Identifier: GPL-2.0-only */
/* What the parts of the guest's init share. */
#ifndef GUEST_H
#define GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* The host puts the run's orders here; init reads and removes them. */
#define ORDERS		"/.vm"
#define ORDER(name)	ORDERS "/" name

/* The module under test; commands find it here, too, to load it their way. */
#define PRIVHEAP_MODULE	ORDER("privheap.ko")

/* Longest value of an order, argument lists included. */
#define ORDER_MAX	(128 * 1024)

/* init.c: say something in the kernel's log; say that the run has failed */
void __attribute__((format(printf, 1, 2))) note(const char *format, ...);
void __attribute__((format(printf, 1, 2))) fault(const char *format, ...);

/* files.c */
ssize_t read_file(const char *path, char *buffer, size_t size);
int write_file(const char *path, const char *text);
bool file_exists(const char *path);

/* setup.c: everything before the command, and the way back */
void setup_mounts(void);
void setup_network(void);
void setup_scratch(void);
void load_modules(const char *list);
void load_privheap(void);
void unload_privheap(void);

/* checks.c: what the kernel's own instruments have to say */
void check_leaks(void);
void check_lockdep(void);
void check_taint(void);

#endif /* GUEST_H */
