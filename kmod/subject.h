/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Subjects of quotas that outlive a region: processes, users, cgroups and the
 * system. How they are found, how long they live, and observers' way to them.
 */
#ifndef PRIVHEAP_SUBJECT_H
#define PRIVHEAP_SUBJECT_H

#include <linux/rbtree.h>
#include <linux/refcount.h>

#include "quota.h"

struct cgroup;

/**
 * struct privheap_subject - what is common to processes, users and cgroups
 * @quota: its counters and limits, its level and number
 * @node: in the table of subjects, by level and number
 * @aging: in the list of subjects with limits, while @limited
 * @refs: one of each region, each child cgroup, each open file of a process,
 *	each caller at work, and one of its limits
 * @limited: it has limits, which hold a reference
 * @parent: of a cgroup: the next one further out, with a reference; or NULL
 * @cgroup: of a cgroup: itself, with a reference
 *
 * A subject's counters go with its last reference. Limits hold one: those of a
 * user until they are taken back, those of a process until it is gone, those of
 * a cgroup until it is removed. Nobody tells the module of either, so it looks:
 * whenever a reference is given back, a subject is made, or an observer asks.
 *
 * privheap_subjects_lock (in subject.c, a leaf but for quota.watch_lock) guards
 * the table, the list, @limited, and that no reference is taken from zero.
 */
struct privheap_subject {
	struct privheap_quota quota;
	struct rb_node node;
	struct list_head aging;
	refcount_t refs;
	bool limited;
	struct privheap_subject *parent;
	struct cgroup *cgroup;
};

/* subject.c */
struct privheap_subject *privheap_subject_find_get(u32 level, u64 subject);
struct privheap_subject *privheap_subject_next_get(u32 level, u64 subject);
struct privheap_subject *privheap_subject_insert(struct privheap_subject *new);
void privheap_subject_put(struct privheap_subject *subject);
void privheap_subject_limits_changed(struct privheap_subject *subject);
struct privheap_subject *privheap_user_get(kuid_t uid);
void privheap_subjects_exit(void);
void privheap_generation_bump(void);
unsigned long privheap_generation(void);

/* cgroup.c */
struct privheap_subject *privheap_cgroup_get(struct cgroup *cgroup);
struct privheap_subject *privheap_cgroup_get_current(void);
bool privheap_cgroup_is_gone(struct cgroup *cgroup);
void privheap_cgroup_release(struct cgroup *cgroup);
struct cgroup *privheap_cgroup_by_id(u64 id);
u64 privheap_cgroup_root_id(void);

/* account.c */
int privheap_account_init(struct privheap_account *account, u64 id,
			  struct privheap_subject *process);
void privheap_account_exit(struct privheap_account *account);
u64 privheap_account_cgroup_id(struct privheap_account *account);
bool privheap_account_in_cgroup(struct privheap_account *account, u64 cgroup_id);

/* observe.c */
int privheap_subject_next(u32 level, u64 subject, struct privheap_quota_info *info);
int privheap_subject_find(u32 level, u64 subject, struct privheap_quota_info *info);
int privheap_subject_set(u32 level, u64 subject, const struct privheap_limit_set *sets,
			 unsigned int count, struct privheap_quota_info *info);

#endif /* PRIVHEAP_SUBJECT_H */
