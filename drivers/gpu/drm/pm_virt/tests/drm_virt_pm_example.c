// SPDX-License-Identifier: GPL-2.0 OR MIT

/*
 * A small driver that uses each part of drm_virt_pm. Parts of this file are in
 * Documentation/gpu/drm-virt-pm.rst, from a comment "adopt" to the next one.
 */

#include <linux/device.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/seq_buf.h>
#include <linux/slab.h>

#include <drm/drm_file.h>
#include <drm/drm_gem.h>

#include "drm_virt_pm_example.h"

static struct toy *to_toy(struct drm_virt_pm *vpm)
{
	return container_of(vpm, struct toy, pm);
}

static void toy_host_execute(struct toy_host *host,
			     const struct toy_command *cmd)
{
	bool *known = &host->known[cmd->id];
	bool creates = cmd->type == TOY_CREATE;

	host->commands++;
	if (cmd->type == TOY_PING)
		return;
	if (*known == creates) {
		host->errors++;
		return;
	}

	switch (cmd->type) {
	case TOY_PING:
		break;
	case TOY_CREATE:
		*known = true;
		host->pixels[cmd->id] = cmd->pixels;
		break;
	case TOY_DESTROY:
		*known = false;
		break;
	case TOY_SHOW:
		host->screen = host->pixels[cmd->id];
		break;
	}
}

/* Stands for the host */
static void toy_host_work(struct work_struct *work)
{
	struct toy *toy = container_of(work, struct toy, host_work);

	spin_lock(&toy->lock);
	while (!toy->host.hangs && toy->answered != toy->queued)
		toy_host_execute(&toy->host,
				 &toy->ring[toy->answered++ % TOY_RING]);
	spin_unlock(&toy->lock);
	wake_up_all(&toy->progress);
}

static int toy_start(struct toy *toy)
{
	if (toy->host.failing_starts) {
		toy->host.failing_starts--;
		return -EIO;
	}

	spin_lock(&toy->lock);
	toy->stopped = false;
	spin_unlock(&toy->lock);

	return 0;
}

/*
 * Refuse new commands, reset the device and complete the commands that it did
 * not answer, which a real driver does with an error for their fences.
 */
static void toy_stop(struct toy *toy)
{
	spin_lock(&toy->lock);
	toy->stopped = true;
	spin_unlock(&toy->lock);
	cancel_work_sync(&toy->host_work);

	memset(toy->host.known, 0, sizeof(toy->host.known));
	toy->host.screen = 0;
	toy->answered = toy->queued;
}

/* adopt: queue */
static void toy_queue_count(struct drm_virt_pm_queue *queue,
			    unsigned int *queued, unsigned int *pending)
{
	struct toy *toy = container_of(queue, struct toy, queue);

	spin_lock(&toy->lock);
	*queued = toy->queued;
	*pending = toy->queued - toy->answered;
	spin_unlock(&toy->lock);
}

static void toy_queue_kick(struct drm_virt_pm_queue *queue)
{
	struct toy *toy = container_of(queue, struct toy, queue);

	schedule_work(&toy->host_work);
}

static const struct drm_virt_pm_queue_ops toy_queue_ops = {
	.count = toy_queue_count,
	.kick = toy_queue_kick,
};

static int toy_send(struct toy *toy, enum toy_command_type type, u32 id,
		    u32 pixels)
{
	int ret = 0;

	spin_lock(&toy->lock);
	if (toy->stopped)
		ret = -ENODEV;
	else if (toy->queued - toy->answered == TOY_RING)
		ret = -ENOMEM;
	else
		toy->ring[toy->queued++ % TOY_RING] =
			(struct toy_command){ type, id, pixels };
	spin_unlock(&toy->lock);

	return ret;
}

/* adopt: objects */
static int toy_object_restore(struct drm_virt_pm *vpm,
			      struct drm_virt_pm_object *object)
{
	struct toy_buffer *buffer = container_of(object, struct toy_buffer,
						 object);
	struct toy *toy = to_toy(vpm);
	int ret;

	ret = toy_send(toy, TOY_CREATE, object->id, buffer->pixels);
	/* a task that sees it resident queues its own command behind this one */
	if (!ret)
		drm_virt_pm_object_restored(vpm, object);

	return ret;
}

struct toy_buffer *toy_buffer_create(struct toy *toy, u32 id, u32 pixels)
{
	struct toy_buffer *buffer;

	buffer = kzalloc(sizeof(*buffer), GFP_KERNEL);
	if (!buffer)
		return ERR_PTR(-ENOMEM);

	buffer->toy = toy;
	buffer->pixels = pixels;
	drm_virt_pm_object_init(&toy->pm, &buffer->object, id);

	return buffer;
}

static int toy_buffer_show(struct toy_buffer *buffer)
{
	struct toy *toy = buffer->toy;
	int ret;

	/* creates the buffer on the device at first, and after a reset */
	ret = drm_virt_pm_object_use(&toy->pm, &buffer->object);
	if (ret)
		return ret;
	ret = toy_send(toy, TOY_SHOW, buffer->object.id, 0);
	if (ret)
		return ret;
	toy->shown = buffer;
	toy_queue_kick(&toy->queue);

	return 0;
}

void toy_buffer_free(struct toy_buffer *buffer)
{
	struct toy *toy = buffer->toy;

	if (toy->shown == buffer)
		toy->shown = NULL;
	if (drm_virt_pm_object_resident(&toy->pm, &buffer->object))
		toy_send(toy, TOY_DESTROY, buffer->object.id, 0);
	drm_virt_pm_object_fini(&toy->pm, &buffer->object);
	kfree(buffer);
}

