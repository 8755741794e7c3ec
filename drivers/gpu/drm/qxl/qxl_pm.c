// SPDX-License-Identifier: GPL-2.0 OR MIT

#include <linux/idr.h>
#include <linux/interrupt.h>
#include <linux/pci.h>
#include <linux/seq_buf.h>

#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_print.h>

#include "qxl_drv.h"
#include "qxl_object.h"

/**
 * DOC: qxl
 *
 * A reset makes a qxl forget its memory slots, surfaces and everything in its
 * rings, and hibernation also the content of its memory. Buffers are evicted to
 * system memory before the reset, so there are no tracked objects. What is pinned
 * is either drawn anew by the commit that resumes KMS or belongs to releases.
 *
 * A release is what the host gives back when it does not need the memory of a
 * command any more. The reset leaves some unanswered, and qxl_pm_forget() frees
 * these.
 *
 * QEMU waits for its SPICE server while it resets the device, so a host that
 * hangs must be found before the reset.
 */

static struct qxl_device *qxl_pm_to_qdev(struct drm_virt_pm *vpm)
{
	return container_of(vpm, struct qxl_device, pm.base);
}

static void qxl_pm_count_ring(struct qxl_ring_header *header,
			      unsigned int *queued, unsigned int *pending)
{
	*queued = READ_ONCE(header->prod);
	*pending = *queued - READ_ONCE(header->cons);
}

static void qxl_pm_kick_ring(struct qxl_device *qdev,
			     struct qxl_ring_header *header, int port)
{
	u32 prod = READ_ONCE(header->prod);

	if (prod == READ_ONCE(header->cons))
		return;

	/* one interrupt when the host has taken all of it */
	WRITE_ONCE(header->notify_on_cons, prod);
	/* before the host looks, and before the caller counts */
	mb();
	outb(0, qdev->io_base + port);
}

static void qxl_pm_count_commands(struct drm_virt_pm_queue *queue,
				  unsigned int *queued, unsigned int *pending)
{
	struct qxl_device *qdev = qxl_pm_to_qdev(queue->vpm);

	qxl_pm_count_ring(&qdev->ram_header->cmd_ring_hdr, queued, pending);
}

static void qxl_pm_kick_commands(struct drm_virt_pm_queue *queue)
{
	struct qxl_device *qdev = qxl_pm_to_qdev(queue->vpm);

	qxl_pm_kick_ring(qdev, &qdev->ram_header->cmd_ring_hdr,
			 QXL_IO_NOTIFY_CMD);
}

static const struct drm_virt_pm_queue_ops qxl_pm_command_ops = {
	.count = qxl_pm_count_commands,
	.kick = qxl_pm_kick_commands,
};

static void qxl_pm_count_cursors(struct drm_virt_pm_queue *queue,
				 unsigned int *queued, unsigned int *pending)
{
	struct qxl_device *qdev = qxl_pm_to_qdev(queue->vpm);

	qxl_pm_count_ring(&qdev->ram_header->cursor_ring_hdr, queued, pending);
}

static void qxl_pm_kick_cursors(struct drm_virt_pm_queue *queue)
{
	struct qxl_device *qdev = qxl_pm_to_qdev(queue->vpm);

	qxl_pm_kick_ring(qdev, &qdev->ram_header->cursor_ring_hdr,
			 QXL_IO_NOTIFY_CURSOR);
}

static const struct drm_virt_pm_queue_ops qxl_pm_cursor_ops = {
	.count = qxl_pm_count_cursors,
	.kick = qxl_pm_kick_cursors,
};

static void qxl_pm_count_io(struct drm_virt_pm_queue *queue,
			    unsigned int *queued, unsigned int *pending)
{
	struct qxl_device *qdev = qxl_pm_to_qdev(queue->vpm);

	*queued = READ_ONCE(qdev->last_sent_io_cmd);
	*pending = *queued - atomic_read(&qdev->irq_received_io_cmd);
}

static const struct drm_virt_pm_queue_ops qxl_pm_io_ops = {
	.count = qxl_pm_count_io,
};

/*
 * Whether a wait for room in a ring ends after drm_virt_pm_timeout(). A host may be
 * slow, and the fence of a command that is not queued would never signal. So the
 * wait goes on while the device runs. drm_dev_unplug() waits for the caller, and a PM
 * callback can.
 */
