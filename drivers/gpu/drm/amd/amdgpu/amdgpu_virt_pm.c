// SPDX-License-Identifier: GPL-2.0 OR MIT

#include <linux/crc32.h>
#include <linux/delay.h>
#include <linux/freezer.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/pci.h>
#include <linux/seq_buf.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/swap.h>

#include <drm/drm_drv.h>
#include <drm/drm_managed.h>
#include <drm/drm_print.h>
#include <kunit/static_stub.h>
#include <kunit/visibility.h>

#include "amdgpu.h"
#include "amdgpu_discovery.h"
#include "amdgpu_virt_pm.h"
#include "amdgpu_xcp.h"

/* before 7.2 */
#ifndef amdgpu_virt_xgmi_migrate_enabled
#define amdgpu_virt_xgmi_migrate_enabled(adev) ((void)(adev), false)
#endif

/**
 * DOC: amdgpu
 *
 * A GPU comes back from a hibernation without its VRAM, page tables, partition
 * mode and interrupt setup. One that was passed through to a virtual machine can
 * be another one then. amdgpu_device_resume() brings it up in phases that a GPU
 * reset shares. On the way from a sleep state of the system the following is done
 * in addition, in this order:
 *
 * * amdgpu_virt_pm_check_device(): vendor, device and revision are those of the
 *   device that was suspended, its interrupts are still routed, and its registers
 *   can be read.
 * * amdgpu_virt_pm_check_identity(), before any IP block is resumed: size and
 *   address of VRAM, node of XGMI, memory partition mode and discovery table are
 *   those of the function that was suspended.
 * * amdgpu_virt_pm_check_error(), after GMC, before KFD restores its processes
 *   and at the end: hubs acknowledged TLB invalidations, and IB tests passed.
 * * amdgpu_virt_pm_join_resets(), before KFD restores its processes: the PSP knows
 *   which GPUs are linked to this one.
 *
 * A GPU that does not get as far as to its engines is stopped: bus mastering is
 * disabled first and fences are completed second, in the PM callback. When tasks
 * run, the work of the library resets it and resumes it once more. If that fails
 * as well, or if the failure came later, the GPU is lost: ioctls return -ENODEV,
 * the work unplugs the DRM devices of the GPU and its partitions, and KFD
 * restores the processes that have no memory on it.
 *
 * The host of a virtual function grants exclusive access for a suspend and for a
 * resume. If it does not, the suspend is refused with the GPU running as before, and
 * a resume is tried once more.
 *
 * A device that imports a buffer is suspended before the GPU and resumed after it,
 * with a device link. Where a thaw leaves the GPU suspended, or the GPU is lost, an
 * importer goes on with what is in system memory, which is everything: a suspend
 * moves VRAM there. When the driver is unbound, importers lose their buffers.
 *
 * A suspend is refused before tasks are frozen if the content of VRAM of all GPUs
 * is larger than the memory and swap space that are free, and while an importer has
 * pinned a buffer in VRAM.
 *
 * amdgpu_virt_pm_check_identity(), amdgpu_virt_pm_check_error() and the refusal for
 * pinned buffers are for discrete GPUs with GFX 9 and compute partitions (MI300). A
 * desktop lives on if an IB test of a video engine fails, and imports what it shows.
 * The rest is for all GPUs, in a virtual machine or not. Runtime PM, vga_switcheroo,
 * s0ix and GPU resets are not affected.
 */

/*
 * KFD has one device node for all GPUs. Its ioctls wait while this number of
 * GPUs is suspended.
 */
static atomic_t amdgpu_virt_pm_num_down = ATOMIC_INIT(0);
static DECLARE_WAIT_QUEUE_HEAD(amdgpu_virt_pm_kfd_wait);

/* All GPUs, and the lock of this list */
static LIST_HEAD(amdgpu_virt_pm_gpus);
static DEFINE_SPINLOCK(amdgpu_virt_pm_gpus_lock);

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

static bool amdgpu_virt_pm_is_suspended(struct amdgpu_device *adev)
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
 * nothing outside of a resume, or if the GPU is not checked.
 *
 * Context: Any context.
 */
void amdgpu_virt_pm_set_error(struct amdgpu_device *adev, const char *what)
{
	if (amdgpu_virt_pm_is_suspended(adev) && adev->virt_pm->checked)
		cmpxchg(&adev->virt_pm->error, NULL, what);
}

/**
 * amdgpu_virt_pm_check_error - whether an error was noted in this resume
 * @adev: the device
 *
 * Context: amdgpu_device_ip_resume().
 *
 * Return: -EIO after amdgpu_virt_pm_set_error(), otherwise 0.
 */
