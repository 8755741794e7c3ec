// SPDX-License-Identifier: GPL-2.0 OR MIT

/* Transitions and refusals: several devices, one notifier. */

#include <linux/moduleparam.h>
#include <linux/seq_buf.h>
#include <linux/suspend.h>

#include <kunit/resource.h>

#include "drm_virt_pm_mock.h"

struct two_mocks {
	struct vpm_mock *a;
	struct vpm_mock *b;
};

static void end_transitions(void *unused)
{
	drm_virt_pm_notify(PM_POST_SUSPEND);
	drm_virt_pm_notify(PM_POST_HIBERNATION);
	drm_virt_pm_notify(PM_POST_RESTORE);
}

static int check_test_init(struct kunit *test)
{
	struct two_mocks *mocks;
	int ret;

	/* The machine's own devices are asked as well. */
	ret = drm_virt_pm_notify(PM_HIBERNATION_PREPARE);
	end_transitions(NULL);
	if (ret)
		kunit_skip(test, "another device refuses");

	mocks = kunit_kzalloc(test, sizeof(*mocks), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, mocks);
	mocks->a = vpm_mock_create(test, "mock-a");
	mocks->b = vpm_mock_create(test, "mock-b");
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, end_transitions,
							   NULL));
	test->priv = mocks;

	return 0;
}

struct event_param {
	const char *name;
	unsigned long event;
	unsigned long post;
	enum drm_virt_pm_transition transition;
	const char *log;
};

static const struct event_param event_params[] = {
	{
		.name = "hibernate",
		.event = PM_HIBERNATION_PREPARE,
		.post = PM_POST_HIBERNATION,
		.transition = DRM_VIRT_PM_HIBERNATE,
		.log = "check:hibernate",
	},
	{
		.name = "suspend",
		.event = PM_SUSPEND_PREPARE,
		.post = PM_POST_SUSPEND,
		.transition = DRM_VIRT_PM_SUSPEND,
		.log = "check:suspend",
	},
	{
		.name = "restore",
		.event = PM_RESTORE_PREPARE,
		.post = PM_POST_RESTORE,
		.transition = DRM_VIRT_PM_RESTORE,
		.log = "",
	},
	{
		.name = "POST_HIBERNATION without PREPARE",
		.event = PM_POST_HIBERNATION,
		.post = PM_POST_HIBERNATION,
		.transition = DRM_VIRT_PM_NONE,
		.log = "",
	},
	{
		.name = "POST_SUSPEND without PREPARE",
		.event = PM_POST_SUSPEND,
		.post = PM_POST_SUSPEND,
		.transition = DRM_VIRT_PM_NONE,
		.log = "",
	},
	{
		.name = "POST_RESTORE without PREPARE",
		.event = PM_POST_RESTORE,
		.post = PM_POST_RESTORE,
		.transition = DRM_VIRT_PM_NONE,
		.log = "",
	},
	{
		.name = "an unknown event",
		.event = 0x4711,
		.post = 0x4712,
		.transition = DRM_VIRT_PM_NONE,
		.log = "",
	},
};

KUNIT_ARRAY_PARAM_DESC(event, event_params, name);

static void drm_virt_pm_test_check_event(struct kunit *test)
{
	const struct event_param *param = test->param_value;
	struct two_mocks *mocks = test->priv;

	/* Each event announces its transition; a suspend may be refused. */
	KUNIT_EXPECT_EQ(test, drm_virt_pm_notify(param->event), 0);
	KUNIT_EXPECT_EQ(test, drm_virt_pm_get_transition(), param->transition);
	VPM_MOCK_EXPECT_LOG(mocks->a, param->log);
	VPM_MOCK_EXPECT_LOG(mocks->b, param->log);

	/* its POST event ends it */
	KUNIT_EXPECT_EQ(test, drm_virt_pm_notify(param->post), 0);
	KUNIT_EXPECT_EQ(test, drm_virt_pm_get_transition(), DRM_VIRT_PM_NONE);
	VPM_MOCK_EXPECT_LOG(mocks->a, "");
}

