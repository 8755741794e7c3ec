// SPDX-License-Identifier: GPL-2.0-only
// virtio-gpu: commands that save and restore what the host has of 3D programs, and
// a second look at what a submission uses, after the last access to user memory: a
// task may have been frozen in one. A handle is not closed while a context is made
// again that may name it.
//
//# file drivers/gpu/drm/virtio/virtgpu_drv.h
//# add 1 int virtio_gpu_cmd_pm(
//# file drivers/gpu/drm/virtio/virtgpu_vq.c
//# add 1 int virtio_gpu_cmd_pm(
//# file drivers/gpu/drm/virtio/virtgpu_submit.c
//# add 1 virtio_gpu_pm_virgl_recheck(
//# file drivers/gpu/drm/virtio/virtgpu_gem.c
//# add 1 virtio_gpu_pm_virgl_settle(vfpriv)

@prototype@
@@
+int virtio_gpu_cmd_pm(struct virtio_gpu_device *vgdev, const void *cmd, int size,
+		      void *data, u32 data_size);
 void virtio_gpu_cmd_submit(struct virtio_gpu_device *vgdev, ...);

@command@
@@
+#ifdef CONFIG_DRM_VIRTIO_GPU_VIRGL_RESTORE
+/* Queue a copy of a command of @size bytes. @data is freed by kvfree(). */
+int virtio_gpu_cmd_pm(struct virtio_gpu_device *vgdev, const void *cmd, int size,
+		      void *data, u32 data_size)
+{
+	struct virtio_gpu_vbuffer *vbuf;
+	void *cmd_p;
+
+	cmd_p = virtio_gpu_alloc_cmd(vgdev, &vbuf, size);
+	memcpy(cmd_p, cmd, size);
+	vbuf->data_buf = data;
+	vbuf->data_size = data_size;
+
+	return virtio_gpu_queue_ctrl_buffer(vgdev, vbuf);
+}
+#endif
+
 void virtio_gpu_cmd_submit(...) { ... }

@recheck@
identifier submit, ret, dev, file, label;
@@
 virtio_gpu_execbuffer_ioctl(struct drm_device *dev, void *data,
	struct drm_file *file)
 {
 	<...
+	ret = virtio_gpu_pm_virgl_recheck(file, submit.buflist);
+	if (ret)
+		goto label;
+
 	ret = virtio_gpu_lock_buflist(&submit);
 	if (ret)
 		goto label;
 	...>
 }

@close@
identifier vfpriv;
expression e;
@@
 virtio_gpu_gem_object_close(...)
 {
 	...
 	struct virtio_gpu_fpriv *vfpriv = ...;
 	...
+	virtio_gpu_pm_virgl_settle(vfpriv);
 	if (!virtio_gpu_pm_object_resident(e))
 		return;
 	...
 }
