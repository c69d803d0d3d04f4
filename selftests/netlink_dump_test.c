// SPDX-License-Identifier: GPL-2.0-only
/* Dumps of ten thousand regions, while others come and go. */
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>

#include "netlink_fixture.h"

#define REGIONS_MOST	10000
#define REGIONS		region_count()
#define FEW		1000
#define DUMPS		4
#define MAX_MAP_COUNT	"/proc/sys/vm/max_map_count"

static uint64_t lasting[REGIONS_MOST];

/* PRIVHEAP_DUMP_REGIONS, for where each of them takes long, or all. */
static unsigned int region_count(void)
{
	const char *wish = getenv("PRIVHEAP_DUMP_REGIONS");
	unsigned long count = wish ? strtoul(wish, NULL, 10) : 0;

	return count > FEW && count < REGIONS_MOST ? count : REGIONS_MOST;
}

static unsigned int made;

/* How often each of the lasting ones was seen; a dump is in their order. */
struct seen {
	unsigned int next;	/* of the lasting ones, to be seen next */
	unsigned int count;
	unsigned int unordered;
	uint64_t last;
};

static void see(struct nl_object *object, void *argument)
{
	uint64_t id = object->value[PRIVHEAP_A_REGION_ID];
	struct seen *seen = argument;

	/* Rising, so none is there twice. */
	seen->unordered += id <= seen->last;
	seen->last = id;
	seen->count++;
	if (seen->next < made && lasting[seen->next] == id)
		seen->next++;
}

static int make_lasting(int fd, unsigned int count)
{
	char *base;
	int ret;

	for (; made < count; made++) {
		ret = ph_create(fd, 4 * PAGE, PAGE, PRIVHEAP_CREATE_LAZY, &base);
		if (ret)
			return ret;
		lasting[made] = ph_region(fd, base).out_id;
	}
	return 0;
}

static uint64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000000000ULL + time.tv_nsec;
}

struct churn {
	pthread_t thread;
	int fd;
	bool stop;
	unsigned int changes;
	int failed;
};

static void *come_and_go(void *argument)
{
	struct churn *churn = argument;
	char *base[16] = { 0 };

	for (unsigned int i = 0; !__atomic_load_n(&churn->stop, __ATOMIC_ACQUIRE); i++) {
		if (base[i % 16])
			churn->failed |= ph_destroy(churn->fd, base[i % 16]);
		churn->failed |= ph_create(churn->fd, 4 * PAGE, PAGE,
					   PRIVHEAP_CREATE_LAZY, &base[i % 16]);
		__atomic_add_fetch(&churn->changes, 1, __ATOMIC_ACQ_REL);
	}
	return NULL;
}

#define NEEDS_MAPPINGS() do {						\
	if (ph_read_number(MAX_MAP_COUNT) < 3 * REGIONS)		\
		SKIP(return, MAX_MAP_COUNT " is too low");		\
} while (0)

TEST_F_TIMEOUT(netlink, while_others_come_and_go, 400)
{
	struct churn churn = { .fd = self->fd };
	unsigned int interrupted = 0;
	struct seen seen;

	NEEDS_MAPPINGS();
	/* Between others, so that what comes and goes is not all at the end. */
	ASSERT_EQ(0, make_lasting(self->fd, REGIONS / 2));
	ASSERT_EQ(0, pthread_create(&churn.thread, NULL, come_and_go, &churn));
	ASSERT_EQ(0, make_lasting(self->fd, REGIONS));
	for (int i = 0; i < DUMPS; i++) {
		unsigned int changes = __atomic_load_n(&churn.changes, __ATOMIC_ACQUIRE);

		memset(&seen, 0, sizeof(seen));
		ASSERT_EQ(0, nl_dump(&self->nl, PRIVHEAP_CMD_REGION_GET, 0, 0, see,
				     &seen));
		EXPECT_EQ(REGIONS, seen.next);
		EXPECT_EQ(0, seen.unordered);
		changes = __atomic_load_n(&churn.changes, __ATOMIC_ACQUIRE) - changes;
		TH_LOG("%u seen, %u changes meanwhile%s", seen.count, changes,
		       self->nl.interrupted ? ", told" : "");
		interrupted += self->nl.interrupted;
		/* The first and the last may have been outside of it. */
		if (changes > 2)
			EXPECT_TRUE(self->nl.interrupted);
	}
	EXPECT_NE(0, interrupted);
	__atomic_store_n(&churn.stop, true, __ATOMIC_RELEASE);
	pthread_join(churn.thread, NULL);
	EXPECT_EQ(0, churn.failed);

	memset(&seen, 0, sizeof(seen));
	ASSERT_EQ(0, nl_dump(&self->nl, PRIVHEAP_CMD_REGION_GET, 0, 0, see, &seen));
	EXPECT_EQ(REGIONS, seen.next);
	EXPECT_EQ(0, seen.unordered);
	EXPECT_FALSE(self->nl.interrupted);
}

