// SPDX-License-Identifier: GPL-2.0 OR MIT

/*
 * A GPU made of test code: IP blocks, a fault interrupt and a PCI
 * device that log their calls. amdgpu_device_suspend(), amdgpu_device_resume()
 * and the reset are stubs. They call amdgpu_virt_pm where the real
 * ones do; the scenarios with the model test the real ones.
 */

#include <linux/dma-buf.h>
#include <linux/dma-fence.h>
#include <linux/pci.h>
#include <linux/pm_runtime.h>
#include <linux/suspend.h>
#include <linux/unaligned.h>

#include <drm/drm_drv.h>
#include <drm/drm_kunit_helpers.h>
#include <kunit/device.h>
#include <kunit/static_stub.h>
#include <kunit/test.h>

#include "../../../pm_virt/drm_virt_pm_internal.h"
#include "../amdgpu.h"
#include "../amdgpu_virt_pm.h"
#include "../amdgpu_xcp.h"
#include "../amdgpu_xgmi.h"

#define MSI_CAP		0x50
#define VENDOR		0x1002
#define DEVICE		0x74a1
#define LOG_SIZE	256

/* The log of a resume in which nothing fails; bars separate the phases */
#define GOOD_UP "+common +gmc +ih | +psp | +gfx +sdma | kfd late arm"

/* What goes wrong */
enum trick {
	NO_TRICK,
	OTHER_DEVICE,
	OTHER_REVISION,
	NO_DEVICE,
	NO_MSI,
	PHASE1_FAILS,
	NOT_ACKNOWLEDGED,
	FIRMWARE_FAILS,
	PHASE2_FAILS,
	TROUBLE_IN_PHASE2,
	KFD_FAILS,
	LATE_INIT_FAILS,
	TROUBLE_IN_LATE_INIT,
	NO_ACCESS,		/* of a virtual function */
};

struct fake {
	struct amdgpu_device *adev;
	enum trick trick;
	char log[LOG_SIZE];

	struct pci_dev pdev;
	struct pci_bus bus;
	u8 config[PCI_CFG_SPACE_SIZE];

	struct amdgpu_xcp_mgr xcp_mgr;
	struct amdgpu_virt_pm_identity identity;
	int reset_ret;

	atomic_t fault_types[1];
	bool armed;

	bool unbound;

	/* what fake_suspend() returns, and whether it undid its work then */
	int suspend_ret;
	bool suspend_undone;
};

static struct fake *the_fake;

static void log_add(struct fake *fake, const char *what)
{
	if (fake->log[0])
		strlcat(fake->log, " ", sizeof(fake->log));
	strlcat(fake->log, what, sizeof(fake->log));
}

static void forget_log(struct fake *fake)
{
	fake->log[0] = '\0';
}

static void expect_log(struct kunit *test, struct fake *fake, const char *log)
{
	KUNIT_EXPECT_STREQ(test, fake->log, log);
	forget_log(fake);
}

/* PCI */

static int config_read(struct pci_bus *bus, unsigned int devfn, int where,
		       int size, u32 *val)
{
	struct fake *fake = container_of(bus, struct fake, bus);

	*val = 0;
	memcpy(val, fake->config + where, size);
	if (fake->trick == NO_DEVICE)
		*val = ~0;

	return PCIBIOS_SUCCESSFUL;
}

static int config_write(struct pci_bus *bus, unsigned int devfn, int where,
			int size, u32 val)
{
	struct fake *fake = container_of(bus, struct fake, bus);

	memcpy(fake->config + where, &val, size);
	return PCIBIOS_SUCCESSFUL;
}

static struct pci_ops config_ops = {
	.read = config_read,
	.write = config_write,
};

static bool is_bus_master(struct fake *fake)
{
	return get_unaligned_le16(fake->config + PCI_COMMAND) & PCI_COMMAND_MASTER;
}

/* IP blocks */

static const struct amdgpu_ip_block_version versions[] = {
	{ .type = AMD_IP_BLOCK_TYPE_COMMON },
	{ .type = AMD_IP_BLOCK_TYPE_GMC },
	{ .type = AMD_IP_BLOCK_TYPE_IH },
	{ .type = AMD_IP_BLOCK_TYPE_PSP },
	{ .type = AMD_IP_BLOCK_TYPE_GFX },
	{ .type = AMD_IP_BLOCK_TYPE_SDMA },
};

static const char * const names[] = {
	"+common", "+gmc", "+ih", "+psp", "+gfx", "+sdma",
};

static void blocks_up(struct fake *fake, unsigned int from, unsigned int to)
{
	for (; from < to; from++) {
		log_add(fake, names[from]);
		fake->adev->ip_blocks[from].status.hw = true;
	}
}

/* the fault interrupt */

static int fault_set(struct amdgpu_device *adev, struct amdgpu_irq_src *src,
		     unsigned int type, enum amdgpu_interrupt_state state)
{
	lockdep_assert_held(&adev->irq.lock);

	the_fake->armed = state == AMDGPU_IRQ_STATE_ENABLE;
	log_add(the_fake, the_fake->armed ? "arm" : "disarm");
	return 0;
}

static const struct amdgpu_irq_src_funcs fault_funcs = {
	.set = fault_set,
};

/* amdgpu_device.c */

static int fake_suspend(struct drm_device *ddev)
{
	struct amdgpu_device *adev = drm_to_adev(ddev);
	unsigned int i;

	log_add(the_fake, "suspend");
	adev->in_suspend = true;
	if (the_fake->trick == NO_ACCESS) {
		/* the VF was not touched */
		adev->in_suspend = false;
		return -ETIME;
	}
	if (the_fake->suspend_ret) {
		adev->in_suspend = !the_fake->suspend_undone;
		return the_fake->suspend_ret;
	}

	for (i = 0; i < adev->num_ip_blocks; i++)
		adev->ip_blocks[i].status.hw = false;
	/* as gmc_v9_0_hw_fini() */
	if (!amdgpu_sriov_vf(adev))
		amdgpu_irq_put(adev, &adev->gmc.vm_fault, 0);

	/* a hibernation is followed by a reset */
	the_fake->armed = false;
	return 0;
}

