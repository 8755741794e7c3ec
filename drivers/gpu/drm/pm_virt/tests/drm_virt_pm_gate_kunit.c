// SPDX-License-Identifier: GPL-2.0 OR MIT

/* The entry gate: who waits, who is let in, who is sent away. */

#include <linux/kthread.h>
#include <linux/sched.h>

#include "drm_virt_pm_mock.h"

#define TASKS		3
#define NEVER_MS	10000
#define TIMEOUT_MS	20

static int pass(struct vpm_mock_task *task)
{
	int ret = drm_virt_pm_enter(&task->mock->base);

	if (!ret)
		drm_virt_pm_exit(&task->mock->base);
	return ret;
}

static int pass_uncounted(struct vpm_mock_task *task)
{
	return drm_virt_pm_pass(&task->mock->base);
}

static int close(struct vpm_mock_task *task)
{
	return drm_virt_pm_gate_close(&task->mock->base, NEVER_MS);
}

static void start_waiters(struct vpm_mock *mock, struct vpm_mock_task **tasks,
			  unsigned int count)
{
	unsigned int i;

	for (i = 0; i < count; i++)
		tasks[i] = vpm_mock_task_start(mock, pass, NULL);
	VPM_MOCK_AWAIT(mock->test,
		       vpm_mock_sleepers(&mock->base.gate.entry) == count);
}

static void drm_virt_pm_test_gate_passage(struct kunit *test)
{
	struct vpm_mock *mock = test->priv;
	struct drm_virt_pm *vpm = &mock->base;

	/* The gate is open at first and counts who is inside. */
	KUNIT_ASSERT_EQ(test, drm_virt_pm_enter(vpm), 0);
	KUNIT_ASSERT_EQ(test, drm_virt_pm_enter(vpm), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&vpm->gate.users), 2);
	drm_virt_pm_exit(vpm);
	drm_virt_pm_exit(vpm);
	KUNIT_EXPECT_EQ(test, atomic_read(&vpm->gate.users), 0);
}

static void drm_virt_pm_test_gate_wait(struct kunit *test)
{
	struct vpm_mock *mock = test->priv;
	struct vpm_mock_task *tasks[TASKS];
	unsigned int i;

	/* A closed gate keeps everybody waiting; opening lets everybody in. */
	KUNIT_ASSERT_EQ(test, drm_virt_pm_gate_close(&mock->base, 0), 0);
	start_waiters(mock, tasks, TASKS);
	for (i = 0; i < TASKS; i++)
		KUNIT_EXPECT_TRUE(test, vpm_mock_task_runs(tasks[i]));
	KUNIT_EXPECT_EQ(test, atomic_read(&mock->base.gate.users), 0);

	drm_virt_pm_gate_open(&mock->base);
	for (i = 0; i < TASKS; i++)
		KUNIT_EXPECT_EQ(test, vpm_mock_task_result(tasks[i]), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&mock->base.gate.users), 0);
}

static void drm_virt_pm_test_gate_woken_in_vain(struct kunit *test)
{
	struct vpm_mock *mock = test->priv;
	struct vpm_mock_task *task;

	/* Being woken is not being let in. */
	KUNIT_ASSERT_EQ(test, drm_virt_pm_gate_close(&mock->base, 0), 0);
	start_waiters(mock, &task, 1);
	wake_up_all(&mock->base.gate.entry);
	usleep_range(1000, 2000);
	KUNIT_EXPECT_TRUE(test, vpm_mock_task_runs(task));
	KUNIT_EXPECT_EQ(test, atomic_read(&mock->base.gate.users), 0);

	drm_virt_pm_gate_open(&mock->base);
	KUNIT_EXPECT_EQ(test, vpm_mock_task_result(task), 0);
}

static void drm_virt_pm_test_gate_lost(struct kunit *test)
{
	struct vpm_mock *mock = test->priv;
	struct vpm_mock_task *tasks[TASKS];
	unsigned int i;

	/* The users of a lost device get -ENODEV, those who wait included. */
	KUNIT_ASSERT_EQ(test, drm_virt_pm_gate_close(&mock->base, 0), 0);
	start_waiters(mock, tasks, TASKS);
	drm_virt_pm_device_lost(&mock->base, "tested");

	for (i = 0; i < TASKS; i++)
		KUNIT_EXPECT_EQ(test, vpm_mock_task_result(tasks[i]), -ENODEV);
	KUNIT_EXPECT_EQ(test, drm_virt_pm_enter(&mock->base), -ENODEV);
	drm_virt_pm_gate_open(&mock->base);
	KUNIT_EXPECT_EQ(test, drm_virt_pm_enter(&mock->base), -ENODEV);
	KUNIT_EXPECT_EQ(test, atomic_read(&mock->base.gate.users), 0);
}

