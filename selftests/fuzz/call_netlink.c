// SPDX-License-Identifier: GPL-2.0-only
/* Requests over netlink: what the family's tree of attributes allows, and worse. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fuzz.h"

/* In the order of the call's arguments. */
enum {
	CMD, DUMP, ATTRS, ID, LEVEL, SUBJECT, CELLS, PID, IN, IN2, SOFT, HARD, RESERVE,
	NTH, TWIST, WHERE,
};

/* What may be wrong with a request. */
enum twist {
	TWIST_NONE,
	TWIST_SHORT,		/* an attribute is shorter than its number */
	TWIST_LONG,		/* or longer than the message */
	TWIST_CUT,		/* the message ends early */
	TWIST_UNKNOWN,		/* an attribute that nobody knows */
	TWIST_GARBAGE,		/* in a nest */
	TWIST_TWICE,		/* the first attribute, with another value */
	TWIST_FLAT,		/* nests without their flag */
	TWIST_ORDER,		/* the flag for the other byte order */
	TWIST_HEADER,		/* a version and reserved bytes */
	TWIST_FLAGS,		/* of the message */
	TWIST_LEAVE,		/* a dump that nobody reads to its end */
	TWIST_DEEP,		/* a nest in a nest */
};

#define MOST_ATTRS	40

struct request {
	struct nl_message message;
	const uint64_t *arg;
	uint32_t at[MOST_ATTRS];
	unsigned int count;
};

static struct nlattr *attr(struct request *request, uint32_t at)
{
	return (struct nlattr *)(request->message.bytes + at);
}

static void put(struct request *request, uint16_t type, uint64_t value, bool wide)
{
	uint32_t at = wide ? nl_put_u64(&request->message, type, value) :
			     nl_put_u32(&request->message, type, value);

	if (request->count < MOST_ATTRS)
		request->at[request->count++] = at;
}

static void put_counter(struct request *request, uint16_t type, uint64_t in)
{
	const uint64_t *arg = request->arg;
	uint32_t nest = nl_nest(&request->message, type), deep = 0;
	unsigned int i;
	const uint64_t value[] = {
		[PRIVHEAP_A_COUNTER_SOFT] = arg[SOFT],
		[PRIVHEAP_A_COUNTER_HARD] = arg[HARD],
		[PRIVHEAP_A_COUNTER_RESERVE] = arg[RESERVE],
		[PRIVHEAP_A_COUNTER_FAIL_NTH] = arg[NTH],
		[PRIVHEAP_A_COUNTER_DENIALS] = 1,
	};

	if (arg[TWIST] == TWIST_DEEP)
		deep = nl_nest(&request->message, type);
	for (i = 1; i <= PRIVHEAP_A_COUNTER_MAX; i++)
		if (in >> i & 1)
			put(request, i, value[i], true);
	if (arg[TWIST] == TWIST_GARBAGE)
		nl_put(&request->message, arg[WHERE], arg, arg[WHERE] % 16);
	if (deep)
		nl_nest_end(&request->message, deep);
	nl_nest_end(&request->message, nest);
	if (arg[TWIST] == TWIST_FLAT)
		attr(request, nest)->nla_type &= ~NLA_F_NESTED;
}

static void put_attrs(struct request *request)
{
	const uint64_t *arg = request->arg;
	unsigned int i;

	for (i = 1; i <= PRIVHEAP_A_MAX; i++) {
		if (!(arg[ATTRS] >> i & 1))
			continue;
		switch (i) {
		case PRIVHEAP_A_REGION_ID:
			put(request, i, arg[ID], true);
			break;
		case PRIVHEAP_A_PID:
		case PRIVHEAP_A_UID:
			put(request, i, arg[PID], false);
			break;
		case PRIVHEAP_A_LEVEL:
			put(request, i, arg[LEVEL], false);
			break;
		case PRIVHEAP_A_SUBJECT:
		case PRIVHEAP_A_CGROUP:
			put(request, i, arg[SUBJECT], true);
			break;
		case PRIVHEAP_A_CELLS:
			put(request, i, arg[CELLS], false);
			break;
		case PRIVHEAP_A_COMMIT:
			put_counter(request, i, arg[IN]);
			break;
		case PRIVHEAP_A_RESIDENT:
			put_counter(request, i, arg[IN2]);
			break;
		default:
			put(request, i, 0, true);
		}
	}
}

