// SPDX-License-Identifier: GPL-2.0-only
//! what nobody restores the partition mode
//! caught amdgpu_s4 the model is in SPX|compute queues were mapped in SPX
//
//# file drivers/gpu/drm/amd/amdgpu/amdgpu_device.c
//# add 1 r = 0;

@@
symbol r;
@@
 amdgpu_device_ip_resume(...)
 {
 	<...
-	r = amdgpu_xcp_restore_partition_mode(...);
+	r = 0;
 	...>
 }
