// SPDX-License-Identifier: GPL-2.0 OR MIT

#include <linux/pci.h>
#include <linux/pid.h>
#include <linux/sched.h>
#include <linux/seq_buf.h>
#include <linux/virtio_config.h>

#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_ioctl.h>
#include <drm/drm_print.h>

#include "virtgpu_drv.h"

/**
 * DOC: virtio-gpu
 *
 * A reset makes a virtio-gpu forget its queues, resources and contexts (virtio
 * 1.2, 2.4.1 and 5.7). virtio_gpu_pm_suspend() and virtio_gpu_pm_resume() have
 * the order in which the device is stopped and started.
 *
 * Resources are restored when they are used. All commands that create something
 * are queued on the control queue, which the host serves in order, so that the
 * driver does not have to wait for the answers. The cursor queue is not ordered
 * against it, see virtio_gpu_pm_plane_use().
 *
 * A command remembers the reset epoch in which it was built. It is refused if it
 * meets a queue in another epoch, so that a task that was preempted over a reset
 * cannot name a resource of the host before to the host after.
 */

/* Number of programs that a refusal names */
#define VIRTIO_GPU_PM_MAX_NAMED		3

/* Capability set of contexts that pass on a protocol, for example Wayland */
#define VIRTIO_GPU_PM_CROSS_DOMAIN	5

static struct virtio_gpu_device *virtio_gpu_pm_to_vgdev(struct drm_virt_pm *vpm)
{
	return container_of(vpm, struct virtio_gpu_device, pm.base);
}

static struct drm_virt_pm *virtio_gpu_pm_from_vdev(struct virtio_device *vdev)
{
	struct drm_device *ddev = vdev->priv;
	struct virtio_gpu_device *vgdev = ddev->dev_private;

	return &vgdev->pm.base;
}

static bool virtio_gpu_pm_may_refuse(struct virtio_gpu_device *vgdev)
{
	return !vgdev->pm.forced && drm_virt_pm_may_refuse();
}

/*
 * Virtio-pci does not call the driver for a suspend if the device keeps its
 * state in D3hot. There is no function of the virtio core that tells.
 */
static bool virtio_gpu_pm_keeps_state(struct virtio_gpu_device *vgdev,
				      enum drm_virt_pm_transition transition)
{
	struct device *parent = vgdev->vdev->dev.parent;
	struct pci_dev *pdev;
	u16 pmcsr;

	if (transition != DRM_VIRT_PM_SUSPEND || !dev_is_pci(parent))
		return false;

	pdev = to_pci_dev(parent);
	if (!pdev->pm_cap)
		return false;

	pci_read_config_word(pdev, pdev->pm_cap + PCI_PM_CTRL, &pmcsr);
	return !PCI_POSSIBLE_ERROR(pmcsr) &&
	       (pmcsr & PCI_PM_CTRL_NO_SOFT_RESET);
}

/* Between two reasons */
void virtio_gpu_pm_separate(struct seq_buf *why)
{
	if (seq_buf_used(why))
		seq_buf_puts(why, ", ");
}

/* As "gnome-shell[812]" */
void virtio_gpu_pm_print_program(struct seq_buf *why, struct pid *pid)
{
	struct task_struct *task;

	rcu_read_lock();
	task = pid_task(pid, PIDTYPE_TGID);
	seq_buf_printf(why, "%s[%d]", task ? task->comm : "ended", pid_nr(pid));
	rcu_read_unlock();
}

static void virtio_gpu_pm_check_contexts(struct virtio_gpu_device *vgdev,
					 struct seq_buf *why)
{
	struct virtio_gpu_fpriv *vfpriv;
	unsigned int capset, num = 0;
	struct drm_file *file;

	if (!vgdev->has_virgl_3d)
		return;

	mutex_lock(&vgdev->ddev->filelist_mutex);
	list_for_each_entry(file, &vgdev->ddev->filelist, lhead) {
		vfpriv = file->driver_priv;
		if (!vfpriv || !READ_ONCE(vfpriv->pm.user) ||
		    virtio_gpu_pm_virgl_complete(file) ||
		    ++num > VIRTIO_GPU_PM_MAX_NAMED)
			continue;

		capset = vfpriv->context_init &
			 VIRTIO_GPU_CONTEXT_INIT_CAPSET_ID_MASK;
		virtio_gpu_pm_separate(why);
		virtio_gpu_pm_print_program(why, vfpriv->pm.user);
		if (virtio_gpu_pm_virgl_print(file, why))
			continue;
		seq_buf_puts(why, capset == VIRTIO_GPU_PM_CROSS_DOMAIN ?
			     ": 1 cross-domain context" :
			     ": 1 context with 3D work");
	}
	mutex_unlock(&vgdev->ddev->filelist_mutex);

