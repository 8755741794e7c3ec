// SPDX-License-Identifier: GPL-2.0 OR MIT

#include <linux/export.h>
#include <linux/freezer.h>
#include <linux/jiffies.h>

#include "drm_virt_pm_internal.h"

/**
 * DOC: gate
 *
 * The entry gate is for user space. An ioctl passes it first of all, before it
 * takes a lock or a runtime PM reference, because it may wait there: until the
 * device is back, freezable and interruptible. Closing it is bounded, as a
 * frozen task may sit inside an ioctl.
 *
 * The gate keeps new work out. What is inside the kernel already (fbdev,
 * exporters moving a buffer, deferred frees) is stopped one level below, at
 * the queue: see drm_virt_pm_queue_stop(), which never waits.
 */

void drm_virt_pm_gate_init(struct drm_virt_pm *vpm)
{
	atomic_set(&vpm->gate.users, 0);
	vpm->gate.closed = false;
	init_waitqueue_head(&vpm->gate.entry);
	init_waitqueue_head(&vpm->gate.idle);
}

/* Let waiters look again, after the device was lost. */
void drm_virt_pm_gate_wake(struct drm_virt_pm *vpm)
{
	wake_up_all(&vpm->gate.entry);
}

static bool gate_passable(struct drm_virt_pm *vpm)
{
	return !READ_ONCE(vpm->gate.closed) || drm_virt_pm_is_lost(vpm);
}

/**
 * drm_virt_pm_enter - pass the entry gate
 * @vpm: the device
 *
 * Every success is paired with drm_virt_pm_exit(). Passages may nest only as
 * long as the gate cannot be closed in between, so better not at all.
 *
 * Context: Process context of a user task; may sleep, freezable and
 * interruptible. No lock may be held that a PM callback takes.
 *
 * Return: 0; -ERESTARTSYS if a signal came while waiting; -ENODEV if the
 * device is lost.
 */
int drm_virt_pm_enter(struct drm_virt_pm *vpm)
{
	struct drm_virt_pm_gate *gate = &vpm->gate;
	int ret;

	for (;;) {
		if (unlikely(drm_virt_pm_is_lost(vpm)))
			return -ENODEV;

		atomic_inc(&gate->users);
		/* Pairs with the barrier in drm_virt_pm_gate_close(). */
		smp_mb__after_atomic();
		if (likely(!READ_ONCE(gate->closed)))
			return 0;
		drm_virt_pm_exit(vpm);

		ret = wait_event_freezable(gate->entry, gate_passable(vpm));
		if (ret)
			return ret;
	}
}
EXPORT_SYMBOL(drm_virt_pm_enter);

/**
 * __drm_virt_pm_pass - the slow half of drm_virt_pm_pass()
 * @vpm: the device
 *
 * Waits until the gate opens or the device is lost.
 *
 * Context: As drm_virt_pm_enter().
 *
 * Return: As drm_virt_pm_pass().
 */
int __drm_virt_pm_pass(struct drm_virt_pm *vpm)
{
	int ret;

	ret = wait_event_freezable(vpm->gate.entry, gate_passable(vpm));
	if (!ret && drm_virt_pm_is_lost(vpm))
		ret = -ENODEV;

	return ret;
}
EXPORT_SYMBOL(__drm_virt_pm_pass);

/**
 * drm_virt_pm_exit - leave the entry gate
 * @vpm: the device
 *
 * Context: Any context.
 */
void drm_virt_pm_exit(struct drm_virt_pm *vpm)
{
	struct drm_virt_pm_gate *gate = &vpm->gate;

	if (atomic_dec_and_test(&gate->users) && READ_ONCE(gate->closed))
		wake_up_all(&gate->idle);
}
EXPORT_SYMBOL(drm_virt_pm_exit);

/**
 * drm_virt_pm_gate_close - let nobody in any more
 * @vpm: the device
 * @timeout_ms: how long to wait for those inside, in milliseconds
 *
 * Context: PM callback; may sleep, not interruptible.
 *
 * Return: 0, or -ETIMEDOUT if somebody is still inside. The gate is closed in
 * both cases.
 */
int drm_virt_pm_gate_close(struct drm_virt_pm *vpm, unsigned int timeout_ms)
{
	struct drm_virt_pm_gate *gate = &vpm->gate;

	WRITE_ONCE(gate->closed, true);
	/* Pairs with the barrier in drm_virt_pm_enter(): one sees the other. */
	smp_mb();

	if (!wait_event_timeout(gate->idle, !atomic_read(&gate->users),
				msecs_to_jiffies(timeout_ms)))
		return -ETIMEDOUT;

	return 0;
}
EXPORT_SYMBOL(drm_virt_pm_gate_close);

/**
 * drm_virt_pm_gate_open - let users in again
 * @vpm: the device
 *
 * Context: Any context.
 */
void drm_virt_pm_gate_open(struct drm_virt_pm *vpm)
{
	WRITE_ONCE(vpm->gate.closed, false);
	wake_up_all(&vpm->gate.entry);
}
EXPORT_SYMBOL(drm_virt_pm_gate_open);
