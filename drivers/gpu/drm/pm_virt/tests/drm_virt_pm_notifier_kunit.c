// SPDX-License-Identifier: GPL-2.0 OR MIT

/* Transitions: several devices, one notifier; refusals and what they undo. */

#include <linux/dma-buf.h>
#include <linux/suspend.h>

#include <kunit/resource.h>

#include "drm_virt_pm_mock.h"

struct two_mocks {
	struct vpm_mock *a;
	struct vpm_mock *b;
};

static void end_transition(void *unused)
{
	drm_virt_pm_notify(PM_POST_SUSPEND);
}

static int notifier_test_init(struct kunit *test)
{
	struct two_mocks *mocks;
	int ret;

	/* The machine's own devices are asked, too. */
	ret = drm_virt_pm_notify(PM_HIBERNATION_PREPARE);
	end_transition(NULL);
	if (ret)
		kunit_skip(test, "another device refuses");

	mocks = kunit_kzalloc(test, sizeof(*mocks), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, mocks);
	mocks->a = vpm_mock_create(test, "mock-a");
	mocks->b = vpm_mock_create(test, "mock-b");
	mocks->a->need[0] = 256;
	mocks->b->need[0] = 4096;
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, end_transition,
							   NULL));
	test->priv = mocks;

	return 0;
}

struct event_param {
	const char *name;
	unsigned long event;
	enum drm_virt_pm_transition transition;
	const char *log;
};

static const struct event_param event_params[] = {
	{
		.name = "hibernate",
		.event = PM_HIBERNATION_PREPARE,
		.transition = DRM_VIRT_PM_HIBERNATE,
		.log = "check:hibernate reserve",
	},
	{
		.name = "suspend",
		.event = PM_SUSPEND_PREPARE,
		.transition = DRM_VIRT_PM_SUSPEND,
		.log = "check:suspend reserve",
	},
	{
		.name = "restore",
		.event = PM_RESTORE_PREPARE,
		.transition = DRM_VIRT_PM_RESTORE,
		.log = "",
	},
	{
		.name = "POST_HIBERNATION without PREPARE",
		.event = PM_POST_HIBERNATION,
		.transition = DRM_VIRT_PM_NONE,
		.log = "",
	},
	{
		.name = "POST_SUSPEND without PREPARE",
		.event = PM_POST_SUSPEND,
		.transition = DRM_VIRT_PM_NONE,
		.log = "",
	},
	{
		.name = "POST_RESTORE without PREPARE",
		.event = PM_POST_RESTORE,
		.transition = DRM_VIRT_PM_NONE,
		.log = "",
	},
	{
		.name = "an event of the future",
		.event = 0x4711,
		.transition = DRM_VIRT_PM_NONE,
		.log = "",
	},
};

KUNIT_ARRAY_PARAM_DESC(event, event_params, name);

static void drm_virt_pm_test_notifier_event(struct kunit *test)
{
	const struct event_param *param = test->param_value;
	struct two_mocks *mocks = test->priv;

	/* Each event sets the transition; those that may be refused are asked. */
	KUNIT_EXPECT_EQ(test, drm_virt_pm_notify(param->event), 0);
	KUNIT_EXPECT_EQ(test, drm_virt_pm_get_transition(), param->transition);
	VPM_MOCK_EXPECT_LOG(mocks->a, param->log);
	VPM_MOCK_EXPECT_LOG(mocks->b, param->log);

	/* it is over with any POST event */
	KUNIT_EXPECT_EQ(test, drm_virt_pm_notify(PM_POST_SUSPEND), 0);
	KUNIT_EXPECT_EQ(test, drm_virt_pm_get_transition(), DRM_VIRT_PM_NONE);
	VPM_MOCK_EXPECT_LOG(mocks->a, "");
}

