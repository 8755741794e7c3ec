// SPDX-License-Identifier: GPL-2.0 OR MIT

#include <linux/dma-buf.h>
#include <linux/dma-fence.h>
#include <linux/iopoll.h>
#include <linux/moduleparam.h>
#include <linux/pci.h>
#include <linux/seq_buf.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>

#include <drm/drm_atomic.h>
#include <drm/drm_atomic_helper.h>
#include <drm/drm_atomic_uapi.h>
#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_modeset_helper.h>
#include <drm/drm_modeset_lock.h>
#include <drm/drm_plane.h>
#include <drm/drm_print.h>
#include <drm/drm_probe_helper.h>

#include "virtgpu_drv.h"

/**
 * DOC: virtio-gpu
 *
 * A reset makes a virtio-gpu forget its queues, resources and contexts (virtio
 * 1.2, 2.4.1 and 5.7). This file puts them back with drm_virt_pm: the order of
 * freeze and restore is the table at its end; resources come back when they
 * are used; what only the host had is refused before.
 *
 * All commands that create things are queued on the control queue, which the
 * host serves in order, so nothing has to wait for an answer. The cursor queue
 * is not ordered against it: see virtio_gpu_pm_plane_use().
 *
 * One invariant keeps this safe without a lock around the use of a resource:
 * KMS is stopped before the gate is closed, and drm_atomic_helper_suspend()
 * waits for earlier commits, so the device cannot be reset between the
 * prepare_fb that made a resource resident and the atomic_update that names it.
 */

/*
 * Queues
 */

static void queue_count(struct drm_virt_pm_queue *queue, unsigned int *queued,
			unsigned int *pending)
{
	struct virtio_gpu_queue *vgvq =
		container_of(queue, struct virtio_gpu_queue, pm);

	spin_lock(&vgvq->qlock);
	*queued = vgvq->seqno;
	/* descriptors rather than commands: what counts is that it falls to 0 */
	*pending = vgvq->vq ? virtqueue_get_vring_size(vgvq->vq) -
			      vgvq->vq->num_free : 0;
	spin_unlock(&vgvq->qlock);
}

static void queue_flush(struct drm_virt_pm_queue *queue)
{
	struct virtio_gpu_queue *vgvq =
		container_of(queue, struct virtio_gpu_queue, pm);

	flush_work(&vgvq->dequeue_work);
}

static void ctrlq_kick(struct drm_virt_pm_queue *queue)
{
	struct virtio_gpu_device *vgdev =
		container_of(queue, struct virtio_gpu_device, ctrlq.pm);

	virtio_gpu_notify(vgdev);
}

static const struct drm_virt_pm_queue_ops ctrlq_ops = {
	.count = queue_count,
	.kick = ctrlq_kick,
	.flush = queue_flush,
};

/* the cursor queue is kicked with each command */
static const struct drm_virt_pm_queue_ops cursorq_ops = {
	.count = queue_count,
	.flush = queue_flush,
};

/**
 * virtio_gpu_pm_init_queues - set up what commands need to be queued
 * @vgdev: the device, before its first command
 *
 * Context: At probe.
 */
void virtio_gpu_pm_init_queues(struct virtio_gpu_device *vgdev)
{
	drm_virt_pm_queue_init(&vgdev->ctrlq.pm, &vgdev->pm.base, "control",
			       &ctrlq_ops, &vgdev->ctrlq.qlock,
			       &vgdev->ctrlq.ack_queue);
	drm_virt_pm_queue_init(&vgdev->cursorq.pm, &vgdev->pm.base, "cursor",
			       &cursorq_ops, &vgdev->cursorq.qlock,
			       &vgdev->cursorq.ack_queue);
	mutex_init(&vgdev->pm.unplug_lock);
}

static void stop_queues(struct virtio_gpu_device *vgdev)
{
	drm_virt_pm_queue_stop(&vgdev->ctrlq.pm);
	drm_virt_pm_queue_stop(&vgdev->cursorq.pm);
}

/**
 * virtio_gpu_pm_unplug - unplug the device, once
 * @vgdev: the device
 *
 * Takes the place of drm_dev_unplug(), which must not be called twice: a device
 * that is lost is unplugged by a work, and unbound later. Who waits for room in
 * a queue leaves, as the unplug would wait for them and they for a host that
 * hangs.
 *
 * Context: Process context, may sleep.
 */
void virtio_gpu_pm_unplug(struct virtio_gpu_device *vgdev)
{
	stop_queues(vgdev);

	mutex_lock(&vgdev->pm.unplug_lock);
	if (!vgdev->pm.unplugged)
		drm_dev_unplug(vgdev->ddev);
	vgdev->pm.unplugged = true;
	mutex_unlock(&vgdev->pm.unplug_lock);
}

/* Whether a wait for room is over: there is some, or there will be none. */
static bool has_room(struct virtio_gpu_queue *vgvq, unsigned int elemcnt)
{
	bool ready;

	spin_lock(&vgvq->qlock);
	ready = drm_virt_pm_queue_stopped(&vgvq->pm) ||
		vgvq->vq->num_free >= elemcnt;
	spin_unlock(&vgvq->qlock);

	return ready;
}

/**
 * virtio_gpu_pm_wait_room - wait for room in a queue
 * @vgdev: the device
 * @vgvq: the queue
 * @elemcnt: number of descriptors that are needed
 *
 * Without a limit, as a host may be slow, but for the time in which KMS is
 * stopped and comes back: then a PM callback waits. When it has waited for too
 * long the queues are stopped, which completes with an error what is not queued
 * yet. A freeze goes on to the reset; a device that is being resumed is lost.
 *
 * Context: Process context. Afterwards the caller has to look again whether the
 * queue is stopped.
 */
void virtio_gpu_pm_wait_room(struct virtio_gpu_device *vgdev,
			     struct virtio_gpu_queue *vgvq,
			     unsigned int elemcnt)
{
	struct drm_virt_pm *vpm = &vgdev->pm.base;

	while (!wait_event_timeout(vgvq->ack_queue, has_room(vgvq, elemcnt),
				   msecs_to_jiffies(drm_virt_pm_stall_ms()))) {
		if (!READ_ONCE(vgdev->pm.hurry))
			continue;

		stop_queues(vgdev);
		if (READ_ONCE(vpm->state) == DRM_VIRT_PM_RESUMING)
			drm_virt_pm_device_lost(vpm, "the host does not answer");
	}
}

