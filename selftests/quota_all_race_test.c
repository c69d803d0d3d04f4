// SPDX-License-Identifier: GPL-2.0-only
/*
 * Eight processes of two users in two cgroups, each with eight threads, race for
 * pages that every level has too few of. Whatever they do, no level has more than
 * its limit, and at the end each has exactly what its regions have.
 */
#include <pthread.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "netlink_fixture.h"
#include "limit_selftest.h"

#define HARD		PRIVHEAP_A_COUNTER_HARD
#define USAGE		PRIVHEAP_A_COUNTER_USAGE
#define PEAK		PRIVHEAP_A_COUNTER_PEAK
#define DENIALS		PRIVHEAP_A_COUNTER_DENIALS

#define PROCESSES	8
#define THREADS		8
#define ROUNDS		60
#define SPAN		(16 * PAGE)

/*
 * Each is less than what those inside of it get together: regions two thirds of
 * theirs, as a quarter of all rounds gives back, and processes nearly all of it.
 * The first user's processes, and every other of the second's, want 48 pages each.
 */
#define REGION_LIMIT	(12 * PAGE)
#define PROCESS_LIMIT	(48 * PAGE)
#define USER_LIMIT	(90 * PAGE)	/* the first user's; the second has none */
#define INNER_LIMIT	(100 * PAGE)
#define OUTER_LIMIT	(200 * PAGE)
#define SYSTEM_LIMIT	(180 * PAGE)	/* now and then */

/* Nobody else is these. */
#define FIRST_USER	54331

/* What a process held at the end, and what refused it on the way. */
struct report {
	int number;
	uint64_t committed;
	uint64_t resident;
	unsigned int refused[PRIVHEAP_LEVEL_SYSTEM + 1];
};

struct thread {
	pthread_t thread;
	int fd;
	uint32_t state;
	char *base;
	unsigned int refused[PRIVHEAP_LEVEL_SYSTEM + 1];
};

static void *race(void *argument)
{
	struct thread *self = argument;

	for (int round = 0; round < ROUNDS; round++) {
		uint64_t first = ph_random(&self->state) % 16 * PAGE;
		uint64_t length = (1 + ph_random(&self->state) % 16) * PAGE;
		struct privheap_commit commit = {
			.size = sizeof(commit),
			.flags = round % 2 ? PRIVHEAP_COMMIT_POPULATE : 0,
			.base = TO_BASE(self->base),
			.offset = first,
			.length = length,
		};

		if (first + length > SPAN)
			length = SPAN - first;
		commit.length = length;
		if (round % 4 == 3)
			ph_decommit(self->fd, self->base, first, length);
		else if (ph_ioctl(self->fd, PRIVHEAP_IOC_COMMIT, &commit) == -EDQUOT)
			self->refused[commit.out_denied]++;
	}
	return NULL;
}

static bool run_threads(int fd, struct report *report)
{
	struct thread thread[THREADS] = { 0 };

	for (int i = 0; i < THREADS; i++) {
		thread[i].fd = fd;
		thread[i].state = report->number * THREADS + i + 1;
		if (ph_create_limit(fd, SPAN, 0, REGION_LIMIT, 0, &thread[i].base) ||
		    pthread_create(&thread[i].thread, NULL, race, &thread[i]))
			return false;
	}
	for (int i = 0; i < THREADS; i++) {
		pthread_join(thread[i].thread, NULL);
		report->committed += ph_committed(fd, thread[i].base);
		report->resident += ph_resident(fd, thread[i].base);
		for (int level = 0; level <= PRIVHEAP_LEVEL_SYSTEM; level++)
			report->refused[level] += thread[i].refused[level];
	}
	return true;
}

/* A process: half of them are one user's, and every other one is further in. */
static void run_process(int number, const char *cgroup, int go, int end, int out)
{
	struct report report = { .number = number };
	char byte;
	int fd;

	if (ph_cgroup_enter(cgroup))
		_exit(1);
	fd = ph_open();
	if (fd < 0 || limit_set(fd, NULL, COMMIT, PRIVHEAP_SET_HARD, PROCESS_LIMIT))
		_exit(2);
	if (setuid(FIRST_USER + number / 4))
		_exit(3);
	/* All begin at once. */
	if (read(go, &byte, 1) != 1 || !run_threads(fd, &report))
		_exit(4);
	if (write(out, &report, sizeof(report)) != sizeof(report))
		_exit(5);
	/* Until all have been looked at. */
	_exit(read(end, &byte, 1) ? 6 : 0);
}

static struct nl_object quota_of(struct nl_socket *nl, uint32_t level, uint64_t subject)
{
	struct nl_object object;

	if (nl_quota(nl, level, subject, &object))
		memset(&object, 0xff, sizeof(object));
	return object;
}

static int set_hard(struct nl_socket *nl, uint32_t level, uint64_t subject,
		    uint64_t bytes)
{
	struct nl_object object;

	return nl_set(nl, level, subject, PRIVHEAP_A_COMMIT, HARD, bytes, &object);
}

static uint64_t make_cgroup(const char *path)
{
	struct stat st;

	return mkdir(path, 0755) || stat(path, &st) ? 0 : st.st_ino;
}

