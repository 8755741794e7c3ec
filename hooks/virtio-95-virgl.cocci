// SPDX-License-Identifier: GPL-2.0-only
// virtio-gpu: what programs submit is looked at in the order in which it is queued.
//
//# file drivers/gpu/drm/virtio/virtgpu_submit.c
//# add 1 virtio_gpu_pm_virgl_lock(
//# add 1 virtio_gpu_pm_virgl_unlock(
//# file drivers/gpu/drm/virtio/virtgpu_ioctl.c
//# add 1 virtio_gpu_pm_virgl_start(vfpriv)
//# add 1 virtio_gpu_pm_virgl_lock(
//# add 1 virtio_gpu_pm_virgl_unlock(
//# file drivers/gpu/drm/virtio/virtgpu_kms.c
//# add 1 virtio_gpu_pm_virgl_end(vfpriv)

@submit@
identifier submit;
@@
 virtio_gpu_submit(struct virtio_gpu_submit *submit)
 {
+	virtio_gpu_pm_virgl_lock(submit->vfpriv, submit->buf,
+				 submit->exbuf->size);
 	virtio_gpu_cmd_submit(...);
+	virtio_gpu_pm_virgl_unlock(submit->vfpriv);
 	...
 }

@start@
identifier vfpriv, epoch;
@@
 virtio_gpu_create_context_locked(...)
 {
 	...
+	virtio_gpu_pm_virgl_start(vfpriv);
 	virtio_gpu_pm_context_created(vfpriv, epoch);
 	...
 }

// a host blob begins with a command
@blob@
identifier vfpriv, rc_blob;
expression buf;
expression list es;
@@
 virtio_gpu_resource_create_blob_ioctl(...)
 {
 	...
 	struct virtio_gpu_fpriv *vfpriv = ...;
 	<...
+	virtio_gpu_pm_virgl_lock(vfpriv, buf, rc_blob->cmd_size);
 	virtio_gpu_cmd_submit(vgdev, buf, rc_blob->cmd_size, es);
+	virtio_gpu_pm_virgl_unlock(vfpriv);
 	...>
 }

@close@
identifier vfpriv;
@@
 virtio_gpu_driver_postclose(...)
 {
 	...
 	mutex_destroy(&vfpriv->context_lock);
+	virtio_gpu_pm_virgl_end(vfpriv);
 	virtio_gpu_pm_context_closed(vfpriv);
 	...
 }
