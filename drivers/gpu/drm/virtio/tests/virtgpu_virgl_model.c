// SPDX-License-Identifier: GPL-2.0 OR MIT

#include <linux/jhash.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "../virtgpu_pm_virgl.h"
#include "virtgpu_virgl_model.h"

#define GFP_TEST	(GFP_KERNEL | __GFP_NOFAIL)
#define STAGES		6
#define SLOTS		32

/* In order, all that a slot can hold */
struct vg_model_object {
	unsigned int refs;	/* of the table of names and of slots */
	bool named;		/* it is in that table */
	u8 type;
	u32 name;
	u32 resource;		/* 0 for none */
	u32 hash;		/* of all that it was created with */
	u32 text;		/* bytes that it has when it is complete */
	u32 missing;		/* bytes of these that are to come */
	bool begun;
	bool ended;
};

struct vg_model_slot {
	struct vg_model_object *object;
	u32 resource;
	u32 hash;		/* of what else was set */
};

struct vg_model_sub {
	struct xarray objects;
	struct xarray slots;
	u32 partial;		/* the shader whose text is to come, or 0 */
};

static void vg_model_put(struct vg_model_object *object)
{
	if (object && !--object->refs)
		kfree(object);
}

static struct vg_model_sub *vg_model_sub(struct vg_model *model)
{
	return xa_load(&model->subs, model->sub);
}

static void vg_model_new_sub(struct vg_model *model, u32 number)
{
	struct vg_model_sub *sub;

	if (xa_load(&model->subs, number))
		return;

	sub = kzalloc(sizeof(*sub), GFP_TEST);
	xa_init(&sub->objects);
	xa_init(&sub->slots);
	xa_store(&model->subs, number, sub, GFP_TEST);
	model->sub = number;
}

static void vg_model_free_sub(struct vg_model *model, u32 number)
{
	struct vg_model_sub *sub = xa_erase(&model->subs, number);
	struct vg_model_object *object;
	struct vg_model_slot *slot;
	unsigned long i;

	if (!sub)
		return;

	xa_for_each(&sub->slots, i, slot) {
		vg_model_put(slot->object);
		kfree(slot);
	}
	xa_for_each(&sub->objects, i, object)
		vg_model_put(object);
	xa_destroy(&sub->slots);
	xa_destroy(&sub->objects);
	kfree(sub);
	if (model->sub == number)
		model->sub = 0;
}

void vg_model_init(struct vg_model *model)
{
	xa_init(&model->subs);
	model->dead = false;
	vg_model_new_sub(model, 0);
}

void vg_model_fini(struct vg_model *model)
{
	struct vg_model_sub *sub;
	unsigned long i;

	xa_for_each(&model->subs, i, sub)
		vg_model_free_sub(model, i);
	xa_destroy(&model->subs);
}

/*
 * Slots
 */

static struct vg_model_slot *vg_model_slot(struct vg_model *model, u32 command,
					   u32 stage, u32 number)
{
	struct vg_model_sub *sub = vg_model_sub(model);
	unsigned long at = (command * STAGES + stage) * SLOTS + number;
	struct vg_model_slot *slot = xa_load(&sub->slots, at);

	if (!slot) {
		slot = kzalloc(sizeof(*slot), GFP_TEST);
		xa_store(&sub->slots, at, slot, GFP_TEST);
	}
	return slot;
}

static bool vg_model_bind(struct vg_model *model, struct vg_model_slot *slot, u32 name)
{
	struct vg_model_object *object =
		name ? xa_load(&vg_model_sub(model)->objects, name) : NULL;

	if (name && !object)
		return false;

	if (object)
		object->refs++;
	vg_model_put(slot->object);
	slot->object = object;
	return true;
}

static bool vg_model_use(struct vg_model *model, struct vg_model_slot *slot, u32 id,
			 u32 hash)
{
	if (id && !model->has_resource(model, id))
		return false;

	slot->resource = id;
	slot->hash = hash;
	return true;
}

