// SPDX-License-Identifier: GPL-2.0 OR MIT

#include <linux/device.h>
#include <linux/dma-buf.h>
#include <linux/freezer.h>
#include <linux/pci.h>
#include <linux/pm_runtime.h>

#include <drm/drm_drv.h>
#include <drm/drm_managed.h>

#include "amdgpu.h"
#include "amdgpu_dma_buf.h"
#include "amdgpu_virt_pm.h"
#include "amdgpu_xcp.h"

/**
 * DOC: amdgpu
 *
 * A GPU that was passed through to a virtual machine, as a physical function or
 * as a virtual one, is another device after a hibernation: VRAM, page tables,
 * the partition mode and the interrupt set-up are gone. amdgpu rebuilds them in
 * an order of its own, in phases that a GPU reset shares, so this file does not
 * own the order: it watches it. The points are *milestones* of the library, and
 * at some of them something is done that belongs there:
 *
 * identity
 *	The device is the one that was suspended, physical or virtual function
 *	as before, and its interrupts are routed.
 * memory
 *	The GART is up, and the hubs acknowledged their invalidations.
 * fault-interrupt
 *	Page faults of every hub are reported, before the firmware is loaded,
 *	which makes the first access to GPU memory.
 * firmware
 *	Firmware is loaded.
 * partition
 *	The compute partition mode was restored, and the device says so.
 * engines
 *	Queues of the kernel passed their ring tests.
 * clients
 *	KFD and user queues run again.
 *
 * Whatever fails makes the GPU *lost*: it is not touched any more, ioctls get
 * -ENODEV, and the rest of the system, other GPUs and their KFD included, lives.
 *
 * All this is for GPUs with GMC 9 and compute partitions (MI300) in a virtual
 * machine, and for sleep states of the system: on other devices, in runtime PM,
 * vga_switcheroo, s0ix and GPU resets every function here does nothing.
 */

enum milestone {
	IDENTITY,
	MEMORY,
	FAULT_INTERRUPT,
	FIRMWARE,
	PARTITION,
	ENGINES,
	CLIENTS,
};

static const char * const milestones[] = {
	[IDENTITY] = "identity",
	[MEMORY] = "memory",
	[FAULT_INTERRUPT] = "fault-interrupt",
	[FIRMWARE] = "firmware",
	[PARTITION] = "partition",
	[ENGINES] = "engines",
	[CLIENTS] = "clients",
};

/* KFD is one device node for all GPUs: its users wait while any is suspended. */
static atomic_t gpus_down = ATOMIC_INIT(0);
static DECLARE_WAIT_QUEUE_HEAD(gpus_down_wait);

static struct amdgpu_virt_pm *to_virt_pm(struct drm_virt_pm *base)
{
	return container_of(base, struct amdgpu_virt_pm, base);
}

static void count_down(struct amdgpu_virt_pm *pm, bool down)
{
	if (pm->counted == down)
		return;

	pm->counted = down;
	if (down)
		atomic_inc(&gpus_down);
	else if (atomic_dec_and_test(&gpus_down))
		wake_up_all(&gpus_down_wait);
}

/*
 * A GPU is given up. Nothing touches it from here on; what waits for it gets an
 * error, and what it holds of others is given back. Its IP blocks count as down,
 * so that unbinding does not take down what never came up.
 */
static void abandon(struct amdgpu_virt_pm *pm)
{
	struct amdgpu_device *adev = pm->adev;
	int i;

	if (pm->abandoned)
		return;
	pm->abandoned = true;

	adev->no_hw_access = true;
	/* nor is there anything to suspend, until it is unbound */
	pm_runtime_get_noresume(adev->dev);
	/* sysfs of power management turns away who comes during a suspend */
	adev->in_suspend = true;

	for (i = 0; i < AMDGPU_MAX_RINGS; i++) {
		struct amdgpu_ring *ring = adev->rings[i];

		if (ring && ring->fence_drv.initialized)
			amdgpu_fence_driver_force_completion(ring, NULL);
	}
	amdgpu_ttm_disable_buffer_funcs(adev);

	for (i = 0; i < adev->num_ip_blocks; i++)
		adev->ip_blocks[i].status.hw = false;

	if (adev->kfd.dev)
		kgd2kfd_abandon(adev->kfd.dev);
	count_down(pm, false);
}

static void lose(struct amdgpu_virt_pm *pm, const char *reason)
{
	abandon(pm);
	drm_virt_pm_device_lost(&pm->base, reason);
}

