/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef VIRTGPU_MOCK_H
#define VIRTGPU_MOCK_H

#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/device.h>
#include <linux/dma-resv.h>
#include <linux/jiffies.h>
#include <linux/mutex.h>
#include <linux/virtio.h>
#include <linux/virtio_gpu.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>

#include <kunit/test.h>

#include "../virtgpu_drv.h"

struct dma_buf;
struct dma_fence;
struct vg_model;
struct file;
struct mm_struct;
struct task_struct;

/**
 * DOC: mock host
 *
 * A virtio-gpu device whose other side is test code. The driver under test is
 * the real one, bound by the virtio bus; the rings are real split rings that a
 * work of the host reads and answers. What the host is told goes into its own
 * table of resources and contexts and into a log, so that the tests can compare
 * what the driver believes with what the host knows.
 *
 * The host objects to commands that name what it does not know: the first
 * objection is kept and fails the test. It serves the cursor queue first, as
 * the queues are not ordered against each other.
 *
 * The host holds a reference to the first page of each backing, also of one that
 * a command in the ring brings. It objects if the guest has freed the page while
 * the host could still access it. It objects as well if the queues are deleted
 * twice.
 *
 * Faults are chosen by the test: the host answers nothing, one queue only, one
 * command late or with an error, or each just in time; it refuses the features or
 * has no queues when the device is restored; a reset does not take, or does not
 * make it forget its resources.
 *
 * What the mock does not have: a renderer unless a test asks for the model of one,
 * contents beyond one pixel without it, memory
 * behind its host-visible window, and a transport. The tests are the transport:
 * they call virtio_device_freeze() and virtio_device_restore().
 */

#define VG_MOCK_LOG_SIZE	16384

/* The size of a capability set */
#define VG_MOCK_CAPSET_SIZE	64

/* The id of the second capability set */
#define VG_MOCK_CROSS_DOMAIN	5

/**
 * struct vg_mock_setup - what a host offers
 */
struct vg_mock_setup {
	/** @name: For the name of the parametrised test. */
	const char *name;

	/** @features: Bits of VIRTIO_GPU_F_*; the transport's are added. */
	u64 features;

	/** @num_scanouts: Number of outputs. */
	unsigned int num_scanouts;

	/** @num_capsets: Number of capability sets. */
	unsigned int num_capsets;

	/** @ring_size: Entries of a ring; 0 for 256. */
	unsigned int ring_size;

	/** @ring_max: What the transport says it could be; 0 for @ring_size. */
	unsigned int ring_max;

	/** @no_indirect: Without indirect descriptors. */
	bool no_indirect;

	/** @dma_api: Addresses are those of the DMA API. */
	bool dma_api;

	/** @hostmem: With a window of host-visible memory. */
	bool hostmem;
};

/* What the host does with a command. */
enum vg_mock_answer {
	VG_MOCK_NORMAL,
	VG_MOCK_ERROR,		/* does not do it and says so */
	VG_MOCK_LATE,		/* does it, and answers when the test says so */
	VG_MOCK_UNKNOWN,	/* does not do it, and says that it does not know the id */
	VG_MOCK_TWICE,		/* does it, and answers twice */
};

/**
 * struct vg_mock_fault - a command that is answered in another way
 */
struct vg_mock_fault {
	/** @type: The command, VIRTIO_GPU_CMD_*. */
	u32 type;

	/** @id: Of this resource or context; 0 for any. */
	u32 id;

	/** @answer: What is done. */
	enum vg_mock_answer answer;
};

/**
 * struct vg_mock_page - a page of the guest that the host may access
 */
struct vg_mock_page {
	/** @page: The page, with a reference; NULL for none. */
	struct page *page;

	/** @addr: Its address. */
	u64 addr;

	/** @shmem: It belonged to a file. */
	bool shmem;
};

/**
 * struct vg_mock_resource - a resource as the host knows it
 */
struct vg_mock_resource {
	/** @create: The command that created it. */
	u32 create;

	/** @old: It was created before the last reset, which it outlived. */
	bool old;

	/** @page: The first page of its backing. */
	struct vg_mock_page page;

