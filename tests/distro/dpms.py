# SPDX-License-Identifier: GPL-2.0-only
"""
Sway switched the screen off before the guest hibernates: it stays off, then comes back.
"""


def sway(vm, command):
    vm.run(f'swaymsg -s $(ls /run/user/*/sway-ipc.*.sock) "{command}"')


def story(vm):
    vm.power_on()
    vm.start_desktop('sway')
    vm.remember_picture()
    sway(vm, 'output * power off')
    vm.wait_for_black()
    vm.hibernate_and_power_on_again()
    vm.expect(vm.at_rest().is_black(), 'the screen was switched on by itself')
    sway(vm, 'output * power on')
    vm.expect_same_picture()
    vm.expect_typing_draws()
