// SPDX-License-Identifier: GPL-2.0 OR MIT

#include <linux/dma-mapping.h>
#include <linux/io.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/suspend.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>

#include <drm/drm_edid.h>
#include <drm/drm_managed.h>
#include <drm/drm_vma_manager.h>

#include <kunit/device.h>
#include <kunit/resource.h>

#include "../../pm_virt/drm_virt_pm_internal.h"
#include "virtgpu_mock.h"

/* Where the host-visible window is: nobody reads or writes there. */
#define WINDOW_ADDR	BIT_ULL(38)
#define WINDOW_SIZE	SZ_1M

/* The largest part of a command that the host looks at. */
#define COMMAND_SIZE	128

/**
 * struct vg_mock_request - a command being served
 */
struct vg_mock_request {
	/** @out: What the guest sent, its beginning. */
	union {
		struct virtio_gpu_ctrl_hdr hdr;
		struct virtio_gpu_resource_unref unref;
		struct virtio_gpu_resource_create_2d create_2d;
		struct virtio_gpu_resource_create_3d create_3d;
		struct virtio_gpu_resource_create_blob create_blob;
		struct virtio_gpu_set_scanout set_scanout;
		struct virtio_gpu_set_scanout_blob set_scanout_blob;
		struct virtio_gpu_resource_flush flush;
		struct virtio_gpu_transfer_to_host_2d transfer_2d;
		struct virtio_gpu_transfer_host_3d transfer_3d;
		struct virtio_gpu_resource_attach_backing attach;
		struct virtio_gpu_ctx_resource ctx_resource;
		struct virtio_gpu_cmd_get_edid get_edid;
		struct virtio_gpu_get_capset_info capset_info;
		struct virtio_gpu_get_capset capset;
		struct virtio_gpu_resource_assign_uuid uuid;
		struct virtio_gpu_resource_map_blob map;
		struct virtio_gpu_update_cursor cursor;
		u8 bytes[COMMAND_SIZE];
	} out;

	/** @out_len: How much it sent in all. */
	size_t out_len;

	/** @all: All of it, for a host that renders; else NULL. */
	void *all;

	/** @page: The memory that it brings. */
	struct vg_mock_page page;

	/** @in: Where the answer goes. */
	struct {
		/** @in.mem: Memory. */
		void *mem;

		/** @in.len: Its size. */
		u32 len;
	} in[2];

	/** @num_in: Number of valid entries in @in. */
	unsigned int num_in;

	/** @answer: What the host answers. */
	union {
		struct virtio_gpu_ctrl_hdr hdr;
		struct virtio_gpu_resp_display_info display_info;
		struct virtio_gpu_resp_edid edid;
		struct virtio_gpu_resp_capset_info capset_info;
		struct {
			struct virtio_gpu_ctrl_hdr hdr;
			u8 data[VG_MOCK_CAPSET_SIZE];
		} capset;
		struct virtio_gpu_resp_resource_uuid uuid;
		struct virtio_gpu_resp_map_info map_info;
	} answer;

	/** @answer_len: How long the answer is. */
	u32 answer_len;
};

/*
 * What the host knows
 */

static u32 __printf(3, 4) vg_mock_object(struct vg_mock_host *host, u32 err,
					 const char *fmt, ...)
{
	va_list args;

	if (!host->objection[0]) {
		va_start(args, fmt);
		vsnprintf(host->objection, sizeof(host->objection), fmt, args);
		va_end(args);
	}

	return err;
}

/*
 * Pages of resources. The host holds a reference to the first page of each
 * backing, so that it can look whether the guest has freed the page.
 */

static void vg_mock_get_page(struct vg_mock_page *page, u64 addr)
{
	page->page = pfn_to_page(PHYS_PFN(addr));
	page->addr = addr;
	get_page(page->page);
	page->shmem = page_folio(page->page)->mapping;
}

static void vg_mock_put_page(struct vg_mock_page *page)
{
	if (page->page)
		put_page(page->page);
	page->page = NULL;
}

/* A page that the guest has freed is gone from its file, or is the host's only */
static bool vg_mock_page_freed(const struct vg_mock_page *page)
{
	if (!page->page)
		return false;
	if (page->shmem)
		return !READ_ONCE(page_folio(page->page)->mapping);

	return page_count(page->page) == 1;
}

static void vg_mock_check_page(struct vg_mock_host *host,
			       const struct vg_mock_page *page, u32 id)
{
	if (vg_mock_page_freed(page))
		vg_mock_object(host, 0, "memory of resource %u was freed", id);
}

/* A command in the ring that gives memory to a resource */
struct vg_mock_promise {
	struct list_head node;
	struct vg_mock_page page;
	u32 id;
};

static void vg_mock_promise(struct vg_mock_host *host, u32 id, u64 addr)
{
	struct vg_mock_promise *promise;

	promise = kzalloc(sizeof(*promise), GFP_KERNEL | __GFP_NOFAIL);
	promise->id = id;
	vg_mock_get_page(&promise->page, addr);
	list_add_tail(&promise->node, &host->promises);
}

static void vg_mock_break_promises(struct vg_mock_host *host)
{
	struct vg_mock_promise *promise, *next;

	list_for_each_entry_safe(promise, next, &host->promises, node) {
		vg_mock_check_page(host, &promise->page, promise->id);
		vg_mock_put_page(&promise->page);
		list_del(&promise->node);
		kfree(promise);
	}
}

/* The entries that a command brings, or NULL */
static struct virtio_gpu_mem_entry *vg_mock_entries(struct vg_mock_request *req)
{
	switch (le32_to_cpu(req->out.hdr.type)) {
	case VIRTIO_GPU_CMD_RESOURCE_ATTACH_BACKING:
		return (void *)(&req->out.attach + 1);
	case VIRTIO_GPU_CMD_RESOURCE_CREATE_BLOB:
		if (req->out.create_blob.nr_entries)
			return (void *)(&req->out.create_blob + 1);
	}

	return NULL;
}

/* The memory that a command brings, which was in the ring for a while or not */
static void vg_mock_take_memory(struct vg_mock_host *host,
				struct vg_mock_request *req, u32 id)
{
	struct virtio_gpu_mem_entry *entry = vg_mock_entries(req);
	struct vg_mock_promise *promise;
	u64 addr;

	if (!entry)
		return;

	addr = le64_to_cpu(entry->addr);
	list_for_each_entry(promise, &host->promises, node) {
		if (promise->id != id || promise->page.addr != addr)
			continue;

		req->page = promise->page;
		list_del(&promise->node);
		kfree(promise);
		vg_mock_check_page(host, &req->page, id);
		return;
	}
	vg_mock_get_page(&req->page, addr);
}

static void vg_mock_set_backing(struct vg_mock_request *req,
				struct vg_mock_resource *res)
{
	res->backing = true;
	res->addr = req->page.addr;
	res->page = req->page;
	req->page.page = NULL;
}

/* The resource that a command names, or NULL, to which the host objects. */
static struct vg_mock_resource *vg_mock_named(struct vg_mock_host *host, u32 type,
					      u32 id)
{
	struct vg_mock_resource *res = xa_load(&host->resources, id);

	if (res && res->old)
		res = NULL;
	/* what follows a creation that failed is not the guest's fault */
	if (!res && !xa_load(&host->refused, id))
		vg_mock_object(host, 0, "command %x names resource %u", type, id);
	if (res)
		vg_mock_check_page(host, &res->page, id);

	return res;
}

