# SPDX-License-Identifier: GPL-2.0-only
"""
PSP does not answer when firmware is loaded after S3: a bounded wait, then given up.

The guest lives, sleeps again, and the driver can be unbound.
no_console_suspend: not used.
"""

from model import FAULTY, ModelSetup

SETUP = ModelSetup(model=('--fault-later', 'psp-silent=load-firmware'), expected_log=FAULTY)


def story(vm):
    vm.power_on_with_driver('CPX')
    vm.use_gpu()
    vm.suspend_and_wake_with_fault()
    vm.expect_lost()
    vm.suspend_and_wake()
    vm.expect_lost()
