// SPDX-License-Identifier: GPL-2.0-only
/*
 * A module that stands in for privheap.ko and is wrong on purpose: the first
 * open of its device makes the fault that the parameter names. The tests of
 * the virtual machine, and those of the debug kernels, want to see each of them
 * turn a run red.
 */
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/panic.h>

#include "faulty.h"

static char *what = "none";
module_param(what, charp, 0444);
MODULE_PARM_DESC(what, "none, or a name of the table in faulty.c");

static noinline void make_oops(void)
{
	/* Read back, so that the compiler cannot see what it holds. */
	static char *volatile nowhere;

	*nowhere = 1;
}

static void warn(void)
{
	WARN(1, "on purpose\n");
}

static void make_panic(void)
{
	panic("on purpose");
}

static void pin(void)
{
	__module_get(THIS_MODULE);
}

static void do_nothing(void)
{
}

static const struct {
	const char *name;
	void (*make)(void);
} faults[] = {
	{ "none",	do_nothing },
	{ "warn",	warn },
	{ "oops",	make_oops },
	{ "panic",	make_panic },
	{ "pin",	pin },
	{ "uaf",	use_after_free },
	{ "slab",	write_beyond_slab },
	{ "stack",	write_beyond_stack },
	{ "global",	write_beyond_global },
	{ "vmalloc",	write_beyond_vmalloc },
	{ "double-free", free_twice },
	{ "page",	use_freed_page },
	{ "put-page",	put_page_twice },
	{ "usercopy",	copy_too_much },
	{ "leak",	leak },
	{ "shift",	shift_too_far },
	{ "index",	index_too_far },
	{ "bool",	load_no_bool },
	{ "lock",	invert_locks },
	{ "irq-lock",	lock_in_interrupt },
	{ "unlock",	unlock_unlocked },
	{ "keep-lock",	keep_lock },
	{ "sleep",	sleep_in_atomic },
	{ "allocate",	allocate_in_atomic },
	{ "rcu",	dereference_unprotected },
	{ "hang",	hang },
	{ "list-add",	add_twice },
	{ "list-del",	delete_twice },
	{ "refcount",	put_too_often },
	{ "timer",	free_active_timer },
	{ "work",	free_active_work },
	{ "race",	race },
};

static int faulty_open(struct inode *inode, struct file *file)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(faults); i++) {
		if (!strcmp(what, faults[i].name)) {
			faults[i].make();
			return 0;
		}
	}
	return -EINVAL;
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
