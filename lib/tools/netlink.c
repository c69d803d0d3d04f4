// SPDX-License-Identifier: MIT
/* A socket of the family privheap: see netlink.h. */
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/genetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <linux/privheap_netlink.h>

#include "ctl.h"
#include "netlink.h"

/* More than any message: a map of the most cells has 64 KiB. */
#define BUFFER_SIZE	(256 * 1024)

/* What the kernel may keep for a listener that is slow; it may allow less. */
#define LISTEN_BYTES	(4 * 1024 * 1024)

volatile bool netlink_stop;

static struct nlmsghdr *begin(struct netlink *nl, uint16_t type, uint8_t command,
			      uint8_t version)
{
	struct nlmsghdr *message;
	struct genlmsghdr *header;

	memset(nl->request, 0, sizeof(nl->request));
	message = mnl_nlmsg_put_header(nl->request);
	message->nlmsg_type = type;
	header = mnl_nlmsg_put_extra_header(message, sizeof(*header));
	header->cmd = command;
	header->version = version;
	return message;
}

struct nlmsghdr *netlink_request(struct netlink *nl, uint8_t command)
{
	return begin(nl, nl->family, command, PRIVHEAP_FAMILY_VERSION);
}

static int send_request(struct netlink *nl, uint16_t flags)
{
	struct nlmsghdr *message = (struct nlmsghdr *)nl->request;

	message->nlmsg_flags = NLM_F_REQUEST | flags;
	message->nlmsg_seq = ++nl->seq;
	nl->said[0] = '\0';
	nl->interrupted = false;
	if (mnl_socket_sendto(nl->socket, message, message->nlmsg_len) < 0)
		return -errno;
	return 0;
}

static ssize_t receive(struct netlink *nl)
{
	ssize_t length;

	for (;;) {
		length = mnl_socket_recvfrom(nl->socket, nl->buffer, BUFFER_SIZE);
		if (length >= 0)
			return length;
		if (errno != EINTR || netlink_stop)
			return -errno;
	}
}

/**
 * struct answer - an answer on its way
 * @handler: gets its messages
 * @data: for @handler
 * @result: 0 or the first error
 * @handled: how many messages there were
 * @done: its end was there
 */
struct answer {
	netlink_handler handler;
	void *data;
	int result;
	unsigned long handled;
	bool done;
};

static void take_message(struct netlink *nl, const struct nlmsghdr *message,
			 struct answer *answer)
{
	const struct nlmsghdr *request = (struct nlmsghdr *)nl->request;
	int ret = 0;

	/* Of an earlier request that was given up. */
	if (message->nlmsg_seq != nl->seq)
		return;
	if (message->nlmsg_flags & NLM_F_DUMP_INTR)
		nl->interrupted = true;
	switch (message->nlmsg_type) {
	case NLMSG_NOOP:
		return;
	case NLMSG_ERROR:
	case NLMSG_DONE:
		answer->done = true;
		ret = netlink_parse_error(message, request, nl->said,
					  sizeof(nl->said));
		break;
	case NLMSG_OVERRUN:
		ret = -ENOBUFS;
		break;
	default:
		answer->handled++;
		/* After an error of the handler the rest is only read away. */
		if (!answer->result)
			ret = answer->handler(message, answer->data);
		break;
	}
	if (ret && !answer->result)
		answer->result = ret;
}

static int read_answer(struct netlink *nl, netlink_handler handler, void *data,
		       unsigned long least)
{
	struct answer answer = { .handler = handler, .data = data };
	const struct nlmsghdr *message;
	ssize_t got;
	int length;

	while (!answer.done) {
		got = receive(nl);
		if (got < 0)
			return got;
		length = got;
		for (message = (struct nlmsghdr *)nl->buffer;
		     mnl_nlmsg_ok(message, length);
		     message = mnl_nlmsg_next(message, &length))
			take_message(nl, message, &answer);
	}
	if (!answer.result && answer.handled < least)
		return -EBADMSG;
	return answer.result;
}

int netlink_do(struct netlink *nl, netlink_handler handler, void *data)
{
	int ret = send_request(nl, NLM_F_ACK);

	return ret ? ret : read_answer(nl, handler, data, 1);
}

int netlink_dump(struct netlink *nl, void (*again)(void *data),
		 netlink_handler handler, void *data)
{
	unsigned int tries = NETLINK_DUMP_TRIES;
	int ret;

	do {
		again(data);
		ret = send_request(nl, NLM_F_DUMP);
		if (!ret)
			ret = read_answer(nl, handler, data, 0);
	} while (!ret && nl->interrupted && --tries);
	return ret;
}

