// SPDX-License-Identifier: GPL-2.0 OR MIT

#include <drm/drm_file.h>
#include <drm/drm_print.h>

#include "virtgpu_drv.h"

/*
 * Resources and contexts, which the host forgets in a reset.
 */

static struct virtio_gpu_device *
virtio_gpu_pm_bo_to_vgdev(struct virtio_gpu_object *bo)
{
	return bo->base.base.dev->dev_private;
}

/* An array that holds @bo until the host has answered; one of one cannot fail */
struct virtio_gpu_object_array *
virtio_gpu_pm_hold(struct virtio_gpu_object *bo)
{
	struct virtio_gpu_object_array *objs = virtio_gpu_array_alloc(1);

	virtio_gpu_array_add_obj(objs, &bo->base.base);
	return objs;
}

/* Whether the host knows a resource */
bool virtio_gpu_pm_object_resident(struct virtio_gpu_object *bo)
{
	return drm_virt_pm_object_resident(&virtio_gpu_pm_bo_to_vgdev(bo)->pm.base,
					   &bo->pm.base);
}

/* Whether the host knew a stale resource when it was last reset */
bool virtio_gpu_pm_object_was_resident(struct virtio_gpu_object *bo)
{
	return READ_ONCE(bo->pm.base.epoch) ==
	       READ_ONCE(virtio_gpu_pm_bo_to_vgdev(bo)->pm.base.epoch) - 1;
}

/*
 * The id of a resource for a command, or 0 if the host does not know it. All
 * commands but those that create and free a resource take the id from here. If
 * tasks ran while the device was reset, a task may have looked before the reset.
 * Otherwise a warning means that virtio_gpu_pm_object_use() is missing.
 */
u32 virtio_gpu_pm_object_id(struct virtio_gpu_object *bo)
{
	struct virtio_gpu_device *vgdev = virtio_gpu_pm_bo_to_vgdev(bo);

	if (likely(virtio_gpu_pm_object_resident(bo)) ||
	    READ_ONCE(bo->pm.restoring) == READ_ONCE(vgdev->pm.base.epoch))
		return bo->hw_res_handle;

	drm_WARN_ONCE(vgdev->ddev, !READ_ONCE(bo->pm.base.lost) &&
		      !vgdev->pm.live_reset && !READ_ONCE(vgdev->ctrlq.stopped),
		      "resource %u is not resident\n", bo->hw_res_handle);
	return 0;
}

/* The same for a command that is built, which is refused without an id */
u32 virtio_gpu_pm_command_id(struct virtio_gpu_object *bo,
			     struct virtio_gpu_vbuffer *vbuf)
{
	u32 id = virtio_gpu_pm_object_id(bo);

	if (!id)
		vbuf->epoch = 0;

	return id;
}

/*
 * User space chooses the size of the backing, down to one page. It can then
 * upload a picture through that page in parts.
 */
static bool virtio_gpu_pm_is_host_only(const struct virtio_gpu_object_params *params)
{
	if (params->virgl)
		return true;
	if (params->blob)
		return params->blob_mem != VIRTGPU_BLOB_MEM_GUEST;

	return params->size < (u64)params->width * params->height * 4;
}

/* A command that creates a resource is built */
void virtio_gpu_pm_object_create(struct virtio_gpu_device *vgdev,
				 struct virtio_gpu_object *bo,
				 const struct virtio_gpu_object_params *params,
				 struct virtio_gpu_vbuffer *vbuf)
{
	if (bo->created) {
		/* so that an error can be told from that of a first creation */
		vbuf->restore = true;
		/* after a reset meanwhile the resource would stay stale, but exist */
		vbuf->epoch = bo->pm.base.next;
		vbuf->objs = virtio_gpu_pm_hold(bo);
		WRITE_ONCE(bo->pm.exists, false);
		return;
	}

	bo->params = *params;
	bo->pm.host_only = virtio_gpu_pm_is_host_only(params) &&
			   !virtio_gpu_pm_content_known(vgdev, params);
	if (bo->pm.host_only)
		atomic_inc(&vgdev->pm.host_only);

	drm_virt_pm_object_init(&vgdev->pm.base, &bo->pm.base,
				bo->hw_res_handle);
	virtio_gpu_pm_content_add(vgdev, bo);
}

/* A command that creates a resource was queued */
void virtio_gpu_pm_object_created(struct virtio_gpu_device *vgdev,
				  struct virtio_gpu_object *bo, int ret)
{
	bo->pm.create_err = ret;
	/* virtio_gpu_pm_restore_object() has more commands to queue */
	if (!ret && !bo->created)
		drm_virt_pm_object_restored(&vgdev->pm.base, &bo->pm.base);
}

/* Free the objects that were kept until a reset which is over */
void virtio_gpu_pm_free_kept(struct virtio_gpu_device *vgdev)
{
	struct virtio_gpu_object *bo, *next;

	if (vgdev->pm.not_reset)
		return;

	llist_for_each_entry_safe(bo, next, llist_del_all(&vgdev->pm.kept),
				  pm.kept) {
		if (virtio_gpu_pm_object_resident(bo))
			llist_add(&bo->pm.kept, &vgdev->pm.kept);
		else
			virtio_gpu_cleanup_object(bo);
	}
}

