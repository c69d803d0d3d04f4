/* SPDX-License-Identifier: MIT */
/* Regions and quotas in Prometheus's text format, version 0.0.4. */
#ifndef PRIVHEAP_TOOLS_PROMETHEUS_H
#define PRIVHEAP_TOOLS_PROMETHEUS_H

#include <stdio.h>

#include "record.h"

void prometheus_write(const struct region_list *region_list,
		      const struct quota_list *quota_list, FILE *out);

#endif /* PRIVHEAP_TOOLS_PROMETHEUS_H */
