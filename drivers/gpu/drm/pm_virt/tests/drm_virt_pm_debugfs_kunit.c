// SPDX-License-Identifier: GPL-2.0 OR MIT

/* The debugfs file. */

#include <linux/debugfs.h>
#include <linux/seq_file.h>
#include <linux/string.h>
#include <linux/suspend.h>

#include <drm/drm_debugfs.h>
#include <kunit/resource.h>

#include "drm_virt_pm_mock.h"

#define TEXT_SIZE	4096

static int debugfs_test_init(struct kunit *test)
{
	if (!IS_ENABLED(CONFIG_DEBUG_FS))
		kunit_skip(test, "no debugfs");

	return vpm_mock_test_init(test);
}

#ifdef CONFIG_DEBUG_FS
/* What the file says now */
static const char *show(struct vpm_mock *mock)
{
	struct drm_debugfs_entry entry = { .file.data = &mock->base };
	struct seq_file m = { .size = TEXT_SIZE, .private = &entry };

	m.buf = kunit_kzalloc(mock->test, TEXT_SIZE, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(mock->test, m.buf);
	KUNIT_EXPECT_EQ(mock->test, drm_virt_pm_debugfs_show(&m, NULL), 0);
	KUNIT_ASSERT_FALSE(mock->test, seq_has_overflowed(&m));

	return m.buf;
}
#else
static const char *show(struct vpm_mock *mock)
{
	return "";
}
#endif

/* Whether there is a line that begins so; their order does not matter */
static bool shows(struct vpm_mock *mock, const char *line)
{
	const char *text = show(mock);

	while (text && !strstarts(text, line)) {
		text = strchr(text, '\n');
		text = text ? text + 1 : NULL;
	}

	return text;
}

static void drm_virt_pm_test_debugfs_file(struct kunit *test)
{
	struct vpm_mock *mock = test->priv;
	struct dentry *file;

	/* The file is in the device's directory. */
	if (IS_ERR_OR_NULL(mock->drm.debugfs_root))
		kunit_skip(test, "no debugfs directory");
	file = debugfs_lookup("virt_pm", mock->drm.debugfs_root);
	KUNIT_EXPECT_NOT_NULL(test, file);
	dput(file);
}

static void drm_virt_pm_test_debugfs_fresh(struct kunit *test)
{
	struct vpm_mock *mock = test->priv;

	/* All keys are there from the beginning. */
	KUNIT_EXPECT_STREQ(test, show(mock),
			   "state: running\n"
			   "epoch: 1\n"
			   "failures: 0\n"
			   "objects: 0 tracked, 0 restored, 0 lost\n"
			   "refusal: none\n"
			   "suspend: possible\n"
			   "hibernate: possible\n"
			   "transition: none\n");
}

static void drm_virt_pm_test_debugfs_state(struct kunit *test)
{
	struct vpm_mock *mock = test->priv;

	/* The state, resets, and failures. */
	KUNIT_ASSERT_EQ(test, vpm_mock_suspend(mock), 0);
	KUNIT_EXPECT_TRUE(test, shows(mock, "state: down\n"));
	KUNIT_EXPECT_TRUE(test, shows(mock, "epoch: 2\n"));
	KUNIT_EXPECT_TRUE(test, shows(mock, "failures: 0\n"));
	mock->resume_failures = 1;
	KUNIT_ASSERT_EQ(test, vpm_mock_resume(mock), -EIO);
	KUNIT_EXPECT_TRUE(test, shows(mock, "state: down\n"));
	KUNIT_EXPECT_TRUE(test, shows(mock, "failures: 1\n"));
	vpm_mock_thaw(mock);
	KUNIT_EXPECT_TRUE(test, shows(mock, "state: running\n"));
	KUNIT_EXPECT_TRUE(test, shows(mock, "failures: 1\n"));
	KUNIT_ASSERT_EQ(test, vpm_mock_suspend(mock), 0);
	KUNIT_EXPECT_TRUE(test, shows(mock, "epoch: 3\n"));
	KUNIT_EXPECT_TRUE(test, shows(mock, "failures: 0\n"));
}

static void drm_virt_pm_test_debugfs_lost(struct kunit *test)
{
	struct vpm_mock *mock = test->priv;

	/* A lost device tells why. Its driver is not asked any more. */
	mock->check_ret = -EBUSY;
	drm_virt_pm_lose(&mock->base, "tested");
	KUNIT_EXPECT_TRUE(test, shows(mock, "state: lost (tested)\n"));
	KUNIT_EXPECT_TRUE(test, shows(mock, "suspend: possible\n"));
}

static void drm_virt_pm_test_debugfs_objects(struct kunit *test)
{
	struct vpm_mock *mock = test->priv;
	struct drm_virt_pm *vpm = &mock->base;
	struct vpm_mock_object *back;

	/* Objects are counted, and the one lost last is named. */
	back = vpm_mock_object_create(mock, 1);
	vpm_mock_object_create(mock, 2);
	drm_virt_pm_reset(vpm);
	KUNIT_ASSERT_EQ(test, drm_virt_pm_object_use(vpm, &back->base), 0);
	KUNIT_EXPECT_TRUE(test, shows(mock, "objects: 2 tracked, 1 restored, 0 lost\n"));
	drm_virt_pm_object_lose(vpm, &vpm_mock_object_create(mock, 33)->base,
				-ENOSPC);
	KUNIT_EXPECT_TRUE(test, shows(mock, "objects: 3 tracked, 1 restored, 1 lost (last: 33)\n"));
}

static void drm_virt_pm_test_debugfs_asks(struct kunit *test)
{
	struct vpm_mock *mock = test->priv;

	/*
	 * The driver is asked at the time of reading, about both. Nothing is
	 * noted as a refusal, and no transition is announced by that.
	 */
	mock->check_ret = -EBUSY;
	mock->why = "2 contexts with 3D work";
	KUNIT_EXPECT_TRUE(test, shows(mock, "suspend: refused: 2 contexts with 3D work\n"));
	VPM_MOCK_EXPECT_LOG(mock, "check:suspend check:hibernate");
	KUNIT_EXPECT_TRUE(test, shows(mock, "hibernate: refused: 2 contexts with 3D work\n"));
	KUNIT_EXPECT_TRUE(test, shows(mock, "refusal: none\n"));
	KUNIT_EXPECT_TRUE(test, shows(mock, "transition: none\n"));
	KUNIT_EXPECT_STREQ(test, mock->base.refusal, "");
	KUNIT_EXPECT_EQ(test, drm_virt_pm_get_transition(), DRM_VIRT_PM_NONE);

	mock->check_ret = 0;
	KUNIT_EXPECT_TRUE(test, shows(mock, "suspend: possible\n"));
	KUNIT_EXPECT_TRUE(test, shows(mock, "hibernate: possible\n"));
}

static void drm_virt_pm_test_debugfs_refusal(struct kunit *test)
{
	struct vpm_mock *mock = test->priv;

	/* The last refusal is kept. */
	drm_virt_pm_refuse(&mock->base, -EBUSY, "2 contexts with 3D work");
	KUNIT_EXPECT_TRUE(test, shows(mock, "refusal: suspend: 2 contexts with 3D work (-16)\n"));
	drm_virt_pm_refuse(&mock->base, -ETIMEDOUT, "the host does not answer");
	KUNIT_EXPECT_TRUE(test, shows(mock, "refusal: suspend: the host does not answer (-110)\n"));
}

static void end_transition(void *event)
{
	drm_virt_pm_notify((uintptr_t)event);
}

struct transition_param {
	unsigned long event;
	unsigned long post;
	const char *line;
};

static const struct transition_param transition_params[] = {
	{ PM_SUSPEND_PREPARE, PM_POST_SUSPEND, "transition: suspend\n" },
	{ PM_HIBERNATION_PREPARE, PM_POST_HIBERNATION, "transition: hibernate\n" },
	{ PM_RESTORE_PREPARE, PM_POST_RESTORE, "transition: restore\n" },
};

KUNIT_ARRAY_PARAM_DESC(transition, transition_params, line);

static void drm_virt_pm_test_debugfs_transition(struct kunit *test)
{
	const struct transition_param *param = test->param_value;
	struct vpm_mock *mock = test->priv;
	void *post = (void *)(uintptr_t)param->post;

	/* Each transition that is announced has a name. */
	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, end_transition, post));
	if (drm_virt_pm_notify(param->event))
		kunit_skip(test, "another device refuses");
	KUNIT_EXPECT_TRUE(test, shows(mock, param->line));
}

static struct kunit_case drm_virt_pm_debugfs_cases[] = {
	KUNIT_CASE(drm_virt_pm_test_debugfs_file),
	KUNIT_CASE(drm_virt_pm_test_debugfs_fresh),
	KUNIT_CASE(drm_virt_pm_test_debugfs_state),
	KUNIT_CASE(drm_virt_pm_test_debugfs_lost),
	KUNIT_CASE(drm_virt_pm_test_debugfs_objects),
	KUNIT_CASE(drm_virt_pm_test_debugfs_asks),
	KUNIT_CASE(drm_virt_pm_test_debugfs_refusal),
	KUNIT_CASE_PARAM(drm_virt_pm_test_debugfs_transition,
			 transition_gen_params),
	{}
};

static struct kunit_suite drm_virt_pm_debugfs_suite = {
	.name = "drm_virt_pm_debugfs",
	.init = debugfs_test_init,
	.test_cases = drm_virt_pm_debugfs_cases,
};

kunit_test_suite(drm_virt_pm_debugfs_suite);
