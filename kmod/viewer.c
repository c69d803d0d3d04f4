// SPDX-License-Identifier: GPL-2.0-only
/* Who asks over netlink: what they may see, and how their ids are named. */
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/fs.h>
#include <linux/net.h>
#include <linux/netlink.h>
#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/privheap.h>
#include <linux/sched.h>
#include <linux/user_namespace.h>
#include <net/sock.h>

#include "number.h"
#include "subject.h"
#include "viewer.h"

/* They need CAP_SYS_ADMIN to listen, and get the ids of the whole system. */
const struct privheap_viewer privheap_viewer_listeners = {
	.user_ns = &init_user_ns,
	.pid_ns = &init_pid_ns,
	.all = true,
};

static struct file *opened_file(const struct sk_buff *skb)
{
	return NETLINK_CB(skb).sk->sk_socket->file;
}

/**
 * privheap_sender_capable() - whether a request was made with a capability
 * @skb: the request; the current process is its sender
 * @capability: CAP_*, in the initial user namespace
 *
 * netlink_capable() leaves out the opener where the sender gave an address, as
 * nearly all do.
 *
 * Return: whether the sender has it, and the socket's opener had it.
 */
bool privheap_sender_capable(const struct sk_buff *skb, int capability)
{
	return file_ns_capable(opened_file(skb), &init_user_ns, capability) &&
	       netlink_capable(skb, capability);
}

/**
 * privheap_viewer_init() - who has sent a request
 * @viewer: to be filled in
 * @skb: the request; the current process is its sender
 *
 * A socket can be handed on, to a program with more rights as well as by one.
 * So rights must be both the opener's and the sender's, and it is always the
 * opener whose own objects are shown.
 */
void privheap_viewer_init(struct privheap_viewer *viewer, const struct sk_buff *skb)
{
	viewer->user_ns = current_user_ns();
	viewer->pid_ns = task_active_pid_ns(current);
	viewer->process = task_tgid(current);
	viewer->uid = opened_file(skb)->f_cred->euid;
	viewer->all = privheap_sender_capable(skb, CAP_SYS_ADMIN) ||
		      privheap_sender_capable(skb, CAP_SYS_RESOURCE);
}

/**
 * privheap_viewer_hold() - keep a viewer beyond its request
 * @viewer: the viewer
 */
void privheap_viewer_hold(struct privheap_viewer *viewer)
{
	get_user_ns(viewer->user_ns);
	get_pid_ns(viewer->pid_ns);
	get_pid(viewer->process);
}

/**
 * privheap_viewer_release() - undo privheap_viewer_hold()
 * @viewer: the viewer
 */
void privheap_viewer_release(struct privheap_viewer *viewer)
{
	put_pid(viewer->process);
	put_pid_ns(viewer->pid_ns);
	put_user_ns(viewer->user_ns);
}

static bool sees(const struct privheap_viewer *viewer, kuid_t uid, struct pid *pid)
{
	return (viewer->all || uid_eq(uid, viewer->uid)) &&
	       kuid_has_mapping(viewer->user_ns, uid) &&
	       pid_nr_ns(pid, viewer->pid_ns);
}

/**
 * privheap_viewer_sees_region() - whether a region may be shown
 * @viewer: to whom
 * @info: the region
 *
 * Return: whether it may.
 */
bool privheap_viewer_sees_region(const struct privheap_viewer *viewer,
				 const struct privheap_region_info *info)
{
	return sees(viewer, info->uid, info->pid);
}

/**
 * privheap_viewer_sees_quota() - whether a quota may be shown
 * @viewer: to whom
 * @info: the quota, of any level but a region
 *
 * Return: whether it may.
 */
bool privheap_viewer_sees_quota(const struct privheap_viewer *viewer,
				const struct privheap_quota_info *info)
{
	switch (info->level) {
	case PRIVHEAP_LEVEL_PROCESS:
		return sees(viewer, info->uid, info->pid);
	case PRIVHEAP_LEVEL_USER:
		return (viewer->all || uid_eq(info->uid, viewer->uid)) &&
		       kuid_has_mapping(viewer->user_ns, info->uid);
	default:
		return viewer->all;
	}
}

/**
 * privheap_viewer_sees_base() - whether a region's address may be shown
 * @viewer: to whom
 * @info: the region, which may be shown
 *
 * Addresses are random to hide them. A user may not look into each process of
 * theirs (one that runs a set-user-ID program, say), so they get none but a
 * process's own.
 *
 * Return: whether it may.
 */
bool privheap_viewer_sees_base(const struct privheap_viewer *viewer,
			       const struct privheap_region_info *info)
{
	return viewer->all || info->pid == viewer->process;
}

/**
 * privheap_viewer_subject() - the id of a quota's subject
 * @viewer: for whom
 * @info: the quota, which may be shown
 *
 * Return: PRIVHEAP_A_SUBJECT.
 */
u64 privheap_viewer_subject(const struct privheap_viewer *viewer,
			    const struct privheap_quota_info *info)
{
	switch (info->level) {
	case PRIVHEAP_LEVEL_PROCESS:
		/* Events know the number in the initial namespace only. */
		return info->pid ? pid_nr_ns(info->pid, viewer->pid_ns) : info->subject;
	case PRIVHEAP_LEVEL_USER:
		return from_kuid(viewer->user_ns, info->uid);
	default:
		return info->subject;
	}
}

/**
 * privheap_viewer_find_subject() - the subject that an id names
 * @viewer: who named it; the current process
 * @level: PRIVHEAP_LEVEL_*
 * @subject: the id, to be made one of the initial namespaces
 *
 * Return: 0, -EINVAL for what is no id, or -ENOENT.
 */
int privheap_viewer_find_subject(const struct privheap_viewer *viewer, u32 level,
				 u64 *subject)
{
	struct pid *pid;
	kuid_t uid;

	switch (level) {
	case PRIVHEAP_LEVEL_PROCESS:
		if (!*subject || *subject > INT_MAX)
			return -EINVAL;
		pid = find_get_pid(*subject);
		if (!pid)
			return -ENOENT;
		*subject = pid_nr(pid);
		put_pid(pid);
		return 0;
	case PRIVHEAP_LEVEL_USER:
		if (*subject >= U32_MAX)
			return -EINVAL;
		uid = make_kuid(viewer->user_ns, *subject);
		if (!uid_valid(uid))
			return -ENOENT;
		*subject = __kuid_val(uid);
		return 0;
	case PRIVHEAP_LEVEL_SYSTEM:
		return *subject ? -EINVAL : 0;
	default:
		return 0;
	}
}
