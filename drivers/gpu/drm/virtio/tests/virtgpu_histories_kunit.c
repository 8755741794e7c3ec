// SPDX-License-Identifier: GPL-2.0 OR MIT

/*
 * Random histories of what programs, the host and the PM core do. After each
 * step the driver's objects and what is shown are compared with the host's own
 * table. The seed of a history is all that is needed to see it again: a failure
 * prints it, and the shortest part of the history that still fails.
 *
 * Not among the steps: contexts with 3D work, objects that only the host has,
 * imports, several tasks at once, and memory that runs out.
 */

#include <linux/moduleparam.h>
#include <linux/prandom.h>
#include <linux/virtio_dma_buf.h>

#include <drm/drm_atomic.h>
#include <drm/drm_plane.h>
#include <drm/virtgpu_drm.h>

#include "virtgpu_mock.h"

/* Steps of a history, one host each */
#define LENGTH		200

/* How often a failing history may be run again to make it shorter */
#define MAX_RUNS	300

/* As short as a timeout can be that has to happen, in milliseconds. */
#define STALL_MS	30

/* Long enough for a host that does answer. */
#define PATIENT_MS	20000

#define NUM_OBJECTS	24
#define NUM_OUTPUTS	2
#define NUM_USERS	2

/* How many steps the host may keep its answers back */
#define MAX_HELD	8

static unsigned int vg_history_seed = 1;
module_param_named(history_seed, vg_history_seed, uint, 0444);
MODULE_PARM_DESC(history_seed, "Seed of the first random history (default: 1)");

static unsigned int vg_history_steps = 800;
module_param_named(history_steps, vg_history_steps, uint, 0444);
MODULE_PARM_DESC(history_steps, "Steps in all random histories, rounded up to 200 (default: 800)");

#define PLAIN	(BIT_ULL(VIRTIO_GPU_F_EDID) | BIT_ULL(VIRTIO_GPU_F_RESOURCE_UUID))
#define BLOB	(PLAIN | BIT_ULL(VIRTIO_GPU_F_RESOURCE_BLOB))
#define VIRGL	(PLAIN | BIT_ULL(VIRTIO_GPU_F_VIRGL))

/* A host that remembers comes with each of them. */
static const struct vg_mock_setup vg_history_setups[] = {
	{ .name = "plain", .features = PLAIN, .num_scanouts = NUM_OUTPUTS },
	{ .name = "blob", .features = BLOB, .num_scanouts = NUM_OUTPUTS },
	{ .name = "virgl", .features = VIRGL, .num_scanouts = NUM_OUTPUTS },
	{
		.name = "small ring",
		.features = PLAIN,
		.num_scanouts = NUM_OUTPUTS,
		.ring_size = 64,
		.ring_max = 256,
	},
};

/* An object as the programs know it */
struct vg_history_object {
	struct virtio_gpu_object *bo;	/* NULL for none */
	unsigned int user;
	u32 handle;			/* 0 after it was closed */
	u32 pixel;			/* what was painted last */
	bool blob;
	bool sent;			/* it was transferred */
	bool unsent;			/* but not all of it, or the host refused */
	bool shared;			/* it was exported */
	bool refused;			/* the host refused to create it again */
};

struct vg_history {
	struct kunit *test;
	struct vg_mock_host *host;
	struct vg_mock_user *user[NUM_USERS];
	struct vg_history_object object[NUM_OBJECTS];
	struct vg_history_object *shown[NUM_OUTPUTS];
	struct vg_history_object *cursor[NUM_OUTPUTS];
	unsigned int outputs;		/* that the host has since the last reset */
	unsigned int held;		/* steps since the host keeps answers back */
	bool silent;			/* it keeps all of them back */
	bool lost;			/* the device is */
	bool print;			/* what is done */
	char why[160];			/* what is wrong */
};

struct vg_history_step {
	u8 what;
	u32 arg;
};

static void __printf(2, 3) vg_history_wrong(struct vg_history *h,
					    const char *format, ...)
{
	va_list args;

	if (h->why[0])
		return;

	va_start(args, format);
	vsnprintf(h->why, sizeof(h->why), format, args);
	va_end(args);
}

static void __printf(2, 3) vg_history_say(struct vg_history *h,
					  const char *format, ...)
{
	struct va_format text = { .fmt = format };
	va_list args;

	if (!h->print)
		return;

	va_start(args, format);
	text.va = &args;
	kunit_info(h->test, "    %pV\n", &text);
	va_end(args);
}

/* What the step returned has to be what a device in this state returns. */
static void vg_history_result(struct vg_history *h, const char *what, int ret,
			      int expected)
{
	if (ret != expected)
		vg_history_wrong(h, "%s returns %d, not %d", what, ret, expected);
}

/*
 * Objects
 */

static u32 vg_history_id(const struct vg_history_object *object)
{
	return object->bo->hw_res_handle;
}

