// SPDX-License-Identifier: GPL-2.0-only
//! what IB tests that fail are only logged
//! caught amdgpu_fault_ib amdgpu was not given up
//
//# file drivers/gpu/drm/amd/amdgpu/amdgpu_device.c
//# gone "an IB test failed"

@@
symbol r;
@@
 amdgpu_device_delayed_init_work_handler(...)
 {
 	<...
-	if (r)
-		amdgpu_virt_pm_set_error(...);
 	...>
 }
