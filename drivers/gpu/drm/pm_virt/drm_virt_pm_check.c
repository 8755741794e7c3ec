// SPDX-License-Identifier: GPL-2.0 OR MIT

#include <linux/export.h>
#include <linux/moduleparam.h>
#include <linux/notifier.h>
#include <linux/rculist.h>
#include <linux/seq_buf.h>
#include <linux/srcu.h>
#include <linux/suspend.h>

#include <drm/drm_print.h>
#include <kunit/visibility.h>

#include "drm_virt_pm_internal.h"
#include "drm_virt_pm_trace.h"

/**
 * DOC: refusals
 *
 * One PM notifier serves all devices. When a transition is announced, every
 * device is asked whether all that it holds could be restored. All refusals are
 * logged, each with its reason. A driver asks again in its suspend callback
 * with drm_virt_pm_check(), because programs run until tasks are frozen.
 *
 * Nothing is refused when the boot kernel is about to jump into an image.
 */

#define DRM_VIRT_PM_STALL_MIN_MS	100
#define DRM_VIRT_PM_STALL_MAX_MS	60000

/* The objects of the boot kernel are about to be forgotten anyway */
#define DRM_VIRT_PM_STALL_RESTORE_MS	500u

VISIBLE_IF_KUNIT unsigned int drm_virt_pm_drain_timeout_ms = 5000;
EXPORT_SYMBOL_IF_KUNIT(drm_virt_pm_drain_timeout_ms);

VISIBLE_IF_KUNIT int
drm_virt_pm_set_drain_timeout(const char *val, const struct kernel_param *kp)
{
	return param_set_uint_minmax(val, kp, DRM_VIRT_PM_STALL_MIN_MS,
				     DRM_VIRT_PM_STALL_MAX_MS);
}
EXPORT_SYMBOL_IF_KUNIT(drm_virt_pm_set_drain_timeout);

static const struct kernel_param_ops drm_virt_pm_drain_timeout_ops = {
	.set = drm_virt_pm_set_drain_timeout,
	.get = param_get_uint,
};

module_param_cb(drain_timeout_ms, &drm_virt_pm_drain_timeout_ops,
		&drm_virt_pm_drain_timeout_ms, 0644);
__MODULE_PARM_TYPE(drain_timeout_ms, "uint");
MODULE_PARM_DESC(drain_timeout_ms,
		 "A device hangs if it makes no progress for this many milliseconds in a suspend or resume (100 to 60000, default 5000)");

DEFINE_STATIC_SRCU(drm_virt_pm_srcu);

/* Protects changes of the list; readers hold drm_virt_pm_srcu */
static DEFINE_SPINLOCK(drm_virt_pm_devices_lock);
static LIST_HEAD(drm_virt_pm_devices);

/*
 * Which transitions are announced and have not ended; written by the notifier
 * only, which the PM core serialises. They nest: a task that holds /dev/snapshot
 * open has announced a hibernation or a restore, and the system can be suspended
 * to RAM meanwhile.
 */
static bool drm_virt_pm_announced[DRM_VIRT_PM_RESTORE + 1];

/**
 * drm_virt_pm_get_transition - the announced system transition
 *
 * Context: Any context.
 *
 * Return: the innermost transition that a PM notifier announced and that has not
 * ended, %DRM_VIRT_PM_NONE if there is none.
 */
enum drm_virt_pm_transition drm_virt_pm_get_transition(void)
{
	enum drm_virt_pm_transition transition;

	for (transition = DRM_VIRT_PM_SUSPEND;
	     transition <= DRM_VIRT_PM_RESTORE; transition++)
		if (READ_ONCE(drm_virt_pm_announced[transition]))
			return transition;

	return DRM_VIRT_PM_NONE;
}
EXPORT_SYMBOL(drm_virt_pm_get_transition);

const char *drm_virt_pm_transition_name(enum drm_virt_pm_transition transition)
{
	switch (transition) {
	case DRM_VIRT_PM_NONE:
		return "none";
	case DRM_VIRT_PM_SUSPEND:
		return "suspend";
	case DRM_VIRT_PM_HIBERNATE:
		return "hibernate";
	case DRM_VIRT_PM_RESTORE:
		return "restore";
	}

	return "unknown";
}
EXPORT_SYMBOL_IF_KUNIT(drm_virt_pm_transition_name);

/* Stall limit of the running transition, in milliseconds */
unsigned int drm_virt_pm_stall_ms(void)
{
	unsigned int ms = READ_ONCE(drm_virt_pm_drain_timeout_ms);

	if (drm_virt_pm_get_transition() == DRM_VIRT_PM_RESTORE)
		ms = min(ms, DRM_VIRT_PM_STALL_RESTORE_MS);

	return ms;
}
EXPORT_SYMBOL_IF_KUNIT(drm_virt_pm_stall_ms);

void drm_virt_pm_check_add(struct drm_virt_pm *vpm)
{
	spin_lock(&drm_virt_pm_devices_lock);
	list_add_tail_rcu(&vpm->node, &drm_virt_pm_devices);
	spin_unlock(&drm_virt_pm_devices_lock);
}

