// SPDX-License-Identifier: GPL-2.0 OR MIT

#include <linux/device.h>
#include <linux/export.h>
#include <linux/module.h>
#include <linux/pm_runtime.h>
#include <linux/workqueue.h>

#include <drm/drm_device.h>
#include <drm/drm_print.h>

#include "drm_virt_pm_internal.h"

#define CREATE_TRACE_POINTS
#include "drm_virt_pm_trace.h"

/**
 * DOC: overview
 *
 * When a virtual machine hibernates, its GPU comes back as a new device: its
 * queues, every resource, its page tables and modes are gone. The same happens
 * on suspend to RAM with most hypervisors, when a hibernation is rolled back,
 * on Xen save/restore and on kexec jump. &struct drm_virt_pm is what drivers of
 * such devices have in common to survive it:
 *
 * * a *reset epoch*: what was put on the device in an earlier epoch is gone, so
 *   restore follows from whether the device was reset, never from why the
 *   system sleeps;
 * * tracked objects that come back on first use, so that a resume costs what
 *   its first frame costs;
 * * ordered steps with unwinding and one point of no return, or milestones for
 *   drivers that own their order;
 * * a gate for user space and a stop for each queue, and bounded draining;
 * * refusals with a reason, and a reserve of memory for the resume;
 * * a device that cannot come back is *lost*, and the rest of the system lives.
 *
 * A driver embeds &struct drm_virt_pm, calls drm_virt_pm_init() before it
 * registers its DRM device and drm_virt_pm_fini() when it is unbound, and lets
 * its PM callbacks call drm_virt_pm_suspend() and drm_virt_pm_resume(). All
 * parts but this one are optional.
 */

/**
 * DOC: later
 *
 * What has to happen when the system is back is done by one work per device,
 * on a freezable workqueue: it runs when tasks run again, on every path, with
 * or without notifiers. It is queued by the PM callbacks and cancelled when the
 * next one begins. It resumes a device whose resume was deferred, notices that
 * the PM core never resumed it (the bus gave up before the driver was called),
 * and tells user space about a device that was lost. None of this may be done
 * in a PM callback, and POST notifiers come after tasks run, or never.
 */

/* How soon to look again when it is too early, in milliseconds. */
#define LOOK_AGAIN_MS	100

static struct workqueue_struct *later_wq;

static void set_state(struct drm_virt_pm *vpm, enum drm_virt_pm_state state)
{
	lockdep_assert_held(&vpm->lock);

	trace_drm_virt_pm_state(vpm, vpm->state, state);
	WRITE_ONCE(vpm->state, state);
}

/* Go from one state to another, unless the device is in a third. */
static bool change_state(struct drm_virt_pm *vpm, enum drm_virt_pm_state from,
			 enum drm_virt_pm_state to)
{
	bool match;

	spin_lock(&vpm->lock);
	match = vpm->state == from;
	if (match)
		set_state(vpm, to);
	spin_unlock(&vpm->lock);

	return match;
}

static void queue_later(struct drm_virt_pm *vpm, unsigned int ms)
{
	spin_lock(&vpm->lock);
	if (vpm->online)
		queue_delayed_work(later_wq, &vpm->work, msecs_to_jiffies(ms));
	spin_unlock(&vpm->lock);
}

/* Also from the work itself, which may be what resumes the device. */
static void cancel_later(struct drm_virt_pm *vpm)
{
	if (current_work() == &vpm->work.work)
		cancel_delayed_work(&vpm->work);
	else
		cancel_delayed_work_sync(&vpm->work);
}

/*
 * Whether the PM core still means to resume the device. It says so under the
 * device lock, right after its callback: while that is held, wait and see.
 */
static bool resume_is_due(struct drm_virt_pm *vpm)
{
	struct device *dev = vpm->drm->dev;
	bool due = false;

	if (!device_trylock(dev))
		return true;
#ifdef CONFIG_PM_SLEEP
	due = dev->power.is_suspended;
#endif
	device_unlock(dev);

	return due;
}