/* Slots from @first on, each of which gets one name; those behind are emptied. */
static bool vg_model_bind_many(struct vg_model *model, u32 command, u32 stage, u32 first,
			       const u32 *name, u32 num, bool cut)
{
	u32 i;

	if (stage >= STAGES || first + num > SLOTS)
		return false;

	for (i = 0; i < num; i++)
		if (!vg_model_bind(model, vg_model_slot(model, command, stage, first + i),
				   name[i]))
			return false;
	for (i = first + num; cut && i < SLOTS; i++)
		vg_model_bind(model, vg_model_slot(model, command, stage, i), 0);

	return true;
}

/* Slots from @first on, each of which gets @step words, of which @at is a resource. */
static bool vg_model_use_many(struct vg_model *model, u32 command, u32 stage, u32 first,
			      const u32 *words, u32 num, u32 step, u32 at, bool cut)
{
	u32 i, hash;

	if (stage >= STAGES || num % step || first + num / step > SLOTS)
		return false;

	for (i = 0; i < num / step; i++, words += step) {
		/* all but the name */
		hash = jhash2(words, at, jhash2(words + at + 1, step - at - 1, 0));
		if (!vg_model_use(model, vg_model_slot(model, command, stage, first + i),
				  words[at], hash))
			return false;
	}
	for (i += first; cut && i < SLOTS; i++)
		vg_model_use(model, vg_model_slot(model, command, stage, i), 0, 0);

	return true;
}

/* State without names: so many words for each slot */
static bool vg_model_set_many(struct vg_model *model, u32 command, u32 stage, u32 first,
			      const u32 *words, u32 num, u32 step)
{
	u32 i;

	if (stage >= STAGES || num % step || first + num / step > SLOTS)
		return false;

	for (i = 0; i < num / step; i++)
		vg_model_slot(model, command, stage, first + i)->hash =
			jhash2(words + i * step, step, 1);
	return true;
}

/*
 * Objects
 */

static bool vg_model_is_text(struct vg_model_object *object, const u32 *payload, u32 num,
			     bool more)
{
	u32 outputs = payload[4], head = 5 + (outputs ? 4 + 2 * outputs : 0);
	u32 all = more ? object->missing : round_up(payload[2], sizeof(u32));
	u32 bytes;

	if (num < head)
		return false;

	if (!more)
		object->text = all;
	bytes = (num - head) * sizeof(u32);
	object->missing = all > bytes ? all - bytes : 0;
	return true;
}

static bool vg_model_create(struct vg_model *model, u8 type, const u32 *payload, u32 num)
{
	static const u8 words[VIRGL_OBJECT_TYPES] = {
		[VIRGL_BLEND] = 11, [VIRGL_RASTERIZER] = 9, [VIRGL_DEPTH_STENCIL] = 5,
		[VIRGL_SHADER] = 5, [VIRGL_VERTEX_ELEMENTS] = 1, [VIRGL_SAMPLER_VIEW] = 6,
		[VIRGL_SAMPLER] = 9, [VIRGL_SURFACE] = 5, [VIRGL_QUERY] = 4,
		[VIRGL_MSAA_SURFACE] = 6,
	};
	struct vg_model_sub *sub = vg_model_sub(model);
	struct vg_model_object *object, *old;
	bool more = false;

	if (type >= VIRGL_OBJECT_TYPES || !words[type] || num < words[type] || !payload[0])
		return false;

	old = xa_load(&sub->objects, payload[0]);
	if (type == VIRGL_SHADER)
		more = payload[2] & BIT(31);
	if (more) {
		if (sub->partial != payload[0] || !old)
			return false;
		old->hash = jhash2(payload, num, old->hash);
		if (!vg_model_is_text(old, payload, num, true))
			return false;
		sub->partial = old->missing ? payload[0] : 0;
		return true;
	}
	if (type == VIRGL_SHADER && sub->partial)
		return false;

	object = kzalloc(sizeof(*object), GFP_TEST);
	object->refs = 1;
	object->named = true;
	object->type = type;
	object->name = payload[0];
	object->hash = jhash2(payload, num, type);
	if (type == VIRGL_SAMPLER_VIEW || type == VIRGL_SURFACE ||
	    type == VIRGL_MSAA_SURFACE)
		object->resource = payload[1];
	if (type == VIRGL_QUERY)
		object->resource = payload[3];
	if ((object->resource && !model->has_resource(model, object->resource)) ||
	    (type == VIRGL_SHADER && !vg_model_is_text(object, payload, num, false))) {
		kfree(object);
		return false;
	}
	if (object->missing)
		sub->partial = payload[0];

	if (old) {
		old->named = false;
		vg_model_put(old);
	}
	xa_store(&sub->objects, payload[0], object, GFP_TEST);
	return true;
}

