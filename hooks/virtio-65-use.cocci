// SPDX-License-Identifier: GPL-2.0-only
// virtio-gpu: resources come back where they are about to be used and where
// that may sleep and fail.
//
//# file drivers/gpu/drm/virtio/virtgpu_plane.c
//# add 1 virtio_gpu_pm_plane_use(plane, bo)
//# add 1 drm_virt_pm_stall_ms()
//# gone dma_fence_wait(&
//# file drivers/gpu/drm/virtio/virtgpu_ioctl.c
//# add 2 &gem_to_virtio_gpu_obj(objs->objs[0])->pm.base
//# file drivers/gpu/drm/virtio/virtgpu_submit.c
//# add 1 virtio_gpu_pm_array_use(submit->buflist)
//# file drivers/gpu/drm/virtio/virtgpu_gem.c
//# add 1 virtio_gpu_pm_object_use(gem_to_virtio_gpu_obj(obj))
//# file drivers/gpu/drm/virtio/virtgpu_prime.c
//# add 1 virtio_gpu_pm_object_use(bo)
//# add 1 virtio_gpu_pm_uuid_exported(bo)
//# add 1 virtio_gpu_pm_uuid_taken(bo)

@has_ret@
@@
 virtio_gpu_plane_prepare_fb(...)
 {
 	...
 	int ret;
 	...
 }

@add_ret depends on !has_ret@
identifier bo;
@@
 virtio_gpu_plane_prepare_fb(...)
 {
 	...
 	struct virtio_gpu_object *bo;
+	int ret;
 	...
 }

@prepare_fb@
identifier plane, bo, vgfb;
@@
 virtio_gpu_plane_prepare_fb(struct drm_plane *plane, ...)
 {
 	...
 	bo = gem_to_virtio_gpu_obj(vgfb->base.obj[0]);
+
+	/* before any reservation is taken, and first of all: see virtgpu_pm.c */
+	ret = virtio_gpu_pm_plane_use(plane, bo);
+	if (ret)
+		return ret;
 	...
 }

@bounded@
expression f;
@@
-dma_fence_wait(f, true);
+dma_fence_wait_timeout(f, true,
+		       msecs_to_jiffies(drm_virt_pm_stall_ms()));

@transfer@
identifier f = {
	virtio_gpu_transfer_to_host_ioctl,
	virtio_gpu_transfer_from_host_ioctl
};
identifier objs, file, args, ret, vgdev;
statement S;
@@
 f(...)
 {
 	...
 	struct virtio_gpu_device *vgdev = ...;
 	...
 	int ret;
 	...
 	objs = virtio_gpu_array_from_handles(file, &args->bo_handle, 1);
 	if (objs == NULL) S
+
+	/* inline, as this is the most frequent of all ioctls */
+	ret = drm_virt_pm_object_use(&vgdev->pm.base,
+				     &gem_to_virtio_gpu_obj(objs->objs[0])->pm.base);
+	if (ret)
+		goto err_put_free;
 	...
 }

@buflist@
identifier submit, bo_handles;
@@
 virtio_gpu_init_submit_buflist(struct virtio_gpu_submit *submit)
 {
 	...
 	kvfree(bo_handles);
-	return 0;
+	return virtio_gpu_pm_array_use(submit->buflist);
 }

@open@
identifier vgdev, obj;
statement S;
@@
 virtio_gpu_gem_object_open(struct drm_gem_object *obj, ...)
 {
 	...
 	if (!vgdev->has_virgl_3d) S
+
+	if (virtio_gpu_pm_object_use(gem_to_virtio_gpu_obj(obj)))
+		return -EIO;
 	...
 }

@export@
identifier bo, vgdev, ret, blob;
@@
 virtgpu_gem_prime_export(...)
 {
 	...
 	if (!blob) {
 		if (vgdev->has_resource_assign_uuid) {
+			ret = virtio_gpu_pm_object_use(bo);
+			if (ret)
+				return ERR_PTR(ret);
+
 			ret = virtio_gpu_resource_assign_uuid(vgdev, bo);
 			if (ret)
 				return ERR_PTR(ret);
 			...
 		} else { ... }
 	} else if (...) { ... }
 	...
 }

@exported@
identifier vgdev, bo, objs;
@@
 int virtio_gpu_resource_assign_uuid(struct virtio_gpu_device *vgdev,
	struct virtio_gpu_object *bo)
 {
 	...
 	virtio_gpu_array_add_obj(objs, &bo->base.base);
+	virtio_gpu_pm_uuid_exported(bo);
 	...
 }

@taken@
identifier bo, uuid;
@@
 virtgpu_virtio_get_uuid(...)
 {
 	...
 	uuid_copy(uuid, &bo->uuid);
+	virtio_gpu_pm_uuid_taken(bo);
 	...
 }
