// SPDX-License-Identifier: GPL-2.0 OR MIT

#include <linux/gfp.h>
#include <linux/string.h>

#include "virtgpu_drv.h"
#include "virtgpu_pm_virgl.h"

/*
 * What the driver asks the host about virgl: whether it is the same as before, and
 * whether a context lives.
 *
 * The host does not tell whether it took a stream, so it is asked for the content of
 * a buffer in the name of that context: it does not answer for one that is in error.
 */

/* What is read to see whether a context lives, and where, in a page */
#define VIRGL_PROBE_BYTES	64
#define VIRGL_PROBE_ANSWER	2048
#define VIRGL_PROBE_SENT	0x5a
#define VIRGL_PROBE_UNREAD	0xa5

/*
 * Whether the host is the same
 */

static struct virtio_gpu_drv_cap_cache *
virgl_get_caps(struct virtio_gpu_device *vgdev, unsigned int index)
{
	struct virtio_gpu_drv_cap_cache *caps;

	if (virtio_gpu_cmd_get_capset(vgdev, index,
				      vgdev->capsets[index].max_version, &caps))
		return NULL;

	virtio_gpu_notify(vgdev);
	if (!wait_event_timeout(vgdev->resp_wq, atomic_read(&caps->is_valid),
				drm_virt_pm_timeout(&vgdev->pm.base)))
		return NULL;

	/* pairs with virtio_gpu_cmd_capset_cb() */
	smp_rmb();
	return caps;
}

static bool virgl_is_capset(const struct virtio_gpu_device *vgdev, unsigned int index)
{
	return vgdev->capsets[index].id >= VIRGL_CAPSET_FIRST &&
	       vgdev->capsets[index].id <= VIRGL_CAPSET_LAST;
}

/* Remember the host's capabilities before a reset. */
int virtio_gpu_virgl_note_caps(struct virtio_gpu_device *vgdev)
{
	struct virtio_gpu_pm_virgl *virgl = &vgdev->pm.virgl;
	struct virtio_gpu_drv_cap_cache *caps;
	unsigned int i;
	int ret = 0;

	mutex_lock(&virgl->caps_lock);
	for (i = 0; i < vgdev->num_capsets && !ret; i++) {
		if (!virgl_is_capset(vgdev, i))
			continue;
		caps = virgl_get_caps(vgdev, i);
		virgl->caps[vgdev->capsets[i].id - VIRGL_CAPSET_FIRST] = caps;
		ret = caps ? 0 : -ETIMEDOUT;
	}
	mutex_unlock(&virgl->caps_lock);

	return ret;
}

/*
 * Whether the capabilities are those of before the reset. Mesa goes on with the old
 * ones.
 */
bool virtio_gpu_virgl_is_same_host(struct virtio_gpu_device *vgdev)
{
	struct virtio_gpu_pm_virgl *virgl = &vgdev->pm.virgl;
	struct virtio_gpu_drv_cap_cache *caps, *before;
	u32 epoch = READ_ONCE(vgdev->pm.base.epoch);
	bool same = true;
	unsigned int i;

	mutex_lock(&virgl->caps_lock);
	if (virgl->caps_epoch == epoch)
		goto out_unlock;

	for (i = 0; i < vgdev->num_capsets && same; i++) {
		if (!virgl_is_capset(vgdev, i))
			continue;
		before = virgl->caps[vgdev->capsets[i].id - VIRGL_CAPSET_FIRST];
		caps = virgl_get_caps(vgdev, i);
		same = caps && before &&
		       !memcmp(caps->caps_cache, before->caps_cache, caps->size);
	}
	virgl->caps_same = same;
	virgl->caps_epoch = epoch;
out_unlock:
	same = virgl->caps_same;
	mutex_unlock(&virgl->caps_lock);

	return same;
}

/*
 * Whether a context lives
 */

/* Queue a command that names one resource and no more. */
int virtio_gpu_virgl_queue(struct virtio_gpu_device *vgdev, u32 type, u32 ctx_id,
			   u32 id)
{
	/* commands that name one resource are the same but for their type */
	struct virtio_gpu_ctx_resource command = {
		.hdr.type = cpu_to_le32(type),
		.hdr.ctx_id = cpu_to_le32(ctx_id),
		.resource_id = cpu_to_le32(id),
	};

	return virtio_gpu_cmd_pm(vgdev, &command, sizeof(command), NULL, 0);
}

