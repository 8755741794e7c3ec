/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef VIRTGPU_PM_H
#define VIRTGPU_PM_H

#include <linux/atomic.h>
#include <linux/fs.h>
#include <linux/llist.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/notifier.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/virtio_gpu.h>
#include <linux/workqueue.h>

#include <drm/drm_virt_pm.h>

struct drm_device;
struct drm_file;
struct drm_plane;
struct drm_plane_state;
struct seq_buf;
struct seq_file;
struct virtio_device;
struct virtio_gpu_device;
struct virtio_gpu_drv_cap_cache;
struct virtio_gpu_fence;
struct virtio_gpu_fpriv;
struct virtio_gpu_mem_entry;
struct virtio_gpu_object;
struct virtio_gpu_object_array;
struct virtio_gpu_object_params;
struct virtio_gpu_pm_content;
struct virtio_gpu_queue;
struct virtio_gpu_vbuffer;
struct virtio_gpu_virgl;

#ifdef CONFIG_DRM_VIRTIO_GPU_VIRGL_RESTORE
/**
 * struct virtio_gpu_pm_virgl - what brings back what 3D programs have on the host
 */
struct virtio_gpu_pm_virgl {
	/** @lock: Protects @objects, @round of an object, and @bytes. */
	spinlock_t lock;

	/** @objects: All whose content can be saved. */
	struct list_head objects;

	/** @round: Of the last walk over @objects. */
	u32 round;

	/** @bytes: What their content needs. */
	u64 bytes;

	/** @nb: Sets memory aside before tasks freeze. */
	struct notifier_block nb;

	/** @probe_lock: Held while the host is asked whether a context lives. */
	struct mutex probe_lock;

	/** @probe_id: Name of a buffer for that, or 0. */
	u32 probe_id;

	/** @caps_lock: Protects @caps, @caps_epoch and @caps_same. */
	struct mutex caps_lock;

	/** @caps: Capability sets of the host before the reset. */
	struct virtio_gpu_drv_cap_cache *caps[2];

	/** @caps_epoch: Reset epoch in which they were compared. */
	u32 caps_epoch;

	/** @caps_same: They are the same now. */
	bool caps_same;

	/** @returned: Number of contexts that were made again. */
	atomic_t returned;

	/** @lost: Number of contexts that were not. */
	atomic_t lost;
};
#endif

/**
 * struct virtio_gpu_pm - suspend and resume of the device
 */
struct virtio_gpu_pm {
	/** @base: The library's part. */
	struct drm_virt_pm base;

	/** @refresh_work: Announces outputs that changed over a reset. */
	struct delayed_work refresh_work;

	/** @refresh_tries: How often @refresh_work may still be queued again. */
	unsigned int refresh_tries;

	/**
	 * @refresh_lock: Held to ask for the outputs and to announce changes. A
	 * connector must not be probed while its EDID is replaced.
	 */
	struct mutex refresh_lock;

	/** @not_asked: virtio_gpu_pm_refresh_outputs() did not get that lock. */
	bool not_asked;

	/** @before: The outputs before the reset. */
	struct {
		/** @before.info: Geometry. */
		struct virtio_gpu_display_one info;

		/** @before.edid: &drm_connector.epoch_counter */
		u64 edid;
	} before[VIRTIO_GPU_MAX_SCANOUTS];

	/** @num_outputs: Number of outputs of the host that runs now. */
	unsigned int num_outputs;

	/**
	 * @bounded: A PM callback stops or starts KMS, so that a wait for room
	 * in a queue must end.
	 */
	bool bounded;

	/** @stalled: Such a wait ended without room, and the queues were stopped. */
	bool stalled;

	/** @refused: The host did not show something, and said so. */
	bool refused;

	/** @unshown: KMS was not suspended over the reset, so that outputs are dark. */
	bool unshown;

	/** @showing: A commit tells the host of what is shown already. */
	bool showing;

	/** @lost_before: &drm_virt_pm.num_lost when the resume of KMS began. */
	unsigned int lost_before;

	/** @forced: The suspend is that of a reset, which cannot be refused. */
	bool forced;

	/** @live_reset: The device was reset while tasks ran. */
	bool live_reset;

