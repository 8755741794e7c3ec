// SPDX-License-Identifier: GPL-2.0 OR MIT

#include <linux/idr.h>
#include <linux/moduleparam.h>
#include <linux/seq_buf.h>
#include <linux/seq_file.h>

#include <drm/drm_file.h>
#include <drm/virtgpu_drm.h>

#include "virtgpu_drv.h"
#include "virtgpu_pm_virgl.h"

/*
 * Census of virgl contexts: for which files there is one, and what it says.
 */

/* Sides of a resource above this count as this; hosts have less. */
#define VIRGL_MOST_TEXELS	16384u

bool virtio_gpu_virgl_census;
module_param_named(virgl_census, virtio_gpu_virgl_census, bool, 0444);
MODULE_PARM_DESC(virgl_census,
		 "Tell what 3D programs hold that would not come back after a reset (default off)");

struct virgl_word {
	u8 what;
	const char *one;
	const char *many;
};

static const struct virgl_word virgl_objects[] = {
	{ VIRGL_BLEND, "a blend", "blends" },
	{ VIRGL_RASTERIZER, "a rasterizer", "rasterizers" },
	{ VIRGL_DEPTH_STENCIL, "a depth and stencil", "depth and stencils" },
	{ VIRGL_SHADER, "a shader", "shaders" },
	{ VIRGL_VERTEX_ELEMENTS, "a vertex format", "vertex formats" },
	{ VIRGL_SAMPLER_VIEW, "a sampler view", "sampler views" },
	{ VIRGL_SAMPLER, "a sampler", "samplers" },
	{ VIRGL_SURFACE, "a surface", "surfaces" },
	{ VIRGL_QUERY, "a query", "queries" },
	{ VIRGL_STREAMOUT_TARGET, "a feedback target", "feedback targets" },
	{ VIRGL_MSAA_SURFACE, "a multisampled surface", "multisampled surfaces" },
};

/* What could not come back, the worst first */
static const struct virgl_word virgl_reasons[] = {
	{ VIRGL_NUM_TOO_MUCH, "too much to keep" },
	{ VIRGL_NUM_NO_MEMORY, "no memory for the census" },
	{ VIRGL_NUM_UNKNOWN, "an unknown command", "unknown commands" },
	{ VIRGL_NUM_UNKNOWN_OBJECTS, "an unknown object", "unknown objects" },
	{ VIRGL_NUM_BROKEN, "a broken command stream", "broken command streams" },
	{ VIRGL_NUM_HOST_BLOBS, "a blob of the host", "blobs of the host" },
	{ VIRGL_NUM_MULTISAMPLED, "a multisampled texture", "multisampled textures" },
	{ VIRGL_NUM_PLANAR, "a planar texture", "planar textures" },
	{ VIRGL_NUM_STENCIL_LAYERS, "a stencil with layers", "stencils with layers" },
	{ VIRGL_NUM_SPECIAL, "a protected or video texture", "protected or video textures" },
	{ VIRGL_NUM_FORMATS, "a texture of an unknown format", "textures of unknown formats" },
	{ VIRGL_NUM_LARGE, "a texture too large to save", "textures too large to save" },
	{ VIRGL_NUM_IMPORTS, "an imported texture", "imported textures" },
	{ VIRGL_NUM_VIDEO, "a video codec or buffer", "video codecs and buffers" },
	{ VIRGL_NUM_RUNNING, "a running query", "running queries" },
	{ VIRGL_NUM_CONDITIONS, "conditional rendering", "conditional renderings" },
	{ VIRGL_STREAMOUT_TARGET, "a feedback target", "feedback targets" },
	{ VIRGL_NUM_STREAMOUTS, "transform feedback", "transform feedbacks" },
};

static bool virgl_has_stencil(u32 format)
{
	return format == VIRGL_FORMAT_Z24_S8 || format == VIRGL_FORMAT_S8_Z24 ||
	       format == VIRGL_FORMAT_S8 || format == VIRGL_FORMAT_Z32_S8;
}

static bool virgl_is_planar(u32 format)
{
	return (format >= VIRGL_FORMAT_PLANAR_FIRST &&
		format <= VIRGL_FORMAT_PLANAR_LAST) ||
	       format == VIRGL_FORMAT_P010;
}

#ifdef CONFIG_DRM_VIRTIO_GPU_VIRGL_RESTORE
static void virgl_classify_content(const struct virtio_gpu_object_params *params,
				   unsigned int *num)
{
	if (!virtio_gpu_virgl_restore || !params->virgl || params->nr_samples > 1 ||
	    params->bind & VIRGL_BIND_STAGING)
		return;

	num[VIRGL_NUM_FORMATS] += !virtio_gpu_pm_content_bytes(params);
	num[VIRGL_NUM_LARGE] +=
		virtio_gpu_pm_content_bytes(params) > VIRGL_MOST_CONTENT;
}
#else
static void virgl_classify_content(const struct virtio_gpu_object_params *params,
				   unsigned int *num)
{
}
#endif

