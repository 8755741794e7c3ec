// SPDX-License-Identifier: GPL-2.0-only
/*
 * A 3D client: the host paints, and only the host has the picture.
 *
 * The commands are those of virgl, Gallium's protocol between a guest's Mesa and
 * virglrenderer; a clear is all that is needed to have something on the host that
 * nobody can put back.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <drm/drm.h>
#include <drm/virtgpu_drm.h>

#include "agent.h"

#define VIRGL(command, object, length)	((command) | (object) << 8 | (length) << 16)
#define VIRGL_CREATE_OBJECT		1
#define VIRGL_DESTROY_OBJECT		3
#define VIRGL_SET_FRAMEBUFFER		5
#define VIRGL_CLEAR			7
#define VIRGL_SURFACE			8
#define VIRGL_CLEAR_COLOUR_0		4
#define CAPSET_VIRGL			1
#define SURFACE				1	/* our name of it */

static int client = -1;

int render_fd(void)
{
	return client;
}

/* render-open [PATH] */
static int do_open(int argc, char **argv)
{
	if (client >= 0)
		return -EBUSY;
	client = open(argc ? argv[0] : "/dev/dri/renderD128", O_RDWR | O_CLOEXEC);
	return client < 0 ? -errno : 0;
}

/* The buffers that others have of it live on. */
static int do_close(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	close(client);
	client = -1;
	return 0;
}

/* render-init: a context of the kind that the host has, without work yet */
static int do_init(int argc, char **argv)
{
	struct drm_virtgpu_context_set_param param = {
		.param = VIRTGPU_CONTEXT_PARAM_CAPSET_ID,
		.value = CAPSET_VIRGL,
	};
	struct drm_virtgpu_context_init init = {
		.num_params = 1,
		.ctx_set_params = (uintptr_t)&param,
	};

	(void)argc;
	(void)argv;
	return card_ioctl(client, DRM_IOCTL_VIRTGPU_CONTEXT_INIT, &init);
}

static __u32 float_bits(float value)
{
	__u32 bits;

	memcpy(&bits, &value, sizeof(bits));
	return bits;
}

static int paint(const struct drm_virtgpu_resource_create *target, __u32 colour)
{
	const __u32 commands[] = {
		VIRGL(VIRGL_CREATE_OBJECT, VIRGL_SURFACE, 5),
		SURFACE, target->res_handle, FORMAT_B8G8R8X8, 0, 0,
		VIRGL(VIRGL_SET_FRAMEBUFFER, 0, 3), 1, 0, SURFACE,
		VIRGL(VIRGL_CLEAR, 0, 8), VIRGL_CLEAR_COLOUR_0,
		float_bits((colour >> 16 & 0xff) / 255.f),
		float_bits((colour >> 8 & 0xff) / 255.f),
		float_bits((colour & 0xff) / 255.f),
		float_bits(1.f), 0, 0, 0,
		/* so that the next one may have the name */
		VIRGL(VIRGL_SET_FRAMEBUFFER, 0, 2), 0, 0,
		VIRGL(VIRGL_DESTROY_OBJECT, VIRGL_SURFACE, 1), SURFACE,
	};
	struct drm_virtgpu_execbuffer execute = {
		.command = (uintptr_t)commands,
		.size = sizeof(commands),
		.bo_handles = (uintptr_t)&target->bo_handle,
		.num_bo_handles = 1,
	};
	int result = card_ioctl(client, DRM_IOCTL_VIRTGPU_EXECBUFFER, &execute);

	return result ?: card_wait(client, target->bo_handle);
}

/* render WIDTH HEIGHT COLOUR: one buffer of one colour */
static int do_render(int argc, char **argv)
{
	struct buffer buffer = { .kind = BUFFER_RENDERED, .card = card_fd() };
	struct drm_virtgpu_resource_create create = {
		.target = TARGET_2D,
		.format = FORMAT_B8G8R8X8,
		.bind = BIND_RENDER_SCANOUT,
		.depth = 1,
		.array_size = 1,
	};
	struct drm_gem_close gem = { };
	__u32 colour, index;
	int result;

	(void)argc;
	if (parse_number(argv[0], &buffer.width) || parse_number(argv[1], &buffer.height) ||
	    parse_number(argv[2], &colour))
		return -EINVAL;
	create.width = buffer.width;
	create.height = buffer.height;
	create.stride = buffer.width * 4;
	create.size = create.stride * buffer.height;
	result = card_ioctl(client, DRM_IOCTL_VIRTGPU_RESOURCE_CREATE, &create);
	if (result)
		return result;
	result = paint(&create, colour);
	if (!result)
		result = card_share(client, create.bo_handle, buffer.card, &buffer.handle);
	gem.handle = create.bo_handle;
	card_ioctl(client, DRM_IOCTL_GEM_CLOSE, &gem);
	if (!result)
		result = buffer_add(&buffer, &index);
	if (!result)
		reply(" %u", index);
	return result;
}

const struct command render_commands[] = {
	{ "render-open", 0, false, do_open },
	{ "render-close", 0, false, do_close },
	{ "render-init", 0, false, do_init },
	{ "render", 3, false, do_render },
	{ }
};
