// SPDX-License-Identifier: GPL-2.0-only
// virtio-gpu: make the queue set-up callable again, for a resume.
//
//# unless drivers/gpu/drm/virtio/virtgpu_drv.h int virtio_gpu_find_vqs(
//# file drivers/gpu/drm/virtio/virtgpu_drv.h
//# add 1 int virtio_gpu_find_vqs(struct virtio_gpu_device *vgdev);
//# file drivers/gpu/drm/virtio/virtgpu_kms.c
//# add 1 int virtio_gpu_find_vqs(struct virtio_gpu_device *vgdev)
//# add 1 ret = virtio_gpu_find_vqs(vgdev);

// a declaration that is only context can be preceded, not followed
@declared@
identifier dev;
@@
+int virtio_gpu_find_vqs(struct virtio_gpu_device *vgdev);
 void virtio_gpu_release(struct drm_device *dev);

@find_vqs@
identifier vqs, vqs_info, vgdev, ret;
expression n;
@@
-struct virtqueue_info vqs_info[] = { ... };
 ...
-struct virtqueue *vqs[n];
 ...
-ret = virtio_find_vqs(vgdev->vdev, n, vqs, vqs_info, NULL);
+ret = virtio_gpu_find_vqs(vgdev);
 if (ret) { ... }
-vgdev->ctrlq.vq = vqs[0];
-vgdev->cursorq.vq = vqs[1];

@function depends on find_vqs@
@@
+int virtio_gpu_find_vqs(struct virtio_gpu_device *vgdev)
+{
+	struct virtqueue_info vqs_info[] = {
+		{ "control", virtio_gpu_ctrl_ack },
+		{ "cursor", virtio_gpu_cursor_ack },
+	};
+	struct virtqueue *vqs[ARRAY_SIZE(vqs_info)];
+	int ret;
+
+	ret = virtio_find_vqs(vgdev->vdev, ARRAY_SIZE(vqs), vqs, vqs_info,
+			      NULL);
+	if (ret)
+		return ret;
+
+	vgdev->ctrlq.vq = vqs[0];
+	vgdev->cursorq.vq = vqs[1];
+	return 0;
+}
+
 int virtio_gpu_init(...) { ... }
