/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef _DRM_VIRT_PM_H_
#define _DRM_VIRT_PM_H_

#include <linux/atomic.h>
#include <linux/kernel.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

struct drm_connector;
struct drm_crtc;
struct drm_device;
struct drm_plane;
struct drm_virt_pm;
struct drm_virt_pm_object;
struct file;
struct seq_buf;
struct seq_file;

/**
 * enum drm_virt_pm_transition - the announced system transition
 *
 * Set by the PM notifier (Documentation/driver-api/pm/notifiers.rst). It may
 * decide whether a suspend is refused. It never decides what is restored: that
 * follows from the reset epoch.
 */
enum drm_virt_pm_transition {
	/**
	 * @DRM_VIRT_PM_NONE: No transition was announced. Device callbacks can
	 * run all the same: Xen save/restore, kexec jump and a function reset
	 * send no notification.
	 */
	DRM_VIRT_PM_NONE,

	/** @DRM_VIRT_PM_SUSPEND: Suspend to RAM or to idle. */
	DRM_VIRT_PM_SUSPEND,

	/** @DRM_VIRT_PM_HIBERNATE: An image is about to be created and written. */
	DRM_VIRT_PM_HIBERNATE,

	/**
	 * @DRM_VIRT_PM_RESTORE: The boot kernel is about to jump into an image.
	 * A refusal would discard the image, so nothing is refused.
	 */
	DRM_VIRT_PM_RESTORE,
};

/**
 * enum drm_virt_pm_state - state of a device
 */
enum drm_virt_pm_state {
	/** @DRM_VIRT_PM_RUNNING: In use. */
	DRM_VIRT_PM_RUNNING,

	/** @DRM_VIRT_PM_DOWN: Suspended, or quiesced after a failed resume. */
	DRM_VIRT_PM_DOWN,

	/** @DRM_VIRT_PM_LOST: Given up or unbound. PM callbacks return 0. */
	DRM_VIRT_PM_LOST,
};

/**
 * struct drm_virt_pm_ops - callbacks of the driver
 *
 * All of them run in process context and may sleep. No lock of the library is
 * held, but for &drm_virt_pm_object.lock in @restore and SRCU in @save and @check.
 */
struct drm_virt_pm_ops {
	/**
	 * @suspend: (required) Stops the device, from its KMS down to its
	 * queues, and calls drm_virt_pm_reset() where the device forgets its
	 * state. An error before that refuses the suspend, and the callback must
	 * have undone its own work. An error after that is logged and ignored.
	 *
	 * Called by drm_virt_pm_suspend().
	 *
	 * Return: 0 or a negative errno.
	 */
	int (*suspend)(struct drm_virt_pm *vpm);

	/**
	 * @resume: (required) Brings up a device that lost its state. It need
	 * not undo its work when it fails, because @quiesce is called then.
	 *
	 * Called by drm_virt_pm_resume().
	 *
	 * Return: 0 or a negative errno.
	 */
	int (*resume)(struct drm_virt_pm *vpm);

	/**
	 * @quiesce: (required) Makes sure that the device does no DMA and that
	 * no task waits for it any more. A driver that resets the device here
	 * calls drm_virt_pm_reset().
	 *
	 * Called after a failed @resume, and by drm_virt_pm_lose() in any state
	 * of the device, also several times and while another callback runs.
	 */
	void (*quiesce)(struct drm_virt_pm *vpm);

	/**
	 * @recover: (optional) Lets the bus resume a device that the PM core
	 * does not resume (again), ending in drm_virt_pm_resume(). Without this
	 * callback the library calls drm_virt_pm_resume() itself, which is right
	 * where the bus has no part in a resume, as with PCI.
	 *
	 * Called by the work, with the lock of &drm_device.dev held.
	 *
	 * Return: 0 or a negative errno.
	 */
	int (*recover)(struct drm_virt_pm *vpm);

	/**
	 * @unplug: (optional) Unplugs further DRM devices of the same hardware.
	 *
	 * Called once for a lost device by the work, before it calls
	 * drm_dev_unplug() for &drm_virt_pm.drm.
	 */
	void (*unplug)(struct drm_virt_pm *vpm);

