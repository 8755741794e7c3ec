// SPDX-License-Identifier: GPL-2.0 OR MIT

#include <linux/dma-fence.h>
#include <linux/pci.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>

#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_print.h>

#include "virtgpu_drv.h"

/*
 * Queues of a device that may be reset: stopping them, completing the commands
 * that are refused or not answered, and the reset itself.
 */

/* Interval at which virtio_gpu_pm_hang_work_func() looks again, in milliseconds */
#define VIRTIO_GPU_PM_HANG_RETRY_MS	100

static void virtio_gpu_pm_queue_count(struct drm_virt_pm_queue *queue,
				      unsigned int *queued,
				      unsigned int *pending)
{
	struct virtio_gpu_queue *vgvq =
		container_of(queue, struct virtio_gpu_queue, pm);

	spin_lock(&vgvq->qlock);
	*queued = vgvq->seqno;
	/*
	 * Descriptors, of which a command can have several. The virtio core takes no
	 * answer from a broken queue.
	 */
	*pending = vgvq->vq && !virtqueue_is_broken(vgvq->vq) ?
		   virtqueue_get_vring_size(vgvq->vq) - vgvq->vq->num_free : 0;
	spin_unlock(&vgvq->qlock);
}

static void virtio_gpu_pm_queue_flush(struct drm_virt_pm_queue *queue)
{
	flush_work(&container_of(queue, struct virtio_gpu_queue,
				 pm)->dequeue_work);
}

static void virtio_gpu_pm_ctrlq_kick(struct drm_virt_pm_queue *queue)
{
	virtio_gpu_notify(container_of(queue, struct virtio_gpu_device,
				       ctrlq.pm));
}

static const struct drm_virt_pm_queue_ops virtio_gpu_pm_ctrlq_ops = {
	.count = virtio_gpu_pm_queue_count,
	.kick = virtio_gpu_pm_ctrlq_kick,
	.flush = virtio_gpu_pm_queue_flush,
};

/* each cursor command is kicked when it is queued */
static const struct drm_virt_pm_queue_ops virtio_gpu_pm_cursorq_ops = {
	.count = virtio_gpu_pm_queue_count,
	.flush = virtio_gpu_pm_queue_flush,
};

/*
 * PM callbacks and function resets hold the lock of the transport's device, probe
 * and remove that of the virtio device. A remove waits for this work. A reset
 * meanwhile has ended the DMA of the device.
 */
static void virtio_gpu_pm_hang_work_func(struct work_struct *work)
{
	struct virtio_gpu_device *vgdev =
		container_of(to_delayed_work(work), struct virtio_gpu_device,
			     pm.hang_work);
	struct device *dev = vgdev->ddev->dev;

	if (!device_trylock(dev))
		goto out_later;
	if (!device_trylock(&vgdev->vdev->dev))
		goto out_unlock;

	if (READ_ONCE(vgdev->pm.hang_epoch) == vgdev->pm.base.epoch)
		drm_virt_pm_lose(&vgdev->pm.base, "the host does not answer");
	device_unlock(&vgdev->vdev->dev);
	device_unlock(dev);
	return;

out_unlock:
	device_unlock(dev);
out_later:
	queue_delayed_work(system_freezable_wq, &vgdev->pm.hang_work,
			   msecs_to_jiffies(VIRTIO_GPU_PM_HANG_RETRY_MS));
}

/* Set up both queues */
void virtio_gpu_pm_init_queues(struct virtio_gpu_device *vgdev)
{
	vgdev->ctrlq.pm = (struct drm_virt_pm_queue) {
		.vpm = &vgdev->pm.base,
		.name = "control",
		.ops = &virtio_gpu_pm_ctrlq_ops,
		.progress = &vgdev->ctrlq.ack_queue,
	};
	vgdev->cursorq.pm = (struct drm_virt_pm_queue) {
		.vpm = &vgdev->pm.base,
		.name = "cursor",
		.ops = &virtio_gpu_pm_cursorq_ops,
		.progress = &vgdev->cursorq.ack_queue,
	};
	INIT_DELAYED_WORK(&vgdev->pm.hang_work, virtio_gpu_pm_hang_work_func);
	mutex_init(&vgdev->pm.reset_lock);
}

static void virtio_gpu_pm_set_stopped(struct virtio_gpu_queue *vgvq,
				      bool stopped)
{
	spin_lock(&vgvq->qlock);
	vgvq->stopped = stopped;
	spin_unlock(&vgvq->qlock);
	wake_up_all(&vgvq->ack_queue);
}

