// SPDX-License-Identifier: GPL-2.0-only
/*
 * The processes of the model's test. They take turns: the first one, which has no
 * regions, is the administrator, and says who makes the next operations.
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "privheap_selftest.h"
#include "region_model.h"

#define BURST	32	/* operations of one turn; the first is the administrator's */

/* Go on, to each actor; and its answer. */
static int go[RM_ACTORS + RM_KEEPERS][2];
static int back[2];
static const uint8_t *skipped;

/* --- actors */

/* What a process opens for itself. */
static bool open_own(unsigned int actor)
{
	struct rm_actor *own = &rm->actor[actor];

	own->fd = ph_open();
	for (unsigned int i = 0; i < RM_EVENTFDS; i++) {
		own->eventfd[i] = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
		own->signals[i] = 0;
	}
	rm_subject_init(&rm->process[actor], PRIVHEAP_LEVEL_PROCESS, own->pid);
	rm_catch_faults();
	return RM_CHECK(own->fd >= 0 && own->eventfd[RM_EVENTFDS - 1] >= 0,
			"the device: %d", own->fd);
}

static bool take_turn(unsigned int actor)
{
	char byte;

	return read(go[actor][0], &byte, 1) == 1;
}

static void give_turn_back(void)
{
	if (write(back[1], "", 1) != 1)
		_exit(2);
}

/* Every operation has random numbers of its own, so that any can be left out. */
static void seed_operation(uint64_t op)
{
	rm->op = op;
	rm->random = rm->seed * 0x2545f4914f6cdd1d + op * 0xda942042e4dd58b5;
	rm_random();
}

static bool is_skipped(uint64_t op)
{
	return skipped && skipped[op];
}

/* A process that has regions, until it is killed. */
static void actor_main(unsigned int actor)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (syscall(SYS_setresuid, rm->actor[actor].uid, 0, 0))
		_exit(2);
	open_own(actor);
	give_turn_back();
	while (take_turn(actor)) {
		uint64_t end = rm_min((rm->op / BURST + 1) * BURST, rm->ops);

		for (uint64_t op = rm->op; op < end && !rm->failed; op++) {
			seed_operation(op);
			if (!is_skipped(op))
				rm_operation(actor);
		}
		give_turn_back();
	}
	_exit(0);
}

/* A process that keeps one page for ever, so that its user and cgroup are known. */
static void keeper_main(unsigned int actor)
{
	unsigned int denied;
	char *base = NULL;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (syscall(SYS_setresuid, rm->actor[actor].uid, 0, 0))
		_exit(2);
	if (open_own(actor)) {
		int ret = ph_create(rm->actor[actor].fd, PAGE, 0, 0, &base);
		struct privheap_query query = ph_region(rm->actor[actor].fd, base);

		if (RM_CHECK(!ret, "a first region: %d", ret)) {
			rm->last_id = query.out_id;
			rm_create(actor, 1, 0, 1, 0, query.out_id, base, &denied);
		}
	}
	give_turn_back();
	while (take_turn(actor))
		;
	_exit(0);
}

/* Wait for the actor's answer; false where it has died instead. */
static bool wait_back(unsigned int actor)
{
	struct pollfd answer = { .fd = back[0], .events = POLLIN };
	char byte;
	int status;

	while (!poll(&answer, 1, 1000)) {
		if (waitpid(rm->actor[actor].pid, &status, WNOHANG) <= 0)
			continue;
		rm->actor[actor].alive = false;
		RM_CHECK(false, "process %u died: status %#x", actor, status);
		return false;
	}
	return read(back[0], &byte, 1) == 1;
}

/* To where the model says it is. */
int rm_actor_enter(unsigned int actor)
{
	unsigned int cgroup = rm->actor[actor].cgroup;
	char pid[16];

	if (!rm->cgroups)
		return 0;
	snprintf(pid, sizeof(pid), "%d", rm->actor[actor].pid);
	return ph_cgroup_set(cgroup ? rm->cgroup[cgroup - 1].path : "/sys/fs/cgroup",
			     "cgroup.procs", pid);
}