/* Whether a reset has ended all access of the host to a resource */
bool virtio_gpu_pm_host_forgot(struct virtio_gpu_device *vgdev,
			       struct virtio_gpu_object *bo)
{
	return !virtio_gpu_pm_object_resident(bo) &&
	       !READ_ONCE(vgdev->pm.not_reset);
}

/*
 * Free an object after the next reset. For an object that the device may still
 * access.
 */
void virtio_gpu_pm_free_after_reset(struct virtio_gpu_object *bo)
{
	struct virtio_gpu_device *vgdev = virtio_gpu_pm_bo_to_vgdev(bo);
	u32 epoch;

	/* there may be no further reset */
	if (virtio_gpu_pm_host_forgot(vgdev, bo)) {
		virtio_gpu_cleanup_object(bo);
		return;
	}

	/* virtio_gpu_pm_reset() may have counted the reset meanwhile */
	epoch = READ_ONCE(bo->pm.base.epoch);
	llist_add(&bo->pm.kept, &vgdev->pm.kept);
	if (epoch != READ_ONCE(vgdev->pm.base.epoch))
		virtio_gpu_pm_free_kept(vgdev);
}

/*
 * Free a resource that the host was told of once. Returns whether the caller
 * has to send an UNREF; false if that was done with the object.
 */
bool virtio_gpu_pm_object_release(struct virtio_gpu_object *bo)
{
	struct virtio_gpu_device *vgdev = virtio_gpu_pm_bo_to_vgdev(bo);

	if (bo->pm.host_only)
		atomic_dec(&vgdev->pm.host_only);
	if (bo->pm.uuid_taken)
		atomic_dec(&vgdev->pm.uuids_taken);
	virtio_gpu_pm_content_remove(vgdev, bo);
	drm_virt_pm_object_fini(&vgdev->pm.base, &bo->pm.base);

	if (vgdev->pm.not_reset) {
		virtio_gpu_pm_free_after_reset(bo);
		return false;
	}
	if (virtio_gpu_pm_object_resident(bo) || vgdev->pm.keeps_resources)
		return true;

	virtio_gpu_cleanup_object(bo);
	return false;
}

/*
 * The host answered a command with an error. Returns whether the error is not
 * worth a message.
 */
bool virtio_gpu_pm_response_error(struct virtio_gpu_device *vgdev,
				  struct virtio_gpu_vbuffer *vbuf)
{
	struct virtio_gpu_ctrl_hdr *hdr = (void *)vbuf->buf;
	struct virtio_gpu_ctrl_hdr *resp = (void *)vbuf->resp_buf;
	struct virtio_gpu_object *bo;
	bool invalid_id;

	invalid_id = le32_to_cpu(resp->type) ==
		     VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID;

	if (virtio_gpu_virgl_restore && vbuf->restore &&
	    le32_to_cpu(hdr->type) == VIRTIO_GPU_CMD_RESOURCE_CREATE_3D) {
		bo = gem_to_virtio_gpu_obj(vbuf->objs->objs[0]);
		drm_virt_pm_object_lose(&vgdev->pm.base, &bo->pm.base, -EIO);
		return false;
	}

	switch (le32_to_cpu(hdr->type)) {
	case VIRTIO_GPU_CMD_RESOURCE_UNREF:
		bo = vbuf->resp_cb_data;
		if (!invalid_id ||
		    (bo && virtio_gpu_pm_object_resident(bo)))
			return false;
		/* this host has forgotten the resource, or never knew it */
		if (bo ? virtio_gpu_pm_object_was_resident(bo) : vbuf->restore)
			WRITE_ONCE(vgdev->pm.keeps_resources, false);
		return true;
	case VIRTIO_GPU_CMD_RESOURCE_CREATE_2D:
	case VIRTIO_GPU_CMD_RESOURCE_CREATE_BLOB:
		if (!vbuf->restore)
			return false;
		bo = gem_to_virtio_gpu_obj(vbuf->objs->objs[0]);
		/*
		 * Hosts differ in the error for an id that they know. The answer
		 * was late if virtio_gpu_pm_restore_blob() does not wait for it.
		 */
		if (READ_ONCE(bo->pm.probing) &&
		    !virtio_gpu_pm_object_resident(bo)) {
			WRITE_ONCE(vgdev->pm.keeps_resources, true);
			WRITE_ONCE(bo->pm.exists, true);
			return true;
		}
		drm_virt_pm_object_lose(&vgdev->pm.base, &bo->pm.base, -EIO);
		return false;
	case VIRTIO_GPU_CMD_RESOURCE_ATTACH_BACKING:
	case VIRTIO_GPU_CMD_TRANSFER_TO_HOST_2D:
	case VIRTIO_GPU_CMD_SET_SCANOUT:
	case VIRTIO_GPU_CMD_SET_SCANOUT_BLOB:
	case VIRTIO_GPU_CMD_RESOURCE_FLUSH:
		/* not what follows of a resource that the host did not create */
		if (!invalid_id || vgdev->pm.base.num_lost == vgdev->pm.lost_before)
			WRITE_ONCE(vgdev->pm.refused, true);
		return false;
	}

