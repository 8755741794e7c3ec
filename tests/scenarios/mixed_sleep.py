# SPDX-License-Identifier: GPL-2.0-only
"""
A virtio-gpu with a screen and a passed-through GPU in one guest: S4, then S3.

The picture is the same, and the GPU's buffers, engines and partition mode are.
no_console_suspend: not used.
"""

from model import ModelSetup

SETUP = ModelSetup(virtio_gpu=True, cpus=2)


def story(vm):
    vm.power_on_with_driver('CPX')
    vm.draw_desktop()
    vm.use_gpu()
    vm.hibernate_and_power_on_again()
    vm.expect_same_picture()
    vm.expect_gpu_came_back()
    vm.suspend_and_wake()
    vm.expect_same_picture()
    vm.expect_gpu_came_back()
