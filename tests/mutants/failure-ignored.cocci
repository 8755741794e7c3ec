// SPDX-License-Identifier: GPL-2.0-only
//! what a resume that failed is taken for a good one
//! caught amdgpu_fault_ring amdgpu was not given up
//
//# file drivers/gpu/drm/amd/amdgpu/amdgpu_virt_pm.c
//# add 1 r = 0;

@@
symbol r;
@@
 amdgpu_virt_pm_op_resume(...)
 {
 	<...
 	if (!r)
 		r = amdgpu_virt_pm_check_error(...);
+	r = 0;
 	...>
 }
