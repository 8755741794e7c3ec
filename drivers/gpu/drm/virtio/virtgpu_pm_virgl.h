/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef VIRTGPU_PM_VIRGL_H
#define VIRTGPU_PM_VIRGL_H

#include <linux/bits.h>
#include <linux/kconfig.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/rbtree.h>
#include <linux/sizes.h>
#include <linux/types.h>
#include <linux/virtio_gpu.h>

struct virtio_gpu_device;
struct virtio_gpu_object_params;

/*
 * The command stream of virgl, between Mesa and virglrenderer. It has no
 * specification; these are the facts that the census needs.
 *
 * A stream is a sequence of words. Each command begins with a header: the command
 * in bits 0 to 7, a type of object in bits 8 to 15, the number of words that follow
 * in bits 16 to 31.
 */
#define VIRGL_COMMAND(header)		((header) & 0xff)
#define VIRGL_OBJECT_TYPE(header)	(((header) >> 8) & 0xff)
#define VIRGL_LENGTH(header)		((header) >> 16)
#define VIRGL_HEADER(command, type, length)	\
	((command) | (type) << 8 | (u32)(length) << 16)

/* Commands, from 0 on */
enum {
	VIRGL_NOP = 0, VIRGL_CREATE_OBJECT, VIRGL_BIND_OBJECT,
	VIRGL_DESTROY_OBJECT = 3, VIRGL_SET_VIEWPORTS, VIRGL_SET_FRAMEBUFFER,
	VIRGL_SET_VERTEX_BUFFERS = 6, VIRGL_CLEAR, VIRGL_DRAW,
	VIRGL_INLINE_WRITE = 9, VIRGL_SET_SAMPLER_VIEWS, VIRGL_SET_INDEX_BUFFER,
	VIRGL_SET_CONSTANTS = 12, VIRGL_SET_STENCIL_REF, VIRGL_SET_BLEND_COLOUR,
	VIRGL_SET_SCISSORS = 15, VIRGL_BLIT, VIRGL_COPY_REGION,
	VIRGL_BIND_SAMPLERS = 18, VIRGL_BEGIN_QUERY, VIRGL_END_QUERY,
	VIRGL_GET_QUERY_RESULT = 21, VIRGL_SET_STIPPLE, VIRGL_SET_CLIP,
	VIRGL_SET_SAMPLE_MASK = 24, VIRGL_SET_STREAMOUT, VIRGL_SET_CONDITION,
	VIRGL_SET_UNIFORM_BUFFER = 27, VIRGL_SET_SUB_CTX, VIRGL_CREATE_SUB_CTX,
	VIRGL_DESTROY_SUB_CTX = 30, VIRGL_BIND_SHADER, VIRGL_SET_TESSELLATION,
	VIRGL_SET_MIN_SAMPLES = 33, VIRGL_SET_SHADER_BUFFERS,
	VIRGL_SET_SHADER_IMAGES = 35, VIRGL_MEMORY_BARRIER, VIRGL_LAUNCH_GRID,
	VIRGL_SET_NO_ATTACHMENT = 38, VIRGL_TEXTURE_BARRIER,
	VIRGL_SET_ATOMIC_BUFFERS = 40, VIRGL_SET_DEBUG_FLAGS,
	VIRGL_GET_QUERY_RESULT_BUFFER = 42, VIRGL_TRANSFER, VIRGL_END_TRANSFERS,
	VIRGL_COPY_TRANSFER = 45, VIRGL_SET_TWEAK, VIRGL_CLEAR_TEXTURE,
	VIRGL_CREATE_HOST_BLOB = 48, VIRGL_SET_IMPORT_TYPE,
	VIRGL_GET_MEMORY_INFO = 50, VIRGL_STRING_MARKER, VIRGL_LINK_SHADER,
	VIRGL_CREATE_CODEC = 53, VIRGL_DESTROY_CODEC, VIRGL_CREATE_VIDEO_BUFFER,
	VIRGL_DESTROY_VIDEO_BUFFER = 56, VIRGL_BEGIN_FRAME,
	VIRGL_DECODE_MACROBLOCK = 58, VIRGL_DECODE_BITSTREAM,
	VIRGL_ENCODE_BITSTREAM = 60, VIRGL_END_FRAME, VIRGL_CLEAR_SURFACE,
	VIRGL_GET_LAYOUT = 63,
	VIRGL_COMMANDS,
};

