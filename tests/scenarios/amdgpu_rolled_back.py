# SPDX-License-Identifier: GPL-2.0-only
"""
Another device fails after amdgpu was suspended: in freeze, in S3, in poweroff.

The GPU must come back each time, in the mode it was in and with its fault
interrupt armed, and the next hibernation must work. no_console_suspend: not used.
"""

from model import ModelSetup

SETUP = ModelSetup(expected_log=(
    ('pm_fail.*: error -16$', 'the device that is made to fail'),
))


def story(vm):
    vm.power_on_with_driver('DPX')
    vm.use_gpu()

    vm.let_others_fail('freeze')
    vm.expect_hibernation_refused('EBUSY')
    vm.expect_gpu_came_back()

    vm.let_others_fail('suspend')
    vm.expect_suspend_refused('EBUSY')
    vm.expect_gpu_came_back()

    # a platform hibernation is the one that calls poweroff
    vm.let_others_fail('poweroff')
    vm.hibernate_but_stay_up('platform')
    vm.expect_gpu_came_back()

    vm.let_others_fail('none')
    vm.hibernate_and_power_on_again()
    vm.expect_gpu_came_back()
