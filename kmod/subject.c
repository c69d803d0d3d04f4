// SPDX-License-Identifier: GPL-2.0-only
/* The table of subjects, and how long they live. */
#include <linux/sched.h>
#include <linux/slab.h>

#include "process.h"
#include "subject.h"

static struct rb_root privheap_subjects = RB_ROOT;
static LIST_HEAD(privheap_limited);	/* the one looked at longest ago first */
static DEFINE_SPINLOCK(privheap_subjects_lock);
static atomic_long_t privheap_changes;

/* How many subjects with limits are looked at whenever one is made. */
#define PRIVHEAP_SWEEP	4

/**
 * privheap_generation_bump() - a region or a subject came or went
 */
void privheap_generation_bump(void)
{
	atomic_long_inc(&privheap_changes);
}

/**
 * privheap_generation() - for observers who ask for one after the other
 *
 * Return: a number that is another one when a region or a subject has come or
 * gone meanwhile.
 */
unsigned long privheap_generation(void)
{
	return atomic_long_read(&privheap_changes);
}

static int compare(u32 level, u64 subject, struct rb_node *rb)
{
	struct privheap_quota *quota = &rb_entry(rb, struct privheap_subject, node)->quota;

	if (level != quota->level)
		return level < quota->level ? -1 : 1;
	if (subject != quota->subject)
		return subject < quota->subject ? -1 : 1;
	return 0;
}

/* The first one at (@level, @subject), or behind it if @behind. */
static struct privheap_subject *subject_lookup(u32 level, u64 subject, bool behind)
{
	struct rb_node *rb = privheap_subjects.rb_node, *found = NULL;

	lockdep_assert_held(&privheap_subjects_lock);
	while (rb) {
		int order = compare(level, subject, rb);

		if (order < 0 || (!order && !behind)) {
			found = rb;
			rb = rb->rb_left;
		} else {
			rb = rb->rb_right;
		}
	}
	return rb_entry_safe(found, struct privheap_subject, node);
}

/* The same process id twice is one after exec(2), and what is left of before. */
static void subject_link(struct privheap_subject *new)
{
	struct rb_node **link = &privheap_subjects.rb_node, *parent = NULL;

	while (*link) {
		parent = *link;
		/* The newest is found first. */
		link = compare(new->quota.level, new->quota.subject, parent) <= 0 ?
		       &parent->rb_left : &parent->rb_right;
	}
	rb_link_node(&new->node, parent, link);
	rb_insert_color(&new->node, &privheap_subjects);
	privheap_generation_bump();
}

static struct privheap_subject *subject_find_get_locked(u32 level, u64 subject)
{
	struct privheap_subject *found = subject_lookup(level, subject, false);

	if (!found || compare(level, subject, &found->node))
		return NULL;
	refcount_inc(&found->refs);
	return found;
}

/* It will never be charged again by who has nothing charged now. */
static bool subject_is_gone(struct privheap_subject *subject)
{
	switch (subject->quota.level) {
	case PRIVHEAP_LEVEL_PROCESS:
		return privheap_process_is_gone(subject);
	case PRIVHEAP_LEVEL_CGROUP:
		return privheap_cgroup_is_gone(subject->cgroup);
	default:
		return false;
	}
}

/* Give a reference back; returns whether it was the last: then the caller frees. */
static bool subject_put_locked(struct privheap_subject *subject)
{
	lockdep_assert_held(&privheap_subjects_lock);
	if (!refcount_dec_and_test(&subject->refs))
		return false;
	rb_erase(&subject->node, &privheap_subjects);
	privheap_generation_bump();
	return true;
}

/*
 * Take the limits' reference away where only that is left and the limits are for
 * nobody, or where there are none any more (a charge that was to fail has).
 */
static bool subject_age_locked(struct privheap_subject *subject)
{
	if (!subject->limited)
		return false;
	if (privheap_quota_limited(&subject->quota) &&
	    (refcount_read(&subject->refs) > 1 || !subject_is_gone(subject)))
		return false;
	WRITE_ONCE(subject->limited, false);
	list_del_init(&subject->aging);
	return subject_put_locked(subject);
}

/* What no table knows any more, with what it holds further out. */
static void subject_free(struct privheap_subject *subject)
{
	struct privheap_subject *parent = subject->parent;

	switch (subject->quota.level) {
	case PRIVHEAP_LEVEL_PROCESS:
		privheap_process_free(subject);
		break;
	case PRIVHEAP_LEVEL_CGROUP:
		privheap_cgroup_release(subject->cgroup);
		fallthrough;
	default:
		kfree(subject);
	}
	if (parent)
		privheap_subject_put(parent);
}

/**
 * privheap_subject_put() - give back a reference
 * @subject: the subject
 */
void privheap_subject_put(struct privheap_subject *subject)
{
	bool last;

	/* Of one without limits only the last one is of interest. */
	if (!READ_ONCE(subject->limited) && refcount_dec_not_one(&subject->refs))
		return;
	spin_lock(&privheap_subjects_lock);
	last = subject_put_locked(subject) || subject_age_locked(subject);
	spin_unlock(&privheap_subjects_lock);
	if (last)
		subject_free(subject);
}