/* Nobody waits any longer for what the host has to say of its outputs. */
static void forget_display_info(struct virtio_gpu_device *vgdev)
{
	vgdev->display_info_pending = false;
	wake_up_all(&vgdev->resp_wq);
}

/* Tell those who wait for the answer to @vbuf that there will be none. */
static void no_answer(struct virtio_gpu_device *vgdev,
		      struct virtio_gpu_vbuffer *vbuf)
{
	struct virtio_gpu_ctrl_hdr *hdr = (void *)vbuf->buf;
	struct virtio_gpu_object *bo;

	if (le32_to_cpu(hdr->type) == VIRTIO_GPU_CMD_GET_DISPLAY_INFO)
		forget_display_info(vgdev);
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
	 * At once: a device that is unplugged may be freed before a work runs.
	 * If these were the last references, the commands that free the objects
	 * are refused as this one was.
	 */
	virtio_gpu_array_put_free(vbuf->objs);
	vbuf->objs = NULL;
}

static void fail_fence(struct virtio_gpu_device *vgdev,
		       struct virtio_gpu_fence *fence, int err)
{
	lockdep_assert_held(&vgdev->fence_drv.lock);

	dma_fence_set_error(&fence->f, err);
	dma_fence_signal_locked(&fence->f);
	if (fence->e) {
		drm_send_event(vgdev->ddev, &fence->e->base);
		fence->e = NULL;
	}
	list_del(&fence->node);
	dma_fence_put(&fence->f);
}

/**
 * virtio_gpu_pm_refuse - complete a command that cannot be queued
 * @vgdev: the device
 * @vbuf: the command, which the caller frees
 * @fence: its fence, not emitted yet, or NULL
 *
 * Nobody may be left waiting: the fence is signalled with -ENODEV, the objects
 * are unlocked and their references dropped. A command that frees an object is
 * left to its caller, which sees the error.
 *
 * Context: Process context, no queue lock held.
 */
void virtio_gpu_pm_refuse(struct virtio_gpu_device *vgdev,
			  struct virtio_gpu_vbuffer *vbuf,
			  struct virtio_gpu_fence *fence)
{
	unsigned long flags;

	if (fence) {
		virtio_gpu_fence_emit(vgdev, (void *)vbuf->buf, fence);
		if (vbuf->objs) {
			virtio_gpu_array_add_fence(vbuf->objs, &fence->f);
			virtio_gpu_array_unlock_resv(vbuf->objs);
		}

		spin_lock_irqsave(&vgdev->fence_drv.lock, flags);
		fail_fence(vgdev, fence, -ENODEV);
		spin_unlock_irqrestore(&vgdev->fence_drv.lock, flags);
	}

	no_answer(vgdev, vbuf);
}

/*
 * Reset
 */

/**
 * virtio_gpu_pm_abandon - complete a command that the host will not answer
 * @vgdev: the device, which was reset
 * @vbuf: the command, which the caller frees
 *
 * Fences are not looked at: all of them are failed at once.
 *
 * Context: Process context, no queue lock held.
 */
void virtio_gpu_pm_abandon(struct virtio_gpu_device *vgdev,
			   struct virtio_gpu_vbuffer *vbuf)
{
	if (vbuf->resp_cb_data)
		virtio_gpu_cleanup_object(vbuf->resp_cb_data);
	vbuf->resp_cb_data = NULL;

	no_answer(vgdev, vbuf);
}

static void fail_all_fences(struct virtio_gpu_device *vgdev)
{
	struct virtio_gpu_fence_driver *drv = &vgdev->fence_drv;
	struct virtio_gpu_fence *fence, *next;
	unsigned long flags;

	spin_lock_irqsave(&drv->lock, flags);
	list_for_each_entry_safe(fence, next, &drv->fences, node)
		fail_fence(vgdev, fence, -EIO);
	spin_unlock_irqrestore(&drv->lock, flags);
}

/*
 * The next host may offer other capabilities. The entries stay in the list, as
 * an ioctl may still look at one, but nobody finds them any more; capability
 * sets are numbered from 1.
 */
static void forget_capabilities(struct virtio_gpu_device *vgdev)
{
	struct virtio_gpu_drv_cap_cache *entry;

	spin_lock(&vgdev->display_info_lock);
	list_for_each_entry(entry, &vgdev->cap_cache, head)
		entry->id = 0;
	spin_unlock(&vgdev->display_info_lock);
}

/**
 * virtio_gpu_pm_reset - reset the device and complete what it will not answer
 * @vgdev: the device, whose queues are stopped
 *
 * Context: Freeze, or unbind.
 */
void virtio_gpu_pm_reset(struct virtio_gpu_device *vgdev)
{
	/*
	 * virtio-pci waits without a limit until the device says that it was
	 * reset (virtio 1.2, 4.1.4.3.2): the one unbounded wait on this path.
	 */
	virtio_reset_device(vgdev->vdev);

	/* no callback comes any more; handle and complete what is left */
	flush_work(&vgdev->ctrlq.dequeue_work);
	flush_work(&vgdev->cursorq.dequeue_work);
	virtio_gpu_pm_reclaim_vbufs(vgdev);
	fail_all_fences(vgdev);
	forget_capabilities(vgdev);
	forget_display_info(vgdev);

	drm_virt_pm_device_reset(&vgdev->pm.base);
	/* after the epoch was counted, so that frees send nothing */
	flush_work(&vgdev->obj_free_work);
}

/*
 * Objects
 */

static struct virtio_gpu_device *to_vgdev(struct drm_virt_pm *vpm)
{
	return container_of(vpm, struct virtio_gpu_device, pm.base);
}

static struct virtio_gpu_device *bo_to_vgdev(struct virtio_gpu_object *bo)
{
	return bo->base.base.dev->dev_private;
}

static struct virtio_gpu_object *to_bo(struct drm_virt_pm_object *obj)
{
	return container_of(obj, struct virtio_gpu_object, pm.base);
}

static bool queue_stopped(struct virtio_gpu_device *vgdev)
{
	bool stopped;

	spin_lock(&vgdev->ctrlq.qlock);
	stopped = drm_virt_pm_queue_stopped(&vgdev->ctrlq.pm);
	spin_unlock(&vgdev->ctrlq.qlock);

	return stopped;
}

/**
 * virtio_gpu_pm_response_error - the host answered a command with an error
 * @vgdev: the device
 * @vbuf: the command
 *
 * A resource whose creation failed does not exist, whatever we believed.
 *
 * Context: The dequeue work.
 */
