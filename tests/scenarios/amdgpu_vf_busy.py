# SPDX-License-Identifier: GPL-2.0-only
"""
The host of a virtual function grants exclusive access only after 20 seconds.

The driver asks again after 15. S3 twice, as the first has to be waited for on the way
up only. no_console_suspend: not used.
"""

from model import ModelSetup

SETUP = ModelSetup(model=('--vf', '--partition', 'CPX', '--fault-later', 'host-late=20'))


def story(vm):
    vm.power_on_with_driver()
    vm.use_gpu()
    for way in (vm.suspend_and_wake_with_fault, vm.suspend_and_wake):
        way()
        vm.expect_gpu_came_back()
