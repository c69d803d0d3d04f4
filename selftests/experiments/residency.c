// SPDX-License-Identifier: GPL-2.0-only
/*
 * Commit against residency.
 *
 * Four tenants, each with a region, commit the same in the same steps, and touch
 * it as programs do: from the start on; here and there; some pages in a row here
 * and there; and one page in sixteen. Then they give it back from the end. After
 * each touch the kernel is asked what it took for it, so that the size of each
 * folio is known.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <privheap/region.h>

#include "experiment.h"

#define TENANTS		4
#define ORDERS		10		/* folios of 1 to 512 pages */
#define ROW		10		/* pages in a row */
#define SPARSE		16		/* a page of so many */

enum { SEQUENTIAL, RANDOM, ROWS, SPARSELY };

static struct plan {
	int steps;		/* that grow */
	int commit_every;	/* steps */
	uint64_t stride;	/* bytes for each step */
	int back_steps;		/* that give all back */
} plan = { 48, 4, 2 * MIB, 16 };

/**
 * struct tenant - a region and how it is used
 * @name: in the tables
 * @base: the region
 * @random: state
 * @touched: bit for each page
 * @distinct: pages touched at least once, and not given back
 * @resident: bytes when last asked
 * @faults: touches that took a folio of 1 << n pages
 * @odd: touches that took something that is no folio
 * @below: how often less was resident than was touched
 * @above: how often more was resident than committed
 */
struct tenant {
	const char *name;
	char *base;
	uint32_t random;
	unsigned char *touched;
	uint64_t distinct;
	uint64_t resident;
	unsigned long faults[ORDERS];
	unsigned long odd;
	unsigned long below;
	unsigned long above;
};

static uint64_t whole(void)
{
	return plan.steps * plan.stride;
}

static struct privheap_region_info ask(const struct tenant *tenant)
{
	struct privheap_region_info info;

	if (privheap_region_query(tenant->base, &info))
		experiment_die("query: %s", strerror(errno));
	return info;
}

static void count_folio(struct tenant *tenant, uint64_t bytes)
{
	uint64_t pages = bytes / PAGE;
	int order = 0;

	if (!bytes)
		return;
	while (order < ORDERS && (1ULL << order) < pages)
		order++;
	if (order < ORDERS && 1ULL << order == pages)
		tenant->faults[order]++;
	else
		tenant->odd++;
}

static void touch(struct tenant *tenant, uint64_t page)
{
	uint64_t resident;

	*(volatile char *)(tenant->base + page * PAGE) = 1;
	if (!tenant->touched[page]) {
		tenant->touched[page] = 1;
		tenant->distinct++;
	}
	resident = ask(tenant).resident;
	count_folio(tenant, resident - tenant->resident);
	tenant->resident = resident;
}

static void touch_step(struct tenant *tenant, int which, int step,
		       uint64_t committed)
{
	uint64_t first = step * plan.stride / PAGE;
	uint64_t pages = plan.stride / PAGE, page = 0, i;

	for (i = 0; i < pages; i++) {
		if (which == SEQUENTIAL || (which == SPARSELY && !(i % SPARSE)))
			page = first + i;
		else if (which == RANDOM)
			page = random_below(&tenant->random, committed / PAGE);
		else if (which == ROWS && i % ROW)
			page++;
		else if (which == ROWS)
			page = random_below(&tenant->random,
					    committed / PAGE - ROW + 1);
		else
			continue;
		touch(tenant, page);
	}
}

static void give_back(struct tenant *tenant, uint64_t keep, uint64_t committed)
{
	uint64_t page;

	if (privheap_region_decommit(tenant->base, keep, committed - keep))
		experiment_die("cannot decommit: %s", strerror(errno));
	for (page = keep / PAGE; page < committed / PAGE; page++) {
		tenant->distinct -= tenant->touched[page];
		tenant->touched[page] = 0;
	}
}

static void note(struct tenant *tenant, int step, FILE *table)
{
	struct privheap_region_info info = ask(tenant);

	tenant->resident = info.resident;
	if (info.resident < tenant->distinct * PAGE)
		tenant->below++;
	if (info.resident > info.committed)
		tenant->above++;
	fprintf(table, "%d,%s,%llu,%llu,%llu,%llu\n", step, tenant->name,
		(unsigned long long)info.committed,
		(unsigned long long)info.resident,
		(unsigned long long)(tenant->distinct * PAGE),
		(unsigned long long)info.faults);
}

