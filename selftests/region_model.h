/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A model of the module: every page, counter, limit and watch of every region,
 * process, user, cgroup and the system, in plain C and for one caller at a time.
 * It lies in memory that all processes of a test share, at one address; they
 * take turns.
 *
 * Sizes are in pages. Results are 0 or a negative errno, as the ioctls give them.
 */
#ifndef REGION_MODEL_H
#define REGION_MODEL_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <linux/privheap_netlink.h>

#define RM_RESOURCES	2
/* As the module counts: pages fit a long. */
#define RM_UNLIMITED	((uint64_t)LONG_MAX)

#define RM_ACTORS	4	/* processes; the last one is a child of another */
#define RM_CHILD	(RM_ACTORS - 1)
#define RM_PER_ACTOR	6	/* regions that a process has at the same time */
#define RM_KEEPERS	3	/* processes that keep users and cgroups known */
#define RM_PAGES	1600	/* of the largest region: room for two huge folios */
#define RM_WATCHES	PRIVHEAP_NOTIFY_MAX
#define RM_EVENTFDS	3
#define RM_LEVELS	6	/* region, process, user, two cgroups, system */
#define RM_USERS	2
#define RM_CGROUPS	2
#define RM_SUBJECTS	(RM_ACTORS + RM_KEEPERS + RM_USERS + RM_CGROUPS + 1)
#define RM_REGIONS	(RM_ACTORS * RM_PER_ACTOR + RM_KEEPERS)
#define RM_EVENTS	4096

/* A level that refused, where fail_nth did it and no limit was reached. */
#define RM_INJECTED	0x100

struct rm_counter {
	uint64_t usage;
	uint64_t peak;
	uint64_t soft;
	uint64_t hard;
	uint64_t ceiling;
	uint64_t reserve;
	uint64_t fail_nth;
	uint64_t denials;
	bool open;		/* the reserve */
	bool denied;		/* something was refused since the reserve was set */
	bool over;		/* observers know that the usage is above the soft limit */
};

struct rm_subject {
	uint32_t level;
	uint64_t id;
	struct rm_counter counter[RM_RESOURCES];
	uint64_t regions;
	uint64_t reserved;
	uint64_t faults;
	uint64_t denials;
	struct rm_region *watched;	/* a region's own: whose watches to look at */
};

struct rm_watch {
	uint32_t resource;
	uint64_t threshold;	/* 0: none here */
	unsigned int eventfd;
};

/* Of each page: what memory does there, and what is in it. */
struct rm_page {
	bool committed;
	bool resident;
	bool mapped;
	uint8_t prot;		/* PROT_* */
	uint32_t content;	/* number of the write that filled it, 0 for zeroes */
};

struct rm_region {
	bool used;
	bool findable;		/* its first page is mapped */
	bool split;		/* it may be more than one mapping */
	unsigned int actor;	/* or RM_ACTORS + number of a keeper */
	uint32_t flags;
	char *base;
	uint64_t id;
	uint64_t pages;
	uint64_t committed;
	uint64_t resident;
	uint64_t mapped;
	uint32_t uid;
	uint64_t cgroup;	/* id, 0 for the root */
	struct rm_subject own;
	unsigned int levels;
	struct rm_subject *level[RM_LEVELS];
	struct {		/* folios that faults took last */
		uint64_t index;
		unsigned int order;
	} taken[8];
	unsigned int watches;
	struct rm_watch watch[RM_WATCHES];
	struct rm_page page[RM_PAGES];
};

/* What a listener ought to hear. */
struct rm_event {
	uint8_t command;
	uint32_t level;
	uint32_t resource;
	uint64_t subject;	/* or the region's number */
	uint64_t request;	/* bytes */
	uint64_t region;
};

struct rm_actor {
	bool alive;
	pid_t pid;
	uint32_t uid;
	unsigned int cgroup;	/* 0 for the root, else cgroup[n - 1] and above */
	int fd;			/* the device */
	int eventfd[RM_EVENTFDS];
	uint64_t signals[RM_EVENTFDS];
};

struct rm_cgroup {
	char path[128];
	uint64_t id;
};

/* What an operation was, for the report of a failure. */
struct rm_record {
	uint64_t op;
	unsigned int actor;
	const char *name;
	int region;
	uint64_t argument[4];
	int result;
	unsigned int denied;
};

#define RM_RECORDS	32

struct rm_model {
	uint64_t seed;
	uint64_t op;		/* the number of the operation */
	uint64_t ops;		/* how many there will be */
	uint64_t random;
	uint32_t contents;	/* writes so far */
	uint64_t last_id;	/* of a region, refused ones as well */
	int shared_fd;		/* a device that all have inherited */
	unsigned int max_order;	/* of a folio */
	uint64_t refused;	/* charges */
	uint64_t large;		/* folios of more than a page */
	uint64_t errors;	/* calls that were to fail, and did */
	uint64_t touches;
	uint64_t events_heard;
	bool failed;
	char failure[512];
	unsigned int records;
	struct rm_record record[RM_RECORDS];

	unsigned int cgroups;
	struct rm_cgroup cgroup[RM_CGROUPS];
	struct rm_actor actor[RM_ACTORS + RM_KEEPERS];
	struct rm_subject process[RM_ACTORS + RM_KEEPERS];
	struct rm_subject user[RM_USERS];
	struct rm_subject cgroup_subject[RM_CGROUPS];
	struct rm_subject system;
	struct rm_region region[RM_REGIONS];
	bool unordered;		/* a process has ended: with its regions in some order */
	unsigned int events;
	struct rm_event event[RM_EVENTS];
};

