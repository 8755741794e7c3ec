// SPDX-License-Identifier: GPL-2.0 OR MIT

/* The device: states, errors, the second try, loss, and unbinding. */

#include <linux/device.h>
#include <linux/limits.h>
#include <linux/sched.h>
#include <linux/suspend.h>

#include <drm/drm_drv.h>
#include <drm/drm_kunit_helpers.h>
#include <kunit/device.h>

#include "drm_virt_pm_mock.h"

static enum drm_virt_pm_state state_of(struct vpm_mock *mock)
{
	return READ_ONCE(mock->base.state);
}

static void drm_virt_pm_test_device_states(struct kunit *test)
{
	struct vpm_mock *mock = test->priv;

	/* A running device is not resumed, a suspended one not suspended again. */
	KUNIT_EXPECT_EQ(test, state_of(mock), DRM_VIRT_PM_RUNNING);
	KUNIT_EXPECT_EQ(test, vpm_mock_resume(mock), 0);
	VPM_MOCK_EXPECT_LOG(mock, "");

	KUNIT_EXPECT_EQ(test, vpm_mock_suspend(mock), 0);
	KUNIT_EXPECT_EQ(test, state_of(mock), DRM_VIRT_PM_DOWN);
	VPM_MOCK_EXPECT_LOG(mock, "suspend");
	KUNIT_EXPECT_EQ(test, vpm_mock_suspend(mock), 0);
	KUNIT_EXPECT_EQ(test, state_of(mock), DRM_VIRT_PM_DOWN);
	VPM_MOCK_EXPECT_LOG(mock, "");

	KUNIT_EXPECT_EQ(test, vpm_mock_resume(mock), 0);
	KUNIT_EXPECT_EQ(test, state_of(mock), DRM_VIRT_PM_RUNNING);
	VPM_MOCK_EXPECT_LOG(mock, "resume");
	KUNIT_EXPECT_EQ(test, vpm_mock_resume(mock), 0);
	VPM_MOCK_EXPECT_LOG(mock, "");
}

static void enter_again(struct vpm_mock *mock)
{
	mock->seen[0] = drm_virt_pm_suspend(&mock->base);
	mock->seen[1] = drm_virt_pm_resume(&mock->base);
}

static void drm_virt_pm_test_device_busy(struct kunit *test)
{
	struct vpm_mock *mock = test->priv;

	/* There is one suspend or resume at a time. */
	mock->in_suspend = enter_again;
	mock->in_resume = enter_again;
	KUNIT_EXPECT_EQ(test, vpm_mock_suspend(mock), 0);
	KUNIT_EXPECT_EQ(test, mock->seen[0], -EBUSY);
	KUNIT_EXPECT_EQ(test, mock->seen[1], -EBUSY);

	mock->seen[0] = 0;
	mock->seen[1] = 0;
	KUNIT_EXPECT_EQ(test, vpm_mock_resume(mock), 0);
	KUNIT_EXPECT_EQ(test, mock->seen[0], -EBUSY);
	KUNIT_EXPECT_EQ(test, mock->seen[1], -EBUSY);
	VPM_MOCK_EXPECT_LOG(mock, "suspend resume");
}

static void drm_virt_pm_test_device_epoch(struct kunit *test)
{
	struct vpm_mock *mock = test->priv;
	struct drm_virt_pm *vpm = &mock->base;

	/* Each reset is counted when it happens; 0 means never. */
	KUNIT_EXPECT_EQ(test, vpm->epoch, 1);
	drm_virt_pm_reset(vpm);
	KUNIT_EXPECT_EQ(test, vpm->epoch, 2);
	KUNIT_EXPECT_EQ(test, vpm_mock_suspend(mock), 0);
	KUNIT_EXPECT_EQ(test, vpm->epoch, 3);
	KUNIT_EXPECT_EQ(test, vpm_mock_resume(mock), 0);
	KUNIT_EXPECT_EQ(test, vpm->epoch, 3);

	vpm->epoch = U32_MAX;
	drm_virt_pm_reset(vpm);
	KUNIT_EXPECT_EQ(test, vpm->epoch, 1);
}

static void drm_virt_pm_test_device_refused(struct kunit *test)
{
	struct vpm_mock *mock = test->priv;
	int before = vpm_mock_pm_references(mock);

	/* An error before the reset refuses the suspend; nothing has changed. */
	mock->refuse_ret = -EBUSY;
	KUNIT_EXPECT_EQ(test, vpm_mock_suspend(mock), -EBUSY);
	VPM_MOCK_EXPECT_LOG(mock, "suspend!");
	KUNIT_EXPECT_EQ(test, state_of(mock), DRM_VIRT_PM_RUNNING);
	KUNIT_EXPECT_EQ(test, mock->base.epoch, 1);
	KUNIT_EXPECT_EQ(test, mock->base.deadline, 0);
	KUNIT_EXPECT_FALSE(test, mock->base.busy);
	KUNIT_EXPECT_FALSE(test, vpm_mock_work_busy(mock));
	KUNIT_EXPECT_EQ(test, vpm_mock_pm_references(mock), before);
	KUNIT_EXPECT_EQ(test, drm_virt_pm_wait_running(&mock->base), 0);

	/* the next one is a new question */
	mock->refuse_ret = 0;
	KUNIT_EXPECT_EQ(test, vpm_mock_suspend(mock), 0);
	KUNIT_EXPECT_EQ(test, vpm_mock_resume(mock), 0);
	VPM_MOCK_EXPECT_LOG(mock, "suspend resume");
}

