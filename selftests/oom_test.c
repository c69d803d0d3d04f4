// SPDX-License-Identifier: GPL-2.0-only
/*
 * Out of memory, in a memory cgroup and in the whole machine, on every path that
 * takes pages. Who is killed leaves nothing; who is not has an errno, and all
 * others live.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "chaos_selftest.h"
#define PH_OWN_FIXTURE
#include "privheap_fixture.h"

#define MOST		(24 * MIB)	/* of the cgroup */
#define RESERVE		(64 * MIB)

#define COMMIT_LIMIT	"/sys/module/privheap/parameters/commit_limit"

FIXTURE(oom)
{
	int fd;
	struct privheap_query system;
	char path[256];
	char *bystander;	/* a region outside of the cgroup */
};

static int set_max(const char *path, uint64_t bytes)
{
	char text[32];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)bytes);
	ph_cgroup_set(path, "memory.swap.max", "0");
	return ph_cgroup_set(path, "memory.max", text);
}

FIXTURE_SETUP(oom)
{
	int ret;

	PH_SETUP();
	if (!(self->system.out_features & PRIVHEAP_FEATURE_MEMCG))
		SKIP(return, "no memory cgroups in this kernel");
	ret = ph_cgroup_make("oom", self->path, sizeof(self->path));
	if (ret)
		SKIP(return, "cannot make a memory cgroup: %s", strerror(-ret));
	ASSERT_EQ(0, set_max(self->path, MOST));
	ASSERT_EQ(0, ph_create(self->fd, MIB, MIB, 0, &self->bystander));
	memset(self->bystander, 77, MIB);
}

FIXTURE_TEARDOWN_PARENT(oom)
{
	PH_TEARDOWN();
	EXPECT_TRUE(PH_WAIT_FOR(ph_cgroup_get(self->path, "memory.current") <
				2 * (long long)MIB)) {
		TH_LOG("%lld bytes are left",
		       ph_cgroup_get(self->path, "memory.current"));
	}
	ph_cgroup_remove(self->path);
}

static long long kills(const char *path)
{
	return ph_cgroup_stat(path, "memory.events", "oom_kill");
}

/* The bystander has lost nothing, and the dead have left nothing. */
#define EXPECT_ONLY_BYSTANDER() do {					\
	struct privheap_query _then = self->system;			\
									\
	_then.out_regions++;						\
	_then.out_reserved += MIB;					\
	_then.out_committed += MIB;					\
	_then.out_resident += MIB;					\
	EXPECT_TRUE(PH_WAIT_FOR(ph_system_is(self->fd, &_then)));	\
	EXPECT_TRUE(ph_all(self->bystander, MIB, 77));			\
} while (0)

/* The ways to take more than there is. Each ends with a number if it lives. */
enum way {
	WRITE,
	READ,
	SYSTEM_CALL,
	POPULATE_ADVICE,
	FORK,
	MAKE_AND_TOUCH,
	GROW,
	COMMIT,
	CREATE,
	MAKE_EMPTY,
};

#define REFUSED	12	/* exit status: ENOMEM, and nothing worse */

static int status_of(int ret)
{
	return ret == -ENOMEM ? REFUSED : ret ? 13 : 0;
}

/* Read from a file of zeros into a region: the kernel itself touches it. */
static int fill_by_read(char *base)
{
	int zero = open("/dev/zero", O_RDONLY);

	for (uint64_t at = 0; at < RESERVE; at += MIB)
		if (read(zero, base + at, MIB) != (ssize_t)MIB)
			return 14;
	return 15;
}