static bool vg_history_is_lost(const struct vg_history_object *object)
{
	return READ_ONCE(object->bo->pm.base.lost);
}

static struct vg_history_object *vg_history_new(struct vg_history *h)
{
	unsigned int i;

	for (i = 0; i < NUM_OBJECTS; i++) {
		if (!h->object[i].bo)
			return &h->object[i];
	}

	return NULL;
}

/* One that has a handle, of the user who may show it if there must be one */
static struct vg_history_object *vg_history_pick(struct vg_history *h, u32 arg,
						 bool to_show)
{
	struct vg_history_object *object;
	unsigned int i;

	for (i = 0; i < NUM_OBJECTS; i++) {
		object = &h->object[(arg + i) % NUM_OBJECTS];
		if (object->bo && object->handle && !(to_show && object->user))
			return object;
	}

	return NULL;
}

static bool vg_history_on_plane(const struct vg_history *h,
				const struct vg_history_object *object)
{
	unsigned int i;

	for (i = 0; i < NUM_OUTPUTS; i++) {
		if (h->shown[i] == object || h->cursor[i] == object)
			return true;
	}

	return false;
}

/* Forget what neither a handle nor a plane holds. */
static void vg_history_sweep(struct vg_history *h)
{
	unsigned int i;

	for (i = 0; i < NUM_OBJECTS; i++) {
		if (h->object[i].bo && !h->object[i].handle &&
		    !vg_history_on_plane(h, &h->object[i]))
			h->object[i].bo = NULL;
	}
}

static unsigned int vg_history_num_objects(const struct vg_history *h)
{
	unsigned int i, n = 0;

	for (i = 0; i < NUM_OBJECTS; i++)
		n += !!h->object[i].bo;

	return n;
}

/* What works on an object returns. */
static void vg_history_used(struct vg_history *h, const char *what,
			    struct vg_history_object *object, int ret)
{
	vg_history_result(h, what, ret, vg_history_is_lost(object) ? -EIO : 0);
}

/*
 * What has to hold
 */

static struct drm_plane_state *vg_history_plane(struct vg_history *h,
						unsigned int output, bool cursor)
{
	struct drm_crtc *crtc = &vg_mock_vgdev(h->host)->outputs[output].crtc;

	return cursor ? crtc->cursor->state : crtc->primary->state;
}

/* A buffer that the host did not create again does not come back. */
static void vg_history_drop_planes(struct vg_history *h)
{
	unsigned int i;

	for (i = 0; i < NUM_OUTPUTS; i++) {
		if (h->shown[i] && h->shown[i]->refused &&
		    !vg_history_plane(h, i, false)->fb)
			h->shown[i] = NULL;
		if (h->cursor[i] && h->cursor[i]->refused &&
		    !vg_history_plane(h, i, true)->fb)
			h->cursor[i] = NULL;
	}
	vg_history_sweep(h);
}

static void vg_history_judge_object(struct vg_history *h,
				    const struct vg_history_object *object)
{
	struct virtio_gpu_object *bo = object->bo;
	struct vg_mock_resource *res;
	u32 id = vg_history_id(object);

	if (vg_history_is_lost(object)) {
		if (!object->refused)
			vg_history_wrong(h, "resource %u is lost", id);
		return;
	}
	if (!virtio_gpu_pm_object_resident(bo))
		return;

	res = xa_load(&h->host->resources, id);
	if (!res || res->old)
		vg_history_wrong(h, "resource %u is not on the host", id);
	else if (!res->backing || res->addr != sg_phys(bo->base.sgt->sgl))
		vg_history_wrong(h, "resource %u does not have its pages", id);
	else if (res->uploads && res->pixel != object->pixel &&
		 !object->blob && !object->unsent)
		vg_history_wrong(h, "resource %u has other content", id);
	else if (!bo->dumb && object->sent && !object->unsent && !res->uploads)
		vg_history_wrong(h, "resource %u has no content", id);
	else if (bo->pm.has_uuid && !res->uuid)
		vg_history_wrong(h, "resource %u has no UUID", id);
}

static void vg_history_judge_output(struct vg_history *h, unsigned int output)
{
	struct vg_history_object *shown = h->shown[output];
	struct vg_history_object *cursor = h->cursor[output];
	struct drm_plane_state *plane = vg_history_plane(h, output, false);
	struct vg_mock_resource *res;

	if (plane->fb ? !shown || plane->fb->obj[0] != &shown->bo->base.base : !!shown) {
		vg_history_wrong(h, "output %u: KMS shows another buffer", output);
		return;
	}
	if (!shown || output >= h->outputs || vg_history_is_lost(shown))
		return;

	res = xa_load(&h->host->resources, vg_history_id(shown));
	if (h->host->shown[output] != vg_history_id(shown))
		vg_history_wrong(h, "output %u shows resource %u, not %u", output,
				 h->host->shown[output], vg_history_id(shown));
	else if (shown->bo->dumb && !shown->blob && res && !res->uploads)
		vg_history_wrong(h, "output %u is black", output);
	else if (cursor && !vg_history_is_lost(cursor) &&
		 h->host->cursor[output] != vg_history_id(cursor))
		vg_history_wrong(h, "cursor %u is resource %u, not %u", output,
				 h->host->cursor[output], vg_history_id(cursor));
}

