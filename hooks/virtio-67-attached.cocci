// SPDX-License-Identifier: GPL-2.0-only
// virtio-gpu, since 7.2: the driver notes whether a resource has its backing, which
// means nothing once the host has forgotten the resource. An import is mapped
// anew when it is restored.
//
//# when drivers/gpu/drm/virtio/virtgpu_drv.h bool attached
//# file drivers/gpu/drm/virtio/virtgpu_vq.c
//# add 1 obj->attached && virtio_gpu_pm_object_resident(obj)
//# add 1 virtio_gpu_pm_command_id(obj, vbuf)
//# add 1 int virtio_gpu_object_attach(
//# file drivers/gpu/drm/virtio/virtgpu_object.c
//# add 1 !bo->attached || virtio_gpu_pm_host_forgot(vgdev, bo)
//# add 2 virtio_gpu_pm_host_hangs(vgdev, bo);
//# file drivers/gpu/drm/virtio/virtgpu_prime.c
//# add 1 static int virtgpu_dma_buf_restore(
//# add 1 bo->pm.restore = virtgpu_dma_buf_restore;
//# gone MAX_SCHEDULE_TIMEOUT
//# file drivers/gpu/drm/virtio/virtgpu_plane.c
//# add 1 ret = virtio_gpu_object_attach(

@attach@
identifier vgdev, obj;
expression list es;
@@
-void virtio_gpu_object_attach(struct virtio_gpu_device *vgdev,
-			      struct virtio_gpu_object *obj,
-			      struct virtio_gpu_mem_entry *ents,
-			      unsigned int nents)
+int virtio_gpu_object_attach(struct virtio_gpu_device *vgdev,
+			     struct virtio_gpu_object *obj,
+			     struct virtio_gpu_mem_entry *ents,
+			     unsigned int nents)
 {
+	int ret;
+
-	if (obj->attached)
-		return;
+	if (obj->attached && virtio_gpu_pm_object_resident(obj))
+		return 0;

-	virtio_gpu_cmd_resource_attach_backing(vgdev, obj->hw_res_handle, es);
+	ret = virtio_gpu_cmd_resource_attach_backing(vgdev, obj, es);
+	if (ret)
+		return ret;

 	obj->attached = true;
+	return 0;
 }

@detach_id@
identifier vgdev, obj;
expression e;
@@
 virtio_gpu_object_detach(struct virtio_gpu_device *vgdev,
 	struct virtio_gpu_object *obj, ...)
 {
 	<...
-	virtio_gpu_cmd_resource_detach_backing(vgdev, obj->hw_res_handle, e);
+	virtio_gpu_cmd_resource_detach_backing(vgdev, obj, e);
 	...>
 }

@detach_command@
identifier cmd_p, vgdev, resource_id;
symbol vbuf;
@@
 virtio_gpu_cmd_resource_detach_backing(struct virtio_gpu_device *vgdev,
-				       uint32_t resource_id,
+				       struct virtio_gpu_object *obj,
 	...)
 {
 	...
-	cmd_p->resource_id = cpu_to_le32(resource_id);
+	cmd_p->resource_id = cpu_to_le32(virtio_gpu_pm_command_id(obj, vbuf));
 	...
 }

// nothing to detach from; and the exporter needs its memory back in any case
@detach@
identifier bo, vgdev;
symbol fence;
@@
 virtio_gpu_detach_object_fenced(struct virtio_gpu_object *bo)
 {
 	struct virtio_gpu_device *vgdev = ...;
 	...
-	if (!bo->attached)
+	if (!bo->attached || virtio_gpu_pm_host_forgot(vgdev, bo))
 		return 0;
 	...
-	if (!fence)
-		return -ENOMEM;
+	if (!fence) {
+		virtio_gpu_object_detach(vgdev, bo, NULL);
+		if (READ_ONCE(vgdev->ctrlq.stopped) ||
+		    drm_virt_pm_queue_drain(&vgdev->ctrlq.pm))
+			virtio_gpu_pm_host_hangs(vgdev, bo);
+		return 0;
+	}
 	...
 }

// spatch would put a condition on one line
@detached depends on detach@
symbol fence, vgdev;
@@
 virtio_gpu_detach_object_fenced(...)
 {
 	...
 	struct virtio_gpu_fence *fence;
+	long left;
 	...
-	dma_fence_wait(&fence->f, false);
+	left = dma_fence_wait_timeout(&fence->f, false,
+				      drm_virt_pm_timeout(&vgdev->pm.base));
+	if (!left || fence->f.error)
+		virtio_gpu_pm_host_hangs(vgdev, bo);
 	...
 }

@bounded@
identifier bo;
expression resv;
@@
 virtgpu_dma_buf_import_sgt(..., struct virtio_gpu_object *bo, ...)
 {
+	struct virtio_gpu_device *vgdev = bo->base.base.dev->dev_private;
 	...
 	dma_resv_wait_timeout(resv, DMA_RESV_USAGE_KERNEL, false,
-		MAX_SCHEDULE_TIMEOUT
+		drm_virt_pm_timeout(&vgdev->pm.base)
 	)
 	...
 }

// it would never be attached again
@prepare@
expression list es;
symbol ret, bo, obj;
@@
 virtio_gpu_prepare_imported_obj(...)
 {
 	<...
-	virtio_gpu_object_attach(es);
+	ret = virtio_gpu_object_attach(es);
+	if (ret) {
+		dma_buf_unmap_attachment(obj->import_attach, bo->sgt,
+					 DMA_BIDIRECTIONAL);
+		bo->sgt = NULL;
+		goto err;
+	}
 	...>
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
+/* The exporter may have moved the buffer, so map it anew. */
+static int virtgpu_dma_buf_restore(struct virtio_gpu_object *bo)
+{
+	struct dma_buf_attachment *attach = bo->base.base.import_attach;
+	struct virtio_gpu_device *vgdev = bo->base.base.dev->dev_private;
+	struct virtio_gpu_mem_entry *ents;
+	unsigned int nents;
+	int ret;
+
+	dma_resv_lock(attach->dmabuf->resv, NULL);
+	ret = dma_buf_pin(attach);
+	/* the driver of the exporter is unbound */
+	if (ret == -ENODEV)
+		drm_virt_pm_object_lose(&vgdev->pm.base, &bo->pm.base, ret);
+	if (ret)
+		goto out_unlock;
+
+	if (bo->sgt)
+		dma_buf_unmap_attachment(attach, bo->sgt, DMA_BIDIRECTIONAL);
+	bo->sgt = NULL;
+	ret = virtgpu_dma_buf_import_sgt(&ents, &nents, bo, attach);
+	if (!ret)
+		ret = virtio_gpu_pm_restore_blob(vgdev, bo, ents, nents);
+	dma_buf_unpin(attach);
+out_unlock:
+	dma_resv_unlock(attach->dmabuf->resv);
+	return ret;
+}
+
 static int virtgpu_dma_buf_init_obj(...) { ... }
