// SPDX-License-Identifier: GPL-2.0-only
/* Everything at once, see the header. Results are looked at by nobody. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "chaos_selftest.h"
#include "limit_selftest.h"
#include "netlink_selftest.h"
#include "privheap_selftest.h"

/* Regions that all threads work on; any may vanish at any time. */
#define SLOTS		12

static const char *const names[CHAOS_OPERATIONS] = {
	"create", "destroy", "grow", "commit", "populate", "decommit", "write",
	"read", "copy", "limit", "notify", "query", "mapping", "fork", "open",
	"netlink",
};

/* How often each of them, in a hundred. */
static const unsigned char shares[CHAOS_OPERATIONS] = {
	8, 5, 5, 10, 6, 12, 15, 8, 5, 5, 3, 4, 5, 2, 2, 5,
};

static const struct chaos *self;
static char *slots[SLOTS];
static int event_fd;
static int pipes[2];
/* Held until all threads are there. */
static pthread_mutex_t starting = PTHREAD_MUTEX_INITIALIZER;

struct thread {
	uint32_t random;
	struct nl_socket nl;
	bool nl_open;
};

unsigned long *chaos_counters(void)
{
	unsigned long *done = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
				   MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return done == MAP_FAILED ? NULL : done;
}

unsigned long chaos_sum(const unsigned long *done)
{
	unsigned long sum = 0;

	for (int i = 0; i < CHAOS_OPERATIONS; i++)
		sum += done[i];
	return sum;
}

void chaos_print(const unsigned long *done)
{
	printf("# %lu operations:", chaos_sum(done));
	for (int i = 0; i < CHAOS_OPERATIONS; i++)
		printf(" %s %lu", names[i], done[i]);
	printf("\n");
	fflush(stdout);
}

static char **pick_slot(struct thread *thread)
{
	return &slots[ph_random(&thread->random) % SLOTS];
}

static char *pick(struct thread *thread)
{
	return __atomic_load_n(pick_slot(thread), __ATOMIC_ACQUIRE);
}

static void pick_range(struct thread *thread, uint64_t *offset, uint64_t *length)
{
	uint64_t pages = self->reserve / PAGE;

	*offset = ph_random(&thread->random) % pages * PAGE;
	*length = (1 + ph_random(&thread->random) %
		   ((self->reserve - *offset) / PAGE)) * PAGE;
	/* Mostly short ones, so that more happens. */
	if (ph_random(&thread->random) % 8 && *length > 24 * PAGE)
		*length = (1 + ph_random(&thread->random) % 24) * PAGE;
}

static void do_create(struct thread *thread)
{
	uint64_t commit = ph_random(&thread->random) % 16 * PAGE;
	char **slot = pick_slot(thread), *base, *old;

	if (ph_create(self->fd, self->reserve, commit,
		      ph_random(&thread->random) % 4, &base))
		return;
	old = __atomic_exchange_n(slot, base, __ATOMIC_ACQ_REL);
	if (old && ph_random(&thread->random) % 2)
		munmap(old, self->reserve);
	else if (old)
		ph_destroy(self->fd, old);
}

static void do_touch(struct thread *thread, bool write)
{
	uint64_t offset, length;
	char *base = pick(thread);

	pick_range(thread, &offset, &length);
	if (length > 48 * PAGE)
		length = 48 * PAGE;
	for (uint64_t at = offset; base && at < offset + length; at += PAGE)
		if (write ? ph_write(base + at + 8, 1) : ph_read(base + at + 8))
			return;
}

static void do_copy(struct thread *thread)
{
	char *base = pick(thread), buffer[256];
	struct iovec local = { buffer, sizeof(buffer) }, remote;
	uint64_t offset, length;

	if (!base)
		return;
	pick_range(thread, &offset, &length);
	remote.iov_base = base + offset;
	remote.iov_len = sizeof(buffer);
	switch (ph_random(&thread->random) % 4) {
	case 0:
		process_vm_readv(getpid(), &local, 1, &remote, 1, 0);
		break;
	case 1:
		process_vm_writev(getpid(), &local, 1, &remote, 1, 0);
		break;
	case 2:
		if (write(pipes[1], base + offset, 64) < 0)
			return;
		break;
	default:
		if (read(pipes[0], base + offset, 64) < 0)
			return;
	}
}