static void drm_virt_pm_test_notifier_reserve(struct kunit *test)
{
	struct two_mocks *mocks = test->priv;

	/* Reserves last from PREPARE to POST. */
	KUNIT_ASSERT_EQ(test, drm_virt_pm_notify(PM_HIBERNATION_PREPARE), 0);
	KUNIT_EXPECT_EQ(test, mocks->a->base.reserve_bytes, 256);
	KUNIT_EXPECT_EQ(test, mocks->b->base.reserve_bytes, 4096);

	KUNIT_EXPECT_EQ(test, drm_virt_pm_notify(PM_POST_HIBERNATION), 0);
	KUNIT_EXPECT_EQ(test, mocks->a->base.reserve_bytes, 0);
	KUNIT_EXPECT_EQ(test, mocks->b->base.reserve_bytes, 0);
}

static void drm_virt_pm_test_notifier_all_refuse(struct kunit *test)
{
	struct two_mocks *mocks = test->priv;

	/*
	 * All are asked and each one that refuses is named with its reason;
	 * the error is that of the first. Nobody sets memory aside, and since
	 * there is no POST event after a refusal, the transition is over.
	 */
	mocks->a->check_ret = -EBUSY;
	mocks->a->why = "2 contexts with 3D work";
	mocks->b->check_ret = -EPERM;
	mocks->b->why = "1 mapped blob";
	KUNIT_EXPECT_EQ(test, drm_virt_pm_notify(PM_HIBERNATION_PREPARE), -EBUSY);

	KUNIT_EXPECT_STREQ(test, mocks->a->base.refusal,
			   "hibernate: 2 contexts with 3D work (-16)");
	KUNIT_EXPECT_STREQ(test, mocks->b->base.refusal,
			   "hibernate: 1 mapped blob (-1)");
	VPM_MOCK_EXPECT_LOG(mocks->a, "check:hibernate");
	VPM_MOCK_EXPECT_LOG(mocks->b, "check:hibernate");
	KUNIT_EXPECT_EQ(test, drm_virt_pm_get_transition(), DRM_VIRT_PM_NONE);
}

static void drm_virt_pm_test_notifier_one_refuses(struct kunit *test)
{
	struct two_mocks *mocks = test->priv;

	/* The last one's refusal counts, and the others are not blamed. */
	mocks->b->check_ret = -EBUSY;
	KUNIT_EXPECT_EQ(test, drm_virt_pm_notify(PM_SUSPEND_PREPARE), -EBUSY);
	KUNIT_EXPECT_STREQ(test, mocks->a->base.refusal, "");
	KUNIT_EXPECT_STREQ(test, mocks->b->base.refusal,
			   "suspend: no reason given (-16)");
	KUNIT_EXPECT_EQ(test, mocks->a->base.reserve_bytes, 0);

	/* the next transition is a new question */
	mocks->b->check_ret = 0;
	KUNIT_EXPECT_EQ(test, drm_virt_pm_notify(PM_SUSPEND_PREPARE), 0);
}

static void drm_virt_pm_test_notifier_no_memory(struct kunit *test)
{
	struct two_mocks *mocks = test->priv;
	struct vpm_mock *c = vpm_mock_create(test, "mock-c");

	/* One that gets no memory refuses, and all give theirs back. */
	c->need[0] = 256;
	mocks->b->need[1] = (size_t)INT_MAX + 1;
	KUNIT_EXPECT_EQ(test, drm_virt_pm_notify(PM_HIBERNATION_PREPARE), -ENOMEM);
	KUNIT_EXPECT_EQ(test, mocks->a->base.reserve_bytes, 0);
	KUNIT_EXPECT_EQ(test, mocks->b->base.reserve_bytes, 0);
	KUNIT_EXPECT_EQ(test, c->base.reserve_bytes, 0);
	KUNIT_EXPECT_STREQ(test, mocks->b->base.refusal,
			   "hibernate: not enough memory for the resume (-12)");
	VPM_MOCK_EXPECT_LOG(mocks->a, "check:hibernate reserve");
	KUNIT_EXPECT_EQ(test, drm_virt_pm_get_transition(), DRM_VIRT_PM_NONE);
}

