// SPDX-License-Identifier: MIT
/* What the kernel says when it refuses, and what to do about it. */
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/genetlink.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <linux/privheap_netlink.h>

#include "ctl.h"
#include "netlink.h"

static const char *const attr_names[] = {
	[PRIVHEAP_A_REGION_ID] = "region-id",
	[PRIVHEAP_A_BASE] = "base",
	[PRIVHEAP_A_FLAGS] = "flags",
	[PRIVHEAP_A_PID] = "pid",
	[PRIVHEAP_A_UID] = "uid",
	[PRIVHEAP_A_CGROUP] = "cgroup",
	[PRIVHEAP_A_LEVEL] = "level",
	[PRIVHEAP_A_SUBJECT] = "subject",
	[PRIVHEAP_A_COMMIT] = "commit",
	[PRIVHEAP_A_RESIDENT] = "resident",
	[PRIVHEAP_A_CELLS] = "cells",
	[PRIVHEAP_A_MAX] = NULL,
};

static const char *const counter_names[] = {
	[PRIVHEAP_A_COUNTER_SOFT] = "soft",
	[PRIVHEAP_A_COUNTER_HARD] = "hard",
	[PRIVHEAP_A_COUNTER_RESERVE] = "reserve",
	[PRIVHEAP_A_COUNTER_FAIL_NTH] = "fail-nth",
	[PRIVHEAP_A_COUNTER_MAX] = NULL,
};

static const char *name_of(const char *const *names, size_t count, uint16_t type)
{
	return type < count && names[type] ? names[type] : "?";
}

#define ATTR_NAME(type)		name_of(attr_names, ARRAY_SIZE(attr_names), type)
#define COUNTER_NAME(type)	name_of(counter_names, ARRAY_SIZE(counter_names), type)

/* The names of the attribute that begins that far into the request. */
static void name_attr(const struct nlmsghdr *request, uint32_t offset,
		      char *name, size_t size)
{
	const char *at = (const char *)request + offset;
	const struct nlattr *attr, *inner;
	uint16_t type;

	name[0] = '\0';
	if (request->nlmsg_type == GENL_ID_CTRL)
		return;
	mnl_attr_for_each(attr, request, sizeof(struct genlmsghdr)) {
		if (at < (const char *)attr ||
		    at >= (const char *)attr + mnl_attr_get_len(attr))
			continue;
		type = mnl_attr_get_type(attr);
		snprintf(name, size, "%s", ATTR_NAME(type));
		if (type != PRIVHEAP_A_COMMIT && type != PRIVHEAP_A_RESIDENT)
			return;
		mnl_attr_for_each_nested(inner, attr) {
			if (at == (const char *)inner)
				snprintf(name, size, "%s.%s", ATTR_NAME(type),
					 COUNTER_NAME(mnl_attr_get_type(inner)));
		}
		return;
	}
}

int netlink_parse_error(const struct nlmsghdr *message,
			const struct nlmsghdr *request, char *said, size_t size)
{
	size_t length = mnl_nlmsg_get_payload_len(message), skip = sizeof(int);
	const char *text = "";
	const struct nlattr *attr;
	char name[40] = "";
	int error;

	said[0] = '\0';
	if (message->nlmsg_type == NLMSG_ERROR) {
		const struct nlmsgerr *body = mnl_nlmsg_get_payload(message);

		skip = sizeof(*body);
		if (length < skip)
			return -EBADMSG;
		/* The request itself, where the kernel sends it back. */
		if (!(message->nlmsg_flags & NLM_F_CAPPED) &&
		    body->msg.nlmsg_len > sizeof(body->msg))
			skip += MNL_ALIGN(body->msg.nlmsg_len - sizeof(body->msg));
	}
	if (length < sizeof(error))
		return message->nlmsg_type == NLMSG_DONE ? 0 : -EBADMSG;
	memcpy(&error, mnl_nlmsg_get_payload(message), sizeof(error));
	if (!(message->nlmsg_flags & NLM_F_ACK_TLVS) || length < skip)
		return error;
	mnl_attr_for_each(attr, message, skip) {
		switch (mnl_attr_get_type(attr)) {
		case NLMSGERR_ATTR_MSG:
			if (!mnl_attr_validate(attr, MNL_TYPE_NUL_STRING))
				text = mnl_attr_get_str(attr);
			break;
		case NLMSGERR_ATTR_OFFS:
			if (!mnl_attr_validate(attr, MNL_TYPE_U32))
				name_attr(request, mnl_attr_get_u32(attr), name,
					  sizeof(name));
			break;
		case NLMSGERR_ATTR_MISS_TYPE:
			if (!mnl_attr_validate(attr, MNL_TYPE_U32))
				snprintf(name, sizeof(name), "%s is missing",
					 ATTR_NAME(mnl_attr_get_u32(attr)));
			break;
		}
	}
	snprintf(said, size, "%s%s%s%s", text, *name && *text ? " (" : "", name,
		 *name && *text ? ")" : "");
	return error;
}

static const char *advice(int error)
{
	switch (error) {
	case -EPERM:
	case -EACCES:
		return geteuid() ? "run it as root" :
			"root of a container is not enough, it must be the machine's";
	case -ENOENT:
	case -ESRCH:
		return geteuid() ?
			"it is gone, or it is another user's, which only root can see" :
			"it is gone, or never was; see " CTL_NAME " list and quota show";
	default:
		return NULL;
	}
}

int netlink_complain(const struct netlink *nl, int error, const char *what)
{
	const char *todo = advice(error), *text = nl->said;

	/* That the kernel can only say in general. */
	if (error == -ENOENT)
		text = "there is none";
	else if (!*text)
		text = strerror(-error);
	complain("%s%s%s%s%s", what ? what : "", what ? ": " : "", text,
		 todo ? "; " : "", todo ? todo : "");
	return CTL_FAILED;
}

bool netlink_open_or_complain(struct netlink *nl)
{
	int ret = netlink_open(nl);

	if (!ret)
		return true;
	if (ret != -ENOENT)
		complain("no netlink socket: %s", strerror(-ret));
	else if (access("/sys/module/privheap", F_OK) && access(PRIVHEAP_DEVICE, F_OK))
		complain("privheap is not loaded; as root: modprobe privheap, or insmod %s",
			 "kmod/build/$(uname -r)/privheap.ko");
	else
		complain("the module privheap is loaded, but does not answer here: %s",
			 "this is a network namespace of its own, or the module is too old");
	return false;
}
