// SPDX-License-Identifier: GPL-2.0-only
/* A client that owns the display: outputs, modes, flips and the cursor. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <drm/drm.h>
#include <drm/drm_mode.h>
#include <drm/virtgpu_drm.h>

#include "agent.h"

#define MAX_OUTPUTS	16
#define MAX_CARDS	4
#define MAX_MODES	128
#define FLIP_WAIT_MS	60000

struct output {
	int card;
	__u32 connector;
	__u32 crtc;
	bool connected;
	struct drm_mode_modeinfo mode;
};

static int cards[MAX_CARDS];
static int card_count;
static int current_card = -1;	/* file descriptor */
static struct output outputs[MAX_OUTPUTS];
static __u32 output_count;

int card_fd(void)
{
	return current_card;
}

int card_ioctl(int card, unsigned long request, void *argument)
{
	int result;

	do {
		result = ioctl(card, request, argument);
	} while (result < 0 && errno == EINTR);
	return result < 0 ? -errno : 0;
}

/* The host has done everything with this buffer that was asked of it before. */
int card_wait(int card, __u32 handle)
{
	struct drm_virtgpu_3d_wait wait = { .handle = handle };

	return card_ioctl(card, DRM_IOCTL_VIRTGPU_WAIT, &wait);
}

/* A buffer goes out as a dma-buf, and in again, where it is named @shared. */
int card_share(int from, __u32 handle, int to, __u32 *shared)
{
	struct drm_prime_handle out = { .handle = handle, .flags = DRM_CLOEXEC | DRM_RDWR };
	struct drm_prime_handle in = { };
	int result = card_ioctl(from, DRM_IOCTL_PRIME_HANDLE_TO_FD, &out);

	if (result)
		return result;
	in.fd = out.fd;
	result = card_ioctl(to, DRM_IOCTL_PRIME_FD_TO_HANDLE, &in);
	close(out.fd);
	*shared = in.handle;
	return result;
}

static void close_cards(void)
{
	while (card_count)
		close(cards[--card_count]);
	current_card = -1;
	output_count = 0;
}

/* open [PATH]...: the outputs are numbered through all of them */
static int do_open(int argc, char **argv)
{
	char first[] = "/dev/dri/card0", *default_paths[] = { first };

	if (!argc) {
		argc = 1;
		argv = default_paths;
	}
	if (argc > MAX_CARDS)
		return -E2BIG;
	close_cards();
	for (int i = 0; i < argc; i++) {
		int fd = open(argv[i], O_RDWR | O_CLOEXEC);

		if (fd < 0) {
			int error = errno;

			close_cards();
			return -error;
		}
		cards[card_count++] = fd;
	}
	current_card = cards[0];
	return 0;
}

static int do_close(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	close_cards();
	return 0;
}

/* card N: which of those that are open makes the buffers from now on */
static int do_card(int argc, char **argv)
{
	__u32 index;

	(void)argc;
	if (parse_number(argv[0], &index) || index >= (__u32)card_count)
		return -EINVAL;
	current_card = cards[index];
	return 0;
}

/* Asks anew what is connected, as a desktop does after a hotplug event. */
static int probe_connector(struct output *output)
{
	static struct drm_mode_modeinfo modes[MAX_MODES];
	struct drm_mode_get_connector get = { .connector_id = output->connector };
	int result = card_ioctl(output->card, DRM_IOCTL_MODE_GETCONNECTOR, &get);

	if (result)
		return result;
	output->connected = get.connection == 1 && get.count_modes;
	if (!output->connected)
		return 0;
	if (get.count_modes > MAX_MODES)
		get.count_modes = MAX_MODES;
	get.modes_ptr = (uintptr_t)modes;
	get.count_props = 0;
	get.count_encoders = 0;
	result = card_ioctl(output->card, DRM_IOCTL_MODE_GETCONNECTOR, &get);
	if (result)
		return result;
	output->mode = modes[0];
	for (__u32 i = 0; i < get.count_modes && i < MAX_MODES; i++) {
		if (modes[i].type & DRM_MODE_TYPE_PREFERRED) {
			output->mode = modes[i];
			break;
		}
	}
	return 0;
}

