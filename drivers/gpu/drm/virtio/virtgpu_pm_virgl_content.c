// SPDX-License-Identifier: GPL-2.0 OR MIT

#include <linux/math64.h>
#include <linux/mm.h>
#include <linux/random.h>
#include <linux/scatterlist.h>
#include <linux/seq_buf.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include <drm/drm_print.h>

#include "virtgpu_drv.h"
#include "virtgpu_pm_virgl.h"

/*
 * Content of 3D resources. It is read from the host before a reset, into memory of
 * the driver, and given to the resource that is created again when it is used.
 *
 * The pages of a resource belong to the program. It may have written there what it
 * has not uploaded yet, and Mesa gives most textures only one page. So they are
 * detached while the driver's are attached.
 *
 * Transfers name context 0, so that an error is not held against any program. The
 * host does not tell of errors. What was not read is found by words that are still
 * there.
 */

/* 3D content may need one of so many parts of all memory. */
#define VIRGL_MEMORY_PART	4

/**
 * struct virtio_gpu_pm_content - memory for the content of a resource
 */
struct virtio_gpu_pm_content {
	/** @memory: The content, all layers of the first level first. */
	void *memory;

	/** @bytes: How much there is. */
	u32 bytes;

	/** @saved: Reset epoch in which it was saved, or 0. */
	u32 saved;

	/** @sgt: The pages of @memory. */
	struct sg_table sgt;
};

static struct virtio_gpu_device *virgl_bo_to_vgdev(struct virtio_gpu_object *bo)
{
	return bo->base.base.dev->dev_private;
}

/*
 * Which resources
 */

/* Whether the content of a resource can be saved */
bool virtio_gpu_pm_content_known(struct virtio_gpu_device *vgdev,
				 const struct virtio_gpu_object_params *params)
{
	u64 bytes;

	if (!virtio_gpu_virgl_restore || !params->virgl || params->nr_samples > 1 ||
	    params->bind & VIRGL_BIND_SPECIAL)
		return false;
	/* memory of the driver would have to be mapped for the device */
	if (virtio_gpu_use_dma_api(vgdev->vdev))
		return false;

	bytes = virtio_gpu_pm_content_bytes(params);
	return bytes && bytes <= VIRGL_MOST_CONTENT;
}

static u64 virgl_needed(const struct virtio_gpu_object_params *params)
{
	return virtio_gpu_virgl_is_staging(params) ? 0 :
	       PAGE_ALIGN(virtio_gpu_pm_content_bytes(params));
}

/* A resource is created for the first time */
void virtio_gpu_pm_content_add(struct virtio_gpu_device *vgdev,
			       struct virtio_gpu_object *bo)
{
	struct virtio_gpu_pm_virgl *virgl = &vgdev->pm.virgl;

	INIT_LIST_HEAD(&bo->pm.virgl);
	if (!bo->params.virgl || bo->pm.host_only)
		return;

	spin_lock(&virgl->lock);
	bo->pm.round = virgl->round;
	list_add_tail(&bo->pm.virgl, &virgl->objects);
	virgl->bytes += virgl_needed(&bo->params);
	spin_unlock(&virgl->lock);
}

static void virgl_free_content(struct virtio_gpu_device *vgdev,
			       struct virtio_gpu_object *bo)
{
	struct virtio_gpu_pm_content *content;

	drm_virt_pm_object_keep(&vgdev->pm.base, &bo->pm.base, false);

	mutex_lock(&bo->pm.base.lock);
	content = bo->pm.content;
	bo->pm.content = NULL;
	mutex_unlock(&bo->pm.base.lock);
	if (!content)
		return;

	/* the host may have it for a transfer that is not answered yet */
	if (vgdev->pm.not_reset || drm_virt_pm_queue_drain(&vgdev->ctrlq.pm)) {
		drm_err(vgdev->ddev, "the host keeps %u bytes of memory\n",
			content->bytes);
		return;
	}

	sg_free_table(&content->sgt);
	vfree(content->memory);
	kfree(content);
}

/* A resource is freed */
void virtio_gpu_pm_content_remove(struct virtio_gpu_device *vgdev,
				  struct virtio_gpu_object *bo)
{
	struct virtio_gpu_pm_virgl *virgl = &vgdev->pm.virgl;
	bool listed;

	spin_lock(&virgl->lock);
	listed = !list_empty(&bo->pm.virgl);
	list_del_init(&bo->pm.virgl);
	if (listed)
		virgl->bytes -= virgl_needed(&bo->params);
	spin_unlock(&virgl->lock);