bool qxl_pm_gives_up(struct qxl_device *qdev)
{
	return READ_ONCE(qdev->pm.bounded) || drm_dev_is_unplugged(&qdev->ddev);
}

static bool qxl_pm_trylock_io(struct qxl_device *qdev, bool *locked)
{
	*locked = !READ_ONCE(qdev->pm.stopped) &&
		  mutex_trylock(&qdev->async_io_mutex);

	return *locked || READ_ONCE(qdev->pm.stopped);
}

/*
 * Take the lock for an I/O command. Its owner waits for the host. Returns false if
 * the device is stopped or the host hangs.
 */
bool qxl_pm_lock_io(struct qxl_device *qdev)
{
	bool locked;

	wait_event_timeout(qdev->io_cmd_event,
			   qxl_pm_trylock_io(qdev, &locked),
			   drm_virt_pm_timeout(&qdev->pm.base));

	return locked;
}

void qxl_pm_unlock_io(struct qxl_device *qdev)
{
	mutex_unlock(&qdev->async_io_mutex);
	/* for qxl_pm_lock_io() */
	wake_up_all(&qdev->io_cmd_event);
}

/* Wait until the host has taken everything. Returns 0 or -ETIMEDOUT. */
static int qxl_pm_drain(struct qxl_device *qdev)
{
	int ret;

	ret = drm_virt_pm_queue_drain(&qdev->pm.io);
	if (!ret)
		ret = drm_virt_pm_queue_drain(&qdev->pm.commands);
	if (!ret)
		ret = drm_virt_pm_queue_drain(&qdev->pm.cursors);

	return ret;
}

static int qxl_pm_check(struct drm_virt_pm *vpm,
			enum drm_virt_pm_transition transition,
			struct seq_buf *why)
{
	struct qxl_device *qdev = qxl_pm_to_qdev(vpm);
	int ret;

	if (READ_ONCE(qdev->pm.stopped))
		return 0;

	/* empty rings do not tell, so give the host something to answer */
	ret = qxl_pm_drain(qdev);
	if (!ret)
		ret = qxl_io_flush_surfaces(qdev);
	if (ret)
		seq_buf_puts(why, "the host does not answer");

	return ret;
}

/* Copy everything from the memory of the device that is not drawn anew */
static int qxl_pm_evict(struct qxl_device *qdev)
{
	int ret;

	/* what was drawn into surfaces; eviction does not look for errors */
	ret = qxl_io_flush_surfaces(qdev);
	if (!ret)
		ret = qxl_surf_evict(qdev);
	if (!ret)
		ret = qxl_vram_evict(qdev);

	return ret;
}

/* Refuse all commands from now on, and end the waits for the host */
static void qxl_pm_stop(struct qxl_device *qdev)
{
	WRITE_ONCE(qdev->pm.stopped, true);
	qdev->ram_header->int_mask = 0;

	wake_up_all(&qdev->display_event);
	wake_up_all(&qdev->cursor_event);
	wake_up_all(&qdev->io_cmd_event);
	wake_up_all(&qdev->release_event);
}

/* The interrupt of a device that is stopped, and the works that it queues */
static void qxl_pm_end_works(struct qxl_device *qdev)
{
	synchronize_irq(to_pci_dev(qdev->ddev.dev)->irq);
	cancel_work_sync(&qdev->gc_work);
	/* takes modeset locks */
	cancel_work_sync(&qdev->client_monitors_config_work);
}

/*
 * Forget what a device that was reset does not know any more. Nothing is queued and
 * no task makes a command: ioctls wait in drm_virt_pm_ioctl(), and the console needs a
 * modeset lock that is held. A commit that waits for a fence of another device could
 * still make one, if it had to be left alone. Signals the fences of releases.
 */
static void qxl_pm_forget(struct qxl_device *qdev)
{
	struct qxl_release *release;
	struct qxl_bo *bo;
	int id;

	qdev->last_sent_io_cmd = atomic_read(&qdev->irq_received_io_cmd);

	/* freeing one of them would tell the host otherwise */
	spin_lock(&qdev->surf_id_idr_lock);
	idr_for_each_entry(&qdev->surf_id_idr, bo, id) {
		bo->hw_surf_alloc = false;
		bo->surface_id = 0;
		bo->surf_create = NULL;
		idr_remove(&qdev->surf_id_idr, id);
	}
	spin_unlock(&qdev->surf_id_idr_lock);

	idr_for_each_entry(&qdev->release_idr, release, id)
		qxl_release_free(qdev, release);
	wake_up_all(&qdev->release_event);

	bo = qdev->primary_bo;
	qdev->primary_bo = NULL;
	if (bo) {
		bo->is_primary = false;
		drm_gem_object_put(&bo->tbo.base);
	}
}

