// SPDX-License-Identifier: GPL-2.0-only
/* What a region is charged to: all the subjects that its maker was then. */
#include <linux/cred.h>
#include <linux/err.h>
#include <linux/slab.h>

#include "subject.h"

/* Where in privheap_account.level, after the region's own quota. */
#define LEVEL_PROCESS	1
#define LEVEL_USER	2
#define LEVEL_CGROUP	3

static struct privheap_subject *subject_of(struct privheap_quota *quota)
{
	return container_of(quota, struct privheap_subject, quota);
}

/* The innermost cgroup, or NULL. */
static struct privheap_quota *account_cgroup(struct privheap_account *account)
{
	struct privheap_quota *quota = account->level[LEVEL_CGROUP];

	return quota->level == PRIVHEAP_LEVEL_CGROUP ? quota : NULL;
}

/**
 * privheap_account_init() - charge a new region to the current user and cgroup
 * @account: the region's
 * @id: the region's number
 * @process: the process
 *
 * Return: 0 or -ENOMEM.
 */
int privheap_account_init(struct privheap_account *account, u64 id,
			  struct privheap_subject *process)
{
	struct privheap_subject *user, *cgroup, *above;
	unsigned int levels = LEVEL_CGROUP + 1;

	user = privheap_user_get(current_uid());
	if (!user)
		return -ENOMEM;
	cgroup = privheap_cgroup_get_current();
	if (IS_ERR(cgroup))
		goto put_user;
	for (above = cgroup; above; above = above->parent)
		levels++;
	account->level = account->builtin;
	if (levels > PRIVHEAP_ACCOUNT_LEVELS)
		account->level = kmalloc_array(levels, sizeof(*account->level),
					       GFP_KERNEL_ACCOUNT);
	if (!account->level)
		goto put_cgroup;

	privheap_quota_init(&account->quota, PRIVHEAP_LEVEL_REGION, id, current_uid());
	refcount_inc(&process->refs);
	account->level[0] = &account->quota;
	account->level[LEVEL_PROCESS] = &process->quota;
	account->level[LEVEL_USER] = &user->quota;
	account->levels = LEVEL_CGROUP;
	for (above = cgroup; above; above = above->parent)
		account->level[account->levels++] = &above->quota;
	account->level[account->levels++] = &privheap_system_quota;
	return 0;

put_cgroup:
	if (cgroup)
		privheap_subject_put(cgroup);
put_user:
	privheap_subject_put(user);
	return -ENOMEM;
}

/**
 * privheap_account_exit() - undo privheap_account_init()
 * @account: the region's; nothing is charged
 */
void privheap_account_exit(struct privheap_account *account)
{
	struct privheap_quota *cgroup = account_cgroup(account);

	if (cgroup)
		privheap_subject_put(subject_of(cgroup));
	privheap_subject_put(subject_of(account->level[LEVEL_USER]));
	privheap_subject_put(subject_of(account->level[LEVEL_PROCESS]));
	if (account->level != account->builtin)
		kfree(account->level);
}

/**
 * privheap_account_cgroup_id() - which cgroup a region is charged to
 * @account: the region's
 *
 * Return: the id, 0 for the root.
 */
u64 privheap_account_cgroup_id(struct privheap_account *account)
{
	struct privheap_quota *cgroup = account_cgroup(account);

	return cgroup ? cgroup->subject : 0;
}

/**
 * privheap_account_in_cgroup() - is a region charged to a cgroup?
 * @account: the region's
 * @cgroup_id: id of the cgroup
 *
 * Return: whether it is charged to that one or to one below it.
 */
bool privheap_account_in_cgroup(struct privheap_account *account, u64 cgroup_id)
{
	unsigned int i;

	if (cgroup_id == privheap_cgroup_root_id())
		return true;
	for (i = LEVEL_CGROUP; i < account->levels - 1; i++)
		if (account->level[i]->subject == cgroup_id)
			return true;
	return false;
}
