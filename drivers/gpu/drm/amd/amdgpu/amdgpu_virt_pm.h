/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef __AMDGPU_VIRT_PM_H__
#define __AMDGPU_VIRT_PM_H__

#include <linux/atomic.h>
#include <linux/kconfig.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/types.h>

#include <drm/drm_virt_pm.h>

struct amdgpu_bo;
struct amdgpu_device;
struct delayed_work;
struct dma_buf_attachment;
struct drm_device;
struct kfd_dev;
struct workqueue_struct;

/*
 * For amdgpu's own files. Without &amdgpu_device.virt_pm each function does what
 * amdgpu did in its place, or nothing.
 */

/* amdkfd; defined there with and without the rest of this */
#if IS_ENABLED(CONFIG_HSA_AMD)
void kgd2kfd_lose(struct kfd_dev *kfd);
#else
static inline void kgd2kfd_lose(struct kfd_dev *kfd)
{
}
#endif

#ifdef CONFIG_DRM_AMDGPU_VIRT_PM
/**
 * struct amdgpu_virt_pm_identity - what a GPU must have in common with the one
 * that was suspended
 */
struct amdgpu_virt_pm_identity {
	/** @vram_mb: Size of VRAM. */
	u32 vram_mb;

	/** @xgmi_nodes: Number of GPUs that are linked, or 0. */
	u32 xgmi_nodes;

	/** @xgmi_node: Which of them this is. */
	u32 xgmi_node;

	/** @nps: Memory partition mode. */
	u32 nps;

	/** @fb_base: Where the hubs see VRAM. */
	u64 fb_base;

	/** @discovery: Checksum of the discovery table, or 0. */
	u32 discovery;
};

/**
 * struct amdgpu_virt_pm - suspend and resume of a GPU
 */
struct amdgpu_virt_pm {
	/** @base: The library's part. */
	struct drm_virt_pm base;

	/** @adev: The device. */
	struct amdgpu_device *adev;

	/** @checked: Its engines and its identity are checked. */
	bool checked;

	/** @error: What failed first in the resume that is running, or NULL. */
	const char *error;

	/** @retry: A full reset may help if the running resume fails. */
	bool retry;

	/** @identity: At probe. */
	struct amdgpu_virt_pm_identity identity;

	/** @node: In the list of all GPUs. */
	struct list_head node;

	/** @num_pinned: Buffers that importers have pinned in VRAM. */
	atomic_t num_pinned;

	/**
	 * @left_resets: Resets of the hive leave the GPU alone. Protected by
	 * &amdgpu_hive_info.hive_lock.
	 */
	bool left_resets;

	/** @imports: Attachments of other devices to buffers of the GPU. */
	struct list_head imports;

	/** @imports_lock: Protects @imports; outside of any dma_resv. */
	struct mutex imports_lock;

	/** @revoked: Buffers must not be imported any more. */
	bool revoked;

	/** @blocks_kfd: Among the GPUs that amdgpu_virt_pm_wait_kfd() waits for. */
	bool blocks_kfd;
};

/* life cycle */
int amdgpu_virt_pm_init(struct amdgpu_device *adev);
void amdgpu_virt_pm_remove(struct amdgpu_device *adev);
void amdgpu_virt_pm_unplug(struct amdgpu_device *adev);

/* PM callbacks of the system's sleep states */
int amdgpu_virt_pm_suspend(struct drm_device *ddev);
int amdgpu_virt_pm_resume(struct drm_device *ddev);
bool amdgpu_virt_pm_is_down(struct amdgpu_device *adev);
bool amdgpu_virt_pm_is_lost(struct amdgpu_device *adev);

/* called in amdgpu_device_ip_resume() */
int amdgpu_virt_pm_check_identity(struct amdgpu_device *adev);
int amdgpu_virt_pm_check_error(struct amdgpu_device *adev);
int amdgpu_virt_pm_check_engines(struct amdgpu_device *adev);
void amdgpu_virt_pm_set_error(struct amdgpu_device *adev, const char *what);

/* amdgpu_virt_pm_hive.c */
void amdgpu_virt_pm_leave_resets(struct amdgpu_device *adev);
int amdgpu_virt_pm_join_resets(struct amdgpu_device *adev);
bool amdgpu_virt_pm_has_left_resets(struct amdgpu_device *adev);
void amdgpu_virt_pm_remove_from_hive(struct amdgpu_device *adev);

