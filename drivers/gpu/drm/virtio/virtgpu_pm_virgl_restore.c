// SPDX-License-Identifier: GPL-2.0 OR MIT

#include <linux/file.h>
#include <linux/fs.h>
#include <linux/idr.h>
#include <linux/moduleparam.h>
#include <linux/scatterlist.h>
#include <linux/seq_buf.h>
#include <linux/seq_file.h>
#include <linux/sort.h>
#include <linux/suspend.h>

#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_managed.h>
#include <drm/drm_print.h>

#include "virtgpu_drv.h"
#include "virtgpu_pm_virgl.h"

/*
 * Virgl contexts that come back after a reset.
 *
 * Memory for the content of resources is set aside when a transition is announced.
 * Each context is made a second time then, to see that the host takes it. The
 * content is read when all tasks are frozen. A context is made again when its
 * program uses it first.
 */

#define VIRGL_REHEARSAL		"rehearsal"

bool virtio_gpu_virgl_restore;
module_param_named(virgl_restore, virtio_gpu_virgl_restore, bool, 0444);
MODULE_PARM_DESC(virgl_restore,
		 "Bring 3D programs back after a reset, on a host that is the same (default off)");

/* The resources of a file, by name */
struct virgl_handles {
	struct drm_gem_object **obj;
	u32 *name;
	unsigned int num;
};

struct virgl_build {
	struct virgl_replay base;
	struct virtio_gpu_device *vgdev;
	u32 ctx_id;
};

/*
 * Making a context
 */

static void virgl_put_handles(struct virgl_handles *handles)
{
	unsigned int i;

	for (i = 0; i < handles->num; i++)
		drm_gem_object_put(handles->obj[i]);
	kvfree(handles->obj);
	kvfree(handles->name);
}

static unsigned int virgl_count_handles(struct drm_file *file)
{
	struct drm_gem_object *obj;
	unsigned int num = 0;
	int handle;

	spin_lock(&file->table_lock);
	idr_for_each_entry(&file->object_idr, obj, handle)
		num++;
	spin_unlock(&file->table_lock);

	return num;
}

/*
 * The resources that a file has. Those that it opens meanwhile are attached by
 * virtio_gpu_gem_object_open(), and nothing that is made again names them. Returns
 * 0 or -ENOMEM.
 */
static int virgl_get_handles(struct drm_file *file, struct virgl_handles *handles)
{
	unsigned int room = virgl_count_handles(file);
	struct virtio_gpu_object *bo;
	struct drm_gem_object *obj;
	int handle;

	*handles = (struct virgl_handles) {
		.obj = kvmalloc_array(room, sizeof(*handles->obj), GFP_KERNEL),
		.name = kvmalloc_array(room, sizeof(*handles->name), GFP_KERNEL),
	};
	if (room && (!handles->obj || !handles->name)) {
		virgl_put_handles(handles);
		return -ENOMEM;
	}

	spin_lock(&file->table_lock);
	idr_for_each_entry(&file->object_idr, obj, handle) {
		if (handles->num == room)
			break;
		bo = gem_to_virtio_gpu_obj(obj);
		drm_gem_object_get(obj);
		handles->obj[handles->num] = obj;
		handles->name[handles->num++] = bo->hw_res_handle;
	}
	spin_unlock(&file->table_lock);

	sort(handles->name, handles->num, sizeof(*handles->name),
	     virtio_gpu_virgl_compare_names, NULL);
	return 0;
}

static bool virgl_all_resident(const struct virgl_handles *handles)
{
	unsigned int i;

	for (i = 0; i < handles->num; i++)
		if (!virtio_gpu_pm_object_resident(gem_to_virtio_gpu_obj(handles->obj[i])))
			return false;

	return true;
}

/* Restore the resources of a file. Returns 0, or an errno if it may succeed later. */
static int virgl_use_all(struct drm_file *file)
{
	struct virgl_handles handles;
	unsigned int i;
	int ret;

	ret = virgl_get_handles(file, &handles);
	if (ret)
		return ret;

	for (i = 0; i < handles.num && (!ret || ret == -EIO); i++)
		ret = virtio_gpu_pm_object_use(gem_to_virtio_gpu_obj(handles.obj[i]));
	virgl_put_handles(&handles);

	/* without a resource that is lost the context is lost */
	return ret == -EIO ? 0 : ret;
}

