// SPDX-License-Identifier: GPL-2.0 OR MIT

#include <linux/align.h>
#include <linux/bsearch.h>
#include <linux/hash.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "virtgpu_pm_virgl.h"

/*
 * What of the streams of a virgl context is kept, and streams that make the same
 * context again.
 *
 * Objects are kept as they were created, until they are destroyed. Of commands that
 * set state the last one of each key is kept, and they are replayed in the order in
 * which they came last. A key is what two commands must have in common for the
 * second to replace all that the first has set. So each slot gets what it had,
 * whichever commands covered it.
 *
 * A host holds what is bound although the program has destroyed it. A new context
 * would be in error for good if such a thing was named to it, so 0 is bound instead.
 * Mesa sets all that before it draws.
 */

/* Words of a stream, well below the limit of any host */
#define VIRGL_STREAM_WORDS		SZ_4K

/* Stages and slots are fewer */
#define VIRGL_MOST_SLOTS		SZ_4K

/* What makes the key, beside the command */
#define VIRGL_KEY_TYPE			BIT(0)
#define VIRGL_KEY_WORD_0		BIT(1)
#define VIRGL_KEY_WORD_1		BIT(2)
#define VIRGL_KEY_LENGTH		BIT(3)
#define VIRGL_KEY_RANGE			(VIRGL_KEY_WORD_0 | VIRGL_KEY_LENGTH)
#define VIRGL_KEY_STAGE_RANGE		(VIRGL_KEY_RANGE | VIRGL_KEY_WORD_1)

/* Beyond any command, for one that has only one name */
#define VIRGL_ONE			SZ_64K

static const struct {
	u8 key;
	bool resources;		/* the names are those of resources */
	u8 first;		/* where names are in the payload */
	u32 step;		/* from one to the next; 0 if there are none */
} virgl_state_rows[VIRGL_COMMANDS] = {
	[VIRGL_BIND_OBJECT] = { VIRGL_KEY_TYPE, false, 0, VIRGL_ONE },
	[VIRGL_SET_VIEWPORTS] = { VIRGL_KEY_RANGE },
	[VIRGL_SET_FRAMEBUFFER] = { 0, false, 1, 1 },
	[VIRGL_SET_VERTEX_BUFFERS] = { 0, true, 2, 3 },
	[VIRGL_SET_SAMPLER_VIEWS] = { VIRGL_KEY_STAGE_RANGE, false, 2, 1 },
	[VIRGL_SET_INDEX_BUFFER] = { 0, true, 0, VIRGL_ONE },
	[VIRGL_SET_CONSTANTS] = { VIRGL_KEY_WORD_0 },
	[VIRGL_SET_SCISSORS] = { VIRGL_KEY_RANGE },
	[VIRGL_BIND_SAMPLERS] = { VIRGL_KEY_STAGE_RANGE, false, 2, 1 },
	[VIRGL_SET_UNIFORM_BUFFER] = { VIRGL_KEY_WORD_0 | VIRGL_KEY_WORD_1, true,
				       4, VIRGL_ONE },
	[VIRGL_BIND_SHADER] = { VIRGL_KEY_WORD_1, false, 0, VIRGL_ONE },
	[VIRGL_SET_SHADER_BUFFERS] = { VIRGL_KEY_STAGE_RANGE, true, 4, 3 },
	[VIRGL_SET_SHADER_IMAGES] = { VIRGL_KEY_STAGE_RANGE, true, 6, 5 },
	[VIRGL_SET_ATOMIC_BUFFERS] = { VIRGL_KEY_RANGE, true, 3, 3 },
	[VIRGL_SET_TWEAK] = { VIRGL_KEY_WORD_0 },
};

/* Where an object names its resource in the payload; 0 if it has none */
static const u8 virgl_object_resource[VIRGL_OBJECT_TYPES] = {
	[VIRGL_SAMPLER_VIEW] = VIRGL_VIEW_RESOURCE,
	[VIRGL_SURFACE] = VIRGL_VIEW_RESOURCE,
	[VIRGL_MSAA_SURFACE] = VIRGL_VIEW_RESOURCE,
	[VIRGL_STREAMOUT_TARGET] = VIRGL_VIEW_RESOURCE,
	[VIRGL_QUERY] = VIRGL_QUERY_RESOURCE,
};

/*
 * Keeping
 */

static struct virgl_words *virgl_alloc_words(struct virtio_gpu_virgl *virgl,
					     const u32 *word)
{
	u32 num = VIRGL_LENGTH(*word) + 1;
	struct virgl_words *words;

	words = kmalloc(struct_size(words, word, num),
			GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!words) {
		virtio_gpu_virgl_give_up(virgl, VIRGL_NUM_NO_MEMORY);
		return NULL;
	}

	words->next = NULL;
	words->num = num;
	words->room = num;
	memcpy(words->word, word, num * sizeof(*word));
	return words;
}

