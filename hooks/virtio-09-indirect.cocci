// SPDX-License-Identifier: GPL-2.0-only
// virtio-gpu, a fix that stands alone: a command fits into the ring also if there is no
// memory for its indirect table.
//
//# format
//# file drivers/gpu/drm/virtio/virtgpu_vq.c
//# gone 	if (vgdev->has_indirect)
//# have elemcnt > virtqueue_get_vring_size(vq))

@early@
identifier vgdev;
@@
 virtio_gpu_queue_ctrl_sgs(struct virtio_gpu_device *vgdev, ...)
 {
 	<...
-	if (vgdev->has_indirect)
-		elemcnt = 1;
 	...>
 }

@late@
identifier vgdev, vq;
@@
 virtio_gpu_queue_ctrl_sgs(struct virtio_gpu_device *vgdev, ...)
 {
 	<...
 	vq = vgdev->ctrlq.vq;
+
+	/* without memory for an indirect table, each takes an entry */
+	if (vgdev->has_indirect && elemcnt > virtqueue_get_vring_size(vq))
+		elemcnt = 1;
 	...>
 }

@panic@
identifier vgdev, vq;
@@
 virtio_gpu_panic_queue_ctrl_sgs(struct virtio_gpu_device *vgdev, ...)
 {
 	struct virtqueue *vq = vgdev->ctrlq.vq;
 	...
-	if (vgdev->has_indirect)
+	if (vgdev->has_indirect && elemcnt > virtqueue_get_vring_size(vq))
 		elemcnt = 1;
 	...
 }
