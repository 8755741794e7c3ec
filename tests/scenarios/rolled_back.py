# SPDX-License-Identifier: GPL-2.0-only
"""
Another device fails after the GPU was suspended: in freeze, in poweroff, in S3.

Each time the write to /sys/power/state must fail, the GPU must come back with
its picture although nobody powered off, and nothing may be left that keeps the
next try from working. The failure in poweroff comes after the image was
written and thawed: the GPU is reset a second time in one hibernation.
no_console_suspend: not used.
"""

from vm import Setup

DEVICES = ('virtio-gpu', 'qxl')
SETUP = Setup(cpus=2, expected_log=(
    ('pm_fail.*: error -16$', 'the device that is made to fail'),
))


def story(vm):
    vm.power_on()
    vm.draw_desktop()

    vm.let_others_fail('freeze')
    vm.expect_hibernation_refused('EBUSY')
    vm.expect_same_picture()

    vm.let_others_fail('suspend')
    vm.expect_suspend_refused('EBUSY')
    vm.expect_same_picture()

    # a platform hibernation is the one that calls poweroff
    vm.let_others_fail('poweroff')
    vm.hibernate_but_stay_up('platform')
    vm.expect_same_picture()

    vm.let_others_fail('none')
    vm.hibernate_and_power_on_again()
    vm.expect_same_picture()
