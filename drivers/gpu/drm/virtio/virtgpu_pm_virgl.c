// SPDX-License-Identifier: GPL-2.0 OR MIT

#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "virtgpu_drv.h"
#include "virtgpu_pm_virgl.h"

/*
 * Census of virgl contexts: the streams that programs submit are looked at, and
 * what the host keeps because of them is counted. Nothing is changed. Of a stream
 * something is kept only if the context may have to be made again. Programs write
 * the streams, so nothing in them is believed.
 */

/* What a command means to the census */
enum virgl_class {
	VIRGL_NONE,		/* leaves nothing behind but content */
	VIRGL_STATE,		/* replaces state of its kind, */
	VIRGL_STATE_TYPE,	/* of a type of object, */
	VIRGL_STATE_WORD_0,	/* or of a shader stage, in this word */
	VIRGL_STATE_WORD_1,
	VIRGL_LAST_STATE = VIRGL_STATE_WORD_1,
	VIRGL_OTHER,		/* see virgl_other() */
};

/* State has places in virgl_sub.state, 8 for stages and 16 for types of objects. */
static const struct {
	u8 class;
	u8 slot;
} virgl_rows[256] = {
	[VIRGL_CREATE_OBJECT] = { VIRGL_OTHER },
	[VIRGL_BIND_OBJECT] = { VIRGL_STATE_TYPE, 80 },
	[VIRGL_DESTROY_OBJECT] = { VIRGL_OTHER },
	[VIRGL_SET_VIEWPORTS] = { VIRGL_STATE, 0 },
	[VIRGL_SET_FRAMEBUFFER] = { VIRGL_STATE, 1 },
	[VIRGL_SET_VERTEX_BUFFERS] = { VIRGL_STATE, 2 },
	[VIRGL_SET_SAMPLER_VIEWS] = { VIRGL_STATE_WORD_0, 24 },
	[VIRGL_SET_INDEX_BUFFER] = { VIRGL_STATE, 3 },
	[VIRGL_SET_CONSTANTS] = { VIRGL_STATE_WORD_0, 32 },
	[VIRGL_SET_STENCIL_REF] = { VIRGL_STATE, 4 },
	[VIRGL_SET_BLEND_COLOUR] = { VIRGL_STATE, 5 },
	[VIRGL_SET_SCISSORS] = { VIRGL_STATE, 6 },
	[VIRGL_BIND_SAMPLERS] = { VIRGL_STATE_WORD_0, 40 },
	[VIRGL_BEGIN_QUERY] = { VIRGL_OTHER },
	[VIRGL_END_QUERY] = { VIRGL_OTHER },
	[VIRGL_SET_STIPPLE] = { VIRGL_STATE, 7 },
	[VIRGL_SET_CLIP] = { VIRGL_STATE, 8 },
	[VIRGL_SET_SAMPLE_MASK] = { VIRGL_STATE, 9 },
	[VIRGL_SET_STREAMOUT] = { VIRGL_OTHER },
	[VIRGL_SET_CONDITION] = { VIRGL_OTHER },
	[VIRGL_SET_UNIFORM_BUFFER] = { VIRGL_STATE_WORD_0, 48 },
	[VIRGL_SET_SUB_CTX] = { VIRGL_OTHER },
	[VIRGL_CREATE_SUB_CTX] = { VIRGL_OTHER },
	[VIRGL_DESTROY_SUB_CTX] = { VIRGL_OTHER },
	[VIRGL_BIND_SHADER] = { VIRGL_STATE_WORD_1, 56 },
	[VIRGL_SET_TESSELLATION] = { VIRGL_STATE, 10 },
	[VIRGL_SET_MIN_SAMPLES] = { VIRGL_STATE, 11 },
	[VIRGL_SET_SHADER_BUFFERS] = { VIRGL_STATE_WORD_0, 64 },
	[VIRGL_SET_SHADER_IMAGES] = { VIRGL_STATE_WORD_0, 72 },
	[VIRGL_SET_NO_ATTACHMENT] = { VIRGL_STATE, 12 },
	[VIRGL_SET_ATOMIC_BUFFERS] = { VIRGL_STATE, 13 },
	[VIRGL_SET_TWEAK] = { VIRGL_STATE_WORD_0, 16 },
	[VIRGL_SET_IMPORT_TYPE] = { VIRGL_OTHER },
	[VIRGL_CREATE_CODEC] = { VIRGL_OTHER },
	[VIRGL_DESTROY_CODEC] = { VIRGL_OTHER },
	[VIRGL_CREATE_VIDEO_BUFFER] = { VIRGL_OTHER },
	[VIRGL_DESTROY_VIDEO_BUFFER] = { VIRGL_OTHER },
	[VIRGL_COMMANDS ... 255] = { VIRGL_OTHER },
};