static void drm_virt_pm_test_notifier_lost(struct kunit *test)
{
	struct two_mocks *mocks = test->priv;

	/* A lost device has no say, and the others do as ever. */
	mocks->a->check_ret = -EBUSY;
	mocks->a->need[1] = (size_t)INT_MAX + 1;
	drm_virt_pm_device_lost(&mocks->a->base, "tested");

	KUNIT_EXPECT_EQ(test, drm_virt_pm_notify(PM_HIBERNATION_PREPARE), 0);
	VPM_MOCK_EXPECT_LOG(mocks->a, "");
	VPM_MOCK_EXPECT_LOG(mocks->b, "check:hibernate reserve");
	KUNIT_EXPECT_EQ(test, vpm_mock_suspend(mocks->a), 0);
	KUNIT_EXPECT_EQ(test, vpm_mock_suspend(mocks->b), 0);
	VPM_MOCK_EXPECT_LOG(mocks->a, "");
	VPM_MOCK_EXPECT_LOG(mocks->b, "-kms -gate -reset -queues");

	mocks->b->check_ret = -EPERM;
	KUNIT_EXPECT_EQ(test, drm_virt_pm_notify(PM_HIBERNATION_PREPARE), -EPERM);
}

static void drm_virt_pm_test_notifier_restore(struct kunit *test)
{
	struct two_mocks *mocks = test->priv;

	/*
	 * The boot kernel, about to jump into an image, is never refused,
	 * neither by the notifier nor in the suspend that follows, and does
	 * not wait long.
	 */
	mocks->a->check_ret = -EBUSY;
	mocks->b->need[1] = (size_t)INT_MAX + 1;
	KUNIT_EXPECT_EQ(test, drm_virt_pm_notify(PM_RESTORE_PREPARE), 0);
	KUNIT_EXPECT_EQ(test, drm_virt_pm_check(&mocks->a->base), 0);
	VPM_MOCK_EXPECT_LOG(mocks->a, "");
	VPM_MOCK_EXPECT_LOG(mocks->b, "");
	KUNIT_EXPECT_STREQ(test, mocks->a->base.refusal, "");
	KUNIT_EXPECT_EQ(test, drm_virt_pm_stall_ms(),
			min(500u, drm_virt_pm_drain_timeout_ms));
}

static void drm_virt_pm_test_notifier_stall_ms(struct kunit *test)
{
	/* The parameter is the limit; in the boot kernel only if it is shorter. */
	vpm_mock_set_stall_ms(test, 70000);
	KUNIT_EXPECT_EQ(test, drm_virt_pm_stall_ms(), 70000);
	drm_virt_pm_notify(PM_RESTORE_PREPARE);
	KUNIT_EXPECT_EQ(test, drm_virt_pm_stall_ms(), 500);
	vpm_mock_set_stall_ms(test, 20);
	KUNIT_EXPECT_EQ(test, drm_virt_pm_stall_ms(), 20);
}

static void drm_virt_pm_test_notifier_check_again(struct kunit *test)
{
	struct two_mocks *mocks = test->priv;
	struct drm_virt_pm *vpm = &mocks->a->base;

	/* With tasks frozen the question is asked again, of this device only. */
	KUNIT_ASSERT_EQ(test, drm_virt_pm_notify(PM_HIBERNATION_PREPARE), 0);
	KUNIT_EXPECT_EQ(test, drm_virt_pm_check(vpm), 0);
	mocks->a->check_ret = -EBUSY;
	mocks->a->why = "too late";
	KUNIT_EXPECT_EQ(test, drm_virt_pm_check(vpm), -EBUSY);
	KUNIT_EXPECT_STREQ(test, vpm->refusal, "hibernate: too late (-16)");
	VPM_MOCK_EXPECT_LOG(mocks->b, "check:hibernate reserve");

	/* without a transition, too: nobody announces a Xen suspend */
	KUNIT_ASSERT_EQ(test, drm_virt_pm_notify(PM_POST_HIBERNATION), 0);
	KUNIT_EXPECT_EQ(test, drm_virt_pm_check(vpm), -EBUSY);
	KUNIT_EXPECT_STREQ(test, vpm->refusal, "none: too late (-16)");
}

