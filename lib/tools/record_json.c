// SPDX-License-Identifier: MIT
/* Regions and quotas in JSON: see record_json.h. */
#include <linux/privheap.h>

#include "map.h"
#include "names.h"
#include "record_json.h"

static void put_counters(struct json *json, const struct quota *quota)
{
	const struct counter *counter;
	uint32_t i;

	for (i = 0; i < RECORD_RESOURCES; i++) {
		counter = &quota->counters[i];
		json_object(json, record_resource_name(i));
		json_number(json, "usage", counter->usage);
		json_number(json, "peak", counter->peak);
		json_limit(json, "soft", counter->soft);
		json_limit(json, "hard", counter->hard);
		json_number(json, "reserve", counter->reserve);
		json_bool(json, "reserve_open", counter->reserve_open);
		json_number(json, "fail_nth", counter->fail_nth);
		json_number(json, "denials", counter->denials);
		json_object_end(json);
	}
}

static void put_map(struct json *json, const struct region *region)
{
	uint64_t size = map_cell_bytes(region);
	size_t i;

	json_number(json, "cell", size);
	json_array(json, "map");
	for (i = 0; i < region->cells; i++) {
		json_array(json, NULL);
		json_number(json, NULL, region->map[2 * i]);
		json_number(json, NULL, region->map[2 * i + 1]);
		json_array_end(json);
	}
	json_array_end(json);
}

void record_json_region(struct json *json, const struct region *region)
{
	char command[NAMES_COMMAND];

	names_raw_command(region->pid, command, sizeof(command));
	json_number(json, "region", region->quota.subject.id);
	json_number(json, "pid", region->pid);
	json_number(json, "uid", region->uid);
	json_string(json, "user", names_user(region->uid));
	json_string(json, "command", command);
	json_limit(json, "cgroup", region->cgroup ? region->cgroup :
		   PRIVHEAP_NO_LIMIT);
	json_string(json, "cgroup_path", region->cgroup ?
		    names_cgroup(region->cgroup) : NULL);
	json_limit(json, "base", region->base ? region->base : PRIVHEAP_NO_LIMIT);
	json_bool(json, "exec", region->flags & PRIVHEAP_CREATE_EXEC);
	json_bool(json, "lazy", region->flags & PRIVHEAP_CREATE_LAZY);
	json_number(json, "reserved", region->quota.reserved);
	json_number(json, "faults", region->quota.faults);
	json_number(json, "denials", region->quota.denials);
	put_counters(json, &region->quota);
	if (region->map)
		put_map(json, region);
}

void record_json_quota(struct json *json, const struct quota *quota)
{
	const struct subject *subject = &quota->subject;

	json_string(json, "subject", subject_format(subject).text);
	json_string(json, "level", subject_level_name(subject->level));
	json_number(json, "id", subject->id);
	json_number(json, "regions", quota->regions);
	json_number(json, "reserved", quota->reserved);
	json_number(json, "faults", quota->faults);
	json_number(json, "denials", quota->denials);
	put_counters(json, quota);
}
