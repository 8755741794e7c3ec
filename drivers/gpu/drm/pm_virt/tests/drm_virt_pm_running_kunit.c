// SPDX-License-Identifier: GPL-2.0 OR MIT

/* drm_virt_pm_wait_running(): who waits, who is let in, who is turned away. */

#include <linux/sched.h>

#include "drm_virt_pm_mock.h"

#define TASKS	3

static int enter(struct vpm_mock_task *task)
{
	return drm_virt_pm_wait_running(&task->mock->base);
}

static void start_waiters(struct vpm_mock *mock, struct vpm_mock_task **tasks,
			  unsigned int count)
{
	unsigned int i;

	for (i = 0; i < count; i++)
		tasks[i] = vpm_mock_task_start(mock, enter, NULL);
	VPM_MOCK_AWAIT(mock->test, vpm_mock_sleepers(&mock->base.wait) == count);
	for (i = 0; i < count; i++)
		KUNIT_EXPECT_TRUE(mock->test, vpm_mock_task_runs(tasks[i]));
}

static void expect_results(struct kunit *test, struct vpm_mock_task **tasks,
			   unsigned int count, int ret)
{
	unsigned int i;

	for (i = 0; i < count; i++)
		KUNIT_EXPECT_EQ(test, vpm_mock_task_result(tasks[i]), ret);
}

static void drm_virt_pm_test_running_passage(struct kunit *test)
{
	struct vpm_mock *mock = test->priv;

	/* A device that runs keeps nobody. */
	KUNIT_EXPECT_EQ(test, drm_virt_pm_wait_running(&mock->base), 0);
	KUNIT_ASSERT_EQ(test, vpm_mock_suspend(mock), 0);
	KUNIT_ASSERT_EQ(test, vpm_mock_resume(mock), 0);
	KUNIT_EXPECT_EQ(test, drm_virt_pm_wait_running(&mock->base), 0);
}

static void start_waiter_in_suspend(struct vpm_mock *mock)
{
	start_waiters(mock, mock->partner, 1);
}

static void drm_virt_pm_test_running_suspend(struct kunit *test)
{
	struct vpm_mock *mock = test->priv;
	struct vpm_mock_task *task;

	/* A task waits from the beginning of a suspend, until the resume. */
	mock->partner = &task;
	mock->in_suspend = start_waiter_in_suspend;
	KUNIT_ASSERT_EQ(test, vpm_mock_suspend(mock), 0);
	KUNIT_EXPECT_TRUE(test, vpm_mock_task_runs(task));
	KUNIT_ASSERT_EQ(test, vpm_mock_resume(mock), 0);
	expect_results(test, &task, 1, 0);
}

static void drm_virt_pm_test_running_refused(struct kunit *test)
{
	struct vpm_mock *mock = test->priv;
	struct vpm_mock_task *task;

	/* The same if the suspend is refused. */
	mock->partner = &task;
	mock->in_suspend = start_waiter_in_suspend;
	mock->refuse_ret = -EBUSY;
	KUNIT_ASSERT_EQ(test, vpm_mock_suspend(mock), -EBUSY);
	expect_results(test, &task, 1, 0);
}

static void drm_virt_pm_test_running_resume(struct kunit *test)
{
	struct vpm_mock_task *tasks[TASKS];
	struct vpm_mock *mock = test->priv;

	/* The resume lets all tasks in that wait. */
	KUNIT_ASSERT_EQ(test, vpm_mock_suspend(mock), 0);
	start_waiters(mock, tasks, TASKS);
	KUNIT_ASSERT_EQ(test, vpm_mock_resume(mock), 0);
	expect_results(test, tasks, TASKS, 0);
}

static void drm_virt_pm_test_running_second_try(struct kunit *test)
{
	struct vpm_mock_task *tasks[TASKS];
	struct vpm_mock *mock = test->priv;

	/* Between a failed resume and the second try they go on waiting. */
	KUNIT_ASSERT_EQ(test, vpm_mock_suspend(mock), 0);
	start_waiters(mock, tasks, TASKS);
	mock->resume_failures = 1;
	KUNIT_ASSERT_EQ(test, vpm_mock_resume(mock), -EIO);
	VPM_MOCK_AWAIT(test, vpm_mock_sleepers(&mock->base.wait) == TASKS &&
		       vpm_mock_task_sleeps(tasks[0], TASK_INTERRUPTIBLE));
	KUNIT_EXPECT_TRUE(test, vpm_mock_task_runs(tasks[0]));
	vpm_mock_thaw(mock);
	expect_results(test, tasks, TASKS, 0);
}

static void drm_virt_pm_test_running_second_failure(struct kunit *test)
{
	struct vpm_mock_task *tasks[TASKS];
	struct vpm_mock *mock = test->priv;

	/* If that fails as well, they are turned away. */
	KUNIT_ASSERT_EQ(test, vpm_mock_suspend(mock), 0);
	start_waiters(mock, tasks, TASKS);
	mock->resume_failures = 2;
	KUNIT_ASSERT_EQ(test, vpm_mock_resume(mock), -EIO);
	vpm_mock_thaw(mock);
	expect_results(test, tasks, TASKS, -ENODEV);
}