static void drm_virt_pm_test_check_nested(struct kunit *test)
{
	static const struct event_param *outer[] = {
		&event_params[0], &event_params[2],
	};
	struct two_mocks *mocks = test->priv;
	unsigned int i;

	/*
	 * A task that holds /dev/snapshot open has announced a hibernation or a
	 * restore. The system is suspended to RAM meanwhile, and once that is
	 * refused.
	 */
	for (i = 0; i < ARRAY_SIZE(outer); i++) {
		KUNIT_EXPECT_EQ(test, drm_virt_pm_notify(outer[i]->event), 0);
		vpm_mock_log_clear(mocks->a);

		KUNIT_EXPECT_EQ(test, drm_virt_pm_notify(PM_SUSPEND_PREPARE), 0);
		KUNIT_EXPECT_EQ(test, drm_virt_pm_get_transition(),
				DRM_VIRT_PM_SUSPEND);
		VPM_MOCK_EXPECT_LOG(mocks->a, "check:suspend");
		KUNIT_EXPECT_EQ(test, drm_virt_pm_notify(PM_POST_SUSPEND), 0);
		KUNIT_EXPECT_EQ(test, drm_virt_pm_get_transition(),
				outer[i]->transition);

		mocks->a->check_ret = -EBUSY;
		KUNIT_EXPECT_EQ(test, drm_virt_pm_notify(PM_SUSPEND_PREPARE),
				-EBUSY);
		KUNIT_EXPECT_EQ(test, drm_virt_pm_get_transition(),
				outer[i]->transition);
		mocks->a->check_ret = 0;

		KUNIT_EXPECT_EQ(test, drm_virt_pm_notify(outer[i]->post), 0);
		KUNIT_EXPECT_EQ(test, drm_virt_pm_get_transition(),
				DRM_VIRT_PM_NONE);
	}
}

static void drm_virt_pm_test_check_all_refuse(struct kunit *test)
{
	struct two_mocks *mocks = test->priv;

	/*
	 * All devices are asked, and each refusal is logged with its reason. The
	 * error is that of the first. There is no POST event after a refusal, so
	 * the transition is over.
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

static void drm_virt_pm_test_check_one_refuses(struct kunit *test)
{
	struct two_mocks *mocks = test->priv;

	/* The refusal of the last one counts, and is not noted at the others. */
	mocks->b->check_ret = -EBUSY;
	KUNIT_EXPECT_EQ(test, drm_virt_pm_notify(PM_SUSPEND_PREPARE), -EBUSY);
	KUNIT_EXPECT_STREQ(test, mocks->a->base.refusal, "");
	KUNIT_EXPECT_STREQ(test, mocks->b->base.refusal,
			   "suspend: no reason given (-16)");

	/* the next transition is a new question */
	mocks->b->check_ret = 0;
	KUNIT_EXPECT_EQ(test, drm_virt_pm_notify(PM_SUSPEND_PREPARE), 0);
}

static void drm_virt_pm_test_check_lost(struct kunit *test)
{
	struct two_mocks *mocks = test->priv;

	/* A lost device is not asked. The others are. */
	mocks->a->check_ret = -EBUSY;
	drm_virt_pm_lose(&mocks->a->base, "tested");
	vpm_mock_run_work(mocks->a);
	vpm_mock_log_clear(mocks->a);

	KUNIT_EXPECT_EQ(test, drm_virt_pm_notify(PM_HIBERNATION_PREPARE), 0);
	KUNIT_EXPECT_EQ(test, drm_virt_pm_check(&mocks->a->base), 0);
	VPM_MOCK_EXPECT_LOG(mocks->a, "");
	VPM_MOCK_EXPECT_LOG(mocks->b, "check:hibernate");

	mocks->b->check_ret = -EPERM;
	KUNIT_EXPECT_EQ(test, drm_virt_pm_notify(PM_HIBERNATION_PREPARE), -EPERM);
}