static void drm_virt_pm_test_notifier_no_check(struct kunit *test)
{
	static const struct drm_virt_pm_ops ops;
	struct vpm_mock *mock = vpm_mock_create_with(test, "easy", &ops, NULL, 0);

	/* A driver without objections has no callback. */
	KUNIT_EXPECT_EQ(test, drm_virt_pm_notify(PM_HIBERNATION_PREPARE), 0);
	KUNIT_EXPECT_EQ(test, drm_virt_pm_check(&mock->base), 0);
}

static void drm_virt_pm_test_notifier_long_reason(struct kunit *test)
{
	struct two_mocks *mocks = test->priv;
	char reason[300];

	/* A reason that is too long is cut, wherever it comes from. */
	memset(reason, 'x', sizeof(reason) - 1);
	reason[sizeof(reason) - 1] = '\0';
	mocks->a->check_ret = -EBUSY;
	mocks->a->why = reason;
	KUNIT_EXPECT_EQ(test, drm_virt_pm_check(&mocks->a->base), -EBUSY);
	KUNIT_EXPECT_LT(test, strlen(mocks->a->base.refusal),
			sizeof(mocks->a->base.refusal));

	drm_virt_pm_refuse(&mocks->b->base, -EBUSY, reason);
	KUNIT_EXPECT_LT(test, strlen(mocks->b->base.refusal),
			sizeof(mocks->b->base.refusal));
}

static void remove_partner(struct vpm_mock *mock)
{
	vpm_mock_fini(mock->partner);
}

static void drm_virt_pm_test_notifier_device_goes(struct kunit *test)
{
	struct two_mocks *mocks = test->priv;
	struct vpm_mock *c = vpm_mock_create(test, "mock-c");

	/* A device that goes while others are asked is not asked any more. */
	mocks->a->partner = mocks->b;
	mocks->a->in_check = remove_partner;
	KUNIT_EXPECT_EQ(test, drm_virt_pm_check(&c->base), 0);
	vpm_mock_log_clear(c);
	KUNIT_EXPECT_EQ(test, drm_virt_pm_notify(PM_HIBERNATION_PREPARE), 0);
	VPM_MOCK_EXPECT_LOG(mocks->b, "");
	VPM_MOCK_EXPECT_LOG(c, "check:hibernate reserve");
}

static void add_partner(struct vpm_mock *mock)
{
	mock->in_check = NULL;
	mock->partner = vpm_mock_create(mock->test, "mock-new");
}

static void drm_virt_pm_test_notifier_device_comes(struct kunit *test)
{
	struct two_mocks *mocks = test->priv;

	/* One that comes meanwhile is asked, too, and nobody is asked twice. */
	mocks->a->in_check = add_partner;
	KUNIT_EXPECT_EQ(test, drm_virt_pm_notify(PM_HIBERNATION_PREPARE), 0);
	VPM_MOCK_EXPECT_LOG(mocks->a, "check:hibernate reserve");
	VPM_MOCK_EXPECT_LOG(mocks->b, "check:hibernate reserve");
	KUNIT_ASSERT_NOT_NULL(test, mocks->a->partner);
	VPM_MOCK_EXPECT_LOG((struct vpm_mock *)mocks->a->partner,
			    "check:hibernate reserve");
}

static int check_all(struct vpm_mock_task *task)
{
	return drm_virt_pm_notify(PM_HIBERNATION_PREPARE);
}

static int unbind(struct vpm_mock_task *task)
{
	struct vpm_mock *mock = task->arg;

	drm_virt_pm_fini(&mock->base);
	vpm_mock_log(mock, "gone");

	return 0;
}

