// SPDX-License-Identifier: GPL-2.0-only
/* Processors that go and come back while processes do everything to regions. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>

#include "chaos_selftest.h"
#include "privheap_fixture.h"

#define CPUS		"/sys/devices/system/cpu"
#define MAX_CPUS	64
#define WORKERS		2

static int set_online(unsigned int cpu, bool online)
{
	char path[80];

	snprintf(path, sizeof(path), CPUS "/cpu%u/online", cpu);
	return ph_write_file(path, online ? "1" : "0");
}

static bool can_go(unsigned int cpu)
{
	char path[80];

	snprintf(path, sizeof(path), CPUS "/cpu%u/online", cpu);
	return !access(path, W_OK) && ph_read_number(path) == 1;
}

static unsigned int seconds_to_run(void)
{
	const char *text = getenv("PRIVHEAP_HOTPLUG_SECONDS");

	return text ? strtoul(text, NULL, 10) : 12;
}

TEST_F_TIMEOUT(privheap, processors_come_and_go, 1800)
{
	unsigned int cpus[MAX_CPUS], count = 0, gone = 0, failed = 0;
	unsigned long *done = chaos_counters();
	struct chaos chaos[WORKERS];
	pid_t child[WORKERS];
	uint32_t random = 123456789;
	time_t end;

	for (unsigned int cpu = 1; cpu < MAX_CPUS; cpu++)
		if (can_go(cpu))
			cpus[count++] = cpu;
	if (!count)
		SKIP(return, "no processor that can be taken offline");
	ASSERT_NE(NULL, done);
	for (int i = 0; i < WORKERS; i++) {
		chaos[i] = (struct chaos) {
			.fd = self->fd,
			.threads = 8,
			.seed = 362436069 + i,
			.reserve = 4 * MIB,
			.done = done,
		};
		child[i] = chaos_start(&chaos[i], NULL);
		ASSERT_LT(0, child[i]);
	}
	end = time(NULL) + seconds_to_run();
	while (time(NULL) < end || gone < 2 * count) {
		unsigned int cpu = cpus[ph_random(&random) % count];
		bool online = !can_go(cpu);
		int ret = set_online(cpu, online);

		gone += !ret && !online;
		/* Busy for a moment: another one has not ended yet. */
		failed += ret && ret != -EBUSY;
		ph_sleep_ms(10 + ph_random(&random) % 100);
	}
	for (unsigned int i = 0; i < count; i++)
		if (!can_go(cpus[i]))
			EXPECT_EQ(0, set_online(cpus[i], true));
	for (int i = 0; i < WORKERS; i++) {
		EXPECT_TRUE(chaos_end(child[i]));
	}
	TH_LOG("%u times a processor went", gone);
	chaos_print(done);
	EXPECT_EQ(0, failed);
	EXPECT_TRUE(PH_WAIT_FOR(ph_system_is(self->fd, &self->system)));
}

TEST_HARNESS_MAIN
