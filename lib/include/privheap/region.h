/* SPDX-License-Identifier: MIT */
/*
 * The native API of libprivheap: regions.
 *
 * A region is one reserved range of addresses. Memory in it must be committed
 * before it is touched; a commit is charged against quotas, and can be refused.
 * Pages come at the first touch, or at commit with PRIVHEAP_COMMIT_POPULATE. A
 * region is named by its base address, and belongs to the process that made it:
 * a child of fork(2) has none of its parent's regions.
 *
 * Sizes, offsets and lengths are in bytes and must be multiples of the page
 * size, sysconf(_SC_PAGESIZE). Functions return 0, or -1 with errno set (those
 * that return a pointer: NULL). A call that fails has changed nothing, except
 * where its comment says otherwise. All functions may be called by any thread
 * at any time; none is safe in a signal handler.
 *
 * Errors that every call can meet, besides its own:
 *   EINVAL   bad size, flag, alignment or range; or the environment variable
 *            PRIVHEAP_BACKEND has a value that is not known
 *   ENOMEM   no memory, or no address space
 *   and what open(2) says of /dev/privheap, as EACCES, or ENOENT where the
 *   module was asked for and is not there
 *
 * Flags and levels (PRIVHEAP_CREATE_*, PRIVHEAP_COMMIT_*, PRIVHEAP_NOTIFY_*,
 * PRIVHEAP_LEVEL_*, PRIVHEAP_RESOURCE_*) are those of <linux/privheap.h>.
 *
 * What anonymous mappings cannot do as the module does: mprotect(2) can make
 * their pages executable; a region must be ended by privheap_region_destroy(),
 * and not by munmap(2); peak_resident is the highest value that a query saw;
 * there is no limit on residency, and memory that cannot be had may kill the
 * process, where the module answers ENOMEM.
 *
 * Limits that a program sets on itself are in privheap/limits.h.
 */
#ifndef PRIVHEAP_REGION_H
#define PRIVHEAP_REGION_H

#include <stddef.h>
#include <stdint.h>

#include <linux/privheap.h>
#include <privheap/backend.h>
#include <privheap/limits.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * struct privheap_region_info - counters of a region, or of a sum of regions
 * @id: a number that never names another region; 0 for a sum
 * @regions: number of regions counted
 * @reserved: bytes of address space
 * @committed: bytes committed
 * @resident: bytes that have a page
 * @peak_committed: the highest @committed there was
 * @peak_resident: the highest @resident there was
 * @limit: hard limit on @committed that is in force, in bytes
 * @faults: page faults that took pages; 0 with anonymous mappings
 * @denials: commits refused, by this limit or by one further out
 * @features: PRIVHEAP_FEATURE_*; 0 with anonymous mappings
 *
 * All members have 64 bits, for a 32-bit program can ask about a machine that
 * has more. Later versions of the library may append members, and raise the
 * version of its soname when they do.
 */
struct privheap_region_info {
	uint64_t id;
	uint64_t regions;
	uint64_t reserved;
	uint64_t committed;
	uint64_t resident;
	uint64_t peak_committed;
	uint64_t peak_resident;
	uint64_t limit;
	uint64_t faults;
	uint64_t denials;
	uint64_t features;
};

/**
 * privheap_region_create - reserve a range of addresses
 * @reserve: bytes to reserve, at least one page
 * @commit: bytes to commit at the start of the range, 0 to @reserve
 * @limit: hard limit on committed bytes, @commit to @reserve; 0: @reserve
 * @flags: PRIVHEAP_CREATE_EXEC: pages may be executed;
 *	PRIVHEAP_CREATE_LAZY: do not take the pages of @commit now
 *
 * Return: the base address, a multiple of the page size; NULL with errno
 * EINVAL, EDQUOT (a quota refused, see privheap_last_denied()) or ENOMEM. A
 * @reserve beyond any address space is EINVAL or ENOMEM.
 */
void *privheap_region_create(size_t reserve, size_t commit, size_t limit,
			     unsigned int flags);

