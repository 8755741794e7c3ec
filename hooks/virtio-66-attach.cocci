// SPDX-License-Identifier: GPL-2.0-only
// virtio-gpu: attaching a backing can fail; see 67 and 68 for what fails then. A
// reset may come before the command is built.
//
//# file drivers/gpu/drm/virtio/virtgpu_drv.h
//# add 1 int virtio_gpu_object_attach(
//# file drivers/gpu/drm/virtio/virtgpu_vq.c
//# add 1 return virtio_gpu_queue_fenced_ctrl_buffer(
//# add 1 virtio_gpu_pm_command_id(obj, vbuf)

@attach_backing@
identifier cmd_p, vgdev, resource_id;
symbol vbuf;
@@
-static void
+static int
 virtio_gpu_cmd_resource_attach_backing(struct virtio_gpu_device *vgdev,
-				       uint32_t resource_id,
+				       struct virtio_gpu_object *obj,
 	...)
 {
 	...
-	cmd_p->resource_id = cpu_to_le32(resource_id);
+	cmd_p->resource_id = cpu_to_le32(virtio_gpu_pm_command_id(obj, vbuf));
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
