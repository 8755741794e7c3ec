// SPDX-License-Identifier: GPL-2.0 OR MIT

#include <linux/list.h>
#include <linux/mutex.h>

#include <drm/task_barrier.h>

#include "amdgpu.h"
#include "amdgpu_virt_pm.h"
#include "amdgpu_xgmi.h"

/**
 * DOC: hive
 *
 * GPUs that are linked by XGMI are a hive. A GPU reset resets all of them, and the
 * reset work of each waits in a task barrier for that of the others. A GPU that is
 * suspended, or that was stopped after a resume that failed, must not be reset: the
 * driver would access it, and bring it up while the PM callback or the work of the
 * library may do the same.
 *
 * So a GPU leaves the resets of its hive when it goes down, and joins them when its
 * engines run again. The hive stays as it is, and with it the topology. The PSP
 * forgets the topology in a reset; it is set again when the GPU joins, which is before
 * KFD restores its processes.
 *
 * A GPU that is lost is removed from its hive by the work that unplugs it.
 */

/* The host resets virtual functions, each alone. */
static struct amdgpu_hive_info *amdgpu_virt_pm_hive(struct amdgpu_device *adev)
{
	return amdgpu_sriov_vf(adev) ? NULL : adev->hive;
}

/**
 * amdgpu_virt_pm_leave_resets - let resets of the hive go on without this GPU
 * @adev: the device
 *
 * A reset that is running ends first.
 *
 * Context: PM callback, or the work of the library.
 */
void amdgpu_virt_pm_leave_resets(struct amdgpu_device *adev)
{
	struct amdgpu_hive_info *hive = amdgpu_virt_pm_hive(adev);

	if (!hive)
		return;

	mutex_lock(&hive->hive_lock);
	if (!adev->virt_pm->left_resets) {
		task_barrier_rem_task(&hive->tb);
		adev->virt_pm->left_resets = true;
	}
	mutex_unlock(&hive->hive_lock);
}

/* The answer of the PSP is not looked at elsewhere. */
static int amdgpu_virt_pm_set_topology(struct amdgpu_device *adev)
{
	struct ta_context *ta = &adev->psp.xgmi_context.context;
	const struct ta_xgmi_shared_memory *answer = ta->mem_context.shared_buf;
	int r;

	/* the firmware was loaded without the PSP */
	if (!answer)
		return 0;
	/* psp_resume() goes on without it */
	if (!ta->initialized)
		return -ENODEV;

	r = amdgpu_xgmi_update_topology(adev->hive, adev);
	if (!r && (ta->resp_status || answer->xgmi_status))
		r = -EIO;

	return r;
}

/**
 * amdgpu_virt_pm_join_resets - set the topology, and take part in resets again
 * @adev: the device
 *
 * Context: PM callback, or the work of the library. The engines run.
 *
 * Return: 0 or a negative errno.
 */
int amdgpu_virt_pm_join_resets(struct amdgpu_device *adev)
{
	struct amdgpu_hive_info *hive = amdgpu_virt_pm_hive(adev);
	int r;

	if (!hive)
		return 0;

	mutex_lock(&hive->hive_lock);
	r = amdgpu_virt_pm_set_topology(adev);
	if (!r && adev->virt_pm->left_resets) {
		task_barrier_add_task(&hive->tb);
		adev->virt_pm->left_resets = false;
	}
	mutex_unlock(&hive->hive_lock);

	return r;
}

/**
 * amdgpu_virt_pm_has_left_resets - whether a reset of the hive leaves the GPU alone
 * @adev: the device
 *
 * Context: &amdgpu_hive_info.hive_lock is held.
 *
 * Return: true between amdgpu_virt_pm_leave_resets() and
 * amdgpu_virt_pm_join_resets().
 */
bool amdgpu_virt_pm_has_left_resets(struct amdgpu_device *adev)
{
	return adev->virt_pm && adev->virt_pm->left_resets;
}

/**
 * amdgpu_virt_pm_remove_from_hive - a lost GPU is no member of its hive any more
 * @adev: the device
 *
 * Context: The work of the library.
 */
void amdgpu_virt_pm_remove_from_hive(struct amdgpu_device *adev)
{
	/* with an ID amdgpu_get_xgmi_hive() would find the hive, or make one */
	if (adev->hive && !amdgpu_xgmi_remove_device(adev))
		adev->gmc.xgmi.hive_id = 0;
}
