# SPDX-License-Identifier: GPL-2.0-only
"""
There is no memory to restore a compute process in the resume of S3: the GPU is well.

KFD tries that again a moment later. The failure is injected, so this wants the debug
kernel. no_console_suspend: not used.
"""

from model import FAULTY, ModelSetup
from verdict import Skip

SETUP = ModelSetup(expected_log=FAULTY + ((r'Restore process', 'KFD about its process'),))


def story(vm):
    if not vm.debug:
        raise Skip('the kernel has no fault injection')
    vm.power_on_with_driver('CPX')
    vm.use_gpu()
    vm.mark_kernel_log()
    vm.starve('amdgpu_amdkfd_gpuvm_restore_process_bos', only_first_try=True)
    vm.suspend_and_wake()
    vm.feed()
    vm.expect(any('failed during resume' in line for line in vm.kernel_log()),
              'the process was restored at once: nothing was tested')
    vm.expect_gpu_came_back()
    vm.suspend_and_wake()
    vm.expect_gpu_came_back()
