// SPDX-License-Identifier: GPL-2.0-only
//! what nobody looks whether the content of VRAM fits into memory
//! caught amdgpu_vram_too_full 0 lines tell of a refusal
//
//# file drivers/gpu/drm/amd/amdgpu/amdgpu_virt_pm.c
//# gone .check = amdgpu_virt_pm_op_check

@@
identifier ops;
@@
 const struct drm_virt_pm_ops ops = {
-	.check = amdgpu_virt_pm_op_check,
 };