	/**
	 * @check: (optional) Tells whether everything on the device could be
	 * restored after a reset. May queue a command to find out whether the
	 * host answers, but changes no state.
	 *
	 * Called by the PM notifier, by drm_virt_pm_check() and for debugfs;
	 * never for %DRM_VIRT_PM_RESTORE. Also called while the device is down,
	 * where it must not touch the hardware: look at a flag of the driver that is
	 * set where its queues are stopped, as &drm_virt_pm.state changes when
	 * @suspend returns. Must not wait without a limit for a lock
	 * that is held while waiting for the device, and takes no modeset lock and
	 * no dma_resv.
	 *
	 * Return: 0, or a negative errno (usually -EBUSY) after writing the
	 * reason to @why: counts, kinds and programs, without the name of the
	 * device and without a newline.
	 */
	int (*check)(struct drm_virt_pm *vpm,
		     enum drm_virt_pm_transition transition,
		     struct seq_buf *why);

	/**
	 * @save: (required for drm_virt_pm_object_keep()) Copies the content of
	 * @obj from the device to system memory.
	 *
	 * Called by drm_virt_pm_objects_save(). Takes no reference to @obj, which
	 * another task may be about to free, and does not call
	 * drm_virt_pm_object_keep().
	 *
	 * Return: 0 or a negative errno.
	 */
	int (*save)(struct drm_virt_pm *vpm, struct drm_virt_pm_object *obj);

	/**
	 * @restore: (required for objects) Puts a stale object on the device
	 * again, with its content, and calls drm_virt_pm_object_restored() at
	 * the point from where the device knows it. If tasks run while the device
	 * is reset, the command belongs to the epoch &drm_virt_pm_object.next.
	 *
	 * Called by drm_virt_pm_object_use(), which it must not call itself, as
	 * the locks of two objects do not nest.
	 *
	 * Return: 0, or a negative errno, which leaves the object stale. The
	 * next user tries again. Call drm_virt_pm_object_lose() for an object
	 * that can never be restored.
	 */
	int (*restore)(struct drm_virt_pm *vpm, struct drm_virt_pm_object *obj);

	/**
	 * @show: (optional) Adds lines of the driver's own to debugfs.
	 *
	 * Called in any state of the device. Must not take a lock that is held
	 * while waiting for the device.
	 */
	void (*show)(struct drm_virt_pm *vpm, struct seq_file *m);
};

/**
 * struct drm_virt_pm - suspend and resume of one device
 *
 * Embedded in the driver's device structure. All members are internal to the
 * library, but for @drm, @epoch, @state and @failures, which drivers may read.
 *
 * @drm: DRM device
 * @ops: callbacks of the driver
 * @epoch: number of resets, counted from 1; changed only by drm_virt_pm_reset();
 *	read with READ_ONCE()
 * @state: written under @lock; read with READ_ONCE()
 * @lock: protects writes of @epoch, @state, @online, @busy, @closed, @was_reset,
 *	@losing, @failures, @deadline, @reason, @refusal, @num_lost, @last_lost and
 *	@keep; innermost, process context, not held over a callback
 * @online: the device is on the list of devices
 * @busy: @ops->suspend or @ops->resume is running, or @ops->quiesce after it
 * @closed: drm_virt_pm_wait_running() waits: the device is not running, or being
 *	suspended
 * @was_reset: drm_virt_pm_reset() was called in this suspend
 * @losing: drm_virt_pm_lose() was called, or the device is unbound
 * @unplugged: drm_dev_unplug() was called
 * @failures: number of failed attempts to resume from this suspend; above 0 in the
 *	last try, which had better show what it can than fail
 * @deadline: when the running callback stops waiting, in jiffies; or 0
 * @again: state of KMS for a second try to resume
 * @work: freezable; resumes, or unplugs a lost device
 * @wait: woken when @state leaves %DRM_VIRT_PM_DOWN and when @busy ends
 * @reason: why the device was lost
 * @refusal: the last refusal
 * @tracked: number of tracked objects
 * @restored: number of objects that were restored
 * @num_lost: number of objects that were lost
 * @last_lost: &drm_virt_pm_object.id of the object lost last
 * @keep: objects of drm_virt_pm_object_keep(); readers use SRCU
 * @node: entry in the list of devices; SRCU
 */
