/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The fuzzer's programs: sequences of calls whose arguments are symbols, so that a
 * program does the same wherever its regions come to lie.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../netlink_selftest.h"
#include "../privheap_selftest.h"

#define FUZZ_SLOTS	4	/* regions that a program knows by name */
#define FUZZ_ARGS	16
#define FUZZ_CALLS	24
#define FUZZ_THREADS	3
#define FUZZ_FDS	5
#define FUZZ_TEXT	8192	/* a program's text is never longer */

/* The descriptors of a program, by number. */
enum fuzz_fd {
	FUZZ_FD_DEVICE,		/* the device, opened by the program's process */
	FUZZ_FD_FOREIGN,	/* the device, opened by another process */
	FUZZ_FD_EXTRA,		/* what "open" and "pass" opened last */
	FUZZ_FD_EVENT,		/* an eventfd */
	FUZZ_FD_NONE,		/* not a descriptor at all */
};

/* What the number of an argument is added to. */
enum fuzz_value_kind {
	VALUE_NUMBER,
	VALUE_BASE,		/* base of a slot's region; it stays when that is gone */
	VALUE_ID,		/* the number of a slot's region */
	VALUE_PID,		/* of the program's process */
	VALUE_CGROUP,		/* id of the cgroup that programs run in */
	VALUE_KINDS,
};

struct fuzz_value {
	uint8_t kind;		/* enum fuzz_value_kind */
	uint8_t slot;
	uint64_t number;
};

struct fuzz_call {
	uint8_t type;		/* index of fuzz_calls[] */
	uint8_t thread;
	struct fuzz_value arg[FUZZ_ARGS];
};

struct fuzz_program {
	unsigned int count;
	struct fuzz_call call[FUZZ_CALLS];
};

/* What values an argument may have. @most belongs to the kind. */
enum fuzz_arg_kind {
	ARG_NONE,
	ARG_SIZE,		/* of a struct; 0 stands for the right one, @most */
	ARG_FLAGS,		/* bits out of @most */
	ARG_ENUM,		/* 0 to @most */
	ARG_PAGES,		/* bytes, whole pages or a little off */
	ARG_LIMIT,		/* as ARG_PAGES, or no limit */
	ARG_BASE,		/* a region */
	ARG_ADDRESS,		/* in a region, or near to one */
	ARG_AT,			/* where the struct lies: enum fuzz_place or an address */
	ARG_SLOT,
	ARG_FD,			/* enum fuzz_fd */
	ARG_COUNT,		/* a small number */
	ARG_SUBJECT,		/* of a quota */
	ARG_ID,			/* of a region */
	ARG_ZERO,		/* what must be zero, and mostly is */
	ARG_RANDOM,
};

/* Where the argument of an ioctl lies, if not at an address given. */
enum fuzz_place {
	PLACE_PLAIN,
	PLACE_CROSSING,		/* its second half is not mapped */
	PLACE_END,		/* it ends where nothing is mapped any more */
	PLACE_READ_ONLY,
	PLACE_NULL,
	PLACE_KERNEL,
	PLACES,
};

struct fuzz_arg {
	const char *name;
	uint8_t kind;		/* enum fuzz_arg_kind */
	uint64_t most;
};

struct fuzz_machine;

/**
 * struct fuzz_call_type - what there is to call
 * @name: in programs
 * @weight: how often it is taken, beside the others
 * @run: does it, with arguments that are plain numbers; 0 or a negative errno
 * @errnos: what may come back, ended by 0; NULL where that is the kernel's business
 * @args: what it takes
 */
struct fuzz_call_type {
	const char *name;
	unsigned int weight;
	int (*run)(struct fuzz_machine *machine, const uint64_t *arg);
	const int *errnos;
	struct fuzz_arg args[FUZZ_ARGS];
};

extern const struct fuzz_call_type fuzz_calls[];
extern const unsigned int fuzz_call_count;

/**
 * struct fuzz_slot - a region as its program knows it
 * @base: address; that of the last one when it is gone
 * @id: its number
 * @reserve: bytes
 */
struct fuzz_slot {
	uint64_t base;
	uint64_t id;
	uint64_t reserve;
};

/**
 * struct fuzz_machine - the process in which a program runs
 * @slot: regions, written by the threads as they like
 * @fd: descriptors, by enum fuzz_fd
 * @pipe: empty, or with something in it
 * @pages: two pages, the second of which is not mapped, for arguments of ioctls
 * @read_only: a page
 * @nl_family: number of the netlink family
 * @nl_group: of its events
 * @cgroup: id of the cgroup that programs run in
 * @alone: one thread only: what a call changes is its doing
 * @shared: what the fuzzer is told
 */
struct fuzz_machine {
	struct fuzz_slot slot[FUZZ_SLOTS];
	int fd[FUZZ_FDS];
	int pipe[2];
	char *pages;
	char *read_only;
	uint16_t nl_family;
	uint32_t nl_group;
	uint64_t cgroup;
	bool alone;
	struct fuzz_shared *shared;
};

