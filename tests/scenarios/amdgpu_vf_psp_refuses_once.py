# SPDX-License-Identifier: GPL-2.0-only
"""
PSP refuses a firmware of a virtual function after S3 once: the second try has it back.

Its host resets it then, as the driver asks for access with its first one still there.
no_console_suspend: not used.
"""

from model import FAULTY, ModelSetup

SETUP = ModelSetup(model=('--vf', '--partition', 'CPX', '--fault-later',
                          'psp-refuses-once=load-firmware'), expected_log=FAULTY)


def story(vm):
    vm.power_on_with_driver()
    vm.use_gpu()
    vm.suspend_and_wake_with_fault()
    vm.expect_gpu_came_back()
    vm.expect(vm.events().named('reset', by='host'), 'the host did not reset it')
