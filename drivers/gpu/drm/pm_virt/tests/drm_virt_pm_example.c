// SPDX-License-Identifier: GPL-2.0 OR MIT

/*
 * A driver as small as one can be that uses each part of drm_virt_pm. Parts of
 * this file are in Documentation/gpu/drm-virt-pm.rst, from a comment "step N" to
 * the next one.
 */

#include <linux/device.h>
#include <linux/err.h>
#include <linux/seq_buf.h>
#include <linux/slab.h>

#include <drm/drm_file.h>
#include <drm/drm_gem.h>
#include <drm/drm_ioctl.h>

#include "drm_virt_pm_example.h"

static struct toy *to_toy(struct drm_virt_pm *vpm)
{
	return container_of(vpm, struct toy, pm);
}

/* The hypervisor's side: takes commands in order. */
static void host_execute(struct toy_host *host, const struct toy_command *cmd)
{
	bool *known = &host->known[cmd->id];
	bool creates = cmd->type == TOY_CREATE;

	host->commands++;
	if (*known == creates) {
		host->errors++;
		return;
	}

	switch (cmd->type) {
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

static void host_work(struct work_struct *work)
{
	struct toy *toy = container_of(work, struct toy, host_work);

	spin_lock(&toy->lock);
	while (!toy->host.hangs && toy->answered != toy->queued)
		host_execute(&toy->host,
			     &toy->ring[toy->answered++ % TOY_RING]);
	spin_unlock(&toy->lock);
	wake_up_all(&toy->progress);
}

/* step 2: the queue */
static void toy_count(struct drm_virt_pm_queue *queue, unsigned int *queued,
		      unsigned int *pending)
{
	struct toy *toy = container_of(queue, struct toy, queue);

	spin_lock(&toy->lock);
	*queued = toy->queued;
	*pending = toy->queued - toy->answered;
	spin_unlock(&toy->lock);
}

static void toy_kick(struct drm_virt_pm_queue *queue)
{
	struct toy *toy = container_of(queue, struct toy, queue);

	schedule_work(&toy->host_work);
}

static void toy_flush(struct drm_virt_pm_queue *queue)
{
	struct toy *toy = container_of(queue, struct toy, queue);

	flush_work(&toy->host_work);
}

static const struct drm_virt_pm_queue_ops toy_queue_ops = {
	.count = toy_count,
	.kick = toy_kick,
	.flush = toy_flush,
};

static int toy_send(struct toy *toy, enum toy_command_type type, u32 id,
		    u32 pixels)
{
	int ret = 0;

	spin_lock(&toy->lock);
	if (drm_virt_pm_queue_stopped(&toy->queue))
		ret = -ENODEV;
	else if (toy->queued - toy->answered == TOY_RING)
		ret = -ENOMEM;
	else
		toy->ring[toy->queued++ % TOY_RING] =
			(struct toy_command){ type, id, pixels };
	spin_unlock(&toy->lock);

	return ret;
}

/* step 3: objects */
struct toy_buffer *toy_buffer_create(struct toy *toy, u32 id, u32 pixels)
{
	struct toy_buffer *buffer;
	int ret;

	buffer = kzalloc(sizeof(*buffer), GFP_KERNEL);
	if (!buffer)
		return ERR_PTR(-ENOMEM);

	buffer->toy = toy;
	buffer->pixels = pixels;
	drm_virt_pm_object_init(&buffer->object);

	ret = toy_send(toy, TOY_CREATE, id, pixels);
	if (ret) {
		kfree(buffer);
		return ERR_PTR(ret);
	}
	drm_virt_pm_object_created(&toy->pm, &buffer->object, id);

	return buffer;
}

static int toy_object_restore(struct drm_virt_pm *vpm,
			      struct drm_virt_pm_object *object)
{
	struct toy_buffer *buffer = container_of(object, struct toy_buffer,
						 object);

	return toy_send(to_toy(vpm), TOY_CREATE, object->id, buffer->pixels);
}

int toy_buffer_show(struct toy_buffer *buffer)
{
	struct toy *toy = buffer->toy;
	int ret;

	/* one comparison, unless the toy was reset since the last time */
	ret = drm_virt_pm_object_use(&toy->pm, &buffer->object);
	if (ret)
		return ret;

	ret = toy_send(toy, TOY_SHOW, buffer->object.id, 0);
	if (ret)
		return ret;

	toy->shown = buffer;
	toy_kick(&toy->queue);
	return 0;
}

void toy_buffer_free(struct toy_buffer *buffer)
{
	struct toy *toy = buffer->toy;

	if (toy->shown == buffer)
		toy->shown = NULL;
	/* nothing is sent about what the toy does not know */
	if (drm_virt_pm_object_is_resident(&toy->pm, &buffer->object))
		toy_send(toy, TOY_DESTROY, buffer->object.id, 0);
	drm_virt_pm_object_released(&toy->pm, &buffer->object);
	kfree(buffer);
}

/* step 4: refusals */
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

/* step 5: the order */
static int host_down(struct drm_virt_pm *vpm)
{
	int ret = drm_virt_pm_queue_drain(&to_toy(vpm)->queue,
					  drm_virt_pm_stall_ms());

	if (ret)
		drm_virt_pm_refuse(vpm, ret, "the host does not answer");
	return ret;
}

static int gate_down(struct drm_virt_pm *vpm)
{
	struct toy *toy = to_toy(vpm);
	int ret, err;

	ret = drm_virt_pm_gate_close(vpm, drm_virt_pm_stall_ms());
	err = drm_virt_pm_queue_drain(&toy->queue, drm_virt_pm_stall_ms());
	drm_virt_pm_queue_stop(&toy->queue);

	return ret ?: err;
}

static int gate_up(struct drm_virt_pm *vpm)
{
	drm_virt_pm_queue_start(&to_toy(vpm)->queue);
	drm_virt_pm_gate_open(vpm);
	return 0;
}

static int device_down(struct drm_virt_pm *vpm)
{
	struct toy *toy = to_toy(vpm);

	/* A real driver resets its device here; it has forgotten everything. */
	cancel_work_sync(&toy->host_work);
	memset(toy->host.known, 0, sizeof(toy->host.known));
	toy->host.screen = 0;
	/* what it never answered: complete it with an error, fences above all */
	toy->answered = toy->queued;

	drm_virt_pm_device_reset(vpm);
	return 0;
}

static int device_up(struct drm_virt_pm *vpm)
{
	return to_toy(vpm)->host.refuses_to_start ? -EIO : 0;
}

static int screen_up(struct drm_virt_pm *vpm)
{
	struct toy *toy = to_toy(vpm);

	return toy->shown ? toy_buffer_show(toy->shown) : 0;
}

/* In the order in which they come up; a suspend takes them down backwards. */
static const struct drm_virt_pm_step toy_steps[] = {
	{ "device", .up = device_up, .down = device_down },
	{ "gate", .up = gate_up, .down = gate_down,
	  .flags = DRM_VIRT_PM_STEP_FINAL },
	{ "screen", .up = screen_up, .flags = DRM_VIRT_PM_STEP_OPTIONAL },
	{ "host", .down = host_down },
	{ "check", .down = drm_virt_pm_check },
};

/* step 6: a device that does not come back */
static void toy_unplug(struct toy *toy)
{
	/* toy_lost() may run while toy_remove() does: only one of them unplugs */
	if (!test_and_set_bit(0, &toy->unplugged))
		drm_dev_unplug(&toy->drm);
}

static void toy_lost(struct drm_virt_pm *vpm)
{
	toy_unplug(to_toy(vpm));
}

/* step 7: user space */
static struct toy *file_to_toy(struct file *file)
{
	struct drm_file *drm_file = file->private_data;

	return container_of(drm_file->minor->dev, struct toy, drm);
}

static long toy_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct toy *toy = file_to_toy(file);
	long ret;

	ret = drm_virt_pm_enter(&toy->pm);
	if (ret)
		return ret;
	ret = drm_ioctl(file, cmd, arg);
	drm_virt_pm_exit(&toy->pm);

	return ret;
}

#ifdef CONFIG_COMPAT
static long toy_compat_ioctl(struct file *file, unsigned int cmd,
			     unsigned long arg)
{
	struct toy *toy = file_to_toy(file);
	long ret;

	ret = drm_virt_pm_enter(&toy->pm);
	if (ret)
		return ret;
	ret = drm_compat_ioctl(file, cmd, arg);
	drm_virt_pm_exit(&toy->pm);

	return ret;
}
#else
#define toy_compat_ioctl NULL
#endif

/* step 8: probe, remove and the PM callbacks */
static const struct drm_virt_pm_ops toy_pm_virt_ops = {
	.check = toy_check,
	.object_restore = toy_object_restore,
	.lost = toy_lost,
};

int toy_probe(struct toy *toy)
{
	int ret;

	spin_lock_init(&toy->lock);
	init_waitqueue_head(&toy->progress);
	INIT_WORK(&toy->host_work, host_work);
	dev_set_drvdata(toy->drm.dev, toy);

	drm_virt_pm_queue_init(&toy->queue, &toy->pm, "toy", &toy_queue_ops,
			       &toy->lock, &toy->progress);
	ret = drm_virt_pm_init(&toy->pm, &toy->drm, &toy_pm_virt_ops, toy_steps,
			       ARRAY_SIZE(toy_steps));
	if (ret)
		return ret;

	ret = drm_dev_register(&toy->drm, 0);
	if (ret)
		drm_virt_pm_fini(&toy->pm);
	return ret;
}

void toy_remove(struct toy *toy)
{
	toy_unplug(toy);
	drm_virt_pm_fini(&toy->pm);
	cancel_work_sync(&toy->host_work);
}

static int toy_suspend(struct device *dev)
{
	struct toy *toy = dev_get_drvdata(dev);

	return drm_virt_pm_suspend(&toy->pm);
}

static int toy_resume(struct device *dev)
{
	struct toy *toy = dev_get_drvdata(dev);

	return drm_virt_pm_resume(&toy->pm);
}

/* all six: suspend, freeze and poweroff; resume, thaw and restore */
DEFINE_SIMPLE_DEV_PM_OPS(toy_pm_ops, toy_suspend, toy_resume);

static const struct file_operations toy_fops = {
	.owner = THIS_MODULE,
	.open = drm_open,
	.release = drm_release,
	.unlocked_ioctl = toy_ioctl,
	.compat_ioctl = toy_compat_ioctl,
	.read = drm_read,
	.poll = drm_poll,
	.mmap = drm_gem_mmap,
};

/* step 8: end */

const struct drm_driver toy_driver = {
	.driver_features = DRIVER_GEM,
	.fops = &toy_fops,
	.name = "toy",
	.desc = "example of drm_virt_pm",
	.major = 1,
};