static int fake_ip_resume(struct fake *fake)
{
	struct amdgpu_device *adev = fake->adev;
	int r;

	r = amdgpu_virt_pm_check_identity(adev);
	if (r)
		return r;

	if (fake->trick == PHASE1_FAILS)
		return -ETIME;
	blocks_up(fake, 0, 3);
	if (fake->trick == NOT_ACKNOWLEDGED)
		amdgpu_virt_pm_set_error(adev, "not acknowledged");

	r = amdgpu_virt_pm_check_error(adev);
	if (r)
		return r;

	log_add(fake, "|");
	if (fake->trick == FIRMWARE_FAILS)
		return -EINVAL;
	blocks_up(fake, 3, 4);

	log_add(fake, "|");
	blocks_up(fake, 4, 5);
	if (fake->trick == PHASE2_FAILS)
		return -ETIMEDOUT;
	blocks_up(fake, 5, 6);
	if (fake->trick == TROUBLE_IN_PHASE2) {
		amdgpu_virt_pm_set_error(adev, "not acknowledged");
		amdgpu_virt_pm_set_error(adev, "a consequence");
	}

	return amdgpu_virt_pm_check_engines(adev);
}

static void fake_identity(struct amdgpu_device *adev,
			  struct amdgpu_virt_pm_identity *id)
{
	*id = the_fake->identity;
}

static int fake_reset(struct amdgpu_device *adev)
{
	log_add(the_fake, "reset");
	/* which needs registers, and DMA of PSP */
	if (adev->no_hw_access || !is_bus_master(the_fake))
		return -EPERM;

	return the_fake->reset_ret;
}

static int fake_resume(struct drm_device *ddev)
{
	struct amdgpu_device *adev = drm_to_adev(ddev);
	struct fake *fake = the_fake;
	int r;

	if (fake->trick == NO_ACCESS) {
		adev->no_hw_access = true;
		return -ETIME;
	}

	r = fake_ip_resume(fake);
	if (r)
		return r;

	log_add(fake, "| kfd");
	if (fake->trick == KFD_FAILS)
		return -EIO;

	log_add(fake, "late");
	if (fake->trick == LATE_INIT_FAILS)
		return -EIO;
	r = amdgpu_irq_get(adev, &adev->gmc.vm_fault, 0);
	if (r)
		return r;
	if (fake->trick == TROUBLE_IN_LATE_INIT)
		amdgpu_virt_pm_set_error(adev, "not acknowledged");

	adev->in_suspend = false;
	return 0;
}

/* set-up */

/* only that it can be asked counts */
static int query_mode(struct amdgpu_xcp_mgr *xcp_mgr)
{
	return AMDGPU_CPX_PARTITION_MODE;
}

static struct amdgpu_xcp_mgr_funcs xcp_funcs = {
	.query_partition_mode = query_mode,
};

static void unregister(void *ddev)
{
	if (!drm_dev_is_unplugged(ddev))
		drm_dev_unregister(ddev);
}

static struct amdgpu_device *fake_device(struct kunit *test, u32 caps, u32 gc)
{
	struct amdgpu_device *adev;
	struct drm_device *ddev;
	struct device *dev;
	struct fake *fake;
	unsigned int i;

	dev = drm_kunit_helper_alloc_device(test);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dev);
	/* what it returns is the DRM device, wherever that is in the type */
	ddev = __drm_kunit_helper_alloc_drm_device(test, dev, sizeof(*adev),
						   offsetof(struct amdgpu_device, ddev),
						   DRIVER_GEM);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, ddev);
	/* only what is registered can be unplugged */
	KUNIT_ASSERT_EQ(test, 0, drm_dev_register(ddev, 0));
	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, unregister, ddev));
	adev = drm_to_adev(ddev);
	fake = kunit_kzalloc(test, sizeof(*fake), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, fake);
	the_fake = fake;
	test->priv = fake;
	fake->adev = adev;

	adev->dev = dev;
	adev->virt.caps = caps;
	adev->ip_versions[GC_HWIP][0] = gc;

	fake->bus.ops = &config_ops;
	fake->pdev.bus = &fake->bus;
	fake->pdev.vendor = VENDOR;
	fake->pdev.device = DEVICE;
	fake->pdev.revision = 1;
	fake->pdev.msi_enabled = 1;
	fake->pdev.msi_cap = MSI_CAP;
	put_unaligned_le16(VENDOR, fake->config + PCI_VENDOR_ID);
	put_unaligned_le16(DEVICE, fake->config + PCI_DEVICE_ID);
	put_unaligned_le16(PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER,
			   fake->config + PCI_COMMAND);
	fake->config[PCI_REVISION_ID] = 1;
	put_unaligned_le16(PCI_MSI_FLAGS_ENABLE,
			   fake->config + MSI_CAP + PCI_MSI_FLAGS);
	adev->pdev = &fake->pdev;

	for (i = 0; i < ARRAY_SIZE(versions); i++) {
		adev->ip_blocks[i].version = &versions[i];
		adev->ip_blocks[i].status.valid = true;
		adev->ip_blocks[i].status.hw = true;
	}
	adev->num_ip_blocks = ARRAY_SIZE(versions);

	spin_lock_init(&adev->irq.lock);
	adev->irq.installed = true;
	adev->gmc.vm_fault.num_types = 1;
	adev->gmc.vm_fault.enabled_types = fake->fault_types;
	adev->gmc.vm_fault.funcs = &fault_funcs;
	/* as late_init at probe */
	amdgpu_irq_get(adev, &adev->gmc.vm_fault, 0);
	forget_log(fake);

	fake->xcp_mgr.funcs = &xcp_funcs;
	adev->xcp_mgr = &fake->xcp_mgr;

	return adev;
}

static struct fake *fake_init(struct kunit *test, struct amdgpu_device *adev)
{
	the_fake->identity.vram_mb = 1024;
	the_fake->identity.fb_base = 0x8000000000;
	the_fake->identity.nps = AMDGPU_NPS1_PARTITION_MODE;
	the_fake->identity.discovery = 0xd15c;
	kunit_activate_static_stub(test, amdgpu_virt_pm_read_identity,
				   fake_identity);
	KUNIT_ASSERT_EQ(test, amdgpu_virt_pm_init(adev), 0);
	KUNIT_ASSERT_NOT_NULL(test, adev->virt_pm);
	kunit_activate_static_stub(test, amdgpu_virt_pm_reset_device,
				   fake_reset);
	kunit_activate_static_stub(test, amdgpu_virt_pm_suspend_device,
				   fake_suspend);
	kunit_activate_static_stub(test, amdgpu_virt_pm_resume_device,
				   fake_resume);
	/* stubs act in the task of the test only, see run_work() */
	disable_delayed_work_sync(&adev->virt_pm->base.work);