void virtio_gpu_pm_response_error(struct virtio_gpu_device *vgdev,
				  struct virtio_gpu_vbuffer *vbuf)
{
	struct virtio_gpu_ctrl_hdr *hdr = (void *)vbuf->buf;
	struct virtio_gpu_object *bo;

	/* only our own creations carry their object without a fence */
	if (!vbuf->objs || vbuf->objs->nents != 1)
		return;

	switch (le32_to_cpu(hdr->type)) {
	case VIRTIO_GPU_CMD_RESOURCE_CREATE_2D:
	case VIRTIO_GPU_CMD_RESOURCE_CREATE_BLOB:
	case VIRTIO_GPU_CMD_RESOURCE_CREATE_3D:
		bo = gem_to_virtio_gpu_obj(vbuf->objs->objs[0]);
		drm_virt_pm_object_lose(&vgdev->pm.base, &bo->pm.base, -EIO);
		break;
	}
}

/**
 * virtio_gpu_pm_object_created - the host is being told about a resource
 * @vgdev: the device
 * @bo: the resource, &virtio_gpu_object.created still false the first time
 * @params: how it is created
 *
 * Context: The creating task; also called when the resource is created again.
 */
void virtio_gpu_pm_object_created(struct virtio_gpu_device *vgdev,
				  struct virtio_gpu_object *bo,
				  const struct virtio_gpu_object_params *params)
{
	if (bo->created)
		return;

	bo->params = *params;
	bo->pm.host_only = params->virgl ||
			   (params->blob &&
			    params->blob_mem != VIRTGPU_BLOB_MEM_GUEST);
	if (bo->pm.host_only)
		atomic_inc(&vgdev->pm.host_only);

	drm_virt_pm_object_init(&bo->pm.base);
	drm_virt_pm_object_created(&vgdev->pm.base, &bo->pm.base,
				   bo->hw_res_handle);
	/* then the command was refused, and the host knows nothing of it */
	if (queue_stopped(vgdev))
		drm_virt_pm_object_forget(&vgdev->pm.base, &bo->pm.base);
}

/**
 * virtio_gpu_pm_object_resident - whether the host knows a resource
 * @bo: the resource
 *
 * Context: Any; what is resident stays so while tasks run.
 *
 * Return: true if it was told of it since the last reset.
 */
bool virtio_gpu_pm_object_resident(struct virtio_gpu_object *bo)
{
	return drm_virt_pm_object_is_resident(&bo_to_vgdev(bo)->pm.base,
					      &bo->pm.base);
}

/**
 * virtio_gpu_pm_object_release - a resource is being freed
 * @bo: the resource, which the host was told about once
 *
 * Context: The last reference was dropped.
 *
 * Return: true if the host knows it and has to be told.
 */
bool virtio_gpu_pm_object_release(struct virtio_gpu_object *bo)
{
	struct virtio_gpu_device *vgdev = bo_to_vgdev(bo);
	bool resident = virtio_gpu_pm_object_resident(bo);

	if (bo->pm.host_only)
		atomic_dec(&vgdev->pm.host_only);
	if (bo->pm.uuid_taken)
		atomic_dec(&vgdev->pm.uuids_taken);
	drm_virt_pm_object_released(&vgdev->pm.base, &bo->pm.base);

	return resident;
}

/**
 * virtio_gpu_pm_object_use - a resource is about to be named to the host
 * @bo: the resource
 *
 * Context: May sleep; no dma_resv is held.
 *
 * Return: 0, or a negative errno as drm_virt_pm_object_use() gives it.
 */
int virtio_gpu_pm_object_use(struct virtio_gpu_object *bo)
{
	return drm_virt_pm_object_use(&bo_to_vgdev(bo)->pm.base, &bo->pm.base);
}

/**
 * virtio_gpu_pm_array_use - all resources of an array are about to be named
 * @objs: the array, not locked
 *
 * Context: May sleep; no dma_resv is held.
 *
 * Return: 0, or the first negative errno as virtio_gpu_pm_object_use() gives it.
 */
int virtio_gpu_pm_array_use(struct virtio_gpu_object_array *objs)
{
	unsigned int i;
	int ret;

	for (i = 0; i < objs->nents; i++) {
		ret = virtio_gpu_pm_object_use(gem_to_virtio_gpu_obj(objs->objs[i]));
		if (ret)
			return ret;
	}

	return 0;
}

/**
 * virtio_gpu_pm_plane_use - a resource is about to be shown by a plane
 * @plane: the plane
 * @bo: the resource
 *
 * The host serves the cursor queue without regard to the control queue. The
 * upload of a dumb cursor is waited for anyway; others have to wait until the
 * host has created them.
 *
 * Context: The plane's prepare_fb; may sleep; no dma_resv is held.
 *
 * Return: 0, or a negative errno as virtio_gpu_pm_object_use() gives it.
 */
int virtio_gpu_pm_plane_use(struct drm_plane *plane,
			    struct virtio_gpu_object *bo)
{
	struct virtio_gpu_device *vgdev = bo_to_vgdev(bo);
	struct drm_virt_pm *vpm = &vgdev->pm.base;
	int ret;

	if (virtio_gpu_pm_object_resident(bo))
		return 0;

	ret = virtio_gpu_pm_object_use(bo);
	/*
	 * Lost since drop_lost_planes() looked, as the host answered meanwhile:
	 * this output stays dark, the others must not.
	 */
	if (ret == -EIO && READ_ONCE(vpm->state) == DRM_VIRT_PM_RESUMING)
		return 0;
	if (ret || bo->dumb || plane->type != DRM_PLANE_TYPE_CURSOR)
		return ret;

	/* a host that is too late costs the cursor, not the commit */
	drm_virt_pm_queue_drain(&vgdev->ctrlq.pm, drm_virt_pm_stall_ms());
	return 0;
}

/**
 * virtio_gpu_pm_uuid_exported - the host is asked for the UUID of a resource
 * @bo: the resource
 *
 * Another device may name it to the host from now on, so it has to come back
 * without being used by us.
 *
 * Context: May sleep.
 */
void virtio_gpu_pm_uuid_exported(struct virtio_gpu_object *bo)
{
	drm_virt_pm_object_set_eager(&bo_to_vgdev(bo)->pm.base, &bo->pm.base,
				     true);
}

