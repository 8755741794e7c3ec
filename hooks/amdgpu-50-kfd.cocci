// SPDX-License-Identifier: GPL-2.0-only
// amdkfd: each device knows whether it holds the lock that is common to all.
//
// kgd2kfd_device_exit() gave the lock back whether it held it or not (7.2: a
// partition switch makes the count negative), or never did (6.12: KFD stays
// locked after an unbind). And a device that is lost has to give it back, or KFD
// is dead on all GPUs.
//
//# file drivers/gpu/drm/amd/amdkfd/kfd_priv.h
//# add 1 bool holds_lock;
//# file drivers/gpu/drm/amd/amdkfd/kfd_device.c
//# add 1 #include "amdgpu_virt_pm.h"
//# add 1 kfd->holds_lock = true;
//# add 4 kfd->holds_lock = false;
//# add 1 void kgd2kfd_abandon(
//# add 1 kfd_drop_lock(kfd);
//# gone kgd2kfd_unlock_kfd(NULL);
//# file drivers/gpu/drm/amd/amdkfd/kfd_chardev.c
//# add 1 #include "amdgpu_virt_pm.h"
//# add 2 amdgpu_virt_pm_pass_kfd()
//# file drivers/gpu/drm/amd/amdkfd/kfd_process.c
//# add 1 #include "amdgpu_virt_pm.h"
//# add 1 amdgpu_virt_pm_is_lost(dev->adev)

@inc@
@@
 #include "amdgpu_amdkfd.h"
+#include "amdgpu_virt_pm.h"

@member@
@@
 struct kfd_dev {
 	...
 	struct mutex doorbell_mutex;
+
+	/* its share of kfd_locked; protected by kfd_processes_mutex */
+	bool holds_lock;
 	...
 };

@lock@
identifier f, kfd;
statement S;
@@
 f(struct kfd_dev *kfd, ...)
 {
 	<...
+	kfd->holds_lock = true;
 	if (++kfd_locked == 1) S
 	...>
 }

@unlock@
identifier f, kfd;
statement S;
@@
 f(struct kfd_dev *kfd, ...)
 {
 	<...
+	kfd->holds_lock = false;
 	if (--kfd_locked == 0) S
 	...>
 }

@unlock_after_reset@
identifier kfd;
@@
 kgd2kfd_post_reset(struct kfd_dev *kfd)
 {
 	<...
+	kfd->holds_lock = false;
 	--kfd_locked;
 	...>
 }

@exit@
identifier kfd;
@@
+static void kfd_drop_lock(struct kfd_dev *kfd)
+{
+	mutex_lock(&kfd_processes_mutex);
+	if (kfd->holds_lock)
+		--kfd_locked;
+	kfd->holds_lock = false;
+	mutex_unlock(&kfd_processes_mutex);
+}
+
 void kgd2kfd_device_exit(struct kfd_dev *kfd)
 {
 	...
+	kfd_drop_lock(kfd);
 	kfree(kfd);
 	...
 }

@exit_unlock@
@@
 kgd2kfd_device_exit(...)
 {
 	<...
-	kgd2kfd_unlock_kfd(NULL);
 	...>
 }

@abandon@
@@
+/* Its queues will never run again, but those of the other GPUs shall. */
+void kgd2kfd_abandon(struct kfd_dev *kfd)
+{
+	unsigned int i = 0;
+
+	if (!kfd->init_complete)
+		return;
+
+	while (i < kfd->num_nodes)
+		kfd_signal_reset_event(kfd->nodes[i++]);
+
+	mutex_lock(&kfd_processes_mutex);
+	if (kfd->holds_lock && --kfd_locked == 0)
+		kfd_resume_all_processes();
+	kfd->holds_lock = false;
+	mutex_unlock(&kfd_processes_mutex);
+}
+
 static int kfd_resume(struct kfd_node *node) { ... }

@open@
@@
 kfd_open(...)
 {
 	struct kfd_process *process;
+	int ret;
 	...
 	if (iminor(...) != 0)
 		return -ENODEV;
+
+	ret = amdgpu_virt_pm_pass_kfd();
+	if (ret)
+		return ret;
 	...
 }

@ioctl@
identifier nr;
@@
 kfd_ioctl(...)
 {
 	<...
+	retcode = amdgpu_virt_pm_pass_kfd();
+	if (retcode)
+		return retcode;
+	retcode = -EINVAL;
+
 	if (nr >= AMDKFD_CORE_IOCTL_COUNT) { ... }
 	...>
 }

@bind@
identifier dev, p, pdd;
@@
 kfd_bind_process_to_device(struct kfd_node *dev, struct kfd_process *p)
 {
 	<...
+	if (amdgpu_virt_pm_is_lost(dev->adev))
+		return ERR_PTR(-ENODEV);
+
 	pdd = kfd_get_process_device_data(dev, p);
 	...>
 }
