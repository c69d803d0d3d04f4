// SPDX-License-Identifier: GPL-2.0-only
/*
 * A cache beside other work, under one limit.
 *
 * A server answers requests for keys. It keeps what it has loaded in a cache, a
 * region of slots of which each is committed while it holds something, and needs
 * a buffer for each request in flight, from a heap. Both are charged to the
 * process, which has a soft and a hard limit. Twice requests take ten times as
 * long, so that many more are in flight. What is asked for most changes slowly.
 *
 * The server runs three times, and differs in what its cache does:
 *
 *   never	it is filled until it is refused, and then stays as it is
 *   refused	refused, it evicts what was not used for longest
 *   soft	told that the soft limit was crossed, it compacts the heap and
 *		evicts, until the process is well below the limit
 *
 * It is told by the kernel's netlink events. Who wants to see the same on every
 * run cannot leave it to chance when an event is read: after each request this
 * program looks whether the usage is above the limit, and then waits for the
 * event.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>
#include <sys/wait.h>

#include <privheap/heapapi.h>
#include <privheap/region.h>

#include "experiment.h"
#include "observer.h"

#define KEYS		4096
#define SLOT		(16 * KIB)	/* bytes of a cached value */
#define SLOTS		2048		/* what the region has room for */
#define BUFFER		(32 * KIB)	/* for a request in flight */
#define FLIGHT_MAX	256
#define HARD		(24 * MIB)
#define SOFT		(22 * MIB)
/* Told, the cache evicts until the process has so much less than SOFT. */
#define TRIM		(1 * MIB)
#define EVENT_MS	10000

static struct plan {
	int steps;
	int requests;		/* in a step */
	int drift;		/* keys by which favour moves on in a step */
	int flight;		/* requests in flight at a time */
	int burst;		/* the same in a burst */
	int from[2], to[2];	/* steps of bursts */
} plan = {
	.steps = 240, .requests = 100, .drift = 4, .flight = 16, .burst = 160,
	.from = { 110, 180 }, .to = { 140, 210 },
};

enum policy { NEVER, REFUSED, SOFT_LIMIT, POLICIES };

static const char *const policy_names[] = { "never", "refused", "soft" };

/**
 * struct row - what happened in a step
 * @step: from 0
 * @requests: that came
 * @hits: found in the cache
 * @failed: requests that got no buffer
 * @uncached: values that found no place in the cache
 * @evicted: values
 * @events: that told of the soft limit, both ways
 * @amiss: events that were not as they had to be, or did not come
 * @cache: bytes committed by the cache
 * @usage: bytes committed by the process
 * @peak: the most of it so far
 */
struct row {
	int step;
	int requests;
	int hits;
	int failed;
	int uncached;
	int evicted;
	int events;
	int amiss;
	uint64_t cache;
	uint64_t usage;
	uint64_t peak;
};

/* ------------------------------------------------------------- the server */

/**
 * struct server - the server, in its process
 * @policy: of the cache
 * @base: the cache's region
 * @slot_of: the slot of a key, -1 for none
 * @key_of: the key in a slot, -1 for none
 * @used: when a slot was used last
 * @slots: in use
 * @clock: counts requests
 * @heap: of buffers
 * @flight: buffers of @in_flight requests, the oldest at @oldest
 * @begun: when each began
 * @weight: sums of how much each rank is asked for
 * @random: state
 * @events: socket
 * @over: what the last event said
 */
struct server {
	enum policy policy;
	char *base;
	int slot_of[KEYS];
	int key_of[SLOTS];
	unsigned long used[SLOTS];
	int slots;
	unsigned long clock;
	HANDLE heap;
	void *flight[FLIGHT_MAX];
	unsigned long begun[FLIGHT_MAX];
	int oldest, in_flight;
	uint32_t weight[KEYS];
	uint32_t random;
	int events;
	bool over;
};

/* The rank r is asked for as often as 1 / (r + 8). */
static void make_weights(struct server *server)
{
	uint32_t sum = 0;
	int i;

	for (i = 0; i < KEYS; i++) {
		sum += 8000000 / (i + 8);
		server->weight[i] = sum;
	}
}

static int draw_key(struct server *server, int step)
{
	uint32_t drawn = random_below(&server->random, server->weight[KEYS - 1]);
	int low = 0, high = KEYS - 1, middle;

	while (low < high) {
		middle = (low + high) / 2;
		if (server->weight[middle] > drawn)
			high = middle;
		else
			low = middle + 1;
	}
	return (low + step * plan.drift) % KEYS;
}

static uint64_t usage_now(uint64_t *peak)
{
	struct privheap_limit limit = { .resource = PRIVHEAP_RESOURCE_COMMIT };
	int ret = limit_set(NULL, &limit);

	if (ret)
		experiment_die("LIMIT: %s", strerror(-ret));
	if (peak)
		*peak = limit.out_peak;
	return limit.out_usage;
}