struct drm_virt_pm {
	struct drm_device *drm;
	const struct drm_virt_pm_ops *ops;
	u32 epoch;
	enum drm_virt_pm_state state;
	spinlock_t lock;	/* innermost */
	bool online;
	bool busy;
	bool closed;
	bool was_reset;
	bool losing;
	bool unplugged;
	unsigned int failures;
	unsigned long deadline;
	struct drm_atomic_state *again;
	struct delayed_work work;
	wait_queue_head_t wait;
	char reason[64];
	char refusal[256];
	atomic_t tracked;
	atomic64_t restored;
	unsigned int num_lost;
	u32 last_lost;
	struct list_head keep;
	struct list_head node;
};

/* device */
int drmm_virt_pm_init(struct drm_virt_pm *vpm, struct drm_device *drm,
		      const struct drm_virt_pm_ops *ops);
void drm_virt_pm_unplug(struct drm_virt_pm *vpm);
int drm_virt_pm_suspend(struct drm_virt_pm *vpm);
int drm_virt_pm_resume(struct drm_virt_pm *vpm);
void drm_virt_pm_reset(struct drm_virt_pm *vpm);
void drm_virt_pm_lose(struct drm_virt_pm *vpm, const char *reason);
long drm_virt_pm_timeout(const struct drm_virt_pm *vpm);
bool drm_virt_pm_kms_idle(struct drm_virt_pm *vpm);
int drm_virt_pm_kms_suspend(struct drm_virt_pm *vpm);
int drm_virt_pm_kms_resume(struct drm_virt_pm *vpm);
void drm_virt_pm_kms_forget(struct drm_virt_pm *vpm);
void drm_virt_pm_crtc_reset(struct drm_crtc *crtc);
void drm_virt_pm_plane_reset(struct drm_plane *plane);
void drm_virt_pm_connector_reset(struct drm_connector *connector);
long drm_virt_pm_ioctl(struct drm_virt_pm *vpm, struct file *filp,
		       unsigned int cmd, unsigned long arg);
int __drm_virt_pm_wait_running(struct drm_virt_pm *vpm);

/**
 * drm_virt_pm_wait_running - wait until a device runs and is not being suspended
 * @vpm: the device
 *
 * For the entry of an ioctl. Costs one load and compare if the device runs. Is no
 * lock: the device can be suspended as soon as this returns.
 *
 * Context: Process context without locks and without a runtime PM reference.
 *
 * Return: 0; -ERESTARTSYS if a signal is pending; -ENODEV if the device is lost
 * or unplugged.
 */
static inline int drm_virt_pm_wait_running(struct drm_virt_pm *vpm)
{
	if (likely(!READ_ONCE(vpm->closed)))
		return 0;

	return __drm_virt_pm_wait_running(vpm);
}

/* refusals */
enum drm_virt_pm_transition drm_virt_pm_get_transition(void);
int drm_virt_pm_check(struct drm_virt_pm *vpm);
int drm_virt_pm_refuse(struct drm_virt_pm *vpm, int err, const char *reason);

/**
 * drm_virt_pm_may_refuse - whether an error may refuse the running transition
 *
 * For &drm_virt_pm_ops.suspend.
 *
 * Context: Any context.
 *
 * Return: false for %DRM_VIRT_PM_RESTORE, where a refusal would discard the image.
 */
static inline bool drm_virt_pm_may_refuse(void)
{
	return drm_virt_pm_get_transition() != DRM_VIRT_PM_RESTORE;
}

/* queues */

struct drm_virt_pm_queue;

/**
 * struct drm_virt_pm_queue_ops - callbacks of a queue
 */
struct drm_virt_pm_queue_ops {
	/**
	 * @count: (required) Counts the entries that were queued since probe,
	 * and how many of these the host still has: none if the queue was
	 * deleted. A reset does not set the first one back. Both may wrap.
	 * Called in the condition of a wait; must not sleep.
	 */
	void (*count)(struct drm_virt_pm_queue *queue, unsigned int *queued,
		      unsigned int *pending);

	/**
	 * @kick: (optional) Notifies the host of the entries that were queued.
	 * May sleep.
	 */
	void (*kick)(struct drm_virt_pm_queue *queue);

	/**
	 * @flush: (optional) Waits until the entries that the host gave back
	 * have been handled. May sleep.
	 */
	void (*flush)(struct drm_virt_pm_queue *queue);
};

