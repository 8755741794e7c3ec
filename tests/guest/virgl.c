// SPDX-License-Identifier: GPL-2.0-only
/*
 * The 3D client of render.c with commands of virgl that the test chooses, word by
 * word; and a frame as a desktop submits it, to see what a submission costs.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <drm/drm.h>
#include <drm/virtgpu_drm.h>

#include "agent.h"

#define MAX_WORDS	1024
#define VIRGL(command, object, length)	((command) | (object) << 8 | (length) << 16)

static int submit(const __u32 *words, __u32 count, const __u32 *handles, __u32 num_handles)
{
	struct drm_virtgpu_execbuffer execute = {
		.command = (uintptr_t)words,
		.size = count * sizeof(*words),
		.bo_handles = (uintptr_t)handles,
		.num_bo_handles = num_handles,
	};

	return card_ioctl(render_fd(), DRM_IOCTL_VIRTGPU_EXECBUFFER, &execute);
}

/* virgl WORDS: a stream of them */
static int do_virgl(int argc, char **argv)
{
	__u32 words[MAX_WORDS], count = 0;

	(void)argc;
	for (char *word = strtok(argv[0], " "); word; word = strtok(NULL, " "))
		if (count == MAX_WORDS || parse_number(word, &words[count++]))
			return -EINVAL;
	return submit(words, count, NULL, 0);
}

static int create(struct drm_virtgpu_resource_create *resource)
{
	resource->depth = 1;
	resource->array_size = 1;
	resource->size = 4096;
	return card_ioctl(render_fd(), DRM_IOCTL_VIRTGPU_RESOURCE_CREATE, resource);
}

/*
 * virgl-target WIDTH HEIGHT: something to draw on and to show; answers its buffer,
 * handle and name
 */
static int do_target(int argc, char **argv)
{
	struct drm_virtgpu_resource_create resource = {
		.target = TARGET_2D,
		.format = FORMAT_B8G8R8X8,
		.bind = BIND_RENDER_SCANOUT,
	};
	struct buffer buffer = { .kind = BUFFER_RENDERED, .card = card_fd() };
	__u32 index;
	int result;

	(void)argc;
	if (parse_number(argv[0], &buffer.width) || parse_number(argv[1], &buffer.height))
		return -EINVAL;
	resource.width = buffer.width;
	resource.height = buffer.height;
	result = create(&resource);
	if (!result)
		result = card_share(render_fd(), resource.bo_handle, buffer.card,
				    &buffer.handle);
	if (!result)
		result = buffer_add(&buffer, &index);
	if (!result)
		reply(" %u %u %u", index, resource.bo_handle, resource.res_handle);
	return result;
}

/* virgl-wait HANDLE: until the host has drawn */
static int do_wait(int argc, char **argv)
{
	__u32 handle;

	(void)argc;
	return parse_number(argv[0], &handle) ? -EINVAL : card_wait(render_fd(), handle);
}

/* virgl-resource TARGET FORMAT BIND WIDTH HEIGHT SAMPLES; answers handle and name */
static int do_resource(int argc, char **argv)
{
	struct drm_virtgpu_resource_create resource = { };
	__u32 *const wanted[] = {
		&resource.target, &resource.format, &resource.bind, &resource.width,
		&resource.height, &resource.nr_samples,
	};
	int result;

	(void)argc;
	for (size_t i = 0; i < sizeof(wanted) / sizeof(*wanted); i++)
		if (parse_number(argv[i], wanted[i]))
			return -EINVAL;
	result = create(&resource);
	if (!result)
		reply(" %u %u", resource.bo_handle, resource.res_handle);
	return result;
}

/* virgl-drop HANDLE */
static int do_drop(int argc, char **argv)
{
	struct drm_gem_close gem = { };

	(void)argc;
	return parse_number(argv[0], &gem.handle) ? -EINVAL :
	       card_ioctl(render_fd(), DRM_IOCTL_GEM_CLOSE, &gem);
}

/* What a compositor draws: windows, titles, a panel with its icons */
#define QUADS		16
#define TEXTURES	24
#define PADDING		1024	/* words, in which Mesa keeps room for transfers */
#define FRAME_WORDS	4096

struct frame {
	__u32 words[FRAME_WORDS];
	__u32 count;
	__u32 handles[TEXTURES];
};

static void command(struct frame *frame, __u32 number, __u32 object, __u32 length, __u32 first)
{
	frame->words[frame->count++] = VIRGL(number, object, length);
	memset(&frame->words[frame->count], 0, length * sizeof(*frame->words));
	if (length)
		frame->words[frame->count] = first;
	frame->count += length;
}

/* Thirteen commands, of which ten are state */
static void quad(struct frame *frame)
{
	command(frame, 2, 1, 1, 1);		/* bind a blend */
	command(frame, 2, 5, 1, 2);		/* bind vertex elements */
	command(frame, 10, 0, 3, 1);		/* sampler view of the fragment shader */
	command(frame, 18, 0, 3, 1);		/* its sampler */
	command(frame, 31, 0, 2, 3);		/* vertex shader */
	command(frame, 31, 0, 2, 4);		/* fragment shader */
	frame->words[frame->count - 1] = 1;
	command(frame, 12, 0, 18, 0);		/* a matrix */
	command(frame, 12, 0, 10, 1);		/* colours */
	command(frame, 9, 0, 11 + 16, 5);	/* vertices */
	command(frame, 6, 0, 6, 16);		/* buffers of them */
	command(frame, 15, 0, 3, 0);		/* scissors */
	command(frame, 8, 0, 12, 0);		/* draw */
	command(frame, 39, 0, 1, 0);		/* barrier */
}

static int make_frame(struct frame *frame)
{
	struct drm_virtgpu_resource_create texture = {
		.target = TARGET_2D, .format = FORMAT_B8G8R8X8, .bind = BIND_RENDER_SCANOUT,
		.width = 32, .height = 32,
	};
	int result;

	frame->count = 0;
	command(frame, 44, 0, PADDING - 1, 0);
	command(frame, 28, 0, 1, 0);		/* its sub-context */
	command(frame, 5, 0, 3, 1);		/* framebuffer */
	command(frame, 4, 0, 7, 0);		/* viewport */
	command(frame, 7, 0, 8, 4);		/* clear */
	for (int i = 0; i < QUADS; i++)
		quad(frame);
	for (int i = 0; i < TEXTURES; i++) {
		result = create(&texture);
		if (result)
			return result;
		frame->handles[i] = texture.bo_handle;
	}
	return 0;
}

/* time-frame COUNT: what each of so many submissions took, in nanoseconds */
static int do_time_frame(int argc, char **argv)
{
	static struct frame frame;
	static bool made;
	__u32 count;
	int result;

	(void)argc;
	if (parse_number(argv[0], &count))
		return -EINVAL;
	if (!made) {
		result = make_frame(&frame);
		if (result)
			return result;
		made = true;
	}
	for (__u32 i = 0; i < count; i++) {
		__u64 start = clock_now();

		result = submit(frame.words, frame.count, frame.handles, TEXTURES);
		reply(" %llu", (unsigned long long)(clock_now() - start));
		if (!result)
			result = card_wait(render_fd(), frame.handles[0]);
		if (result)
			return result;
	}
	return 0;
}

const struct command virgl_commands[] = {
	{ "virgl", 1, true, do_virgl },
	{ "virgl-resource", 6, false, do_resource },
	{ "virgl-target", 2, false, do_target },
	{ "virgl-wait", 1, false, do_wait },
	{ "virgl-drop", 1, false, do_drop },
	{ "time-frame", 1, false, do_time_frame },
	{ }
};
