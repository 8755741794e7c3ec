// SPDX-License-Identifier: GPL-2.0-only
/* Buffers of every kind that a 2D client can have, and what is in them. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <drm/drm.h>
#include <drm/drm_fourcc.h>
#include <drm/drm_mode.h>
#include <drm/virtgpu_drm.h>

#include "agent.h"

#define MAX_BUFFERS		65536
#define MAX_SIDE		8192
#define MAX_THREADS		64

static struct buffer *buffers;
static __u32 buffer_count;

struct buffer *buffer_at(__u32 index)
{
	return index < buffer_count && buffers[index].handle ? &buffers[index] : NULL;
}

struct buffer *buffer_find(const char *word)
{
	__u32 index;

	return parse_number(word, &index) ? NULL : buffer_at(index);
}

size_t buffer_size(const struct buffer *buffer)
{
	return (size_t)buffer->width * buffer->height * 4;
}

/*
 * What pixel (x, y) of a buffer with this seed holds. tests/vm/screen.py has the
 * same formula; no two neighbouring pixels, tiles or seeds look alike.
 */
__u32 buffer_pattern(__u32 seed, __u32 x, __u32 y)
{
	__u32 h = seed * 0x9e3779b1u + (x / 8) * 0x85ebca6bu + (y / 8) * 0xc2b2ae35u;

	h ^= h >> 15;
	h *= 0x2c1b3c6du;
	h ^= h >> 12;
	return (h & 0xffffff) ^ (x & 7) ^ (y & 7) << 8;
}

static __u32 pixel(const struct buffer *buffer, __u32 x, __u32 y)
{
	if (buffer->kind != BUFFER_CURSOR)
		return buffer_pattern(buffer->seed, x, y);
	/* an opaque triangle; a transparent pixel has no colour */
	return x + y < CURSOR_SIZE ? 0xff000000 | buffer_pattern(buffer->seed, x, y) : 0;
}

static int map_offset(const struct buffer *buffer, __u64 *offset)
{
	struct drm_virtgpu_map map = { .handle = buffer->handle };
	struct drm_mode_map_dumb dumb = { .handle = buffer->handle };
	int result;

	if (buffer->kind == BUFFER_DUMB || buffer->kind == BUFFER_CURSOR) {
		result = card_ioctl(buffer->card, DRM_IOCTL_MODE_MAP_DUMB, &dumb);
		*offset = dumb.offset;
	} else {
		result = card_ioctl(buffer->card, DRM_IOCTL_VIRTGPU_MAP, &map);
		*offset = map.offset;
	}
	return result;
}

int buffer_map(const struct buffer *buffer, __u32 **pixels)
{
	__u64 offset;
	void *address;
	int result = map_offset(buffer, &offset);

	if (result)
		return result;
	address = mmap(NULL, buffer_size(buffer), PROT_READ | PROT_WRITE, MAP_SHARED,
		       buffer->card, offset);
	if (address == MAP_FAILED)
		return -errno;
	*pixels = address;
	return 0;
}

static int fill(const struct buffer *buffer)
{
	__u32 *pixels;
	int result = buffer_map(buffer, &pixels);

	if (result)
		return result;
	for (__u32 y = 0; y < buffer->height; y++)
		for (__u32 x = 0; x < buffer->width; x++)
			pixels[y * buffer->width + x] = pixel(buffer, x, y);
	munmap(pixels, buffer_size(buffer));
	return 0;
}

int buffer_create_dumb(struct buffer *buffer)
{
	struct drm_mode_create_dumb create = {
		.width = buffer->width, .height = buffer->height, .bpp = 32,
	};
	int result = card_ioctl(buffer->card, DRM_IOCTL_MODE_CREATE_DUMB, &create);

	buffer->handle = create.handle;
	if (!result && create.pitch != buffer->width * 4)
		result = -EOPNOTSUPP;
	return result;
}

static int create_resource(struct buffer *buffer)
{
	struct drm_virtgpu_resource_create create = {
		.target = TARGET_2D,
		.format = FORMAT_B8G8R8X8,
		.bind = BIND_RENDER_SCANOUT,
		.width = buffer->width,
		.height = buffer->height,
		.depth = 1,
		.array_size = 1,
		.size = buffer_size(buffer),
		.stride = buffer->width * 4,
	};
	int result = card_ioctl(buffer->card, DRM_IOCTL_VIRTGPU_RESOURCE_CREATE, &create);

	buffer->handle = create.bo_handle;
	return result;
}