int amdgpu_virt_pm_check_error(struct amdgpu_device *adev)
{
	if (!amdgpu_virt_pm_is_suspended(adev))
		return 0;

	return READ_ONCE(adev->virt_pm->error) ? -EIO : 0;
}

/**
 * amdgpu_virt_pm_check_engines - whether the IP blocks came up, and with them the hive
 * @adev: the device
 *
 * Context: amdgpu_device_ip_resume(), before anything counts references again.
 *
 * Return: that of amdgpu_virt_pm_check_error(), or of amdgpu_virt_pm_join_resets().
 */
int amdgpu_virt_pm_check_engines(struct amdgpu_device *adev)
{
	int r;

	if (!amdgpu_virt_pm_is_suspended(adev))
		return 0;

	r = amdgpu_virt_pm_check_error(adev);
	if (r)
		return r;

	r = amdgpu_virt_pm_join_resets(adev);
	if (r) {
		amdgpu_virt_pm_set_error(adev, "the XGMI topology is not set");
		return r;
	}

	/* a second resume would take the references twice */
	adev->virt_pm->retry = false;
	return 0;
}

/* An error that ends the resume of any GPU */
static int amdgpu_virt_pm_fail(struct amdgpu_device *adev, const char *what,
			       int err)
{
	cmpxchg(&adev->virt_pm->error, NULL, what);
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

/* A VF reads no other register than this one without exclusive access */
static bool amdgpu_virt_pm_registers_answer(struct amdgpu_device *adev)
{
	if (!adev->nbio.funcs)
		return true;
	if (amdgpu_sriov_vf(adev))
		return !adev->virt_pm->checked ||
		       RREG32_NO_KIQ(mmRCC_IOV_FUNC_IDENTIFIER) != ~0u;

	return adev->nbio.funcs->get_memsize(adev) != ~0u;
}

/* A VF has another device ID than a PF. */
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
	if (!amdgpu_virt_pm_registers_answer(adev))
		return amdgpu_virt_pm_fail(adev, "its registers do not answer",
					   -ENXIO);

	return 0;
}

static void amdgpu_virt_pm_read_xgmi(struct amdgpu_device *adev,
				     struct amdgpu_virt_pm_identity *id)
{
	struct amdgpu_xgmi *xgmi = &adev->gmc.xgmi;
	unsigned int nodes = xgmi->num_physical_nodes;
	unsigned int node = xgmi->physical_node_id;
	u64 size = xgmi->node_segment_size;

	if (!adev->gfxhub.funcs->get_xgmi_info)
		return;

	/* it writes what is in use, and nothing if the GPU is not linked */
	xgmi->num_physical_nodes = 0;
	xgmi->physical_node_id = 0;
	adev->gfxhub.funcs->get_xgmi_info(adev);
	id->xgmi_nodes = xgmi->num_physical_nodes;
	id->xgmi_node = xgmi->physical_node_id;
	xgmi->num_physical_nodes = nodes;
	xgmi->physical_node_id = node;
	xgmi->node_segment_size = size;
}

/* What it was at probe: a VF has no exclusive access any more */
static void amdgpu_virt_pm_recall_identity(struct amdgpu_device *adev,
					   struct amdgpu_virt_pm_identity *id)
{
	id->vram_mb = adev->gmc.mc_vram_size >> 20;
	id->fb_base = adev->gmc.fb_start;
	id->xgmi_nodes = adev->gmc.xgmi.num_physical_nodes;
	id->xgmi_node = adev->gmc.xgmi.physical_node_id;
}

static void amdgpu_virt_pm_read_addresses(struct amdgpu_device *adev,
					  struct amdgpu_virt_pm_identity *id)
{
	u64 fb_start = adev->gmc.fb_start, fb_end = adev->gmc.fb_end;

	id->vram_mb = adev->nbio.funcs->get_memsize(adev);
	id->fb_base = adev->mmhub.funcs->get_fb_location(adev);
	/* a side effect, but only the old location is in use */
	adev->gmc.fb_start = fb_start;
	adev->gmc.fb_end = fb_end;
	amdgpu_virt_pm_read_xgmi(adev, id);
}

/* What addresses and tables of the driver depend on */
VISIBLE_IF_KUNIT void amdgpu_virt_pm_read_identity(struct amdgpu_device *adev,
						   struct amdgpu_virt_pm_identity *id)
{
	u8 *discovery;

	KUNIT_STATIC_STUB_REDIRECT(amdgpu_virt_pm_read_identity, adev, id);

