// SPDX-License-Identifier: GPL-2.0-only
// virtio-gpu, a fix of 7.3 that stands alone: thaw is not the end of a hibernation.
//
//# when drivers/gpu/drm/virtio/virtgpu_drv.c virtgpu_freeze
//# file drivers/gpu/drm/virtio/virtgpu_drv.c
//# gone vgdev->hibernated = false;

@thaw@
identifier vgdev;
@@
 virtgpu_hibernation_restore(struct virtio_gpu_device *vgdev)
 {
-	if (vgdev->hibernated) {
-		vgdev->hibernated = false;
-		virtio_gpu_object_restore_all(vgdev);
-	}
+	if (vgdev->hibernated)
+		virtio_gpu_object_restore_all(vgdev);
 }
