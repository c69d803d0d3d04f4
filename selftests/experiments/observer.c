// SPDX-License-Identifier: GPL-2.0-only
/* Quotas from outside, by generic netlink. */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/genetlink.h>
#include <linux/netlink.h>

#include "experiment.h"
#include "observer.h"

#define MESSAGE_SIZE	8192

/**
 * struct message - a message that is built, or that was got
 * @length: bytes of @bytes that were got
 * @header: the beginning
 * @bytes: all of it
 */
struct message {
	size_t length;
	union {
		struct nlmsghdr header;
		char bytes[MESSAGE_SIZE];
	};
};

/* What the kernel's family table says of ours. */
struct family {
	uint16_t id;
	uint32_t events;
};

/* ----------------------------------------------------------------- building */

static void message_begin(struct message *message, uint16_t family,
			  uint8_t command)
{
	struct genlmsghdr *generic;

	memset(message, 0, sizeof(*message));
	message->header.nlmsg_type = family;
	message->header.nlmsg_flags = NLM_F_REQUEST;
	message->header.nlmsg_len = NLMSG_HDRLEN + GENL_HDRLEN;
	generic = NLMSG_DATA(&message->header);
	generic->cmd = command;
	generic->version = 1;
}

static struct nlattr *message_put(struct message *message, uint16_t type,
				  const void *value, size_t size)
{
	struct nlattr *attribute = (struct nlattr *)(message->bytes +
				   message->header.nlmsg_len);

	attribute->nla_type = type;
	attribute->nla_len = NLA_HDRLEN + size;
	if (size)
		memcpy((char *)attribute + NLA_HDRLEN, value, size);
	message->header.nlmsg_len += NLA_ALIGN(attribute->nla_len);
	return attribute;
}

/* ------------------------------------------------------------------ reading */

/* The next attribute of @size bytes, NULL at the end; @at and @size move on. */
static const struct nlattr *next_attribute(const char **at, size_t *size)
{
	const struct nlattr *attribute = (const struct nlattr *)*at;
	size_t whole;

	if (*size < NLA_HDRLEN || attribute->nla_len < NLA_HDRLEN ||
	    attribute->nla_len > *size)
		return NULL;
	whole = NLA_ALIGN(attribute->nla_len);
	if (whole > *size)
		whole = *size;
	*at += whole;
	*size -= whole;
	return attribute;
}

static const char *attribute_data(const struct nlattr *attribute, size_t *size)
{
	*size = attribute->nla_len - NLA_HDRLEN;
	return (const char *)attribute + NLA_HDRLEN;
}

static int attribute_type(const struct nlattr *attribute)
{
	return attribute->nla_type & NLA_TYPE_MASK;
}

/* The attribute @type among @size bytes at @at; NULL if there is none. */
static const struct nlattr *find(const char *at, size_t size, int type)
{
	const struct nlattr *attribute;

	if (!at)
		return NULL;
	while ((attribute = next_attribute(&at, &size)))
		if (attribute_type(attribute) == type)
			return attribute;
	return NULL;
}

static const char *find_nest(const char *at, size_t size, int type,
			     size_t *inner)
{
	const struct nlattr *attribute = find(at, size, type);

	*inner = 0;
	return attribute ? attribute_data(attribute, inner) : NULL;
}

/* A number of 16, 32 or 64 bits; @otherwise if there is none. */
static uint64_t number(const char *at, size_t size, int type,
		       uint64_t otherwise)
{
	const struct nlattr *attribute = find(at, size, type);
	const char *data;
	uint64_t whole;
	uint32_t word;
	uint16_t half;

	if (!attribute)
		return otherwise;
	data = attribute_data(attribute, &size);
	switch (size) {
	case sizeof(whole):
		memcpy(&whole, data, sizeof(whole));
		return whole;
	case sizeof(word):
		memcpy(&word, data, sizeof(word));
		return word;
	case sizeof(half):
		memcpy(&half, data, sizeof(half));
		return half;
	default:
		return otherwise;
	}
}

static const char *attributes(const struct message *message, size_t *size)
{
	size_t head = NLMSG_HDRLEN + GENL_HDRLEN;

	*size = message->header.nlmsg_len < head ? 0 :
		message->header.nlmsg_len - head;
	return message->bytes + head;
}

static bool receive(int fd, struct message *message)
{
	ssize_t got = recv(fd, message->bytes, sizeof(message->bytes), 0);

	if (got < 0)
		return false;
	message->length = got;
	return NLMSG_OK(&message->header, message->length);
}

/* Sends a request and reads the answer. Return: 0 or a negative errno. */
static int ask(int fd, const struct message *request, struct message *answer)
{
	if (send(fd, request->bytes, request->header.nlmsg_len, 0) < 0)
		return -errno;
	if (!receive(fd, answer))
		return errno ? -errno : -EPROTO;
	if (answer->header.nlmsg_type == NLMSG_ERROR)
		return ((struct nlmsgerr *)NLMSG_DATA(&answer->header))->error;
	return 0;
}