/* adopt: refusals */
static int toy_check(struct drm_virt_pm *vpm,
		     enum drm_virt_pm_transition transition,
		     struct seq_buf *why)
{
	struct toy *toy = to_toy(vpm);

	if (!toy->decoders)
		return 0;

	seq_buf_printf(why, "%u video decoders", toy->decoders);
	return -EBUSY;
}

/* adopt: order */
static int toy_suspend(struct drm_virt_pm *vpm)
{
	struct toy *toy = to_toy(vpm);
	bool may_refuse = drm_virt_pm_may_refuse();
	bool idle;
	int ret;

	/* an empty queue says nothing about the host */
	ret = toy_send(toy, TOY_PING, 0, 0);
	if (!ret)
		ret = drm_virt_pm_queue_drain(&toy->queue);
	if (ret && may_refuse)
		return drm_virt_pm_refuse(vpm, ret, "the host does not answer");
	ret = drm_virt_pm_check(vpm);
	if (ret)
		return ret;
	idle = drm_virt_pm_kms_idle(vpm);
	if (!idle && may_refuse)
		return drm_virt_pm_refuse(vpm, -EBUSY,
					  "a commit waits for a fence");
	ret = idle ? drm_virt_pm_kms_suspend(vpm) : 0;
	if (ret && may_refuse)
		return drm_virt_pm_refuse(vpm, ret, "KMS cannot be suspended");

	/* nothing below is undone: a host that hangs is reset as well */
	drm_virt_pm_queue_drain(&toy->queue);
	toy_stop(toy);
	drm_virt_pm_reset(vpm);

	return 0;
}

static int toy_resume(struct drm_virt_pm *vpm)
{
	struct toy *toy = to_toy(vpm);
	int ret;

	ret = toy_start(toy);
	if (ret)
		return ret;
	/* the toy has no planes, whose commit would do that */
	if (toy->shown)
		toy_buffer_show(toy->shown);

	return drm_virt_pm_kms_resume(vpm);
}

static void toy_quiesce(struct drm_virt_pm *vpm)
{
	toy_stop(to_toy(vpm));
	drm_virt_pm_reset(vpm);
}

static const struct drm_virt_pm_ops toy_pm_ops = {
	.suspend = toy_suspend,
	.resume = toy_resume,
	.quiesce = toy_quiesce,
	.check = toy_check,
	.restore = toy_object_restore,
};

/* adopt: callbacks */
static int toy_dev_suspend(struct device *dev)
{
	struct toy *toy = dev_get_drvdata(dev);

	return drm_virt_pm_suspend(&toy->pm);
}

static int toy_dev_resume(struct device *dev)
{
	struct toy *toy = dev_get_drvdata(dev);

	return drm_virt_pm_resume(&toy->pm);
}

/* all six: suspend, freeze and poweroff; resume, thaw and restore */
DEFINE_SIMPLE_DEV_PM_OPS(toy_dev_pm_ops, toy_dev_suspend, toy_dev_resume);

/* the device may be resumed after the tasks, and ioctls wait for that here */
static long toy_ioctl(struct file *filp, unsigned int cmd, unsigned long arg)
{
	struct drm_file *file = filp->private_data;
	struct toy *toy = container_of(file->minor->dev, struct toy, drm);

	return drm_virt_pm_ioctl(&toy->pm, filp, cmd, arg);
}

static const struct file_operations toy_fops = {
	.owner = THIS_MODULE,
	.open = drm_open,
	.release = drm_release,
	.unlocked_ioctl = toy_ioctl,
	.compat_ioctl = toy_ioctl,
	.mmap = drm_gem_mmap,
	.fop_flags = FOP_UNSIGNED_OFFSET,
};

/* an entry that is no ioctl of DRM waits by itself */
int toy_buffer_show_wait(struct toy_buffer *buffer)
{
	int ret;

	ret = drm_virt_pm_wait_running(&buffer->toy->pm);
	if (ret)
		return ret;

	return toy_buffer_show(buffer);
}

int toy_probe(struct toy *toy)
{
	int ret;

	spin_lock_init(&toy->lock);
	init_waitqueue_head(&toy->progress);
	INIT_WORK(&toy->host_work, toy_host_work);
	dev_set_drvdata(toy->drm.dev, toy);

	toy->queue.vpm = &toy->pm;
	toy->queue.name = "toy";
	toy->queue.ops = &toy_queue_ops;
	toy->queue.progress = &toy->progress;

	ret = drmm_virt_pm_init(&toy->pm, &toy->drm, &toy_pm_ops);
	if (ret)
		return ret;

	return drm_dev_register(&toy->drm, 0);
}

void toy_remove(struct toy *toy)
{
	/* unplugs the DRM device, unless it was lost; no task of the toy waits for room */
	drm_virt_pm_unplug(&toy->pm);
	toy_stop(toy);
	/* the state of KMS, if the device was not resumed */
	drm_virt_pm_kms_forget(&toy->pm);
}

/* adopt: end */

const struct drm_driver toy_driver = {
	.driver_features = DRIVER_GEM | DRIVER_MODESET | DRIVER_ATOMIC,
	.fops = &toy_fops,
	.name = "toy",
	.desc = "example of drm_virt_pm",
	.major = 1,
};
