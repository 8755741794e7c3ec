// SPDX-License-Identifier: GPL-2.0-only
/* The commands, and what the host has because of them. */

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "gpu.h"

#define BYTES		4		/* of a pixel */
#define MAX_SIDE	16384
#define MAX_ENTRIES	16384
#define MAX_REFUSED	64
#define UNTOUCHED	0xffff00ff	/* of a copy that was not transferred yet */
#define CAPSET_ID	1
#define CAPSET_SIZE	64

struct resource {
	struct resource *next;
	uint32_t id;
	uint32_t width, height;		/* 0 for a blob */
	uint64_t size;			/* of a blob */
	uint32_t *copy;			/* NULL for a blob */
	struct iovec *pages;		/* NULL for none */
	unsigned int num_pages;
	uint8_t uuid;
	bool old;			/* from before a reset */
};

struct context {
	struct context *next;
	uint32_t id;
};

static struct {
	struct resource *resources;
	struct context *contexts;
	struct scanout {
		uint32_t resource;
		struct virtio_gpu_rect r;
		uint32_t stride, offset;	/* of a blob */
		uint32_t *picture;		/* what is seen */
	} scanout[VIRTIO_GPU_MAX_SCANOUTS];
	struct cursor {
		uint32_t hot_x, hot_y;
		bool visible;
		uint32_t image[CURSOR_SIDE * CURSOR_SIDE];
	} cursor[VIRTIO_GPU_MAX_SCANOUTS];
	uint8_t uuids;
	uint32_t refused[MAX_REFUSED];	/* what an injected error kept from being */
} gpu;

