// SPDX-License-Identifier: GPL-2.0-only
// virtio-gpu: a context that a reset took is created again when it is used.
//
//# file drivers/gpu/drm/virtio/virtgpu_vq.c
//# add 1 vbuf->epoch = epoch;
//# file drivers/gpu/drm/virtio/virtgpu_drv.h
//# add 1 const char *name, u32 epoch);
//# add 1 struct virtio_gpu_pm_context pm;
//# file drivers/gpu/drm/virtio/virtgpu_ioctl.c
//# add 5 virtio_gpu_pm_context_used(file)
//# add 1 virtio_gpu_pm_context_created(vfpriv, epoch)
//# add 1 u32 epoch = READ_ONCE(vgdev->pm.base.epoch)
//# add 3 , epoch);
//# add 1 virtio_gpu_pm_context_stale(vgdev, vfpriv)
//# add 1 virtio_gpu_pm_context_attach_all(vgdev, file)
//# file drivers/gpu/drm/virtio/virtgpu_submit.c
//# add 1 virtio_gpu_pm_context_used(file)
//# file drivers/gpu/drm/virtio/virtgpu_gem.c
//# add 1 virtio_gpu_pm_context_stale(vgdev, vfpriv)
//# file drivers/gpu/drm/virtio/virtgpu_kms.c
//# add 1 !virtio_gpu_pm_context_stale(vgdev, vfpriv)
//# add 1 virtio_gpu_pm_context_closed(vfpriv)

@fpriv@
@@
 struct virtio_gpu_fpriv {
 	...
 	bool explicit_debug_name;
+	struct virtio_gpu_pm_context pm;
 };

// every use of a context but the implicit one by gem_object_open is 3D work
@used@
identifier f != virtio_gpu_resource_create_blob_ioctl;
identifier dev, file;
@@
 f(struct drm_device *dev, void *data, struct drm_file *file)
 {
 	<...
 	virtio_gpu_create_context(dev, file);
+	virtio_gpu_pm_context_used(file);
 	...>
 }

@used_blob@
identifier file, rc_blob;
symbol host3d_blob;
@@
 virtio_gpu_resource_create_blob_ioctl(..., struct drm_file *file)
 {
 	<...
+	if (host3d_blob)
+		virtio_gpu_pm_context_used(file);
+
 	if (rc_blob->cmd_size) { ... }
 	...>
 }

@explicit@
identifier file, vgdev, vfpriv;
@@
 virtio_gpu_context_init_ioctl(..., struct drm_file *file)
 {
 	<...
 	virtio_gpu_create_context_locked(vgdev, vfpriv);
+	virtio_gpu_pm_context_used(file);
 	...>
 }

@context_created@
identifier vgdev, vfpriv;
@@
 virtio_gpu_create_context_locked(struct virtio_gpu_device *vgdev,
	struct virtio_gpu_fpriv *vfpriv)
 {
+	/* a reset may come before the command is queued, which is refused then */
+	u32 epoch = READ_ONCE(vgdev->pm.base.epoch);
+
 	...
+	virtio_gpu_pm_context_created(vfpriv, epoch);
 	vfpriv->context_created = true;
 }

@create_epoch@
identifier vgdev, vfpriv;
expression name;
@@
 virtio_gpu_create_context_locked(struct virtio_gpu_device *vgdev,
	struct virtio_gpu_fpriv *vfpriv)
 {
 	<...
 	virtio_gpu_cmd_context_create(vgdev, vfpriv->ctx_id, vfpriv->context_init,
-				      strlen(name), name);
+				      strlen(name), name, epoch);
 	...>
 }

@command@
identifier vgdev, id, init, nlen, name, cmd_p;
symbol vbuf;
@@
 void virtio_gpu_cmd_context_create(struct virtio_gpu_device *vgdev, uint32_t id,
 				   uint32_t init, uint32_t nlen,
-				   const char *name)
+				   const char *name, u32 epoch)
 {
 	...
 	cmd_p = virtio_gpu_alloc_cmd(...);
+	vbuf->epoch = epoch;
 	...
 }

@command_prototype@
@@
 void virtio_gpu_cmd_context_create(struct virtio_gpu_device *vgdev, uint32_t id,
 				   uint32_t context_init, uint32_t nlen,
-				   const char *name);
+				   const char *name, u32 epoch);

@create_context@
identifier vgdev, vfpriv, dev, file, label;
@@
 void virtio_gpu_create_context(struct drm_device *dev, struct drm_file *file)
 {
 	...
 	struct virtio_gpu_fpriv *vfpriv = file->driver_priv;
+	bool stale;
 	mutex_lock(&vfpriv->context_lock);
-	if (vfpriv->context_created)
+	stale = virtio_gpu_pm_context_stale(vgdev, vfpriv);
+	if (vfpriv->context_created && !stale)
 		goto label;
 	virtio_gpu_create_context_locked(vgdev, vfpriv);
+	if (stale)
+		virtio_gpu_pm_context_attach_all(vgdev, file);
 	...
 }

@close@
identifier vgdev, vfpriv, file, obj;
@@
 virtio_gpu_gem_object_close(struct drm_gem_object *obj, struct drm_file *file)
 {
 	...
 	struct virtio_gpu_fpriv *vfpriv = file->driver_priv;
 	...
-	if (!vgdev->has_virgl_3d)
+	if (!vgdev->has_virgl_3d ||
+	    virtio_gpu_pm_context_stale(vgdev, vfpriv))
 		return;
+	if (!virtio_gpu_pm_object_resident(gem_to_virtio_gpu_obj(obj)))
+		return;
 	...
 }

@postclose@
identifier vgdev, vfpriv;
@@
 virtio_gpu_driver_postclose(...)
 {
 	...
 	if (!vgdev->has_virgl_3d)
 		return;
-	if (vfpriv->context_created)
+	if (vfpriv->context_created &&
+	    !virtio_gpu_pm_context_stale(vgdev, vfpriv))
 	{ ... }
 	...
+	virtio_gpu_pm_context_closed(vfpriv);
 	kfree(vfpriv);
 	...
 }
