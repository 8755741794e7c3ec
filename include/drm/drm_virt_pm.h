/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef _DRM_VIRT_PM_H_
#define _DRM_VIRT_PM_H_

#include <linux/atomic.h>
#include <linux/bits.h>
#include <linux/list.h>
#include <linux/lockdep.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

struct dma_buf;
struct drm_device;
struct drm_virt_pm;
struct drm_virt_pm_object;
struct drm_virt_pm_queue;
struct seq_buf;

/*
 * The header reads top to bottom as a driver adopts it: transitions and
 * states, the ordered steps (or milestones), the gate, the queues, the
 * tracked objects, the reserve, and last the device that ties them together.
 * Documentation/gpu/drm-virt-pm.rst tells the same as a guide.
 */

/**
 * enum drm_virt_pm_transition - the system transition that is running
 *
 * Derived from the PM notifiers (Documentation/driver-api/pm/notifiers.rst).
 * It may decide whether a suspend is refused, never what is restored: that
 * follows from the reset epoch alone.
 */
enum drm_virt_pm_transition {
	/**
	 * @DRM_VIRT_PM_NONE: No transition was announced. Device callbacks may
	 * run all the same: Xen save/restore and kexec jump send no notifier.
	 */
	DRM_VIRT_PM_NONE,

	/** @DRM_VIRT_PM_SUSPEND: Suspend to RAM or to idle. */
	DRM_VIRT_PM_SUSPEND,

	/** @DRM_VIRT_PM_HIBERNATE: An image is about to be made and written. */
	DRM_VIRT_PM_HIBERNATE,

	/**
	 * @DRM_VIRT_PM_RESTORE: The boot kernel is about to jump into an image.
	 * Refusing or waiting long now would throw the image away.
	 */
	DRM_VIRT_PM_RESTORE,
};

/**
 * enum drm_virt_pm_state - where a device stands
 */
enum drm_virt_pm_state {
	/** @DRM_VIRT_PM_RUNNING: In use. */
	DRM_VIRT_PM_RUNNING,

	/** @DRM_VIRT_PM_SUSPENDING: The steps are being taken down. */
	DRM_VIRT_PM_SUSPENDING,

	/** @DRM_VIRT_PM_DOWN: Suspended; waiting for the PM core's resume. */
	DRM_VIRT_PM_DOWN,

	/** @DRM_VIRT_PM_RESUMING: The steps are being brought up. */
	DRM_VIRT_PM_RESUMING,

	/**
	 * @DRM_VIRT_PM_LOST: Given up. Every later PM callback is answered
	 * with 0, so that the rest of the system keeps suspending.
	 */
	DRM_VIRT_PM_LOST,
};

/**
 * DRM_VIRT_PM_MAX_STEPS - most steps of a sequence, most milestones of a device
 */
#define DRM_VIRT_PM_MAX_STEPS		16

/**
 * struct drm_virt_pm_step - one row of a sequence
 *
 * A sequence is a const array of steps in the order in which they come *up*.
 * Suspending walks it backwards calling @down, resuming forwards calling @up.
 */
struct drm_virt_pm_step {
	/** @name: Name for traces and debugfs, one word in lower case. */
	const char *name;

	/**
	 * @up:
	 *
	 * Brings this step up. A failure is fatal, and the steps that are up
	 * already are taken down again, unless @flags has
	 * %DRM_VIRT_PM_STEP_OPTIONAL. Also called to undo @down when a later
	 * @down fails before the point of no return.
	 *
	 * Context: PM callback, may sleep; no lock of the library is held.
	 *
	 * Return: 0 or a negative errno, having undone its own work.
	 *
	 * This callback is optional.
	 */
	int (*up)(struct drm_virt_pm *vpm);

	/**
	 * @down:
	 *
	 * Takes this step down. A failure ends the suspend with that error,
	 * after the steps that are down already were brought up again. After
	 * the point of no return (%DRM_VIRT_PM_STEP_FINAL) a failure is noted
	 * in the trace and in debugfs, and the walk goes on.
	 *
	 * Context: PM callback, may sleep; no lock of the library is held.
	 *
	 * Return: 0 or a negative errno, having undone its own work.
	 *
	 * This callback is optional.
	 */
	int (*down)(struct drm_virt_pm *vpm);

