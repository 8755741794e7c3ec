// SPDX-License-Identifier: GPL-2.0 OR MIT

#include <linux/anon_inodes.h>
#include <linux/dma-buf.h>
#include <linux/dma-resv.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/kthread.h>
#include <linux/mman.h>
#include <linux/sched/mm.h>
#include <linux/uaccess.h>

#include <drm/drm_atomic.h>
#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_fourcc.h>
#include <drm/drm_framebuffer.h>
#include <drm/drm_mode.h>
#include <drm/drm_vma_manager.h>
#include <drm/virtgpu_drm.h>

#include <kunit/resource.h>

#include "virtgpu_mock.h"

/*
 * The memory of a program: slots for the arguments of ioctls, so that several
 * tasks can call at once, and behind them a page for what those point to.
 */
#define SLOT_SIZE	256
#define NUM_SLOTS	(PAGE_SIZE / SLOT_SIZE)

/*
 * Files
 */

/* Map memory or a file; returns an address or a negative errno. */
unsigned long vg_mock_mmap(struct vg_mock_user *user, struct file *file,
			   unsigned long size, unsigned long prot,
			   unsigned long flags, unsigned long offset)
{
	unsigned long addr;

	kthread_use_mm(user->mm);
	addr = vm_mmap(file, 0, size, prot, flags, offset);
	kthread_unuse_mm(user->mm);

	return addr;
}

static const struct file_operations vg_mock_no_fops;

static void vg_mock_close_file(void *data)
{
	struct vg_mock_user *user = data;

	if (!user->file)
		return;

	/* what is freed now may have to wait for room in a queue */
	vg_mock_let_go(user->host);
	/* as soon as this returns, not when some work runs */
	__fput_sync(user->file);
	user->file = NULL;
}

/* Close the file, now rather than at the end of the test. */
void vg_mock_close(struct vg_mock_user *user)
{
	struct file *file = user->file;

	user->file = NULL;
	__fput_sync(file);
}

static void vg_mock_put_memory(void *data)
{
	mmput(data);
}

/*
 * As kunit_vm_mmap() does it, but for no longer than a call: what a test thread
 * has attached when it ends is leaked.
 */
static void vg_mock_create_memory(struct vg_mock_user *user)
{
	struct kunit *test = user->host->test;

	user->mm = mm_alloc();
	KUNIT_ASSERT_NOT_NULL(test, user->mm);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, vg_mock_put_memory,
							   user->mm));
	user->mm->task_size = TASK_SIZE;
	arch_pick_mmap_layout(user->mm, &current->signal->rlim[RLIMIT_STACK]);

	user->mem = vg_mock_mmap(user, NULL, 2 * PAGE_SIZE,
				 PROT_READ | PROT_WRITE,
				 MAP_ANONYMOUS | MAP_PRIVATE, 0);
	KUNIT_ASSERT_FALSE(test, !user->mem || IS_ERR_VALUE(user->mem));
}

/* As a program opens a device node, of which there need not be one. */
struct vg_mock_user *vg_mock_open(struct vg_mock_host *host, bool render)
{
	struct drm_device *ddev = vg_mock_drm(host);
	struct drm_minor *minor = render ? ddev->render : ddev->primary;
	struct kunit *test = host->test;
	struct vg_mock_user *user;
	struct inode *node;
	struct file *file;

	user = kunit_kzalloc(test, sizeof(*user), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, user);
	user->host = host;
	user->clock = 1000;
	vg_mock_create_memory(user);

	node = kunit_kzalloc(test, sizeof(*node), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, node);
	node->i_rdev = minor->kdev->devt;

	file = anon_inode_getfile("virtio-gpu", ddev->driver->fops, NULL,
				  O_RDWR | O_NONBLOCK);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, file);
	if (drm_open(node, file)) {
		/* nothing for the driver to release */
		replace_fops(file, &vg_mock_no_fops);
		fput(file);
		KUNIT_FAIL_AND_ABORT(test, "the device cannot be opened");
	}
	user->file = file;
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, vg_mock_close_file,
							   user));

	return user;
}

/* End a program and its memory, so that the test can go on with another one. */
void vg_mock_exit(struct vg_mock_user *user)
{
	struct kunit *test = user->host->test;

	kunit_release_action(test, vg_mock_close_file, user);
	kunit_release_action(test, vg_mock_put_memory, user->mm);
}

