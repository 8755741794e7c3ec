// SPDX-License-Identifier: GPL-2.0 OR MIT

/* The example of the documentation does what the page says of it. */

#include <linux/device.h>
#include <linux/err.h>
#include <linux/suspend.h>

#include <drm/drm_kunit_helpers.h>
#include <kunit/device.h>
#include <kunit/resource.h>

#include "drm_virt_pm_example.h"
#include "drm_virt_pm_mock.h"

static void remove(void *toy)
{
	toy_remove(toy);
}

static int example_init(struct kunit *test)
{
	struct device *dev;
	struct toy *toy;

	dev = kunit_device_register(test, "toy");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dev);
	toy = drm_kunit_helper_alloc_drm_device_with_driver(test, dev,
							    struct toy, drm,
							    &toy_driver);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, toy);
	KUNIT_ASSERT_EQ(test, toy_probe(toy), 0);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, remove, toy), 0);

	test->priv = toy;
	return 0;
}

/* As the PM core; the work leaves a suspended device to it */
static int call(struct toy *toy, int (*callback)(struct device *dev))
{
	struct device *dev = toy->drm.dev;
	int ret;

	device_lock(dev);
	ret = callback(dev);
	dev->power.is_suspended = toy->pm.state == DRM_VIRT_PM_DOWN;
	device_unlock(dev);

	return ret;
}

/* The PM core is through, and tasks run again */
static void thaw(struct toy *toy)
{
	device_lock(toy->drm.dev);
	toy->drm.dev->power.is_suspended = false;
	device_unlock(toy->drm.dev);
	flush_delayed_work(&toy->pm.work);
	flush_delayed_work(&toy->pm.work);
}

static void free_buffer(void *buffer)
{
	toy_buffer_free(buffer);
}

static struct toy_buffer *create(struct kunit *test, u32 id, u32 pixels)
{
	struct toy_buffer *buffer = toy_buffer_create(test->priv, id, pixels);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, buffer);
	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, free_buffer, buffer));
	return buffer;
}

static u32 screen(struct toy *toy)
{
	flush_work(&toy->host_work);
	return toy->host.screen;
}

static void drm_virt_pm_test_example_hibernation(struct kunit *test)
{
	struct toy *toy = test->priv;
	struct toy_buffer *shown = create(test, 1, 0x111111);
	struct toy_buffer *other = create(test, 2, 0x222222);

	KUNIT_ASSERT_EQ(test, toy_buffer_show_wait(other), 0);
	KUNIT_ASSERT_EQ(test, toy_buffer_show_wait(shown), 0);
	KUNIT_ASSERT_EQ(test, screen(toy), 0x111111);

	/* The screen comes back by itself, twice. The other buffer does not. */
	KUNIT_EXPECT_EQ(test, call(toy, toy_dev_pm_ops.freeze), 0);
	KUNIT_EXPECT_EQ(test, screen(toy), 0);
	KUNIT_EXPECT_EQ(test, call(toy, toy_dev_pm_ops.thaw), 0);
	KUNIT_EXPECT_EQ(test, screen(toy), 0x111111);
	KUNIT_EXPECT_EQ(test, call(toy, toy_dev_pm_ops.poweroff), 0);
	KUNIT_EXPECT_EQ(test, screen(toy), 0);
	KUNIT_EXPECT_EQ(test, call(toy, toy_dev_pm_ops.restore), 0);
	KUNIT_EXPECT_EQ(test, screen(toy), 0x111111);
	KUNIT_EXPECT_FALSE(test, toy->host.known[2]);

	/* It is created again when it is used. */
	KUNIT_EXPECT_EQ(test, toy_buffer_show_wait(other), 0);
	KUNIT_EXPECT_EQ(test, screen(toy), 0x222222);
	KUNIT_EXPECT_EQ(test, toy->host.errors, 0);
}

static void drm_virt_pm_test_example_free(struct kunit *test)
{
	struct toy *toy = test->priv;
	struct toy_buffer *buffer = create(test, 1, 0x111111);
	unsigned int commands;

	/* The host is not told of a buffer that it has forgotten. */
	KUNIT_ASSERT_EQ(test, toy_buffer_show_wait(buffer), 0);
	KUNIT_ASSERT_EQ(test, call(toy, toy_dev_pm_ops.suspend), 0);
	toy->shown = NULL;
	KUNIT_ASSERT_EQ(test, call(toy, toy_dev_pm_ops.resume), 0);
	commands = toy->host.commands;
	kunit_release_action(test, free_buffer, buffer);
	toy->queue.ops->kick(&toy->queue);
	screen(toy);
	KUNIT_EXPECT_EQ(test, toy->host.commands, commands);
	KUNIT_EXPECT_EQ(test, toy->host.errors, 0);
}

static void drm_virt_pm_test_example_refused(struct kunit *test)
{
	struct toy *toy = test->priv;
	struct toy_buffer *shown = create(test, 1, 0x111111);

	/* A refusal says why and changes nothing. */
	KUNIT_ASSERT_EQ(test, toy_buffer_show_wait(shown), 0);
	toy->decoders = 2;
	KUNIT_EXPECT_EQ(test, call(toy, toy_dev_pm_ops.freeze), -EBUSY);
	KUNIT_EXPECT_STREQ(test, toy->pm.refusal,
			   "suspend: 2 video decoders (-16)");
	KUNIT_EXPECT_EQ(test, screen(toy), 0x111111);
	KUNIT_EXPECT_EQ(test, toy->pm.epoch, 1);

	toy->decoders = 0;
	KUNIT_EXPECT_EQ(test, call(toy, toy_dev_pm_ops.freeze), 0);
	KUNIT_EXPECT_EQ(test, call(toy, toy_dev_pm_ops.restore), 0);
	KUNIT_EXPECT_EQ(test, screen(toy), 0x111111);
}