	/** @backing: It has guest memory. */
	bool backing;

	/** @addr: Where that begins. */
	u64 addr;

	/** @uploads: Number of transfers to the host. */
	unsigned int uploads;

	/** @width: Width of the last of them. */
	u32 width;

	/** @height: Height of the last of them. */
	u32 height;

	/** @pixel: What the last of them brought. */
	u32 pixel;

	/** @uuid: The last one assigned, 0 for none. */
	u8 uuid;

	/** @mapped: It is in the host-visible window. */
	bool mapped;
};

/**
 * struct vg_mock_queue - the host's end of a queue
 */
struct vg_mock_queue {
	/** @vq: The guest's end, NULL while there is none. */
	struct virtqueue *vq;

	/** @next: Where to look for the next command. */
	u16 next;

	/** @end: Up to where there are commands that the host was notified of. */
	u16 end;

	/** @notified: There may be more of these. */
	bool notified;

	/** @peeked: Up to where the host has looked at commands it did not take. */
	u16 peeked;

	/** @hold: Nothing is taken from the queue. */
	bool hold;

	/** @late: Commands that were done and not answered. */
	struct {
		/** @late.head: Their descriptors. */
		u16 head;

		/** @late.len: The length of the answer. */
		u32 len;
	} late[16];

	/** @num_late: Number of them. */
	unsigned int num_late;
};

enum { VG_MOCK_CTRL, VG_MOCK_CURSOR, VG_MOCK_QUEUES };

/**
 * struct vg_mock_host - the host
 */
struct vg_mock_host {
	/** @vdev: What the driver is bound to. */
	struct virtio_device vdev;

	/** @test: The test that it belongs to. */
	struct kunit *test;

	/** @dev: The parent, which the PM core would suspend. */
	struct device *dev;

	/** @dma_parms: Of @dev. */
	struct device_dma_parameters dma_parms;

	/** @setup: What it offers. */
	struct vg_mock_setup setup;

	/** @config: The configuration space. */
	struct virtio_gpu_config config;

	/** @status: The device status. */
	u8 status;

	/** @present: It is registered. */
	bool present;

	/** @released: Nobody holds the DRM device any more. */
	bool released;

	/** @outputs: What it tells of its outputs. */
	struct virtio_gpu_display_one outputs[VIRTIO_GPU_MAX_SCANOUTS];

	/** @monitor: Serial number of the monitors. */
	u8 monitor;

	/** @refuse_features: FEATURES_OK does not stick. */
	bool refuse_features;

	/** @lacks: Features that it does not offer any more. */
	u64 lacks;

	/** @finalize_ret: What the negotiation of features returns. */
	int finalize_ret;

	/** @find_vqs_ret: What setting up the queues returns. */
	int find_vqs_ret;

	/** @in_config_get: Called when the configuration space is read. */
	void (*in_config_get)(struct vg_mock_host *host);

	/** @fail_once: Each error of these three happens once. */
	bool fail_once;

	/** @ignore_reset: A reset does not take. */
	bool ignore_reset;

	/** @keeps_resources: A reset does not make it forget resources. */
	bool keeps_resources;

	/** @says_exists: How it refuses to create what it has; 0 for the usual error. */
	u32 says_exists;

	/** @kept_resources: It did so once. */
	bool kept_resources;

	/** @has_vqs: The queues are set up. */
	bool has_vqs;

	/** @deleted_in_use: Queues were deleted without a reset. */
	bool deleted_in_use;

	/** @pace_ms: How long it takes for each answer. */
	unsigned int pace_ms;

	/** @capset: What its capability sets contain. */
	u8 capset;

	/** @notifications: Of the control queue, since vg_mock_forget_log(). */
	atomic_t notifications;

	/** @in_reset: Called when the device is reset, before it forgets. */
	void (*in_reset)(struct vg_mock_host *host);

	/** @in_command: Called before a command is looked at, @lock is held. */
	void (*in_command)(struct vg_mock_host *host, u32 type);

	/** @lock: Protects what follows. */
	struct mutex lock;

	/** @fault: What goes wrong. */
	struct vg_mock_fault fault[4];

