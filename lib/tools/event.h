/* SPDX-License-Identifier: MIT */
/* Events on paper: a line each, for people or in JSON. */
#ifndef PRIVHEAP_TOOLS_EVENT_H
#define PRIVHEAP_TOOLS_EVENT_H

#include <stdio.h>

#include "record.h"

/**
 * enum notice_kind - what there is to tell
 * @NOTICE_LISTENING: from here on
 * @NOTICE_CREATED: a region came
 * @NOTICE_DESTROYED: a region went
 * @NOTICE_SOFT: a usage rose above its soft limit
 * @NOTICE_BELOW: it is back at it or below
 * @NOTICE_DENIED: a hard limit refused
 * @NOTICE_LOST: the kernel could not tell of some events
 * @NOTICE_OVERRUN: some were lost, and none tells how many: this program was too
 *	slow, or the kernel had no more to tell behind them
 */
enum notice_kind {
	NOTICE_LISTENING,
	NOTICE_CREATED,
	NOTICE_DESTROYED,
	NOTICE_SOFT,
	NOTICE_BELOW,
	NOTICE_DENIED,
	NOTICE_LOST,
	NOTICE_OVERRUN,
};

/**
 * struct notice - something to tell
 * @kind: what
 * @recovered: no event told of it; it was found when all was read again
 * @event: the event; NULL where there was none
 * @region: the region that came or went
 * @quota: the quota that changed
 * @resource: of @quota
 * @count: regions (LISTENING), events (LOST), refusals (DENIED, @recovered)
 */
struct notice {
	enum notice_kind kind;
	bool recovered;
	const struct event *event;
	const struct region *region;
	const struct quota *quota;
	uint32_t resource;
	uint64_t count;
};

void event_print(const struct notice *notice, FILE *out);
void event_print_json(const struct notice *notice, FILE *out);

#endif /* PRIVHEAP_TOOLS_EVENT_H */