/* The third word of a shader: its text continues that of an earlier command. */
#define VIRGL_SHADER_OFFSET		2
#define VIRGL_SHADER_CONTINUES		BIT(31)

/* Of a shader, before its text: so many words, and some for each output */
#define VIRGL_SHADER_OUTPUTS		4
static inline u64 virgl_shader_words(u64 outputs)
{
	return outputs ? 9 + 2 * outputs : 5;
}

/* Where the names of resources are in objects that have one */
#define VIRGL_VIEW_RESOURCE		1	/* of a surface as well */
#define VIRGL_QUERY_RESOURCE		3

/* Of a query: where in its resource the host writes, and what is there until then */
#define VIRGL_QUERY_OFFSET		2
#define VIRGL_QUERY_WAITS		2

/* Capability sets whose streams are virgl's, beside 0 for an old program */
#define VIRGL_CAPSET_FIRST		1
#define VIRGL_CAPSET_LAST		2

/* Of a resource */
#define VIRGL_TARGET_BUFFER		0
#define VIRGL_TARGET_3D			3
#define VIRGL_BIND_VERTEX		BIT(4)
#define VIRGL_BIND_CUSTOM		BIT(17)
#define VIRGL_BIND_STAGING		BIT(19)
#define VIRGL_BIND_SPECIAL		GENMASK(31, 24)	/* camera, video, protected */
#define VIRGL_FORMAT_Z24_S8		19
#define VIRGL_FORMAT_S8_Z24		20
#define VIRGL_FORMAT_S8			23
#define VIRGL_FORMAT_Z32_S8		126
#define VIRGL_FORMAT_PLANAR_FIRST	163		/* YV12, YV16, IYUV, NV12, NV21 */
#define VIRGL_FORMAT_PLANAR_LAST	167
#define VIRGL_FORMAT_P010		314
#define VIRGL_FORMAT_R8			64

/* What is counted of a context; the first are the protocol's types of objects. */
enum {
	VIRGL_BLEND = 1,
	VIRGL_RASTERIZER,
	VIRGL_DEPTH_STENCIL,
	VIRGL_SHADER,
	VIRGL_VERTEX_ELEMENTS,
	VIRGL_SAMPLER_VIEW,
	VIRGL_SAMPLER,
	VIRGL_SURFACE,
	VIRGL_QUERY,
	VIRGL_STREAMOUT_TARGET,
	VIRGL_MSAA_SURFACE,
	VIRGL_OBJECT_TYPES,

	VIRGL_NUM_SUBS = VIRGL_OBJECT_TYPES,
	VIRGL_NUM_BINDINGS,
	VIRGL_NUM_BYTES,
	VIRGL_NUM_RUNNING,	/* queries between BEGIN and END */
	VIRGL_NUM_CONDITIONS,
	VIRGL_NUM_STREAMOUTS,
	VIRGL_NUM_IMPORTS,
	VIRGL_NUM_VIDEO,	/* codecs and their buffers */
	VIRGL_NUM_UNKNOWN,
	VIRGL_NUM_UNKNOWN_OBJECTS,
	VIRGL_NUM_BROKEN,
	VIRGL_NUM_TOO_MUCH,
	VIRGL_NUM_NO_MEMORY,
	VIRGL_NUM_IN_STREAM,

	/* of the resources of a file, counted on request */
	VIRGL_NUM_RESOURCES = VIRGL_NUM_IN_STREAM,
	VIRGL_NUM_MULTISAMPLED,
	VIRGL_NUM_HOST_BLOBS,
	VIRGL_NUM_PLANAR,
	VIRGL_NUM_STENCIL_LAYERS,
	VIRGL_NUM_SPECIAL,
	VIRGL_NUM_FORMATS,	/* of which nothing is known */
	VIRGL_NUM_LARGE,
	VIRGL_NUM_ALL,
};

