// SPDX-License-Identifier: GPL-2.0 OR MIT

/* The debugfs file: keys and values that scripts rely on. */

#include <linux/debugfs.h>
#include <linux/seq_file.h>
#include <linux/string.h>

#include <drm/drm_debugfs.h>

#include "drm_virt_pm_mock.h"

#define TEXT_SIZE	4096

static int debugfs_test_init(struct kunit *test)
{
	if (!IS_ENABLED(CONFIG_DEBUG_FS))
		kunit_skip(test, "no debugfs");

	return vpm_mock_test_init(test);
}

#ifdef CONFIG_DEBUG_FS
/* What the file says now. */
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

/* Whether there is a line that begins so; their order does not matter. */
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

	/* All keys are there from the beginning, save those of what happened. */
	KUNIT_EXPECT_STREQ(test, show(mock),
			   "state: running\n"
			   "epoch: 1\n"
			   "gate: open, 0 inside\n"
			   "objects: 0 tracked, 0 resident, 0 stale, 0 lost, 0 restored\n"
			   "reserve: 0 bytes, 0 used\n"
			   "transition: none\n"
			   "refusal: none\n");
}

static void drm_virt_pm_test_debugfs_walks(struct kunit *test)
{
	struct vpm_mock *mock = test->priv;
	const char *text;

	/* A suspend and a resume leave a line for each step, in their order. */
	mock->down_ret[VPM_MOCK_QUEUES] = -EIO;
	KUNIT_ASSERT_EQ(test, vpm_mock_suspend(mock), 0);
	KUNIT_EXPECT_TRUE(test, shows(mock, "state: down\n"));
	KUNIT_EXPECT_TRUE(test, shows(mock, "epoch: 2\n"));
	KUNIT_EXPECT_TRUE(test, shows(mock, "gate: closed, 0 inside\n"));
	KUNIT_EXPECT_TRUE(test, shows(mock, "suspend: gate down 0 "));
	KUNIT_EXPECT_TRUE(test, shows(mock, "suspend: queues down -5 "));
	KUNIT_EXPECT_FALSE(test, shows(mock, "resume: "));

	KUNIT_ASSERT_EQ(test, vpm_mock_resume(mock), 0);
	KUNIT_EXPECT_TRUE(test, shows(mock, "state: running\n"));
	text = strstr(show(mock), "\nresume: queues up 0 ");
	KUNIT_ASSERT_NOT_NULL(test, text);
	text = strstr(text, " us\n");
	KUNIT_ASSERT_NOT_NULL(test, text);
	KUNIT_EXPECT_TRUE(test, strstarts(text, " us\nresume: reset up 0 "));
}

static void show_inside(struct vpm_mock *mock)
{
	mock->seen[0] += shows(mock, "state: suspending\n");
	mock->seen[1] += shows(mock, "state: resuming\n");
}

static void drm_virt_pm_test_debugfs_under_way(struct kunit *test)
{
	struct vpm_mock *mock = test->priv;

	/* The states under way have names, too. */
	mock->in_step = show_inside;
	KUNIT_ASSERT_EQ(test, vpm_mock_suspend(mock), 0);
	KUNIT_ASSERT_EQ(test, vpm_mock_resume(mock), 0);
	KUNIT_EXPECT_EQ(test, mock->seen[0], VPM_MOCK_STEPS);
	KUNIT_EXPECT_EQ(test, mock->seen[1], VPM_MOCK_STEPS);
}

static void drm_virt_pm_test_debugfs_objects(struct kunit *test)
{
	static const char counts[] =
		"objects: 3 tracked, 1 resident, 2 stale, 1 lost, 1 restored\n";
	struct vpm_mock *mock = test->priv;
	struct drm_virt_pm *vpm = &mock->base;
	struct vpm_mock_object *back;

	/* Objects are counted by what became of them; the lost ones are named. */
	back = vpm_mock_object_create(mock, 1);
	vpm_mock_object_create(mock, 2);
	drm_virt_pm_object_lose(vpm, &vpm_mock_object_create(mock, 33)->base,
				-ENOSPC);
	drm_virt_pm_device_reset(vpm);
	KUNIT_ASSERT_EQ(test, drm_virt_pm_object_use(vpm, &back->base), 0);
	KUNIT_EXPECT_TRUE(test, shows(mock, counts));
	KUNIT_EXPECT_TRUE(test, shows(mock, "lost-object: 33 (-28)\n"));
}

static void drm_virt_pm_test_debugfs_refusal(struct kunit *test)
{
	struct vpm_mock *mock = test->priv;

	/* The last refusal is kept in words. */
	drm_virt_pm_refuse(&mock->base, -EBUSY, "2 contexts with 3D work");
	KUNIT_EXPECT_TRUE(test, shows(mock, "refusal: none: 2 contexts with 3D work (-16)\n"));
}

static void drm_virt_pm_test_debugfs_lost(struct kunit *test)
{
	struct vpm_mock *mock = test->priv;

	/* A lost device tells why. */
	drm_virt_pm_device_lost(&mock->base, "tested");
	KUNIT_EXPECT_TRUE(test, shows(mock, "state: lost (tested)\n"));
}

static void drm_virt_pm_test_debugfs_gate_reserve(struct kunit *test)
{
	struct vpm_mock *mock = test->priv;

	/* Who is inside and what is set aside can be seen. */
	mock->need[0] = 4096;
	KUNIT_ASSERT_EQ(test, drm_virt_pm_enter(&mock->base), 0);
	KUNIT_ASSERT_EQ(test, drm_virt_pm_reserve_fill(&mock->base), 0);
	KUNIT_EXPECT_TRUE(test, shows(mock, "gate: open, 1 inside\n"));
	KUNIT_EXPECT_TRUE(test, shows(mock, "reserve: 4096 bytes, 0 used\n"));
	drm_virt_pm_exit(&mock->base);
}

static struct kunit_case drm_virt_pm_debugfs_cases[] = {
	KUNIT_CASE(drm_virt_pm_test_debugfs_file),
	KUNIT_CASE(drm_virt_pm_test_debugfs_fresh),
	KUNIT_CASE(drm_virt_pm_test_debugfs_walks),
	KUNIT_CASE(drm_virt_pm_test_debugfs_under_way),
	KUNIT_CASE(drm_virt_pm_test_debugfs_objects),
	KUNIT_CASE(drm_virt_pm_test_debugfs_refusal),
	KUNIT_CASE(drm_virt_pm_test_debugfs_lost),
	KUNIT_CASE(drm_virt_pm_test_debugfs_gate_reserve),
	{}
};

static struct kunit_suite drm_virt_pm_debugfs_suite = {
	.name = "drm_virt_pm_debugfs",
	.init = debugfs_test_init,
	.test_cases = drm_virt_pm_debugfs_cases,
};

kunit_test_suite(drm_virt_pm_debugfs_suite);
