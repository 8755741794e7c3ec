// SPDX-License-Identifier: GPL-2.0-only
// amdkfd: a process that cannot be restored in a resume is tried again later, and does
// not make the resume of a GPU fail that is well.
//
//# file drivers/gpu/drm/amd/amdkfd/kfd_process.c
//# add 1 queue_delayed_work(kfd_restore_wq, &p->restore_work,

@later@
identifier p, ret;
@@
 kfd_resume_all_processes(void)
 {
 	<...
 	if (restore_process_helper(p)) {
 		...
-		ret = -EFAULT;
+		/* the GPU is well, and this may be for want of memory */
+		queue_delayed_work(kfd_restore_wq, &p->restore_work,
+				   msecs_to_jiffies(PROCESS_RESTORE_TIME_MS));
 	}
 	...>
 }
