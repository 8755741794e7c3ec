// SPDX-License-Identifier: GPL-2.0 OR MIT

#include <linux/device.h>
#include <linux/export.h>
#include <linux/jiffies.h>
#include <linux/module.h>
#include <linux/pm_runtime.h>
#include <linux/workqueue.h>

#include <drm/drm_device.h>
#include <drm/drm_drv.h>
#include <drm/drm_managed.h>
#include <drm/drm_print.h>
#include <kunit/static_stub.h>
#include <kunit/visibility.h>

#include "drm_virt_pm_internal.h"

#define CREATE_TRACE_POINTS
#include "drm_virt_pm_trace.h"

/**
 * DOC: overview
 *
 * When a virtual machine hibernates, its GPU comes back as a new device: the
 * queues, all resources, the page tables and modes are gone. The same happens
 * in suspend to RAM with most hypervisors, when a hibernation is rolled back,
 * on Xen save/restore, on kexec jump and on a function reset.
 *
 * &struct drm_virt_pm counts the resets of one device in an epoch. Things that
 * live on the device are tracked objects, which remember the epoch in which
 * the device was last told of them. An object of an earlier epoch is stale and
 * is restored when it is used, see &struct drm_virt_pm_object.
 *
 * The order in which a device is suspended and resumed belongs to the driver:
 * &drm_virt_pm_ops.suspend and &drm_virt_pm_ops.resume are ordinary functions.
 * The library knows from drm_virt_pm_reset() what an error means. Before the
 * reset it refuses the suspend, after the reset the suspend succeeds.
 *
 * A driver calls drmm_virt_pm_init() before drm_dev_register(), drm_virt_pm_unplug()
 * in place of drm_dev_unplug(), and drm_virt_pm_suspend() and
 * drm_virt_pm_resume() in its PM callbacks.
 */

/**
 * DOC: failures
 *
 * A device whose resume fails is quiesced: it does no DMA, and no task waits
 * for it. One work per device on a freezable workqueue tries again when tasks
 * run, because memory and other devices are back then. If that fails as well,
 * the device is *lost*: user space gets a wedged event where the kernel has
 * one, and the DRM device is unplugged. The same work resumes a device that the
 * PM core left suspended, for example because the bus failed before it called
 * the driver, or because a thaw was skipped.
 *
 * drm_dev_unplug() must not be called in a PM callback, where tasks are frozen
 * that it may wait for. That is why the work does it.
 */

/* Interval at which the work looks again, in milliseconds */
#define DRM_VIRT_PM_RETRY_MS		100

/* A device is lost after this many failed attempts to resume it */
#define DRM_VIRT_PM_MAX_FAILURES	2

/* Limit for all waits of one suspend or resume, in multiples of the stall limit */
#define DRM_VIRT_PM_DEADLINE		4

/* Warn about a driver that does not keep to the rules */
void drm_virt_pm_misused(struct drm_virt_pm *vpm, const char *what)
{
	KUNIT_STATIC_STUB_REDIRECT(drm_virt_pm_misused, vpm, what);
	drm_WARN(vpm->drm, 1, "%s\n", what);
}
EXPORT_SYMBOL_IF_KUNIT(drm_virt_pm_misused);

static void drm_virt_pm_set_state(struct drm_virt_pm *vpm,
				  enum drm_virt_pm_state state)
{
	lockdep_assert_held(&vpm->lock);

	trace_drm_virt_pm_state(vpm, vpm->state, state);
	WRITE_ONCE(vpm->state, state);
	if (state != DRM_VIRT_PM_RUNNING)
		WRITE_ONCE(vpm->closed, true);
}

static void drm_virt_pm_queue_work_locked(struct drm_virt_pm *vpm,
					  unsigned int ms)
{
	lockdep_assert_held(&vpm->lock);

	/*
	 * Not an unbound workqueue. If a work is cancelled while one is frozen,
	 * the next work is taken for one that waits its turn and never runs.
	 */
	if (vpm->online)
		queue_delayed_work(system_freezable_wq, &vpm->work,
				   msecs_to_jiffies(ms));
}

static void drm_virt_pm_queue_work(struct drm_virt_pm *vpm, unsigned int ms)
{
	spin_lock(&vpm->lock);
	drm_virt_pm_queue_work_locked(vpm, ms);
	spin_unlock(&vpm->lock);
}