static int create_blob(struct buffer *buffer)
{
	struct drm_virtgpu_resource_create_blob create = {
		.blob_mem = VIRTGPU_BLOB_MEM_GUEST,
		.blob_flags = VIRTGPU_BLOB_FLAG_USE_SHAREABLE,
		.size = (buffer_size(buffer) + 4095) & ~4095ul,
	};
	int result = card_ioctl(buffer->card, DRM_IOCTL_VIRTGPU_RESOURCE_CREATE_BLOB, &create);

	buffer->handle = create.bo_handle;
	return result;
}

int buffer_transfer(const struct buffer *buffer)
{
	struct drm_virtgpu_3d_transfer_to_host transfer = {
		.bo_handle = buffer->handle,
		.box = { .w = buffer->width, .h = buffer->height, .d = 1 },
	};

	return card_ioctl(buffer->card, DRM_IOCTL_VIRTGPU_TRANSFER_TO_HOST, &transfer);
}

void buffer_destroy(struct buffer *buffer)
{
	struct drm_mode_destroy_dumb dumb = { .handle = buffer->handle };
	struct drm_gem_close gem = { .handle = buffer->handle };

	if (buffer->fb)
		card_ioctl(buffer->card, DRM_IOCTL_MODE_RMFB, &buffer->fb);
	if (buffer->kind == BUFFER_DUMB || buffer->kind == BUFFER_CURSOR)
		card_ioctl(buffer->card, DRM_IOCTL_MODE_DESTROY_DUMB, &dumb);
	else
		card_ioctl(buffer->card, DRM_IOCTL_GEM_CLOSE, &gem);
	buffer->handle = 0;
	buffer->fb = 0;
}

/* A resource's content goes to the host by its owner's hand; a dumb buffer's by KMS. */
static int create_filled(struct buffer *buffer)
{
	int result;

	switch (buffer->kind) {
	case BUFFER_RESOURCE:
		result = create_resource(buffer);
		break;
	case BUFFER_BLOB:
		result = create_blob(buffer);
		break;
	default:
		result = buffer_create_dumb(buffer);
		break;
	}
	if (!result)
		result = fill(buffer);
	if (!result && buffer->kind == BUFFER_RESOURCE)
		result = buffer_transfer(buffer);
	if (result && buffer->handle)
		buffer_destroy(buffer);
	return result;
}

static int parse_kind(const char *word, enum buffer_kind *kind)
{
	static const char *const names[] = {
		[BUFFER_DUMB] = "dumb",
		[BUFFER_CURSOR] = "cursor",
		[BUFFER_RESOURCE] = "resource",
		[BUFFER_BLOB] = "blob",
		/* no "rendered": see render.c; no "shared": see shared.c */
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (!strcmp(names[i], word)) {
			*kind = i;
			return 0;
		}
	}
	return -EINVAL;
}

static int make_room(__u32 count)
{
	struct buffer *bigger;

	if (count > MAX_BUFFERS - buffer_count)
		return -ENOSPC;
	bigger = realloc(buffers, (buffer_count + count) * sizeof(*buffers));
	if (!bigger)
		return -ENOMEM;
	buffers = bigger;
	return 0;
}

/* What somebody else made becomes one of ours. */
int buffer_add(const struct buffer *buffer, __u32 *index)
{
	int result = make_room(1);

	if (result)
		return result;
	*index = buffer_count;
	buffers[buffer_count++] = *buffer;
	return 0;
}

/* create KIND COUNT WIDTH HEIGHT SEED: the n-th one has seed SEED + n */
static int do_create(int argc, char **argv)
{
	struct buffer model = { .card = card_fd() };
	__u32 count, first = buffer_count;
	int result;

	(void)argc;
	if (parse_kind(argv[0], &model.kind) || parse_number(argv[1], &count) ||
	    parse_number(argv[2], &model.width) || parse_number(argv[3], &model.height) ||
	    parse_number(argv[4], &model.seed))
		return -EINVAL;
	if (!model.width || !model.height || model.width > MAX_SIDE || model.height > MAX_SIDE)
		return -EINVAL;
	if (model.kind == BUFFER_CURSOR &&
	    (model.width != CURSOR_SIZE || model.height != CURSOR_SIZE))
		return -EINVAL;
	result = make_room(count);
	for (__u32 i = 0; !result && i < count; i++) {
		struct buffer *buffer = &buffers[buffer_count];

		*buffer = model;
		result = create_filled(buffer);
		if (!result)
			buffer_count++;
		model.seed++;
	}
	reply(" %u", first);
	return result;
}

/* fill BUFFER SEED: new content, in the guest's memory only */
static int do_fill(int argc, char **argv)
{
	struct buffer *buffer = buffer_find(argv[0]);
	__u32 seed;

	(void)argc;
	if (!buffer || parse_number(argv[1], &seed))
		return -EINVAL;
	buffer->seed = seed;
	return fill(buffer);
}

