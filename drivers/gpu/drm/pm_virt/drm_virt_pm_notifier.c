// SPDX-License-Identifier: GPL-2.0 OR MIT

#include <linux/export.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/notifier.h>
#include <linux/seq_buf.h>
#include <linux/spinlock.h>
#include <linux/suspend.h>
#include <linux/wait.h>

#include <drm/drm_print.h>
#include <kunit/visibility.h>

#include "drm_virt_pm_internal.h"
#include "drm_virt_pm_trace.h"

/**
 * DOC: transitions
 *
 * One PM notifier serves all devices. When a transition is announced, every
 * device is asked whether all that it holds could come back, and all those
 * that refuse are named at once, each with its reason; only if none refuses,
 * every device sets memory aside. A notifier that refuses gets no POST event,
 * so what was set aside is given back on the spot.
 *
 * Nothing is refused when the boot kernel is about to jump into an image.
 *
 * What is *restored* does not depend on any of this: transitions exist that no
 * notifier announces.
 */

/* Short limit for the boot kernel, whose own objects are about to be forgotten. */
#define RESTORE_STALL_MS	500u

VISIBLE_IF_KUNIT unsigned int drm_virt_pm_drain_timeout_ms = 5000;
EXPORT_SYMBOL_IF_KUNIT(drm_virt_pm_drain_timeout_ms);
module_param_named(drain_timeout_ms, drm_virt_pm_drain_timeout_ms, uint, 0644);
MODULE_PARM_DESC(drain_timeout_ms,
		 "Give a device up as hung when it answers nothing for this many milliseconds while being suspended (default 5000)");

/* Protects the list, the walk members of its entries, and @current_walk. */
static DEFINE_SPINLOCK(devices_lock);
static LIST_HEAD(devices);
static u64 current_walk;
/* woken when a walk leaves a device */
static DECLARE_WAIT_QUEUE_HEAD(walkers_wait);

/* Written by the notifier only, which the PM core serialises. */
static enum drm_virt_pm_transition current_transition;

/**
 * drm_virt_pm_get_transition - the system transition that is running
 *
 * Context: Any context.
 *
 * Return: what the PM notifiers announced last, %DRM_VIRT_PM_NONE if nothing or
 * if it is over.
 */
enum drm_virt_pm_transition drm_virt_pm_get_transition(void)
{
	return READ_ONCE(current_transition);
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

/**
 * drm_virt_pm_stall_ms - how long a silent host is waited for
 *
 * Context: Any context.
 *
 * Return: the module parameter drain_timeout_ms, in milliseconds, or a short
 * limit when the boot kernel is about to jump into an image.
 */
unsigned int drm_virt_pm_stall_ms(void)
{
	unsigned int ms = READ_ONCE(drm_virt_pm_drain_timeout_ms);

	if (drm_virt_pm_get_transition() == DRM_VIRT_PM_RESTORE)
		ms = min(ms, RESTORE_STALL_MS);

	return ms;
}
EXPORT_SYMBOL(drm_virt_pm_stall_ms);

void drm_virt_pm_notifier_add(struct drm_virt_pm *vpm)
{
	spin_lock(&devices_lock);
	list_add_tail(&vpm->node, &devices);
	spin_unlock(&devices_lock);
}

static bool unobserved(struct drm_virt_pm *vpm)
{
	bool ret;

	spin_lock(&devices_lock);
	ret = !vpm->walkers;
	spin_unlock(&devices_lock);

	return ret;
}

void drm_virt_pm_notifier_del(struct drm_virt_pm *vpm)
{
	spin_lock(&devices_lock);
	list_del_init(&vpm->node);
	spin_unlock(&devices_lock);

	/* callbacks of this device, each of them bounded */
	wait_event(walkers_wait, unobserved(vpm));
}

/* The next device that @walk has not seen, leaving @prev. */
static struct drm_virt_pm *walk_next(struct drm_virt_pm *prev, u64 walk)
{
	struct drm_virt_pm *vpm, *next = NULL;

	spin_lock(&devices_lock);
	if (prev && !--prev->walkers)
		wake_up_all(&walkers_wait);

	list_for_each_entry(vpm, &devices, node) {
		if (vpm->walk >= walk)
			continue;
		vpm->walk = walk;
		vpm->walkers++;
		next = vpm;
		break;
	}
	spin_unlock(&devices_lock);

