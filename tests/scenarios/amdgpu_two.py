# SPDX-License-Identifier: GPL-2.0-only
"""
Two passed-through GPUs, each with a compute process: both come back from S4 and S3.

KFD restores its processes when the last of them is up. no_console_suspend: not used.
"""

from model import ModelSetup

SETUP = ModelSetup(second=())


def story(vm):
    vm.power_on_with_driver('SPX')
    vm.use_gpu()
    for way in (vm.hibernate_and_power_on_again, vm.suspend_and_wake):
        way()
        vm.expect_gpu_came_back()
        vm.guest.kfd_check(1)
