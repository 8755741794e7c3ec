/* SPDX-License-Identifier: GPL-2.0-only */
/* Buffers of the GPU that the agent has opened. */
#ifndef AMDGPU_H
#define AMDGPU_H

#include <linux/types.h>

/**
 * struct gpu_buffer - a buffer that the GPU can reach
 * @handle: GEM handle of the GPU's node
 * @seed: what its content is computed from
 * @width: of the picture that is in it, in pixels; 0 if it holds none
 * @size: bytes
 * @map: stays mapped over a hibernation, as a client's would
 */
struct gpu_buffer {
	__u32 handle;
	__u32 seed;
	__u32 width;
	__u64 size;
	__u32 *map;
};

/* amdgpu.c */
int amdgpu_node(void);
struct gpu_buffer *amdgpu_find(const char *word);
void amdgpu_fill(const struct gpu_buffer *buffer);
int amdgpu_add(const struct gpu_buffer *buffer);
int amdgpu_make(struct gpu_buffer *buffer, const char *where);

#endif