	/** @queue: The queues. */
	struct vg_mock_queue queue[VG_MOCK_QUEUES];

	/** @resources: What it knows. */
	struct xarray resources;

	/** @refused: Ids of resources that it was told to refuse. */
	struct xarray refused;

	/** @contexts: What it knows, each an array of attached resources. */
	struct xarray contexts;

	/**
	 * @renders: It has a renderer: 3D resources have content, and contexts
	 * carry out what is submitted. Set before the device is plugged in.
	 */
	bool renders;

	/** @reads_nothing: It does not read from resources, and does not say so. */
	bool reads_nothing;

	/** @kills: A context that is in error whatever is submitted; 0 for none. */
	u32 kills;

	/** @textures: Content of 3D resources. */
	struct xarray textures;

	/** @models: Of contexts. */
	struct xarray models;

	/** @promises: Commands in the rings that give memory to a resource. */
	struct list_head promises;

	/** @num_resources: Number of @resources, without the old ones. */
	unsigned int num_resources;

	/** @num_errors: Number of commands that it refused by itself. */
	unsigned int num_errors;

	/** @num_contexts: Number of @contexts. */
	unsigned int num_contexts;

	/** @shown: What each output shows. */
	unsigned int shown[VIRTIO_GPU_MAX_SCANOUTS];

	/** @cursor: What each cursor shows. */
	unsigned int cursor[VIRTIO_GPU_MAX_SCANOUTS];

	/** @uuids: Number of UUIDs assigned since it exists. */
	u8 uuids;

	/** @resets: Number of resets. */
	unsigned int resets;

	/** @log: What it was told. */
	struct {
		/** @log.type: The command. */
		u16 type;

		/** @log.id: The resource or context. */
		u32 id;
	} *log;

	/** @num_log: Number of them. */
	unsigned int num_log;

	/** @objection: What it objected to first. */
	char objection[96];

	/** @wq: Where it runs. */
	struct workqueue_struct *wq;

	/** @work: What it does. */
	struct work_struct work;
};

struct vg_mock_host *vg_mock_alloc(struct kunit *test, const char *name,
				   const struct vg_mock_setup *setup);
bool vg_mock_plug(struct vg_mock_host *host);
struct vg_mock_host *vg_mock_start(struct vg_mock_host *host);
struct vg_mock_host *vg_mock_create(struct kunit *test, const char *name,
				    const struct vg_mock_setup *setup);
void vg_mock_remove(struct vg_mock_host *host);
void vg_mock_destroy(struct vg_mock_host *host);
void vg_mock_hold(struct vg_mock_host *host, bool hold);
void vg_mock_hold_queue(struct vg_mock_host *host, unsigned int queue,
			bool hold);
void vg_mock_fault(struct vg_mock_host *host, u32 type, u32 id,
		   enum vg_mock_answer answer);
void vg_mock_answer_late(struct vg_mock_host *host);
void vg_mock_let_go(struct vg_mock_host *host);
void vg_mock_config_changed(struct vg_mock_host *host);
void vg_mock_set_outputs(struct vg_mock_host *host, unsigned int count);

/* sleep, as the PM core and the transport do it */
int vg_mock_freeze(struct vg_mock_host *host);
int vg_mock_restore(struct vg_mock_host *host);
int vg_mock_restore_bus(struct vg_mock_host *host);
void vg_mock_resume_elsewhere(struct vg_mock_host *host);
void vg_mock_reset_prepare(struct vg_mock_host *host);
int vg_mock_reset_done(struct vg_mock_host *host);
void vg_mock_run_later(struct vg_mock_host *host);
void vg_mock_transition(struct vg_mock_host *host, unsigned long event);
void vg_mock_set_stall_ms(unsigned int ms);

