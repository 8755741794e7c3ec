// SPDX-License-Identifier: GPL-2.0 OR MIT

#include <linux/dma-resv.h>
#include <linux/iopoll.h>
#include <linux/virtio.h>
#include <linux/virtio_config.h>

#include <drm/drm_atomic.h>
#include <drm/drm_atomic_helper.h>
#include <drm/drm_atomic_uapi.h>
#include <drm/drm_drv.h>
#include <drm/drm_plane.h>
#include <drm/drm_print.h>
#include <drm/drm_probe_helper.h>

#include "virtgpu_drv.h"

/*
 * KMS and outputs. The next host may have other outputs than the last one.
 */

/* How often virtio_gpu_pm_refresh_func() waits for the host and for KMS */
#define VIRTIO_GPU_PM_REFRESH_TRIES	12

/* Interval at which it tries to show everything again, in milliseconds */
#define VIRTIO_GPU_PM_SHOW_RETRY_MS	1000

/*
 * Wait until KMS can be suspended, see drm_virt_pm_kms_idle().
 * Returns whether it can.
 */
bool virtio_gpu_pm_kms_idle(struct virtio_gpu_device *vgdev)
{
	unsigned int busy = 0;

	/* an event of the host may light up outputs */
	read_poll_timeout(work_busy, busy, !busy, USEC_PER_MSEC,
			  jiffies_to_usecs(drm_virt_pm_timeout(&vgdev->pm.base)),
			  false, &vgdev->config_changed_work);
	if (busy)
		return false;

	return !drm_core_check_feature(vgdev->ddev, DRIVER_MODESET) ||
	       drm_virt_pm_kms_idle(&vgdev->pm.base);
}

/* Suspend KMS */
int virtio_gpu_pm_suspend_kms(struct virtio_gpu_device *vgdev)
{
	if (!drm_core_check_feature(vgdev->ddev, DRIVER_MODESET))
		return 0;

	return drm_virt_pm_kms_suspend(&vgdev->pm.base);
}

/* drm_atomic_helper_resume() waits for the fences of a buffer without a limit */
static int virtio_gpu_pm_wait_fences(struct virtio_gpu_device *vgdev,
				     struct virtio_gpu_object *bo)
{
	long ret;

	ret = dma_resv_wait_timeout(bo->base.base.resv, DMA_RESV_USAGE_WRITE,
				    false, drm_virt_pm_timeout(&vgdev->pm.base));

	return ret > 0 ? 0 : -ETIMEDOUT;
}

/*
 * Take a plane out of the state that is going to be committed. One buffer that
 * cannot be shown would make the whole commit fail, and all outputs stay dark.
 * All objects that the change needs are in the state already.
 */
static void virtio_gpu_pm_drop_plane(struct drm_atomic_state *state,
				     struct drm_plane_state *plane_state)
{
	struct drm_plane *plane = plane_state->plane;

	drm_warn(plane->dev, "[PLANE:%d:%s] comes back without its buffer\n",
		 plane->base.id, plane->name);

	drm_atomic_set_fb_for_plane(plane_state, NULL);
	WARN_ON(drm_atomic_set_crtc_for_plane(plane_state, NULL));
}

/*
 * Restore the buffers that are shown. Returns an error if it is worth to try again
 * later, because memory or another device is missing. In the last try a buffer that
 * does not come back costs its plane.
 */
static int virtio_gpu_pm_restore_planes(struct virtio_gpu_device *vgdev,
					struct drm_atomic_state *state,
					bool last_try)
{
	struct drm_plane_state *plane_state;
	struct virtio_gpu_object *bo;
	struct drm_plane *plane;
	int i, ret;

	for_each_new_plane_in_state(state, plane, plane_state, i) {
		if (!plane_state->fb)
			continue;

		bo = gem_to_virtio_gpu_obj(plane_state->fb->obj[0]);
		ret = virtio_gpu_pm_object_use(bo);
		if (!ret)
			ret = virtio_gpu_pm_wait_fences(vgdev, bo);
		if (ret && ret != -EIO && !last_try)
			return ret;
		if (ret)
			virtio_gpu_pm_drop_plane(state, plane_state);
	}

	/* the answers tell what the host could not create */
	ret = drm_virt_pm_queue_drain(&vgdev->ctrlq.pm);
	if (ret)
		return ret;

	for_each_new_plane_in_state(state, plane, plane_state, i) {
		if (!plane_state->fb)
			continue;

		bo = gem_to_virtio_gpu_obj(plane_state->fb->obj[0]);
		if (bo->pm.base.lost)
			virtio_gpu_pm_drop_plane(state, plane_state);
	}

	return 0;
}

