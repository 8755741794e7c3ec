// SPDX-License-Identifier: GPL-2.0-only
// amdgpu: since 7.2 the GPU stays suspended while the image is written.
//
//# when drivers/gpu/drm/amd/amdgpu/amdgpu_drv.c pm_hibernation_mode_is_suspend
//# file drivers/gpu/drm/amd/amdgpu/amdgpu_drv.c
//# add 1 return amdgpu_virt_pm_resume_later(drm_dev);
//# add 1 return amdgpu_virt_pm_poweroff_skipped(drm_dev);
//# add 1 amdgpu_virt_pm_is_down(drm_to_adev(drm_dev))

@thaw@
identifier drm_dev;
expression E;
@@
 amdgpu_pmops_thaw(...)
 {
 	...
 	struct drm_device *drm_dev = ...;
 	<...
 	if (E)
-		return 0;
+		return amdgpu_virt_pm_resume_later(drm_dev);
 	...>
 }

@poweroff@
identifier drm_dev;
expression E;
@@
 amdgpu_pmops_poweroff(...)
 {
 	...
 	struct drm_device *drm_dev = ...;
 	<...
 	if (E)
-		return 0;
+		return amdgpu_virt_pm_poweroff_skipped(drm_dev);
 	...>
 }

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
