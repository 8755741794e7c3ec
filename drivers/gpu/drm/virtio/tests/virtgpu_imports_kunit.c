// SPDX-License-Identifier: GPL-2.0 OR MIT

/* Buffers of another device, which that device can move. */

#include <linux/delay.h>
#include <linux/dma-buf.h>
#include <linux/dma-fence.h>
#include <linux/dma-resv.h>
#include <linux/suspend.h>

#include <drm/drm_drv.h>

#include "virtgpu_mock.h"

/* As short as a timeout can be that has to happen, in milliseconds. */
#define STALL_MS	100

/* Long enough for a host that does answer. */
#define PATIENT_MS	20000

static const struct vg_mock_setup vg_test_blob = {
	.features = BIT_ULL(VIRTIO_GPU_F_EDID) |
		    BIT_ULL(VIRTIO_GPU_F_RESOURCE_BLOB),
	.num_scanouts = 2,
};

/**
 * struct vg_test_foreign - a buffer of another device
 *
 * It can be in one of two places. One that has moved is not where it was.
 */
struct vg_test_foreign {
	/** @buf: The buffer. */
	struct dma_buf *buf;

	/** @pages: Its places. */
	struct page *pages[2];

	/** @place: Where it is. */
	unsigned int place;

	/** @pin_ret: What pinning it returns. */
	int pin_ret;

	/** @bo: The import. */
	struct virtio_gpu_object *bo;

	/** @unpinned_stale: It was unpinned while the import was stale. */
	unsigned int unpinned_stale;
};

#define FOREIGN_ORDER	get_order(VG_MOCK_SIDE * VG_MOCK_SIDE * 4)

static int vg_test_foreign_pin(struct dma_buf_attachment *attach)
{
	struct vg_test_foreign *foreign = attach->dmabuf->priv;

	return foreign->pin_ret;
}

static void vg_test_foreign_unpin(struct dma_buf_attachment *attach)
{
	struct vg_test_foreign *foreign = attach->dmabuf->priv;

	foreign->unpinned_stale += foreign->bo &&
				   !virtio_gpu_pm_object_resident(foreign->bo);
}

static struct sg_table *vg_test_foreign_map(struct dma_buf_attachment *attach,
					    enum dma_data_direction dir)
{
	struct vg_test_foreign *foreign = attach->dmabuf->priv;
	struct page *page = foreign->pages[foreign->place];
	struct sg_table *sgt = kmalloc(sizeof(*sgt), GFP_KERNEL | __GFP_NOFAIL);

	if (sg_alloc_table(sgt, 1, GFP_KERNEL)) {
		kfree(sgt);
		return ERR_PTR(-ENOMEM);
	}
	sg_set_page(sgt->sgl, page, attach->dmabuf->size, 0);
	sg_dma_address(sgt->sgl) = page_to_phys(page);
	sg_dma_len(sgt->sgl) = attach->dmabuf->size;

	return sgt;
}

static void vg_test_foreign_unmap(struct dma_buf_attachment *attach,
				  struct sg_table *sgt,
				  enum dma_data_direction dir)
{
	sg_free_table(sgt);
	kfree(sgt);
}

static void vg_test_foreign_release(struct dma_buf *buf)
{
	struct vg_test_foreign *foreign = buf->priv;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(foreign->pages); i++) {
		if (foreign->pages[i])
			__free_pages(foreign->pages[i], FOREIGN_ORDER);
	}
	kfree(foreign);
}

static const struct dma_buf_ops vg_test_foreign_ops = {
	.pin = vg_test_foreign_pin,
	.unpin = vg_test_foreign_unpin,
	.map_dma_buf = vg_test_foreign_map,
	.unmap_dma_buf = vg_test_foreign_unmap,
	.release = vg_test_foreign_release,
};

/* The other device moves the buffer, and uses its old place for something else. */
static void vg_test_foreign_move(struct vg_test_foreign *foreign)
{
	struct dma_buf *buf = foreign->buf;

	dma_resv_lock(buf->resv, NULL);
	dma_buf_move_notify(buf);
	__free_pages(foreign->pages[0], FOREIGN_ORDER);
	foreign->pages[0] = NULL;
	foreign->place = 1;
	dma_resv_unlock(buf->resv);
}

