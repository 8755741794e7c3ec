// SPDX-License-Identifier: GPL-2.0-only
//! what the partition mode is restored, but not read back
//! caught amdgpu_fault_partition amdgpu was not given up
//
//# file drivers/gpu/drm/amd/amdgpu/amdgpu_virt_pm.c
//# gone mode == wanted ? 0 : -EIO

@@
identifier mode, wanted;
@@
 restore_partition(...)
 {
 	<...
-	return mode == wanted ? 0 : -EIO;
+	return 0;
 	...>
 }
