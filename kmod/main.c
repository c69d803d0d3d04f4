// SPDX-License-Identifier: GPL-2.0-only
/* The module, its parameters and its device. */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/fs.h>
#include <linux/kernel.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/privheap_version.h>
#include <linux/seq_file.h>

#include "ioctl.h"
#include "netlink.h"
#include "process.h"
#include "region.h"

/* Half of memory, as tmpfs. */
static unsigned long default_limit(void)
{
	return totalram_pages() / 2;
}

/*
 * The parameter as it was given before there was a quota to set it in; under
 * kernel_param_lock().
 */
static unsigned long limit_at_load;

static int set_commit_limit(const char *value, const struct kernel_param *param)
{
	unsigned long long bytes;
	unsigned long pages;
	char *end;

	bytes = memparse(value, &end);
	if (end == value || (*end && *end != '\n'))
		return -EINVAL;
	pages = min_t(u64, bytes >> PAGE_SHIFT, PRIVHEAP_UNLIMITED);
	if (bytes && !pages)
		return -EINVAL;
	if (privheap_system_quota.level)
		privheap_quota_set_limit(&privheap_system_quota, PRIVHEAP_RESOURCE_COMMIT,
					 pages ?: default_limit());
	else
		limit_at_load = pages;
	return 0;
}

static int get_commit_limit(char *buffer, const struct kernel_param *param)
{
	unsigned long pages = privheap_quota_limit(&privheap_system_quota,
						   PRIVHEAP_RESOURCE_COMMIT);

	/* As QUERY tells it. */
	return sysfs_emit(buffer, "%llu\n",
			  min_t(u64, pages, S64_MAX >> PAGE_SHIFT) << PAGE_SHIFT);
}

static const struct kernel_param_ops commit_limit_ops = {
	.set = set_commit_limit,
	.get = get_commit_limit,
};

module_param_cb(commit_limit, &commit_limit_ops, NULL, 0644);
__MODULE_PARM_TYPE(commit_limit, "ullong");
MODULE_PARM_DESC(commit_limit,
		 "bytes that all regions together may commit, K, M, G, T understood (default and 0: half of memory)");

static int privheap_open(struct inode *inode, struct file *file)
{
	struct privheap_process *process;
	int ret;

	ret = privheap_fs_pin();
	if (ret)
		return ret;
	process = privheap_process_get_current();
	if (IS_ERR(process)) {
		privheap_fs_unpin();
		return PTR_ERR(process);
	}
	file->private_data = process;
	return 0;
}

static int privheap_release(struct inode *inode, struct file *file)
{
	privheap_process_put(file->private_data);
	privheap_fs_unpin();
	return 0;
}

static void show_pages(struct seq_file *m, const char *key, unsigned long pages)
{
	seq_printf(m, "privheap-%s:\t%llu KiB\n", key, (u64)pages << (PAGE_SHIFT - 10));
}

/* What the process that opened the device has. */
static void privheap_show_fdinfo(struct seq_file *m, struct file *file)
{
	struct privheap_process *process = file->private_data;
	struct privheap_quota *quota = &process->subject.quota;

	seq_printf(m, "privheap-regions:\t%ld\n", atomic_long_read(&quota->regions));
	show_pages(m, "reserved", atomic_long_read(&quota->reserved));
	show_pages(m, "committed", privheap_quota_usage(quota, PRIVHEAP_RESOURCE_COMMIT));
	show_pages(m, "resident", privheap_quota_usage(quota, PRIVHEAP_RESOURCE_RESIDENT));
	show_pages(m, "peak-committed", privheap_quota_peak(quota, PRIVHEAP_RESOURCE_COMMIT));
	show_pages(m, "peak-resident",
		   privheap_quota_peak(quota, PRIVHEAP_RESOURCE_RESIDENT));
	seq_printf(m, "privheap-faults:\t%ld\n", atomic_long_read(&quota->faults));
	seq_printf(m, "privheap-denials:\t%ld\n", atomic_long_read(&quota->denials));
}

static const struct file_operations privheap_fops = {
	.owner		= THIS_MODULE,
	.open		= privheap_open,
	.release	= privheap_release,
	.unlocked_ioctl	= privheap_ioctl,
	.compat_ioctl	= compat_ptr_ioctl,
	.show_fdinfo	= privheap_show_fdinfo,
};

static struct miscdevice privheap_device = {
	.minor	= MISC_DYNAMIC_MINOR,
	.name	= "privheap",
	.mode	= 0660,
	.fops	= &privheap_fops,
};

static int __init privheap_init(void)
{
	int ret;

	/* The parameter can be written to already. */
	kernel_param_lock(THIS_MODULE);
	privheap_quota_init(&privheap_system_quota, PRIVHEAP_LEVEL_SYSTEM, 0, GLOBAL_ROOT_UID);
	privheap_quota_set_limit(&privheap_system_quota, PRIVHEAP_RESOURCE_COMMIT,
				 limit_at_load ?: default_limit());
	kernel_param_unlock(THIS_MODULE);

	ret = privheap_fs_init();
	if (ret)
		return ret;
	ret = privheap_netlink_init();
	if (ret)
		goto fs_exit;
	ret = misc_register(&privheap_device);
	if (ret)
		goto netlink_exit;
	return 0;

netlink_exit:
	privheap_netlink_exit();
	privheap_subjects_exit();
fs_exit:
	privheap_fs_exit();
	return ret;
}

static void __exit privheap_exit(void)
{
	misc_deregister(&privheap_device);
	/* Behind this, nobody makes subjects any more. */
	privheap_netlink_exit();
	privheap_subjects_exit();
	privheap_fs_exit();
}

module_init(privheap_init);
module_exit(privheap_exit);

MODULE_AUTHOR("the privheap authors");
MODULE_DESCRIPTION("Private heaps: reserved regions with lazy page commitment and quotas");
MODULE_VERSION(PRIVHEAP_VERSION);
MODULE_LICENSE("GPL");
