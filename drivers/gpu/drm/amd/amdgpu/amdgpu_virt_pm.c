// SPDX-License-Identifier: GPL-2.0 OR MIT

#include <linux/freezer.h>
#include <linux/pci.h>

#include <drm/drm_drv.h>
#include <drm/drm_managed.h>
#include <kunit/static_stub.h>
#include <kunit/visibility.h>

#include "amdgpu.h"
#include "amdgpu_virt_pm.h"
#include "amdgpu_xcp.h"

/**
 * DOC: amdgpu
 *
 * A GPU that was passed through to a virtual machine comes back from a
 * hibernation without its VRAM, page tables, partition mode and interrupt
 * setup, be it a physical or a virtual function. amdgpu_device_resume() brings
 * it up in phases that a GPU reset shares. On the way from a sleep state of the
 * system the following is done in addition, in this order:
 *
 * * amdgpu_virt_pm_check_device(): vendor, device and revision are those of the
 *   device that was suspended, and its interrupts are still routed.
 * * amdgpu_virt_pm_arm_fault_irq(), after the IP blocks COMMON, GMC and IH: page
 *   faults of all hubs are reported, before PSP of a physical function loads the
 *   firmware. amdgpu would arm them in late_init, its last step.
 * * amdgpu_virt_pm_restore_partition(), after the firmware was loaded and before
 *   GFX and SDMA: the compute partition mode is set and read back.
 * * amdgpu_virt_pm_check_error(), before KFD restores its processes and at the
 *   end: each hub acknowledged the TLB invalidations that amdgpu polled for.
 *
 * A GPU whose resume fails is lost. Bus mastering is disabled first and fences
 * are completed second, in the PM callback. From then on ioctls return -ENODEV.
 * When tasks run, the work of the library unplugs the DRM devices of the GPU and
 * its partitions, and KFD restores the processes that have no memory on it.
 *
 * All this is for GPUs with GMC 9 and compute partitions (MI300) in a virtual
 * machine. Other devices, runtime PM, vga_switcheroo, s0ix and GPU resets are
 * not affected.
 */

/*
 * KFD has one device node for all GPUs. Its ioctls wait while this number of
 * GPUs is suspended.
 */
static atomic_t amdgpu_virt_pm_num_down = ATOMIC_INIT(0);
static DECLARE_WAIT_QUEUE_HEAD(amdgpu_virt_pm_kfd_wait);

static struct amdgpu_virt_pm *to_amdgpu_virt_pm(struct drm_virt_pm *base)
{
	return container_of(base, struct amdgpu_virt_pm, base);
}

static void amdgpu_virt_pm_block_kfd(struct amdgpu_virt_pm *pm, bool block)
{
	if (pm->blocks_kfd == block)
		return;

	pm->blocks_kfd = block;
	if (block)
		atomic_inc(&amdgpu_virt_pm_num_down);
	else if (atomic_dec_and_test(&amdgpu_virt_pm_num_down))
		wake_up_all(&amdgpu_virt_pm_kfd_wait);
}

static bool amdgpu_virt_pm_is_resuming(struct amdgpu_device *adev)
{
	return adev->virt_pm &&
	       READ_ONCE(adev->virt_pm->base.state) == DRM_VIRT_PM_DOWN;
}

/**
 * amdgpu_virt_pm_is_down - whether the hardware must not be used
 * @adev: the device
 *
 * Context: Any context.
 *
 * Return: true if a sleep state of the system has suspended the GPU, or if it is
 * lost or unbound.
 */
bool amdgpu_virt_pm_is_down(struct amdgpu_device *adev)
{
	return adev->virt_pm &&
	       READ_ONCE(adev->virt_pm->base.state) != DRM_VIRT_PM_RUNNING;
}

/**
 * amdgpu_virt_pm_is_lost - whether the GPU will never run again
 * @adev: the device
 *
 * Context: Any context.
 *
 * Return: true if the GPU is lost or unbound.
 */