static struct xarray *vg_mock_named_context(struct vg_mock_host *host, u32 type, u32 id)
{
	struct xarray *ctx = xa_load(&host->contexts, id);

	if (!ctx)
		vg_mock_object(host, 0, "command %x names context %u", type, id);

	return ctx;
}

static u32 vg_mock_create_resource(struct vg_mock_host *host, u32 type, u32 id)
{
	struct vg_mock_resource *res = xa_load(&host->resources, id);

	/* the guest cannot know before that the host remembers it */
	if (res && res->old)
		return host->says_exists ?: VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID;
	if (!id || res)
		return vg_mock_object(host, VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID,
				      "resource %u is created again", id);

	res = kzalloc(sizeof(*res), GFP_KERNEL | __GFP_NOFAIL);
	res->create = type;
	xa_store(&host->resources, id, res, GFP_KERNEL | __GFP_NOFAIL);
	xa_erase(&host->refused, id);
	host->num_resources++;

	return VIRTIO_GPU_RESP_OK_NODATA;
}

static void vg_mock_destroy_resource(struct vg_mock_host *host, u32 id)
{
	struct vg_mock_resource *res = xa_erase(&host->resources, id);
	struct xarray *ctx;
	unsigned long i;

	xa_for_each(&host->contexts, i, ctx)
		xa_erase(ctx, id);
	vg_mock_check_page(host, &res->page, id);
	vg_mock_put_page(&res->page);
	if (!res->old)
		host->num_resources--;
	kfree(res);
}

/* After a reset the host does not touch the memory, but it knows the id. */
static void vg_mock_remember_resource(struct vg_mock_host *host,
				      struct vg_mock_resource *res, u32 id)
{
	vg_mock_check_page(host, &res->page, id);
	vg_mock_put_page(&res->page);
	if (!res->old)
		host->num_resources--;
	res->old = true;
}

static u32 vg_mock_create_context(struct vg_mock_host *host, u32 id)
{
	struct xarray *ctx;

	if (!id || xa_load(&host->contexts, id))
		return vg_mock_object(host, VIRTIO_GPU_RESP_ERR_INVALID_CONTEXT_ID,
			      "context %u is created again", id);

	ctx = kzalloc(sizeof(*ctx), GFP_KERNEL | __GFP_NOFAIL);
	xa_init(ctx);
	xa_store(&host->contexts, id, ctx, GFP_KERNEL | __GFP_NOFAIL);
	host->num_contexts++;

	return VIRTIO_GPU_RESP_OK_NODATA;
}

static void vg_mock_destroy_context(struct vg_mock_host *host, u32 id)
{
	struct xarray *ctx = xa_erase(&host->contexts, id);

	xa_destroy(ctx);
	kfree(ctx);
	host->num_contexts--;
}

static void vg_mock_forget_everything(struct vg_mock_host *host)
{
	struct vg_mock_resource *res;
	struct xarray *ctx;
	unsigned long i;

	vg_mock_break_promises(host);
	xa_for_each(&host->resources, i, res) {
		if (host->keeps_resources)
			vg_mock_remember_resource(host, res, i);
		else
			vg_mock_destroy_resource(host, i);
	}
	host->kept_resources |= host->keeps_resources;
	xa_for_each(&host->contexts, i, ctx)
		vg_mock_destroy_context(host, i);
	vg_mock_render_nothing(host);
	xa_destroy(&host->refused);
	memset(host->shown, 0, sizeof(host->shown));
	memset(host->cursor, 0, sizeof(host->cursor));
}

/*
 * Commands
 */

static u32 vg_mock_attach_context(struct vg_mock_host *host, u32 type, u32 ctx_id,
				  u32 id)
{
	struct xarray *ctx = vg_mock_named_context(host, type, ctx_id);

	if (!ctx)
		return VIRTIO_GPU_RESP_ERR_INVALID_CONTEXT_ID;

	if (type == VIRTIO_GPU_CMD_CTX_DETACH_RESOURCE) {
		if (!xa_erase(ctx, id))
			return vg_mock_object(host,
				      VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID,
				      "context %u gives back resource %u",
				      ctx_id, id);
		return VIRTIO_GPU_RESP_OK_NODATA;
	}

	if (!vg_mock_named(host, type, id))
		return VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID;
	xa_store(ctx, id, xa_mk_value(1), GFP_KERNEL | __GFP_NOFAIL);

	return VIRTIO_GPU_RESP_OK_NODATA;
}

static u32 vg_mock_upload(struct vg_mock_host *host, u32 type, u32 id, u32 width,
			  u32 height)
{
	struct vg_mock_resource *res = vg_mock_named(host, type, id);

	if (!res)
		return VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID;
	if (!res->backing)
		return vg_mock_object(host, VIRTIO_GPU_RESP_ERR_UNSPEC,
			      "resource %u has no memory to take from", id);

	res->uploads++;
	res->width = width;
	res->height = height;
	res->pixel = *(u32 *)phys_to_virt(res->addr);

	return VIRTIO_GPU_RESP_OK_NODATA;
}

static bool vg_mock_has_output(struct vg_mock_host *host, u32 output)
{
	if (output < le32_to_cpu(host->config.num_scanouts))
		return true;

	vg_mock_object(host, 0, "there is no output %u", output);
	return false;
}

static u32 vg_mock_scanout(struct vg_mock_host *host, u32 type, u32 output, u32 id)
{
	if (!vg_mock_has_output(host, output))
		return VIRTIO_GPU_RESP_ERR_INVALID_SCANOUT_ID;
	if (id && !vg_mock_named(host, type, id))
		return VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID;

	host->shown[output] = id;
	return VIRTIO_GPU_RESP_OK_NODATA;
}

static u32 vg_mock_tell_monitor(struct vg_mock_host *host, struct vg_mock_request *req)
{
	static const u8 base[] = {
		0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00,
		/* RHT, product 0x1234 */
		0x49, 0x14, 0x34, 0x12,
	};
	u8 *edid = req->answer.edid.edid, sum = 0;
	unsigned int i;

	memcpy(edid, base, sizeof(base));
	edid[12] = host->monitor;
	edid[18] = 1;			/* version 1.4 */
	edid[19] = 4;
	for (i = 0; i < EDID_LENGTH - 1; i++)
		sum += edid[i];
	edid[EDID_LENGTH - 1] = -sum;

	req->answer.edid.size = cpu_to_le32(EDID_LENGTH);
	req->answer_len = sizeof(req->answer.edid);
	return VIRTIO_GPU_RESP_OK_EDID;
}

static u32 vg_mock_give_uuid(struct vg_mock_host *host, struct vg_mock_request *req,
			     u32 type, u32 id)
{
	struct vg_mock_resource *res = vg_mock_named(host, type, id);

	if (!res)
		return VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID;

	res->uuid = ++host->uuids;
	req->answer.uuid.uuid[0] = res->uuid;
	req->answer_len = sizeof(req->answer.uuid);
	return VIRTIO_GPU_RESP_OK_RESOURCE_UUID;
}

static u32 vg_mock_map_blob(struct vg_mock_host *host, struct vg_mock_request *req,
			    u32 type, u32 id)
{
	struct vg_mock_resource *res = vg_mock_named(host, type, id);

	if (!res)
		return VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID;

	res->mapped = type == VIRTIO_GPU_CMD_RESOURCE_MAP_BLOB;
	if (!res->mapped)
		return VIRTIO_GPU_RESP_OK_NODATA;

	req->answer_len = sizeof(req->answer.map_info);
	return VIRTIO_GPU_RESP_OK_MAP_INFO;
}

