// SPDX-License-Identifier: GPL-2.0-only
// virtio-gpu, a fix that stands alone: queue nothing once the device was shut down.
// Where the driver has a shutdown callback it is unplugged before that.
//
//# unless drivers/gpu/drm/virtio/virtgpu_drv.c virtio_gpu_shutdown
//# file drivers/gpu/drm/virtio/virtgpu_vq.c
//# add 1 if (virtqueue_is_broken(vq))
//# add 1 WARN_ON(ret && !virtqueue_is_broken(vq));
//# gone WARN_ON(ret);

@ctrl@
identifier vgdev, vbuf, fence, vq, idx, elemcnt;
@@
 virtio_gpu_queue_ctrl_sgs(struct virtio_gpu_device *vgdev,
	struct virtio_gpu_vbuffer *vbuf, struct virtio_gpu_fence *fence,
	int elemcnt, ...)
 {
 	...
 	if (!drm_dev_enter(vgdev->ddev, &idx)) { ... }
 	<...
 	vq = vgdev->ctrlq.vq;
+	if (virtqueue_is_broken(vq)) {
+		spin_unlock(&vgdev->ctrlq.qlock);
+		if (fence && vbuf->objs)
+			virtio_gpu_array_unlock_resv(vbuf->objs);
+		if (fence)
+			virtio_gpu_refuse_fence(fence);
+		if (vbuf->objs)
+			virtio_gpu_array_put_free(vbuf->objs);
+		free_vbuf(vgdev, vbuf);
+		drm_dev_exit(idx);
+		return -ENODEV;
+	}
 	...>
 }

// it may break in between
@warn@
identifier f = virtio_gpu_queue_ctrl_sgs;
identifier ret;
symbol vq;
@@
 f(...)
 {
 	<...
-	WARN_ON(ret);
+	WARN_ON(ret && !virtqueue_is_broken(vq));
 	...>
 }
