// SPDX-License-Identifier: GPL-2.0-only
// virtio-gpu, since 7.2: whether a resource has its backing is noted, and means
// nothing once the host has forgotten the resource. Imports are kept mapped.
//
//# when drivers/gpu/drm/virtio/virtgpu_drv.h bool attached
//# file drivers/gpu/drm/virtio/virtgpu_vq.c
//# add 1 obj->attached && virtio_gpu_pm_object_resident(obj)
//# file drivers/gpu/drm/virtio/virtgpu_object.c
//# add 1 !bo->attached || !virtio_gpu_pm_object_resident(bo)
//# file drivers/gpu/drm/virtio/virtgpu_prime.c
//# add 1 static int virtgpu_dma_buf_restore(
//# add 1 bo->pm.restore = virtgpu_dma_buf_restore;

@attach@
identifier vgdev, obj;
@@
 virtio_gpu_object_attach(struct virtio_gpu_device *vgdev,
	struct virtio_gpu_object *obj, ...)
 {
 	...
-	if (obj->attached)
+	if (obj->attached && virtio_gpu_pm_object_resident(obj))
 		return;
 	...
 }

// nothing to detach from, and nobody who would signal the fence
@detach@
identifier bo;
@@
 virtio_gpu_detach_object_fenced(struct virtio_gpu_object *bo)
 {
 	...
-	if (!bo->attached)
+	if (!bo->attached || !virtio_gpu_pm_object_resident(bo))
 		return 0;
 	...
 }

@import@
identifier bo, vgdev, params, ents, nents;
@@
 virtgpu_dma_buf_init_obj(..., struct virtio_gpu_object *bo, ...)
 {
 	...
+	bo->pm.restore = virtgpu_dma_buf_restore;
 	virtio_gpu_cmd_resource_create_blob(vgdev, bo, &params, ents, nents);
 	...
 }

@restore depends on import@
@@
+/* Mapped anew: the exporter may have moved it. */
+static int virtgpu_dma_buf_restore(struct virtio_gpu_object *bo)
+{
+	struct dma_buf_attachment *attach = bo->base.base.import_attach;
+	struct virtio_gpu_device *vgdev = bo->base.base.dev->dev_private;
+	struct virtio_gpu_mem_entry *ents;
+	unsigned int nents;
+	int ret;
+
+	if (!drm_virt_pm_exporter_ready(attach->dmabuf))
+		return -ENODEV;
+
+	dma_resv_lock(attach->dmabuf->resv, NULL);
+
+	ret = dma_buf_pin(attach);
+	if (!ret) {
+		if (bo->sgt)
+			dma_buf_unmap_attachment(attach, bo->sgt,
+						 DMA_BIDIRECTIONAL);
+		bo->sgt = NULL;
+		ret = virtgpu_dma_buf_import_sgt(&ents, &nents, bo, attach);
+		dma_buf_unpin(attach);
+	}
+	if (!ret)
+		virtio_gpu_cmd_resource_create_blob(vgdev, bo, &bo->params,
+						    ents, nents);
+	dma_resv_unlock(attach->dmabuf->resv);
+
+	return ret;
+}
+
 static int virtgpu_dma_buf_init_obj(...) { ... }