static void drm_virt_pm_test_device_refused_later(struct kunit *test)
{
	struct vpm_mock *mock = test->priv;

	/* A reset in an earlier suspend does not excuse the error of this one. */
	KUNIT_ASSERT_EQ(test, vpm_mock_suspend(mock), 0);
	KUNIT_ASSERT_EQ(test, vpm_mock_resume(mock), 0);
	drm_virt_pm_reset(&mock->base);
	mock->refuse_ret = -ETIMEDOUT;
	KUNIT_EXPECT_EQ(test, vpm_mock_suspend(mock), -ETIMEDOUT);
	KUNIT_EXPECT_EQ(test, state_of(mock), DRM_VIRT_PM_RUNNING);
}

static void drm_virt_pm_test_device_error_after_reset(struct kunit *test)
{
	struct vpm_mock *mock = test->priv;

	/* There is nothing to go back to after the reset. */
	mock->suspend_ret = -EIO;
	KUNIT_EXPECT_EQ(test, vpm_mock_suspend(mock), 0);
	KUNIT_EXPECT_EQ(test, state_of(mock), DRM_VIRT_PM_DOWN);
	KUNIT_EXPECT_EQ(test, mock->base.epoch, 2);
	KUNIT_EXPECT_EQ(test, vpm_mock_resume(mock), 0);
	VPM_MOCK_EXPECT_LOG(mock, "suspend resume");
}

static void drm_virt_pm_test_device_no_reset(struct kunit *test)
{
	struct vpm_mock *mock = test->priv;

	/* A driver that does not say so is warned. The reset is counted. */
	vpm_mock_expect_misuse(mock);
	mock->no_reset = true;
	KUNIT_EXPECT_EQ(test, vpm_mock_suspend(mock), 0);
	VPM_MOCK_EXPECT_LOG(mock, "suspend misused:drm_virt_pm_reset");
	KUNIT_EXPECT_EQ(test, state_of(mock), DRM_VIRT_PM_DOWN);
	KUNIT_EXPECT_EQ(test, mock->base.epoch, 2);
}

static void drm_virt_pm_test_device_second_try(struct kunit *test)
{
	struct vpm_mock *mock = test->priv;
	int before = vpm_mock_pm_references(mock);

	/* A device whose resume fails is quiesced, and resumed when tasks run. */
	KUNIT_ASSERT_EQ(test, vpm_mock_suspend(mock), 0);
	vpm_mock_log_clear(mock);
	mock->resume_failures = 1;
	KUNIT_EXPECT_EQ(test, vpm_mock_resume(mock), -EIO);
	VPM_MOCK_EXPECT_LOG(mock, "resume! quiesce");
	KUNIT_EXPECT_EQ(test, state_of(mock), DRM_VIRT_PM_DOWN);
	KUNIT_EXPECT_EQ(test, mock->base.failures, 1);
	KUNIT_EXPECT_TRUE(test, vpm_mock_work_busy(mock));
	KUNIT_EXPECT_EQ(test, vpm_mock_pm_references(mock), before + 1);

	vpm_mock_thaw(mock);
	vpm_mock_run_work(mock);
	VPM_MOCK_EXPECT_LOG(mock, "resume");
	KUNIT_EXPECT_EQ(test, state_of(mock), DRM_VIRT_PM_RUNNING);
	KUNIT_EXPECT_FALSE(test, vpm_mock_work_busy(mock));
	KUNIT_EXPECT_EQ(test, vpm_mock_pm_references(mock), before);
}

static void drm_virt_pm_test_device_second_failure(struct kunit *test)
{
	struct vpm_mock *mock = test->priv;
	int before = vpm_mock_pm_references(mock);

	/* The second failure loses the device, and the work unplugs it once. */
	KUNIT_ASSERT_EQ(test, vpm_mock_suspend(mock), 0);
	vpm_mock_log_clear(mock);
	mock->resume_failures = 2;
	KUNIT_EXPECT_EQ(test, vpm_mock_resume(mock), -EIO);
	vpm_mock_log_clear(mock);
	vpm_mock_thaw(mock);
	vpm_mock_run_work(mock);
	VPM_MOCK_EXPECT_LOG(mock, "resume! quiesce work:unplug");
	KUNIT_EXPECT_EQ(test, state_of(mock), DRM_VIRT_PM_LOST);
	KUNIT_EXPECT_STREQ(test, mock->base.reason, "resume failed (-5)");
	KUNIT_EXPECT_TRUE(test, drm_dev_is_unplugged(&mock->drm));

	KUNIT_EXPECT_EQ(test, vpm_mock_resume(mock), 0);
	KUNIT_EXPECT_EQ(test, vpm_mock_suspend(mock), 0);
	vpm_mock_run_work(mock);
	VPM_MOCK_EXPECT_LOG(mock, "");

	KUNIT_EXPECT_EQ(test, vpm_mock_pm_references(mock), before + 1);
	vpm_mock_unbind(mock);
	KUNIT_EXPECT_EQ(test, vpm_mock_pm_references(mock), before);
}