	return the_fake;
}

static struct fake *fake_gpu(struct kunit *test, u32 caps)
{
	return fake_init(test, fake_device(test, caps, IP_VERSION(9, 4, 3)));
}

static struct fake *fake_pf(struct kunit *test)
{
	return fake_gpu(test, AMDGPU_PASSTHROUGH_MODE);
}

static struct fake *fake_vf(struct kunit *test)
{
	return fake_gpu(test, AMDGPU_SRIOV_CAPS_IS_VF | AMDGPU_SRIOV_CAPS_RUNTIME);
}

static int suspend(struct fake *fake)
{
	return amdgpu_virt_pm_suspend(adev_to_drm(fake->adev));
}

static int resume(struct fake *fake)
{
	return amdgpu_virt_pm_resume(adev_to_drm(fake->adev));
}

static void unbind(struct fake *fake)
{
	amdgpu_virt_pm_remove(fake->adev);
	amdgpu_virt_pm_unplug(fake->adev);
	fake->unbound = true;
}

static void fake_exit(struct kunit *test)
{
	struct fake *fake = test->priv;

	/* while what adev points to is there */
	if (!fake->unbound)
		unbind(fake);
}

static int wait_running(struct fake *fake)
{
	return amdgpu_virt_pm_wait_running(adev_to_drm(fake->adev));
}

static int fault_count(struct fake *fake)
{
	return atomic_read(&fake->fault_types[0]);
}

static int usage(struct fake *fake)
{
	return atomic_read(&fake->adev->dev->power.usage_count);
}

/* Tasks were thawed: run the work of the library */
static void run_work(struct fake *fake)
{
	struct work_struct *work = &fake->adev->virt_pm->base.work.work;

	work->func(work);
}

static const char *lost_reason(struct fake *fake)
{
	return fake->adev->virt_pm->base.reason;
}

static void expect_lost(struct kunit *test, struct fake *fake)
{
	struct amdgpu_device *adev = fake->adev;
	unsigned int i;

	KUNIT_EXPECT_TRUE(test, amdgpu_virt_pm_is_lost(adev));
	KUNIT_EXPECT_TRUE(test, amdgpu_virt_pm_is_down(adev));
	KUNIT_EXPECT_FALSE(test, is_bus_master(fake));
	KUNIT_EXPECT_TRUE(test, adev->no_hw_access);
	KUNIT_EXPECT_TRUE(test, adev->in_suspend);
	for (i = 0; i < adev->num_ip_blocks; i++)
		KUNIT_EXPECT_FALSE(test, adev->ip_blocks[i].status.hw);
	KUNIT_EXPECT_EQ(test, wait_running(fake), -ENODEV);

	/* the system goes on sleeping, and nothing is touched */
	forget_log(fake);
	KUNIT_EXPECT_EQ(test, suspend(fake), 0);
	KUNIT_EXPECT_EQ(test, resume(fake), 0);
	expect_log(test, fake, "");

	/* KFD goes on when the GPU is lost, not before */
	run_work(fake);
	KUNIT_EXPECT_FALSE(test, adev->virt_pm->blocks_kfd);
	KUNIT_EXPECT_EQ(test, amdgpu_virt_pm_wait_kfd(), 0);
	KUNIT_EXPECT_TRUE(test, drm_dev_is_unplugged(adev_to_drm(adev)));
}

/*
 * Order
 */

static void amdgpu_virt_pm_test_order(struct kunit *test)
{
	struct fake *fake = fake_pf(test);
	int before = usage(fake);

	KUNIT_ASSERT_EQ(test, suspend(fake), 0);
	expect_log(test, fake, "suspend disarm");
	KUNIT_ASSERT_EQ(test, resume(fake), 0);
	expect_log(test, fake, GOOD_UP);
	KUNIT_EXPECT_EQ(test, wait_running(fake), 0);
	KUNIT_EXPECT_EQ(test, amdgpu_virt_pm_wait_kfd(), 0);
	KUNIT_EXPECT_TRUE(test, is_bus_master(fake));
	KUNIT_EXPECT_EQ(test, usage(fake), before);
}

static void amdgpu_virt_pm_fake_work(struct work_struct *work)
{
}

/* A process is not restored while a GPU is down, also not between two tries */
static void amdgpu_virt_pm_test_kfd_work(struct kunit *test)
{
	struct fake *fake = fake_pf(test);
	struct delayed_work work;

	INIT_DELAYED_WORK_ONSTACK(&work, amdgpu_virt_pm_fake_work);
	KUNIT_EXPECT_FALSE(test, amdgpu_virt_pm_defer_kfd(system_freezable_wq, &work));
	KUNIT_EXPECT_FALSE(test, delayed_work_pending(&work));

	KUNIT_ASSERT_EQ(test, suspend(fake), 0);
	fake->trick = FIRMWARE_FAILS;
	KUNIT_EXPECT_NE(test, resume(fake), 0);
	KUNIT_EXPECT_TRUE(test, amdgpu_virt_pm_defer_kfd(system_freezable_wq, &work));
	KUNIT_EXPECT_TRUE(test, delayed_work_pending(&work));
	cancel_delayed_work_sync(&work);

	fake->trick = NO_TRICK;
	run_work(fake);
	KUNIT_EXPECT_FALSE(test, amdgpu_virt_pm_defer_kfd(system_freezable_wq, &work));
	KUNIT_EXPECT_FALSE(test, delayed_work_pending(&work));
	destroy_delayed_work_on_stack(&work);
}