	/** @not_reset: The last reset failed: the device may still do DMA. */
	bool not_reset;

	/**
	 * @reset_lock: Held over a reset of the device, and to look whether there
	 * was one.
	 */
	struct mutex reset_lock;

	/** @reset_epoch: The reset epoch that the last reset ends or has ended. */
	u32 reset_epoch;

	/** @keeps_resources: The host still knows resources after a reset. */
	bool keeps_resources;

	/** @probed_epoch: Reset epoch in which @keeps_resources was found out. */
	u32 probed_epoch;

	/** @kept: Objects that are freed after the next reset. */
	struct llist_head kept;

	/** @hang_work: Gives up a device that hangs outside of PM callbacks. */
	struct delayed_work hang_work;

	/** @hang_epoch: Reset epoch in which @hang_work was queued. */
	u32 hang_epoch;

	/** @host_only: Number of objects whose content only the host has. */
	atomic_t host_only;

	/** @uuids_taken: Number of objects whose UUID another device has. */
	atomic_t uuids_taken;

#ifdef CONFIG_DRM_VIRTIO_GPU_VIRGL_RESTORE
	/** @virgl: What 3D programs have on the host. */
	struct virtio_gpu_pm_virgl virgl;
#endif
};

/**
 * struct virtio_gpu_pm_object - restore of an object
 */
struct virtio_gpu_pm_object {
	/** @base: The library's part. */
	struct drm_virt_pm_object base;

	/** @kept: Entry in &virtio_gpu_pm.kept. */
	struct llist_node kept;

	/**
	 * @restore:
	 *
	 * Restores an import; NULL for objects with pages of their own.
	 *
	 * Context: As &drm_virt_pm_ops.restore.
	 *
	 * Return: As &drm_virt_pm_ops.restore.
	 */
	int (*restore)(struct virtio_gpu_object *bo);

	/**
	 * @restoring: Reset epoch in which it is being restored, so that commands
	 * may name it although it is not resident yet; 0 for none.
	 */
	u32 restoring;

	/** @create_err: 0, or why the last command to create it was not queued. */
	int create_err;

	/** @probing: A restore waits for the answer to the command that creates it. */
	bool probing;

	/** @exists: The host refused to create it, because it knows the id. */
	bool exists;

	/** @host_only: Counted in &virtio_gpu_pm.host_only. */
	bool host_only;

	/** @has_uuid: A UUID was asked for. */
	bool has_uuid;

	/** @uuid_taken: Counted in &virtio_gpu_pm.uuids_taken. */
	bool uuid_taken;

#ifdef CONFIG_DRM_VIRTIO_GPU_VIRGL_RESTORE
	/** @virgl: Entry in &virtio_gpu_pm_virgl.objects, or not in a list. */
	struct list_head virgl;

	/** @round: Of the last walk over that list. */
	u32 round;

	/** @content: Where its content is saved; NULL without memory for it. */
	struct virtio_gpu_pm_content *content;
#endif
};

/**
 * struct virtio_gpu_pm_context - restore of a rendering context
 *
 * On a host with 3D every file that uses a buffer has a context, also that of
 * fbdev. A context without 3D work is empty and can be created again.
 */
struct virtio_gpu_pm_context {
	/** @epoch: Reset epoch in which the host created it. */
	u32 epoch;

	/** @unattached: Error for which a buffer is not attached to it, or 0. */
	int unattached;

	/**
	 * @user: The process that did the first 3D work with it; NULL as long as
	 * the host has no state of it. Another process can have opened the file:
	 * seatd and logind open the device for a compositor.
	 */
	struct pid *user;

#ifdef CONFIG_DRM_VIRTIO_GPU_VIRGL_CENSUS
	/** @virgl: What its streams have left on the host; NULL if not known. */
	struct virtio_gpu_virgl *virgl;
#endif
};

