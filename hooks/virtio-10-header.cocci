// SPDX-License-Identifier: GPL-2.0-only
// virtio-gpu: what the device, its queues, objects and contexts need for
// drm_virt_pm, beside what they are.
//
//# file drivers/gpu/drm/virtio/virtgpu_drv.h
//# add 1 #include "virtgpu_pm.h"
//# add 1 struct virtio_gpu_pm pm;
//# add 1 struct virtio_gpu_pm_object pm;
//# add 1 struct virtio_gpu_pm_context pm;
//# add 1 struct drm_virt_pm_queue pm;
//# add 1 virtio_gpu_pm_reclaim_vbufs
//# have struct virtio_gpu_object_params params;
//# have int virtio_gpu_find_vqs(struct virtio_gpu_device *vgdev);
//# gone virtio_gpu_reclaim_vbufs

@inc@
@@
 #include <drm/virtgpu_drm.h>
+
+#include "virtgpu_pm.h"

@object@
@@
 struct virtio_gpu_object {
 	...
 	uuid_t uuid;
+
+	/* how the host was asked to create it */
+	struct virtio_gpu_object_params params;
+	struct virtio_gpu_pm_object pm;
 };

@queue@
@@
 struct virtio_gpu_queue {
 	...
 	uint32_t seqno;
+	struct drm_virt_pm_queue pm;
 };

@device@
@@
 struct virtio_gpu_device {
 	...
 	struct kmem_cache *vbufs;
+	struct virtio_gpu_pm pm;
 	...
 };

@fpriv@
@@
 struct virtio_gpu_fpriv {
 	...
 	bool explicit_debug_name;
+	struct virtio_gpu_pm_context pm;
 };

@has_find_vqs@
@@
 int virtio_gpu_find_vqs(...);

// a declaration that is only context can be preceded, not followed
@find_vqs depends on !has_find_vqs@
identifier dev;
@@
+int virtio_gpu_find_vqs(struct virtio_gpu_device *vgdev);
 void virtio_gpu_release(struct drm_device *dev);

@old_reclaim@
@@
-void virtio_gpu_reclaim_vbufs(struct virtio_gpu_device *vgdev);

@reclaim@
@@
+void virtio_gpu_pm_reclaim_vbufs(struct virtio_gpu_device *vgdev);
 void virtio_gpu_ctrl_ack(struct virtqueue *vq);