	if (num > VIRTIO_GPU_PM_MAX_NAMED)
		seq_buf_printf(why, ", and %u more",
			       num - VIRTIO_GPU_PM_MAX_NAMED);
}

static void virtio_gpu_pm_check_count(struct seq_buf *why, unsigned int num,
				      const char *one, const char *many)
{
	if (!num)
		return;

	virtio_gpu_pm_separate(why);
	seq_buf_printf(why, "%u %s", num, num == 1 ? one : many);
}

static int virtio_gpu_pm_check(struct drm_virt_pm *vpm,
			       enum drm_virt_pm_transition transition,
			       struct seq_buf *why)
{
	struct virtio_gpu_device *vgdev = virtio_gpu_pm_to_vgdev(vpm);

	if (virtio_gpu_pm_keeps_state(vgdev, transition))
		return 0;

	virtio_gpu_pm_check_contexts(vgdev, why);
	virtio_gpu_pm_content_check(vgdev, why);
	virtio_gpu_pm_check_count(why, atomic_read(&vgdev->pm.host_only),
				  "buffer whose content only the host has",
				  "buffers whose content only the host has");
	virtio_gpu_pm_check_count(why, atomic_read(&vgdev->pm.uuids_taken),
				  "buffer shared with another device",
				  "buffers shared with another device");

	return seq_buf_used(why) ? -EBUSY : 0;
}

/* A function reset cannot be refused */
static void virtio_gpu_pm_report_losses(struct virtio_gpu_device *vgdev)
{
	char text[128];
	struct seq_buf why;

	seq_buf_init(&why, text, sizeof(text));
	if (virtio_gpu_pm_check(&vgdev->pm.base, DRM_VIRT_PM_NONE, &why))
		drm_warn(vgdev->ddev, "the reset loses %s\n",
			 seq_buf_str(&why));
}

static int virtio_gpu_pm_suspend(struct drm_virt_pm *vpm)
{
	struct virtio_gpu_device *vgdev = virtio_gpu_pm_to_vgdev(vpm);
	bool may_refuse = virtio_gpu_pm_may_refuse(vgdev);
	bool idle;
	int ret;

	/*
	 * A task can hold a modeset lock while it waits for the host, so find
	 * out whether the host answers before taking any.
	 */
	ret = virtio_gpu_pm_host_alive(vgdev);
	if (ret == -ETIMEDOUT && may_refuse)
		return drm_virt_pm_refuse(vpm, ret, "the host does not answer");
	if (ret && may_refuse)
		return drm_virt_pm_refuse(vpm, ret, "there is no memory to ask the host");

	if (vgdev->pm.forced)
		virtio_gpu_pm_report_losses(vgdev);
	else
		ret = drm_virt_pm_check(vpm);
	if (ret && may_refuse)
		return ret;

	idle = virtio_gpu_pm_kms_idle(vgdev);
	if (!idle && may_refuse)
		return drm_virt_pm_refuse(vpm, -EBUSY,
					  "a commit waits for a fence");

	/* all that could draw is frozen, and nothing has changed yet */
	ret = may_refuse ? virtio_gpu_pm_virgl_save(vgdev) : 0;
	if (ret)
		return ret;

	/* the work that virtio_gpu_pm_note_outputs() waits for asks the host */
	WRITE_ONCE(vgdev->pm.bounded, true);
	virtio_gpu_pm_note_outputs(vgdev, idle);

	if (idle) {
		ret = virtio_gpu_pm_suspend_kms(vgdev);
		if (ret && may_refuse)
			goto err_start;
		if (ret)
			WRITE_ONCE(vgdev->pm.unshown, true);
	} else {
		/* Neither the commit nor a work that waits for it is waited for. */
		vgdev->pm.live_reset = true;
		WRITE_ONCE(vgdev->pm.unshown, true);
		virtio_gpu_pm_stop_queues(vgdev);
		virtio_gpu_pm_forget_display_info(vgdev);
	}

	/* The reset below is the answer to a host that hangs from now on. */
	ret = virtio_gpu_pm_drain(vgdev);
	virtio_gpu_pm_stop_queues(vgdev);
	virtio_gpu_pm_reset(vgdev);
	virtio_gpu_pm_delete_queues(vgdev);

	return ret;

err_start:
	WRITE_ONCE(vgdev->pm.bounded, false);
	virtio_gpu_pm_start_queues(vgdev);
	virtio_gpu_pm_announce_outputs(vgdev);
	return drm_virt_pm_refuse(vpm, ret, "KMS cannot be suspended");
}