bool amdgpu_virt_pm_is_lost(struct amdgpu_device *adev)
{
	return adev->virt_pm &&
	       READ_ONCE(adev->virt_pm->base.state) == DRM_VIRT_PM_LOST;
}

/**
 * amdgpu_virt_pm_set_error - note an error where none can be returned
 * @adev: the device
 * @what: what failed, a string literal
 *
 * Makes the running resume fail at the next amdgpu_virt_pm_check_error(). Does
 * nothing outside of a resume.
 *
 * Context: Any context.
 */
void amdgpu_virt_pm_set_error(struct amdgpu_device *adev, const char *what)
{
	if (amdgpu_virt_pm_is_resuming(adev))
		cmpxchg(&adev->virt_pm->error, NULL, what);
}

/**
 * amdgpu_virt_pm_check_error - whether an error was noted in this resume
 * @adev: the device
 *
 * Context: amdgpu_device_ip_resume(), before KFD restores its processes.
 *
 * Return: -EIO after amdgpu_virt_pm_set_error(), otherwise 0.
 */
int amdgpu_virt_pm_check_error(struct amdgpu_device *adev)
{
	if (!amdgpu_virt_pm_is_resuming(adev))
		return 0;

	return READ_ONCE(adev->virt_pm->error) ? -EIO : 0;
}

static int amdgpu_virt_pm_fail(struct amdgpu_device *adev, const char *what,
			       int err)
{
	amdgpu_virt_pm_set_error(adev, what);
	return err;
}

/*
 * Resume
 */

/* Whether MSI or MSI-X is enabled in the device, if the driver uses it */
static bool amdgpu_virt_pm_irqs_enabled(struct pci_dev *pdev)
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

/* Reads the configuration space only. A VF has another device ID than a PF. */
static int amdgpu_virt_pm_check_device(struct amdgpu_device *adev)
{
	struct pci_dev *pdev = adev->pdev;
	u32 id = 0;
	u8 revision = 0;

	pci_read_config_dword(pdev, PCI_VENDOR_ID, &id);
	pci_read_config_byte(pdev, PCI_REVISION_ID, &revision);
	if (id != (pdev->vendor | (u32)pdev->device << 16) ||
	    revision != pdev->revision)
		return amdgpu_virt_pm_fail(adev, "not the device that was suspended",
					   -ENODEV);
	if (!amdgpu_virt_pm_irqs_enabled(pdev))
		return amdgpu_virt_pm_fail(adev, "its interrupts are disabled",
					   -ENXIO);

	return 0;
}

/**
 * amdgpu_virt_pm_arm_fault_irq - let all hubs report page faults
 * @adev: the device
 *
 * Takes no reference. gmc_v9_0_late_init() takes one with amdgpu_irq_get(),
 * which programs the hubs for the first reference only. gmc_v9_0_hw_fini() drops
 * that one, so a second reference would stay.
 *
 * Context: amdgpu_device_ip_resume(), after the IP blocks COMMON, GMC and IH.
 *
 * Return: 0; -EIO if a hub did not acknowledge an invalidation; the error of
 * &amdgpu_irq_src_funcs.set.
 */
int amdgpu_virt_pm_arm_fault_irq(struct amdgpu_device *adev)
{
	struct amdgpu_irq_src *fault = &adev->gmc.vm_fault;
	unsigned long flags;
	int r;

	if (!amdgpu_virt_pm_is_resuming(adev))
		return 0;

	r = amdgpu_virt_pm_check_error(adev);
	if (r)
		return r;

	if (fault->funcs && fault->funcs->set) {
		spin_lock_irqsave(&adev->irq.lock, flags);
		r = fault->funcs->set(adev, fault, 0, AMDGPU_IRQ_STATE_ENABLE);
		spin_unlock_irqrestore(&adev->irq.lock, flags);
	} else {
		r = -EINVAL;
	}
	if (r)
		return amdgpu_virt_pm_fail(adev,
					   "the page fault interrupt cannot be armed", r);

	return 0;
}

