/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef __AMDGPU_VIRT_PM_H__
#define __AMDGPU_VIRT_PM_H__

#include <linux/kconfig.h>
#include <linux/types.h>

#include <drm/drm_virt_pm.h>

struct amdgpu_device;
struct drm_device;
struct kfd_dev;

/*
 * For amdgpu's own files: what is called at which point of suspend, resume and
 * unbind. Everything is a no-op for a device without &amdgpu_device.virt_pm.
 */

/* amdkfd; defined there with and without the rest of this */
#if IS_ENABLED(CONFIG_HSA_AMD)
void kgd2kfd_abandon(struct kfd_dev *kfd);
#else
static inline void kgd2kfd_abandon(struct kfd_dev *kfd)
{
}
#endif

#ifdef CONFIG_DRM_AMDGPU_VIRT_PM
/**
 * struct amdgpu_virt_pm - suspend and resume of a passed-through GPU
 */
struct amdgpu_virt_pm {
	/** @base: The library's part. */
	struct drm_virt_pm base;

	/** @adev: The device. */
	struct amdgpu_device *adev;

	/**
	 * @suspend: amdgpu_device_suspend(); the unit tests have no GPU and put
	 * their own here.
	 */
	int (*suspend)(struct drm_device *ddev, bool notify_clients);

	/** @resume: amdgpu_device_resume(), likewise. */
	int (*resume)(struct drm_device *ddev, bool notify_clients);

	/** @trouble: What failed in code that cannot return an error, or NULL. */
	const char *trouble;

	/** @counted: Among the GPUs that KFD waits for. */
	bool counted;

	/** @abandoned: Lost, and left alone. */
	bool abandoned;
};

/* life cycle */
int amdgpu_virt_pm_init(struct amdgpu_device *adev);
void amdgpu_virt_pm_remove(struct amdgpu_device *adev);

/* PM callbacks of the system's sleep states */
int amdgpu_virt_pm_suspend(struct drm_device *ddev);
int amdgpu_virt_pm_resume(struct drm_device *ddev);
int amdgpu_virt_pm_resume_later(struct drm_device *ddev);
int amdgpu_virt_pm_poweroff_skipped(struct drm_device *ddev);
bool amdgpu_virt_pm_is_down(struct amdgpu_device *adev);
bool amdgpu_virt_pm_is_lost(struct amdgpu_device *adev);

/* points of amdgpu_device_resume() and amdgpu_device_ip_resume() */
int amdgpu_virt_pm_identify(struct amdgpu_device *adev);
int amdgpu_virt_pm_memory_up(struct amdgpu_device *adev);
int amdgpu_virt_pm_firmware_up(struct amdgpu_device *adev);
int amdgpu_virt_pm_engines_up(struct amdgpu_device *adev);
int amdgpu_virt_pm_before_clients(struct amdgpu_device *adev);
int amdgpu_virt_pm_clients_up(struct amdgpu_device *adev);
void amdgpu_virt_pm_trouble(struct amdgpu_device *adev, const char *what);

/* entries for user space */
int amdgpu_virt_pm_pass(struct drm_device *ddev);
int amdgpu_virt_pm_pass_kfd(void);
#else
#include "amdgpu.h"

static inline int amdgpu_virt_pm_init(struct amdgpu_device *adev)
{
	return 0;
}

static inline void amdgpu_virt_pm_remove(struct amdgpu_device *adev)
{
}

static inline int amdgpu_virt_pm_suspend(struct drm_device *ddev)
{
	return amdgpu_device_suspend(ddev, true);
}

static inline int amdgpu_virt_pm_resume(struct drm_device *ddev)
{
	return amdgpu_device_resume(ddev, true);
}

static inline int amdgpu_virt_pm_resume_later(struct drm_device *ddev)
{
	return 0;
}

static inline int amdgpu_virt_pm_poweroff_skipped(struct drm_device *ddev)
{
	return 0;
}

static inline bool amdgpu_virt_pm_is_down(struct amdgpu_device *adev)
{
	return false;
}

static inline bool amdgpu_virt_pm_is_lost(struct amdgpu_device *adev)
{
	return false;
}

static inline int amdgpu_virt_pm_identify(struct amdgpu_device *adev)
{
	return 0;
}

static inline int amdgpu_virt_pm_memory_up(struct amdgpu_device *adev)
{
	return 0;
}

static inline int amdgpu_virt_pm_firmware_up(struct amdgpu_device *adev)
{
	return 0;
}

static inline int amdgpu_virt_pm_engines_up(struct amdgpu_device *adev)
{
	return 0;
}

static inline int amdgpu_virt_pm_before_clients(struct amdgpu_device *adev)
{
	return 0;
}

static inline int amdgpu_virt_pm_clients_up(struct amdgpu_device *adev)
{
	return 0;
}

static inline void amdgpu_virt_pm_trouble(struct amdgpu_device *adev,
					  const char *what)
{
}

static inline int amdgpu_virt_pm_pass(struct drm_device *ddev)
{
	return 0;
}

static inline int amdgpu_virt_pm_pass_kfd(void)
{
	return 0;
}
#endif

#endif
