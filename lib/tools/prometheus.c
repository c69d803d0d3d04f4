// SPDX-License-Identifier: MIT
/*
 * Prometheus's text format: see prometheus.h. All samples of a metric stand
 * together, behind its HELP and TYPE. No limit is +Inf.
 */
#include <linux/privheap.h>

#include "ctl.h"
#include "names.h"
#include "prometheus.h"
#include "text.h"
#include "units.h"

/**
 * struct metric - what is told of each region or quota
 * @name: behind privheap_region_ or privheap_quota_
 * @counter: it only rises, as long as its subject is there
 * @of_resource: once for each resource: @offset is in struct counter
 * @flag: 0 or 1
 * @offset: where it is, in struct quota
 * @help: what it is
 */
struct metric {
	const char *name;
	bool counter;
	bool of_resource;
	bool flag;
	size_t offset;
	const char *help;
};

static const struct metric metrics[] = {
	{ "regions", false, false, false, offsetof(struct quota, regions),
	  "Regions charged to it." },
	{ "reserved_bytes", false, false, false,
	  offsetof(struct quota, reserved), "Address space." },
	{ "faults_total", true, false, false, offsetof(struct quota, faults),
	  "Page faults that took pages." },
	{ "denials_total", true, false, false, offsetof(struct quota, denials),
	  "Charges that were refused, by its limits or by those of a level further out." },
	{ "usage_bytes", false, true, false, offsetof(struct counter, usage),
	  "Charged now." },
	{ "peak_bytes", false, true, false, offsetof(struct counter, peak),
	  "The highest usage there was." },
	{ "soft_limit_bytes", false, true, false, offsetof(struct counter, soft),
	  "Usage above which observers are told." },
	{ "hard_limit_bytes", false, true, false, offsetof(struct counter, hard),
	  "Usage that no charge may exceed." },
	{ "reserve_bytes", false, true, false,
	  offsetof(struct counter, reserve),
	  "What may be opened beyond the hard limit after a denial." },
	{ "reserve_open", false, true, true,
	  offsetof(struct counter, reserve_open),
	  "1 while the reserve is open, else 0." },
	{ "limit_denials_total", true, true, false,
	  offsetof(struct counter, denials),
	  "Charges that this very limit refused." },
};

static uint64_t value_of(const struct metric *metric, const struct quota *quota,
			 uint32_t resource)
{
	const char *base = metric->of_resource ?
		(const char *)&quota->counters[resource] : (const char *)quota;

	if (metric->flag)
		return *(const bool *)(base + metric->offset);
	return *(const uint64_t *)(base + metric->offset);
}

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
	fprintf(out, "%s=\"%s\"", name, units_number(value).text);
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
		value = value_of(metric, quota, i);
		if (value == PRIVHEAP_NO_LIMIT)
			fputs("} +Inf\n", out);
		else
			fprintf(out, "} %s\n", units_number(value).text);
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