static int virgl_submit(struct virgl_replay *replay, u32 *stream, u32 bytes)
{
	struct virgl_build *build = container_of(replay, struct virgl_build, base);
	struct virtio_gpu_cmd_submit command = {
		.hdr.type = cpu_to_le32(VIRTIO_GPU_CMD_SUBMIT_3D),
		.hdr.ctx_id = cpu_to_le32(build->ctx_id),
		.size = cpu_to_le32(bytes),
	};

	return virtio_gpu_cmd_pm(build->vgdev, &command, sizeof(command), stream, bytes);
}

/*
 * Make what a context had, in a new context of the host to which the resources are
 * attached. Returns 0 if the host took it.
 */
static int virgl_build(struct virtio_gpu_device *vgdev, struct virtio_gpu_virgl *virgl,
		       struct virgl_handles *handles, u32 ctx_id, bool rehearsal)
{
	struct virgl_build build = {
		.base = {
			.submit = virgl_submit,
			.resources = handles->name,
			.num_resources = handles->num,
			.rehearsal = rehearsal,
		},
		.vgdev = vgdev,
		.ctx_id = ctx_id,
	};
	int ret;

	mutex_lock(&virgl->lock);
	ret = virtio_gpu_virgl_replay(virgl, &build.base);
	if (!rehearsal)
		virgl->dangling += build.base.dangling;
	mutex_unlock(&virgl->lock);

	return ret ?: virtio_gpu_virgl_probe(vgdev, ctx_id);
}

/*
 * Contexts after the reset
 */

static void virgl_lose(struct virtio_gpu_device *vgdev, struct drm_file *file,
		       const char *why, int err)
{
	struct virtio_gpu_fpriv *vfpriv = file->driver_priv;
	char program[40];
	struct seq_buf buf;

	WRITE_ONCE(vfpriv->pm.virgl->lost, true);
	atomic_inc(&vgdev->pm.virgl.lost);
	seq_buf_init(&buf, program, sizeof(program));
	virtio_gpu_pm_print_program(&buf, vfpriv->pm.user);
	drm_warn(vgdev->ddev, "%s: its 3D context is lost: %s (%d)\n",
		 seq_buf_str(&buf), why, err);
}

/* Whether the context of a file, which is stale, can be made again */
bool virtio_gpu_pm_virgl_returns(struct virtio_gpu_fpriv *vfpriv)
{
	struct virtio_gpu_virgl *virgl = READ_ONCE(vfpriv->pm.virgl);

	return virgl && virgl->keeps && !READ_ONCE(virgl->lost) &&
	       READ_ONCE(virgl->saved) == READ_ONCE(vfpriv->pm.epoch);
}

bool virtio_gpu_pm_virgl_lost(struct virtio_gpu_fpriv *vfpriv)
{
	struct virtio_gpu_virgl *virgl = READ_ONCE(vfpriv->pm.virgl);

	return virgl && READ_ONCE(virgl->lost);
}

/*
 * The context of a file is stale or lost. Returns 0 if it was made again; -EIO if it is
 * lost; another errno if that may be tried again, as after a signal.
 */
int virtio_gpu_pm_virgl_survive(struct drm_file *file)
{
	struct virtio_gpu_device *vgdev = file->minor->dev->dev_private;
	struct virtio_gpu_fpriv *vfpriv = file->driver_priv;
	int ret;

	if (virtio_gpu_pm_context_stale(vgdev, vfpriv)) {
		if (!virtio_gpu_pm_virgl_returns(vfpriv))
			return -EIO;

		/* before the context, which is made in one go */
		ret = virgl_use_all(file);
		if (ret)
			return ret;
		virtio_gpu_create_context(vgdev->ddev, file);
	}

	return virtio_gpu_pm_virgl_lost(vfpriv) ? -EIO : 0;
}

/*
 * The context of a file was created again, and its resources were attached.
 * &virtio_gpu_fpriv.context_lock is held.
 */
