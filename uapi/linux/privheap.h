/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * privheap: private heaps, the user API of /dev/privheap.
 *
 * A region is one reserved address range of one process. Its base address is
 * its handle: every ioctl names a region by the address that CREATE returned,
 * and finds only regions of the calling process. Any open file of
 * /dev/privheap serves all regions of a process.
 *
 * All sizes, offsets and lengths are in bytes and multiples of the page size.
 *
 * Every struct begins with its own size, which the caller sets to
 * sizeof(struct). A struct shorter than the first version of it is EINVAL; a
 * longer one than the module knows is accepted when the bytes it does not
 * know are zero, and E2BIG when they are not. Members whose names begin with
 * out_ are ignored on input and written on success only, except out_denied,
 * which is written with EDQUOT. Unknown flags and reserved members that are
 * not zero are EINVAL. The layout is the same for 32- and 64-bit programs.
 *
 * errno, for every ioctl:
 *   EINVAL  bad size, flag, reserved member, alignment or range; a reservation
 *           larger than any address space
 *   E2BIG   the struct is newer than the module, and uses what is new
 *   EFAULT  the struct, or a part of it, is not in accessible memory
 *   ENOENT  no region of this process begins at that base
 *   EDQUOT  a quota refused; out_denied names the level
 *   ENOMEM  no memory, or no address space
 *   EPERM   not allowed
 *   EBUSY   DECOMMIT only: see struct privheap_decommit
 *   ENOTTY  unknown ioctl
 * A call that fails has changed nothing, except where a struct says otherwise; and
 * but for CREATE, where another thread takes the struct away during the call, so that
 * EFAULT comes after what was asked for is done.
 */
#ifndef _LINUX_PRIVHEAP_H
#define _LINUX_PRIVHEAP_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define PRIVHEAP_DEVICE		"/dev/privheap"

/* Commands carry no size, so that their numbers stay when a struct grows. */
#define PRIVHEAP_IOC_MAGIC	0xBE
#define PRIVHEAP_IOC_CREATE	_IO(PRIVHEAP_IOC_MAGIC, 0x00)
#define PRIVHEAP_IOC_GROW	_IO(PRIVHEAP_IOC_MAGIC, 0x01)
#define PRIVHEAP_IOC_COMMIT	_IO(PRIVHEAP_IOC_MAGIC, 0x02)
#define PRIVHEAP_IOC_DECOMMIT	_IO(PRIVHEAP_IOC_MAGIC, 0x03)
#define PRIVHEAP_IOC_DESTROY	_IO(PRIVHEAP_IOC_MAGIC, 0x04)
#define PRIVHEAP_IOC_QUERY	_IO(PRIVHEAP_IOC_MAGIC, 0x05)
#define PRIVHEAP_IOC_NOTIFY	_IO(PRIVHEAP_IOC_MAGIC, 0x06)
#define PRIVHEAP_IOC_LIMIT	_IO(PRIVHEAP_IOC_MAGIC, 0x07)

/*
 * Levels of the quota hierarchy, innermost first; out_denied holds one.
 * A charge is made on every level or on none: on the region, its process, the
 * user who made it, the cgroup (v2) that its maker was in when it was made, with
 * every cgroup above that one but the root, and the system. A region stays
 * charged to these, whoever the process becomes and wherever it is moved.
 */
#define PRIVHEAP_LEVEL_NONE	0
#define PRIVHEAP_LEVEL_REGION	1
#define PRIVHEAP_LEVEL_PROCESS	2
#define PRIVHEAP_LEVEL_USER	3	/* by real user id */
#define PRIVHEAP_LEVEL_CGROUP	4	/* by cgroup id */
#define PRIVHEAP_LEVEL_SYSTEM	5

/* What is counted and limited; both in bytes. */
#define PRIVHEAP_RESOURCE_COMMIT	0
#define PRIVHEAP_RESOURCE_RESIDENT	1

/* privheap_create.flags: pages may be executed (PROT_EXEC from the start) */
#define PRIVHEAP_CREATE_EXEC		0x1
/* privheap_create.flags: do not populate the part that is committed */
#define PRIVHEAP_CREATE_LAZY		0x2

