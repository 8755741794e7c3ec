// SPDX-License-Identifier: GPL-2.0-only
//! what registers that read as ones are taken for good
//! caught amdgpu_fault_mmio not: its registers do not answer
//
//# file drivers/gpu/drm/amd/amdgpu/amdgpu_virt_pm.c
//# gone return amdgpu_virt_pm_fail(adev, "its registers do not answer"

@@
statement S;
@@
 amdgpu_virt_pm_check_device(...)
 {
 	<...
-	if (!amdgpu_virt_pm_registers_answer(...)) S
 	...>
 }
