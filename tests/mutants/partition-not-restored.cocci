// SPDX-License-Identifier: GPL-2.0-only
//! what nobody restores the partition mode
//! caught amdgpu_s4 the model is in SPX|compute queues were mapped in SPX
//
//# file drivers/gpu/drm/amd/amdgpu/gfx_v9_4_3.c
//# gone amdgpu_xcp_restore_partition_mode
//# file drivers/gpu/drm/amd/amdgpu/amdgpu_virt_pm.c
//# add 1 return 0;

@upstream@
expression E;
@@
 gfx_v9_4_3_cp_resume(...)
 {
 	<...
-	amdgpu_xcp_restore_partition_mode(E);
+	;
 	...>
 }

@ours@
statement S;
symbol wanted;
@@
 amdgpu_virt_pm_restore_partition(...)
 {
 	<...
+	return 0;
 	if (wanted == AMDGPU_XCP_MODE_NONE) S
 	...>
 }