static struct vg_test_foreign *vg_test_import(struct vg_mock_user *user,
					      u32 *handle)
{
	struct drm_device *drm = vg_mock_drm(user->host);
	struct kunit *test = user->host->test;
	struct vg_test_foreign *foreign;
	DEFINE_DMA_BUF_EXPORT_INFO(info);
	struct drm_gem_object *obj;
	unsigned int i;

	foreign = kzalloc(sizeof(*foreign), GFP_KERNEL | __GFP_NOFAIL);
	for (i = 0; i < ARRAY_SIZE(foreign->pages); i++)
		foreign->pages[i] = alloc_pages(GFP_KERNEL | __GFP_COMP |
						__GFP_NOFAIL, FOREIGN_ORDER);
	info.ops = &vg_test_foreign_ops;
	info.size = PAGE_SIZE << FOREIGN_ORDER;
	info.priv = foreign;
	foreign->buf = dma_buf_export(&info);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, foreign->buf);

	obj = drm->driver->gem_prime_import(drm, foreign->buf);
	dma_buf_put(foreign->buf);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, obj);
	foreign->bo = gem_to_virtio_gpu_obj(obj);
	foreign->unpinned_stale = 0;
	KUNIT_ASSERT_EQ(test, 0, drm_gem_handle_create(user->file->private_data,
						       obj, handle));
	drm_gem_object_put(obj);

	return foreign;
}

static void vg_test_sleep(struct kunit *test, struct vg_mock_host *host)
{
	KUNIT_ASSERT_EQ(test, 0, vg_mock_freeze(host));
	KUNIT_ASSERT_EQ(test, 0, vg_mock_restore(host));
}

/* The host has the buffer where it is */
static void vg_test_check_place(struct kunit *test, struct vg_mock_host *host,
				u32 id, struct vg_test_foreign *foreign)
{
	struct vg_mock_resource *res = vg_mock_resource(host, id);

	KUNIT_EXPECT_TRUE(test, res->backing);
	KUNIT_EXPECT_EQ(test, res->addr,
			page_to_phys(foreign->pages[foreign->place]));
}

static void virtio_gpu_pm_test_import(struct kunit *test)
{
	struct vg_mock_host *host = vg_mock_create(test, "mock", &vg_test_blob);
	struct vg_mock_user *user = vg_mock_open(host, false);
	u32 shown_handle, moved_handle, freed_handle;
	struct vg_test_foreign *shown, *moved;

	/* What is shown comes back at once, the others when they are used. */
	shown = vg_test_import(user, &shown_handle);
	moved = vg_test_import(user, &moved_handle);
	vg_test_import(user, &freed_handle);
	KUNIT_ASSERT_EQ(test, 0, vg_mock_show(user, 0, shown_handle));
	vg_mock_check(host);

	vg_test_sleep(test, host);
	KUNIT_EXPECT_EQ(test, host->shown[0], vg_mock_id(user, shown_handle));
	vg_test_check_place(test, host, host->shown[0], shown);
	KUNIT_EXPECT_FALSE(test, vg_mock_resident(user, moved_handle));

	/* from where it is by then */
	vg_test_foreign_move(moved);
	KUNIT_EXPECT_EQ(test, 0, vg_mock_show(user, 0, moved_handle));
	vg_mock_check(host);
	KUNIT_EXPECT_EQ(test, host->shown[0], vg_mock_id(user, moved_handle));
	vg_test_check_place(test, host, host->shown[0], moved);
	/* it became resident while it could not move */
	KUNIT_EXPECT_EQ(test, moved->unpinned_stale, 0);
	KUNIT_EXPECT_EQ(test, shown->unpinned_stale, 0);

	/* a stale one has nothing to detach */
	KUNIT_EXPECT_EQ(test, 0, vg_mock_gem_close(user, freed_handle));
	vg_mock_check(host);
	vg_mock_close(user);
	vg_mock_check(host);
	KUNIT_EXPECT_TRUE(test, vg_mock_no_objects(host));
}