	/** @flags: Bit mask of %DRM_VIRT_PM_STEP_OPTIONAL and %DRM_VIRT_PM_STEP_FINAL. */
	unsigned int flags;
};

/**
 * DRM_VIRT_PM_STEP_OPTIONAL - a failing &drm_virt_pm_step.up is only noted
 *
 * Its &drm_virt_pm_step.down is called all the same the next time.
 */
#define DRM_VIRT_PM_STEP_OPTIONAL	BIT(0)

/**
 * DRM_VIRT_PM_STEP_FINAL - the point of no return of a suspend
 *
 * From this step's &drm_virt_pm_step.down on, its own included, nothing refuses:
 * it or one below resets the device, and the PM core does not resume a device
 * whose suspend failed.
 */
#define DRM_VIRT_PM_STEP_FINAL		BIT(1)

/**
 * struct drm_virt_pm_trail - what the last walk did, for debugfs
 */
struct drm_virt_pm_trail {
	/** @count: Number of valid entries in @entry. */
	unsigned int count;

	/** @entry: The steps or milestones in the order they were passed. */
	struct {
		/** @entry.name: Name of the step or milestone. */
		const char *name;

		/** @entry.up: True for a way up, false for a way down. */
		bool up;

		/** @entry.ret: 0 or the negative errno it returned. */
		int ret;

		/** @entry.us: Duration in microseconds; since the last one for a milestone. */
		s64 us;
	} entry[2 * DRM_VIRT_PM_MAX_STEPS];
};

/**
 * struct drm_virt_pm_milestones - points of a resume whose order the driver owns
 *
 * For drivers that cannot hand over their order of resume as a sequence. The
 * points are recorded as they are reached; code can require one.
 */
struct drm_virt_pm_milestones {
	/** @names: The points in the order in which they have to be reached. */
	const char * const *names;

	/** @count: Number of @names, at most %DRM_VIRT_PM_MAX_STEPS. */
	unsigned int count;

	/** @reached: How many were reached in this resume. Internal. */
	unsigned int reached;

	/** @active: A resume is being recorded. Internal. */
	bool active;

	/** @last_ns: ktime of the last one, in nanoseconds. Internal. */
	s64 last_ns;
};

/**
 * struct drm_virt_pm_gate - entry gate for user space
 *
 * Taken at the entry of an ioctl, before any lock and before runtime PM.
 * Internal to the library; see drm_virt_pm_enter().
 */
struct drm_virt_pm_gate {
	/** @users: Number of tasks inside. */
	atomic_t users;

	/** @closed: Set while nobody is let in. */
	bool closed;

	/** @entry: Where tasks wait to be let in. */
	wait_queue_head_t entry;

	/** @idle: Where the closer waits for the last task to leave. */
	wait_queue_head_t idle;
};

/**
 * struct drm_virt_pm_queue_ops - what the library must know of a queue
 */
struct drm_virt_pm_queue_ops {
	/**
	 * @count:
	 *
	 * Counts the entries queued since probe and, of these, those which the
	 * host has not given back yet. The latter by the real size of the
	 * ring: an allocation may have made it smaller than the device's
	 * maximum (virtio 1.2, 4.1.4.3, queue_size). Descriptors may stand
	 * for entries in @pending: it only has to be 0 when the ring is empty
	 * and to fall when something comes back. Both wrap.
	 *
	 * Context: May be called as the condition of a wait on
	 * &drm_virt_pm_queue.progress; must not sleep.
	 *
	 * This callback is mandatory.
	 */
	void (*count)(struct drm_virt_pm_queue *queue, unsigned int *queued,
		      unsigned int *pending);

	/**
	 * @kick:
	 *
	 * Notifies the host of what was queued and not notified yet.
	 *
	 * Context: May sleep.
	 *
	 * This callback is optional.
	 */
	void (*kick)(struct drm_virt_pm_queue *queue);

	/**
	 * @flush:
	 *
	 * Waits until every entry that the host has given back has been
	 * handled: an empty ring alone does not say that.
	 *
	 * Context: May sleep.
	 *
	 * This callback is mandatory.
	 */
	void (*flush)(struct drm_virt_pm_queue *queue);
};

/**
 * struct drm_virt_pm_queue - a queue that can be drained and stopped
 *
 * Typically embedded in the driver's own queue structure.
 */
