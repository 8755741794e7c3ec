// SPDX-License-Identifier: GPL-2.0-only
/*
 * An atomic client with explicit fences: a flip that is not to happen before a
 * fence of sw_sync is signalled.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <drm/drm.h>
#include <drm/drm_mode.h>

#include "agent.h"

#define SW_SYNC		"/sys/kernel/debug/sync/sw_sync"
#define MAX_PLANES	64
#define MAX_PROPERTIES	64

/* sw_sync is for tests only and has no header: what its ioctls take */
struct fence_request {
	__u32 point;		/* of the timeline, at which it is signalled */
	char name[32];
	__s32 fd;		/* the answer, a sync_file */
};

#define CREATE_FENCE	_IOWR('W', 0, struct fence_request)
#define ADVANCE		_IOW('W', 1, __u32)

static int timeline = -1;
static int fence = -1;

static void drop_fence(void)
{
	if (fence >= 0)
		close(fence);
	if (timeline >= 0)
		close(timeline);	/* signals what is left, with an error */
	fence = -1;
	timeline = -1;
}

/* fence-create: answers the number of its file descriptor */
static int do_create(int argc, char **argv)
{
	struct fence_request request = { .point = 1, .name = "test" };

	(void)argc;
	(void)argv;
	drop_fence();
	timeline = open(SW_SYNC, O_RDWR | O_CLOEXEC);
	if (timeline < 0)
		return -errno;
	if (ioctl(timeline, CREATE_FENCE, &request)) {
		int error = errno;

		drop_fence();
		return -error;
	}
	fence = request.fd;
	reply(" %d", fence);
	return 0;
}

static int do_signal(int argc, char **argv)
{
	__u32 step = 1;

	(void)argc;
	(void)argv;
	return ioctl(timeline, ADVANCE, &step) ? -errno : 0;
}

/* The properties of a plane that a flip needs, and two that tell which plane it is. */
enum { TYPE, CRTC_ID, FB_ID, IN_FENCE_FD, PROPERTIES };

static const char *const plane_names[PROPERTIES] = {
	[TYPE] = "type",
	[CRTC_ID] = "CRTC_ID",
	[FB_ID] = "FB_ID",
	[IN_FENCE_FD] = "IN_FENCE_FD",
};

/* Properties of an object by their names: all of them, or an error */
static int read_properties(int card, __u32 object, __u32 type, const char *const *names,
			   int num, __u32 *ids, __u64 *values)
{
	__u32 all[MAX_PROPERTIES];
	__u64 all_values[MAX_PROPERTIES];
	struct drm_mode_obj_get_properties get = {
		.props_ptr = (uintptr_t)all,
		.prop_values_ptr = (uintptr_t)all_values,
		.count_props = MAX_PROPERTIES,
		.obj_id = object,
		.obj_type = type,
	};
	int found = 0;
	int result = card_ioctl(card, DRM_IOCTL_MODE_OBJ_GETPROPERTIES, &get);

	for (__u32 i = 0; !result && i < get.count_props && i < MAX_PROPERTIES; i++) {
		struct drm_mode_get_property property = { .prop_id = all[i] };

		result = card_ioctl(card, DRM_IOCTL_MODE_GETPROPERTY, &property);
		for (int p = 0; !result && p < num; p++) {
			if (strcmp(property.name, names[p]))
				continue;
			ids[p] = all[i];
			values[p] = all_values[i];
			found++;
		}
	}
	return result ?: found == num ? 0 : -EOPNOTSUPP;
}

/* The primary plane of a CRTC that is on, and the properties of it. */
static int find_primary(int card, __u32 crtc, __u32 *plane, __u32 *ids)
{
	__u32 planes[MAX_PLANES];
	struct drm_mode_get_plane_res res = {
		.plane_id_ptr = (uintptr_t)planes,
		.count_planes = MAX_PLANES,
	};
	__u64 values[PROPERTIES];
	int result = card_ioctl(card, DRM_IOCTL_MODE_GETPLANERESOURCES, &res);

	for (__u32 i = 0; !result && i < res.count_planes && i < MAX_PLANES; i++) {
		result = read_properties(card, planes[i], DRM_MODE_OBJECT_PLANE,
					 plane_names, PROPERTIES, ids, values);
		if (!result && values[TYPE] == 1 && values[CRTC_ID] == crtc) {
			*plane = planes[i];
			return 0;
		}
	}
	return result ?: -ENOENT;
}