/* The rest of the stream means nothing. */
static bool virgl_broken(struct virtio_gpu_virgl *virgl)
{
	virgl_count(virgl, VIRGL_NUM_BROKEN, 1);
	return false;
}

/*
 * Things with a name
 */

static int virgl_compare(const void *name, const struct rb_node *node)
{
	u32 a = *(const u32 *)name, b = rb_entry(node, struct virgl_item, node)->name;

	return a < b ? -1 : a > b;
}

static int virgl_order(struct rb_node *a, const struct rb_node *b)
{
	return virgl_compare(&rb_entry(a, struct virgl_item, node)->name, b);
}

struct virgl_item *virtio_gpu_virgl_find(struct rb_root *root, u32 name)
{
	return rb_entry_safe(rb_find(&name, root, virgl_compare),
			     struct virgl_item, node);
}

static void virgl_free_tree(struct rb_root *root)
{
	struct virgl_item *item, *next;

	rbtree_postorder_for_each_entry_safe(item, next, root, node) {
		virtio_gpu_virgl_forget_object(item);
		kfree(item);
	}
	*root = RB_ROOT;
}

static void virgl_free_all(struct virtio_gpu_virgl *virgl)
{
	struct virgl_sub *sub, *next;

	rbtree_postorder_for_each_entry_safe(sub, next, &virgl->subs, item.node) {
		virtio_gpu_virgl_forget_state(virgl, sub);
		virgl_free_tree(&sub->objects);
	}
	virgl_free_tree(&virgl->subs);
	kfree(virgl->spare);
	virgl->spare = NULL;
	virgl->sub = NULL;
}

/* The context is not looked at any more. */
bool virtio_gpu_virgl_give_up(struct virtio_gpu_virgl *virgl, unsigned int why)
{
	unsigned int i;

	virgl_free_all(virgl);
	for (i = 0; i < VIRGL_NUM_IN_STREAM; i++)
		WRITE_ONCE(virgl->num[i], i == why);
	return false;
}

bool virtio_gpu_virgl_charge(struct virtio_gpu_virgl *virgl, u32 bytes)
{
	if (virgl->num[VIRGL_NUM_BYTES] + bytes > VIRGL_MOST_BYTES)
		return virtio_gpu_virgl_give_up(virgl, VIRGL_NUM_TOO_MUCH);

	virgl_count(virgl, VIRGL_NUM_BYTES, bytes);
	return true;
}

static void virgl_forget(struct virtio_gpu_virgl *virgl, struct virgl_item *item)
{
	virgl_count(virgl, item->type, -1);
	virgl_count(virgl, VIRGL_NUM_RUNNING, -item->running);
	virgl_count(virgl, VIRGL_NUM_BYTES, -item->bytes);
	virtio_gpu_virgl_forget_object(item);

	if (item->type < VIRGL_OBJECT_TYPES && !virgl->spare)
		virgl->spare = item;
	else
		kfree(item);
}

/* Memory for a thing. A frame often makes an object like one that it destroys. */
static struct virgl_item *virgl_alloc(struct virtio_gpu_virgl *virgl, size_t size,
				      u8 type)
{
	struct virgl_item *item = virgl->spare;

	if (item && type < VIRGL_OBJECT_TYPES) {
		virgl->spare = NULL;
		return item;
	}

	item = kzalloc(size, GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!item)
		virtio_gpu_virgl_give_up(virgl, VIRGL_NUM_NO_MEMORY);
	return item;
}