/*
 * Whether the text of a shader goes on in a further command. Says so as well if the
 * command is too short for what it says, which the host does not accept.
 */
static bool virgl_is_partial(const u32 *word)
{
	const u32 *payload = word + 1;
	u32 length = VIRGL_LENGTH(*word), at;
	u64 before, text;

	if (length <= VIRGL_SHADER_OUTPUTS)
		return true;

	at = payload[VIRGL_SHADER_OFFSET];
	before = virgl_shader_words(payload[VIRGL_SHADER_OUTPUTS]);
	if (before > length)
		return true;

	text = (length - before) * sizeof(u32);
	return ALIGN((u64)at, sizeof(u32)) > text;
}

/* Keep a command that creates an object, or goes on with it */
bool virtio_gpu_virgl_keep_object(struct virtio_gpu_virgl *virgl,
				  struct virgl_item *item, const u32 *word)
{
	u32 offset = 0, total = 0;
	struct virgl_words *words;

	if (!virgl->keeps)
		return true;

	words = virgl_alloc_words(virgl, word);
	if (!words)
		return false;

	if (!item->first) {
		item->first = words;
		item->serial = ++virgl->serial;
		item->partial = item->type == VIRGL_SHADER && virgl_is_partial(word);
	} else {
		item->last->next = words;
		offset = word[1 + VIRGL_SHADER_OFFSET] & ~VIRGL_SHADER_CONTINUES;
		total = item->first->word[1 + VIRGL_SHADER_OFFSET];
		item->partial = (u64)offset + VIRGL_LENGTH(*word) * sizeof(u32) <
				(u64)total + virgl_shader_words(0) * sizeof(u32);
	}
	item->last = words;
	return true;
}

void virtio_gpu_virgl_forget_object(struct virgl_item *item)
{
	struct virgl_words *words, *next;

	for (words = item->first; words; words = next) {
		next = words->next;
		kfree(words);
	}
	item->first = NULL;
	item->last = NULL;
}

/* Returns false if the command is too short, or names what there cannot be. */
static bool virgl_make_key(const u32 *word, u64 *key)
{
	u32 length = VIRGL_LENGTH(*word);
	u8 row = virgl_state_rows[VIRGL_COMMAND(*word)].key;

	*key = VIRGL_COMMAND(*word);
	if (row & VIRGL_KEY_TYPE)
		*key |= VIRGL_OBJECT_TYPE(*word) << 8;
	if (row & VIRGL_KEY_WORD_0) {
		if (length < 1 || word[1] >= VIRGL_MOST_SLOTS)
			return false;
		*key |= (u64)word[1] << 16;
	}
	if (row & VIRGL_KEY_WORD_1) {
		if (length < 2 || word[2] >= VIRGL_MOST_SLOTS)
			return false;
		*key |= (u64)word[2] << 28;
	}
	if (row & VIRGL_KEY_LENGTH)
		*key |= (u64)length << 40;

	return true;
}

static struct virgl_kept *virgl_find_kept(struct virgl_sub *sub, u64 key)
{
	struct virgl_kept *kept;

	hlist_for_each_entry(kept, &sub->kept[hash_64(key, VIRGL_KEPT_BITS)], node)
		if (kept->key == key)
			return kept;

	return NULL;
}

static struct virgl_kept *virgl_add_kept(struct virtio_gpu_virgl *virgl, u64 key)
{
	struct virgl_kept *kept;

	if (!virtio_gpu_virgl_charge(virgl, sizeof(*kept)))
		return NULL;

	kept = kzalloc(sizeof(*kept), GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!kept) {
		virtio_gpu_virgl_give_up(virgl, VIRGL_NUM_NO_MEMORY);
		return NULL;
	}

	kept->sub = virgl->sub;
	kept->key = key;
	hlist_add_head(&kept->node,
		       &virgl->sub->kept[hash_64(key, VIRGL_KEPT_BITS)]);
	list_add_tail(&kept->order, &virgl->order);
	virgl_count(virgl, VIRGL_NUM_BINDINGS, 1);
	return kept;
}

/* State is set by @word, which may be replaced in the same stream. */
bool virtio_gpu_virgl_keep_state(struct virtio_gpu_virgl *virgl, const u32 *word)
{
	struct virgl_kept *kept;
	u64 key;

	if (!virgl_make_key(word, &key)) {
		virgl_count(virgl, VIRGL_NUM_BROKEN, 1);
		return false;
	}

	kept = virgl_find_kept(virgl->sub, key) ?: virgl_add_kept(virgl, key);
	if (!kept)
		return false;

	kept->now = word;
	kept->serial = ++virgl->serial;
	list_move_tail(&kept->order, &virgl->order);
	return true;
}