static void drm_virt_pm_test_check_restore(struct kunit *test)
{
	struct two_mocks *mocks = test->priv;

	/*
	 * When the boot kernel is about to jump into an image, nothing is
	 * refused, neither by the notifier nor in the suspend that follows.
	 */
	mocks->a->check_ret = -EBUSY;
	KUNIT_EXPECT_EQ(test, drm_virt_pm_notify(PM_RESTORE_PREPARE), 0);
	KUNIT_EXPECT_EQ(test, drm_virt_pm_check(&mocks->a->base), 0);
	VPM_MOCK_EXPECT_LOG(mocks->a, "");
	VPM_MOCK_EXPECT_LOG(mocks->b, "");
	KUNIT_EXPECT_STREQ(test, mocks->a->base.refusal, "");
}

static void drm_virt_pm_test_check_stall_ms(struct kunit *test)
{
	/* The parameter is the limit, in the boot kernel at most 500 ms. */
	vpm_mock_set_stall_ms(test, 7000);
	KUNIT_EXPECT_EQ(test, drm_virt_pm_stall_ms(), 7000);
	drm_virt_pm_notify(PM_RESTORE_PREPARE);
	KUNIT_EXPECT_EQ(test, drm_virt_pm_stall_ms(), 500);
	vpm_mock_set_stall_ms(test, 20);
	KUNIT_EXPECT_EQ(test, drm_virt_pm_stall_ms(), 20);

	/* a suspend to RAM meanwhile has the usual limit */
	vpm_mock_set_stall_ms(test, 7000);
	drm_virt_pm_notify(PM_SUSPEND_PREPARE);
	KUNIT_EXPECT_EQ(test, drm_virt_pm_stall_ms(), 7000);
}

struct limit_param {
	const char *value;
	int ret;
};

static const struct limit_param limit_params[] = {
	{ "0", -EINVAL },
	{ "99", -EINVAL },
	{ "100", 0 },
	{ "60000", 0 },
	{ "60001", -EINVAL },
	{ "-1", -EINVAL },
	{ "long", -EINVAL },
};

KUNIT_ARRAY_PARAM_DESC(limit, limit_params, value);

static void drm_virt_pm_test_check_parameter(struct kunit *test)
{
	const struct limit_param *param = test->param_value;
	struct kernel_param kp = { .arg = &drm_virt_pm_drain_timeout_ms };
	char now[16];

	/* No value makes a wait spin or last for ever. */
	vpm_mock_set_stall_ms(test, 1234);
	KUNIT_EXPECT_EQ(test, drm_virt_pm_set_drain_timeout(param->value, &kp),
			param->ret);
	snprintf(now, sizeof(now), "%u", drm_virt_pm_drain_timeout_ms);
	KUNIT_EXPECT_STREQ(test, now, param->ret ? "1234" : param->value);
}

static void drm_virt_pm_test_check_again(struct kunit *test)
{
	struct two_mocks *mocks = test->priv;
	struct drm_virt_pm *vpm = &mocks->a->base;

	/* A suspend asks again, for its own device only. */
	KUNIT_ASSERT_EQ(test, drm_virt_pm_notify(PM_HIBERNATION_PREPARE), 0);
	KUNIT_EXPECT_EQ(test, drm_virt_pm_check(vpm), 0);
	mocks->a->check_ret = -EBUSY;
	mocks->a->why = "too late";
	KUNIT_EXPECT_EQ(test, drm_virt_pm_check(vpm), -EBUSY);
	KUNIT_EXPECT_STREQ(test, vpm->refusal, "hibernate: too late (-16)");
	VPM_MOCK_EXPECT_LOG(mocks->b, "check:hibernate");
	vpm_mock_log_clear(mocks->a);

	/* a Xen suspend is not announced */
	KUNIT_ASSERT_EQ(test, drm_virt_pm_notify(PM_POST_HIBERNATION), 0);
	KUNIT_EXPECT_EQ(test, drm_virt_pm_check(vpm), -EBUSY);
	VPM_MOCK_EXPECT_LOG(mocks->a, "check:none");
	KUNIT_EXPECT_STREQ(test, vpm->refusal, "suspend: too late (-16)");
}

