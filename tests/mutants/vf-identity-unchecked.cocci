// SPDX-License-Identifier: GPL-2.0-only
//! what a VF of any physical GPU will do
//! caught amdgpu_vf_other amdgpu was not given up|not: its VRAM has another address
//
//# file drivers/gpu/drm/amd/amdgpu/amdgpu_virt_pm.c
//# add 1 if (!difference || amdgpu_sriov_vf(adev))

@@
@@
 amdgpu_virt_pm_check_identity(struct amdgpu_device *adev)
 {
 	<...
-	if (!difference)
+	if (!difference || amdgpu_sriov_vf(adev))
 		return ...;
 	...>
 }
