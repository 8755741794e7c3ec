# SPDX-License-Identifier: GPL-2.0-only
"""
S3 of a passed-through GPU, twice, which its bus resets on the way.

Its registers are gone, its memory is not. no_console_suspend: not used.
"""

from model import ModelSetup

SETUP = ModelSetup()


def story(vm):
    vm.power_on_with_driver('CPX')
    vm.use_gpu()
    for _ in range(2):
        vm.suspend_and_wake()
        vm.expect_gpu_came_back()