void drm_virt_pm_check_del(struct drm_virt_pm *vpm)
{
	spin_lock(&drm_virt_pm_devices_lock);
	list_del_rcu(&vpm->node);
	spin_unlock(&drm_virt_pm_devices_lock);

	/* the notifier may be in a callback of this device */
	synchronize_srcu(&drm_virt_pm_srcu);
}

/**
 * drm_virt_pm_refuse - log why a transition is refused
 * @vpm: the device
 * @err: the negative errno that the transition fails with
 * @reason: the reason, without the name of the device and without a newline
 *
 * For &drm_virt_pm_ops.suspend. The reason is kept for debugfs.
 *
 * Context: Process context.
 *
 * Return: @err
 */
int drm_virt_pm_refuse(struct drm_virt_pm *vpm, int err, const char *reason)
{
	enum drm_virt_pm_transition transition = drm_virt_pm_get_transition();
	const char *name = "suspend";

	if (transition != DRM_VIRT_PM_NONE)
		name = drm_virt_pm_transition_name(transition);

	spin_lock(&vpm->lock);
	snprintf(vpm->refusal, sizeof(vpm->refusal), "%s: %s (%d)", name,
		 reason, err);
	spin_unlock(&vpm->lock);

	trace_drm_virt_pm_refused(vpm, err, reason);
	drm_warn(vpm->drm, "%s refused: %s\n", name, reason);

	return err;
}
EXPORT_SYMBOL(drm_virt_pm_refuse);

/* Ask the driver whether @transition would be refused; @why gets the reason */
int drm_virt_pm_ask(struct drm_virt_pm *vpm,
		    enum drm_virt_pm_transition transition, char *why,
		    size_t size)
{
	struct seq_buf buf;
	int ret;

	if (!vpm->ops->check || transition == DRM_VIRT_PM_RESTORE ||
	    READ_ONCE(vpm->state) == DRM_VIRT_PM_LOST)
		return 0;

	seq_buf_init(&buf, why, size);
	ret = vpm->ops->check(vpm, transition, &buf);
	seq_buf_str(&buf);
	/* also if a reason was too long for seq_buf_puts() */
	if (ret && !*why)
		strscpy(why, "no reason given", size);

	return ret;
}

/**
 * drm_virt_pm_check - ask again whether everything could be restored
 * @vpm: the device
 *
 * For &drm_virt_pm_ops.suspend.
 *
 * Context: As &drm_virt_pm_ops.check.
 *
 * Return: 0, always so for %DRM_VIRT_PM_RESTORE; the errno of
 * &drm_virt_pm_ops.check after the reason was logged.
 */
int drm_virt_pm_check(struct drm_virt_pm *vpm)
{
	char why[sizeof(vpm->refusal) - 32];
	int ret;

	ret = drm_virt_pm_ask(vpm, drm_virt_pm_get_transition(), why,
			      sizeof(why));
	if (ret)
		drm_virt_pm_refuse(vpm, ret, why);

	return ret;
}
EXPORT_SYMBOL(drm_virt_pm_check);

/* Return: 0, or the first error; all devices are asked */
static int drm_virt_pm_check_all(void)
{
	struct drm_virt_pm *vpm;
	int idx, ret, first = 0;

	idx = srcu_read_lock(&drm_virt_pm_srcu);
	list_for_each_entry_srcu(vpm, &drm_virt_pm_devices, node,
				 srcu_read_lock_held(&drm_virt_pm_srcu)) {
		ret = drm_virt_pm_check(vpm);
		if (!first)
			first = ret;
	}
	srcu_read_unlock(&drm_virt_pm_srcu, idx);

	return first;
}

/* The notifier for PM_HIBERNATION_PREPARE and so on */
VISIBLE_IF_KUNIT int drm_virt_pm_notify(unsigned long event)
{
	enum drm_virt_pm_transition transition;
	bool begins = true;
	int ret = 0;

	switch (event) {
	case PM_POST_SUSPEND:
		begins = false;
		fallthrough;
	case PM_SUSPEND_PREPARE:
		transition = DRM_VIRT_PM_SUSPEND;
		break;
	case PM_POST_HIBERNATION:
		begins = false;
		fallthrough;
	case PM_HIBERNATION_PREPARE:
		transition = DRM_VIRT_PM_HIBERNATE;
		break;
	case PM_POST_RESTORE:
		begins = false;
		fallthrough;
	case PM_RESTORE_PREPARE:
		transition = DRM_VIRT_PM_RESTORE;
		break;
	default:
		return 0;
	}

	WRITE_ONCE(drm_virt_pm_announced[transition], begins);
	if (begins)
		ret = drm_virt_pm_check_all();
	/* the PM core sends no POST event to a notifier that failed */
	if (ret)
		WRITE_ONCE(drm_virt_pm_announced[transition], false);

	return ret;
}
EXPORT_SYMBOL_IF_KUNIT(drm_virt_pm_notify);

static int drm_virt_pm_notifier_call(struct notifier_block *nb,
				     unsigned long event, void *data)
{
	return notifier_from_errno(drm_virt_pm_notify(event));
}

static struct notifier_block drm_virt_pm_notifier = {
	.notifier_call = drm_virt_pm_notifier_call,
};

int drm_virt_pm_check_init(void)
{
	return register_pm_notifier(&drm_virt_pm_notifier);
}

void drm_virt_pm_check_exit(void)
{
	unregister_pm_notifier(&drm_virt_pm_notifier);
}