	if (bo->pm.content)
		virgl_free_content(vgdev, bo);
}

/* Says so if there is too much to save. */
void virtio_gpu_pm_content_check(struct virtio_gpu_device *vgdev, struct seq_buf *why)
{
	struct virtio_gpu_pm_virgl *virgl = &vgdev->pm.virgl;
	u64 most = ((u64)totalram_pages() << PAGE_SHIFT) / VIRGL_MEMORY_PART;
	u64 bytes;

	spin_lock(&virgl->lock);
	bytes = virgl->bytes;
	spin_unlock(&virgl->lock);
	if (bytes <= most)
		return;

	virtio_gpu_pm_separate(why);
	seq_buf_printf(why, "%llu MiB of textures, more than the %llu MiB that may be saved",
		       DIV_ROUND_UP_ULL(bytes, SZ_1M), most >> 20);
}

/* The next resource of the walk, with a reference; NULL at the end */
static struct virtio_gpu_object *virgl_next_object(struct virtio_gpu_device *vgdev,
						   bool first)
{
	struct virtio_gpu_pm_virgl *virgl = &vgdev->pm.virgl;
	struct virtio_gpu_object *bo, *found = NULL;

	spin_lock(&virgl->lock);
	virgl->round += first;
	/* those that were looked at, and new ones, are at the end */
	while (!found && !list_empty(&virgl->objects)) {
		bo = list_first_entry(&virgl->objects, struct virtio_gpu_object,
				      pm.virgl);
		if (bo->pm.round == virgl->round)
			break;

		bo->pm.round = virgl->round;
		list_move_tail(&bo->pm.virgl, &virgl->objects);
		/* it is being freed otherwise */
		if (kref_get_unless_zero(&bo->base.base.refcount))
			found = bo;
	}
	spin_unlock(&virgl->lock);

	return found;
}

/*
 * Memory
 */

static int virgl_make_sgt(struct virtio_gpu_pm_content *content)
{
	unsigned int i, num = DIV_ROUND_UP(content->bytes, PAGE_SIZE);
	struct page **pages;
	int ret;

	pages = kvmalloc_array(num, sizeof(*pages), GFP_KERNEL);
	if (!pages)
		return -ENOMEM;

	for (i = 0; i < num; i++)
		pages[i] = vmalloc_to_page(content->memory + i * PAGE_SIZE);
	ret = sg_alloc_table_from_pages(&content->sgt, pages, num, 0,
					content->bytes, GFP_KERNEL);
	kvfree(pages);

	return ret;
}

static int virgl_alloc_content(struct virtio_gpu_device *vgdev,
			       struct virtio_gpu_object *bo)
{
	u32 bytes = virtio_gpu_pm_content_bytes(&bo->params);
	struct virtio_gpu_pm_content *content;
	int ret;

	if (bo->pm.content || virtio_gpu_virgl_is_staging(&bo->params))
		return 0;

	content = kzalloc(sizeof(*content), GFP_KERNEL);
	if (!content)
		return -ENOMEM;

	content->bytes = bytes;
	content->memory = __vmalloc(PAGE_ALIGN(bytes), GFP_KERNEL | __GFP_ZERO |
				    __GFP_NOWARN | __GFP_RETRY_MAYFAIL);
	ret = content->memory ? virgl_make_sgt(content) : -ENOMEM;
	if (ret) {
		vfree(content->memory);
		kfree(content);
		return ret;
	}

	bo->pm.content = content;
	drm_virt_pm_object_keep(&vgdev->pm.base, &bo->pm.base, true);
	return 0;
}

/* Set memory aside for all content. Returns 0 or -ENOMEM. */
int virtio_gpu_pm_content_prepare(struct virtio_gpu_device *vgdev)
{
	struct virtio_gpu_object *bo;
	bool first = true;
	int ret = 0;

	for (; !ret && (bo = virgl_next_object(vgdev, first)); first = false) {
		ret = virgl_alloc_content(vgdev, bo);
		drm_gem_object_put(&bo->base.base);
	}

	return ret;
}

/*
 * Put all saved content on the host again, and free the memory for it. What fails
 * keeps its memory and stays stale, so that it is tried again when it is used.
 */
void virtio_gpu_pm_content_finish(struct virtio_gpu_device *vgdev)
{
	struct virtio_gpu_object *bo;
	bool first = true;

	for (; (bo = virgl_next_object(vgdev, first)); first = false) {
		if (bo->pm.content && !virtio_gpu_pm_object_use(bo))
			virgl_free_content(vgdev, bo);
		drm_gem_object_put(&bo->base.base);
	}
}