/**
 * virtio_gpu_pm_uuid_taken - another device was given the UUID of a resource
 * @bo: the resource
 *
 * The host assigns another one after a reset, and nobody can tell that device.
 *
 * Context: Process context.
 */
void virtio_gpu_pm_uuid_taken(struct virtio_gpu_object *bo)
{
	struct virtio_gpu_device *vgdev = bo_to_vgdev(bo);

	spin_lock(&vgdev->resource_export_lock);
	if (!bo->pm.uuid_taken) {
		bo->pm.uuid_taken = true;
		atomic_inc(&vgdev->pm.uuids_taken);
	}
	spin_unlock(&vgdev->resource_export_lock);
}

/* Number of backing entries that the host is told. */
static unsigned int num_entries(struct virtio_gpu_device *vgdev,
				const struct sg_table *sgt)
{
	return virtio_gpu_use_dma_api(vgdev->vdev) ? sgt->nents :
						     sgt->orig_nents;
}

/*
 * The pages of a shmem object stay for the life of the object: this needs
 * neither a lock nor a mapping.
 */
static struct virtio_gpu_mem_entry *
backing_entries(struct virtio_gpu_device *vgdev, const struct sg_table *sgt)
{
	struct virtio_gpu_mem_entry *ents;
	struct scatterlist *sg;
	unsigned int i;

	ents = drm_virt_pm_alloc(&vgdev->pm.base,
				 num_entries(vgdev, sgt) * sizeof(*ents));
	if (!ents)
		return NULL;

	if (virtio_gpu_use_dma_api(vgdev->vdev)) {
		for_each_sgtable_dma_sg(sgt, sg, i) {
			ents[i].addr = cpu_to_le64(sg_dma_address(sg));
			ents[i].length = cpu_to_le32(sg_dma_len(sg));
			ents[i].padding = 0;
		}
	} else {
		for_each_sgtable_sg(sgt, sg, i) {
			ents[i].addr = cpu_to_le64(sg_phys(sg));
			ents[i].length = cpu_to_le32(sg->length);
			ents[i].padding = 0;
		}
	}

	return ents;
}

/* An array that holds @bo until the host has answered; arrays of one do not fail. */
static struct virtio_gpu_object_array *hold(struct virtio_gpu_object *bo)
{
	struct virtio_gpu_object_array *objs = virtio_gpu_array_alloc(1);

	virtio_gpu_array_add_obj(objs, &bo->base.base);
	return objs;
}

/**
 * virtio_gpu_pm_restored - what a creation has to hold
 * @bo: the resource that is being created
 *
 * Context: Process context.
 *
 * Return: an array that holds @bo until the host has answered, so that it can
 * be told if the host does not create it again; NULL the first time.
 */
struct virtio_gpu_object_array *
virtio_gpu_pm_restored(struct virtio_gpu_object *bo)
{
	return bo->created ? hold(bo) : NULL;
}

/* Ask for a new UUID in place of the one that the reset took. */
static void assign_uuid(struct virtio_gpu_device *vgdev,
			struct virtio_gpu_object *bo)
{
	bool had;

	spin_lock(&vgdev->resource_export_lock);
	had = bo->uuid_state == STATE_OK;
	if (had)
		bo->uuid_state = STATE_INITIALIZING;
	spin_unlock(&vgdev->resource_export_lock);

	if (had)
		virtio_gpu_resource_assign_uuid(vgdev, bo);
}

/*
 * Create a classic 2D resource again and upload what the guest has of it,
 * unless it is a dumb buffer: KMS uploads what it shows of those itself.
 */
static void restore_2d(struct virtio_gpu_device *vgdev,
		       struct virtio_gpu_object *bo,
		       struct virtio_gpu_mem_entry *ents)
{
	struct virtio_gpu_object_params *params = &bo->params;
	u32 height = 0, stride = params->width * 4;

	/* user space chooses the size of the backing, down to one page */
	if (!bo->dumb && stride)
		height = min_t(u64, params->height, bo->base.base.size / stride);

	virtio_gpu_cmd_create_resource(vgdev, bo, params, hold(bo), NULL);
	virtio_gpu_object_attach(vgdev, bo, ents,
				 num_entries(vgdev, bo->base.sgt));
	if (height)
		virtio_gpu_cmd_transfer_to_host_2d(vgdev, 0, params->width,
						   height, 0, 0, hold(bo),
						   NULL);
}

/* From what the guest has of it */
static int restore_shmem(struct virtio_gpu_device *vgdev,
			 struct virtio_gpu_object *bo)
{
	struct virtio_gpu_mem_entry *ents;

	if (!virtio_gpu_is_shmem(bo) || !bo->base.sgt)
		return -EIO;

	ents = backing_entries(vgdev, bo->base.sgt);
	if (!ents)
		return -ENOMEM;

	if (bo->params.blob)
		virtio_gpu_cmd_resource_create_blob(vgdev, bo, &bo->params, ents,
						    num_entries(vgdev, bo->base.sgt));
	else
		restore_2d(vgdev, bo, ents);

	return 0;
}

static int object_restore(struct drm_virt_pm *vpm,
			  struct drm_virt_pm_object *obj)
{
	struct virtio_gpu_device *vgdev = to_vgdev(vpm);
	struct virtio_gpu_object *bo = to_bo(obj);
	int ret;

	if (bo->pm.host_only)
		return -EIO;

	ret = bo->pm.restore ? bo->pm.restore(bo) : restore_shmem(vgdev, bo);
	if (ret)
		return ret;

	assign_uuid(vgdev, bo);
	virtio_gpu_notify(vgdev);

	/* then all of this was refused, and has to be done again */
	return queue_stopped(vgdev) ? -ENODEV : 0;
}

static bool object_get(struct drm_virt_pm_object *obj)
{
	return kref_get_unless_zero(&to_bo(obj)->base.base.refcount);
}

static void object_put(struct drm_virt_pm_object *obj)
{
	drm_gem_object_put(&to_bo(obj)->base.base);
}

/*
 * Contexts
 */

/**
 * virtio_gpu_pm_context_created - the host is being told about a context
 * @vgdev: the device
 * @vfpriv: the context
 *
 * Context: &virtio_gpu_fpriv.context_lock is held.
 */
void virtio_gpu_pm_context_created(struct virtio_gpu_device *vgdev,
				   struct virtio_gpu_fpriv *vfpriv)
{
	WRITE_ONCE(vfpriv->pm.epoch, vgdev->pm.base.epoch);
}

