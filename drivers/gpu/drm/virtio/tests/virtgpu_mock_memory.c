// SPDX-License-Identifier: GPL-2.0 OR MIT

/* Allocations of a task that fail, one at a time. */

#include <linux/fs.h>
#include <linux/kthread.h>
#include <linux/mount.h>
#include <linux/sched.h>

#include <kunit/resource.h>

#include "virtgpu_mock.h"

void vg_mock_fail_nth(unsigned int n)
{
	WRITE_ONCE(current->fail_nth, n);
}

/* Returns whether the allocation has failed that was to fail */
bool vg_mock_failed(void)
{
	bool failed = !READ_ONCE(current->fail_nth);

	WRITE_ONCE(current->fail_nth, 0);
	return failed;
}

/* Returns whether @task had an allocation to come that was to fail */
bool vg_mock_stop_failing(struct task_struct *task)
{
	return xchg(&task->fail_nth, 0);
}

static void vg_mock_unmount(void *mnt)
{
	kern_unmount(mnt);
}

static void vg_mock_set(struct vg_mock_user *user, struct vfsmount *mnt,
			const char *name, const char *value)
{
	struct kunit *test = user->host->test;
	void __user *addr;
	struct file *file;
	loff_t pos = 0;
	ssize_t ret;

	addr = u64_to_user_ptr(vg_mock_put_user(user, value, strlen(value)));
	file = file_open_root_mnt(mnt, name, O_WRONLY, 0);
	KUNIT_ASSERT_NOT_ERR_OR_NULL_MSG(test, file, "%s", name);
	kthread_use_mm(user->mm);
	ret = file->f_op->write(file, addr, strlen(value), &pos);
	kthread_unuse_mm(user->mm);
	__fput_sync(file);
	KUNIT_ASSERT_EQ(test, strlen(value), ret);
}

/* Allocations that may sleep fail as well, and do not print a backtrace. */
void vg_mock_init_failures(struct vg_mock_user *user)
{
	struct kunit *test = user->host->test;
	struct file_system_type *type;
	struct vfsmount *mnt;

	type = get_fs_type("debugfs");
	KUNIT_ASSERT_NOT_NULL(test, type);
	mnt = kern_mount(type);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, mnt);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, vg_mock_unmount,
							   mnt));
	vg_mock_set(user, mnt, "failslab/ignore-gfp-wait", "N");
	vg_mock_set(user, mnt, "failslab/verbose", "0");
}
