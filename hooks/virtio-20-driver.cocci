// SPDX-License-Identifier: GPL-2.0-only
// virtio-gpu: the PM callbacks, and file operations that pass the gate.
//
//# file drivers/gpu/drm/virtio/virtgpu_drv.c
//# add 1 virtio_gpu_pm_freeze
//# add 1 virtio_gpu_pm_restore
//# add 1 &virtio_gpu_pm_fops
//# have virtio_gpu_pm_stop(dev->dev_private);
//# gone DEFINE_DRM_GEM_FOPS

@driver@
@@
 struct virtio_driver virtio_gpu_driver = {
 	.config_changed = virtio_gpu_config_changed,
+	.freeze = pm_sleep_ptr(virtio_gpu_pm_freeze),
+	.restore = pm_sleep_ptr(virtio_gpu_pm_restore),
 };

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

// who waits for room in a queue would keep the unplug waiting
@stop@
identifier f = { virtio_gpu_remove, virtio_gpu_shutdown };
identifier dev;
@@
 f(...)
 {
 	...
+	virtio_gpu_pm_stop(dev->dev_private);
 	drm_dev_unplug(dev);
 	...
 }