/* Returns false if it is too early. */
static bool resume_deferred(struct drm_virt_pm *vpm)
{
	struct device *dev = vpm->drm->dev;
	bool deferred;
	int ret;

	/* unbinding holds this lock and waits for the work: never block here */
	if (!device_trylock(dev))
		return false;

	spin_lock(&vpm->lock);
	deferred = vpm->deferred;
	vpm->deferred = false;
	spin_unlock(&vpm->lock);

	if (deferred && !drm_virt_pm_is_lost(vpm)) {
		ret = vpm->ops->resume_deferred(vpm);
		if (ret)
			drm_virt_pm_device_lost(vpm, "deferred resume failed");
	}
	device_unlock(dev);

	if (deferred)
		pm_runtime_put(dev);
	return true;
}

static void look_after(struct work_struct *work)
{
	struct drm_virt_pm *vpm = container_of(to_delayed_work(work),
					       struct drm_virt_pm, work);
	bool deferred, tell;

	spin_lock(&vpm->lock);
	deferred = vpm->deferred;
	spin_unlock(&vpm->lock);

	if (deferred) {
		if (!resume_deferred(vpm)) {
			queue_later(vpm, LOOK_AGAIN_MS);
			return;
		}
	} else if (READ_ONCE(vpm->state) == DRM_VIRT_PM_DOWN) {
		/* kexec jump freezes no workqueue: this may be too early */
		if (resume_is_due(vpm)) {
			queue_later(vpm, LOOK_AGAIN_MS);
			return;
		}
		drm_virt_pm_device_lost(vpm, "the system resumed without it");
	}

	spin_lock(&vpm->lock);
	tell = vpm->state == DRM_VIRT_PM_LOST && !vpm->lost_reported &&
	       !vpm->walking;
	if (tell)
		vpm->lost_reported = true;
	spin_unlock(&vpm->lock);

	if (tell && vpm->ops->lost)
		vpm->ops->lost(vpm);
}

/**
 * drm_virt_pm_init - set up suspend and resume of a device
 * @vpm: embedded in the driver's device, zero-filled
 * @drm: the DRM device; its &drm_device.dev is what the PM core suspends
 * @ops: the driver's callbacks, kept by reference
 * @steps: its sequence in the order in which the steps come up, kept by
 *	reference; NULL for drivers that own their order
 * @num_steps: number of @steps, at most %DRM_VIRT_PM_MAX_STEPS
 *
 * The device is asked for refusals from now on.
 *
 * Context: At probe, before drm_dev_register(); may sleep.
 *
 * Return: 0, or -EINVAL for too many steps.
 */
int drm_virt_pm_init(struct drm_virt_pm *vpm, struct drm_device *drm,
		     const struct drm_virt_pm_ops *ops,
		     const struct drm_virt_pm_step *steps,
		     unsigned int num_steps)
{
	if (drm_WARN_ON(drm, num_steps > DRM_VIRT_PM_MAX_STEPS))
		return -EINVAL;

	vpm->drm = drm;
	vpm->ops = ops;
	vpm->steps = steps;
	vpm->num_steps = num_steps;
	vpm->epoch = 1;
	vpm->state = DRM_VIRT_PM_RUNNING;
	spin_lock_init(&vpm->lock);
	INIT_DELAYED_WORK(&vpm->work, look_after);
	init_waitqueue_head(&vpm->object_wait);
	INIT_LIST_HEAD(&vpm->eager);
	INIT_LIST_HEAD(&vpm->reserve);
	drm_virt_pm_gate_init(vpm);
	drm_virt_pm_debugfs_init(vpm);
	vpm->online = true;
	drm_virt_pm_notifier_add(vpm);

	return 0;
}
EXPORT_SYMBOL(drm_virt_pm_init);

/**
 * drm_virt_pm_fini - end suspend and resume of a device
 * @vpm: the device
 *
 * Objects and open files may outlive this: the functions for tracked objects and
 * those that pass the gate stay valid as long as the memory of @vpm, the others
 * are not.
 *
 * Context: At unbind, or in a probe that fails after drm_virt_pm_init(); may
 * sleep. Usually after drm_dev_unplug(), because the gate is open from here on.
 * Not from a PM callback or notifier, nor from &drm_virt_pm_ops.lost.
 */
