// SPDX-License-Identifier: GPL-2.0 OR MIT

#include <linux/export.h>
#include <linux/jiffies.h>

#include <drm/drm_print.h>

#include "drm_virt_pm_trace.h"

/**
 * DOC: queues
 *
 * Draining a queue means waiting as long as the host makes progress and giving
 * up when it stalls: a host that is slow is not a host that hangs. A queue is
 * drained when its ring is empty *and* what came back was handled.
 *
 * Stopping a queue makes the driver's submission path refuse; it is checked
 * under the queue's own lock, where the queue's pointer is used, and never
 * waits.
 */

/**
 * drm_virt_pm_queue_init - set up a queue
 * @queue: the queue, embedded in the driver's own
 * @vpm: the device
 * @name: its name, kept by reference
 * @ops: the driver's callbacks, kept by reference
 * @lock: the driver's lock around the use of the queue
 * @progress: the wait queue that the driver wakes when entries came back
 *
 * Context: At probe.
 */
void drm_virt_pm_queue_init(struct drm_virt_pm_queue *queue,
			    struct drm_virt_pm *vpm, const char *name,
			    const struct drm_virt_pm_queue_ops *ops,
			    spinlock_t *lock, wait_queue_head_t *progress)
{
	queue->vpm = vpm;
	queue->name = name;
	queue->ops = ops;
	queue->lock = lock;
	queue->progress = progress;
	queue->stopped = false;
}
EXPORT_SYMBOL(drm_virt_pm_queue_init);

/* Entries that the host has given back since probe; wraps. */
static unsigned int queue_done(struct drm_virt_pm_queue *queue)
{
	unsigned int queued, pending;

	queue->ops->count(queue, &queued, &pending);
	return queued - pending;
}

/**
 * drm_virt_pm_queue_drain - wait until the host has given everything back
 * @queue: the queue
 * @stall_ms: give up when nothing came back for this many milliseconds
 *
 * Waits for as many entries as were pending at the time of the call. If
 * nobody queues meanwhile, the queue is empty afterwards. The wait is bounded:
 * @stall_ms for each of these entries at the very worst.
 *
 * Context: May sleep, not interruptible.
 *
 * Return: 0, or -ETIMEDOUT if the host stalled.
 */
int drm_virt_pm_queue_drain(struct drm_virt_pm_queue *queue,
			    unsigned int stall_ms)
{
	unsigned int target, pending, done;
	int ret = 0;

	if (queue->ops->kick)
		queue->ops->kick(queue);

	queue->ops->count(queue, &target, &pending);
	done = target - pending;
	while ((int)(target - done) > 0) {
		if (!wait_event_timeout(*queue->progress,
					queue_done(queue) != done,
					msecs_to_jiffies(stall_ms))) {
			ret = -ETIMEDOUT;
			break;
		}
		done = queue_done(queue);
	}

	/* also after a stall: what did come back must not be handled later */
	queue->ops->flush(queue);

	trace_drm_virt_pm_drain(queue->vpm, queue->name, target - done, ret);
	if (ret)
		drm_warn(queue->vpm->drm,
			 "host stalls: %u commands of the %s queue unanswered\n",
			 target - done, queue->name);

	return ret;
}
EXPORT_SYMBOL(drm_virt_pm_queue_drain);

/**
 * drm_virt_pm_queue_stop - let nothing be queued any more
 * @queue: the queue
 *
 * Wakes those who wait for room in the queue, so that they see it and leave.
 *
 * Context: Process context; takes &drm_virt_pm_queue.lock.
 */
void drm_virt_pm_queue_stop(struct drm_virt_pm_queue *queue)
{
	spin_lock(queue->lock);
	queue->stopped = true;
	spin_unlock(queue->lock);
	wake_up_all(queue->progress);
}
EXPORT_SYMBOL(drm_virt_pm_queue_stop);

/**
 * drm_virt_pm_queue_start - let commands be queued again
 * @queue: the queue
 *
 * Context: Process context; takes &drm_virt_pm_queue.lock.
 */
void drm_virt_pm_queue_start(struct drm_virt_pm_queue *queue)
{
	spin_lock(queue->lock);
	queue->stopped = false;
	spin_unlock(queue->lock);
}
EXPORT_SYMBOL(drm_virt_pm_queue_start);