/* An importer has pinned a buffer in VRAM, and another one in system memory */
static void amdgpu_virt_pm_test_pinned(struct kunit *test)
{
	struct fake *fake = fake_pf(test);
	struct amdgpu_bo *bo = kunit_kzalloc(test, sizeof(*bo), GFP_KERNEL);
	struct ttm_resource vram = { .mem_type = TTM_PL_VRAM };
	struct ttm_resource gtt = { .mem_type = TTM_PL_TT };
	struct drm_virt_pm *base = &fake->adev->virt_pm->base;

	KUNIT_ASSERT_NOT_NULL(test, bo);
	bo->tbo.bdev = &fake->adev->mman.bdev;
	bo->tbo.resource = &gtt;
	amdgpu_virt_pm_count_pin(bo, 1);
	KUNIT_EXPECT_EQ(test, drm_virt_pm_check(base), 0);

	bo->tbo.resource = &vram;
	amdgpu_virt_pm_count_pin(bo, 1);
	KUNIT_EXPECT_EQ(test, drm_virt_pm_check(base), -EBUSY);
	KUNIT_EXPECT_NOT_NULL(test, strstr(base->refusal, "pinned buffers: 1"));

	amdgpu_virt_pm_count_pin(bo, -1);
	KUNIT_EXPECT_EQ(test, drm_virt_pm_check(base), 0);
}

/* Who imports a buffer is suspended first, unless it is the one who exports, too */
static void amdgpu_virt_pm_test_importer(struct kunit *test)
{
	struct amdgpu_device *adev = fake_pf(test)->adev;
	struct dma_buf_attachment attach = {}, again = {};
	struct device *importer = kunit_device_register(test, "importer");
	struct device_link *link;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, importer);
	attach.dev = importer;
	again.dev = importer;

	KUNIT_ASSERT_EQ(test, amdgpu_virt_pm_attach(adev, &attach), 0);
	KUNIT_ASSERT_EQ(test, amdgpu_virt_pm_attach(adev, &again), 0);
	KUNIT_EXPECT_FALSE(test, list_empty(&importer->links.suppliers));
	KUNIT_EXPECT_NULL(test, device_link_add(adev->dev, importer, DL_FLAG_STATELESS));
	amdgpu_virt_pm_detach(adev, &attach);
	KUNIT_EXPECT_FALSE(test, list_empty(&importer->links.suppliers));
	amdgpu_virt_pm_detach(adev, &again);
	KUNIT_EXPECT_TRUE(test, list_empty(&importer->links.suppliers));

	link = device_link_add(adev->dev, importer, DL_FLAG_STATELESS);
	KUNIT_ASSERT_NOT_NULL(test, link);
	KUNIT_EXPECT_EQ(test, amdgpu_virt_pm_attach(adev, &attach), 0);
	KUNIT_EXPECT_TRUE(test, list_empty(&importer->links.suppliers));
	amdgpu_virt_pm_detach(adev, &attach);
	KUNIT_EXPECT_FALSE(test, list_empty(&importer->links.consumers));
	device_link_del(link);
}

static void amdgpu_virt_pm_test_twice(struct kunit *test)
{
	struct fake *fake = fake_pf(test);
	struct drm_device *ddev = adev_to_drm(fake->adev);

	/* freeze and poweroff without a thaw */
	KUNIT_ASSERT_EQ(test, suspend(fake), 0);
	KUNIT_EXPECT_EQ(test, amdgpu_virt_pm_suspend(ddev), 0);
	expect_log(test, fake, "suspend disarm");
	KUNIT_EXPECT_EQ(test, resume(fake), 0);
	KUNIT_EXPECT_EQ(test, resume(fake), 0);
	expect_log(test, fake, GOOD_UP);
}

static void amdgpu_virt_pm_test_msix(struct kunit *test)
{
	struct fake *fake = fake_pf(test);

	fake->pdev.msi_enabled = 0;
	fake->pdev.msix_enabled = 1;
	fake->pdev.msix_cap = MSI_CAP;
	put_unaligned_le16(PCI_MSIX_FLAGS_ENABLE,
			   fake->config + MSI_CAP + PCI_MSIX_FLAGS);
	KUNIT_ASSERT_EQ(test, suspend(fake), 0);
	KUNIT_EXPECT_EQ(test, resume(fake), 0);

	put_unaligned_le16(0, fake->config + MSI_CAP + PCI_MSIX_FLAGS);
	KUNIT_ASSERT_EQ(test, suspend(fake), 0);
	KUNIT_EXPECT_EQ(test, resume(fake), -ENXIO);
	expect_lost(test, fake);
}

/*
 * Failures
 */

struct failure {
	const char *name;
	enum trick trick;
	bool final;		/* it is not tried once more */
	int ret;
	const char *log;
	const char *reason;
};

static const struct failure failures[] = {
	{ "another device", OTHER_DEVICE, true, -ENODEV, "",
	  "not the device that was suspended (-19)" },
	{ "another revision", OTHER_REVISION, true, -ENODEV, "",
	  "not the device that was suspended (-19)" },
	{ "no device", NO_DEVICE, true, -ENODEV, "",
	  "not the device that was suspended (-19)" },
	{ "no interrupts", NO_MSI, true, -ENXIO, "",
	  "its interrupts are disabled (-6)" },
	{ "memory", PHASE1_FAILS, false, -ETIME, "", "resume failed (-62)" },
	{ "an invalidation", NOT_ACKNOWLEDGED, false, -EIO, "+common +gmc +ih",
	  "not acknowledged (-5)" },
	{ "firmware", FIRMWARE_FAILS, false, -EINVAL, "+common +gmc +ih |",
	  "resume failed (-22)" },
	{ "a ring test", PHASE2_FAILS, false, -ETIMEDOUT,
	  "+common +gmc +ih | +psp | +gfx", "resume failed (-110)" },
	{ "a late invalidation", TROUBLE_IN_PHASE2, false, -EIO,
	  "+common +gmc +ih | +psp | +gfx +sdma", "not acknowledged (-5)" },
	{ "KFD", KFD_FAILS, true, -EIO,
	  "+common +gmc +ih | +psp | +gfx +sdma | kfd", "resume failed (-5)" },
	{ "late initialisation", LATE_INIT_FAILS, true, -EIO,
	  "+common +gmc +ih | +psp | +gfx +sdma | kfd late",
	  "resume failed (-5)" },
	{ "a very late invalidation", TROUBLE_IN_LATE_INIT, true, -EIO, GOOD_UP,
	  "not acknowledged (-5)" },
};