void drm_virt_pm_fini(struct drm_virt_pm *vpm)
{
	drm_virt_pm_notifier_del(vpm);

	spin_lock(&vpm->lock);
	vpm->online = false;
	spin_unlock(&vpm->lock);
	cancel_delayed_work_sync(&vpm->work);

	/* nobody else will let them in */
	drm_virt_pm_gate_open(vpm);
	drm_virt_pm_cancel_deferred(vpm);
	drm_virt_pm_reserve_release(vpm);
}
EXPORT_SYMBOL(drm_virt_pm_fini);

/*
 * Walk the steps. A device that is lost meanwhile is not taken from under them:
 * user space is told when the walk is over.
 */
static int walk(struct drm_virt_pm *vpm, int (*steps)(struct drm_virt_pm *vpm))
{
	bool lost;
	int ret;

	spin_lock(&vpm->lock);
	vpm->walking = true;
	spin_unlock(&vpm->lock);

	ret = steps(vpm);

	spin_lock(&vpm->lock);
	vpm->walking = false;
	lost = vpm->state == DRM_VIRT_PM_LOST;
	spin_unlock(&vpm->lock);
	if (lost)
		queue_later(vpm, 0);

	return ret;
}

/**
 * drm_virt_pm_suspend - suspend the device
 * @vpm: the device
 *
 * Walks the steps backwards. For the freeze, poweroff and suspend callbacks.
 *
 * Context: PM callback; may sleep.
 *
 * Return: 0 if the device is down, was down, or is lost; the error of the step
 * that refused, with everything as before; -EBUSY if a suspend or resume of the
 * device is running.
 */
int drm_virt_pm_suspend(struct drm_virt_pm *vpm)
{
	enum drm_virt_pm_state state;
	int ret;

	cancel_later(vpm);

	if (!change_state(vpm, DRM_VIRT_PM_RUNNING, DRM_VIRT_PM_SUSPENDING)) {
		state = READ_ONCE(vpm->state);
		if (state != DRM_VIRT_PM_LOST && state != DRM_VIRT_PM_DOWN)
			return -EBUSY;
		queue_later(vpm, 0);
		return 0;
	}

	ret = walk(vpm, drm_virt_pm_sequence_down);
	if (ret) {
		change_state(vpm, DRM_VIRT_PM_SUSPENDING, DRM_VIRT_PM_RUNNING);
		return ret;
	}

	change_state(vpm, DRM_VIRT_PM_SUSPENDING, DRM_VIRT_PM_DOWN);
	/* in case nobody ever calls drm_virt_pm_resume() */
	queue_later(vpm, 0);
	return 0;
}
EXPORT_SYMBOL(drm_virt_pm_suspend);

/**
 * drm_virt_pm_resume - resume the device
 * @vpm: the device
 *
 * Walks the steps forwards. For the thaw, restore and resume callbacks. When a
 * fatal step fails the device is lost.
 *
 * Context: PM callback; may sleep.
 *
 * Return: 0 if the device is running or was given up before; the error of the
 * step that failed, to be handed to the PM core; -EBUSY if a suspend or resume of
 * the device is running.
 */
int drm_virt_pm_resume(struct drm_virt_pm *vpm)
{
	enum drm_virt_pm_state state;
	int ret;

	cancel_later(vpm);

	if (!change_state(vpm, DRM_VIRT_PM_DOWN, DRM_VIRT_PM_RESUMING)) {
		state = READ_ONCE(vpm->state);
		if (state != DRM_VIRT_PM_LOST && state != DRM_VIRT_PM_RUNNING)
			return -EBUSY;
		queue_later(vpm, 0);
		return 0;
	}

	ret = walk(vpm, drm_virt_pm_sequence_up);
	if (ret) {
		drm_virt_pm_device_lost(vpm, "resume failed");
		return ret;
	}

	/* whatever was put off has been done, unless the device was lost */
	if (change_state(vpm, DRM_VIRT_PM_RESUMING, DRM_VIRT_PM_RUNNING))
		drm_virt_pm_cancel_deferred(vpm);
	return 0;
}
EXPORT_SYMBOL(drm_virt_pm_resume);

