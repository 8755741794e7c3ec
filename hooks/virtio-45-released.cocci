// SPDX-License-Identifier: GPL-2.0-only
// virtio-gpu, since 7.3: a flag that lets waits end at unbind. Stopping the
// queues does that, and completes what is not queued.
//
//# when drivers/gpu/drm/virtio/virtgpu_drv.h bool vqs_released
//# file drivers/gpu/drm/virtio/virtgpu_drv.h
//# gone vqs_released
//# file drivers/gpu/drm/virtio/virtgpu_drv.c
//# gone release_vqs
//# file drivers/gpu/drm/virtio/virtgpu_vq.c
//# gone vqs_released
//# comment Set by virtio_gpu_release_vqs()
//# comment See comment in virtio_gpu_queue_ctrl_sgs()

@device@
@@
 struct virtio_gpu_device {
 	...
-	bool vqs_released;
 	...
 };

@function@
@@
-static void virtio_gpu_release_vqs(struct drm_device *dev)
-{ ... }

@call@
expression e;
@@
-virtio_gpu_release_vqs(e);

@flag@
expression vgdev;
@@
-if (vgdev->vqs_released) { ... }
