// SPDX-License-Identifier: GPL-2.0-only
//! what any GPU of the same kind will do
//! caught amdgpu_other_address amdgpu was not given up|not: its VRAM has another address
//
//# file drivers/gpu/drm/amd/amdgpu/amdgpu_virt_pm.c
//# add 1 return NULL;

@@
@@
 amdgpu_virt_pm_compare(...)
 {
+	return NULL;
 	...
 }
