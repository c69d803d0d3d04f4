// SPDX-License-Identifier: GPL-2.0-only
/* Each tracepoint fires when it should, with the right numbers. */
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define PH_OWN_FIXTURE
#include "privheap_fixture.h"

#define TRACEFS		"/sys/kernel/tracing"

FIXTURE(trace)
{
	int fd;
	struct privheap_query system;
	char instance[128];
};

static int instance_write(const FIXTURE_DATA(trace) *self, const char *file,
			  const char *text)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", self->instance, file);
	return ph_write_file(path, text);
}

/* An instance of its own: nobody else's events in it, nor these in others. */
FIXTURE_SETUP(trace)
{
	PH_SETUP();
	if (!ph_exists(TRACEFS "/events"))
		SKIP(return, "no tracefs at " TRACEFS);
	if (!ph_exists(TRACEFS "/events/privheap"))
		SKIP(return, "no tracepoints (kernel without them, or module without signature)");
	snprintf(self->instance, sizeof(self->instance),
		 TRACEFS "/instances/privheap-%d", getpid());
	if (mkdir(self->instance, 0700))
		SKIP(return, "no trace instance: %s", strerror(errno));
	ASSERT_EQ(0, instance_write(self, "events/privheap/enable", "1"));
}

FIXTURE_TEARDOWN_PARENT(trace)
{
	instance_write(self, "events/privheap/enable", "0");
	rmdir(self->instance);
	PH_TEARDOWN();
}

/* How many events of this process hold this text. */
static int events(const FIXTURE_DATA(trace) *self, const char *text)
{
	char path[256], line[512], pid[32];
	int count = 0;
	FILE *file;

	snprintf(pid, sizeof(pid), "-%d ", getpid());
	snprintf(path, sizeof(path), "%s/trace", self->instance);
	file = fopen(path, "re");
	if (!file)
		return -1;
	while (fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = '\0';
		count += strstr(line, pid) && strstr(line, text);
	}
	fclose(file);
	return count;
}

#define EXPECT_EVENTS(count, ...) do {					\
	char _text[200];						\
	snprintf(_text, sizeof(_text), __VA_ARGS__);			\
	EXPECT_EQ(count, events(self, _text)) {				\
		TH_LOG("%s", _text);					\
	}								\
} while (0)

TEST_F(trace, all_of_them)
{
	unsigned long long id;
	char *base;

	ASSERT_EQ(0, ph_create_limit(self->fd, 64 * PAGE, 4 * PAGE, 32 * PAGE,
				     PRIVHEAP_CREATE_LAZY, &base));
	id = ph_region(self->fd, base).out_id;
	EXPECT_EVENTS(1, "privheap_create: id=%llu reserved=64 committed=4 flags=0x2", id);

	ASSERT_EQ(0, ph_grow(self->fd, base, 10 * PAGE, 0));
	EXPECT_EVENTS(1, "privheap_commit: id=%llu first=0 pages=10 changed=6",
		      id);
	ASSERT_EQ(0, ph_commit(self->fd, base, 8 * PAGE, 8 * PAGE, 0));
	EXPECT_EVENTS(1, "privheap_commit: id=%llu first=8 pages=8 changed=6",
		      id);

	EXPECT_EVENTS(0, "privheap_populate: id=%llu", id);
	ASSERT_EQ(0, ph_write(base + 9 * PAGE, 1));
	EXPECT_EVENTS(1, "privheap_populate: id=%llu first=9 order=0", id);
	EXPECT_EVENTS(1, "privheap_populate: id=%llu", id);

	ASSERT_EQ(0, ph_decommit(self->fd, base, 12 * PAGE, 20 * PAGE));
	EXPECT_EVENTS(1, "privheap_decommit: id=%llu first=12 pages=20 changed=4", id);

	ASSERT_EQ(-EDQUOT, ph_commit(self->fd, base, 12 * PAGE, 40 * PAGE, 0));
	EXPECT_EVENTS(1, "privheap_denial: id=%llu resource=commit level=region subject=%llu %s",
		      id, id, "pages=40");

	EXPECT_EVENTS(0, "privheap_destroy: id=%llu", id);
	ASSERT_EQ(0, ph_destroy(self->fd, base));
	EXPECT_EVENTS(1, "privheap_destroy: id=%llu committed=12 resident=1",
		      id);
}

/* What does not happen is not told. */
TEST_F(trace, no_event_without_a_change)
{
	struct privheap_query query;
	unsigned long long id;
	char *base;

	ASSERT_EQ(0, ph_create(self->fd, 64 * PAGE, 8 * PAGE, 0, &base));
	id = ph_region(self->fd, base).out_id;
	ASSERT_EQ(0, instance_write(self, "trace", "\n"));
	EXPECT_EQ(0, ph_grow(self->fd, base, 4 * PAGE, 0));
	EXPECT_EQ(0, ph_decommit(self->fd, base, 32 * PAGE, 8 * PAGE));
	EXPECT_EQ(0, ph_query(self->fd, base, 0, &query));
	EXPECT_EQ(-EINVAL, ph_commit(self->fd, base, 64 * PAGE, PAGE, 0));
	EXPECT_EQ(0, ph_write(base, 1));
	EXPECT_EVENTS(0, "privheap_");
	/* The end of a process is told like that of a region. */
	ASSERT_EQ(0, munmap(base, 64 * PAGE));
	EXPECT_TRUE(PH_WAIT_FOR(ph_system_is(self->fd, &self->system)));
	EXPECT_EVENTS(1, "privheap_destroy: id=%llu committed=8 resident=8", id);
}

TEST_HARNESS_MAIN