/* order */
extern const struct file_operations virtio_gpu_pm_fops;
void virtio_gpu_pm_separate(struct seq_buf *why);
void virtio_gpu_pm_print_program(struct seq_buf *why, struct pid *pid);
int virtio_gpu_pm_init(struct virtio_gpu_device *vgdev);
void virtio_gpu_pm_unplug(struct drm_device *ddev);
void virtio_gpu_pm_fini(struct virtio_gpu_device *vgdev);
int virtio_gpu_pm_freeze(struct virtio_device *vdev);
int virtio_gpu_pm_restore(struct virtio_device *vdev);
int virtio_gpu_pm_reset_prepare(struct virtio_device *vdev);
int virtio_gpu_pm_reset_done(struct virtio_device *vdev);

/* queues */
void virtio_gpu_pm_reclaim_vbufs(struct virtio_gpu_device *vgdev);
void virtio_gpu_pm_init_queues(struct virtio_gpu_device *vgdev);
void virtio_gpu_pm_start_queues(struct virtio_gpu_device *vgdev);
void virtio_gpu_pm_stop_queues(struct virtio_gpu_device *vgdev);
bool virtio_gpu_pm_queue_stopped(struct virtio_gpu_device *vgdev,
				 struct virtio_gpu_queue *vgvq,
				 struct virtio_gpu_vbuffer *vbuf);
void virtio_gpu_pm_wait_room(struct virtio_gpu_device *vgdev,
			     struct virtio_gpu_queue *vgvq,
			     unsigned int elemcnt);
void virtio_gpu_pm_refuse(struct virtio_gpu_device *vgdev,
			  struct virtio_gpu_vbuffer *vbuf,
			  struct virtio_gpu_fence *fence);
void virtio_gpu_pm_abandon(struct virtio_gpu_device *vgdev,
			   struct virtio_gpu_vbuffer *vbuf);
int virtio_gpu_pm_drain(struct virtio_gpu_device *vgdev);
int virtio_gpu_pm_host_alive(struct virtio_gpu_device *vgdev);
bool virtio_gpu_pm_is_reachable(struct virtio_gpu_device *vgdev);
bool virtio_gpu_pm_reset_device(struct virtio_gpu_device *vgdev);
void virtio_gpu_pm_reset(struct virtio_gpu_device *vgdev);
void virtio_gpu_pm_delete_queues(struct virtio_gpu_device *vgdev);
bool virtio_gpu_pm_host_forgot(struct virtio_gpu_device *vgdev,
			       struct virtio_gpu_object *bo);
void virtio_gpu_pm_host_hangs(struct virtio_gpu_device *vgdev,
			      struct virtio_gpu_object *bo);

/* resources and contexts */
struct virtio_gpu_object_array *
virtio_gpu_pm_hold(struct virtio_gpu_object *bo);
u32 virtio_gpu_pm_object_id(struct virtio_gpu_object *bo);
u32 virtio_gpu_pm_command_id(struct virtio_gpu_object *bo,
			     struct virtio_gpu_vbuffer *vbuf);
void virtio_gpu_pm_object_create(struct virtio_gpu_device *vgdev,
				 struct virtio_gpu_object *bo,
				 const struct virtio_gpu_object_params *params,
				 struct virtio_gpu_vbuffer *vbuf);
void virtio_gpu_pm_object_created(struct virtio_gpu_device *vgdev,
				  struct virtio_gpu_object *bo, int ret);
bool virtio_gpu_pm_object_resident(struct virtio_gpu_object *bo);
bool virtio_gpu_pm_object_was_resident(struct virtio_gpu_object *bo);
bool virtio_gpu_pm_object_release(struct virtio_gpu_object *bo);
void virtio_gpu_pm_free_after_reset(struct virtio_gpu_object *bo);
void virtio_gpu_pm_free_kept(struct virtio_gpu_device *vgdev);
bool virtio_gpu_pm_response_error(struct virtio_gpu_device *vgdev,
				  struct virtio_gpu_vbuffer *vbuf);
int virtio_gpu_pm_object_use(struct virtio_gpu_object *bo);
int virtio_gpu_pm_array_use(struct virtio_gpu_object_array *objs);
void virtio_gpu_pm_context_created(struct virtio_gpu_fpriv *vfpriv, u32 epoch);
bool virtio_gpu_pm_context_stale(struct virtio_gpu_device *vgdev,
				 struct virtio_gpu_fpriv *vfpriv);
