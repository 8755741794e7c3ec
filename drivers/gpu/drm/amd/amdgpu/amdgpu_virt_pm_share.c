// SPDX-License-Identifier: GPL-2.0 OR MIT

#include <linux/device.h>
#include <linux/dma-buf.h>
#include <linux/dma-resv.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/pm_runtime.h>
#include <linux/slab.h>

#include <kunit/visibility.h>

#include "amdgpu.h"
#include "amdgpu_virt_pm.h"

/*
 * Buffers of the GPU that another device imports.
 */

/**
 * struct amdgpu_virt_pm_import - an attachment to a buffer of the GPU
 * @node: in &amdgpu_virt_pm.imports
 * @attach: the attachment
 * @ordered: there is a device link
 */
struct amdgpu_virt_pm_import {
	struct list_head node;
	struct dma_buf_attachment *attach;
	bool ordered;
};

/**
 * amdgpu_virt_pm_attach - a device attaches to a buffer of the GPU
 * @adev: the device
 * @attach: the attachment, whose @priv this takes
 *
 * In a sleep state the importer is suspended before the GPU, and resumed after it.
 * There is no such order if the GPU imports from that device or from one that
 * depends on it, and has to be suspended before them.
 *
 * Context: amdgpu_dma_buf_attach(), as its last step.
 *
 * Return: 0 or -ENOMEM.
 */
int amdgpu_virt_pm_attach(struct amdgpu_device *adev,
			  struct dma_buf_attachment *attach)
{
	struct amdgpu_virt_pm *pm = adev->virt_pm;
	struct amdgpu_virt_pm_import *import;

	if (!pm)
		return 0;

	import = kzalloc(sizeof(*import), GFP_KERNEL);
	if (!import) {
		/* amdgpu_dma_buf_detach() is not going to */
		if (attach->peer2peer)
			pm_runtime_put_autosuspend(adev->dev);
		return -ENOMEM;
	}

	import->attach = attach;
	import->ordered = device_link_add(attach->dev, adev->dev,
					  DL_FLAG_STATELESS);
	attach->priv = import;

	mutex_lock(&pm->imports_lock);
	list_add_tail(&import->node, &pm->imports);
	mutex_unlock(&pm->imports_lock);

	return 0;
}

/**
 * amdgpu_virt_pm_detach - undo amdgpu_virt_pm_attach()
 * @adev: the device
 * @attach: the attachment
 *
 * Context: Process context, without the reservation lock of the buffer.
 */
void amdgpu_virt_pm_detach(struct amdgpu_device *adev,
			   struct dma_buf_attachment *attach)
{
	struct amdgpu_virt_pm_import *import = attach->priv;

	if (!import)
		return;

	mutex_lock(&adev->virt_pm->imports_lock);
	list_del(&import->node);
	mutex_unlock(&adev->virt_pm->imports_lock);

	/* the link is gone already if one of the devices is */
	if (import->ordered)
		device_link_remove(attach->dev, adev->dev);
	kfree(import);
}

/**
 * amdgpu_virt_pm_is_revoked - whether a buffer must not be mapped for an importer
 * @adev: the device
 *
 * Context: The reservation lock of the buffer is held.
 *
 * Return: true if amdgpu_virt_pm_revoke() was called.
 */
bool amdgpu_virt_pm_is_revoked(struct amdgpu_device *adev)
{
	return adev->virt_pm && READ_ONCE(adev->virt_pm->revoked);
}

/**
 * amdgpu_virt_pm_revoke - take all buffers from those who import them
 * @adev: the device
 *
 * When the driver is unbound, amdgpu_device_fini_hw() frees the pages of all
 * buffers.
 *
 * Context: Remove callback, after the GPU counts as lost.
 */
void amdgpu_virt_pm_revoke(struct amdgpu_device *adev)
{
	struct amdgpu_virt_pm_import *import;
	struct dma_buf *dmabuf;

	if (!adev->virt_pm)
		return;

	/* an importer of before has the pages, a later one does not get them */
	WRITE_ONCE(adev->virt_pm->revoked, true);

	mutex_lock(&adev->virt_pm->imports_lock);
	list_for_each_entry(import, &adev->virt_pm->imports, node) {
		dmabuf = import->attach->dmabuf;
		dma_resv_lock(dmabuf->resv, NULL);
		dma_buf_move_notify(dmabuf);
		dma_resv_unlock(dmabuf->resv);
	}
	mutex_unlock(&adev->virt_pm->imports_lock);
}

VISIBLE_IF_KUNIT void amdgpu_virt_pm_count_pin(struct amdgpu_bo *bo, int count)
{
	struct amdgpu_device *adev = amdgpu_ttm_adev(bo->tbo.bdev);

	if (adev->virt_pm && bo->tbo.resource->mem_type == TTM_PL_VRAM)
		atomic_add(count, &adev->virt_pm->num_pinned);
}

/**
 * amdgpu_virt_pm_pin - pin a buffer for an importer
 * @bo: the buffer
 * @domains: where it may be
 *
 * A GPU that is not running copies nothing, but what was evicted is in system memory,
 * where the importer accesses it without the GPU. A suspend is refused while a buffer
 * is pinned in VRAM.
 *
 * Context: The reservation lock of @bo is held.
 *
 * Return: 0; -EBUSY if the GPU is not running and the buffer is in VRAM; -ENODEV if
 * the driver is unbound; an error of amdgpu_bo_pin().
 */
int amdgpu_virt_pm_pin(struct amdgpu_bo *bo, u32 domains)
{
	struct amdgpu_device *adev = amdgpu_ttm_adev(bo->tbo.bdev);
	int r;

	if (amdgpu_virt_pm_is_revoked(adev))
		return -ENODEV;
	if (amdgpu_virt_pm_is_down(adev)) {
		if (bo->tbo.resource->mem_type == TTM_PL_VRAM)
			return -EBUSY;
		domains = AMDGPU_GEM_DOMAIN_GTT;
	}

	r = amdgpu_bo_pin(bo, domains);
	if (!r)
		amdgpu_virt_pm_count_pin(bo, 1);

	return r;
}

/**
 * amdgpu_virt_pm_unpin - undo amdgpu_virt_pm_pin()
 * @bo: the buffer
 *
 * Context: The reservation lock of @bo is held.
 */
void amdgpu_virt_pm_unpin(struct amdgpu_bo *bo)
{
	amdgpu_virt_pm_count_pin(bo, -1);
	amdgpu_bo_unpin(bo);
}
