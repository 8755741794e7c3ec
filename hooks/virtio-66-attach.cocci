// SPDX-License-Identifier: GPL-2.0-only
// virtio-gpu: attaching a backing can fail; see 67 and 68 for what fails then.
//
//# file drivers/gpu/drm/virtio/virtgpu_drv.h
//# add 1 int virtio_gpu_object_attach(
//# file drivers/gpu/drm/virtio/virtgpu_vq.c
//# add 1 return virtio_gpu_queue_fenced_ctrl_buffer(

@attach_backing@
@@
-static void
+static int
 virtio_gpu_cmd_resource_attach_backing(...)
 {
 	...
-	virtio_gpu_queue_fenced_ctrl_buffer(
+	return virtio_gpu_queue_fenced_ctrl_buffer(
	...);
 }

@attach_prototype@
@@
-void virtio_gpu_object_attach(struct virtio_gpu_device *vgdev,
-			      struct virtio_gpu_object *obj,
-			      struct virtio_gpu_mem_entry *ents,
-			      unsigned int nents);
+int virtio_gpu_object_attach(struct virtio_gpu_device *vgdev,
+			     struct virtio_gpu_object *obj,
+			     struct virtio_gpu_mem_entry *ents,
+			     unsigned int nents);
