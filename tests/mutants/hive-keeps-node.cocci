// SPDX-License-Identifier: GPL-2.0-only
//! what the topology of a hive has a GPU that left it
//! caught amdgpu_hive_lost topology has 0 nodes
//
//# file drivers/gpu/drm/amd/amdgpu/amdgpu_xgmi.c
//# gone amdgpu_xgmi_forget_node(hive, adev->gmc.xgmi.node_id);

@@
@@
 amdgpu_xgmi_remove_device(...)
 {
 	<...
-	amdgpu_xgmi_forget_node(hive, adev->gmc.xgmi.node_id);
 	...>
 }

@@
@@
-static void amdgpu_xgmi_forget_node(...) { ... }