	return false;
}

/* A resource is about to be named to the host */
int virtio_gpu_pm_object_use(struct virtio_gpu_object *bo)
{
	return drm_virt_pm_object_use(&virtio_gpu_pm_bo_to_vgdev(bo)->pm.base,
				      &bo->pm.base);
}

/*
 * Resources are about to be named to the host. Returns 0, or the first error as
 * of drm_virt_pm_object_use().
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

/*
 * The host was told of a context in a reset epoch.
 * &virtio_gpu_fpriv.context_lock is held.
 */
void virtio_gpu_pm_context_created(struct virtio_gpu_fpriv *vfpriv, u32 epoch)
{
	WRITE_ONCE(vfpriv->pm.epoch, epoch);
}

/*
 * Whether the host has forgotten a context. Returns whether the context was
 * created before the last reset.
 */
bool virtio_gpu_pm_context_stale(struct virtio_gpu_device *vgdev,
				 struct virtio_gpu_fpriv *vfpriv)
{
	return vfpriv->context_created &&
	       READ_ONCE(vfpriv->pm.epoch) != READ_ONCE(vgdev->pm.base.epoch);
}

/* The first object at or after @handle, with a reference */
static struct drm_gem_object *virtio_gpu_pm_next_handle(struct drm_file *file,
							int *handle)
{
	struct drm_gem_object *obj;

	spin_lock(&file->table_lock);
	obj = idr_get_next(&file->object_idr, handle);
	if (obj)
		drm_gem_object_get(obj);
	spin_unlock(&file->table_lock);

	return obj;
}

/*
 * Attach the buffers of a file to its context. virtio_gpu_gem_object_open()
 * attaches a handle that is being created, and that this function therefore
 * does not find.
 * &virtio_gpu_fpriv.context_lock is held.
 */
static void virtio_gpu_pm_context_attach(struct virtio_gpu_device *vgdev,
					 struct drm_file *file)
{
	struct virtio_gpu_fpriv *vfpriv = file->driver_priv;
	struct virtio_gpu_object *bo;
	struct drm_gem_object *obj;
	int handle, ret, err = 0;

	for (handle = 1; (obj = virtio_gpu_pm_next_handle(file, &handle));
	     handle++) {
		bo = gem_to_virtio_gpu_obj(obj);
		ret = virtio_gpu_pm_object_use(bo);
		if (!ret)
			virtio_gpu_cmd_context_attach_resource(vgdev,
							       vfpriv->ctx_id,
							       virtio_gpu_pm_hold(bo));
		/* one that is lost is refused wherever it is used */
		if (ret != -EIO)
			err = err ?: ret;
		drm_gem_object_put(obj);
	}
	WRITE_ONCE(vfpriv->pm.unattached, err);
}

/*
 * A context was created again. &virtio_gpu_fpriv.context_lock is held.
 */
void virtio_gpu_pm_context_attach_all(struct virtio_gpu_device *vgdev,
				      struct drm_file *file)
{
	virtio_gpu_pm_context_attach(vgdev, file);
	virtio_gpu_pm_virgl_return(vgdev, file);
	virtio_gpu_notify(vgdev);
}

/*
 * An ioctl may use the context of a file. Returns 0, or an error of
 * drm_virt_pm_object_use() if a buffer is not attached, in which the host would not
 * carry out what the ioctl asks for, and not say so.
 */
int virtio_gpu_pm_context_ready(struct virtio_gpu_device *vgdev,
				struct drm_file *file)
{
	struct virtio_gpu_fpriv *vfpriv = file->driver_priv;

	if (virtio_gpu_pm_context_stale(vgdev, vfpriv)) {
		virtio_gpu_create_context(vgdev->ddev, file);
	} else if (READ_ONCE(vfpriv->pm.unattached)) {
		mutex_lock(&vfpriv->context_lock);
		virtio_gpu_pm_context_attach(vgdev, file);
		mutex_unlock(&vfpriv->context_lock);
	}

	return READ_ONCE(vfpriv->pm.unattached);
}

/* A context is used for 3D work */
void virtio_gpu_pm_context_used(struct drm_file *file)
{
	struct virtio_gpu_fpriv *vfpriv = file->driver_priv;
	struct pid *user;

	if (likely(READ_ONCE(vfpriv->pm.user)))
		return;

	/* threads of a program can be here at the same time */
	user = get_pid(task_tgid(current));
	if (cmpxchg(&vfpriv->pm.user, NULL, user))
		put_pid(user);
}

/* The file of a context is closed. */
void virtio_gpu_pm_context_closed(struct virtio_gpu_fpriv *vfpriv)
{
	put_pid(vfpriv->pm.user);
}