/* entries for user space */
int amdgpu_virt_pm_wait_running(struct drm_device *ddev);
int amdgpu_virt_pm_wait_kfd(void);
bool amdgpu_virt_pm_defer_kfd(struct workqueue_struct *wq,
			      struct delayed_work *work);

/* buffers that another device imports */
int amdgpu_virt_pm_attach(struct amdgpu_device *adev,
			  struct dma_buf_attachment *attach);
void amdgpu_virt_pm_detach(struct amdgpu_device *adev,
			   struct dma_buf_attachment *attach);
void amdgpu_virt_pm_revoke(struct amdgpu_device *adev);
bool amdgpu_virt_pm_is_revoked(struct amdgpu_device *adev);
int amdgpu_virt_pm_pin(struct amdgpu_bo *bo, u32 domains);
void amdgpu_virt_pm_unpin(struct amdgpu_bo *bo);

/* static but for the tests */
#if IS_ENABLED(CONFIG_KUNIT)
int amdgpu_virt_pm_suspend_device(struct drm_device *ddev);
int amdgpu_virt_pm_resume_device(struct drm_device *ddev);
int amdgpu_virt_pm_reset_device(struct amdgpu_device *adev);
void amdgpu_virt_pm_read_identity(struct amdgpu_device *adev,
				  struct amdgpu_virt_pm_identity *id);
void amdgpu_virt_pm_count_pin(struct amdgpu_bo *bo, int count);
#endif
#else
#include <drm/drm_drv.h>

#include "amdgpu.h"

static inline int amdgpu_virt_pm_init(struct amdgpu_device *adev)
{
	return 0;
}

static inline void amdgpu_virt_pm_remove(struct amdgpu_device *adev)
{
}

static inline void amdgpu_virt_pm_unplug(struct amdgpu_device *adev)
{
	drm_dev_unplug(adev_to_drm(adev));
}

static inline int amdgpu_virt_pm_suspend(struct drm_device *ddev)
{
	return amdgpu_device_suspend(ddev, true);
}

static inline int amdgpu_virt_pm_resume(struct drm_device *ddev)
{
	return amdgpu_device_resume(ddev, true);
}

static inline bool amdgpu_virt_pm_is_down(struct amdgpu_device *adev)
{
	return false;
}

static inline bool amdgpu_virt_pm_is_lost(struct amdgpu_device *adev)
{
	return false;
}

static inline int amdgpu_virt_pm_check_identity(struct amdgpu_device *adev)
{
	return 0;
}

static inline int amdgpu_virt_pm_check_error(struct amdgpu_device *adev)
{
	return 0;
}

static inline int amdgpu_virt_pm_check_engines(struct amdgpu_device *adev)
{
	return 0;
}

static inline void amdgpu_virt_pm_set_error(struct amdgpu_device *adev,
					    const char *what)
{
}

static inline bool amdgpu_virt_pm_has_left_resets(struct amdgpu_device *adev)
{
	return false;
}

static inline int amdgpu_virt_pm_wait_running(struct drm_device *ddev)
{
	return 0;
}

static inline int amdgpu_virt_pm_attach(struct amdgpu_device *adev,
					struct dma_buf_attachment *attach)
{
	return 0;
}

static inline void amdgpu_virt_pm_detach(struct amdgpu_device *adev,
					 struct dma_buf_attachment *attach)
{
}

static inline bool amdgpu_virt_pm_is_revoked(struct amdgpu_device *adev)
{
	return false;
}

static inline int amdgpu_virt_pm_pin(struct amdgpu_bo *bo, u32 domains)
{
	return amdgpu_bo_pin(bo, domains);
}

static inline void amdgpu_virt_pm_unpin(struct amdgpu_bo *bo)
{
	amdgpu_bo_unpin(bo);
}

static inline int amdgpu_virt_pm_wait_kfd(void)
{
	return 0;
}

static inline bool amdgpu_virt_pm_defer_kfd(struct workqueue_struct *wq,
					    struct delayed_work *work)
{
	return false;
}
#endif

#endif