int rm_actor_start(unsigned int actor)
{
	struct rm_actor *own = &rm->actor[actor];
	char byte;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid < 0)
		return -errno;
	if (!pid) {
		own->pid = getpid();
		own->alive = true;
		/* The parent has moved us. */
		if (!take_turn(actor))
			_exit(2);
		if (actor < RM_ACTORS)
			actor_main(actor);
		keeper_main(actor);
	}
	own->pid = pid;
	own->alive = true;
	if (rm_actor_enter(actor))
		return -EIO;
	byte = 0;
	if (write(go[actor][1], &byte, 1) != 1 || !wait_back(actor))
		return -EIO;
	return 0;
}

void rm_actor_kill(unsigned int actor)
{
	struct rm_actor *own = &rm->actor[actor];

	if (!own->alive)
		return;
	kill(own->pid, SIGKILL);
	waitpid(own->pid, NULL, 0);
	own->alive = false;
	rm_remove_all(actor);
	rm->unordered = true;
}

/* --- a child of an actor */

static bool is_mapped(char *address)
{
	unsigned char resident;

	return !mincore(address, PAGE, &resident) || errno != ENOMEM;
}

/* Nothing of the parent's regions is here, even where the mapping is: of @copied only. */
static void check_foreign(unsigned int parent, const struct rm_region *copied)
{
	for (unsigned int i = 0; i < RM_PER_ACTOR; i++) {
		const struct rm_region *region = &rm->region[parent * RM_PER_ACTOR + i];
		struct privheap_query query;
		int ret;

		if (!region->used)
			continue;
		ret = ph_query(rm_fd(RM_CHILD), region->base, 0, &query);
		RM_CHECK(ret == -ENOENT, "a child's query of its parent's region: %d", ret);
		ret = ph_destroy(rm_fd(RM_CHILD), region->base);
		RM_CHECK(ret == -ENOENT, "a child destroys its parent's region: %d", ret);
		for (uint64_t page = 0; page < region->pages; page += 1 + rm_below(64))
			if (region->page[page].mapped) {
				RM_CHECK(is_mapped(region->base + page * PAGE) ==
					 (region == copied),
					 "page %" PRIu64 " of a child: mapped, or not",
					 page);
				RM_CHECK(rm_read_signal(region->base + page * PAGE) == SIGSEGV,
					 "a child can read page %" PRIu64 " of its parent's region",
					 page);
			}
	}
}

static void child_main(unsigned int parent, const struct rm_region *copied)
{
	rm->actor[RM_CHILD] = rm->actor[parent];
	rm->actor[RM_CHILD].pid = getpid();
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (open_own(RM_CHILD)) {
		check_foreign(parent, copied);
		for (unsigned int i = rm_below(12); i && !rm->failed; i--)
			rm_operation(RM_CHILD);
	}
	_exit(0);
}

/* Fork, and let the child do a few things before it ends. */
void rm_child_operation(unsigned int actor)
{
	struct rm_region *region = rm_some_region(actor);
	bool copy = region && region->mapped == region->pages && rm_chance(2);
	int status = 0;
	pid_t pid;

	rm_record(actor, "fork", NULL, copy, 0, 0, 0);
	if (copy) {
		/* Newer kernels do not take MADV_DONTFORK back. */
		if (madvise(region->base, region->pages * PAGE, MADV_DOFORK)) {
			RM_CHECK(errno == EINVAL, "MADV_DOFORK: %d", errno);
			copy = false;
		}
	}
	pid = fork();
	if (!pid)
		child_main(actor, copy ? region : NULL);
	if (RM_CHECK(pid > 0, "fork: %d", errno))
		waitpid(pid, &status, 0);
	RM_CHECK(!status, "a child died: status %#x", status);
	if (copy)
		RM_CHECK(!madvise(region->base, region->pages * PAGE, MADV_DONTFORK),
			 "MADV_DONTFORK: %d", errno);
	rm->actor[RM_CHILD].alive = false;
	rm_remove_all(RM_CHILD);
	rm->unordered = true;
}