/* QEMU accepts a feature that it does not offer, and goes on without it. */
static bool virtio_gpu_pm_lacks_features(struct virtio_gpu_device *vgdev)
{
	struct virtio_device *vdev = vgdev->vdev;
	u64 offered;

	offered = vdev->config->get_features(vdev);

	return vdev->features & ~offered;
}

static int virtio_gpu_pm_resume(struct drm_virt_pm *vpm)
{
	struct virtio_gpu_device *vgdev = virtio_gpu_pm_to_vgdev(vpm);
	int ret;

	/* The last reset failed. virtio_gpu_pm_quiesce() tries once more. */
	if (vgdev->ctrlq.vq)
		return -EIO;

	if (virtio_gpu_pm_lacks_features(vgdev)) {
		drm_err(vgdev->ddev, "the host has fewer features than before\n");
		return -ENODEV;
	}

	virtio_gpu_pm_count_outputs(vgdev);

	ret = virtio_gpu_find_vqs(vgdev);
	if (ret)
		return ret;

	virtio_device_ready(vgdev->vdev);

	WRITE_ONCE(vgdev->pm.bounded, true);
	virtio_gpu_pm_start_queues(vgdev);
	ret = virtio_gpu_pm_resume_kms(vgdev);
	if (ret)
		return ret;

	WRITE_ONCE(vgdev->pm.bounded, false);
	virtio_gpu_pm_refresh_outputs(vgdev);
	virtio_gpu_pm_announce_outputs(vgdev);

	return 0;
}

static void virtio_gpu_pm_quiesce(struct drm_virt_pm *vpm)
{
	struct virtio_gpu_device *vgdev = virtio_gpu_pm_to_vgdev(vpm);

	virtio_gpu_pm_stop_queues(vgdev);
	/* A device without queues was reset before they were deleted. */
	if (!vgdev->ctrlq.vq)
		return;

	virtio_gpu_pm_reset(vgdev);
	virtio_gpu_pm_delete_queues(vgdev);
}

static int virtio_gpu_pm_recover(struct drm_virt_pm *vpm)
{
	struct virtio_gpu_device *vgdev = virtio_gpu_pm_to_vgdev(vpm);

	if (!virtio_gpu_pm_is_reachable(vgdev))
		return -ENODEV;

	/* the last reset failed */
	if (vgdev->ctrlq.vq)
		virtio_gpu_pm_quiesce(vpm);
	if (vgdev->ctrlq.vq)
		return -EIO;

	return virtio_device_restore(vgdev->vdev);
}

static const struct drm_virt_pm_ops virtio_gpu_pm_ops = {
	.suspend = virtio_gpu_pm_suspend,
	.resume = virtio_gpu_pm_resume,
	.quiesce = virtio_gpu_pm_quiesce,
	.recover = IS_ENABLED(CONFIG_PM_SLEEP) ? virtio_gpu_pm_recover : NULL,
	.check = virtio_gpu_pm_check,
	.save = virtio_gpu_pm_content_save,
	.restore = virtio_gpu_pm_restore_object,
	.show = virtio_gpu_pm_virgl_show,
};

/* The transport may reset the device from now on */
int virtio_gpu_pm_freeze(struct virtio_device *vdev)
{
	struct drm_virt_pm *vpm = virtio_gpu_pm_from_vdev(vdev);

	virtio_gpu_pm_to_vgdev(vpm)->pm.forced = false;

	return drm_virt_pm_suspend(vpm);
}

/* The transport has reset the device */
int virtio_gpu_pm_restore(struct virtio_device *vdev)
{
	return drm_virt_pm_resume(virtio_gpu_pm_from_vdev(vdev));
}

/*
 * The transport is about to reset the device. A function reset cannot be
 * refused. What cannot be restored is lost.
 * Returns 0.
 */
