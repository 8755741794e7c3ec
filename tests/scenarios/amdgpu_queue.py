# SPDX-License-Identifier: GPL-2.0-only
"""
A compute process with a queue of its own, which it feeds without the kernel: S4, S3.

The queue must make progress after each resume as it did before: KFD maps it again with
its state, and the process rings a doorbell. no_console_suspend: not used.
"""

from model import ModelSetup

SETUP = ModelSetup()


def story(vm):
    vm.power_on_with_driver('CPX')
    vm.use_gpu(queue=True)
    vm.expect_user_queue()
    for way in (vm.hibernate_and_power_on_again, vm.suspend_and_wake,
                vm.hibernate_and_power_on_again):
        way()
        vm.expect_gpu_came_back()
        vm.expect_user_queue()