static void drm_virt_pm_test_example_hang(struct kunit *test)
{
	struct toy *toy = test->priv;
	struct toy_buffer *shown;

	/*
	 * A host that hangs refuses as well, whether or not something is queued.
	 * Later it answers again.
	 */
	vpm_mock_set_stall_ms(test, 20);
	toy->host.hangs = true;
	shown = create(test, 1, 0x111111);
	KUNIT_ASSERT_EQ(test, call(toy, toy_dev_pm_ops.freeze), -ETIMEDOUT);
	KUNIT_ASSERT_EQ(test, toy_buffer_show_wait(shown), 0);
	KUNIT_EXPECT_EQ(test, call(toy, toy_dev_pm_ops.freeze), -ETIMEDOUT);
	KUNIT_EXPECT_STREQ(test, toy->pm.refusal,
			   "suspend: the host does not answer (-110)");
	KUNIT_EXPECT_EQ(test, toy->pm.epoch, 1);

	toy->host.hangs = false;
	KUNIT_EXPECT_EQ(test, call(toy, toy_dev_pm_ops.freeze), 0);
	KUNIT_EXPECT_EQ(test, call(toy, toy_dev_pm_ops.restore), 0);
	KUNIT_EXPECT_EQ(test, screen(toy), 0x111111);
	KUNIT_EXPECT_EQ(test, toy->host.errors, 0);
}

static void end_restore(void *unused)
{
	drm_virt_pm_notify(PM_POST_RESTORE);
}

static void drm_virt_pm_test_example_image(struct kunit *test)
{
	struct toy *toy = test->priv;
	struct toy_buffer *shown = create(test, 1, 0x111111);

	/* On the way into an image the reset answers a hang. KMS needs no state. */
	vpm_mock_set_stall_ms(test, 20);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, end_restore, NULL), 0);
	KUNIT_ASSERT_EQ(test, drm_virt_pm_notify(PM_RESTORE_PREPARE), 0);
	toy->host.hangs = true;
	KUNIT_ASSERT_EQ(test, toy_buffer_show_wait(shown), 0);
	KUNIT_EXPECT_EQ(test, call(toy, toy_dev_pm_ops.freeze), 0);
	KUNIT_EXPECT_STREQ(test, toy->pm.refusal, "");
	KUNIT_EXPECT_EQ(test, toy->pm.epoch, 2);

	toy->host.hangs = false;
	drm_virt_pm_kms_forget(&toy->pm);
	KUNIT_EXPECT_EQ(test, call(toy, toy_dev_pm_ops.restore), 0);
	KUNIT_EXPECT_EQ(test, screen(toy), 0x111111);
	KUNIT_EXPECT_EQ(test, toy->host.errors, 0);
}

static void drm_virt_pm_test_example_second_try(struct kunit *test)
{
	struct toy *toy = test->priv;
	struct toy_buffer *shown = create(test, 1, 0x111111);

	/* A resume that fails once costs only time. */
	KUNIT_ASSERT_EQ(test, toy_buffer_show_wait(shown), 0);
	KUNIT_ASSERT_EQ(test, call(toy, toy_dev_pm_ops.freeze), 0);
	toy->host.failing_starts = 1;
	KUNIT_EXPECT_EQ(test, call(toy, toy_dev_pm_ops.restore), -EIO);
	KUNIT_EXPECT_EQ(test, screen(toy), 0);
	thaw(toy);
	KUNIT_EXPECT_EQ(test, screen(toy), 0x111111);
	KUNIT_EXPECT_EQ(test, toy_buffer_show_wait(shown), 0);
	KUNIT_EXPECT_EQ(test, toy->host.errors, 0);
}

static void drm_virt_pm_test_example_lost(struct kunit *test)
{
	struct toy *toy = test->priv;
	struct toy_buffer *shown = create(test, 1, 0x111111);

	/* A device that does not come back is unplugged. */
	KUNIT_ASSERT_EQ(test, toy_buffer_show_wait(shown), 0);
	KUNIT_ASSERT_EQ(test, call(toy, toy_dev_pm_ops.freeze), 0);
	toy->host.failing_starts = 2;
	KUNIT_EXPECT_EQ(test, call(toy, toy_dev_pm_ops.restore), -EIO);
	thaw(toy);
	KUNIT_EXPECT_TRUE(test, drm_dev_is_unplugged(&toy->drm));
	KUNIT_EXPECT_EQ(test, toy_buffer_show_wait(shown), -ENODEV);
	KUNIT_EXPECT_EQ(test, call(toy, toy_dev_pm_ops.freeze), 0);
	KUNIT_EXPECT_EQ(test, call(toy, toy_dev_pm_ops.restore), 0);
}

static struct kunit_case drm_virt_pm_example_cases[] = {
	KUNIT_CASE(drm_virt_pm_test_example_hibernation),
	KUNIT_CASE(drm_virt_pm_test_example_free),
	KUNIT_CASE(drm_virt_pm_test_example_refused),
	KUNIT_CASE(drm_virt_pm_test_example_hang),
	KUNIT_CASE(drm_virt_pm_test_example_image),
	KUNIT_CASE(drm_virt_pm_test_example_second_try),
	KUNIT_CASE(drm_virt_pm_test_example_lost),
	{}
};

static struct kunit_suite drm_virt_pm_example_suite = {
	.name = "drm_virt_pm_example",
	.init = example_init,
	.test_cases = drm_virt_pm_example_cases,
};

kunit_test_suite(drm_virt_pm_example_suite);