static void drm_virt_pm_test_check_refuse(struct kunit *test)
{
	struct two_mocks *mocks = test->priv;
	struct drm_virt_pm *vpm = &mocks->a->base;

	/* A driver refuses for reasons of its own as well. */
	drm_virt_pm_notify(PM_SUSPEND_PREPARE);
	KUNIT_EXPECT_EQ(test, drm_virt_pm_refuse(vpm, -ETIMEDOUT,
						 "the host does not answer"),
			-ETIMEDOUT);
	KUNIT_EXPECT_STREQ(test, vpm->refusal,
			   "suspend: the host does not answer (-110)");
}

static void drm_virt_pm_test_check_no_callback(struct kunit *test)
{
	static const struct drm_virt_pm_ops ops;
	struct vpm_mock *mock = vpm_mock_create_with(test, "easy", &ops);

	/* A driver that can restore everything has no callback. */
	KUNIT_EXPECT_EQ(test, drm_virt_pm_notify(PM_HIBERNATION_PREPARE), 0);
	KUNIT_EXPECT_EQ(test, drm_virt_pm_check(&mock->base), 0);
}

static void drm_virt_pm_test_check_long_reason(struct kunit *test)
{
	struct two_mocks *mocks = test->priv;
	char reason[300];

	/* A long reason is cut, wherever it comes from. */
	memset(reason, 'x', sizeof(reason) - 1);
	reason[sizeof(reason) - 1] = '\0';
	drm_virt_pm_refuse(&mocks->b->base, -EBUSY, reason);
	KUNIT_EXPECT_EQ(test, strlen(mocks->b->base.refusal),
			sizeof(mocks->b->base.refusal) - 1);

	/* seq_buf_puts() leaves out what does not fit */
	mocks->a->check_ret = -EBUSY;
	mocks->a->why = reason;
	KUNIT_EXPECT_EQ(test, drm_virt_pm_check(&mocks->a->base), -EBUSY);
	KUNIT_EXPECT_STREQ(test, mocks->a->base.refusal,
			   "suspend: no reason given (-16)");

	/* the longest that fits leaves room for the errno */
	reason[sizeof(mocks->a->base.refusal) - 32 - 2] = '\0';
	KUNIT_EXPECT_EQ(test, drm_virt_pm_check(&mocks->a->base), -EBUSY);
	KUNIT_EXPECT_NOT_NULL(test, strstr(mocks->a->base.refusal, "xx (-16)"));
}

static int remove_partner(struct vpm_mock_task *task)
{
	struct vpm_mock *mock = task->arg;

	drm_virt_pm_unplug(&mock->base);
	vpm_mock_log(mock, "gone");

	return 0;
}

/* Another task unbinds the next device in the list while this one is asked */
static void unbind_partner(struct vpm_mock *mock)
{
	struct vpm_mock *partner = mock->partner;

	mock->in_check = NULL;
	mock->partner = vpm_mock_task_start(mock, remove_partner, partner);
	VPM_MOCK_AWAIT(mock->test, !READ_ONCE(partner->base.online) &&
		       vpm_mock_task_sleeps(mock->partner, TASK_UNINTERRUPTIBLE));
}

static void drm_virt_pm_test_check_device_goes(struct kunit *test)
{
	struct two_mocks *mocks = test->priv;
	struct vpm_mock *c = vpm_mock_create(test, "mock-c");

	/* The devices behind one that goes are asked all the same. */
	mocks->a->partner = mocks->b;
	mocks->a->in_check = unbind_partner;
	KUNIT_EXPECT_EQ(test, drm_virt_pm_notify(PM_HIBERNATION_PREPARE), 0);
	VPM_MOCK_EXPECT_LOG(c, "check:hibernate");
	KUNIT_EXPECT_EQ(test, vpm_mock_task_result(mocks->a->partner), 0);
	VPM_MOCK_EXPECT_LOG(mocks->b, "gone");

	/* and it is not asked from then on */
	KUNIT_EXPECT_EQ(test, drm_virt_pm_notify(PM_HIBERNATION_PREPARE), 0);
	VPM_MOCK_EXPECT_LOG(mocks->b, "");
}

