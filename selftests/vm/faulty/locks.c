// SPDX-License-Identifier: GPL-2.0-only
/* Locks that are taken in the wrong order, place or way, and sleep. */
#include <linux/delay.h>
#include <linux/irq_work.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

#include "faulty.h"

/* Beyond what the test tells the hung task's watch. */
#define HANG_MS	12000

static DEFINE_MUTEX(first);
static DEFINE_MUTEX(second);
static DEFINE_SPINLOCK(spin);

noinline void invert_locks(void)
{
	mutex_lock(&first);
	mutex_lock(&second);
	mutex_unlock(&second);
	mutex_unlock(&first);

	mutex_lock(&second);
	mutex_lock(&first);
	mutex_unlock(&first);
	mutex_unlock(&second);
}

static void take_spin(struct irq_work *work)
{
	spin_lock(&spin);
	spin_unlock(&spin);
}

noinline void lock_in_interrupt(void)
{
	struct irq_work work = IRQ_WORK_INIT_HARD(take_spin);

	spin_lock(&spin);
	spin_unlock(&spin);
	irq_work_queue(&work);
	irq_work_sync(&work);
}

noinline void unlock_unlocked(void)
{
	mutex_unlock(&first);
}

noinline void keep_lock(void)
{
	mutex_lock(&first);
}

noinline void sleep_in_atomic(void)
{
	spin_lock(&spin);
	msleep(20);
	spin_unlock(&spin);
}

noinline void allocate_in_atomic(void)
{
	spin_lock(&spin);
	kfree(kmalloc(64, GFP_KERNEL));
	spin_unlock(&spin);
}

noinline void dereference_unprotected(void)
{
	static int __rcu *pointer;

	if (rcu_dereference(pointer))
		WRITE_ONCE(pointer, NULL);
}

noinline void hang(void)
{
	set_current_state(TASK_UNINTERRUPTIBLE);
	schedule_timeout(msecs_to_jiffies(HANG_MS));
}
