// SPDX-License-Identifier: GPL-2.0-only
//! what a GPU whose resume failed is given up at once
//! caught amdgpu_fault_psp_refuses_once amdgpu was given up
//
//# file drivers/gpu/drm/amd/amdgpu/amdgpu_virt_pm.c
//# gone if (r && pm->retry

@@
expression E;
@@
 amdgpu_virt_pm_op_resume(...)
 {
 	<...
-	if (r && pm->retry && E)
-		return r;
 	...>
 }
