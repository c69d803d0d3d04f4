/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the tests share: the ioctls as calls, touches that may fail, counters,
 * /proc and cgroup files.
 */
#ifndef PRIVHEAP_SELFTEST_H
#define PRIVHEAP_SELFTEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <linux/privheap.h>

#define KIB		((uint64_t)1024)
#define MIB		(1024 * KIB)
#define GIB		(1024 * MIB)

/*
 * Constants, since tables of tests are made of them: for a kernel with other
 * pages, tests are compiled with its size, and say SKIP where it is wrong.
 */
#ifndef PRIVHEAP_TEST_PAGE
#define PRIVHEAP_TEST_PAGE	4096
#endif
#define PAGE		((uint64_t)PRIVHEAP_TEST_PAGE)
/* What a page of page table entries of 8 bytes maps. */
#define HUGE		(PAGE / 8 * PAGE)

/* A base as the ioctls take it. */
#define TO_BASE(p)	((uint64_t)(uintptr_t)(p))

/* The ioctls. All return 0 or a negative errno; size members are set. */
int ph_open(void);
int ph_ioctl(int fd, unsigned long cmd, void *arg);
int ph_create(int fd, uint64_t reserve, uint64_t commit, uint32_t flags,
	      char **base);
int ph_create_limit(int fd, uint64_t reserve, uint64_t commit, uint64_t limit,
		    uint32_t flags, char **base);
int ph_grow(int fd, void *base, uint64_t commit, uint32_t flags);
int ph_commit(int fd, void *base, uint64_t offset, uint64_t length,
	      uint32_t flags);
int ph_decommit(int fd, void *base, uint64_t offset, uint64_t length);
int ph_destroy(int fd, void *base);
int ph_query(int fd, const void *base, uint32_t flags,
	     struct privheap_query *query);
int ph_notify(int fd, void *base, uint32_t resource, uint64_t threshold,
	      int eventfd, uint32_t flags);

/* One counter of a region; ~0 when there is no such region. */
struct privheap_query ph_region(int fd, const void *base);
uint64_t ph_committed(int fd, const void *base);
uint64_t ph_resident(int fd, const void *base);

/*
 * Touches that may raise a signal: it is returned, 0 if there was none, and
 * its siginfo is kept for the thread. Signal handlers are set at first use.
 */
extern __thread void *ph_fault_address;
extern __thread int ph_fault_code;
int ph_read(const void *address);
int ph_write(void *address, char value);

/* Touch one byte of every page. */
void ph_touch(void *start, uint64_t length, char value);

/* Is every byte of the range so? */
bool ph_all(const void *start, uint64_t length, char value);
bool ph_zero(const void *start, uint64_t length);

/* Files. Reading returns the length or -1; the text ends in a zero. */
ssize_t ph_read_file(const char *path, char *text, size_t size);
int ph_write_file(const char *path, const char *text);
long long ph_read_number(const char *path);
bool ph_exists(const char *path);

/*
 * /proc: the value of "name: N kB" in @path, in bytes, -1 if there is none;
 * and the sum over the mappings of a range, from /proc/self/smaps.
 */
long long ph_proc_bytes(const char *path, const char *name);
long long ph_smaps(const void *start, uint64_t length, const char *name);
/* The line of /proc/self/maps for the mapping that holds the address. */
bool ph_maps_line(const void *address, char *line, size_t size);
/* "key:\tN" in the fdinfo of a descriptor; -1 if there is none. */
long long ph_fdinfo(int fd, const char *key);

/*
 * A cgroup of the second version, with the memory controller, below the root.
 * Return 0 or a negative errno.
 */
int ph_cgroup_make(const char *name, char *path, size_t size);
int ph_cgroup_set(const char *path, const char *file, const char *value);
long long ph_cgroup_get(const char *path, const char *file);
/* "key N" in one of its files; -1 if there is none. */
long long ph_cgroup_stat(const char *path, const char *file, const char *key);
int ph_cgroup_enter(const char *path);
void ph_cgroup_remove(const char *path);

/* Wait until the condition holds, ten seconds at the longest. */
#define PH_WAIT_FOR(condition) ({				\
	int _tries = 1000;					\
	while (!(condition) && --_tries)			\
		ph_sleep_ms(10);				\
	_tries > 0;						\
})
void ph_sleep_ms(int ms);

/* For the system: do they hold the same regions and bytes? */
bool ph_same_usage(const struct privheap_query *a, const struct privheap_query *b);
bool ph_system_is(int fd, const struct privheap_query *before);

uint32_t ph_random(uint32_t *state);

#endif /* PRIVHEAP_SELFTEST_H */
