// SPDX-License-Identifier: GPL-2.0-only
// virtio-gpu, a fix that stands alone: complete a command that is not queued.
//
//# file drivers/gpu/drm/virtio/virtgpu_vq.c
//# add 1 static void virtio_gpu_refuse_fence(
//# have virtio_gpu_refuse_fence(fence);

@no_memory@
identifier vgdev, vbuf, fence;
@@
 virtio_gpu_queue_fenced_ctrl_buffer(struct virtio_gpu_device *vgdev,
	struct virtio_gpu_vbuffer *vbuf, struct virtio_gpu_fence *fence)
 {
 	<...
 	if (fence && vbuf->objs)
 		virtio_gpu_array_unlock_resv(vbuf->objs);
+	if (fence)
+		virtio_gpu_refuse_fence(fence);
+	if (vbuf->objs)
+		virtio_gpu_array_put_free(vbuf->objs);
+	free_vbuf(vgdev, vbuf);
 	return -ENOMEM;
 	...>
 }

@unplugged@
identifier vgdev, vbuf, fence;
@@
 virtio_gpu_queue_ctrl_sgs(struct virtio_gpu_device *vgdev,
	struct virtio_gpu_vbuffer *vbuf, struct virtio_gpu_fence *fence, ...)
 {
 	<...
 	if (fence && vbuf->objs)
 		virtio_gpu_array_unlock_resv(vbuf->objs);
+	if (fence)
+		virtio_gpu_refuse_fence(fence);
+	if (vbuf->objs)
+		virtio_gpu_array_put_free(vbuf->objs);
 	free_vbuf(vgdev, vbuf);
 	...>
 }

@refuse depends on unplugged@
@@
+/*
+ * Complete the fence of a command that is not queued. Fences of commands that are
+ * in the ring must not be overtaken, so this one gets a context of its own.
+ */
+static void virtio_gpu_refuse_fence(struct virtio_gpu_fence *fence)
+{
+	struct virtio_gpu_device *vgdev;
+
+	vgdev = container_of(fence->drv, struct virtio_gpu_device, fence_drv);
+
+	fence->f.context = dma_fence_context_alloc(1);
+	fence->f.seqno = 1;
+	dma_fence_set_error(&fence->f, -ENODEV);
+	dma_fence_signal(&fence->f);
+	if (fence->e)
+		drm_send_event(vgdev->ddev, &fence->e->base);
+	fence->e = NULL;
+}
+
 static int virtio_gpu_queue_ctrl_sgs(...) { ... }
