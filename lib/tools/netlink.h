/* SPDX-License-Identifier: MIT */
/* A socket of the generic netlink family privheap: requests and notifications. */
#ifndef PRIVHEAP_TOOLS_NETLINK_H
#define PRIVHEAP_TOOLS_NETLINK_H

#include <linux/netlink.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How often a dump is made again, when something came or went meanwhile. */
#define NETLINK_DUMP_TRIES	8

struct mnl_socket;

/**
 * struct netlink - a socket, and what it needs
 * @socket: the socket; NULL before netlink_open() and after netlink_close()
 * @family: number of the family
 * @group: number of the group "events"
 * @seq: number of the last request
 * @buffer: for messages that come
 * @request: for the message that goes; 4-byte aligned
 * @interrupted: the last dump is of a time when regions or quotas came or went,
 *	however often it was tried
 * @said: what the kernel said of the last error, and of which attribute; or ""
 */
struct netlink {
	struct mnl_socket *socket;
	uint16_t family;
	uint32_t group;
	uint32_t seq;
	char *buffer;
	uint32_t request[256];
	bool interrupted;
	char said[320];
};

/* Gets a message; returns 0 or a negative errno, which ends it all. */
typedef int (*netlink_handler)(const struct nlmsghdr *message, void *data);

/**
 * netlink_open - connect to the module
 * @nl: filled
 *
 * Return: 0 or a negative errno; -ENOENT: there is no such family.
 */
int netlink_open(struct netlink *nl);
void netlink_close(struct netlink *nl);

/* Begin a request; put attributes into what it returns. */
struct nlmsghdr *netlink_request(struct netlink *nl, uint8_t command);

/**
 * netlink_do - send the request, and give the answer to a handler
 * @nl: the socket
 * @handler: called once, unless there is an error
 * @data: for @handler
 *
 * Return: 0 or a negative errno, see also @nl->said.
 */
int netlink_do(struct netlink *nl, netlink_handler handler, void *data);

/**
 * netlink_dump - send the request as one for a dump
 * @nl: the socket
 * @again: called with @data before each try: forget what was there
 * @handler: called for each message
 * @data: for both
 *
 * Return: as netlink_do(); -EINTR: netlink_stop was set.
 */
int netlink_dump(struct netlink *nl, void (*again)(void *data),
		 netlink_handler handler, void *data);

/* Join the group "events". Return: 0 or a negative errno */
int netlink_listen(struct netlink *nl);

/**
 * netlink_next - hand on the notifications that are there
 * @nl: a socket that listens, and has something to be read
 * @handler: called for each
 * @data: for @handler
 *
 * Return: 0, or a negative errno; -ENOBUFS: some were lost; -EAGAIN: none is
 * there.
 */
int netlink_next(struct netlink *nl, netlink_handler handler, void *data);

int netlink_fd(const struct netlink *nl);

/* Set by a signal's handler: a wait for the kernel ends with -EINTR. */
extern volatile bool netlink_stop;

/**
 * netlink_parse_error - what an error message says
 * @message: of type NLMSG_ERROR, or NLMSG_DONE
 * @request: what it answers, to name its attributes
 * @said: filled
 * @size: bytes of @said
 *
 * Return: the negative errno in it, 0 for none, or -EBADMSG.
 */
int netlink_parse_error(const struct nlmsghdr *message,
			const struct nlmsghdr *request, char *said, size_t size);

/**
 * netlink_complain - say what failed, why, and what to do
 * @nl: the socket
 * @error: negative errno
 * @what: what was asked for, as "region 17"; NULL for no one thing
 *
 * Return: CTL_FAILED.
 */
int netlink_complain(const struct netlink *nl, int error, const char *what);

/* netlink_open(), with a complaint if it fails. */
bool netlink_open_or_complain(struct netlink *nl);

#endif /* PRIVHEAP_TOOLS_NETLINK_H */
