// SPDX-License-Identifier: GPL-2.0-only
/* Processes that have regions or an open device, and how regions are found. */
#include <linux/cred.h>
#include <linux/hashtable.h>
#include <linux/pid.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

#include "process.h"
#include "region.h"

static DEFINE_HASHTABLE(privheap_processes, 8);
static DEFINE_SPINLOCK(privheap_processes_lock);

static struct privheap_process *process_find_locked(struct mm_struct *mm)
{
	struct privheap_process *process;

	/* One that is being freed is still there for a moment. */
	hash_for_each_possible(privheap_processes, process, hash, (unsigned long)mm)
		if (process->mm == mm && refcount_inc_not_zero(&process->subject.refs))
			return process;
	return NULL;
}

/**
 * privheap_process_find() - the process of an address space, if known
 * @mm: the address space
 *
 * Return: the process with a reference for the caller, or NULL.
 */
struct privheap_process *privheap_process_find(struct mm_struct *mm)
{
	struct privheap_process *process;

	spin_lock(&privheap_processes_lock);
	process = process_find_locked(mm);
	spin_unlock(&privheap_processes_lock);
	return process;
}

/**
 * privheap_process_get() - the process of an address space
 * @mm: the address space
 * @pid: its process, for a new one
 * @uid: its owner, for a new one
 *
 * Return: the process with a reference for the caller, or an ERR_PTR of -ENOMEM.
 */
struct privheap_process *privheap_process_get(struct mm_struct *mm, struct pid *pid,
					      kuid_t uid)
{
	struct privheap_process *process, *new;

	process = privheap_process_find(mm);
	if (process)
		return process;

	new = kzalloc(sizeof(*new), GFP_KERNEL_ACCOUNT);
	if (!new)
		return ERR_PTR(-ENOMEM);
	privheap_quota_init(&new->subject.quota, PRIVHEAP_LEVEL_PROCESS, pid_nr(pid), uid);
	mmgrab(mm);
	new->mm = mm;
	new->pid = get_pid(pid);
	spin_lock_init(&new->lock);
	new->regions = RB_ROOT;
	privheap_subject_insert(&new->subject);

	spin_lock(&privheap_processes_lock);
	process = process_find_locked(mm);
	if (!process)
		hash_add(privheap_processes, &new->hash, (unsigned long)mm);
	spin_unlock(&privheap_processes_lock);
	if (!process)
		return new;

	/* Another thread was faster. */
	privheap_process_put(new);
	return process;
}

/**
 * privheap_process_get_current() - the current process
 *
 * Return: the process with a reference for the caller, or an ERR_PTR of -ENOMEM.
 */
struct privheap_process *privheap_process_get_current(void)
{
	return privheap_process_get(current->mm, task_tgid(current), current_uid());
}

/**
 * privheap_process_is_gone() - has a process died, or begun another program?
 * @subject: the process
 *
 * Return: whether nobody uses its address space any more.
 */
bool privheap_process_is_gone(struct privheap_subject *subject)
{
	return !atomic_read(&privheap_process_of(subject)->mm->mm_users);
}

/**
 * privheap_process_free() - at the last privheap_process_put()
 * @subject: the process
 */
void privheap_process_free(struct privheap_subject *subject)
{
	struct privheap_process *process = privheap_process_of(subject);

	spin_lock(&privheap_processes_lock);
	hash_del(&process->hash);
	spin_unlock(&privheap_processes_lock);
	WARN_ON_ONCE(!RB_EMPTY_ROOT(&process->regions));
	mmdrop(process->mm);
	put_pid(process->pid);
	kfree(process);
}

/**
 * privheap_process_add_region() - make a region findable by its base
 * @process: the process
 * @region: the region, mapped at its base
 *
 * Does nothing for a region whose first page is not mapped any more.
 *
 * Return: 0, or -EEXIST when another region is there.
 */
int privheap_process_add_region(struct privheap_process *process,
				struct privheap_region *region)
{
	struct rb_node **link = &process->regions.rb_node;
	struct rb_node *parent = NULL;
	int ret = 0;

	spin_lock(&process->lock);
	if (region->base_unmapped)
		goto unlock;
	while (*link) {
		struct privheap_region *other;

		parent = *link;
		other = rb_entry(parent, struct privheap_region, node);
		if (region->base == other->base) {
			ret = -EEXIST;
			goto unlock;
		}
		link = region->base < other->base ? &parent->rb_left : &parent->rb_right;
	}
	rb_link_node(&region->node, parent, link);
	rb_insert_color(&region->node, &process->regions);
unlock:
	spin_unlock(&process->lock);
	return ret;
}

/**
 * privheap_process_find_region() - find a region by its base
 * @process: the process
 * @base: address
 * @take: whether to make it unfindable for others
 *
 * Return: the region with a reference to its inode for the caller, or NULL.
 */
struct privheap_region *privheap_process_find_region(struct privheap_process *process,
						     unsigned long base, bool take)
{
	struct privheap_region *region = NULL;
	struct rb_node *rb;

	spin_lock(&process->lock);
	rb = process->regions.rb_node;
	while (rb) {
		region = rb_entry(rb, struct privheap_region, node);
		if (base == region->base)
			break;
		rb = base < region->base ? rb->rb_left : rb->rb_right;
	}
	if (!rb) {
		region = NULL;
	} else {
		/* Its first page is mapped, so the mapping's file holds it. */
		ihold(&region->inode);
		if (take) {
			rb_erase(rb, &process->regions);
			RB_CLEAR_NODE(rb);
		}
	}
	spin_unlock(&process->lock);
	return region;
}