	memset(id, 0, sizeof(*id));
	if (amdgpu_sriov_vf(adev) && amdgpu_sriov_runtime(adev))
		amdgpu_virt_pm_recall_identity(adev, id);
	else
		amdgpu_virt_pm_read_addresses(adev, id);
	/* amdgpu_device_resume() reads them anew */
	if (amdgpu_virt_xgmi_migrate_enabled(adev)) {
		id->fb_base = 0;
		id->xgmi_node = 0;
	}
	if (adev->gmc.gmc_funcs->query_mem_partition_mode)
		id->nps = adev->gmc.gmc_funcs->query_mem_partition_mode(adev);

	discovery = kmalloc(DISCOVERY_TMR_SIZE, GFP_KERNEL);
	if (!discovery || !id->vram_mb)
		goto out;
	amdgpu_device_vram_access(adev, ((u64)id->vram_mb << 20) -
				  DISCOVERY_TMR_OFFSET, discovery,
				  DISCOVERY_TMR_SIZE, false);
	id->discovery = crc32(0, discovery, DISCOVERY_TMR_SIZE);
out:
	kfree(discovery);
}

static const char *
amdgpu_virt_pm_compare(const struct amdgpu_virt_pm_identity *a,
		       const struct amdgpu_virt_pm_identity *b)
{
	if (a->vram_mb != b->vram_mb)
		return "its VRAM has another size";
	if (a->fb_base != b->fb_base)
		return "its VRAM has another address";
	if (a->xgmi_nodes != b->xgmi_nodes || a->xgmi_node != b->xgmi_node)
		return "its place among linked GPUs is another";
	if (a->nps != b->nps)
		return "it is in another memory partition mode";
	/* 0: there was no memory to read it */
	if (a->discovery && b->discovery && a->discovery != b->discovery)
		return "its discovery table differs";
	return NULL;
}

/**
 * amdgpu_virt_pm_check_identity - whether the GPU is like the one suspended
 * @adev: the device
 *
 * Addresses in VRAM, masks of units and the topology of KFD stem from probe. Two
 * GPUs with the same PCI IDs can differ in them. A virtual function has exclusive
 * access here.
 *
 * Context: amdgpu_device_ip_resume(), after the GPU was posted and before any IP
 * block is resumed.
 *
 * Return: 0 or -ENODEV.
 */