/* Returns the type of the answer. */
static u32 vg_mock_obey(struct vg_mock_host *host, struct vg_mock_request *req,
			u32 type, u32 id)
{
	u32 ctx = le32_to_cpu(req->out.hdr.ctx_id);
	struct vg_mock_resource *res;
	u32 ret;

	switch (type) {
	case VIRTIO_GPU_CMD_GET_DISPLAY_INFO:
		memcpy(req->answer.display_info.pmodes, host->outputs,
		       sizeof(host->outputs));
		req->answer_len = sizeof(req->answer.display_info);
		return VIRTIO_GPU_RESP_OK_DISPLAY_INFO;

	case VIRTIO_GPU_CMD_GET_EDID:
		if (!vg_mock_has_output(host, le32_to_cpu(req->out.get_edid.scanout)))
			return VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER;
		return vg_mock_tell_monitor(host, req);

	case VIRTIO_GPU_CMD_GET_CAPSET_INFO:
		req->answer.capset_info.capset_id =
			req->out.capset_info.capset_index ?
			cpu_to_le32(VG_MOCK_CROSS_DOMAIN) : cpu_to_le32(1);
		req->answer.capset_info.capset_max_version = cpu_to_le32(1);
		req->answer.capset_info.capset_max_size =
			cpu_to_le32(VG_MOCK_CAPSET_SIZE);
		req->answer_len = sizeof(req->answer.capset_info);
		return VIRTIO_GPU_RESP_OK_CAPSET_INFO;

	case VIRTIO_GPU_CMD_GET_CAPSET:
		memset(req->answer.capset.data, host->capset,
		       VG_MOCK_CAPSET_SIZE);
		req->answer_len = sizeof(req->answer.capset);
		return VIRTIO_GPU_RESP_OK_CAPSET;

	case VIRTIO_GPU_CMD_RESOURCE_CREATE_2D:
	case VIRTIO_GPU_CMD_RESOURCE_CREATE_3D:
		return vg_mock_create_resource(host, type, id);

	case VIRTIO_GPU_CMD_RESOURCE_CREATE_BLOB:
		ret = vg_mock_create_resource(host, type, id);
		if (ret != VIRTIO_GPU_RESP_OK_NODATA)
			return ret;
		res = xa_load(&host->resources, id);
		if (req->out.create_blob.nr_entries)
			vg_mock_set_backing(req, res);
		return ret;

	case VIRTIO_GPU_CMD_RESOURCE_UNREF:
		res = xa_load(&host->resources, id);
		/* the guest believes that a host that kept them once still does */
		if (!res && host->kept_resources)
			return VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID;
		if (!(res && res->old) && !vg_mock_named(host, type, id))
			return VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID;
		vg_mock_destroy_resource(host, id);
		return VIRTIO_GPU_RESP_OK_NODATA;

	case VIRTIO_GPU_CMD_RESOURCE_ATTACH_BACKING:
		res = vg_mock_named(host, type, id);
		if (!res)
			return VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID;
		if (res->backing || req->out_len != sizeof(req->out.attach) +
		    le32_to_cpu(req->out.attach.nr_entries) *
		    sizeof(struct virtio_gpu_mem_entry))
			return vg_mock_object(host, VIRTIO_GPU_RESP_ERR_UNSPEC,
				      "resource %u gets bad memory", id);
		vg_mock_set_backing(req, res);
		return VIRTIO_GPU_RESP_OK_NODATA;

	case VIRTIO_GPU_CMD_RESOURCE_DETACH_BACKING:
		res = vg_mock_named(host, type, id);
		if (!res)
			return VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID;
		res->backing = false;
		vg_mock_put_page(&res->page);
		return VIRTIO_GPU_RESP_OK_NODATA;

	case VIRTIO_GPU_CMD_SET_SCANOUT:
		return vg_mock_scanout(host, type,
			       le32_to_cpu(req->out.set_scanout.scanout_id), id);

	case VIRTIO_GPU_CMD_SET_SCANOUT_BLOB:
		return vg_mock_scanout(host, type,
			       le32_to_cpu(req->out.set_scanout_blob.scanout_id),
			       id);

	case VIRTIO_GPU_CMD_RESOURCE_FLUSH:
		return vg_mock_named(host, type, id) ?
			VIRTIO_GPU_RESP_OK_NODATA :
			VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID;

	case VIRTIO_GPU_CMD_TRANSFER_TO_HOST_2D:
		return vg_mock_upload(host, type, id,
			      le32_to_cpu(req->out.transfer_2d.r.width),
			      le32_to_cpu(req->out.transfer_2d.r.height));

	case VIRTIO_GPU_CMD_TRANSFER_TO_HOST_3D:
	case VIRTIO_GPU_CMD_TRANSFER_FROM_HOST_3D:
		/* a renderer has a context of its own, number 0 */
		if (!(host->renders && !ctx) && !vg_mock_attached(host, ctx, id))
			return vg_mock_object(host,
				      VIRTIO_GPU_RESP_ERR_INVALID_CONTEXT_ID,
				      "context %u moves resource %u", ctx, id);
		return vg_mock_upload(host, type, id,
			      le32_to_cpu(req->out.transfer_3d.box.w),
			      le32_to_cpu(req->out.transfer_3d.box.h));

	case VIRTIO_GPU_CMD_RESOURCE_ASSIGN_UUID:
		return vg_mock_give_uuid(host, req, type, id);

	case VIRTIO_GPU_CMD_RESOURCE_MAP_BLOB:
	case VIRTIO_GPU_CMD_RESOURCE_UNMAP_BLOB:
		return vg_mock_map_blob(host, req, type, id);

	case VIRTIO_GPU_CMD_CTX_CREATE:
		return vg_mock_create_context(host, id);

	case VIRTIO_GPU_CMD_CTX_DESTROY:
		if (!vg_mock_named_context(host, type, id))
			return VIRTIO_GPU_RESP_ERR_INVALID_CONTEXT_ID;
		vg_mock_destroy_context(host, id);
		return VIRTIO_GPU_RESP_OK_NODATA;

	case VIRTIO_GPU_CMD_CTX_ATTACH_RESOURCE:
	case VIRTIO_GPU_CMD_CTX_DETACH_RESOURCE:
		return vg_mock_attach_context(host, type, ctx, id);

	case VIRTIO_GPU_CMD_SUBMIT_3D:
		return vg_mock_named_context(host, type, id) ?
			VIRTIO_GPU_RESP_OK_NODATA :
			VIRTIO_GPU_RESP_ERR_INVALID_CONTEXT_ID;

	case VIRTIO_GPU_CMD_UPDATE_CURSOR:
		vg_mock_has_output(host,
				   le32_to_cpu(req->out.cursor.pos.scanout_id));
		if (id)
			vg_mock_named(host, type, id);
		host->cursor[le32_to_cpu(req->out.cursor.pos.scanout_id) %
			     VIRTIO_GPU_MAX_SCANOUTS] = id;
		return VIRTIO_GPU_RESP_OK_NODATA;

	case VIRTIO_GPU_CMD_MOVE_CURSOR:
		return VIRTIO_GPU_RESP_OK_NODATA;
	}

	return vg_mock_object(host, VIRTIO_GPU_RESP_ERR_UNSPEC, "command %x", type);
}