struct drm_virt_pm_queue {
	/** @vpm: The device that the queue belongs to. */
	struct drm_virt_pm *vpm;

	/** @name: Name for traces and messages. */
	const char *name;

	/** @ops: The driver's callbacks. */
	const struct drm_virt_pm_queue_ops *ops;

	/** @lock: The driver's lock around the use of the queue; protects @stopped. */
	spinlock_t *lock;

	/** @progress: Woken by the driver whenever entries came back. */
	wait_queue_head_t *progress;

	/** @stopped: Nothing may be queued. Protected by @lock. */
	bool stopped;
};

/**
 * enum drm_virt_pm_object_state - what the library knows of a tracked object
 *
 * Whether it is on the device now also depends on the epoch, see
 * drm_virt_pm_object_is_resident().
 */
enum drm_virt_pm_object_state {
	/** @DRM_VIRT_PM_OBJECT_IDLE: Nobody is restoring it. */
	DRM_VIRT_PM_OBJECT_IDLE,

	/** @DRM_VIRT_PM_OBJECT_RESTORING: A task is putting it back on the device. */
	DRM_VIRT_PM_OBJECT_RESTORING,

	/** @DRM_VIRT_PM_OBJECT_LOST: It cannot come back; final. */
	DRM_VIRT_PM_OBJECT_LOST,
};

/**
 * struct drm_virt_pm_object - base of a thing that lives on the device
 *
 * Embedded in the driver's object. Zero-filled memory is a valid object that
 * is not on the device, but drm_virt_pm_object_init() has to be called before
 * anything else.
 */
struct drm_virt_pm_object {
	/**
	 * @epoch: Reset epoch in which it was last put on the device, 0 for
	 * never. Written under &drm_virt_pm.lock.
	 */
	u32 epoch;

	/** @id: Name of the object for people: what the host calls it. */
	u32 id;

	/** @state: Protected by &drm_virt_pm.lock. */
	enum drm_virt_pm_object_state state;

	/**
	 * @eager: Entry in &drm_virt_pm.eager; empty for objects that come
	 * back on first use. Protected by &drm_virt_pm.lock.
	 */
	struct list_head eager;
};

/**
 * struct drm_virt_pm_ops - the driver's side
 */
struct drm_virt_pm_ops {
	/**
	 * @check:
	 *
	 * Tells whether everything that is on the device could be put back
	 * after a reset. Called before tasks are frozen (PM notifier) and
	 * again by drm_virt_pm_check(), which a driver calls with tasks
	 * frozen, because what is used may have changed meanwhile. Never
	 * called for %DRM_VIRT_PM_RESTORE.
	 *
	 * A driver that knows the device to keep its state in @transition
	 * returns 0.
	 *
	 * Context: May sleep; no lock of the library is held. Has no side
	 * effect.
	 *
	 * Return: 0, or a negative errno (usually -EBUSY) after writing to
	 * @why what is in the way: counts and kinds, no device name, no
	 * newline, for instance "2 contexts with 3D work".
	 *
	 * This callback is optional.
	 */
	int (*check)(struct drm_virt_pm *vpm,
		     enum drm_virt_pm_transition transition,
		     struct seq_buf *why);

	/**
	 * @reserve:
	 *
	 * Calls drm_virt_pm_reserve() once for each piece of memory that the
	 * resume will need. Called from the PM notifier and again from
	 * drm_virt_pm_reserve_fill().
	 *
	 * Context: May sleep and allocate; no lock of the library is held.
	 *
	 * Return: 0, or -ENOMEM as drm_virt_pm_reserve() gave it.
	 *
	 * This callback is optional.
	 */
	int (*reserve)(struct drm_virt_pm *vpm);

	/**
	 * @object_restore:
	 *
	 * Puts @obj on the device again, as drm_virt_pm_object_use() found it
	 * stale. Commands have to be queued when this returns, the host need
	 * not have answered.
	 *
	 * Context: The caller of drm_virt_pm_object_use(); may sleep. No lock
	 * of the library is held; other users of the same object wait for it.
	 *
	 * Return: 0; -ENOMEM, -ENODEV, -EINTR or -ERESTARTSYS to leave the
	 * object stale, so that the next user tries again; any other negative
	 * errno to lose it.
	 *
	 * This callback is mandatory for drivers that track objects.
	 */
	int (*object_restore)(struct drm_virt_pm *vpm,
			      struct drm_virt_pm_object *obj);

