// SPDX-License-Identifier: GPL-2.0-only
// amdgpu: since 7.2 thaw leaves the GPU suspended while the image is written. The
// work of the library resumes it if the system goes on.
//
//# when drivers/gpu/drm/amd/amdgpu/amdgpu_drv.c pm_hibernation_mode_is_suspend
//# file drivers/gpu/drm/amd/amdgpu/amdgpu_drv.c
//# add 1 amdgpu_virt_pm_is_down(drm_to_adev(drm_dev))

@complete_cb@
identifier dev;
@@
 amdgpu_pmops_complete(struct device *dev)
 {
-	amdgpu_device_complete(dev_get_drvdata(dev));
+	struct drm_device *drm_dev = dev_get_drvdata(dev);
+
+	if (!amdgpu_virt_pm_is_down(drm_to_adev(drm_dev)))
+		amdgpu_device_complete(drm_dev);
 }