/*
 * Commands
 */

/* The pages of a backing, whose addresses are physical ones */
static struct virtio_gpu_mem_entry *virgl_entries(const struct sg_table *sgt)
{
	struct virtio_gpu_mem_entry *ents;
	struct scatterlist *sg;
	unsigned int i;

	ents = kvmalloc_array(sgt->orig_nents, sizeof(*ents), GFP_KERNEL);
	if (!ents)
		return NULL;

	for_each_sgtable_sg(sgt, sg, i)
		ents[i] = (struct virtio_gpu_mem_entry) {
			.addr = cpu_to_le64(sg_phys(sg)),
			.length = cpu_to_le32(sg->length),
		};

	return ents;
}

static int virgl_attach(struct virtio_gpu_device *vgdev, struct virtio_gpu_object *bo,
			struct virtio_gpu_mem_entry *ents, u32 num)
{
	struct virtio_gpu_resource_attach_backing command = {
		.hdr.type = cpu_to_le32(VIRTIO_GPU_CMD_RESOURCE_ATTACH_BACKING),
		.resource_id = cpu_to_le32(bo->hw_res_handle),
		.nr_entries = cpu_to_le32(num),
	};

	return virtio_gpu_cmd_pm(vgdev, &command, sizeof(command), ents,
				 num * sizeof(*ents));
}

static int virgl_detach(struct virtio_gpu_device *vgdev, struct virtio_gpu_object *bo)
{
	struct virtio_gpu_resource_detach_backing command = {
		.hdr.type = cpu_to_le32(VIRTIO_GPU_CMD_RESOURCE_DETACH_BACKING),
		.resource_id = cpu_to_le32(bo->hw_res_handle),
	};

	return virtio_gpu_cmd_pm(vgdev, &command, sizeof(command), NULL, 0);
}

/*
 * The host has a copy of the pages of such a buffer. It writes that copy when pages are
 * attached, and takes them as its copy when they are detached. So the first that it is
 * given are the driver's, and they get what the program has after it has written.
 */
static int virgl_give_copy(struct virtio_gpu_device *vgdev, struct virtio_gpu_object *bo)
{
	struct virtio_gpu_pm_content *content = bo->pm.content;
	int ret;

	ret = drm_virt_pm_queue_drain(&vgdev->ctrlq.pm);
	if (!ret)
		sg_copy_to_buffer(bo->base.sgt->sgl, bo->base.sgt->orig_nents,
				  content->memory, content->bytes);

	return ret;
}

static int virgl_transfer(struct virtio_gpu_device *vgdev,
			  struct virtio_gpu_object *bo, u32 type)
{
	struct virtio_gpu_transfer_host_3d command = {
		.hdr.type = cpu_to_le32(type),
		.resource_id = cpu_to_le32(bo->hw_res_handle),
	};
	struct virgl_region region = { };
	int ret = 0;

	while (virtio_gpu_virgl_next_region(&bo->params, &region)) {
		command.box = region.box;
		command.offset = cpu_to_le64(region.offset);
		command.level = cpu_to_le32(region.level);
		ret = virtio_gpu_cmd_pm(vgdev, &command, sizeof(command), NULL, 0);
		if (ret)
			break;
	}

	return ret;
}

/*
 * Transfer all content between the host and the memory of the driver. The guest's
 * pages are attached before, if the host knows the resource, and afterwards.
 */
static int virgl_transfer_all(struct virtio_gpu_device *vgdev,
			      struct virtio_gpu_object *bo, u32 type)
{
	struct sg_table *sgt = &bo->pm.content->sgt;
	struct virtio_gpu_mem_entry *ours, *theirs;
	bool known = type == VIRTIO_GPU_CMD_TRANSFER_FROM_HOST_3D;
	int ret = -ENOMEM;

	ours = virgl_entries(sgt);
	theirs = virgl_entries(bo->base.sgt);
	if (!ours || !theirs)
		goto err_free;

	ret = known ? virgl_detach(vgdev, bo) : 0;
	if (ret)
		goto err_free;

	ret = virgl_attach(vgdev, bo, ours, sgt->orig_nents);
	ours = NULL;
	if (!ret)
		ret = virtio_gpu_virgl_is_custom(&bo->params) ?
		      virgl_give_copy(vgdev, bo) : virgl_transfer(vgdev, bo, type);
	if (!ret)
		ret = virgl_detach(vgdev, bo);
	if (!ret) {
		ret = virgl_attach(vgdev, bo, theirs, bo->base.sgt->orig_nents);
		theirs = NULL;
	}

err_free:
	kvfree(ours);
	kvfree(theirs);
	return ret;
}

