// SPDX-License-Identifier: GPL-2.0-only
// virtio-gpu, a fix of 7.3 that stands alone: a ring can be smaller than the
// device allows, and then its maximum is never free.
//
//# when drivers/gpu/drm/virtio/virtgpu_drv.c virtgpu_freeze
//# file drivers/gpu/drm/virtio/virtgpu_drv.c
//# gone num_max
//# add 2 virtqueue_get_vring_size(

@size@
expression vq;
@@
 virtgpu_freeze(...)
 {
 	<...
-	vq->num_max
+	virtqueue_get_vring_size(vq)
 	...>
 }