/* Accept commands */
void virtio_gpu_pm_start_queues(struct virtio_gpu_device *vgdev)
{
	WRITE_ONCE(vgdev->pm.stalled, false);
	virtio_gpu_pm_set_stopped(&vgdev->ctrlq, false);
	virtio_gpu_pm_set_stopped(&vgdev->cursorq, false);
}

/*
 * Refuse all commands. Tasks that wait for room in a queue return with an
 * error.
 */
void virtio_gpu_pm_stop_queues(struct virtio_gpu_device *vgdev)
{
	virtio_gpu_pm_set_stopped(&vgdev->ctrlq, true);
	virtio_gpu_pm_set_stopped(&vgdev->cursorq, true);
}

/* The device is lost when tasks run, unless it was reset until then. */
static void virtio_gpu_pm_note_hang(struct virtio_gpu_device *vgdev, u32 epoch)
{
	WRITE_ONCE(vgdev->pm.hang_epoch, epoch);
	queue_delayed_work(system_freezable_wq, &vgdev->pm.hang_work, 0);
}

/*
 * Whether a command has to be refused. &virtio_gpu_queue.qlock is held.
 * Returns whether the queue is stopped, or was reset since the command was
 * built. A broken queue is stopped here: virtio_dev_shutdown() breaks it, a removal,
 * or the virtio core if the host answers what it was not asked.
 * The caller is in drm_dev_enter(), so that virtio_gpu_pm_fini() finds the work.
 */
bool virtio_gpu_pm_queue_stopped(struct virtio_gpu_device *vgdev,
				 struct virtio_gpu_queue *vgvq,
				 struct virtio_gpu_vbuffer *vbuf)
{
	lockdep_assert_held(&vgvq->qlock);

	if (!vgvq->stopped && virtqueue_is_broken(vgvq->vq)) {
		vgvq->stopped = true;
		if (system_state <= SYSTEM_RUNNING)
			virtio_gpu_pm_note_hang(vgdev, vgdev->pm.base.epoch);
	}

	return vgvq->stopped || vbuf->epoch != vgdev->pm.base.epoch;
}

/* Whether a wait for room is over, because there is room or never will be */
static bool virtio_gpu_pm_has_room(struct virtio_gpu_queue *vgvq,
				   unsigned int elemcnt)
{
	bool over;

	spin_lock(&vgvq->qlock);
	over = vgvq->stopped || virtqueue_is_broken(vgvq->vq) ||
	       vgvq->vq->num_free >= elemcnt;
	spin_unlock(&vgvq->qlock);

	return over;
}

/*
 * Wait for room in a queue. A host may be slow, so that this has no limit while
 * the device runs. If a PM callback waits for the caller, directly or for a
 * lock, the queues are stopped when the host makes no progress.
 * drm_dev_unplug() waits for the caller as well.
 */
void virtio_gpu_pm_wait_room(struct virtio_gpu_device *vgdev,
			     struct virtio_gpu_queue *vgvq,
			     unsigned int elemcnt)
{
	while (!wait_event_timeout(vgvq->ack_queue,
				   virtio_gpu_pm_has_room(vgvq, elemcnt),
				   drm_virt_pm_timeout(&vgdev->pm.base))) {
		/* another task may have queued a command, and not come to notify of it */
		virtio_gpu_notify(vgdev);
		if (!READ_ONCE(vgdev->pm.bounded) &&
		    !drm_dev_is_unplugged(vgdev->ddev))
			continue;

		WRITE_ONCE(vgdev->pm.stalled, true);
		virtio_gpu_pm_stop_queues(vgdev);
	}
}

/* Wake the tasks that wait for the answer to @vbuf */
static void virtio_gpu_pm_cancel_vbuf(struct virtio_gpu_device *vgdev,
				      struct virtio_gpu_vbuffer *vbuf)
{
	struct virtio_gpu_ctrl_hdr *hdr = (void *)vbuf->buf;
	struct virtio_gpu_object *bo;

	if (le32_to_cpu(hdr->type) == VIRTIO_GPU_CMD_GET_DISPLAY_INFO)
		virtio_gpu_pm_forget_display_info(vgdev);
	if (!vbuf->objs)
		return;

	bo = gem_to_virtio_gpu_obj(vbuf->objs->objs[0]);
	switch (le32_to_cpu(hdr->type)) {
	case VIRTIO_GPU_CMD_RESOURCE_ASSIGN_UUID:
		spin_lock(&vgdev->resource_export_lock);
		bo->uuid_state = STATE_ERR;
		spin_unlock(&vgdev->resource_export_lock);
		break;
	case VIRTIO_GPU_CMD_RESOURCE_MAP_BLOB:
		spin_lock(&vgdev->host_visible_lock);
		to_virtio_gpu_vram(bo)->map_state = STATE_ERR;
		spin_unlock(&vgdev->host_visible_lock);
		break;
	}
	wake_up_all(&vgdev->resp_wq);

