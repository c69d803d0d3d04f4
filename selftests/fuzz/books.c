// SPDX-License-Identifier: GPL-2.0-only
/*
 * What must be so when no program runs: nothing is charged to anybody, by the
 * module's own word and by what it tells over netlink. And what programs have set
 * for others than themselves is set back.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fuzz.h"

#define CGROUP		"/sys/fs/cgroup/fuzz"
#define PARAMETER	"/sys/module/privheap/parameters/commit_limit"

static int device = -1;
static struct nl_socket netlink;
static char commit_limit[64];

static uint64_t cgroup_id(const char *path)
{
	struct stat stat_;

	return stat(path, &stat_) ? 0 : stat_.st_ino;
}

/**
 * fuzz_books_init() - open what the books are looked at with
 *
 * Ends the program where there is no module.
 */
void fuzz_books_init(void)
{
	mkdir(CGROUP, 0755);
	device = ph_open();
	if (device < 0 || nl_open(&netlink) ||
	    ph_read_file(PARAMETER, commit_limit, sizeof(commit_limit)) <= 0) {
		fprintf(stderr, "fuzz: no module here\n");
		exit(4);
	}
}

/**
 * fuzz_books_fd() - the device, opened by the fuzzer
 *
 * Return: the descriptor.
 */
int fuzz_books_fd(void)
{
	return device;
}

/**
 * fuzz_books_netlink() - the family
 *
 * Return: a socket that knows it.
 */
struct nl_socket *fuzz_books_netlink(void)
{
	return &netlink;
}

/**
 * fuzz_books_cgroup() - the cgroup that programs may enter
 *
 * Return: its id, 0 where there is none.
 */
uint64_t fuzz_books_cgroup(void)
{
	return cgroup_id(CGROUP);
}

static void reset_quota(uint32_t level, uint64_t subject, uint16_t resource)
{
	struct nl_message message;
	uint32_t nest;

	nl_begin(&message, &netlink, PRIVHEAP_CMD_QUOTA_SET, 0);
	nl_put_u32(&message, PRIVHEAP_A_LEVEL, level);
	nl_put_u64(&message, PRIVHEAP_A_SUBJECT, subject);
	nest = nl_nest(&message, resource);
	nl_put_u64(&message, PRIVHEAP_A_COUNTER_SOFT, PRIVHEAP_NO_LIMIT);
	nl_put_u64(&message, PRIVHEAP_A_COUNTER_HARD, PRIVHEAP_NO_LIMIT);
	nl_put_u64(&message, PRIVHEAP_A_COUNTER_FAIL_NTH, 0);
	nl_nest_end(&message, nest);
	nl_call(&netlink, &message, NULL, NULL);
}

static void reset_subject(uint32_t level, uint64_t subject)
{
	reset_quota(level, subject, PRIVHEAP_A_COMMIT);
	reset_quota(level, subject, PRIVHEAP_A_RESIDENT);
}

static void reset_user(struct nl_object *object, void *argument)
{
	uint64_t *users = argument;

	if (object->value[PRIVHEAP_A_LEVEL] == PRIVHEAP_LEVEL_USER && users[0] < 15)
		users[++users[0]] = object->value[PRIVHEAP_A_SUBJECT];
}

static void reset(void)
{
	uint64_t users[16] = { 0 }, sub = cgroup_id(CGROUP "/sub"), i;

	/* Whoever was named: a quota stays while it has limits. */
	nl_dump(&netlink, PRIVHEAP_CMD_QUOTA_GET, PRIVHEAP_A_LEVEL, PRIVHEAP_LEVEL_USER,
		reset_user, users);
	for (i = 1; i <= users[0]; i++)
		reset_subject(PRIVHEAP_LEVEL_USER, users[i]);
	reset_subject(PRIVHEAP_LEVEL_SYSTEM, 0);
	if (cgroup_id(CGROUP))
		reset_subject(PRIVHEAP_LEVEL_CGROUP, cgroup_id(CGROUP));
	if (sub) {
		reset_subject(PRIVHEAP_LEVEL_CGROUP, sub);
		rmdir(CGROUP "/sub");
	}
	ph_cgroup_set(CGROUP, "memory.max", "max");
	ph_write_file(PARAMETER, commit_limit);
}

struct quotas {
	char *broken;
	size_t size;
	unsigned int count;
};

static void check_quota(struct nl_object *object, void *argument)
{
	struct quotas *quotas = argument;

	quotas->count++;
	if (object->commit[PRIVHEAP_A_COUNTER_USAGE] ||
	    object->resident[PRIVHEAP_A_COUNTER_USAGE] ||
	    object->value[PRIVHEAP_A_REGIONS] || object->value[PRIVHEAP_A_RESERVED])
		snprintf(quotas->broken, quotas->size,
			 "level %llu, subject %llu: %llu regions of %#llx bytes, %#llx committed, %#llx resident",
			 (unsigned long long)object->value[PRIVHEAP_A_LEVEL],
			 (unsigned long long)object->value[PRIVHEAP_A_SUBJECT],
			 (unsigned long long)object->value[PRIVHEAP_A_REGIONS],
			 (unsigned long long)object->value[PRIVHEAP_A_RESERVED],
			 (unsigned long long)object->commit[PRIVHEAP_A_COUNTER_USAGE],
			 (unsigned long long)object->resident[PRIVHEAP_A_COUNTER_USAGE]);
}

static void count_region(struct nl_object *object, void *argument)
{
	unsigned int *count = argument;

	(void)object;
	(*count)++;
}

static void check(char *broken, size_t size)
{
	struct quotas quotas = { .broken = broken, .size = size };
	struct privheap_query now;
	unsigned int regions = 0;
	int ret;

	broken[0] = '\0';
	ret = ph_query(device, NULL, PRIVHEAP_QUERY_SYSTEM, &now);
	if (ret || now.out_regions || now.out_reserved || now.out_committed ||
	    now.out_resident) {
		snprintf(broken, size,
			 "QUERY (%d): %llu regions of %#llx bytes, %#llx committed, %#llx resident",
			 ret, (unsigned long long)now.out_regions,
			 (unsigned long long)now.out_reserved,
			 (unsigned long long)now.out_committed,
			 (unsigned long long)now.out_resident);
		return;
	}
	ret = nl_dump(&netlink, PRIVHEAP_CMD_QUOTA_GET, 0, 0, check_quota, &quotas);
	if (!ret && !broken[0])
		ret = nl_dump(&netlink, PRIVHEAP_CMD_REGION_GET, 0, 0, count_region,
			      &regions);
	if (!broken[0] && (ret || !quotas.count || regions))
		snprintf(broken, size, "dumps (%d): %u quotas, %u regions", ret,
			 quotas.count, regions);
}

/**
 * fuzz_books_check() - see whether nothing is left of a program
 * @broken: what is, or nothing
 * @size: of @broken
 * @quotas_set: the program has set what outlives it
 *
 * What the kernel still works on gets two seconds.
 *
 * Return: whether all is well.
 */
bool fuzz_books_check(char *broken, size_t size, bool quotas_set)
{
	unsigned int tries;

	if (quotas_set)
		reset();
	for (tries = 0; tries < 200; tries++) {
		check(broken, size);
		if (!broken[0])
			return true;
		ph_sleep_ms(10);
	}
	return false;
}