/**
 * virtio_gpu_pm_context_stale - whether a reset took a context
 * @vgdev: the device
 * @vfpriv: the context
 *
 * A stale context stays so until it is needed for 3D work: without, nothing is
 * attached to it and nothing detached.
 *
 * Context: Any; what is not stale stays so while tasks run.
 *
 * Return: true if the context was created, but not since the last reset.
 */
bool virtio_gpu_pm_context_stale(struct virtio_gpu_device *vgdev,
				 struct virtio_gpu_fpriv *vfpriv)
{
	return vfpriv->context_created &&
	       READ_ONCE(vfpriv->pm.epoch) != READ_ONCE(vgdev->pm.base.epoch);
}

/* The first object at or after @handle, with a reference. */
static struct drm_gem_object *next_handle(struct drm_file *file, int *handle)
{
	struct drm_gem_object *obj;

	spin_lock(&file->table_lock);
	obj = idr_get_next(&file->object_idr, handle);
	if (obj)
		drm_gem_object_get(obj);
	spin_unlock(&file->table_lock);

	return obj;
}

/**
 * virtio_gpu_pm_context_attach_all - attach to a context what its file holds
 * @vgdev: the device
 * @file: the file, whose context was created again
 *
 * Context: &virtio_gpu_fpriv.context_lock is held; may sleep.
 */
void virtio_gpu_pm_context_attach_all(struct virtio_gpu_device *vgdev,
				      struct drm_file *file)
{
	struct virtio_gpu_fpriv *vfpriv = file->driver_priv;
	struct drm_gem_object *obj;
	int handle;

	for (handle = 1; (obj = next_handle(file, &handle)); handle++) {
		struct virtio_gpu_object *bo = gem_to_virtio_gpu_obj(obj);

		if (!virtio_gpu_pm_object_use(bo))
			virtio_gpu_cmd_context_attach_resource(vgdev,
							       vfpriv->ctx_id,
							       hold(bo));
		drm_gem_object_put(obj);
	}
	virtio_gpu_notify(vgdev);
}

/**
 * virtio_gpu_pm_context_used - a context is used for 3D work
 * @file: its file
 *
 * From now on the host has state of it that nobody can put back.
 *
 * Context: An ioctl.
 */
void virtio_gpu_pm_context_used(struct drm_file *file)
{
	struct virtio_gpu_fpriv *vfpriv = file->driver_priv;

	WRITE_ONCE(vfpriv->pm.used_3d, true);
}

/*
 * Refusals and reserve
 */

static unsigned int num_used_contexts(struct virtio_gpu_device *vgdev)
{
	struct virtio_gpu_fpriv *vfpriv;
	struct drm_file *file;
	unsigned int n = 0;

	if (!vgdev->has_virgl_3d)
		return 0;

	mutex_lock(&vgdev->ddev->filelist_mutex);
	list_for_each_entry(file, &vgdev->ddev->filelist, lhead) {
		vfpriv = file->driver_priv;
		if (vfpriv && READ_ONCE(vfpriv->pm.used_3d))
			n++;
	}
	mutex_unlock(&vgdev->ddev->filelist_mutex);

	return n;
}

/* As virtio-pci decides whether to call us on suspend at all. */
static bool keeps_state(struct virtio_gpu_device *vgdev,
			enum drm_virt_pm_transition transition)
{
	struct device *dev = vgdev->vdev->dev.parent;
	struct pci_dev *pdev;
	u16 pmcsr;

	if (transition != DRM_VIRT_PM_SUSPEND || !dev_is_pci(dev))
		return false;

	pdev = to_pci_dev(dev);
	if (!pdev->pm_cap)
		return false;

	pci_read_config_word(pdev, pdev->pm_cap + PCI_PM_CTRL, &pmcsr);
	return !PCI_POSSIBLE_ERROR(pmcsr) &&
	       (pmcsr & PCI_PM_CTRL_NO_SOFT_RESET);
}

static void count(struct seq_buf *why, unsigned int n, const char *one,
		  const char *many)
{
	if (n)
		seq_buf_printf(why, "%s%u %s", seq_buf_used(why) ? ", " : "", n,
			       n == 1 ? one : many);
}

static int check(struct drm_virt_pm *vpm,
		 enum drm_virt_pm_transition transition, struct seq_buf *why)
{
	struct virtio_gpu_device *vgdev = to_vgdev(vpm);

	if (keeps_state(vgdev, transition))
		return 0;

	count(why, num_used_contexts(vgdev), "context with 3D work",
	      "contexts with 3D work");
	count(why, atomic_read(&vgdev->pm.host_only),
	      "buffer whose content only the host has",
	      "buffers whose content only the host has");
	count(why, atomic_read(&vgdev->pm.uuids_taken),
	      "buffer shared with another device",
	      "buffers shared with another device");

	return seq_buf_used(why) ? -EBUSY : 0;
}

/* What the resume commit brings back: the buffers that are shown now. */
static int reserve(struct drm_virt_pm *vpm)
{
	struct virtio_gpu_device *vgdev = to_vgdev(vpm);
	struct virtio_gpu_object *bo;
	struct drm_plane *plane;
	size_t size;
	int ret = 0;

	if (!drm_core_check_feature(vgdev->ddev, DRIVER_MODESET))
		return 0;

	drm_for_each_plane(plane, vgdev->ddev) {
		size = 0;

		drm_modeset_lock(&plane->mutex, NULL);
		if (plane->state && plane->state->fb) {
			bo = gem_to_virtio_gpu_obj(plane->state->fb->obj[0]);
			if (virtio_gpu_is_shmem(bo) && bo->base.sgt)
				size = num_entries(vgdev, bo->base.sgt) *
				       sizeof(struct virtio_gpu_mem_entry);
		}
		drm_modeset_unlock(&plane->mutex);

		if (size)
			ret = drm_virt_pm_reserve(vpm, size);
		if (ret)
			return ret;
	}

	return 0;
}

/*
 * Outputs
 */

static void note_outputs(struct virtio_gpu_device *vgdev)
{
	unsigned int i;

	spin_lock(&vgdev->display_info_lock);
	for (i = 0; i < vgdev->num_scanouts; i++) {
		vgdev->pm.before[i].info = vgdev->outputs[i].info;
		vgdev->pm.before[i].edid = vgdev->outputs[i].conn.epoch_counter;
	}
	spin_unlock(&vgdev->display_info_lock);
}

