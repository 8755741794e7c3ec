# SPDX-License-Identifier: GPL-2.0-only
"""
The GPU is off the bus after S3, all of it reads as ones: it is given up.

This is what a physical function does that VFIO could not reset. The guest lives,
sleeps again, and the driver can be unbound. no_console_suspend: not used.
"""

from model import FAULTY, ModelSetup

SETUP = ModelSetup(model=('--fault-later', 'config-gone'), expected_log=FAULTY)


def story(vm):
    vm.power_on_with_driver('CPX')
    vm.use_gpu()
    vm.suspend_and_wake_with_fault()
    vm.expect_lost('not the device that was suspended', gone=True)
    vm.suspend_and_wake()
    vm.expect_lost(gone=True)
