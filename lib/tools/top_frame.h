/* SPDX-License-Identifier: MIT */
/* What top shows at one time, as lines. */
#ifndef PRIVHEAP_TOOLS_TOP_FRAME_H
#define PRIVHEAP_TOOLS_TOP_FRAME_H

#include <stdbool.h>
#include <stdio.h>

#include "record.h"

/**
 * struct top_look - how it looks
 * @sort: key of regions
 * @reverse: the other way round
 * @quotas: quotas, not regions
 * @help: with a line of keys
 * @paused: it stays as it is
 * @with_system: the system's quota is known
 * @screen: on a terminal: the heading stands out
 * @utf8: bars of blocks
 * @interval: milliseconds
 * @width: lines are cut there; 0: they are not
 */
struct top_look {
	unsigned int sort;
	bool reverse;
	bool quotas;
	bool help;
	bool paused;
	bool with_system;
	bool screen;
	bool utf8;
	unsigned int interval;
	size_t width;
};

void top_frame(const struct top_look *look, const struct quota *system,
	       const struct region_list *regions,
	       const struct quota_list *quotas, FILE *out);

#endif /* PRIVHEAP_TOOLS_TOP_FRAME_H */
