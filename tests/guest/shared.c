// SPDX-License-Identifier: GPL-2.0-only
/* Buffers that amdgpu and virtio-gpu share, and the pictures in them. */
#include <errno.h>

#include <linux/types.h>

#include "agent.h"
#include "amdgpu.h"

#define PAGE	4096

static int parse_picture(char **argv, struct gpu_buffer *buffer)
{
	__u32 height;

	if (parse_number(argv[0], &buffer->width) || parse_number(argv[1], &height) ||
	    parse_number(argv[2], &buffer->seed) || !buffer->width)
		return -EINVAL;
	buffer->size = (__u64)buffer->width * height * 4;
	/* the GPU's page tables know nothing less, and the pattern ends with the buffer */
	return buffer->size && !(buffer->size % PAGE) ? 0 : -EINVAL;
}

/* gpu-picture vram|gtt WIDTH HEIGHT SEED: a buffer of the GPU with a picture in it */
static int do_picture(int argc, char **argv)
{
	struct gpu_buffer buffer = { };
	int result = parse_picture(argv + 1, &buffer);

	(void)argc;
	return result ?: amdgpu_make(&buffer, argv[0]);
}

/* gpu-fill INDEX SEED: new content, by the CPU */
static int do_fill(int argc, char **argv)
{
	struct gpu_buffer *buffer = amdgpu_find(argv[0]);

	(void)argc;
	if (!buffer || parse_number(argv[1], &buffer->seed))
		return -EINVAL;
	amdgpu_fill(buffer);
	return 0;
}

/* gpu-export INDEX: the display may show this buffer of the GPU; its number there */
static int do_export(int argc, char **argv)
{
	const struct gpu_buffer *from = amdgpu_find(argv[0]);
	struct buffer buffer = { .kind = BUFFER_SHARED, .card = card_fd() };
	__u32 index;
	int result;

	(void)argc;
	if (!from || !from->width)
		return -EINVAL;
	buffer.width = from->width;
	buffer.height = from->size / 4 / from->width;
	buffer.seed = from->seed;
	result = card_share(amdgpu_node(), from->handle, buffer.card, &buffer.handle);
	if (!result)
		result = buffer_add(&buffer, &index);
	if (!result)
		reply(" %u", index);
	return result;
}

/* gpu-import BUFFER: the GPU may read and write this buffer of the display */
static int do_import(int argc, char **argv)
{
	const struct buffer *from = buffer_find(argv[0]);
	struct gpu_buffer buffer = { };
	int result;

	(void)argc;
	if (!from || buffer_size(from) % PAGE)
		return -EINVAL;
	buffer.seed = from->seed;
	buffer.width = from->width;
	buffer.size = buffer_size(from);
	result = card_share(from->card, from->handle, amdgpu_node(), &buffer.handle);
	if (!result)
		result = buffer_map(from, &buffer.map);
	return result ?: amdgpu_add(&buffer);
}

const struct command shared_commands[] = {
	{ "gpu-picture", 4, false, do_picture },
	{ "gpu-fill", 2, false, do_fill },
	{ "gpu-export", 1, false, do_export },
	{ "gpu-import", 1, false, do_import },
	{ }
};
