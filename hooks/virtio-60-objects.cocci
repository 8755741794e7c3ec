// SPDX-License-Identifier: GPL-2.0-only
// virtio-gpu: tell drm_virt_pm of every resource that the host is told of, and
// free without a command what the host has forgotten.
//
//# file drivers/gpu/drm/virtio/virtgpu_drv.h
//# add 1 struct virtio_gpu_pm_object pm;
//# have struct virtio_gpu_object_params params;
//# file drivers/gpu/drm/virtio/virtgpu_vq.c
//# add 1 virtio_gpu_pm_response_error(
//# add 3 virtio_gpu_pm_object_create(vgdev, bo, params, vbuf);
//# add 3 virtio_gpu_pm_object_created(vgdev, bo, ret);
//# add 1 virtio_gpu_pm_free_after_reset(bo);
//# add 1 void virtio_gpu_cmd_unref_stale(
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
identifier vgdev, bo, params, vbuf;
expression e;
@@
 f(struct virtio_gpu_device *vgdev, struct virtio_gpu_object *bo,
   struct virtio_gpu_object_params *params, ...)
 {
 	...
 	struct virtio_gpu_vbuffer *vbuf;
+	int ret;
 	...
(
-	virtio_gpu_queue_fenced_ctrl_buffer(vgdev, vbuf, e);
+	virtio_gpu_pm_object_create(vgdev, bo, params, vbuf);
+	ret = virtio_gpu_queue_fenced_ctrl_buffer(vgdev, vbuf, e);
+	virtio_gpu_pm_object_created(vgdev, bo, ret);
|
-	virtio_gpu_queue_ctrl_buffer(vgdev, vbuf);
+	virtio_gpu_pm_object_create(vgdev, bo, params, vbuf);
+	ret = virtio_gpu_queue_ctrl_buffer(vgdev, vbuf);
+	virtio_gpu_pm_object_created(vgdev, bo, ret);
)
 	bo->created = true;
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
+		if (!virtio_gpu_pm_object_release(bo))
+			return;
+
 		...
 	}
 	...>
 }

// the device may still access its memory
@unref_refused@
identifier vgdev, bo, ret;
@@
 virtio_gpu_cmd_unref_resource(struct virtio_gpu_device *vgdev,
	struct virtio_gpu_object *bo, ...)
 {
 	...
 	if (ret < 0)
-		virtio_gpu_cleanup_object(bo);
+		virtio_gpu_pm_free_after_reset(bo);
 }

@unref_stale@
@@
+/* The host may know a resource that the driver is about to create again. */
+void virtio_gpu_cmd_unref_stale(struct virtio_gpu_device *vgdev,
+				struct virtio_gpu_object *bo)
+{
+	struct virtio_gpu_resource_unref *cmd_p;
+	struct virtio_gpu_vbuffer *vbuf;
+
+	cmd_p = virtio_gpu_alloc_cmd(vgdev, &vbuf, sizeof(*cmd_p));
+	memset(cmd_p, 0, sizeof(*cmd_p));
+
+	cmd_p->hdr.type = cpu_to_le32(VIRTIO_GPU_CMD_RESOURCE_UNREF);
+	cmd_p->resource_id = cpu_to_le32(bo->hw_res_handle);
+	vbuf->restore = virtio_gpu_pm_object_was_resident(bo);
+
+	virtio_gpu_queue_ctrl_buffer(vgdev, vbuf);
+}
+
 void virtio_gpu_cmd_set_scanout(...) { ... }

@error@
identifier entry, cmd;
symbol vgdev;
expression list es;
@@
 virtio_gpu_dequeue_ctrl_func(...)
 {
 	<...
 	struct virtio_gpu_ctrl_hdr *cmd;
 	cmd = virtio_gpu_vbuf_ctrl_hdr(entry);
-	DRM_ERROR_RATELIMITED(es);
+	if (!virtio_gpu_pm_response_error(vgdev, entry))
+		DRM_ERROR_RATELIMITED(es);
 	...>
 }
