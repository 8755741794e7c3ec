/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef VIRTGPU_PM_H
#define VIRTGPU_PM_H

#include <linux/atomic.h>
#include <linux/fs.h>
#include <linux/mutex.h>
#include <linux/types.h>
#include <linux/virtio_gpu.h>
#include <linux/workqueue.h>

#include <drm/drm_virt_pm.h>

struct drm_file;
struct drm_plane;
struct virtio_device;
struct virtio_gpu_device;
struct virtio_gpu_fence;
struct virtio_gpu_fpriv;
struct virtio_gpu_object;
struct virtio_gpu_object_array;
struct virtio_gpu_object_params;
struct virtio_gpu_queue;
struct virtio_gpu_vbuffer;

/**
 * struct virtio_gpu_pm - what the device needs to be suspended
 */
struct virtio_gpu_pm {
	/** @base: The library's part. */
	struct drm_virt_pm base;

	/** @refresh_work: Tells of outputs that changed over a reset. */
	struct work_struct refresh_work;

	/**
	 * @refresh_lock: Held while outputs are asked for and told of: answers
	 * with an EDID must not come while connectors are probed.
	 */
	struct mutex refresh_lock;

	/** @config_changed: The driver's function of &virtio_gpu_device.config_changed_work. */
	work_func_t config_changed;

	/** @before: What was known of the outputs before the reset. */
	struct {
		/** @before.info: Geometry, as the host told. */
		struct virtio_gpu_display_one info;

		/** @before.edid: &drm_connector.epoch_counter */
		u64 edid;
	} before[VIRTIO_GPU_MAX_SCANOUTS];

	/**
	 * @outputs_gone: How many of the outputs of probe the host has no more;
	 * these are the last ones.
	 */
	unsigned int outputs_gone;

	/** @unplug_lock: Held while the device is unplugged. */
	struct mutex unplug_lock;

	/** @unplugged: It was. Protected by @unplug_lock. */
	bool unplugged;

	/**
	 * @hurry: Between the stop of KMS and the end of the resume nobody
	 * waits without a limit for room in a queue.
	 */
	bool hurry;

	/** @host_only: Number of objects whose content only the host has. */
	atomic_t host_only;

	/** @uuids_taken: Number of objects whose UUID another device has. */
	atomic_t uuids_taken;
};

/**
 * struct virtio_gpu_pm_object - what an object needs to come back
 */
struct virtio_gpu_pm_object {
	/** @base: The library's part. */
	struct drm_virt_pm_object base;

	/** @host_only: Counted in &virtio_gpu_pm.host_only. */
	bool host_only;

	/** @uuid_taken: Counted in &virtio_gpu_pm.uuids_taken. */
	bool uuid_taken;

	/**
	 * @restore:
	 *
	 * Creates again what is not made of pages of our own; NULL otherwise.
	 *
	 * Context: May sleep; no dma_resv is held.
	 *
	 * Return: As &drm_virt_pm_ops.object_restore.
	 */
	int (*restore)(struct virtio_gpu_object *bo);
};

/**
 * struct virtio_gpu_pm_context - what a rendering context needs to come back
 *
 * On a 3D capable host every user of a buffer has a context, fbdev included.
 * One that was not used for 3D work is empty and can be created again.
 */
struct virtio_gpu_pm_context {
	/** @epoch: Reset epoch in which the host last created it. */
	u32 epoch;

	/** @used_3d: It has state that only the host knows. */
	bool used_3d;
};

/* life cycle */
int virtio_gpu_pm_init(struct virtio_gpu_device *vgdev);
void virtio_gpu_pm_fini(struct virtio_gpu_device *vgdev);

/* callbacks of the driver */
extern const struct file_operations virtio_gpu_pm_fops;
int virtio_gpu_pm_freeze(struct virtio_device *vdev);
int virtio_gpu_pm_restore(struct virtio_device *vdev);

/* queues */
void virtio_gpu_pm_init_queues(struct virtio_gpu_device *vgdev);
void virtio_gpu_pm_unplug(struct virtio_gpu_device *vgdev);
void virtio_gpu_pm_wait_room(struct virtio_gpu_device *vgdev,
			     struct virtio_gpu_queue *vgvq,
			     unsigned int elemcnt);
void virtio_gpu_pm_refuse(struct virtio_gpu_device *vgdev,
			  struct virtio_gpu_vbuffer *vbuf,
			  struct virtio_gpu_fence *fence);

/* reset */
void virtio_gpu_pm_abandon(struct virtio_gpu_device *vgdev,
			   struct virtio_gpu_vbuffer *vbuf);
void virtio_gpu_pm_reset(struct virtio_gpu_device *vgdev);

/* outputs */
bool virtio_gpu_pm_has_output(struct virtio_gpu_device *vgdev,
			      unsigned int index);

/* objects */
void virtio_gpu_pm_object_created(struct virtio_gpu_device *vgdev,
				  struct virtio_gpu_object *bo,
				  const struct virtio_gpu_object_params *params);
bool virtio_gpu_pm_object_resident(struct virtio_gpu_object *bo);
bool virtio_gpu_pm_object_release(struct virtio_gpu_object *bo);
struct virtio_gpu_object_array *
virtio_gpu_pm_restored(struct virtio_gpu_object *bo);
int virtio_gpu_pm_object_use(struct virtio_gpu_object *bo);
int virtio_gpu_pm_array_use(struct virtio_gpu_object_array *objs);
int virtio_gpu_pm_plane_use(struct drm_plane *plane,
			    struct virtio_gpu_object *bo);
void virtio_gpu_pm_uuid_exported(struct virtio_gpu_object *bo);
void virtio_gpu_pm_uuid_taken(struct virtio_gpu_object *bo);
void virtio_gpu_pm_response_error(struct virtio_gpu_device *vgdev,
				  struct virtio_gpu_vbuffer *vbuf);

/* contexts */
void virtio_gpu_pm_context_created(struct virtio_gpu_device *vgdev,
				   struct virtio_gpu_fpriv *vfpriv);
bool virtio_gpu_pm_context_stale(struct virtio_gpu_device *vgdev,
				 struct virtio_gpu_fpriv *vfpriv);
void virtio_gpu_pm_context_attach_all(struct virtio_gpu_device *vgdev,
				      struct drm_file *file);
void virtio_gpu_pm_context_used(struct drm_file *file);

#endif
