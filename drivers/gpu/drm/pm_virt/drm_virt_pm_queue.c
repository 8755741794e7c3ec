// SPDX-License-Identifier: GPL-2.0 OR MIT

#include <linux/export.h>
#include <linux/jiffies.h>
#include <linux/wait.h>

#include <drm/drm_print.h>

#include "drm_virt_pm_internal.h"
#include "drm_virt_pm_trace.h"

/**
 * DOC: queues
 *
 * A slow host is not a host that hangs. Draining goes on as long as entries come
 * back, stops when none came back for drm_virt_pm_timeout(), and is bounded by
 * the total limit of the suspend or resume. A queue is drained when its ring is
 * empty and the entries have been handled.
 */

/* Number of entries that the host gave back since probe; wraps */
static unsigned int drm_virt_pm_queue_done(struct drm_virt_pm_queue *queue)
{
	unsigned int queued, pending;

	queue->ops->count(queue, &queued, &pending);
	return queued - pending;
}

/**
 * drm_virt_pm_queue_drain - wait until the host has given everything back
 * @queue: the queue
 *
 * Waits for the entries that are queued at the time of the call.
 *
 * Context: May sleep, not interruptible.
 *
 * Return: 0, or -ETIMEDOUT if the host made no progress or the total limit is
 * over.
 */
int drm_virt_pm_queue_drain(struct drm_virt_pm_queue *queue)
{
	struct drm_virt_pm *vpm = queue->vpm;
	unsigned int target, pending, done, left;
	int ret = 0;

	queue->ops->count(queue, &target, &pending);
	done = target - pending;
	/* after the count: what is waited for has been notified */
	if (queue->ops->kick)
		queue->ops->kick(queue);

	while ((int)(target - done) > 0) {
		if (!wait_event_timeout(*queue->progress,
					drm_virt_pm_queue_done(queue) != done,
					drm_virt_pm_timeout(vpm))) {
			ret = -ETIMEDOUT;
			break;
		}
		done = drm_virt_pm_queue_done(queue);
		if (drm_virt_pm_overdue(vpm) && (int)(target - done) > 0) {
			ret = -ETIMEDOUT;
			break;
		}
	}

	/* after a stall too, so that no answer is handled later */
	if (queue->ops->flush)
		queue->ops->flush(queue);

	/* the host may have given back what was queued during the call as well */
	left = max((int)(target - done), 0);
	trace_drm_virt_pm_drain(vpm, queue->name, left, ret);
	if (ret)
		drm_warn(vpm->drm, "%s queue stalls: %u commands unanswered\n",
			 queue->name, left);

	return ret;
}
EXPORT_SYMBOL(drm_virt_pm_queue_drain);
