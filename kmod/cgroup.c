// SPDX-License-Identifier: GPL-2.0-only
/* Cgroups of the second version as subjects. */
#include <linux/cgroup.h>
#include <linux/err.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "subject.h"

#ifdef CONFIG_CGROUPS

/* One cgroup; takes over the reference to @parent, NULL without memory. */
static struct privheap_subject *cgroup_get_one(struct cgroup *cgroup,
					       struct privheap_subject *parent)
{
	struct privheap_subject *found, *new;

	found = privheap_subject_find_get(PRIVHEAP_LEVEL_CGROUP, cgroup_id(cgroup));
	if (found)
		goto put_parent;
	new = kzalloc(sizeof(*new), GFP_KERNEL_ACCOUNT);
	if (!new)
		goto put_parent;
	privheap_quota_init(&new->quota, PRIVHEAP_LEVEL_CGROUP, cgroup_id(cgroup),
			    GLOBAL_ROOT_UID);
	cgroup_get(cgroup);
	new->cgroup = cgroup;
	new->parent = parent;
	found = privheap_subject_insert(new);
	if (found == new)
		return new;

	cgroup_put(cgroup);
	kfree(new);
put_parent:
	if (parent)
		privheap_subject_put(parent);
	return found;
}

/**
 * privheap_cgroup_get() - the subject of a cgroup
 * @cgroup: the cgroup, not the root; the caller has a reference
 *
 * All cgroups above it, but for the root, become subjects, too, so that they
 * know their usage when they are given a limit.
 *
 * Return: the subject with a reference for the caller, or an ERR_PTR of -ENOMEM.
 */
struct privheap_subject *privheap_cgroup_get(struct cgroup *cgroup)
{
	struct privheap_subject *subject;
	int level;

	subject = privheap_subject_find_get(PRIVHEAP_LEVEL_CGROUP, cgroup_id(cgroup));
	for (level = 1; !subject || subject->cgroup != cgroup; level++) {
		subject = cgroup_get_one(cgroup_ancestor(cgroup, level), subject);
		if (!subject)
			return ERR_PTR(-ENOMEM);
	}
	return subject;
}

/**
 * privheap_cgroup_get_current() - the subject of the cgroup of the current task
 *
 * Return: the subject with a reference for the caller, NULL for the root, or an
 * ERR_PTR of -ENOMEM.
 */
struct privheap_subject *privheap_cgroup_get_current(void)
{
	struct privheap_subject *subject = NULL;
	struct cgroup *cgroup;

	/* The task may be moved, and the cgroup removed, at any moment. */
	rcu_read_lock();
	do {
		cgroup = task_dfl_cgroup(current);
	} while (!cgroup_tryget(cgroup));
	rcu_read_unlock();
	if (cgroup_parent(cgroup))
		subject = privheap_cgroup_get(cgroup);
	cgroup_put(cgroup);
	return subject;
}

/**
 * privheap_cgroup_is_gone() - was a cgroup removed?
 * @cgroup: the cgroup
 *
 * Return: whether no task will be in it any more.
 */
bool privheap_cgroup_is_gone(struct cgroup *cgroup)
{
	/* The kernel sets it under a lock of its own, without a mark. */
	return !(data_race(READ_ONCE(cgroup->self.flags)) & CSS_ONLINE);
}

/**
 * privheap_cgroup_release() - give back the reference to a cgroup
 * @cgroup: the cgroup
 */
void privheap_cgroup_release(struct cgroup *cgroup)
{
	cgroup_put(cgroup);
}

/**
 * privheap_cgroup_by_id() - a cgroup that the current task can see
 * @id: its id
 *
 * Return: the cgroup with a reference for the caller, or an ERR_PTR of -ENOENT.
 */
struct cgroup *privheap_cgroup_by_id(u64 id)
{
	struct cgroup *cgroup = cgroup_get_from_id(id);

	return IS_ERR_OR_NULL(cgroup) ? ERR_PTR(-ENOENT) : cgroup;
}

/**
 * privheap_cgroup_root_id() - the id of the root cgroup
 *
 * Return: the id.
 */
u64 privheap_cgroup_root_id(void)
{
	return cgroup_id(&cgrp_dfl_root.cgrp);
}

#else /* !CONFIG_CGROUPS */

struct privheap_subject *privheap_cgroup_get(struct cgroup *cgroup)
{
	return ERR_PTR(-ENOENT);
}

struct privheap_subject *privheap_cgroup_get_current(void)
{
	return NULL;
}

bool privheap_cgroup_is_gone(struct cgroup *cgroup)
{
	return true;
}

void privheap_cgroup_release(struct cgroup *cgroup)
{
}

struct cgroup *privheap_cgroup_by_id(u64 id)
{
	return ERR_PTR(-ENOENT);
}

u64 privheap_cgroup_root_id(void)
{
	return 1;
}

#endif /* CONFIG_CGROUPS */
