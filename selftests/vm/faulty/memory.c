// SPDX-License-Identifier: GPL-2.0-only
/* Memory that is used wrongly, or lost. */
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>

#include "faulty.h"

/* Read back, so that the compiler cannot see what they hold. */
static char *volatile hidden;
static volatile unsigned int number;

/* Beyond what it is to be written to, but not beyond what there is. */
static char global[32];

noinline void use_after_free(void)
{
	hidden = kmalloc(64, GFP_KERNEL);
	kfree(hidden);
	if (hidden)
		WRITE_ONCE(hidden[8], 1);
}

noinline void write_beyond_slab(void)
{
	char *object = kmalloc(60, GFP_KERNEL);

	hidden = object;
	if (object)
		WRITE_ONCE(hidden[60], 1);
	kfree(object);
}

noinline void write_beyond_stack(void)
{
	char local[32];

	hidden = local;
	WRITE_ONCE(hidden[32], 1);
}

noinline void write_beyond_global(void)
{
	hidden = global;
	WRITE_ONCE(hidden[32], 1);
}

noinline void write_beyond_vmalloc(void)
{
	char *range = vmalloc(PAGE_SIZE - 8);

	hidden = range;
	if (range)
		WRITE_ONCE(hidden[PAGE_SIZE - 8], 1);
	vfree(range);
}

noinline void free_twice(void)
{
	hidden = kmalloc(64, GFP_KERNEL);
	kfree(hidden);
	kfree(hidden);
}

noinline void use_freed_page(void)
{
	hidden = (char *)__get_free_page(GFP_KERNEL);
	free_page((unsigned long)hidden);
	if (hidden)
		WRITE_ONCE(hidden[8], 1);
}

noinline void put_page_twice(void)
{
	struct page *page = alloc_page(GFP_KERNEL);

	if (!page)
		return;
	put_page(page);
	put_page(page);
}

/* More than the object has. The target does not matter: it is not reached. */
noinline void copy_too_much(void)
{
	hidden = kzalloc(64, GFP_KERNEL);
	number = 96;
	if (hidden && copy_to_user((void __user *)current->mm->arg_start,
				   hidden, number))
		number = 0;
	kfree(hidden);
}

noinline void leak(void)
{
	int i;

	/* Many, as an old value on a stack may point to one of them. */
	for (i = 0; i < 16; i++)
		hidden = kmalloc(128, GFP_KERNEL);
	hidden = NULL;
}

noinline void shift_too_far(void)
{
	number = 40;
	number = 1U << number;
}

noinline void index_too_far(void)
{
	static int table[4];

	/* One behind the end would do for an address. */
	number = 5;
	WRITE_ONCE(table[number], 1);
}

noinline void load_no_bool(void)
{
	union {
		u8 byte;
		bool truth;
	} both;

	WRITE_ONCE(both.byte, 3);
	number = READ_ONCE(both.truth) ? 1 : 2;
}
