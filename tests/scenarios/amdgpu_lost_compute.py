# SPDX-License-Identifier: GPL-2.0-only
"""
A GPU is lost in S3 whose compute process has its page tables written by SDMA.

KFD must not restore that process: SDMA is dead, and KFD would wait for it in the PM
callback of the GPU, for ever, or its restore_work would try again and again. The GPU
does no DMA any more. The guest lives, sleeps again, and the driver can be unbound.
no_console_suspend: not used.
"""

from model import FAULTY, ModelSetup
from verdict import Failure

SETUP = ModelSetup(model=('--fault-later', 'psp-refuses=partition'),
                   driver='vm_update_mode=0', expected_log=FAULTY)


def story(vm):
    vm.power_on_with_driver('CPX')
    vm.use_gpu()
    for way in (vm.suspend_and_wake_with_fault, vm.suspend_and_wake):
        way()
        vm.expect_lost()
    for trace in ('Restore process', 'amdgpu_vm_bo_update failed'):
        if trace in vm.files.console_text():
            raise Failure(f'KFD tried to restore a process of the lost GPU: {trace}')