/* --- the world */

static void make_cgroups(void)
{
	struct rm_cgroup *cgroup = rm->cgroup;
	struct stat stat_of;

	if (ph_cgroup_make("model", cgroup[0].path, sizeof(cgroup[0].path)))
		return;
	snprintf(cgroup[1].path, sizeof(cgroup[1].path), "%.100s/inner", cgroup[0].path);
	if (mkdir(cgroup[1].path, 0755))
		return;
	for (unsigned int i = 0; i < RM_CGROUPS; i++) {
		if (stat(cgroup[i].path, &stat_of))
			return;
		cgroup[i].id = stat_of.st_ino;
		rm_subject_init(&rm->cgroup_subject[i], PRIVHEAP_LEVEL_CGROUP,
				cgroup[i].id);
	}
	rm->cgroups = RM_CGROUPS;
}

static bool begin(void)
{
	int ret = 0;

	for (unsigned int i = 0; i < RM_ACTORS + RM_KEEPERS; i++)
		if (pipe(go[i]))
			return RM_CHECK(false, "pipe: %d", errno);
	if (pipe(back))
		return RM_CHECK(false, "pipe: %d", errno);
	rm->shared_fd = ph_open();
	make_cgroups();
	rm_subject_init(&rm->system, PRIVHEAP_LEVEL_SYSTEM, 0);
	rm_subject_init(&rm->user[0], PRIVHEAP_LEVEL_USER, 0);
	rm_subject_init(&rm->user[1], PRIVHEAP_LEVEL_USER, 1000);
	for (unsigned int i = 0; i < RM_KEEPERS && !ret; i++) {
		rm->actor[RM_ACTORS + i].uid = i & 1 ? 1000 : 0;
		rm->actor[RM_ACTORS + i].cgroup = rm->cgroups ? i : 0;
		ret = rm_actor_start(RM_ACTORS + i);
	}
	ret = ret ?: rm_admin_open();
	for (unsigned int i = 0; i < RM_CHILD && !ret; i++) {
		rm->actor[i].uid = i & 1 ? 1000 : 0;
		rm->actor[i].cgroup = rm->cgroups ? i % (RM_CGROUPS + 1) : 0;
		ret = rm_actor_start(i);
	}
	return RM_CHECK(!ret, "the beginning: %d", ret) && !rm->failed;
}

static void end(void)
{
	for (unsigned int i = 0; i < RM_CHILD; i++)
		rm_actor_kill(i);
	if (!rm->failed) {
		rm_admin_check();
		rm_admin_events();
	}
	rm_admin_close();
	for (unsigned int i = RM_ACTORS; i < RM_ACTORS + RM_KEEPERS; i++)
		rm_actor_kill(i);
	for (unsigned int i = RM_CGROUPS; i-- > 0;)
		if (rm->cgroup[i].path[0])
			ph_cgroup_remove(rm->cgroup[i].path);
	close(rm->shared_fd);
	for (unsigned int i = 0; i < RM_ACTORS + RM_KEEPERS; i++) {
		close(go[i][0]);
		close(go[i][1]);
	}
	close(back[0]);
	close(back[1]);
}

/* One turn: what the administrator does, and then what one actor does. */
static void turn(uint64_t first)
{
	unsigned int actor;
	char byte = 0;

	seed_operation(first);
	if (!is_skipped(first))
		rm_admin_operation();
	if (rm->failed)
		return;
	seed_operation(first);
	actor = rm_below(RM_CHILD);
	rm->op = first + 1;
	if (write(go[actor][1], &byte, 1) != 1 || !wait_back(actor))
		return;
	if (!rm->failed)
		rm_admin_events();
}

bool rm_world_run(const struct rm_run *run)
{
	memset(rm, 0, sizeof(*rm));
	rm->seed = run->seed;
	rm->ops = run->ops;
	rm->max_order = rm_max_order();
	skipped = run->skip;
	if (begin()) {
		for (uint64_t op = 0; op < run->ops && !rm->failed; op += BURST)
			turn(op);
	}
	end();
	return !rm->failed;
}