/* drm_virt_pm_resume() may run in the work itself */
static void drm_virt_pm_cancel_work(struct drm_virt_pm *vpm)
{
	if (current_work() == &vpm->work.work)
		cancel_delayed_work(&vpm->work);
	else
		cancel_delayed_work_sync(&vpm->work);
}

/**
 * drm_virt_pm_timeout - how long a driver may wait for its device
 * @vpm: the device
 *
 * The stall limit, which is the module parameter drain_timeout_ms, or less if
 * the running suspend or resume has used up its total limit. On the way into an
 * image the stall limit is 500 ms at most.
 *
 * Context: Any context.
 *
 * Return: the time in jiffies, at least 1.
 */
long drm_virt_pm_timeout(const struct drm_virt_pm *vpm)
{
	unsigned long deadline = READ_ONCE(vpm->deadline);
	long timeout = msecs_to_jiffies(drm_virt_pm_stall_ms());

	if (deadline)
		timeout = min(timeout, (long)(deadline - jiffies));

	return max(timeout, 1L);
}
EXPORT_SYMBOL(drm_virt_pm_timeout);

/*
 * Claim the device for a callback if it is in @state. Returns 1, or 0 if it is in
 * another state, or -EBUSY. The work is cancelled in any case, and queued again
 * if there is no callback that does so when it ends.
 */
static int drm_virt_pm_begin(struct drm_virt_pm *vpm,
			     enum drm_virt_pm_state state)
{
	unsigned long deadline;
	int ret = 0;

	drm_virt_pm_cancel_work(vpm);

	spin_lock(&vpm->lock);
	if (vpm->busy) {
		ret = -EBUSY;
	} else if (vpm->state == state) {
		ret = 1;
		WRITE_ONCE(vpm->busy, true);
		WRITE_ONCE(vpm->closed, true);
		vpm->was_reset = false;
		/* 0 means none */
		deadline = jiffies + DRM_VIRT_PM_DEADLINE *
			   msecs_to_jiffies(drm_virt_pm_stall_ms());
		WRITE_ONCE(vpm->deadline, deadline | 1);
	}
	spin_unlock(&vpm->lock);

	if (!ret)
		drm_virt_pm_queue_work(vpm, 0);

	return ret;
}

/* When @lock is dropped, drm_virt_pm_remove() may go on and @vpm may be freed */
static void drm_virt_pm_end(struct drm_virt_pm *vpm)
{
	lockdep_assert_held(&vpm->lock);

	WRITE_ONCE(vpm->busy, false);
	WRITE_ONCE(vpm->deadline, 0);
	WRITE_ONCE(vpm->closed, vpm->state != DRM_VIRT_PM_RUNNING);
	wake_up_all(&vpm->wait);
}

/**
 * drm_virt_pm_suspend - suspend a device that may be reset
 * @vpm: the device
 *
 * For the suspend, freeze, poweroff and reset_prepare callbacks.
 *
 * Context: PM callback; may sleep.
 *
 * Return: 0 if the device is down or lost; the error of
 * &drm_virt_pm_ops.suspend, with the device running as before; -EBUSY if
 * another suspend or resume of the device is running.
 */
int drm_virt_pm_suspend(struct drm_virt_pm *vpm)
{
	int ret;

	ret = drm_virt_pm_begin(vpm, DRM_VIRT_PM_RUNNING);
	if (ret <= 0)
		return ret;

	ret = vpm->ops->suspend(vpm);
	if (!ret && !vpm->was_reset &&
	    READ_ONCE(vpm->state) == DRM_VIRT_PM_RUNNING) {
		drm_virt_pm_misused(vpm, "drm_virt_pm_reset() was not called");
		drm_virt_pm_reset(vpm);
	}
	if (ret && (vpm->was_reset ||
		    READ_ONCE(vpm->state) != DRM_VIRT_PM_RUNNING))
		drm_warn(vpm->drm, "suspended with error %d\n", ret);

	spin_lock(&vpm->lock);
	if (vpm->was_reset && vpm->state == DRM_VIRT_PM_RUNNING) {
		vpm->failures = 0;
		drm_virt_pm_set_state(vpm, DRM_VIRT_PM_DOWN);
		/* runtime PM must not suspend the device once more */
		pm_runtime_get_noresume(vpm->drm->dev);
	}
	drm_virt_pm_end(vpm);
	if (vpm->state != DRM_VIRT_PM_RUNNING) {
		ret = 0;
		/* in case the PM core never resumes the device */
		drm_virt_pm_queue_work_locked(vpm, 0);
	}
	spin_unlock(&vpm->lock);

	return ret;
}
EXPORT_SYMBOL(drm_virt_pm_suspend);

