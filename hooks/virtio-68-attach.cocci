// SPDX-License-Identifier: GPL-2.0-only
// virtio-gpu, until 7.1: attaching a backing can fail.
//
//# unless drivers/gpu/drm/virtio/virtgpu_drv.h bool attached
//# file drivers/gpu/drm/virtio/virtgpu_vq.c
//# add 1 int virtio_gpu_object_attach(
//# add 1 return virtio_gpu_cmd_resource_attach_backing(vgdev,

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
-	virtio_gpu_cmd_resource_attach_backing(vgdev, obj->hw_res_handle, es);
+	return virtio_gpu_cmd_resource_attach_backing(vgdev, obj, es);
 }