	/*
	 * Not in obj_free_work, because the device may be freed before that runs.
	 * If these are the last references, the commands that free the objects
	 * are refused as well.
	 */
	virtio_gpu_array_put_free(vbuf->objs);
	vbuf->objs = NULL;
}

static void virtio_gpu_pm_send_event(struct virtio_gpu_device *vgdev,
				     struct virtio_gpu_fence *fence)
{
	if (!fence->e)
		return;

	drm_send_event(vgdev->ddev, &fence->e->base);
	fence->e = NULL;
}

/*
 * Complete a command that is not queued. The fence is signalled with -ENODEV.
 * Commands that are still in the ring have fences of the same context, and
 * those must not be overtaken. So this fence gets a context of its own, and is
 * not added to the reservation of the objects.
 * A command that frees an object is left to the caller, which gets the error.
 */
void virtio_gpu_pm_refuse(struct virtio_gpu_device *vgdev,
			  struct virtio_gpu_vbuffer *vbuf,
			  struct virtio_gpu_fence *fence)
{
	if (fence) {
		if (vbuf->objs)
			virtio_gpu_array_unlock_resv(vbuf->objs);

		fence->f.context = dma_fence_context_alloc(1);
		fence->f.seqno = 1;
		dma_fence_set_error(&fence->f, -ENODEV);
		dma_fence_signal(&fence->f);
		virtio_gpu_pm_send_event(vgdev, fence);
	}

	virtio_gpu_pm_cancel_vbuf(vgdev, vbuf);
}

/*
 * Complete a command that is not answered. virtio_gpu_pm_reset() completes the
 * fences.
 */
void virtio_gpu_pm_abandon(struct virtio_gpu_device *vgdev,
			   struct virtio_gpu_vbuffer *vbuf)
{
	/* of an UNREF; the object is freed after the reset was counted */
	if (vbuf->resp_cb_data)
		virtio_gpu_pm_free_after_reset(vbuf->resp_cb_data);
	vbuf->resp_cb_data = NULL;

	virtio_gpu_pm_cancel_vbuf(vgdev, vbuf);
}

/* in the order in which they were emitted */
static void virtio_gpu_pm_fail_fences(struct virtio_gpu_device *vgdev)
{
	struct virtio_gpu_fence_driver *drv = &vgdev->fence_drv;
	struct virtio_gpu_fence *fence, *next;
	unsigned long flags;

	spin_lock_irqsave(&drv->lock, flags);
	list_for_each_entry_safe(fence, next, &drv->fences, node) {
		dma_fence_set_error(&fence->f, -EIO);
		dma_fence_signal_locked(&fence->f);
		virtio_gpu_pm_send_event(vgdev, fence);
		list_del(&fence->node);
		dma_fence_put(&fence->f);
	}
	spin_unlock_irqrestore(&drv->lock, flags);
}

/*
 * The next host may have other capabilities. An ioctl may be looking at an entry,
 * so the entries stay in the list under an id that no host uses.
 */
static void virtio_gpu_pm_forget_capsets(struct virtio_gpu_device *vgdev)
{
	struct virtio_gpu_drv_cap_cache *entry;

	spin_lock(&vgdev->display_info_lock);
	list_for_each_entry(entry, &vgdev->cap_cache, head)
		entry->id = 0;
	spin_unlock(&vgdev->display_info_lock);
}

/* Without its registers the reset of virtio-pci does not end */
bool virtio_gpu_pm_is_reachable(struct virtio_gpu_device *vgdev)
{
	struct device *parent = vgdev->vdev->dev.parent;

	return !dev_is_pci(parent) ||
	       (pci_is_enabled(to_pci_dev(parent)) &&
		pci_device_is_present(to_pci_dev(parent)));
}

/* Returns whether the device does no DMA any more */
bool virtio_gpu_pm_reset_device(struct virtio_gpu_device *vgdev)
{
	struct virtio_device *vdev = vgdev->vdev;

	if (!virtio_gpu_pm_is_reachable(vgdev))
		return false;

	/*
	 * Virtio-pci waits without a limit until the device says that it was
	 * reset (virtio 1.2, 4.1.4.3.2).
	 */
	virtio_reset_device(vdev);
	virtio_synchronize_cbs(vdev);

	return !vdev->config->get_status(vdev);
}