static void drm_virt_pm_test_device_second_failure_of_pm_core(struct kunit *test)
{
	struct vpm_mock *mock = test->priv;

	/*
	 * In a hibernation that is rolled back, thaw and restore are the two
	 * attempts. The device is unplugged by the work, not by the PM callback.
	 */
	KUNIT_ASSERT_EQ(test, vpm_mock_suspend(mock), 0);
	vpm_mock_log_clear(mock);
	mock->resume_failures = 2;
	KUNIT_EXPECT_EQ(test, vpm_mock_resume(mock), -EIO);
	KUNIT_EXPECT_EQ(test, vpm_mock_suspend(mock), 0);
	KUNIT_EXPECT_EQ(test, vpm_mock_resume(mock), -EIO);
	KUNIT_EXPECT_EQ(test, state_of(mock), DRM_VIRT_PM_LOST);
	vpm_mock_run_work(mock);
	VPM_MOCK_EXPECT_LOG(mock, "resume! quiesce resume! quiesce work:unplug");
}

static void drm_virt_pm_test_device_failures_anew(struct kunit *test)
{
	struct vpm_mock *mock = test->priv;
	unsigned int i;

	/* Failures are counted from each suspend. */
	for (i = 0; i < 3; i++) {
		KUNIT_ASSERT_EQ(test, vpm_mock_suspend(mock), 0);
		mock->resume_failures = 1;
		KUNIT_EXPECT_EQ(test, vpm_mock_resume(mock), -EIO);
		vpm_mock_thaw(mock);
		KUNIT_EXPECT_EQ(test, state_of(mock), DRM_VIRT_PM_RUNNING);
	}
}

static void lose(struct vpm_mock *mock)
{
	drm_virt_pm_lose(&mock->base, "tested");
}

static void drm_virt_pm_test_device_lost(struct kunit *test)
{
	struct vpm_mock *mock = test->priv;
	struct drm_virt_pm *vpm = &mock->base;
	int before = vpm_mock_pm_references(mock);

	/*
	 * A running device is quiesced at once and unplugged by the work. The
	 * first reason stands. PM callbacks return 0 and do nothing.
	 */
	drm_virt_pm_lose(vpm, "first");
	KUNIT_EXPECT_EQ(test, state_of(mock), DRM_VIRT_PM_LOST);
	drm_virt_pm_lose(vpm, "second");
	KUNIT_EXPECT_STREQ(test, vpm->reason, "first");

	KUNIT_EXPECT_EQ(test, vpm_mock_suspend(mock), 0);
	KUNIT_EXPECT_EQ(test, vpm_mock_resume(mock), 0);
	vpm_mock_run_work(mock);
	KUNIT_EXPECT_EQ(test, vpm_mock_suspend(mock), 0);
	KUNIT_EXPECT_EQ(test, vpm_mock_resume(mock), 0);
	vpm_mock_run_work(mock);
	VPM_MOCK_EXPECT_LOG(mock, "quiesce work:unplug");
	KUNIT_EXPECT_TRUE(test, drm_dev_is_unplugged(&mock->drm));
	KUNIT_EXPECT_EQ(test, vpm_mock_pm_references(mock), before + 1);
}

static void drm_virt_pm_test_device_lost_reason(struct kunit *test)
{
	struct vpm_mock *mock = vpm_mock_create_with(test, "plain",
						     &vpm_mock_bus_ops);

	/* A long reason is cut. A driver of one DRM device has no unplug(). */
	drm_virt_pm_lose(&mock->base,
			 "because of something that takes a lot more words than there is room for");
	vpm_mock_run_work(mock);
	KUNIT_EXPECT_EQ(test, strlen(mock->base.reason),
			sizeof(mock->base.reason) - 1);
	KUNIT_EXPECT_TRUE(test, drm_dev_is_unplugged(&mock->drm));
}

/* The work that this queues leaves the device to the callback that runs */
static void lose_and_run_work(struct vpm_mock *mock)
{
	lose(mock);
	vpm_mock_run_work(mock);
	mock->seen[0] += drm_dev_is_unplugged(&mock->drm);
}

static void drm_virt_pm_test_device_lost_in_suspend(struct kunit *test)
{
	struct vpm_mock *mock = test->priv;
	int before = vpm_mock_pm_references(mock);

	/* The suspend finds out that the device is lost: nothing is refused. */
	mock->in_suspend = lose_and_run_work;
	mock->refuse_ret = -EIO;
	KUNIT_EXPECT_EQ(test, vpm_mock_suspend(mock), 0);
	KUNIT_EXPECT_EQ(test, state_of(mock), DRM_VIRT_PM_LOST);
	KUNIT_EXPECT_EQ(test, mock->base.epoch, 1);
	KUNIT_EXPECT_EQ(test, mock->seen[0], 0);
	KUNIT_EXPECT_EQ(test, vpm_mock_resume(mock), 0);
	vpm_mock_run_work(mock);
	VPM_MOCK_EXPECT_LOG(mock, "suspend! quiesce work:unplug");
	vpm_mock_unbind(mock);
	KUNIT_EXPECT_EQ(test, vpm_mock_pm_references(mock), before);
}