/* Return: the slot that became free, -1 if there was none in use. */
static int evict(struct server *server, struct row *row)
{
	int i, oldest = -1;

	for (i = 0; i < SLOTS; i++)
		if (server->key_of[i] >= 0 &&
		    (oldest < 0 || server->used[i] < server->used[oldest]))
			oldest = i;
	if (oldest < 0)
		return -1;
	if (privheap_region_decommit(server->base, oldest * SLOT, SLOT))
		experiment_die("decommit: %s", strerror(errno));
	server->slot_of[server->key_of[oldest]] = -1;
	server->key_of[oldest] = -1;
	server->slots--;
	row->evicted++;
	return oldest;
}

static bool commit_slot(struct server *server, int slot)
{
	if (!privheap_region_commit(server->base, slot * SLOT, SLOT, 0))
		return true;
	if (errno != EDQUOT ||
	    privheap_last_denied() != PRIVHEAP_LEVEL_PROCESS)
		experiment_die("commit: %s", strerror(errno));
	return false;
}

static void insert(struct server *server, int key, struct row *row)
{
	int slot = 0;

	while (slot < SLOTS && server->key_of[slot] >= 0)
		slot++;
	if (slot == SLOTS)
		slot = evict(server, row);
	if (!commit_slot(server, slot)) {
		slot = server->policy == NEVER ? -1 : evict(server, row);
		if (slot < 0 || !commit_slot(server, slot)) {
			row->uncached++;
			return;
		}
	}
	memset(server->base + slot * SLOT, key, SLOT);
	server->key_of[slot] = key;
	server->slot_of[key] = slot;
	server->used[slot] = server->clock;
	server->slots++;
}

/* Those are done that began so many requests ago. */
static void finish(struct server *server, unsigned long ago)
{
	while (server->in_flight &&
	       server->begun[server->oldest] + ago <= server->clock) {
		HeapFree(server->heap, 0, server->flight[server->oldest]);
		server->oldest = (server->oldest + 1) % FLIGHT_MAX;
		server->in_flight--;
	}
}

static bool take_buffer(struct server *server)
{
	int last = (server->oldest + server->in_flight) % FLIGHT_MAX;
	void *buffer = HeapAlloc(server->heap, 0, BUFFER);

	if (!buffer)
		return false;
	memset(buffer, 1, BUFFER);
	server->flight[last] = buffer;
	server->begun[last] = server->clock;
	server->in_flight++;
	return true;
}

/*
 * Reads events until the last one said what is so. They are about this process,
 * and alternate; that the hard limit refused is for others to know.
 */
static void read_events(struct server *server, bool over, struct row *row)
{
	struct quota_event event;
	bool above;

	while (server->over != over) {
		if (!observer_wait(server->events, EVENT_MS, &event)) {
			row->amiss++;
			server->over = over;
			return;
		}
		if (event.command == PRIVHEAP_CMD_QUOTA_DENIED_NTF)
			continue;
		above = event.command == PRIVHEAP_CMD_QUOTA_SOFT_NTF;
		if (above == server->over ||
		    event.level != PRIVHEAP_LEVEL_PROCESS ||
		    event.subject != (uint64_t)getpid() ||
		    event.resource != PRIVHEAP_RESOURCE_COMMIT)
			row->amiss++;
		row->events++;
		server->over = above;
	}
}

static void heed_events(struct server *server, struct row *row)
{
	read_events(server, usage_now(NULL) > SOFT, row);
	if (server->policy != SOFT_LIMIT || !server->over)
		return;
	/* What a burst has left first, then what was used. */
	HeapCompact(server->heap, 0);
	while (usage_now(NULL) > SOFT - TRIM && evict(server, row) >= 0)
		;
	read_events(server, usage_now(NULL) > SOFT, row);
}

static void request(struct server *server, int step, int flight,
		    struct row *row)
{
	int key = draw_key(server, step);

	server->clock++;
	row->requests++;
	finish(server, flight);
	if (!take_buffer(server)) {
		row->failed++;
	} else if (server->slot_of[key] >= 0) {
		row->hits++;
		server->used[server->slot_of[key]] = server->clock;
	} else {
		insert(server, key, row);
	}
	heed_events(server, row);
}

static void set_limits(void)
{
	struct privheap_limit limit = {
		.resource = PRIVHEAP_RESOURCE_COMMIT,
		.set = PRIVHEAP_SET_SOFT | PRIVHEAP_SET_HARD,
		.soft = SOFT,
		.hard = HARD,
	};
	int ret = limit_set(NULL, &limit);

	if (ret)
		experiment_die("LIMIT: %s", strerror(-ret));
}

static bool in_burst(int step)
{
	int i;

	for (i = 0; i < 2; i++)
		if (step >= plan.from[i] && step < plan.to[i])
			return true;
	return false;
}