/**
 * amdgpu_virt_pm_restore_partition - set the compute partition mode again
 * @adev: the device
 *
 * The mode is read back, because switch_partition_mode() of the XCP manager
 * drops the result of PSP. The host sets the mode of a virtual function, so that
 * is only read.
 *
 * Context: amdgpu_device_ip_resume(), after the firmware was loaded and before
 * the IP blocks of phase 2.
 *
 * Return: 0; -EIO if the device is in another mode than before; the error of the
 * switch.
 */
int amdgpu_virt_pm_restore_partition(struct amdgpu_device *adev)
{
	struct amdgpu_xcp_mgr *xcp_mgr = adev->xcp_mgr;
	int wanted, mode;
	int r = 0;

	if (!amdgpu_virt_pm_is_resuming(adev))
		return 0;

	wanted = xcp_mgr->mode;
	if (wanted == AMDGPU_XCP_MODE_NONE)
		return 0;

	if (!amdgpu_sriov_vf(adev))
		r = amdgpu_xcp_restore_partition_mode(xcp_mgr);
	if (!r) {
		mutex_lock(&xcp_mgr->xcp_lock);
		mode = xcp_mgr->funcs->query_partition_mode(xcp_mgr);
		mutex_unlock(&xcp_mgr->xcp_lock);
		if (mode != wanted)
			r = -EIO;
	}
	if (r)
		return amdgpu_virt_pm_fail(adev,
					   "the partition mode is not restored", r);

	return 0;
}

/*
 * Callbacks of the library
 */

VISIBLE_IF_KUNIT int amdgpu_virt_pm_suspend_device(struct drm_device *ddev)
{
	KUNIT_STATIC_STUB_REDIRECT(amdgpu_virt_pm_suspend_device, ddev);

	return amdgpu_device_suspend(ddev, true);
}

VISIBLE_IF_KUNIT int amdgpu_virt_pm_resume_device(struct drm_device *ddev)
{
	KUNIT_STATIC_STUB_REDIRECT(amdgpu_virt_pm_resume_device, ddev);

	return amdgpu_device_resume(ddev, true);
}

static int amdgpu_virt_pm_op_suspend(struct drm_virt_pm *base)
{
	struct amdgpu_virt_pm *pm = to_amdgpu_virt_pm(base);
	struct amdgpu_device *adev = pm->adev;
	struct amdgpu_irq_src *fault = &adev->gmc.vm_fault;
	int r;

	r = amdgpu_virt_pm_suspend_device(base->drm);
	if (r) {
		/* amdgpu_device_suspend() clears it where it undoes its work */
		if (adev->in_suspend)
			drm_virt_pm_lose(base, "suspend failed half-way");
		return r;
	}

	/*
	 * gmc_v9_0_hw_fini() of a VF returns early and keeps the reference of
	 * gmc_v9_0_late_init(). The next amdgpu_irq_get() would be the second
	 * then and would not program the hubs.
	 */
	if (amdgpu_sriov_vf(adev) && fault->enabled_types)
		atomic_dec_if_positive(&fault->enabled_types[0]);

	amdgpu_virt_pm_block_kfd(pm, true);
	drm_virt_pm_reset(base);

	return 0;
}

static int amdgpu_virt_pm_op_resume(struct drm_virt_pm *base)
{
	struct amdgpu_virt_pm *pm = to_amdgpu_virt_pm(base);
	char reason[64];
	int r;

	WRITE_ONCE(pm->error, NULL);
	r = amdgpu_virt_pm_check_device(pm->adev);
	if (!r)
		r = amdgpu_virt_pm_resume_device(base->drm);
	if (!r)
		r = amdgpu_virt_pm_check_error(pm->adev);
	if (r) {
		snprintf(reason, sizeof(reason), "%s (%d)",
			 READ_ONCE(pm->error) ?: "resume failed", r);
		drm_virt_pm_lose(base, reason);
		return r;
	}

	amdgpu_virt_pm_block_kfd(pm, false);

	return 0;
}