/* Look at so many of the subjects with limits. */
static void subjects_sweep(unsigned int count)
{
	struct privheap_subject *subject, *last;

	while (count--) {
		spin_lock(&privheap_subjects_lock);
		last = NULL;
		subject = list_first_entry_or_null(&privheap_limited,
						   struct privheap_subject, aging);
		if (subject) {
			list_move_tail(&subject->aging, &privheap_limited);
			if (subject_age_locked(subject))
				last = subject;
		}
		spin_unlock(&privheap_subjects_lock);
		if (!subject)
			return;
		if (last)
			subject_free(last);
	}
}

/**
 * privheap_subject_limits_changed() - let limits hold the subject, or no more
 * @subject: the subject; the caller has a reference
 *
 * To be called after each change of its limits.
 */
void privheap_subject_limits_changed(struct privheap_subject *subject)
{
	spin_lock(&privheap_subjects_lock);
	if (!subject->limited && privheap_quota_limited(&subject->quota)) {
		WRITE_ONCE(subject->limited, true);
		refcount_inc(&subject->refs);
		list_add_tail(&subject->aging, &privheap_limited);
	}
	/* Never the last one: there is the caller's. */
	subject_age_locked(subject);
	spin_unlock(&privheap_subjects_lock);
}

/**
 * privheap_subject_find_get() - find a subject
 * @level: PRIVHEAP_LEVEL_PROCESS, _USER or _CGROUP
 * @subject: its number
 *
 * Return: the subject with a reference for the caller, or NULL.
 */
struct privheap_subject *privheap_subject_find_get(u32 level, u64 subject)
{
	struct privheap_subject *found;

	spin_lock(&privheap_subjects_lock);
	found = subject_find_get_locked(level, subject);
	spin_unlock(&privheap_subjects_lock);
	return found;
}

/**
 * privheap_subject_next_get() - the next subject in the order of the table
 * @level: PRIVHEAP_LEVEL_*
 * @subject: number
 *
 * Passes over what is about to go.
 *
 * Return: the first one behind (@level, @subject) with a reference for the
 * caller, or NULL.
 */
struct privheap_subject *privheap_subject_next_get(u32 level, u64 subject)
{
	struct privheap_subject *found;
	bool last;

	for (;;) {
		spin_lock(&privheap_subjects_lock);
		found = subject_lookup(level, subject, true);
		last = found && subject_age_locked(found);
		if (found && !last)
			refcount_inc(&found->refs);
		spin_unlock(&privheap_subjects_lock);
		if (!last)
			return found;
		subject_free(found);
	}
}

/**
 * privheap_subject_insert() - make a subject findable
 * @new: the subject, ready but for its place in the table; a process is always
 *	inserted, of others there is one with each number
 *
 * Return: @new, or the one that another thread has inserted meanwhile, with a
 * reference for the caller; then @new is still the caller's.
 */
struct privheap_subject *privheap_subject_insert(struct privheap_subject *new)
{
	struct privheap_subject *found = NULL;

	INIT_LIST_HEAD(&new->aging);
	new->limited = false;
	refcount_set(&new->refs, 1);
	subjects_sweep(PRIVHEAP_SWEEP);

	spin_lock(&privheap_subjects_lock);
	if (new->quota.level != PRIVHEAP_LEVEL_PROCESS)
		found = subject_find_get_locked(new->quota.level, new->quota.subject);
	if (!found)
		subject_link(new);
	spin_unlock(&privheap_subjects_lock);
	return found ?: new;
}

/**
 * privheap_user_get() - the subject of a user
 * @uid: the user
 *
 * Return: the subject with a reference for the caller, or NULL without memory.
 */
struct privheap_subject *privheap_user_get(kuid_t uid)
{
	u64 number = from_kuid(&init_user_ns, uid);
	struct privheap_subject *found, *new;

	found = privheap_subject_find_get(PRIVHEAP_LEVEL_USER, number);
	if (found)
		return found;
	new = kzalloc(sizeof(*new), GFP_KERNEL_ACCOUNT);
	if (!new)
		return NULL;
	privheap_quota_init(&new->quota, PRIVHEAP_LEVEL_USER, number, uid);
	found = privheap_subject_insert(new);
	if (found != new)
		kfree(new);
	return found;
}

/**
 * privheap_subjects_exit() - at the module's unload: limits end
 */
void privheap_subjects_exit(void)
{
	struct privheap_subject *subject, *last;

	/* There are no regions and no open files, so nothing else is left. */
	do {
		last = NULL;
		spin_lock(&privheap_subjects_lock);
		subject = list_first_entry_or_null(&privheap_limited,
						   struct privheap_subject, aging);
		if (subject) {
			WRITE_ONCE(subject->limited, false);
			list_del_init(&subject->aging);
			if (subject_put_locked(subject))
				last = subject;
		}
		spin_unlock(&privheap_subjects_lock);
		if (last)
			subject_free(last);
	} while (subject);
	WARN_ON_ONCE(!RB_EMPTY_ROOT(&privheap_subjects));
}
