// SPDX-License-Identifier: GPL-2.0-only
/* The netlink family for tests, on a plain socket. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "netlink_selftest.h"

#ifndef SOL_NETLINK
#define SOL_NETLINK	270
#endif

/* An attribute inside of @end bytes, or NULL behind the last one. */
static const struct nlattr *attr_at(const char *at, const char *end)
{
	const struct nlattr *attr = (const struct nlattr *)at;

	if (end - at < NLA_HDRLEN || attr->nla_len < NLA_HDRLEN ||
	    attr->nla_len > end - at)
		return NULL;
	return attr;
}

#define for_each_attr(attr, start, end)						\
	for (const struct nlattr *attr = attr_at(start, end); attr;		\
	     attr = attr_at((const char *)attr + NLA_ALIGN(attr->nla_len), end))

static unsigned int attr_type(const struct nlattr *attr)
{
	return attr->nla_type & NLA_TYPE_MASK;
}

static const char *attr_data(const struct nlattr *attr)
{
	return (const char *)attr + NLA_HDRLEN;
}

static const char *attr_end(const struct nlattr *attr)
{
	return (const char *)attr + attr->nla_len;
}

static uint64_t attr_number(const struct nlattr *attr)
{
	uint64_t value = 0;
	uint32_t value32;

	if (attr->nla_len == NLA_HDRLEN + sizeof(value32)) {
		memcpy(&value32, attr_data(attr), sizeof(value32));
		return value32;
	}
	if (attr->nla_len == NLA_HDRLEN + sizeof(value))
		memcpy(&value, attr_data(attr), sizeof(value));
	return value;
}

/* --- the socket */

int nl_open_socket(struct nl_socket *nl)
{
	struct sockaddr_nl address = { .nl_family = AF_NETLINK };
	int one = 1;

	memset(nl, 0, sizeof(*nl));
	nl->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);
	if (nl->fd < 0)
		return -errno;
	if (bind(nl->fd, (struct sockaddr *)&address, sizeof(address)) ||
	    setsockopt(nl->fd, SOL_NETLINK, NETLINK_EXT_ACK, &one, sizeof(one)) ||
	    setsockopt(nl->fd, SOL_NETLINK, NETLINK_CAP_ACK, &one, sizeof(one))) {
		int error = errno;

		close(nl->fd);
		return -error;
	}
	return 0;
}

static void find_group(struct nl_socket *nl, const struct nlattr *groups)
{
	for_each_attr(group, attr_data(groups), attr_end(groups)) {
		uint32_t id = 0;
		bool ours = false;

		for_each_attr(attr, attr_data(group), attr_end(group)) {
			if (attr_type(attr) == CTRL_ATTR_MCAST_GRP_ID)
				id = attr_number(attr);
			else if (attr_type(attr) == CTRL_ATTR_MCAST_GRP_NAME)
				ours = !strcmp(attr_data(attr), PRIVHEAP_MCGRP_EVENTS);
		}
		if (ours)
			nl->group = id;
	}
}

int nl_find(struct nl_socket *nl)
{
	struct nl_message message;
	char answer[4096];
	struct nlmsghdr *header = (struct nlmsghdr *)answer;
	ssize_t length;
	int ret;

	nl->family = GENL_ID_CTRL;
	nl_begin(&message, nl, CTRL_CMD_GETFAMILY, 0);
	message.header.nlmsg_flags = NLM_F_REQUEST;
	nl->family = 0;
	nl_put(&message, CTRL_ATTR_FAMILY_NAME, PRIVHEAP_FAMILY_NAME,
	       sizeof(PRIVHEAP_FAMILY_NAME));
	ret = nl_send(nl, &message);
	if (ret)
		return ret;
	length = recv(nl->fd, answer, sizeof(answer), 0);
	if (length < NLMSG_HDRLEN)
		return -EIO;
	if (header->nlmsg_type == NLMSG_ERROR)
		return ((struct nlmsgerr *)NLMSG_DATA(header))->error;
	for_each_attr(attr, answer + NLMSG_HDRLEN + GENL_HDRLEN,
		      answer + header->nlmsg_len) {
		if (attr_type(attr) == CTRL_ATTR_FAMILY_ID)
			memcpy(&nl->family, attr_data(attr), sizeof(nl->family));
		else if (attr_type(attr) == CTRL_ATTR_MCAST_GROUPS)
			find_group(nl, attr);
	}
	return nl->family && nl->group ? 0 : -EIO;
}

int nl_open(struct nl_socket *nl)
{
	int ret = nl_open_socket(nl);

	if (ret)
		return ret;
	ret = nl_find(nl);
	if (ret)
		nl_close(nl);
	return ret;
}

void nl_close(struct nl_socket *nl)
{
	close(nl->fd);
	nl->fd = -1;
}

int nl_listen(struct nl_socket *nl)
{
	return setsockopt(nl->fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &nl->group,
			  sizeof(nl->group)) ? -errno : 0;
}

/* --- requests */