static void virgl_classify(const struct virtio_gpu_object_params *params,
			   unsigned int *num)
{
	num[VIRGL_NUM_RESOURCES]++;
	if (params->blob) {
		num[VIRGL_NUM_HOST_BLOBS] +=
			params->blob_mem != VIRTGPU_BLOB_MEM_GUEST;
		return;
	}

	num[VIRGL_NUM_MULTISAMPLED] += params->nr_samples > 1;
	num[VIRGL_NUM_PLANAR] += virgl_is_planar(params->format);
	num[VIRGL_NUM_STENCIL_LAYERS] += params->array_size > 1 &&
		virgl_has_stencil(params->format);
	num[VIRGL_NUM_SPECIAL] += !!(params->bind & VIRGL_BIND_SPECIAL);
	virgl_classify_content(params, num);
}

static u64 virgl_side(u32 texels, unsigned int level)
{
	return max(min(texels, VIRGL_MOST_TEXELS) >> level, 1u);
}

/* Of a resource on the host, as if all textures had four bytes a texel */
static u64 virgl_bytes(const struct virtio_gpu_object_params *params)
{
	unsigned int level, levels;
	u64 bytes = 0;

	if (!params->virgl ||
	    params->bind & (VIRGL_BIND_STAGING | VIRGL_BIND_CUSTOM))
		return 0;
	if (params->target == VIRGL_TARGET_BUFFER)
		return params->width;

	levels = min(params->last_level, 14u);
	for (level = 0; level <= levels; level++)
		bytes += virgl_side(params->width, level) *
			 virgl_side(params->height, level) *
			 virgl_side(params->depth, level) *
			 virgl_side(params->array_size, 0) * 4;

	return bytes;
}

/* Returns how many bytes its resources have on the host. */
static u64 virgl_resources(struct drm_file *file, unsigned int *num)
{
	const struct virtio_gpu_object_params *params;
	struct drm_gem_object *obj;
	u64 bytes = 0;
	int handle;

	spin_lock(&file->table_lock);
	idr_for_each_entry(&file->object_idr, obj, handle) {
		params = &gem_to_virtio_gpu_obj(obj)->params;
		virgl_classify(params, num);
		bytes += virgl_bytes(params);
	}
	spin_unlock(&file->table_lock);

	return bytes;
}

static bool virgl_is_virgl(const struct virtio_gpu_fpriv *vfpriv)
{
	u32 capset = vfpriv->context_init & VIRTIO_GPU_CONTEXT_INIT_CAPSET_ID_MASK;

	return !capset || (capset >= VIRGL_CAPSET_FIRST &&
			   capset <= VIRGL_CAPSET_LAST);
}

/* Whether a file has a context that a census is about */
static bool virgl_counted(struct drm_file *file)
{
	struct virtio_gpu_fpriv *vfpriv = file->driver_priv;

	return (virtio_gpu_virgl_census || virtio_gpu_virgl_restore) && vfpriv &&
	       READ_ONCE(vfpriv->pm.user) && virgl_is_virgl(vfpriv);
}

/* Fill in @num. Returns how many bytes the file's resources have on the host. */
static u64 virgl_ask(struct drm_file *file, unsigned int *num)
{
	struct virtio_gpu_fpriv *vfpriv = file->driver_priv;
	struct virtio_gpu_virgl *virgl = READ_ONCE(vfpriv->pm.virgl);
	unsigned int i;

	memset(num, 0, VIRGL_NUM_ALL * sizeof(*num));
	for (i = 0; virgl && i < VIRGL_NUM_IN_STREAM; i++)
		num[i] = READ_ONCE(virgl->num[i]);
	num[VIRGL_NUM_NO_MEMORY] += !virgl;

	return virgl_resources(file, num);
}

/* Print the first @most of @words of which there is one. Returns how many more. */
static unsigned int virgl_print(struct seq_buf *buf, struct drm_file *file,
				const struct virgl_word *word, size_t size,
				const unsigned int *num, unsigned int most)
{
	struct virtio_gpu_fpriv *vfpriv = file->driver_priv;
	const struct virgl_word *end = word + size;
	unsigned int found = 0;

	for (; word < end; word++) {
		if (!num[word->what] || found++ >= most)
			continue;
		if (found > 1)
			seq_buf_puts(buf, ", ");
		if (num[word->what] == 1 || !word->many)
			seq_buf_puts(buf, word->one);
		else
			seq_buf_printf(buf, "%u %s", num[word->what], word->many);
		if (word->what == VIRGL_NUM_UNKNOWN)
			seq_buf_printf(buf, " (%u)", vfpriv->pm.virgl->unknown);
	}
	if (!found)
		seq_buf_puts(buf, "nothing");

	return found - min(found, most);
}

static bool virgl_is_in_the_way(const unsigned int *num)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(virgl_reasons); i++)
		if (num[virgl_reasons[i].what])
			return true;

	return false;
}

