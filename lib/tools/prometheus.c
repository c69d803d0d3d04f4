// SPDX-License-Identifier: MIT
/*
 * Prometheus's text format: see prometheus.h. All samples of a metric stand
 * together, behind its HELP and TYPE. No limit is +Inf.
 */
#include <inttypes.h>

#include <linux/privheap.h>

#include "ctl.h"
#include "names.h"
#include "prometheus.h"
#include "text.h"

/**
 * struct metric - what is told of each region or quota
 * @name: behind privheap_region_ or privheap_quota_
 * @counter: it only rises, as long as its subject is there
 * @of_resource: once for each resource
 * @help: what it is
 * @value: of a quota, and, where @of_resource, of one counter
 */
struct metric {
	const char *name;
	bool counter;
	bool of_resource;
	const char *help;
	uint64_t (*value)(const struct quota *quota, const struct counter *counter);
};

#define VALUE(function, expression) \
	static uint64_t function(const struct quota *quota, \
				 const struct counter *counter) \
	{ \
		(void)quota; \
		(void)counter; \
		return expression; \
	}

VALUE(regions, quota->regions)
VALUE(reserved, quota->reserved)
VALUE(faults, quota->faults)
VALUE(denials, quota->denials)
VALUE(usage, counter->usage)
VALUE(peak, counter->peak)
VALUE(soft, counter->soft)
VALUE(hard, counter->hard)
VALUE(reserve, counter->reserve)
VALUE(reserve_open, counter->reserve_open)
VALUE(own_denials, counter->denials)

static const struct metric metrics[] = {
	{ "regions", false, false, "Regions charged to it.", regions },
	{ "reserved_bytes", false, false, "Address space.", reserved },
	{ "faults_total", true, false, "Page faults that took pages.", faults },
	{ "denials_total", true, false,
	  "Charges that were refused, by its limits or by those of a level further out.",
	  denials },
	{ "usage_bytes", false, true, "Charged now.", usage },
	{ "peak_bytes", false, true, "The highest usage there was.", peak },
	{ "soft_limit_bytes", false, true,
	  "Usage above which observers are told.", soft },
	{ "hard_limit_bytes", false, true,
	  "Usage that no charge may exceed.", hard },
	{ "reserve_bytes", false, true,
	  "What may be opened beyond the hard limit after a denial.", reserve },
	{ "reserve_open", false, true, "1 while the reserve is open, else 0.",
	  reserve_open },
	{ "limit_denials_total", true, true,
	  "Charges that this very limit refused.", own_denials },
};

static void write_label(FILE *out, const char *name, const char *value)
{
	size_t length;
	int code;

	fprintf(out, "%s=\"", name);
	for (; *value; value += length) {
		code = text_next(value, &length);
		if (code == '"' || code == '\\')
			fprintf(out, "\\%c", code);
		else if (code == '\n')
			fputs("\\n", out);
		else if (code < 0)
			fputs("\xef\xbf\xbd", out);	/* U+FFFD */
		else
			fwrite(value, 1, length, out);
	}
	fputc('"', out);
}

static void write_number_label(FILE *out, const char *name, uint64_t value)
{
	fprintf(out, "%s=\"%" PRIu64 "\"", name, value);
}

static void write_region_labels(FILE *out, const struct region *region)
{
	char command[NAMES_COMMAND];
	const char *cgroup = region->cgroup ? names_cgroup(region->cgroup) : "";

	names_raw_command(region->pid, command, sizeof(command));
	write_number_label(out, "region", region->quota.subject.id);
	fputc(',', out);
	write_number_label(out, "pid", region->pid);
	fputc(',', out);
	write_label(out, "user", names_user(region->uid));
	fputc(',', out);
	write_label(out, "command", command);
	fputc(',', out);
	write_label(out, "cgroup", cgroup ? cgroup : "");
}

static void write_quota_labels(FILE *out, const struct quota *quota)
{
	write_label(out, "level", subject_level_name(quota->subject.level));
	fputc(',', out);
	write_label(out, "subject", subject_format(&quota->subject).text);
}

static void write_sample(FILE *out, const struct metric *metric,
			 const struct region *region, const struct quota *quota)
{
	uint64_t value;
	uint32_t i;

	for (i = 0; i < (metric->of_resource ? RECORD_RESOURCES : 1); i++) {
		fprintf(out, "privheap_%s_%s{", region ? "region" : "quota",
			metric->name);
		if (region)
			write_region_labels(out, region);
		else
			write_quota_labels(out, quota);
		if (metric->of_resource) {
			fputc(',', out);
			write_label(out, "resource", record_resource_name(i));
		}
		value = metric->value(quota, &quota->counters[i]);
		if (value == PRIVHEAP_NO_LIMIT)
			fputs("} +Inf\n", out);
		else
			fprintf(out, "} %" PRIu64 "\n", value);
	}
}

static void write_head(FILE *out, const struct metric *metric, const char *whose)
{
	fprintf(out, "# HELP privheap_%s_%s %s\n", whose, metric->name,
		metric->help);
	fprintf(out, "# TYPE privheap_%s_%s %s\n", whose, metric->name,
		metric->counter ? "counter" : "gauge");
}

void prometheus_write(const struct region_list *region_list,
		      const struct quota_list *quota_list, FILE *out)
{
	const struct region *region;
	unsigned int i;
	size_t j;

	/* The first one is 1 for every region. */
	for (i = 1; region_list->count && i < ARRAY_SIZE(metrics); i++) {
		write_head(out, &metrics[i], "region");
		for (j = 0; j < region_list->count; j++) {
			region = &region_list->items[j];
			write_sample(out, &metrics[i], region, &region->quota);
		}
	}
	for (i = 0; quota_list->count && i < ARRAY_SIZE(metrics); i++) {
		write_head(out, &metrics[i], "quota");
		for (j = 0; j < quota_list->count; j++)
			write_sample(out, &metrics[i], NULL,
				     &quota_list->items[j]);
	}
}