/*
 * The sequence is one step; amdgpu owns what is inside
 */

static int gpu_down(struct drm_virt_pm *base)
{
	struct amdgpu_virt_pm *pm = to_virt_pm(base);
	struct amdgpu_device *adev = pm->adev;
	struct amdgpu_irq_src *fault = &adev->gmc.vm_fault;
	int r;

	r = pm->suspend(base->drm, true);
	if (r) {
		/* who undid everything has also said so */
		if (adev->in_suspend)
			lose(pm, "suspend failed half-way");
		return r;
	}

	/*
	 * The GMC of a virtual function may not touch its registers when it is
	 * taken down, and keeps its reference. The one of the resume would be
	 * the second then, which programs nothing.
	 */
	if (amdgpu_sriov_vf(adev) && fault->enabled_types)
		atomic_dec_if_positive(&fault->enabled_types[0]);

	/* user space is frozen: nobody to wait for */
	drm_virt_pm_gate_close(base, 0);
	count_down(pm, true);
	drm_virt_pm_device_reset(base);
	return 0;
}

static int gpu_up(struct drm_virt_pm *base)
{
	struct amdgpu_virt_pm *pm = to_virt_pm(base);
	char reason[64];
	int r;

	WRITE_ONCE(pm->trouble, NULL);
	drm_virt_pm_milestones_begin(base);
	r = pm->resume(base->drm, true);
	if (!r)
		r = drm_virt_pm_milestone_require(base, CLIENTS);
	drm_virt_pm_milestones_end(base);

	if (r) {
		snprintf(reason, sizeof(reason), "%s (%d)",
			 READ_ONCE(pm->trouble) ?: "resume failed", r);
		lose(pm, reason);
		return r;
	}

	drm_virt_pm_gate_open(base);
	count_down(pm, false);
	return 0;
}

static const struct drm_virt_pm_step steps[] = {
	{ .name = "gpu", .up = gpu_up, .down = gpu_down },
};

static int resume_deferred(struct drm_virt_pm *base)
{
	/* a thaw for other reasons has resumed it already */
	if (!to_virt_pm(base)->adev->in_suspend)
		return 0;

	return drm_virt_pm_resume(base);
}

static void lost(struct drm_virt_pm *base)
{
	struct amdgpu_virt_pm *pm = to_virt_pm(base);
	struct amdgpu_xcp_mgr *xcp_mgr = pm->adev->xcp_mgr;
	int i;

	/* the library may have given it up by itself */
	abandon(pm);

	/* the first partition is the device itself */
	for (i = 1; i < MAX_XCP && xcp_mgr->xcp[i].ddev; i++)
		drm_dev_unplug(xcp_mgr->xcp[i].ddev);
	drm_dev_unplug(base->drm);
}

static bool owns(struct drm_virt_pm *base, struct dma_buf *buf)
{
	struct drm_gem_object *obj = buf->priv;

	return buf->ops == &amdgpu_dmabuf_ops && obj->dev == base->drm;
}

static const struct drm_virt_pm_ops virt_pm_ops = {
	.resume_deferred = resume_deferred,
	.lost = lost,
	.owns = owns,
};

/*
 * PM callbacks
 */

/* Whether a system suspend or resume of @ddev goes through the library. */
static bool is_ours(struct drm_device *ddev)
{
	struct amdgpu_device *adev = drm_to_adev(ddev);

	return adev->virt_pm && !adev->in_s0ix &&
	       ddev->switch_power_state != DRM_SWITCH_POWER_OFF;
}

/**
 * amdgpu_virt_pm_suspend - suspend for a sleep state of the system
 * @ddev: the device
 *
 * Context: PM callback: suspend, freeze or poweroff.
 *
 * Return: 0, also for a GPU that is down or lost; the error of
 * amdgpu_device_suspend().
 */
int amdgpu_virt_pm_suspend(struct drm_device *ddev)
{
	if (!is_ours(ddev))
		return amdgpu_device_suspend(ddev, true);

	return drm_virt_pm_suspend(&drm_to_adev(ddev)->virt_pm->base);
}

/**
 * amdgpu_virt_pm_resume - resume from a sleep state of the system
 * @ddev: the device
 *
 * Context: PM callback: resume, thaw or restore.
 *
 * Return: 0, also for a GPU that is up or was lost before; the error of the
 * point that failed, and the GPU is lost.
 */
