// SPDX-License-Identifier: GPL-2.0-only
/*
 * kmod/quota.c and kmod/limit.c without a kernel, against the model that
 * region_model_test holds the module against in a guest: random charges and limits
 * of four regions, of which each shares some levels with the others. All counters
 * of all levels are compared after each operation, and what observers were told,
 * in order.
 *
 *   PRIVHEAP_MODEL_OPS   operations (200000)
 *   PRIVHEAP_MODEL_SEED  other random numbers (1)
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "patient_harness.h"
#include "notify.h"
#include "quota.h"
#include "region_model.h"

#define REGIONS		4
#define SUBJECTS	7	/* two processes, two users, two cgroups, the system */
#define THRESHOLDS	3
#define TOLD		64
#define PAGE_BYTES	4096ULL

struct rm_model *rm;

static struct privheap_quota quotas[SUBJECTS];
static struct privheap_account accounts[REGIONS];
static struct rm_subject *subjects[SUBJECTS];
static unsigned long charged[REGIONS][RM_RESOURCES];
static uint64_t signals;

/* What the module told, in the form that the model has. */
static struct rm_event told[TOLD];
static unsigned int tellings;

static void tell(uint8_t command, struct privheap_quota *quota, unsigned int resource,
		 unsigned long pages, u64 region)
{
	struct rm_event *event = &told[tellings++ % TOLD];
	struct privheap_quota_info info;

	/* As kmod/event.c does: it is told what is so at this moment. */
	privheap_quota_read(quota, &info);
	memset(event, 0, sizeof(*event));
	event->command = command;
	event->level = quota->level;
	event->subject = quota->subject;
	event->resource = resource;
	event->request = pages * PAGE_BYTES;
	event->region = region;
}

void privheap_event_soft(struct privheap_quota *quota, unsigned int resource, bool over)
{
	tell(over ? PRIVHEAP_CMD_QUOTA_SOFT_NTF : PRIVHEAP_CMD_QUOTA_BELOW_NTF, quota,
	     resource, 0, 0);
}

void privheap_event_denied(struct privheap_quota *quota, unsigned int resource,
			   unsigned long pages, u64 region_id)
{
	tell(PRIVHEAP_CMD_QUOTA_DENIED_NTF, quota, resource, pages, region_id);
}

/* kmod/notify.c, with the model's watches. */
void privheap_notify_change(struct privheap_quota *quota, unsigned int resource,
			    unsigned long old, unsigned long now)
{
	struct rm_region *region = &rm->region[quota->subject - 1];
	unsigned long low = old < now ? old : now, high = old < now ? now : old;

	for (unsigned int i = 0; i < THRESHOLDS; i++)
		if (region->watch[i].resource == resource && low < region->watch[i].threshold &&
		    region->watch[i].threshold <= high)
			signals++;
}

static void make_subject(unsigned int i, struct rm_subject *subject, uint32_t level,
			 uint64_t id)
{
	rm_subject_init(subject, level, id);
	subjects[i] = subject;
	privheap_quota_init(&quotas[i], level, id, (kuid_t){ 0 });
}

/* Region 0 is in the inner cgroup, 1 in the outer one, the others in none. */
static void make_region(unsigned int i)
{
	static const unsigned int outer[REGIONS][5] = {
		{ 0, 2, 5, 4, 6 }, { 0, 3, 4, 6, SUBJECTS },
		{ 1, 2, 6, SUBJECTS }, { 1, 3, 6, SUBJECTS },
	};
	struct privheap_account *account = &accounts[i];
	struct rm_region *region = &rm->region[i];

	rm_subject_init(&region->own, PRIVHEAP_LEVEL_REGION, i + 1);
	region->id = i + 1;
	region->own.watched = region;
	region->level[0] = &region->own;
	region->levels = 1;
	privheap_quota_init(&account->quota, PRIVHEAP_LEVEL_REGION, i + 1, (kuid_t){ 0 });
	account->level = account->builtin;
	account->level[0] = &account->quota;
	account->levels = 1;
	for (unsigned int j = 0; j < 5 && outer[i][j] < SUBJECTS; j++) {
		region->level[region->levels++] = subjects[outer[i][j]];
		account->level[account->levels++] = &quotas[outer[i][j]];
	}
	region->watches = THRESHOLDS;
	for (unsigned int j = 0; j < THRESHOLDS; j++) {
		region->watch[j].threshold = 1 + rm_below(60);
		region->watch[j].resource = rm_below(RM_RESOURCES);
	}
	for (unsigned int j = 0; j < RM_RESOURCES; j++)
		account->quota.counter[j].hooks |= PRIVHEAP_HOOK_WATCH;
}