static void describe(const struct failure *failure, char *desc)
{
	strscpy(desc, failure->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(failures, failures, describe);

static void amdgpu_virt_pm_test_fails(struct kunit *test)
{
	const struct failure *failure = test->param_value;
	struct fake *fake = fake_pf(test);
	char expected[LOG_SIZE] = "reset";

	KUNIT_ASSERT_EQ(test, suspend(fake), 0);
	forget_log(fake);

	fake->trick = failure->trick;
	if (fake->trick == OTHER_DEVICE)
		put_unaligned_le16(DEVICE + 1, fake->config + PCI_DEVICE_ID);
	if (fake->trick == OTHER_REVISION)
		fake->config[PCI_REVISION_ID]++;
	if (fake->trick == NO_MSI)
		put_unaligned_le16(0, fake->config + MSI_CAP + PCI_MSI_FLAGS);

	KUNIT_EXPECT_EQ(test, resume(fake), failure->ret);
	expect_log(test, fake, failure->log);
	KUNIT_EXPECT_TRUE(test, fake->adev->virt_pm->blocks_kfd);
	if (!failure->final) {
		KUNIT_EXPECT_FALSE(test, amdgpu_virt_pm_is_lost(fake->adev));
		KUNIT_EXPECT_FALSE(test, is_bus_master(fake));
		run_work(fake);
		if (failure->log[0])
			strlcat(expected, " ", sizeof(expected));
		strlcat(expected, failure->log, sizeof(expected));
		expect_log(test, fake, expected);
	}
	KUNIT_EXPECT_STREQ(test, lost_reason(fake), failure->reason);
	expect_lost(test, fake);
}

/* It fails once, and a reset helps */
static void amdgpu_virt_pm_test_reset(struct kunit *test)
{
	struct fake *fake = fake_pf(test);
	struct amdgpu_device *adev = fake->adev;
	int before = usage(fake);

	KUNIT_ASSERT_EQ(test, suspend(fake), 0);
	fake->trick = FIRMWARE_FAILS;
	KUNIT_EXPECT_EQ(test, resume(fake), -EINVAL);
	KUNIT_EXPECT_FALSE(test, amdgpu_virt_pm_is_lost(adev));
	KUNIT_EXPECT_FALSE(test, is_bus_master(fake));
	KUNIT_EXPECT_TRUE(test, adev->no_hw_access);

	fake->trick = NO_TRICK;
	forget_log(fake);
	run_work(fake);
	expect_log(test, fake, "reset " GOOD_UP);
	KUNIT_EXPECT_FALSE(test, amdgpu_virt_pm_is_down(adev));
	KUNIT_EXPECT_TRUE(test, is_bus_master(fake));
	KUNIT_EXPECT_FALSE(test, adev->no_hw_access);
	KUNIT_EXPECT_EQ(test, wait_running(fake), 0);
	KUNIT_EXPECT_EQ(test, amdgpu_virt_pm_wait_kfd(), 0);
	KUNIT_EXPECT_EQ(test, usage(fake), before);

	/* the next one has two tries again */
	KUNIT_ASSERT_EQ(test, suspend(fake), 0);
	fake->trick = FIRMWARE_FAILS;
	KUNIT_EXPECT_EQ(test, resume(fake), -EINVAL);
	KUNIT_EXPECT_FALSE(test, amdgpu_virt_pm_is_lost(adev));

	fake->reset_ret = -ETIME;
	forget_log(fake);
	run_work(fake);
	expect_log(test, fake, "reset");
	KUNIT_EXPECT_STREQ(test, lost_reason(fake), "it cannot be reset (-62)");
	expect_lost(test, fake);
}

static void amdgpu_virt_pm_test_identity(struct kunit *test)
{
	struct fake *fake = fake_pf(test);
	struct amdgpu_virt_pm_identity *id = &fake->adev->virt_pm->identity;

	/* nothing to compare */
	id->discovery = 0;
	KUNIT_ASSERT_EQ(test, suspend(fake), 0);
	KUNIT_EXPECT_EQ(test, resume(fake), 0);
	id->discovery = fake->identity.discovery;

	KUNIT_ASSERT_EQ(test, suspend(fake), 0);
	fake->identity.fb_base += SZ_1G;
	forget_log(fake);
	KUNIT_EXPECT_EQ(test, resume(fake), -ENODEV);
	expect_log(test, fake, "");
	KUNIT_EXPECT_STREQ(test, lost_reason(fake),
			   "its VRAM has another address (-19)");
	expect_lost(test, fake);
}

static void amdgpu_virt_pm_test_identity_vf(struct kunit *test)
{
	struct fake *fake = fake_vf(test);

	KUNIT_ASSERT_EQ(test, suspend(fake), 0);
	fake->identity.fb_base += SZ_1G;
	KUNIT_EXPECT_EQ(test, resume(fake), -ENODEV);
	KUNIT_EXPECT_STREQ(test, lost_reason(fake),
			   "its VRAM has another address (-19)");
	expect_lost(test, fake);
}

/* The host does not grant access: a suspend is refused, a resume tried again */
static void amdgpu_virt_pm_test_access(struct kunit *test)
{
	static const struct amdgpu_virt_ops ops = {};
	struct fake *fake = fake_vf(test);
	struct amdgpu_device *adev = fake->adev;

	fake->trick = NO_ACCESS;
	KUNIT_EXPECT_EQ(test, suspend(fake), -ETIME);
	KUNIT_EXPECT_FALSE(test, amdgpu_virt_pm_is_down(adev));
	KUNIT_EXPECT_FALSE(test, adev->no_hw_access);
	KUNIT_EXPECT_FALSE(test, adev->in_suspend);
	KUNIT_EXPECT_EQ(test, wait_running(fake), 0);

	fake->trick = NO_TRICK;
	KUNIT_ASSERT_EQ(test, suspend(fake), 0);
	fake->trick = NO_ACCESS;
	KUNIT_EXPECT_EQ(test, resume(fake), -ETIME);
	KUNIT_EXPECT_FALSE(test, amdgpu_virt_pm_is_lost(adev));
	fake->trick = NO_TRICK;
	run_work(fake);
	KUNIT_EXPECT_FALSE(test, amdgpu_virt_pm_is_down(adev));

	KUNIT_ASSERT_EQ(test, suspend(fake), 0);
	fake->trick = NO_ACCESS;
	KUNIT_EXPECT_EQ(test, resume(fake), -ETIME);
	run_work(fake);
	KUNIT_EXPECT_STREQ(test, lost_reason(fake),
			   "the host grants no access (-62)");
	expect_lost(test, fake);

	/* nothing asks the host of a GPU that is given up */
	adev->virt.ops = &ops;
	unbind(fake);
	KUNIT_EXPECT_NULL(test, adev->virt.ops);
}

static void amdgpu_virt_pm_test_suspend_fails(struct kunit *test)
{
	struct fake *fake = fake_pf(test);

	/* amdgpu_device_suspend() has undone its work */
	fake->suspend_ret = -ENOMEM;
	fake->suspend_undone = true;
	KUNIT_EXPECT_EQ(test, suspend(fake), -ENOMEM);
	KUNIT_EXPECT_STREQ(test, fake->adev->virt_pm->base.refusal,
			   "suspend: amdgpu cannot be suspended (-12)");
	KUNIT_EXPECT_FALSE(test, amdgpu_virt_pm_is_down(fake->adev));
	KUNIT_EXPECT_EQ(test, wait_running(fake), 0);
	KUNIT_EXPECT_EQ(test, fault_count(fake), 1);

	/* it has not: the system sleeps without this GPU */
	fake->suspend_undone = false;
	KUNIT_EXPECT_EQ(test, suspend(fake), 0);
	KUNIT_EXPECT_STREQ(test, lost_reason(fake), "suspend failed half-way");
	expect_lost(test, fake);
}

static void end_restore(void *unused)
{
	drm_virt_pm_notify(PM_POST_RESTORE);
}

/* An image is about to be loaded: it is not discarded because of this GPU */
static void amdgpu_virt_pm_test_restore_fails(struct kunit *test)
{
	struct fake *fake = fake_pf(test);

	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, end_restore, NULL));
	KUNIT_ASSERT_EQ(test, 0, drm_virt_pm_notify(PM_RESTORE_PREPARE));
	fake->suspend_ret = -ENOMEM;
	fake->suspend_undone = true;
	KUNIT_EXPECT_EQ(test, suspend(fake), 0);
	KUNIT_EXPECT_STREQ(test, lost_reason(fake), "suspend failed half-way");
	expect_lost(test, fake);
}