/* A real ioctl, with the argument in user memory. */
int vg_mock_ioctl(struct vg_mock_user *user, unsigned int cmd, void *arg)
{
	unsigned int slot = atomic_inc_return(&user->slot) % NUM_SLOTS;
	unsigned long addr = user->mem + slot * SLOT_SIZE;
	size_t size = _IOC_SIZE(cmd);
	int ret;

	if (WARN_ON(size > SLOT_SIZE))
		return -EINVAL;
	kthread_use_mm(user->mm);
	if (copy_to_user((void __user *)addr, arg, size))
		ret = -EFAULT;
	else
		ret = user->file->f_op->unlocked_ioctl(user->file, cmd, addr);
	if (copy_from_user(arg, (void __user *)addr, size))
		ret = -EFAULT;
	kthread_unuse_mm(user->mm);

	return ret;
}

/* A real read, of what the device tells. */
ssize_t vg_mock_read(struct vg_mock_user *user, void *data, size_t size)
{
	void __user *addr = (void __user *)user->mem + PAGE_SIZE;
	loff_t pos = 0;
	ssize_t ret;

	kthread_use_mm(user->mm);
	ret = user->file->f_op->read(user->file, addr, size, &pos);
	if (copy_from_user(data, addr, size))
		ret = -EFAULT;
	kthread_unuse_mm(user->mm);

	return ret;
}

/* Put something where an ioctl can point to; returns its address. */
u64 vg_mock_put_user(struct vg_mock_user *user, const void *data, size_t size)
{
	unsigned long addr = user->mem + PAGE_SIZE, left;

	kthread_use_mm(user->mm);
	left = copy_to_user((void __user *)addr, data, size);
	kthread_unuse_mm(user->mm);
	KUNIT_ASSERT_EQ(user->host->test, 0, left);

	return addr;
}

/* Read what an ioctl has put there. */
void vg_mock_get_user(struct vg_mock_user *user, void *data, size_t size)
{
	unsigned long addr = user->mem + PAGE_SIZE, left;

	kthread_use_mm(user->mm);
	left = copy_from_user(data, (void __user *)addr, size);
	kthread_unuse_mm(user->mm);
	KUNIT_ASSERT_EQ(user->host->test, 0, left);
}

/*
 * Objects
 */

struct drm_file *vg_mock_drm_file(struct vg_mock_user *user)
{
	return user->file->private_data;
}

/* The object behind @handle, which keeps it. */
struct virtio_gpu_object *vg_mock_bo(struct vg_mock_user *user, u32 handle)
{
	struct drm_gem_object *obj;

	obj = drm_gem_object_lookup(vg_mock_drm_file(user), handle);
	KUNIT_ASSERT_NOT_NULL(user->host->test, obj);
	drm_gem_object_put(obj);

	return gem_to_virtio_gpu_obj(obj);
}

/* What the host calls it. */
u32 vg_mock_id(struct vg_mock_user *user, u32 handle)
{
	return vg_mock_bo(user, handle)->hw_res_handle;
}

u32 vg_mock_ctx(struct vg_mock_user *user)
{
	struct virtio_gpu_fpriv *vfpriv = vg_mock_drm_file(user)->driver_priv;

	return vfpriv->ctx_id;
}

bool vg_mock_resident(struct vg_mock_user *user, u32 handle)
{
	return drm_virt_pm_object_resident(vg_mock_vpm(user->host),
					   &vg_mock_bo(user, handle)->pm.base);
}

/* The last fence of the object, with a reference; NULL for none. */
struct dma_fence *vg_mock_fence(struct vg_mock_user *user, u32 handle)
{
	struct dma_resv *resv = vg_mock_bo(user, handle)->base.base.resv;
	struct dma_fence *fence = NULL;

	dma_resv_lock(resv, NULL);
	KUNIT_EXPECT_EQ(user->host->test, 0,
			dma_resv_get_singleton(resv, DMA_RESV_USAGE_WRITE,
					       &fence));
	dma_resv_unlock(resv);

	return fence;
}

/* A fence of another device */
struct vg_mock_dma_fence {
	struct dma_fence base;
	spinlock_t lock;	/* of @base */
};

static const char *vg_mock_fence_name(struct dma_fence *fence)
{
	return "mock";
}

static const struct dma_fence_ops vg_mock_fence_ops = {
	.get_driver_name = vg_mock_fence_name,
	.get_timeline_name = vg_mock_fence_name,
};

