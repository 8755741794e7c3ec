// SPDX-License-Identifier: GPL-2.0 OR MIT

#include <linux/device.h>
#include <linux/export.h>
#include <linux/jiffies.h>

#include <drm/drm_print.h>

#include "drm_virt_pm_trace.h"

/**
 * DOC: objects
 *
 * Whatever lives on the device is *resident* if it was put there in the
 * current reset epoch. A reset loses everything with one increment, whoever
 * caused it and however many objects there are, and nothing is walked at
 * resume: an object that is *stale* comes back when it is about to be used, at
 * the places where the driver calls drm_virt_pm_object_use().
 *
 * Several tasks may meet the same stale object. One of them restores it, the
 * others wait until its commands are queued. No lock is held meanwhile.
 *
 * An object that cannot come back is *lost* for good: it is counted, named in
 * debugfs and in a tracepoint, and its users get -EIO. The others come back.
 *
 * Objects that may be used where no call of the driver sees it, because
 * another device knows them by name, are marked *eager* and restored at once.
 */

/**
 * drm_virt_pm_object_init - set up the base of an object
 * @obj: the object, in zero-filled memory
 *
 * Context: Any context.
 */
void drm_virt_pm_object_init(struct drm_virt_pm_object *obj)
{
	INIT_LIST_HEAD(&obj->eager);
}
EXPORT_SYMBOL(drm_virt_pm_object_init);

/**
 * drm_virt_pm_object_created - an object was put on the device for the first time
 * @vpm: the device
 * @obj: the object
 * @id: what the host calls it
 *
 * To be called once, when the command that creates it was queued.
 *
 * Context: Any context. Nobody else may know the object yet.
 */
void drm_virt_pm_object_created(struct drm_virt_pm *vpm,
				struct drm_virt_pm_object *obj, u32 id)
{
	obj->id = id;
	WRITE_ONCE(obj->epoch, READ_ONCE(vpm->epoch));
	atomic_inc(&vpm->tracked);
	atomic_inc(&vpm->resident);
}
EXPORT_SYMBOL(drm_virt_pm_object_created);

/**
 * drm_virt_pm_object_forget - an object is not on the device after all
 * @vpm: the device
 * @obj: the object, for which drm_virt_pm_object_created() was called
 *
 * For drivers that learn that the creation was not queued. It is stale then,
 * and comes back on its first use.
 *
 * Context: Any context that may take a spinlock.
 */
void drm_virt_pm_object_forget(struct drm_virt_pm *vpm,
			       struct drm_virt_pm_object *obj)
{
	spin_lock(&vpm->lock);
	if (drm_virt_pm_object_is_resident(vpm, obj))
		atomic_dec(&vpm->resident);
	WRITE_ONCE(obj->epoch, 0);
	spin_unlock(&vpm->lock);
}
EXPORT_SYMBOL(drm_virt_pm_object_forget);

/**
 * drm_virt_pm_object_released - an object is being freed
 * @vpm: the device
 * @obj: the object, for which drm_virt_pm_object_created() was called
 *
 * The driver tells the device only if the object was resident: freeing a stale
 * one sends nothing. Ask drm_virt_pm_object_is_resident() before.
 *
 * Context: Any context that may take a spinlock. Nobody else may use the
 * object any more.
 */
void drm_virt_pm_object_released(struct drm_virt_pm *vpm,
				 struct drm_virt_pm_object *obj)
{
	if (!list_empty(&obj->eager))
		drm_virt_pm_object_set_eager(vpm, obj, false);

	if (drm_virt_pm_object_is_resident(vpm, obj))
		atomic_dec(&vpm->resident);
	atomic_dec(&vpm->tracked);
	WRITE_ONCE(obj->epoch, 0);
}
EXPORT_SYMBOL(drm_virt_pm_object_released);

static bool object_settled(struct drm_virt_pm_object *obj)
{
	return READ_ONCE(obj->state) != DRM_VIRT_PM_OBJECT_RESTORING;
}

/* Whether the object can be restored later, with the same call. */
static bool error_is_transient(int err)
{
	return err == -ENOMEM || err == -ENODEV || err == -EINTR ||
	       err == -ERESTARTSYS;
}

/**
 * drm_virt_pm_object_restore - put a stale object on the device
 * @vpm: the device
 * @obj: the object
 *
 * Calls &drm_virt_pm_ops.object_restore, unless another task is doing so: then
 * waits for its result. Use drm_virt_pm_object_use(), which is cheaper for
 * objects that are resident.
 *
 * Context: As drm_virt_pm_object_use().
 *
 * Return: 0 when its commands are queued; -EIO if the object is lost;
 * -ENOMEM, -ENODEV, -EINTR or -ERESTARTSYS if it is still stale and can be
 * tried again;
 * -ETIMEDOUT if another task has been restoring it for too long.
 */
int drm_virt_pm_object_restore(struct drm_virt_pm *vpm,
			       struct drm_virt_pm_object *obj)
{
	u32 epoch;
	int ret;

	spin_lock(&vpm->lock);
	while (obj->state == DRM_VIRT_PM_OBJECT_RESTORING) {
		spin_unlock(&vpm->lock);
		/* the other task only queues, so a stalled ring is the worst */
		if (!wait_event_timeout(vpm->object_wait, object_settled(obj),
					2 * msecs_to_jiffies(drm_virt_pm_stall_ms())))
			return -ETIMEDOUT;
		spin_lock(&vpm->lock);
	}

