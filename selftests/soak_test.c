// SPDX-License-Identifier: GPL-2.0-only
/*
 * All together, for PRIVHEAP_SOAK_SECONDS: processes that do everything and are
 * killed, moved, and run out of memory in cgroups that come and go, while
 * processors go offline, memory is compacted, caches dropped, pages moved, and
 * somebody tries to remove the module. Every few seconds everybody is killed, and
 * all counters are held against what they were at the beginning.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "chaos_selftest.h"
#include "netlink_fixture.h"

#define CGROUPS		"/sys/fs/cgroup"
#define CPUS		"/sys/devices/system/cpu"
#define WORKERS		4
#define THREADS		16
#define SEASON		8	/* seconds from one count to the next */

/* How often what was done, in shared memory. */
enum disturbance {
	ONLINE,
	COMPACT,
	DROP,
	REMOVE,
	MIGRATE,
	DISTURBANCES,
};

static const char *const disturbance_names[] = {
	"processors offline", "compactions", "drops of caches",
	"attempts to remove the module", "migrations of a process",
};

static unsigned long *disturbed;
static pid_t *victims;		/* the workers, for who moves their pages */

static uint32_t number_from(const char *name, uint32_t otherwise)
{
	const char *text = getenv(name);

	return text ? strtoul(text, NULL, 0) : otherwise;
}

static bool set_online(unsigned int cpu, bool online)
{
	char path[80];

	snprintf(path, sizeof(path), CPUS "/cpu%u/online", cpu);
	return !ph_write_file(path, online ? "1" : "0");
}

static void disturb(enum disturbance what, uint32_t *random)
{
	unsigned long nodes[2] = { 1, 2 };
	unsigned int cpu, node;
	pid_t pid;

	switch (what) {
	case ONLINE:
		cpu = 1 + ph_random(random) % 3;
		if (!set_online(cpu, false))
			break;
		disturbed[what]++;
		ph_sleep_ms(20 + ph_random(random) % 200);
		set_online(cpu, true);
		break;
	case COMPACT:
		disturbed[what] += !ph_write_file("/proc/sys/vm/compact_memory", "1");
		ph_sleep_ms(200);
		break;
	case DROP:
		disturbed[what] += !ph_write_file("/proc/sys/vm/drop_caches", "3");
		ph_sleep_ms(300);
		break;
	case REMOVE:
		/* Whoever started the test has the device open. */
		disturbed[what] += syscall(SYS_delete_module, "privheap", O_NONBLOCK) != 0;
		ph_sleep_ms(20);
		break;
	default:
		node = ph_random(random) % 2;
		pid = __atomic_load_n(&victims[ph_random(random) % WORKERS],
				      __ATOMIC_RELAXED);
		if (pid > 0)
			disturbed[what] += syscall(SYS_migrate_pages, pid, 3UL, &nodes[!node],
						   &nodes[node]) >= 0;
		ph_sleep_ms(50);
	}
}

static pid_t start_disturbing(enum disturbance what)
{
	uint32_t random = 1 + what;
	pid_t child = fork();

	if (child)
		return child;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;)
		disturb(what, &random);
}

/* A worker in a new cgroup of its own, every fourth with little memory. */
struct worker {
	struct chaos chaos;
	char cgroup[128];
	unsigned int kind;
};

static pid_t start_worker(struct worker *worker, unsigned int number, uint32_t *random)
{
	worker->kind = number % 4;
	worker->chaos.seed = ph_random(random);
	worker->chaos.uid = number % 3 ? 12000 + number % 3 : 0;
	snprintf(worker->cgroup, sizeof(worker->cgroup), CGROUPS "/privheap-soak-%d-%u",
		 getpid(), number);
	if (mkdir(worker->cgroup, 0755))
		return -errno;
	if (!worker->kind) {
		ph_cgroup_set(worker->cgroup, "memory.swap.max", "0");
		ph_cgroup_set(worker->cgroup, "memory.max", "8M");
	}
	return chaos_start(&worker->chaos, worker->cgroup);
}

/* Where is who should be gone? */
static void print_process(const char *pid)
{
	static const char *const files[] = { "stat", "wchan", "stack" };
	char path[64], text[2048];

	for (int i = 0; i < ARRAY_SIZE(files); i++) {
		snprintf(path, sizeof(path), "/proc/%.16s/%s", pid, files[i]);
		if (ph_read_file(path, text, sizeof(text)) > 0)
			printf("# %s: %s\n", path, text);
	}
}