static void virtio_gpu_pm_test_import_moves(struct kunit *test)
{
	struct vg_mock_host *host = vg_mock_create(test, "mock", &vg_test_blob);
	struct vg_mock_user *user = vg_mock_open(host, false);
	struct vg_test_foreign *foreign;
	u32 handle, own = vg_mock_dumb(user);

	/* A restored import that moves leaves the host, and comes back. */
	foreign = vg_test_import(user, &handle);
	KUNIT_ASSERT_EQ(test, 0, vg_mock_show(user, 0, own));
	vg_test_sleep(test, host);
	KUNIT_EXPECT_EQ(test, 0, virtio_gpu_pm_object_use(vg_mock_bo(user, handle)));
	vg_mock_check(host);
	vg_test_check_place(test, host, vg_mock_id(user, handle), foreign);

	vg_test_foreign_move(foreign);
	vg_mock_check(host);
	KUNIT_EXPECT_FALSE(test, vg_mock_resource(host,
						  vg_mock_id(user, handle))->backing);
	KUNIT_EXPECT_EQ(test, 0, vg_mock_show(user, 0, handle));
	vg_mock_check(host);
	vg_test_check_place(test, host, host->shown[0], foreign);

	/* and sleeps with what it has */
	vg_test_sleep(test, host);
	vg_mock_check(host);
	vg_test_check_place(test, host, host->shown[0], foreign);
}

static void virtio_gpu_pm_test_import_not_attached(struct kunit *test)
{
	struct vg_mock_host *host = vg_mock_create(test, "mock", &vg_test_blob);
	struct vg_mock_user *user = vg_mock_open(host, false);
	struct vg_test_foreign *foreign;
	u32 handle, own = vg_mock_dumb(user);

	/* One whose new place a stopped queue refuses is attached the next time. */
	foreign = vg_test_import(user, &handle);
	KUNIT_ASSERT_EQ(test, 0, vg_mock_show(user, 0, own));
	vg_test_foreign_move(foreign);
	vg_mock_check(host);

	virtio_gpu_pm_stop_queues(vg_mock_vgdev(host));
	KUNIT_EXPECT_EQ(test, -ENODEV, vg_mock_show(user, 0, handle));
	virtio_gpu_pm_start_queues(vg_mock_vgdev(host));
	KUNIT_EXPECT_EQ(test, 0, vg_mock_show(user, 0, handle));
	vg_mock_check(host);
	KUNIT_EXPECT_EQ(test, host->shown[0], vg_mock_id(user, handle));
	vg_test_check_place(test, host, host->shown[0], foreign);
}

static struct completion vg_test_restoring;
static struct vg_mock_task *vg_test_mover;

/* The host does not create the resource before the move waits or is done. */
static void vg_test_tell(struct vg_mock_host *host, u32 type)
{
	struct vg_mock_task *mover = vg_test_mover;
	unsigned long end = jiffies + 5 * HZ;

	if (type != VIRTIO_GPU_CMD_RESOURCE_CREATE_BLOB)
		return;

	complete_all(&vg_test_restoring);
	while (vg_mock_task_runs(mover) && time_before(jiffies, end) &&
	       !(atomic_read(&mover->calls) && vg_mock_task_sleeps(mover)))
		usleep_range(1000, 2000);
}

static int vg_test_move_task(struct vg_mock_task *task)
{
	/* the limit only ends a hang */
	wait_for_completion_timeout(&vg_test_restoring, 20 * HZ);
	atomic_inc(&task->calls);
	vg_test_foreign_move(task->arg);

	return 0;
}

static void virtio_gpu_pm_test_import_moves_meanwhile(struct kunit *test)
{
	struct vg_mock_host *host = vg_mock_create(test, "mock", &vg_test_blob);
	struct vg_mock_user *user = vg_mock_open(host, false);
	u32 handle, own = vg_mock_dumb(user);
	struct vg_test_foreign *foreign;
	unsigned int cycle;

	/*
	 * It moves as soon as the host is told of it again. The host must not
	 * keep the old place, whichever comes first. The restore waits for the
	 * host only if it is the first one.
	 */
	for (cycle = 0; cycle < 4; cycle++) {
		foreign = vg_test_import(user, &handle);
		KUNIT_ASSERT_EQ(test, 0, vg_mock_show(user, 0,
						      cycle % 2 ? own : 0));
		vg_test_sleep(test, host);
		vg_mock_check(host);

		init_completion(&vg_test_restoring);
		vg_test_mover = vg_mock_task_start(user, vg_test_move_task, 0,
						   foreign);
		host->in_command = vg_test_tell;
		KUNIT_EXPECT_EQ(test, 0, vg_mock_show(user, 0, handle));
		KUNIT_EXPECT_EQ(test, 0, vg_mock_task_result(vg_test_mover));
		host->in_command = NULL;
		vg_mock_check(host);

		KUNIT_EXPECT_EQ(test, 0, vg_mock_show(user, 0, own));
		KUNIT_EXPECT_EQ(test, 0, vg_mock_show(user, 0, handle));
		vg_mock_check(host);
		vg_test_check_place(test, host, host->shown[0], foreign);
		KUNIT_EXPECT_EQ(test, 0, vg_mock_show(user, 0, own));
		KUNIT_EXPECT_EQ(test, 0, vg_mock_gem_close(user, handle));
	}
}