static void add_partner(struct vpm_mock *mock)
{
	mock->in_check = NULL;
	mock->partner = vpm_mock_create(mock->test, "mock-new");
}

static void drm_virt_pm_test_check_device_comes(struct kunit *test)
{
	struct two_mocks *mocks = test->priv;

	/* One that is added meanwhile is asked too, and none is asked twice. */
	mocks->a->in_check = add_partner;
	KUNIT_EXPECT_EQ(test, drm_virt_pm_notify(PM_HIBERNATION_PREPARE), 0);
	VPM_MOCK_EXPECT_LOG(mocks->a, "check:hibernate");
	VPM_MOCK_EXPECT_LOG(mocks->b, "check:hibernate");
	KUNIT_ASSERT_NOT_NULL(test, mocks->a->partner);
	VPM_MOCK_EXPECT_LOG((struct vpm_mock *)mocks->a->partner,
			    "check:hibernate");
}

static int check_all(struct vpm_mock_task *task)
{
	return drm_virt_pm_notify(PM_HIBERNATION_PREPARE);
}

static void drm_virt_pm_test_check_unbind_waits(struct kunit *test)
{
	struct two_mocks *mocks = test->priv;
	struct vpm_mock_task *notifier, *driver;
	struct vpm_mock *mock = mocks->a;

	/* A driver that is unbound waits for the end of its callback. */
	mock->hold = true;
	notifier = vpm_mock_task_start(mock, check_all, NULL);
	VPM_MOCK_AWAIT(test, READ_ONCE(mock->log[0]));
	driver = vpm_mock_task_start(mock, remove_partner, mock);
	VPM_MOCK_AWAIT(test, !READ_ONCE(mock->base.online) &&
		       vpm_mock_task_sleeps(driver, TASK_UNINTERRUPTIBLE));
	usleep_range(10000, 20000);
	KUNIT_EXPECT_TRUE(test, vpm_mock_task_runs(driver));

	vpm_mock_let_go(mock);
	KUNIT_EXPECT_EQ(test, vpm_mock_task_result(notifier), 0);
	KUNIT_EXPECT_EQ(test, vpm_mock_task_result(driver), 0);
	VPM_MOCK_EXPECT_LOG(mock, "check:hibernate gone");
}

static struct kunit_case drm_virt_pm_check_cases[] = {
	KUNIT_CASE_PARAM(drm_virt_pm_test_check_event, event_gen_params),
	KUNIT_CASE(drm_virt_pm_test_check_nested),
	KUNIT_CASE(drm_virt_pm_test_check_all_refuse),
	KUNIT_CASE(drm_virt_pm_test_check_one_refuses),
	KUNIT_CASE(drm_virt_pm_test_check_lost),
	KUNIT_CASE(drm_virt_pm_test_check_restore),
	KUNIT_CASE(drm_virt_pm_test_check_stall_ms),
	KUNIT_CASE_PARAM(drm_virt_pm_test_check_parameter, limit_gen_params),
	KUNIT_CASE(drm_virt_pm_test_check_again),
	KUNIT_CASE(drm_virt_pm_test_check_refuse),
	KUNIT_CASE(drm_virt_pm_test_check_no_callback),
	KUNIT_CASE(drm_virt_pm_test_check_long_reason),
	KUNIT_CASE(drm_virt_pm_test_check_device_goes),
	KUNIT_CASE(drm_virt_pm_test_check_device_comes),
	KUNIT_CASE(drm_virt_pm_test_check_unbind_waits),
	{}
};

static struct kunit_suite drm_virt_pm_check_suite = {
	.name = "drm_virt_pm_check",
	.init = check_test_init,
	.test_cases = drm_virt_pm_check_cases,
};

kunit_test_suite(drm_virt_pm_check_suite);
