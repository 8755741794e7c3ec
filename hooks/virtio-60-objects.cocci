// SPDX-License-Identifier: GPL-2.0-only
// virtio-gpu: tell drm_virt_pm of every resource that the host is told of, and
// free without a command what the host has forgotten.
//
//# file drivers/gpu/drm/virtio/virtgpu_drv.h
//# add 1 struct virtio_gpu_pm_object pm;
//# have struct virtio_gpu_object_params params;
//# file drivers/gpu/drm/virtio/virtgpu_vq.c
//# lines 5
//# add 1 virtio_gpu_pm_response_error(
//# add 3 virtio_gpu_pm_object_created(vgdev, bo, params);
//# add 1 virtio_gpu_pm_restored(bo);
//# file drivers/gpu/drm/virtio/virtgpu_object.c
//# add 1 virtio_gpu_pm_object_release(bo)
//# file drivers/gpu/drm/virtio/virtgpu_vram.c
//# add 1 virtio_gpu_pm_object_release(bo)
//# file drivers/gpu/drm/virtio/virtgpu_prime.c if virtgpu_dma_buf_free_obj
//# add 1 virtio_gpu_pm_object_release(bo)

@has_params@
@@
 struct virtio_gpu_object {
 	...
 	struct virtio_gpu_object_params params;
 	...
 };

// 7.3 remembers how it was created as well
@object depends on !has_params@
@@
 struct virtio_gpu_object {
 	...
 	uuid_t uuid;
+
+	/* how the host was asked to create it */
+	struct virtio_gpu_object_params params;
+	struct virtio_gpu_pm_object pm;
 };

@object_with_params depends on has_params@
@@
 struct virtio_gpu_object {
 	...
 	struct virtio_gpu_object_params params;
+	struct virtio_gpu_pm_object pm;
 	...
 };

@created@
identifier f = {
	virtio_gpu_cmd_create_resource,
	virtio_gpu_cmd_resource_create_3d,
	virtio_gpu_cmd_resource_create_blob
};
identifier vgdev, bo, params;
@@
 f(struct virtio_gpu_device *vgdev, struct virtio_gpu_object *bo,
   struct virtio_gpu_object_params *params, ...)
 {
 	...
+	virtio_gpu_pm_object_created(vgdev, bo, params);
 	bo->created = true;
 	...
 }

// so that the object can be told when the host does not create it again
@blob@
identifier vgdev, bo, vbuf;
@@
 virtio_gpu_cmd_resource_create_blob(struct virtio_gpu_device *vgdev,
	struct virtio_gpu_object *bo, ...)
 {
 	...
+	vbuf->objs = virtio_gpu_pm_restored(bo);
 	virtio_gpu_queue_ctrl_buffer(vgdev, vbuf);
 	...
 }

@freed@
identifier f = {
	virtio_gpu_free_object,
	virtio_gpu_vram_free,
	virtgpu_dma_buf_free_obj
};
identifier bo;
@@
 f(...)
 {
 	<...
 	if (bo->created) {
+		if (!virtio_gpu_pm_object_release(bo)) {
+			virtio_gpu_cleanup_object(bo);
+			return;
+		}
+
 		...
 	}
 	...>
 }

@error@
identifier entry, cmd;
symbol vgdev;
@@
 virtio_gpu_dequeue_ctrl_func(...)
 {
 	<...
 	struct virtio_gpu_ctrl_hdr *cmd;
 	cmd = virtio_gpu_vbuf_ctrl_hdr(entry);
+	virtio_gpu_pm_response_error(vgdev, entry);
 	...>
 }
