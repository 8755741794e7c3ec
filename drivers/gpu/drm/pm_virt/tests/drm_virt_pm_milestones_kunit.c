// SPDX-License-Identifier: GPL-2.0 OR MIT

/* Milestones: points of a resume whose order the driver owns. */

#include "drm_virt_pm_mock.h"

enum { FIRMWARE, IRQ, MEMORY };

static const char * const names[] = {
	[FIRMWARE] = "firmware",
	[IRQ] = "irq",
	[MEMORY] = "memory",
};

static int milestones_test_init(struct kunit *test)
{
	struct vpm_mock *mock = vpm_mock_create(test, "mock");

	drm_virt_pm_milestones_init(&mock->base, names, ARRAY_SIZE(names));
	test->priv = &mock->base;

	return 0;
}

static void drm_virt_pm_test_milestones_in_order(struct kunit *test)
{
	struct drm_virt_pm *vpm = test->priv;

	/* What is reached in order can be required, and is in the trail. */
	drm_virt_pm_milestones_begin(vpm);
	KUNIT_EXPECT_EQ(test, drm_virt_pm_milestone_reach(vpm, FIRMWARE), 0);
	KUNIT_EXPECT_EQ(test, drm_virt_pm_milestone_require(vpm, FIRMWARE), 0);
	KUNIT_EXPECT_EQ(test, drm_virt_pm_milestone_reach(vpm, IRQ), 0);
	KUNIT_EXPECT_EQ(test, drm_virt_pm_milestone_reach(vpm, MEMORY), 0);
	KUNIT_EXPECT_EQ(test, drm_virt_pm_milestone_require(vpm, MEMORY), 0);
	drm_virt_pm_milestones_end(vpm);

	KUNIT_ASSERT_EQ(test, vpm->last_up.count, 3);
	KUNIT_EXPECT_STREQ(test, vpm->last_up.entry[0].name, "firmware");
	KUNIT_EXPECT_STREQ(test, vpm->last_up.entry[2].name, "memory");
	KUNIT_EXPECT_TRUE(test, vpm->last_up.entry[2].up);
	KUNIT_EXPECT_EQ(test, vpm->last_up.entry[2].ret, 0);
}

static void drm_virt_pm_test_milestones_out_of_order(struct kunit *test)
{
	struct drm_virt_pm *vpm = test->priv;

	/* One that comes too early is refused, noted, and not reached. */
	drm_virt_pm_milestones_begin(vpm);
	KUNIT_EXPECT_EQ(test, drm_virt_pm_milestone_reach(vpm, FIRMWARE), 0);
	KUNIT_EXPECT_EQ(test, drm_virt_pm_milestone_reach(vpm, MEMORY), -EPROTO);
	KUNIT_EXPECT_EQ(test, drm_virt_pm_milestone_require(vpm, MEMORY), -EPROTO);

	KUNIT_ASSERT_EQ(test, vpm->last_up.count, 2);
	KUNIT_EXPECT_STREQ(test, vpm->last_up.entry[1].name, "memory");
	KUNIT_EXPECT_EQ(test, vpm->last_up.entry[1].ret, -EPROTO);

	/* in order it is all right */
	KUNIT_EXPECT_EQ(test, drm_virt_pm_milestone_reach(vpm, IRQ), 0);
	KUNIT_EXPECT_EQ(test, drm_virt_pm_milestone_reach(vpm, MEMORY), 0);
	KUNIT_EXPECT_EQ(test, drm_virt_pm_milestone_require(vpm, MEMORY), 0);
}

static void drm_virt_pm_test_milestones_missing(struct kunit *test)
{
	struct drm_virt_pm *vpm = test->priv;

	/* Requiring what is not there refuses; the next in order is not there. */
	drm_virt_pm_milestones_begin(vpm);
	KUNIT_EXPECT_EQ(test, drm_virt_pm_milestone_require(vpm, FIRMWARE), -EPROTO);
	KUNIT_EXPECT_EQ(test, drm_virt_pm_milestone_reach(vpm, FIRMWARE), 0);
	KUNIT_EXPECT_EQ(test, drm_virt_pm_milestone_require(vpm, IRQ), -EPROTO);
	KUNIT_EXPECT_EQ(test, drm_virt_pm_milestone_require(vpm, MEMORY), -EPROTO);
}

static void drm_virt_pm_test_milestones_again(struct kunit *test)
{
	struct drm_virt_pm *vpm = test->priv;

	/* Phases are retried: what was reached before is no error, and noted once. */
	drm_virt_pm_milestones_begin(vpm);
	KUNIT_EXPECT_EQ(test, drm_virt_pm_milestone_reach(vpm, FIRMWARE), 0);
	KUNIT_EXPECT_EQ(test, drm_virt_pm_milestone_reach(vpm, IRQ), 0);
	KUNIT_EXPECT_EQ(test, drm_virt_pm_milestone_reach(vpm, FIRMWARE), 0);
	KUNIT_EXPECT_EQ(test, drm_virt_pm_milestone_require(vpm, IRQ), 0);
	KUNIT_EXPECT_EQ(test, vpm->last_up.count, 2);
}

static void drm_virt_pm_test_milestones_outside(struct kunit *test)
{
	struct drm_virt_pm *vpm = test->priv;

	/* Runtime PM and GPU resets pass the same code: all succeeds, no trail. */
	KUNIT_EXPECT_EQ(test, drm_virt_pm_milestone_reach(vpm, MEMORY), 0);
	KUNIT_EXPECT_EQ(test, drm_virt_pm_milestone_require(vpm, MEMORY), 0);

	drm_virt_pm_milestones_begin(vpm);
	KUNIT_EXPECT_EQ(test, drm_virt_pm_milestone_reach(vpm, FIRMWARE), 0);
	drm_virt_pm_milestones_end(vpm);

	KUNIT_EXPECT_EQ(test, drm_virt_pm_milestone_reach(vpm, MEMORY), 0);
	KUNIT_EXPECT_EQ(test, drm_virt_pm_milestone_require(vpm, MEMORY), 0);
	KUNIT_EXPECT_EQ(test, vpm->last_up.count, 1);
}

static void drm_virt_pm_test_milestones_anew(struct kunit *test)
{
	struct drm_virt_pm *vpm = test->priv;

	/* The next resume starts from nothing, also when the last was cut short. */
	drm_virt_pm_milestones_begin(vpm);
	KUNIT_EXPECT_EQ(test, drm_virt_pm_milestone_reach(vpm, FIRMWARE), 0);
	drm_virt_pm_milestones_begin(vpm);
	KUNIT_EXPECT_EQ(test, vpm->last_up.count, 0);
	KUNIT_EXPECT_EQ(test, drm_virt_pm_milestone_require(vpm, FIRMWARE), -EPROTO);
}

static struct kunit_case drm_virt_pm_milestones_cases[] = {
	KUNIT_CASE(drm_virt_pm_test_milestones_in_order),
	KUNIT_CASE(drm_virt_pm_test_milestones_out_of_order),
	KUNIT_CASE(drm_virt_pm_test_milestones_missing),
	KUNIT_CASE(drm_virt_pm_test_milestones_again),
	KUNIT_CASE(drm_virt_pm_test_milestones_outside),
	KUNIT_CASE(drm_virt_pm_test_milestones_anew),
	{}
};

static struct kunit_suite drm_virt_pm_milestones_suite = {
	.name = "drm_virt_pm_milestones",
	.init = milestones_test_init,
	.test_cases = drm_virt_pm_milestones_cases,
};

kunit_test_suite(drm_virt_pm_milestones_suite);
