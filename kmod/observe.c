// SPDX-License-Identifier: GPL-2.0-only
/* Observers' way to the subjects of quotas, and administrators' to their limits. */
#include <linux/cred.h>
#include <linux/err.h>
#include <linux/pid.h>
#include <linux/sched/mm.h>
#include <linux/sched/task.h>

#include "number.h"
#include "process.h"
#include "subject.h"

static void subject_read(struct privheap_subject *subject, struct privheap_quota_info *info)
{
	privheap_quota_read(&subject->quota, info);
	if (subject->quota.level == PRIVHEAP_LEVEL_PROCESS)
		info->pid = get_pid(privheap_process_of(subject)->pid);
}

/* What there would be to read of a subject that nothing is charged to. */
static void read_unknown(u32 level, u64 subject, kuid_t uid, struct pid *pid,
			 struct privheap_quota_info *info)
{
	static const struct privheap_counter_info none = {
		.soft = PRIVHEAP_NO_LIMIT,
		.hard = PRIVHEAP_NO_LIMIT,
		.ceiling = PRIVHEAP_NO_LIMIT,
	};
	unsigned int i;

	memset(info, 0, sizeof(*info));
	info->level = level;
	info->subject = subject;
	info->uid = uid;
	info->pid = pid;
	for (i = 0; i < PRIVHEAP_RESOURCES; i++)
		info->counter[i] = none;
}

/* The main thread of a process, with a reference for the caller, or NULL. */
static struct task_struct *task_by_id(u64 id)
{
	struct task_struct *task = NULL;
	struct pid *pid;

	if (!id || id > INT_MAX)
		return NULL;
	rcu_read_lock();
	pid = find_pid_ns(id, &init_pid_ns);
	if (pid)
		task = pid_task(pid, PIDTYPE_TGID);
	if (task)
		get_task_struct(task);
	rcu_read_unlock();
	return task;
}

static bool user_by_id(u64 id, kuid_t *uid)
{
	if (id > (uid_t)-1)
		return false;
	*uid = make_kuid(&init_user_ns, id);
	return uid_valid(*uid);
}

/**
 * privheap_subject_next() - the next subject, in the order of level and number
 * @level: PRIVHEAP_LEVEL_*, 0 to begin with
 * @subject: number
 * @info: result; its pid, if any, has a reference for the caller
 *
 * Goes through processes, users, cgroups and the system; regions have a way of
 * their own, see privheap_number_next().
 *
 * Return: 0, or -ENOENT when there is none.
 */
int privheap_subject_next(u32 level, u64 subject, struct privheap_quota_info *info)
{
	struct privheap_subject *found;

	if (level >= PRIVHEAP_LEVEL_SYSTEM)
		return -ENOENT;
	found = privheap_subject_next_get(level, subject);
	if (!found) {
		privheap_quota_read(&privheap_system_quota, info);
		return 0;
	}
	subject_read(found, info);
	privheap_subject_put(found);
	return 0;
}

/* Processes that live are there, whether they have regions or not. */
static int read_process(u64 id, struct privheap_quota_info *info)
{
	struct privheap_process *process;
	struct task_struct *task;
	struct mm_struct *mm;
	int ret = -ENOENT;

	task = task_by_id(id);
	if (!task)
		return -ENOENT;
	mm = get_task_mm(task);
	if (!mm)
		goto put_task;
	process = privheap_process_find(mm);
	if (process) {
		subject_read(&process->subject, info);
		privheap_process_put(process);
	} else {
		read_unknown(PRIVHEAP_LEVEL_PROCESS, id, task_uid(task),
			     get_task_pid(task, PIDTYPE_TGID), info);
	}
	mmput(mm);
	ret = 0;
put_task:
	put_task_struct(task);
	return ret;
}

static int read_user(u64 id, struct privheap_quota_info *info)
{
	kuid_t uid;

	if (!user_by_id(id, &uid))
		return -ENOENT;
	read_unknown(PRIVHEAP_LEVEL_USER, id, uid, NULL, info);
	return 0;
}

static int read_cgroup(u64 id, struct privheap_quota_info *info)
{
	struct cgroup *cgroup = privheap_cgroup_by_id(id);

	if (IS_ERR(cgroup))
		return PTR_ERR(cgroup);
	privheap_cgroup_release(cgroup);
	if (id == privheap_cgroup_root_id())
		return -ENOENT;
	read_unknown(PRIVHEAP_LEVEL_CGROUP, id, GLOBAL_ROOT_UID, NULL, info);
	return 0;
}