/*
 * The host's own event may be being handled, which asks the host and may light
 * up outputs. The core lets no new one be queued.
 */
static int finish_event(struct virtio_gpu_device *vgdev)
{
	struct work_struct *event = &vgdev->config_changed_work;
	unsigned int stall_ms = drm_virt_pm_stall_ms();
	unsigned int busy;
	int ret;

	if (!work_busy(event))
		return 0;

	ret = drm_virt_pm_queue_drain(&vgdev->ctrlq.pm, stall_ms);
	if (!ret)
		ret = read_poll_timeout(work_busy, busy, !busy, USEC_PER_MSEC,
					stall_ms * USEC_PER_MSEC, false, event);
	return ret;
}

static int config_down(struct drm_virt_pm *vpm)
{
	struct virtio_gpu_device *vgdev = to_vgdev(vpm);
	int ret = finish_event(vgdev);

	if (ret && drm_virt_pm_get_transition() != DRM_VIRT_PM_RESTORE) {
		drm_virt_pm_refuse(vpm, ret, "the host does not answer");
		return ret;
	}
	if (ret) {
		/* on the way into an image: what it waits for need not come */
		stop_queues(vgdev);
		forget_display_info(vgdev);
		flush_work(&vgdev->config_changed_work);
	}

	/* not flushed: it may wait on a workqueue that is frozen */
	cancel_work_sync(&vgdev->pm.refresh_work);
	note_outputs(vgdev);
	return 0;
}

static int config_up(struct drm_virt_pm *vpm)
{
	WRITE_ONCE(to_vgdev(vpm)->pm.hurry, false);
	/* hot-plug handling wants a system that runs */
	queue_work(system_freezable_wq, &to_vgdev(vpm)->pm.refresh_work);
	return 0;
}

static bool output_changed(struct virtio_gpu_device *vgdev, unsigned int i)
{
	struct virtio_gpu_output *output = &vgdev->outputs[i];
	bool changed;

	spin_lock(&vgdev->display_info_lock);
	changed = memcmp(&vgdev->pm.before[i].info, &output->info,
			 sizeof(output->info));
	spin_unlock(&vgdev->display_info_lock);

	return changed ||
	       vgdev->pm.before[i].edid != output->conn.epoch_counter;
}

static void tell_of_changes(struct virtio_gpu_device *vgdev)
{
	bool changed = false;
	unsigned int i;

	for (i = 0; i < vgdev->num_scanouts; i++)
		changed |= output_changed(vgdev, i);
	if (changed)
		drm_kms_helper_hotplug_event(vgdev->ddev);
}

static void refresh_func(struct work_struct *work)
{
	struct virtio_gpu_device *vgdev =
		container_of(work, struct virtio_gpu_device, pm.refresh_work);

	mutex_lock(&vgdev->pm.refresh_lock);
	/* the answers were asked for in order, the geometry last */
	if (wait_event_timeout(vgdev->resp_wq, !vgdev->display_info_pending,
			       msecs_to_jiffies(drm_virt_pm_stall_ms())))
		tell_of_changes(vgdev);
	else
		/* a host that is late is asked nothing, but listened to */
		queue_work(system_freezable_wq, work);
	mutex_unlock(&vgdev->pm.refresh_lock);
}

/* The host's own event, one at a time with what a resume asks for. */
static void config_changed_func(struct work_struct *work)
{
	struct virtio_gpu_device *vgdev =
		container_of(work, struct virtio_gpu_device,
			     config_changed_work);

	mutex_lock(&vgdev->pm.refresh_lock);
	/* an answer to the resume must not be taken for one to the event */
	wait_event_timeout(vgdev->resp_wq, !vgdev->display_info_pending,
			   msecs_to_jiffies(drm_virt_pm_stall_ms()));
	vgdev->pm.config_changed(work);
	mutex_unlock(&vgdev->pm.refresh_lock);
}

/**
 * virtio_gpu_pm_has_output - whether the host has an output
 * @vgdev: the device
 * @index: which one of those that it had at probe
 *
 * The host that a guest resumes on may have fewer. To user space, which gets a
 * hot-plug event, those are outputs without a monitor; what it does with them
 * until it has seen that works, but for that the host is not told.
 *
 * Context: Any context.
 *
 * Return: true if the host may be told of it.
 */
bool virtio_gpu_pm_has_output(struct virtio_gpu_device *vgdev,
			      unsigned int index)
{
	return index + READ_ONCE(vgdev->pm.outputs_gone) < vgdev->num_scanouts;
}

/* The new host may have other outputs; nothing here waits for its answer. */
static int outputs_up(struct drm_virt_pm *vpm)
{
	struct virtio_gpu_device *vgdev = to_vgdev(vpm);
	int ret = 0;

	if (!vgdev->num_scanouts)
		return 0;

	if (vgdev->has_edid)
		ret = virtio_gpu_cmd_get_edids(vgdev);
	if (!ret)
		ret = virtio_gpu_cmd_get_display_info(vgdev);
	virtio_gpu_notify(vgdev);

	return ret;
}

static void init_outputs(struct virtio_gpu_device *vgdev)
{
	INIT_WORK(&vgdev->pm.refresh_work, refresh_func);
	mutex_init(&vgdev->pm.refresh_lock);
	vgdev->pm.config_changed = vgdev->config_changed_work.func;
	vgdev->config_changed_work.func = config_changed_func;
}

static void fini_outputs(struct virtio_gpu_device *vgdev)
{
	cancel_work_sync(&vgdev->pm.refresh_work);
}

/*
 * Steps
 */

static void start_queues(struct virtio_gpu_device *vgdev)
{
	drm_virt_pm_queue_start(&vgdev->ctrlq.pm);
	drm_virt_pm_queue_start(&vgdev->cursorq.pm);
}

static int drain_queues(struct virtio_gpu_device *vgdev)
{
	unsigned int stall_ms = drm_virt_pm_stall_ms();
	int ret;

	ret = drm_virt_pm_queue_drain(&vgdev->ctrlq.pm, stall_ms);
	if (ret)
		return ret;

	return drm_virt_pm_queue_drain(&vgdev->cursorq.pm, stall_ms);
}

/*
 * Does the host still answer? An idle queue does not tell, so it is given
 * something to answer.
 */
