/* SPDX-License-Identifier: MIT */
/* Regions, quotas and events in JSON: the members of one object each. */
#ifndef PRIVHEAP_TOOLS_RECORD_JSON_H
#define PRIVHEAP_TOOLS_RECORD_JSON_H

#include "json.h"
#include "record.h"

/* With the map, where there is one. */
void record_json_region(struct json *json, const struct region *region);
void record_json_quota(struct json *json, const struct quota *quota);

#endif /* PRIVHEAP_TOOLS_RECORD_JSON_H */