/* The caller queues the work */
static void drm_virt_pm_resume_failed(struct drm_virt_pm *vpm, int err)
{
	char reason[sizeof(vpm->reason)];
	unsigned int failures;

	spin_lock(&vpm->lock);
	failures = ++vpm->failures;
	spin_unlock(&vpm->lock);

	if (failures < DRM_VIRT_PM_MAX_FAILURES) {
		drm_err(vpm->drm, "resume failed (%d), trying once more\n", err);
		vpm->ops->quiesce(vpm);
		return;
	}

	snprintf(reason, sizeof(reason), "resume failed (%d)", err);
	drm_virt_pm_lose(vpm, reason);
}

/**
 * drm_virt_pm_resume - resume a device that was reset
 * @vpm: the device
 *
 * For the resume, thaw, restore and reset_done callbacks. After a failure the
 * device is quiesced, and the work of the library tries once more.
 *
 * Context: PM callback, or &drm_virt_pm_ops.recover; may sleep.
 *
 * Return: 0 if the device is running, or is lost; the error of
 * &drm_virt_pm_ops.resume; -EBUSY if another suspend or resume of the device is
 * running.
 */
int drm_virt_pm_resume(struct drm_virt_pm *vpm)
{
	int ret;

	ret = drm_virt_pm_begin(vpm, DRM_VIRT_PM_DOWN);
	if (ret <= 0)
		return ret;

	if (vpm->failures)
		drm_virt_pm_kms_last_try(vpm);
	ret = vpm->ops->resume(vpm);
	/* it may have started again what drm_virt_pm_lose() has stopped */
	if (READ_ONCE(vpm->losing))
		vpm->ops->quiesce(vpm);
	else if (ret)
		drm_virt_pm_resume_failed(vpm, ret);

	spin_lock(&vpm->lock);
	if (!ret && !vpm->losing && vpm->state == DRM_VIRT_PM_DOWN) {
		drm_virt_pm_set_state(vpm, DRM_VIRT_PM_RUNNING);
		pm_runtime_put_noidle(vpm->drm->dev);
	}
	drm_virt_pm_end(vpm);
	if (vpm->state != DRM_VIRT_PM_RUNNING)
		drm_virt_pm_queue_work_locked(vpm, vpm->state == DRM_VIRT_PM_DOWN ?
						   DRM_VIRT_PM_RETRY_MS : 0);
	spin_unlock(&vpm->lock);

	return ret;
}
EXPORT_SYMBOL(drm_virt_pm_resume);

/**
 * drm_virt_pm_reset - the device forgets everything now
 * @vpm: the device
 *
 * The point of no return of a suspend. Also for a driver that resets its device
 * at another time. Call it after the answers of the device were handled,
 * because a later one would count for the new epoch.
 *
 * Context: Process context; nothing can be queued to the device.
 */
void drm_virt_pm_reset(struct drm_virt_pm *vpm)
{
	spin_lock(&vpm->lock);
	vpm->was_reset = true;
	/* objects that the device was never told of have the epoch 0 */
	WRITE_ONCE(vpm->epoch, vpm->epoch + 1 ?: 1);
	spin_unlock(&vpm->lock);

	trace_drm_virt_pm_reset(vpm, vpm->epoch);
}
EXPORT_SYMBOL(drm_virt_pm_reset);

/**
 * drm_virt_pm_lose - give a device up
 * @vpm: the device
 * @reason: why, for the log and debugfs
 *
 * Calls &drm_virt_pm_ops.quiesce, so that the device does no DMA when its memory
 * is freed. Afterwards drm_virt_pm_wait_running() returns -ENODEV, PM callbacks
 * return 0, and the work unplugs the DRM device.
 *
 * Context: Process context, PM callbacks included, with no lock that
 * &drm_virt_pm_ops.quiesce takes. &drm_virt_pm_ops.suspend or
 * &drm_virt_pm_ops.resume may be running, in this task or in another one. When the
 * latter ends, &drm_virt_pm_ops.quiesce is called once more. A second call returns at
 * once, also before &drm_virt_pm_ops.quiesce of the first one has ended. Unbinding waits for
 * this function, so the caller holds no lock that the remove callback takes and is
 * no work that it cancels.
 */
