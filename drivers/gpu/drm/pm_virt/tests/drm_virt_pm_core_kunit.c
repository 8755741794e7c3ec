// SPDX-License-Identifier: GPL-2.0 OR MIT

/* The device: states, epochs, losing it, and what is done when tasks run again. */

#include <linux/device.h>
#include <linux/limits.h>

#include "drm_virt_pm_mock.h"

static enum drm_virt_pm_state state_of(struct vpm_mock *mock)
{
	return READ_ONCE(mock->base.state);
}

static bool later_is_queued(struct vpm_mock *mock)
{
	return work_busy(&mock->base.work.work);
}

/* Runtime PM references of the device. */
static int references(struct vpm_mock *mock)
{
	return atomic_read(&mock->drm.dev->power.usage_count);
}

static void drm_virt_pm_test_core_states(struct kunit *test)
{
	struct vpm_mock *mock = test->priv;

	/* Down and up, and what is there already is not done again. */
	KUNIT_EXPECT_EQ(test, state_of(mock), DRM_VIRT_PM_RUNNING);
	KUNIT_EXPECT_EQ(test, vpm_mock_resume(mock), 0);
	VPM_MOCK_EXPECT_LOG(mock, "");

	KUNIT_EXPECT_EQ(test, vpm_mock_suspend(mock), 0);
	KUNIT_EXPECT_EQ(test, state_of(mock), DRM_VIRT_PM_DOWN);
	vpm_mock_log_clear(mock);
	KUNIT_EXPECT_EQ(test, vpm_mock_suspend(mock), 0);
	KUNIT_EXPECT_EQ(test, state_of(mock), DRM_VIRT_PM_DOWN);
	VPM_MOCK_EXPECT_LOG(mock, "");

	KUNIT_EXPECT_EQ(test, vpm_mock_resume(mock), 0);
	KUNIT_EXPECT_EQ(test, state_of(mock), DRM_VIRT_PM_RUNNING);
	vpm_mock_log_clear(mock);
	KUNIT_EXPECT_EQ(test, vpm_mock_resume(mock), 0);
	VPM_MOCK_EXPECT_LOG(mock, "");
}

static void enter_again(struct vpm_mock *mock)
{
	mock->seen[0] = drm_virt_pm_suspend(&mock->base);
	mock->seen[1] = drm_virt_pm_resume(&mock->base);
}

static void drm_virt_pm_test_core_busy(struct kunit *test)
{
	struct vpm_mock *mock = test->priv;

	/* One suspend or resume at a time. */
	mock->in_step = enter_again;
	KUNIT_EXPECT_EQ(test, vpm_mock_suspend(mock), 0);
	KUNIT_EXPECT_EQ(test, mock->seen[0], -EBUSY);
	KUNIT_EXPECT_EQ(test, mock->seen[1], -EBUSY);
	VPM_MOCK_EXPECT_LOG(mock, "-kms -gate -reset -queues");

	mock->seen[0] = 0;
	mock->seen[1] = 0;
	KUNIT_EXPECT_EQ(test, vpm_mock_resume(mock), 0);
	KUNIT_EXPECT_EQ(test, mock->seen[0], -EBUSY);
	KUNIT_EXPECT_EQ(test, mock->seen[1], -EBUSY);
	VPM_MOCK_EXPECT_LOG(mock, "+queues +reset +gate +kms");
}

static void drm_virt_pm_test_core_epoch(struct kunit *test)
{
	struct vpm_mock *mock = test->priv;
	struct drm_virt_pm *vpm = &mock->base;

	/* A reset is counted when it happens, whatever the reason; 0 is none. */
	KUNIT_EXPECT_EQ(test, vpm->epoch, 1);
	drm_virt_pm_device_reset(vpm);
	KUNIT_EXPECT_EQ(test, vpm->epoch, 2);
	KUNIT_EXPECT_EQ(test, vpm_mock_suspend(mock), 0);
	KUNIT_EXPECT_EQ(test, vpm->epoch, 3);
	KUNIT_EXPECT_EQ(test, vpm_mock_resume(mock), 0);
	KUNIT_EXPECT_EQ(test, vpm->epoch, 3);

	vpm->epoch = U32_MAX;
	drm_virt_pm_device_reset(vpm);
	KUNIT_EXPECT_EQ(test, vpm->epoch, 1);
}