static void vg_mock_end_fence(void *fence)
{
	dma_fence_signal(fence);
	dma_fence_put(fence);
}

/*
 * A fence on a buffer that is not signalled before the test ends, unless the
 * test does it. The reference is the test's.
 */
struct dma_fence *vg_mock_add_fence(struct vg_mock_user *user, u32 handle,
				    enum dma_resv_usage usage)
{
	struct dma_resv *resv = vg_mock_bo(user, handle)->base.base.resv;
	struct kunit *test = user->host->test;
	struct vg_mock_dma_fence *fence;

	/* freed with the last reference, which may outlive the test */
	fence = kzalloc(sizeof(*fence), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, fence);
	spin_lock_init(&fence->lock);
	dma_fence_init(&fence->base, &vg_mock_fence_ops, &fence->lock,
		       dma_fence_context_alloc(1), 1);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, vg_mock_end_fence,
							   &fence->base));

	dma_resv_lock(resv, NULL);
	KUNIT_EXPECT_EQ(test, 0, dma_resv_reserve_fences(resv, 1));
	dma_resv_add_fence(resv, &fence->base, usage);
	dma_resv_unlock(resv);

	return &fence->base;
}

/* Whether all work on a buffer is done. */
bool vg_mock_idle(struct vg_mock_user *user, u32 handle)
{
	return dma_resv_test_signaled(vg_mock_bo(user, handle)->base.base.resv,
				      DMA_RESV_USAGE_READ);
}

/* Whether every object of the device was freed. */
/* Number of objects with memory, also of those that nobody has any more. */
unsigned int vg_mock_num_objects(struct vg_mock_host *host)
{
	struct drm_vma_offset_manager *manager =
		vg_mock_drm(host)->vma_offset_manager;
	struct drm_mm_node *node;
	unsigned int num = 0;

	read_lock(&manager->vm_lock);
	drm_mm_for_each_node(node, &manager->vm_addr_space_mm)
		num++;
	read_unlock(&manager->vm_lock);

	return num;
}

bool vg_mock_no_objects(struct vg_mock_host *host)
{
	return !atomic_read(&vg_mock_vpm(host)->tracked) &&
	       !vg_mock_num_objects(host);
}

/* Write the first pixel of a buffer. */
void vg_mock_paint(struct vg_mock_user *user, u32 handle, u32 pixel)
{
	struct virtio_gpu_object *bo = vg_mock_bo(user, handle);

	*(u32 *)sg_virt(bo->base.sgt->sgl) = pixel;
}

/*
 * What programs do
 */

u32 vg_mock_dumb(struct vg_mock_user *user)
{
	struct drm_mode_create_dumb arg = {
		.width = VG_MOCK_SIDE,
		.height = VG_MOCK_SIDE,
		.bpp = 32,
	};
	struct drm_file *file = vg_mock_drm_file(user);
	int ret;

	/* not for render nodes, but the driver makes no difference */
	if (drm_is_render_client(file))
		ret = virtio_gpu_mode_dumb_create(file, file->minor->dev, &arg);
	else
		ret = vg_mock_ioctl(user, DRM_IOCTL_MODE_CREATE_DUMB, &arg);
	KUNIT_ASSERT_EQ(user->host->test, 0, ret);

	return arg.handle;
}

/* With a backing of another size than the picture */
u32 vg_mock_classic_of(struct vg_mock_user *user, u32 side, u32 size)
{
	struct drm_virtgpu_resource_create arg = {
		.target = 2,
		.format = VIRTIO_GPU_FORMAT_B8G8R8A8_UNORM,
		.width = side,
		.height = side,
		.depth = 1,
		.array_size = 1,
		.size = size,
	};

	KUNIT_ASSERT_EQ(user->host->test, 0,
			vg_mock_ioctl(user, DRM_IOCTL_VIRTGPU_RESOURCE_CREATE,
				      &arg));
	return arg.bo_handle;
}

/* Two-dimensional, or with a virgl device three-dimensional. */
u32 vg_mock_classic(struct vg_mock_user *user)
{
	return vg_mock_classic_of(user, VG_MOCK_SIDE,
				  VG_MOCK_SIDE * VG_MOCK_SIDE * 4);
}