static void vg_model_destroy(struct vg_model *model, u32 name)
{
	struct vg_model_sub *sub = vg_model_sub(model);
	struct vg_model_object *object = xa_erase(&sub->objects, name);

	if (!object)
		return;

	if (sub->partial == name)
		sub->partial = 0;
	object->named = false;
	vg_model_put(object);
}

static bool vg_model_query(struct vg_model *model, u32 name, bool begin)
{
	struct vg_model_object *object = xa_load(&vg_model_sub(model)->objects, name);

	if (!object || object->type != VIRGL_QUERY)
		return false;

	object->begun |= begin;
	object->ended |= !begin;
	return true;
}

/*
 * Commands
 */

static bool vg_model_bind_object(struct vg_model *model, u8 type, u32 name)
{
	struct vg_model_object *object = xa_load(&vg_model_sub(model)->objects, name);

	if (name && (!object || object->type != type))
		return false;

	return vg_model_bind(model, vg_model_slot(model, VIRGL_BIND_OBJECT, 0, type), name);
}

static bool vg_model_framebuffer(struct vg_model *model, const u32 *payload, u32 num)
{
	if (num != payload[0] + 2)
		return false;

	/* the depth first, and colours behind it */
	return vg_model_bind_many(model, VIRGL_SET_FRAMEBUFFER, 0, 0, payload + 1,
				  num - 1, true);
}