/*
 * Resume KMS. Returns 0; -ETIMEDOUT if the host does not answer; -EIO if it refuses
 * to show something; an error of the commit or of drm_virt_pm_object_use() that may
 * go away.
 */
int virtio_gpu_pm_resume_kms(struct virtio_gpu_device *vgdev)
{
	struct drm_virt_pm *vpm = &vgdev->pm.base;
	struct drm_modeset_acquire_ctx ctx;
	struct drm_atomic_state *state;
	int ret;

	/*
	 * virtio_gpu_pm_suspend() leaves KMS running if it is busy and must not refuse,
	 * and the first try if it has no memory to suspend KMS once more.
	 */
	state = vgdev->ddev->mode_config.suspend_state;
	if (!state) {
		if (vpm->failures)
			WRITE_ONCE(vgdev->pm.unshown, true);
		return 0;
	}

	vgdev->pm.lost_before = vpm->num_lost;
	WRITE_ONCE(vgdev->pm.refused, false);
	drm_modeset_acquire_init(&ctx, 0);
	state->acquire_ctx = &ctx;
	ret = virtio_gpu_pm_restore_planes(vgdev, state, vpm->failures);
	state->acquire_ctx = NULL;
	drm_modeset_acquire_fini(&ctx);
	if (ret)
		return ret;

	ret = drm_virt_pm_kms_resume(vpm);
	if (ret)
		return ret;

	/* the answers tell what the host did not show, and may show another time */
	if (READ_ONCE(vgdev->pm.stalled))
		ret = -ETIMEDOUT;
	else if (!vpm->failures)
		ret = drm_virt_pm_queue_drain(&vgdev->ctrlq.pm);
	if (!ret && !vpm->failures && READ_ONCE(vgdev->pm.refused))
		ret = -EIO;
	if (!ret && virtqueue_is_broken(vgdev->ctrlq.vq))
		ret = -EIO;
	/* without memory for this, virtio_gpu_pm_show_again() makes up for it */
	if (ret)
		drm_virt_pm_kms_suspend(vpm);

	return ret;
}

/*
 * A resource is about to be shown by a plane. The host serves the cursor queue
 * without regard to the control queue. The driver waits for the upload of a
 * dumb cursor anyway. For another cursor this function waits until the host has
 * created it.
 */
int virtio_gpu_pm_plane_use(struct drm_plane *plane,
			    struct virtio_gpu_object *bo)
{
	struct virtio_gpu_device *vgdev = plane->dev->dev_private;
	int ret;

	if (virtio_gpu_pm_object_resident(bo))
		return virtio_gpu_pm_object_use(bo);

	ret = virtio_gpu_pm_object_use(bo);
	/*
	 * The answer of the host came after virtio_gpu_pm_restore_planes() looked.
	 * This output stays dark, but the others must not.
	 */
	if (ret == -EIO && READ_ONCE(vgdev->pm.bounded))
		return 0;
	if (ret || bo->dumb || plane->type != DRM_PLANE_TYPE_CURSOR)
		return ret;

	/* the commit goes on without its cursor if the host is late */
	drm_virt_pm_queue_drain(&vgdev->ctrlq.pm);
	return 0;
}

/* Stop waiting for the display info */
void virtio_gpu_pm_forget_display_info(struct virtio_gpu_device *vgdev)
{
	vgdev->display_info_pending = false;
	wake_up_all(&vgdev->resp_wq);
}

/*
 * Remember the outputs before a reset. If KMS is not idle, the work may wait for a
 * modeset lock.
 */