static int probe_card(int card)
{
	__u32 connectors[MAX_OUTPUTS], crtcs[MAX_OUTPUTS];
	struct drm_mode_card_res res = {
		.connector_id_ptr = (uintptr_t)connectors,
		.count_connectors = MAX_OUTPUTS,
		.crtc_id_ptr = (uintptr_t)crtcs,
		.count_crtcs = MAX_OUTPUTS,
	};
	int result = card_ioctl(card, DRM_IOCTL_MODE_GETRESOURCES, &res);

	if (result)
		return result;
	if (res.count_connectors > MAX_OUTPUTS - output_count ||
	    res.count_crtcs != res.count_connectors)
		return -EOPNOTSUPP;
	/* virtio-gpu: connector n can only be driven by CRTC n */
	for (__u32 i = 0; i < res.count_connectors; i++) {
		struct output *output = &outputs[output_count++];

		output->card = card;
		output->connector = connectors[i];
		output->crtc = crtcs[i];
		result = probe_connector(output);
		if (result)
			return result;
	}
	return 0;
}

static int probe_outputs(void)
{
	int result = 0;

	output_count = 0;
	for (int i = 0; !result && i < card_count; i++)
		result = probe_card(cards[i]);
	return result;
}

static int do_outputs(int argc, char **argv)
{
	int result = probe_outputs();

	(void)argc;
	(void)argv;
	if (result)
		return result;
	for (__u32 i = 0; i < output_count; i++) {
		if (outputs[i].connected)
			reply(" %ux%u", outputs[i].mode.hdisplay, outputs[i].mode.vdisplay);
		else
			reply(" off");
	}
	return 0;
}

static struct output *find_output(const char *word)
{
	__u32 index;

	if (parse_number(word, &index) || index >= output_count)
		return NULL;
	return &outputs[index];
}

/* For who does more with an output than what is in this file. */
int display_find(const char *word, int *card, __u32 *crtc)
{
	struct output *output = find_output(word);

	if (!output)
		return -EINVAL;
	*card = output->card;
	*crtc = output->crtc;
	return 0;
}

/* The output's own mode if it fits the buffer, else a made-up one of that size. */
static struct drm_mode_modeinfo mode_for(const struct output *output, const struct buffer *buffer)
{
	struct drm_mode_modeinfo mode = {
		.clock = 25000,
		.hdisplay = buffer->width,
		.hsync_start = buffer->width + 16,
		.hsync_end = buffer->width + 32,
		.htotal = buffer->width + 48,
		.vdisplay = buffer->height,
		.vsync_start = buffer->height + 2,
		.vsync_end = buffer->height + 4,
		.vtotal = buffer->height + 6,
		.name = "made-up",
	};

	if (output->mode.hdisplay == buffer->width && output->mode.vdisplay == buffer->height)
		return output->mode;
	return mode;
}

static int do_show(int argc, char **argv)
{
	struct output *output = find_output(argv[0]);
	struct buffer *buffer = buffer_find(argv[1]);
	struct drm_mode_crtc set = { .mode_valid = 1, .count_connectors = 1 };
	int result;

	(void)argc;
	if (!output || !buffer || output->card != buffer->card)
		return -EINVAL;
	result = buffer_framebuffer(buffer);
	if (result)
		return result;
	set.set_connectors_ptr = (uintptr_t)&output->connector;
	set.crtc_id = output->crtc;
	set.fb_id = buffer->fb;
	set.mode = mode_for(output, buffer);
	return card_ioctl(output->card, DRM_IOCTL_MODE_SETCRTC, &set);
}

static int do_off(int argc, char **argv)
{
	struct output *output = find_output(argv[0]);
	struct drm_mode_crtc set = { };

	(void)argc;
	if (!output)
		return -EINVAL;
	set.crtc_id = output->crtc;
	return card_ioctl(output->card, DRM_IOCTL_MODE_SETCRTC, &set);
}

static int wait_for_flip(int card)
{
	struct pollfd poller = { .fd = card, .events = POLLIN };
	char events[256];
	int ready;

	do {
		ready = poll(&poller, 1, FLIP_WAIT_MS);
	} while (ready < 0 && errno == EINTR);
	if (ready < 0)
		return -errno;
	if (!ready)
		return -ETIMEDOUT;
	return read(card, events, sizeof(events)) > 0 ? 0 : -EIO;
}