void nl_begin(struct nl_message *message, struct nl_socket *nl, uint8_t command,
	      uint16_t flags)
{
	memset(message, 0, sizeof(*message));
	message->header.nlmsg_len = NLMSG_HDRLEN + GENL_HDRLEN;
	message->header.nlmsg_type = nl->family;
	message->header.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | flags;
	message->header.nlmsg_seq = ++nl->seq;
	message->genl.cmd = command;
	message->genl.version = PRIVHEAP_FAMILY_VERSION;
}

uint32_t nl_put(struct nl_message *message, uint16_t type, const void *data,
		uint16_t length)
{
	uint32_t at = message->header.nlmsg_len;
	struct nlattr attr = { .nla_len = NLA_HDRLEN + length, .nla_type = type };

	memcpy(message->bytes + at, &attr, sizeof(attr));
	if (length)
		memcpy(message->bytes + at + NLA_HDRLEN, data, length);
	message->header.nlmsg_len += NLA_ALIGN(attr.nla_len);
	return at;
}

uint32_t nl_put_u32(struct nl_message *message, uint16_t type, uint32_t value)
{
	return nl_put(message, type, &value, sizeof(value));
}

uint32_t nl_put_u64(struct nl_message *message, uint16_t type, uint64_t value)
{
	return nl_put(message, type, &value, sizeof(value));
}

uint32_t nl_nest(struct nl_message *message, uint16_t type)
{
	return nl_put(message, type | NLA_F_NESTED, NULL, 0);
}

void nl_nest_end(struct nl_message *message, uint32_t nest)
{
	struct nlattr *attr = (struct nlattr *)(message->bytes + nest);

	attr->nla_len = message->header.nlmsg_len - nest;
}

int nl_send(struct nl_socket *nl, const struct nl_message *message)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };

	return sendto(nl->fd, message, message->header.nlmsg_len, 0,
		      (struct sockaddr *)&kernel, sizeof(kernel)) < 0 ? -errno : 0;
}

/* --- answers */

static void parse_counter(const struct nlattr *nest, uint64_t *value,
			  struct nl_object *object)
{
	for_each_attr(attr, attr_data(nest), attr_end(nest)) {
		if (attr_type(attr) > PRIVHEAP_A_COUNTER_MAX)
			object->unknown++;
		else if (attr_type(attr) == PRIVHEAP_A_COUNTER_RESERVE_OPEN)
			value[PRIVHEAP_A_COUNTER_RESERVE_OPEN] = 1;
		else
			value[attr_type(attr)] = attr_number(attr);
	}
}

static void parse_event(const struct nlattr *nest, struct nl_object *object)
{
	for_each_attr(attr, attr_data(nest), attr_end(nest)) {
		if (attr_type(attr) > PRIVHEAP_A_EVENT_MAX) {
			object->unknown++;
			continue;
		}
		object->event_have |= 1U << attr_type(attr);
		object->event[attr_type(attr)] = attr_number(attr);
	}
}

static void parse(const struct nlmsghdr *header, struct nl_object *object)
{
	const char *start = (const char *)header;
	const struct genlmsghdr *genl = NLMSG_DATA(header);

	memset(object, 0, offsetof(struct nl_object, map));
	object->unknown = 0;
	object->command = genl->cmd;
	for_each_attr(attr, start + NLMSG_HDRLEN + GENL_HDRLEN, start + header->nlmsg_len) {
		unsigned int type = attr_type(attr);

		if (type > PRIVHEAP_A_MAX || NL_HAS(object, type)) {
			object->unknown++;
			continue;
		}
		object->have |= 1U << type;
		switch (type) {
		case PRIVHEAP_A_COMMIT:
			parse_counter(attr, object->commit, object);
			break;
		case PRIVHEAP_A_RESIDENT:
			parse_counter(attr, object->resident, object);
			break;
		case PRIVHEAP_A_EVENT:
			parse_event(attr, object);
			break;
		case PRIVHEAP_A_MAP:
			object->pairs = (attr->nla_len - NLA_HDRLEN) / sizeof(*object->map);
			if (object->pairs > PRIVHEAP_CELLS_MAX)
				object->unknown++;
			else
				memcpy(object->map, attr_data(attr),
				       object->pairs * sizeof(*object->map));
			break;
		default:
			object->value[type] = attr_number(attr);
		}
	}
}

static void parse_error(struct nl_socket *nl, const struct nlmsghdr *header, size_t skip)
{
	const char *start = (const char *)header;

	if (!(header->nlmsg_flags & NLM_F_ACK_TLVS))
		return;
	for_each_attr(attr, start + NLMSG_HDRLEN + NLMSG_ALIGN(skip),
		      start + header->nlmsg_len) {
		if (attr_type(attr) == NLMSGERR_ATTR_MSG)
			snprintf(nl->text, sizeof(nl->text), "%s", attr_data(attr));
		else if (attr_type(attr) == NLMSGERR_ATTR_OFFS)
			nl->offset = attr_number(attr);
		else if (attr_type(attr) == NLMSGERR_ATTR_MISS_TYPE)
			nl->missing = attr_number(attr);
	}
}