static void drm_virt_pm_test_notifier_unbind_waits(struct kunit *test)
{
	struct two_mocks *mocks = test->priv;
	struct vpm_mock_task *notifier, *driver;
	struct vpm_mock *mock = mocks->a;

	/* A driver is unbound after the last of its callbacks, not before. */
	mock->hold = true;
	notifier = vpm_mock_task_start(mock, check_all, NULL);
	VPM_MOCK_AWAIT(test, READ_ONCE(mock->log[0]));
	driver = vpm_mock_task_start(mock, unbind, mock);
	VPM_MOCK_AWAIT(test, list_empty_careful(&mock->base.node));
	usleep_range(1000, 2000);
	KUNIT_EXPECT_TRUE(test, vpm_mock_task_runs(driver));

	vpm_mock_let_go(mock);
	KUNIT_EXPECT_EQ(test, vpm_mock_task_result(notifier), 0);
	KUNIT_EXPECT_EQ(test, vpm_mock_task_result(driver), 0);
	VPM_MOCK_EXPECT_LOG(mock, "check:hibernate gone");
}

static void drm_virt_pm_test_notifier_exporter(struct kunit *test)
{
	struct two_mocks *mocks = test->priv;
	struct dma_buf *buf, *unknown;

	/* An exporter is ready while it runs; an unknown one always is. */
	buf = kunit_kzalloc(test, sizeof(*buf), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, buf);
	unknown = kunit_kzalloc(test, sizeof(*unknown), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, unknown);
	mocks->b->owned = buf;
	KUNIT_EXPECT_TRUE(test, drm_virt_pm_exporter_ready(buf));

	KUNIT_ASSERT_EQ(test, vpm_mock_suspend(mocks->b), 0);
	KUNIT_EXPECT_FALSE(test, drm_virt_pm_exporter_ready(buf));
	KUNIT_EXPECT_TRUE(test, drm_virt_pm_exporter_ready(unknown));

	KUNIT_ASSERT_EQ(test, vpm_mock_resume(mocks->b), 0);
	KUNIT_EXPECT_TRUE(test, drm_virt_pm_exporter_ready(buf));

	drm_virt_pm_device_lost(&mocks->b->base, "tested");
	KUNIT_EXPECT_FALSE(test, drm_virt_pm_exporter_ready(buf));
}

static struct kunit_case drm_virt_pm_notifier_cases[] = {
	KUNIT_CASE_PARAM(drm_virt_pm_test_notifier_event, event_gen_params),
	KUNIT_CASE(drm_virt_pm_test_notifier_reserve),
	KUNIT_CASE(drm_virt_pm_test_notifier_all_refuse),
	KUNIT_CASE(drm_virt_pm_test_notifier_one_refuses),
	KUNIT_CASE(drm_virt_pm_test_notifier_no_memory),
	KUNIT_CASE(drm_virt_pm_test_notifier_lost),
	KUNIT_CASE(drm_virt_pm_test_notifier_restore),
	KUNIT_CASE(drm_virt_pm_test_notifier_stall_ms),
	KUNIT_CASE(drm_virt_pm_test_notifier_check_again),
	KUNIT_CASE(drm_virt_pm_test_notifier_no_check),
	KUNIT_CASE(drm_virt_pm_test_notifier_long_reason),
	KUNIT_CASE(drm_virt_pm_test_notifier_device_goes),
	KUNIT_CASE(drm_virt_pm_test_notifier_device_comes),
	KUNIT_CASE(drm_virt_pm_test_notifier_unbind_waits),
	KUNIT_CASE(drm_virt_pm_test_notifier_exporter),
	{}
};

static struct kunit_suite drm_virt_pm_notifier_suite = {
	.name = "drm_virt_pm_notifier",
	.init = notifier_test_init,
	.test_cases = drm_virt_pm_notifier_cases,
};

kunit_test_suite(drm_virt_pm_notifier_suite);