/* A mistake of the guest: the log has it, and a test fails. */
#define guest_error(ret, format, ...)					\
	(gpu_log("guest error: " format, ##__VA_ARGS__), (ret))

/*
 * Resources
 */

static struct resource *find(uint32_t id)
{
	struct resource *res;

	for (res = gpu.resources; res; res = res->next) {
		if (res->id == id)
			return res;
	}

	return NULL;
}

static uint32_t *find_refused(uint32_t id)
{
	unsigned int i;

	for (i = 0; i < MAX_REFUSED; i++) {
		if (gpu.refused[i] == id)
			return &gpu.refused[i];
	}

	return NULL;
}

static void forget_refused(uint32_t id)
{
	uint32_t *refused = find_refused(id);

	if (refused)
		*refused = 0;
}

/* One that the guest has created since the last reset */
static struct resource *find_live(uint32_t id)
{
	struct resource *res = find(id);

	return res && !res->old ? res : NULL;
}

static struct resource *named(uint32_t id)
{
	struct resource *res = find_live(id);

	if (res)
		return res;
	/* the guest may not have seen the answer yet */
	if (id && find_refused(id))
		return NULL;

	return guest_error(NULL, "there is no resource 0x%x", id);
}

static void forget_pages(struct resource *res)
{
	free(res->pages);
	res->pages = NULL;
	res->num_pages = 0;
}

static void destroy(struct resource *res)
{
	struct resource **at = &gpu.resources;

	forget_refused(res->id);
	while (*at != res)
		at = &(*at)->next;
	*at = res->next;
	forget_pages(res);
	free(res->copy);
	free(res);
}

static void *allocate(size_t size)
{
	void *memory = calloc(1, size);

	if (!memory) {
		fprintf(stderr, "gpu: no memory\n");
		exit(1);
	}

	return memory;
}

static uint32_t create(uint32_t id, struct resource **new)
{
	struct resource *res = find(id);

	if (res && res->old) {
		/* the guest cannot know before: no mistake of its */
		gpu_log("# resource 0x%x is known from before the reset", id);
		return VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID;
	}
	if (!id || res)
		return guest_error(VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID,
				   "resource 0x%x exists", id);

	res = allocate(sizeof(*res));
	res->id = id;
	res->next = gpu.resources;
	gpu.resources = res;
	*new = res;

	return VIRTIO_GPU_RESP_OK_NODATA;
}

static uint32_t create_copy(uint32_t id, uint32_t format, uint32_t width, uint32_t height)
{
	struct resource *res;
	uint32_t ret;
	size_t i;

	if ((format != VIRTIO_GPU_FORMAT_B8G8R8A8_UNORM &&
	     format != VIRTIO_GPU_FORMAT_B8G8R8X8_UNORM) ||
	    !width || !height || width > MAX_SIDE || height > MAX_SIDE)
		return guest_error(VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER,
				   "%ux%u of format %u", width, height, format);
	ret = create(id, &res);
	if (ret != VIRTIO_GPU_RESP_OK_NODATA)
		return ret;

	res->width = width;
	res->height = height;
	res->copy = allocate((size_t)width * height * BYTES);
	for (i = 0; i < (size_t)width * height; i++)
		res->copy[i] = UNTOUCHED;

	return ret;
}

static uint32_t take_pages(struct vu_request *request, struct resource *res,
			   size_t offset, uint32_t num)
{
	struct virtio_gpu_mem_entry entry;
	uint32_t i;

	if (res->pages)
		return guest_error(VIRTIO_GPU_RESP_ERR_UNSPEC,
				   "resource 0x%x has pages", res->id);
	if (num > MAX_ENTRIES)
		return guest_error(VIRTIO_GPU_RESP_ERR_UNSPEC, "%u entries", num);

	res->pages = allocate((num ?: 1) * sizeof(*res->pages));
	for (i = 0; i < num; i++) {
		if (vu_gather(request->out, request->num_out,
			      offset + i * sizeof(entry), &entry,
			      sizeof(entry)) != sizeof(entry)) {
			forget_pages(res);
			return guest_error(VIRTIO_GPU_RESP_ERR_UNSPEC, "entries are missing");
		}
		res->pages[i].iov_base = vu_memory(entry.addr, entry.length);
		res->pages[i].iov_len = entry.length;
		if (!res->pages[i].iov_base) {
			forget_pages(res);
			return guest_error(VIRTIO_GPU_RESP_ERR_UNSPEC,
					   "0x%" PRIx64 " is not memory",
					   (uint64_t)entry.addr);
		}
	}
	res->num_pages = num;

	return VIRTIO_GPU_RESP_OK_NODATA;
}

static bool within(const struct virtio_gpu_rect *r, uint32_t width, uint32_t height)
{
	return r->x <= width && r->width <= width - r->x &&
	       r->y <= height && r->height <= height - r->y;
}

static uint32_t transfer(uint32_t id, const struct virtio_gpu_rect *r, uint64_t offset,
			 uint32_t stride)
{
	struct resource *res = named(id);
	uint32_t y;

	if (!res)
		return VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID;
	/* Linux asks for it whether there is a copy or not */
	if (!res->copy)
		return VIRTIO_GPU_RESP_OK_NODATA;
	/* the guest may not have seen that its pages were refused */
	if (!res->pages && find_refused(id))
		return VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER;
	if (!res->pages || !within(r, res->width, res->height))
		return guest_error(VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER,
				   "resource 0x%x cannot be transferred", id);
	for (y = 0; y < r->height; y++)
		vu_gather(res->pages, res->num_pages, offset + (uint64_t)y * stride,
			  res->copy + (size_t)(r->y + y) * res->width + r->x,
			  (size_t)r->width * BYTES);

	return VIRTIO_GPU_RESP_OK_NODATA;
}

/*
 * Outputs
 */

static void switch_off(struct scanout *scanout)
{
	free(scanout->picture);
	memset(scanout, 0, sizeof(*scanout));
}

static uint32_t set_scanout(uint32_t output, uint32_t id, const struct virtio_gpu_rect *r,
			    uint32_t stride, uint32_t offset)
{
	struct scanout *scanout = &gpu.scanout[output % VIRTIO_GPU_MAX_SCANOUTS];
	struct resource *res;

	if (output >= gpu_options.num_outputs)
		return guest_error(VIRTIO_GPU_RESP_ERR_INVALID_SCANOUT_ID,
				   "there is no output %u", output);
	if (!id) {
		switch_off(scanout);
		return VIRTIO_GPU_RESP_OK_NODATA;
	}
	res = named(id);
	if (!res)
		return VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID;
	if (!r->width || !r->height || r->width > MAX_SIDE || r->height > MAX_SIDE ||
	    (res->copy && !within(r, res->width, res->height)) || (!res->copy && !stride))
		return guest_error(VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER,
				   "resource 0x%x cannot be shown", id);

	if (!scanout->picture || scanout->r.width != r->width ||
	    scanout->r.height != r->height) {
		free(scanout->picture);
		scanout->picture = allocate((size_t)r->width * r->height * BYTES);
	}
	scanout->resource = id;
	scanout->r = *r;
	scanout->stride = stride;
	scanout->offset = offset;

	return VIRTIO_GPU_RESP_OK_NODATA;
}

/* Lines of the resource to the picture; all of it, as only the driver draws */
static void show(struct scanout *scanout, const struct resource *res)
{
	size_t line = (size_t)scanout->r.width * BYTES;
	uint32_t y;

	for (y = 0; y < scanout->r.height; y++) {
		uint32_t *to = scanout->picture + (size_t)y * scanout->r.width;

		if (res->copy)
			memcpy(to, res->copy + (size_t)(scanout->r.y + y) * res->width +
				   scanout->r.x, line);
		else
			vu_gather(res->pages, res->num_pages,
				  scanout->offset +
				  (uint64_t)(scanout->r.y + y) * scanout->stride +
				  (uint64_t)scanout->r.x * BYTES, to, line);
	}
}

static uint32_t flush(uint32_t id)
{
	struct resource *res = named(id);
	unsigned int i;

	if (!res)
		return VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID;
	for (i = 0; i < gpu_options.num_outputs; i++) {
		if (gpu.scanout[i].resource == id)
			show(&gpu.scanout[i], res);
	}

	return VIRTIO_GPU_RESP_OK_NODATA;
}

static uint32_t update_cursor(uint32_t output, uint32_t id, uint32_t hot_x, uint32_t hot_y)
{
	struct cursor *cursor = &gpu.cursor[output % VIRTIO_GPU_MAX_SCANOUTS];
	struct resource *res;

	if (output >= gpu_options.num_outputs)
		return guest_error(VIRTIO_GPU_RESP_ERR_INVALID_SCANOUT_ID,
				   "there is no output %u", output);
	cursor->visible = false;
	if (!id)
		return VIRTIO_GPU_RESP_OK_NODATA;
	res = named(id);
	if (!res)
		return VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID;
	if (res->copy ? res->width != CURSOR_SIDE || res->height != CURSOR_SIDE :
			res->size < sizeof(cursor->image))
		return guest_error(VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER,
				   "resource 0x%x is no cursor", id);

	if (res->copy)
		memcpy(cursor->image, res->copy, sizeof(cursor->image));
	else
		vu_gather(res->pages, res->num_pages, 0, cursor->image,
			  sizeof(cursor->image));
	cursor->hot_x = hot_x;
	cursor->hot_y = hot_y;
	cursor->visible = true;

	return VIRTIO_GPU_RESP_OK_NODATA;
}

static bool save(const char *path, const char *head, const uint32_t *pixels, size_t num,
		 unsigned int bytes)
{
	FILE *file = fopen(path, "w");
	size_t i;

	if (!file)
		return false;
	fputs(head, file);
	for (i = 0; i < num; i++) {
		uint8_t rgba[] = { pixels[i] >> 16, pixels[i] >> 8, pixels[i] };
		uint8_t bgra[] = { pixels[i], pixels[i] >> 8, pixels[i] >> 16,
				   pixels[i] >> 24 };

		fwrite(bytes == 3 ? rgba : bgra, bytes, 1, file);
	}

	return !fclose(file);
}

/* A PPM, black if the output is off */
bool gpu_save_screen(unsigned int output, const char *path)
{
	struct scanout *scanout = &gpu.scanout[output % VIRTIO_GPU_MAX_SCANOUTS];
	unsigned int width = scanout->r.width, height = scanout->r.height;
	uint32_t *picture = scanout->picture;
	char head[64];
	bool saved;

	if (output >= gpu_options.num_outputs)
		return false;
	if (!picture) {
		width = gpu_options.output[output].width;
		height = gpu_options.output[output].height;
		picture = allocate((size_t)width * height * BYTES);
	}
	snprintf(head, sizeof(head), "P6\n%u %u\n255\n", width, height);
	saved = save(path, head, picture, (size_t)width * height, 3);
	if (picture != scanout->picture)
		free(picture);

	return saved;
}

/* A line with the hotspot, and the pixels; only the line without a cursor */
bool gpu_save_cursor(unsigned int output, const char *path)
{
	const struct cursor *cursor = &gpu.cursor[output % VIRTIO_GPU_MAX_SCANOUTS];
	char head[64] = "none\n";

	if (output >= gpu_options.num_outputs)
		return false;
	if (cursor->visible)
		snprintf(head, sizeof(head), "%u %u\n", cursor->hot_x, cursor->hot_y);

	return save(path, head, cursor->image,
		    cursor->visible ? CURSOR_SIDE * CURSOR_SIDE : 0, BYTES);
}

/*
 * Contexts
 */

static struct context **context(uint32_t id)
{
	struct context **at = &gpu.contexts;

	while (*at && (*at)->id != id)
		at = &(*at)->next;

	return at;
}

static bool has_context(uint32_t id)
{
	if (*context(id))
		return true;

	return guest_error(false, "there is no context 0x%x", id);
}

static uint32_t create_context(uint32_t id)
{
	struct context *new;

	if (!id || *context(id))
		return guest_error(VIRTIO_GPU_RESP_ERR_INVALID_CONTEXT_ID,
				   "context 0x%x exists", id);
	new = allocate(sizeof(*new));
	new->id = id;
	*context(id) = new;

	return VIRTIO_GPU_RESP_OK_NODATA;
}

static uint32_t destroy_context(uint32_t id)
{
	struct context **at = context(id), *old = *at;

	if (!has_context(id))
		return VIRTIO_GPU_RESP_ERR_INVALID_CONTEXT_ID;
	*at = old->next;
	free(old);

	return VIRTIO_GPU_RESP_OK_NODATA;
}

/*
 * Commands
 */

const char *gpu_command_name(uint32_t type)
{
	switch (type) {
	case VIRTIO_GPU_CMD_GET_DISPLAY_INFO: return "get_display_info";
	case VIRTIO_GPU_CMD_RESOURCE_CREATE_2D: return "res_create_2d";
	case VIRTIO_GPU_CMD_RESOURCE_UNREF: return "res_unref";
	case VIRTIO_GPU_CMD_SET_SCANOUT: return "set_scanout";
	case VIRTIO_GPU_CMD_RESOURCE_FLUSH: return "res_flush";
	case VIRTIO_GPU_CMD_TRANSFER_TO_HOST_2D: return "res_xfer_toh_2d";
	case VIRTIO_GPU_CMD_RESOURCE_ATTACH_BACKING: return "res_back_attach";
	case VIRTIO_GPU_CMD_RESOURCE_DETACH_BACKING: return "res_back_detach";
	case VIRTIO_GPU_CMD_GET_CAPSET_INFO: return "get_capset_info";
	case VIRTIO_GPU_CMD_GET_CAPSET: return "get_capset";
	case VIRTIO_GPU_CMD_GET_EDID: return "get_edid";
	case VIRTIO_GPU_CMD_RESOURCE_ASSIGN_UUID: return "res_assign_uuid";
	case VIRTIO_GPU_CMD_RESOURCE_CREATE_BLOB: return "res_create_blob";
	case VIRTIO_GPU_CMD_SET_SCANOUT_BLOB: return "set_scanout_blob";
	case VIRTIO_GPU_CMD_CTX_CREATE: return "ctx_create";
	case VIRTIO_GPU_CMD_CTX_DESTROY: return "ctx_destroy";
	case VIRTIO_GPU_CMD_CTX_ATTACH_RESOURCE: return "ctx_res_attach";
	case VIRTIO_GPU_CMD_CTX_DETACH_RESOURCE: return "ctx_res_detach";
	case VIRTIO_GPU_CMD_RESOURCE_CREATE_3D: return "res_create_3d";
	case VIRTIO_GPU_CMD_TRANSFER_TO_HOST_3D: return "res_xfer_toh_3d";
	case VIRTIO_GPU_CMD_TRANSFER_FROM_HOST_3D: return "res_xfer_fromh_3d";
	case VIRTIO_GPU_CMD_SUBMIT_3D: return "ctx_submit";
	case VIRTIO_GPU_CMD_UPDATE_CURSOR: return "update_cursor";
	case VIRTIO_GPU_CMD_MOVE_CURSOR: return "move_cursor";
	}

	return NULL;
}

union command {
	struct virtio_gpu_ctrl_hdr hdr;
	struct virtio_gpu_resource_create_2d create_2d;
	struct virtio_gpu_resource_create_3d create_3d;
	struct virtio_gpu_resource_create_blob create_blob;
	struct virtio_gpu_resource_unref unref;
	struct virtio_gpu_set_scanout set_scanout;
	struct virtio_gpu_set_scanout_blob set_scanout_blob;
	struct virtio_gpu_resource_flush flush;
	struct virtio_gpu_transfer_to_host_2d transfer_2d;
	struct virtio_gpu_transfer_host_3d transfer_3d;
	struct virtio_gpu_resource_attach_backing attach;
	struct virtio_gpu_resource_detach_backing detach;
	struct virtio_gpu_get_capset_info capset_info;
	struct virtio_gpu_cmd_get_edid get_edid;
	struct virtio_gpu_resource_assign_uuid assign_uuid;
	struct virtio_gpu_ctx_create ctx_create;
	struct virtio_gpu_ctx_resource ctx_resource;
	struct virtio_gpu_cmd_submit submit;
	struct virtio_gpu_update_cursor cursor;
};

/* The resource that a command names, 0 for none */
static uint32_t subject(const union command *c)
{
	switch (c->hdr.type) {
	case VIRTIO_GPU_CMD_GET_DISPLAY_INFO:
	case VIRTIO_GPU_CMD_GET_CAPSET_INFO:
	case VIRTIO_GPU_CMD_GET_CAPSET:
	case VIRTIO_GPU_CMD_GET_EDID:
	case VIRTIO_GPU_CMD_CTX_CREATE:
	case VIRTIO_GPU_CMD_CTX_DESTROY:
	case VIRTIO_GPU_CMD_SUBMIT_3D:
		return 0;
	case VIRTIO_GPU_CMD_SET_SCANOUT:
		return c->set_scanout.resource_id;
	case VIRTIO_GPU_CMD_SET_SCANOUT_BLOB:
		return c->set_scanout_blob.resource_id;
	case VIRTIO_GPU_CMD_RESOURCE_FLUSH:
		return c->flush.resource_id;
	case VIRTIO_GPU_CMD_TRANSFER_TO_HOST_2D:
		return c->transfer_2d.resource_id;
	case VIRTIO_GPU_CMD_TRANSFER_TO_HOST_3D:
	case VIRTIO_GPU_CMD_TRANSFER_FROM_HOST_3D:
		return c->transfer_3d.resource_id;
	case VIRTIO_GPU_CMD_UPDATE_CURSOR:
	case VIRTIO_GPU_CMD_MOVE_CURSOR:
		return c->cursor.resource_id;
	default:
		/* right after the header in all others */
		return c->unref.resource_id;
	}
}

/* In the words of QEMU's trace, which the tests read */
static void log_command(const union command *c)
{
	const char *name = gpu_command_name(c->hdr.type);

	if (subject(c) && find_refused(subject(c)) && !find_live(subject(c))) {
		gpu_log("# %s of resource 0x%x, which was refused", name, subject(c));
		return;
	}

	switch (c->hdr.type) {
	case VIRTIO_GPU_CMD_GET_EDID:
		gpu_log("virtio_gpu_cmd_%s scanout %u", name, c->get_edid.scanout);
		break;
	case VIRTIO_GPU_CMD_SET_SCANOUT:
		gpu_log("virtio_gpu_cmd_%s id %u, res 0x%x, w %u, h %u", name,
			c->set_scanout.scanout_id, c->set_scanout.resource_id,
			c->set_scanout.r.width, c->set_scanout.r.height);
		break;
	case VIRTIO_GPU_CMD_SET_SCANOUT_BLOB:
		gpu_log("virtio_gpu_cmd_%s id %u, res 0x%x, w %u, h %u", name,
			c->set_scanout_blob.scanout_id, c->set_scanout_blob.resource_id,
			c->set_scanout_blob.r.width, c->set_scanout_blob.r.height);
		break;
	case VIRTIO_GPU_CMD_CTX_CREATE:
		gpu_log("virtio_gpu_cmd_%s ctx 0x%x, init %u", name, c->hdr.ctx_id,
			c->ctx_create.context_init);
		break;
	case VIRTIO_GPU_CMD_CTX_DESTROY:
	case VIRTIO_GPU_CMD_SUBMIT_3D:
		gpu_log("virtio_gpu_cmd_%s ctx 0x%x", name, c->hdr.ctx_id);
		break;
	case VIRTIO_GPU_CMD_CTX_ATTACH_RESOURCE:
	case VIRTIO_GPU_CMD_CTX_DETACH_RESOURCE:
		gpu_log("virtio_gpu_cmd_%s ctx 0x%x, res 0x%x", name, c->hdr.ctx_id,
			c->ctx_resource.resource_id);
		break;
	case VIRTIO_GPU_CMD_UPDATE_CURSOR:
	case VIRTIO_GPU_CMD_MOVE_CURSOR:
		gpu_log("virtio_gpu_update_cursor scanout %u, x %u, y %u, %s, res 0x%x",
			c->cursor.pos.scanout_id, c->cursor.pos.x, c->cursor.pos.y,
			c->hdr.type == VIRTIO_GPU_CMD_MOVE_CURSOR ? "move" : "update",
			c->cursor.resource_id);
		break;
	case VIRTIO_GPU_CMD_GET_DISPLAY_INFO:
	case VIRTIO_GPU_CMD_GET_CAPSET_INFO:
	case VIRTIO_GPU_CMD_GET_CAPSET:
		gpu_log("virtio_gpu_cmd_%s ", name);
		break;
	default:
		gpu_log("virtio_gpu_cmd_%s res 0x%x", name, subject(c));
		break;
	}
}

static uint32_t display_info(struct virtio_gpu_resp_display_info *info, size_t *size)
{
	unsigned int i;

	for (i = 0; i < gpu_options.num_outputs; i++) {
		info->pmodes[i].enabled = 1;
		info->pmodes[i].r.width = gpu_options.output[i].width;
		info->pmodes[i].r.height = gpu_options.output[i].height;
	}
	*size = sizeof(*info);

	return VIRTIO_GPU_RESP_OK_DISPLAY_INFO;
}

static uint32_t create_blob(struct vu_request *request,
			    const struct virtio_gpu_resource_create_blob *c)
{
	struct resource *res;
	uint32_t ret;

	if (!gpu_options.blob || c->blob_mem != VIRTIO_GPU_BLOB_MEM_GUEST)
		return guest_error(VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER,
				   "a blob of memory %u", c->blob_mem);
	ret = create(c->resource_id, &res);
	if (ret != VIRTIO_GPU_RESP_OK_NODATA)
		return ret;

	res->size = c->size;
	ret = take_pages(request, res, sizeof(*c), c->nr_entries);
	if (ret != VIRTIO_GPU_RESP_OK_NODATA)
		destroy(res);

	return ret;
}

static uint32_t unref(uint32_t id)
{
	struct resource *res = find(id);
	unsigned int i;

	if (!res && id && find_refused(id)) {
		forget_refused(id);
		return VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID;
	}
	/* who knows that we keep resources frees those of the process before */
	if (!res && gpu_options.keep)
		return VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID;
	if (!res)
		return guest_error(VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID,
				   "there is no resource 0x%x", id);
	for (i = 0; i < VIRTIO_GPU_MAX_SCANOUTS; i++) {
		if (gpu.scanout[i].resource == id)
			switch_off(&gpu.scanout[i]);
	}
	destroy(res);

	return VIRTIO_GPU_RESP_OK_NODATA;
}

static uint32_t three_d(const union command *c)
{
	struct virtio_gpu_rect r;

	if (!gpu_options.three_d)
		return guest_error(VIRTIO_GPU_RESP_ERR_UNSPEC, "command 0x%x without 3D",
				   c->hdr.type);

	switch (c->hdr.type) {
	case VIRTIO_GPU_CMD_CTX_CREATE:
		return create_context(c->hdr.ctx_id);
	case VIRTIO_GPU_CMD_CTX_DESTROY:
		return destroy_context(c->hdr.ctx_id);
	case VIRTIO_GPU_CMD_CTX_ATTACH_RESOURCE:
	case VIRTIO_GPU_CMD_CTX_DETACH_RESOURCE:
		if (!has_context(c->hdr.ctx_id))
			return VIRTIO_GPU_RESP_ERR_INVALID_CONTEXT_ID;
		return named(c->ctx_resource.resource_id) ?
			VIRTIO_GPU_RESP_OK_NODATA :
			VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID;
	case VIRTIO_GPU_CMD_SUBMIT_3D:
		return has_context(c->hdr.ctx_id) ?
			VIRTIO_GPU_RESP_OK_NODATA :
			VIRTIO_GPU_RESP_ERR_INVALID_CONTEXT_ID;
	case VIRTIO_GPU_CMD_RESOURCE_CREATE_3D:
		return create_copy(c->create_3d.resource_id, c->create_3d.format,
				   c->create_3d.width, c->create_3d.height);
	case VIRTIO_GPU_CMD_TRANSFER_FROM_HOST_3D:
		return named(c->transfer_3d.resource_id) ?
			VIRTIO_GPU_RESP_OK_NODATA :
			VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID;
	default:
		r.x = c->transfer_3d.box.x;
		r.y = c->transfer_3d.box.y;
		r.width = c->transfer_3d.box.w;
		r.height = c->transfer_3d.box.h;
		return transfer(c->transfer_3d.resource_id, &r, c->transfer_3d.offset,
				c->transfer_3d.stride ?: r.width * BYTES);
	}
}

static uint32_t obey(struct vu_request *request, const union command *c, void *answer,
		     size_t *size)
{
	struct virtio_gpu_resp_edid *edid = answer;
	struct virtio_gpu_resp_resource_uuid *uuid = answer;
	struct virtio_gpu_resp_capset_info *info = answer;
	struct resource *res;

	switch (c->hdr.type) {
	case VIRTIO_GPU_CMD_GET_DISPLAY_INFO:
		return display_info(answer, size);

	case VIRTIO_GPU_CMD_GET_EDID:
		if (c->get_edid.scanout >= gpu_options.num_outputs)
			return guest_error(VIRTIO_GPU_RESP_ERR_INVALID_SCANOUT_ID,
					   "there is no output %u", c->get_edid.scanout);
		gpu_edid(c->get_edid.scanout, edid->edid);
		edid->size = 128;
		*size = sizeof(*edid);
		return VIRTIO_GPU_RESP_OK_EDID;

	case VIRTIO_GPU_CMD_GET_CAPSET_INFO:
		info->capset_id = CAPSET_ID;
		info->capset_max_size = CAPSET_SIZE;
		*size = sizeof(*info);
		return VIRTIO_GPU_RESP_OK_CAPSET_INFO;

	case VIRTIO_GPU_CMD_GET_CAPSET:
		*size = sizeof(struct virtio_gpu_resp_capset) + CAPSET_SIZE;
		return VIRTIO_GPU_RESP_OK_CAPSET;

	case VIRTIO_GPU_CMD_RESOURCE_CREATE_2D:
		return create_copy(c->create_2d.resource_id, c->create_2d.format,
				   c->create_2d.width, c->create_2d.height);

	case VIRTIO_GPU_CMD_RESOURCE_CREATE_BLOB:
		return create_blob(request, &c->create_blob);

	case VIRTIO_GPU_CMD_RESOURCE_UNREF:
		return unref(c->unref.resource_id);

	case VIRTIO_GPU_CMD_RESOURCE_ATTACH_BACKING:
		res = named(c->attach.resource_id);
		return res ? take_pages(request, res, sizeof(c->attach),
					c->attach.nr_entries) :
			     VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID;

	case VIRTIO_GPU_CMD_RESOURCE_DETACH_BACKING:
		res = named(c->detach.resource_id);
		if (!res)
			return VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID;
		forget_pages(res);
		return VIRTIO_GPU_RESP_OK_NODATA;

	case VIRTIO_GPU_CMD_TRANSFER_TO_HOST_2D:
		res = find(c->transfer_2d.resource_id);
		return transfer(c->transfer_2d.resource_id, &c->transfer_2d.r,
				c->transfer_2d.offset, res ? res->width * BYTES : 0);

	case VIRTIO_GPU_CMD_SET_SCANOUT:
		return set_scanout(c->set_scanout.scanout_id, c->set_scanout.resource_id,
				   &c->set_scanout.r, 0, 0);

	case VIRTIO_GPU_CMD_SET_SCANOUT_BLOB:
		return set_scanout(c->set_scanout_blob.scanout_id,
				   c->set_scanout_blob.resource_id,
				   &c->set_scanout_blob.r, c->set_scanout_blob.strides[0],
				   c->set_scanout_blob.offsets[0]);

	case VIRTIO_GPU_CMD_RESOURCE_FLUSH:
		return flush(c->flush.resource_id);

	case VIRTIO_GPU_CMD_RESOURCE_ASSIGN_UUID:
		res = named(c->assign_uuid.resource_id);
		if (!res)
			return VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID;
		res->uuid = ++gpu.uuids;
		uuid->uuid[0] = res->uuid;
		*size = sizeof(*uuid);
		return VIRTIO_GPU_RESP_OK_RESOURCE_UUID;

	case VIRTIO_GPU_CMD_UPDATE_CURSOR:
		return update_cursor(c->cursor.pos.scanout_id, c->cursor.resource_id,
				     c->cursor.hot_x, c->cursor.hot_y);

	case VIRTIO_GPU_CMD_MOVE_CURSOR:
		return VIRTIO_GPU_RESP_OK_NODATA;
	}

	return three_d(c);
}

static bool creates(uint32_t type)
{
	return type == VIRTIO_GPU_CMD_RESOURCE_CREATE_2D ||
	       type == VIRTIO_GPU_CMD_RESOURCE_CREATE_3D ||
	       type == VIRTIO_GPU_CMD_RESOURCE_CREATE_BLOB;
}

static bool gives_pages(const union command *c)
{
	return c->hdr.type == VIRTIO_GPU_CMD_RESOURCE_ATTACH_BACKING &&
	       find_live(subject(c));
}

/* What others that name its resource need */
static bool is_needed(const union command *c)
{
	return creates(c->hdr.type) || gives_pages(c);
}

/* A command that a fault keeps from being done */
void gpu_refuse(struct vu_request *request)
{
	union command command = {};
	uint32_t id;

	vu_gather(request->out, request->num_out, 0, &command, sizeof(command));
	id = subject(&command);
	/* for the tests it has pages, as what follows of it is no mistake */
	if (gives_pages(&command))
		log_command(&command);
	gpu_log("# %s of resource 0x%x is refused", gpu_command_name(command.hdr.type), id);
	if (is_needed(&command) && !find_refused(id) && find_refused(0))
		*find_refused(0) = id;
}

/* Returns the type of the answer, whose rest is in @answer with @size. */
uint32_t gpu_obey(struct vu_request *request, void *answer, size_t *size)
{
	union command command = {};

	vu_gather(request->out, request->num_out, 0, &command, sizeof(command));
	if (!gpu_command_name(command.hdr.type))
		return guest_error(VIRTIO_GPU_RESP_ERR_UNSPEC, "command 0x%x",
				   command.hdr.type);
	if (is_needed(&command))
		forget_refused(subject(&command));
	log_command(&command);

	return obey(request, &command, answer, size);
}

void gpu_reset(void)
{
	struct resource *res, *next;
	unsigned int i;

	for (i = 0; i < VIRTIO_GPU_MAX_SCANOUTS; i++) {
		switch_off(&gpu.scanout[i]);
		gpu.cursor[i].visible = false;
	}
	for (res = gpu.resources; res; res = next) {
		next = res->next;
		forget_pages(res);
		res->old = true;
		if (!gpu_options.keep)
			destroy(res);
	}
	memset(gpu.refused, 0, sizeof(gpu.refused));
	while (gpu.contexts)
		destroy_context(gpu.contexts->id);
}
