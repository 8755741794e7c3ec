// SPDX-License-Identifier: GPL-2.0-only
//! what a VF is given up as soon as its host grants no access
//! caught amdgpu_vf_ignored amdgpu was given up
//
//# file drivers/gpu/drm/amd/amdgpu/amdgpu_virt_pm.c
//# add 1 return false;

@@
@@
 amdgpu_virt_pm_no_access(...)
 {
+	return false;
 	...
 }