/* Places of &struct virgl_sub.state */
#define VIRGL_SLOTS			96

/* Above this, a context is not looked at any more. */
#define VIRGL_MOST_BYTES		SZ_32M

/* A resource with more content is not saved: a host takes 16384 pieces of memory. */
#define VIRGL_MOST_CONTENT		SZ_64M

/* Of the tables of what is kept for a sub-context */
#define VIRGL_KEPT_BITS			6

/* Of a context, in which all state is looked at */
#define VIRGL_FIRST_STREAMS		256

/* A command as it was submitted, with its header */
struct virgl_words {
	struct virgl_words *next;
	u32 num;
	u32 room;
	u32 word[];
};

/* A thing that the host knows by a name */
struct virgl_item {
	struct rb_node node;
	u32 name;		/* the program's */
	u32 bytes;		/* what is charged for it */
	u8 type;		/* where it is counted */
	bool running;		/* a query that was begun */

	/* to make it again */
	bool begun;		/* a query that was begun once */
	bool ended;		/* a query that was ended once */
	bool partial;		/* a shader whose text is not complete */
	bool missing;		/* it was not made again */
	u64 serial;		/* when it was made */
	struct virgl_words *first;
	struct virgl_words *last;
};

/* The last command of those that replace each other */
struct virgl_kept {
	struct hlist_node node;	/* in &virgl_sub.kept */
	struct list_head order;	/* in &virtio_gpu_virgl.order */
	struct virgl_sub *sub;
	u64 key;
	u64 serial;		/* when it was set */
	const u32 *now;		/* in the stream that is looked at, or NULL */
	struct virgl_words *words;
};

/* A sub-context: a GL context of the program */
struct virgl_sub {
	struct virgl_item item;	/* the first member */
	struct rb_root objects;
	bool condition;		/* what is drawn depends on a query */
	bool streamout;		/* what is drawn is written to buffers */
	u16 state[VIRGL_SLOTS];	/* the longest payload of each kind, in words */
	struct hlist_head kept[1 << VIRGL_KEPT_BITS];
};

/**
 * struct virtio_gpu_virgl - what is known of a virgl context
 */
struct virtio_gpu_virgl {
	/**
	 * @lock: Held while a stream is looked at and queued, so that streams
	 * are looked at in the order in which the host sees them. May be held
	 * while waiting for the device. Protects all but the reading of @num.
	 */
	struct mutex lock;

	/** @subs: Sub-contexts. */
	struct rb_root subs;

	/** @spare: Memory of an object that is gone, for the next one; or NULL. */
	struct virgl_item *spare;

	/** @sub: Where commands go; NULL if it is not looked at any more. */
	struct virgl_sub *sub;

	/** @streams: How many were looked at. */
	unsigned int streams;

	/** @keeps: Commands are kept, to make it again. Never changes. */
	bool keeps;

	/**
	 * @returns: It is being made again. &virtio_gpu_fpriv.context_lock is
	 * held.
	 */
	bool returns;

	/** @lost: It was not made again. Written once, read without @lock. */
	bool lost;

	/** @saved: Reset epoch in which its resources were saved last. */
	u32 saved;

	/** @dangling: How many names in it were not known when it came back. */
	unsigned int dangling;

	/** @serial: Counts objects that are made, and state that is set. */
	u64 serial;

	/** @order: State in the order in which it was set last. */
	struct list_head order;

	/** @unknown: The first command that is not known. */
	u8 unknown;

	/** @num: Of each, how many. Read without @lock. */
	unsigned int num[VIRGL_NUM_IN_STREAM];
};

static inline void virgl_count(struct virtio_gpu_virgl *virgl, unsigned int what,
			       int by)
{
	WRITE_ONCE(virgl->num[what], virgl->num[what] + by);
}

