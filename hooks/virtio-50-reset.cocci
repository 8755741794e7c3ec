// SPDX-License-Identifier: GPL-2.0-only
// virtio-gpu: a reset completes what the device will not answer any more.
//
//# file drivers/gpu/drm/virtio/virtgpu_drv.h
//# add 1 virtio_gpu_pm_reclaim_vbufs
//# gone virtio_gpu_reclaim_vbufs
//# file drivers/gpu/drm/virtio/virtgpu_kms.c
//# add 1 virtio_gpu_pm_reset(vgdev)
//# gone virtio_gpu_reclaim_vbufs
//# file drivers/gpu/drm/virtio/virtgpu_vq.c
//# add 2 virtio_gpu_pm_abandon(
//# gone virtio_gpu_reclaim_vbufs

@old_declaration@
@@
-void virtio_gpu_reclaim_vbufs(struct virtio_gpu_device *vgdev);

@declared@
@@
+void virtio_gpu_pm_reclaim_vbufs(struct virtio_gpu_device *vgdev);
 void virtio_gpu_ctrl_ack(struct virtqueue *vq);

@old_reclaim@
@@
-void virtio_gpu_reclaim_vbufs(...) { ... }

@reclaim@
@@
+/* Complete what the host will not answer any more; the device was reset. */
+void virtio_gpu_pm_reclaim_vbufs(struct virtio_gpu_device *vgdev)
+{
+	struct virtio_gpu_vbuffer *vbuf;
+
+	while (vgdev->ctrlq.vq &&
+	       (vbuf = virtqueue_detach_unused_buf(vgdev->ctrlq.vq))) {
+		virtio_gpu_pm_abandon(vgdev, vbuf);
+		free_vbuf(vgdev, vbuf);
+	}
+	while (vgdev->cursorq.vq &&
+	       (vbuf = virtqueue_detach_unused_buf(vgdev->cursorq.vq))) {
+		virtio_gpu_pm_abandon(vgdev, vbuf);
+		free_vbuf(vgdev, vbuf);
+	}
+}
+
 static void reclaim_vbufs(...) { ... }

@old_call@
identifier vgdev;
@@
-virtio_gpu_reclaim_vbufs(vgdev);

// fences are failed and references dropped, before the device is freed
@reset@
identifier vgdev;
@@
 virtio_gpu_deinit(...)
 {
 	...
-	virtio_reset_device(vgdev->vdev);
+	virtio_gpu_pm_reset(vgdev);
 	...
 }
