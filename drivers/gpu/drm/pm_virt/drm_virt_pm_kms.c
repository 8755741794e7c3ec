// SPDX-License-Identifier: GPL-2.0 OR MIT

#include <linux/compat.h>
#include <linux/export.h>
#include <linux/iopoll.h>

#include <drm/drm_atomic.h>
#include <drm/drm_crtc.h>
#include <drm/drm_device.h>
#include <drm/drm_ioctl.h>
#include <drm/drm_modeset_lock.h>
#include <drm/drm_plane.h>

#include "drm_virt_pm_internal.h"

/* Whether a commit of @crtc has not reached the hardware yet */
static bool drm_virt_pm_crtc_busy(struct drm_crtc *crtc)
{
	struct drm_crtc_commit *commit;
	bool busy = false;

	spin_lock(&crtc->commit_lock);
	list_for_each_entry(commit, &crtc->commit_list, commit_entry)
		busy |= !completion_done(&commit->hw_done);
	spin_unlock(&crtc->commit_lock);

	return busy;
}

static bool drm_virt_pm_kms_busy(struct drm_device *drm)
{
	struct drm_plane *plane;
	struct drm_crtc *crtc;
	bool busy;

	busy = mutex_is_locked(&drm->mode_config.mutex) ||
	       drm_modeset_is_locked(&drm->mode_config.connection_mutex);
	drm_for_each_crtc(crtc, drm)
		busy |= drm_virt_pm_crtc_busy(crtc) ||
			drm_modeset_is_locked(&crtc->mutex);
	drm_for_each_plane(plane, drm)
		busy |= drm_modeset_is_locked(&plane->mutex);

	return busy;
}

/**
 * drm_virt_pm_kms_idle - wait until KMS can be suspended
 * @vpm: the device, which has KMS
 *
 * drm_mode_config_helper_suspend() takes all modeset locks and waits for pending
 * commits. A commit can wait for a fence of a frozen program or of a GPU that is
 * suspended already, and a frozen task can hold a modeset lock if it faulted in
 * an ioctl. Waits no longer than drm_virt_pm_timeout() and takes no DRM lock.
 *
 * Context: &drm_virt_pm_ops.suspend; may sleep.
 *
 * Return: whether it can.
 */
bool drm_virt_pm_kms_idle(struct drm_virt_pm *vpm)
{
	bool busy = false;

	read_poll_timeout(drm_virt_pm_kms_busy, busy, !busy, USEC_PER_MSEC,
			  jiffies_to_usecs(drm_virt_pm_timeout(vpm)), false,
			  vpm->drm);

	return !busy;
}
EXPORT_SYMBOL(drm_virt_pm_kms_idle);

/**
 * drm_virt_pm_ioctl - the ioctl of a device that may be reset
 * @vpm: the device
 * @filp: file
 * @cmd: command
 * @arg: argument
 *
 * For &file_operations.unlocked_ioctl and &file_operations.compat_ioctl: waits
 * until the device runs, see drm_virt_pm_wait_running().
 *
 * Context: As drm_virt_pm_wait_running().
 *
 * Return: -ERESTARTSYS or -ENODEV, or what drm_ioctl() returns.
 */
long drm_virt_pm_ioctl(struct drm_virt_pm *vpm, struct file *filp,
		       unsigned int cmd, unsigned long arg)
{
	int ret;

	ret = drm_virt_pm_wait_running(vpm);
	if (ret)
		return ret;

#ifdef CONFIG_COMPAT
	if (in_compat_syscall())
		return drm_compat_ioctl(filp, cmd, arg);
#endif
	return drm_ioctl(filp, cmd, arg);
}
EXPORT_SYMBOL(drm_virt_pm_ioctl);