static int host_down(struct drm_virt_pm *vpm)
{
	struct virtio_gpu_device *vgdev = to_vgdev(vpm);
	unsigned int stall_ms = drm_virt_pm_stall_ms();
	int ret;

	ret = drain_queues(vgdev);

	/* what the boot kernel leaves behind is nobody's any more */
	if (drm_virt_pm_get_transition() == DRM_VIRT_PM_RESTORE)
		return 0;

	if (!ret)
		ret = virtio_gpu_cmd_get_display_info(vgdev);
	if (!ret)
		ret = drm_virt_pm_queue_drain(&vgdev->ctrlq.pm, stall_ms);
	if (ret == -ETIMEDOUT)
		drm_virt_pm_refuse(vpm, ret, "the host does not answer");

	return ret;
}

static int kms_down(struct drm_virt_pm *vpm)
{
	struct virtio_gpu_device *vgdev = to_vgdev(vpm);
	struct drm_device *ddev = vgdev->ddev;
	int ret;

	if (!drm_core_check_feature(ddev, DRIVER_MODESET))
		return 0;

	WRITE_ONCE(vgdev->pm.hurry, true);
	ret = drm_mode_config_helper_suspend(ddev);
	if (ret) {
		WRITE_ONCE(vgdev->pm.hurry, false);
		start_queues(vgdev);
	}

	return ret;
}

static bool exporters_ready(struct drm_device *ddev)
{
	/* the type was renamed; its value is all that is needed */
	typeof(ddev->mode_config.suspend_state) state =
		ddev->mode_config.suspend_state;
	struct drm_plane_state *plane_state;
	struct dma_buf_attachment *attach;
	struct drm_plane *plane;
	int i;

	for_each_new_plane_in_state(state, plane, plane_state, i) {
		attach = plane_state->fb ?
			 plane_state->fb->obj[0]->import_attach : NULL;
		if (attach && !drm_virt_pm_exporter_ready(attach->dmabuf))
			return false;
	}

	return true;
}

/*
 * What is shown may be another device's, which resumes at the same time. It is
 * waited for, but not for ever: it may be lost, or come after us.
 */
static void wait_for_exporters(struct drm_device *ddev)
{
	bool ready;

	read_poll_timeout(exporters_ready, ready, ready, USEC_PER_MSEC,
			  drm_virt_pm_stall_ms() * USEC_PER_MSEC, false, ddev);
}

/* Bring back what the saved state shows, and learn what the host could not create. */
static void restore_planes(struct drm_device *ddev)
{
	typeof(ddev->mode_config.suspend_state) state =
		ddev->mode_config.suspend_state;
	struct virtio_gpu_device *vgdev = ddev->dev_private;
	struct drm_plane_state *plane_state;
	struct drm_plane *plane;
	int i;

	for_each_new_plane_in_state(state, plane, plane_state, i) {
		if (plane_state->fb)
			virtio_gpu_pm_object_use(gem_to_virtio_gpu_obj(plane_state->fb->obj[0]));
	}

	/* a host that is too late shows up in the commit */
	drm_virt_pm_queue_drain(&vgdev->ctrlq.pm, drm_virt_pm_stall_ms());
}

/*
 * Take planes whose buffer is lost, or cannot come back now, out of the state
 * that is going to be committed: one of them would make the whole commit fail,
 * and all outputs stay black.
 */
static void drop_lost_planes(struct drm_device *ddev)
{
	typeof(ddev->mode_config.suspend_state) state =
		ddev->mode_config.suspend_state;
	struct drm_plane_state *plane_state;
	struct drm_modeset_acquire_ctx ctx;
	struct virtio_gpu_object *bo;
	struct drm_plane *plane;
	int i;

	/* a change asks for one; all that it needs is in the state already */
	drm_modeset_acquire_init(&ctx, 0);
	state->acquire_ctx = &ctx;

	for_each_new_plane_in_state(state, plane, plane_state, i) {
		if (!plane_state->fb)
			continue;

		bo = gem_to_virtio_gpu_obj(plane_state->fb->obj[0]);
		if (!virtio_gpu_pm_object_use(bo))
			continue;

		drm_warn(ddev, "[PLANE:%d:%s] comes back without its buffer\n",
			 plane->base.id, plane->name);
		drm_atomic_set_fb_for_plane(plane_state, NULL);
		WARN_ON(drm_atomic_set_crtc_for_plane(plane_state, NULL));
	}

	state->acquire_ctx = NULL;
	drm_modeset_acquire_fini(&ctx);
}

static int kms_up(struct drm_virt_pm *vpm)
{
	struct drm_device *ddev = to_vgdev(vpm)->ddev;

	if (!drm_core_check_feature(ddev, DRIVER_MODESET))
		return 0;

	wait_for_exporters(ddev);
	restore_planes(ddev);
	drop_lost_planes(ddev);
	return drm_mode_config_helper_resume(ddev);
}

static int gate_down(struct drm_virt_pm *vpm)
{
	struct virtio_gpu_device *vgdev = to_vgdev(vpm);
	int ret, err;

	ret = drm_virt_pm_gate_close(vpm, drm_virt_pm_stall_ms());
	err = drain_queues(vgdev);
	stop_queues(vgdev);

	/* clients are stopped: the reset is what answers a host that hangs */
	return ret ?: err;
}

static int gate_up(struct drm_virt_pm *vpm)
{
	struct virtio_gpu_device *vgdev = to_vgdev(vpm);

	start_queues(vgdev);
	drm_virt_pm_gate_open(vpm);
	return 0;
}

static int device_down(struct drm_virt_pm *vpm)
{
	virtio_gpu_pm_reset(to_vgdev(vpm));
	return 0;
}

static void forget_queue(struct virtio_gpu_queue *vgvq)
{
	spin_lock(&vgvq->qlock);
	vgvq->vq = NULL;
	spin_unlock(&vgvq->qlock);
	flush_work(&vgvq->dequeue_work);
}

static int queues_down(struct drm_virt_pm *vpm)
{
	struct virtio_gpu_device *vgdev = to_vgdev(vpm);

	forget_queue(&vgdev->ctrlq);
	forget_queue(&vgdev->cursorq);
	/* virtio_gpu_notify() uses the queue outside of its lock */
	synchronize_rcu();
	vgdev->vdev->config->del_vqs(vgdev->vdev);
	return 0;
}

static void count_outputs(struct virtio_gpu_device *vgdev)
{
	u32 now, before = vgdev->num_scanouts;

	virtio_cread_le(vgdev->vdev, struct virtio_gpu_config, num_scanouts,
			&now);
	WRITE_ONCE(vgdev->pm.outputs_gone, before - min(before, now));
	if (now < before)
		drm_warn(vgdev->ddev, "the host has %u outputs, not %u\n", now,
			 before);
}

