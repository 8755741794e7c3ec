// SPDX-License-Identifier: GPL-2.0-only
//! what the GART's entries are not written again
//! caught amdgpu_s4 amdgpu was given up
//
//# file drivers/gpu/drm/amd/amdgpu/gmc_v9_0.c
//# gone amdgpu_gtt_mgr_recover

@@
expression E;
@@
 gmc_v9_0_gart_enable(...)
 {
 	<...
-	amdgpu_gtt_mgr_recover(E);
 	...>
 }