/* The buffer with the monitors stays pinned, so resume need not allocate one */
static void qxl_pm_init_monitors(struct qxl_device *qdev)
{
	memset(qdev->monitors_config, 0,
	       struct_size(qdev->monitors_config, heads, qxl_num_crtc));
	qdev->monitors_config->max_allowed = qxl_num_crtc;
	qdev->ram_header->monitors_config =
		qxl_bo_physical_address(qdev, qdev->monitors_config_bo, 0);
}

static int qxl_pm_go_down(struct qxl_device *qdev)
{
	bool may_refuse = drm_virt_pm_may_refuse();
	struct drm_virt_pm *vpm = &qdev->pm.base;
	const char *reason;
	bool idle;
	int ret;

	idle = drm_virt_pm_kms_idle(vpm);
	if (!idle && may_refuse)
		return drm_virt_pm_refuse(vpm, -EBUSY,
					  "a commit waits for a fence");

	if (idle) {
		ret = drm_virt_pm_kms_suspend(vpm);
		if (ret && may_refuse)
			return drm_virt_pm_refuse(vpm, ret,
						  "KMS cannot be suspended");

		reason = "the video memory cannot be saved";
		ret = qxl_pm_evict(qdev);
		if (ret && may_refuse)
			goto err_resume;
	}

	/* the reset does not return if the host hangs */
	reason = "the host does not answer";
	ret = qxl_pm_drain(qdev);
	if (ret && may_refuse)
		goto err_resume;

	qxl_pm_stop(qdev);
	qxl_io_reset(qdev);
	drm_virt_pm_reset(vpm);
	qxl_pm_end_works(qdev);
	qxl_pm_forget(qdev);

	return ret;

err_resume:
	/* the library tries a resume once more, but not this one */
	if (drm_virt_pm_kms_resume(vpm))
		drm_virt_pm_kms_resume(vpm);
	return drm_virt_pm_refuse(vpm, ret, reason);
}

static int qxl_pm_suspend(struct drm_virt_pm *vpm)
{
	struct qxl_device *qdev = qxl_pm_to_qdev(vpm);
	int ret;

	ret = drm_virt_pm_check(vpm);
	if (ret)
		return ret;

	WRITE_ONCE(qdev->pm.bounded, true);
	ret = qxl_pm_go_down(qdev);
	WRITE_ONCE(qdev->pm.bounded, false);

	return ret;
}

static int qxl_pm_resume_kms(struct qxl_device *qdev)
{
	struct drm_virt_pm *vpm = &qdev->pm.base;
	int ret;

	/* the last try leaves KMS running if it has no memory to suspend it, see below */
	if (vpm->failures && !vpm->drm->mode_config.suspend_state &&
	    drm_virt_pm_kms_idle(vpm) && drm_virt_pm_kms_suspend(vpm))
		drm_err(vpm->drm, "outputs stay dark until the next commit\n");
	qdev->pm.not_drawn = false;
	ret = drm_virt_pm_kms_resume(vpm);
	/* there is no further try of the library */
	if (ret && vpm->failures)
		ret = drm_virt_pm_kms_resume(vpm);
	if (ret)
		return ret;

	ret = qxl_pm_drain(qdev);
	if (!ret && qdev->pm.not_drawn)
		ret = -ENOMEM;
	if (ret)
		drm_virt_pm_kms_suspend(vpm);

	return ret;
}

static void qxl_pm_begin_again(struct qxl_device *qdev)
{
	/* the firmware, the boot kernel or a resume that failed used the device */
	qxl_io_reset(qdev);
	qxl_pm_forget(qdev);

	WRITE_ONCE(qdev->pm.stopped, false);
	qdev->ram_header->int_mask = QXL_INTERRUPT_MASK;
	qxl_reinit_memslots(qdev);
}

