// SPDX-License-Identifier: GPL-2.0 OR MIT

/* Sequences: order, unwinding, the point of no return, optional steps, trail. */

#include "drm_virt_pm_mock.h"

static void expect_trail(struct kunit *test,
			 const struct drm_virt_pm_trail *trail,
			 unsigned int i, const char *name, bool up, int ret)
{
	KUNIT_ASSERT_LT(test, i, trail->count);
	KUNIT_EXPECT_STREQ(test, trail->entry[i].name, name);
	KUNIT_EXPECT_EQ(test, trail->entry[i].up, up);
	KUNIT_EXPECT_EQ(test, trail->entry[i].ret, ret);
	KUNIT_EXPECT_GE(test, trail->entry[i].us, 0);
}

static void drm_virt_pm_test_sequence_order(struct kunit *test)
{
	struct vpm_mock *mock = test->priv;

	/* Suspending walks the steps backwards, resuming forwards. */
	KUNIT_EXPECT_EQ(test, vpm_mock_suspend(mock), 0);
	VPM_MOCK_EXPECT_LOG(mock, "-kms -gate -reset -queues");

	KUNIT_EXPECT_EQ(test, vpm_mock_resume(mock), 0);
	VPM_MOCK_EXPECT_LOG(mock, "+queues +reset +gate +kms");
}

struct failure_param {
	const char *name;
	enum vpm_mock_step step;
	int err;
	int ret;
	enum drm_virt_pm_state state;
	const char *log;
};

/* Each step refuses to go down, before and after the point of no return. */
static const struct failure_param down_params[] = {
	{
		.name = "the first one",
		.step = VPM_MOCK_KMS,
		.err = -EBUSY,
		.ret = -EBUSY,
		.state = DRM_VIRT_PM_RUNNING,
		.log = "-kms!",
	},
	{
		.name = "the last one before the point of no return",
		.step = VPM_MOCK_GATE,
		.err = -ETIMEDOUT,
		.ret = -ETIMEDOUT,
		.state = DRM_VIRT_PM_RUNNING,
		.log = "-kms -gate! +kms",
	},
	{
		.name = "with -ENOMEM",
		.step = VPM_MOCK_GATE,
		.err = -ENOMEM,
		.ret = -ENOMEM,
		.state = DRM_VIRT_PM_RUNNING,
		.log = "-kms -gate! +kms",
	},
	{
		.name = "with -EIO",
		.step = VPM_MOCK_GATE,
		.err = -EIO,
		.ret = -EIO,
		.state = DRM_VIRT_PM_RUNNING,
		.log = "-kms -gate! +kms",
	},
	{
		.name = "the point of no return",
		.step = VPM_MOCK_RESET,
		.err = -EIO,
		.state = DRM_VIRT_PM_DOWN,
		.log = "-kms -gate -reset! -queues",
	},
	{
		.name = "one after it",
		.step = VPM_MOCK_QUEUES,
		.err = -ENOMEM,
		.state = DRM_VIRT_PM_DOWN,
		.log = "-kms -gate -reset -queues!",
	},
};

KUNIT_ARRAY_PARAM_DESC(down, down_params, name);

static void drm_virt_pm_test_sequence_down_fails(struct kunit *test)
{
	const struct failure_param *param = test->param_value;
	struct vpm_mock *mock = test->priv;

	/*
	 * A step that refuses ends the suspend with its error, and what went
	 * down before it comes up again, in the opposite order. From the point
	 * of no return on nothing refuses.
	 */
	mock->down_ret[param->step] = param->err;
	KUNIT_EXPECT_EQ(test, vpm_mock_suspend(mock), param->ret);
	VPM_MOCK_EXPECT_LOG(mock, param->log);
	KUNIT_EXPECT_EQ(test, mock->base.state, param->state);
	vpm_mock_run_later(mock);
	KUNIT_EXPECT_EQ(test, mock->base.state, param->state);
}