static uint64_t bytes_of(uint64_t pages)
{
	return pages == RM_UNLIMITED ? PRIVHEAP_NO_LIMIT : pages * PAGE_BYTES;
}

/* Whether all that can be asked of a subject is what the model says. */
static bool same(struct privheap_quota *quota, const struct rm_subject *subject)
{
	struct privheap_quota_info info;

	privheap_quota_read(quota, &info);
	if (info.denials != subject->denials || info.faults != subject->faults)
		return false;
	for (unsigned int i = 0; i < RM_RESOURCES; i++) {
		const struct privheap_counter_info *is = &info.counter[i];
		const struct rm_counter *should = &subject->counter[i];

		if (is->usage != should->usage * PAGE_BYTES ||
		    is->peak != should->peak * PAGE_BYTES ||
		    is->soft != bytes_of(should->soft) ||
		    is->hard != bytes_of(should->hard) ||
		    is->ceiling != bytes_of(should->ceiling) ||
		    is->reserve != should->reserve * PAGE_BYTES ||
		    is->fail_nth != should->fail_nth || is->denials != should->denials ||
		    is->reserve_open != should->open ||
		    privheap_quota_limit(quota, i) != rm_limit_of(should))
			return false;
	}
	return true;
}

static bool all_same(void)
{
	bool ok = tellings == rm->events;

	for (unsigned int i = 0; i < tellings && ok; i++) {
		/* Of a soft limit's event there is no region. */
		ok = !memcmp(&told[i], &rm->event[i], sizeof(told[i]));
	}
	for (unsigned int i = 0; i < SUBJECTS && ok; i++)
		ok = same(&quotas[i], subjects[i]);
	for (unsigned int i = 0; i < REGIONS && ok; i++) {
		ok = same(&accounts[i].quota, &rm->region[i].own) &&
		     privheap_room(&accounts[i], 0) == rm_room(&rm->region[i], 0) &&
		     privheap_room(&accounts[i], 1) == rm_room(&rm->region[i], 1);
	}
	ok = ok && signals == rm->actor[0].signals[0];
	tellings = 0;
	rm->events = 0;
	return ok;
}

static uint64_t some_limit(const struct rm_counter *counter)
{
	switch (rm_below(16)) {
	case 0:
		return rm_random();
	case 1 ... 6:
		return PRIVHEAP_NO_LIMIT;
	case 7:
		return (1ULL << 63) - PAGE_BYTES;
	}
	return (counter->usage + 20 - rm_min(counter->usage, rm_below(30))) * PAGE_BYTES;
}

static bool set_limits(struct privheap_quota *quota, struct rm_subject *subject)
{
	unsigned int resource = rm_below(RM_RESOURCES);
	const struct rm_counter *counter = &subject->counter[resource];
	struct privheap_limit_set set = {
		.resource = resource,
		.set = rm_chance(2) ? 1U << rm_below(4) : rm_below(16),
		.soft = some_limit(counter),
		.hard = some_limit(counter),
		.reserve = rm_below(8) * PAGE_BYTES + rm_chance(32),
		.fail_nth = rm_chance(32) ? 1ULL << 63 : rm_below(5),
	};
	uint64_t bytes[4] = { set.soft, set.hard, set.reserve, set.fail_nth };
	bool privileged = rm_chance(2);

	return privheap_quota_set(quota, &set, 1, privileged) ==
	       rm_limit_set(subject, resource, set.set, bytes, privileged);
}

