// SPDX-License-Identifier: GPL-2.0-only
/*
 * A device that refuses to sleep, where the test says.
 *
 * Its callbacks of the noirq phase fail: all other devices, the GPU among
 * them, have been suspended by then and have to come back.
 */
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/pm.h>
#include <linux/pm_wakeup.h>
#include <linux/string.h>

static char fail[16] = "none";
module_param_string(fail, fail, sizeof(fail), 0644);
MODULE_PARM_DESC(fail, "which callback fails: freeze, poweroff, suspend or none");

static int answer(const char *callback)
{
	return strcmp(fail, callback) ? 0 : -EBUSY;
}

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

static const struct dev_pm_ops fail_pm_ops = {
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

static int __init fail_init(void)
{
	int ret = platform_driver_register(&fail_driver);

	if (ret)
		return ret;

	device = platform_device_register_simple("pm_fail", -1, NULL, 0);
	if (IS_ERR(device)) {
		platform_driver_unregister(&fail_driver);
		return PTR_ERR(device);
	}
	return device_init_wakeup(&device->dev, true);
}
module_init(fail_init);

static void __exit fail_exit(void)
{
	platform_device_unregister(device);
	platform_driver_unregister(&fail_driver);
}
module_exit(fail_exit);

MODULE_DESCRIPTION("A device that refuses to sleep");
MODULE_LICENSE("GPL");