/**
 * struct privheap_create - PRIVHEAP_IOC_CREATE: reserve a range
 * @size: sizeof(struct privheap_create)
 * @flags: PRIVHEAP_CREATE_*
 * @reserve: bytes of address space to reserve, at least one page
 * @commit: bytes to commit at the start of the range, 0 to @reserve; also
 *	populated unless PRIVHEAP_CREATE_LAZY is set
 * @limit: hard limit on the region's committed bytes, at most @reserve and at
 *	least @commit; 0 means @reserve
 * @out_base: address of the region, its handle
 * @out_id: a number that never names another region while the module is
 *	loaded, for traces and observers
 * @out_denied: PRIVHEAP_LEVEL_*, the level that refused
 * @reserved: must be zero
 *
 * The region is mapped readable and writable, and executable only with
 * PRIVHEAP_CREATE_EXEC; without it mprotect(2) cannot make it so. A child of
 * fork(2) does not inherit it. It lives until DESTROY, until munmap(2) has
 * removed all of it, or until the process execs or dies.
 *
 * A page that is lost to a memory error raises SIGBUS at each touch, with
 * BUS_MCEERR_AR and the address, and stays committed and counted, until it is
 * decommitted; what is committed in its place afterwards is a new page.
 *
 * All or nothing. Errors: EINVAL, E2BIG, EFAULT, EDQUOT, ENOMEM.
 */
struct privheap_create {
	__u32 size;
	__u32 flags;
	__aligned_u64 reserve;
	__aligned_u64 commit;
	__aligned_u64 limit;
	__aligned_u64 out_base;
	__aligned_u64 out_id;
	__u32 out_denied;
	__u32 reserved;
};

/* flags of GROW and COMMIT: take the pages now, all of them or none */
#define PRIVHEAP_COMMIT_POPULATE	0x1

/**
 * struct privheap_grow - PRIVHEAP_IOC_GROW: commit from the base up
 * @size: sizeof(struct privheap_grow)
 * @flags: 0 or PRIVHEAP_COMMIT_POPULATE
 * @base: the region
 * @commit: afterwards the first @commit bytes are committed, 0 to the
 *	reservation; a value below what is committed changes nothing and succeeds
 * @out_committed: bytes committed in the region afterwards
 * @out_denied: PRIVHEAP_LEVEL_*, the level that refused
 * @reserved: must be zero
 *
 * Only bytes that were not committed before are charged. With
 * PRIVHEAP_COMMIT_POPULATE every page of the range is taken from the system
 * before the call returns; where that fails (ENOMEM) what this call committed
 * is given back, and no process is killed for it. Pages that it took of what was
 * committed before may stay.
 *
 * Errors: EINVAL, E2BIG, EFAULT, ENOENT, EDQUOT, ENOMEM.
 */
struct privheap_grow {
	__u32 size;
	__u32 flags;
	__aligned_u64 base;
	__aligned_u64 commit;
	__aligned_u64 out_committed;
	__u32 out_denied;
	__u32 reserved;
};

/**
 * struct privheap_commit - PRIVHEAP_IOC_COMMIT: commit a range of pages
 * @size: sizeof(struct privheap_commit)
 * @flags: 0 or PRIVHEAP_COMMIT_POPULATE
 * @base: the region
 * @offset: start of the range, from @base
 * @length: bytes of the range, at least one page
 * @out_committed: bytes committed in the region afterwards
 * @out_denied: PRIVHEAP_LEVEL_*, the level that refused
 * @reserved: must be zero
 *
 * As GROW, for any range inside the reservation. Pages that were committed
 * before keep their contents. Errors as GROW.
 */
struct privheap_commit {
	__u32 size;
	__u32 flags;
	__aligned_u64 base;
	__aligned_u64 offset;
	__aligned_u64 length;
	__aligned_u64 out_committed;
	__u32 out_denied;
	__u32 reserved;
};

/**
 * struct privheap_decommit - PRIVHEAP_IOC_DECOMMIT: give a range back
 * @size: sizeof(struct privheap_decommit)
 * @flags: must be zero
 * @base: the region
 * @offset: start of the range, from @base
 * @length: bytes of the range, at least one page
 * @out_committed: bytes committed in the region afterwards
 *
 * Pages and charge are given back before the call returns; the contents are
 * lost. Parts that are not committed are skipped. A page that shares a large
 * folio with others can be kept by someone who pinned that folio (a device
 * transfer, a registered io_uring buffer): such pages are zeroed and stay
 * committed and charged, the rest of the range is given back, and the call
 * fails with EBUSY at once; repeat it when the pin is gone.
 *
 * Errors: EINVAL, E2BIG, EFAULT, ENOENT, EBUSY, ENOMEM.
 */