	/**
	 * @object_get:
	 *
	 * Takes a reference on @obj unless it is being freed.
	 *
	 * Context: &drm_virt_pm.lock is held: must not sleep.
	 *
	 * Return: true if a reference was taken.
	 *
	 * This callback is mandatory for drivers with eager objects.
	 */
	bool (*object_get)(struct drm_virt_pm_object *obj);

	/**
	 * @object_put:
	 *
	 * Drops the reference of @object_get.
	 *
	 * Context: May sleep; no lock of the library is held.
	 *
	 * This callback is mandatory for drivers with eager objects.
	 */
	void (*object_put)(struct drm_virt_pm_object *obj);

	/**
	 * @resume_deferred:
	 *
	 * Does the resume that drm_virt_pm_defer_resume() put off.
	 *
	 * Context: Freezable work with the device lock held; tasks run.
	 *
	 * Return: 0, or a negative errno: the device is lost then.
	 *
	 * This callback is mandatory for drivers that defer.
	 */
	int (*resume_deferred)(struct drm_virt_pm *vpm);

	/**
	 * @lost:
	 *
	 * Makes the loss known to user space, for instance with
	 * drm_dev_unplug(). Called once.
	 *
	 * Context: Freezable work, never a PM callback or notifier; the
	 * device lock is not held.
	 *
	 * This callback is optional.
	 */
	void (*lost)(struct drm_virt_pm *vpm);

	/**
	 * @owns:
	 *
	 * Tells whether @buf was exported by this device, so that an importer
	 * can find out whether its exporter is up: see
	 * drm_virt_pm_exporter_ready().
	 *
	 * Context: May be called under the list lock of the library: must not
	 * sleep.
	 *
	 * Return: true if this device exported @buf.
	 *
	 * This callback is optional.
	 */
	bool (*owns)(struct drm_virt_pm *vpm, struct dma_buf *buf);
};

/**
 * struct drm_virt_pm - suspend and resume of one virtual GPU
 *
 * Typically, this structure is embedded in the driver's device structure.
 * Drivers should not modify its members directly.
 */
struct drm_virt_pm {
	/** @drm: The DRM device. */
	struct drm_device *drm;

	/** @ops: The driver's callbacks. */
	const struct drm_virt_pm_ops *ops;

	/** @steps: The sequence, NULL for drivers that own their order. */
	const struct drm_virt_pm_step *steps;

	/** @num_steps: Number of @steps. */
	unsigned int num_steps;

	/** @milestones: The points of a resume whose order the driver owns. */
	struct drm_virt_pm_milestones milestones;

	/**
	 * @lock: Protects @online, @state, @walking, @deferred, @lost_reason,
	 * @refusal, @eager, @lost_objects, @reserve, the trails and the state
	 * of all objects. Innermost; never held over a callback that may sleep.
	 */
	spinlock_t lock;

	/** @online: Between drm_virt_pm_init() and drm_virt_pm_fini(). */
	bool online;

	/** @state: Where the device stands. */
	enum drm_virt_pm_state state;

	/**
	 * @epoch: Number of resets the device went through, counted from 1.
	 * What is on the device was created in the current epoch. Changed
	 * only while nothing can be queued, so it may be read without @lock.
	 */
	u32 epoch;

	/** @gate: Entry gate. */
	struct drm_virt_pm_gate gate;

	/** @work: Looks after the device when the system is back. */
	struct delayed_work work;

	/** @deferred: A resume is owed, see drm_virt_pm_defer_resume(). */
	bool deferred;

	/** @walking: The steps are being walked. */
	bool walking;

	/** @lost_reported: &drm_virt_pm_ops.lost was called. */
	bool lost_reported;

	/** @lost_reason: Why the device was lost. */
	char lost_reason[64];

	/** @refusal: The last refusal, in words. */
	char refusal[160];

	/** @last_down: What the last suspend did. */
	struct drm_virt_pm_trail last_down;

	/** @last_up: What the last resume did. */
	struct drm_virt_pm_trail last_up;

	/** @object_wait: Woken when an object leaves RESTORING. */
	wait_queue_head_t object_wait;