/* A task waits for a fence of a GPU that is lost */

static const char *fence_name(struct dma_fence *fence)
{
	return "fake";
}

static const struct dma_fence_ops fence_ops = {
	.get_driver_name = fence_name,
	.get_timeline_name = fence_name,
};

struct fake_waiter {
	struct dma_fence_cb cb;
	bool was_master;
	bool was_lost;
};

static void fence_signaled(struct dma_fence *fence, struct dma_fence_cb *cb)
{
	struct fake_waiter *waiter = container_of(cb, struct fake_waiter, cb);

	waiter->was_master = is_bus_master(the_fake);
	waiter->was_lost = amdgpu_virt_pm_is_lost(the_fake->adev);
}

static void amdgpu_virt_pm_test_fences(struct kunit *test)
{
	struct fake_waiter waiter = { .was_master = true, .was_lost = true };
	struct fake *fake = fake_pf(test);
	struct amdgpu_ring *ring = kunit_kzalloc(test, sizeof(*ring), GFP_KERNEL);
	struct dma_fence *fence = kzalloc(sizeof(*fence), GFP_KERNEL);
	u32 seq = 0;

	KUNIT_ASSERT_NOT_NULL(test, ring);
	KUNIT_ASSERT_NOT_NULL(test, fence);
	ring->adev = fake->adev;
	ring->num_hw_submission = 2;
	KUNIT_ASSERT_EQ(test, amdgpu_fence_driver_init_ring(ring), 0);
	ring->fence_drv.cpu_addr = &seq;
	ring->fence_drv.initialized = true;
	fake->adev->rings[0] = ring;
	KUNIT_ASSERT_EQ(test, suspend(fake), 0);

	dma_fence_init(fence, &fence_ops, &ring->fence_drv.lock, 0, 1);
	ring->fence_drv.sync_seq = 1;
	ring->fence_drv.fences[1] = dma_fence_get(fence);
	pm_runtime_get_noresume(fake->adev->dev);

	KUNIT_ASSERT_EQ(test, 0,
			dma_fence_add_callback(fence, &waiter.cb, fence_signaled));

	/* TTM frees pages when it signals: the GPU must not write any more */
	fake->trick = PHASE2_FAILS;
	KUNIT_EXPECT_EQ(test, resume(fake), -ETIMEDOUT);
	KUNIT_EXPECT_TRUE(test, dma_fence_is_signaled(fence));
	KUNIT_EXPECT_EQ(test, fence->error, -ECANCELED);
	KUNIT_EXPECT_FALSE(test, waiter.was_master);
	KUNIT_EXPECT_FALSE(test, waiter.was_lost);

	fake->adev->rings[0] = NULL;
	kfree(ring->fence_drv.fences);
	dma_fence_put(fence);
}

/*
 * Hives
 */

static struct amdgpu_hive_info *fake_hive(struct kunit *test, struct fake *fake)
{
	struct amdgpu_hive_info *hive;

	hive = kunit_kzalloc(test, sizeof(*hive), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, hive);
	mutex_init(&hive->hive_lock);
	hive->tb.n = 2;
	fake->adev->hive = hive;

	return hive;
}

