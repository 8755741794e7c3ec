// SPDX-License-Identifier: GPL-2.0-only
//! what a VF that is given up exchanges data with its host
//! caught amdgpu_vf_psp_refuses vram-written-while-off
//
//# file drivers/gpu/drm/amd/amdgpu/amdgpu_virt_pm.c
//# gone amdgpu_virt_fini_data_exchange(adev)

@@
@@
 amdgpu_virt_pm_op_quiesce(...)
 {
 	<...
-	if (amdgpu_sriov_vf(adev))
-		amdgpu_virt_fini_data_exchange(adev);
 	...>
 }
