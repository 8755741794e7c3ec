// SPDX-License-Identifier: GPL-2.0-only
// amdgpu: who imports a buffer sleeps before the GPU and is resumed after it, and loses
// the buffer when the driver is unbound.
//
//# file drivers/gpu/drm/amd/amdgpu/amdgpu_dma_buf.c
//# add 1 return amdgpu_virt_pm_attach(adev, attach);
//# add 1 amdgpu_virt_pm_detach(adev, attach);
//# add 1 if (amdgpu_virt_pm_is_revoked(adev))

@importer@
identifier adev, attach, dmabuf;
@@
 amdgpu_dma_buf_attach(struct dma_buf *dmabuf, struct dma_buf_attachment *attach)
 {
 	...
 	struct amdgpu_device *adev = amdgpu_ttm_adev(...);
 	<...
-	return 0;
+	return amdgpu_virt_pm_attach(adev, attach);
 	...>
 }

@gone@
identifier adev, attach, dmabuf;
statement S;
@@
 amdgpu_dma_buf_detach(struct dma_buf *dmabuf, struct dma_buf_attachment *attach)
 {
 	...
 	struct amdgpu_device *adev = amdgpu_ttm_adev(...);
 	...
 	if (attach->peer2peer) S
+	amdgpu_virt_pm_detach(adev, attach);
 }

@pages@
identifier adev, r;
@@
 amdgpu_dma_buf_map(...)
 {
 	...
 	struct amdgpu_device *adev = amdgpu_ttm_adev(...);
 	...
 	long r;
+
+	if (amdgpu_virt_pm_is_revoked(adev))
+		return ERR_PTR(-ENODEV);
 	...
 }
