// SPDX-License-Identifier: GPL-2.0-only
// virtio-gpu: set up drm_virt_pm, and unplug with it.
//
//# file drivers/gpu/drm/virtio/virtgpu_drv.h
//# add 1 #include "virtgpu_pm.h"
//# add 1 struct virtio_gpu_pm pm;
//# file drivers/gpu/drm/virtio/virtgpu_kms.c
//# add 1 virtio_gpu_pm_init(vgdev)
//# file drivers/gpu/drm/virtio/virtgpu_drv.c
//# have virtio_gpu_pm_unplug(dev);
//# gone drm_dev_unplug(dev)

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

// before anything is queued
@init@
identifier vgdev;
@@
 virtio_gpu_init(...)
 {
 	...
 	virtio_gpu_init_vq(&vgdev->cursorq, virtio_gpu_dequeue_cursor_func);
+	ret = virtio_gpu_pm_init(vgdev);
+	if (ret)
+		goto err_vqs;
 	...
 }

@unplug@
identifier dev;
@@
-drm_dev_unplug(dev);
+virtio_gpu_pm_unplug(dev);