/* looking */
bool vg_mock_try_settle(struct vg_mock_host *host);
void vg_mock_settle(struct vg_mock_host *host);
bool vg_mock_served(struct vg_mock_host *host);
void vg_mock_forget_log(struct vg_mock_host *host);
unsigned int vg_mock_waiting(struct vg_mock_host *host);
unsigned int vg_mock_count(struct vg_mock_host *host, u32 type);
unsigned int vg_mock_count_of(struct vg_mock_host *host, u32 type, u32 id);
unsigned int vg_mock_creations(struct vg_mock_host *host, u32 id);
const char *vg_mock_disagreement(struct vg_mock_host *host);
void vg_mock_check(struct vg_mock_host *host);
bool vg_mock_knows(struct vg_mock_host *host, u32 id);
struct vg_mock_resource *vg_mock_resource(struct vg_mock_host *host, u32 id);
bool vg_mock_attached(struct vg_mock_host *host, u32 ctx, u32 id);

/* the renderer */
#if IS_ENABLED(CONFIG_DRM_VIRTIO_GPU_VIRGL_RESTORE)
void vg_mock_render(struct vg_mock_host *host, const void *cmd, const void *data,
		    u32 data_size);
void vg_mock_render_nothing(struct vg_mock_host *host);
struct vg_model *vg_mock_model(struct vg_mock_host *host, u32 ctx);
void *vg_mock_content(struct vg_mock_host *host, u32 id, u32 *bytes);
#else
static inline void vg_mock_render(struct vg_mock_host *host, const void *cmd,
				  const void *data, u32 data_size)
{
}

static inline void vg_mock_render_nothing(struct vg_mock_host *host)
{
}
#endif

static inline struct vg_mock_host *to_vg_mock(struct virtio_device *vdev)
{
	return container_of(vdev, struct vg_mock_host, vdev);
}

static inline struct drm_device *vg_mock_drm(struct vg_mock_host *host)
{
	return host->vdev.priv;
}

static inline struct virtio_gpu_device *vg_mock_vgdev(struct vg_mock_host *host)
{
	return vg_mock_drm(host)->dev_private;
}

static inline struct drm_virt_pm *vg_mock_vpm(struct vg_mock_host *host)
{
	return &vg_mock_vgdev(host)->pm.base;
}