static int take(int fd, enum way way)
{
	char *base, *other;
	int ret = 0;

	if (ph_create(fd, RESERVE, way < GROW ? RESERVE : PAGE, PRIVHEAP_CREATE_LAZY,
		      &base))
		return 16;
	switch (way) {
	case WRITE:
		ph_touch(base, RESERVE, 1);
		break;
	case READ:
		for (uint64_t at = 0; at < RESERVE; at += PAGE)
			(void)*(volatile char *)(base + at);
		break;
	case SYSTEM_CALL:
		return fill_by_read(base);
	case POPULATE_ADVICE:
#ifdef MADV_POPULATE_WRITE
		ret = madvise(base, RESERVE, MADV_POPULATE_WRITE);
#endif
		break;
	case FORK:
		/* Two that each would fit, and do not together. */
		if (!fork() && !ph_create(fd, RESERVE, RESERVE, PRIVHEAP_CREATE_LAZY, &other))
			ph_touch(other, MOST * 3 / 4, 1);
		ph_touch(base, MOST * 3 / 4, 1);
		pause();
		break;
	case MAKE_AND_TOUCH:
		while (!ph_create(fd, 2 * MIB, 2 * MIB, PRIVHEAP_CREATE_LAZY, &other))
			ph_touch(other, 2 * MIB, 1);
		break;
	case GROW:
		ret = ph_grow(fd, base, RESERVE, PRIVHEAP_COMMIT_POPULATE);
		return status_of(ret);
	case COMMIT:
		ret = ph_commit(fd, base, MIB, RESERVE - MIB, PRIVHEAP_COMMIT_POPULATE);
		return status_of(ret);
	case CREATE:
		while (!ret)
			ret = ph_create(fd, 2 * MIB, 2 * MIB, 0, &other);
		return status_of(ret);
	case MAKE_EMPTY:
		/* Nothing but what the kernel needs for them. */
		while (!ret)
			ret = ph_create(fd, 2 * MIB, PAGE, PRIVHEAP_CREATE_LAZY, &other);
		return status_of(ret);
	}
	return 17;
}

static pid_t start_taking(int fd, const char *cgroup, enum way way)
{
	pid_t child = fork();

	if (child)
		return child;
	/* In the whole machine: this one first. */
	ph_write_file("/proc/self/oom_score_adj", "1000");
	if (cgroup && ph_cgroup_enter(cgroup))
		_exit(18);
	_exit(take(fd, way));
}

/* What a touch may do at the limit is the cgroup's to say: it kills. */
TEST_F_TIMEOUT(oom, killed_in_a_cgroup, 300)
{
	for (enum way way = WRITE; way < GROW; way++) {
		long long before = kills(self->path);
		pid_t child = start_taking(self->fd, self->path, way);
		int status = 0;

		ASSERT_LE(0, child);
		ASSERT_TRUE(PH_WAIT_FOR(kills(self->path) > before)) {
			kill(child, SIGKILL);
			TH_LOG("way %d: nobody was killed", way);
		}
		/* Of two that would not fit either may be the one. */
		if (way == FORK)
			ph_cgroup_set(self->path, "cgroup.kill", "1");
		ASSERT_EQ(child, waitpid(child, &status, 0));
		EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) {
			TH_LOG("way %d: status %#x", way, status);
		}
		EXPECT_ONLY_BYSTANDER();
	}
}

/* Who asked by an ioctl gets an errno, and nobody is killed for it. */
TEST_F_TIMEOUT(oom, refused_in_a_cgroup, 300)
{
	for (enum way way = GROW; way <= MAKE_EMPTY; way++) {
		long long before = kills(self->path);
		pid_t child = start_taking(self->fd, self->path, way);
		int status = 0;

		ASSERT_LE(0, child);
		ASSERT_EQ(child, waitpid(child, &status, 0));
		/* Page tables and inodes are the kernel's to account: it may kill. */
		if (way == MAKE_EMPTY && WIFSIGNALED(status)) {
			EXPECT_EQ(SIGKILL, WTERMSIG(status));
			EXPECT_LT(before, kills(self->path));
		} else {
			EXPECT_EQ(REFUSED, WIFEXITED(status) ? WEXITSTATUS(status) : -1) {
				TH_LOG("way %d: status %#x", way, status);
			}
			EXPECT_EQ(before, kills(self->path));
		}
		EXPECT_ONLY_BYSTANDER();
	}
}

