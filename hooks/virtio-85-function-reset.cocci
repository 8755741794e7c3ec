// SPDX-License-Identifier: GPL-2.0-only
// virtio-gpu: a function reset, where the virtio core tells of one.
//
//# when include/linux/virtio.h reset_prepare
//# file drivers/gpu/drm/virtio/virtgpu_drv.c
//# add 1 .reset_prepare = virtio_gpu_pm_reset_prepare,
//# add 1 .reset_done = virtio_gpu_pm_reset_done,

@driver@
@@
 struct virtio_driver virtio_gpu_driver = {
 	.config_changed = virtio_gpu_config_changed,
+	.reset_prepare = virtio_gpu_pm_reset_prepare,
+	.reset_done = virtio_gpu_pm_reset_done,
 };
