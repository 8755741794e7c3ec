// SPDX-License-Identifier: GPL-2.0-only
// virtio-gpu: a reset completes what the device will not answer any more.
//
//# file drivers/gpu/drm/virtio/virtgpu_drv.h if virtio_gpu_reclaim_vbufs
//# gone virtio_gpu_reclaim_vbufs
//# file drivers/gpu/drm/virtio/virtgpu_kms.c if virtio_gpu_reclaim_vbufs
//# gone virtio_gpu_reclaim_vbufs
//# file drivers/gpu/drm/virtio/virtgpu_vq.c
//# add 1 virtio_gpu_pm_abandon(
//# add 1 if (!vgdev->pm.not_reset)
//# gone virtio_gpu_reclaim_vbufs

@old_declaration@
@@
-void virtio_gpu_reclaim_vbufs(struct virtio_gpu_device *vgdev);

@old_reclaim@
@@
-void virtio_gpu_reclaim_vbufs(...) { ... }

@reclaim@
@@
+/* Complete the commands that the host does not answer, because it was reset */
+void virtio_gpu_pm_reclaim_vbufs(struct virtio_gpu_device *vgdev)
+{
+	virtio_gpu_pm_reclaim_queue(vgdev, vgdev->ctrlq.vq);
+	virtio_gpu_pm_reclaim_queue(vgdev, vgdev->cursorq.vq);
+}
+
 static void reclaim_vbufs(...) { ... }

@reclaim_queue depends on reclaim@
@@
+static void virtio_gpu_pm_reclaim_queue(struct virtio_gpu_device *vgdev,
+					struct virtqueue *vq)
+{
+	struct virtio_gpu_vbuffer *vbuf;
+
+	while (vq && (vbuf = virtqueue_detach_unused_buf(vq))) {
+		virtio_gpu_pm_abandon(vgdev, vbuf);
+		free_vbuf(vgdev, vbuf);
+	}
+}
+
 void virtio_gpu_pm_reclaim_vbufs(...) { ... }

@old_call@
identifier vgdev;
@@
-virtio_gpu_reclaim_vbufs(vgdev);

// a device that was not reset may still write an answer
@kept@
identifier vgdev;
@@
 virtio_gpu_free_vbufs(struct virtio_gpu_device *vgdev)
 {
-	kmem_cache_destroy(vgdev->vbufs);
+	if (!vgdev->pm.not_reset)
+		kmem_cache_destroy(vgdev->vbufs);
 	...
 }