static bool virgl_keep_words(struct virtio_gpu_virgl *virgl,
			     struct virgl_kept *kept)
{
	u32 num = VIRGL_LENGTH(*kept->now) + 1;
	struct virgl_words *words = kept->words;

	if (words && words->room >= num) {
		words->num = num;
		memcpy(words->word, kept->now, num * sizeof(*kept->now));
		return true;
	}

	if (words) {
		virgl_count(virgl, VIRGL_NUM_BYTES, -(int)(words->room * sizeof(u32)));
		kfree(words);
		kept->words = NULL;
	}
	if (!virtio_gpu_virgl_charge(virgl, num * sizeof(u32)))
		return false;

	kept->words = virgl_alloc_words(virgl, kept->now);
	return kept->words;
}

/* The end of a stream: keep what was the last in it. What was set in it comes last. */
bool virtio_gpu_virgl_keep_all(struct virtio_gpu_virgl *virgl)
{
	struct virgl_kept *kept;

	list_for_each_entry_reverse(kept, &virgl->order, order) {
		if (!kept->now)
			break;
		if (!virgl_keep_words(virgl, kept))
			return false;
		kept->now = NULL;
	}

	return true;
}

void virtio_gpu_virgl_forget_state(struct virtio_gpu_virgl *virgl,
				   struct virgl_sub *sub)
{
	struct virgl_kept *kept;
	struct hlist_node *next;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(sub->kept); i++) {
		hlist_for_each_entry_safe(kept, next, &sub->kept[i], node) {
			virgl_count(virgl, VIRGL_NUM_BINDINGS, -1);
			virgl_count(virgl, VIRGL_NUM_BYTES, -(int)sizeof(*kept));
			if (kept->words)
				virgl_count(virgl, VIRGL_NUM_BYTES,
					    -(int)(kept->words->room * sizeof(u32)));
			hlist_del(&kept->node);
			list_del(&kept->order);
			kfree(kept->words);
			kfree(kept);
		}
	}
}

/*
 * Replay
 */

static int virgl_flush(struct virgl_replay *replay)
{
	u32 *stream = replay->stream;

	replay->stream = NULL;
	return stream ? replay->submit(replay, stream,
				       replay->used * sizeof(*stream)) : 0;
}

/* Returns where the copy of @num words is, until the next call; or NULL. */
static u32 *virgl_emit(struct virgl_replay *replay, const u32 *word, u32 num,
		       int *err)
{
	u32 *copy;

	if (replay->stream && replay->room - replay->used < num) {
		*err = virgl_flush(replay);
		if (*err)
			return NULL;
	}
	if (!replay->stream) {
		replay->room = max_t(u32, num, VIRGL_STREAM_WORDS);
		replay->used = 0;
		replay->stream = kvmalloc_array(replay->room, sizeof(*word),
						GFP_KERNEL);
		*err = -ENOMEM;
		if (!replay->stream)
			return NULL;
	}

	copy = replay->stream + replay->used;
	memcpy(copy, word, num * sizeof(*word));
	replay->used += num;
	*err = 0;
	return copy;
}

static int virgl_emit_one(struct virgl_replay *replay, u32 command, u32 name)
{
	const u32 word[] = { VIRGL_HEADER(command, 0, 1), name };
	int err;

	virgl_emit(replay, word, ARRAY_SIZE(word), &err);
	return err;
}

/* The order of &virgl_replay.resources */
int virtio_gpu_virgl_compare_names(const void *a, const void *b)
{
	u32 x = *(const u32 *)a, y = *(const u32 *)b;

	return x < y ? -1 : x > y;
}

static bool virgl_has_resource(const struct virgl_replay *replay, u32 name)
{
	return bsearch(&name, replay->resources, replay->num_resources, sizeof(name),
		       virtio_gpu_virgl_compare_names);
}

/* One that has the name now may be younger than what was bound. */
static bool virgl_has_object(const struct virgl_kept *kept, u32 name)
{
	struct virgl_item *item = virtio_gpu_virgl_find(&kept->sub->objects, name);

	return item && !item->missing && item->serial < kept->serial;
}

/* What its resource was created for is gone. */
static bool virgl_is_missing(const struct virgl_replay *replay,
			     const struct virgl_item *item)
{
	u8 at = virgl_object_resource[item->type];

	return at && (item->first->num <= at + 1 ||
		      !virgl_has_resource(replay, item->first->word[at + 1]));
}

