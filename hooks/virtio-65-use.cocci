// SPDX-License-Identifier: GPL-2.0-only
// virtio-gpu: resources come back where they are about to be used and where
// that may sleep and fail.
//
//# file drivers/gpu/drm/virtio/virtgpu_plane.c
//# add 1 virtio_gpu_pm_plane_use(plane, bo)
//# add 1 drm_virt_pm_timeout(
//# add 4 virtio_gpu_pm_object_id(bo)
//# gone handle = bo->hw_res_handle
//# gone dma_fence_wait(&
//# file drivers/gpu/drm/virtio/virtgpu_vram.c
//# add 1 drm_virt_pm_timeout(
//# file drivers/gpu/drm/virtio/virtgpu_vq.c
//# add 9 virtio_gpu_pm_command_id(bo, vbuf)
//# add 1 vbuf->epoch = 0;
//# file drivers/gpu/drm/virtio/virtgpu_ioctl.c
//# add 2 &gem_to_virtio_gpu_obj(objs->objs[0])->pm.base
//# file drivers/gpu/drm/virtio/virtgpu_submit.c
//# add 1 virtio_gpu_pm_array_use(submit->buflist)
//# file drivers/gpu/drm/virtio/virtgpu_gem.c
//# add 1 virtio_gpu_pm_object_use(gem_to_virtio_gpu_obj(obj))
//# file drivers/gpu/drm/virtio/virtgpu_prime.c
//# add 1 virtio_gpu_pm_object_use(bo)
//# add 1 virtio_gpu_pm_uuid_asked(bo)
//# add 1 virtio_gpu_pm_uuid_take(bo)
//# gone wait_event(vgdev->resp_wq, bo->uuid_state

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
+	/* before any dma_resv is locked */
+	ret = virtio_gpu_pm_plane_use(plane, bo);
+	if (ret)
+		return ret;
 	...
 }

@bounded@
identifier vgdev;
expression f;
@@
 virtio_gpu_cursor_plane_update(...)
 {
 	...
 	struct virtio_gpu_device *vgdev = ...;
 	<...
-	dma_fence_wait(f, true);
+	dma_fence_wait_timeout(f, true,
+			       drm_virt_pm_timeout(&vgdev->pm.base));
 	...>
 }

@flush_id@
expression vgdev;
identifier bo;
@@
 virtio_gpu_cmd_resource_flush(vgdev,
-	bo->hw_res_handle
+	virtio_gpu_pm_object_id(bo)
	, ...)

@scanout_id@
expression vgdev, e;
identifier bo;
@@
 virtio_gpu_cmd_set_scanout(vgdev, e,
-	bo->hw_res_handle
+	virtio_gpu_pm_object_id(bo)
	, ...)

@cursor_id@
identifier handle, bo;
@@
-handle = bo->hw_res_handle;
+handle = virtio_gpu_pm_object_id(bo);

@command_id@
// not a regular expression: how "or" is written in one depends on how spatch was built
identifier f = {
	virtio_gpu_cmd_transfer_to_host_2d,
	virtio_gpu_cmd_context_attach_resource,
	virtio_gpu_cmd_context_detach_resource,
	virtio_gpu_cmd_transfer_to_host_3d,
	virtio_gpu_cmd_transfer_from_host_3d,
	virtio_gpu_cmd_resource_assign_uuid,
	virtio_gpu_cmd_map,
	virtio_gpu_cmd_unmap,
	virtio_gpu_cmd_set_scanout_blob
};
identifier bo, vbuf;
@@
 f(...)
 {
 	...
 	struct virtio_gpu_vbuffer *vbuf;
 	<...
 	cpu_to_le32(
-		bo->hw_res_handle
+		virtio_gpu_pm_command_id(bo, vbuf)
 	)
 	...>
 }

// objects and a fence are completed by the refusal
@flush_refused@
identifier vgdev, id, vbuf;
typedef uint32_t;
@@
 virtio_gpu_cmd_resource_flush(struct virtio_gpu_device *vgdev, uint32_t id,
	...)
 {
 	...
 	vbuf->objs = objs;
+	if (!id)
+		vbuf->epoch = 0;
 	...
 }

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
identifier vgdev, obj, objs;
statement S;
@@
 virtio_gpu_gem_object_open(struct drm_gem_object *obj, ...)
 {
 	...
 	struct virtio_gpu_object_array *objs;
+	int ret;
 	...
 	if (!vgdev->has_virgl_3d) S
+
+	ret = virtio_gpu_pm_object_use(gem_to_virtio_gpu_obj(obj));
+	if (ret)
+		return ret;
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
+	virtio_gpu_pm_uuid_asked(bo);
 	...
 }

@taken@
identifier vgdev, bo;
@@
 virtgpu_virtio_get_uuid(...)
 {
 	<...
-	wait_event(vgdev->resp_wq, bo->uuid_state != STATE_INITIALIZING);
+	ret = virtio_gpu_pm_uuid_take(bo);
+	if (ret)
+		return ret;
 	...>
 }

@taken_ret depends on taken@
identifier vgdev;
@@
 virtgpu_virtio_get_uuid(...)
 {
 	...
-	struct virtio_gpu_device *vgdev = ...;
+	int ret;
 	...
 }

@mapped@
identifier vgdev, vram;
@@
 virtio_gpu_vram_mmap(...)
 {
 	<...
-	wait_event(vgdev->resp_wq, vram->map_state != STATE_INITIALIZING);
+	wait_event_timeout(vgdev->resp_wq,
+			   vram->map_state != STATE_INITIALIZING,
+			   drm_virt_pm_timeout(&vgdev->pm.base));
 	...>
 }
