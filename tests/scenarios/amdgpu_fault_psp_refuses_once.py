# SPDX-License-Identifier: GPL-2.0-only
"""
PSP refuses the partition mode after S3, but only once: a reset of the GPU helps.

The library's work resets it and resumes it once more, and nothing is lost: neither
buffers nor the partition mode nor the compute process. no_console_suspend: not used.
"""

from model import FAULTY, ModelSetup

SETUP = ModelSetup(model=('--fault-later', 'psp-refuses-once=partition'),
                   expected_log=FAULTY)


def story(vm):
    vm.power_on_with_driver('CPX')
    vm.use_gpu()
    vm.mark_kernel_log()
    vm.suspend_and_wake_with_fault()
    vm.expect_gpu_came_back()
    vm.expect_tried_again()
    vm.suspend_and_wake()
    vm.expect_gpu_came_back()
