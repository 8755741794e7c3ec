// SPDX-License-Identifier: GPL-2.0-only
// amdkfd: each device counts its share of kfd_locked, which is common to all.
//
// kgd2kfd_device_exit() decremented kfd_locked whether or not the device had
// incremented it (7.2: a partition switch makes it negative), or did not at all
// (6.12: KFD stays locked after an unbind). A lost device gives its share back as
// well. Whoever decrements it to 0 restores the processes.
//
//# file drivers/gpu/drm/amd/amdkfd/kfd_priv.h
//# add 1 #include "amdgpu_virt_pm.h"
//# add 1 unsigned int lock_count;
//# file drivers/gpu/drm/amd/amdkfd/kfd_device.c
//# add 1 kfd->lock_count++;
//# add 2 kfd->lock_count--;
//# add 1 void kgd2kfd_lose(
//# add 2 kfd_release_lock(kfd);
//# gone kgd2kfd_unlock_kfd(NULL);
//# file drivers/gpu/drm/amd/amdkfd/kfd_chardev.c
//# add 2 amdgpu_virt_pm_wait_kfd()
//# file drivers/gpu/drm/amd/amdkfd/kfd_process.c
//# add 1 amdgpu_virt_pm_is_lost(dev->adev)
//# add 1 amdgpu_virt_pm_is_lost(pdd->dev->adev)
//# add 1 if (kfd_process_uses_lost_gpu(p))
//# add 1 if (amdgpu_virt_pm_defer_kfd(
//# file drivers/gpu/drm/amd/amdkfd/kfd_svm.c
//# add 1 if (amdgpu_virt_pm_defer_kfd(
//# file drivers/gpu/drm/amd/amdgpu/amdgpu_amdkfd_gpuvm.c
//# add 1 if (amdgpu_virt_pm_defer_kfd(

@inc@
@@
 #include "amd_shared.h"
+#include "amdgpu_virt_pm.h"

@member@
@@
 struct kfd_dev {
 	...
 	struct mutex doorbell_mutex;
+
+	/* its share of kfd_locked; protected by kfd_processes_mutex */
+	unsigned int lock_count;
 	...
 };

@lock@
identifier f, kfd;
statement S;
@@
 f(struct kfd_dev *kfd, ...)
 {
 	<...
+	kfd->lock_count++;
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
+	kfd->lock_count--;
 	if (--kfd_locked == 0) S
 	...>
 }

@unlock_after_reset@
identifier kfd;
@@
 kgd2kfd_post_reset(struct kfd_dev *kfd)
 {
 	<...
+	kfd->lock_count--;
 	--kfd_locked;
 	...>
 }

@exit@
identifier kfd;
@@
+static void kfd_release_lock(struct kfd_dev *kfd)
+{
+	mutex_lock(&kfd_processes_mutex);
+	kfd_locked -= kfd->lock_count;
+	if (kfd->lock_count && !kfd_locked)
+		kfd_resume_all_processes();
+	kfd->lock_count = 0;
+	mutex_unlock(&kfd_processes_mutex);
+}
+
 void kgd2kfd_device_exit(struct kfd_dev *kfd)
 {
+	/* restores queues of processes, which needs the nodes */
+	kfd_release_lock(kfd);
+
 	if (kfd->init_complete) { ... }
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

@lose@
@@
+/* Call this when amdgpu_virt_pm_is_lost() is true for the device. */
+void kgd2kfd_lose(struct kfd_dev *kfd)
+{
+	unsigned int i = 0;
+
+	if (!kfd->init_complete)
+		return;
+
+	while (i < kfd->num_nodes)
+		kfd_signal_reset_event(kfd->nodes[i++]);
+	kfd_release_lock(kfd);
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
+	ret = amdgpu_virt_pm_wait_kfd();
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
+	retcode = amdgpu_virt_pm_wait_kfd();
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

// its page tables would be written to that GPU, or its restore_work try for ever
@restore@
identifier p;
@@
 restore_process_helper(struct kfd_process *p)
 {
 	int ret = 0;
+
+	if (kfd_process_uses_lost_gpu(p))
+		return 0;
 	...
 }

@restore_helper depends on restore@
typedef bool;
@@
+/* Such a process stays evicted until it ends. */
+static bool kfd_process_uses_lost_gpu(struct kfd_process *p)
+{
+	unsigned int i = 0;
+
+	while (i < p->n_pdds) {
+		struct kfd_process_device *pdd = p->pdds[i++];
+
+		if (pdd->drm_priv && amdgpu_virt_pm_is_lost(pdd->dev->adev))
+			return true;
+	}
+
+	return false;
+}
+
 static int restore_process_helper(...) { ... }

// Works that were queued before the suspend, or by a task that runs while the GPU is
// being tried again.
@restore_process@
identifier p, dwork;
@@
 restore_process_worker(...)
 {
 	...
 	p = container_of(dwork, struct kfd_process, restore_work);
+	if (amdgpu_virt_pm_defer_kfd(kfd_restore_wq, dwork))
+		return;
+
 	...
 }

@restore_svm@
identifier dwork, evicted_ranges;
@@
 svm_range_restore_work(...)
 {
 	...
 	struct delayed_work *dwork = ...;
 	...
 	if (!evicted_ranges)
 		return;
+	if (amdgpu_virt_pm_defer_kfd(system_freezable_wq, dwork))
+		return;
 	...
 }

@restore_userptr@
identifier dwork, info, evicted_bos;
@@
 amdgpu_amdkfd_restore_userptr_worker(...)
 {
 	...
 	struct delayed_work *dwork = ...;
 	<...
 	evicted_bos = info->evicted_bos;
 	mutex_unlock(&info->notifier_lock);
 	if (!evicted_bos)
 		return;
+	if (amdgpu_virt_pm_defer_kfd(system_freezable_wq, dwork))
+		return;
 	...>
 }