/* ------------------------------------------------- the family's numbers */

static void take_groups(const struct nlattr *groups, struct netlink *nl)
{
	const struct nlattr *group, *attr;
	const char *name;
	uint32_t id;

	mnl_attr_for_each_nested(group, groups) {
		name = "";
		id = 0;
		mnl_attr_for_each_nested(attr, group) {
			switch (mnl_attr_get_type(attr)) {
			case CTRL_ATTR_MCAST_GRP_NAME:
				if (!mnl_attr_validate(attr, MNL_TYPE_NUL_STRING))
					name = mnl_attr_get_str(attr);
				break;
			case CTRL_ATTR_MCAST_GRP_ID:
				if (!mnl_attr_validate(attr, MNL_TYPE_U32))
					id = mnl_attr_get_u32(attr);
				break;
			}
		}
		if (!strcmp(name, PRIVHEAP_MCGRP_EVENTS))
			nl->group = id;
	}
}

static int take_family(const struct nlmsghdr *message, void *data)
{
	struct netlink *nl = data;
	const struct nlattr *attr;

	mnl_attr_for_each(attr, message, sizeof(struct genlmsghdr)) {
		switch (mnl_attr_get_type(attr)) {
		case CTRL_ATTR_FAMILY_ID:
			if (mnl_attr_validate(attr, MNL_TYPE_U16))
				return -EBADMSG;
			nl->family = mnl_attr_get_u16(attr);
			break;
		case CTRL_ATTR_MCAST_GROUPS:
			take_groups(attr, nl);
			break;
		}
	}
	return nl->family ? 0 : -EBADMSG;
}

int netlink_open(struct netlink *nl)
{
	struct nlmsghdr *message;
	int one = 1, ret;

	memset(nl, 0, sizeof(*nl));
	nl->socket = mnl_socket_open2(NETLINK_GENERIC, SOCK_CLOEXEC);
	if (!nl->socket)
		return -errno;
	nl->buffer = ctl_realloc(NULL, BUFFER_SIZE, 1);
	/* Texts with errors, and errors without a copy of the request. */
	mnl_socket_setsockopt(nl->socket, NETLINK_EXT_ACK, &one, sizeof(one));
	mnl_socket_setsockopt(nl->socket, NETLINK_CAP_ACK, &one, sizeof(one));
	if (mnl_socket_bind(nl->socket, 0, MNL_SOCKET_AUTOPID) < 0) {
		ret = -errno;
		goto out_close;
	}
	message = begin(nl, GENL_ID_CTRL, CTRL_CMD_GETFAMILY, 1);
	mnl_attr_put_strz(message, CTRL_ATTR_FAMILY_NAME, PRIVHEAP_FAMILY_NAME);
	ret = netlink_do(nl, take_family, nl);
	if (!ret)
		return 0;
	nl->said[0] = '\0';
out_close:
	netlink_close(nl);
	return ret;
}

void netlink_close(struct netlink *nl)
{
	if (nl->socket)
		mnl_socket_close(nl->socket);
	free(nl->buffer);
	nl->socket = NULL;
	nl->buffer = NULL;
}

int netlink_fd(const struct netlink *nl)
{
	return mnl_socket_get_fd(nl->socket);
}

/* -------------------------------------------------------- notifications */

int netlink_listen(struct netlink *nl)
{
	int bytes = LISTEN_BYTES, fd = netlink_fd(nl);

	if (!nl->group)
		return -EOPNOTSUPP;
	/* Beyond what everybody may have, where this user is allowed to. */
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)))
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
	if (mnl_socket_setsockopt(nl->socket, NETLINK_ADD_MEMBERSHIP, &nl->group,
				  sizeof(nl->group)))
		return -errno;
	return 0;
}

int netlink_next(struct netlink *nl, netlink_handler handler, void *data)
{
	const struct nlmsghdr *message;
	int length, ret = 0;
	ssize_t got;

	got = recv(netlink_fd(nl), nl->buffer, BUFFER_SIZE, MSG_DONTWAIT);
	if (got < 0)
		return -errno;
	length = got;
	for (message = (struct nlmsghdr *)nl->buffer;
	     !ret && mnl_nlmsg_ok(message, length);
	     message = mnl_nlmsg_next(message, &length))
		if (message->nlmsg_type == nl->family)
			ret = handler(message, data);
	return ret;
}