static void drm_virt_pm_test_device_lost_in_suspend_quietly(struct kunit *test)
{
	struct vpm_mock *mock = test->priv;
	int before = vpm_mock_pm_references(mock);

	/* A lost device need not be reset in the suspend that lost it. */
	vpm_mock_expect_misuse(mock);
	mock->in_suspend = lose_and_run_work;
	mock->no_reset = true;
	KUNIT_EXPECT_EQ(test, vpm_mock_suspend(mock), 0);
	vpm_mock_run_work(mock);
	VPM_MOCK_EXPECT_LOG(mock, "suspend quiesce work:unplug");
	KUNIT_EXPECT_EQ(test, state_of(mock), DRM_VIRT_PM_LOST);
	KUNIT_EXPECT_EQ(test, mock->base.epoch, 1);
	vpm_mock_unbind(mock);
	KUNIT_EXPECT_EQ(test, vpm_mock_pm_references(mock), before);
}

/* The resume goes on, and starts what was stopped */
static void lose_and_start(struct vpm_mock *mock)
{
	lose_and_run_work(mock);
	vpm_mock_log(mock, "start");
}

static void drm_virt_pm_test_device_lost_in_resume(struct kunit *test)
{
	struct vpm_mock *mock = test->priv;
	int before = vpm_mock_pm_references(mock);

	/*
	 * The resume does not end in a running device, whatever it returns. What
	 * it has started since is stopped again.
	 */
	KUNIT_ASSERT_EQ(test, vpm_mock_suspend(mock), 0);
	vpm_mock_log_clear(mock);
	mock->in_resume = lose_and_start;
	KUNIT_EXPECT_EQ(test, vpm_mock_resume(mock), 0);
	KUNIT_EXPECT_EQ(test, state_of(mock), DRM_VIRT_PM_LOST);
	KUNIT_EXPECT_EQ(test, mock->seen[0], 0);
	vpm_mock_run_work(mock);
	VPM_MOCK_EXPECT_LOG(mock, "resume quiesce start quiesce work:unplug");
	KUNIT_EXPECT_TRUE(test, drm_dev_is_unplugged(&mock->drm));
	vpm_mock_unbind(mock);
	KUNIT_EXPECT_EQ(test, vpm_mock_pm_references(mock), before);
}

static void drm_virt_pm_test_device_lost_in_failed_resume(struct kunit *test)
{
	struct vpm_mock *mock = test->priv;

	/* There is no second try for a device that is lost. */
	KUNIT_ASSERT_EQ(test, vpm_mock_suspend(mock), 0);
	mock->in_resume = lose_and_start;
	mock->resume_failures = 1;
	KUNIT_EXPECT_EQ(test, vpm_mock_resume(mock), -EIO);
	KUNIT_EXPECT_STREQ(test, mock->base.reason, "tested");
	vpm_mock_thaw(mock);
	vpm_mock_run_work(mock);
	VPM_MOCK_EXPECT_LOG(mock, "suspend resume! quiesce start quiesce work:unplug");
}

static void drm_virt_pm_test_device_lost_down(struct kunit *test)
{
	struct vpm_mock *mock = test->priv;
	int before = vpm_mock_pm_references(mock);

	/* A suspended device can be lost as well. */
	KUNIT_ASSERT_EQ(test, vpm_mock_suspend(mock), 0);
	drm_virt_pm_lose(&mock->base, "tested");
	KUNIT_EXPECT_EQ(test, vpm_mock_resume(mock), 0);
	vpm_mock_run_work(mock);
	VPM_MOCK_EXPECT_LOG(mock, "suspend quiesce work:unplug");
	vpm_mock_unbind(mock);
	KUNIT_EXPECT_EQ(test, vpm_mock_pm_references(mock), before);
}

static void drm_virt_pm_test_device_never_resumed(struct kunit *test)
{
	struct vpm_mock *mock = test->priv;
	int before = vpm_mock_pm_references(mock);

	/* The thaw was skipped: the work resumes the device. */
	KUNIT_ASSERT_EQ(test, vpm_mock_suspend(mock), 0);
	vpm_mock_thaw(mock);
	vpm_mock_run_work(mock);
	VPM_MOCK_EXPECT_LOG(mock, "suspend resume");
	KUNIT_EXPECT_EQ(test, state_of(mock), DRM_VIRT_PM_RUNNING);
	KUNIT_EXPECT_FALSE(test, vpm_mock_work_busy(mock));
	KUNIT_EXPECT_EQ(test, vpm_mock_pm_references(mock), before);
}

static void drm_virt_pm_test_device_resume_is_due(struct kunit *test)
{
	struct vpm_mock *mock = test->priv;

	/* A work that runs too early, as in kexec jump, waits for the PM core. */
	KUNIT_ASSERT_EQ(test, vpm_mock_suspend(mock), 0);
	vpm_mock_run_work(mock);
	vpm_mock_run_work(mock);
	KUNIT_EXPECT_EQ(test, state_of(mock), DRM_VIRT_PM_DOWN);
	KUNIT_EXPECT_TRUE(test, vpm_mock_work_busy(mock));

	KUNIT_EXPECT_EQ(test, vpm_mock_resume(mock), 0);
	vpm_mock_run_work(mock);
	VPM_MOCK_EXPECT_LOG(mock, "suspend resume");
	KUNIT_EXPECT_EQ(test, state_of(mock), DRM_VIRT_PM_RUNNING);
}