/*
 * A thing of @size bytes, which a command of @words has made, in place of one with
 * the same name. Returns NULL if the context is not looked at any more.
 */
static void *virgl_add(struct virtio_gpu_virgl *virgl, struct rb_root *root,
		       size_t size, u32 name, u8 type, u32 words)
{
	u32 bytes = size + words * sizeof(u32);
	struct virgl_item *item;
	struct rb_node *old;

	if (!virtio_gpu_virgl_charge(virgl, bytes))
		return NULL;

	item = virgl_alloc(virgl, size, type);
	if (!item)
		return NULL;

	*item = (struct virgl_item) { .name = name, .bytes = bytes, .type = type };
	old = rb_find_add(&item->node, root, virgl_order);
	if (old) {
		rb_replace_node(old, &item->node, root);
		virgl_forget(virgl, rb_entry(old, struct virgl_item, node));
	}
	virgl_count(virgl, type, 1);

	return item;
}

static bool virgl_remove(struct virtio_gpu_virgl *virgl, struct rb_root *root,
			 u32 name)
{
	struct virgl_item *item = virtio_gpu_virgl_find(root, name);

	if (item) {
		rb_erase(&item->node, root);
		virgl_forget(virgl, item);
	}
	return true;
}

/*
 * Sub-contexts
 */

static bool virgl_create_sub(struct virtio_gpu_virgl *virgl, u32 name)
{
	struct virgl_sub *sub;

	/* The host goes on in the one before if it exists already. */
	if (virtio_gpu_virgl_find(&virgl->subs, name))
		return true;

	sub = virgl_add(virgl, &virgl->subs, sizeof(*sub), name, VIRGL_NUM_SUBS, 2);
	if (sub)
		virgl->sub = sub;
	return sub;
}

static bool virgl_set_sub(struct virtio_gpu_virgl *virgl, u32 name)
{
	struct virgl_item *item;

	/* most of the time it is the one already */
	if (virgl->sub->item.name == name)
		return true;

	item = virtio_gpu_virgl_find(&virgl->subs, name);
	if (item)
		virgl->sub = container_of(item, struct virgl_sub, item);
	return true;
}

static bool virgl_destroy_sub(struct virtio_gpu_virgl *virgl, u32 name)
{
	struct virgl_item *item = virtio_gpu_virgl_find(&virgl->subs, name), *next;
	struct virgl_sub *sub;
	unsigned int i;

	/* number 0 lives as long as the context */
	if (!name || !item)
		return true;

	sub = container_of(item, struct virgl_sub, item);
	if (virgl->sub == sub)
		virgl_set_sub(virgl, 0);

	rbtree_postorder_for_each_entry_safe(item, next, &sub->objects, node)
		virgl_forget(virgl, item);
	virtio_gpu_virgl_forget_state(virgl, sub);
	for (i = 0; i < VIRGL_SLOTS; i++) {
		if (!sub->state[i])
			continue;
		virgl_count(virgl, VIRGL_NUM_BINDINGS, -1);
		virgl_count(virgl, VIRGL_NUM_BYTES,
			    -(sub->state[i] + 1) * (int)sizeof(u32));
	}
	virgl_count(virgl, VIRGL_NUM_CONDITIONS, -sub->condition);
	virgl_count(virgl, VIRGL_NUM_STREAMOUTS, -sub->streamout);

	return virgl_remove(virgl, &virgl->subs, name);
}

/*
 * Commands
 */