u32 vg_mock_blob(struct vg_mock_user *user, u32 mem, u32 flags)
{
	struct drm_virtgpu_resource_create_blob arg = {
		.blob_mem = mem,
		.blob_flags = flags,
		.size = VG_MOCK_SIDE * VG_MOCK_SIDE * 4,
	};

	KUNIT_ASSERT_EQ(user->host->test, 0,
			vg_mock_ioctl(user,
				      DRM_IOCTL_VIRTGPU_RESOURCE_CREATE_BLOB,
				      &arg));
	return arg.bo_handle;
}

int vg_mock_gem_close(struct vg_mock_user *user, u32 handle)
{
	struct drm_gem_close arg = { .handle = handle };

	return vg_mock_ioctl(user, DRM_IOCTL_GEM_CLOSE, &arg);
}

int vg_mock_transfer(struct vg_mock_user *user, u32 handle)
{
	struct drm_virtgpu_3d_transfer_to_host arg = {
		.bo_handle = handle,
		.box = { .w = 1, .h = 1, .d = 1 },
	};

	return vg_mock_ioctl(user, DRM_IOCTL_VIRTGPU_TRANSFER_TO_HOST, &arg);
}

/* Ends with the file, unless vg_mock_close_fbs() is called. */
static int vg_mock_add_fb(struct vg_mock_user *user, u32 handle, u32 *id)
{
	struct drm_mode_fb_cmd2 arg = {
		.width = VG_MOCK_SIDE,
		.height = VG_MOCK_SIDE,
		.pixel_format = DRM_FORMAT_HOST_XRGB8888,
		.handles = { handle },
		.pitches = { VG_MOCK_SIDE * 4 },
	};
	int ret;

	ret = vg_mock_ioctl(user, DRM_IOCTL_MODE_ADDFB2, &arg);
	*id = arg.fb_id;

	return ret;
}

/* What is shown goes on being shown, and ends with that. */
void vg_mock_close_fbs(struct vg_mock_user *user)
{
	struct drm_file *file = vg_mock_drm_file(user);
	struct drm_mode_closefb arg = {};
	struct drm_framebuffer *fb;

	do {
		mutex_lock(&file->fbs_lock);
		fb = list_first_entry_or_null(&file->fbs, struct drm_framebuffer,
					      filp_head);
		arg.fb_id = fb ? fb->base.id : 0;
		mutex_unlock(&file->fbs_lock);
	} while (arg.fb_id && !vg_mock_ioctl(user, DRM_IOCTL_MODE_CLOSEFB, &arg));
}

static struct virtio_gpu_output *vg_mock_to_output(struct vg_mock_user *user,
						   unsigned int output)
{
	return &vg_mock_vgdev(user->host)->outputs[output];
}

/* Set a mode and show a buffer; 0 for none. */
int vg_mock_show(struct vg_mock_user *user, unsigned int output, u32 handle)
{
	u32 connector = vg_mock_to_output(user, output)->conn.base.id;
	struct drm_mode_crtc arg = {
		.crtc_id = vg_mock_to_output(user, output)->crtc.base.id,
		.mode = {
			.clock = user->clock,
			.hdisplay = VG_MOCK_SIDE,
			.hsync_start = VG_MOCK_SIDE + 8,
			.hsync_end = VG_MOCK_SIDE + 16,
			.htotal = VG_MOCK_SIDE + 24,
			.vdisplay = VG_MOCK_SIDE,
			.vsync_start = VG_MOCK_SIDE + 1,
			.vsync_end = VG_MOCK_SIDE + 2,
			.vtotal = VG_MOCK_SIDE + 3,
		},
	};
	int ret;

	if (handle) {
		ret = vg_mock_add_fb(user, handle, &arg.fb_id);
		if (ret)
			return ret;
		arg.mode_valid = 1;
		arg.count_connectors = 1;
		arg.set_connectors_ptr = vg_mock_put_user(user, &connector,
							  sizeof(connector));
	}

	return vg_mock_ioctl(user, DRM_IOCTL_MODE_SETCRTC, &arg);
}

int vg_mock_flip(struct vg_mock_user *user, unsigned int output, u32 handle)
{
	struct drm_mode_crtc_page_flip arg = {
		.crtc_id = vg_mock_to_output(user, output)->crtc.base.id,
	};
	unsigned long end = jiffies + 5 * HZ;
	int ret;

	ret = vg_mock_add_fb(user, handle, &arg.fb_id);
	if (ret)
		return ret;

	/* the one before may still be being shown */
	do {
		ret = vg_mock_ioctl(user, DRM_IOCTL_MODE_PAGE_FLIP, &arg);
		if (ret == -EBUSY)
			usleep_range(1000, 2000);
	} while (ret == -EBUSY && time_before(jiffies, end));

	return ret;
}