static int vg_test_move_now_task(struct vg_mock_task *task)
{
	vg_test_foreign_move(task->arg);
	return 0;
}

static void virtio_gpu_pm_test_import_hang(struct kunit *test)
{
	struct vg_mock_host *host = vg_mock_create(test, "mock", &vg_test_blob);
	struct vg_mock_user *user = vg_mock_open(host, false);
	struct vg_test_foreign *foreign;
	struct vg_mock_task *task;
	unsigned int resets;
	u32 handle;

	/*
	 * The exporter gets its memory back from a host that hangs: the device
	 * is reset at once, and given up when tasks run.
	 */
	foreign = vg_test_import(user, &handle);
	vg_mock_check(host);
	resets = host->resets;
	vg_mock_set_stall_ms(STALL_MS);
	vg_mock_hold(host, true);
	task = vg_mock_task_start(user, vg_test_move_now_task, 0, foreign);
	KUNIT_EXPECT_EQ(test, 0, vg_mock_task_result(task));
	KUNIT_EXPECT_GT(test, host->resets, resets);
	KUNIT_EXPECT_STREQ(test, host->objection, "");

	flush_delayed_work(&vg_mock_vgdev(host)->pm.hang_work);
	KUNIT_EXPECT_EQ(test, READ_ONCE(vg_mock_vpm(host)->state),
			DRM_VIRT_PM_LOST);
	vg_mock_run_later(host);
	KUNIT_EXPECT_TRUE(test, drm_dev_is_unplugged(vg_mock_drm(host)));
	vg_mock_let_go(host);
	vg_mock_close(user);
	KUNIT_EXPECT_STREQ(test, host->objection, "");
}

static void virtio_gpu_pm_test_import_stopped(struct kunit *test)
{
	struct vg_mock_host *host = vg_mock_create(test, "mock", &vg_test_blob);
	struct vg_mock_user *user = vg_mock_open(host, false);
	struct vg_test_foreign *foreign;
	u32 handle;

	/* The same if the command would not even be queued. */
	foreign = vg_test_import(user, &handle);
	vg_mock_check(host);
	virtio_gpu_pm_stop_queues(vg_mock_vgdev(host));
	vg_test_foreign_move(foreign);
	flush_delayed_work(&vg_mock_vgdev(host)->pm.hang_work);
	KUNIT_EXPECT_EQ(test, READ_ONCE(vg_mock_vpm(host)->state),
			DRM_VIRT_PM_LOST);
	/* looks at the pages of all resources that the host knows */
	vg_mock_remove(host);
	KUNIT_EXPECT_STREQ(test, host->objection, "");
	vg_mock_close(user);
}

static void vg_test_move_in_reset(struct vg_mock_host *host)
{
	struct vg_mock_task *mover = vg_test_mover;

	host->in_reset = NULL;
	complete_all(&vg_test_restoring);
	VG_MOCK_AWAIT(host->test, atomic_read(&mover->calls));
	VG_MOCK_AWAIT(host->test, !vg_mock_task_runs(mover) ||
		      vg_mock_task_sleeps(mover));
}

