// SPDX-License-Identifier: MIT
/* Events on paper: see event.h. */
#include <time.h>

#include <linux/privheap_netlink.h>

#include "event.h"
#include "names.h"
#include "record_json.h"
#include "units.h"

#define NSEC		1000000000LL

static const char *const kind_names[] = {
	[NOTICE_LISTENING] = "listening",
	[NOTICE_CREATED] = "created",
	[NOTICE_DESTROYED] = "destroyed",
	[NOTICE_SOFT] = "soft",
	[NOTICE_BELOW] = "below",
	[NOTICE_DENIED] = "denied",
	[NOTICE_LOST] = "lost",
	[NOTICE_OVERRUN] = "overrun",
};

static long long clock_ns(clockid_t id)
{
	struct timespec now;

	clock_gettime(id, &now);
	return now.tv_sec * NSEC + now.tv_nsec;
}

/* The kernel's time counts from boot; people's from 1970. */
static struct timespec time_of(const struct notice *notice)
{
	long long ns = clock_ns(CLOCK_REALTIME);
	struct timespec when;

	if (notice->event && notice->event->time)
		ns += (long long)notice->event->time - clock_ns(CLOCK_MONOTONIC);
	when.tv_sec = ns / NSEC;
	when.tv_nsec = ns % NSEC;
	return when;
}

static const struct counter *counter_of(const struct notice *notice)
{
	return &notice->quota->counters[notice->resource % RECORD_RESOURCES];
}

static void print_region(const struct notice *notice, FILE *out)
{
	const struct region *region = notice->region;
	const struct quota *quota = &region->quota;
	const struct counter *commit = &quota->counters[PRIVHEAP_RESOURCE_COMMIT];
	char command[NAMES_COMMAND];

	names_command(region->pid, command, sizeof(command));
	fprintf(out, "region %s of pid %u (%s), user %s: %s reserved, ",
		units_number(quota->subject.id).text, region->pid, command, names_user(region->uid),
		units_size(quota->reserved).text);
	if (notice->kind == NOTICE_DESTROYED)
		fprintf(out, "peak %s, %s denied",
			units_size(commit->peak).text,
			units_number(quota->denials).text);
	else
		fprintf(out, "%s committed, limit %s",
			units_size(commit->usage).text,
			units_size(commit->hard).text);
}

static void print_denied(const struct notice *notice, FILE *out)
{
	const struct counter *counter = counter_of(notice);

	if (notice->recovered)
		fprintf(out, "%s times", units_number(notice->count).text);
	else
		fprintf(out, "%s to region %s",
			units_size(notice->event->request).text,
			units_number(notice->event->region).text);
	fprintf(out, "; %s in use of %s", units_size(counter->usage).text,
		units_size(counter->hard).text);
}

static void print_quota(const struct notice *notice, FILE *out)
{
	const struct counter *counter = counter_of(notice);

	fprintf(out, "%s %s ", subject_format(&notice->quota->subject).text,
		record_resource_name(notice->resource));
	switch (notice->kind) {
	case NOTICE_SOFT:
		fprintf(out, "%s, above its soft limit of %s",
			units_size(counter->usage).text,
			units_size(counter->soft).text);
		break;
	case NOTICE_BELOW:
		fprintf(out, "%s, back at its soft limit of %s or below",
			units_size(counter->usage).text,
			units_size(counter->soft).text);
		break;
	default:
		print_denied(notice, out);
		break;
	}
}

void event_print(const struct notice *notice, FILE *out)
{
	struct timespec when = time_of(notice);
	char text[32];
	struct tm tm;

	localtime_r(&when.tv_sec, &tm);
	strftime(text, sizeof(text), "%H:%M:%S", &tm);
	fprintf(out, "%s.%06ld %-9s ", text, when.tv_nsec / 1000,
		kind_names[notice->kind]);
	switch (notice->kind) {
	case NOTICE_LISTENING:
		fprintf(out, "%s regions are there",
			units_number(notice->count).text);
		break;
	case NOTICE_LOST:
		fprintf(out, "%s events before this one, for want of memory or time",
			units_number(notice->count).text);
		fputs("; reading all again", out);
		break;
	case NOTICE_OVERRUN:
		fputs("some events, for want of memory or time; reading all again",
		      out);
		break;
	case NOTICE_CREATED:
	case NOTICE_DESTROYED:
		print_region(notice, out);
		break;
	default:
		print_quota(notice, out);
		break;
	}
	fputs(notice->recovered ? " (the event was lost)\n" : "\n", out);
}

static void put_time(struct json *json, const struct notice *notice)
{
	struct timespec when = time_of(notice);
	char seconds[32], text[64];
	struct tm tm;

	gmtime_r(&when.tv_sec, &tm);
	strftime(seconds, sizeof(seconds), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(text, sizeof(text), "%s.%06ldZ", seconds, when.tv_nsec / 1000);
	json_string(json, "time", text);
}

void event_print_json(const struct notice *notice, FILE *out)
{
	const struct event *event = notice->event;
	struct json json = { .out = out };

	json_object(&json, NULL);
	json_string(&json, "event", kind_names[notice->kind]);
	put_time(&json, notice);
	json_bool(&json, "recovered", notice->recovered);
	if (event) {
		json_number(&json, "seq", event->seq);
		json_number(&json, "lost", event->lost);
	}
	if (notice->kind == NOTICE_LISTENING)
		json_number(&json, "regions", notice->count);
	if (notice->kind == NOTICE_LOST ||
	    (notice->kind == NOTICE_DENIED && notice->recovered))
		json_number(&json, "count", notice->count);
	if (notice->region) {
		json_object(&json, "region");
		record_json_region(&json, notice->region);
		json_object_end(&json);
	}
	if (notice->quota) {
		json_string(&json, "resource",
			    record_resource_name(notice->resource));
		if (event && event->command == PRIVHEAP_CMD_QUOTA_DENIED_NTF) {
			json_number(&json, "request", event->request);
			json_number(&json, "refused_region", event->region);
		}
		json_object(&json, "quota");
		record_json_quota(&json, notice->quota);
		json_object_end(&json);
	}
	json_object_end(&json);
	json_line(&json);
}