static void print_cgroup(const char *cgroup)
{
	char path[160], pids[1024], *pid, *rest = pids;

	snprintf(path, sizeof(path), "%s/cgroup.procs", cgroup);
	if (ph_read_file(path, pids, sizeof(pids)) <= 0)
		return;
	while ((pid = strtok_r(rest, "\n", &rest)))
		print_process(pid);
	fflush(stdout);
}

/* Killed, if it is not already, with what it has forked; its cgroup goes. */
static bool end_worker(struct worker *worker, pid_t pid)
{
	if (!chaos_end(pid))
		return false;
	ph_cgroup_set(worker->cgroup, "cgroup.kill", "1");
	ph_cgroup_remove(worker->cgroup);
	if (!ph_exists(worker->cgroup))
		return true;
	print_cgroup(worker->cgroup);
	return false;
}

struct rest {
	unsigned int found;
};

static void count_rest(struct nl_object *object, void *argument)
{
	struct rest *rest = argument;

	/* Users are forgotten when their last region is; cgroups and processes too. */
	rest->found += object->value[PRIVHEAP_A_LEVEL] != PRIVHEAP_LEVEL_SYSTEM &&
		       object->value[PRIVHEAP_A_REGIONS];
}

static bool nothing_is_left(struct nl_socket *nl)
{
	struct rest rest = { 0 };

	return !nl_dump(nl, PRIVHEAP_CMD_QUOTA_GET, 0, 0, count_rest, &rest) &&
	       !rest.found;
}

TEST_F_TIMEOUT(netlink, all_together, 7200)
{
	unsigned int seconds = number_from("PRIVHEAP_SOAK_SECONDS", 16), started = 0;
	uint32_t random = number_from("PRIVHEAP_SEED", 2463534242u);
	unsigned long *done = chaos_counters();
	struct worker workers[WORKERS];
	time_t end = time(NULL) + seconds;
	pid_t disturbers[DISTURBANCES];
	unsigned int seasons = 0;

	disturbed = chaos_counters();
	victims = (pid_t *)chaos_counters();
	ASSERT_NE(NULL, done);
	ASSERT_NE(NULL, disturbed);
	ASSERT_NE(NULL, victims);
	ph_write_file(CGROUPS "/cgroup.subtree_control", "+memory");
	for (int i = 0; i < WORKERS; i++) {
		workers[i].chaos = (struct chaos) {
			.fd = self->fd,
			.threads = THREADS,
			.reserve = 4 * MIB,
			.done = done,
		};
	}
	for (int i = 0; i < DISTURBANCES; i++)
		disturbers[i] = start_disturbing(i);

	while (time(NULL) < end) {
		time_t season = time(NULL) + SEASON;

		for (int i = 0; i < WORKERS; i++) {
			victims[i] = start_worker(&workers[i], started++, &random);
			ASSERT_LT(0, victims[i]);
		}
		while (time(NULL) < season && time(NULL) < end) {
			int i = ph_random(&random) % WORKERS;
			unsigned long before = chaos_sum(done);

			/* On a slow machine threads take their time to begin. */
			PH_WAIT_FOR(chaos_sum(done) > before + THREADS);
			ph_sleep_ms(50 + ph_random(&random) % 300);
			ASSERT_TRUE(end_worker(&workers[i], victims[i]));
			victims[i] = start_worker(&workers[i], started++, &random);
			ASSERT_LT(0, victims[i]);
		}
		for (int i = 0; i < WORKERS; i++) {
			ASSERT_TRUE(end_worker(&workers[i], victims[i]));
			victims[i] = 0;
		}
		seasons++;
		ASSERT_TRUE(PH_WAIT_FOR(ph_system_is(self->fd, &self->system))) {
			TH_LOG("season %u: the system's counters are wrong", seasons);
		}
		ASSERT_TRUE(PH_WAIT_FOR(nothing_is_left(&self->nl))) {
			TH_LOG("season %u: a subject has a region", seasons);
		}
	}

	for (int i = 0; i < DISTURBANCES; i++) {
		kill(disturbers[i], SIGKILL);
		EXPECT_KILLED(SIGKILL, disturbers[i]);
	}
	for (unsigned int cpu = 1; cpu < 4; cpu++)
		set_online(cpu, true);
	TH_LOG("%u s, %u processes killed, counters right %u times", seconds, started, seasons);
	for (int i = 0; i < DISTURBANCES; i++)
		TH_LOG("%lu %s", disturbed[i], disturbance_names[i]);
	chaos_print(done);
	EXPECT_LT(100, chaos_sum(done));
	EXPECT_LT(0, disturbed[REMOVE]);
	EXPECT_TRUE(PH_WAIT_FOR(ph_system_is(self->fd, &self->system)));
}

TEST_HARNESS_MAIN