static void grow(struct tenant *tenants, FILE *table)
{
	uint64_t committed = 0, pages = whole() / PAGE;
	struct tenant *tenant;
	int step, i;

	for (step = 0; step < plan.steps; step++) {
		if (step % plan.commit_every == 0)
			committed += plan.commit_every * plan.stride;
		for (i = 0; i < TENANTS; i++) {
			tenant = &tenants[i];
			if (privheap_region_grow(tenant->base, committed, 0))
				experiment_die("cannot commit: %s",
					       strerror(errno));
			touch_step(tenant, i, step, committed);
			note(tenant, step, table);
		}
	}
	claim(tenants[SEQUENTIAL].resident == whole(),
	      "sequential: all that is committed is resident");
	claim(tenants[SPARSELY].resident == pages / SPARSE * PAGE,
	      "sparse: exactly the pages that were touched, a %dth",
	      SPARSE);
	claim(tenants[RANDOM].resident <= tenants[RANDOM].distinct * PAGE * 21 / 20,
	      "random: at most a twentieth more than was touched: %llu of %llu pages",
	      (unsigned long long)(tenants[RANDOM].resident / PAGE),
	      (unsigned long long)tenants[RANDOM].distinct);
	claim(tenants[ROWS].resident <= tenants[ROWS].distinct * PAGE * 3 / 2,
	      "rows: at most half more than was touched: %llu of %llu pages",
	      (unsigned long long)(tenants[ROWS].resident / PAGE),
	      (unsigned long long)tenants[ROWS].distinct);
}

static void shrink(struct tenant *tenants, FILE *table)
{
	uint64_t committed = whole(), keep;
	uint64_t left = 0;
	int step, i;

	for (step = 1; step <= plan.back_steps; step++) {
		keep = whole() / plan.back_steps * (plan.back_steps - step);
		for (i = 0; i < TENANTS; i++) {
			give_back(&tenants[i], keep, committed);
			note(&tenants[i], plan.steps + step - 1, table);
		}
		committed = keep;
	}
	for (i = 0; i < TENANTS; i++)
		left += tenants[i].resident;
	claim(!left, "given back, nothing is resident");
}

static void tell_folios(struct tenant *tenants)
{
	FILE *table = table_open("folios.csv",
				 "tenant,folio_pages,faults,pages,share");
	unsigned long faults, pages, here;
	struct tenant *tenant;
	int i, order;

	for (i = 0; i < TENANTS; i++) {
		tenant = &tenants[i];
		faults = 0;
		pages = 0;
		for (order = 0; order < ORDERS; order++) {
			faults += tenant->faults[order];
			pages += tenant->faults[order] << order;
		}
		for (order = 0; order < ORDERS; order++) {
			here = tenant->faults[order] << order;
			fprintf(table, "%s,%d,%lu,%lu,%.4f\n", tenant->name,
				1 << order, tenant->faults[order], here,
				pages ? (double)here / pages : 0);
		}
		claim(!tenant->odd && !tenant->below && !tenant->above,
		      "%s: touched <= resident <= committed after each step, and all is folios",
		      tenant->name);
		printf("        %s: %lu faults for %lu pages\n", tenant->name,
		       faults, pages);
		if (i == SEQUENTIAL && (ask(tenant).features & PRIVHEAP_FEATURE_HUGE))
			claim(here >= pages * 3 / 4,
			      "sequential: three quarters are folios of 2 MiB");
		else if (i == SPARSELY)
			claim(faults == pages, "sparse: all are single pages");
	}
	table_close(table);
}

int main(int argc, char **argv)
{
	struct tenant tenants[TENANTS] = {
		[SEQUENTIAL] = { .name = "sequential", .random = 1 },
		[RANDOM] = { .name = "random", .random = 2 },
		[ROWS] = { .name = "rows", .random = 3 },
		[SPARSELY] = { .name = "sparse", .random = 4 },
	};
	FILE *table;
	int i;

	experiment_begin(argc, argv);
	if (experiment.small)
		plan.steps = 16;
	for (i = 0; i < TENANTS; i++) {
		tenants[i].base = privheap_region_create(whole(), 0, 0, 0);
		tenants[i].touched = calloc(1, whole() / PAGE);
		if (!tenants[i].base || !tenants[i].touched)
			experiment_die("no region: %s", strerror(errno));
	}
	table = table_open("residency.csv",
			   "step,tenant,committed,resident,touched,faults");
	grow(tenants, table);
	shrink(tenants, table);
	table_close(table);
	tell_folios(tenants);
	for (i = 0; i < TENANTS; i++) {
		privheap_region_destroy(tenants[i].base);
		free(tenants[i].touched);
	}
	return experiment_end();
}
