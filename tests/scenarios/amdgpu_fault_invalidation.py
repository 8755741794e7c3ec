# SPDX-License-Identifier: GPL-2.0-only
"""
TLB invalidations are not acknowledged after S3: the GPU is given up, nothing hangs.

Upstream's resume goes on with a NULL pointer. The guest lives, sleeps again,
and the driver can be unbound. no_console_suspend: not used.
"""

from model import FAULTY, ModelSetup

SETUP = ModelSetup(model=('--fault-later', 'invalidate-never-acked'), expected_log=FAULTY)


def story(vm):
    vm.power_on_with_driver('CPX')
    vm.use_gpu()
    vm.suspend_and_wake_with_fault()
    vm.expect_lost()
    vm.suspend_and_wake()
    vm.expect_lost()