/* Limits below the usage, just above it, and none again. */
static void do_limit(struct thread *thread)
{
	static const uint32_t what[] = {
		PRIVHEAP_SET_SOFT, PRIVHEAP_SET_HARD, PRIVHEAP_SET_RESERVE,
		PRIVHEAP_SET_FAIL_NTH,
	};
	uint32_t resource = ph_random(&thread->random) % 2;
	char *base = ph_random(&thread->random) % 3 ? pick(thread) : NULL;
	unsigned int kind = ph_random(&thread->random) % 4;
	uint64_t value = ph_random(&thread->random) % 512 * PAGE * (base ? 1 : 8);

	if (what[kind] == PRIVHEAP_SET_FAIL_NTH)
		value = ph_random(&thread->random) % 8;
	limit_set(self->fd, base, resource, what[kind], value);
	limit_open_reserve(self->fd, base, resource);
	/* One on the process would soon end all that takes memory. */
	if (kind < 2 && (!base || ph_random(&thread->random) % 4))
		limit_set(self->fd, base, resource, what[kind], PRIVHEAP_NO_LIMIT);
}

static void do_notify(struct thread *thread)
{
	ph_notify(self->fd, pick(thread), ph_random(&thread->random) % 2,
		  (1 + ph_random(&thread->random) % 64) * PAGE, event_fd,
		  ph_random(&thread->random) % 3 ? 0 : PRIVHEAP_NOTIFY_REMOVE);
}

static void do_query(struct thread *thread)
{
	struct privheap_query query;
	unsigned int flags = ph_random(&thread->random) % 3;

	ph_query(self->fd, flags ? NULL : pick(thread), flags, &query);
}

static void do_mapping(struct thread *thread)
{
	static const int advices[] = {
		MADV_DONTNEED, MADV_WILLNEED, MADV_DOFORK, MADV_DONTFORK,
		MADV_COLD, MADV_PAGEOUT, MADV_REMOVE, MADV_POPULATE_WRITE,
		MADV_HUGEPAGE, MADV_NOHUGEPAGE, MADV_MERGEABLE,
	};
	uint32_t random = ph_random(&thread->random);
	uint64_t offset, length;
	char *base = pick(thread);

	if (!base)
		return;
	pick_range(thread, &offset, &length);
	switch (random % 8) {
	case 0:
		munmap(base + offset, length);
		break;
	case 1:
		mremap(base, self->reserve, 2 * self->reserve, MREMAP_MAYMOVE);
		break;
	case 2:
		mremap(base + offset, length, length, MREMAP_MAYMOVE);
		break;
	case 3:
		mprotect(base + offset, length, PROT_READ);
		break;
	case 4:
		mprotect(base + offset, length, PROT_READ | PROT_WRITE);
		break;
	default:
		madvise(base + offset, length,
			advices[random / 8 % (sizeof(advices) / sizeof(*advices))]);
	}
}

/* A child with a region of its own; it may outlive its parent by a moment. */
static void do_fork(struct thread *thread)
{
	char *theirs = pick(thread), *base;
	pid_t child = fork();

	if (child > 0)
		waitpid(child, NULL, 0);
	if (child)
		return;
	alarm(5);
	if (theirs)
		ph_read(theirs);
	if (!ph_create(self->fd, self->reserve, 8 * PAGE, PRIVHEAP_CREATE_LAZY, &base))
		ph_touch(base, 8 * PAGE, 1);
	_exit(0);
}

static void do_open(void)
{
	struct privheap_query query;
	int fd = ph_open();

	if (fd < 0)
		return;
	ph_query(fd, NULL, PRIVHEAP_QUERY_PROCESS, &query);
	close(fd);
}

static void ignore(struct nl_object *object, void *argument)
{
	(void)object;
	(void)argument;
}

static void do_netlink(struct thread *thread)
{
	uint32_t random = ph_random(&thread->random);
	struct nl_object object;

	if (!thread->nl_open) {
		thread->nl_open = !nl_open(&thread->nl);
		if (!thread->nl_open)
			return;
	}
	switch (random % 8) {
	case 0:
		nl_dump(&thread->nl, PRIVHEAP_CMD_REGION_GET, 0, 0, ignore, NULL);
		break;
	case 1:
		nl_dump(&thread->nl, PRIVHEAP_CMD_QUOTA_GET, 0, 0, ignore, NULL);
		break;
	case 2:
		nl_map(&thread->nl, random / 8 % 64, 64, &object);
		break;
	case 3:
		nl_quota(&thread->nl, PRIVHEAP_LEVEL_PROCESS, getpid(), &object);
		break;
	case 4:
	case 5:
		/* Soft ones only, which root alone may set, refuse nobody. */
		nl_set(&thread->nl, PRIVHEAP_LEVEL_PROCESS, getpid(),
		       random & 64 ? PRIVHEAP_A_COMMIT : PRIVHEAP_A_RESIDENT,
		       PRIVHEAP_A_COUNTER_SOFT, random & 128 ? PRIVHEAP_NO_LIMIT :
		       random / 256 % 512 * PAGE, &object);
		break;
	case 6:
		nl_region(&thread->nl, random / 8 % 64, &object);
		break;
	default:
		nl_close(&thread->nl);
		thread->nl_open = false;
	}
}

