// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tenants of one process, one of which leaks.
 *
 * A server has eight tenants, each with a heap. A request of a tenant takes a
 * block and frees that of a request long done; from some step on one tenant
 * forgets to. The server runs twice, each time in a cgroup with the same
 * memory.max: with a cap on each heap, and with heaps that grow. The caps add up
 * to less than memory.max.
 *
 * Late in the run with caps the host recycles the leaking tenant: it destroys
 * the heap, and makes another one.
 */
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <privheap/heapapi.h>

#include "experiment.h"

#define TENANTS		8
#define LEAKING		5		/* its number */
#define LIVE		128		/* blocks of a tenant in use */
#define BLOCK_MIN	1024
#define BLOCK_SPAN	(14 * 1024)	/* above it */
#define CAP		(4 * MIB)
/* What the process needs besides its heaps. */
#define SLACK		(8 * MIB)
#define MEMORY_MAX	(TENANTS * CAP + SLACK)

static struct plan {
	int steps;
	int requests;		/* of a tenant in a step */
	int leak_from;
	int recycle_at;
} plan = { 200, 20, 30, 130 };

struct tenant {
	HANDLE heap;
	void *blocks[LIVE];
	unsigned int next;
	uint32_t random;
};

/**
 * struct row - a tenant after a step
 * @step: from 0
 * @tenant: its number
 * @served: requests in this step
 * @refused: likewise
 * @elsewhere: of those, not refused by the heap's own cap
 * @committed: bytes
 * @resident: bytes
 */
struct row {
	int step;
	int tenant;
	int served;
	int refused;
	int elsewhere;
	uint64_t committed;
	uint64_t resident;
};

/**
 * struct run - one run of the server
 * @name: in the table
 * @cap: of a heap, in bytes; 0: it grows
 * @cgroup: where it runs
 * @last_step: the last one of which there is a row
 * @served: requests of each tenant
 * @refused: likewise
 * @elsewhere: likewise
 * @served_again: of the leaking tenant, after it was recycled
 * @most: the most that a tenant had committed
 */
struct run {
	const char *name;
	uint64_t cap;
	char cgroup[128];
	int last_step;
	long served[TENANTS];
	long refused[TENANTS];
	long elsewhere[TENANTS];
	long served_again;
	uint64_t most;
};

/* ------------------------------------------------------------- the server */

static void tenant_begin(struct tenant *tenant, const struct run *run)
{
	tenant->heap = HeapCreate(0, 0, run->cap);
	if (!tenant->heap)
		experiment_die("HeapCreate: error %u", GetLastError());
	memset(tenant->blocks, 0, sizeof(tenant->blocks));
	tenant->next = 0;
}

static void request(struct tenant *tenant, bool leak, struct row *row)
{
	SIZE_T size = BLOCK_MIN + random_below(&tenant->random, BLOCK_SPAN);
	void **slot = &tenant->blocks[tenant->next];
	void *block = HeapAlloc(tenant->heap, 0, size);

	if (!block) {
		row->refused++;
		if (PrivheapGetDeniedLevel() != PRIVHEAP_LEVEL_REGION)
			row->elsewhere++;
		return;
	}
	memset(block, row->tenant, size);
	row->served++;
	if (!leak && !HeapFree(tenant->heap, 0, *slot))
		experiment_die("HeapFree: error %u", GetLastError());
	*slot = block;
	tenant->next = (tenant->next + 1) % LIVE;
}

static int serve(void *argument, int out)
{
	static struct tenant tenants[TENANTS];
	PRIVHEAP_USAGE usage = { .cb = sizeof(usage) };
	struct run *run = argument;
	struct row row;
	int step, i, n;

	cgroup_enter(run->cgroup);
	for (i = 0; i < TENANTS; i++) {
		tenants[i].random = i + 1;
		tenant_begin(&tenants[i], run);
	}
	for (step = 0; step < plan.steps; step++) {
		if (run->cap && step == plan.recycle_at) {
			HeapDestroy(tenants[LEAKING].heap);
			tenant_begin(&tenants[LEAKING], run);
		}
		for (i = 0; i < TENANTS; i++) {
			row = (struct row){ .step = step, .tenant = i };
			for (n = 0; n < plan.requests; n++)
				request(&tenants[i], i == LEAKING &&
					step >= plan.leak_from, &row);
			if (!PrivheapQueryHeap(tenants[i].heap, &usage))
				experiment_die("PrivheapQueryHeap: error %u",
					       GetLastError());
			row.committed = usage.cbCommitted;
			row.resident = usage.cbResident;
			write_row(out, &row, sizeof(row));
		}
	}
	for (i = 0; i < TENANTS; i++)
		HeapDestroy(tenants[i].heap);
	return 0;
}