void drm_virt_pm_lose(struct drm_virt_pm *vpm, const char *reason)
{
	bool first;

	spin_lock(&vpm->lock);
	first = !vpm->losing;
	WRITE_ONCE(vpm->losing, true);
	spin_unlock(&vpm->lock);
	if (!first)
		return;

	vpm->ops->quiesce(vpm);

	spin_lock(&vpm->lock);
	/* drm_virt_pm_remove() drops the reference */
	if (vpm->state == DRM_VIRT_PM_RUNNING)
		pm_runtime_get_noresume(vpm->drm->dev);
	strscpy(vpm->reason, reason, sizeof(vpm->reason));
	drm_virt_pm_set_state(vpm, DRM_VIRT_PM_LOST);
	spin_unlock(&vpm->lock);

	drm_err(vpm->drm, "device is lost: %s\n", reason);
	wake_up_all(&vpm->wait);
	drm_virt_pm_queue_work(vpm, 0);
}
EXPORT_SYMBOL(drm_virt_pm_lose);

/* drm_virt_pm_wait_running() for a device that is not running */
int __drm_virt_pm_wait_running(struct drm_virt_pm *vpm)
{
	int ret;

	ret = wait_event_freezable(vpm->wait, !READ_ONCE(vpm->closed) ||
				   READ_ONCE(vpm->state) == DRM_VIRT_PM_LOST);
	if (ret)
		return ret;

	return READ_ONCE(vpm->state) == DRM_VIRT_PM_LOST ? -ENODEV : 0;
}
EXPORT_SYMBOL(__drm_virt_pm_wait_running);

/*
 * Whether the PM core is about to resume the device. It clears is_suspended under
 * the device lock, after its callback. A function reset holds the lock until the
 * device is resumed.
 */
static bool drm_virt_pm_resume_is_due(struct device *dev)
{
	device_lock_assert(dev);

#ifdef CONFIG_PM_SLEEP
	return dev->power.is_suspended;
#else
	return false;
#endif
}

static void drm_virt_pm_recover(struct drm_virt_pm *vpm)
{
	struct device *dev = vpm->drm->dev;
	unsigned int failures = vpm->failures;
	int ret;

	/* unbinding holds this lock and waits for the work */
	if (device_trylock(dev)) {
		/* kexec jump does not freeze the work, which may come too early */
		if (!drm_virt_pm_resume_is_due(dev)) {
			ret = vpm->ops->recover ? vpm->ops->recover(vpm) :
						  drm_virt_pm_resume(vpm);
			/* the bus can fail before it calls the driver */
			if (READ_ONCE(vpm->state) == DRM_VIRT_PM_DOWN &&
			    vpm->failures == failures)
				drm_virt_pm_resume_failed(vpm, ret ?: -EIO);
		}
		device_unlock(dev);
	}

	if (READ_ONCE(vpm->state) == DRM_VIRT_PM_DOWN)
		drm_virt_pm_queue_work(vpm, DRM_VIRT_PM_RETRY_MS);
}

static void drm_virt_pm_unplug_lost(struct drm_virt_pm *vpm)
{
	if (vpm->unplugged)
		return;
	vpm->unplugged = true;

	if (vpm->ops->unplug)
		vpm->ops->unplug(vpm);
	drm_dev_unplug(vpm->drm);
}

static void drm_virt_pm_work(struct work_struct *work)
{
	struct drm_virt_pm *vpm = container_of(to_delayed_work(work),
					       struct drm_virt_pm, work);

	/* a callback queues the work again when it ends */
	if (READ_ONCE(vpm->busy))
		return;

	if (READ_ONCE(vpm->state) == DRM_VIRT_PM_DOWN)
		drm_virt_pm_recover(vpm);
	if (READ_ONCE(vpm->state) == DRM_VIRT_PM_LOST)
		drm_virt_pm_unplug_lost(vpm);
}

/*
 * No callback of the driver runs after this, but for &drm_virt_pm_ops.show, which
 * debugfs can call until drm_dev_unplug().
 */