static void drm_virt_pm_test_core_lost(struct kunit *test)
{
	struct vpm_mock *mock = test->priv;
	struct drm_virt_pm *vpm = &mock->base;

	/*
	 * A lost device answers all with 0 and does nothing. Its driver learns
	 * it once, from a work; the first reason stands.
	 */
	KUNIT_EXPECT_FALSE(test, drm_virt_pm_is_lost(vpm));
	drm_virt_pm_device_lost(vpm, "first");
	drm_virt_pm_device_lost(vpm, "second");
	KUNIT_EXPECT_TRUE(test, drm_virt_pm_is_lost(vpm));
	KUNIT_EXPECT_STREQ(test, vpm->lost_reason, "first");

	KUNIT_EXPECT_EQ(test, vpm_mock_suspend(mock), 0);
	KUNIT_EXPECT_EQ(test, vpm_mock_resume(mock), 0);
	vpm_mock_run_later(mock);
	KUNIT_EXPECT_EQ(test, vpm_mock_suspend(mock), 0);
	KUNIT_EXPECT_EQ(test, vpm_mock_resume(mock), 0);
	vpm_mock_run_later(mock);

	VPM_MOCK_EXPECT_LOG(mock, "");
	KUNIT_EXPECT_TRUE(test, drm_virt_pm_is_lost(vpm));
	KUNIT_EXPECT_EQ(test, atomic_read(&mock->lost_calls), 1);
	KUNIT_EXPECT_TRUE(test, mock->lost_in_work);
}

static void drm_virt_pm_test_core_lost_unheard(struct kunit *test)
{
	static const struct drm_virt_pm_ops ops;
	struct vpm_mock *mock = vpm_mock_create_with(test, "deaf", &ops, NULL, 0);

	/* A driver need not care, and a reason may be long. */
	drm_virt_pm_device_lost(&mock->base,
				"because of something that needs many words to be told and more to be understood");
	vpm_mock_run_later(mock);
	KUNIT_EXPECT_TRUE(test, drm_virt_pm_is_lost(&mock->base));
	KUNIT_EXPECT_EQ(test, strlen(mock->base.lost_reason),
			sizeof(mock->base.lost_reason) - 1);
}

static void drm_virt_pm_test_core_resume_fails(struct kunit *test)
{
	struct vpm_mock *mock = test->priv;

	/* A resume that fails tells the PM core once, and user space later. */
	KUNIT_ASSERT_EQ(test, vpm_mock_suspend(mock), 0);
	mock->up_ret[VPM_MOCK_RESET] = -EIO;
	KUNIT_EXPECT_EQ(test, vpm_mock_resume(mock), -EIO);
	KUNIT_EXPECT_EQ(test, vpm_mock_resume(mock), 0);
	vpm_mock_run_later(mock);
	vpm_mock_run_later(mock);
	KUNIT_EXPECT_STREQ(test, mock->base.lost_reason, "resume failed");
	KUNIT_EXPECT_EQ(test, atomic_read(&mock->lost_calls), 1);
	KUNIT_EXPECT_TRUE(test, mock->lost_in_work);
	KUNIT_EXPECT_EQ(test, drm_virt_pm_enter(&mock->base), -ENODEV);
}

static void lose(struct vpm_mock *mock)
{
	drm_virt_pm_device_lost(&mock->base, "tested");
}

static void drm_virt_pm_test_core_lost_going_down(struct kunit *test)
{
	struct vpm_mock *mock = test->priv;

	/* A step may find out that the device is lost: it stays so. */
	mock->in_step = lose;
	KUNIT_EXPECT_EQ(test, vpm_mock_suspend(mock), 0);
	KUNIT_EXPECT_EQ(test, state_of(mock), DRM_VIRT_PM_LOST);
	vpm_mock_log_clear(mock);
	KUNIT_EXPECT_EQ(test, vpm_mock_resume(mock), 0);
	VPM_MOCK_EXPECT_LOG(mock, "");
}

static void drm_virt_pm_test_core_lost_coming_up(struct kunit *test)
{
	struct vpm_mock *mock = test->priv;

	/* The same on the way up, which does not end in a running device. */
	KUNIT_ASSERT_EQ(test, vpm_mock_suspend(mock), 0);
	mock->in_step = lose;
	KUNIT_EXPECT_EQ(test, vpm_mock_resume(mock), 0);
	KUNIT_EXPECT_EQ(test, state_of(mock), DRM_VIRT_PM_LOST);
	vpm_mock_run_later(mock);
	KUNIT_EXPECT_EQ(test, atomic_read(&mock->lost_calls), 1);
}

static void drm_virt_pm_test_core_never_resumed(struct kunit *test)
{
	struct vpm_mock *mock = test->priv;

	/* Tasks run, the PM core is through, and the driver was never called. */
	KUNIT_ASSERT_EQ(test, vpm_mock_suspend(mock), 0);
	vpm_mock_resume_elsewhere(mock);
	VPM_MOCK_AWAIT(test, drm_virt_pm_is_lost(&mock->base));
	vpm_mock_run_later(mock);
	vpm_mock_run_later(mock);
	KUNIT_EXPECT_STREQ(test, mock->base.lost_reason,
			   "the system resumed without it");
	KUNIT_EXPECT_EQ(test, atomic_read(&mock->lost_calls), 1);
	KUNIT_EXPECT_TRUE(test, mock->lost_in_work);
	KUNIT_EXPECT_EQ(test, vpm_mock_resume(mock), 0);
}