void virtio_gpu_pm_virgl_return(struct virtio_gpu_device *vgdev, struct drm_file *file)
{
	struct virtio_gpu_fpriv *vfpriv = file->driver_priv;
	struct virtio_gpu_virgl *virgl = vfpriv->pm.virgl;
	struct virgl_handles handles;
	int ret;

	if (!vfpriv->pm.user || !virgl || !virgl->keeps || virgl->lost)
		return;

	if (!virgl->returns) {
		virgl_lose(vgdev, file, "it was not saved", -EIO);
		return;
	}
	if (!virtio_gpu_virgl_is_same_host(vgdev)) {
		virgl_lose(vgdev, file, "the host is another one", -EIO);
		return;
	}

	ret = virgl_get_handles(file, &handles);
	if (ret) {
		virgl_lose(vgdev, file, "there is no memory", ret);
		return;
	}

	if (virgl_all_resident(&handles))
		ret = virgl_build(vgdev, virgl, &handles, vfpriv->ctx_id, false);
	else
		ret = -ENOENT;
	if (ret)
		virgl_lose(vgdev, file, ret == -ENOENT ? "a resource did not come back" :
			   "the host does not take it", ret);
	else
		atomic_inc(&vgdev->pm.virgl.returned);
	virgl_put_handles(&handles);
}

/*
 * A stream is about to be queued, and user memory is not accessed any more. The task
 * may have been frozen when it accessed it, and the host may be another one now.
 */
int virtio_gpu_pm_virgl_recheck(struct drm_file *file,
				struct virtio_gpu_object_array *objs)
{
	struct virtio_gpu_device *vgdev = file->minor->dev->dev_private;
	struct virtio_gpu_fpriv *vfpriv = file->driver_priv;
	int ret;

	if (likely(!virtio_gpu_pm_context_stale(vgdev, vfpriv)))
		return virtio_gpu_pm_virgl_lost(vfpriv) ? -EIO : 0;

	ret = virtio_gpu_pm_virgl_survive(file);
	if (!ret && objs)
		ret = virtio_gpu_pm_array_use(objs);

	return ret;
}

/* A handle is closed. Wait for virtio_gpu_pm_virgl_return(), which may name it. */
void virtio_gpu_pm_virgl_settle(struct virtio_gpu_fpriv *vfpriv)
{
	if (!virtio_gpu_virgl_restore)
		return;

	mutex_lock(&vfpriv->context_lock);
	mutex_unlock(&vfpriv->context_lock);
}

/*
 * Contexts before the reset
 */

static bool virgl_is_live(struct virtio_gpu_device *vgdev, struct drm_file *file)
{
	struct virtio_gpu_fpriv *vfpriv = file->driver_priv;

	return vfpriv && READ_ONCE(vfpriv->pm.user) &&
	       READ_ONCE(vfpriv->pm.virgl) && vfpriv->pm.virgl->keeps &&
	       !READ_ONCE(vfpriv->pm.virgl->lost) &&
	       !virtio_gpu_pm_context_stale(vgdev, vfpriv);
}

static int virgl_rehearse_in(struct virtio_gpu_device *vgdev, struct drm_file *file,
			     u32 ctx_id)
{
	struct virtio_gpu_fpriv *vfpriv = file->driver_priv;
	struct virgl_handles handles;
	unsigned int i;
	int ret;

	ret = virgl_get_handles(file, &handles);
	if (ret)
		return ret;

	ret = virgl_all_resident(&handles) ? 0 : -EIO;
	virtio_gpu_cmd_context_create(vgdev, ctx_id, vfpriv->context_init,
				      strlen(VIRGL_REHEARSAL), VIRGL_REHEARSAL,
				      vgdev->pm.base.epoch);
	for (i = 0; i < handles.num && !ret; i++)
		ret = virtio_gpu_virgl_queue(vgdev, VIRTIO_GPU_CMD_CTX_ATTACH_RESOURCE,
					     ctx_id, handles.name[i]);
	if (!ret)
		ret = virgl_build(vgdev, vfpriv->pm.virgl, &handles, ctx_id, true);
	virtio_gpu_cmd_context_destroy(vgdev, ctx_id);
	virtio_gpu_notify(vgdev);
	virgl_put_handles(&handles);

	return ret;
}

/*
 * Make the context of a file under another number, on the host that has it. Returns
 * 0, or an errno after the transition was refused.
 */
