// SPDX-License-Identifier: GPL-2.0 OR MIT

#include <linux/compat.h>
#include <linux/export.h>
#include <linux/iopoll.h>

#include <drm/drm_atomic.h>
#include <drm/drm_atomic_helper.h>
#include <drm/drm_atomic_state_helper.h>
#include <drm/drm_connector.h>
#include <drm/drm_crtc.h>
#include <drm/drm_device.h>
#include <drm/drm_drv.h>
#include <drm/drm_fb_helper.h>
#include <drm/drm_ioctl.h>
#include <drm/drm_modeset_helper.h>
#include <drm/drm_modeset_lock.h>
#include <drm/drm_plane.h>
#include <drm/drm_print.h>
#include <drm/drm_probe_helper.h>

#include "drm_virt_pm_internal.h"

/* Whether a commit of @crtc is not over, which still holds the buffers of before */
static bool drm_virt_pm_crtc_busy(struct drm_crtc *crtc)
{
	bool busy;

	spin_lock(&crtc->commit_lock);
	busy = !list_empty(&crtc->commit_list);
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
 * drm_virt_pm_kms_suspend - suspend KMS
 * @vpm: the device, which has KMS
 *
 * Like drm_mode_config_helper_suspend(), but drm_virt_pm_kms_resume() can fail and be
 * called once more. A commit that fails takes its state with it, so there are two.
 *
 * Context: &drm_virt_pm_ops.suspend, or &drm_virt_pm_ops.resume after
 * drm_virt_pm_kms_resume(); may sleep. Takes all modeset locks, see
 * drm_virt_pm_kms_idle().
 *
 * Return: 0, or a negative errno with KMS as before.
 */
int drm_virt_pm_kms_suspend(struct drm_virt_pm *vpm)
{
	struct drm_modeset_acquire_ctx ctx;
	struct drm_atomic_state *again;
	int ret;

	DRM_MODESET_LOCK_ALL_BEGIN(vpm->drm, ctx, 0, ret);
	again = drm_atomic_helper_duplicate_state(vpm->drm, &ctx);
	ret = PTR_ERR_OR_ZERO(again);
	DRM_MODESET_LOCK_ALL_END(vpm->drm, ctx, ret);
	if (ret)
		return ret;

	ret = drm_mode_config_helper_suspend(vpm->drm);
	if (ret)
		drm_atomic_state_put(again);
	else
		vpm->again = again;

	return ret;
}
EXPORT_SYMBOL(drm_virt_pm_kms_suspend);

/**
 * drm_virt_pm_kms_resume - resume KMS
 * @vpm: the device
 *
 * Does nothing if KMS was not suspended by drm_virt_pm_kms_suspend(). The first error
 * of the commit is returned, as the commit may work when the resume is tried once
 * more. After a further error the outputs stay dark until the next commit. So
 * to undo drm_virt_pm_kms_suspend(), call it once more if it fails.
 *
 * Unlike drm_mode_config_helper_resume(), a commit that fails leaves clients and
 * polling suspended. So nothing has to be allocated for another try.
 *
 * Context: &drm_virt_pm_ops.resume, or &drm_virt_pm_ops.suspend to undo
 * drm_virt_pm_kms_suspend(); may sleep.
 *
 * Return: 0, or a negative errno with KMS suspended.
 */
int drm_virt_pm_kms_resume(struct drm_virt_pm *vpm)
{
	struct drm_mode_config *config = &vpm->drm->mode_config;
	struct drm_atomic_state *again = vpm->again;
	int ret;

	if (!config->suspend_state)
		return 0;

	ret = drm_atomic_helper_resume(vpm->drm, config->suspend_state);
	vpm->again = NULL;
	if (ret && again) {
		/* a commit that fails has changed nothing */
		config->suspend_state = again;
		return ret;
	}

	if (ret)
		drm_err(vpm->drm, "outputs stay dark until the next commit (%d)\n", ret);
	config->suspend_state = NULL;
	drm_fb_helper_set_suspend_unlocked(vpm->drm->fb_helper, 0);
	if (config->poll_enabled)
		drm_kms_helper_poll_enable(vpm->drm);
	if (again)
		drm_atomic_state_put(again);

	return 0;
}
EXPORT_SYMBOL(drm_virt_pm_kms_resume);

/* The last try needs no state for another one, which would hold framebuffers */
void drm_virt_pm_kms_last_try(struct drm_virt_pm *vpm)
{
	if (vpm->again)
		drm_atomic_state_put(vpm->again);
	vpm->again = NULL;
}

/**
 * drm_virt_pm_kms_forget - drop the state of a resume that never came
 * @vpm: the device, which may have no KMS
 *
 * The state holds framebuffers and connectors.
 *
 * Context: The device is unbound or released; may sleep.
 */
void drm_virt_pm_kms_forget(struct drm_virt_pm *vpm)
{
	struct drm_mode_config *config = &vpm->drm->mode_config;

	if (config->suspend_state)
		drm_atomic_state_put(config->suspend_state);
	config->suspend_state = NULL;
	drm_virt_pm_kms_last_try(vpm);
}
EXPORT_SYMBOL(drm_virt_pm_kms_forget);

/**
 * drm_virt_pm_crtc_reset - reset of a CRTC that cannot fail in a resume
 * @crtc: CRTC
 *
 * For &drm_crtc_funcs.reset. drm_atomic_helper_crtc_reset() leaves a CRTC without a
 * state if there is no memory, and the commit of a resume looks at that state. KMS
 * was suspended, so that there is a state already, in which the CRTC is off.
 *
 * Context: drm_mode_config_reset().
 */
void drm_virt_pm_crtc_reset(struct drm_crtc *crtc)
{
	if (!crtc->state)
		drm_atomic_helper_crtc_reset(crtc);
}
EXPORT_SYMBOL(drm_virt_pm_crtc_reset);

/**
 * drm_virt_pm_plane_reset - reset of a plane that cannot fail in a resume
 * @plane: plane
 *
 * For &drm_plane_funcs.reset, see drm_virt_pm_crtc_reset().
 *
 * Context: drm_mode_config_reset().
 */
void drm_virt_pm_plane_reset(struct drm_plane *plane)
{
	if (!plane->state)
		drm_atomic_helper_plane_reset(plane);
}
EXPORT_SYMBOL(drm_virt_pm_plane_reset);

/**
 * drm_virt_pm_connector_reset - reset of a connector that cannot fail in a resume
 * @connector: connector
 *
 * For &drm_connector_funcs.reset, see drm_virt_pm_crtc_reset().
 *
 * Context: drm_mode_config_reset().
 */
void drm_virt_pm_connector_reset(struct drm_connector *connector)
{
	if (!connector->state)
		drm_atomic_helper_connector_reset(connector);
}
EXPORT_SYMBOL(drm_virt_pm_connector_reset);

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
