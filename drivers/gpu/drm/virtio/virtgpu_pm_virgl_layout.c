// SPDX-License-Identifier: GPL-2.0 OR MIT

#include <linux/minmax.h>

#include "virtgpu_drv.h"
#include "virtgpu_pm_virgl.h"

/*
 * How the content of 3D resources lies in memory: levels, layers and rows, one after
 * the other, as the host lays them out for a transfer without strides.
 */

/* Levels of the largest resource */
#define VIRGL_MOST_LEVELS	15

/* Sides of the largest resource */
#define VIRGL_MOST_SIDE		SZ_16K

/* Bytes of a texel of formats that a host can read and write as they are */
static const u8 virgl_texel[] = {
	[1 ... 4] = 4,		/* B8G8R8A8, B8G8R8X8, A8R8G8B8, X8R8G8B8 */
	[5 ... 7] = 2,		/* B5G5R5A1, B4G4R4A4, B5G6R5 */
	[8] = 4,		/* R10G10B10A2 */
	[10] = 1,		/* A8 */
	[16] = 2,		/* Z16 */
	[17 ... 22] = 4,	/* Z32, Z32F, Z24S8, S8Z24, Z24X8, X8Z24 */
	[28] = 4,		/* R32F */
	[29] = 8,		/* R32G32F */
	[31] = 16,		/* R32G32B32A32F */
	[48] = 2,		/* R16 */
	[49] = 4,		/* R16G16 */
	[51] = 8,		/* R16G16B16A16 */
	[64] = 1,		/* R8 */
	[65] = 2,		/* R8G8 */
	[67 ... 68] = 4,	/* R8G8B8A8, X8B8G8R8 */
	[91] = 2,		/* R16F */
	[92] = 4,		/* R16G16F */
	[94] = 8,		/* R16G16B16A16F */
	[98 ... 104] = 4,	/* sRGB of four bytes */
	[121] = 4,		/* A8B8G8R8 */
	[122] = 2,		/* B5G5R5X1 */
	[124] = 4,		/* R11G11B10F */
	[126] = 8,		/* Z32F with S8 */
	[131] = 4,		/* B10G10R10A2 */
	[134] = 4,		/* R8G8B8X8 */
	[135] = 2,		/* B4G4R4X4 */
	[177] = 1,		/* R8 of integers; in pairs, unsigned first */
	[178] = 2,
	[180] = 4,
	[181] = 1,
	[182] = 2,
	[184] = 4,
	[185] = 2,		/* R16 */
	[186] = 4,
	[188] = 8,
	[189] = 2,
	[190] = 4,
	[192] = 8,
	[193] = 4,		/* R32 */
	[194] = 8,
	[196] = 16,
	[197] = 4,
	[198] = 8,
	[200] = 16,
};

/* Whether the guest's pages are the content, so that nothing is saved */
bool virtio_gpu_virgl_is_staging(const struct virtio_gpu_object_params *params)
{
	return params->target == VIRGL_TARGET_BUFFER &&
	       params->bind & VIRGL_BIND_STAGING;
}

/* Whether the host has a copy of the guest's pages, and writes it when attached */
bool virtio_gpu_virgl_is_custom(const struct virtio_gpu_object_params *params)
{
	return params->target == VIRGL_TARGET_BUFFER &&
	       params->bind & VIRGL_BIND_CUSTOM;
}

static u32 virgl_side(u32 texels, u32 level)
{
	return max(texels >> level, 1u);
}

static u32 virgl_layers(const struct virtio_gpu_object_params *params, u32 level)
{
	return params->target == VIRGL_TARGET_3D ?
	       virgl_side(params->depth, level) : max(params->array_size, 1u);
}

static u32 virgl_texel_bytes(const struct virtio_gpu_object_params *params)
{
	return params->format < ARRAY_SIZE(virgl_texel) ?
	       virgl_texel[params->format] : 0;
}

static bool virgl_is_sane(const struct virtio_gpu_object_params *params)
{
	return params->width && params->width <= VIRGL_MOST_SIDE &&
	       params->height <= VIRGL_MOST_SIDE && params->depth <= VIRGL_MOST_SIDE &&
	       params->array_size <= VIRGL_MOST_SIDE &&
	       params->last_level < VIRGL_MOST_LEVELS;
}

/*
 * How much the content of a resource needs. Returns 0 if its layout is not known; a
 * resource that only has pages of the guest needs one page, to be told apart.
 */
u64 virtio_gpu_pm_content_bytes(const struct virtio_gpu_object_params *params)
{
	u32 level, texel = virgl_texel_bytes(params);
	u64 bytes = 0;

	if (virtio_gpu_virgl_is_staging(params))
		return PAGE_SIZE;
	if (virtio_gpu_virgl_is_custom(params))
		return params->size;
	if (params->target == VIRGL_TARGET_BUFFER)
		return texel == 1 ? params->width : 0;
	if (!texel || !virgl_is_sane(params))
		return 0;

	for (level = 0; level <= params->last_level; level++)
		bytes += (u64)texel * virgl_side(params->width, level) *
			 virgl_side(params->height, level) *
			 virgl_layers(params, level);

	return bytes;
}

/* The next region, or the first if @region is empty; false if there is none */
bool virtio_gpu_virgl_next_region(const struct virtio_gpu_object_params *params,
				  struct virgl_region *region)
{
	bool first = !region->bytes;
	u32 layer = first ? 0 : le32_to_cpu(region->box.z) + 1;
	u32 width, height;

	region->offset += region->bytes;

	if (params->target == VIRGL_TARGET_BUFFER) {
		region->box = (struct virtio_gpu_box) {
			.w = cpu_to_le32(params->width),
			.h = cpu_to_le32(1),
			.d = cpu_to_le32(1),
		};
		region->bytes = params->width;
		return first;
	}

	if (layer == virgl_layers(params, region->level)) {
		layer = 0;
		region->level++;
	}
	width = virgl_side(params->width, region->level);
	height = virgl_side(params->height, region->level);
	region->box = (struct virtio_gpu_box) {
		.z = cpu_to_le32(layer),
		.w = cpu_to_le32(width),
		.h = cpu_to_le32(height),
		.d = cpu_to_le32(1),
	};
	region->bytes = virgl_texel_bytes(params) * width * height;

	return region->level <= params->last_level;
}