static int virgl_replay_object(struct virgl_replay *replay, struct virgl_item *item)
{
	struct virgl_words *words;
	int err;

	item->missing = virgl_is_missing(replay, item);
	if (item->missing) {
		replay->dangling++;
		return 0;
	}

	for (words = item->first; words; words = words->next)
		if (!virgl_emit(replay, words->word, words->num, &err))
			return err;

	/* the host has no result to tell of a query that never ran */
	err = item->begun ? virgl_emit_one(replay, VIRGL_BEGIN_QUERY, item->name) : 0;
	if (!err && item->ended)
		err = virgl_emit_one(replay, VIRGL_END_QUERY, item->name);
	return err;
}

static int virgl_replay_objects(struct virgl_replay *replay, struct virgl_sub *sub,
				bool partial)
{
	struct virgl_item *item;
	struct rb_node *node;
	int err = 0;

	for (node = rb_first(&sub->objects); node && !err; node = rb_next(node)) {
		item = rb_entry(node, struct virgl_item, node);
		if (item->partial == partial)
			err = virgl_replay_object(replay, item);
	}

	return err;
}

static int virgl_replay_sub(struct virgl_replay *replay, struct virgl_sub *sub)
{
	int err = 0;

	/* number 0 is there and is the first */
	if (sub->item.name)
		err = virgl_emit_one(replay, VIRGL_CREATE_SUB_CTX, sub->item.name);
	if (!err)
		err = virgl_replay_objects(replay, sub, false);
	/* the host takes no other shader before the last one has its text */
	if (!err)
		err = virgl_replay_objects(replay, sub, true);

	return err;
}

/* Names that are not known become 0. */
static void virgl_check_names(struct virgl_replay *replay,
			      const struct virgl_kept *kept, u32 *word)
{
	unsigned int i, num = 0, command = VIRGL_COMMAND(*word);
	u32 step = virgl_state_rows[command].step, *name;

	for (i = virgl_state_rows[command].first; step && i < VIRGL_LENGTH(*word);
	     i += step) {
		name = word + 1 + i;
		if (*name && !(virgl_state_rows[command].resources ?
			       virgl_has_resource(replay, *name) :
			       virgl_has_object(kept, *name))) {
			*name = 0;
			replay->dangling++;
		}
		num += !!*name;
	}

	/* without attachments it must not say that it has some */
	if (command == VIRGL_SET_FRAMEBUFFER && !num && VIRGL_LENGTH(*word) > 2) {
		replay->used -= VIRGL_LENGTH(*word) - 2;
		word[0] = VIRGL_HEADER(VIRGL_SET_FRAMEBUFFER, 0, 2);
		word[1] = 0;
	}
}

static int virgl_replay_state(struct virtio_gpu_virgl *virgl,
			      struct virgl_replay *replay, u32 *current_sub)
{
	struct virgl_kept *kept;
	int err;
	u32 *word;

	list_for_each_entry(kept, &virgl->order, order) {
		/* levels and swizzle of a view can be those of its texture */
		if (replay->rehearsal && VIRGL_COMMAND(kept->words->word[0]) ==
		    VIRGL_SET_SAMPLER_VIEWS)
			continue;

		if (kept->sub->item.name != *current_sub) {
			*current_sub = kept->sub->item.name;
			err = virgl_emit_one(replay, VIRGL_SET_SUB_CTX, *current_sub);
			if (err)
				return err;
		}

		word = virgl_emit(replay, kept->words->word, kept->words->num, &err);
		if (!word)
			return err;
		virgl_check_names(replay, kept, word);
	}

	return 0;
}

/*
 * Submit what makes the context again. &virtio_gpu_virgl.lock is held. Returns 0;
 * -EINVAL if it is not known what it was; -ENOMEM; or an error of
 * &virgl_replay.submit.
 */
int virtio_gpu_virgl_replay(struct virtio_gpu_virgl *virgl,
			    struct virgl_replay *replay)
{
	struct rb_node *node;
	u32 last = 0;
	int err = 0;

	if (!virgl->keeps || !virgl->sub)
		return -EINVAL;

	replay->stream = NULL;
	replay->dangling = 0;
	for (node = rb_first(&virgl->subs); node && !err; node = rb_next(node)) {
		struct virgl_sub *sub = rb_entry(node, struct virgl_sub, item.node);

		err = virgl_replay_sub(replay, sub);
		last = sub->item.name;
	}
	if (!err)
		err = virgl_replay_state(virgl, replay, &last);
	if (!err && last != virgl->sub->item.name)
		err = virgl_emit_one(replay, VIRGL_SET_SUB_CTX, virgl->sub->item.name);
	if (!err)
		err = virgl_flush(replay);
	kvfree(replay->stream);

	return err;
}