static int queues_up(struct drm_virt_pm *vpm)
{
	struct virtio_gpu_device *vgdev = to_vgdev(vpm);
	int ret;

	count_outputs(vgdev);
	ret = virtio_gpu_find_vqs(vgdev);
	if (ret)
		return ret;

	virtio_device_ready(vgdev->vdev);
	return 0;
}

static int eager_up(struct drm_virt_pm *vpm)
{
	drm_virt_pm_objects_restore_eager(vpm);
	return 0;
}

static int reserve_down(struct drm_virt_pm *vpm)
{
	int ret;

	/* on the way into an image nothing may fail, and nothing comes back */
	if (drm_virt_pm_get_transition() == DRM_VIRT_PM_RESTORE)
		return 0;

	ret = drm_virt_pm_reserve_fill(vpm);
	if (ret)
		drm_virt_pm_refuse(vpm, ret, "not enough memory for the resume");

	return ret;
}

static void lost(struct drm_virt_pm *vpm)
{
	virtio_gpu_pm_unplug(to_vgdev(vpm));
}

/*
 * Drop what a resume that never came was to show: it holds the device. This is
 * the call that ends such a state, on all kernels; with the device unplugged
 * and its objects gone there is nothing that it could bring back.
 */
static void drop_suspend_state(struct drm_device *ddev)
{
	/* the type was renamed, see above */
	typeof(ddev->mode_config.suspend_state) state =
		ddev->mode_config.suspend_state;

	ddev->mode_config.suspend_state = NULL;
	if (state)
		drm_atomic_helper_resume(ddev, state);
}

/**
 * virtio_gpu_pm_freeze - the device may be reset from now on
 * @vdev: the device
 *
 * Context: Freeze, poweroff and suspend callback of the virtio transport.
 *
 * Return: as drm_virt_pm_suspend().
 */
int virtio_gpu_pm_freeze(struct virtio_device *vdev)
{
	struct drm_device *ddev = vdev->priv;
	struct virtio_gpu_device *vgdev = ddev->dev_private;

	return drm_virt_pm_suspend(&vgdev->pm.base);
}

/**
 * virtio_gpu_pm_restore - the device was reset
 * @vdev: the device
 *
 * Context: Thaw, restore and resume callback of the virtio transport, after the
 * features were negotiated again.
 *
 * Return: as drm_virt_pm_resume().
 */
int virtio_gpu_pm_restore(struct virtio_device *vdev)
{
	struct drm_device *ddev = vdev->priv;
	struct virtio_gpu_device *vgdev = ddev->dev_private;

	return drm_virt_pm_resume(&vgdev->pm.base);
}

/*
 * Gate of the file operations
 */

static struct drm_virt_pm *file_to_vpm(struct file *file)
{
	struct drm_file *drm_file = file->private_data;
	struct virtio_gpu_device *vgdev =
		drm_file->minor->dev->dev_private;

	return &vgdev->pm.base;
}

/*
 * Nobody is counted, which would cost a transfer a fiftieth. Tasks are frozen
 * when the gate closes, and one that is frozen inside an ioctl is so where it
 * touches its own memory (a file on NFS may be mapped there). That is before
 * its buffers are looked at, or after its commands are queued; in a submission
 * it is in between, but then its context counts as used, which refuses.
 */
static long pm_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	int ret;

	ret = drm_virt_pm_pass(file_to_vpm(file));
	if (ret)
		return ret;

	return drm_ioctl(file, cmd, arg);
}

#ifdef CONFIG_COMPAT
static long pm_compat_ioctl(struct file *file, unsigned int cmd,
			    unsigned long arg)
{
	int ret;

	ret = drm_virt_pm_pass(file_to_vpm(file));
	if (ret)
		return ret;

	return drm_compat_ioctl(file, cmd, arg);
}
#else
#define pm_compat_ioctl NULL
#endif

__diag_push();
__diag_ignore_all("-Woverride-init", "two of the common operations are gated");

const struct file_operations virtio_gpu_pm_fops = {
	.owner = THIS_MODULE,
	DRM_GEM_FOPS,
	.unlocked_ioctl = pm_ioctl,
	.compat_ioctl = pm_compat_ioctl,
};

__diag_pop();

/*
 * Life cycle
 */

/* In the order of a resume; a suspend walks it backwards. */
static const struct drm_virt_pm_step steps[] = {
	{ "queues", .up = queues_up, .down = queues_down },
	{ "device", .down = device_down },
	{ "gate", .up = gate_up, .down = gate_down,
	  .flags = DRM_VIRT_PM_STEP_FINAL },
	{ "shared", .up = eager_up, .flags = DRM_VIRT_PM_STEP_OPTIONAL },
	{ "kms", .up = kms_up, .down = kms_down,
	  .flags = DRM_VIRT_PM_STEP_OPTIONAL },
	{ "outputs", .up = outputs_up, .flags = DRM_VIRT_PM_STEP_OPTIONAL },
	{ "host", .down = host_down },
	{ "reserve", .down = reserve_down },
	{ "check", .down = drm_virt_pm_check },
	{ "config", .up = config_up, .down = config_down },
};

static const struct drm_virt_pm_ops ops = {
	.check = check,
	.reserve = reserve,
	.object_restore = object_restore,
	.object_get = object_get,
	.object_put = object_put,
	.lost = lost,
};

/**
 * virtio_gpu_pm_init - get ready to be suspended
 * @vgdev: the device, which works
 *
 * Context: At the end of probe, before drm_dev_register().
 *
 * Return: 0, or a negative errno as drm_virt_pm_init().
 */
int virtio_gpu_pm_init(struct virtio_gpu_device *vgdev)
{
	init_outputs(vgdev);

	return drm_virt_pm_init(&vgdev->pm.base, vgdev->ddev, &ops, steps,
				ARRAY_SIZE(steps));
}

/**
 * virtio_gpu_pm_fini - never to be suspended again
 * @vgdev: the device, already unplugged
 *
 * Context: At unbind.
 */
void virtio_gpu_pm_fini(struct virtio_gpu_device *vgdev)
{
	drm_virt_pm_fini(&vgdev->pm.base);
	fini_outputs(vgdev);
	drop_suspend_state(vgdev->ddev);
}