/* The resource or context that a command is about, 0 for none. */
static u32 vg_mock_subject(const struct vg_mock_request *req, u32 type)
{
	switch (type) {
	case VIRTIO_GPU_CMD_CTX_CREATE:
	case VIRTIO_GPU_CMD_CTX_DESTROY:
	case VIRTIO_GPU_CMD_SUBMIT_3D:
		return le32_to_cpu(req->out.hdr.ctx_id);
	case VIRTIO_GPU_CMD_SET_SCANOUT:
		return le32_to_cpu(req->out.set_scanout.resource_id);
	case VIRTIO_GPU_CMD_SET_SCANOUT_BLOB:
		return le32_to_cpu(req->out.set_scanout_blob.resource_id);
	case VIRTIO_GPU_CMD_RESOURCE_FLUSH:
		return le32_to_cpu(req->out.flush.resource_id);
	case VIRTIO_GPU_CMD_TRANSFER_TO_HOST_2D:
		return le32_to_cpu(req->out.transfer_2d.resource_id);
	case VIRTIO_GPU_CMD_TRANSFER_TO_HOST_3D:
	case VIRTIO_GPU_CMD_TRANSFER_FROM_HOST_3D:
		return le32_to_cpu(req->out.transfer_3d.resource_id);
	case VIRTIO_GPU_CMD_UPDATE_CURSOR:
	case VIRTIO_GPU_CMD_MOVE_CURSOR:
		return le32_to_cpu(req->out.cursor.resource_id);
	case VIRTIO_GPU_CMD_GET_DISPLAY_INFO:
	case VIRTIO_GPU_CMD_GET_EDID:
	case VIRTIO_GPU_CMD_GET_CAPSET_INFO:
	case VIRTIO_GPU_CMD_GET_CAPSET:
		return 0;
	default:
		/* right after the header in all others */
		return le32_to_cpu(req->out.unref.resource_id);
	}
}

static bool vg_mock_creates(u32 type)
{
	return type == VIRTIO_GPU_CMD_RESOURCE_CREATE_2D ||
	       type == VIRTIO_GPU_CMD_RESOURCE_CREATE_3D ||
	       type == VIRTIO_GPU_CMD_RESOURCE_CREATE_BLOB;
}

static enum vg_mock_answer vg_mock_find_fault(struct vg_mock_host *host, u32 type,
					      u32 id)
{
	const struct vg_mock_fault *fault;

	for (fault = host->fault;
	     fault < host->fault + ARRAY_SIZE(host->fault); fault++) {
		if (fault->type == type && (!fault->id || fault->id == id))
			return fault->answer;
	}

	return VG_MOCK_NORMAL;
}

static void vg_mock_tell_renderer(struct vg_mock_host *host,
				  struct vg_mock_request *req, u32 type)
{
	size_t size = req->out_len;

	if (type == VIRTIO_GPU_CMD_SUBMIT_3D)
		size = sizeof(struct virtio_gpu_cmd_submit);
	if (type == VIRTIO_GPU_CMD_RESOURCE_ATTACH_BACKING)
		size = sizeof(req->out.attach);
	vg_mock_render(host, &req->out, req->all + size, req->out_len - size);
}

/* Returns how often the command is to be answered now. */
static unsigned int vg_mock_serve(struct vg_mock_host *host, struct vg_mock_request *req)
{
	u32 type = le32_to_cpu(req->out.hdr.type);
	u32 id = vg_mock_subject(req, type), ret;
	enum vg_mock_answer how;

	if (host->in_command)
		host->in_command(host, type);

	if (host->num_log < VG_MOCK_LOG_SIZE) {
		host->log[host->num_log].type = type;
		host->log[host->num_log].id = id;
		host->num_log++;
	}

	vg_mock_take_memory(host, req, id);
	how = vg_mock_find_fault(host, type, id);
	req->answer_len = sizeof(req->answer.hdr);
	if (how == VG_MOCK_ERROR || how == VG_MOCK_UNKNOWN) {
		if (vg_mock_creates(type))
			xa_store(&host->refused, id, xa_mk_value(1),
				 GFP_KERNEL | __GFP_NOFAIL);
		ret = how == VG_MOCK_ERROR ? VIRTIO_GPU_RESP_ERR_UNSPEC :
					     VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID;
	} else {
		ret = vg_mock_obey(host, req, type, id);
		if (host->renders && ret == VIRTIO_GPU_RESP_OK_NODATA)
			vg_mock_tell_renderer(host, req, type);
		host->num_errors += ret >= VIRTIO_GPU_RESP_ERR_UNSPEC;
	}

	vg_mock_put_page(&req->page);

	req->answer.hdr.type = cpu_to_le32(ret);
	if (req->out.hdr.flags & cpu_to_le32(VIRTIO_GPU_FLAG_FENCE)) {
		req->answer.hdr.flags = req->out.hdr.flags;
		req->answer.hdr.fence_id = req->out.hdr.fence_id;
		req->answer.hdr.ctx_id = req->out.hdr.ctx_id;
		req->answer.hdr.ring_idx = req->out.hdr.ring_idx;
	}

	return how == VG_MOCK_TWICE ? 2 : how != VG_MOCK_LATE;
}

/*
 * Rings
 */

static void vg_mock_read_request(struct virtqueue *vq, u16 head,
				 struct vg_mock_request *req, bool all)
{
	struct virtio_device *vdev = vq->vdev;
	const struct vring_desc *table = virtqueue_get_vring(vq)->desc;
	const struct vring_desc *desc = &table[head];
	size_t room;
	void *mem;
	u16 flags;
	u32 len;

	memset(req, 0, sizeof(*req));
	if (virtio16_to_cpu(vdev, desc->flags) & VRING_DESC_F_INDIRECT) {
		table = phys_to_virt(virtio64_to_cpu(vdev, desc->addr));
		desc = table;
	}

	for (;;) {
		flags = virtio16_to_cpu(vdev, desc->flags);
		mem = phys_to_virt(virtio64_to_cpu(vdev, desc->addr));
		len = virtio32_to_cpu(vdev, desc->len);

		if (flags & VRING_DESC_F_WRITE) {
			if (req->num_in < ARRAY_SIZE(req->in)) {
				req->in[req->num_in].mem = mem;
				req->in[req->num_in].len = len;
				req->num_in++;
			}
		} else {
			if (req->out_len < COMMAND_SIZE) {
				room = COMMAND_SIZE - req->out_len;
				memcpy(req->out.bytes + req->out_len, mem,
				       min_t(size_t, len, room));
			}
			if (all) {
				req->all = kvrealloc(req->all, req->out_len + len,
						     GFP_KERNEL | __GFP_NOFAIL);
				memcpy(req->all + req->out_len, mem, len);
			}
			req->out_len += len;
		}

		if (!(flags & VRING_DESC_F_NEXT))
			break;
		desc = &table[virtio16_to_cpu(vdev, desc->next)];
	}
}

static u32 vg_mock_write_answer(struct vg_mock_request *req)
{
	u32 done = 0, len;
	unsigned int i;

	for (i = 0; i < req->num_in && done < req->answer_len; i++) {
		len = min(req->in[i].len, req->answer_len - done);
		memcpy(req->in[i].mem, (void *)&req->answer + done, len);
		done += len;
	}

	return done;
}