static void drm_virt_pm_test_device_locked(struct kunit *test)
{
	struct vpm_mock *mock = test->priv;

	/* The work waits for a PM callback, which holds the device lock. */
	device_lock(mock->drm.dev);
	KUNIT_ASSERT_EQ(test, drm_virt_pm_suspend(&mock->base), 0);
	vpm_mock_run_work(mock);
	VPM_MOCK_EXPECT_LOG(mock, "suspend");
	KUNIT_EXPECT_TRUE(test, vpm_mock_work_busy(mock));
	device_unlock(mock->drm.dev);

	vpm_mock_run_work(mock);
	VPM_MOCK_EXPECT_LOG(mock, "resume");
}

static void note_work(struct vpm_mock *mock)
{
	mock->seen[0] += vpm_mock_work_busy(mock);
	mock->seen[1]++;
}

static void drm_virt_pm_test_device_cancels(struct kunit *test)
{
	struct vpm_mock *mock = test->priv;

	/* No work is queued while a callback of the driver runs. */
	mock->in_suspend = note_work;
	mock->in_resume = note_work;
	schedule_delayed_work(&mock->base.work, HZ);
	KUNIT_ASSERT_EQ(test, vpm_mock_suspend(mock), 0);
	KUNIT_EXPECT_TRUE(test, vpm_mock_work_busy(mock));
	mock->resume_failures = 1;
	KUNIT_ASSERT_EQ(test, vpm_mock_resume(mock), -EIO);
	KUNIT_EXPECT_TRUE(test, vpm_mock_work_busy(mock));
	KUNIT_ASSERT_EQ(test, vpm_mock_resume(mock), 0);
	KUNIT_EXPECT_FALSE(test, vpm_mock_work_busy(mock));

	KUNIT_EXPECT_EQ(test, mock->seen[0], 0);
	KUNIT_EXPECT_EQ(test, mock->seen[1], 3);
}

static int suspend(struct vpm_mock_task *task)
{
	return drm_virt_pm_suspend(&task->mock->base);
}

static int resume(struct vpm_mock_task *task)
{
	return drm_virt_pm_resume(&task->mock->base);
}

static void drm_virt_pm_test_device_bus(struct kunit *test)
{
	struct vpm_mock *mock = vpm_mock_create_with(test, "on-a-bus",
						     &vpm_mock_bus_ops);

	/* The bus resumes a device that the PM core did not resume. */
	KUNIT_ASSERT_EQ(test, vpm_mock_suspend(mock), 0);
	vpm_mock_thaw(mock);
	VPM_MOCK_EXPECT_LOG(mock, "suspend recover resume");
	KUNIT_EXPECT_EQ(test, state_of(mock), DRM_VIRT_PM_RUNNING);
	KUNIT_EXPECT_EQ(test, mock->base.failures, 0);

	/* one failure counts once */
	KUNIT_ASSERT_EQ(test, vpm_mock_suspend(mock), 0);
	mock->resume_failures = 1;
	vpm_mock_thaw(mock);
	VPM_MOCK_EXPECT_LOG(mock, "suspend recover resume! quiesce");
	KUNIT_EXPECT_EQ(test, mock->base.failures, 1);
	KUNIT_EXPECT_EQ(test, state_of(mock), DRM_VIRT_PM_DOWN);
	vpm_mock_thaw(mock);
	VPM_MOCK_EXPECT_LOG(mock, "recover resume");
	KUNIT_EXPECT_EQ(test, state_of(mock), DRM_VIRT_PM_RUNNING);
}

static const int bus_errors[] = { 0, -ENODEV };

static void bus_error_to_desc(const int *err, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%d", *err);
}

KUNIT_ARRAY_PARAM(bus_error, bus_errors, bus_error_to_desc);

static void drm_virt_pm_test_device_bus_fails(struct kunit *test)
{
	struct vpm_mock *mock = vpm_mock_create_with(test, "on-a-bus",
						     &vpm_mock_bus_ops);
	const int *err = test->param_value;
	char reason[64];

	/* It may fail before it calls the driver, whatever it returns. */
	mock->bus_fails = true;
	mock->recover_ret = *err;
	KUNIT_ASSERT_EQ(test, vpm_mock_suspend(mock), 0);
	vpm_mock_thaw(mock);
	VPM_MOCK_EXPECT_LOG(mock, "suspend recover quiesce");
	KUNIT_EXPECT_EQ(test, mock->base.failures, 1);
	KUNIT_EXPECT_EQ(test, state_of(mock), DRM_VIRT_PM_DOWN);

	vpm_mock_thaw(mock);
	VPM_MOCK_EXPECT_LOG(mock, "recover quiesce");
	KUNIT_EXPECT_EQ(test, state_of(mock), DRM_VIRT_PM_LOST);
	snprintf(reason, sizeof(reason), "resume failed (%d)", *err ?: -EIO);
	KUNIT_EXPECT_STREQ(test, mock->base.reason, reason);
	KUNIT_EXPECT_TRUE(test, drm_dev_is_unplugged(&mock->drm));
}