/**
 * struct drm_virt_pm_queue - a queue that can be drained
 *
 * Embedded in the driver's queue and filled in by the driver. The library takes
 * no lock of the queue, so the ring may be used in hard interrupts. Its own locks do not
 * disable interrupts: no function of the library is called under a lock that an interrupt
 * takes, but drm_virt_pm_timeout() and drm_virt_pm_object_resident().
 *
 * @vpm: device
 * @name: name for messages and tracepoints
 * @ops: callbacks of the driver
 * @progress: woken by the driver when entries came back
 */
struct drm_virt_pm_queue {
	struct drm_virt_pm *vpm;
	const char *name;
	const struct drm_virt_pm_queue_ops *ops;
	wait_queue_head_t *progress;
};

int drm_virt_pm_queue_drain(struct drm_virt_pm_queue *queue);

/* objects */

/**
 * struct drm_virt_pm_object - a thing that lives on the device
 *
 * Embedded in the driver's object. All members are internal to the library. Drivers
 * may read @epoch, @id and @lost, read @next in &drm_virt_pm_ops.restore, and take
 * @lock to wait for a restore.
 *
 * @epoch: reset epoch in which the device was told of it; 0 for never
 * @next: what @epoch becomes; protected by @lock
 * @id: name on the device, for messages
 * @lost: it can never be restored; written under &drm_virt_pm.lock
 * @lock: serialises &drm_virt_pm_ops.restore of this object
 * @keep: entry in &drm_virt_pm.keep
 */
struct drm_virt_pm_object {
	u32 epoch;
	u32 next;
	u32 id;
	bool lost;
	struct mutex lock;	/* outside of any dma_resv */
	struct list_head keep;
};

void drm_virt_pm_object_init(struct drm_virt_pm *vpm,
			     struct drm_virt_pm_object *obj, u32 id);
void drm_virt_pm_object_fini(struct drm_virt_pm *vpm,
			     struct drm_virt_pm_object *obj);
void drm_virt_pm_object_restored(struct drm_virt_pm *vpm,
				 struct drm_virt_pm_object *obj);
void drm_virt_pm_object_lose(struct drm_virt_pm *vpm,
			     struct drm_virt_pm_object *obj, int err);
int __drm_virt_pm_object_use(struct drm_virt_pm *vpm,
			     struct drm_virt_pm_object *obj);
void drm_virt_pm_object_keep(struct drm_virt_pm *vpm,
			     struct drm_virt_pm_object *obj, bool keep);
int drm_virt_pm_objects_save(struct drm_virt_pm *vpm);

/**
 * drm_virt_pm_object_resident - whether the device knows an object
 * @vpm: the device
 * @obj: the object
 *
 * Context: Any context. Can change at any time, unless the caller keeps the
 * device from being reset.
 *
 * Return: true if the device was told of it since the last reset.
 */
static inline bool
drm_virt_pm_object_resident(const struct drm_virt_pm *vpm,
			    const struct drm_virt_pm_object *obj)
{
	/* pairs with drm_virt_pm_object_restored() */
	return smp_load_acquire(&obj->epoch) == READ_ONCE(vpm->epoch);
}

/**
 * drm_virt_pm_object_use - make an object resident
 * @vpm: the device
 * @obj: the object
 *
 * Call this where an object is about to be named to the device and where the
 * driver can sleep and fail. Costs one compare if the object is resident;
 * otherwise &drm_virt_pm_ops.restore is called. If other tasks use the same
 * object, they wait for it.
 *
 * Context: May sleep. The caller holds no dma_resv and no other lock that
 * &drm_virt_pm_ops.restore takes; lockdep checks that in each call.
 *
 * Return: 0, after a reset meanwhile with the object stale again; -EIO if the object
 * is lost; -ENODEV if the device is lost;
 * -ERESTARTSYS if a signal is pending; any other error of
 * &drm_virt_pm_ops.restore, with the object still stale.
 */
static inline int drm_virt_pm_object_use(struct drm_virt_pm *vpm,
					 struct drm_virt_pm_object *obj)
{
	might_sleep();
	might_lock(&obj->lock);

	if (likely(drm_virt_pm_object_resident(vpm, obj)))
		return 0;

	return __drm_virt_pm_object_use(vpm, obj);
}

#endif
