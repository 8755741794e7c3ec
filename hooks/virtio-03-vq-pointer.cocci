// SPDX-License-Identifier: GPL-2.0-only
// virtio-gpu, a fix that stands alone: read the pointer to a virtqueue anew after each
// wait.
//
//# format
//# file drivers/gpu/drm/virtio/virtgpu_vq.c
//# add 2 struct virtqueue *vq;
//# add 1 vq = vgdev->ctrlq.vq;
//# add 1 vq = vgdev->cursorq.vq;
//# add 1 vgdev->ctrlq.vq->num_free >= elemcnt
//# add 1 vgdev->cursorq.vq->num_free >= outcnt

@declared@
identifier f = { virtio_gpu_queue_ctrl_sgs, virtio_gpu_queue_cursor };
identifier vgdev, q;
@@
 f(struct virtio_gpu_device *vgdev, ...)
 {
 	<...
-	struct virtqueue *vq = vgdev->q.vq;
+	struct virtqueue *vq;
 	...>
 }

@ctrl@
identifier vgdev, vq, elemcnt;
@@
 virtio_gpu_queue_ctrl_sgs(struct virtio_gpu_device *vgdev, ...,
	int elemcnt, ...)
 {
 	<...
 	spin_lock(&vgdev->ctrlq.qlock);
+	vq = vgdev->ctrlq.vq;
+
 	if (vq->num_free < elemcnt) { ... }
 	...>
 }

@cursor@
identifier vgdev, vq, ret;
@@
 virtio_gpu_queue_cursor(struct virtio_gpu_device *vgdev, ...)
 {
 	<...
+	vq = vgdev->cursorq.vq;
+
 	ret = virtqueue_add_sgs(vq, ...);
 	...>
 }

@room@
identifier vgdev, q, vq;
@@
 wait_event(vgdev->q.ack_queue, <+...
-	vq->num_free
+	vgdev->q.vq->num_free
 	...+>);