	/** @eager: Objects to restore at once rather than on first use. */
	struct list_head eager;

	/** @tracked: Number of objects the driver has created and not freed. */
	atomic_t tracked;

	/** @resident: Number of them that are on the device in this epoch. */
	atomic_t resident;

	/** @restored: Number of restores since initialisation. */
	atomic64_t restored;

	/** @num_lost: Number of objects that were lost. */
	atomic_t num_lost;

	/** @lost_objects: The last of them, for debugfs. */
	struct {
		/** @lost_objects.id: &drm_virt_pm_object.id */
		u32 id;

		/** @lost_objects.err: Negative errno. */
		int err;
	} lost_objects[8];

	/** @reserve: Memory for the resume, see drm_virt_pm_alloc(). */
	struct list_head reserve;

	/** @reserve_bytes: Size of what is in @reserve. */
	size_t reserve_bytes;

	/** @reserve_used: Number of allocations that @reserve served. */
	unsigned int reserve_used;

	/** @node: Entry in the library's list of devices. */
	struct list_head node;

	/** @walkers: References of walks over that list; protected by its lock. */
	unsigned int walkers;

	/** @walk: The last walk that saw this device; protected by that lock. */
	u64 walk;
};

/* device */
int drm_virt_pm_init(struct drm_virt_pm *vpm, struct drm_device *drm,
		     const struct drm_virt_pm_ops *ops,
		     const struct drm_virt_pm_step *steps,
		     unsigned int num_steps);
void drm_virt_pm_fini(struct drm_virt_pm *vpm);
int drm_virt_pm_suspend(struct drm_virt_pm *vpm);
int drm_virt_pm_resume(struct drm_virt_pm *vpm);
void drm_virt_pm_device_reset(struct drm_virt_pm *vpm);
void drm_virt_pm_device_lost(struct drm_virt_pm *vpm, const char *reason);
void drm_virt_pm_defer_resume(struct drm_virt_pm *vpm);
void drm_virt_pm_cancel_deferred(struct drm_virt_pm *vpm);
bool drm_virt_pm_exporter_ready(struct dma_buf *buf);

/**
 * drm_virt_pm_is_lost - whether a device was given up
 * @vpm: the device
 *
 * Context: Any context. A hint: the device may be lost right after.
 *
 * Return: true if it was.
 */
static inline bool drm_virt_pm_is_lost(const struct drm_virt_pm *vpm)
{
	return READ_ONCE(vpm->state) == DRM_VIRT_PM_LOST;
}

/* transitions and refusals */
enum drm_virt_pm_transition drm_virt_pm_get_transition(void);
unsigned int drm_virt_pm_stall_ms(void);
int drm_virt_pm_check(struct drm_virt_pm *vpm);
void drm_virt_pm_refuse(struct drm_virt_pm *vpm, int err, const char *reason);

/* milestones */
void drm_virt_pm_milestones_init(struct drm_virt_pm *vpm,
				 const char * const *names, unsigned int count);
void drm_virt_pm_milestones_begin(struct drm_virt_pm *vpm);
void drm_virt_pm_milestones_end(struct drm_virt_pm *vpm);
int drm_virt_pm_milestone_reach(struct drm_virt_pm *vpm, unsigned int milestone);
int drm_virt_pm_milestone_require(struct drm_virt_pm *vpm,
				  unsigned int milestone);

/* entry gate */
int drm_virt_pm_enter(struct drm_virt_pm *vpm);
int __drm_virt_pm_pass(struct drm_virt_pm *vpm);
void drm_virt_pm_exit(struct drm_virt_pm *vpm);
int drm_virt_pm_gate_close(struct drm_virt_pm *vpm, unsigned int timeout_ms);
void drm_virt_pm_gate_open(struct drm_virt_pm *vpm);

/**
 * drm_virt_pm_pass - pass the entry gate without being counted
 * @vpm: the device
 *
 * Two loads while the gate is open. For drivers that close it only while user
 * space is frozen, so that drm_virt_pm_gate_close() has nobody to wait for. A
 * frozen task is then in front of the gate, out of the kernel, or in an ioctl
 * where it touches its own memory, as that may be a file on NFS. In such a
 * place it must not rely on anything that a reset takes.
 *
 * Context: As drm_virt_pm_enter().
 *
 * Return: 0; -ERESTARTSYS if a signal came while waiting; -ENODEV if the
 * device is lost.
 */
