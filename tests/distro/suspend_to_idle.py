# SPDX-License-Identifier: GPL-2.0-only
"""Suspend to idle, woken by the real-time clock: the same picture."""


def story(vm):
    vm.power_on()
    vm.start_desktop('weston')
    vm.remember_picture()
    epoch = vm.account().epoch
    vm.run('rtcwake -m freeze -s 15')
    vm.expect(vm.account().epoch > epoch, 'the GPU was not suspended')
    vm.expect_same_picture()
    vm.expect_typing_draws()