static void vg_mock_give_back(struct virtqueue *vq, u16 head, u32 len)
{
	const struct vring *vring = virtqueue_get_vring(vq);
	u16 idx = virtio16_to_cpu(vq->vdev, vring->used->idx);
	struct vring_used_elem *used = &vring->used->ring[idx % vring->num];

	used->id = cpu_to_virtio32(vq->vdev, head);
	used->len = cpu_to_virtio32(vq->vdev, len);
	/* Pairs with the barrier of virtqueue_get_buf(). */
	smp_store_release(&vring->used->idx, cpu_to_virtio16(vq->vdev, idx + 1));
}

static void vg_mock_interrupt(struct vg_mock_queue *queue)
{
	unsigned long flags;

	local_irq_save(flags);
	vring_interrupt(0, queue->vq);
	local_irq_restore(flags);
}

static bool vg_mock_has_work(struct vg_mock_host *host, struct vg_mock_queue *queue)
{
	__virtio16 idx;

	if (queue->hold || !queue->vq ||
	    !(host->status & VIRTIO_CONFIG_S_DRIVER_OK))
		return false;

	if (xchg(&queue->notified, false)) {
		/* Pairs with the barrier of virtqueue_add(). */
		idx = smp_load_acquire(&virtqueue_get_vring(queue->vq)->avail->idx);
		queue->end = virtio16_to_cpu(&host->vdev, idx);
	}

	return queue->next != queue->end;
}

static u16 vg_mock_next_head(struct vg_mock_queue *queue)
{
	const struct vring *vring = virtqueue_get_vring(queue->vq);
	__virtio16 head = vring->avail->ring[queue->next++ % vring->num];

	return virtio16_to_cpu(queue->vq->vdev, head);
}

/* Look at commands that are in the ring and not served yet. */
static void vg_mock_peek(struct vg_mock_host *host, struct vg_mock_queue *queue)
{
	struct virtio_gpu_mem_entry *entry;
	struct vg_mock_request *req;
	const struct vring *vring;
	__virtio16 head;
	u16 end;

	if (!queue->vq || !(host->status & VIRTIO_CONFIG_S_DRIVER_OK))
		return;

	vring = virtqueue_get_vring(queue->vq);
	/* Pairs with the barrier of virtqueue_add(). */
	end = virtio16_to_cpu(&host->vdev, smp_load_acquire(&vring->avail->idx));
	if ((s16)(queue->peeked - queue->next) < 0)
		queue->peeked = queue->next;

	req = kmalloc(sizeof(*req), GFP_KERNEL | __GFP_NOFAIL);
	while (queue->peeked != end) {
		head = vring->avail->ring[queue->peeked++ % vring->num];
		vg_mock_read_request(queue->vq,
				     virtio16_to_cpu(&host->vdev, head), req, false);
		entry = vg_mock_entries(req);
		if (entry)
			vg_mock_promise(host, vg_mock_subject(req, le32_to_cpu(req->out.hdr.type)),
					le64_to_cpu(entry->addr));
	}
	kfree(req);
}

/* The host is slow: it takes its time after each answer. */
static void vg_mock_pace(struct vg_mock_host *host, struct vg_mock_queue *queue)
{
	vg_mock_interrupt(queue);
	mutex_unlock(&host->lock);
	msleep(READ_ONCE(host->pace_ms));
	mutex_lock(&host->lock);
}

static void vg_mock_serve_queue(struct vg_mock_host *host,
				struct vg_mock_queue *queue)
{
	struct vg_mock_request *req;
	bool answered = false;
	unsigned int now;
	u32 len;
	u16 head;

	if (queue->hold || host->pace_ms)
		vg_mock_peek(host, queue);

	req = kmalloc(sizeof(*req), GFP_KERNEL | __GFP_NOFAIL);
	while (vg_mock_has_work(host, queue)) {
		head = vg_mock_next_head(queue);
		vg_mock_read_request(queue->vq, head, req, host->renders);
		now = vg_mock_serve(host, req);
		kvfree(req->all);
		if (now) {
			while (now--)
				vg_mock_give_back(queue->vq, head,
						  vg_mock_write_answer(req));
			answered = true;
			if (host->pace_ms)
				vg_mock_pace(host, queue);
			continue;
		}

		len = vg_mock_write_answer(req);
		if (queue->num_late < ARRAY_SIZE(queue->late)) {
			queue->late[queue->num_late].head = head;
			queue->late[queue->num_late].len = len;
			queue->num_late++;
		} else {
			vg_mock_object(host, 0, "too many late answers");
		}
	}
	/* the queue may have been deleted while the host took its time */
	if (answered && queue->vq)
		vg_mock_interrupt(queue);
	kfree(req);
}

static void vg_mock_host_work(struct work_struct *work)
{
	struct vg_mock_host *host = container_of(work, struct vg_mock_host,
						 work);

	mutex_lock(&host->lock);
	vg_mock_serve_queue(host, &host->queue[VG_MOCK_CURSOR]);
	vg_mock_serve_queue(host, &host->queue[VG_MOCK_CTRL]);
	mutex_unlock(&host->lock);
}

static bool vg_mock_notify(struct virtqueue *vq)
{
	struct vg_mock_host *host = to_vg_mock(vq->vdev);

	if (vq->index == VG_MOCK_CTRL)
		atomic_inc(&host->notifications);
	WRITE_ONCE(host->queue[vq->index].notified, true);
	queue_work(host->wq, &host->work);
	return true;
}

/*
 * The transport
 */

static void vg_mock_config_get(struct virtio_device *vdev, unsigned int offset,
			       void *buf, unsigned int len)
{
	struct vg_mock_host *host = to_vg_mock(vdev);

	if (host->in_config_get)
		host->in_config_get(host);
	memcpy(buf, (void *)&host->config + offset, len);
}

static void vg_mock_config_set(struct virtio_device *vdev, unsigned int offset,
			       const void *buf, unsigned int len)
{
	struct vg_mock_host *host = to_vg_mock(vdev);

	memcpy((void *)&host->config + offset, buf, len);
	host->config.events_read &= ~host->config.events_clear;
	host->config.events_clear = 0;
}

static u32 vg_mock_generation(struct virtio_device *vdev)
{
	return 0;
}

static u8 vg_mock_get_status(struct virtio_device *vdev)
{
	return to_vg_mock(vdev)->status;
}

static void vg_mock_set_status(struct virtio_device *vdev, u8 status)
{
	struct vg_mock_host *host = to_vg_mock(vdev);

	mutex_lock(&host->lock);
	if (host->refuse_features && (status & VIRTIO_CONFIG_S_FEATURES_OK)) {
		status &= ~VIRTIO_CONFIG_S_FEATURES_OK;
		host->refuse_features = !host->fail_once;
	}
	host->status = status;
	mutex_unlock(&host->lock);
	queue_work(host->wq, &host->work);
}

/* No callback comes after this, and nothing is read or written. */
static void vg_mock_reset(struct virtio_device *vdev)
{
	struct vg_mock_host *host = to_vg_mock(vdev);
	bool ignore = host->ignore_reset;
	unsigned int i;

	if (host->in_reset)
		host->in_reset(host);
	if (ignore)
		return;

	mutex_lock(&host->lock);
	host->status = 0;
	host->resets++;
	for (i = 0; i < VG_MOCK_QUEUES; i++)
		host->queue[i].num_late = 0;
	vg_mock_forget_everything(host);
	mutex_unlock(&host->lock);
}