static void drm_virt_pm_test_gate_signal(struct kunit *test)
{
	struct vpm_mock *mock = test->priv;
	struct vpm_mock_task *task;

	/* A signal ends the wait, and the system call is restarted. */
	KUNIT_ASSERT_EQ(test, drm_virt_pm_gate_close(&mock->base, 0), 0);
	start_waiters(mock, &task, 1);
	vpm_mock_task_signal(task);

	KUNIT_EXPECT_EQ(test, vpm_mock_task_result(task), -ERESTARTSYS);
	KUNIT_EXPECT_EQ(test, atomic_read(&mock->base.gate.users), 0);
}

static void drm_virt_pm_test_gate_unbind(struct kunit *test)
{
	struct vpm_mock *mock = test->priv;
	struct vpm_mock_task *task;

	/* Unbinding the driver leaves nobody waiting for ever. */
	KUNIT_ASSERT_EQ(test, drm_virt_pm_gate_close(&mock->base, 0), 0);
	start_waiters(mock, &task, 1);
	vpm_mock_fini(mock);

	KUNIT_EXPECT_EQ(test, vpm_mock_task_result(task), 0);
}

static void drm_virt_pm_test_gate_close_waits(struct kunit *test)
{
	struct vpm_mock *mock = test->priv;
	struct drm_virt_pm *vpm = &mock->base;
	struct vpm_mock_task *task;

	/* Closing waits for the last one inside. */
	KUNIT_ASSERT_EQ(test, drm_virt_pm_enter(vpm), 0);
	KUNIT_ASSERT_EQ(test, drm_virt_pm_enter(vpm), 0);
	task = vpm_mock_task_start(mock, close, NULL);
	VPM_MOCK_AWAIT(test, vpm_mock_sleepers(&vpm->gate.idle) == 1);

	drm_virt_pm_exit(vpm);
	usleep_range(1000, 2000);
	KUNIT_EXPECT_TRUE(test, vpm_mock_task_runs(task));
	drm_virt_pm_exit(vpm);
	KUNIT_EXPECT_EQ(test, vpm_mock_task_result(task), 0);
}

static void drm_virt_pm_test_gate_close_times_out(struct kunit *test)
{
	struct vpm_mock *mock = test->priv;
	struct drm_virt_pm *vpm = &mock->base;
	struct vpm_mock_task *task;

	/* Closing is bounded, and the gate is closed even so. */
	KUNIT_ASSERT_EQ(test, drm_virt_pm_enter(vpm), 0);
	KUNIT_EXPECT_EQ(test, drm_virt_pm_gate_close(vpm, TIMEOUT_MS), -ETIMEDOUT);
	KUNIT_EXPECT_TRUE(test, vpm->gate.closed);
	start_waiters(mock, &task, 1);

	/* the one inside may leave late */
	drm_virt_pm_exit(vpm);
	KUNIT_EXPECT_EQ(test, drm_virt_pm_gate_close(vpm, 0), 0);
	drm_virt_pm_gate_open(vpm);
	KUNIT_EXPECT_EQ(test, vpm_mock_task_result(task), 0);
}

/* Goes in and out until it is told to leave; nobody may be inside a closed gate. */
static int visit(struct vpm_mock_task *task)
{
	struct vpm_mock *mock = task->mock;
	bool *shut = task->arg;
	int intruded = 0;

	while (!READ_ONCE(mock->partner) && !kthread_should_stop()) {
		if (drm_virt_pm_enter(&mock->base))
			return -EINTR;
		intruded += READ_ONCE(*shut);
		schedule_timeout_uninterruptible(0);
		intruded += READ_ONCE(*shut);
		drm_virt_pm_exit(&mock->base);
		cond_resched();
	}

	return intruded;
}