/* Resets of its hive wait for a GPU only while its engines run. */
static void amdgpu_virt_pm_test_hive(struct kunit *test)
{
	struct fake *fake = fake_pf(test);
	struct amdgpu_hive_info *hive = fake_hive(test, fake);

	KUNIT_ASSERT_EQ(test, suspend(fake), 0);
	KUNIT_EXPECT_EQ(test, hive->tb.n, 1);
	KUNIT_EXPECT_TRUE(test, amdgpu_virt_pm_has_left_resets(fake->adev));
	KUNIT_EXPECT_EQ(test, resume(fake), 0);
	KUNIT_EXPECT_EQ(test, hive->tb.n, 2);
	KUNIT_EXPECT_FALSE(test, amdgpu_virt_pm_has_left_resets(fake->adev));

	/* stopped, and resumed by the work */
	fake->trick = PHASE2_FAILS;
	KUNIT_ASSERT_EQ(test, suspend(fake), 0);
	KUNIT_EXPECT_EQ(test, resume(fake), -ETIMEDOUT);
	KUNIT_EXPECT_EQ(test, hive->tb.n, 1);
	fake->trick = NO_TRICK;
	run_work(fake);
	KUNIT_EXPECT_EQ(test, hive->tb.n, 2);

	/* lost when its engines run */
	fake->trick = KFD_FAILS;
	KUNIT_ASSERT_EQ(test, suspend(fake), 0);
	KUNIT_EXPECT_EQ(test, resume(fake), -EIO);
	KUNIT_EXPECT_TRUE(test, amdgpu_virt_pm_is_lost(fake->adev));
	KUNIT_EXPECT_EQ(test, hive->tb.n, 1);
}

/* The host resets it. */
static void amdgpu_virt_pm_test_hive_vf(struct kunit *test)
{
	struct fake *fake = fake_vf(test);
	struct amdgpu_hive_info *hive = fake_hive(test, fake);

	KUNIT_ASSERT_EQ(test, suspend(fake), 0);
	KUNIT_EXPECT_EQ(test, hive->tb.n, 2);
	KUNIT_EXPECT_EQ(test, resume(fake), 0);
	KUNIT_EXPECT_EQ(test, hive->tb.n, 2);
}

/*
 * Devices and transitions that are not affected
 */

struct other {
	const char *name;
	u32 caps, gc;
	unsigned long flags;
	bool has_partitions;
	bool checked;
};

static const struct other others[] = {
	{ "MI300X, not in a guest", 0, IP_VERSION(9, 4, 3), 0, true, true },
	{ "MI300A", AMDGPU_PASSTHROUGH_MODE, IP_VERSION(9, 4, 3), AMD_IS_APU, true,
	  false },
	{ "Vega", AMDGPU_PASSTHROUGH_MODE, IP_VERSION(9, 4, 0), 0, false, false },
	{ "Navi 2x", AMDGPU_PASSTHROUGH_MODE, IP_VERSION(10, 3, 0), 0, false, false },
	{ "Navi 3x, not in a guest", 0, IP_VERSION(11, 0, 0), 0, false, false },
	{ "a virtual function", AMDGPU_SRIOV_CAPS_IS_VF, IP_VERSION(12, 0, 0), 0,
	  true, false },
};

