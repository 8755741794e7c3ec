// SPDX-License-Identifier: GPL-2.0-only
/*
 * A device that refuses to sleep, where the test says.
 *
 * Its callbacks of the noirq phase fail: all other devices, the GPU among
 * them, have been suspended by then and have to come back.
 *
 * It can also signal a fence while others suspend. Its prepare callback, which
 * runs before any device is suspended and after tasks were frozen, starts a
 * timer for that.
 *
 * And it can print, and sleep a while, after all devices were shut down.
 */
#include <linux/delay.h>
#include <linux/dma-fence.h>
#include <linux/jiffies.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/pm.h>
#include <linux/pm_wakeup.h>
#include <linux/reboot.h>
#include <linux/string.h>
#include <linux/sync_file.h>
#include <linux/timer.h>

static char fail[16] = "none";
module_param_string(fail, fail, sizeof(fail), 0644);
MODULE_PARM_DESC(fail, "which callback fails: freeze, poweroff, suspend or none");

static int answer(const char *callback)
{
	return strcmp(fail, callback) ? 0 : -EBUSY;
}

#define FENCE_DELAY	(3 * HZ)

static struct dma_fence *fence;

static void fence_signal(struct timer_list *timer)
{
	dma_fence_signal(fence);
	pr_info("pm_fail: the fence is signalled\n");
}

static DEFINE_TIMER(fence_timer, fence_signal);

static void fence_drop(void)
{
	timer_shutdown_sync(&fence_timer);
	dma_fence_put(fence);
}

/* The number of a sync_file's descriptor in the task that writes it, once. */
static int fence_set(const char *text, const struct kernel_param *param)
{
	int fd, ret = kstrtoint(text, 0, &fd);

	if (ret)
		return ret;
	if (fence)
		return -EBUSY;

	fence = sync_file_get_fence(fd);
	return fence ? 0 : -EBADF;
}

static const struct kernel_param_ops fence_ops = {
	.set = fence_set,
};
module_param_cb(fence, &fence_ops, NULL, 0200);
MODULE_PARM_DESC(fence, "is signalled while the next suspend is going on");

static int fail_freeze_noirq(struct device *dev)
{
	return answer("freeze");
}

static int fail_poweroff_noirq(struct device *dev)
{
	return answer("poweroff");
}

static int fail_suspend_noirq(struct device *dev)
{
	return answer("suspend");
}

/* No task runs and no other device is suspended yet. */
static int fail_prepare(struct device *dev)
{
	if (fence && !dma_fence_is_signaled(fence))
		mod_timer(&fence_timer, jiffies + FENCE_DELAY);

	return 0;
}

static const struct dev_pm_ops fail_pm_ops = {
	.prepare = fail_prepare,
	.freeze_noirq = fail_freeze_noirq,
	.poweroff_noirq = fail_poweroff_noirq,
	.suspend_noirq = fail_suspend_noirq,
};

static struct platform_driver fail_driver = {
	.driver = {
		.name = "pm_fail",
		.pm = &fail_pm_ops,
	},
};

static struct platform_device *device;

static int wake_set(const char *text, const struct kernel_param *param)
{
	pm_wakeup_event(&device->dev, 0);
	return 0;
}

static const struct kernel_param_ops wake_ops = {
	.set = wake_set,
};
module_param_cb(wake, &wake_ops, NULL, 0200);
MODULE_PARM_DESC(wake, "writing anything is an event to wake up for");

#define LAST_WORDS_MS	500

static bool last_words;
module_param(last_words, bool, 0644);
MODULE_PARM_DESC(last_words, "print before the power goes off, and let others run");

/* Sleeps, so that what drawing was put off to can run on this processor */
static int fail_power_off_prepare(struct sys_off_data *data)
{
	if (last_words) {
		pr_info("pm_fail: last words\n");
		msleep(LAST_WORDS_MS);
	}
	return NOTIFY_DONE;
}

static struct sys_off_handler *handler;

static int __init fail_init(void)
{
	int ret = platform_driver_register(&fail_driver);

	if (ret)
		return ret;

	device = platform_device_register_simple("pm_fail", -1, NULL, 0);
	if (IS_ERR(device)) {
		ret = PTR_ERR(device);
		goto err_driver;
	}

	handler = register_sys_off_handler(SYS_OFF_MODE_POWER_OFF_PREPARE,
					   SYS_OFF_PRIO_DEFAULT,
					   fail_power_off_prepare, NULL);
	if (IS_ERR(handler)) {
		ret = PTR_ERR(handler);
		goto err_device;
	}
	return device_init_wakeup(&device->dev, true);

err_device:
	platform_device_unregister(device);
err_driver:
	platform_driver_unregister(&fail_driver);
	return ret;
}
module_init(fail_init);

static void __exit fail_exit(void)
{
	unregister_sys_off_handler(handler);
	platform_device_unregister(device);
	platform_driver_unregister(&fail_driver);
	fence_drop();
}
module_exit(fail_exit);

MODULE_DESCRIPTION("A device that refuses to sleep");
MODULE_LICENSE("GPL");
