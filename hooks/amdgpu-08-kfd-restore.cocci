// SPDX-License-Identifier: GPL-2.0-only
// amdkfd: a process that cannot be restored in a resume is tried again later, and does
// not make the resume of a GPU fail that is well.
//
//# file drivers/gpu/drm/amd/amdkfd/kfd_process.c
//# add 1 queue_delayed_work(kfd_restore_wq, &p->restore_work,
//# add 1 void kfd_resume_all_processes(void)
//# file drivers/gpu/drm/amd/amdkfd/kfd_priv.h
//# add 1 void kfd_resume_all_processes(void);
//# file drivers/gpu/drm/amd/amdkfd/kfd_device.c
//# add 1 kfd_resume_all_processes();
//# gone = kfd_resume_all_processes();

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

@no_result depends on later@
identifier ret;
@@
-int kfd_resume_all_processes(void)
+void kfd_resume_all_processes(void)
 {
 	...
-	int ret = 0;
 	...
-	return ret;
 }

@prototype@
@@
-int kfd_resume_all_processes(void);
+void kfd_resume_all_processes(void);

// since 7.2 the only one of kgd2kfd_resume_process()
@caller_result@
identifier kfd, ret;
@@
 kgd2kfd_resume_process(struct kfd_dev *kfd)
 {
-	int ret = 0;
-
 	<...
-	ret = kfd_resume_all_processes();
+	kfd_resume_all_processes();
 	...>
-	return ret;
+	return 0;
 }

@caller@
identifier ret;
@@
-	ret = kfd_resume_all_processes();
+	kfd_resume_all_processes();
