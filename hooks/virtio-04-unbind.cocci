// SPDX-License-Identifier: GPL-2.0-only
// virtio-gpu, a fix that stands alone: complete at unbind the fences of commands
// that the host did not answer.
//
//# file drivers/gpu/drm/virtio/virtgpu_kms.c
//# add 1 virtio_gpu_fail_fences(vgdev);
//# add 1 static void virtio_gpu_fail_fences(

@deinit@
identifier vgdev;
@@
 virtio_gpu_deinit(...)
 {
 	...
 	virtio_reset_device(vgdev->vdev);
+	virtio_gpu_fail_fences(vgdev);
 	...
 }

@fail depends on deinit@
@@
+/* The device was reset and signals no fence any more. */
+static void virtio_gpu_fail_fences(struct virtio_gpu_device *vgdev)
+{
+	struct virtio_gpu_fence_driver *drv = &vgdev->fence_drv;
+	struct virtio_gpu_fence *fence;
+	unsigned long flags;
+
+	spin_lock_irqsave(&drv->lock, flags);
+	while (!list_empty(&drv->fences)) {
+		fence = list_first_entry(&drv->fences, struct virtio_gpu_fence, node);
+		dma_fence_set_error(&fence->f, -EIO);
+		dma_fence_signal_locked(&fence->f);
+		if (fence->e)
+			drm_send_event(vgdev->ddev, &fence->e->base);
+		fence->e = NULL;
+		list_del(&fence->node);
+		dma_fence_put(&fence->f);
+	}
+	spin_unlock_irqrestore(&drv->lock, flags);
+}
+
 void virtio_gpu_deinit(...) { ... }