static void drm_virt_pm_test_device_bus_recovers(struct kunit *test)
{
	struct vpm_mock *mock = vpm_mock_create_with(test, "on-a-bus",
						     &vpm_mock_bus_ops);

	/* The second try starts at the bus as well. */
	KUNIT_ASSERT_EQ(test, vpm_mock_suspend(mock), 0);
	mock->resume_failures = 1;
	KUNIT_EXPECT_EQ(test, vpm_mock_resume(mock), -EIO);
	vpm_mock_log_clear(mock);
	vpm_mock_thaw(mock);
	VPM_MOCK_EXPECT_LOG(mock, "recover resume");
	KUNIT_EXPECT_EQ(test, state_of(mock), DRM_VIRT_PM_RUNNING);
}

enum unbind_when {
	UNBIND_RUNNING,
	UNBIND_DOWN,
	UNBIND_AFTER_FAILURE,
	UNBIND_LOST,
	UNBIND_LOST_DOWN,
	UNBIND_UNPLUGGED,
};

struct unbind_param {
	const char *name;
	enum unbind_when when;
};

static const struct unbind_param unbind_params[] = {
	{ "running", UNBIND_RUNNING },
	{ "down", UNBIND_DOWN },
	{ "down, with a second try to come", UNBIND_AFTER_FAILURE },
	{ "lost while running, not unplugged yet", UNBIND_LOST },
	{ "lost while down, not unplugged yet", UNBIND_LOST_DOWN },
	{ "lost and unplugged", UNBIND_UNPLUGGED },
};

KUNIT_ARRAY_PARAM_DESC(unbind, unbind_params, name);

static void bring_to(struct vpm_mock *mock, enum unbind_when when)
{
	if (when == UNBIND_DOWN || when == UNBIND_AFTER_FAILURE ||
	    when == UNBIND_LOST_DOWN)
		KUNIT_ASSERT_EQ(mock->test, vpm_mock_suspend(mock), 0);
	if (when == UNBIND_AFTER_FAILURE) {
		mock->resume_failures = 1;
		KUNIT_ASSERT_EQ(mock->test, vpm_mock_resume(mock), -EIO);
	}
	if (when >= UNBIND_LOST) {
		/* the work leaves a busy device alone */
		mock->base.busy = when != UNBIND_UNPLUGGED;
		lose(mock);
		vpm_mock_run_work(mock);
		mock->base.busy = false;
	}
	vpm_mock_log_clear(mock);
}

static void drm_virt_pm_test_device_unbind(struct kunit *test)
{
	const struct unbind_param *param = test->param_value;
	struct vpm_mock *mock = test->priv;
	int before = vpm_mock_pm_references(mock);

	/*
	 * Unbinding unplugs the DRM device once and drops the reference. No
	 * callback is called from then on.
	 */
	bring_to(mock, param->when);
	KUNIT_EXPECT_EQ(test, drm_dev_is_unplugged(&mock->drm),
			param->when == UNBIND_UNPLUGGED);
	mock->drm.unplugged = false;
	vpm_mock_unbind(mock);
	KUNIT_EXPECT_EQ(test, drm_dev_is_unplugged(&mock->drm),
			param->when != UNBIND_UNPLUGGED);
	KUNIT_EXPECT_EQ(test, vpm_mock_pm_references(mock), before);
	KUNIT_EXPECT_FALSE(test, vpm_mock_work_busy(mock));

	drm_virt_pm_lose(&mock->base, "too late");
	KUNIT_EXPECT_EQ(test, vpm_mock_suspend(mock), 0);
	KUNIT_EXPECT_EQ(test, vpm_mock_resume(mock), 0);
	KUNIT_EXPECT_FALSE(test, vpm_mock_work_busy(mock));
	KUNIT_EXPECT_EQ(test, drm_virt_pm_wait_running(&mock->base), -ENODEV);
	VPM_MOCK_EXPECT_LOG(mock, "");

	/* a second call does nothing */
	mock->drm.unplugged = false;
	vpm_mock_unbind(mock);
	KUNIT_EXPECT_FALSE(test, drm_dev_is_unplugged(&mock->drm));
	KUNIT_EXPECT_EQ(test, vpm_mock_pm_references(mock), before);
}

static int lose_in_task(struct vpm_mock_task *task)
{
	lose(task->mock);
	return 0;
}

/* Tasks that wait already go on waiting */
static void hold_no_more(struct vpm_mock *mock)
{
	WRITE_ONCE(mock->hold, false);
}

static void drm_virt_pm_test_device_lost_beside_resume(struct kunit *test)
{
	struct vpm_mock *mock = test->priv;
	struct vpm_mock_task *task;

	/* A task that loses the device is in quiesce() as long as the resume runs. */
	KUNIT_ASSERT_EQ(test, vpm_mock_suspend(mock), 0);
	vpm_mock_log_clear(mock);
	mock->hold = true;
	task = vpm_mock_task_start(mock, lose_in_task, NULL);
	VPM_MOCK_AWAIT(test, READ_ONCE(mock->log[0]));
	mock->in_resume = hold_no_more;
	KUNIT_EXPECT_EQ(test, vpm_mock_resume(mock), 0);
	KUNIT_EXPECT_EQ(test, state_of(mock), DRM_VIRT_PM_DOWN);
	VPM_MOCK_EXPECT_LOG(mock, "quiesce resume quiesce");

	vpm_mock_let_go(mock);
	vpm_mock_task_result(task);
	KUNIT_EXPECT_EQ(test, state_of(mock), DRM_VIRT_PM_LOST);
}