/* Wait for what the test has brought about; the limit only ends a hang. */
#define VG_MOCK_AWAIT(test__, cond__)					\
do {									\
	unsigned long end__ = jiffies + 20 * HZ;			\
	bool met__;							\
									\
	for (;;) {							\
		met__ = (cond__);					\
		if (met__ || time_after(jiffies, end__))		\
			break;						\
		usleep_range(1000, 2000);				\
	}								\
	KUNIT_ASSERT_TRUE_MSG(test__, met__, "waited for " #cond__);	\
} while (0)

/**
 * struct vg_mock_user - a program that has the device open
 *
 * It has memory of its own and makes real ioctls.
 */
struct vg_mock_user {
	/** @host: The device. */
	struct vg_mock_host *host;

	/** @file: The open file; NULL when it was closed. */
	struct file *file;

	/** @mm: Its memory. */
	struct mm_struct *mm;

	/** @mem: Address of its memory. */
	unsigned long mem;

	/** @slot: Which part of that the next call may use. */
	atomic_t slot;

	/** @clock: Pixel clock of the modes that it sets, in kHz. */
	unsigned int clock;
};

struct vg_mock_user *vg_mock_open(struct vg_mock_host *host, bool render);
void vg_mock_close(struct vg_mock_user *user);
void vg_mock_exit(struct vg_mock_user *user);
int vg_mock_ioctl(struct vg_mock_user *user, unsigned int cmd, void *arg);
ssize_t vg_mock_read(struct vg_mock_user *user, void *data, size_t size);
unsigned long vg_mock_mmap(struct vg_mock_user *user, struct file *file,
			   unsigned long size, unsigned long prot,
			   unsigned long flags, unsigned long offset);
u64 vg_mock_put_user(struct vg_mock_user *user, const void *data, size_t size);
void vg_mock_get_user(struct vg_mock_user *user, void *data, size_t size);
struct drm_file *vg_mock_drm_file(struct vg_mock_user *user);
struct virtio_gpu_object *vg_mock_bo(struct vg_mock_user *user, u32 handle);
u32 vg_mock_id(struct vg_mock_user *user, u32 handle);
u32 vg_mock_ctx(struct vg_mock_user *user);
bool vg_mock_resident(struct vg_mock_user *user, u32 handle);
struct dma_fence *vg_mock_fence(struct vg_mock_user *user, u32 handle);
struct dma_fence *vg_mock_add_fence(struct vg_mock_user *user, u32 handle,
				    enum dma_resv_usage usage);
bool vg_mock_idle(struct vg_mock_user *user, u32 handle);
unsigned int vg_mock_num_objects(struct vg_mock_host *host);
bool vg_mock_no_objects(struct vg_mock_host *host);
void vg_mock_paint(struct vg_mock_user *user, u32 handle, u32 pixel);

/* what programs do; these return a handle or fail the test */
u32 vg_mock_dumb(struct vg_mock_user *user);
u32 vg_mock_classic(struct vg_mock_user *user);
u32 vg_mock_classic_of(struct vg_mock_user *user, u32 side, u32 size);
u32 vg_mock_blob(struct vg_mock_user *user, u32 mem, u32 flags);

/* and these an errno */
int vg_mock_gem_close(struct vg_mock_user *user, u32 handle);
int vg_mock_transfer(struct vg_mock_user *user, u32 handle);
void vg_mock_close_fbs(struct vg_mock_user *user);
int vg_mock_show(struct vg_mock_user *user, unsigned int output, u32 handle);
int vg_mock_flip(struct vg_mock_user *user, unsigned int output, u32 handle);
int vg_mock_activate(struct vg_mock_user *user, unsigned int output, u64 active,
		     u32 flags);
struct drm_crtc_commit *vg_mock_last_commit(struct vg_mock_host *host,
					    unsigned int output);
int vg_mock_dirty(struct vg_mock_user *user, unsigned int output, u32 handle);
int vg_mock_point(struct vg_mock_user *user, unsigned int output, u32 handle);
int vg_mock_submit(struct vg_mock_user *user, u32 handle, u32 flags);
int vg_mock_context_init(struct vg_mock_user *user);
int vg_mock_cross_domain(struct vg_mock_user *user);
int vg_mock_get_caps(struct vg_mock_user *user);
struct dma_buf *vg_mock_export(struct vg_mock_user *user, u32 handle);
void vg_mock_export_put(struct dma_buf *buf);

/* Side of the square that all buffers of the mock users have. */
#define VG_MOCK_SIDE	64

/**
 * struct vg_mock_task - a task of a program
 *
 * Ends before the device does, also when the test fails.
 */
struct vg_mock_task {
	/** @user: The program. */
	struct vg_mock_user *user;

	/** @fn: What it does. */
	int (*fn)(struct vg_mock_task *task);

	/** @handle: On this object. */
	u32 handle;

	/** @arg: For @fn. */
	void *arg;

	/** @calls: How far it is. */
	atomic_t calls;

	/** @ret: What @fn returned. */
	int ret;

	/** @done: Completed after @fn has returned. */
	struct completion done;

	/** @thread: The task. */
	struct task_struct *thread;
};

struct vg_mock_task *vg_mock_task_start(struct vg_mock_user *user,
					int (*fn)(struct vg_mock_task *task),
					u32 handle, void *arg);
int vg_mock_task_result(struct vg_mock_task *task);
void vg_mock_task_stop(struct vg_mock_task *task);
bool vg_mock_task_runs(struct vg_mock_task *task);
bool vg_mock_task_sleeps(struct vg_mock_task *task);

/* allocations that fail; more of them than any call of the driver has */
#define VG_MOCK_MAX_ALLOCATIONS	2000

#if IS_ENABLED(CONFIG_FAILSLAB)
void vg_mock_init_failures(struct vg_mock_user *user);
void vg_mock_fail_nth(unsigned int n);
bool vg_mock_failed(void);
bool vg_mock_stop_failing(struct task_struct *task);
#else
static inline void vg_mock_init_failures(struct vg_mock_user *user)
{
	kunit_skip(user->host->test, "needs CONFIG_FAILSLAB");
}

static inline void vg_mock_fail_nth(unsigned int n)
{
}

static inline bool vg_mock_failed(void)
{
	return false;
}

static inline bool vg_mock_stop_failing(struct task_struct *task)
{
	return true;
}
#endif

#endif