void virtio_gpu_pm_context_attach_all(struct virtio_gpu_device *vgdev,
				      struct drm_file *file);
int virtio_gpu_pm_context_ready(struct virtio_gpu_device *vgdev,
				struct drm_file *file);
void virtio_gpu_pm_context_used(struct drm_file *file);
void virtio_gpu_pm_context_closed(struct virtio_gpu_fpriv *vfpriv);

/* restore */
void virtio_gpu_cmd_unref_stale(struct virtio_gpu_device *vgdev,
				struct virtio_gpu_object *bo);
int virtio_gpu_pm_restore_object(struct drm_virt_pm *vpm,
				 struct drm_virt_pm_object *obj);
int virtio_gpu_pm_restore_blob(struct virtio_gpu_device *vgdev,
			       struct virtio_gpu_object *bo,
			       struct virtio_gpu_mem_entry *ents,
			       unsigned int nents);
void virtio_gpu_pm_uuid_asked(struct virtio_gpu_object *bo);
int virtio_gpu_pm_uuid_take(struct virtio_gpu_object *bo);

/* outputs */
void virtio_gpu_pm_init_outputs(struct virtio_gpu_device *vgdev);
void virtio_gpu_pm_fini_outputs(struct virtio_gpu_device *vgdev);
bool virtio_gpu_pm_has_output(struct virtio_gpu_device *vgdev,
			      unsigned int index);
void virtio_gpu_pm_forget_display_info(struct virtio_gpu_device *vgdev);
void virtio_gpu_pm_note_outputs(struct virtio_gpu_device *vgdev, bool idle);
void virtio_gpu_pm_count_outputs(struct virtio_gpu_device *vgdev);
void virtio_gpu_pm_refresh_outputs(struct virtio_gpu_device *vgdev);
void virtio_gpu_pm_announce_outputs(struct virtio_gpu_device *vgdev);
bool virtio_gpu_pm_cursor_changed(struct drm_plane *plane,
				  struct drm_plane_state *old_state);
bool virtio_gpu_pm_kms_idle(struct virtio_gpu_device *vgdev);
int virtio_gpu_pm_suspend_kms(struct virtio_gpu_device *vgdev);
int virtio_gpu_pm_resume_kms(struct virtio_gpu_device *vgdev);
int virtio_gpu_pm_plane_use(struct drm_plane *plane,
			    struct virtio_gpu_object *bo);

/* What 3D programs have on the host comes back */
#ifdef CONFIG_DRM_VIRTIO_GPU_VIRGL_RESTORE
extern bool virtio_gpu_virgl_restore;
int virtio_gpu_pm_virgl_init(struct virtio_gpu_device *vgdev);
bool virtio_gpu_pm_content_known(struct virtio_gpu_device *vgdev,
				 const struct virtio_gpu_object_params *params);
u64 virtio_gpu_pm_content_bytes(const struct virtio_gpu_object_params *params);
void virtio_gpu_pm_content_add(struct virtio_gpu_device *vgdev,
			       struct virtio_gpu_object *bo);
void virtio_gpu_pm_content_remove(struct virtio_gpu_device *vgdev,
				  struct virtio_gpu_object *bo);
void virtio_gpu_pm_content_check(struct virtio_gpu_device *vgdev, struct seq_buf *why);
int virtio_gpu_pm_content_prepare(struct virtio_gpu_device *vgdev);
void virtio_gpu_pm_content_finish(struct virtio_gpu_device *vgdev);
int virtio_gpu_pm_content_save(struct drm_virt_pm *vpm,
			       struct drm_virt_pm_object *obj);
int virtio_gpu_pm_content_restore(struct virtio_gpu_device *vgdev,
				  struct virtio_gpu_object *bo);
int virtio_gpu_pm_virgl_save(struct virtio_gpu_device *vgdev);
bool virtio_gpu_pm_virgl_returns(struct virtio_gpu_fpriv *vfpriv);
bool virtio_gpu_pm_virgl_lost(struct virtio_gpu_fpriv *vfpriv);
int virtio_gpu_pm_virgl_survive(struct drm_file *file);
void virtio_gpu_pm_virgl_return(struct virtio_gpu_device *vgdev,
				struct drm_file *file);