static void virtio_gpu_pm_test_import_moves_in_suspend(struct kunit *test)
{
	struct vg_mock_host *host = vg_mock_create(test, "mock", &vg_test_blob);
	struct vg_mock_user *user = vg_mock_open(host, false);
	u32 handle, own = vg_mock_dumb(user);
	struct vg_test_foreign *foreign;
	unsigned int resets, of_sleep;

	/* A suspend has stopped the queues, and resets the device in any case. */
	resets = host->resets;
	vg_test_sleep(test, host);
	of_sleep = host->resets - resets;
	foreign = vg_test_import(user, &handle);
	KUNIT_ASSERT_EQ(test, 0, vg_mock_show(user, 0, own));
	vg_mock_check(host);
	init_completion(&vg_test_restoring);
	vg_test_mover = vg_mock_task_start(user, vg_test_move_task, 0, foreign);
	resets = host->resets;
	host->in_reset = vg_test_move_in_reset;
	vg_test_sleep(test, host);
	KUNIT_EXPECT_EQ(test, 0, vg_mock_task_result(vg_test_mover));
	flush_delayed_work(&vg_mock_vgdev(host)->pm.hang_work);
	KUNIT_EXPECT_EQ(test, host->resets, resets + of_sleep);
	KUNIT_EXPECT_EQ(test, READ_ONCE(vg_mock_vpm(host)->state),
			DRM_VIRT_PM_RUNNING);
	KUNIT_EXPECT_EQ(test, 0, vg_mock_show(user, 0, handle));
	vg_mock_check(host);
	KUNIT_EXPECT_EQ(test, host->shown[0], vg_mock_id(user, handle));
	vg_test_check_place(test, host, host->shown[0], foreign);
}

struct vg_test_busy {
	const char *name;
	int pin_ret;
	bool fence;
	bool for_ever;
};

static const struct vg_test_busy vg_test_busy_params[] = {
	{ "exporter busy", .pin_ret = -EBUSY },
	{ "exporter without room", .pin_ret = -ENOSPC },
	{ "exporter busy for ever", .pin_ret = -EBUSY, .for_ever = true },
	{ "exporter hangs", .fence = true },
	{ "exporter hangs for ever", .fence = true, .for_ever = true },
};

KUNIT_ARRAY_PARAM_DESC(vg_test_busy, vg_test_busy_params, name);

static void virtio_gpu_pm_test_import_busy(struct kunit *test)
{
	const struct vg_test_busy *param = test->param_value;
	struct vg_mock_host *host = vg_mock_create(test, "mock", &vg_test_blob);
	struct vg_mock_user *user = vg_mock_open(host, false);
	u32 handle, own = vg_mock_dumb(user);
	struct dma_fence *fence = NULL;
	struct vg_test_foreign *foreign;

	/*
	 * A shown buffer of a device that is not ready: the second try brings it
	 * back, or the output stays dark. It is not lost.
	 */
	foreign = vg_test_import(user, &handle);
	KUNIT_ASSERT_EQ(test, 0, vg_mock_show(user, 0, handle));
	KUNIT_ASSERT_EQ(test, 0, vg_mock_show(user, 1, own));
	vg_mock_check(host);
	KUNIT_ASSERT_EQ(test, 0, vg_mock_freeze(host));

	foreign->pin_ret = param->pin_ret;
	if (param->fence) {
		vg_mock_set_stall_ms(STALL_MS);
		fence = vg_mock_add_fence(user, handle, DMA_RESV_USAGE_KERNEL);
	}
	KUNIT_EXPECT_EQ(test, param->fence ? -ETIMEDOUT : param->pin_ret,
			vg_mock_restore_bus(host));
	KUNIT_EXPECT_EQ(test, READ_ONCE(vg_mock_vpm(host)->state),
			DRM_VIRT_PM_DOWN);
	if (!param->for_ever) {
		vg_mock_set_stall_ms(PATIENT_MS);
		foreign->pin_ret = 0;
		if (fence)
			dma_fence_signal(fence);
	}
	vg_mock_resume_elsewhere(host);
	vg_mock_run_later(host);
	KUNIT_EXPECT_EQ(test, READ_ONCE(vg_mock_vpm(host)->state),
			DRM_VIRT_PM_RUNNING);
	vg_mock_check(host);
	KUNIT_EXPECT_EQ(test, host->shown[0],
			param->for_ever ? 0 : vg_mock_id(user, handle));
	KUNIT_EXPECT_EQ(test, host->shown[1], vg_mock_id(user, own));

	/* it can be used as soon as the exporter is ready */
	vg_mock_set_stall_ms(PATIENT_MS);
	foreign->pin_ret = 0;
	if (fence)
		dma_fence_signal(fence);
	KUNIT_EXPECT_EQ(test, 0, vg_mock_show(user, 0, handle));
	vg_mock_check(host);
	KUNIT_EXPECT_EQ(test, host->shown[0], vg_mock_id(user, handle));
	KUNIT_EXPECT_EQ(test, 0, vg_mock_vpm(host)->num_lost);
}

