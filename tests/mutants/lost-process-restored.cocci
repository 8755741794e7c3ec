// SPDX-License-Identifier: GPL-2.0-only
//! what KFD restores processes that have memory on a lost GPU
//! caught amdgpu_lost_compute .
//
//# file drivers/gpu/drm/amd/amdkfd/kfd_process.c
//# gone if (kfd_process_uses_lost_gpu(p))

@@
symbol p;
@@
 restore_process_helper(...)
 {
 	<...
-	if (kfd_process_uses_lost_gpu(p))
-		return 0;
 	...>
 }