/**
 * drm_virt_pm_device_reset - the device was reset and has forgotten everything
 * @vpm: the device
 *
 * To be called after the reset and after everything that may still come from
 * the device was handled: an answer that is handled later would be taken for
 * one of the new epoch.
 *
 * Context: Nothing can be queued; usually in a step of the suspend.
 */
void drm_virt_pm_device_reset(struct drm_virt_pm *vpm)
{
	spin_lock(&vpm->lock);
	/* 0 says that an object was never on the device */
	WRITE_ONCE(vpm->epoch, vpm->epoch + 1 ?: 1);
	atomic_set(&vpm->resident, 0);
	spin_unlock(&vpm->lock);

	trace_drm_virt_pm_reset(vpm, vpm->epoch);
}
EXPORT_SYMBOL(drm_virt_pm_device_reset);

/**
 * drm_virt_pm_device_lost - give a device up
 * @vpm: the device
 * @reason: why, for people
 *
 * From now on PM callbacks are answered with 0 and user space with -ENODEV.
 * &drm_virt_pm_ops.lost is called later, when tasks run.
 *
 * Context: Process context, PM callbacks included.
 */
void drm_virt_pm_device_lost(struct drm_virt_pm *vpm, const char *reason)
{
	bool first;

	spin_lock(&vpm->lock);
	first = vpm->state != DRM_VIRT_PM_LOST;
	if (first) {
		set_state(vpm, DRM_VIRT_PM_LOST);
		strscpy(vpm->lost_reason, reason, sizeof(vpm->lost_reason));
	}
	spin_unlock(&vpm->lock);

	if (!first)
		return;

	drm_err(vpm->drm, "device is lost: %s\n", reason);
	drm_virt_pm_gate_wake(vpm);
	queue_later(vpm, 0);
}
EXPORT_SYMBOL(drm_virt_pm_device_lost);

/**
 * drm_virt_pm_defer_resume - resume later, if at all
 * @vpm: the device, which is suspended
 *
 * For a thaw that is skipped because the device is about to be powered off: if
 * the system goes on instead, the device is resumed when tasks run again, by
 * &drm_virt_pm_ops.resume_deferred. Holds a runtime PM reference until then.
 *
 * Context: PM callback.
 */
void drm_virt_pm_defer_resume(struct drm_virt_pm *vpm)
{
	bool first;

	spin_lock(&vpm->lock);
	first = !vpm->deferred;
	vpm->deferred = true;
	spin_unlock(&vpm->lock);

	/* runtime PM must not suspend what is suspended already */
	if (first)
		pm_runtime_get_noresume(vpm->drm->dev);
	queue_later(vpm, 0);
}
EXPORT_SYMBOL(drm_virt_pm_defer_resume);

/**
 * drm_virt_pm_cancel_deferred - a deferred resume is not needed
 * @vpm: the device
 *
 * For the poweroff and restore callbacks.
 *
 * Context: PM callback; may sleep.
 */
void drm_virt_pm_cancel_deferred(struct drm_virt_pm *vpm)
{
	bool deferred;

	cancel_later(vpm);

	spin_lock(&vpm->lock);
	deferred = vpm->deferred;
	vpm->deferred = false;
	spin_unlock(&vpm->lock);

	if (deferred)
		pm_runtime_put_noidle(vpm->drm->dev);
}
EXPORT_SYMBOL(drm_virt_pm_cancel_deferred);

static int __init drm_virt_pm_module_init(void)
{
	int ret;

	later_wq = alloc_workqueue("drm_virt_pm", WQ_FREEZABLE | WQ_UNBOUND, 0);
	if (!later_wq)
		return -ENOMEM;

	ret = drm_virt_pm_notifier_init();
	if (ret)
		destroy_workqueue(later_wq);

	return ret;
}

static void __exit drm_virt_pm_module_exit(void)
{
	drm_virt_pm_notifier_exit();
	destroy_workqueue(later_wq);
}

/* before the drivers that use it, when built in */
subsys_initcall(drm_virt_pm_module_init);
module_exit(drm_virt_pm_module_exit);

MODULE_DESCRIPTION("Suspend and hibernation helpers for virtual GPUs");
MODULE_LICENSE("Dual MIT/GPL");