static inline int drm_virt_pm_pass(struct drm_virt_pm *vpm)
{
	if (likely(!READ_ONCE(vpm->gate.closed) && !drm_virt_pm_is_lost(vpm)))
		return 0;

	return __drm_virt_pm_pass(vpm);
}

/* queues */
void drm_virt_pm_queue_init(struct drm_virt_pm_queue *queue,
			    struct drm_virt_pm *vpm, const char *name,
			    const struct drm_virt_pm_queue_ops *ops,
			    spinlock_t *lock, wait_queue_head_t *progress);
int drm_virt_pm_queue_drain(struct drm_virt_pm_queue *queue,
			    unsigned int stall_ms);
void drm_virt_pm_queue_stop(struct drm_virt_pm_queue *queue);
void drm_virt_pm_queue_start(struct drm_virt_pm_queue *queue);

/**
 * drm_virt_pm_queue_stopped - whether a queue takes nothing
 * @queue: the queue
 *
 * To be asked where the queue's pointer is about to be used. What is refused
 * has to be completed with an error by the driver, its fence above all.
 *
 * Context: &drm_virt_pm_queue.lock is held.
 *
 * Return: true if nothing may be queued.
 */
static inline bool
drm_virt_pm_queue_stopped(const struct drm_virt_pm_queue *queue)
{
	lockdep_assert_held(queue->lock);

	return queue->stopped;
}

/* objects */
void drm_virt_pm_object_init(struct drm_virt_pm_object *obj);
void drm_virt_pm_object_created(struct drm_virt_pm *vpm,
				struct drm_virt_pm_object *obj, u32 id);
void drm_virt_pm_object_forget(struct drm_virt_pm *vpm,
			       struct drm_virt_pm_object *obj);
void drm_virt_pm_object_released(struct drm_virt_pm *vpm,
				 struct drm_virt_pm_object *obj);
int drm_virt_pm_object_restore(struct drm_virt_pm *vpm,
			       struct drm_virt_pm_object *obj);
void drm_virt_pm_object_lose(struct drm_virt_pm *vpm,
			     struct drm_virt_pm_object *obj, int err);
void drm_virt_pm_object_set_eager(struct drm_virt_pm *vpm,
				  struct drm_virt_pm_object *obj, bool eager);
void drm_virt_pm_objects_restore_eager(struct drm_virt_pm *vpm);

/**
 * drm_virt_pm_object_is_resident - whether an object is on the device now
 * @vpm: the device
 * @obj: the object
 *
 * Context: Any context, takes no lock. Stable only while the device cannot be
 * reset, that is inside the gate or in a PM callback; a hint elsewhere.
 *
 * Return: true if it was created since the last reset.
 */
static inline bool
drm_virt_pm_object_is_resident(const struct drm_virt_pm *vpm,
			       const struct drm_virt_pm_object *obj)
{
	return READ_ONCE(obj->epoch) == READ_ONCE(vpm->epoch);
}

/**
 * drm_virt_pm_object_use - make sure that an object is on the device
 * @vpm: the device
 * @obj: the object
 *
 * To be called where an object is about to be named to the device and where
 * sleeping, allocating and failing are allowed. One comparison when it is
 * there already; otherwise see drm_virt_pm_object_restore().
 *
 * Context: May sleep. No dma_resv lock and no lock that
 * &drm_virt_pm_ops.object_restore takes may be held.
 *
 * Return: 0, or a negative errno as drm_virt_pm_object_restore() gives it.
 */
static inline int drm_virt_pm_object_use(struct drm_virt_pm *vpm,
					 struct drm_virt_pm_object *obj)
{
	if (likely(drm_virt_pm_object_is_resident(vpm, obj)))
		return 0;

	return drm_virt_pm_object_restore(vpm, obj);
}

/* reserve */
int drm_virt_pm_reserve(struct drm_virt_pm *vpm, size_t size);
int drm_virt_pm_reserve_fill(struct drm_virt_pm *vpm);
void drm_virt_pm_reserve_release(struct drm_virt_pm *vpm);
void *drm_virt_pm_alloc(struct drm_virt_pm *vpm, size_t size);

#endif