struct privheap_decommit {
	__u32 size;
	__u32 flags;
	__aligned_u64 base;
	__aligned_u64 offset;
	__aligned_u64 length;
	__aligned_u64 out_committed;
};

/**
 * struct privheap_destroy - PRIVHEAP_IOC_DESTROY: unmap and free a region
 * @size: sizeof(struct privheap_destroy)
 * @flags: must be zero
 * @base: the region
 *
 * Unmaps the whole reservation. Pages and charges are gone when the call
 * returns, unless somebody else still holds a page (a device transfer).
 *
 * Where the kernel has no memory to unmap with (ENOMEM), the region is still
 * there and the call can be repeated; of a region in which the program has unmapped
 * holes, parts may be gone already, but never the one at the base.
 *
 * Errors: EINVAL, E2BIG, EFAULT, ENOENT, ENOMEM.
 */
struct privheap_destroy {
	__u32 size;
	__u32 flags;
	__aligned_u64 base;
};

/* privheap_query.flags: whose counters; 0 means those of the region at base */
#define PRIVHEAP_QUERY_PROCESS	0x1	/* sum over this process */
#define PRIVHEAP_QUERY_SYSTEM	0x2	/* sum over the system */

/* privheap_query.out_features */
#define PRIVHEAP_FEATURE_HUGE	0x1ULL	/* 2 MiB folios, mapped huge */
#define PRIVHEAP_FEATURE_MEMCG	0x2ULL	/* memory cgroups are charged */

/**
 * struct privheap_query - PRIVHEAP_IOC_QUERY: counters and features
 * @size: sizeof(struct privheap_query)
 * @flags: 0, PRIVHEAP_QUERY_PROCESS or PRIVHEAP_QUERY_SYSTEM
 * @base: the region; must be 0 with either flag
 * @out_id: the region's number; 0 with either flag
 * @out_regions: number of regions counted; 1 for a region
 * @out_reserved: bytes of address space
 * @out_committed: bytes committed
 * @out_resident: bytes that have a page
 * @out_peak_committed: the highest @out_committed there was
 * @out_peak_resident: the highest @out_resident there was
 * @out_limit: hard limit on committed bytes; for a region without one its
 *	reservation, for a subject without one the highest multiple of the page
 *	size below 2^63
 * @out_faults: page faults that took pages
 * @out_denials: charges of this subject that were refused, by its own limit or
 *	by one further out
 * @out_features: PRIVHEAP_FEATURE_*, what the module does on this machine
 *
 * resident <= committed <= reserved holds in every answer for a region. The
 * answers for a process and the system are read counter by counter.
 *
 * Errors: EINVAL, E2BIG, EFAULT, ENOENT, ENOMEM (the first question about a process).
 */
struct privheap_query {
	__u32 size;
	__u32 flags;
	__aligned_u64 base;
	__aligned_u64 out_id;
	__aligned_u64 out_regions;
	__aligned_u64 out_reserved;
	__aligned_u64 out_committed;
	__aligned_u64 out_resident;
	__aligned_u64 out_peak_committed;
	__aligned_u64 out_peak_resident;
	__aligned_u64 out_limit;
	__aligned_u64 out_faults;
	__aligned_u64 out_denials;
	__aligned_u64 out_features;
};

/* privheap_notify.flags: take back what the same arguments without it set up */
#define PRIVHEAP_NOTIFY_REMOVE	0x1

/* the largest number of thresholds on one region */
#define PRIVHEAP_NOTIFY_MAX	64

/**
 * struct privheap_notify - PRIVHEAP_IOC_NOTIFY: watch a threshold
 * @size: sizeof(struct privheap_notify)
 * @flags: 0 or PRIVHEAP_NOTIFY_REMOVE
 * @base: the region
 * @threshold: bytes, a multiple of the page size, one page to the reservation
 * @resource: PRIVHEAP_RESOURCE_COMMIT or PRIVHEAP_RESOURCE_RESIDENT
 * @eventfd: an eventfd(2)
 *
 * Adds 1 to the eventfd each time the region's counter goes from below
 * @threshold to @threshold or more, and each time it goes back below; the
 * state at the time of the call is not signalled. The watch ends with the
 * region or with PRIVHEAP_NOTIFY_REMOVE; closing the eventfd does not end it.
 *
 * Errors: EINVAL (also: not an eventfd), EBADF, E2BIG, EFAULT, ENOENT (also:
 * nothing to remove), EEXIST (the same watch is there), ENOSPC (there are
 * PRIVHEAP_NOTIFY_MAX), ENOMEM.
 */
