// SPDX-License-Identifier: GPL-2.0-only
//! what a GPU that is lost is still a member of its hive
//! caught amdgpu_hive_lost the lost GPU was touched|GPU reset failed|does not
//
//# file drivers/gpu/drm/amd/amdgpu/amdgpu_virt_pm.c
//# gone amdgpu_virt_pm_leave_resets(
//# gone amdgpu_virt_pm_remove_from_hive(

@@
expression E;
@@
(
-amdgpu_virt_pm_leave_resets(E);
|
-amdgpu_virt_pm_remove_from_hive(E);
)