/**
 * struct fuzz_shared - what a program's process tells the fuzzer
 * @broken: what must not be; empty where all is well
 * @result: of each call, 1 where it did not run
 * @quotas_set: something was set that outlives the program
 * @calls: how many ran
 */
struct fuzz_shared {
	char broken[256];
	int result[FUZZ_CALLS];
	bool quotas_set;
	unsigned int calls;
};

/* program.c: text of programs */
size_t fuzz_print_call(const struct fuzz_call *call, char *text, size_t size);
void fuzz_print(const struct fuzz_program *program, char *text, size_t size,
		char separator);
bool fuzz_parse(struct fuzz_program *program, const char *text, const char **wrong);
bool fuzz_load(struct fuzz_program *program, const char *path);

/* mutate.c */
uint64_t fuzz_random(uint64_t most);
void fuzz_seed(uint64_t seed);
void fuzz_generate(struct fuzz_program *program, unsigned int threads);
void fuzz_mutate(struct fuzz_program *program, const struct fuzz_program *other,
		 unsigned int threads);
void fuzz_drop_call(struct fuzz_program *program, unsigned int index);
/* Numbers that the module has compared with each other. */
void fuzz_hint(uint64_t have, uint64_t wanted);

/**
 * struct fuzz_run - what came of a program
 * @shared: what its process has told
 * @hung: it could not be killed
 */
struct fuzz_run {
	struct fuzz_shared *shared;
	bool hung;
};

/* execute.c */
void fuzz_execute_init(void);
void fuzz_execute(const struct fuzz_program *program, bool comparisons,
		  struct fuzz_run *run);
void fuzz_broken(struct fuzz_machine *machine, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* call_ioctl.c, call_memory.c, call_process.c, call_netlink.c */
int run_create(struct fuzz_machine *machine, const uint64_t *arg);
int run_grow(struct fuzz_machine *machine, const uint64_t *arg);
int run_commit(struct fuzz_machine *machine, const uint64_t *arg);
int run_decommit(struct fuzz_machine *machine, const uint64_t *arg);
int run_destroy(struct fuzz_machine *machine, const uint64_t *arg);
int run_query(struct fuzz_machine *machine, const uint64_t *arg);
int run_notify(struct fuzz_machine *machine, const uint64_t *arg);
int run_limit(struct fuzz_machine *machine, const uint64_t *arg);
int run_ioctl(struct fuzz_machine *machine, const uint64_t *arg);
int run_touch(struct fuzz_machine *machine, const uint64_t *arg);
int run_munmap(struct fuzz_machine *machine, const uint64_t *arg);
int run_mmap(struct fuzz_machine *machine, const uint64_t *arg);
int run_mprotect(struct fuzz_machine *machine, const uint64_t *arg);
int run_madvise(struct fuzz_machine *machine, const uint64_t *arg);
int run_mremap(struct fuzz_machine *machine, const uint64_t *arg);
int run_mlock(struct fuzz_machine *machine, const uint64_t *arg);
int run_remote(struct fuzz_machine *machine, const uint64_t *arg);
int run_pipe(struct fuzz_machine *machine, const uint64_t *arg);
int run_userfault(struct fuzz_machine *machine, const uint64_t *arg);
int run_ask(struct fuzz_machine *machine, const uint64_t *arg);
int run_fork(struct fuzz_machine *machine, const uint64_t *arg);
int run_open(struct fuzz_machine *machine, const uint64_t *arg);
int run_close(struct fuzz_machine *machine, const uint64_t *arg);
int run_pass(struct fuzz_machine *machine, const uint64_t *arg);
int run_proc(struct fuzz_machine *machine, const uint64_t *arg);
int run_rlimit(struct fuzz_machine *machine, const uint64_t *arg);
int run_cgroup(struct fuzz_machine *machine, const uint64_t *arg);
int run_parameter(struct fuzz_machine *machine, const uint64_t *arg);
int run_netlink(struct fuzz_machine *machine, const uint64_t *arg);
int run_listen(struct fuzz_machine *machine, const uint64_t *arg);

/* books.c: what must be so when no program runs */
void fuzz_books_init(void);
bool fuzz_books_check(char *broken, size_t size, bool quotas_set);
int fuzz_books_fd(void);
struct nl_socket *fuzz_books_netlink(void);
uint64_t fuzz_books_cgroup(void);

/* cover.c: coverage of the module by KCOV */
bool fuzz_cover_init(void);
void fuzz_cover_begin(unsigned int thread, bool comparisons);
void fuzz_cover_end(unsigned int thread);
/* Take what was written down; whether there is something new. */
unsigned int fuzz_cover_new(const struct fuzz_program *program,
			    const struct fuzz_shared *shared, bool keep);
void fuzz_cover_hints(void);
unsigned int fuzz_cover_pcs(void);
void fuzz_cover_print(void);

#endif /* FUZZ_H */