int amdgpu_virt_pm_check_identity(struct amdgpu_device *adev)
{
	struct amdgpu_virt_pm_identity id;
	const char *difference = NULL;
	unsigned int i;

	if (!amdgpu_virt_pm_is_suspended(adev))
		return 0;

	adev->virt_pm->retry = true;
	if (!adev->virt_pm->checked)
		return 0;

	/* after power-on its firmware can take two seconds until VRAM is there */
	for (i = 0; i < 20; i++) {
		amdgpu_virt_pm_read_identity(adev, &id);
		difference = amdgpu_virt_pm_compare(&id, &adev->virt_pm->identity);
		if (!difference)
			return 0;
		msleep(100);
	}

	adev->virt_pm->retry = false;
	return amdgpu_virt_pm_fail(adev, difference, -ENODEV);
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

/*
 * The full reset of a GPU reset. The PM core or the work holds the device lock.
 *
 * The host resets a VF when amdgpu_device_resume() asks for exclusive access. It
 * would answer that request only after the access of an explicit reset was released.
 */
VISIBLE_IF_KUNIT int amdgpu_virt_pm_reset_device(struct amdgpu_device *adev)
{
	KUNIT_STATIC_STUB_REDIRECT(amdgpu_virt_pm_reset_device, adev);

	if (amdgpu_sriov_vf(adev))
		return 0;
	if (amdgpu_asic_reset_method(adev) == AMD_RESET_METHOD_PCI)
		return pci_reset_function_locked(adev->pdev);

	return amdgpu_asic_reset(adev);
}

/* Whether amdgpu_virt_request_full_gpu() has failed, the first thing of a resume */
static bool amdgpu_virt_pm_no_access(struct amdgpu_device *adev)
{
	return amdgpu_sriov_vf(adev) && amdgpu_sriov_runtime(adev) &&
	       adev->no_hw_access;
}

static int amdgpu_virt_pm_op_suspend(struct drm_virt_pm *base)
{
	struct amdgpu_virt_pm *pm = to_amdgpu_virt_pm(base);
	int r;

	/* the mailbox would be waited for without a limit */
	if (amdgpu_sriov_vf(pm->adev) && !amdgpu_virt_pm_registers_answer(pm->adev)) {
		drm_virt_pm_lose(base, "its registers do not answer");
		return 0;
	}

	r = amdgpu_virt_pm_suspend_device(base->drm);
	if (r) {
		/* amdgpu_device_suspend() clears it where it undoes its work */
		if (!pm->adev->in_suspend && drm_virt_pm_may_refuse())
			return drm_virt_pm_refuse(base, r, "amdgpu cannot be suspended");
		drm_virt_pm_lose(base, "suspend failed half-way");
		return r;
	}

	amdgpu_virt_pm_leave_resets(pm->adev);
	amdgpu_virt_pm_block_kfd(pm, true);
	drm_virt_pm_reset(base);

	return 0;
}

/* Undoes amdgpu_virt_pm_op_quiesce(). No IP block is up. */
static int amdgpu_virt_pm_restart(struct amdgpu_device *adev)
{
	int r;

	pci_set_master(adev->pdev);
	adev->no_hw_access = false;
	r = amdgpu_virt_pm_reset_device(adev);
	if (r)
		return amdgpu_virt_pm_fail(adev, "it cannot be reset", r);

	return 0;
}

static int amdgpu_virt_pm_op_resume(struct drm_virt_pm *base)
{
	struct amdgpu_virt_pm *pm = to_amdgpu_virt_pm(base);
	char reason[64];
	int r;

	WRITE_ONCE(pm->error, NULL);
	pm->retry = false;
	r = amdgpu_virt_pm_check_device(pm->adev);
	if (!r && base->failures)
		r = amdgpu_virt_pm_restart(pm->adev);
	if (!r)
		r = amdgpu_virt_pm_resume_device(base->drm);
	if (!r)
		r = amdgpu_virt_pm_check_error(pm->adev);
	if (r && amdgpu_virt_pm_no_access(pm->adev)) {
		amdgpu_virt_pm_fail(pm->adev, "the host grants no access", r);
		/* no IP block was touched */
		pm->retry = true;
	}
	if (r && pm->retry && !base->failures)
		return r;
	if (r) {
		snprintf(reason, sizeof(reason), "%s (%d)",
			 READ_ONCE(pm->error) ?: "resume failed", r);
		drm_virt_pm_lose(base, reason);
		return r;
	}

	amdgpu_virt_pm_block_kfd(pm, false);

	return 0;
}

/* A resume that follows sets up all IP blocks again */
static void amdgpu_virt_pm_op_quiesce(struct drm_virt_pm *base)
{
	struct amdgpu_device *adev = to_amdgpu_virt_pm(base)->adev;
	int i;

	/* it writes to VRAM, and resets a GPU whose page it cannot read */
	if (amdgpu_sriov_vf(adev))
		amdgpu_virt_fini_data_exchange(adev);
	amdgpu_virt_pm_leave_resets(adev);

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
	for (i = 1; xcp_mgr && i < MAX_XCP && xcp_mgr->xcp[i].ddev; i++)
		drm_dev_unplug(xcp_mgr->xcp[i].ddev);

	amdgpu_virt_pm_remove_from_hive(pm->adev);
	amdgpu_virt_pm_release_kfd(pm);
}

/* What amdgpu_device_evict_resources() moves to memory, in bytes */
static u64 amdgpu_virt_pm_vram_content(struct amdgpu_device *adev)
{
	struct ttm_resource_manager *man = &adev->mman.vram_mgr.manager;
	u64 usage, pinned;

	if (adev->flags & AMD_IS_APU || !ttm_resource_manager_used(man))
		return 0;

	usage = ttm_resource_manager_usage(man);
	pinned = atomic64_read(&adev->vram_pin_size);

	return usage > pinned ? usage - pinned : 0;
}

/*
 * What an importer has pinned in VRAM can neither be moved nor be written back before
 * the importer accesses it.
 *
 * With less memory than this the eviction fails after minutes of copying, when the OOM
 * killer is off. An image needs more, as the PM core finds out.
 */
static int amdgpu_virt_pm_op_check(struct drm_virt_pm *base,
				   enum drm_virt_pm_transition transition,
				   struct seq_buf *why)
{
	u64 have = (u64)max(si_mem_available(), 0L) + get_nr_swap_pages();
	struct amdgpu_virt_pm *pm = to_amdgpu_virt_pm(base);
	int pinned = atomic_read(&pm->num_pinned);
	u64 need = 0;

	if (pinned && pm->checked) {
		seq_buf_printf(why, "another device uses VRAM, pinned buffers: %d",
			       pinned);
		return -EBUSY;
	}

	spin_lock(&amdgpu_virt_pm_gpus_lock);
	list_for_each_entry(pm, &amdgpu_virt_pm_gpus, node)
		if (READ_ONCE(pm->base.state) == DRM_VIRT_PM_RUNNING)
			need += amdgpu_virt_pm_vram_content(pm->adev);
	spin_unlock(&amdgpu_virt_pm_gpus_lock);

	have <<= PAGE_SHIFT;
	if (need <= have)
		return 0;

	seq_buf_printf(why, "content of VRAM needs %llu MiB, memory and swap have %llu MiB",
		       need >> 20, have >> 20);
	return -ENOMEM;
}

static const struct drm_virt_pm_ops amdgpu_virt_pm_ops = {
	.suspend = amdgpu_virt_pm_op_suspend,
	.resume = amdgpu_virt_pm_op_resume,
	.quiesce = amdgpu_virt_pm_op_quiesce,
	.unplug = amdgpu_virt_pm_op_unplug,
	.check = amdgpu_virt_pm_op_check,
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
 * error of what failed, and the GPU is lost or is resumed once more by the work of
 * the library.
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

/**
 * amdgpu_virt_pm_defer_kfd - put a work of KFD off while a GPU is suspended
 * @wq: where it was queued
 * @work: the work, which is running
 *
 * A work that restores a process was queued by the eviction before the suspend, or
 * by an MMU notifier after a resume that failed. It writes buffers, page tables and
 * queues of all GPUs of the process. Before the suspend it would move back what was
 * evicted, so that it has to be evicted once more.
 *
 * Context: The work.
 *
 * Return: true if @work was queued again and must return.
 */
bool amdgpu_virt_pm_defer_kfd(struct workqueue_struct *wq,
			      struct delayed_work *work)
{
	if (likely(!atomic_read(&amdgpu_virt_pm_num_down) &&
		   (list_empty(&amdgpu_virt_pm_gpus) ||
		    drm_virt_pm_get_transition() == DRM_VIRT_PM_NONE)))
		return false;

	queue_delayed_work(wq, work, msecs_to_jiffies(100));
	return true;
}

/*
 * Life cycle
 */

/* Whether its engines and its identity can be checked, see the overview */
static bool amdgpu_virt_pm_can_check(struct amdgpu_device *adev)
{
	return IP_VERSION_MAJ(amdgpu_ip_version(adev, GC_HWIP, 0)) == 9 &&
	       adev->xcp_mgr && adev->xcp_mgr->funcs &&
	       adev->xcp_mgr->funcs->query_partition_mode &&
	       !(adev->flags & AMD_IS_APU);
}

static void amdgpu_virt_pm_release(struct drm_device *ddev, void *data)
{
	struct amdgpu_virt_pm *pm = data;

	spin_lock(&amdgpu_virt_pm_gpus_lock);
	list_del(&pm->node);
	spin_unlock(&amdgpu_virt_pm_gpus_lock);
}

/**
 * amdgpu_virt_pm_init - set up suspend and resume of a GPU
 * @adev: the device
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

	pm = drmm_kzalloc(ddev, sizeof(*pm), GFP_KERNEL);
	if (!pm)
		return -ENOMEM;

	pm->adev = adev;
	pm->checked = amdgpu_virt_pm_can_check(adev);
	INIT_LIST_HEAD(&pm->imports);
	r = drmm_mutex_init(ddev, &pm->imports_lock);
	if (r)
		return r;

	r = drmm_virt_pm_init(&pm->base, ddev, &amdgpu_virt_pm_ops);
	if (r)
		return r;

	spin_lock(&amdgpu_virt_pm_gpus_lock);
	list_add_tail(&pm->node, &amdgpu_virt_pm_gpus);
	spin_unlock(&amdgpu_virt_pm_gpus_lock);
	r = drmm_add_action_or_reset(ddev, amdgpu_virt_pm_release, pm);
	if (r)
		return r;

	adev->virt_pm = pm;
	if (!pm->checked) {
		drm_info(ddev, "not checked after sleep states: not a discrete GPU with GFX 9 and compute partitions\n");
		return 0;
	}

	amdgpu_virt_pm_read_identity(adev, &pm->identity);
	drm_info(ddev, "checked after sleep states\n");
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

	if (amdgpu_virt_pm_is_suspended(adev))
		drm_virt_pm_lose(&pm->base, "unbound while suspended");
	if (!amdgpu_virt_pm_is_lost(adev))
		return;

	drm_virt_pm_unplug(&pm->base);
	amdgpu_virt_pm_release_kfd(pm);
	/* amdgpu_device_fini_hw() would wait for exclusive access for minutes */
	adev->virt.ops = NULL;
}

/**
 * amdgpu_virt_pm_unplug - unplug the DRM device and take its buffers from importers
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
	amdgpu_virt_pm_revoke(adev);
}