int display_flip(const char *word, struct buffer *buffer)
{
	struct output *output = find_output(word);
	struct drm_mode_crtc_page_flip flip = { .flags = DRM_MODE_PAGE_FLIP_EVENT };
	int result;

	if (!output || !buffer || output->card != buffer->card)
		return -EINVAL;
	result = buffer_framebuffer(buffer);
	if (result)
		return result;
	flip.crtc_id = output->crtc;
	flip.fb_id = buffer->fb;
	result = card_ioctl(output->card, DRM_IOCTL_MODE_PAGE_FLIP, &flip);
	return result ?: wait_for_flip(output->card);
}

static int do_flip(int argc, char **argv)
{
	(void)argc;
	return display_flip(argv[0], buffer_find(argv[1]));
}

/* flip-wait OUTPUT: for the end of a flip that another command began */
static int do_flip_wait(int argc, char **argv)
{
	struct output *output = find_output(argv[0]);

	(void)argc;
	return output ? wait_for_flip(output->card) : -EINVAL;
}

static int do_dirty(int argc, char **argv)
{
	struct buffer *buffer = buffer_find(argv[0]);
	struct drm_mode_fb_dirty_cmd dirty = { };

	(void)argc;
	if (!buffer || !buffer->fb)
		return -EINVAL;
	dirty.fb_id = buffer->fb;
	return card_ioctl(buffer->card, DRM_IOCTL_MODE_DIRTYFB, &dirty);
}

/* cursor OUTPUT BUFFER HOT_X HOT_Y X Y; buffer "none" hides it */
static int do_cursor(int argc, char **argv)
{
	struct output *output = find_output(argv[0]);
	struct drm_mode_cursor2 cursor = {
		.flags = DRM_MODE_CURSOR_BO | DRM_MODE_CURSOR_MOVE,
	};
	struct buffer *buffer = NULL;
	__u32 number[4];

	(void)argc;
	for (int i = 0; i < 4; i++)
		if (parse_number(argv[2 + i], &number[i]))
			return -EINVAL;
	if (strcmp(argv[1], "none"))
		buffer = buffer_find(argv[1]);
	if (!output || (strcmp(argv[1], "none") && !buffer) ||
	    (buffer && output->card != buffer->card))
		return -EINVAL;
	cursor.crtc_id = output->crtc;
	if (buffer) {
		cursor.handle = buffer->handle;
		cursor.width = buffer->width;
		cursor.height = buffer->height;
	}
	cursor.hot_x = number[0];
	cursor.hot_y = number[1];
	cursor.x = number[2];
	cursor.y = number[3];
	return card_ioctl(output->card, DRM_IOCTL_MODE_CURSOR2, &cursor);
}

int display_move_cursor(const char *word, __u32 x, __u32 y)
{
	struct output *output = find_output(word);
	struct drm_mode_cursor cursor = { .flags = DRM_MODE_CURSOR_MOVE, .x = x, .y = y };

	if (!output)
		return -EINVAL;
	cursor.crtc_id = output->crtc;
	return card_ioctl(output->card, DRM_IOCTL_MODE_CURSOR, &cursor);
}

static int do_cursor_move(int argc, char **argv)
{
	__u32 x, y;

	(void)argc;
	if (parse_number(argv[1], &x) || parse_number(argv[2], &y))
		return -EINVAL;
	return display_move_cursor(argv[0], x, y);
}

const struct command display_commands[] = {
	{ "open", 0, false, do_open },
	{ "close", 0, false, do_close },
	{ "card", 1, false, do_card },
	{ "outputs", 0, false, do_outputs },
	{ "show", 2, false, do_show },
	{ "off", 1, false, do_off },
	{ "flip", 2, false, do_flip },
	{ "flip-wait", 1, false, do_flip_wait },
	{ "dirty", 1, false, do_dirty },
	{ "cursor", 6, false, do_cursor },
	{ "cursor-move", 3, false, do_cursor_move },
	{ }
};
