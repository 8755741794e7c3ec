// SPDX-License-Identifier: GPL-2.0-only
// amdkfd: since 7.2 the state of a compute queue is in a buffer that is pinned in VRAM.
// An eviction does not save that. 7.3 unpins it in a hibernation, but not in S3, where a
// GPU in a virtual machine loses VRAM as well.
//
//# file drivers/gpu/drm/amd/amdkfd/kfd_mqd_manager_v9.c if static bool mqd_on_vram(
//# add 1 if (adev->virt_pm || adev->apu_prefer_gtt)
//# file drivers/gpu/drm/amd/amdkfd/kfd_mqd_manager.c if bool mqd_on_vram(
//# add 1 if (adev->virt_pm || adev->apu_prefer_gtt)

@mqd@
identifier adev;
@@
 mqd_on_vram(struct amdgpu_device *adev)
 {
-	if (adev->apu_prefer_gtt)
+	/* pinned VRAM is lost in every sleep state */
+	if (adev->virt_pm || adev->apu_prefer_gtt)
 		return false;
 	...
 }