/* ----------------------------------------------------------------- sockets */

static int open_socket(void)
{
	struct sockaddr_nl address = { .nl_family = AF_NETLINK };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);

	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)))
		experiment_die("no netlink: %s", strerror(errno));
	return fd;
}

static struct family find_family(int fd)
{
	const char *at, *groups, *data;
	const struct nlattr *group;
	struct message request, answer;
	struct family family = { 0 };
	size_t size, all, inner;
	int ret;

	message_begin(&request, GENL_ID_CTRL, CTRL_CMD_GETFAMILY);
	message_put(&request, CTRL_ATTR_FAMILY_NAME, PRIVHEAP_FAMILY_NAME,
		    sizeof(PRIVHEAP_FAMILY_NAME));
	ret = ask(fd, &request, &answer);
	if (ret)
		experiment_die("no netlink family %s: %s", PRIVHEAP_FAMILY_NAME,
			       strerror(-ret));
	at = attributes(&answer, &size);
	family.id = number(at, size, CTRL_ATTR_FAMILY_ID, 0);
	groups = find_nest(at, size, CTRL_ATTR_MCAST_GROUPS, &all);
	while (groups && (group = next_attribute(&groups, &all))) {
		data = attribute_data(group, &inner);
		/* There is one. */
		family.events = number(data, inner, CTRL_ATTR_MCAST_GRP_ID, 0);
	}
	return family;
}

int observer_events(void)
{
	int fd = open_socket();
	struct family family = find_family(fd);

	if (setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &family.events,
		       sizeof(family.events)))
		experiment_die("no events: %s", strerror(errno));
	return fd;
}

int observer_requests(void)
{
	return open_socket();
}

bool observer_wait(int events, int ms, struct quota_event *event)
{
	struct pollfd poller = { .fd = events, .events = POLLIN };
	const struct genlmsghdr *generic;
	struct message message;
	size_t size, inner;
	const char *at, *nest;

	for (;;) {
		if (poll(&poller, 1, ms) != 1)
			return false;
		if (!receive(events, &message))
			experiment_die("events were lost: %s", strerror(errno));
		generic = NLMSG_DATA(&message.header);
		event->command = generic->cmd;
		if (event->command < PRIVHEAP_CMD_QUOTA_SOFT_NTF)
			continue;
		at = attributes(&message, &size);
		event->level = number(at, size, PRIVHEAP_A_LEVEL, 0);
		event->subject = number(at, size, PRIVHEAP_A_SUBJECT, 0);
		nest = find_nest(at, size, PRIVHEAP_A_EVENT, &inner);
		event->resource = number(nest, inner, PRIVHEAP_A_EVENT_RESOURCE,
					 ~0U);
		return true;
	}
}

int observer_cgroup(int requests, uint64_t id, bool set,
		    struct quota_limits *limits)
{
	static struct family family;
	const uint32_t level = PRIVHEAP_LEVEL_CGROUP;
	struct message request, answer;
	struct nlattr *nest;
	const char *at;
	size_t size, inner;
	int ret;

	if (!family.id)
		family = find_family(requests);
	message_begin(&request, family.id, set ? PRIVHEAP_CMD_QUOTA_SET :
						 PRIVHEAP_CMD_QUOTA_GET);
	message_put(&request, PRIVHEAP_A_LEVEL, &level, sizeof(level));
	message_put(&request, PRIVHEAP_A_SUBJECT, &id, sizeof(id));
	if (set) {
		nest = message_put(&request, NLA_F_NESTED | PRIVHEAP_A_COMMIT,
				   NULL, 0);
		message_put(&request, PRIVHEAP_A_COUNTER_HARD, &limits->hard,
			    sizeof(limits->hard));
		message_put(&request, PRIVHEAP_A_COUNTER_FAIL_NTH,
			    &limits->fail_nth, sizeof(limits->fail_nth));
		nest->nla_len = request.bytes + request.header.nlmsg_len -
				(char *)nest;
	}
	ret = ask(requests, &request, &answer);
	if (ret)
		return ret;
	at = attributes(&answer, &size);
	at = find_nest(at, size, PRIVHEAP_A_COMMIT, &inner);
	limits->hard = number(at, inner, PRIVHEAP_A_COUNTER_HARD,
			      PRIVHEAP_NO_LIMIT);
	limits->fail_nth = number(at, inner, PRIVHEAP_A_COUNTER_FAIL_NTH, 0);
	limits->usage = number(at, inner, PRIVHEAP_A_COUNTER_USAGE, 0);
	limits->peak = number(at, inner, PRIVHEAP_A_COUNTER_PEAK, 0);
	limits->denials = number(at, inner, PRIVHEAP_A_COUNTER_DENIALS, 0);
	return 0;
}