/**
 * privheap_subject_find() - a subject's counters and limits
 * @level: PRIVHEAP_LEVEL_*; for regions there is privheap_number_find()
 * @subject: its number
 * @info: result; its pid, if any, has a reference for the caller
 *
 * A process, user or cgroup that nothing is charged to, and without limits, has
 * counters of zero; it does not become a subject for being asked about. The
 * root cgroup is none.
 *
 * Return: 0 or -ENOENT.
 */
int privheap_subject_find(u32 level, u64 subject, struct privheap_quota_info *info)
{
	struct privheap_subject *found;

	switch (level) {
	case PRIVHEAP_LEVEL_PROCESS:
	case PRIVHEAP_LEVEL_USER:
	case PRIVHEAP_LEVEL_CGROUP:
		break;
	case PRIVHEAP_LEVEL_SYSTEM:
		if (subject)
			return -ENOENT;
		privheap_quota_read(&privheap_system_quota, info);
		return 0;
	default:
		return -ENOENT;
	}

	found = privheap_subject_find_get(level, subject);
	if (found) {
		subject_read(found, info);
		privheap_subject_put(found);
		return 0;
	}
	if (level == PRIVHEAP_LEVEL_PROCESS)
		return read_process(subject, info);
	if (level == PRIVHEAP_LEVEL_USER)
		return read_user(subject, info);
	return read_cgroup(subject, info);
}

/* A subject to set limits of, with a reference for the caller, or an ERR_PTR. */
static struct privheap_subject *get_user_subject(u64 id)
{
	struct privheap_subject *subject;
	kuid_t uid;

	if (!user_by_id(id, &uid))
		return ERR_PTR(-ENOENT);
	subject = privheap_user_get(uid);
	return subject ?: ERR_PTR(-ENOMEM);
}

static struct privheap_subject *get_cgroup_subject(u64 id)
{
	struct cgroup *cgroup = privheap_cgroup_by_id(id);
	struct privheap_subject *subject;

	if (IS_ERR(cgroup))
		return ERR_CAST(cgroup);
	subject = id == privheap_cgroup_root_id() ? ERR_PTR(-ENOENT) :
						    privheap_cgroup_get(cgroup);
	privheap_cgroup_release(cgroup);
	return subject;
}

static struct privheap_subject *get_process_subject(u64 id)
{
	struct privheap_process *process;
	struct task_struct *task;
	struct mm_struct *mm;
	struct pid *pid;

	task = task_by_id(id);
	if (!task)
		return ERR_PTR(-ENOENT);
	mm = get_task_mm(task);
	if (!mm) {
		put_task_struct(task);
		return ERR_PTR(-ENOENT);
	}
	pid = get_task_pid(task, PIDTYPE_TGID);
	process = privheap_process_get(mm, pid, task_uid(task));
	put_pid(pid);
	put_task_struct(task);
	/* If it dies now, then the limits do when the reference is given back. */
	mmput(mm);
	return IS_ERR(process) ? ERR_CAST(process) : &process->subject;
}

/**
 * privheap_subject_set() - set limits, as an administrator
 * @level: PRIVHEAP_LEVEL_*
 * @subject: number; a process, user or cgroup becomes a subject by it
 * @sets: what to set, all of it or nothing
 * @count: number of @sets
 * @info: result, as it is afterwards; its pid, if any, has a reference for the
 *	caller
 *
 * Return: 0, -ENOENT, -EINVAL for values that such a subject cannot have, or
 * -ENOMEM.
 */
int privheap_subject_set(u32 level, u64 subject, const struct privheap_limit_set *sets,
			 unsigned int count, struct privheap_quota_info *info)
{
	struct privheap_subject *found;
	int ret;

	switch (level) {
	case PRIVHEAP_LEVEL_REGION:
		return privheap_number_set(subject, sets, count, info);
	case PRIVHEAP_LEVEL_PROCESS:
		found = get_process_subject(subject);
		break;
	case PRIVHEAP_LEVEL_USER:
		found = get_user_subject(subject);
		break;
	case PRIVHEAP_LEVEL_CGROUP:
		found = get_cgroup_subject(subject);
		break;
	case PRIVHEAP_LEVEL_SYSTEM:
		if (subject)
			return -ENOENT;
		ret = privheap_quota_set(&privheap_system_quota, sets, count, true);
		if (!ret)
			privheap_quota_read(&privheap_system_quota, info);
		return ret;
	default:
		return -ENOENT;
	}
	if (IS_ERR(found))
		return PTR_ERR(found);

	ret = privheap_quota_set(&found->quota, sets, count, true);
	privheap_subject_limits_changed(found);
	if (!ret)
		subject_read(found, info);
	privheap_subject_put(found);
	return ret;
}
