// SPDX-License-Identifier: GPL-2.0-only
/* What the tests of kmod/quota.c share, and the hooks that it calls. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "quota_unit.h"
#include "notify.h"

/* What was heard of each quota that something was heard of. */
static struct {
	struct privheap_quota *quota;
	struct unit_heard heard[PRIVHEAP_RESOURCES];
} heard[UNIT_QUOTAS];
static pthread_mutex_t heard_lock = PTHREAD_MUTEX_INITIALIZER;

/* The place of a quota; heard_lock is held. */
static struct unit_heard *heard_of(struct privheap_quota *quota, unsigned int resource)
{
	unsigned int i;

	for (i = 0; i < UNIT_QUOTAS; i++) {
		if (!heard[i].quota)
			heard[i].quota = quota;
		if (heard[i].quota == quota)
			return &heard[i].heard[resource];
	}
	abort();
}

void privheap_event_soft(struct privheap_quota *quota, unsigned int resource, bool over)
{
	struct unit_heard *one;

	pthread_mutex_lock(&heard_lock);
	one = heard_of(quota, resource);
	/* The first, and each after its opposite. */
	if (over ? one->over != one->below : one->over != one->below + 1)
		one->disorder++;
	if (over)
		one->over++;
	else
		one->below++;
	pthread_mutex_unlock(&heard_lock);
}

void privheap_event_denied(struct privheap_quota *quota, unsigned int resource,
			   unsigned long pages, u64 region_id)
{
	struct unit_heard *one;

	pthread_mutex_lock(&heard_lock);
	one = heard_of(quota, resource);
	one->denied++;
	one->denied_pages = pages;
	one->denied_region = region_id;
	pthread_mutex_unlock(&heard_lock);
}

void privheap_notify_change(struct privheap_quota *quota, unsigned int resource,
			    unsigned long old, unsigned long now)
{
	/* No test sets PRIVHEAP_HOOK_WATCH. */
	abort();
}

struct unit_heard unit_heard(struct privheap_quota *quota, unsigned int resource)
{
	struct unit_heard result;

	pthread_mutex_lock(&heard_lock);
	result = *heard_of(quota, resource);
	pthread_mutex_unlock(&heard_lock);
	return result;
}

void unit_reset(void)
{
	memset(heard, 0, sizeof(heard));
	privheap_quota_init(&privheap_system_quota, PRIVHEAP_LEVEL_SYSTEM, 0, (kuid_t){ 0 });
}

void unit_account(struct privheap_account *account, u64 id, struct privheap_quota **outer)
{
	privheap_quota_init(&account->quota, PRIVHEAP_LEVEL_REGION, id, (kuid_t){ 0 });
	account->level = account->builtin;
	account->level[0] = &account->quota;
	account->levels = 1;
	while (*outer)
		account->level[account->levels++] = *outer++;
}

int unit_set(struct privheap_quota *quota, unsigned int resource, unsigned int what,
	     u64 value, bool privileged)
{
	struct privheap_limit_set set = { .resource = resource, .set = what };

	switch (what) {
	case PRIVHEAP_SET_SOFT:
		set.soft = value;
		break;
	case PRIVHEAP_SET_HARD:
		set.hard = value;
		break;
	case PRIVHEAP_SET_RESERVE:
		set.reserve = value;
		break;
	case PRIVHEAP_SET_FAIL_NTH:
		set.fail_nth = value;
		break;
	default:
		break;	/* for the test to see it refused */
	}
	return privheap_quota_set(quota, &set, 1, privileged);
}

struct privheap_counter_info unit_counter(struct privheap_quota *quota, unsigned int resource)
{
	struct privheap_quota_info info;

	privheap_quota_read(quota, &info);
	return info.counter[resource];
}
