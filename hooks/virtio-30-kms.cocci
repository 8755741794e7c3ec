// SPDX-License-Identifier: GPL-2.0-only
// virtio-gpu: set up and end drm_virt_pm; make the queue set-up callable again.
//
//# file drivers/gpu/drm/virtio/virtgpu_kms.c
//# add 1 virtio_gpu_pm_init_early(vgdev)
//# add 1 virtio_gpu_pm_init(vgdev)
//# add 1 virtio_gpu_pm_fini(vgdev)
//# add 1 virtio_gpu_pm_reset(vgdev)
//# add 1 !virtio_gpu_pm_context_stale(vgdev, vfpriv)
//# have virtio_gpu_find_vqs(struct virtio_gpu_device *vgdev)
//# gone virtio_gpu_reclaim_vbufs

@has_find_vqs@
@@
 virtio_gpu_find_vqs(...) { ... }

@find_vqs depends on !has_find_vqs@
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

@find_vqs_fn depends on find_vqs@
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

@early@
identifier vgdev;
@@
 virtio_gpu_init_vq(&vgdev->cursorq, virtio_gpu_dequeue_cursor_func);
+virtio_gpu_pm_init_early(vgdev);

// the last thing that virtio_gpu_init() does
@init@
identifier vgdev, ret, vdev, dev;
@@
 int virtio_gpu_init(struct virtio_device *vdev, struct drm_device *dev)
 {
 	<...
 	struct virtio_gpu_device *vgdev;
 	...>
-	return 0;
+	return virtio_gpu_pm_init(vgdev);
 }

@fini@
identifier vgdev;
@@
 virtio_gpu_deinit(...)
 {
 	...
+	virtio_gpu_pm_fini(vgdev);
 	flush_work(&vgdev->obj_free_work);
 	...
 }

@old_reclaim@
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

@postclose@
identifier vgdev, vfpriv;
@@
 virtio_gpu_driver_postclose(...)
 {
 	...
 	if (!vgdev->has_virgl_3d)
 		return;
-	if (vfpriv->context_created)
+	if (vfpriv->context_created &&
+	    !virtio_gpu_pm_context_stale(vgdev, vfpriv))
 	{ ... }
 	...
 }