static int virgl_rehearse(struct virtio_gpu_device *vgdev, struct drm_file *file)
{
	struct virtio_gpu_fpriv *vfpriv = file->driver_priv;
	char why[80];
	struct seq_buf buf;
	int id, ret;

	ret = virtio_gpu_virgl_probe(vgdev, vfpriv->ctx_id);
	if (ret == -EIO) {
		virgl_lose(vgdev, file, "the host has given it up", ret);
		return 0;
	}
	if (ret)
		return drm_virt_pm_refuse(&vgdev->pm.base, ret,
					  "the host does not answer for a 3D context");

	id = ida_alloc(&vgdev->ctx_id_ida, GFP_KERNEL);
	if (id < 0)
		return id;
	ret = virgl_rehearse_in(vgdev, file, id + 1);
	ida_free(&vgdev->ctx_id_ida, id);
	if (!ret)
		return 0;

	seq_buf_init(&buf, why, sizeof(why));
	virtio_gpu_pm_print_program(&buf, vfpriv->pm.user);
	seq_buf_puts(&buf, ": its 3D context could not be made again");
	return drm_virt_pm_refuse(&vgdev->pm.base, ret == -EIO ? -EBUSY : ret,
				  seq_buf_str(&buf));
}

/* The @skip-th file with a context that lives, held open; NULL if there is none */
static struct file *virgl_get_file(struct virtio_gpu_device *vgdev, unsigned int skip)
{
	struct drm_file *file;
	struct file *found = NULL;

	mutex_lock(&vgdev->ddev->filelist_mutex);
	list_for_each_entry(file, &vgdev->ddev->filelist, lhead) {
		if (!virgl_is_live(vgdev, file) || !file->filp || skip--)
			continue;
		/* it is being closed otherwise */
		found = get_file_active(&file->filp);
		break;
	}
	mutex_unlock(&vgdev->ddev->filelist_mutex);

	return found;
}

static int virgl_rehearse_all(struct virtio_gpu_device *vgdev)
{
	unsigned int done = 0;
	struct file *filp;
	int ret = 0;

	while (!ret && (filp = virgl_get_file(vgdev, done))) {
		ret = virgl_rehearse(vgdev, filp->private_data);
		/* it may be lost now, and is not counted then */
		done += virgl_is_live(vgdev, filp->private_data);
		fput(filp);
	}

	return ret;
}

static int virgl_set_aside(struct virtio_gpu_device *vgdev)
{
	char why[80];
	struct seq_buf buf;
	int ret;

	ret = virtio_gpu_virgl_note_caps(vgdev);
	if (ret)
		return drm_virt_pm_refuse(&vgdev->pm.base, ret,
					  "the host does not tell its capabilities");

	ret = virtio_gpu_pm_content_prepare(vgdev);
	if (!ret)
		return 0;

	seq_buf_init(&buf, why, sizeof(why));
	seq_buf_printf(&buf, "no memory for the content of textures, %llu MiB",
		       READ_ONCE(vgdev->pm.virgl.bytes) >> 20);
	return drm_virt_pm_refuse(&vgdev->pm.base, ret, seq_buf_str(&buf));
}

/* Whether the program waits for a result that the host has not written */
static bool virgl_query_waits(struct drm_file *file, const struct virgl_item *query)
{
	struct virtio_gpu_object *bo;
	struct drm_gem_object *obj;
	u32 state = 0, id, offset;
	int handle;

	if (query->first->num <= VIRGL_QUERY_RESOURCE + 1)
		return false;

	offset = query->first->word[VIRGL_QUERY_OFFSET + 1];
	id = query->first->word[VIRGL_QUERY_RESOURCE + 1];
	spin_lock(&file->table_lock);
	idr_for_each_entry(&file->object_idr, obj, handle) {
		bo = gem_to_virtio_gpu_obj(obj);
		if (bo->hw_res_handle == id && bo->base.sgt)
			sg_pcopy_to_buffer(bo->base.sgt->sgl, bo->base.sgt->orig_nents,
					   &state, sizeof(state), offset);
	}
	spin_unlock(&file->table_lock);

	return state == VIRGL_QUERY_WAITS;
}

static bool virgl_waits(struct drm_file *file)
{
	struct virtio_gpu_fpriv *vfpriv = file->driver_priv;
	struct virtio_gpu_virgl *virgl = vfpriv->pm.virgl;
	struct virgl_item *item, *next;
	struct virgl_sub *sub, *next_sub;
	bool waits = false;

	mutex_lock(&virgl->lock);
	rbtree_postorder_for_each_entry_safe(sub, next_sub, &virgl->subs, item.node)
		rbtree_postorder_for_each_entry_safe(item, next, &sub->objects, node)
			waits |= item->type == VIRGL_QUERY && item->ended &&
				 virgl_query_waits(file, item);
	mutex_unlock(&virgl->lock);

	return waits;
}