/* What a context of a program has on the host */
static void vg_history_judge_user(struct vg_history *h, unsigned int user)
{
	struct virtio_gpu_fpriv *vfpriv;
	unsigned int i;

	if (!h->user[user] || !vg_mock_vgdev(h->host)->has_virgl_3d)
		return;

	vfpriv = vg_mock_drm_file(h->user[user])->driver_priv;
	if (!vfpriv->context_created ||
	    virtio_gpu_pm_context_stale(vg_mock_vgdev(h->host), vfpriv))
		return;
	if (!xa_load(&h->host->contexts, vfpriv->ctx_id)) {
		vg_history_wrong(h, "context %u is not on the host", vfpriv->ctx_id);
		return;
	}
	for (i = 0; i < NUM_OBJECTS; i++) {
		if (h->object[i].bo && h->object[i].handle &&
		    h->object[i].user == user &&
		    virtio_gpu_pm_object_resident(h->object[i].bo) &&
		    !vg_mock_attached(h->host, vfpriv->ctx_id,
				      vg_history_id(&h->object[i])))
			vg_history_wrong(h, "context %u lacks resource %u",
					 vfpriv->ctx_id,
					 vg_history_id(&h->object[i]));
	}
}

/* A flip returns before it has happened. */
static void vg_history_wait_for_flips(struct vg_history *h)
{
	struct drm_crtc_commit *commit;
	unsigned int i;

	for (i = 0; i < NUM_OUTPUTS; i++) {
		commit = vg_mock_last_commit(h->host, i);
		if (!commit)
			continue;
		if (!wait_for_completion_timeout(&commit->hw_done, 20 * HZ))
			vg_history_wrong(h, "a flip does not happen");
		drm_crtc_commit_put(commit);
	}
}

/* What a flip has replaced is freed a moment later. */
static void vg_history_judge_number(struct vg_history *h)
{
	unsigned int num = vg_history_num_objects(h), tracked;
	unsigned long end = jiffies + 5 * HZ;

	do {
		tracked = atomic_read(&vg_mock_vpm(h->host)->tracked);
		if (tracked == num)
			return;
		usleep_range(100, 200);
	} while (time_before(jiffies, end));

	vg_history_wrong(h, "there are %u objects in place of %u", tracked, num);
}

static void vg_history_judge(struct vg_history *h)
{
	const char *disagreement;
	unsigned int i;

	if (h->host->objection[0])
		vg_history_wrong(h, "%s", h->host->objection);
	if (h->held || h->lost || h->why[0])
		return;
	vg_history_wait_for_flips(h);
	if (!vg_mock_try_settle(h->host)) {
		vg_history_wrong(h, "the queues do not get empty");
		return;
	}

	vg_history_drop_planes(h);
	vg_history_judge_number(h);
	if (!vg_mock_try_settle(h->host))
		vg_history_wrong(h, "the queues do not get empty");
	disagreement = vg_mock_disagreement(h->host);
	if (disagreement)
		vg_history_wrong(h, "%s", disagreement);
	if (READ_ONCE(vg_mock_vpm(h->host)->state) != DRM_VIRT_PM_RUNNING)
		vg_history_wrong(h, "the device does not run");

	for (i = 0; i < NUM_OBJECTS && !h->why[0]; i++) {
		if (!h->object[i].bo)
			continue;
		vg_history_judge_object(h, &h->object[i]);
		if (h->object[i].handle &&
		    !vg_mock_idle(h->user[h->object[i].user], h->object[i].handle))
			vg_history_wrong(h, "resource %u stays busy",
					 vg_history_id(&h->object[i]));
	}
	for (i = 0; i < NUM_OUTPUTS && !h->why[0]; i++)
		vg_history_judge_output(h, i);
	for (i = 0; i < NUM_USERS && !h->why[0]; i++)
		vg_history_judge_user(h, i);
}

/*
 * Steps
 */

static void vg_history_let_go(struct vg_history *h)
{
	if (!h->held)
		return;

	vg_history_say(h, "the host answers");
	h->held = 0;
	h->silent = false;
	vg_mock_let_go(h->host);
	if (!vg_mock_try_settle(h->host))
		vg_history_wrong(h, "the queues do not get empty");
}

