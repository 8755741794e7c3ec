/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The program that runs as /init in the guest of a test.
 *
 * It obeys one-line commands that arrive over the second serial port and
 * answers each of them with one line: "ok ..." or "error ERRNO ...". It holds
 * everything a client of the GPU holds (buffers, framebuffers, a cursor), so
 * that a hibernation has something to lose.
 */
#ifndef AGENT_H
#define AGENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <linux/types.h>

#define MAX_ARGS	16
#define MAX_LINE	4096
#define CURSOR_SIZE	64
#define TARGET_2D		2	/* PIPE_TEXTURE_2D */
#define BIND_RENDER_SCANOUT	0x40002
#define FORMAT_B8G8R8X8		2	/* VIRTIO_GPU_FORMAT_B8G8R8X8_UNORM */

/**
 * struct command - one thing that the host may ask for
 * @name: first word of the line
 * @min_args: least number of words after the name
 * @rest: the last argument is the rest of the line, blanks included
 * @run: does it and fills in the answer with reply(); 0 or a negative errno
 */
struct command {
	const char *name;
	int min_args;
	bool rest;
	int (*run)(int argc, char **argv);
};

enum buffer_kind {
	BUFFER_DUMB,		/* DRM_IOCTL_MODE_CREATE_DUMB */
	BUFFER_CURSOR,		/* the same, 64x64, with alpha */
	BUFFER_RESOURCE,	/* DRM_IOCTL_VIRTGPU_RESOURCE_CREATE */
	BUFFER_BLOB,		/* DRM_IOCTL_VIRTGPU_RESOURCE_CREATE_BLOB */
	BUFFER_RENDERED,	/* the host made its content, at the request of a 3D client */
	BUFFER_SHARED,		/* it is another GPU's */
};

struct buffer {
	enum buffer_kind kind;
	int card;	/* file descriptor of the GPU that it belongs to */
	__u32 handle;	/* 0: destroyed */
	__u32 fb;		/* 0: not made yet */
	__u32 width;
	__u32 height;
	__u32 seed;		/* what its pixels are computed from */
};

extern const struct command display_commands[];
extern const struct command atomic_commands[];
extern const struct command buffer_commands[];
extern const struct command busy_commands[];
extern const struct command render_commands[];
extern const struct command virgl_commands[];
extern const struct command system_commands[];
extern const struct command amdgpu_commands[];
extern const struct command kfd_commands[];
extern const struct command shared_commands[];
extern const struct command timing_commands[];

/* channel.c */
int channel_open(const char *path);
int channel_read_line(char *line, size_t size);
int channel_write_line(const char *line);

/* init.c: adds to the answer of the command that runs */
void reply(const char *format, ...);
void reply_encoded(const char *text, size_t length);
int parse_number(const char *word, __u32 *number);

/* timing.c: nanoseconds of the guest's clock, which never goes back */
__u64 clock_now(void);

/* buffer.c */
struct buffer *buffer_at(__u32 index);
struct buffer *buffer_find(const char *word);
size_t buffer_size(const struct buffer *buffer);
__u32 buffer_pattern(__u32 seed, __u32 x, __u32 y);
int buffer_map(const struct buffer *buffer, __u32 **pixels);
int buffer_create_dumb(struct buffer *buffer);
void buffer_destroy(struct buffer *buffer);
int buffer_transfer(const struct buffer *buffer);
int buffer_framebuffer(struct buffer *buffer);
int buffer_add(const struct buffer *buffer, __u32 *index);

/* render.c: the 3D client; -1 if it is not open */
int render_fd(void);

/* amdgpu.c: the @which-th render node of amdgpu, one for each partition */
int amdgpu_open_node(__u32 which);

/* display.c */
int card_fd(void);
int card_ioctl(int card, unsigned long request, void *argument);
int card_wait(int card, __u32 handle);
int card_share(int from, __u32 handle, int to, __u32 *shared);
int display_find(const char *output, int *card, __u32 *crtc);
int display_flip(const char *output, struct buffer *buffer);
int display_move_cursor(const char *output, __u32 x, __u32 y);

#endif