/* Switch the output on or off; its mode and its buffer stay set. */
int vg_mock_activate(struct vg_mock_user *user, unsigned int output, u64 active,
		     u32 flags)
{
	const struct {
		u64 value;
		u32 crtc, prop, num_props;
	} data = {
		.value = active,
		.crtc = vg_mock_to_output(user, output)->crtc.base.id,
		.prop = vg_mock_drm(user->host)->mode_config.prop_active->base.id,
		.num_props = 1,
	};
	struct drm_set_client_cap cap = {
		.capability = DRM_CLIENT_CAP_ATOMIC,
		.value = 1,
	};
	u64 addr = vg_mock_put_user(user, &data, sizeof(data));
	struct drm_mode_atomic arg = {
		.flags = flags | DRM_MODE_ATOMIC_ALLOW_MODESET,
		.count_objs = 1,
		.objs_ptr = addr + offsetof(typeof(data), crtc),
		.count_props_ptr = addr + offsetof(typeof(data), num_props),
		.props_ptr = addr + offsetof(typeof(data), prop),
		.prop_values_ptr = addr + offsetof(typeof(data), value),
	};
	int ret;

	ret = vg_mock_ioctl(user, DRM_IOCTL_SET_CLIENT_CAP, &cap);
	if (ret)
		return ret;

	return vg_mock_ioctl(user, DRM_IOCTL_MODE_ATOMIC, &arg);
}

/* The last commit, which may have ended; NULL for none. The caller puts it. */
struct drm_crtc_commit *vg_mock_last_commit(struct vg_mock_host *host,
					    unsigned int output)
{
	struct drm_crtc *crtc = &vg_mock_vgdev(host)->outputs[output].crtc;
	struct drm_crtc_commit *commit;

	drm_modeset_lock(&crtc->mutex, NULL);
	commit = crtc->state->commit;
	if (commit)
		drm_crtc_commit_get(commit);
	drm_modeset_unlock(&crtc->mutex);

	return commit;
}

/* What is shown has changed. */
int vg_mock_dirty(struct vg_mock_user *user, unsigned int output, u32 handle)
{
	struct drm_plane *plane = vg_mock_to_output(user, output)->crtc.primary;
	struct drm_mode_fb_dirty_cmd arg = {
		.fb_id = plane->state->fb->base.id,
	};

	return vg_mock_ioctl(user, DRM_IOCTL_MODE_DIRTYFB, &arg);
}

/* Show a cursor. */
int vg_mock_point(struct vg_mock_user *user, unsigned int output, u32 handle)
{
	struct drm_mode_cursor2 arg = {
		.flags = DRM_MODE_CURSOR_BO | DRM_MODE_CURSOR_MOVE,
		.crtc_id = vg_mock_to_output(user, output)->crtc.base.id,
		.width = VG_MOCK_SIDE,
		.height = VG_MOCK_SIDE,
		.handle = handle,
	};

	return vg_mock_ioctl(user, DRM_IOCTL_MODE_CURSOR2, &arg);
}

/* Submit 3D work; on ring 0 with %VIRTGPU_EXECBUF_RING_IDX. */
int vg_mock_submit(struct vg_mock_user *user, u32 handle, u32 flags)
{
	static const u32 data[] = { 0, 1, 2, 3 };
	u64 addr = vg_mock_put_user(user, data, sizeof(data));
	struct drm_virtgpu_execbuffer arg = {
		.flags = flags,
		.size = sizeof(data),
		.command = addr,
	};

	if (handle) {
		arg.num_bo_handles = 1;
		arg.bo_handles = vg_mock_put_user(user, &handle,
						  sizeof(handle));
	}

	return vg_mock_ioctl(user, DRM_IOCTL_VIRTGPU_EXECBUFFER, &arg);
}

static int vg_mock_set_context(struct vg_mock_user *user,
			       const struct drm_virtgpu_context_set_param *params,
			       unsigned int num)
{
	struct drm_virtgpu_context_init arg = {
		.num_params = num,
		.ctx_set_params = vg_mock_put_user(user, params,
						   num * sizeof(*params)),
	};

	return vg_mock_ioctl(user, DRM_IOCTL_VIRTGPU_CONTEXT_INIT, &arg);
}

