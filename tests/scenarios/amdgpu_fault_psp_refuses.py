# SPDX-License-Identifier: GPL-2.0-only
"""
PSP refuses the partition mode after S3: the GPU is given up, the guest lives.

It sleeps again, also to disk and back, and the driver can be unbound.
no_console_suspend: not used.
"""

from model import FAULTY, ModelSetup

SETUP = ModelSetup(model=('--fault-later', 'psp-refuses=partition'), expected_log=FAULTY)


def story(vm):
    vm.power_on_with_driver('CPX')
    vm.use_gpu()
    vm.suspend_and_wake_with_fault()
    vm.expect_lost()
    vm.hibernate_and_power_on_again()
    vm.expect_lost()