static u64 vg_mock_get_features(struct virtio_device *vdev)
{
	struct vg_mock_host *host = to_vg_mock(vdev);
	u64 features = host->setup.features | BIT_ULL(VIRTIO_F_VERSION_1);

	if (!host->setup.no_indirect)
		features |= BIT_ULL(VIRTIO_RING_F_INDIRECT_DESC);
	if (host->setup.dma_api)
		features |= BIT_ULL(VIRTIO_F_ACCESS_PLATFORM);
	features &= ~host->lacks;
	if (host->fail_once)
		host->lacks = 0;

	return features;
}

static int vg_mock_finalize_features(struct virtio_device *vdev)
{
	struct vg_mock_host *host = to_vg_mock(vdev);
	int ret = host->finalize_ret;

	vring_transport_features(vdev);
	if (host->fail_once)
		host->finalize_ret = 0;

	return ret;
}

static void vg_mock_free_vqs(struct vg_mock_host *host)
{
	struct virtqueue *vq;
	unsigned int i;

	for (i = 0; i < VG_MOCK_QUEUES; i++) {
		mutex_lock(&host->lock);
		vq = host->queue[i].vq;
		host->queue[i].vq = NULL;
		mutex_unlock(&host->lock);
		if (vq)
			vring_del_virtqueue(vq);
	}
}

/* As virtio-mmio, which frees its interrupt each time. */
static void vg_mock_del_vqs(struct virtio_device *vdev)
{
	struct vg_mock_host *host = to_vg_mock(vdev);

	mutex_lock(&host->lock);
	if (!host->has_vqs)
		vg_mock_object(host, 0, "the queues are deleted twice");
	if (host->status)
		host->deleted_in_use = true;
	host->has_vqs = false;
	mutex_unlock(&host->lock);
	vg_mock_free_vqs(host);
}

static int vg_mock_find_vqs(struct virtio_device *vdev, unsigned int nvqs,
			    struct virtqueue *vqs[], struct virtqueue_info vqs_info[],
		    struct irq_affinity *desc)
{
	struct vg_mock_host *host = to_vg_mock(vdev);
	unsigned int size = host->setup.ring_size ?: 256, i;
	struct virtqueue *vq;

	if (host->find_vqs_ret) {
		int ret = host->find_vqs_ret;

		if (host->fail_once)
			host->find_vqs_ret = 0;
		return ret;
	}
	if (WARN_ON(nvqs != VG_MOCK_QUEUES))
		return -EINVAL;

	for (i = 0; i < nvqs; i++) {
		vq = vring_create_virtqueue(i, size, PAGE_SIZE, vdev, true,
					    false, false, vg_mock_notify,
					    vqs_info[i].callback,
					    vqs_info[i].name);
		if (!vq) {
			vg_mock_free_vqs(host);
			return -ENOMEM;
		}
		vq->num_max = host->setup.ring_max ?: size;
		vqs[i] = vq;

		mutex_lock(&host->lock);
		host->queue[i].vq = vq;
		host->queue[i].next = 0;
		host->queue[i].end = 0;
		host->queue[i].notified = false;
		host->queue[i].peeked = 0;
		mutex_unlock(&host->lock);
	}
	host->has_vqs = true;

	return 0;
}

static const char *vg_mock_bus_name(struct virtio_device *vdev)
{
	return "mock";
}

static bool vg_mock_get_shm_region(struct virtio_device *vdev,
				   struct virtio_shm_region *region, u8 id)
{
	if (!to_vg_mock(vdev)->setup.hostmem)
		return false;

	region->addr = WINDOW_ADDR;
	region->len = WINDOW_SIZE;
	return true;
}

static const struct virtio_config_ops vg_mock_config_ops = {
	.get = vg_mock_config_get,
	.set = vg_mock_config_set,
	.generation = vg_mock_generation,
	.get_status = vg_mock_get_status,
	.set_status = vg_mock_set_status,
	.reset = vg_mock_reset,
	.find_vqs = vg_mock_find_vqs,
	.del_vqs = vg_mock_del_vqs,
	.get_features = vg_mock_get_features,
	.finalize_features = vg_mock_finalize_features,
	.bus_name = vg_mock_bus_name,
	.get_shm_region = vg_mock_get_shm_region,
};

/*
 * Life
 */

/* The memory is the test's. */
static void vg_mock_release(struct device *dev)
{
}

static void vg_mock_drm_released(struct drm_device *ddev, void *data)
{
	struct vg_mock_host *host = data;

	WRITE_ONCE(host->released, true);
}

static void vg_mock_free_host(void *data)
{
	struct vg_mock_host *host = data;
	unsigned long end = jiffies + 5 * HZ;

	vg_mock_remove(host);
	/* the last reference may be dropped by some work */
	while (!READ_ONCE(host->released) && time_before(jiffies, end))
		usleep_range(1000, 2000);
	KUNIT_EXPECT_TRUE_MSG(host->test, host->released,
			      "somebody still holds the device");
	destroy_workqueue(host->wq);
	host->keeps_resources = false;
	vg_mock_forget_everything(host);
	KUNIT_EXPECT_STREQ(host->test, host->objection, "");
	kvfree(host->log);
}

/* Unplug the device, now rather than at the end of the test. */
void vg_mock_remove(struct vg_mock_host *host)
{
	if (!host->present)
		return;

	host->present = false;
	unregister_virtio_device(&host->vdev);
}

/* End a host that the test has no more use for, and another one can come. */
void vg_mock_destroy(struct vg_mock_host *host)
{
	struct kunit *test = host->test;

	kunit_release_action(test, vg_mock_free_host, host);
	kunit_device_unregister(test, host->dev);
}

static void vg_mock_restore_stall_ms(void *data)
{
	vg_mock_set_stall_ms((uintptr_t)data);
}

/* A host whose device is not there yet. */
struct vg_mock_host *vg_mock_alloc(struct kunit *test, const char *name,
				   const struct vg_mock_setup *setup)
{
	uintptr_t stall_ms = drm_virt_pm_drain_timeout_ms;
	struct vg_mock_host *host;
	unsigned int i;

	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, vg_mock_restore_stall_ms,
						  (void *)stall_ms));
	host = kunit_kzalloc(test, sizeof(*host), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, host);
	host->test = test;
	host->released = true;
	host->setup = *setup;
	host->config.num_scanouts = cpu_to_le32(setup->num_scanouts);
	host->config.num_capsets = cpu_to_le32(setup->num_capsets);
	/* switched off, so that no console wants to be shown here */
	for (i = 0; i < setup->num_scanouts; i++) {
		host->outputs[i].r.width = cpu_to_le32(800);
		host->outputs[i].r.height = cpu_to_le32(600);
	}
	mutex_init(&host->lock);
	xa_init(&host->resources);
	xa_init(&host->refused);
	xa_init(&host->contexts);
	xa_init(&host->textures);
	xa_init(&host->models);
	INIT_LIST_HEAD(&host->promises);
	INIT_WORK(&host->work, vg_mock_host_work);

	host->dev = kunit_device_register(test, name);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, host->dev);
	host->dev->dma_parms = &host->dma_parms;

	host->log = kvcalloc(VG_MOCK_LOG_SIZE, sizeof(*host->log), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, host->log);
	host->wq = alloc_ordered_workqueue("%s", 0, name);
	KUNIT_ASSERT_NOT_NULL(test, host->wq);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, vg_mock_free_host,
							   host));

	return host;
}