/* Upload the content. With virgl that is 3D work, after which nothing sleeps. */
static void vg_history_send(struct vg_history *h, struct vg_history_object *object)
{
	if (vg_mock_vgdev(h->host)->has_virgl_3d) {
		object->unsent = true;
		return;
	}
	vg_history_used(h, "transfer", object,
			vg_mock_transfer(h->user[object->user], object->handle));
	object->sent = true;
	object->unsent = false;
}

/* New content, which the host has as well */
static void vg_history_paint(struct vg_history *h, u32 arg)
{
	struct vg_history_object *object = vg_history_pick(h, arg, false);

	if (!object)
		return;

	/* an answer that is late has to be that to the last transfer */
	vg_history_let_go(h);
	vg_history_say(h, "paint resource %u and transfer it",
		       vg_history_id(object));
	vg_mock_paint(h->user[object->user], object->handle, arg);
	object->pixel = arg;
	if (object->blob)
		return;
	vg_history_send(h, object);
}

static void vg_history_create(struct vg_history *h, u32 arg)
{
	struct vg_history_object *object = vg_history_new(h);
	unsigned int user = h->user[1] ? (arg >> 8) % NUM_USERS : 0;
	bool virgl = vg_mock_vgdev(h->host)->has_virgl_3d;
	bool blob = vg_mock_vgdev(h->host)->has_resource_blob;

	if (!object)
		return;

	/* a context that is created anew may have to wait for the host */
	if (virgl)
		vg_history_let_go(h);
	memset(object, 0, sizeof(*object));
	object->user = user;
	if ((arg & 1) && blob)
		object->handle = vg_mock_blob(h->user[user], VIRTGPU_BLOB_MEM_GUEST,
					      VIRTGPU_BLOB_FLAG_USE_MAPPABLE);
	else if ((arg & 1) && !virgl)
		object->handle = vg_mock_classic(h->user[user]);
	else
		object->handle = vg_mock_dumb(h->user[user]);
	object->bo = vg_mock_bo(h->user[user], object->handle);
	object->blob = object->bo->params.blob;
	vg_history_say(h, "user %u creates resource %u, %s", user,
		       vg_history_id(object),
		       object->blob ? "a blob" : object->bo->dumb ? "dumb" : "classic");
	vg_mock_paint(h->user[user], object->handle, arg);
	object->pixel = arg;
}

static void vg_history_close(struct vg_history *h, u32 arg)
{
	struct vg_history_object *object = vg_history_pick(h, arg, false);

	if (!object)
		return;

	vg_history_say(h, "user %u closes resource %u", object->user,
		       vg_history_id(object));
	vg_history_result(h, "close", 0,
			  vg_mock_gem_close(h->user[object->user], object->handle));
	object->handle = 0;
	vg_history_sweep(h);
}

static void vg_history_transfer(struct vg_history *h, u32 arg)
{
	struct vg_history_object *object = vg_history_pick(h, arg, false);

	/* restoring it may have to wait for the host */
	if (!object || object->blob || vg_mock_vgdev(h->host)->has_virgl_3d ||
	    (h->held && !virtio_gpu_pm_object_resident(object->bo)))
		return;

	vg_history_say(h, "user %u transfers resource %u", object->user,
		       vg_history_id(object));
	vg_history_send(h, object);
}

/* KMS uploads dumb buffers when it shows them. */
static void vg_history_is_shown(struct vg_history *h, unsigned int output,
				struct vg_history_object *object)
{
	h->shown[output] = object;
	if (object->bo->dumb && output < h->outputs)
		object->unsent = false;
}

static void vg_history_show(struct vg_history *h, u32 arg)
{
	struct vg_history_object *object = vg_history_pick(h, arg, true);
	unsigned int output = (arg >> 8) % NUM_OUTPUTS;
	int ret;

	if (!object)
		return;

	vg_history_let_go(h);
	vg_history_say(h, "show resource %u on output %u", vg_history_id(object),
		       output);
	ret = vg_mock_show(h->user[0], output, object->handle);
	vg_mock_close_fbs(h->user[0]);
	vg_history_used(h, "show", object, ret);
	if (!ret)
		vg_history_is_shown(h, output, object);
	vg_history_sweep(h);
}

static void vg_history_flip(struct vg_history *h, u32 arg)
{
	struct vg_history_object *object = vg_history_pick(h, arg, true);
	unsigned int output = (arg >> 8) % NUM_OUTPUTS;
	int ret;

	if (!object || !h->shown[output] || !vg_history_plane(h, output, false)->fb)
		return;

	vg_history_let_go(h);
	vg_history_say(h, "flip output %u to resource %u", output,
		       vg_history_id(object));
	ret = vg_mock_flip(h->user[0], output, object->handle);
	vg_mock_close_fbs(h->user[0]);
	vg_history_used(h, "flip", object, ret);
	if (!ret)
		vg_history_is_shown(h, output, object);
	vg_history_sweep(h);
}