/*
 * Save
 */

static void *virgl_end_of(const struct virtio_gpu_pm_content *content,
			  const struct virgl_region *region)
{
	return content->memory + region->offset + region->bytes - sizeof(u32);
}

static void virgl_mark(struct virtio_gpu_object *bo, u32 mark)
{
	struct virtio_gpu_pm_content *content = bo->pm.content;
	struct virgl_region region = { };

	while (virtio_gpu_virgl_next_region(&bo->params, &region)) {
		if (region.bytes < sizeof(mark))
			continue;
		memcpy(content->memory + region.offset, &mark, sizeof(mark));
		memcpy(virgl_end_of(content, &region), &mark, sizeof(mark));
	}
}

/* Whether a mark is still there, so that something was not read */
static bool virgl_is_marked(struct virtio_gpu_object *bo, u32 mark)
{
	struct virtio_gpu_pm_content *content = bo->pm.content;
	struct virgl_region region = { };

	while (virtio_gpu_virgl_next_region(&bo->params, &region)) {
		if (region.bytes < sizeof(mark))
			continue;
		if (!memcmp(content->memory + region.offset, &mark, sizeof(mark)) ||
		    !memcmp(virgl_end_of(content, &region), &mark, sizeof(mark)))
			return true;
	}

	return false;
}

static int virgl_read(struct virtio_gpu_device *vgdev, struct virtio_gpu_object *bo)
{
	u32 mark = get_random_u32();
	int ret;

	virgl_mark(bo, mark);
	ret = virgl_transfer_all(vgdev, bo, VIRTIO_GPU_CMD_TRANSFER_FROM_HOST_3D);
	if (!ret)
		ret = drm_virt_pm_queue_drain(&vgdev->ctrlq.pm);
	if (!ret && virgl_is_marked(bo, mark))
		ret = -ENODATA;

	return ret;
}

/* &drm_virt_pm_ops.save */
int virtio_gpu_pm_content_save(struct drm_virt_pm *vpm,
			       struct drm_virt_pm_object *obj)
{
	struct virtio_gpu_object *bo =
		container_of(obj, struct virtio_gpu_object, pm.base);
	struct virtio_gpu_pm_content *content = bo->pm.content;
	struct virtio_gpu_device *vgdev = virgl_bo_to_vgdev(bo);
	int ret = 0;

	content->saved = 0;
	/* else the program's pages are the content */
	if (!virtio_gpu_virgl_is_custom(&bo->params))
		ret = virgl_read(vgdev, bo);
	if (ret == -ENODATA)
		drm_warn(vgdev->ddev, "resource %u of format %u, %u x %u, cannot be read\n",
			 bo->hw_res_handle, bo->params.format, bo->params.width,
			 bo->params.height);
	if (!ret)
		content->saved = vpm->epoch;

	return ret;
}

/*
 * Restore
 */

/*
 * Create a resource again, with its content. Returns 0; -EIO if its content was not
 * saved, so that it is lost; -ENOMEM; or -ENODEV if the queue is stopped.
 */
int virtio_gpu_pm_content_restore(struct virtio_gpu_device *vgdev,
				  struct virtio_gpu_object *bo)
{
	struct virtio_gpu_pm_content *content = bo->pm.content;
	struct virtio_gpu_mem_entry *theirs = NULL;
	int ret;

	if (!virtio_gpu_virgl_is_staging(&bo->params) &&
	    (!content || content->saved != READ_ONCE(bo->pm.base.epoch))) {
		drm_virt_pm_object_lose(&vgdev->pm.base, &bo->pm.base, -EIO);
		return -EIO;
	}
	if (virtio_gpu_virgl_is_staging(&bo->params)) {
		theirs = virgl_entries(bo->base.sgt);
		if (!theirs)
			return -ENOMEM;
	}

	virtio_gpu_cmd_resource_create_3d(vgdev, bo, &bo->params, NULL, NULL);
	ret = bo->pm.create_err;
	if (ret) {
		kvfree(theirs);
		return ret;
	}

	if (theirs)
		ret = virgl_attach(vgdev, bo, theirs, bo->base.sgt->orig_nents);
	else
		ret = virgl_transfer_all(vgdev, bo,
					 VIRTIO_GPU_CMD_TRANSFER_TO_HOST_3D);
	if (ret) {
		virtio_gpu_cmd_unref_stale(vgdev, bo);
		return ret;
	}

	drm_virt_pm_object_restored(&vgdev->pm.base, &bo->pm.base);
	return 0;
}
