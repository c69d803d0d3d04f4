// SPDX-License-Identifier: MIT
/* What top shows: see top_frame.h. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <linux/privheap.h>

#include "bar.h"
#include "ctl.h"
#include "names.h"
#include "sort.h"
#include "table.h"
#include "text.h"
#include "top_frame.h"
#include "units.h"

#define SYSTEM_LINE \
	"committed %s of %s (peak %s), resident %s (peak %s), denials %s"

/* Columns of a screen that is not narrow. */
#define WIDE		100

/* Of the bars in the table, and of the system's. */
#define BAR_WIDTH	20
#define BAR_NARROW	10
#define SYSTEM_WIDTH	30

#define REGION_HEADING \
	"ID PID USER COMMAND RESERVED COMMIT RESIDENT LIMIT DENIALS COMMIT/LIMIT"
#define REGION_HEADING_NARROW \
	"ID PID USER COMMAND COMMIT RESIDENT LIMIT DENIALS COMMIT/LIMIT"
#define QUOTA_HEADING \
	"SUBJECT REGIONS COMMIT PEAK SOFT HARD RESIDENT PEAK HARD DENIALS COMMIT/HARD"
#define QUOTA_HEADING_NARROW \
	"SUBJECT REGIONS COMMIT HARD RESIDENT DENIALS COMMIT/HARD"

/* USER, COMMAND and the bar; SUBJECT and the bar */
#define REGION_LEFT	(1 << 2 | 1 << 3 | 1 << 9)
#define REGION_LEFT_NARROW	(1 << 2 | 1 << 3 | 1 << 8)
#define QUOTA_LEFT	(1 << 0 | 1 << 10)
#define QUOTA_LEFT_NARROW	(1 << 0 | 1 << 6)

__attribute__((format(printf, 3, 4)))
static void put_line(const struct top_look *look, FILE *out, const char *format,
		     ...)
{
	char text[512];
	size_t length;
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	length = look->width ? text_fit(text, look->width) : strlen(text);
	fwrite(text, 1, length, out);
	fputc('\n', out);
}

static bool is_narrow(const struct top_look *look)
{
	return look->width && look->width < WIDE;
}

static void put_bar(struct table *table, const struct top_look *look,
		    const struct quota *quota)
{
	const struct counter *commit = &quota->counters[PRIVHEAP_RESOURCE_COMMIT];
	const struct counter *resident =
		&quota->counters[PRIVHEAP_RESOURCE_RESIDENT];
	char bar[BAR_BYTES(BAR_WIDTH)];

	bar_draw(bar, is_narrow(look) ? BAR_NARROW : BAR_WIDTH, resident->usage,
		 commit->usage, commit->hard, look->utf8);
	table_add(table, bar);
}

static void put_regions(const struct top_look *look, struct table *table,
			const struct region_list *regions)
{
	const struct counter *counters;
	const bool narrow = is_narrow(look);
	const struct region *region;
	char command[NAMES_COMMAND];
	size_t i;

	table_init(table, narrow ? REGION_HEADING_NARROW : REGION_HEADING,
		   narrow ? REGION_LEFT_NARROW : REGION_LEFT);
	for (i = 0; i < regions->count; i++) {
		region = &regions->items[i];
		counters = region->quota.counters;
		names_command(region->pid, command, sizeof(command));
		table_add(table, units_number(region->quota.subject.id).text);
		table_add(table, units_number(region->pid).text);
		table_add(table, names_user(region->uid));
		table_add(table, command);
		if (!narrow)
			table_add(table, units_size(region->quota.reserved).text);
		table_add(table, units_size(counters[0].usage).text);
		table_add(table, units_size(counters[1].usage).text);
		table_add(table, units_size(counters[0].hard).text);
		table_add(table, units_number(region->quota.denials).text);
		put_bar(table, look, &region->quota);
	}
}

static void put_quotas(const struct top_look *look, struct table *table,
		       const struct quota_list *quotas)
{
	const bool narrow = is_narrow(look);
	const struct counter *counters;
	const struct quota *quota;
	size_t i;

	table_init(table, narrow ? QUOTA_HEADING_NARROW : QUOTA_HEADING,
		   narrow ? QUOTA_LEFT_NARROW : QUOTA_LEFT);
	for (i = 0; i < quotas->count; i++) {
		quota = &quotas->items[i];
		counters = quota->counters;
		table_add(table, subject_format(&quota->subject).text);
		table_add(table, units_number(quota->regions).text);
		table_add(table, units_size(counters[0].usage).text);
		if (!narrow) {
			table_add(table, units_size(counters[0].peak).text);
			table_add(table, units_size(counters[0].soft).text);
		}
		table_add(table, units_size(counters[0].hard).text);
		table_add(table, units_size(counters[1].usage).text);
		if (!narrow) {
			table_add(table, units_size(counters[1].peak).text);
			table_add(table, units_size(counters[1].hard).text);
		}
		table_add(table, units_number(quota->denials).text);
		put_bar(table, look, quota);
	}
}

/* The first line is the heading: reversed, on a terminal. */
static void put_table(const struct top_look *look, const struct table *table,
		      FILE *out)
{
	size_t length, first;
	char *text;
	FILE *lines;

	lines = open_memstream(&text, &length);
	if (!lines)
		ctl_no_memory();
	table_print(table, true, look->width, lines);
	if (fclose(lines))
		ctl_no_memory();
	first = strcspn(text, "\n");
	if (look->screen)
		fprintf(out, "\033[7m%-*.*s\033[0m", (int)look->width,
			(int)first, text);
	else
		fwrite(text, 1, first, out);
	fwrite(text + first, 1, length - first, out);
	free(text);
}

static void put_system(const struct top_look *look, const struct quota *system,
		       FILE *out)
{
	const struct counter *commit = &system->counters[PRIVHEAP_RESOURCE_COMMIT];
	const struct counter *resident =
		&system->counters[PRIVHEAP_RESOURCE_RESIDENT];
	char bar[BAR_BYTES(SYSTEM_WIDTH)];

	bar_draw(bar, SYSTEM_WIDTH, resident->usage, commit->usage, commit->hard,
		 look->utf8);
	put_line(look, out, SYSTEM_LINE, units_size(commit->usage).text,
		 units_size(commit->hard).text, units_size(commit->peak).text,
		 units_size(resident->usage).text, units_size(resident->peak).text,
		 units_number(system->denials).text);
	put_line(look, out, "%s", bar);
}

void top_frame(const struct top_look *look, const struct quota *system,
	       const struct region_list *regions,
	       const struct quota_list *quotas, FILE *out)
{
	time_t now = time(NULL);
	struct table table;
	char clock[16];
	struct tm tm;

	localtime_r(&now, &tm);
	strftime(clock, sizeof(clock), "%H:%M:%S", &tm);
	put_line(look, out, CTL_NAME " top - %s  %zu regions, every %u.%u s%s%s%s%s",
		 clock, regions->count, look->interval / 1000,
		 look->interval % 1000 / 100,
		 look->quotas ? "" : ", by ",
		 look->quotas ? "" : sort_name(look->sort),
		 !look->quotas && look->reverse ? ", reversed" : "",
		 look->paused ? "  (paused)" : "");
	if (look->with_system)
		put_system(look, system, out);
	if (look->help)
		put_line(look, out,
			 "q quit  s/S sort  r reverse  v regions/quotas  p pause  +/- interval  h help");
	else
		fputc('\n', out);
	if (look->quotas)
		put_quotas(look, &table, quotas);
	else
		put_regions(look, &table, regions);
	put_table(look, &table, out);
	table_release(&table);
}
