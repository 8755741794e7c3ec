// SPDX-License-Identifier: GPL-2.0-only
// virtio-gpu: stop the device for good as a suspend stops it.
//
//# file drivers/gpu/drm/virtio/virtgpu_kms.c
//# add 1 virtio_gpu_pm_fini(vgdev)
//# gone virtio_gpu_fail_fences

@old_fail@
@@
-static void virtio_gpu_fail_fences(...) { ... }

@fini@
identifier vgdev;
@@
 virtio_gpu_deinit(...)
 {
 	...
-	virtio_reset_device(vgdev->vdev);
-	virtio_gpu_fail_fences(vgdev);
+	virtio_gpu_pm_fini(vgdev);
 	...
-	vgdev->vdev->config->del_vqs(vgdev->vdev);
 	...
 }