/*
 * Say why a file's context could not come back. Returns false if nothing is known
 * of it, or nothing that is in the way.
 */
bool virtio_gpu_pm_virgl_print(struct drm_file *file, struct seq_buf *why)
{
	unsigned int num[VIRGL_NUM_ALL], more;

	if (!virgl_counted(file))
		return false;

	virgl_ask(file, num);
	if (!virgl_is_in_the_way(num))
		return false;

	seq_buf_puts(why, ": ");
	more = virgl_print(why, file, virgl_reasons, ARRAY_SIZE(virgl_reasons), num, 1);
	if (more)
		seq_buf_printf(why, " and %u more", more);

	return true;
}

/* Whether all of a file's context is known, so that it can be made again */
bool virtio_gpu_pm_virgl_complete(struct drm_file *file)
{
	struct virtio_gpu_fpriv *vfpriv = file->driver_priv;
	unsigned int num[VIRGL_NUM_ALL];

	if (!virtio_gpu_virgl_restore || !virgl_counted(file))
		return false;
	/* there is nothing of it any more */
	if (virtio_gpu_pm_virgl_lost(vfpriv))
		return true;

	virgl_ask(file, num);
	return !virgl_is_in_the_way(num);
}

static void virgl_show_file(struct seq_file *m, struct drm_file *file)
{
	struct virtio_gpu_fpriv *vfpriv = file->driver_priv;
	unsigned int num[VIRGL_NUM_ALL];
	char text[512], program[40];
	struct seq_buf buf;
	u64 bytes;

	bytes = virgl_ask(file, num);
	seq_buf_init(&buf, program, sizeof(program));
	virtio_gpu_pm_print_program(&buf, vfpriv->pm.user);
	seq_buf_str(&buf);
	seq_printf(m, "virgl: %s: sub-contexts: %u, bindings: %u, bytes to keep: %u\n",
		   program, num[VIRGL_NUM_SUBS], num[VIRGL_NUM_BINDINGS],
		   num[VIRGL_NUM_BYTES]);
	seq_printf(m, "virgl: %s: resources: %u, about %llu KiB on the host\n",
		   program, num[VIRGL_NUM_RESOURCES], bytes >> 10);

	seq_buf_init(&buf, text, sizeof(text));
	virgl_print(&buf, file, virgl_objects, ARRAY_SIZE(virgl_objects), num, UINT_MAX);
	seq_printf(m, "virgl: %s: objects: %s\n", program, seq_buf_str(&buf));

	seq_buf_init(&buf, text, sizeof(text));
	virgl_print(&buf, file, virgl_reasons, ARRAY_SIZE(virgl_reasons), num, UINT_MAX);
	seq_printf(m, "virgl: %s: in the way: %s\n", program, seq_buf_str(&buf));
}

/* &drm_virt_pm_ops.show */
void virtio_gpu_pm_virgl_show(struct drm_virt_pm *vpm, struct seq_file *m)
{
	struct drm_file *file;

	mutex_lock(&vpm->drm->filelist_mutex);
	list_for_each_entry(file, &vpm->drm->filelist, lhead)
		if (virgl_counted(file))
			virgl_show_file(m, file);
	mutex_unlock(&vpm->drm->filelist_mutex);
	virtio_gpu_pm_virgl_show_returns(vpm, m);
}

/* The host is told of a context. &virtio_gpu_fpriv.context_lock is held. */
void virtio_gpu_pm_virgl_start(struct virtio_gpu_fpriv *vfpriv)
{
	/* what was submitted before a failed allocation is not known */
	if ((virtio_gpu_virgl_census || virtio_gpu_virgl_restore) &&
	    !vfpriv->context_created && virgl_is_virgl(vfpriv))
		WRITE_ONCE(vfpriv->pm.virgl,
			   virtio_gpu_virgl_alloc(virtio_gpu_virgl_restore));
	else if (vfpriv->pm.virgl)
		vfpriv->pm.virgl->returns = virtio_gpu_pm_virgl_returns(vfpriv);
}

/* The file is closed. */
void virtio_gpu_pm_virgl_end(struct virtio_gpu_fpriv *vfpriv)
{
	virtio_gpu_virgl_free(vfpriv->pm.virgl);
}

/*
 * Look at a stream that is about to be queued. Other streams of the file wait until
 * virtio_gpu_pm_virgl_unlock().
 */
void virtio_gpu_pm_virgl_lock(struct virtio_gpu_fpriv *vfpriv, const void *buf,
			      u32 size)
{
	if (!vfpriv->pm.virgl)
		return;

	mutex_lock(&vfpriv->pm.virgl->lock);
	virtio_gpu_virgl_walk(vfpriv->pm.virgl, buf, size);
}

/* The stream is queued. */
void virtio_gpu_pm_virgl_unlock(struct virtio_gpu_fpriv *vfpriv)
{
	if (vfpriv->pm.virgl)
		mutex_unlock(&vfpriv->pm.virgl->lock);
}
