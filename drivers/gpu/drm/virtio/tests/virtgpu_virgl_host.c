// SPDX-License-Identifier: GPL-2.0 OR MIT

/*
 * The renderer of the mock host: content of 3D resources, and a model of each context.
 */

#include <linux/mm.h>
#include <linux/slab.h>

#include "../virtgpu_pm_virgl.h"
#include "virtgpu_mock.h"
#include "virtgpu_virgl_model.h"

#define GFP_TEST	(GFP_KERNEL | __GFP_NOFAIL)

/**
 * struct vg_mock_texture - what a resource contains
 */
struct vg_mock_texture {
	/** @about: The command that created it. */
	struct virtio_gpu_resource_create_3d about;

	/** @content: Levels, layers, rows, one after the other. */
	u8 *content;

	/** @bytes: How much that is. */
	u32 bytes;

	/** @entries: Memory of the guest; NULL for none. */
	struct virtio_gpu_mem_entry *entries;

	/** @num: Number of @entries. */
	u32 num;
};

static u32 vg_mock_texel(const struct vg_mock_texture *texture)
{
	return le32_to_cpu(texture->about.format) == VIRGL_FORMAT_R8 ? 1 : 4;
}

static u32 vg_mock_side(__le32 side, u32 level)
{
	return max(le32_to_cpu(side) >> level, 1u);
}

static u32 vg_mock_layers(const struct vg_mock_texture *texture, u32 level)
{
	if (le32_to_cpu(texture->about.target) == VIRGL_TARGET_3D)
		return vg_mock_side(texture->about.depth, level);

	return le32_to_cpu(texture->about.array_size);
}

/* Where a level begins */
static u32 vg_mock_level(const struct vg_mock_texture *texture, u32 level)
{
	u32 at = 0, i;

	for (i = 0; i < level; i++)
		at += vg_mock_texel(texture) * vg_mock_side(texture->about.width, i) *
		      vg_mock_side(texture->about.height, i) *
		      vg_mock_layers(texture, i);
	return at;
}

static bool vg_mock_is(const struct vg_mock_texture *texture, u32 bind)
{
	return le32_to_cpu(texture->about.bind) & bind;
}

/* Copy between the host and the pages of the guest. */
static void vg_mock_copy(struct vg_mock_texture *texture, u64 offset, void *mem, u32 bytes,
			 bool to_guest)
{
	struct virtio_gpu_mem_entry *entry = texture->entries;
	u32 i, part;
	void *guest;

	for (i = 0; i < texture->num && bytes; i++, entry++) {
		if (offset >= le32_to_cpu(entry->length)) {
			offset -= le32_to_cpu(entry->length);
			continue;
		}
		guest = phys_to_virt(le64_to_cpu(entry->addr)) + offset;
		part = min_t(u64, bytes, le32_to_cpu(entry->length) - offset);
		memcpy(to_guest ? guest : mem, to_guest ? mem : guest, part);
		mem += part;
		bytes -= part;
		offset = 0;
	}
}

/* Returns false if the guest's memory is too small, or the box too large. */
static bool vg_mock_move(struct vg_mock_texture *texture,
			 const struct virtio_gpu_transfer_host_3d *cmd, bool to_guest)
{
	u32 level = le32_to_cpu(cmd->level), texel = vg_mock_texel(texture);
	u32 width = vg_mock_side(texture->about.width, level);
	u32 height = vg_mock_side(texture->about.height, level);
	u32 row = le32_to_cpu(cmd->box.w) * texel, y, i;
	u64 offset = le64_to_cpu(cmd->offset), room = 0;
	u8 *from;

	for (i = 0; i < texture->num; i++)
		room += le32_to_cpu(texture->entries[i].length);
	if (level > le32_to_cpu(texture->about.last_level) ||
	    le32_to_cpu(cmd->box.x) + le32_to_cpu(cmd->box.w) > width ||
	    le32_to_cpu(cmd->box.y) + le32_to_cpu(cmd->box.h) > height ||
	    le32_to_cpu(cmd->box.z) >= vg_mock_layers(texture, level) ||
	    le32_to_cpu(cmd->box.d) != 1 ||
	    offset + row * le32_to_cpu(cmd->box.h) > room)
		return false;

	from = texture->content + vg_mock_level(texture, level) +
	       (le32_to_cpu(cmd->box.z) * height + le32_to_cpu(cmd->box.y)) * width * texel +
	       le32_to_cpu(cmd->box.x) * texel;
	for (y = 0; y < le32_to_cpu(cmd->box.h); y++)
		vg_mock_copy(texture, offset + y * row, from + y * width * texel, row,
			     to_guest);
	return true;
}

static void vg_mock_free_texture(struct vg_mock_host *host, u32 id)
{
	struct vg_mock_texture *texture = xa_erase(&host->textures, id);

	if (!texture)
		return;
	kvfree(texture->content);
	kvfree(texture->entries);
	kfree(texture);
}

static void vg_mock_new_texture(struct vg_mock_host *host,
				const struct virtio_gpu_resource_create_3d *cmd)
{
	struct vg_mock_texture *texture = kzalloc(sizeof(*texture), GFP_TEST);

	texture->about = *cmd;
	texture->bytes = vg_mock_level(texture, le32_to_cpu(cmd->last_level) + 1);
	texture->content = kvzalloc(texture->bytes, GFP_TEST);
	xa_store(&host->textures, le32_to_cpu(cmd->resource_id), texture, GFP_TEST);
}

