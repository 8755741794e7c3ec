// SPDX-License-Identifier: GPL-2.0 OR MIT

#include <linux/scatterlist.h>

#include <drm/drm_print.h>

#include "virtgpu_drv.h"

/*
 * Restore of a resource that the host has forgotten.
 */

/* Number of entries of the backing in a command */
static unsigned int virtio_gpu_pm_num_entries(struct virtio_gpu_device *vgdev,
					      const struct sg_table *sgt)
{
	return virtio_gpu_use_dma_api(vgdev->vdev) ? sgt->nents :
						     sgt->orig_nents;
}

/*
 * A shmem object has its pages as long as it lives, so that this needs neither
 * a lock nor a mapping.
 */
static struct virtio_gpu_mem_entry *
virtio_gpu_pm_alloc_entries(struct virtio_gpu_device *vgdev,
			    const struct sg_table *sgt)
{
	struct virtio_gpu_mem_entry *ents;
	struct scatterlist *sg;
	unsigned int i;

	ents = kvmalloc_array(virtio_gpu_pm_num_entries(vgdev, sgt),
			      sizeof(*ents), GFP_KERNEL);
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

/* A resource is about to be created again. Returns whether the answer is waited for. */
static bool virtio_gpu_pm_start_probe(struct virtio_gpu_device *vgdev,
				      struct virtio_gpu_object *bo)
{
	bool probing = READ_ONCE(vgdev->pm.probed_epoch) != vgdev->pm.base.epoch;

	WRITE_ONCE(bo->pm.probing, probing);
	return probing;
}

/*
 * Some hosts know their resources after a reset, and refuse to create one again.
 * The first restore after a reset waits for the answer to find out, and so do others
 * that began before that. A resource that the host did not know before that reset, or
 * refuses for another reason, says nothing of the others, so that the next restore
 * waits as well. Returns -EEXIST if the resource has to be freed and created once more.
 * The answer to that tells whether the host knew it, and with it the others.
 */
static int virtio_gpu_pm_probe_host(struct virtio_gpu_device *vgdev,
				    struct virtio_gpu_object *bo)
{
	u32 epoch = vgdev->pm.base.epoch;
	bool exists;
	int ret;

	if (!bo->pm.probing)
		return 0;

	ret = drm_virt_pm_queue_drain(&vgdev->ctrlq.pm);
	if (ret)
		return ret;
	if (epoch != READ_ONCE(vgdev->pm.base.epoch))
		return -ENODEV;

	WRITE_ONCE(bo->pm.probing, false);
	exists = READ_ONCE(bo->pm.exists);
	if (!exists &&
	    (READ_ONCE(bo->pm.base.lost) ||
	     !virtio_gpu_pm_object_was_resident(bo)))
		return 0;

	WRITE_ONCE(vgdev->pm.probed_epoch, epoch);
	return exists ? -EEXIST : 0;
}

static int virtio_gpu_pm_create_2d(struct virtio_gpu_device *vgdev,
				   struct virtio_gpu_object *bo)
{
	if (vgdev->pm.keeps_resources)
		virtio_gpu_cmd_unref_stale(vgdev, bo);
	virtio_gpu_cmd_create_resource(vgdev, bo, &bo->params, NULL, NULL);

	return bo->pm.create_err;
}

/*
 * KMS uploads the content of a dumb buffer when it shows it. Other resources are
 * uploaded here.
 */
static int virtio_gpu_pm_restore_2d(struct virtio_gpu_device *vgdev,
				    struct virtio_gpu_object *bo)
{
	struct virtio_gpu_mem_entry *ents;
	int ret;

	ents = virtio_gpu_pm_alloc_entries(vgdev, bo->base.sgt);
	if (!ents)
		return -ENOMEM;

	virtio_gpu_pm_start_probe(vgdev, bo);
	ret = virtio_gpu_pm_create_2d(vgdev, bo);
	if (!ret)
		ret = virtio_gpu_pm_probe_host(vgdev, bo);
	if (ret == -EEXIST)
		ret = virtio_gpu_pm_create_2d(vgdev, bo) ?:
		      drm_virt_pm_queue_drain(&vgdev->ctrlq.pm);
	if (ret) {
		/* the host may create it later */
		if (ret == -ETIMEDOUT)
			virtio_gpu_cmd_unref_stale(vgdev, bo);
		kvfree(ents);
		return ret;
	}

	ret = virtio_gpu_object_attach(vgdev, bo, ents,
				       virtio_gpu_pm_num_entries(vgdev, bo->base.sgt));
	if (ret) {
		virtio_gpu_cmd_unref_stale(vgdev, bo);
		return ret;
	}

	if (!bo->dumb)
		virtio_gpu_cmd_transfer_to_host_2d(vgdev, 0, bo->params.width,
						   bo->params.height, 0, 0,
						   virtio_gpu_pm_hold(bo),
						   NULL);

	drm_virt_pm_object_restored(&vgdev->pm.base, &bo->pm.base);
	return 0;
}

static int virtio_gpu_pm_create_blob(struct virtio_gpu_device *vgdev,
				     struct virtio_gpu_object *bo,
				     struct virtio_gpu_mem_entry *ents,
				     unsigned int nents)
{
	if (vgdev->pm.keeps_resources)
		virtio_gpu_cmd_unref_stale(vgdev, bo);
	virtio_gpu_cmd_resource_create_blob(vgdev, bo, &bo->params, ents,
					    nents);

	return bo->pm.create_err;
}

/*
 * Create a guest blob again. Returns 0, -ENOMEM, -ENODEV if the queue is
 * stopped, or -ETIMEDOUT if the host does not answer.
 */
int virtio_gpu_pm_restore_blob(struct virtio_gpu_device *vgdev,
			       struct virtio_gpu_object *bo,
			       struct virtio_gpu_mem_entry *ents,
			       unsigned int nents)
{
	struct virtio_gpu_mem_entry *again = NULL;
	int ret;

	/* the command takes the entries, and there may be a second one */
	if (virtio_gpu_pm_start_probe(vgdev, bo)) {
		again = kvmalloc_array(nents, sizeof(*ents), GFP_KERNEL);
		if (!again) {
			kvfree(ents);
			return -ENOMEM;
		}
		memcpy(again, ents, nents * sizeof(*ents));
	}

	ret = virtio_gpu_pm_create_blob(vgdev, bo, ents, nents);
	if (!ret)
		ret = virtio_gpu_pm_probe_host(vgdev, bo);
	if (ret == -EEXIST) {
		ret = virtio_gpu_pm_create_blob(vgdev, bo, again, nents) ?:
		      drm_virt_pm_queue_drain(&vgdev->ctrlq.pm);
		again = NULL;
	}
	kvfree(again);

	/* if the host is late, it will have the pages nevertheless */
	if (!bo->pm.create_err)
		drm_virt_pm_object_restored(&vgdev->pm.base, &bo->pm.base);

	return ret;
}

static int virtio_gpu_pm_restore_shmem(struct virtio_gpu_device *vgdev,
				       struct virtio_gpu_object *bo)
{
	struct virtio_gpu_mem_entry *ents;

	if (!bo->params.blob)
		return virtio_gpu_pm_restore_2d(vgdev, bo);

	ents = virtio_gpu_pm_alloc_entries(vgdev, bo->base.sgt);
	if (!ents)
		return -ENOMEM;

	return virtio_gpu_pm_restore_blob(vgdev, bo, ents,
					  virtio_gpu_pm_num_entries(vgdev, bo->base.sgt));
}

static void virtio_gpu_pm_set_uuid_state(struct virtio_gpu_device *vgdev,
					 struct virtio_gpu_object *bo, int state)
{
	if (!READ_ONCE(bo->pm.has_uuid))
		return;

	spin_lock(&vgdev->resource_export_lock);
	bo->uuid_state = state;
	spin_unlock(&vgdev->resource_export_lock);
	wake_up_all(&vgdev->resp_wq);
}

/* The host assigns another UUID than before the reset */
static void virtio_gpu_pm_assign_uuid(struct virtio_gpu_device *vgdev,
				      struct virtio_gpu_object *bo,
				      bool only_failed)
{
	bool ask;

	if (!READ_ONCE(bo->pm.has_uuid))
		return;

	spin_lock(&vgdev->resource_export_lock);
	ask = !only_failed || bo->uuid_state == STATE_ERR;
	if (ask)
		bo->uuid_state = STATE_INITIALIZING;
	spin_unlock(&vgdev->resource_export_lock);

	if (!ask)
		return;

	/* another task may be waiting for the answer in virtio_gpu_pm_uuid_take() */
	if (virtio_gpu_resource_assign_uuid(vgdev, bo))
		virtio_gpu_pm_set_uuid_state(vgdev, bo, STATE_ERR);
	virtio_gpu_notify(vgdev);
}

/*
 * Restore a resource. The caller notifies the host, as it does of the command that
 * names the resource. Returns 0; -EIO if the resource is lost; -ENOMEM; -ENODEV
 * if the queue is stopped; -ETIMEDOUT if the host does not answer; an error of
 * the exporter of an import.
 */
int virtio_gpu_pm_restore_object(struct drm_virt_pm *vpm,
				 struct drm_virt_pm_object *obj)
{
	struct virtio_gpu_device *vgdev =
		container_of(vpm, struct virtio_gpu_device, pm.base);
	struct virtio_gpu_object *bo =
		container_of(obj, struct virtio_gpu_object, pm.base);
	/* a task that asks for the first UUID does so as soon as it is resident */
	bool has_uuid = READ_ONCE(bo->pm.has_uuid);
	int ret;

	if (bo->pm.host_only ||
	    (!bo->pm.restore && (!virtio_gpu_is_shmem(bo) || !bo->base.sgt))) {
		drm_virt_pm_object_lose(vpm, obj, -EIO);
		return -EIO;
	}

	/* virtio_gpu_pm_uuid_take() waits as soon as the resource is resident */
	virtio_gpu_pm_set_uuid_state(vgdev, bo, STATE_INITIALIZING);
	WRITE_ONCE(bo->pm.restoring, obj->next);
	if (virtio_gpu_virgl_restore && bo->params.virgl)
		ret = virtio_gpu_pm_content_restore(vgdev, bo);
	else
		ret = bo->pm.restore ? bo->pm.restore(bo) :
				       virtio_gpu_pm_restore_shmem(vgdev, bo);
	WRITE_ONCE(bo->pm.restoring, 0);
	if (ret)
		virtio_gpu_pm_set_uuid_state(vgdev, bo, STATE_ERR);
	else if (has_uuid)
		virtio_gpu_pm_assign_uuid(vgdev, bo, false);

	return ret;
}

/* The host is asked for the UUID of a resource */
void virtio_gpu_pm_uuid_asked(struct virtio_gpu_object *bo)
{
	WRITE_ONCE(bo->pm.has_uuid, true);
}

/*
 * Another device is about to get the UUID of a resource. The host assigns
 * another UUID after a reset, and that device is not told.
 * Returns 0 if the host has answered; -ETIMEDOUT if it has not; an error of
 * drm_virt_pm_object_use().
 */
int virtio_gpu_pm_uuid_take(struct virtio_gpu_object *bo)
{
	struct virtio_gpu_device *vgdev = bo->base.base.dev->dev_private;
	int ret;

	ret = virtio_gpu_pm_object_use(bo);
	if (ret)
		return ret;

	/* a restore may have had no memory to ask for it */
	virtio_gpu_pm_assign_uuid(vgdev, bo, true);
	virtio_gpu_notify(vgdev);

	if (!wait_event_timeout(vgdev->resp_wq,
				READ_ONCE(bo->uuid_state) != STATE_INITIALIZING,
				drm_virt_pm_timeout(&vgdev->pm.base)))
		return -ETIMEDOUT;

	spin_lock(&vgdev->resource_export_lock);
	if (bo->uuid_state == STATE_OK && !bo->pm.uuid_taken) {
		bo->pm.uuid_taken = true;
		atomic_inc(&vgdev->pm.uuids_taken);
	}
	spin_unlock(&vgdev->resource_export_lock);

	return 0;
}