/* memory.oom.group: who did nothing is killed as well. */
TEST_F(oom, killed_as_a_group)
{
	char *base;
	pid_t idle, child;

	ASSERT_EQ(0, ph_cgroup_set(self->path, "memory.oom.group", "1"));
	idle = fork();
	ASSERT_LE(0, idle);
	if (!idle) {
		if (ph_cgroup_enter(self->path) ||
		    ph_create(self->fd, 2 * MIB, 2 * MIB, 0, &base))
			_exit(1);
		pause();
		_exit(2);
	}
	ASSERT_TRUE(PH_WAIT_FOR(ph_cgroup_get(self->path, "memory.current") >
				2 * (long long)MIB));
	child = start_taking(self->fd, self->path, WRITE);
	EXPECT_KILLED(SIGKILL, child);
	EXPECT_KILLED(SIGKILL, idle);
	EXPECT_LE(2, kills(self->path));
	EXPECT_ONLY_BYSTANDER();
}

/* Somebody who is not killed has nearly all that the cgroup may have. */
static pid_t start_filling(int fd, const char *cgroup)
{
	pid_t child = fork();
	char *base;

	if (child)
		return child;
	if (ph_write_file("/proc/self/oom_score_adj", "-1000") ||
	    ph_cgroup_enter(cgroup) || ph_create(fd, MOST, MOST - 3 * MIB, 0, &base))
		_exit(1);
	pause();
	_exit(2);
}

/* Every path at a random moment, with many threads that share all locks. */
TEST_F_TIMEOUT(oom, killed_while_doing_everything, 300)
{
	long long before = kills(self->path);
	unsigned int killed = 0;
	pid_t filler;

	filler = start_filling(self->fd, self->path);
	ASSERT_LE(0, filler);
	ASSERT_TRUE(PH_WAIT_FOR(ph_cgroup_get(self->path, "memory.current") >=
				(long long)(MOST - 3 * MIB)));
	/* Where it is slow, more rounds until there was one. */
	for (unsigned int i = 0; i < 6 || (i < 30 && kills(self->path) == before); i++) {
		struct chaos chaos = {
			.fd = self->fd,
			.threads = 16,
			.seed = 88675123 + i,
			.reserve = 8 * MIB,
			.seconds = 3,
		};
		int status = 0;
		pid_t child = chaos_start(&chaos, self->path);

		ASSERT_LE(0, child);
		ASSERT_EQ(child, waitpid(child, &status, 0));
		killed += WIFSIGNALED(status);
	}
	EXPECT_EQ(0, kill(filler, SIGKILL));
	EXPECT_KILLED(SIGKILL, filler);
	/* What they have forked ends a moment later. */
	ASSERT_TRUE(PH_WAIT_FOR(!ph_cgroup_stat(self->path, "cgroup.events", "populated")));
	EXPECT_ONLY_BYSTANDER();
	TH_LOG("%u died, %lld of them for memory", killed, kills(self->path) - before);
	EXPECT_LT(before, kills(self->path));
}

/* Killed while it populates: it ends at once, not when all of it is there. */
TEST_F_TIMEOUT(oom, killed_while_populating, 120)
{
	struct privheap_query now;
	uint64_t large = ph_proc_bytes("/proc/meminfo", "MemAvailable") / 2 / PAGE * PAGE;
	int status = 0;
	pid_t child;

	if (large > self->system.out_limit / 2)
		large = self->system.out_limit / 2 / PAGE * PAGE;
	child = fork();
	ASSERT_LE(0, child);
	if (!child) {
		char *base;

		if (ph_create(self->fd, large, 0, 0, &base))
			_exit(1);
		for (;;) {
			if (ph_grow(self->fd, base, large, PRIVHEAP_COMMIT_POPULATE) ||
			    ph_decommit(self->fd, base, 0, large))
				_exit(2);
		}
	}
	for (int i = 0; i < 3; i++) {
		ASSERT_TRUE(PH_WAIT_FOR(!ph_query(self->fd, NULL, PRIVHEAP_QUERY_SYSTEM,
						  &now) &&
					now.out_resident > MIB + self->system.out_resident));
	}
	ASSERT_EQ(0, kill(child, SIGKILL));
	/* At least not stuck; how soon is not for a test to say. */
	ASSERT_TRUE(PH_WAIT_FOR(waitpid(child, &status, WNOHANG) == child));
	EXPECT_EQ(SIGKILL, WIFSIGNALED(status) ? WTERMSIG(status) : 0);
	EXPECT_ONLY_BYSTANDER();
}