int amdgpu_virt_pm_resume(struct drm_device *ddev)
{
	if (!is_ours(ddev))
		return amdgpu_device_resume(ddev, true);

	return drm_virt_pm_resume(&drm_to_adev(ddev)->virt_pm->base);
}

/**
 * amdgpu_virt_pm_resume_later - the GPU is suspended, and nobody may resume it
 * @ddev: the device
 *
 * For a thaw that is skipped because the system is about to be powered off, and
 * for a freeze that fails after the GPU was suspended. If the system goes on,
 * the GPU is resumed when tasks run again.
 *
 * Context: PM callback: thaw or freeze.
 *
 * Return: 0
 */
int amdgpu_virt_pm_resume_later(struct drm_device *ddev)
{
	struct amdgpu_device *adev = drm_to_adev(ddev);

	if (amdgpu_virt_pm_is_down(adev) && !amdgpu_virt_pm_is_lost(adev))
		drm_virt_pm_defer_resume(&adev->virt_pm->base);

	return 0;
}

/**
 * amdgpu_virt_pm_poweroff_skipped - the GPU is suspended already
 * @ddev: the device
 *
 * From here on the PM core resumes it, if anybody.
 *
 * Context: PM callback: poweroff.
 *
 * Return: 0
 */
int amdgpu_virt_pm_poweroff_skipped(struct drm_device *ddev)
{
	struct amdgpu_device *adev = drm_to_adev(ddev);

	if (!adev->virt_pm)
		return 0;

	drm_virt_pm_cancel_deferred(&adev->virt_pm->base);
	return drm_virt_pm_suspend(&adev->virt_pm->base);
}

/**
 * amdgpu_virt_pm_is_down - whether the GPU must not be used
 * @adev: the device
 *
 * Context: Any context.
 *
 * Return: true if a sleep state of the system has suspended it or if it is lost.
 */
bool amdgpu_virt_pm_is_down(struct amdgpu_device *adev)
{
	enum drm_virt_pm_state state;

	if (!adev->virt_pm)
		return false;

	state = READ_ONCE(adev->virt_pm->base.state);
	return state == DRM_VIRT_PM_DOWN || state == DRM_VIRT_PM_LOST;
}

/**
 * amdgpu_virt_pm_is_lost - whether the GPU was given up
 * @adev: the device
 *
 * Context: Any context.
 *
 * Return: true if it was.
 */
bool amdgpu_virt_pm_is_lost(struct amdgpu_device *adev)
{
	return adev->virt_pm && drm_virt_pm_is_lost(&adev->virt_pm->base);
}

/*
 * Points of a resume. Outside of gpu_up() they do nothing.
 */

static bool is_resuming(struct amdgpu_device *adev)
{
	return adev->virt_pm && adev->virt_pm->base.milestones.active;
}

/**
 * amdgpu_virt_pm_trouble - something failed where no error can be returned
 * @adev: the device
 * @what: what it was, a string literal
 *
 * Makes the next point of the resume that is running fail.
 *
 * Context: Any context.
 */
void amdgpu_virt_pm_trouble(struct amdgpu_device *adev, const char *what)
{
	if (is_resuming(adev))
		WRITE_ONCE(adev->virt_pm->trouble, what);
}

static int reach(struct amdgpu_device *adev, enum milestone milestone)
{
	if (READ_ONCE(adev->virt_pm->trouble))
		return -EIO;

	return drm_virt_pm_milestone_reach(&adev->virt_pm->base, milestone);
}

static int fail(struct amdgpu_device *adev, const char *what, int err)
{
	amdgpu_virt_pm_trouble(adev, what);
	return err;
}

/* Whether interrupts are still signalled as they were set up. */
static bool interrupts_routed(struct pci_dev *pdev)
{
	u16 control = 0;

	if (pdev->msix_enabled) {
		pci_read_config_word(pdev, pdev->msix_cap + PCI_MSIX_FLAGS,
				     &control);
		return control & PCI_MSIX_FLAGS_ENABLE;
	}
	if (pdev->msi_enabled) {
		pci_read_config_word(pdev, pdev->msi_cap + PCI_MSI_FLAGS,
				     &control);
		return control & PCI_MSI_FLAGS_ENABLE;
	}

	return true;
}

/**
 * amdgpu_virt_pm_identify - check that this is the device that was suspended
 * @adev: the device
 *
 * A virtual function has another device ID than a physical one.
 *
 * Context: PM callback, before the first access to a register.
 *
 * Return: 0; -ENODEV for another device or none; -ENXIO without interrupts;
 * -EPROTO out of order.
 */
