// SPDX-License-Identifier: GPL-2.0 OR MIT

#include <linux/device.h>
#include <linux/dma-resv.h>
#include <linux/export.h>
#include <linux/init.h>
#include <linux/rculist.h>
#include <linux/srcu.h>

#include <drm/drm_device.h>

#include "drm_virt_pm_internal.h"
#include "drm_virt_pm_trace.h"

/**
 * DOC: objects
 *
 * An object is *resident* if the device was told of it in the current reset
 * epoch, otherwise it is *stale*. A reset makes all objects stale with one
 * increment. No list is walked at resume: an object is restored when the driver
 * calls drm_virt_pm_object_use(), which is before it names the object to the
 * device.
 *
 * The driver says with drm_virt_pm_object_restored() from when on the device
 * knows an object, when the command was queued that tells the device of it. For an
 * imported buffer the dma_resv of the exporter is held.
 *
 * An error leaves the object stale, and the next user tries again. An object
 * that can never be restored is *lost*: its users get -EIO.
 *
 * A few objects have content that only the device has. The driver marks them
 * with drm_virt_pm_object_keep() and saves them before the reset with
 * drm_virt_pm_objects_save(). They are restored like all others.
 */

/*
 * Not the SRCU domain of the list of devices: &drm_virt_pm_ops.check takes other
 * locks than the callbacks for objects.
 */
DEFINE_STATIC_SRCU(drm_virt_pm_keep_srcu);

/**
 * drm_virt_pm_object_init - track an object
 * @vpm: the device
 * @obj: the object
 * @id: its name on the device, for messages
 *
 * Call this right before the command that creates the object, or earlier if the
 * first drm_virt_pm_object_use() creates it. The object is stale until
 * drm_virt_pm_object_restored().
 *
 * Context: Any context.
 */
void drm_virt_pm_object_init(struct drm_virt_pm *vpm,
			     struct drm_virt_pm_object *obj, u32 id)
{
	obj->epoch = 0;
	obj->next = READ_ONCE(vpm->epoch);
	obj->id = id;
	obj->lost = false;
	mutex_init(&obj->lock);
	INIT_LIST_HEAD(&obj->keep);
	atomic_inc(&vpm->tracked);
}
EXPORT_SYMBOL(drm_virt_pm_object_init);

/**
 * drm_virt_pm_object_fini - stop tracking an object that is being freed
 * @vpm: the device
 * @obj: the object, for which drm_virt_pm_object_keep() is not in effect
 *
 * Context: Any context. There are no other users of @obj.
 */
void drm_virt_pm_object_fini(struct drm_virt_pm *vpm,
			     struct drm_virt_pm_object *obj)
{
	WARN_ON_ONCE(!list_empty(&obj->keep));
	mutex_destroy(&obj->lock);
	atomic_dec(&vpm->tracked);
}
EXPORT_SYMBOL(drm_virt_pm_object_fini);

/**
 * drm_virt_pm_object_restored - the device knows an object from now on
 * @vpm: the device
 * @obj: the object
 *
 * For &drm_virt_pm_ops.restore, and for the first creation. If the device was
 * reset since &drm_virt_pm_ops.restore or drm_virt_pm_object_init() was called,
 * the object stays stale. If it was lost meanwhile, it stays lost.
 *
 * Context: Process context, with no lock held that an interrupt takes.
 */
void drm_virt_pm_object_restored(struct drm_virt_pm *vpm,
				 struct drm_virt_pm_object *obj)
{
	spin_lock(&vpm->lock);
	/* the host may have refused it already */
	if (!obj->lost)
		/* pairs with drm_virt_pm_object_resident() */
		smp_store_release(&obj->epoch, obj->next);
	spin_unlock(&vpm->lock);
}
EXPORT_SYMBOL(drm_virt_pm_object_restored);

/**
 * drm_virt_pm_object_lose - an object can never be restored
 * @vpm: the device
 * @obj: the object
 * @err: the reason, a negative errno
 *
 * Context: Process context, with no lock held that an interrupt takes.
 */
void drm_virt_pm_object_lose(struct drm_virt_pm *vpm,
			     struct drm_virt_pm_object *obj, int err)
{
	bool first;

	spin_lock(&vpm->lock);
	first = !obj->lost;
	WRITE_ONCE(obj->lost, true);
	WRITE_ONCE(obj->epoch, 0);
	if (first) {
		vpm->num_lost++;
		vpm->last_lost = obj->id;
	}
	spin_unlock(&vpm->lock);
	if (!first)
		return;

	trace_drm_virt_pm_object(vpm, obj->id, err);
	dev_warn_ratelimited(vpm->drm->dev, "object %u is lost (%d)\n", obj->id,
			     err);
}
EXPORT_SYMBOL(drm_virt_pm_object_lose);

