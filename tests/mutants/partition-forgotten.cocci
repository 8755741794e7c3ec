// SPDX-License-Identifier: GPL-2.0-only
//! what a partition mode that could not be restored is forgotten
//! caught amdgpu_fault_psp_refuses_once the model is in SPX|compute queues were mapped in SPX
//
//# file drivers/gpu/drm/amd/amdgpu/amdgpu_xcp.c
//# add 1 mode = 0;

@@
symbol r, mode, xcp_mgr;
@@
 amdgpu_xcp_restore_partition_mode(...)
 {
 	<...
 	if (r)
-		xcp_mgr->mode = mode;
+		mode = 0;
 	...>
 }
