// SPDX-License-Identifier: GPL-2.0-only
//! what the partition mode is restored, but not read back
//! caught amdgpu_fault_partition amdgpu was not given up
//
//# file drivers/gpu/drm/amd/amdgpu/amdgpu_xcp.c
//# gone r = amdgpu_xcp_check_mode(

@@
symbol r;
@@
 amdgpu_xcp_restore_partition_mode(...)
 {
 	<...
-	if (!r)
-		r = amdgpu_xcp_check_mode(...);
 	...>
 }
