// SPDX-License-Identifier: GPL-2.0-only
/*
 * The calls that programs are made of: what they take, and which errors the uapi
 * headers allow them.
 */
#include <errno.h>

#include "fuzz.h"

#define ERRNOS(...)	((const int[]){ __VA_ARGS__, 0 })

/* What every ioctl takes beside its own: they all have the same places. */
#define STRUCT(name)	{ "size", ARG_SIZE, sizeof(struct privheap_##name) }
#define PLACE		{ "at", ARG_AT, 0 }
#define FILE		{ "fd", ARG_FD, FUZZ_FDS - 1 }

#define ADDRESS		{ "addr", ARG_ADDRESS, 0 }
#define LENGTH		{ "len", ARG_PAGES, 0 }

const struct fuzz_call_type fuzz_calls[] = {
	{ "create", 30, run_create, ERRNOS(EINVAL, E2BIG, EFAULT, EDQUOT, ENOMEM), {
		STRUCT(create), PLACE, FILE,
		{ "to", ARG_SLOT, 0 },
		{ "flags", ARG_FLAGS, PRIVHEAP_CREATE_EXEC | PRIVHEAP_CREATE_LAZY },
		{ "reserve", ARG_PAGES, 0 },
		{ "commit", ARG_PAGES, 0 },
		{ "limit", ARG_PAGES, 0 },
		{ "reserved", ARG_ZERO, 0 },
	} },
	{ "grow", 20, run_grow, ERRNOS(EINVAL, E2BIG, EFAULT, ENOENT, EDQUOT, ENOMEM), {
		STRUCT(grow), PLACE, FILE,
		{ "base", ARG_BASE, 0 },
		{ "flags", ARG_FLAGS, PRIVHEAP_COMMIT_POPULATE },
		{ "commit", ARG_PAGES, 0 },
		{ "reserved", ARG_ZERO, 0 },
	} },
	{ "commit", 40, run_commit, ERRNOS(EINVAL, E2BIG, EFAULT, ENOENT, EDQUOT, ENOMEM), {
		STRUCT(commit), PLACE, FILE,
		{ "base", ARG_BASE, 0 },
		{ "flags", ARG_FLAGS, PRIVHEAP_COMMIT_POPULATE },
		{ "offset", ARG_PAGES, 0 },
		{ "length", ARG_PAGES, 0 },
		{ "reserved", ARG_ZERO, 0 },
	} },
	{ "decommit", 40, run_decommit,
	  ERRNOS(EINVAL, E2BIG, EFAULT, ENOENT, EBUSY, ENOMEM), {
		STRUCT(decommit), PLACE, FILE,
		{ "base", ARG_BASE, 0 },
		{ "flags", ARG_ZERO, 0 },
		{ "offset", ARG_PAGES, 0 },
		{ "length", ARG_PAGES, 0 },
	} },
	{ "destroy", 12, run_destroy, ERRNOS(EINVAL, E2BIG, EFAULT, ENOENT), {
		STRUCT(destroy), PLACE, FILE,
		{ "base", ARG_BASE, 0 },
		{ "flags", ARG_ZERO, 0 },
	} },
	{ "query", 8, run_query, ERRNOS(EINVAL, E2BIG, EFAULT, ENOENT), {
		STRUCT(query), PLACE, FILE,
		{ "base", ARG_BASE, 0 },
		{ "flags", ARG_FLAGS, PRIVHEAP_QUERY_PROCESS | PRIVHEAP_QUERY_SYSTEM },
	} },
	{ "notify", 20, run_notify, ERRNOS(EINVAL, EBADF, E2BIG, EFAULT, ENOENT, EEXIST,
					   ENOSPC, ENOMEM), {
		STRUCT(notify), PLACE, FILE,
		{ "base", ARG_BASE, 0 },
		{ "flags", ARG_FLAGS, PRIVHEAP_NOTIFY_REMOVE },
		{ "threshold", ARG_PAGES, 0 },
		{ "resource", ARG_ENUM, PRIVHEAP_RESOURCE_RESIDENT },
		{ "event", ARG_FD, FUZZ_FDS - 1 },
		{ "times", ARG_COUNT, PRIVHEAP_NOTIFY_MAX + 2 },
	} },
	{ "limit", 30, run_limit, ERRNOS(EINVAL, E2BIG, EFAULT, ENOENT, EPERM, ENOMEM,
					 ENODATA, EAGAIN, EALREADY), {
		STRUCT(limit), PLACE, FILE,
		{ "base", ARG_BASE, 0 },
		{ "flags", ARG_FLAGS, PRIVHEAP_LIMIT_PROCESS | PRIVHEAP_LIMIT_OPEN_RESERVE },
		{ "resource", ARG_ENUM, PRIVHEAP_RESOURCE_RESIDENT },
		{ "set", ARG_FLAGS, PRIVHEAP_SET_SOFT | PRIVHEAP_SET_HARD |
				    PRIVHEAP_SET_RESERVE | PRIVHEAP_SET_FAIL_NTH },
		{ "soft", ARG_LIMIT, 0 },
		{ "hard", ARG_LIMIT, 0 },
		{ "reserve", ARG_PAGES, 0 },
		{ "nth", ARG_COUNT, 4 },
		{ "reserved", ARG_ZERO, 0 },
	} },
	{ "ioctl", 3, run_ioctl, NULL, {
		{ "size", ARG_SIZE, sizeof(struct privheap_create) },
		{ "at", ARG_AT, 0 },
		{ "fd", ARG_FD, FUZZ_FDS - 1 },
		{ "cmd", ARG_ENUM, 0x10 },
		{ "fill", ARG_RANDOM, 0 },
	} },

	/* fill: 0 reads, else every page of the range is written to. */
	{ "touch", 60, run_touch, NULL, { ADDRESS, LENGTH, { "fill", ARG_ENUM, 1 } } },
	{ "munmap", 10, run_munmap, NULL, { ADDRESS, LENGTH } },
	{ "mmap", 6, run_mmap, NULL, { ADDRESS, LENGTH, { "prot", ARG_FLAGS, 7 },
				       { "fd", ARG_FD, FUZZ_FDS - 1 } } },
	{ "mprotect", 8, run_mprotect, NULL, { ADDRESS, LENGTH,
					       { "prot", ARG_FLAGS, 7 } } },
	{ "madvise", 20, run_madvise, NULL, { ADDRESS, LENGTH,
					      { "advice", ARG_ENUM, 25 } } },
	{ "mremap", 8, run_mremap, NULL, { ADDRESS, LENGTH, { "newlen", ARG_PAGES, 0 },
					   { "flags", ARG_FLAGS, 7 },
					   { "to", ARG_ADDRESS, 0 } } },
	{ "mlock", 5, run_mlock, NULL, { ADDRESS, LENGTH, { "mode", ARG_ENUM, 4 } } },
	{ "remote", 10, run_remote, NULL, { ADDRESS, LENGTH, { "mode", ARG_ENUM, 1 } } },
	{ "pipe", 14, run_pipe, NULL, { ADDRESS, LENGTH, { "mode", ARG_ENUM, 4 } } },
	{ "userfault", 3, run_userfault, NULL, { ADDRESS, LENGTH,
						 { "mode", ARG_FLAGS, 7 } } },
	{ "ask", 5, run_ask, NULL, { ADDRESS, LENGTH, { "mode", ARG_ENUM, 5 } } },

	{ "fork", 10, run_fork, NULL, { { "mode", ARG_ENUM, 6 }, ADDRESS, LENGTH } },
	{ "open", 4, run_open, NULL, { { "to", ARG_FD, FUZZ_FDS - 1 } } },
	{ "close", 3, run_close, NULL, { { "fd", ARG_FD, FUZZ_FDS - 1 } } },
	{ "pass", 3, run_pass, NULL, { { "fd", ARG_FD, FUZZ_FDS - 1 } } },
	{ "proc", 4, run_proc, NULL, { { "file", ARG_ENUM, 6 } } },
	{ "rlimit", 3, run_rlimit, NULL, { { "what", ARG_ENUM, 2 }, LENGTH } },
	{ "cgroup", 4, run_cgroup, NULL, { { "mode", ARG_ENUM, 3 }, LENGTH } },
	{ "parameter", 2, run_parameter, NULL, { LENGTH, { "mode", ARG_ENUM, 3 } } },

	/*
	 * A request. attrs are bits by PRIVHEAP_A_*, in and in2 bits by
	 * PRIVHEAP_A_COUNTER_* in COMMIT and RESIDENT; twist is what is wrong with it.
	 */
	{ "netlink", 70, run_netlink, ERRNOS(EINVAL, ERANGE, EOPNOTSUPP, ENOENT, EPERM,
					     ENOMEM), {
		{ "cmd", ARG_ENUM, PRIVHEAP_CMD_MAX + 1 },
		{ "dump", ARG_ENUM, 1 },
		{ "attrs", ARG_FLAGS, (2ULL << PRIVHEAP_A_EVENT) - 2 },
		{ "id", ARG_ID, 0 },
		{ "level", ARG_ENUM, PRIVHEAP_LEVEL_SYSTEM + 1 },
		{ "subject", ARG_SUBJECT, 0 },
		{ "cells", ARG_COUNT, PRIVHEAP_CELLS_MAX + 1 },
		{ "pid", ARG_SUBJECT, 0 },
		{ "in", ARG_FLAGS, (2ULL << PRIVHEAP_A_COUNTER_DENIALS) - 2 },
		{ "in2", ARG_FLAGS, (2ULL << PRIVHEAP_A_COUNTER_DENIALS) - 2 },
		{ "soft", ARG_LIMIT, 0 },
		{ "hard", ARG_LIMIT, 0 },
		{ "reserve", ARG_PAGES, 0 },
		{ "nth", ARG_COUNT, 4 },
		{ "twist", ARG_ENUM, 12 },
		{ "where", ARG_COUNT, 64 },
	} },
	{ "listen", 5, run_listen, NULL, { { "mode", ARG_ENUM, 2 } } },
};

const unsigned int fuzz_call_count = sizeof(fuzz_calls) / sizeof(*fuzz_calls);