static void vg_history_dirty(struct vg_history *h, u32 arg)
{
	unsigned int output = arg % NUM_OUTPUTS;
	struct vg_history_object *object = h->shown[output];

	if (!object || !vg_history_plane(h, output, false)->fb)
		return;

	vg_history_let_go(h);
	vg_history_say(h, "output %u is dirty", output);
	vg_history_used(h, "dirty", object, vg_mock_dirty(h->user[0], output, 0));
	vg_history_is_shown(h, output, object);
}

static void vg_history_hide(struct vg_history *h, u32 arg)
{
	unsigned int output = arg % NUM_OUTPUTS;

	if (!h->shown[output])
		return;

	vg_history_let_go(h);
	vg_history_say(h, "switch output %u off", output);
	vg_history_result(h, "hide cursor", vg_mock_point(h->user[0], output, 0), 0);
	h->cursor[output] = NULL;
	vg_history_result(h, "hide", vg_mock_show(h->user[0], output, 0), 0);
	h->shown[output] = NULL;
	vg_history_sweep(h);
}

static void vg_history_point(struct vg_history *h, u32 arg)
{
	struct vg_history_object *object = vg_history_pick(h, arg, true);
	unsigned int output = (arg >> 8) % NUM_OUTPUTS;
	int ret;

	if (!object || !h->shown[output] || !vg_history_plane(h, output, false)->fb)
		return;

	vg_history_let_go(h);
	vg_history_say(h, "resource %u is the cursor of output %u",
		       vg_history_id(object), output);
	ret = vg_mock_point(h->user[0], output, object->handle);
	vg_history_used(h, "point", object, ret);
	if (!ret)
		h->cursor[output] = object;
	vg_history_sweep(h);
}

static void vg_history_share(struct vg_history *h, u32 arg)
{
	struct vg_history_object *object = vg_history_pick(h, arg, false);
	bool take = !((arg >> 8) % 8);
	struct dma_buf *buf;
	uuid_t uuid;

	/* there is one export of an object, and blobs would need another flag */
	if (!object || object->shared || object->blob || vg_history_is_lost(object))
		return;

	object->shared = true;

	vg_history_let_go(h);
	vg_history_say(h, "share resource %u%s", vg_history_id(object),
		       take ? " with another device" : "");
	buf = vg_mock_export(h->user[object->user], object->handle);
	if (take)
		vg_history_used(h, "get UUID", object,
				virtio_dma_buf_get_uuid(buf, &uuid));
	vg_mock_export_put(buf);
}

/* What another device knows by its UUID would not be the same after a reset. */
static bool vg_history_is_shared(struct vg_history *h)
{
	return atomic_read(&vg_mock_vgdev(h->host)->pm.uuids_taken);
}

/* The second program comes or goes. */
static void vg_history_program(struct vg_history *h, u32 arg)
{
	unsigned int i;

	vg_history_let_go(h);
	if (!h->user[1]) {
		vg_history_say(h, "user 1 comes");
		h->user[1] = vg_mock_open(h->host, arg & 1);
		return;
	}

	vg_history_say(h, "user 1 ends");
	vg_mock_exit(h->user[1]);
	h->user[1] = NULL;
	for (i = 0; i < NUM_OBJECTS; i++) {
		if (h->object[i].user == 1)
			h->object[i].handle = 0;
	}
	vg_history_sweep(h);
}

/* The host has something to say about its outputs. */
static void vg_history_event(struct vg_history *h, u32 arg)
{
	vg_history_say(h, "event: monitor %u", arg % 4);
	h->host->monitor = arg % 4;
	vg_mock_config_changed(h->host);
	if (!h->held)
		flush_work(&vg_mock_vgdev(h->host)->config_changed_work);
}

static const u32 vg_history_late[] = {
	0,
	VIRTIO_GPU_CMD_RESOURCE_CREATE_2D,
	VIRTIO_GPU_CMD_RESOURCE_ATTACH_BACKING,
	VIRTIO_GPU_CMD_TRANSFER_TO_HOST_2D,
	VIRTIO_GPU_CMD_RESOURCE_UNREF,
};

/* The host keeps its answers back, or those to some command. */
static void vg_history_hold(struct vg_history *h, u32 arg)
{
	u32 type = vg_history_late[arg % ARRAY_SIZE(vg_history_late)];

	if (h->held)
		return;

	h->held = 1;
	h->silent = !type;
	if (h->silent) {
		vg_history_say(h, "the host does not answer");
		vg_mock_hold(h->host, true);
	} else {
		vg_history_say(h, "the host is late with %x", type);
		vg_mock_fault(h->host, type, 0, VG_MOCK_LATE);
	}
}

