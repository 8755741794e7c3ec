# SPDX-License-Identifier: GPL-2.0-only
"""
The image does not fit on the disk: the hibernation is refused, the GPU works on.

It had been suspended and reset for the image. Where thaw leaves it so, as from
7.2 on, it must be resumed once it is known that nobody powers off. Then the
guest sleeps in S3 as if nothing had been. no_console_suspend: not used.
"""

from model import ModelSetup

SETUP = ModelSetup(swap=8)


def story(vm):
    vm.power_on_with_driver('CPX')
    vm.use_gpu()
    vm.expect_hibernation_refused('ENOSPC')
    vm.expect_gpu_came_back()
    vm.suspend_and_wake()
    vm.expect_gpu_came_back()