/*
 * All tasks are frozen and the device is about to be reset. Returns 0, or an errno
 * after the transition was refused.
 */
int virtio_gpu_pm_virgl_save(struct virtio_gpu_device *vgdev)
{
	struct virtio_gpu_fpriv *vfpriv;
	struct drm_file *file;
	bool waits = false;
	int ret;

	if (!virtio_gpu_virgl_restore || !vgdev->has_virgl_3d)
		return 0;

	/* for what came into being since the transition was announced */
	ret = virgl_set_aside(vgdev);
	if (ret)
		return ret;

	ret = drm_virt_pm_objects_save(&vgdev->pm.base);
	if (ret)
		return drm_virt_pm_refuse(&vgdev->pm.base, ret == -ENODATA ? -EBUSY : ret,
					  "the content of a texture could not be read");

	mutex_lock(&vgdev->ddev->filelist_mutex);
	list_for_each_entry(file, &vgdev->ddev->filelist, lhead) {
		vfpriv = file->driver_priv;
		if (!virgl_is_live(vgdev, file))
			continue;
		waits |= virgl_waits(file);
		WRITE_ONCE(vfpriv->pm.virgl->saved, vfpriv->pm.epoch);
	}
	mutex_unlock(&vgdev->ddev->filelist_mutex);

	/* the host has answered all commands */
	return waits ? drm_virt_pm_refuse(&vgdev->pm.base, -EBUSY,
					  "a query has no result") : 0;
}

/*
 * Transitions
 */

static int virgl_notify(struct virtio_gpu_device *vgdev, unsigned long event)
{
	int ret;

	switch (event) {
	case PM_HIBERNATION_PREPARE:
	case PM_SUSPEND_PREPARE:
		ret = virgl_set_aside(vgdev);
		if (!ret)
			ret = virgl_rehearse_all(vgdev);
		/* this notifier is not told of the end then */
		if (ret)
			virtio_gpu_pm_content_finish(vgdev);
		return ret;
	case PM_POST_HIBERNATION:
	case PM_POST_SUSPEND:
		virtio_gpu_pm_content_finish(vgdev);
		return 0;
	}

	return 0;
}

static int virgl_notifier_call(struct notifier_block *nb, unsigned long event,
			       void *data)
{
	struct virtio_gpu_device *vgdev =
		container_of(nb, struct virtio_gpu_device, pm.virgl.nb);
	int idx, ret;

	if (!vgdev->has_virgl_3d || !drm_dev_enter(vgdev->ddev, &idx))
		return NOTIFY_DONE;

	ret = READ_ONCE(vgdev->pm.base.state) == DRM_VIRT_PM_RUNNING ?
	      virgl_notify(vgdev, event) : 0;
	drm_dev_exit(idx);

	return notifier_from_errno(ret);
}

static void virgl_unregister(struct drm_device *ddev, void *data)
{
	unregister_pm_notifier(data);
}

int virtio_gpu_pm_virgl_init(struct virtio_gpu_device *vgdev)
{
	struct virtio_gpu_pm_virgl *virgl = &vgdev->pm.virgl;
	int ret;

	spin_lock_init(&virgl->lock);
	INIT_LIST_HEAD(&virgl->objects);
	mutex_init(&virgl->probe_lock);
	mutex_init(&virgl->caps_lock);
	if (!virtio_gpu_virgl_restore)
		return 0;

	/* after that of the library, which refuses what could not come back */
	virgl->nb.notifier_call = virgl_notifier_call;
	ret = register_pm_notifier(&virgl->nb);
	if (ret)
		return ret;

	return drmm_add_action_or_reset(vgdev->ddev, virgl_unregister, &virgl->nb);
}

/* Lines for debugfs */
void virtio_gpu_pm_virgl_show_returns(struct drm_virt_pm *vpm, struct seq_file *m)
{
	struct virtio_gpu_device *vgdev =
		container_of(vpm, struct virtio_gpu_device, pm.base);

	if (!virtio_gpu_virgl_restore)
		return;

	seq_printf(m, "contexts: %d came back, %d lost\n",
		   atomic_read(&vgdev->pm.virgl.returned),
		   atomic_read(&vgdev->pm.virgl.lost));
}
