// SPDX-License-Identifier: GPL-2.0-only
/*
 * A module that stands in for privheap.ko and is wrong on purpose: the first
 * open of its device makes the fault that the parameter names. The tests of
 * the virtual machine want to see each of them turn a run red.
 */
#include <linux/delay.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

static char *what = "none";
module_param(what, charp, 0444);
MODULE_PARM_DESC(what, "none, warn, oops, panic, pin, uaf, leak, lock or sleep");

static DEFINE_MUTEX(first);
static DEFINE_MUTEX(second);
static DEFINE_SPINLOCK(spin);

/* Read back, so that the compiler cannot see what the pointers hold. */
static char *volatile hidden;

static noinline void make_oops(void)
{
	hidden = NULL;
	*hidden = 1;
}

static noinline void use_after_free(void)
{
	hidden = kmalloc(64, GFP_KERNEL);
	kfree(hidden);
	if (hidden)
		WRITE_ONCE(hidden[8], 1);
}

static noinline void leak(void)
{
	int i;

	/* Many, as an old value on a stack may point to one of them. */
	for (i = 0; i < 16; i++)
		hidden = kmalloc(128, GFP_KERNEL);
	hidden = NULL;
}

static noinline void invert_locks(void)
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

static noinline void sleep_in_atomic(void)
{
	spin_lock(&spin);
	msleep(20);
	spin_unlock(&spin);
}

static int faulty_open(struct inode *inode, struct file *file)
{
	if (!strcmp(what, "warn"))
		WARN(1, "on purpose\n");
	else if (!strcmp(what, "oops"))
		make_oops();
	else if (!strcmp(what, "panic"))
		panic("on purpose");
	else if (!strcmp(what, "pin"))
		__module_get(THIS_MODULE);
	else if (!strcmp(what, "uaf"))
		use_after_free();
	else if (!strcmp(what, "leak"))
		leak();
	else if (!strcmp(what, "lock"))
		invert_locks();
	else if (!strcmp(what, "sleep"))
		sleep_in_atomic();
	return 0;
}

static const struct file_operations faulty_fops = {
	.owner = THIS_MODULE,
	.open = faulty_open,
};

static struct miscdevice faulty_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "privheap",
	.fops = &faulty_fops,
};
module_misc_device(faulty_device);

MODULE_DESCRIPTION("Faults on purpose, for tests of the test machine");
MODULE_LICENSE("GPL");