	if (drm_virt_pm_object_is_resident(vpm, obj) ||
	    obj->state == DRM_VIRT_PM_OBJECT_LOST) {
		ret = obj->state == DRM_VIRT_PM_OBJECT_LOST ? -EIO : 0;
		spin_unlock(&vpm->lock);
		return ret;
	}

	WRITE_ONCE(obj->state, DRM_VIRT_PM_OBJECT_RESTORING);
	epoch = vpm->epoch;
	spin_unlock(&vpm->lock);

	ret = vpm->ops->object_restore(vpm, obj);
	/* before it leaves RESTORING: nobody may try it again */
	if (ret && !error_is_transient(ret))
		drm_virt_pm_object_lose(vpm, obj, ret);

	spin_lock(&vpm->lock);
	/* here or meanwhile, because the host refused it */
	if (obj->state == DRM_VIRT_PM_OBJECT_LOST)
		ret = -EIO;
	else
		WRITE_ONCE(obj->state, DRM_VIRT_PM_OBJECT_IDLE);
	if (!ret) {
		WRITE_ONCE(obj->epoch, epoch);
		if (epoch == vpm->epoch)
			atomic_inc(&vpm->resident);
	}
	spin_unlock(&vpm->lock);

	if (!ret) {
		atomic64_inc(&vpm->restored);
		trace_drm_virt_pm_object(vpm, obj->id, 0);
	}

	wake_up_all(&vpm->object_wait);
	return ret;
}
EXPORT_SYMBOL(drm_virt_pm_object_restore);

/**
 * drm_virt_pm_object_lose - an object cannot come back
 * @vpm: the device
 * @obj: the object
 * @err: why, a negative errno
 *
 * Also for drivers that learn from a late answer of the host that it could not
 * create the object.
 *
 * Context: Process context; takes &drm_virt_pm.lock.
 */
void drm_virt_pm_object_lose(struct drm_virt_pm *vpm,
			     struct drm_virt_pm_object *obj, int err)
{
	unsigned int n;

	spin_lock(&vpm->lock);
	if (obj->state == DRM_VIRT_PM_OBJECT_LOST) {
		spin_unlock(&vpm->lock);
		return;
	}
	if (drm_virt_pm_object_is_resident(vpm, obj))
		atomic_dec(&vpm->resident);
	WRITE_ONCE(obj->state, DRM_VIRT_PM_OBJECT_LOST);
	WRITE_ONCE(obj->epoch, 0);

	n = atomic_inc_return(&vpm->num_lost) - 1;
	n %= ARRAY_SIZE(vpm->lost_objects);
	vpm->lost_objects[n].id = obj->id;
	vpm->lost_objects[n].err = err;
	spin_unlock(&vpm->lock);

	trace_drm_virt_pm_object(vpm, obj->id, err);
	dev_warn_ratelimited(vpm->drm->dev, "object %u is lost (%d)\n", obj->id,
			     err);
}
EXPORT_SYMBOL(drm_virt_pm_object_lose);

/**
 * drm_virt_pm_object_set_eager - choose when a stale object comes back
 * @vpm: the device
 * @obj: the object
 * @eager: true for at once, false for on first use
 *
 * Context: Any context that may take a spinlock.
 */
void drm_virt_pm_object_set_eager(struct drm_virt_pm *vpm,
				  struct drm_virt_pm_object *obj, bool eager)
{
	spin_lock(&vpm->lock);
	if (eager && list_empty(&obj->eager))
		list_add_tail(&obj->eager, &vpm->eager);
	else if (!eager)
		list_del_init(&obj->eager);
	spin_unlock(&vpm->lock);
}
EXPORT_SYMBOL(drm_virt_pm_object_set_eager);

/* The next eager object that is stale, with a reference; moved to the tail. */
static struct drm_virt_pm_object *next_stale_eager(struct drm_virt_pm *vpm)
{
	struct drm_virt_pm_object *obj, *first = NULL, *found = NULL;

	spin_lock(&vpm->lock);
	while ((obj = list_first_entry_or_null(&vpm->eager,
					       struct drm_virt_pm_object,
					       eager))) {
		if (obj == first)
			break;
		if (!first)
			first = obj;
		list_move_tail(&obj->eager, &vpm->eager);

		if (!drm_virt_pm_object_is_resident(vpm, obj) &&
		    obj->state == DRM_VIRT_PM_OBJECT_IDLE &&
		    vpm->ops->object_get(obj)) {
			found = obj;
			break;
		}
	}
	spin_unlock(&vpm->lock);

	return found;
}

/**
 * drm_virt_pm_objects_restore_eager - restore what cannot wait for its first use
 * @vpm: the device
 *
 * One that fails does not keep the others; it stays stale or is lost.
 *
 * Context: A step of the driver's sequence, after the queues are up; may sleep.
 */
void drm_virt_pm_objects_restore_eager(struct drm_virt_pm *vpm)
{
	struct drm_virt_pm_object *obj;
	int ret = 0;

	while (!ret && (obj = next_stale_eager(vpm))) {
		ret = drm_virt_pm_object_restore(vpm, obj);
		vpm->ops->object_put(obj);
		/* a transient error would meet the same object for ever */
		if (ret == -EIO)
			ret = 0;
	}

	if (ret)
		drm_warn(vpm->drm, "shared objects stay stale (%d)\n", ret);
}
EXPORT_SYMBOL(drm_virt_pm_objects_restore_eager);