static int drm_virt_pm_object_restore(struct drm_virt_pm *vpm,
				      struct drm_virt_pm_object *obj)
{
	int ret;

	lockdep_assert_held(&obj->lock);

	/* a reset meanwhile leaves the object stale */
	obj->next = READ_ONCE(vpm->epoch);
	ret = vpm->ops->restore(vpm, obj);
	/* the driver, or the answer of the host, may have lost it */
	if (READ_ONCE(obj->lost))
		ret = -EIO;
	else if (!ret && obj->epoch != obj->next)
		drm_virt_pm_misused(vpm,
				    "drm_virt_pm_object_restored() was not called");

	if (!ret)
		atomic64_inc(&vpm->restored);
	trace_drm_virt_pm_object(vpm, obj->id, ret);

	return ret;
}

/* drm_virt_pm_object_use() for an object that is stale or lost */
int __drm_virt_pm_object_use(struct drm_virt_pm *vpm,
			     struct drm_virt_pm_object *obj)
{
	int ret = 0;

	if (mutex_lock_interruptible(&obj->lock))
		return -ERESTARTSYS;

	if (READ_ONCE(obj->lost))
		ret = -EIO;
	else if (READ_ONCE(vpm->state) == DRM_VIRT_PM_LOST)
		ret = -ENODEV;
	else if (!drm_virt_pm_object_resident(vpm, obj))
		ret = drm_virt_pm_object_restore(vpm, obj);
	mutex_unlock(&obj->lock);

	return ret;
}
EXPORT_SYMBOL(__drm_virt_pm_object_use);

/**
 * drm_virt_pm_object_keep - choose whether the content of an object is saved
 * @vpm: the device
 * @obj: the object
 * @keep: true if only the device has the content
 *
 * Context: May sleep; the caller serialises calls for one object. To set @keep
 * to false waits for &drm_virt_pm_ops.save, so the caller holds no lock that this
 * takes.
 */
void drm_virt_pm_object_keep(struct drm_virt_pm *vpm,
			     struct drm_virt_pm_object *obj, bool keep)
{
	bool removed = false;

	spin_lock(&vpm->lock);
	if (keep && list_empty(&obj->keep)) {
		list_add_tail_rcu(&obj->keep, &vpm->keep);
	} else if (!keep && !list_empty(&obj->keep)) {
		list_del_rcu(&obj->keep);
		removed = true;
	}
	spin_unlock(&vpm->lock);
	if (!removed)
		return;

	/* drm_virt_pm_objects_save() may be using the object */
	synchronize_srcu(&drm_virt_pm_keep_srcu);
	INIT_LIST_HEAD(&obj->keep);
}
EXPORT_SYMBOL(drm_virt_pm_object_keep);

/**
 * drm_virt_pm_objects_save - save the content of all objects that need it
 * @vpm: the device
 *
 * For &drm_virt_pm_ops.suspend, before the reset. Lost objects are skipped, and
 * stale ones, whose content was saved before and is not on the device.
 *
 * Context: As &drm_virt_pm_ops.save.
 *
 * Return: 0, or the first error of &drm_virt_pm_ops.save.
 */
int drm_virt_pm_objects_save(struct drm_virt_pm *vpm)
{
	struct drm_virt_pm_object *obj;
	int idx, ret = 0;

	idx = srcu_read_lock(&drm_virt_pm_keep_srcu);
	list_for_each_entry_srcu(obj, &vpm->keep, keep,
				 srcu_read_lock_held(&drm_virt_pm_keep_srcu)) {
		if (!drm_virt_pm_object_resident(vpm, obj))
			continue;
		ret = vpm->ops->save(vpm, obj);
		if (ret)
			break;
	}
	srcu_read_unlock(&drm_virt_pm_keep_srcu, idx);

	return ret;
}
EXPORT_SYMBOL(drm_virt_pm_objects_save);

/*
 * Teach lockdep that a dma_resv is taken inside of the lock of an object, so
 * that drm_virt_pm_object_use() with a dma_resv held is reported at once, also
 * if the object is resident.
 */
void __init drm_virt_pm_object_lockdep(void)
{
#ifdef CONFIG_LOCKDEP
	static struct drm_virt_pm vpm __initdata;
	static struct drm_virt_pm_object obj __initdata;
	static struct dma_resv resv __initdata;

	dma_resv_init(&resv);
	drm_virt_pm_object_init(&vpm, &obj, 0);

	mutex_lock(&obj.lock);
	dma_resv_lock(&resv, NULL);
	dma_resv_unlock(&resv);
	mutex_unlock(&obj.lock);

	drm_virt_pm_object_fini(&vpm, &obj);
	dma_resv_fini(&resv);
#endif
}