/* A refused upload: the next one brings the content. */
static void vg_history_bad_transfer(struct vg_history *h, u32 arg)
{
	struct vg_history_object *object = vg_history_pick(h, arg, false);

	if (!object || object->blob || vg_mock_vgdev(h->host)->has_virgl_3d)
		return;

	vg_history_let_go(h);
	vg_history_say(h, "the host refuses to transfer resource %u",
		       vg_history_id(object));
	vg_mock_fault(h->host, VIRTIO_GPU_CMD_TRANSFER_TO_HOST_2D,
		      vg_history_id(object), VG_MOCK_ERROR);
	vg_history_used(h, "transfer", object,
			vg_mock_transfer(h->user[object->user], object->handle));
	object->unsent = true;
	if (!vg_mock_try_settle(h->host))
		vg_history_wrong(h, "the queues do not get empty");
	vg_mock_let_go(h->host);
}

/* Use some of the objects, so that they are restored. */
static void vg_history_touch(struct vg_history *h, u32 arg)
{
	struct vg_history_object *object;
	unsigned int i;
	int ret;

	for (i = 0; i < arg % 4; i++) {
		object = vg_history_pick(h, arg + 5 * i, false);
		if (!object || object->blob || vg_mock_vgdev(h->host)->has_virgl_3d)
			continue;
		vg_history_say(h, "touch resource %u", vg_history_id(object));
		ret = vg_mock_transfer(h->user[object->user], object->handle);
		/* the answer that says so may come later */
		if (ret && !(object->refused && ret == -EIO))
			vg_history_result(h, "touch", ret, 0);
	}
}

/* What the host of after the reset has */
static void vg_history_next_host(struct vg_history *h, u32 arg)
{
	h->outputs = arg & 0x10 ? 1 + ((arg >> 5) % NUM_OUTPUTS) : h->outputs;
	h->host->config.num_scanouts = cpu_to_le32(h->outputs);
	if (arg & 0x80) {
		h->host->monitor = (arg >> 8) % 4;
		h->host->keeps_resources = (arg >> 10) & 1;
	}
	vg_history_say(h, "the next host: %u outputs, monitor %u%s", h->outputs,
		       h->host->monitor,
		       h->host->keeps_resources ? ", keeps resources" : "");
}

/* S3, S4 and what else resets the device between two callbacks */
static void vg_history_sleep(struct vg_history *h, u32 arg)
{
	bool held = h->held, silent = h->silent, shared = vg_history_is_shared(h);
	int ret;

	/* what is not there at the reset cannot be late with an output */
	if (held)
		vg_mock_set_stall_ms(STALL_MS);
	vg_history_say(h, "freeze");
	ret = vg_mock_freeze(h->host);
	vg_mock_set_stall_ms(PATIENT_MS);
	if (!(held && ret == -ETIMEDOUT) && !(silent && !ret))
		vg_history_result(h, "freeze", ret, shared ? -EBUSY : 0);
	if (!ret && silent)
		vg_history_wrong(h, "freeze did not notice that the host is silent");
	if (ret) {
		vg_history_say(h, "which is refused");
		vg_history_let_go(h);
		return;
	}

	/* the host that does not answer any more is not the next one */
	vg_mock_let_go(h->host);
	h->held = 0;
	h->silent = false;
	vg_history_next_host(h, arg);
	vg_history_say(h, "restore");
	vg_history_result(h, "restore", vg_mock_restore(h->host), 0);
	vg_history_touch(h, arg >> 12);
}

/* The host does not create something again. */
static void vg_history_bad_sleep(struct vg_history *h, u32 arg)
{
	struct vg_history_object *object = vg_history_pick(h, arg, false);

	if (!object || vg_history_is_shared(h))
		return;

	vg_history_let_go(h);
	vg_history_say(h, "freeze");
	vg_history_result(h, "freeze", vg_mock_freeze(h->host), 0);
	vg_history_say(h, "restore, where resource %u is refused",
		       vg_history_id(object));
	vg_mock_fault(h->host, object->blob ? VIRTIO_GPU_CMD_RESOURCE_CREATE_BLOB :
					      VIRTIO_GPU_CMD_RESOURCE_CREATE_2D,
		      vg_history_id(object), VG_MOCK_ERROR);
	object->refused = true;
	vg_history_result(h, "restore", vg_mock_restore(h->host), 0);
	vg_history_touch(h, arg >> 12);
	if (!vg_mock_try_settle(h->host))
		vg_history_wrong(h, "the queues do not get empty");
	vg_mock_let_go(h->host);
}

/* The first resume fails, the second does not. */
static void vg_history_second_try(struct vg_history *h, u32 arg)
{
	if (vg_history_is_shared(h))
		return;

	vg_history_let_go(h);
	vg_history_say(h, "freeze");
	vg_history_result(h, "freeze", vg_mock_freeze(h->host), 0);
	vg_history_next_host(h, arg);
	h->host->fail_once = true;
	if (arg & 1)
		h->host->find_vqs_ret = -ENOMEM;
	else
		h->host->refuse_features = true;
	vg_history_say(h, "restore, which fails, and again");
	if (!vg_mock_restore(h->host))
		vg_history_wrong(h, "restore returns 0 without a device");
	vg_mock_run_later(h->host);
	h->host->fail_once = false;
	vg_history_touch(h, arg >> 12);
}

