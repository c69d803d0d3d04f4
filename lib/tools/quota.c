// SPDX-License-Identifier: MIT
/* Quotas on paper: see quota.h. */
#include <linux/privheap.h>

#include "ctl.h"
#include "quota.h"
#include "table.h"
#include "units.h"

#define QUOTA_HEADING \
	"SUBJECT REGIONS RESERVED COMMIT PEAK SOFT HARD " \
	"RESIDENT PEAK SOFT HARD DENIALS"

static void put_text(struct table *table, uint64_t bytes, bool exact)
{
	table_add(table, units_either(bytes, exact).text);
}

/* 0 is a size, but no reserve and no Nth charge are "-". */
static void put_counter(struct table *table, const char *name,
			const struct counter *counter, bool exact)
{
	char reserve[64] = "-";

	if (counter->reserve)
		snprintf(reserve, sizeof(reserve), "%s%s",
			 units_either(counter->reserve, exact).text,
			 counter->reserve_open ? " (open)" : "");
	table_add(table, name);
	put_text(table, counter->usage, exact);
	put_text(table, counter->peak, exact);
	put_text(table, counter->soft, exact);
	put_text(table, counter->hard, exact);
	table_add(table, reserve);
	table_add(table, counter->fail_nth ?
		  units_number(counter->fail_nth).text : "-");
	table_add(table, units_number(counter->denials).text);
}

void quota_print_books(const struct quota *quota, bool exact, FILE *out)
{
	struct table table;
	uint32_t i;

	if (quota->subject.level != PRIVHEAP_LEVEL_REGION)
		fprintf(out, "  regions   %s\n",
			units_number(quota->regions).text);
	fprintf(out, "  reserved  %s\n", units_either(quota->reserved, exact).text);
	fprintf(out, "  faults    %s\n", units_number(quota->faults).text);
	fprintf(out, "  denials   %s, here or further out\n\n",
		units_number(quota->denials).text);
	/* The first word is empty: above the names of the rows. */
	table_init(&table, " USAGE PEAK SOFT HARD RESERVE FAIL-NTH DENIALS", 1);
	for (i = 0; i < RECORD_RESOURCES; i++)
		put_counter(&table, record_resource_name(i), &quota->counters[i],
			    exact);
	table_print(&table, true, 0, out);
	table_release(&table);
}

void quota_print(const struct quota *quota, bool exact, FILE *out)
{
	fprintf(out, "%s\n", subject_format(&quota->subject).text);
	quota_print_books(quota, exact, out);
}

void quota_table(const struct quota_list *quotas, bool exact, bool heading,
		 size_t width, FILE *out)
{
	const struct counter *counter;
	const struct quota *quota;
	struct table table;
	uint32_t resource;
	size_t i;

	table_init(&table, QUOTA_HEADING, 1);
	for (i = 0; i < quotas->count; i++) {
		quota = &quotas->items[i];
		table_add(&table, subject_format(&quota->subject).text);
		table_add(&table, units_number(quota->regions).text);
		put_text(&table, quota->reserved, exact);
		for (resource = 0; resource < RECORD_RESOURCES; resource++) {
			counter = &quota->counters[resource];
			put_text(&table, counter->usage, exact);
			put_text(&table, counter->peak, exact);
			put_text(&table, counter->soft, exact);
			put_text(&table, counter->hard, exact);
		}
		table_add(&table, units_number(quota->denials).text);
	}
	table_print(&table, heading, width, out);
	table_release(&table);
}