/* Each step fails to come up. */
static const struct failure_param up_params[] = {
	{
		.name = "the first one",
		.step = VPM_MOCK_QUEUES,
		.err = -ENOMEM,
		.ret = -ENOMEM,
		.state = DRM_VIRT_PM_LOST,
		.log = "+queues!",
	},
	{
		.name = "the second one",
		.step = VPM_MOCK_RESET,
		.err = -EIO,
		.ret = -EIO,
		.state = DRM_VIRT_PM_LOST,
		.log = "+queues +reset! -queues",
	},
	{
		.name = "the last fatal one",
		.step = VPM_MOCK_GATE,
		.err = -ENODEV,
		.ret = -ENODEV,
		.state = DRM_VIRT_PM_LOST,
		.log = "+queues +reset +gate! -reset -queues",
	},
	{
		.name = "an optional one",
		.step = VPM_MOCK_KMS,
		.err = -EINVAL,
		.state = DRM_VIRT_PM_RUNNING,
		.log = "+queues +reset +gate +kms!",
	},
};

KUNIT_ARRAY_PARAM_DESC(up, up_params, name);

static void drm_virt_pm_test_sequence_up_fails(struct kunit *test)
{
	const struct failure_param *param = test->param_value;
	struct vpm_mock *mock = test->priv;

	/*
	 * When a step does not come up, those that did go down again, last
	 * first, and the device is lost; unless the step is optional.
	 */
	KUNIT_ASSERT_EQ(test, vpm_mock_suspend(mock), 0);
	vpm_mock_log_clear(mock);

	mock->up_ret[param->step] = param->err;
	KUNIT_EXPECT_EQ(test, vpm_mock_resume(mock), param->ret);
	VPM_MOCK_EXPECT_LOG(mock, param->log);
	KUNIT_EXPECT_EQ(test, mock->base.state, param->state);
}

static int calls;

static int count_call(struct drm_virt_pm *vpm)
{
	calls++;
	return 0;
}

static int fail_call(struct drm_virt_pm *vpm)
{
	calls++;
	return -EBUSY;
}

static const struct drm_virt_pm_ops no_ops;

static void drm_virt_pm_test_sequence_undo_fails(struct kunit *test)
{
	static const struct drm_virt_pm_step steps[] = {
		{ .name = "refuses", .up = count_call, .down = fail_call },
		{ .name = "sticks", .up = fail_call, .down = count_call },
		{ .name = "fine", .up = count_call, .down = count_call },
	};
	struct vpm_mock *mock = vpm_mock_create_with(test, "sticks", &no_ops,
						     steps, ARRAY_SIZE(steps));
	const struct drm_virt_pm_trail *trail = &mock->base.last_down;

	/*
	 * A refused suspend that cannot be undone does not leave half a device
	 * that says it is running: it is lost, the suspend is refused.
	 */
	KUNIT_EXPECT_EQ(test, vpm_mock_suspend(mock), -EBUSY);
	KUNIT_EXPECT_TRUE(test, drm_virt_pm_is_lost(&mock->base));

	KUNIT_EXPECT_EQ(test, trail->count, 4);
	expect_trail(test, trail, 0, "fine", false, 0);
	expect_trail(test, trail, 1, "sticks", false, 0);
	expect_trail(test, trail, 2, "refuses", false, -EBUSY);
	expect_trail(test, trail, 3, "sticks", true, -EBUSY);
}

static void drm_virt_pm_test_sequence_undo_optional(struct kunit *test)
{
	struct vpm_mock *mock = test->priv;

	/* An optional step that does not come up while undoing is only noted. */
	mock->down_ret[VPM_MOCK_GATE] = -EBUSY;
	mock->up_ret[VPM_MOCK_KMS] = -EINVAL;
	KUNIT_EXPECT_EQ(test, vpm_mock_suspend(mock), -EBUSY);
	VPM_MOCK_EXPECT_LOG(mock, "-kms -gate! +kms!");
	KUNIT_EXPECT_EQ(test, mock->base.state, DRM_VIRT_PM_RUNNING);
}

static void drm_virt_pm_test_sequence_missing_callbacks(struct kunit *test)
{
	static const struct drm_virt_pm_step steps[] = {
		{ .name = "up", .up = count_call },
		{ .name = "nothing", .flags = DRM_VIRT_PM_STEP_FINAL },
		{ .name = "down", .down = count_call },
	};
	struct vpm_mock *mock = vpm_mock_create_with(test, "sparse", &no_ops,
						     steps, ARRAY_SIZE(steps));

	/* Callbacks that are missing are passed over and leave no trail. */
	calls = 0;
	KUNIT_EXPECT_EQ(test, vpm_mock_suspend(mock), 0);
	KUNIT_EXPECT_EQ(test, calls, 1);
	KUNIT_EXPECT_EQ(test, mock->base.last_down.count, 1);
	expect_trail(test, &mock->base.last_down, 0, "down", false, 0);

	KUNIT_EXPECT_EQ(test, vpm_mock_resume(mock), 0);
	KUNIT_EXPECT_EQ(test, calls, 2);
	KUNIT_EXPECT_EQ(test, mock->base.last_up.count, 1);
	expect_trail(test, &mock->base.last_up, 0, "up", true, 0);
}

