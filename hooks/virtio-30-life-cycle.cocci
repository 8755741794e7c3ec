// SPDX-License-Identifier: GPL-2.0-only
// virtio-gpu: set up and end drm_virt_pm.
//
//# file drivers/gpu/drm/virtio/virtgpu_drv.h
//# add 1 #include "virtgpu_pm.h"
//# add 1 struct virtio_gpu_pm pm;
//# file drivers/gpu/drm/virtio/virtgpu_kms.c
//# add 1 virtio_gpu_pm_init(vgdev)
//# add 1 virtio_gpu_pm_fini(vgdev)

@inc@
@@
 #include <drm/virtgpu_drm.h>
+
+#include "virtgpu_pm.h"

@device@
@@
 struct virtio_gpu_device {
 	...
 	struct kmem_cache *vbufs;
+	struct virtio_gpu_pm pm;
 	...
 };

// the last thing that virtio_gpu_init() does
@init@
identifier vgdev, ret, vdev, dev;
@@
 int virtio_gpu_init(struct virtio_device *vdev, struct drm_device *dev)
 {
 	<...
 	struct virtio_gpu_device *vgdev;
 	...>
-	return 0;
+	return virtio_gpu_pm_init(vgdev);
 }

@fini@
identifier vgdev;
@@
 virtio_gpu_deinit(...)
 {
 	...
+	virtio_gpu_pm_fini(vgdev);
 	flush_work(&vgdev->obj_free_work);
 	...
 }
