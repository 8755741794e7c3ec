# SPDX-License-Identifier: GPL-2.0-only
"""
PSP refuses the firmware of a virtual function after S3, twice: the GPU is given up.

The driver exchanges data with the host in VRAM every second, which must have ended. The
second try asks the host for access once. no_console_suspend: not used.
"""

from model import FAULTY, ModelSetup

SETUP = ModelSetup(model=('--vf', '--partition', 'CPX', '--fault-later',
                          'psp-refuses=load-firmware'), expected_log=FAULTY)


def story(vm):
    vm.power_on_with_driver()
    vm.use_gpu()
    vm.suspend_and_wake_with_fault()
    vm.expect_lost()
    # an exchange that goes on comes after 1000 jiffies, which are 4 s here
    vm.guest.do('sleep 5000')
    vm.expect(not vm.events().named('vf-order'), 'a message to the host was not due')