/* Whether the answer ends with this message; then its result. */
static bool take(struct nl_socket *nl, const struct nlmsghdr *header, nl_each each,
		 void *argument, int *result)
{
	static __thread struct nl_object object;

	if (header->nlmsg_seq != nl->seq)
		return false;
	nl->interrupted |= !!(header->nlmsg_flags & NLM_F_DUMP_INTR);
	switch (header->nlmsg_type) {
	case NLMSG_ERROR:
		*result = ((struct nlmsgerr *)NLMSG_DATA(header))->error;
		/* The request's header is repeated, and capped behind it. */
		parse_error(nl, header, sizeof(struct nlmsgerr));
		return true;
	case NLMSG_DONE:
		*result = *(int *)NLMSG_DATA(header);
		parse_error(nl, header, sizeof(int));
		return true;
	}
	parse(header, &object);
	if (each)
		each(&object, argument);
	return false;
}

int nl_receive(struct nl_socket *nl, nl_each each, void *argument)
{
	static __thread char answer[32768];
	int result = 0;

	nl->text[0] = '\0';
	nl->offset = 0;
	nl->missing = 0;
	nl->interrupted = false;
	for (;;) {
		ssize_t length = recv(nl->fd, answer, sizeof(answer), MSG_TRUNC);
		struct nlmsghdr *header = (struct nlmsghdr *)answer;

		if (length < 0)
			return -errno;
		if (length > (ssize_t)sizeof(answer))
			return -EMSGSIZE;
		for (; NLMSG_OK(header, length); header = NLMSG_NEXT(header, length))
			if (take(nl, header, each, argument, &result))
				return result;
	}
}

int nl_call(struct nl_socket *nl, const struct nl_message *message, nl_each each,
	    void *argument)
{
	int ret = nl_send(nl, message);

	return ret ?: nl_receive(nl, each, argument);
}

struct one {
	struct nl_object *object;
	unsigned int count;
};

static void keep_one(struct nl_object *object, void *argument)
{
	struct one *one = argument;

	*one->object = *object;
	one->count++;
}

int nl_call_one(struct nl_socket *nl, const struct nl_message *message,
		struct nl_object *object)
{
	struct one one = { .object = object };
	int ret = nl_call(nl, message, keep_one, &one);

	return ret ?: one.count == 1 ? 0 : -ENODATA;
}

int nl_region(struct nl_socket *nl, uint64_t id, struct nl_object *object)
{
	return nl_map(nl, id, 0, object);
}

int nl_map(struct nl_socket *nl, uint64_t id, uint32_t cells, struct nl_object *object)
{
	struct nl_message message;

	nl_begin(&message, nl, PRIVHEAP_CMD_REGION_GET, 0);
	nl_put_u64(&message, PRIVHEAP_A_REGION_ID, id);
	if (cells)
		nl_put_u32(&message, PRIVHEAP_A_CELLS, cells);
	return nl_call_one(nl, &message, object);
}

int nl_quota(struct nl_socket *nl, uint32_t level, uint64_t subject,
	     struct nl_object *object)
{
	struct nl_message message;

	nl_begin(&message, nl, PRIVHEAP_CMD_QUOTA_GET, 0);
	nl_put_u32(&message, PRIVHEAP_A_LEVEL, level);
	nl_put_u64(&message, PRIVHEAP_A_SUBJECT, subject);
	return nl_call_one(nl, &message, object);
}

int nl_set(struct nl_socket *nl, uint32_t level, uint64_t subject, uint16_t resource,
	   uint16_t what, uint64_t value, struct nl_object *object)
{
	struct nl_message message;
	uint32_t nest;

	nl_begin(&message, nl, PRIVHEAP_CMD_QUOTA_SET, 0);
	nl_put_u32(&message, PRIVHEAP_A_LEVEL, level);
	nl_put_u64(&message, PRIVHEAP_A_SUBJECT, subject);
	nest = nl_nest(&message, resource);
	nl_put_u64(&message, what, value);
	nl_nest_end(&message, nest);
	return nl_call_one(nl, &message, object);
}

int nl_dump(struct nl_socket *nl, uint8_t command, uint16_t filter, uint64_t value,
	    nl_each each, void *argument)
{
	struct nl_message message;

	nl_begin(&message, nl, command, NLM_F_DUMP);
	if (filter == PRIVHEAP_A_CGROUP)
		nl_put_u64(&message, filter, value);
	else if (filter)
		nl_put_u32(&message, filter, value);
	return nl_call(nl, &message, each, argument);
}

int nl_event(struct nl_socket *nl, struct nl_object *object, int timeout_ms)
{
	struct pollfd poll_fd = { .fd = nl->fd, .events = POLLIN };
	char message[4096];
	struct nlmsghdr *header = (struct nlmsghdr *)message;
	ssize_t length;

	if (poll(&poll_fd, 1, timeout_ms) != 1)
		return -ETIMEDOUT;
	length = recv(nl->fd, message, sizeof(message), MSG_TRUNC);
	if (length < 0)
		return -errno;
	if (length > (ssize_t)sizeof(message) || !NLMSG_OK(header, length) ||
	    header->nlmsg_type != nl->family)
		return -EIO;
	parse(header, object);
	return 0;
}