static bool charge(unsigned int which)
{
	unsigned int resource = rm_below(RM_RESOURCES), is, should;
	unsigned long pages = 1 + rm_below(16);
	bool quiet = rm_chance(4);

	is = quiet ? privheap_try_charge(&accounts[which], resource, pages) :
		     privheap_charge(&accounts[which], resource, pages);
	should = rm_charge(&rm->region[which], resource, pages, quiet);
	/* At once, before anybody looks, it has never been. */
	if (!should && rm_chance(4)) {
		privheap_cancel(&accounts[which], resource, pages);
		rm_cancel(&rm->region[which], resource, pages);
	} else if (!should) {
		charged[which][resource] += pages;
	}
	return is == should;
}

/* Give some of it back; a charge may have come to nothing. */
static void uncharge(unsigned int which)
{
	unsigned int resource = rm_below(RM_RESOURCES);
	unsigned long pages = rm_below(rm_min(charged[which][resource], 24) + 1);

	charged[which][resource] -= pages;
	if (rm_chance(3)) {
		privheap_cancel(&accounts[which], resource, pages);
		rm_cancel(&rm->region[which], resource, pages);
	} else {
		privheap_uncharge(&accounts[which], resource, pages);
		rm_uncharge(&rm->region[which], resource, pages);
	}
}

/* One operation; whether its result was right. */
static bool operate(void)
{
	unsigned int which = rm_below(REGIONS), i = rm_below(SUBJECTS + REGIONS);
	struct privheap_quota *quota = i < SUBJECTS ? &quotas[i] :
						      &accounts[i - SUBJECTS].quota;
	struct rm_subject *subject = i < SUBJECTS ? subjects[i] :
						    &rm->region[i - SUBJECTS].own;
	unsigned int resource = rm_below(RM_RESOURCES);

	switch (rm_below(16)) {
	case 0 ... 6:
		return charge(which);
	case 7 ... 11:
		uncharge(which);
		return true;
	case 12 ... 13:
		return set_limits(quota, subject);
	case 14:
		return privheap_quota_open_reserve(quota, resource) ==
		       rm_open_reserve(subject, resource);
	default:
		privheap_count_fault(&accounts[which]);
		for (i = 0; i < rm->region[which].levels; i++)
			rm->region[which].level[i]->faults++;
		return true;
	}
}

/* Observers have just looked at all of them: so what is charged has been. */
static void raise_all(void)
{
	for (unsigned int i = 0; i < REGIONS; i++)
		rm_raise_peaks(&rm->region[i]);
}

static uint64_t option(const char *name, uint64_t value)
{
	const char *text = getenv(name);

	return text && *text ? strtoull(text, NULL, 0) : value;
}

TEST(quotas_match)
{
	uint64_t ops = option("PRIVHEAP_MODEL_OPS", 200000), op;
	bool ok = true;

	rm = calloc(1, sizeof(*rm));
	ASSERT_NE(NULL, rm);
	rm->seed = option("PRIVHEAP_MODEL_SEED", 1);
	rm->random = rm->seed;
	make_subject(0, &rm->process[0], PRIVHEAP_LEVEL_PROCESS, 100);
	make_subject(1, &rm->process[1], PRIVHEAP_LEVEL_PROCESS, 101);
	make_subject(2, &rm->user[0], PRIVHEAP_LEVEL_USER, 0);
	make_subject(3, &rm->user[1], PRIVHEAP_LEVEL_USER, 1000);
	make_subject(4, &rm->cgroup_subject[0], PRIVHEAP_LEVEL_CGROUP, 10);
	make_subject(5, &rm->cgroup_subject[1], PRIVHEAP_LEVEL_CGROUP, 20);
	make_subject(6, &rm->system, PRIVHEAP_LEVEL_SYSTEM, 0);
	for (unsigned int i = 0; i < REGIONS; i++)
		make_region(i);
	for (op = 0; op < ops && ok; op++) {
		ok = operate();
		raise_all();
		ok = all_same() && ok;
	}
	EXPECT_TRUE(ok) {
		TH_LOG("seed %llu, operation %llu", (unsigned long long)rm->seed,
		       (unsigned long long)op);
	}
	EXPECT_LT(ops / 1000, rm->refused);
	free(rm);
}

TEST_HARNESS_MAIN