/* Pages as they are summed up, and a peak of what is committed. */
#define EXPECT_LEVEL(level, subject, committed, resident_, most) do {	\
	struct nl_object _quota = quota_of(&self->nl, level, subject);	\
	EXPECT_EQ(committed, _quota.commit[USAGE]);			\
	EXPECT_EQ(resident_, _quota.resident[USAGE]);			\
	EXPECT_GE(most, _quota.commit[PEAK]);				\
	denials[level] += _quota.commit[DENIALS];			\
} while (0)

TEST_F(netlink, all_levels)
{
	uint64_t inner[2] = { 0 }, user[2][2] = { 0 }, all[2] = { 0 }, id[2];
	struct nl_object system = quota_of(&self->nl, PRIVHEAP_LEVEL_SYSTEM, 0);
	uint64_t before = system.commit[USAGE], limit = system.commit[HARD];
	unsigned int refused[PRIVHEAP_LEVEL_SYSTEM + 1] = { 0 };
	uint64_t denials[PRIVHEAP_LEVEL_SYSTEM + 1] = { 0 };
	struct report report[PROCESSES], one;
	unsigned int outside = 0;
	char path[2][128];
	pid_t child[PROCESSES];
	int go[2], end[2], out[2];

	snprintf(path[0], sizeof(path[0]), "/sys/fs/cgroup/privheap-all-%d", getpid());
	snprintf(path[1], sizeof(path[1]), "%.100s/in", path[0]);
	for (int i = 0; i < 2; i++) {
		id[i] = make_cgroup(path[i]);
		ASSERT_NE(0, id[i]);
		ASSERT_EQ(0, set_hard(&self->nl, PRIVHEAP_LEVEL_CGROUP, id[i],
				      i ? INNER_LIMIT : OUTER_LIMIT));
	}
	ASSERT_EQ(0, set_hard(&self->nl, PRIVHEAP_LEVEL_USER, FIRST_USER, USER_LIMIT));
	ASSERT_EQ(0, pipe(go));
	ASSERT_EQ(0, pipe(end));
	ASSERT_EQ(0, pipe(out));
	for (int i = 0; i < PROCESSES; i++) {
		child[i] = fork();
		ASSERT_LE(0, child[i]);
		if (!child[i]) {
			close(end[1]);
			run_process(i, path[i % 2], go[0], end[0], out[1]);
		}
	}

	/* The system's limit comes and goes meanwhile. */
	ASSERT_EQ(PROCESSES, write(go[1], "........", PROCESSES));
	for (int i = 0; i < 20; i++) {
		ASSERT_EQ(0, set_hard(&self->nl, PRIVHEAP_LEVEL_SYSTEM, 0,
				      i % 2 ? limit : before + SYSTEM_LIMIT));
		usleep(10000);
	}
	for (int i = 0; i < PROCESSES; i++) {
		ASSERT_EQ(sizeof(one), read(out[0], &one, sizeof(one)));
		report[one.number] = one;
	}

	for (int i = 0; i < PROCESSES; i++) {
		EXPECT_LEVEL(PRIVHEAP_LEVEL_PROCESS, child[i], report[i].committed,
			     report[i].resident, PROCESS_LIMIT);
		user[i / 4][0] += report[i].committed;
		user[i / 4][1] += report[i].resident;
		inner[0] += i % 2 ? report[i].committed : 0;
		inner[1] += i % 2 ? report[i].resident : 0;
		all[0] += report[i].committed;
		all[1] += report[i].resident;
		for (int level = 0; level <= PRIVHEAP_LEVEL_SYSTEM; level++)
			refused[level] += report[i].refused[level];
	}
	for (int i = 0; i < 2; i++)
		EXPECT_LEVEL(PRIVHEAP_LEVEL_USER, FIRST_USER + i, user[i][0],
			     user[i][1], i ? OUTER_LIMIT : USER_LIMIT);
	EXPECT_LEVEL(PRIVHEAP_LEVEL_CGROUP, id[1], inner[0], inner[1], INNER_LIMIT);
	EXPECT_LEVEL(PRIVHEAP_LEVEL_CGROUP, id[0], all[0], all[1], OUTER_LIMIT);
	system = quota_of(&self->nl, PRIVHEAP_LEVEL_SYSTEM, 0);
	EXPECT_EQ(before + all[0], system.commit[USAGE]);
	/*
	 * Who refused was named each time. Each level has a test of its own that it
	 * refuses; which of them does here is a matter of luck.
	 */
	EXPECT_LT(0, refused[PRIVHEAP_LEVEL_REGION]);
	for (int level = PRIVHEAP_LEVEL_PROCESS; level < PRIVHEAP_LEVEL_SYSTEM; level++) {
		EXPECT_EQ(denials[level], refused[level]) {
			TH_LOG("level %d", level);
		}
		outside += refused[level];
	}
	EXPECT_LT(0, outside);

	close(end[1]);
	for (int i = 0; i < PROCESSES; i++)
		EXPECT_EXITED(0, child[i]);
	EXPECT_EQ(0, set_hard(&self->nl, PRIVHEAP_LEVEL_USER, FIRST_USER,
			      PRIVHEAP_NO_LIMIT));
	for (int i = 0; i < 2; i++) {
		EXPECT_EQ(0, quota_of(&self->nl, PRIVHEAP_LEVEL_USER,
				      FIRST_USER + i).commit[USAGE]);
	}
	ph_cgroup_remove(path[1]);
	ph_cgroup_remove(path[0]);
}

TEST_HARNESS_MAIN