#define DECOYS	16

/*
 * Whoever is killed may take a while to give back what it has, and if somebody wants
 * memory meanwhile the kernel chooses another one, who must not be the test's shell:
 * its reaper takes private mappings only.
 */
static void start_decoys(pid_t *decoy)
{
	for (int i = 0; i < DECOYS; i++) {
		decoy[i] = fork();
		if (decoy[i])
			continue;
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		ph_write_file("/proc/self/oom_score_adj", "900");
		for (;;)
			pause();
	}
}

/* How many were chosen. */
static int end_decoys(const pid_t *decoy)
{
	int chosen = 0;

	for (int i = 0; i < DECOYS; i++) {
		if (decoy[i] < 0)
			continue;
		if (waitpid(decoy[i], NULL, WNOHANG) == decoy[i]) {
			chosen++;
			continue;
		}
		kill(decoy[i], SIGKILL);
		waitpid(decoy[i], NULL, 0);
	}
	return chosen;
}

/*
 * The whole machine. It has to be filled, which takes long where there is much:
 * with more than 700 MiB only if PRIVHEAP_GLOBAL_OOM is set.
 */
TEST_F_TIMEOUT(oom, in_the_whole_machine, 600)
{
	uint64_t available = ph_proc_bytes("/proc/meminfo", "MemAvailable");
	char limit[64], text[32];
	pid_t decoy[DECOYS];
	int status = 0;

	if (available > 700 * MIB && !getenv("PRIVHEAP_GLOBAL_OOM"))
		SKIP(return, "too much memory to fill (PRIVHEAP_GLOBAL_OOM=1 does it)");
	if (ph_proc_bytes("/proc/meminfo", "SwapTotal"))
		SKIP(return, "there is swap");
	ASSERT_LT(0, ph_read_file(COMMIT_LIMIT, limit, sizeof(limit)));
	if (ph_write_file(COMMIT_LIMIT, "64G"))
		SKIP(return, COMMIT_LIMIT " cannot be set");
	ASSERT_EQ(0, ph_write_file("/proc/self/oom_score_adj", "-1000"));
	start_decoys(decoy);
	for (int i = 0; i < 3; i++) {
		pid_t child = fork();

		ASSERT_LE(0, child);
		if (!child) {
			uint64_t all = available * 2 / PAGE * PAGE;
			char *base;

			ph_write_file("/proc/self/oom_score_adj", "1000");
			if (ph_create(self->fd, all, i < 2 ? all : 0,
				      PRIVHEAP_CREATE_LAZY, &base))
				_exit(1);
			/* By touch: killed. By ioctl: refused, and nobody is killed. */
			if (i == 2)
				_exit(status_of(ph_grow(self->fd, base, all,
							PRIVHEAP_COMMIT_POPULATE)));
			for (uint64_t at = 0; at < all; at += PAGE) {
				if (i)
					(void)*(volatile char *)(base + at);
				else
					base[at] = 1;
			}
			_exit(2);
		}
		ASSERT_EQ(child, waitpid(child, &status, 0));
		if (i < 2) {
			EXPECT_EQ(SIGKILL, WIFSIGNALED(status) ? WTERMSIG(status) : 0);
		} else {
			EXPECT_EQ(REFUSED, WIFEXITED(status) ? WEXITSTATUS(status) : 0);
		}
		EXPECT_ONLY_BYSTANDER();
	}
	TH_LOG("%d others chosen, of %d", end_decoys(decoy), DECOYS);
	limit[strcspn(limit, "\n")] = '\0';
	snprintf(text, sizeof(text), "%.20s", limit);
	EXPECT_EQ(0, ph_write_file(COMMIT_LIMIT, text));
}

TEST_HARNESS_MAIN