/* A context with one ring whose fences are told by events. */
int vg_mock_context_init(struct vg_mock_user *user)
{
	const struct drm_virtgpu_context_set_param params[] = {
		{ VIRTGPU_CONTEXT_PARAM_NUM_RINGS, 1 },
		{ VIRTGPU_CONTEXT_PARAM_POLL_RINGS_MASK, 1 },
	};

	return vg_mock_set_context(user, params, ARRAY_SIZE(params));
}

/* A context of a proxy, which does not do 3D work. */
int vg_mock_cross_domain(struct vg_mock_user *user)
{
	const struct drm_virtgpu_context_set_param param = {
		VIRTGPU_CONTEXT_PARAM_CAPSET_ID, VG_MOCK_CROSS_DOMAIN
	};

	return vg_mock_set_context(user, &param, 1);
}

/* Ask for the first capability set; returns its first byte. */
int vg_mock_get_caps(struct vg_mock_user *user)
{
	u8 caps[VG_MOCK_CAPSET_SIZE] = {};
	struct drm_virtgpu_get_caps arg = {
		.cap_set_id = 1,
		.cap_set_ver = 1,
		.addr = vg_mock_put_user(user, caps, sizeof(caps)),
		.size = sizeof(caps),
	};
	int ret;

	ret = vg_mock_ioctl(user, DRM_IOCTL_VIRTGPU_GET_CAPS, &arg);
	if (ret)
		return ret;
	vg_mock_get_user(user, caps, sizeof(caps));

	return caps[0];
}

/* As the exporting ioctl does it, but for the file descriptor. */
struct dma_buf *vg_mock_export(struct vg_mock_user *user, u32 handle)
{
	struct dma_buf *buf;

	buf = virtgpu_gem_prime_export(&vg_mock_bo(user, handle)->base.base,
				       O_RDWR);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(user->host->test, buf);

	return buf;
}

void vg_mock_export_put(struct dma_buf *buf)
{
	__fput_sync(buf->file);
}

/*
 * Tasks
 */

static int vg_mock_task_main(void *data)
{
	struct vg_mock_task *task = data;

	task->ret = task->fn(task);
	complete_all(&task->done);

	/* until somebody has looked at the result */
	while (!kthread_should_stop())
		schedule_timeout_interruptible(1);
	return 0;
}

static void vg_mock_task_end(void *data)
{
	struct vg_mock_task *task = data;

	if (!try_wait_for_completion(&task->done)) {
		/* the test has failed: end whatever it waits for */
		vg_mock_let_go(task->user->host);
		if (!wait_for_completion_timeout(&task->done, 5 * HZ))
			vg_mock_remove(task->user->host);
		wait_for_completion(&task->done);
	}
	kthread_stop(task->thread);
	put_task_struct(task->thread);
}

struct vg_mock_task *vg_mock_task_start(struct vg_mock_user *user,
					int (*fn)(struct vg_mock_task *task),
					u32 handle, void *arg)
{
	struct kunit *test = user->host->test;
	struct vg_mock_task *task;

	task = kunit_kzalloc(test, sizeof(*task), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, task);
	task->user = user;
	task->fn = fn;
	task->handle = handle;
	task->arg = arg;
	init_completion(&task->done);

	task->thread = kthread_create(vg_mock_task_main, task, "virtgpu-mock-task");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, task->thread);
	get_task_struct(task->thread);
	wake_up_process(task->thread);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, vg_mock_task_end,
							   task));

	return task;
}

/* Wait for the end of a task that was told to end. */
int vg_mock_task_result(struct vg_mock_task *task)
{
	struct kunit *test = task->user->host->test;

	KUNIT_ASSERT_NE_MSG(test, 0,
			    wait_for_completion_timeout(&task->done, 30 * HZ),
			    "a task does not end");
	return task->ret;
}

/* The task is gone, and @task->thread with it. */
void vg_mock_task_stop(struct vg_mock_task *task)
{
	kunit_release_action(task->user->host->test, vg_mock_task_end, task);
}

bool vg_mock_task_runs(struct vg_mock_task *task)
{
	return !completion_done(&task->done);
}

/* Whether it has come to where it can only wait. */
bool vg_mock_task_sleeps(struct vg_mock_task *task)
{
	return vg_mock_task_runs(task) &&
	       READ_ONCE(task->thread->__state) != TASK_RUNNING;
}