static int unbind(struct vpm_mock_task *task)
{
	struct vpm_mock *mock = task->arg;

	drm_virt_pm_unplug(&mock->base);
	vpm_mock_log(mock, "gone");

	return 0;
}

/* Something of the driver is running in @task; a driver that is unbound waits */
static void expect_unbind_waits(struct vpm_mock *mock, struct vpm_mock_task *task)
{
	int before = vpm_mock_pm_references(mock);
	struct kunit *test = mock->test;
	struct vpm_mock_task *driver;

	driver = vpm_mock_task_start(mock, unbind, mock);
	VPM_MOCK_AWAIT(test, vpm_mock_task_sleeps(driver, TASK_UNINTERRUPTIBLE) &&
		       vpm_mock_sleepers(&mock->base.wait) == 1);
	KUNIT_EXPECT_TRUE(test, vpm_mock_task_runs(driver));

	vpm_mock_let_go(mock);
	vpm_mock_task_result(task);
	KUNIT_EXPECT_EQ(test, vpm_mock_task_result(driver), 0);
	KUNIT_EXPECT_EQ(test, state_of(mock), DRM_VIRT_PM_LOST);
	KUNIT_EXPECT_LE(test, vpm_mock_pm_references(mock), before);
	KUNIT_EXPECT_FALSE(test, vpm_mock_work_busy(mock));
}

static void drm_virt_pm_test_device_unbind_lose(struct kunit *test)
{
	struct vpm_mock *mock = test->priv;
	int before = vpm_mock_pm_references(mock);
	struct vpm_mock_task *task;

	/* Another task has just found that the device is lost. */
	mock->hold = true;
	task = vpm_mock_task_start(mock, lose_in_task, NULL);
	VPM_MOCK_AWAIT(test, READ_ONCE(mock->log[0]));
	expect_unbind_waits(mock, task);
	VPM_MOCK_EXPECT_LOG(mock, "quiesce gone");
	KUNIT_EXPECT_EQ(test, vpm_mock_pm_references(mock), before);
}

static void drm_virt_pm_test_device_unbind_suspend(struct kunit *test)
{
	struct vpm_mock *mock = test->priv;
	int before = vpm_mock_pm_references(mock);
	struct vpm_mock_task *task;

	/* A task is suspending the device. */
	mock->hold = true;
	task = vpm_mock_task_start(mock, suspend, NULL);
	VPM_MOCK_AWAIT(test, READ_ONCE(mock->log[0]));
	expect_unbind_waits(mock, task);
	VPM_MOCK_EXPECT_LOG(mock, "suspend gone");
	KUNIT_EXPECT_EQ(test, vpm_mock_pm_references(mock), before);
}

static void drm_virt_pm_test_device_unbind_resume(struct kunit *test)
{
	struct vpm_mock *mock = test->priv;
	int before = vpm_mock_pm_references(mock);
	struct vpm_mock_task *task;

	/* The same with a resume. */
	KUNIT_ASSERT_EQ(test, vpm_mock_suspend(mock), 0);
	vpm_mock_log_clear(mock);
	mock->hold = true;
	task = vpm_mock_task_start(mock, resume, NULL);
	VPM_MOCK_AWAIT(test, READ_ONCE(mock->log[0]));
	expect_unbind_waits(mock, task);
	VPM_MOCK_EXPECT_LOG(mock, "resume quiesce gone");
	KUNIT_EXPECT_EQ(test, vpm_mock_pm_references(mock), before);
}

static const struct drm_driver drm_virt_pm_test_driver = {};

static void drm_virt_pm_test_device_released(struct kunit *test)
{
	struct vpm_mock *mock;
	struct drm_device *drm;
	struct device *dev;

	/* A probe that fails later on need not undo drmm_virt_pm_init(). */
	dev = kunit_device_register(test, "failed-probe");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dev);
	/* The helper without a driver frees its own with the device. */
	drm = __drm_kunit_helper_alloc_drm_device_with_driver(test, dev,
							      sizeof(*mock),
							      offsetof(struct vpm_mock, drm),
							      &drm_virt_pm_test_driver);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, drm);
	mock = container_of(drm, struct vpm_mock, drm);
	mock->test = test;
	mock->check_ret = -EBUSY;
	KUNIT_ASSERT_EQ(test, drmm_virt_pm_init(&mock->base, drm,
						&vpm_mock_ops), 0);
	KUNIT_EXPECT_FALSE(test, list_empty(&mock->base.node));
	schedule_delayed_work(&mock->base.work, 600 * HZ);

	drm_dev_get(drm);
	kunit_device_unregister(test, dev);
	KUNIT_EXPECT_TRUE(test, vpm_mock_work_busy(mock));
	drm_dev_put(drm);
	KUNIT_EXPECT_NE(test, drm_virt_pm_notify(PM_SUSPEND_PREPARE), -EBUSY);
	drm_virt_pm_notify(PM_POST_SUSPEND);
}