static void drm_virt_pm_test_core_resume_is_due(struct kunit *test)
{
	struct vpm_mock *mock = test->priv;

	/* Works that run too early, as in a kexec jump, wait for the PM core. */
	KUNIT_ASSERT_EQ(test, vpm_mock_suspend(mock), 0);
	vpm_mock_run_later(mock);
	vpm_mock_run_later(mock);
	KUNIT_EXPECT_EQ(test, state_of(mock), DRM_VIRT_PM_DOWN);
	KUNIT_EXPECT_TRUE(test, later_is_queued(mock));

	KUNIT_EXPECT_EQ(test, vpm_mock_resume(mock), 0);
	vpm_mock_run_later(mock);
	KUNIT_EXPECT_EQ(test, state_of(mock), DRM_VIRT_PM_RUNNING);
	KUNIT_EXPECT_EQ(test, atomic_read(&mock->lost_calls), 0);
}

static void drm_virt_pm_test_core_callback_runs(struct kunit *test)
{
	struct vpm_mock *mock = test->priv;

	/* So early that the PM core has not even noted that it is suspended. */
	device_lock(mock->drm.dev);
	KUNIT_EXPECT_EQ(test, drm_virt_pm_suspend(&mock->base), 0);
	vpm_mock_run_later(mock);
	KUNIT_EXPECT_EQ(test, state_of(mock), DRM_VIRT_PM_DOWN);
	KUNIT_EXPECT_EQ(test, drm_virt_pm_resume(&mock->base), 0);
	device_unlock(mock->drm.dev);
}

static void note_queued(struct vpm_mock *mock)
{
	mock->seen[0] += later_is_queued(mock);
	mock->seen[1]++;
}

static void drm_virt_pm_test_core_cancels(struct kunit *test)
{
	struct vpm_mock *mock = test->priv;

	/* What was put off is cancelled before anything is done. */
	mock->in_step = note_queued;
	device_lock(mock->drm.dev);
	drm_virt_pm_defer_resume(&mock->base);
	vpm_mock_run_later(mock);
	KUNIT_EXPECT_TRUE(test, later_is_queued(mock));
	KUNIT_EXPECT_EQ(test, drm_virt_pm_suspend(&mock->base), 0);

	drm_virt_pm_cancel_deferred(&mock->base);
	KUNIT_EXPECT_FALSE(test, later_is_queued(mock));
	drm_virt_pm_suspend(&mock->base);
	vpm_mock_run_later(mock);
	KUNIT_EXPECT_TRUE(test, later_is_queued(mock));
	KUNIT_EXPECT_EQ(test, drm_virt_pm_resume(&mock->base), 0);
	KUNIT_EXPECT_FALSE(test, later_is_queued(mock));
	device_unlock(mock->drm.dev);

	KUNIT_EXPECT_EQ(test, mock->seen[0], 0);
	KUNIT_EXPECT_EQ(test, mock->seen[1], 2 * VPM_MOCK_STEPS);
}

/* As thaw does, in a PM callback. */
static void defer(struct vpm_mock *mock)
{
	device_lock(mock->drm.dev);
	drm_virt_pm_defer_resume(&mock->base);
	device_unlock(mock->drm.dev);
}

static void drm_virt_pm_test_core_deferred(struct kunit *test)
{
	struct vpm_mock *mock = test->priv;
	int before = references(mock);

	/* The resume is done once when tasks run; until then no runtime suspend. */
	device_lock(mock->drm.dev);
	drm_virt_pm_defer_resume(&mock->base);
	drm_virt_pm_defer_resume(&mock->base);
	vpm_mock_run_later(mock);
	VPM_MOCK_EXPECT_LOG(mock, "");
	KUNIT_EXPECT_EQ(test, references(mock), before + 1);
	KUNIT_EXPECT_TRUE(test, later_is_queued(mock));
	device_unlock(mock->drm.dev);

	vpm_mock_run_later(mock);
	vpm_mock_run_later(mock);
	VPM_MOCK_EXPECT_LOG(mock, "deferred");
	KUNIT_EXPECT_EQ(test, references(mock), before);
	KUNIT_EXPECT_EQ(test, state_of(mock), DRM_VIRT_PM_RUNNING);
}