int amdgpu_virt_pm_identify(struct amdgpu_device *adev)
{
	struct pci_dev *pdev = adev->pdev;
	u32 id = 0;
	u8 revision = 0;

	if (!is_resuming(adev))
		return 0;

	pci_read_config_dword(pdev, PCI_VENDOR_ID, &id);
	pci_read_config_byte(pdev, PCI_REVISION_ID, &revision);
	if (id != (pdev->vendor | (u32)pdev->device << 16) ||
	    revision != pdev->revision)
		return fail(adev, "not the device that was suspended", -ENODEV);
	if (!interrupts_routed(pdev))
		return fail(adev, "its interrupts are disabled", -ENXIO);

	return reach(adev, IDENTITY);
}

/*
 * As if somebody had taken the first reference, but without taking it:
 * GMC's late_init takes its own, and hw_fini drops only that one.
 */
static int arm_fault_interrupt(struct amdgpu_device *adev)
{
	struct amdgpu_irq_src *fault = &adev->gmc.vm_fault;
	unsigned long flags;
	int r;

	if (!fault->funcs || !fault->funcs->set)
		return -EINVAL;

	spin_lock_irqsave(&adev->irq.lock, flags);
	r = fault->funcs->set(adev, fault, 0, AMDGPU_IRQ_STATE_ENABLE);
	spin_unlock_irqrestore(&adev->irq.lock, flags);

	return r;
}

/**
 * amdgpu_virt_pm_memory_up - the GART is up; report page faults from now on
 * @adev: the device
 *
 * Context: PM callback, after the first phase of IP blocks.
 *
 * Return: 0; -EIO if the hubs did not come up; -EPROTO out of order; the error
 * of the interrupt source.
 */
int amdgpu_virt_pm_memory_up(struct amdgpu_device *adev)
{
	int r;

	if (!is_resuming(adev))
		return 0;

	r = reach(adev, MEMORY);
	if (r)
		return r;

	r = arm_fault_interrupt(adev);
	if (r)
		return fail(adev, "the page fault interrupt cannot be armed", r);

	return reach(adev, FAULT_INTERRUPT);
}

/*
 * The result of the switch says little: what the PSP or the registers made of
 * it gets lost on the way. A virtual function is partitioned by its host.
 */
static int restore_partition(struct amdgpu_device *adev)
{
	struct amdgpu_xcp_mgr *xcp_mgr = adev->xcp_mgr;
	int wanted = xcp_mgr->mode;
	int mode, r;

	if (wanted == AMDGPU_XCP_MODE_NONE)
		return 0;

	if (!amdgpu_sriov_vf(adev)) {
		r = amdgpu_xcp_restore_partition_mode(xcp_mgr);
		if (r)
			return r;
	}

	mutex_lock(&xcp_mgr->xcp_lock);
	mode = xcp_mgr->funcs->query_partition_mode(xcp_mgr);
	mutex_unlock(&xcp_mgr->xcp_lock);

	return mode == wanted ? 0 : -EIO;
}

/**
 * amdgpu_virt_pm_firmware_up - firmware is loaded; restore the partition mode
 * @adev: the device
 *
 * Context: PM callback, before the second phase of IP blocks.
 *
 * Return: 0; -EIO if the device is not in the mode that it was in; -EPROTO out
 * of order; the error of the switch.
 */
int amdgpu_virt_pm_firmware_up(struct amdgpu_device *adev)
{
	int r;

	if (!is_resuming(adev))
		return 0;

	r = reach(adev, FIRMWARE);
	if (r)
		return r;

	r = restore_partition(adev);
	if (r)
		return fail(adev, "the partition mode is not restored", r);

	return reach(adev, PARTITION);
}

/**
 * amdgpu_virt_pm_engines_up - the kernel's queues run
 * @adev: the device
 *
 * Context: PM callback, after the second phase of IP blocks.
 *
 * Return: 0; -EIO after trouble; -EPROTO out of order.
 */
int amdgpu_virt_pm_engines_up(struct amdgpu_device *adev)
{
	return is_resuming(adev) ? reach(adev, ENGINES) : 0;
}

/**
 * amdgpu_virt_pm_before_clients - KFD is about to start queues
 * @adev: the device
 *
 * Context: PM callback.
 *
 * Return: 0; -EPROTO if anything before is missing.
 */