static int become_atomic(int card)
{
	static const __u64 capabilities[] = {
		DRM_CLIENT_CAP_UNIVERSAL_PLANES,
		DRM_CLIENT_CAP_ATOMIC,
		DRM_CLIENT_CAP_CURSOR_PLANE_HOTSPOT,	/* or the cursor is hidden */
	};
	int result = 0;

	for (size_t i = 0; !result && i < sizeof(capabilities) / sizeof(*capabilities); i++) {
		struct drm_set_client_cap set = { .capability = capabilities[i], .value = 1 };

		result = card_ioctl(card, DRM_IOCTL_SET_CLIENT_CAP, &set);
	}
	return result;
}

/* flip-behind OUTPUT BUFFER: once the fence is signalled; returns at once */
static int do_flip(int argc, char **argv)
{
	struct buffer *buffer = buffer_find(argv[1]);
	__u32 plane, crtc, ids[PROPERTIES], changed[2];
	__u32 count = 2;
	__u64 values[2];
	struct drm_mode_atomic commit = {
		.flags = DRM_MODE_ATOMIC_NONBLOCK | DRM_MODE_PAGE_FLIP_EVENT,
		.count_objs = 1,
		.objs_ptr = (uintptr_t)&plane,
		.count_props_ptr = (uintptr_t)&count,
		.props_ptr = (uintptr_t)changed,
		.prop_values_ptr = (uintptr_t)values,
	};
	int card, result = display_find(argv[0], &card, &crtc);

	(void)argc;
	if (result)
		return result;
	if (fence < 0 || !buffer || buffer->card != card)
		return -EINVAL;
	result = buffer_framebuffer(buffer);
	if (!result)
		result = become_atomic(card);
	if (!result)
		result = find_primary(card, crtc, &plane, ids);
	if (result)
		return result;
	changed[0] = ids[FB_ID];
	values[0] = buffer->fb;
	changed[1] = ids[IN_FENCE_FD];
	values[1] = fence;
	return card_ioctl(card, DRM_IOCTL_MODE_ATOMIC, &commit);
}

static int set_active(int card, __u32 crtc, __u32 property, __u64 active, __u32 flags)
{
	__u32 count = 1;
	struct drm_mode_atomic commit = {
		.flags = flags | DRM_MODE_ATOMIC_ALLOW_MODESET,
		.count_objs = 1,
		.objs_ptr = (uintptr_t)&crtc,
		.count_props_ptr = (uintptr_t)&count,
		.props_ptr = (uintptr_t)&property,
		.prop_values_ptr = (uintptr_t)&active,
	};

	return card_ioctl(card, DRM_IOCTL_MODE_ATOMIC, &commit);
}

/*
 * blink OUTPUT: on and off again before there was a vblank. The kernel warns after a
 * second if its worker waits for one.
 */
static int do_blink(int argc, char **argv)
{
	static const char *const name = "ACTIVE";
	__u32 crtc, id;
	__u64 value;
	int card, result = display_find(argv[0], &card, &crtc);

	(void)argc;
	if (!result)
		result = become_atomic(card);
	if (!result)
		result = read_properties(card, crtc, DRM_MODE_OBJECT_CRTC, &name, 1,
					 &id, &value);
	if (!result)
		result = set_active(card, crtc, id, 0, 0);
	if (!result)
		result = set_active(card, crtc, id, 1, DRM_MODE_ATOMIC_NONBLOCK);
	if (!result)
		result = set_active(card, crtc, id, 0, 0);
	if (result)
		return result;
	usleep(1500000);
	return set_active(card, crtc, id, 1, 0);
}

const struct command atomic_commands[] = {
	{ "blink", 1, false, do_blink },
	{ "fence-create", 0, false, do_create },
	{ "fence-signal", 0, false, do_signal },
	{ "flip-behind", 2, false, do_flip },
	{ }
};