struct virtio_gpu_virgl *virtio_gpu_virgl_alloc(bool keeps);
void virtio_gpu_virgl_free(struct virtio_gpu_virgl *virgl);
void virtio_gpu_virgl_walk(struct virtio_gpu_virgl *virgl, const void *buf,
			   u32 size);
bool virtio_gpu_virgl_charge(struct virtio_gpu_virgl *virgl, u32 bytes);
bool virtio_gpu_virgl_give_up(struct virtio_gpu_virgl *virgl, unsigned int why);
struct virgl_item *virtio_gpu_virgl_find(struct rb_root *root, u32 name);

/**
 * struct virgl_replay - streams that make a context again
 */
struct virgl_replay {
	/**
	 * @submit: Takes a stream of @bytes, which it frees with kvfree().
	 * Returns 0 or a negative errno.
	 */
	int (*submit)(struct virgl_replay *replay, u32 *stream, u32 bytes);

	/** @resources: Names of those that it may use, ascending. */
	const u32 *resources;

	/** @num_resources: How many. */
	unsigned int num_resources;

	/** @rehearsal: Leave out what changes a resource. */
	bool rehearsal;

	/** @dangling: Number of names that were not known. */
	unsigned int dangling;

	/** @stream: What is not submitted yet; NULL if nothing. */
	u32 *stream;

	/** @used: Words in it. */
	u32 used;

	/** @room: Words that it can have. */
	u32 room;
};

/* A layer of a level */
struct virgl_region {
	struct virtio_gpu_box box;
	u32 level;
	u32 offset;
	u32 bytes;
};

#if IS_ENABLED(CONFIG_DRM_VIRTIO_GPU_VIRGL_RESTORE)
bool virtio_gpu_virgl_is_staging(const struct virtio_gpu_object_params *params);
bool virtio_gpu_virgl_is_custom(const struct virtio_gpu_object_params *params);
bool virtio_gpu_virgl_next_region(const struct virtio_gpu_object_params *params,
				  struct virgl_region *region);

int virtio_gpu_virgl_note_caps(struct virtio_gpu_device *vgdev);
bool virtio_gpu_virgl_is_same_host(struct virtio_gpu_device *vgdev);
int virtio_gpu_virgl_queue(struct virtio_gpu_device *vgdev, u32 type, u32 ctx_id,
			   u32 id);
int virtio_gpu_virgl_probe(struct virtio_gpu_device *vgdev, u32 ctx_id);

static inline bool virtio_gpu_virgl_keeps(const struct virtio_gpu_virgl *virgl)
{
	return virgl->keeps;
}

bool virtio_gpu_virgl_keep_object(struct virtio_gpu_virgl *virgl,
				  struct virgl_item *item, const u32 *word);
bool virtio_gpu_virgl_keep_state(struct virtio_gpu_virgl *virgl, const u32 *word);
bool virtio_gpu_virgl_keep_all(struct virtio_gpu_virgl *virgl);
void virtio_gpu_virgl_forget_object(struct virgl_item *item);
void virtio_gpu_virgl_forget_state(struct virtio_gpu_virgl *virgl,
				   struct virgl_sub *sub);
int virtio_gpu_virgl_compare_names(const void *a, const void *b);
int virtio_gpu_virgl_replay(struct virtio_gpu_virgl *virgl,
			    struct virgl_replay *replay);
#else
static inline bool virtio_gpu_virgl_keeps(const struct virtio_gpu_virgl *virgl)
{
	return false;
}

static inline bool virtio_gpu_virgl_keep_object(struct virtio_gpu_virgl *virgl,
						struct virgl_item *item,
						const u32 *word)
{
	return true;
}

static inline bool virtio_gpu_virgl_keep_state(struct virtio_gpu_virgl *virgl,
					       const u32 *word)
{
	return true;
}

static inline bool virtio_gpu_virgl_keep_all(struct virtio_gpu_virgl *virgl)
{
	return true;
}

static inline void virtio_gpu_virgl_forget_object(struct virgl_item *item)
{
}

static inline void virtio_gpu_virgl_forget_state(struct virtio_gpu_virgl *virgl,
						 struct virgl_sub *sub)
{
}
#endif

#endif