static void drm_virt_pm_test_sequence_empty(struct kunit *test)
{
	struct vpm_mock *mock = vpm_mock_create_with(test, "empty", &no_ops,
						     NULL, 0);

	/* A driver that owns its order has no steps, but the states. */
	KUNIT_EXPECT_EQ(test, vpm_mock_suspend(mock), 0);
	KUNIT_EXPECT_EQ(test, mock->base.state, DRM_VIRT_PM_DOWN);
	KUNIT_EXPECT_EQ(test, vpm_mock_resume(mock), 0);
	KUNIT_EXPECT_EQ(test, mock->base.state, DRM_VIRT_PM_RUNNING);
}

static void drm_virt_pm_test_sequence_trail(struct kunit *test)
{
	struct vpm_mock *mock = test->priv;
	const struct drm_virt_pm_trail *trail = &mock->base.last_down;

	/* The trail has the last suspend with what was undone, no older one. */
	KUNIT_ASSERT_EQ(test, vpm_mock_suspend(mock), 0);
	KUNIT_ASSERT_EQ(test, vpm_mock_resume(mock), 0);
	mock->down_ret[VPM_MOCK_GATE] = -EBUSY;
	KUNIT_ASSERT_EQ(test, vpm_mock_suspend(mock), -EBUSY);

	KUNIT_EXPECT_EQ(test, trail->count, 3);
	expect_trail(test, trail, 0, "kms", false, 0);
	expect_trail(test, trail, 1, "gate", false, -EBUSY);
	expect_trail(test, trail, 2, "kms", true, 0);

	/* that of the last resume is another one */
	KUNIT_EXPECT_EQ(test, mock->base.last_up.count, VPM_MOCK_STEPS);
	expect_trail(test, &mock->base.last_up, 3, "kms", true, 0);
}

static void drm_virt_pm_test_sequence_longest(struct kunit *test)
{
	static struct drm_virt_pm_step steps[DRM_VIRT_PM_MAX_STEPS];
	struct vpm_mock *mock;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(steps); i++) {
		steps[i].name = "many";
		steps[i].up = count_call;
		steps[i].down = count_call;
	}
	/* down 16, up 15, the last of which fails, down 14 */
	steps[0].down = fail_call;
	steps[DRM_VIRT_PM_MAX_STEPS - 1].up = fail_call;
	mock = vpm_mock_create_with(test, "longest", &no_ops, steps,
				    ARRAY_SIZE(steps));

	/* The trail of the longest walk is cut, not overrun. */
	calls = 0;
	KUNIT_EXPECT_EQ(test, vpm_mock_suspend(mock), -EBUSY);
	KUNIT_EXPECT_EQ(test, calls, 16 + 15 + 14);
	KUNIT_EXPECT_EQ(test, mock->base.last_down.count,
			ARRAY_SIZE(mock->base.last_down.entry));
}

static struct kunit_case drm_virt_pm_sequence_cases[] = {
	KUNIT_CASE(drm_virt_pm_test_sequence_order),
	KUNIT_CASE_PARAM(drm_virt_pm_test_sequence_down_fails, down_gen_params),
	KUNIT_CASE_PARAM(drm_virt_pm_test_sequence_up_fails, up_gen_params),
	KUNIT_CASE(drm_virt_pm_test_sequence_undo_fails),
	KUNIT_CASE(drm_virt_pm_test_sequence_undo_optional),
	KUNIT_CASE(drm_virt_pm_test_sequence_missing_callbacks),
	KUNIT_CASE(drm_virt_pm_test_sequence_empty),
	KUNIT_CASE(drm_virt_pm_test_sequence_trail),
	KUNIT_CASE(drm_virt_pm_test_sequence_longest),
	{}
};

static struct kunit_suite drm_virt_pm_sequence_suite = {
	.name = "drm_virt_pm_sequence",
	.init = vpm_mock_test_init,
	.test_cases = drm_virt_pm_sequence_cases,
};

kunit_test_suite(drm_virt_pm_sequence_suite);
