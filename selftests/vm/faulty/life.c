// SPDX-License-Identifier: GPL-2.0-only
/* Objects that are used beyond their life, or by two at once. */
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/list.h>
#include <linux/refcount.h>
#include <linux/slab.h>
#include <linux/timer.h>
#include <linux/workqueue.h>

#include "faulty.h"

/* How long two threads race: KCSAN looks at one access of many. */
#define RACE_SECONDS	3

struct active {
	struct timer_list timer;
	struct delayed_work work;
};

static LIST_HEAD(list);
static unsigned long shared;

noinline void add_twice(void)
{
	static LIST_HEAD(entry);

	list_add(&entry, &list);
	list_add(&entry, &list);
}

noinline void delete_twice(void)
{
	static LIST_HEAD(entry);

	list_add(&entry, &list);
	list_del(&entry);
	list_del(&entry);
}

noinline void put_too_often(void)
{
	static refcount_t count = REFCOUNT_INIT(1);

	if (refcount_dec_and_test(&count))
		refcount_dec(&count);
}

static void on_timer(struct timer_list *timer)
{
}

noinline void free_active_timer(void)
{
	struct active *active = kzalloc(sizeof(*active), GFP_KERNEL);

	if (!active)
		return;
	timer_setup(&active->timer, on_timer, 0);
	mod_timer(&active->timer, jiffies + 3600UL * HZ);
	kfree(active);
}

static void on_work(struct work_struct *work)
{
}

noinline void free_active_work(void)
{
	struct active *active = kzalloc(sizeof(*active), GFP_KERNEL);

	if (!active)
		return;
	INIT_DELAYED_WORK(&active->work, on_work);
	queue_delayed_work(system_wq, &active->work, 3600UL * HZ);
	kfree(active);
}

static noinline void count_shared(void)
{
	shared++;
}

static int count_for_long(void *unused)
{
	unsigned long end = jiffies + RACE_SECONDS * HZ;

	while (time_before(jiffies, end)) {
		count_shared();
		cond_resched();
	}
	while (!kthread_should_stop())
		schedule_timeout_interruptible(HZ / 10);
	return 0;
}

noinline void race(void)
{
	struct task_struct *other = kthread_run(count_for_long, NULL, "faulty");
	unsigned long end = jiffies + RACE_SECONDS * HZ;

	while (time_before(jiffies, end)) {
		count_shared();
		cond_resched();
	}
	if (!IS_ERR(other))
		kthread_stop(other);
}
