// SPDX-License-Identifier: GPL-2.0-only
// virtio-gpu, a fix of 7.3 that stands alone: a device without outputs has no KMS
// that could be suspended.
//
//# when drivers/gpu/drm/virtio/virtgpu_drv.c virtgpu_freeze
//# file drivers/gpu/drm/virtio/virtgpu_drv.c
//# add 3 if (drm_core_check_feature(dev, DRIVER_MODESET))
//# add 1 int error = 0;

@suspend@
identifier dev, error;
@@
 virtgpu_freeze(...)
 {
 	...
 	struct drm_device *dev = ...;
 	<...
(
-	error = drm_mode_config_helper_suspend(dev);
+	if (drm_core_check_feature(dev, DRIVER_MODESET))
+		error = drm_mode_config_helper_suspend(dev);
|
-	drm_mode_config_helper_resume(dev);
+	if (drm_core_check_feature(dev, DRIVER_MODESET))
+		drm_mode_config_helper_resume(dev);
)
 	...>
 }

@no_error depends on suspend@
identifier error;
@@
 virtgpu_freeze(...)
 {
 	...
-	int error;
+	int error = 0;
 	...
 }

@resume@
identifier dev, error;
@@
 virtgpu_restore(...)
 {
 	...
 	struct drm_device *dev = ...;
 	<...
-	error = drm_mode_config_helper_resume(dev);
+	if (drm_core_check_feature(dev, DRIVER_MODESET))
+		error = drm_mode_config_helper_resume(dev);
 	...>
 }