/* Final, as a GPU whose resume failed once is lost */
static void amdgpu_virt_pm_op_quiesce(struct drm_virt_pm *base)
{
	struct amdgpu_device *adev = to_amdgpu_virt_pm(base)->adev;
	int i;

	/* TTM frees pages when fences signal, and the GPU may write to them */
	pci_clear_master(adev->pdev);
	pci_wait_for_pending_transaction(adev->pdev);
	adev->no_hw_access = true;

	for (i = 0; i < AMDGPU_MAX_RINGS; i++) {
		struct amdgpu_ring *ring = adev->rings[i];

		if (ring && ring->fence_drv.initialized)
			amdgpu_fence_driver_force_completion(ring, NULL);
	}
	amdgpu_ttm_disable_buffer_funcs(adev);

	/* amdgpu_device_ip_fini_early() skips these blocks when unbinding */
	for (i = 0; i < adev->num_ip_blocks; i++)
		adev->ip_blocks[i].status.hw = false;
	/* sysfs files of power management return -EPERM */
	adev->in_suspend = true;
}

/*
 * Lets KFD of the other GPUs go on. The GPU must be lost: KFD restores
 * processes here, and it skips those with memory on lost GPUs.
 */
static void amdgpu_virt_pm_release_kfd(struct amdgpu_virt_pm *pm)
{
	if (pm->adev->kfd.dev)
		kgd2kfd_lose(pm->adev->kfd.dev);
	amdgpu_virt_pm_block_kfd(pm, false);
}

static void amdgpu_virt_pm_op_unplug(struct drm_virt_pm *base)
{
	struct amdgpu_virt_pm *pm = to_amdgpu_virt_pm(base);
	struct amdgpu_xcp_mgr *xcp_mgr = pm->adev->xcp_mgr;
	int i;

	/* the first partition is the device itself */
	for (i = 1; i < MAX_XCP && xcp_mgr->xcp[i].ddev; i++)
		drm_dev_unplug(xcp_mgr->xcp[i].ddev);

	amdgpu_virt_pm_release_kfd(pm);
}

static const struct drm_virt_pm_ops amdgpu_virt_pm_ops = {
	.suspend = amdgpu_virt_pm_op_suspend,
	.resume = amdgpu_virt_pm_op_resume,
	.quiesce = amdgpu_virt_pm_op_quiesce,
	.unplug = amdgpu_virt_pm_op_unplug,
};

/*
 * PM callbacks
 */

/* Whether a sleep state of the system resets @ddev */
static bool amdgpu_virt_pm_is_used(struct drm_device *ddev)
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
 * amdgpu_device_suspend() if that has undone its work.
 */
int amdgpu_virt_pm_suspend(struct drm_device *ddev)
{
	if (!amdgpu_virt_pm_is_used(ddev))
		return amdgpu_device_suspend(ddev, true);

	return drm_virt_pm_suspend(&drm_to_adev(ddev)->virt_pm->base);
}

/**
 * amdgpu_virt_pm_resume - resume from a sleep state of the system
 * @ddev: the device
 *
 * Context: PM callback: resume, thaw or restore.
 *
 * Return: 0, also for a GPU that is running or was lost before; otherwise the
 * error of what failed, and the GPU is lost.
 */
int amdgpu_virt_pm_resume(struct drm_device *ddev)
{
	if (!amdgpu_virt_pm_is_used(ddev))
		return amdgpu_device_resume(ddev, true);

	return drm_virt_pm_resume(&drm_to_adev(ddev)->virt_pm->base);
}

/*
 * Entries for user space
 */

/**
 * amdgpu_virt_pm_wait_running - wait until the GPU runs
 * @ddev: the device, or a partition of it
 *
 * Context: Entry of an ioctl, without locks and without a runtime PM reference.
 *
 * Return: 0; -ERESTARTSYS if a signal is pending; -ENODEV if the GPU is lost or
 * unplugged.
 */