/* What the host has in memory of its own goes to the guest, and comes from there. */
static void vg_mock_attach(struct vg_mock_texture *texture, const void *data, u32 num)
{
	texture->num = num;
	texture->entries = kvmemdup(data, num * sizeof(*texture->entries), GFP_TEST);
	if (vg_mock_is(texture, VIRGL_BIND_CUSTOM))
		vg_mock_copy(texture, 0, texture->content, texture->bytes, true);
}

static void vg_mock_detach(struct vg_mock_texture *texture)
{
	if (vg_mock_is(texture, VIRGL_BIND_CUSTOM))
		vg_mock_copy(texture, 0, texture->content, texture->bytes, false);
	kvfree(texture->entries);
	texture->entries = NULL;
	texture->num = 0;
}

static bool vg_mock_model_has(struct vg_model *model, u32 id)
{
	struct vg_mock_host *host = model->data;
	unsigned long ctx;
	struct vg_model *other;

	xa_for_each(&host->models, ctx, other)
		if (other == model)
			return vg_mock_attached(host, ctx, id);
	return false;
}

static void vg_mock_new_model(struct vg_mock_host *host, u32 ctx)
{
	struct vg_model *model = kzalloc(sizeof(*model), GFP_TEST);

	model->has_resource = vg_mock_model_has;
	model->data = host;
	vg_model_init(model);
	xa_store(&host->models, ctx, model, GFP_TEST);
}

static void vg_mock_free_model(struct vg_mock_host *host, u32 ctx)
{
	struct vg_model *model = xa_erase(&host->models, ctx);

	if (!model)
		return;
	vg_model_fini(model);
	kfree(model);
}

struct vg_model *vg_mock_model(struct vg_mock_host *host, u32 ctx)
{
	return xa_load(&host->models, ctx);
}

/* What the host has of a resource, and how much */
void *vg_mock_content(struct vg_mock_host *host, u32 id, u32 *bytes)
{
	struct vg_mock_texture *texture = xa_load(&host->textures, id);

	if (bytes)
		*bytes = texture ? texture->bytes : 0;
	return texture ? texture->content : NULL;
}

static void vg_mock_transfer_3d(struct vg_mock_host *host, u32 ctx,
				const struct virtio_gpu_transfer_host_3d *cmd,
				bool to_guest)
{
	struct vg_mock_texture *texture =
		xa_load(&host->textures, le32_to_cpu(cmd->resource_id));
	struct vg_model *model = xa_load(&host->models, ctx);

	/* nobody is told of any of this, as with the real one */
	if (!texture || (model && model->dead) || (to_guest && host->reads_nothing))
		return;
	if (!vg_mock_move(texture, cmd, to_guest) && model)
		model->dead = true;
}

/* The mock host has carried out a command of @size bytes, which brings @data. */
void vg_mock_render(struct vg_mock_host *host, const void *cmd, const void *data,
		    u32 data_size)
{
	const struct virtio_gpu_ctrl_hdr *hdr = cmd;
	const struct virtio_gpu_resource_unref *named = cmd;
	u32 ctx = le32_to_cpu(hdr->ctx_id), id = le32_to_cpu(named->resource_id);
	struct vg_mock_texture *texture = xa_load(&host->textures, id);
	struct vg_model *model = xa_load(&host->models, ctx);

	switch (le32_to_cpu(hdr->type)) {
	case VIRTIO_GPU_CMD_RESOURCE_CREATE_3D:
		vg_mock_new_texture(host, cmd);
		break;
	case VIRTIO_GPU_CMD_RESOURCE_UNREF:
		vg_mock_free_texture(host, id);
		break;
	case VIRTIO_GPU_CMD_RESOURCE_ATTACH_BACKING:
		if (texture)
			vg_mock_attach(texture, data, data_size / sizeof(*texture->entries));
		break;
	case VIRTIO_GPU_CMD_RESOURCE_DETACH_BACKING:
		if (texture)
			vg_mock_detach(texture);
		break;
	case VIRTIO_GPU_CMD_TRANSFER_TO_HOST_3D:
	case VIRTIO_GPU_CMD_TRANSFER_FROM_HOST_3D:
		vg_mock_transfer_3d(host, ctx, cmd, le32_to_cpu(hdr->type) ==
				    VIRTIO_GPU_CMD_TRANSFER_FROM_HOST_3D);
		break;
	case VIRTIO_GPU_CMD_CTX_CREATE:
		vg_mock_new_model(host, ctx);
		break;
	case VIRTIO_GPU_CMD_CTX_DESTROY:
		vg_mock_free_model(host, ctx);
		break;
	case VIRTIO_GPU_CMD_SUBMIT_3D:
		if (!model)
			break;
		model->dead |= host->kills == ctx;
		vg_model_run(model, data, data_size / sizeof(u32));
		break;
	}
}

/* The host is reset. */
void vg_mock_render_nothing(struct vg_mock_host *host)
{
	struct vg_mock_texture *texture;
	struct vg_model *model;
	unsigned long i;

	xa_for_each(&host->textures, i, texture)
		vg_mock_free_texture(host, i);
	xa_for_each(&host->models, i, model)
		vg_mock_free_model(host, i);
}