static void drm_virt_pm_test_gate_race(struct kunit *test)
{
	struct vpm_mock *mock = test->priv;
	struct vpm_mock_task *tasks[TASKS];
	bool shut = false;
	unsigned int i;

	/* Whoever comes while the gate is being closed is out or waited for. */
	for (i = 0; i < TASKS; i++)
		tasks[i] = vpm_mock_task_start(mock, visit, &shut);

	for (i = 0; i < 100; i++) {
		KUNIT_EXPECT_EQ(test, drm_virt_pm_gate_close(&mock->base,
							     NEVER_MS), 0);
		WRITE_ONCE(shut, true);
		usleep_range(50, 100);
		WRITE_ONCE(shut, false);
		drm_virt_pm_gate_open(&mock->base);
		cond_resched();
	}

	WRITE_ONCE(mock->partner, mock);
	for (i = 0; i < TASKS; i++)
		KUNIT_EXPECT_EQ(test, vpm_mock_task_result(tasks[i]), 0);
}

static void drm_virt_pm_test_gate_pass(struct kunit *test)
{
	struct vpm_mock *mock = test->priv;
	struct drm_virt_pm *vpm = &mock->base;
	struct vpm_mock_task *task, *signalled;

	/* Who only passes is not counted, and closing does not wait for it. */
	KUNIT_ASSERT_EQ(test, drm_virt_pm_pass(vpm), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&vpm->gate.users), 0);
	KUNIT_ASSERT_EQ(test, drm_virt_pm_gate_close(vpm, 0), 0);

	task = vpm_mock_task_start(mock, pass_uncounted, NULL);
	signalled = vpm_mock_task_start(mock, pass_uncounted, NULL);
	VPM_MOCK_AWAIT(test, vpm_mock_sleepers(&vpm->gate.entry) == 2);
	vpm_mock_task_signal(signalled);
	KUNIT_EXPECT_EQ(test, vpm_mock_task_result(signalled), -ERESTARTSYS);
	KUNIT_EXPECT_TRUE(test, vpm_mock_task_runs(task));
	drm_virt_pm_gate_open(vpm);
	KUNIT_EXPECT_EQ(test, vpm_mock_task_result(task), 0);
}

static void drm_virt_pm_test_gate_pass_lost(struct kunit *test)
{
	struct vpm_mock *mock = test->priv;
	struct drm_virt_pm *vpm = &mock->base;
	struct vpm_mock_task *task;

	KUNIT_ASSERT_EQ(test, drm_virt_pm_gate_close(vpm, 0), 0);
	task = vpm_mock_task_start(mock, pass_uncounted, NULL);
	VPM_MOCK_AWAIT(test, vpm_mock_sleepers(&vpm->gate.entry) == 1);
	drm_virt_pm_device_lost(vpm, "tested");

	/* -ENODEV with the gate closed, and open */
	KUNIT_EXPECT_EQ(test, vpm_mock_task_result(task), -ENODEV);
	KUNIT_EXPECT_EQ(test, drm_virt_pm_pass(vpm), -ENODEV);
	drm_virt_pm_gate_open(vpm);
	KUNIT_EXPECT_EQ(test, drm_virt_pm_pass(vpm), -ENODEV);
}

static struct kunit_case drm_virt_pm_gate_cases[] = {
	KUNIT_CASE(drm_virt_pm_test_gate_passage),
	KUNIT_CASE(drm_virt_pm_test_gate_wait),
	KUNIT_CASE(drm_virt_pm_test_gate_woken_in_vain),
	KUNIT_CASE(drm_virt_pm_test_gate_lost),
	KUNIT_CASE(drm_virt_pm_test_gate_signal),
	KUNIT_CASE(drm_virt_pm_test_gate_unbind),
	KUNIT_CASE(drm_virt_pm_test_gate_close_waits),
	KUNIT_CASE(drm_virt_pm_test_gate_close_times_out),
	KUNIT_CASE(drm_virt_pm_test_gate_race),
	KUNIT_CASE(drm_virt_pm_test_gate_pass),
	KUNIT_CASE(drm_virt_pm_test_gate_pass_lost),
	{}
};

static struct kunit_suite drm_virt_pm_gate_suite = {
	.name = "drm_virt_pm_gate",
	.init = vpm_mock_test_init,
	.test_cases = drm_virt_pm_gate_cases,
};

kunit_test_suite(drm_virt_pm_gate_suite);