static void note_timeout(struct vpm_mock *mock)
{
	long stall = msecs_to_jiffies(drm_virt_pm_stall_ms());
	struct drm_virt_pm *vpm = &mock->base;

	/* all of the stall limit is left, and the total limit is four of them */
	mock->seen[0] = drm_virt_pm_timeout(vpm) == stall;
	mock->seen[0] += vpm->deadline && !drm_virt_pm_overdue(vpm) &&
			 (long)(vpm->deadline - jiffies) <= 4 * stall + 1;

	/* the total limit cuts the last wait, and is over then */
	WRITE_ONCE(vpm->deadline, jiffies + stall / 2);
	mock->seen[1] = drm_virt_pm_timeout(vpm) <= stall / 2;
	WRITE_ONCE(vpm->deadline, jiffies - 10);
	mock->seen[1] += drm_virt_pm_timeout(vpm) == 1;
	mock->seen[1] += drm_virt_pm_overdue(vpm);
}

static void drm_virt_pm_test_device_timeout(struct kunit *test)
{
	struct vpm_mock *mock = test->priv;
	struct drm_virt_pm *vpm = &mock->base;

	/* Waits have a limit each, and in a suspend or resume all together. */
	vpm_mock_set_stall_ms(test, 5000);
	KUNIT_EXPECT_EQ(test, drm_virt_pm_timeout(vpm), msecs_to_jiffies(5000));
	KUNIT_EXPECT_FALSE(test, drm_virt_pm_overdue(vpm));

	mock->in_suspend = note_timeout;
	KUNIT_EXPECT_EQ(test, vpm_mock_suspend(mock), 0);
	KUNIT_EXPECT_EQ(test, mock->seen[0], 2);
	KUNIT_EXPECT_EQ(test, mock->seen[1], 3);
	KUNIT_EXPECT_EQ(test, drm_virt_pm_timeout(vpm), msecs_to_jiffies(5000));
	KUNIT_EXPECT_FALSE(test, drm_virt_pm_overdue(vpm));

	mock->in_resume = note_timeout;
	mock->seen[0] = 0;
	mock->seen[1] = 0;
	KUNIT_EXPECT_EQ(test, vpm_mock_resume(mock), 0);
	KUNIT_EXPECT_EQ(test, mock->seen[0], 2);
	KUNIT_EXPECT_EQ(test, mock->seen[1], 3);
	KUNIT_EXPECT_FALSE(test, drm_virt_pm_overdue(vpm));
}

static struct kunit_case drm_virt_pm_device_cases[] = {
	KUNIT_CASE(drm_virt_pm_test_device_states),
	KUNIT_CASE(drm_virt_pm_test_device_busy),
	KUNIT_CASE(drm_virt_pm_test_device_epoch),
	KUNIT_CASE(drm_virt_pm_test_device_refused),
	KUNIT_CASE(drm_virt_pm_test_device_refused_later),
	KUNIT_CASE(drm_virt_pm_test_device_error_after_reset),
	KUNIT_CASE(drm_virt_pm_test_device_no_reset),
	KUNIT_CASE(drm_virt_pm_test_device_second_try),
	KUNIT_CASE(drm_virt_pm_test_device_second_failure),
	KUNIT_CASE(drm_virt_pm_test_device_second_failure_of_pm_core),
	KUNIT_CASE(drm_virt_pm_test_device_failures_anew),
	KUNIT_CASE(drm_virt_pm_test_device_lost),
	KUNIT_CASE(drm_virt_pm_test_device_lost_reason),
	KUNIT_CASE(drm_virt_pm_test_device_lost_in_suspend),
	KUNIT_CASE(drm_virt_pm_test_device_lost_in_suspend_quietly),
	KUNIT_CASE(drm_virt_pm_test_device_lost_in_resume),
	KUNIT_CASE(drm_virt_pm_test_device_lost_in_failed_resume),
	KUNIT_CASE(drm_virt_pm_test_device_lost_beside_resume),
	KUNIT_CASE(drm_virt_pm_test_device_lost_down),
	KUNIT_CASE(drm_virt_pm_test_device_never_resumed),
	KUNIT_CASE(drm_virt_pm_test_device_resume_is_due),
	KUNIT_CASE(drm_virt_pm_test_device_locked),
	KUNIT_CASE(drm_virt_pm_test_device_cancels),
	KUNIT_CASE(drm_virt_pm_test_device_bus),
	KUNIT_CASE_PARAM(drm_virt_pm_test_device_bus_fails, bus_error_gen_params),
	KUNIT_CASE(drm_virt_pm_test_device_bus_recovers),
	KUNIT_CASE_PARAM(drm_virt_pm_test_device_unbind, unbind_gen_params),
	KUNIT_CASE(drm_virt_pm_test_device_unbind_lose),
	KUNIT_CASE(drm_virt_pm_test_device_unbind_suspend),
	KUNIT_CASE(drm_virt_pm_test_device_unbind_resume),
	KUNIT_CASE(drm_virt_pm_test_device_released),
	KUNIT_CASE(drm_virt_pm_test_device_timeout),
	{}
};

static struct kunit_suite drm_virt_pm_device_suite = {
	.name = "drm_virt_pm_device",
	.init = vpm_mock_test_init,
	.test_cases = drm_virt_pm_device_cases,
};

kunit_test_suite(drm_virt_pm_device_suite);