/* The function is reset while programs run. */
static void vg_history_function_reset(struct vg_history *h, u32 arg)
{
	vg_history_let_go(h);
	vg_history_say(h, "function reset");
	vg_mock_reset_prepare(h->host);
	vg_history_next_host(h, arg);
	vg_history_result(h, "reset done", vg_mock_reset_done(h->host), 0);
	vg_history_touch(h, arg >> 12);
}

/* The device is lost: from now on there are only errors. */
static void vg_history_lose(struct vg_history *h, u32 arg)
{
	struct vg_history_object *object = vg_history_pick(h, arg, false);

	if (vg_history_is_shared(h))
		return;

	vg_history_let_go(h);
	vg_history_say(h, "freeze, restore without queues, twice");
	vg_history_result(h, "freeze", vg_mock_freeze(h->host), 0);
	h->host->find_vqs_ret = -ENOMEM;
	vg_history_result(h, "restore", vg_mock_restore(h->host), -ENOMEM);
	vg_mock_run_later(h->host);
	h->lost = true;
	if (READ_ONCE(vg_mock_vpm(h->host)->state) != DRM_VIRT_PM_LOST)
		vg_history_wrong(h, "the device is not lost");
	if (object)
		vg_history_result(h, "transfer",
				  vg_mock_transfer(h->user[object->user],
						   object->handle), -ENODEV);
}

/* How many in a hundred, and what */
static const struct {
	unsigned int share;
	void (*step)(struct vg_history *h, u32 arg);
} vg_history_steps_of[] = {
	{ 18, vg_history_create },
	{ 11, vg_history_close },
	{ 8, vg_history_paint },
	{ 8, vg_history_transfer },
	{ 8, vg_history_show },
	{ 7, vg_history_flip },
	{ 3, vg_history_dirty },
	{ 3, vg_history_hide },
	{ 6, vg_history_point },
	{ 4, vg_history_share },
	{ 3, vg_history_program },
	{ 4, vg_history_event },
	{ 4, vg_history_hold },
	{ 1, vg_history_bad_transfer },
	{ 7, vg_history_sleep },
	{ 1, vg_history_bad_sleep },
	{ 1, vg_history_second_try },
	{ 3, vg_history_function_reset },
};

static void vg_history_do(struct vg_history *h, const struct vg_history_step *step)
{
	if (h->held && h->held++ == MAX_HELD)
		vg_history_let_go(h);
	if (step->what == ARRAY_SIZE(vg_history_steps_of))
		vg_history_lose(h, step->arg);
	else
		vg_history_steps_of[step->what].step(h, step->arg);
	vg_history_judge(h);
}

/* Chosen beforehand, so that what remains is the same when some are left out */
static void vg_history_choose(struct vg_history_step *steps, unsigned int num,
			      struct rnd_state *random)
{
	unsigned int i, what, share;

	for (i = 0; i < num; i++) {
		share = prandom_u32_state(random) % 100;
		for (what = 0; share >= vg_history_steps_of[what].share; what++)
			share -= vg_history_steps_of[what].share;
		steps[i].what = what;
		steps[i].arg = prandom_u32_state(random);
	}
	/* one in eight ends with the loss of the device */
	if (!(prandom_u32_state(random) % 8))
		steps[num - 1].what = ARRAY_SIZE(vg_history_steps_of);
}

/* Everything ends, and nothing may remain. */
static void vg_history_end(struct vg_history *h)
{
	unsigned int i;

	if (!h->why[0])
		vg_history_let_go(h);
	else
		vg_mock_let_go(h->host);
	for (i = 0; i < NUM_USERS; i++) {
		if (h->user[i])
			vg_mock_exit(h->user[i]);
		h->user[i] = NULL;
	}
	memset(h->object, 0, sizeof(h->object));
	if (h->why[0] || h->lost)
		return;

	/* what is shown outlives the one who shows it */
	vg_history_say(h, "the end");
	h->user[0] = vg_mock_open(h->host, false);
	for (i = 0; i < NUM_OUTPUTS; i++) {
		vg_mock_point(h->user[0], i, 0);
		vg_history_result(h, "hide", vg_mock_show(h->user[0], i, 0), 0);
		h->shown[i] = NULL;
		h->cursor[i] = NULL;
	}
	vg_mock_exit(h->user[0]);
	h->user[0] = NULL;
	vg_history_judge(h);
	if (!h->why[0] && !vg_mock_no_objects(h->host))
		vg_history_wrong(h, "an object is left");
	if (!h->why[0] && h->host->num_contexts)
		vg_history_wrong(h, "a context is left");
}