/* Plug the device in; returns whether the driver has taken it. */
bool vg_mock_plug(struct vg_mock_host *host)
{
	struct kunit *test = host->test;

	memset(&host->vdev, 0, sizeof(host->vdev));
	host->vdev.id.device = VIRTIO_ID_GPU;
	host->vdev.id.vendor = VIRTIO_DEV_ANY_ID;
	host->vdev.config = &vg_mock_config_ops;
	host->vdev.dev.parent = host->dev;
	host->vdev.dev.release = vg_mock_release;
	KUNIT_ASSERT_EQ(test, 0, register_virtio_device(&host->vdev));
	host->present = true;

	return device_is_bound(&host->vdev.dev);
}

/* A host with a device that the driver is bound to. */
struct vg_mock_host *vg_mock_create(struct kunit *test, const char *name,
				    const struct vg_mock_setup *setup)
{
	return vg_mock_start(vg_mock_alloc(test, name, setup));
}

/* A host that was made by vg_mock_alloc() gets its device. */
struct vg_mock_host *vg_mock_start(struct vg_mock_host *host)
{
	struct kunit *test = host->test;

	KUNIT_ASSERT_TRUE_MSG(test, vg_mock_plug(host),
			      "virtio-gpu does not take the device");
	KUNIT_ASSERT_EQ(test, 0, drmm_add_action(vg_mock_drm(host),
						 vg_mock_drm_released, host));
	host->released = false;
	vg_mock_settle(host);
	vg_mock_forget_log(host);

	return host;
}

/*
 * Faults
 */

/* Answer nothing on one queue, or what has come meanwhile and from now on. */
void vg_mock_hold_queue(struct vg_mock_host *host, unsigned int queue, bool hold)
{
	mutex_lock(&host->lock);
	host->queue[queue].hold = hold;
	mutex_unlock(&host->lock);
	queue_work(host->wq, &host->work);
}

void vg_mock_hold(struct vg_mock_host *host, bool hold)
{
	vg_mock_hold_queue(host, VG_MOCK_CTRL, hold);
	vg_mock_hold_queue(host, VG_MOCK_CURSOR, hold);
}

/* From now on until vg_mock_let_go(). */
void vg_mock_fault(struct vg_mock_host *host, u32 type, u32 id,
		   enum vg_mock_answer answer)
{
	unsigned int i;

	mutex_lock(&host->lock);
	for (i = 0; i < ARRAY_SIZE(host->fault) && host->fault[i].type; i++)
		;
	if (i < ARRAY_SIZE(host->fault))
		host->fault[i] = (struct vg_mock_fault){ type, id, answer };
	mutex_unlock(&host->lock);
	KUNIT_ASSERT_LT(host->test, i, ARRAY_SIZE(host->fault));
}

/* The answers that are late come now. */
void vg_mock_answer_late(struct vg_mock_host *host)
{
	struct vg_mock_queue *queue = &host->queue[VG_MOCK_CTRL];
	unsigned int i;

	mutex_lock(&host->lock);
	if (queue->vq && queue->num_late) {
		for (i = 0; i < queue->num_late; i++)
			vg_mock_give_back(queue->vq, queue->late[i].head,
					  queue->late[i].len);
		queue->num_late = 0;
		vg_mock_interrupt(queue);
	}
	mutex_unlock(&host->lock);
}

/* Be a good host again. */
void vg_mock_let_go(struct vg_mock_host *host)
{
	mutex_lock(&host->lock);
	memset(host->fault, 0, sizeof(host->fault));
	host->in_command = NULL;
	host->pace_ms = 0;
	mutex_unlock(&host->lock);
	host->in_reset = NULL;
	host->ignore_reset = false;
	host->fail_once = false;
	host->refuse_features = false;
	host->lacks = 0;
	host->finalize_ret = 0;
	host->find_vqs_ret = 0;
	vg_mock_hold(host, false);
	vg_mock_answer_late(host);
}

/* The next time it is reset, so many outputs are there. */
void vg_mock_set_outputs(struct vg_mock_host *host, unsigned int count)
{
	unsigned int i;

	host->config.num_scanouts = cpu_to_le32(count);
	for (i = 0; i < host->setup.num_scanouts; i++)
		host->outputs[i].enabled = cpu_to_le32(i < count);
}

/* Something about the outputs changed, and the host says so. */
void vg_mock_config_changed(struct vg_mock_host *host)
{
	host->config.events_read |= cpu_to_le32(VIRTIO_GPU_EVENT_DISPLAY);
	virtio_config_changed(&host->vdev);
}

/*
 * Sleep
 */

/* As the PM core suspends a device with the transport that we are. */
int vg_mock_freeze(struct vg_mock_host *host)
{
	int ret;

	device_lock(host->dev);
	ret = virtio_device_freeze(&host->vdev);
	if (!ret)
		host->dev->power.is_suspended = true;
	device_unlock(host->dev);

	return ret;
}

/* The part of the bus: the PM core still says that the device is suspended. */
int vg_mock_restore_bus(struct vg_mock_host *host)
{
	int ret;

	device_lock(host->dev);
	ret = virtio_device_restore(&host->vdev);
	device_unlock(host->dev);

	return ret;
}

/* As the PM core resumes it. */
int vg_mock_restore(struct vg_mock_host *host)
{
	int ret;

	device_lock(host->dev);
	ret = virtio_device_restore(&host->vdev);
	host->dev->power.is_suspended = false;
	device_unlock(host->dev);

	return ret;
}

/* As the PM core does when the bus gives up before it calls the transport. */
void vg_mock_resume_elsewhere(struct vg_mock_host *host)
{
	device_lock(host->dev);
	host->dev->power.is_suspended = false;
	device_unlock(host->dev);
}

/* A function reset begins. The bus holds the lock until it has ended. */
void vg_mock_reset_prepare(struct vg_mock_host *host)
{
	device_lock(host->dev);
	KUNIT_EXPECT_EQ(host->test, 0,
			virtio_gpu_pm_reset_prepare(&host->vdev));
}

/* The transport has reset the device and negotiates the features again. */
int vg_mock_reset_done(struct vg_mock_host *host)
{
	struct virtio_device *vdev = &host->vdev;
	int ret;

	virtio_reset_device(vdev);
	virtio_add_status(vdev, VIRTIO_CONFIG_S_ACKNOWLEDGE);
	virtio_add_status(vdev, VIRTIO_CONFIG_S_DRIVER);
	ret = vdev->config->finalize_features(vdev);
	if (!ret) {
		virtio_add_status(vdev, VIRTIO_CONFIG_S_FEATURES_OK);
		ret = virtio_gpu_pm_reset_done(vdev);
	}
	device_unlock(host->dev);

	return ret;
}

/* Tasks run again: what was put off until now happens. */
void vg_mock_run_later(struct vg_mock_host *host)
{
	struct drm_virt_pm *vpm = vg_mock_vpm(host);

	VG_MOCK_AWAIT(host->test, !flush_delayed_work(&vpm->work) &&
		      READ_ONCE(vpm->state) != DRM_VIRT_PM_DOWN);
}

static void vg_mock_end_transition(void *unused)
{
	drm_virt_pm_notify(PM_POST_SUSPEND);
	drm_virt_pm_notify(PM_POST_HIBERNATION);
	drm_virt_pm_notify(PM_POST_RESTORE);
}

/* The PM core announces @event, until the end of the test. */
void vg_mock_transition(struct vg_mock_host *host, unsigned long event)
{
	KUNIT_ASSERT_EQ(host->test, 0,
			kunit_add_action_or_reset(host->test,
						  vg_mock_end_transition, NULL));
	KUNIT_ASSERT_EQ(host->test, 0, drm_virt_pm_notify(event));
}

