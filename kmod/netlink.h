/* SPDX-License-Identifier: GPL-2.0-only */
/* The generic netlink family. */
#ifndef PRIVHEAP_NETLINK_H
#define PRIVHEAP_NETLINK_H

#include <linux/privheap_netlink.h>
#include <net/genetlink.h>

struct privheap_quota_info;
struct privheap_viewer;

/* The only multicast group, as the functions of genetlink count them. */
#define PRIVHEAP_GROUP_EVENTS	0

/* netlink.c */
extern struct genl_family privheap_family;

int privheap_require_subject(struct genl_info *info, const struct privheap_viewer *viewer,
			     u32 *level, u64 *subject);
void privheap_no_subject(struct genl_info *info);
int privheap_visible_quota(const struct privheap_viewer *viewer, u32 level, u64 subject,
			   struct privheap_quota_info *quota);
int privheap_put_quota_message(struct sk_buff *skb, struct genl_info *info,
			       const struct privheap_viewer *viewer,
			       const struct privheap_quota_info *quota, u8 command);
int privheap_netlink_init(void);
void privheap_netlink_exit(void);

/* netlink_dump.c */
int privheap_refuse_filters(struct genl_info *info);
int privheap_region_dump_start(struct netlink_callback *cb);
int privheap_region_dumpit(struct sk_buff *skb, struct netlink_callback *cb);
int privheap_quota_dump_start(struct netlink_callback *cb);
int privheap_quota_dumpit(struct sk_buff *skb, struct netlink_callback *cb);
int privheap_dump_done(struct netlink_callback *cb);

/* netlink_set.c */
extern const struct nla_policy privheap_quota_set_policy[PRIVHEAP_A_RESIDENT + 1];

int privheap_quota_set_doit(struct sk_buff *request, struct genl_info *info);

#endif /* PRIVHEAP_NETLINK_H */
