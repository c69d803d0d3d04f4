/* SPDX-License-Identifier: GPL-2.0-only */
/* Who asks over netlink: what they may see, and how their ids are named. */
#ifndef PRIVHEAP_VIEWER_H
#define PRIVHEAP_VIEWER_H

#include <linux/types.h>
#include <linux/uidgid.h>

struct genl_info;
struct pid;
struct pid_namespace;
struct privheap_quota_info;
struct privheap_region_info;
struct sk_buff;
struct user_namespace;

/**
 * struct privheap_viewer - who asks
 * @user_ns: the namespace that user ids are given in, the sender's
 * @pid_ns: the same for process ids
 * @process: the sender's process; NULL for the listeners of a multicast
 * @uid: the user that the socket was opened by
 * @all: may see everything, and not only what is @uid's
 *
 * It borrows what it points to from the current process, unless
 * privheap_viewer_hold() was called.
 */
struct privheap_viewer {
	struct user_namespace *user_ns;
	struct pid_namespace *pid_ns;
	struct pid *process;
	kuid_t uid;
	bool all;
};

extern const struct privheap_viewer privheap_viewer_listeners;

bool privheap_sender_capable(const struct sk_buff *skb, int capability);
void privheap_viewer_init(struct privheap_viewer *viewer, const struct sk_buff *skb);
void privheap_viewer_hold(struct privheap_viewer *viewer);
void privheap_viewer_release(struct privheap_viewer *viewer);
bool privheap_viewer_sees_region(const struct privheap_viewer *viewer,
				 const struct privheap_region_info *info);
bool privheap_viewer_sees_quota(const struct privheap_viewer *viewer,
				const struct privheap_quota_info *info);
bool privheap_viewer_sees_base(const struct privheap_viewer *viewer,
			       const struct privheap_region_info *info);
u64 privheap_viewer_subject(const struct privheap_viewer *viewer,
			    const struct privheap_quota_info *info);
int privheap_viewer_find_subject(const struct privheap_viewer *viewer, u32 level,
				 u64 *subject);

#endif /* PRIVHEAP_VIEWER_H */
