// SPDX-License-Identifier: GPL-2.0-only
// amdkfd: a process may outlive the DRM client that owns the handles of its buffers.
// drm_dev_unplug() releases that client, with all handles; what the process has is
// freed when it ends.
//
//# file drivers/gpu/drm/amd/amdgpu/amdgpu_amdkfd_gpuvm.c
//# add 1 #include <drm/drm_drv.h>
//# add 1 static void kfd_mem_delete_handle(
//# add 1 kfd_mem_delete_handle(adev, mem->gem_handle);
//# add 1 if (drm_dev_is_unplugged(adev_to_drm(bo_adev)))
//# gone drm_gem_handle_delete(adev->kfd.client.file, mem->gem_handle);

@inc@
@@
+#include <drm/drm_drv.h>
 #include <drm/drm_exec.h>

@free@
identifier adev, mem;
@@
 amdgpu_amdkfd_gpuvm_free_memory_of_gpu(struct amdgpu_device *adev,
	struct kgd_mem *mem, ...)
 {
 	...
-	drm_gem_handle_delete(adev->kfd.client.file, mem->gem_handle);
+	kfd_mem_delete_handle(adev, mem->gem_handle);
 	...
 }

@helper depends on free@
@@
+/* A GPU that was unplugged has neither the client nor its handles any more. */
+static void kfd_mem_delete_handle(struct amdgpu_device *adev, u32 handle)
+{
+	int idx;
+
+	if (!drm_dev_enter(adev_to_drm(adev), &idx))
+		return;
+
+	drm_gem_handle_delete(adev->kfd.client.file, handle);
+	drm_dev_exit(idx);
+}
+
 amdgpu_amdkfd_gpuvm_free_memory_of_gpu(...) { ... }

@export@
identifier bo_adev;
expression E;
@@
 	bo_adev = E;
+	if (drm_dev_is_unplugged(adev_to_drm(bo_adev)))
+		return -ENODEV;
+
 	dmabuf = drm_gem_prime_handle_to_dmabuf(&bo_adev->ddev, ...);
