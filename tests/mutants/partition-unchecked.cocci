// SPDX-License-Identifier: GPL-2.0-only
//! what the partition mode is restored, but not read back
//! caught amdgpu_fault_partition amdgpu was not given up
//
//# file drivers/gpu/drm/amd/amdgpu/amdgpu_virt_pm.c
//# gone if (mode != wanted)

@@
symbol mode, wanted, r;
@@
 amdgpu_virt_pm_restore_partition(...)
 {
 	<...
-	if (mode != wanted)
-		r = -EIO;
 	...>
 }
