// SPDX-License-Identifier: GPL-2.0-only
// amdgpu's part of ours: dma_buf_move_notify() was renamed.
//
//# when include/linux/dma-buf.h void dma_buf_invalidate_mappings(
//# file drivers/gpu/drm/amd/amdgpu/amdgpu_virt_pm_share.c
//# gone dma_buf_move_notify
//# add 1 dma_buf_invalidate_mappings(

@move@
expression e;
@@
-dma_buf_move_notify(e);
+dma_buf_invalidate_mappings(e);