static void drm_virt_pm_test_running_woken_in_vain(struct kunit *test)
{
	struct vpm_mock *mock = test->priv;
	struct vpm_mock_task *task;

	/* To be woken is not to be let in. */
	KUNIT_ASSERT_EQ(test, vpm_mock_suspend(mock), 0);
	start_waiters(mock, &task, 1);
	wake_up_all(&mock->base.wait);
	VPM_MOCK_AWAIT(test, vpm_mock_task_sleeps(task, TASK_INTERRUPTIBLE));
	KUNIT_EXPECT_TRUE(test, vpm_mock_task_runs(task));
	KUNIT_ASSERT_EQ(test, vpm_mock_resume(mock), 0);
	KUNIT_EXPECT_EQ(test, vpm_mock_task_result(task), 0);
}

static void drm_virt_pm_test_running_lost(struct kunit *test)
{
	struct vpm_mock_task *tasks[TASKS];
	struct vpm_mock *mock = test->priv;

	/* A lost device turns away those that wait and those that come. */
	KUNIT_ASSERT_EQ(test, vpm_mock_suspend(mock), 0);
	start_waiters(mock, tasks, TASKS);
	drm_virt_pm_lose(&mock->base, "tested");
	expect_results(test, tasks, TASKS, -ENODEV);
	KUNIT_EXPECT_EQ(test, drm_virt_pm_wait_running(&mock->base), -ENODEV);
}

static void drm_virt_pm_test_running_lost_while_running(struct kunit *test)
{
	struct vpm_mock *mock = test->priv;

	drm_virt_pm_lose(&mock->base, "tested");
	KUNIT_EXPECT_EQ(test, drm_virt_pm_wait_running(&mock->base), -ENODEV);
}

static void drm_virt_pm_test_running_unbind(struct kunit *test)
{
	struct vpm_mock_task *tasks[TASKS];
	struct vpm_mock *mock = test->priv;

	/* So does a driver that is unbound. */
	KUNIT_ASSERT_EQ(test, vpm_mock_suspend(mock), 0);
	start_waiters(mock, tasks, TASKS);
	vpm_mock_unbind(mock);
	expect_results(test, tasks, TASKS, -ENODEV);
	KUNIT_EXPECT_EQ(test, drm_virt_pm_wait_running(&mock->base), -ENODEV);
}

static void drm_virt_pm_test_running_unbind_while_running(struct kunit *test)
{
	struct vpm_mock *mock = test->priv;

	vpm_mock_unbind(mock);
	KUNIT_EXPECT_EQ(test, drm_virt_pm_wait_running(&mock->base), -ENODEV);
}

static void drm_virt_pm_test_running_signal(struct kunit *test)
{
	struct vpm_mock_task *tasks[2];
	struct vpm_mock *mock = test->priv;

	/* A signal ends the wait of its task; the system call is restarted. */
	KUNIT_ASSERT_EQ(test, vpm_mock_suspend(mock), 0);
	start_waiters(mock, tasks, 2);
	vpm_mock_task_signal(tasks[0]);
	KUNIT_EXPECT_EQ(test, vpm_mock_task_result(tasks[0]), -ERESTARTSYS);
	KUNIT_EXPECT_TRUE(test, vpm_mock_task_runs(tasks[1]));
	KUNIT_ASSERT_EQ(test, vpm_mock_resume(mock), 0);
	KUNIT_EXPECT_EQ(test, vpm_mock_task_result(tasks[1]), 0);
}

static void drm_virt_pm_test_running_freeze(struct kunit *test)
{
	struct vpm_mock *mock = test->priv;
	struct vpm_mock_task *task;

	/* A task that waits can be frozen for the next suspend. */
	KUNIT_ASSERT_EQ(test, vpm_mock_suspend(mock), 0);
	start_waiters(mock, &task, 1);
	VPM_MOCK_AWAIT(test, vpm_mock_task_sleeps(task, TASK_INTERRUPTIBLE));
	KUNIT_EXPECT_TRUE(test, vpm_mock_task_sleeps(task, TASK_FREEZABLE));
	KUNIT_ASSERT_EQ(test, vpm_mock_resume(mock), 0);
	KUNIT_EXPECT_EQ(test, vpm_mock_task_result(task), 0);
}

static struct kunit_case drm_virt_pm_running_cases[] = {
	KUNIT_CASE(drm_virt_pm_test_running_passage),
	KUNIT_CASE(drm_virt_pm_test_running_suspend),
	KUNIT_CASE(drm_virt_pm_test_running_refused),
	KUNIT_CASE(drm_virt_pm_test_running_resume),
	KUNIT_CASE(drm_virt_pm_test_running_second_try),
	KUNIT_CASE(drm_virt_pm_test_running_second_failure),
	KUNIT_CASE(drm_virt_pm_test_running_woken_in_vain),
	KUNIT_CASE(drm_virt_pm_test_running_lost),
	KUNIT_CASE(drm_virt_pm_test_running_lost_while_running),
	KUNIT_CASE(drm_virt_pm_test_running_unbind),
	KUNIT_CASE(drm_virt_pm_test_running_unbind_while_running),
	KUNIT_CASE(drm_virt_pm_test_running_signal),
	KUNIT_CASE(drm_virt_pm_test_running_freeze),
	{}
};

static struct kunit_suite drm_virt_pm_running_suite = {
	.name = "drm_virt_pm_running",
	.init = vpm_mock_test_init,
	.test_cases = drm_virt_pm_running_cases,
};

kunit_test_suite(drm_virt_pm_running_suite);