static int virgl_queue_buffer(struct virtio_gpu_device *vgdev, u32 id)
{
	struct virtio_gpu_resource_create_3d command = {
		.hdr.type = cpu_to_le32(VIRTIO_GPU_CMD_RESOURCE_CREATE_3D),
		.resource_id = cpu_to_le32(id),
		.target = cpu_to_le32(VIRGL_TARGET_BUFFER),
		.format = cpu_to_le32(VIRGL_FORMAT_R8),
		.bind = cpu_to_le32(VIRGL_BIND_VERTEX),
		.width = cpu_to_le32(VIRGL_PROBE_BYTES),
		.height = cpu_to_le32(1),
		.depth = cpu_to_le32(1),
		.array_size = cpu_to_le32(1),
	};

	return virtio_gpu_cmd_pm(vgdev, &command, sizeof(command), NULL, 0);
}

static int virgl_queue_backing(struct virtio_gpu_device *vgdev, u32 id, void *page)
{
	struct virtio_gpu_resource_attach_backing command = {
		.hdr.type = cpu_to_le32(VIRTIO_GPU_CMD_RESOURCE_ATTACH_BACKING),
		.resource_id = cpu_to_le32(id),
		.nr_entries = cpu_to_le32(1),
	};
	struct virtio_gpu_mem_entry *entry;

	entry = kvmalloc(sizeof(*entry), GFP_KERNEL);
	if (!entry)
		return -ENOMEM;

	*entry = (struct virtio_gpu_mem_entry) {
		.addr = cpu_to_le64(virt_to_phys(page)),
		.length = cpu_to_le32(PAGE_SIZE),
	};
	return virtio_gpu_cmd_pm(vgdev, &command, sizeof(command), entry,
				 sizeof(*entry));
}

static int virgl_queue_transfer(struct virtio_gpu_device *vgdev, u32 type, u32 ctx_id,
				u32 id, u32 offset)
{
	struct virtio_gpu_transfer_host_3d command = {
		.hdr.type = cpu_to_le32(type),
		.hdr.ctx_id = cpu_to_le32(ctx_id),
		.resource_id = cpu_to_le32(id),
		.offset = cpu_to_le64(offset),
		.box = {
			.w = cpu_to_le32(VIRGL_PROBE_BYTES),
			.h = cpu_to_le32(1),
			.d = cpu_to_le32(1),
		},
	};

	return virtio_gpu_cmd_pm(vgdev, &command, sizeof(command), NULL, 0);
}

static int virgl_queue_probe(struct virtio_gpu_device *vgdev, u32 ctx_id, u32 id,
			     void *page)
{
	int ret;

	ret = virgl_queue_buffer(vgdev, id);
	if (ret)
		return ret;

	ret = virgl_queue_backing(vgdev, id, page);
	if (!ret)
		ret = virgl_queue_transfer(vgdev, VIRTIO_GPU_CMD_TRANSFER_TO_HOST_3D, 0,
					   id, 0);
	if (!ret)
		ret = virtio_gpu_virgl_queue(vgdev, VIRTIO_GPU_CMD_CTX_ATTACH_RESOURCE,
					     ctx_id, id);
	if (!ret)
		ret = virgl_queue_transfer(vgdev, VIRTIO_GPU_CMD_TRANSFER_FROM_HOST_3D,
					   ctx_id, id, VIRGL_PROBE_ANSWER);
	if (!ret)
		ret = virtio_gpu_virgl_queue(vgdev, VIRTIO_GPU_CMD_CTX_DETACH_RESOURCE,
					     ctx_id, id);
	virtio_gpu_virgl_queue(vgdev, VIRTIO_GPU_CMD_RESOURCE_UNREF, 0, id);

	return ret;
}

/*
 * Ask the host whether a context lives. Returns 0 if so, -EIO if not, or another
 * errno if there is no answer.
 */
int virtio_gpu_virgl_probe(struct virtio_gpu_device *vgdev, u32 ctx_id)
{
	struct virtio_gpu_pm_virgl *virgl = &vgdev->pm.virgl;
	int ret, drained;
	void *page;

	page = (void *)get_zeroed_page(GFP_KERNEL);
	if (!page)
		return -ENOMEM;
	memset(page, VIRGL_PROBE_SENT, VIRGL_PROBE_BYTES);
	memset(page + VIRGL_PROBE_ANSWER, VIRGL_PROBE_UNREAD, VIRGL_PROBE_BYTES);

	mutex_lock(&virgl->probe_lock);
	ret = virgl->probe_id ? 0 : virtio_gpu_resource_id_get(vgdev, &virgl->probe_id);
	if (ret >= 0)
		ret = virgl_queue_probe(vgdev, ctx_id, virgl->probe_id, page);
	drained = drm_virt_pm_queue_drain(&vgdev->ctrlq.pm);
	mutex_unlock(&virgl->probe_lock);

	/* the host may still write to it */
	if (drained)
		return drained;

	if (!ret && memchr_inv(page + VIRGL_PROBE_ANSWER, VIRGL_PROBE_SENT,
			       VIRGL_PROBE_BYTES))
		ret = -EIO;
	free_page((unsigned long)page);

	return ret;
}