/* Another drain_timeout_ms until the end of the test. */
void vg_mock_set_stall_ms(unsigned int ms)
{
	WRITE_ONCE(drm_virt_pm_drain_timeout_ms, ms);
}

/*
 * Looking
 */

static bool vg_mock_ring_is_empty(struct virtio_gpu_queue *vgvq)
{
	bool empty;

	spin_lock(&vgvq->qlock);
	empty = !vgvq->vq ||
		vgvq->vq->num_free == virtqueue_get_vring_size(vgvq->vq);
	spin_unlock(&vgvq->qlock);

	return empty;
}

/* Whether all that was queued was done and handled, without another notification */
bool vg_mock_served(struct vg_mock_host *host)
{
	struct virtio_gpu_device *vgdev = vg_mock_vgdev(host);

	flush_work(&host->work);
	flush_work(&vgdev->ctrlq.dequeue_work);
	flush_work(&vgdev->cursorq.dequeue_work);
	flush_work(&vgdev->obj_free_work);

	return vg_mock_ring_is_empty(&vgdev->ctrlq) && vg_mock_ring_is_empty(&vgdev->cursorq) &&
	       list_empty(&vgdev->obj_free_list);
}

static bool vg_mock_settled(struct vg_mock_host *host)
{
	virtio_gpu_notify(vg_mock_vgdev(host));
	return vg_mock_served(host);
}

/* Wait until everything that was queued was done and handled, but not for ever. */
bool vg_mock_try_settle(struct vg_mock_host *host)
{
	unsigned long end = jiffies + 20 * HZ;

	/* twice: the last free may have queued something */
	while (!vg_mock_settled(host) || !vg_mock_settled(host)) {
		if (time_after(jiffies, end))
			return false;
		usleep_range(1000, 2000);
	}

	return true;
}

void vg_mock_settle(struct vg_mock_host *host)
{
	KUNIT_ASSERT_TRUE_MSG(host->test, vg_mock_try_settle(host),
			      "waited for the queues to be empty");
}

void vg_mock_forget_log(struct vg_mock_host *host)
{
	atomic_set(&host->notifications, 0);
	mutex_lock(&host->lock);
	host->num_log = 0;
	mutex_unlock(&host->lock);
}

/* Number of commands in the control ring that the host has seen and not served */
unsigned int vg_mock_waiting(struct vg_mock_host *host)
{
	struct vg_mock_queue *queue = &host->queue[VG_MOCK_CTRL];
	s16 n;

	mutex_lock(&host->lock);
	n = queue->peeked - queue->next;
	mutex_unlock(&host->lock);

	return max_t(s16, n, 0);
}

/* Number of @type commands since the log was forgotten, about @id. */
unsigned int vg_mock_count_of(struct vg_mock_host *host, u32 type, u32 id)
{
	unsigned int i, n = 0;

	mutex_lock(&host->lock);
	for (i = 0; i < host->num_log; i++)
		n += host->log[i].type == type && host->log[i].id == id;
	mutex_unlock(&host->lock);

	return n;
}

/* Number of @type commands; of all commands for 0. */
unsigned int vg_mock_count(struct vg_mock_host *host, u32 type)
{
	unsigned int i, n = 0;

	mutex_lock(&host->lock);
	for (i = 0; i < host->num_log; i++)
		n += !type || host->log[i].type == type;
	mutex_unlock(&host->lock);

	return n;
}

/* How often the resource @id was created; any resource for 0. */
unsigned int vg_mock_creations(struct vg_mock_host *host, u32 id)
{
	unsigned int i, n = 0;

	mutex_lock(&host->lock);
	for (i = 0; i < host->num_log; i++)
		n += vg_mock_creates(host->log[i].type) &&
		     (!id || host->log[i].id == id);
	mutex_unlock(&host->lock);

	return n;
}

bool vg_mock_knows(struct vg_mock_host *host, u32 id)
{
	struct vg_mock_resource *res = xa_load(&host->resources, id);

	return res && !res->old;
}

/* A resource that the host has to know; valid until the host does something. */
struct vg_mock_resource *vg_mock_resource(struct vg_mock_host *host, u32 id)
{
	struct vg_mock_resource *res = xa_load(&host->resources, id);

	KUNIT_ASSERT_NOT_NULL_MSG(host->test, res, "resource %u", id);
	return res;
}

bool vg_mock_attached(struct vg_mock_host *host, u32 ctx_id, u32 id)
{
	struct xarray *ctx = xa_load(&host->contexts, ctx_id);

	return ctx && xa_load(ctx, id);
}

/* What driver and host believe */
struct vg_mock_belief {
	struct vg_mock_host *host;
	unsigned int resident;		/* objects that the host knows, says the driver */
	unsigned int disputed;		/* objects about which they disagree */
};

static void vg_mock_compare(struct vg_mock_belief *belief,
			    struct drm_gem_object *obj)
{
	struct virtio_gpu_object *bo = gem_to_virtio_gpu_obj(obj);
	bool resident;

	resident = drm_virt_pm_object_resident(vg_mock_vpm(belief->host),
					       &bo->pm.base);
	belief->resident += resident;
	belief->disputed += resident != vg_mock_knows(belief->host,
						      bo->hw_res_handle);
}

/* All objects can be mapped, and so have an offset, but for imports. */
static void vg_mock_compare_all(struct vg_mock_belief *belief)
{
	struct drm_device *ddev = vg_mock_drm(belief->host);
	struct drm_vma_offset_manager *manager = ddev->vma_offset_manager;
	struct drm_mm_node *node;
	struct drm_gem_object *obj;
	struct drm_file *file;
	int handle;

	read_lock(&manager->vm_lock);
	drm_mm_for_each_node(node, &manager->vm_addr_space_mm)
		vg_mock_compare(belief,
				container_of(node, struct drm_gem_object,
					     vma_node.vm_node));
	read_unlock(&manager->vm_lock);

	mutex_lock(&ddev->filelist_mutex);
	list_for_each_entry(file, &ddev->filelist, lhead) {
		spin_lock(&file->table_lock);
		idr_for_each_entry(&file->object_idr, obj, handle) {
			if (obj->import_attach)
				vg_mock_compare(belief, obj);
		}
		spin_unlock(&file->table_lock);
	}
	mutex_unlock(&ddev->filelist_mutex);
}

/* What the driver believes is what the host knows; NULL, or what is wrong. */
const char *vg_mock_disagreement(struct vg_mock_host *host)
{
	struct vg_mock_belief belief = { .host = host };
	struct vg_mock_resource *res;
	unsigned long id;

	vg_mock_compare_all(&belief);
	mutex_lock(&host->lock);
	xa_for_each(&host->resources, id, res)
		vg_mock_check_page(host, &res->page, id);
	mutex_unlock(&host->lock);

	if (host->objection[0])
		return host->objection;
	if (belief.disputed)
		return "driver and host disagree about an object";
	if (belief.resident != host->num_resources)
		return "the host has a resource that no object has";
	return NULL;
}

void vg_mock_check(struct vg_mock_host *host)
{
	const char *fault;

	vg_mock_settle(host);
	fault = vg_mock_disagreement(host);
	KUNIT_EXPECT_NULL_MSG(host->test, fault, "%s", fault);
}

/* MODULE_IMPORT_NS() takes a token up to 6.12 and a string since */
MODULE_INFO(import_ns, "EXPORTED_FOR_KUNIT_TESTING");