static void twist(struct request *request)
{
	struct nlmsghdr *header = &request->message.header;
	uint64_t where = request->arg[WHERE];
	struct nlattr *one = request->count ?
			     attr(request, request->at[where % request->count]) : NULL;

	switch (request->arg[TWIST]) {
	case TWIST_SHORT:
		if (one)
			one->nla_len -= 1 + where % 9;
		break;
	case TWIST_LONG:
		if (one)
			one->nla_len += 1 + where * 16 % 32768;
		break;
	case TWIST_CUT:
		header->nlmsg_len -= where < header->nlmsg_len ? where : 0;
		break;
	case TWIST_UNKNOWN:
		nl_put_u32(&request->message, PRIVHEAP_A_MAX + 1 + where % 64, 0);
		break;
	case TWIST_TWICE:
		if (one)
			nl_put(&request->message, one->nla_type, &where,
			       (one->nla_len - NLA_HDRLEN) & 15);
		break;
	case TWIST_ORDER:
		if (one)
			one->nla_type |= NLA_F_NET_BYTEORDER;
		break;
	case TWIST_HEADER:
		request->message.genl.version = where;
		request->message.genl.reserved = where >> 3;
		break;
	case TWIST_FLAGS:
		header->nlmsg_flags ^= 1 << where % 16;
		header->nlmsg_flags |= NLM_F_REQUEST;
		break;
	}
}

/* What every object in an answer has to be like. */
static void check_object(struct nl_object *object, void *argument)
{
	struct fuzz_machine *machine = argument;

	if (object->unknown)
		fuzz_broken(machine, "an answer with attributes that nobody knows");
	/* While others are at work, numbers are of different moments. */
	if (!machine->alone)
		return;
	if (object->commit[PRIVHEAP_A_COUNTER_USAGE] > object->commit[PRIVHEAP_A_COUNTER_PEAK])
		fuzz_broken(machine, "netlink: a peak below the usage");
	if (object->resident[PRIVHEAP_A_COUNTER_USAGE] >
	    object->commit[PRIVHEAP_A_COUNTER_USAGE])
		fuzz_broken(machine, "netlink: more resident than committed");
	if (NL_HAS(object, PRIVHEAP_A_RESERVED) &&
	    object->commit[PRIVHEAP_A_COUNTER_USAGE] > object->value[PRIVHEAP_A_RESERVED])
		fuzz_broken(machine, "netlink: more committed than reserved");
}

static bool open_socket(struct fuzz_machine *machine, struct nl_socket *nl)
{
	if (nl_open_socket(nl))
		return false;
	nl->family = machine->nl_family;
	nl->group = machine->nl_group;
	/* All there is to say has been said when sendto() returns. */
	fcntl(nl->fd, F_SETFL, O_NONBLOCK);
	return true;
}

int run_netlink(struct fuzz_machine *machine, const uint64_t *arg)
{
	struct request request = { .arg = arg };
	struct nl_socket nl;
	char byte;
	int ret;

	if (!open_socket(machine, &nl))
		return 1;
	nl_begin(&request.message, &nl, arg[CMD], arg[DUMP] & 1 ? NLM_F_DUMP : 0);
	put_attrs(&request);
	twist(&request);
	if (arg[CMD] == PRIVHEAP_CMD_QUOTA_SET && arg[LEVEL] > PRIVHEAP_LEVEL_PROCESS)
		machine->shared->quotas_set = true;
	ret = nl_send(&nl, &request.message);
	if (!ret && arg[TWIST] == TWIST_LEAVE)
		recv(nl.fd, &byte, 1, 0);
	else if (!ret)
		ret = nl_receive(&nl, check_object, machine);
	nl_close(&nl);
	/* No answer, where none was asked for; or there was no memory for it. */
	return ret == -EAGAIN || ret == -ENOBUFS || ret == -EMSGSIZE ? 1 : ret;
}

int run_listen(struct fuzz_machine *machine, const uint64_t *arg)
{
	static __thread struct nl_socket nl;
	static __thread bool listening;
	struct nl_object *object;
	int small = 2048;

	if (!listening) {
		listening = open_socket(machine, &nl) && !nl_listen(&nl);
		if (listening && arg[0] == 2)
			setsockopt(nl.fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
		return 0;
	}
	switch (arg[0]) {
	case 0:
		object = calloc(1, sizeof(*object));
		while (object && nl_event(&nl, object, 0) != -ETIMEDOUT)
			if (object->unknown)
				fuzz_broken(machine, "an event with unknown attributes");
		free(object);
		break;
	case 1:
		nl_close(&nl);
		listening = false;
		break;
	}
	return 0;
}
