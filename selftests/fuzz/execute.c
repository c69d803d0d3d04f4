// SPDX-License-Identifier: GPL-2.0-only
/* Running a program, in a process of its own. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fuzz.h"
#include "guard.h"

/* A program that takes longer is killed; one that cannot be is a finding. */
#define PROGRAM_MS	20000
#define DEATH_MS	60000

/* Below what calls touch, see call_memory.c; above the fuzzer itself. */
#define SHARED_ADDRESS	((void *)(32UL << 20))

static struct fuzz_shared *shared;

struct worker {
	pthread_t thread;
	const struct fuzz_program *program;
	struct fuzz_machine *machine;
	unsigned int number;
	bool comparisons;
};

/**
 * fuzz_execute_init() - at the start
 */
void fuzz_execute_init(void)
{
	/* Not beside the regions, where programs write by mistake. */
	shared = mmap(SHARED_ADDRESS, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	if (shared == MAP_FAILED) {
		perror("fuzz: no shared memory");
		exit(2);
	}
}

/**
 * fuzz_broken() - write down what must not be, and end the process
 * @machine: the process
 * @format: what
 */
void fuzz_broken(struct fuzz_machine *machine, const char *format, ...)
{
	va_list list;

	va_start(list, format);
	vsnprintf(machine->shared->broken, sizeof(machine->shared->broken), format, list);
	va_end(list);
	_exit(3);
}

static uint64_t resolve(const struct fuzz_machine *machine, const struct fuzz_value *value)
{
	const struct fuzz_slot *slot = &machine->slot[value->slot % FUZZ_SLOTS];

	switch (value->kind) {
	case VALUE_BASE:
		return slot->base + value->number;
	case VALUE_ID:
		return slot->id + value->number;
	case VALUE_PID:
		return getpid() + value->number;
	case VALUE_CGROUP:
		return machine->cgroup + value->number;
	default:
		return value->number;
	}
}

static void check_errno(struct fuzz_machine *machine, const struct fuzz_call_type *type,
			int result)
{
	const int *known;

	if (!type->errnos || result >= 0)
		return;
	for (known = type->errnos; *known; known++)
		if (result == -*known)
			return;
	fuzz_broken(machine, "%s: errno %d (%s), which it must not give", type->name, -result,
		    strerror(-result));
}

static void *work(void *argument)
{
	struct worker *worker = argument;
	struct fuzz_machine *machine = worker->machine;
	uint64_t arg[FUZZ_ARGS];
	unsigned int i, j;
	int result;

	fuzz_cover_begin(worker->number, worker->comparisons);
	for (i = 0; i < worker->program->count; i++) {
		const struct fuzz_call *call = &worker->program->call[i];
		const struct fuzz_call_type *type = &fuzz_calls[call->type];

		if (call->thread != worker->number)
			continue;
		for (j = 0; j < FUZZ_ARGS; j++)
			arg[j] = resolve(machine, &call->arg[j]);
		result = type->run(machine, arg);
		machine->shared->result[i] = result;
		__atomic_add_fetch(&machine->shared->calls, 1, __ATOMIC_RELAXED);
		check_errno(machine, type, result);
	}
	fuzz_cover_end(worker->number);
	return NULL;
}

static void *map_page(size_t size, int prot)
{
	return mmap(NULL, size, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void prepare(struct fuzz_machine *machine)
{
	struct nl_socket *netlink = fuzz_books_netlink();

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	memset(machine, 0, sizeof(*machine));
	machine->shared = shared;
	machine->nl_family = netlink->family;
	machine->nl_group = netlink->group;
	machine->cgroup = fuzz_books_cgroup();
	machine->fd[FUZZ_FD_DEVICE] = ph_open();
	machine->fd[FUZZ_FD_FOREIGN] = fuzz_books_fd();
	machine->fd[FUZZ_FD_EXTRA] = -1;
	machine->fd[FUZZ_FD_EVENT] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	machine->fd[FUZZ_FD_NONE] = -1;
	machine->pages = map_page(2 * PAGE, PROT_READ | PROT_WRITE);
	mprotect(machine->pages + PAGE, PAGE, PROT_NONE);
	machine->read_only = map_page(PAGE, PROT_READ);
	if (pipe2(machine->pipe, O_CLOEXEC | O_NONBLOCK))
		_exit(2);
	fuzz_guard_init();
}

/* What this process has is all that the system has. */
static void check_process(struct fuzz_machine *machine)
{
	struct privheap_query process, system;
	int fd = fuzz_books_fd();

	if (ph_query(fd, NULL, PRIVHEAP_QUERY_PROCESS, &process) ||
	    ph_query(fd, NULL, PRIVHEAP_QUERY_SYSTEM, &system))
		return;
	if (!ph_same_usage(&process, &system))
		fuzz_broken(machine,
			    "process: %llu regions, %#llx bytes, %#llx, %#llx; system: %llu, %#llx, %#llx, %#llx",
			    (unsigned long long)process.out_regions,
			    (unsigned long long)process.out_reserved,
			    (unsigned long long)process.out_committed,
			    (unsigned long long)process.out_resident,
			    (unsigned long long)system.out_regions,
			    (unsigned long long)system.out_reserved,
			    (unsigned long long)system.out_committed,
			    (unsigned long long)system.out_resident);
}

static void child(const struct fuzz_program *program, bool comparisons)
{
	struct worker workers[FUZZ_THREADS] = { 0 };
	struct fuzz_machine machine;
	unsigned int i, threads = 0;

	prepare(&machine);
	for (i = 0; i < program->count; i++)
		threads |= 1 << program->call[i].thread;
	machine.alone = threads == 1;
	for (i = 0; i < FUZZ_THREADS; i++)
		workers[i] = (struct worker){
			.program = program,
			.machine = &machine,
			.number = i,
			.comparisons = comparisons,
		};
	for (i = 1; i < FUZZ_THREADS; i++)
		if (threads >> i & 1 &&
		    pthread_create(&workers[i].thread, NULL, work, &workers[i]))
			threads &= ~(1 << i);
	work(&workers[0]);
	for (i = 1; i < FUZZ_THREADS; i++)
		if (threads >> i & 1)
			pthread_join(workers[i].thread, NULL);
	/* And then it dies, with all that it has. */
	check_process(&machine);
	_exit(0);
}

static bool wait_for(pid_t pid, int pidfd, int ms)
{
	struct pollfd poll_fd = { .fd = pidfd, .events = POLLIN };

	if (pidfd >= 0 && poll(&poll_fd, 1, ms) <= 0)
		return false;
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	return true;
}

/**
 * fuzz_execute() - run a program
 * @program: the program
 * @comparisons: have comparisons written down and not PCs
 * @run: what came of it
 */
void fuzz_execute(const struct fuzz_program *program, bool comparisons,
		  struct fuzz_run *run)
{
	unsigned int i;
	int pidfd;
	pid_t pid;

	memset(shared, 0, sizeof(*shared));
	for (i = 0; i < FUZZ_CALLS; i++)
		shared->result[i] = 1;
	run->shared = shared;
	run->hung = false;
	pid = fork();
	if (!pid)
		child(program, comparisons);
	if (pid < 0)
		return;
	pidfd = syscall(SYS_pidfd_open, pid, 0);
	if (!wait_for(pid, pidfd, PROGRAM_MS)) {
		kill(pid, SIGKILL);
		run->hung = !wait_for(pid, pidfd, DEATH_MS);
	}
	close(pidfd);
}
