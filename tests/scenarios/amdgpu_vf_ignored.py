# SPDX-License-Identifier: GPL-2.0-only
"""
The host of a virtual function ignores five requests for exclusive access.

That is as often as the driver asks, for more than a minute. A resume is tried once
more, and a suspend is refused with the GPU as it was. no_console_suspend: not used.
"""

from model import FAULTY, ModelSetup

SETUP = ModelSetup(model=('--vf', '--partition', 'CPX', '--fault-later', 'host-ignores=5'),
                   expected_log=FAULTY + (
                       ('PM: Some devices failed to suspend', 'the PM core'),))


def story(vm):
    vm.power_on_with_driver()
    vm.use_gpu()
    vm.suspend_and_wake_with_fault()
    vm.expect_gpu_came_back()

    vm.inject()
    vm.expect_suspend_refused('ETIME')
    vm.expect_gpu()
    vm.suspend_and_wake()
    vm.expect_gpu_came_back()
