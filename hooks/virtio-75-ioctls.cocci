// SPDX-License-Identifier: GPL-2.0-only
// virtio-gpu: ioctls wait until the device runs.
//
//# file drivers/gpu/drm/virtio/virtgpu_drv.c
//# add 1 &virtio_gpu_pm_fops
//# gone DEFINE_DRM_GEM_FOPS

@fops@
declarer name DEFINE_DRM_GEM_FOPS;
@@
-DEFINE_DRM_GEM_FOPS(virtio_gpu_driver_fops);

@use_fops@
@@
 struct drm_driver driver = {
-	.fops = &virtio_gpu_driver_fops,
+	.fops = &virtio_gpu_pm_fops,
 };