/* --------------------------------------------------------------- the books */

static void note(struct run *run, const struct row *row, FILE *table)
{
	fprintf(table, "%s,%d,%d,%d,1,%llu,%llu,%d,%d\n", run->name, row->step,
		row->tenant, row->tenant == LEAKING,
		(unsigned long long)row->committed,
		(unsigned long long)row->resident, row->served, row->refused);
	run->last_step = row->step;
	run->served[row->tenant] += row->served;
	run->refused[row->tenant] += row->refused;
	run->elsewhere[row->tenant] += row->elsewhere;
	if (row->tenant == LEAKING && row->step >= plan.recycle_at)
		run->served_again += row->served;
	if (row->committed > run->most)
		run->most = row->committed;
}

/* The dead have rows, too: they hold nothing and serve nobody. */
static void note_death(struct run *run, FILE *table)
{
	int step, i;

	for (step = run->last_step + 1; step < plan.steps; step++)
		for (i = 0; i < TENANTS; i++)
			fprintf(table, "%s,%d,%d,%d,0,0,0,0,0\n", run->name,
				step, i, i == LEAKING);
}

/* Return: the server's status, as of waitpid(2). */
static int run_server(struct run *run, long long *kills, FILE *table)
{
	struct row row;
	pid_t pid;
	int in, status;

	cgroup_make(run->cgroup, sizeof(run->cgroup), run->name, MEMORY_MAX);
	in = child_start(serve, run, &pid);
	while (read_row(in, &row, sizeof(row)))
		note(run, &row, table);
	close(in);
	status = child_wait(pid);
	note_death(run, table);
	*kills = ph_cgroup_stat(run->cgroup, "memory.events", "oom_kill");
	ph_cgroup_remove(run->cgroup);
	return status;
}

static long expected(void)
{
	return (long)plan.steps * plan.requests;
}

static void with_caps(FILE *table)
{
	struct run run = { .name = "caps", .cap = CAP };
	long refused_others = 0, elsewhere = 0;
	long long kills;
	bool all = true;
	int i, status;

	status = run_server(&run, &kills, table);
	for (i = 0; i < TENANTS; i++) {
		elsewhere += run.elsewhere[i];
		if (i == LEAKING)
			continue;
		refused_others += run.refused[i];
		all = all && run.served[i] == expected();
	}
	claim(WIFEXITED(status) && !WEXITSTATUS(status) && !kills,
	      "with caps: nobody is killed, and the server ends as it should");
	claim(run.refused[LEAKING] > 0 && !elsewhere,
	      "the leaking tenant is refused (%ld of %ld requests), by its own cap",
	      run.refused[LEAKING], expected());
	claim(!refused_others && all,
	      "nobody else is: %d tenants had all of their %ld requests served",
	      TENANTS - 1, expected());
	claim(run.most <= CAP, "no tenant ever commits more than its cap: %llu of %llu KiB",
	      (unsigned long long)(run.most / KIB),
	      (unsigned long long)(CAP / KIB));
	claim(run.served_again >= LIVE / 2,
	      "recycled, it is served again: %ld requests", run.served_again);
}

static void without_caps(FILE *table)
{
	struct run run = { .name = "none" };
	long refused = 0;
	long long kills;
	int i, status;

	status = run_server(&run, &kills, table);
	for (i = 0; i < TENANTS; i++)
		refused += run.refused[i];
	claim(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL && kills > 0,
	      "without caps: the cgroup kills the server, and all tenants with it");
	claim(run.last_step > plan.leak_from && run.last_step + 1 < plan.steps,
	      "while the leak went on: in step %d of %d", run.last_step,
	      plan.steps);
	claim(!refused, "nobody was told before");
}

int main(int argc, char **argv)
{
	FILE *table;

	experiment_begin(argc, argv);
	if (experiment.small)
		plan = (struct plan){ 60, 60, 8, 40 };
	table = table_open("tenants.csv",
			   "run,step,tenant,leaks,alive,committed,resident,served,refused");
	with_caps(table);
	without_caps(table);
	table_close(table);
	return experiment_end();
}