static int qxl_pm_resume(struct drm_virt_pm *vpm)
{
	struct qxl_device *qdev = qxl_pm_to_qdev(vpm);
	struct drm_modeset_acquire_ctx ctx;
	int ret = 0;

	qxl_pm_end_works(qdev);
	/*
	 * Tasks run in a second try, and if the PM core never resumed the device. The
	 * console draws when a program ends. If KMS is suspended, no frozen task holds
	 * its locks.
	 */
	if (vpm->failures || vpm->drm->mode_config.suspend_state) {
		DRM_MODESET_LOCK_ALL_BEGIN(vpm->drm, ctx, 0, ret);
		qxl_pm_begin_again(qdev);
		DRM_MODESET_LOCK_ALL_END(vpm->drm, ctx, ret);
	} else {
		qxl_pm_begin_again(qdev);
	}
	if (!ret)
		ret = qxl_pm_drain(qdev);
	if (ret)
		return ret;

	qxl_pm_init_monitors(qdev);
	WRITE_ONCE(qdev->pm.bounded, true);
	ret = qxl_pm_resume_kms(qdev);
	WRITE_ONCE(qdev->pm.bounded, false);
	if (ret)
		return ret;

	schedule_work(&qdev->client_monitors_config_work);

	return 0;
}

/* The device does no DMA, as all of its memory is its own */
static void qxl_pm_quiesce(struct drm_virt_pm *vpm)
{
	qxl_pm_stop(qxl_pm_to_qdev(vpm));
}

static const struct drm_virt_pm_ops qxl_pm_base_ops = {
	.suspend = qxl_pm_suspend,
	.resume = qxl_pm_resume,
	.quiesce = qxl_pm_quiesce,
	.check = qxl_pm_check,
};

static int qxl_pm_dev_suspend(struct device *dev)
{
	return drm_virt_pm_suspend(&to_qxl(dev_get_drvdata(dev))->pm.base);
}

static int qxl_pm_dev_resume(struct device *dev)
{
	return drm_virt_pm_resume(&to_qxl(dev_get_drvdata(dev))->pm.base);
}

DEFINE_SIMPLE_DEV_PM_OPS(qxl_pm_ops, qxl_pm_dev_suspend, qxl_pm_dev_resume);

static long qxl_pm_ioctl(struct file *filp, unsigned int cmd,
			 unsigned long arg)
{
	struct drm_file *file = filp->private_data;

	return drm_virt_pm_ioctl(&to_qxl(file->minor->dev)->pm.base, filp, cmd,
				 arg);
}

__diag_push();
__diag_ignore_all("-Woverride-init", "two of the common operations are replaced");

const struct file_operations qxl_pm_fops = {
	.owner = THIS_MODULE,
	DRM_GEM_FOPS,
	.unlocked_ioctl = qxl_pm_ioctl,
	.compat_ioctl = qxl_pm_ioctl,
};

__diag_pop();

static void qxl_pm_init_queue(struct qxl_device *qdev,
			      struct drm_virt_pm_queue *queue, const char *name,
			      const struct drm_virt_pm_queue_ops *ops,
			      wait_queue_head_t *progress)
{
	queue->vpm = &qdev->pm.base;
	queue->name = name;
	queue->ops = ops;
	queue->progress = progress;
}

/* Set up suspend and resume of the device, which answers already */
int qxl_pm_init(struct qxl_device *qdev)
{
	qxl_pm_init_queue(qdev, &qdev->pm.commands, "command",
			  &qxl_pm_command_ops, &qdev->display_event);
	qxl_pm_init_queue(qdev, &qdev->pm.cursors, "cursor",
			  &qxl_pm_cursor_ops, &qdev->cursor_event);
	qxl_pm_init_queue(qdev, &qdev->pm.io, "I/O", &qxl_pm_io_ops,
			  &qdev->io_cmd_event);

	return drmm_virt_pm_init(&qdev->pm.base, &qdev->ddev, &qxl_pm_base_ops);
}

/* The device is released. One that was lost answers nothing any more. */
void qxl_pm_fini(struct qxl_device *qdev)
{
	cancel_work_sync(&qdev->client_monitors_config_work);
	drm_virt_pm_kms_forget(&qdev->pm.base);

	if (READ_ONCE(qdev->pm.stopped))
		qxl_pm_forget(qdev);
}