/*
 * Reset the device and complete what it does not answer. If the device cannot
 * be reset, its queues and the objects that are freed are kept until it can.
 */
void virtio_gpu_pm_reset(struct virtio_gpu_device *vgdev)
{
	mutex_lock(&vgdev->pm.reset_lock);
	vgdev->pm.not_reset = !virtio_gpu_pm_reset_device(vgdev);
	if (!vgdev->pm.not_reset)
		vgdev->pm.reset_epoch = vgdev->pm.base.epoch;
	mutex_unlock(&vgdev->pm.reset_lock);

	/* there are no callbacks any more */
	flush_work(&vgdev->ctrlq.dequeue_work);
	flush_work(&vgdev->cursorq.dequeue_work);
	if (!vgdev->pm.not_reset)
		virtio_gpu_pm_reclaim_vbufs(vgdev);
	else
		drm_err(vgdev->ddev, "cannot be reset, keeping its memory\n");
	virtio_gpu_pm_fail_fences(vgdev);
	virtio_gpu_pm_forget_capsets(vgdev);
	virtio_gpu_pm_forget_display_info(vgdev);

	drm_virt_pm_reset(&vgdev->pm.base);

	virtio_gpu_pm_free_kept(vgdev);
	flush_work(&vgdev->obj_free_work);
}

static void virtio_gpu_pm_forget_queue(struct virtio_gpu_queue *vgvq)
{
	spin_lock(&vgvq->qlock);
	vgvq->vq = NULL;
	spin_unlock(&vgvq->qlock);
	/* virtio_gpu_pm_queue_count() has no pending entries now */
	wake_up_all(&vgvq->ack_queue);
	flush_work(&vgvq->dequeue_work);
}

/*
 * Delete both queues, once, unless the device may still use them. Virtio-mmio
 * frees its interrupt in each call of del_vqs.
 */
void virtio_gpu_pm_delete_queues(struct virtio_gpu_device *vgdev)
{
	if (!vgdev->ctrlq.vq || vgdev->pm.not_reset)
		return;

	virtio_gpu_pm_forget_queue(&vgdev->ctrlq);
	virtio_gpu_pm_forget_queue(&vgdev->cursorq);
	/* virtio_gpu_notify() uses the queue outside of qlock */
	synchronize_rcu();
	vgdev->vdev->config->del_vqs(vgdev->vdev);
}

/* Wait until the host has answered all commands */
int virtio_gpu_pm_drain(struct virtio_gpu_device *vgdev)
{
	int ret = drm_virt_pm_queue_drain(&vgdev->ctrlq.pm);

	return ret ?: drm_virt_pm_queue_drain(&vgdev->cursorq.pm);
}

/*
 * Find out whether the host answers. An idle queue does not tell, so the host is
 * given something to answer. If a queue is broken, the reset of the suspend is what
 * mends it. Takes no DRM lock.
 * Returns 0, -ETIMEDOUT if the host does not answer, or -ENOMEM.
 */
int virtio_gpu_pm_host_alive(struct virtio_gpu_device *vgdev)
{
	int ret;

	ret = virtio_gpu_pm_drain(vgdev);
	if (!ret)
		ret = virtio_gpu_cmd_get_display_info(vgdev);
	if (!ret)
		ret = drm_virt_pm_queue_drain(&vgdev->ctrlq.pm);

	return ret;
}

/*
 * The host does not answer a command for @bo that must be, or the command was
 * refused. For a caller that has to return memory to its owner and may hold locks.
 * Stops the DMA of the device at once. A reset of the device has done that, and is
 * a reason for a refusal.
 */
void virtio_gpu_pm_host_hangs(struct virtio_gpu_device *vgdev,
			      struct virtio_gpu_object *bo)
{
	u32 epoch = READ_ONCE(bo->pm.base.epoch);
	bool was_reset;
	int idx;

	mutex_lock(&vgdev->pm.reset_lock);
	was_reset = !vgdev->pm.not_reset &&
		    (epoch != READ_ONCE(vgdev->pm.base.epoch) ||
		     epoch == vgdev->pm.reset_epoch);
	if (!was_reset) {
		virtio_gpu_pm_stop_queues(vgdev);
		virtio_gpu_pm_reset_device(vgdev);
	}
	mutex_unlock(&vgdev->pm.reset_lock);
	if (was_reset)
		return;

	/* a device that is unplugged cannot be lost, and is going to be freed */
	if (!drm_dev_enter(vgdev->ddev, &idx))
		return;

	virtio_gpu_pm_note_hang(vgdev, epoch);
	drm_dev_exit(idx);
}