/*
 * Returns the number of steps up to what is wrong, then with the reason in @why, or
 * 0 if all is well.
 */
static unsigned int vg_history_run(struct kunit *test, unsigned int seed,
				   const struct vg_history_step *steps,
				   unsigned int num, bool print, char *why)
{
	const struct vg_mock_setup *setup =
		&vg_history_setups[seed % ARRAY_SIZE(vg_history_setups)];
	struct vg_history *h = kunit_kzalloc(test, sizeof(*h), GFP_KERNEL);
	unsigned int done = 0;

	KUNIT_ASSERT_NOT_NULL(test, h);
	h->test = test;
	h->print = print;
	h->outputs = NUM_OUTPUTS;
	vg_mock_set_stall_ms(PATIENT_MS);
	h->host = vg_mock_create(test, "mock", setup);
	h->user[0] = vg_mock_open(h->host, false);

	while (done < num && !h->why[0])
		vg_history_do(h, &steps[done++]);
	vg_history_end(h);

	/* it is told once, with the history */
	h->host->objection[0] = '\0';
	vg_mock_destroy(h->host);
	strscpy(why, h->why, sizeof(h->why));
	done = h->why[0] ? done : 0;
	kunit_kfree(test, h);

	return done;
}

/* Leave out what can be left out. */
static unsigned int vg_history_shrink(struct kunit *test, unsigned int seed,
				      struct vg_history_step *steps,
				      struct vg_history_step *shorter,
				      unsigned int num, char *why)
{
	unsigned int part, at, runs = 0, rest, fails;

	for (part = max(num / 2, 1U); part; part /= 2) {
		for (at = 0; at + part <= num && runs < MAX_RUNS; runs++) {
			rest = num - part;
			memcpy(shorter, steps, at * sizeof(*steps));
			memcpy(shorter + at, steps + at + part,
			       (rest - at) * sizeof(*steps));
			fails = vg_history_run(test, seed, shorter, rest, false,
					       why);
			if (fails) {
				memcpy(steps, shorter, fails * sizeof(*steps));
				num = fails;
			} else {
				at += part;
			}
		}
	}

	return num;
}

static void vg_history_test_one(struct kunit *test, unsigned int seed,
				unsigned int num)
{
	struct vg_history_step *steps, *shorter;
	struct rnd_state random;
	unsigned int fails;
	char why[160];

	steps = kunit_kcalloc(test, num, sizeof(*steps), GFP_KERNEL);
	shorter = kunit_kcalloc(test, num, sizeof(*steps), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, steps);
	KUNIT_ASSERT_NOT_NULL(test, shorter);

	prandom_seed_state(&random, seed);
	vg_history_choose(steps, num, &random);
	fails = vg_history_run(test, seed, steps, num, false, why);
	if (fails) {
		kunit_info(test, "seed %u, step %u: %s; looking for a shorter history\n",
			   seed, fails, why);
		fails = vg_history_shrink(test, seed, steps, shorter, fails, why);
		kunit_info(test, "seed %u, a host that is %s, %u steps:\n", seed,
			   vg_history_setups[seed % ARRAY_SIZE(vg_history_setups)].name,
			   fails);
		vg_history_run(test, seed, steps, fails, true, why);
		kunit_info(test, "    seed %u: %s\n", seed, why[0] ? why : "not every time");
		KUNIT_FAIL(test, "seed %u: %s", seed,
			   why[0] ? why : "not every time");
	}
	kunit_kfree(test, steps);
	kunit_kfree(test, shorter);
}

/* KUnit ends a case that takes minutes, so there are several. */
static const unsigned int vg_history_parts[32];

KUNIT_ARRAY_PARAM(vg_history, vg_history_parts, NULL);

static void virtio_gpu_pm_test_histories(struct kunit *test)
{
	const unsigned int *part = test->param_value;
	unsigned int num = DIV_ROUND_UP(vg_history_steps, LENGTH), i, done = 0;

	for (i = part - vg_history_parts; i < num && !READ_ONCE(test->status);
	     i += ARRAY_SIZE(vg_history_parts)) {
		vg_history_test_one(test, vg_history_seed + i, LENGTH);
		done += LENGTH;
	}
	if (done)
		kunit_info(test, "%u steps\n", done);
}

static struct kunit_case virtio_gpu_pm_histories_tests[] = {
	KUNIT_CASE_PARAM_ATTR(virtio_gpu_pm_test_histories, vg_history_gen_params,
			      { .speed = KUNIT_SPEED_SLOW }),
	{}
};

static struct kunit_suite virtio_gpu_pm_histories_suite = {
	.name = "virtio_gpu_pm_histories",
	.test_cases = virtio_gpu_pm_histories_tests,
};

kunit_test_suite(virtio_gpu_pm_histories_suite);
