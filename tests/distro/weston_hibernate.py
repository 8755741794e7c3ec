# SPDX-License-Identifier: GPL-2.0-only
"""Weston, and systemctl hibernate: the same picture in another QEMU, and it goes on."""


def story(vm):
    vm.power_on()
    vm.expect(vm.driver_is_ours(), 'the driver in use is not that of the package')
    said = vm.run('drm-virt-pm-check')
    vm.expect('This guest would hibernate.' in said, said)
    vm.start_desktop('weston')
    vm.remember_picture()
    vm.hibernate_and_power_on_again()
    vm.expect_same_picture()
    vm.expect_typing_draws()