static void drm_virt_pm_remove(struct drm_virt_pm *vpm)
{
	bool was_online, being_lost;

	spin_lock(&vpm->lock);
	was_online = vpm->online;
	vpm->online = false;
	/* a later drm_virt_pm_lose() must not touch the hardware any more */
	being_lost = vpm->losing && vpm->state != DRM_VIRT_PM_LOST;
	WRITE_ONCE(vpm->losing, true);
	spin_unlock(&vpm->lock);
	if (!was_online)
		return;

	drm_virt_pm_check_del(vpm);
	cancel_delayed_work_sync(&vpm->work);
	/* another task may be in drm_virt_pm_lose() */
	if (being_lost)
		wait_event(vpm->wait,
			   READ_ONCE(vpm->state) == DRM_VIRT_PM_LOST);

	spin_lock(&vpm->lock);
	if (vpm->state != DRM_VIRT_PM_RUNNING)
		pm_runtime_put_noidle(vpm->drm->dev);
	drm_virt_pm_set_state(vpm, DRM_VIRT_PM_LOST);
	spin_unlock(&vpm->lock);
	wake_up_all(&vpm->wait);

	/*
	 * The virtio bus unbinds a driver without the lock of &drm_device.dev, so
	 * that a function reset can be under way.
	 */
	wait_event(vpm->wait, !READ_ONCE(vpm->busy));
	/* drm_virt_pm_end() was called under it */
	spin_lock(&vpm->lock);
	spin_unlock(&vpm->lock);
}

static void drm_virt_pm_release(struct drm_device *drm, void *vpm)
{
	drm_virt_pm_remove(vpm);
}

/**
 * drm_virt_pm_unplug - unplug the DRM device of a driver that is unbound
 * @vpm: the device
 *
 * Replaces drm_dev_unplug() in the driver's remove callback. drm_dev_unplug()
 * must not be called twice, and a lost device is unplugged already. Objects and
 * open files may outlive this call: drm_virt_pm_wait_running(), drm_virt_pm_lose()
 * and the functions for objects stay valid until the DRM device is released.
 *
 * Context: Remove callback; may sleep. No task may wait for the device inside
 * drm_dev_enter(), so the driver makes its queues refuse entries first.
 */
void drm_virt_pm_unplug(struct drm_virt_pm *vpm)
{
	drm_virt_pm_remove(vpm);
	if (vpm->unplugged)
		return;
	vpm->unplugged = true;
	drm_dev_unplug(vpm->drm);
}
EXPORT_SYMBOL(drm_virt_pm_unplug);

/**
 * drmm_virt_pm_init - set up suspend and resume of a device
 * @vpm: embedded in the driver's device, filled with zeros
 * @drm: the DRM device; the PM core suspends its &drm_device.dev
 * @ops: callbacks of the driver, kept by reference
 *
 * From now on &drm_virt_pm_ops.check can be called. If the probe fails later on,
 * this is undone when @drm is released, and &drm_virt_pm_ops.check can be called until then.
 *
 * Context: Probe, before drm_dev_register(); may sleep.
 *
 * Return: 0 or -ENOMEM.
 */
int drmm_virt_pm_init(struct drm_virt_pm *vpm, struct drm_device *drm,
		      const struct drm_virt_pm_ops *ops)
{
	vpm->drm = drm;
	vpm->ops = ops;
	vpm->epoch = 1;
	vpm->state = DRM_VIRT_PM_RUNNING;
	spin_lock_init(&vpm->lock);
	INIT_DELAYED_WORK(&vpm->work, drm_virt_pm_work);
	init_waitqueue_head(&vpm->wait);
	INIT_LIST_HEAD(&vpm->keep);
	vpm->online = true;
	drm_virt_pm_check_add(vpm);
	drm_virt_pm_debugfs_init(vpm);

	return drmm_add_action_or_reset(drm, drm_virt_pm_release, vpm);
}
EXPORT_SYMBOL(drmm_virt_pm_init);

static int __init drm_virt_pm_module_init(void)
{
	drm_virt_pm_object_lockdep();

	return drm_virt_pm_check_init();
}

static void __exit drm_virt_pm_module_exit(void)
{
	drm_virt_pm_check_exit();
}

/* before the drivers that use it, when built in */
subsys_initcall(drm_virt_pm_module_init);
module_exit(drm_virt_pm_module_exit);

MODULE_DESCRIPTION("Suspend and hibernation helpers for virtual GPUs");
MODULE_LICENSE("Dual MIT/GPL");