static void drm_virt_pm_test_core_deferred_resumes(struct kunit *test)
{
	struct vpm_mock *mock = test->priv;
	int before = references(mock);

	/* What is deferred may be the resume of the library's steps. */
	mock->deferred_resumes = true;
	KUNIT_ASSERT_EQ(test, vpm_mock_suspend(mock), 0);
	vpm_mock_log_clear(mock);
	defer(mock);
	vpm_mock_run_later(mock);
	VPM_MOCK_EXPECT_LOG(mock, "deferred +queues +reset +gate +kms");
	KUNIT_EXPECT_EQ(test, state_of(mock), DRM_VIRT_PM_RUNNING);
	KUNIT_EXPECT_EQ(test, references(mock), before);
}

static void drm_virt_pm_test_core_deferred_cancelled(struct kunit *test)
{
	struct vpm_mock *mock = test->priv;
	int before = references(mock);

	/* Cancelling drops the reference, if there is one, and nothing runs. */
	device_lock(mock->drm.dev);
	drm_virt_pm_cancel_deferred(&mock->base);
	KUNIT_EXPECT_EQ(test, references(mock), before);
	drm_virt_pm_defer_resume(&mock->base);
	drm_virt_pm_cancel_deferred(&mock->base);
	drm_virt_pm_cancel_deferred(&mock->base);
	device_unlock(mock->drm.dev);
	KUNIT_EXPECT_EQ(test, references(mock), before);

	vpm_mock_run_later(mock);
	VPM_MOCK_EXPECT_LOG(mock, "");
	KUNIT_EXPECT_EQ(test, references(mock), before);
}

static void drm_virt_pm_test_core_deferred_fails(struct kunit *test)
{
	struct vpm_mock *mock = test->priv;
	int before = references(mock);

	/* When it fails the device is lost, and the reference dropped as well. */
	mock->deferred_ret = -EIO;
	defer(mock);
	vpm_mock_run_later(mock);
	vpm_mock_run_later(mock);
	VPM_MOCK_EXPECT_LOG(mock, "deferred");
	KUNIT_EXPECT_STREQ(test, mock->base.lost_reason, "deferred resume failed");
	KUNIT_EXPECT_EQ(test, atomic_read(&mock->lost_calls), 1);
	KUNIT_EXPECT_EQ(test, references(mock), before);
}

static void drm_virt_pm_test_core_unbind(struct kunit *test)
{
	struct vpm_mock *mock = test->priv;
	int before = references(mock);

	/* Nothing of what was put off survives the driver. */
	mock->need[0] = 256;
	device_lock(mock->drm.dev);
	drm_virt_pm_defer_resume(&mock->base);
	KUNIT_EXPECT_EQ(test, drm_virt_pm_reserve_fill(&mock->base), 0);
	drm_virt_pm_fini(&mock->base);
	device_unlock(mock->drm.dev);
	KUNIT_EXPECT_EQ(test, references(mock), before);
	KUNIT_EXPECT_EQ(test, mock->base.reserve_bytes, 0);

	drm_virt_pm_device_lost(&mock->base, "too late");
	KUNIT_EXPECT_FALSE(test, later_is_queued(mock));
	vpm_mock_run_later(mock);
	KUNIT_EXPECT_EQ(test, atomic_read(&mock->lost_calls), 0);
	VPM_MOCK_EXPECT_LOG(mock, "reserve");
}

static struct kunit_case drm_virt_pm_core_cases[] = {
	KUNIT_CASE(drm_virt_pm_test_core_states),
	KUNIT_CASE(drm_virt_pm_test_core_busy),
	KUNIT_CASE(drm_virt_pm_test_core_epoch),
	KUNIT_CASE(drm_virt_pm_test_core_lost),
	KUNIT_CASE(drm_virt_pm_test_core_lost_unheard),
	KUNIT_CASE(drm_virt_pm_test_core_resume_fails),
	KUNIT_CASE(drm_virt_pm_test_core_lost_going_down),
	KUNIT_CASE(drm_virt_pm_test_core_lost_coming_up),
	KUNIT_CASE(drm_virt_pm_test_core_never_resumed),
	KUNIT_CASE(drm_virt_pm_test_core_resume_is_due),
	KUNIT_CASE(drm_virt_pm_test_core_callback_runs),
	KUNIT_CASE(drm_virt_pm_test_core_cancels),
	KUNIT_CASE(drm_virt_pm_test_core_deferred),
	KUNIT_CASE(drm_virt_pm_test_core_deferred_resumes),
	KUNIT_CASE(drm_virt_pm_test_core_deferred_cancelled),
	KUNIT_CASE(drm_virt_pm_test_core_deferred_fails),
	KUNIT_CASE(drm_virt_pm_test_core_unbind),
	{}
};

static struct kunit_suite drm_virt_pm_core_suite = {
	.name = "drm_virt_pm_core",
	.init = vpm_mock_test_init,
	.test_cases = drm_virt_pm_core_cases,
};

kunit_test_suite(drm_virt_pm_core_suite);