static bool virgl_create_object(struct virtio_gpu_virgl *virgl, u32 header,
				const u32 *payload)
{
	u32 name = payload[0], words = VIRGL_LENGTH(header) + 1;
	struct rb_root *objects = &virgl->sub->objects;
	u8 type = VIRGL_OBJECT_TYPE(header);
	struct virgl_item *item;

	if (!type || type >= VIRGL_OBJECT_TYPES) {
		virgl_count(virgl, VIRGL_NUM_UNKNOWN_OBJECTS, 1);
		return true;
	}
	if (!name)
		return virgl_broken(virgl);

	if (type == VIRGL_SHADER && VIRGL_LENGTH(header) > VIRGL_SHADER_OFFSET &&
	    payload[VIRGL_SHADER_OFFSET] & VIRGL_SHADER_CONTINUES) {
		item = virtio_gpu_virgl_find(objects, name);
		if (!item || item->type != VIRGL_SHADER)
			return virgl_broken(virgl);
		if (!virtio_gpu_virgl_charge(virgl, words * sizeof(u32)))
			return false;
		item->bytes += words * sizeof(u32);
		return virtio_gpu_virgl_keep_object(virgl, item, payload - 1);
	}

	item = virgl_add(virgl, objects, sizeof(*item), name, type, words);
	return item && virtio_gpu_virgl_keep_object(virgl, item, payload - 1);
}

static bool virgl_run_query(struct virtio_gpu_virgl *virgl, u32 name, bool run)
{
	struct virgl_item *item = virtio_gpu_virgl_find(&virgl->sub->objects, name);

	if (!item || item->type != VIRGL_QUERY)
		return virgl_broken(virgl);

	virgl_count(virgl, VIRGL_NUM_RUNNING, run - item->running);
	item->running = run;
	item->begun |= run;
	item->ended |= !run;
	return true;
}

static bool virgl_switch(struct virtio_gpu_virgl *virgl, unsigned int what,
			 bool *now, bool on)
{
	virgl_count(virgl, what, on - *now);
	*now = on;
	return true;
}

/* Something comes, goes, or is in effect. Returns false to stop. */
static bool virgl_other(struct virtio_gpu_virgl *virgl, u32 header,
			const u32 *payload)
{
	struct virgl_sub *sub = virgl->sub;
	u32 first;

	if (VIRGL_COMMAND(header) >= VIRGL_COMMANDS) {
		if (!virgl->num[VIRGL_NUM_UNKNOWN])
			virgl->unknown = VIRGL_COMMAND(header);
		virgl_count(virgl, VIRGL_NUM_UNKNOWN, 1);
		return true;
	}
	if (!VIRGL_LENGTH(header))
		return virgl_broken(virgl);

	first = payload[0];
	switch (VIRGL_COMMAND(header)) {
	case VIRGL_CREATE_OBJECT:
		return virgl_create_object(virgl, header, payload);
	case VIRGL_DESTROY_OBJECT:
		return virgl_remove(virgl, &sub->objects, first);
	case VIRGL_BEGIN_QUERY:
		return virgl_run_query(virgl, first, true);
	case VIRGL_END_QUERY:
		return virgl_run_query(virgl, first, false);
	case VIRGL_SET_STREAMOUT:
		/* behind a bit mask; 0 is none */
		return virgl_switch(virgl, VIRGL_NUM_STREAMOUTS, &sub->streamout,
				    memchr_inv(payload + 1, 0, sizeof(u32) *
					       (VIRGL_LENGTH(header) - 1)));
	case VIRGL_SET_CONDITION:
		return virgl_switch(virgl, VIRGL_NUM_CONDITIONS, &sub->condition,
				    first);
	case VIRGL_SET_SUB_CTX:
		return virgl_set_sub(virgl, first);
	case VIRGL_CREATE_SUB_CTX:
		return virgl_create_sub(virgl, first);
	case VIRGL_DESTROY_SUB_CTX:
		return virgl_destroy_sub(virgl, first);
	case VIRGL_CREATE_CODEC:
	case VIRGL_CREATE_VIDEO_BUFFER:
		virgl_count(virgl, VIRGL_NUM_VIDEO, 1);
		return true;
	case VIRGL_DESTROY_CODEC:
	case VIRGL_DESTROY_VIDEO_BUFFER:
		/* who destroys what is not there only deceives itself */
		virgl_count(virgl, VIRGL_NUM_VIDEO, -!!virgl->num[VIRGL_NUM_VIDEO]);
		return true;
	default:
		virgl_count(virgl, VIRGL_NUM_IMPORTS, 1);
		return true;
	}
}