static void describe_other(const struct other *other, char *desc)
{
	strscpy(desc, other->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(others, others, describe_other);

/* A skipped thaw, loss and the second try are for all; checks are not */
static void amdgpu_virt_pm_test_others(struct kunit *test)
{
	const struct other *other = test->param_value;
	struct amdgpu_device *adev = fake_device(test, other->caps, other->gc);
	struct fake *fake;

	adev->flags |= other->flags;
	if (!other->has_partitions)
		adev->xcp_mgr = NULL;
	fake = fake_init(test, adev);
	KUNIT_EXPECT_EQ(test, adev->virt_pm->checked, other->checked);

	/* the thaw is skipped */
	KUNIT_ASSERT_EQ(test, suspend(fake), 0);
	run_work(fake);
	KUNIT_EXPECT_FALSE(test, amdgpu_virt_pm_is_down(adev));

	/* for example an IB test of a video engine */
	fake->trick = TROUBLE_IN_LATE_INIT;
	KUNIT_ASSERT_EQ(test, suspend(fake), 0);
	KUNIT_EXPECT_EQ(test, resume(fake), other->checked ? -EIO : 0);
	KUNIT_EXPECT_EQ(test, amdgpu_virt_pm_is_lost(adev), other->checked);
	if (other->checked)
		return;

	fake->identity.fb_base += SZ_1G;
	fake->trick = NO_TRICK;
	KUNIT_ASSERT_EQ(test, suspend(fake), 0);
	KUNIT_EXPECT_EQ(test, resume(fake), 0);

	fake->trick = PHASE2_FAILS;
	KUNIT_ASSERT_EQ(test, suspend(fake), 0);
	KUNIT_EXPECT_EQ(test, resume(fake), -ETIMEDOUT);
	KUNIT_EXPECT_FALSE(test, amdgpu_virt_pm_is_lost(adev));
	run_work(fake);
	KUNIT_EXPECT_STREQ(test, lost_reason(fake), "resume failed (-110)");
	expect_lost(test, fake);
}

static void amdgpu_virt_pm_test_other_resumes(struct kunit *test)
{
	struct fake *fake = fake_pf(test);
	struct drm_device *ddev = adev_to_drm(fake->adev);

	/*
	 * Runtime PM and vga_switcheroo call amdgpu_device_suspend() and
	 * amdgpu_device_resume() as well.
	 */
	fake->trick = NO_MSI;
	put_unaligned_le16(0, fake->config + MSI_CAP + PCI_MSI_FLAGS);
	KUNIT_ASSERT_EQ(test, fake_suspend(ddev), 0);
	forget_log(fake);
	KUNIT_EXPECT_EQ(test, fake_resume(ddev), 0);
	expect_log(test, fake, "+common +gmc +ih | +psp | +gfx +sdma | kfd late arm");
	KUNIT_EXPECT_FALSE(test, amdgpu_virt_pm_is_down(fake->adev));

	/* a GPU without power stays as it is over a sleep state */
	ddev->switch_power_state = DRM_SWITCH_POWER_OFF;
	KUNIT_EXPECT_EQ(test, amdgpu_virt_pm_suspend(ddev), 0);
	KUNIT_EXPECT_FALSE(test, amdgpu_virt_pm_is_down(fake->adev));
	KUNIT_EXPECT_EQ(test, amdgpu_virt_pm_resume(ddev), 0);
	expect_log(test, fake, "");
	KUNIT_EXPECT_EQ(test, fake->adev->virt_pm->base.epoch, 1);
}

/*
 * A thaw that is skipped, or a freeze that fails after the GPU was suspended
 */

static void amdgpu_virt_pm_test_not_resumed(struct kunit *test)
{
	struct fake *fake = fake_pf(test);
	int before = usage(fake);

	KUNIT_ASSERT_EQ(test, suspend(fake), 0);
	forget_log(fake);
	/* runtime PM must not suspend it once more */
	KUNIT_EXPECT_EQ(test, usage(fake), before + 1);

	run_work(fake);
	expect_log(test, fake, GOOD_UP);
	KUNIT_EXPECT_FALSE(test, amdgpu_virt_pm_is_down(fake->adev));
	KUNIT_EXPECT_EQ(test, usage(fake), before);
	KUNIT_EXPECT_EQ(test, wait_running(fake), 0);
	KUNIT_EXPECT_EQ(test, amdgpu_virt_pm_wait_kfd(), 0);
}

static void amdgpu_virt_pm_test_not_resumed_fails(struct kunit *test)
{
	struct fake *fake = fake_pf(test);

	KUNIT_ASSERT_EQ(test, suspend(fake), 0);
	fake->trick = PHASE2_FAILS;
	run_work(fake);
	KUNIT_EXPECT_FALSE(test, amdgpu_virt_pm_is_lost(fake->adev));
	run_work(fake);
	KUNIT_EXPECT_STREQ(test, lost_reason(fake), "resume failed (-110)");
	/* the same run of the work unplugs it */
	KUNIT_EXPECT_TRUE(test, drm_dev_is_unplugged(adev_to_drm(fake->adev)));
	expect_lost(test, fake);
}

static void amdgpu_virt_pm_test_powered_off(struct kunit *test)
{
	struct fake *fake = fake_pf(test);
	int before = usage(fake);

	/* the image was written, poweroff finds it suspended, and it is restored */
	KUNIT_ASSERT_EQ(test, suspend(fake), 0);
	forget_log(fake);
	KUNIT_EXPECT_EQ(test, suspend(fake), 0);
	KUNIT_EXPECT_EQ(test, usage(fake), before + 1);
	KUNIT_EXPECT_EQ(test, resume(fake), 0);
	expect_log(test, fake, GOOD_UP);

	/* the work was queued in suspend */
	run_work(fake);
	expect_log(test, fake, "");
	KUNIT_EXPECT_EQ(test, usage(fake), before);
}

static void amdgpu_virt_pm_test_unbound(struct kunit *test)
{
	struct fake *fake = fake_pf(test);
	int before = usage(fake);

	KUNIT_ASSERT_EQ(test, suspend(fake), 0);
	forget_log(fake);

	unbind(fake);
	expect_log(test, fake, "");
	KUNIT_EXPECT_STREQ(test, lost_reason(fake), "unbound while suspended");
	KUNIT_EXPECT_TRUE(test, amdgpu_virt_pm_is_lost(fake->adev));
	KUNIT_EXPECT_FALSE(test, is_bus_master(fake));
	KUNIT_EXPECT_TRUE(test, fake->adev->no_hw_access);
	KUNIT_EXPECT_TRUE(test, drm_dev_is_unplugged(adev_to_drm(fake->adev)));
	KUNIT_EXPECT_EQ(test, wait_running(fake), -ENODEV);
	KUNIT_EXPECT_EQ(test, amdgpu_virt_pm_wait_kfd(), 0);
	KUNIT_EXPECT_EQ(test, usage(fake), before);
}

static void amdgpu_virt_pm_test_unbound_running(struct kunit *test)
{
	struct fake *fake = fake_pf(test);
	int before = usage(fake);

	/* amdgpu takes down its hardware itself, which needs DMA and registers */
	unbind(fake);
	KUNIT_EXPECT_TRUE(test, drm_dev_is_unplugged(adev_to_drm(fake->adev)));
	KUNIT_EXPECT_TRUE(test, is_bus_master(fake));
	KUNIT_EXPECT_FALSE(test, fake->adev->no_hw_access);
	KUNIT_EXPECT_TRUE(test, fake->adev->ip_blocks[0].status.hw);
	KUNIT_EXPECT_EQ(test, wait_running(fake), -ENODEV);
	KUNIT_EXPECT_EQ(test, usage(fake), before);
}

static struct kunit_case amdgpu_virt_pm_cases[] = {
	KUNIT_CASE(amdgpu_virt_pm_test_order),
	KUNIT_CASE(amdgpu_virt_pm_test_kfd_work),
	KUNIT_CASE(amdgpu_virt_pm_test_pinned),
	KUNIT_CASE(amdgpu_virt_pm_test_importer),
	KUNIT_CASE(amdgpu_virt_pm_test_twice),
	KUNIT_CASE(amdgpu_virt_pm_test_msix),
	KUNIT_CASE_PARAM(amdgpu_virt_pm_test_fails, failures_gen_params),
	KUNIT_CASE(amdgpu_virt_pm_test_reset),
	KUNIT_CASE(amdgpu_virt_pm_test_identity),
	KUNIT_CASE(amdgpu_virt_pm_test_identity_vf),
	KUNIT_CASE(amdgpu_virt_pm_test_access),
	KUNIT_CASE(amdgpu_virt_pm_test_suspend_fails),
	KUNIT_CASE(amdgpu_virt_pm_test_restore_fails),
	KUNIT_CASE(amdgpu_virt_pm_test_fences),
	KUNIT_CASE(amdgpu_virt_pm_test_hive),
	KUNIT_CASE(amdgpu_virt_pm_test_hive_vf),
	KUNIT_CASE_PARAM(amdgpu_virt_pm_test_others, others_gen_params),
	KUNIT_CASE(amdgpu_virt_pm_test_other_resumes),
	KUNIT_CASE(amdgpu_virt_pm_test_not_resumed),
	KUNIT_CASE(amdgpu_virt_pm_test_not_resumed_fails),
	KUNIT_CASE(amdgpu_virt_pm_test_powered_off),
	KUNIT_CASE(amdgpu_virt_pm_test_unbound),
	KUNIT_CASE(amdgpu_virt_pm_test_unbound_running),
	{}
};

static struct kunit_suite amdgpu_virt_pm_suite = {
	.name = "amdgpu_virt_pm",
	.exit = fake_exit,
	.test_cases = amdgpu_virt_pm_cases,
};

kunit_test_suite(amdgpu_virt_pm_suite);
/* MODULE_IMPORT_NS() takes a token up to 6.12 and a string since */
MODULE_INFO(import_ns, "EXPORTED_FOR_KUNIT_TESTING");