struct privheap_notify {
	__u32 size;
	__u32 flags;
	__aligned_u64 base;
	__aligned_u64 threshold;
	__u32 resource;
	__s32 eventfd;
};

/* A limit that is none; what LIMIT takes and gives for it. */
#define PRIVHEAP_NO_LIMIT	(~0ULL)

/* privheap_limit.flags: limits of this process; 0 means of the region at base */
#define PRIVHEAP_LIMIT_PROCESS		0x1
/* privheap_limit.flags: open the reserve of the resource, see below */
#define PRIVHEAP_LIMIT_OPEN_RESERVE	0x2

/* privheap_limit.set: which of the members below are to be set */
#define PRIVHEAP_SET_SOFT		0x1
#define PRIVHEAP_SET_HARD		0x2
#define PRIVHEAP_SET_RESERVE		0x4
#define PRIVHEAP_SET_FAIL_NTH		0x8

/**
 * struct privheap_limit - PRIVHEAP_IOC_LIMIT: a program's own limits
 * @size: sizeof(struct privheap_limit)
 * @flags: PRIVHEAP_LIMIT_*
 * @base: the region; must be 0 with PRIVHEAP_LIMIT_PROCESS
 * @resource: PRIVHEAP_RESOURCE_COMMIT or PRIVHEAP_RESOURCE_RESIDENT
 * @set: PRIVHEAP_SET_*; 0 only asks
 * @soft: bytes; above it an event tells observers, and nothing is refused
 * @hard: bytes; no charge may take the usage above it
 * @reserve: bytes above @hard that may be opened once after a denial
 * @fail_nth: make the Nth charge from now fail as if at the hard limit, and then
 *	no more; 0 ends it. Counted are charges of @resource on this subject.
 * @out_soft: what is in force afterwards, as the four above
 * @out_hard: see @out_soft
 * @out_reserve: see @out_soft
 * @out_fail_nth: see @out_soft; counts down
 * @out_ceiling: bytes; what @hard and @reserve together may be set to
 * @out_usage: bytes charged now
 * @out_peak: the highest usage there was, in bytes
 * @out_denials: charges that this very limit refused
 * @out_reserve_open: 1 while the reserve is open, else 0
 * @reserved: must be zero
 *
 * Limits are rounded by nobody: they are multiples of the page size, or
 * PRIVHEAP_NO_LIMIT for @soft and @hard. A limit below the usage is allowed: it
 * refuses new charges, and frees nothing.
 *
 * A program moves its own hard limits freely below the ceiling. Of a region's
 * commit that is the limit that CREATE was given, of everything else
 * PRIVHEAP_NO_LIMIT. An administrator who sets a hard limit over netlink sets
 * the ceiling as well, to it and the reserve.
 *
 * A region's limits end with it. Those of a process end when the process does, or
 * when it begins another program with execve(2); until then they stay, with or
 * without regions and open files.
 *
 * PRIVHEAP_LIMIT_OPEN_RESERVE (with @set 0) raises the limit in force by the
 * reserve, so that a program that was refused has something to unwind with.
 * It can do so once for each time that the reserve was set.
 *
 * Errors: EINVAL, E2BIG, EFAULT, ENOENT, EPERM (hard and reserve beyond the
 * ceiling), ENOMEM; for OPEN_RESERVE: ENODATA (there is no reserve), EAGAIN
 * (this limit has refused nothing since the reserve was set), EALREADY.
 */
struct privheap_limit {
	__u32 size;
	__u32 flags;
	__aligned_u64 base;
	__u32 resource;
	__u32 set;
	__aligned_u64 soft;
	__aligned_u64 hard;
	__aligned_u64 reserve;
	__aligned_u64 fail_nth;
	__aligned_u64 out_soft;
	__aligned_u64 out_hard;
	__aligned_u64 out_reserve;
	__aligned_u64 out_fail_nth;
	__aligned_u64 out_ceiling;
	__aligned_u64 out_usage;
	__aligned_u64 out_peak;
	__aligned_u64 out_denials;
	__u32 out_reserve_open;
	__u32 reserved;
};

#endif /* _LINUX_PRIVHEAP_H */
