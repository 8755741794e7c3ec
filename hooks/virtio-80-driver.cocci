// SPDX-License-Identifier: GPL-2.0-only
// virtio-gpu: the PM callbacks. 7.3 has its own, which end here.
//
//# file drivers/gpu/drm/virtio/virtgpu_drv.c
//# add 1 virtio_gpu_pm_freeze
//# add 1 virtio_gpu_pm_restore
//# gone virtgpu_freeze
//# gone virtgpu_restore
//# gone hibernat

@old_callbacks@
@@
 struct virtio_driver virtio_gpu_driver = {
-	.freeze = virtgpu_freeze,
-	.restore = virtgpu_restore,
 };

@old_functions@
identifier f = {
	virtgpu_hibernation_restore, virtgpu_freeze, virtgpu_restore
};
type T;
parameter list ps;
@@
-T f(ps) { ... }

@driver@
@@
 struct virtio_driver virtio_gpu_driver = {
 	.config_changed = virtio_gpu_config_changed,
+	.freeze = pm_sleep_ptr(virtio_gpu_pm_freeze),
+	.restore = pm_sleep_ptr(virtio_gpu_pm_restore),
 };