	return next;
}

/*
 * Call @fn for each device without holding a lock over it. Devices that come
 * or go meanwhile are seen once or not at all.
 *
 * Return: 0, or the first error; the walk goes on after it.
 */
static int all_devices(int (*fn)(struct drm_virt_pm *vpm))
{
	struct drm_virt_pm *vpm = NULL;
	int ret, first = 0;
	u64 walk;

	spin_lock(&devices_lock);
	walk = ++current_walk;
	spin_unlock(&devices_lock);

	while ((vpm = walk_next(vpm, walk))) {
		ret = fn(vpm);
		if (!first)
			first = ret;
	}

	return first;
}

/**
 * drm_virt_pm_refuse - tell people why a transition is refused
 * @vpm: the device
 * @err: the negative errno that the transition will get
 * @reason: what is in the way, without device name and newline
 *
 * For the steps of a driver; &drm_virt_pm_ops.check has its own way. Prints one
 * line and keeps it for debugfs.
 *
 * Context: Process context; takes &drm_virt_pm.lock.
 */
void drm_virt_pm_refuse(struct drm_virt_pm *vpm, int err, const char *reason)
{
	const char *name = drm_virt_pm_transition_name(drm_virt_pm_get_transition());

	spin_lock(&vpm->lock);
	snprintf(vpm->refusal, sizeof(vpm->refusal), "%s: %s (%d)", name,
		 reason, err);
	spin_unlock(&vpm->lock);

	trace_drm_virt_pm_refused(vpm, err, reason);
	drm_notice(vpm->drm, "%s refused: %s\n", name, reason);
}
EXPORT_SYMBOL(drm_virt_pm_refuse);

/**
 * drm_virt_pm_check - ask once more whether everything could come back
 * @vpm: the device
 *
 * For a driver's suspend, with tasks frozen: what was asked when the
 * transition was announced may have changed.
 *
 * Context: May sleep.
 *
 * Return: 0, always so for %DRM_VIRT_PM_RESTORE; or the negative errno of
 * &drm_virt_pm_ops.check, after telling the reason.
 */
int drm_virt_pm_check(struct drm_virt_pm *vpm)
{
	enum drm_virt_pm_transition transition = drm_virt_pm_get_transition();
	char text[128];
	struct seq_buf why;
	int ret;

	if (!vpm->ops->check || transition == DRM_VIRT_PM_RESTORE ||
	    drm_virt_pm_is_lost(vpm))
		return 0;

	seq_buf_init(&why, text, sizeof(text));
	ret = vpm->ops->check(vpm, transition, &why);
	if (ret)
		drm_virt_pm_refuse(vpm, ret, seq_buf_used(&why) ?
				   seq_buf_str(&why) : "no reason given");

	return ret;
}
EXPORT_SYMBOL(drm_virt_pm_check);

static int fill_reserve(struct drm_virt_pm *vpm)
{
	int ret;

	if (drm_virt_pm_is_lost(vpm))
		return 0;

	ret = drm_virt_pm_reserve_fill(vpm);
	if (ret)
		drm_virt_pm_refuse(vpm, ret, "not enough memory for the resume");

	return ret;
}

static int release_reserve(struct drm_virt_pm *vpm)
{
	drm_virt_pm_reserve_release(vpm);
	return 0;
}

/* Ask all devices, then set memory aside for all or for none. */
static int prepare(void)
{
	int ret;

	ret = all_devices(drm_virt_pm_check);
	if (ret)
		return ret;

	ret = all_devices(fill_reserve);
	if (ret)
		all_devices(release_reserve);

	return ret;
}

/*
 * What the notifier does for @event, one of PM_HIBERNATION_PREPARE and so on.
 *
 * Context: May sleep; calls are serialised.
 *
 * Return: 0, or the negative errno of the first device that refused.
 */
VISIBLE_IF_KUNIT int drm_virt_pm_notify(unsigned long event)
{
	int ret;

	switch (event) {
	case PM_HIBERNATION_PREPARE:
		WRITE_ONCE(current_transition, DRM_VIRT_PM_HIBERNATE);
		break;
	case PM_SUSPEND_PREPARE:
		WRITE_ONCE(current_transition, DRM_VIRT_PM_SUSPEND);
		break;
	case PM_RESTORE_PREPARE:
		/* an image must never be thrown away because of us */
		WRITE_ONCE(current_transition, DRM_VIRT_PM_RESTORE);
		return 0;
	case PM_POST_HIBERNATION:
	case PM_POST_SUSPEND:
	case PM_POST_RESTORE:
		WRITE_ONCE(current_transition, DRM_VIRT_PM_NONE);
		all_devices(release_reserve);
		return 0;
	default:
		return 0;
	}

	ret = prepare();
	/* a notifier that fails gets no POST event */
	if (ret)
		WRITE_ONCE(current_transition, DRM_VIRT_PM_NONE);

	return ret;
}
EXPORT_SYMBOL_IF_KUNIT(drm_virt_pm_notify);

static int notifier_call(struct notifier_block *nb, unsigned long event,
			 void *data)
{
	return notifier_from_errno(drm_virt_pm_notify(event));
}

static struct notifier_block pm_notifier = {
	.notifier_call = notifier_call,
};

int drm_virt_pm_notifier_init(void)
{
	return register_pm_notifier(&pm_notifier);
}

void drm_virt_pm_notifier_exit(void)
{
	unregister_pm_notifier(&pm_notifier);
}

/**
 * drm_virt_pm_exporter_ready - whether the device behind a dma-buf is up
 * @buf: the dma-buf
 *
 * For importers, before they map it while resuming.
 *
 * Context: Process context; takes a spinlock.
 *
 * Return: true if the exporting device is running or not known to the library,
 * false if it is suspended or lost.
 */
bool drm_virt_pm_exporter_ready(struct dma_buf *buf)
{
	struct drm_virt_pm *vpm;
	bool ready = true;

	spin_lock(&devices_lock);
	list_for_each_entry(vpm, &devices, node) {
		if (vpm->ops->owns && vpm->ops->owns(vpm, buf)) {
			ready = READ_ONCE(vpm->state) == DRM_VIRT_PM_RUNNING;
			break;
		}
	}
	spin_unlock(&devices_lock);

	return ready;
}
EXPORT_SYMBOL(drm_virt_pm_exporter_ready);