/* load BUFFER FILE: a picture from the initramfs, as rows of B8G8R8X8 */
static int do_load(int argc, char **argv)
{
	struct buffer *buffer = buffer_find(argv[0]);
	__u32 *pixels;
	ssize_t got;
	int fd, result;

	(void)argc;
	if (!buffer)
		return -EINVAL;
	fd = open(argv[1], O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	result = buffer_map(buffer, &pixels);
	if (!result) {
		got = read(fd, pixels, buffer_size(buffer));
		if (got != (ssize_t)buffer_size(buffer))
			result = got < 0 ? -errno : -ENODATA;
		munmap(pixels, buffer_size(buffer));
	}
	close(fd);
	return result;
}

/* check BUFFER: is the guest's own copy still what its seed says? */
static int do_check(int argc, char **argv)
{
	struct buffer *buffer = buffer_find(argv[0]);
	__u32 *pixels, wrong = 0;
	int result;

	(void)argc;
	if (!buffer)
		return -EINVAL;
	result = buffer_map(buffer, &pixels);
	if (result)
		return result;
	for (__u32 y = 0; y < buffer->height; y++)
		for (__u32 x = 0; x < buffer->width; x++)
			if (pixels[y * buffer->width + x] != pixel(buffer, x, y))
				wrong++;
	munmap(pixels, buffer_size(buffer));
	reply(" %u", wrong);
	return wrong ? -EUCLEAN : 0;
}

static int do_destroy(int argc, char **argv)
{
	struct buffer *buffer = buffer_find(argv[0]);

	(void)argc;
	if (!buffer)
		return -EINVAL;
	buffer_destroy(buffer);
	return 0;
}

static int do_transfer(int argc, char **argv)
{
	struct buffer *buffer = buffer_find(argv[0]);

	(void)argc;
	return buffer ? buffer_transfer(buffer) : -EINVAL;
}

/* share BUFFER: out as a dma-buf and in again must be the same object */
static int do_share(int argc, char **argv)
{
	struct buffer *buffer = buffer_find(argv[0]);
	__u32 again;
	int result;

	(void)argc;
	if (!buffer)
		return -EINVAL;
	result = card_share(buffer->card, buffer->handle, buffer->card, &again);
	if (!result && again != buffer->handle)
		result = -EBADE;
	return result;
}

struct stampede {
	pthread_barrier_t start;
	const struct buffer *buffer;
};

static void *stampede_thread(void *argument)
{
	struct stampede *stampede = argument;

	pthread_barrier_wait(&stampede->start);
	return (void *)(intptr_t)buffer_transfer(stampede->buffer);
}

/* stampede BUFFER THREADS: all of them use the buffer at the same moment */
static int do_stampede(int argc, char **argv)
{
	struct stampede stampede = { .buffer = buffer_find(argv[0]) };
	pthread_t threads[MAX_THREADS];
	__u32 count;
	int result = 0;

	(void)argc;
	if (!stampede.buffer || parse_number(argv[1], &count) || !count || count > MAX_THREADS)
		return -EINVAL;
	pthread_barrier_init(&stampede.start, NULL, count);
	for (__u32 i = 0; i < count; i++) {
		/* the ones already waiting at the barrier could never be let go */
		if (pthread_create(&threads[i], NULL, stampede_thread, &stampede))
			abort();
	}
	for (__u32 i = 0; i < count; i++) {
		void *outcome;

		pthread_join(threads[i], &outcome);
		if (outcome)
			result = (intptr_t)outcome;
	}
	pthread_barrier_destroy(&stampede.start);
	return result;
}

int buffer_framebuffer(struct buffer *buffer)
{
	struct drm_mode_fb_cmd2 add = {
		.width = buffer->width,
		.height = buffer->height,
		.pixel_format = DRM_FORMAT_XRGB8888,
		.handles = { buffer->handle },
		.pitches = { buffer->width * 4 },
	};
	int result;

	if (buffer->fb)
		return 0;
	result = card_ioctl(buffer->card, DRM_IOCTL_MODE_ADDFB2, &add);
	if (!result)
		buffer->fb = add.fb_id;
	return result;
}

const struct command buffer_commands[] = {
	{ "create", 5, false, do_create },
	{ "fill", 2, false, do_fill },
	{ "load", 2, false, do_load },
	{ "check", 1, false, do_check },
	{ "destroy", 1, false, do_destroy },
	{ "transfer", 1, false, do_transfer },
	{ "share", 1, false, do_share },
	{ "stampede", 2, false, do_stampede },
	{ }
};
