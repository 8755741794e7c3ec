# SPDX-License-Identifier: GPL-2.0-only
"""
The rings answer after S3, but indirect buffers are not executed: the GPU is given up.

amdgpu only logs such a failure, and clients would wait for work that is never done.
The guest lives, sleeps again, and the driver can be unbound.
no_console_suspend: not used.
"""

from model import FAULTY, ModelSetup

SETUP = ModelSetup(model=('--fault-later', 'ib-lost=sdma0'), expected_log=FAULTY)


def story(vm):
    vm.power_on_with_driver('CPX')
    vm.use_gpu()
    vm.suspend_and_wake_with_fault()
    vm.expect_lost('an IB test failed')
    vm.suspend_and_wake()
    vm.expect_lost()