static bool vg_model_one(struct vg_model *model, u32 command, u8 type,
			 const u32 *payload, u32 num)
{
	static const u8 least[VIRGL_COMMANDS] = {
		[VIRGL_BIND_OBJECT] = 1, [VIRGL_CREATE_OBJECT] = 1,
		[VIRGL_DESTROY_OBJECT] = 1, [VIRGL_SET_VIEWPORTS] = 1,
		[VIRGL_SET_FRAMEBUFFER] = 2, [VIRGL_SET_SAMPLER_VIEWS] = 2,
		[VIRGL_SET_INDEX_BUFFER] = 1, [VIRGL_SET_CONSTANTS] = 2,
		[VIRGL_SET_SCISSORS] = 1, [VIRGL_BIND_SAMPLERS] = 2,
		[VIRGL_BEGIN_QUERY] = 1, [VIRGL_END_QUERY] = 1,
		[VIRGL_SET_UNIFORM_BUFFER] = 5, [VIRGL_SET_SUB_CTX] = 1,
		[VIRGL_CREATE_SUB_CTX] = 1, [VIRGL_DESTROY_SUB_CTX] = 1,
		[VIRGL_BIND_SHADER] = 2, [VIRGL_SET_SHADER_BUFFERS] = 2,
		[VIRGL_SET_SHADER_IMAGES] = 2, [VIRGL_SET_ATOMIC_BUFFERS] = 1,
		[VIRGL_SET_TWEAK] = 2,
	};

	if (command >= VIRGL_COMMANDS || num < least[command])
		return false;

	switch (command) {
	case VIRGL_CREATE_OBJECT:
		return vg_model_create(model, type, payload, num);
	case VIRGL_DESTROY_OBJECT:
		vg_model_destroy(model, payload[0]);
		return true;
	case VIRGL_BIND_OBJECT:
		return vg_model_bind_object(model, type, payload[0]);
	case VIRGL_SET_FRAMEBUFFER:
		return vg_model_framebuffer(model, payload, num);
	case VIRGL_SET_VIEWPORTS:
		return vg_model_set_many(model, command, 0, payload[0], payload + 1,
					 num - 1, 6);
	case VIRGL_SET_SCISSORS:
		return vg_model_set_many(model, command, 0, payload[0], payload + 1,
					 num - 1, 2);
	case VIRGL_SET_VERTEX_BUFFERS:
		return vg_model_use_many(model, command, 0, 0, payload, num, 3, 2, true);
	case VIRGL_SET_SAMPLER_VIEWS:
		return vg_model_bind_many(model, command, payload[0], payload[1],
					  payload + 2, num - 2, true);
	case VIRGL_BIND_SAMPLERS:
		return vg_model_bind_many(model, command, payload[0], payload[1],
					  payload + 2, num - 2, false);
	case VIRGL_SET_INDEX_BUFFER:
		return (num == 1 || num == 3) &&
		       vg_model_use(model, vg_model_slot(model, command, 0, 0), payload[0],
				    jhash2(payload + 1, num - 1, 2));
	case VIRGL_SET_CONSTANTS:
		if (payload[0] >= STAGES)
			return false;
		vg_model_slot(model, command, payload[0], 0)->hash =
			num > 2 ? jhash2(payload + 2, num - 2, 4) : 0;
		return true;
	case VIRGL_SET_UNIFORM_BUFFER:
		return vg_model_use_many(model, command, payload[0], payload[1],
					 payload + 2, 3, 3, 2, false);
	case VIRGL_BIND_SHADER:
		return vg_model_bind_many(model, command, payload[1], 0, payload, 1, false);
	case VIRGL_SET_SHADER_BUFFERS:
		return vg_model_use_many(model, command, payload[0], payload[1],
					 payload + 2, num - 2, 3, 2, false);
	case VIRGL_SET_SHADER_IMAGES:
		return vg_model_use_many(model, command, payload[0], payload[1],
					 payload + 2, num - 2, 5, 4, false);
	case VIRGL_SET_ATOMIC_BUFFERS:
		return vg_model_use_many(model, command, 0, payload[0], payload + 1,
					 num - 1, 3, 2, false);
	case VIRGL_SET_TWEAK:
		return vg_model_set_many(model, command, 0, payload[0], payload + 1, 1, 1);
	case VIRGL_BEGIN_QUERY:
	case VIRGL_END_QUERY:
		return vg_model_query(model, payload[0], command == VIRGL_BEGIN_QUERY);
	case VIRGL_CREATE_SUB_CTX:
		vg_model_new_sub(model, payload[0]);
		return true;
	case VIRGL_SET_SUB_CTX:
		if (!xa_load(&model->subs, payload[0]))
			return false;
		model->sub = payload[0];
		return true;
	case VIRGL_DESTROY_SUB_CTX:
		if (payload[0])
			vg_model_free_sub(model, payload[0]);
		return true;
	case VIRGL_SET_STENCIL_REF:
	case VIRGL_SET_BLEND_COLOUR:
	case VIRGL_SET_STIPPLE:
	case VIRGL_SET_CLIP:
	case VIRGL_SET_SAMPLE_MASK:
	case VIRGL_SET_TESSELLATION:
	case VIRGL_SET_MIN_SAMPLES:
	case VIRGL_SET_NO_ATTACHMENT:
		vg_model_slot(model, command, 0, 0)->hash = jhash2(payload, num, 3);
		return true;
	}

	return true;
}

/* Carry out a stream. */
void vg_model_run(struct vg_model *model, const u32 *words, u32 num)
{
	u32 at = 0, length;

	while (at < num && !model->dead) {
		length = VIRGL_LENGTH(words[at]);
		model->why = words[at];
		model->dead = at + 1 + length > num ||
			      !vg_model_one(model, VIRGL_COMMAND(words[at]),
					    VIRGL_OBJECT_TYPE(words[at]), words + at + 1,
					    length);
		at += 1 + length;
	}
}