static int serve(void *argument, int out)
{
	static struct server server;
	struct row row;
	int step, i;

	server.policy = *(enum policy *)argument;
	server.random = 1;
	memset(server.slot_of, -1, sizeof(server.slot_of));
	memset(server.key_of, -1, sizeof(server.key_of));
	make_weights(&server);
	server.events = observer_events();
	set_limits();
	server.base = privheap_region_create(SLOTS * SLOT, 0, 0, 0);
	server.heap = HeapCreate(0, 0, 0);
	if (!server.base || !server.heap)
		experiment_die("no memory to begin with");

	for (step = 0; step < plan.steps; step++) {
		row = (struct row){ .step = step };
		for (i = 0; i < plan.requests; i++)
			request(&server, step, in_burst(step) ? plan.burst :
				plan.flight, &row);
		row.cache = server.slots * SLOT;
		row.usage = usage_now(&row.peak);
		write_row(out, &row, sizeof(row));
	}
	HeapDestroy(server.heap);
	privheap_region_destroy(server.base);
	return 0;
}

/* --------------------------------------------------------------- the books */

/**
 * struct totals - of a run
 * @all: sums of its rows
 * @late: the same, of steps that are no bursts, in the second half
 * @peak: the most bytes that the process had committed
 * @status: as of waitpid(2)
 */
struct totals {
	struct row all;
	struct row late;
	uint64_t peak;
	int status;
};

static void add(struct row *sum, const struct row *row)
{
	sum->requests += row->requests;
	sum->hits += row->hits;
	sum->failed += row->failed;
	sum->uncached += row->uncached;
	sum->evicted += row->evicted;
	sum->events += row->events;
	sum->amiss += row->amiss;
}

static struct totals run_server(enum policy policy, FILE *table)
{
	struct totals totals = { 0 };
	struct row row;
	pid_t pid;
	int in;

	in = child_start(serve, &policy, &pid);
	while (read_row(in, &row, sizeof(row))) {
		fprintf(table, "%s,%d,%d,%d,%d,%d,%d,%d,%d,%llu,%llu\n",
			policy_names[policy], row.step, in_burst(row.step),
			row.requests, row.hits, row.failed, row.uncached,
			row.evicted, row.events, (unsigned long long)row.cache,
			(unsigned long long)row.usage);
		add(&totals.all, &row);
		if (row.step >= plan.steps / 2 && !in_burst(row.step))
			add(&totals.late, &row);
		totals.peak = row.peak;
	}
	close(in);
	totals.status = child_wait(pid);
	return totals;
}

static double ratio(const struct row *row)
{
	return row->requests ? 100.0 * row->hits / row->requests : 0;
}

static const char heading[] =
	"policy,step,burst,requests,hits,failed,uncached,evicted,events,cache,usage";

int main(int argc, char **argv)
{
	struct totals totals[POLICIES];
	FILE *table;
	int i;

	experiment_begin(argc, argv);
	if (experiment.small)
		plan = (struct plan){
			.steps = 60, .requests = 100, .drift = 16, .flight = 16,
			.burst = 160, .from = { 40, 48 }, .to = { 44, 52 },
		};
	table = table_open("cache.csv", heading);
	for (i = 0; i < POLICIES; i++) {
		totals[i] = run_server(i, table);
		claim(WIFEXITED(totals[i].status) &&
		      !WEXITSTATUS(totals[i].status) &&
		      totals[i].peak <= HARD && !totals[i].all.amiss &&
		      totals[i].all.events,
		      "%s: it lives, within the hard limit, and got each of %d events",
		      policy_names[i], totals[i].all.events);
		printf("        %s: %d of %d requests failed, %.1f %% hits late, %d evicted\n",
		       policy_names[i], totals[i].all.failed,
		       totals[i].all.requests, ratio(&totals[i].late),
		       totals[i].all.evicted);
	}
	table_close(table);
	claim(!totals[SOFT_LIMIT].all.failed && !totals[SOFT_LIMIT].all.uncached,
	      "a cache that heeds the soft limit: no request ever fails");
	claim(totals[NEVER].all.failed && totals[REFUSED].all.failed,
	      "those that run into the hard limit leave requests without a buffer");
	claim(totals[SOFT_LIMIT].peak < HARD && totals[REFUSED].peak >= HARD - SLOT,
	      "at most %.1f MiB of %.1f are committed with it, %.1f without",
	      (double)totals[SOFT_LIMIT].peak / MIB, (double)HARD / MIB,
	      (double)totals[REFUSED].peak / MIB);
	claim(ratio(&totals[SOFT_LIMIT].late) > ratio(&totals[NEVER].late) + 5,
	      "it goes with what is asked for, a cache that only fills does not");
	return experiment_end();
}
