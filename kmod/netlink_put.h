/* SPDX-License-Identifier: GPL-2.0-only */
/* Regions and quotas as attributes of netlink messages. */
#ifndef PRIVHEAP_NETLINK_PUT_H
#define PRIVHEAP_NETLINK_PUT_H

#include <linux/types.h>

struct privheap_quota_info;
struct privheap_region_info;
struct privheap_viewer;
struct sk_buff;

/*
 * Room for a region or a quota, with an EVENT nest: some thirty numbers of 64
 * bits, each with a header and perhaps padding.
 */
#define PRIVHEAP_MESSAGE_SIZE	1024

int privheap_put_region(struct sk_buff *skb, const struct privheap_viewer *viewer,
			const struct privheap_region_info *info);
int privheap_put_quota(struct sk_buff *skb, const struct privheap_viewer *viewer,
		       const struct privheap_quota_info *info);
int privheap_put_map(struct sk_buff *skb, const u64 *pairs, unsigned int cells);

#endif /* PRIVHEAP_NETLINK_PUT_H */