void virtio_gpu_pm_note_outputs(struct virtio_gpu_device *vgdev, bool idle)
{
	unsigned int i;

	if (idle)
		cancel_delayed_work_sync(&vgdev->pm.refresh_work);
	else
		cancel_delayed_work(&vgdev->pm.refresh_work);

	spin_lock(&vgdev->display_info_lock);
	for (i = 0; i < vgdev->num_scanouts; i++) {
		vgdev->pm.before[i].info = vgdev->outputs[i].info;
		vgdev->pm.before[i].edid = vgdev->outputs[i].conn.epoch_counter;
	}
	spin_unlock(&vgdev->display_info_lock);
}

/*
 * Read the number of outputs after a reset. The connectors are those of probe.
 * User space sees one without an output as a connector without a monitor.
 */
void virtio_gpu_pm_count_outputs(struct virtio_gpu_device *vgdev)
{
	u32 now;

	if (!vgdev->num_scanouts)
		return;

	virtio_cread_le(vgdev->vdev, struct virtio_gpu_config, num_scanouts,
			&now);
	WRITE_ONCE(vgdev->pm.num_outputs, now);
	if (now != vgdev->num_scanouts)
		drm_warn(vgdev->ddev, "the host has %u outputs, there are %u connectors\n",
			 now, vgdev->num_scanouts);
}

/*
 * Whether the host has an output. Returns whether commands may name it.
 */
bool virtio_gpu_pm_has_output(struct virtio_gpu_device *vgdev,
			      unsigned int index)
{
	return index < READ_ONCE(vgdev->pm.num_outputs);
}

/* Ask the host for its outputs. &virtio_gpu_pm.refresh_lock is held. */
static void virtio_gpu_pm_ask_outputs(struct virtio_gpu_device *vgdev)
{
	/* the geometry last, as virtio_gpu_pm_refresh_func() waits for that */
	if (vgdev->has_edid)
		virtio_gpu_cmd_get_edids(vgdev);
	virtio_gpu_cmd_get_display_info(vgdev);
	virtio_gpu_notify(vgdev);
}

/*
 * Ask the host for its outputs. If a commit was left alone in the suspend, the work of
 * an event may be waiting for the locks of that commit, and probes connectors then.
 * virtio_gpu_pm_refresh_func() asks after it.
 */
void virtio_gpu_pm_refresh_outputs(struct virtio_gpu_device *vgdev)
{
	if (!vgdev->num_scanouts)
		return;

	if (!mutex_trylock(&vgdev->pm.refresh_lock)) {
		WRITE_ONCE(vgdev->pm.not_asked, true);
		return;
	}
	virtio_gpu_pm_ask_outputs(vgdev);
	mutex_unlock(&vgdev->pm.refresh_lock);
}

/* Tell user space of changed outputs */
void virtio_gpu_pm_announce_outputs(struct virtio_gpu_device *vgdev)
{
	vgdev->pm.refresh_tries = VIRTIO_GPU_PM_REFRESH_TRIES;
	mod_delayed_work(system_freezable_wq, &vgdev->pm.refresh_work, 0);
}

static bool virtio_gpu_pm_output_changed(struct virtio_gpu_device *vgdev,
					 unsigned int i)
{
	struct virtio_gpu_output *output = &vgdev->outputs[i];
	bool changed;

	spin_lock(&vgdev->display_info_lock);
	changed = memcmp(&vgdev->pm.before[i].info, &output->info,
			 sizeof(output->info));
	spin_unlock(&vgdev->display_info_lock);

	return changed ||
	       vgdev->pm.before[i].edid != output->conn.epoch_counter;
}

/*
 * Whether the host has to be told of a cursor, and not only of its position.
 * virtio_gpu_pm_show_again() commits what is shown already.
 */
bool virtio_gpu_pm_cursor_changed(struct drm_plane *plane,
				  struct drm_plane_state *old_state)
{
	struct virtio_gpu_device *vgdev = plane->dev->dev_private;

	return plane->state->fb != old_state->fb ||
	       READ_ONCE(vgdev->pm.showing);
}

/*
 * KMS was not suspended in a reset that could not be refused, because a commit waited
 * for a fence or there was no memory. The commit shows its buffer when the fence is
 * signalled, but only if that was not restored meanwhile, and other outputs have no
 * commit. Everything is told to the host in one commit, so that one that fails has
 * changed nothing. Returns whether to try it again.
 */