int virtio_gpu_pm_reset_prepare(struct virtio_device *vdev)
{
	struct drm_virt_pm *vpm = virtio_gpu_pm_from_vdev(vdev);
	struct virtio_gpu_device *vgdev = virtio_gpu_pm_to_vgdev(vpm);

	vgdev->pm.live_reset = true;
	vgdev->pm.forced = true;
	drm_virt_pm_suspend(vpm);

	return 0;
}

/* The transport has reset the device */
int virtio_gpu_pm_reset_done(struct virtio_device *vdev)
{
	return drm_virt_pm_resume(virtio_gpu_pm_from_vdev(vdev));
}

/* Whether an ioctl names buffers to the host by what is attached to a context */
static bool virtio_gpu_pm_uses_context(unsigned int cmd)
{
	switch (DRM_IOCTL_NR(cmd) - DRM_COMMAND_BASE) {
	case DRM_VIRTGPU_EXECBUFFER:
	case DRM_VIRTGPU_TRANSFER_FROM_HOST:
	case DRM_VIRTGPU_TRANSFER_TO_HOST:
		return true;
	}

	return false;
}

/*
 * A context with 3D work that did not survive, because a function reset could not
 * be refused or because the host does not take it again, fails its ioctls.
 */
static long virtio_gpu_pm_ioctl(struct file *filp, unsigned int cmd,
				unsigned long arg)
{
	struct drm_file *file = filp->private_data;
	struct virtio_gpu_device *vgdev = file->minor->dev->dev_private;
	struct virtio_gpu_fpriv *vfpriv = file->driver_priv;
	int ret;

	/* a context is not looked at before the device runs */
	ret = drm_virt_pm_wait_running(&vgdev->pm.base);
	if (ret)
		return ret;

	if (vfpriv && vfpriv->pm.user &&
	    DRM_IOCTL_NR(cmd) >= DRM_COMMAND_BASE &&
	    (virtio_gpu_pm_context_stale(vgdev, vfpriv) ||
	     virtio_gpu_pm_virgl_lost(vfpriv)))
		ret = virtio_gpu_pm_virgl_survive(file);
	else if (vfpriv && virtio_gpu_pm_uses_context(cmd))
		ret = virtio_gpu_pm_context_ready(vgdev, file);
	if (ret)
		return ret;

	return drm_virt_pm_ioctl(&vgdev->pm.base, filp, cmd, arg);
}

__diag_push();
__diag_ignore_all("-Woverride-init", "two of the common operations are replaced");

const struct file_operations virtio_gpu_pm_fops = {
	.owner = THIS_MODULE,
	DRM_GEM_FOPS,
	.unlocked_ioctl = virtio_gpu_pm_ioctl,
	.compat_ioctl = virtio_gpu_pm_ioctl,
};

__diag_pop();

/* Set up suspend and resume of the device */
int virtio_gpu_pm_init(struct virtio_gpu_device *vgdev)
{
	int ret;

	virtio_gpu_pm_init_queues(vgdev);
	virtio_gpu_pm_init_outputs(vgdev);

	ret = drmm_virt_pm_init(&vgdev->pm.base, vgdev->ddev,
				&virtio_gpu_pm_ops);
	return ret ?: virtio_gpu_pm_virgl_init(vgdev);
}

/*
 * Unplug the DRM device. Replaces drm_dev_unplug(), which waits for tasks that
 * wait for room in a queue.
 */
void virtio_gpu_pm_unplug(struct drm_device *ddev)
{
	struct virtio_gpu_device *vgdev = ddev->dev_private;

	virtio_gpu_pm_stop_queues(vgdev);
	drm_virt_pm_unplug(&vgdev->pm.base);
}

/* Stop the device for good */
void virtio_gpu_pm_fini(struct virtio_gpu_device *vgdev)
{
	cancel_delayed_work_sync(&vgdev->pm.hang_work);
	virtio_gpu_pm_quiesce(&vgdev->pm.base);
	/* a restore that fails leaves the status of the device changed */
	if (!vgdev->ctrlq.vq)
		virtio_gpu_pm_reset_device(vgdev);
	/* their interrupts must not outlive the driver, even if the reset failed */
	if (vgdev->ctrlq.vq)
		vgdev->vdev->config->del_vqs(vgdev->vdev);
	virtio_gpu_pm_fini_outputs(vgdev);
}