static bool virgl_hold(struct virtio_gpu_virgl *virgl, u16 *state, u32 length)
{
	/* the header as well */
	u32 words = *state ? length - *state : length + 1;

	if (!virtio_gpu_virgl_charge(virgl, words * sizeof(u32)))
		return false;
	if (!*state)
		virgl_count(virgl, VIRGL_NUM_BINDINGS, 1);
	*state = length;
	return true;
}

/* State is set. Returns false to stop. */
static bool virgl_state(struct virtio_gpu_virgl *virgl, u32 header,
			const u32 *payload)
{
	u32 length = VIRGL_LENGTH(header);
	u32 slot = virgl_rows[VIRGL_COMMAND(header)].slot;
	u16 *state;

	switch (virgl_rows[VIRGL_COMMAND(header)].class) {
	case VIRGL_STATE_TYPE:
		slot += VIRGL_OBJECT_TYPE(header) % 16;
		break;
	case VIRGL_STATE_WORD_0:
		if (!length)
			return virgl_broken(virgl);
		slot += payload[0] % 8;
		break;
	case VIRGL_STATE_WORD_1:
		if (length < 2)
			return virgl_broken(virgl);
		slot += payload[1] % 8;
		break;
	}

	state = &virgl->sub->state[slot];
	return length <= *state || virgl_hold(virgl, state, length);
}

/* Not inline, to keep the loop over what is skipped short */
static noinline bool virgl_look(struct virtio_gpu_virgl *virgl, const u32 *word)
{
	if (virgl_rows[VIRGL_COMMAND(*word)].class == VIRGL_OTHER)
		return virgl_other(virgl, *word, word + 1);
	if (virtio_gpu_virgl_keeps(virgl))
		return virtio_gpu_virgl_keep_state(virgl, word);

	return virgl_state(virgl, *word, word + 1);
}

/*
 * State is set anew in each frame, and most of a frame is that. So after the first
 * streams of a context one of 64 tells what state there is.
 */
static bool virgl_looks_at_state(struct virtio_gpu_virgl *virgl)
{
	return virtio_gpu_virgl_keeps(virgl) ||
	       virgl->streams++ < VIRGL_FIRST_STREAMS || virgl->streams % 64 == 0;
}

/* Look at a stream. &virtio_gpu_virgl.lock is held. */
void virtio_gpu_virgl_walk(struct virtio_gpu_virgl *virgl, const void *buf,
			   u32 size)
{
	const u32 *word = buf, *end = word + size / sizeof(*word), *next;
	u8 skip = virgl_looks_at_state(virgl) ? VIRGL_NONE : VIRGL_LAST_STATE;

	if (!virgl->sub)
		return;

	while (word < end) {
		const u32 *stop = min(end, word + SZ_16K);

		for (; word < stop; word = next) {
			next = word + 1 + VIRGL_LENGTH(*word);
			if (likely(virgl_rows[VIRGL_COMMAND(*word)].class <= skip))
				continue;
			if (next > end)
				goto broken;
			if (!virgl_look(virgl, word))
				goto out;
		}

		/* the program decides how long a stream is */
		if (word < end)
			cond_resched();
	}

	/* what was skipped is looked at here only */
	if (word == end)
		goto out;

broken:
	virgl_broken(virgl);
out:
	if (virtio_gpu_virgl_keeps(virgl))
		virtio_gpu_virgl_keep_all(virgl);
}

/* @keeps: whether it may have to be made again */
struct virtio_gpu_virgl *virtio_gpu_virgl_alloc(bool keeps)
{
	struct virtio_gpu_virgl *virgl = kzalloc(sizeof(*virgl), GFP_KERNEL_ACCOUNT);

	if (!virgl)
		return NULL;

	mutex_init(&virgl->lock);
	INIT_LIST_HEAD(&virgl->order);
	virgl->keeps = keeps;
	virgl_create_sub(virgl, 0);
	return virgl;
}

void virtio_gpu_virgl_free(struct virtio_gpu_virgl *virgl)
{
	if (!virgl)
		return;

	virgl_free_all(virgl);
	mutex_destroy(&virgl->lock);
	kfree(virgl);
}
