// SPDX-License-Identifier: GPL-2.0-only
// amdgpu: GMC 9 lets its hubs report page faults when it resumes, and a VF gives the
// reference of late_init back.
//
//# file drivers/gpu/drm/amd/amdgpu/gmc_v9_0.c
//# add 1 gmc_v9_0_vm_fault_interrupt_state(adev, &adev->gmc.vm_fault, 0,
//# add 1 atomic_dec_if_positive(&adev->gmc.vm_fault.enabled_types[0]);

@resume@
identifier adev, r;
statement S;
@@
 gmc_v9_0_resume(...)
 {
 	...
 	struct amdgpu_device *adev = ...;
 	<...
 	r = gmc_v9_0_hw_init(...);
 	if (r) S
+
+	/* late_init takes the reference, but PSP and GFX access memory before */
+	r = gmc_v9_0_vm_fault_interrupt_state(adev, &adev->gmc.vm_fault, 0,
+					      AMDGPU_IRQ_STATE_ENABLE);
+	if (r)
+		return r;
 	...>
 }

// amdgpu_irq_put() would write to registers
@vf@
identifier adev;
@@
 gmc_v9_0_hw_fini(...)
 {
 	...
 	struct amdgpu_device *adev = ...;
 	<...
 	if (amdgpu_sriov_vf(adev)) {
 		...
+		/* the next amdgpu_irq_get() programs the hubs only if it is the first */
+		atomic_dec_if_positive(&adev->gmc.vm_fault.enabled_types[0]);
 		return 0;
 	}
 	...>
 }