int amdgpu_virt_pm_before_clients(struct amdgpu_device *adev)
{
	if (!is_resuming(adev))
		return 0;

	return drm_virt_pm_milestone_require(&adev->virt_pm->base, ENGINES);
}

/**
 * amdgpu_virt_pm_clients_up - clients run again
 * @adev: the device
 *
 * Context: PM callback.
 *
 * Return: 0; -EIO after trouble; -EPROTO out of order.
 */
int amdgpu_virt_pm_clients_up(struct amdgpu_device *adev)
{
	return is_resuming(adev) ? reach(adev, CLIENTS) : 0;
}

/*
 * Entries for user space
 */

/**
 * amdgpu_virt_pm_pass - wait for a GPU that is suspended
 * @ddev: the device, or a partition of it
 *
 * Context: Entry of an ioctl, without any lock or runtime PM reference.
 *
 * Return: 0; -ERESTARTSYS if a signal came while waiting; -ENODEV for a GPU
 * that is lost or unplugged.
 */
int amdgpu_virt_pm_pass(struct drm_device *ddev)
{
	struct amdgpu_virt_pm *pm;

	/* the minor of a partition that is gone does not lead to an adev */
	if (READ_ONCE(ddev->unplugged))
		return -ENODEV;

	pm = drm_to_adev(ddev)->virt_pm;
	return pm ? drm_virt_pm_pass(&pm->base) : 0;
}

/**
 * amdgpu_virt_pm_pass_kfd - wait while any GPU is suspended
 *
 * Context: Entry of an ioctl, without any lock.
 *
 * Return: 0; -ERESTARTSYS if a signal came while waiting.
 */
int amdgpu_virt_pm_pass_kfd(void)
{
	if (likely(!atomic_read(&gpus_down)))
		return 0;

	return wait_event_freezable(gpus_down_wait, !atomic_read(&gpus_down));
}

/*
 * Life cycle
 */

static bool is_supported(struct amdgpu_device *adev)
{
	return (amdgpu_passthrough(adev) || amdgpu_sriov_vf(adev)) &&
	       IP_VERSION_MAJ(amdgpu_ip_version(adev, GC_HWIP, 0)) == 9 &&
	       adev->xcp_mgr && adev->xcp_mgr->funcs &&
	       adev->xcp_mgr->funcs->query_partition_mode;
}

static void fini(void *data)
{
	struct amdgpu_virt_pm *pm = data;

	/* nobody will resume it any more, nor tell of its loss */
	if (amdgpu_virt_pm_is_down(pm->adev))
		lose(pm, "unbound while suspended");

	drm_virt_pm_fini(&pm->base);
	if (pm->abandoned) {
		pm_runtime_put_noidle(pm->adev->dev);
		/* the buffers that are freed now would complain */
		pm->adev->in_suspend = false;
	}
}

/**
 * amdgpu_virt_pm_init - set up suspend and resume of a passed-through GPU
 * @adev: the device
 *
 * Leaves devices alone that this is not for.
 *
 * Context: At probe, before drm_dev_register().
 *
 * Return: 0 or -ENOMEM.
 */
int amdgpu_virt_pm_init(struct amdgpu_device *adev)
{
	struct drm_device *ddev = adev_to_drm(adev);
	struct amdgpu_virt_pm *pm;
	int r;

	if (!is_supported(adev))
		return 0;

	pm = drmm_kzalloc(ddev, sizeof(*pm), GFP_KERNEL);
	if (!pm)
		return -ENOMEM;

	pm->adev = adev;
	pm->suspend = amdgpu_device_suspend;
	pm->resume = amdgpu_device_resume;
	r = drm_virt_pm_init(&pm->base, ddev, &virt_pm_ops, steps,
			     ARRAY_SIZE(steps));
	if (r)
		return r;
	drm_virt_pm_milestones_init(&pm->base, milestones,
				    ARRAY_SIZE(milestones));

	r = devm_add_action_or_reset(adev->dev, fini, pm);
	if (r)
		return r;

	adev->virt_pm = pm;
	return 0;
}

/**
 * amdgpu_virt_pm_remove - the driver is about to be unbound
 * @adev: the device
 *
 * Context: At unbind, before drm_dev_unplug(), which a work would do as well
 * for a GPU that is lost.
 */
void amdgpu_virt_pm_remove(struct amdgpu_device *adev)
{
	if (adev->virt_pm)
		devm_release_action(adev->dev, fini, adev->virt_pm);
}