int amdgpu_virt_pm_wait_running(struct drm_device *ddev)
{
	struct amdgpu_virt_pm *pm;

	/*
	 * After amdgpu_xcp_dev_unplug() the minor of a partition leads to the
	 * partition's own DRM device, which is not in an amdgpu_device.
	 */
	if (READ_ONCE(ddev->unplugged))
		return -ENODEV;

	pm = drm_to_adev(ddev)->virt_pm;
	return pm ? drm_virt_pm_wait_running(&pm->base) : 0;
}

/**
 * amdgpu_virt_pm_wait_kfd - wait until no GPU is suspended
 *
 * Context: Entry of an ioctl of KFD, without locks.
 *
 * Return: 0; -ERESTARTSYS if a signal is pending.
 */
int amdgpu_virt_pm_wait_kfd(void)
{
	if (likely(!atomic_read(&amdgpu_virt_pm_num_down)))
		return 0;

	return wait_event_freezable(amdgpu_virt_pm_kfd_wait,
				    !atomic_read(&amdgpu_virt_pm_num_down));
}

/*
 * Life cycle
 */

static bool amdgpu_virt_pm_is_supported(struct amdgpu_device *adev)
{
	return (amdgpu_passthrough(adev) || amdgpu_sriov_vf(adev)) &&
	       IP_VERSION_MAJ(amdgpu_ip_version(adev, GC_HWIP, 0)) == 9 &&
	       adev->xcp_mgr && adev->xcp_mgr->funcs &&
	       adev->xcp_mgr->funcs->query_partition_mode;
}

/**
 * amdgpu_virt_pm_init - set up suspend and resume of a passed-through GPU
 * @adev: the device
 *
 * Leaves &amdgpu_device.virt_pm NULL if the device is not supported.
 *
 * Context: Probe, before drm_dev_register().
 *
 * Return: 0 or -ENOMEM.
 */
int amdgpu_virt_pm_init(struct amdgpu_device *adev)
{
	struct drm_device *ddev = adev_to_drm(adev);
	struct amdgpu_virt_pm *pm;
	int r;

	if (!amdgpu_virt_pm_is_supported(adev))
		return 0;

	pm = drmm_kzalloc(ddev, sizeof(*pm), GFP_KERNEL);
	if (!pm)
		return -ENOMEM;

	pm->adev = adev;
	r = drmm_virt_pm_init(&pm->base, ddev, &amdgpu_virt_pm_ops);
	if (r)
		return r;

	adev->virt_pm = pm;
	return 0;
}

/**
 * amdgpu_virt_pm_remove - the driver is about to be unbound
 * @adev: the device
 *
 * A GPU that is suspended is lost here, because nothing will resume it. The work
 * that unplugs a lost GPU has ended when this returns.
 *
 * Context: Remove callback, before any DRM device of the GPU is unplugged.
 */
void amdgpu_virt_pm_remove(struct amdgpu_device *adev)
{
	struct amdgpu_virt_pm *pm = adev->virt_pm;

	if (!pm)
		return;

	if (amdgpu_virt_pm_is_resuming(adev))
		drm_virt_pm_lose(&pm->base, "unbound while suspended");
	if (!amdgpu_virt_pm_is_lost(adev))
		return;

	drm_virt_pm_unplug(&pm->base);
	amdgpu_virt_pm_release_kfd(pm);
	/* amdgpu_bo_free_kernel() warns in a suspend */
	adev->in_suspend = false;
}

/**
 * amdgpu_virt_pm_unplug - unplug the DRM device
 * @adev: the device
 *
 * Context: Remove callback, after amdgpu_virt_pm_remove().
 */
void amdgpu_virt_pm_unplug(struct amdgpu_device *adev)
{
	if (adev->virt_pm)
		drm_virt_pm_unplug(&adev->virt_pm->base);
	else
		drm_dev_unplug(adev_to_drm(adev));
}