/* What it takes is told, not judged: see selftests/bench. */
TEST_F_TIMEOUT(netlink, cost_of_a_dump, 400)
{
	const unsigned int counts[] = { FEW, REGIONS };
	struct seen seen;
	uint64_t began;

	NEEDS_MAPPINGS();
	for (int i = 0; i < 2; i++) {
		ASSERT_EQ(0, make_lasting(self->fd, counts[i]));
		memset(&seen, 0, sizeof(seen));
		began = now();
		ASSERT_EQ(0, nl_dump(&self->nl, PRIVHEAP_CMD_REGION_GET, 0, 0, see,
				     &seen));
		TH_LOG("%u regions: %llu ns each", seen.count,
		       (unsigned long long)(now() - began) / seen.count);
		EXPECT_EQ(counts[i], seen.next);
	}
}

/* Begin a dump, and read no more than the first messages of it. */
static int begin_dump(struct nl_socket *nl)
{
	struct nl_message message;
	char some[4096];

	nl_begin(&message, nl, PRIVHEAP_CMD_REGION_GET, NLM_F_DUMP);
	if (nl_send(nl, &message) || recv(nl->fd, some, sizeof(some), 0) <= 0)
		return -EIO;
	return 0;
}

TEST_F(netlink, left_in_the_middle)
{
	struct nl_socket nl[20];
	struct nl_message message;
	struct seen seen = { 0 };

	ASSERT_EQ(0, make_lasting(self->fd, FEW));
	for (int i = 0; i < 20; i++) {
		ASSERT_EQ(0, nl_open(&nl[i]));
		ASSERT_EQ(0, begin_dump(&nl[i]));
	}
	/* One dump at a time on a socket. */
	nl_begin(&message, &nl[0], PRIVHEAP_CMD_REGION_GET, NLM_F_DUMP);
	EXPECT_EQ(-EBUSY, nl_call(&nl[0], &message, NULL, NULL));
	/* Many at a time in all; this one to its end. */
	ASSERT_EQ(0, nl_dump(&self->nl, PRIVHEAP_CMD_REGION_GET, 0, 0, see, &seen));
	EXPECT_EQ(FEW, seen.next);
	EXPECT_FALSE(self->nl.interrupted);
	for (int i = 0; i < 20; i++)
		nl_close(&nl[i]);
}

/* A region that is gone is not waited for by a dump that is not read. */
TEST_F(netlink, holds_nothing)
{
	struct nl_socket nl;
	uint64_t id;
	char *base;

	ASSERT_EQ(0, make_lasting(self->fd, FEW));
	ASSERT_EQ(0, ph_create(self->fd, 64 * PAGE, 64 * PAGE, 0, &base));
	id = ph_region(self->fd, base).out_id;
	ASSERT_EQ(0, nl_open(&nl));
	ASSERT_EQ(0, begin_dump(&nl));
	ASSERT_EQ(0, ph_destroy(self->fd, base));
	EXPECT_EQ(-ENOENT, nl_region(&self->nl, id, &(struct nl_object){ 0 }));
	nl_close(&nl);
}

TEST_HARNESS_MAIN
