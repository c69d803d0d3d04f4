/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The netlink family for tests, on a plain socket: every message is built by
 * hand, so that a test can also build one that is wrong.
 */
#ifndef NETLINK_SELFTEST_H
#define NETLINK_SELFTEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <linux/privheap_netlink.h>

#define NL_COUNTER_SIZE		(PRIVHEAP_A_COUNTER_MAX + 1)
#define NL_EVENT_SIZE		(PRIVHEAP_A_EVENT_MAX + 1)

/* A socket, the family, and what the last error or dump said. */
struct nl_socket {
	int fd;
	uint16_t family;	/* 0 where there is none */
	uint32_t group;		/* events */
	uint32_t seq;
	char text[128];		/* the error's text, or nothing */
	uint32_t offset;	/* of the wrong attribute; 0 for none */
	uint32_t missing;	/* type of the missing attribute; 0 for none */
	bool interrupted;	/* the dump has seen a change */
};

/* A request. All of it may be changed before it is sent. */
struct nl_message {
	union {
		struct nlmsghdr header;
		struct {
			char reserved[NLMSG_HDRLEN];
			struct genlmsghdr genl;
		};
		char bytes[8192];
	};
};

/* A message of the family: attributes by their number, and which there were. */
struct nl_object {
	uint8_t command;
	uint32_t have;		/* bits by PRIVHEAP_A_* */
	uint64_t value[PRIVHEAP_A_MAX + 1];
	uint64_t commit[NL_COUNTER_SIZE];
	uint64_t resident[NL_COUNTER_SIZE];
	uint32_t event_have;
	uint64_t event[NL_EVENT_SIZE];
	unsigned int pairs;
	uint64_t map[PRIVHEAP_CELLS_MAX][2];
	unsigned int unknown;	/* attributes that no header knows, or wrong ones */
};

#define NL_HAS(object, attr)	((object)->have >> (attr) & 1)

/* Return 0 or a negative errno; -ENOENT without the family. */
int nl_open(struct nl_socket *nl);
/* A socket only; the family is to be found with nl_find(). */
int nl_open_socket(struct nl_socket *nl);
int nl_find(struct nl_socket *nl);
void nl_close(struct nl_socket *nl);
/* Be told of events. */
int nl_listen(struct nl_socket *nl);

void nl_begin(struct nl_message *message, struct nl_socket *nl, uint8_t command,
	      uint16_t flags);
/* The offset of the attribute in the message. */
uint32_t nl_put(struct nl_message *message, uint16_t type, const void *data,
		uint16_t length);
uint32_t nl_put_u32(struct nl_message *message, uint16_t type, uint32_t value);
uint32_t nl_put_u64(struct nl_message *message, uint16_t type, uint64_t value);
uint32_t nl_nest(struct nl_message *message, uint16_t type);
void nl_nest_end(struct nl_message *message, uint32_t nest);

/*
 * Send a request and read to the end of its answer, each object of which is
 * handed to @each. Returns 0, the negative errno that was answered, or that of a
 * system call. Flags NLM_F_REQUEST and NLM_F_ACK are added by nl_begin().
 */
typedef void (*nl_each)(struct nl_object *object, void *argument);
int nl_send(struct nl_socket *nl, const struct nl_message *message);
int nl_receive(struct nl_socket *nl, nl_each each, void *argument);
int nl_call(struct nl_socket *nl, const struct nl_message *message, nl_each each,
	    void *argument);

/* The same for a request that answers one object; -ENODATA when it did not. */
int nl_call_one(struct nl_socket *nl, const struct nl_message *message,
		struct nl_object *object);
int nl_region(struct nl_socket *nl, uint64_t id, struct nl_object *object);
int nl_map(struct nl_socket *nl, uint64_t id, uint32_t cells, struct nl_object *object);
int nl_quota(struct nl_socket *nl, uint32_t level, uint64_t subject,
	     struct nl_object *object);
/* Set PRIVHEAP_A_COUNTER_* of PRIVHEAP_A_COMMIT or _RESIDENT. */
int nl_set(struct nl_socket *nl, uint32_t level, uint64_t subject, uint16_t resource,
	   uint16_t what, uint64_t value, struct nl_object *object);
/* With a filter of 32 or 64 bits, as its attribute is; 0 for none. */
int nl_dump(struct nl_socket *nl, uint8_t command, uint16_t filter, uint64_t value,
	    nl_each each, void *argument);

/* The next notification; -ETIMEDOUT, or -ENOBUFS where some were lost. */
int nl_event(struct nl_socket *nl, struct nl_object *object, int timeout_ms);

#endif /* NETLINK_SELFTEST_H */
