// SPDX-License-Identifier: GPL-2.0-only
//! what a TLB invalidation that was not acknowledged is only logged
//! caught amdgpu_fault_invalidation amdgpu was not given up|it hangs
//
//# file drivers/gpu/drm/amd/amdgpu/gmc_v9_0.c
//# gone "TLB invalidation not acknowledged"

@@
@@
 gmc_v9_0_flush_gpu_tlb(...)
 {
 	<...
-	amdgpu_virt_pm_set_error(...);
 	...>
 }