int virtio_gpu_pm_virgl_recheck(struct drm_file *file,
				struct virtio_gpu_object_array *objs);
void virtio_gpu_pm_virgl_settle(struct virtio_gpu_fpriv *vfpriv);
void virtio_gpu_pm_virgl_show_returns(struct drm_virt_pm *vpm, struct seq_file *m);
#else
#define virtio_gpu_virgl_restore	false
#define virtio_gpu_pm_content_save	NULL

static inline int virtio_gpu_pm_virgl_init(struct virtio_gpu_device *vgdev)
{
	return 0;
}

static inline bool
virtio_gpu_pm_content_known(struct virtio_gpu_device *vgdev,
			    const struct virtio_gpu_object_params *params)
{
	return false;
}

static inline void virtio_gpu_pm_content_add(struct virtio_gpu_device *vgdev,
					     struct virtio_gpu_object *bo)
{
}

static inline void virtio_gpu_pm_content_remove(struct virtio_gpu_device *vgdev,
						struct virtio_gpu_object *bo)
{
}

static inline void virtio_gpu_pm_content_check(struct virtio_gpu_device *vgdev,
					       struct seq_buf *why)
{
}

static inline int virtio_gpu_pm_content_restore(struct virtio_gpu_device *vgdev,
						struct virtio_gpu_object *bo)
{
	return -EIO;
}

static inline int virtio_gpu_pm_virgl_save(struct virtio_gpu_device *vgdev)
{
	return 0;
}

static inline bool virtio_gpu_pm_virgl_returns(struct virtio_gpu_fpriv *vfpriv)
{
	return false;
}

static inline bool virtio_gpu_pm_virgl_lost(struct virtio_gpu_fpriv *vfpriv)
{
	return false;
}

static inline int virtio_gpu_pm_virgl_survive(struct drm_file *file)
{
	return -EIO;
}

static inline void virtio_gpu_pm_virgl_return(struct virtio_gpu_device *vgdev,
					      struct drm_file *file)
{
}

static inline void virtio_gpu_pm_virgl_settle(struct virtio_gpu_fpriv *vfpriv)
{
}

static inline void virtio_gpu_pm_virgl_show_returns(struct drm_virt_pm *vpm,
						    struct seq_file *m)
{
}

static inline int virtio_gpu_pm_virgl_recheck(struct drm_file *file,
					      struct virtio_gpu_object_array *objs)
{
	return 0;
}
#endif

/* census of virgl contexts */
#ifdef CONFIG_DRM_VIRTIO_GPU_VIRGL_CENSUS
extern bool virtio_gpu_virgl_census;
bool virtio_gpu_pm_virgl_print(struct drm_file *file, struct seq_buf *why);
bool virtio_gpu_pm_virgl_complete(struct drm_file *file);
void virtio_gpu_pm_virgl_show(struct drm_virt_pm *vpm, struct seq_file *m);
void virtio_gpu_pm_virgl_start(struct virtio_gpu_fpriv *vfpriv);
void virtio_gpu_pm_virgl_end(struct virtio_gpu_fpriv *vfpriv);
void virtio_gpu_pm_virgl_lock(struct virtio_gpu_fpriv *vfpriv, const void *buf,
			      u32 size);
void virtio_gpu_pm_virgl_unlock(struct virtio_gpu_fpriv *vfpriv);
#else
#define virtio_gpu_pm_virgl_show	NULL

static inline bool virtio_gpu_pm_virgl_print(struct drm_file *file,
					     struct seq_buf *why)
{
	return false;
}

static inline bool virtio_gpu_pm_virgl_complete(struct drm_file *file)
{
	return false;
}

static inline void virtio_gpu_pm_virgl_start(struct virtio_gpu_fpriv *vfpriv)
{
}

static inline void virtio_gpu_pm_virgl_end(struct virtio_gpu_fpriv *vfpriv)
{
}

static inline void virtio_gpu_pm_virgl_lock(struct virtio_gpu_fpriv *vfpriv,
					    const void *buf, u32 size)
{
}

static inline void virtio_gpu_pm_virgl_unlock(struct virtio_gpu_fpriv *vfpriv)
{
}
#endif

#endif