static void virtio_gpu_pm_test_import_use_busy(struct kunit *test)
{
	struct vg_mock_host *host = vg_mock_create(test, "mock", &vg_test_blob);
	struct vg_mock_user *user = vg_mock_open(host, false);
	struct vg_test_foreign *foreign;
	u32 handle, own = vg_mock_dumb(user);

	/* The same when it is used later: the error is the exporter's. */
	foreign = vg_test_import(user, &handle);
	KUNIT_ASSERT_EQ(test, 0, vg_mock_show(user, 0, own));
	vg_test_sleep(test, host);
	foreign->pin_ret = -EBUSY;
	KUNIT_EXPECT_EQ(test, -EBUSY, vg_mock_show(user, 0, handle));
	vg_mock_check(host);
	KUNIT_EXPECT_FALSE(test, vg_mock_resident(user, handle));
	foreign->pin_ret = 0;
	KUNIT_EXPECT_EQ(test, 0, vg_mock_show(user, 0, handle));
	vg_mock_check(host);
	KUNIT_EXPECT_EQ(test, host->shown[0], vg_mock_id(user, handle));
	KUNIT_EXPECT_EQ(test, 0, vg_mock_vpm(host)->num_lost);
}

static void virtio_gpu_pm_test_import_gone(struct kunit *test)
{
	struct vg_mock_host *host = vg_mock_create(test, "mock", &vg_test_blob);
	struct vg_mock_user *user = vg_mock_open(host, false);
	struct vg_test_foreign *foreign;
	u32 handle, own = vg_mock_dumb(user);

	/* A shown buffer of a driver that was unbound is lost, not the device. */
	foreign = vg_test_import(user, &handle);
	KUNIT_ASSERT_EQ(test, 0, vg_mock_show(user, 0, handle));
	KUNIT_ASSERT_EQ(test, 0, vg_mock_show(user, 1, own));
	KUNIT_ASSERT_EQ(test, 0, vg_mock_freeze(host));
	foreign->pin_ret = -ENODEV;
	KUNIT_EXPECT_EQ(test, 0, vg_mock_restore_bus(host));
	vg_mock_check(host);
	KUNIT_EXPECT_EQ(test, host->shown[0], 0);
	KUNIT_EXPECT_EQ(test, host->shown[1], vg_mock_id(user, own));
	KUNIT_EXPECT_EQ(test, 1, vg_mock_vpm(host)->num_lost);
	KUNIT_EXPECT_EQ(test, -EIO, vg_mock_show(user, 0, handle));
}

static struct kunit_case virtio_gpu_pm_imports_tests[] = {
	KUNIT_CASE(virtio_gpu_pm_test_import),
	KUNIT_CASE(virtio_gpu_pm_test_import_moves),
	KUNIT_CASE(virtio_gpu_pm_test_import_not_attached),
	KUNIT_CASE(virtio_gpu_pm_test_import_moves_meanwhile),
	KUNIT_CASE(virtio_gpu_pm_test_import_hang),
	KUNIT_CASE(virtio_gpu_pm_test_import_stopped),
	KUNIT_CASE(virtio_gpu_pm_test_import_moves_in_suspend),
	KUNIT_CASE_PARAM(virtio_gpu_pm_test_import_busy, vg_test_busy_gen_params),
	KUNIT_CASE(virtio_gpu_pm_test_import_use_busy),
	KUNIT_CASE(virtio_gpu_pm_test_import_gone),
	{}
};

static struct kunit_suite virtio_gpu_pm_imports_suite = {
	.name = "virtio_gpu_pm_imports",
	.test_cases = virtio_gpu_pm_imports_tests,
};

kunit_test_suite(virtio_gpu_pm_imports_suite);