/* Whether an object can be named, in a context that is made anew as well */
static bool vg_model_lasts(struct vg_model *model, const struct vg_model_object *object)
{
	return object && object->named &&
	       (!object->resource || model->has_resource(model, object->resource));
}

/* The name of an object of a type, in the current sub-context; 0 if there is none */
u32 vg_model_any(struct vg_model *model, u8 type, u32 from)
{
	struct vg_model_object *object;
	u32 found = 0;
	unsigned long i;

	xa_for_each(&vg_model_sub(model)->objects, i, object) {
		if (object->type != type || object->missing ||
		    !vg_model_lasts(model, object))
			continue;
		if (!found || i <= from)
			found = i;
	}
	return found;
}

/* The shader whose text is not complete, and how much is there; 0 if there is none */
u32 vg_model_partial(struct vg_model *model, u32 *sent)
{
	struct vg_model_sub *sub = vg_model_sub(model);
	struct vg_model_object *object = xa_load(&sub->objects, sub->partial);

	*sent = object ? object->text - object->missing : 0;
	return sub->partial;
}

/*
 * Comparison. What nobody can name any more counts as nothing.
 */

static u32 vg_model_name(struct vg_model *model, const struct vg_model_slot *slot)
{
	return slot && vg_model_lasts(model, slot->object) ? slot->object->name : 0;
}

static u32 vg_model_resource(struct vg_model *model, const struct vg_model_slot *slot)
{
	return slot && slot->resource && model->has_resource(model, slot->resource) ?
	       slot->resource : 0;
}

static bool vg_model_sub_differs(struct vg_model *a, struct vg_model *b, u32 number,
				 char *what, size_t size)
{
	struct vg_model_sub *ours = xa_load(&a->subs, number);
	struct vg_model_sub *theirs = xa_load(&b->subs, number);
	struct vg_model_object *object, *other;
	struct vg_model_slot *slot, *twin;
	unsigned long i;

	if (!theirs || ours->partial != theirs->partial) {
		snprintf(what, size, "sub-context %u", number);
		return true;
	}

	xa_for_each(&ours->objects, i, object) {
		if (!vg_model_lasts(a, object))
			continue;
		other = xa_load(&theirs->objects, i);
		if (other && other->hash == object->hash && other->type == object->type &&
		    other->begun == object->begun && other->ended == object->ended &&
		    other->missing == object->missing)
			continue;
		snprintf(what, size, "sub-context %u, object %lu of type %u", number, i,
			 object->type);
		return true;
	}

	xa_for_each(&ours->slots, i, slot) {
		twin = xa_load(&theirs->slots, i);
		if (vg_model_name(a, slot) == vg_model_name(b, twin) &&
		    vg_model_resource(a, slot) == vg_model_resource(b, twin) &&
		    slot->hash == (twin ? twin->hash : 0))
			continue;
		snprintf(what, size, "sub-context %u, command %lu, stage %lu, slot %lu",
			 number, i / SLOTS / STAGES, i / SLOTS % STAGES, i % SLOTS);
		return true;
	}

	return false;
}

/* Whether something is in @a that is not in @b, or the other way round; says what. */
bool vg_model_differs(struct vg_model *a, struct vg_model *b, char *what, size_t size)
{
	struct vg_model_sub *sub;
	unsigned long i;

	if (a->dead || b->dead || a->sub != b->sub) {
		snprintf(what, size, "dead %d and %d, in sub-context %u and %u, after %x",
			 a->dead, b->dead, a->sub, b->sub, b->why);
		return true;
	}

	xa_for_each(&a->subs, i, sub)
		if (vg_model_sub_differs(a, b, i, what, size))
			return true;
	xa_for_each(&b->subs, i, sub)
		if (vg_model_sub_differs(b, a, i, what, size))
			return true;

	return false;
}