static bool virtio_gpu_pm_show_again(struct virtio_gpu_device *vgdev)
{
	struct drm_modeset_acquire_ctx ctx;
	struct drm_atomic_state *state;
	unsigned int i;
	int ret;

	if (!READ_ONCE(vgdev->pm.unshown) || !vgdev->num_scanouts)
		return false;
	if (!virtio_gpu_pm_kms_idle(vgdev))
		return true;

	/* a reset meanwhile sets it again */
	WRITE_ONCE(vgdev->pm.unshown, false);
	DRM_MODESET_LOCK_ALL_BEGIN(vgdev->ddev, ctx, 0, ret);
	for (i = 0; i < vgdev->num_scanouts; i++)
		vgdev->outputs[i].needs_modeset = true;
	state = READ_ONCE(vgdev->ctrlq.stopped) ? ERR_PTR(-EAGAIN) :
		drm_atomic_helper_duplicate_state(vgdev->ddev, &ctx);
	ret = PTR_ERR_OR_ZERO(state);
	if (!ret) {
		state->acquire_ctx = &ctx;
		WRITE_ONCE(vgdev->pm.showing, true);
		ret = virtio_gpu_pm_restore_planes(vgdev, state,
						   !vgdev->pm.refresh_tries) ?:
		      drm_atomic_helper_commit_duplicated_state(state, &ctx);
		WRITE_ONCE(vgdev->pm.showing, false);
		drm_atomic_state_put(state);
	}
	DRM_MODESET_LOCK_ALL_END(vgdev->ddev, ctx, ret);
	if (ret)
		WRITE_ONCE(vgdev->pm.unshown, true);

	return ret;
}

/* Returns false if the work has been run often enough */
static bool virtio_gpu_pm_refresh_later(struct virtio_gpu_device *vgdev,
					unsigned int ms)
{
	if (!vgdev->pm.refresh_tries)
		return false;

	vgdev->pm.refresh_tries--;
	queue_delayed_work(system_freezable_wq, &vgdev->pm.refresh_work,
			   msecs_to_jiffies(ms));
	return true;
}

static void virtio_gpu_pm_refresh_func(struct work_struct *work)
{
	struct virtio_gpu_device *vgdev =
		container_of(to_delayed_work(work), struct virtio_gpu_device,
			     pm.refresh_work);
	bool changed = false, unshown, late;
	unsigned int i;

	unshown = virtio_gpu_pm_show_again(vgdev);
	mutex_lock(&vgdev->pm.refresh_lock);
	if (READ_ONCE(vgdev->pm.not_asked)) {
		WRITE_ONCE(vgdev->pm.not_asked, false);
		virtio_gpu_pm_ask_outputs(vgdev);
	}
	/* an answer that is still to come is not asked for again */
	late = !wait_event_timeout(vgdev->resp_wq, !vgdev->display_info_pending,
				   drm_virt_pm_timeout(&vgdev->pm.base));
	for (i = 0; !late && i < vgdev->num_scanouts; i++)
		changed |= virtio_gpu_pm_output_changed(vgdev, i);
	if (changed)
		drm_kms_helper_hotplug_event(vgdev->ddev);
	mutex_unlock(&vgdev->pm.refresh_lock);

	if (!unshown && !late)
		return;
	if (!virtio_gpu_pm_refresh_later(vgdev, late ? 0 : VIRTIO_GPU_PM_SHOW_RETRY_MS) &&
	    unshown)
		drm_err(vgdev->ddev, "outputs stay dark until the next commit\n");
}

/* Set up the refresh of outputs */
void virtio_gpu_pm_init_outputs(struct virtio_gpu_device *vgdev)
{
	INIT_DELAYED_WORK(&vgdev->pm.refresh_work, virtio_gpu_pm_refresh_func);
	mutex_init(&vgdev->pm.refresh_lock);
	vgdev->pm.num_outputs = VIRTIO_GPU_MAX_SCANOUTS;
}

/* End the refresh, and drop a saved state */
void virtio_gpu_pm_fini_outputs(struct virtio_gpu_device *vgdev)
{
	cancel_delayed_work_sync(&vgdev->pm.refresh_work);
	drm_virt_pm_kms_forget(&vgdev->pm.base);
}