/**
 * privheap_region_grow - commit a region from its base up
 * @base: the region
 * @commit: bytes from @base that are committed afterwards, 0 to the
 *	reservation; what is committed already is neither charged again nor
 *	taken back
 * @flags: 0, or PRIVHEAP_COMMIT_POPULATE: take the pages now, all or none
 *
 * Return: 0, or -1 with errno EINVAL, ENOENT (no region of this process begins
 * at @base), EDQUOT (see privheap_last_denied()) or ENOMEM.
 */
int privheap_region_grow(void *base, size_t commit, unsigned int flags);

/**
 * privheap_region_commit - commit a range of a region
 * @base: the region
 * @offset: start of the range, in bytes from @base
 * @length: bytes of the range, at least one page
 * @flags: 0, or PRIVHEAP_COMMIT_POPULATE: take the pages now, all or none
 *
 * Pages that were committed before keep their contents, others read as zero.
 *
 * Return: as privheap_region_grow().
 */
int privheap_region_commit(void *base, size_t offset, size_t length,
			   unsigned int flags);

/**
 * privheap_region_decommit - give a range of a region back to the system
 * @base: the region
 * @offset: start of the range, in bytes from @base
 * @length: bytes of the range, at least one page
 *
 * Contents are lost, and a touch is SIGSEGV until the range is committed again.
 * Parts that are not committed are skipped.
 *
 * Return: 0, or -1 with errno EINVAL, ENOENT, ENOMEM, or EBUSY: somebody has
 * pinned pages of the range (a device transfer, io_uring). Those are zeroed and
 * stay committed, all others were given back; repeat the call later.
 */
int privheap_region_decommit(void *base, size_t offset, size_t length);

/**
 * privheap_region_destroy - give a whole region back to the system
 * @base: the region
 *
 * Return: 0, or -1 with errno ENOENT.
 */
int privheap_region_destroy(void *base);

/**
 * privheap_region_query - read the counters of a region
 * @base: the region
 * @info: filled on success
 *
 * Return: 0, or -1 with errno ENOENT.
 */
int privheap_region_query(void *base, struct privheap_region_info *info);

/**
 * privheap_query_process - read the sums over this process
 * @info: filled on success; @info->limit of a process without one is the
 *	highest multiple of the page size below 2^63
 *
 * Return: 0, or -1 with errno.
 */
int privheap_query_process(struct privheap_region_info *info);

/**
 * privheap_query_system - read the sums over all processes
 * @info: filled on success
 *
 * Return: 0, or -1 with errno ENOTSUP: anonymous mappings, of which nobody
 * keeps a sum.
 */
int privheap_query_system(struct privheap_region_info *info);

/**
 * privheap_region_notify - have an eventfd signalled at a threshold
 * @base: the region
 * @resource: PRIVHEAP_RESOURCE_COMMIT or PRIVHEAP_RESOURCE_RESIDENT
 * @threshold: bytes, one page to the reservation
 * @eventfd: an eventfd(2); may be closed afterwards, the watch stays
 * @flags: 0; PRIVHEAP_NOTIFY_REMOVE: end the watch that the same arguments set
 *
 * Adds 1 to the eventfd each time the counter goes from below @threshold to
 * @threshold or more, and each time it goes back below. A region takes
 * PRIVHEAP_NOTIFY_MAX watches; they end with it.
 *
 * Return: 0, or -1 with errno EINVAL (also: not an eventfd), EBADF, ENOENT (no
 * such region, or nothing to remove), EEXIST (the same watch is there), ENOSPC
 * (too many), ENOTSUP (anonymous mappings: PRIVHEAP_RESOURCE_RESIDENT, or no
 * /proc to know an eventfd by).
 */
int privheap_region_notify(void *base, unsigned int resource, size_t threshold,
			   int eventfd, unsigned int flags);

/**
 * privheap_backend - ask who keeps the regions of this process
 *
 * Return: never changes once it is not PRIVHEAP_BACKEND_NONE; with that one,
 * errno says why.
 */
enum privheap_backend privheap_backend(void);

/**
 * privheap_last_denied - ask which quota refused
 *
 * Return: PRIVHEAP_LEVEL_* of the level that refused the calling thread's
 * latest call that failed with EDQUOT, PRIVHEAP_LEVEL_NONE if there was none.
 * As errno, it is meaningful only after a failure.
 */
unsigned int privheap_last_denied(void);

#ifdef __cplusplus
}
#endif

#endif /* PRIVHEAP_REGION_H */