extern struct rm_model *rm;

/* --- numbers */

static inline uint32_t rm_random(void)
{
	/* splitmix: any seed will do, neighbours are unlike each other. */
	uint64_t z = rm->random += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z >> 32;
}

/* A number below @limit, which is not 0. */
static inline uint32_t rm_below(uint32_t limit)
{
	return (uint64_t)rm_random() * limit >> 32;
}

static inline bool rm_chance(uint32_t of)
{
	return !rm_below(of);
}

static inline uint64_t rm_min(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* --- region_model_quota.c: what charges and limits do */

void rm_subject_init(struct rm_subject *subject, uint32_t level, uint64_t id);
unsigned int rm_charge(struct rm_region *region, unsigned int resource, uint64_t nr,
		       bool quiet);
void rm_uncharge(struct rm_region *region, unsigned int resource, uint64_t nr);
void rm_cancel(struct rm_region *region, unsigned int resource, uint64_t nr);
uint64_t rm_room(const struct rm_region *region, unsigned int resource);
uint64_t rm_limit_of(const struct rm_counter *counter);
void rm_raise_peaks(struct rm_region *region);
int rm_limit_set(struct rm_subject *subject, unsigned int resource, uint32_t set,
		 const uint64_t *bytes, bool privileged);
int rm_open_reserve(struct rm_subject *subject, unsigned int resource);
void rm_tell(uint8_t command, struct rm_subject *subject, unsigned int resource,
	     uint64_t pages, uint64_t region);

/* --- region_model.c: what regions do */

struct rm_region *rm_create(unsigned int actor, uint64_t pages, uint64_t commit,
			    uint64_t limit, uint32_t flags, uint64_t id, char *base,
			    unsigned int *denied);
void rm_remove(struct rm_region *region);
void rm_remove_all(unsigned int actor);
int rm_commit(struct rm_region *region, uint64_t first, uint64_t last, bool populate,
	      unsigned int *denied);
void rm_decommit(struct rm_region *region, uint64_t first, uint64_t last);
/* The order of the module's largest folio on this kernel; 0: there are no large ones. */
unsigned int rm_max_order(void);
/* The signal that a touch raises, or 0. */
int rm_touch(struct rm_region *region, uint64_t page, int prot);
void rm_unmap(struct rm_region *region, uint64_t first, uint64_t last);
int rm_notify(struct rm_region *region, uint32_t resource, uint64_t threshold,
	      unsigned int eventfd, bool removal);

/* --- region_model_check.c: is the module as the model is? */

#define RM_CHECK(condition, ...) ({					\
	bool _holds = (condition);					\
									\
	if (!_holds)							\
		rm_fail(#condition, __LINE__, __VA_ARGS__);		\
	_holds;								\
})
void rm_fail(const char *condition, int line, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* A device of the actor's own or an inherited one: that is all the same. */
int rm_fd(unsigned int actor);
void rm_check_region(unsigned int actor, struct rm_region *region);
void rm_check_limit(unsigned int actor, struct rm_region *region, unsigned int resource);
void rm_check_sums(unsigned int actor);
void rm_check_pages(struct rm_region *region);
void rm_check_signals(unsigned int actor);
/* One page's bytes; @at is where to read it. */
bool rm_check_bytes(const struct rm_region *region, uint64_t page, const void *at);
void rm_check_contents(unsigned int actor);
void rm_fill(void *at, const struct rm_region *region, uint32_t content);

/* --- region_model_call.c: calls, some of them spoiled */

bool rm_call(unsigned int actor, unsigned long cmd, void *arg, int *result);
void rm_record(unsigned int actor, const char *name, const struct rm_region *region,
	       uint64_t a, uint64_t b, uint64_t c, uint64_t d);
void rm_result(int result, unsigned int denied);

/* --- region_model_ops.c, _limits.c, _memory.c: random operations */

void rm_operation(unsigned int actor);
void rm_ioctl_operation(unsigned int actor, struct rm_region *region);
void rm_limit_operation(unsigned int actor, struct rm_region *region);
void rm_memory_operation(unsigned int actor, struct rm_region *region);
void rm_catch_faults(void);
int rm_read_signal(char *address);
void rm_some_limits(const struct rm_subject *subject, unsigned int resource,
		    uint32_t *set, uint64_t *bytes);
uint64_t rm_some_page(const struct rm_region *region);
void rm_some_range(const struct rm_region *region, uint64_t *first, uint64_t *last);
struct rm_region *rm_some_region(unsigned int actor);

/* --- region_model_admin.c: what the administrator does and sees, over netlink */

int rm_admin_open(void);
void rm_admin_operation(void);
void rm_admin_check(void);
void rm_admin_events(void);
void rm_admin_close(void);

/* --- region_model_world.c: processes that take turns */

struct rm_run {
	uint64_t seed;
	uint64_t ops;
	const uint8_t *skip;	/* operations to leave out, or NULL */
};

/* Returns whether all was as it should be; rm->op tells how far it came. */
bool rm_world_run(const struct rm_run *run);
int rm_actor_start(unsigned int actor);
void rm_actor_kill(unsigned int actor);
int rm_actor_enter(unsigned int actor);
void rm_child_operation(unsigned int actor);

#endif /* REGION_MODEL_H */