static void do_one(struct thread *thread, enum chaos_operation operation)
{
	uint64_t offset, length;

	switch (operation) {
	case CHAOS_CREATE:
		do_create(thread);
		break;
	case CHAOS_DESTROY:
		ph_destroy(self->fd, pick(thread));
		break;
	case CHAOS_GROW:
		ph_grow(self->fd, pick(thread), ph_random(&thread->random) % 64 * PAGE,
			ph_random(&thread->random) % 2);
		break;
	case CHAOS_COMMIT:
	case CHAOS_POPULATE:
		pick_range(thread, &offset, &length);
		ph_commit(self->fd, pick(thread), offset, length,
			  operation == CHAOS_POPULATE ? PRIVHEAP_COMMIT_POPULATE : 0);
		break;
	case CHAOS_DECOMMIT:
		pick_range(thread, &offset, &length);
		ph_decommit(self->fd, pick(thread), offset, length);
		break;
	case CHAOS_WRITE:
	case CHAOS_READ:
		do_touch(thread, operation == CHAOS_WRITE);
		break;
	case CHAOS_COPY:
		do_copy(thread);
		break;
	case CHAOS_LIMIT:
		do_limit(thread);
		break;
	case CHAOS_NOTIFY:
		do_notify(thread);
		break;
	case CHAOS_QUERY:
		do_query(thread);
		break;
	case CHAOS_MAPPING:
		do_mapping(thread);
		break;
	case CHAOS_FORK:
		do_fork(thread);
		break;
	case CHAOS_OPEN:
		do_open();
		break;
	default:
		do_netlink(thread);
	}
}

static bool time_is_up(void)
{
	static time_t begin;
	struct timespec now;
	time_t none = 0;

	if (!self->seconds)
		return false;
	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	now.tv_sec++;
	__atomic_compare_exchange_n(&begin, &none, now.tv_sec, false,
				    __ATOMIC_RELAXED, __ATOMIC_RELAXED);
	return now.tv_sec >= __atomic_load_n(&begin, __ATOMIC_RELAXED) +
			     (time_t)self->seconds;
}

static void *work(void *argument)
{
	struct thread thread = {
		.random = self->seed + 2654435761u * ((uintptr_t)argument + 1),
	};

	if (!thread.random)
		thread.random = 1;
	pthread_mutex_lock(&starting);
	pthread_mutex_unlock(&starting);
	while (!time_is_up()) {
		unsigned int share = ph_random(&thread.random) % 100;
		int operation = 0;

		while (share >= shares[operation])
			share -= shares[operation++];
		do_one(&thread, operation);
		if (self->done)
			__atomic_fetch_add(&self->done[operation], 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

void chaos_run(const struct chaos *chaos)
{
	pthread_t threads[chaos->threads];
	unsigned int i;

	self = chaos;
	event_fd = eventfd(0, EFD_NONBLOCK);
	if (pipe2(pipes, O_NONBLOCK))
		_exit(1);
	if (chaos->uid && (setresgid(chaos->uid, chaos->uid, chaos->uid) ||
			   setresuid(chaos->uid, chaos->uid, chaos->uid)))
		_exit(2);
	/*
	 * Slots keep the addresses of regions that are gone. Nothing but regions may
	 * come to lie there, least of all a thread's stack.
	 */
	pthread_mutex_lock(&starting);
	for (i = 0; i < chaos->threads; i++)
		if (pthread_create(&threads[i], NULL, work, (void *)(uintptr_t)i))
			break;
	pthread_mutex_unlock(&starting);
	/* Fewer where memory is short. */
	while (i--)
		pthread_join(threads[i], NULL);
	_exit(0);
}

pid_t chaos_start(const struct chaos *chaos, const char *cgroup)
{
	pid_t child = fork();

	if (child)
		return child;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (cgroup && ph_cgroup_enter(cgroup))
		_exit(3);
	chaos_run(chaos);
}

bool chaos_end(pid_t child)
{
	int status = 0;

	kill(child, SIGKILL);
	if (waitpid(child, &status, 0) != child)
		return false;
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
		return true;
	printf("# ended of itself: status %#x\n", status);
	fflush(stdout);
	return WIFEXITED(status);
}
