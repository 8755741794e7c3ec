# SPDX-License-Identifier: GPL-2.0-only
"""
Sway switched the screen off before the guest hibernates: it stays off, then comes back.

Xorg would prove less: it switches the screen on by itself when it gets its VT back.
"""


def sway(vm, command):
    vm.run(f'swaymsg -s $(ls /run/user/*/sway-ipc.*.sock) "{command}"')


def story(vm):
    vm.power_on()
    vm.start_desktop('sway')
    # a window that got its VT back while the screen was off has not got the keyboard
    sway(vm, 'output * power off')
    vm.wait_for_black()
    vm.run('chvt 1; sleep 2; chvt 7')
    sway(vm, 'output * power on')
    vm.remember_picture()
    sway(vm, 'output * power off')
    vm.wait_for_black()
    vm.hibernate_and_power_on_again()
    vm.expect(vm.at_rest().is_black(), 'the screen was switched on by itself')
    sway(vm, 'output * power on')
    vm.expect_same_picture()
    sway(vm, '[app_id=foot] floating toggle')
    vm.expect(vm.at_rest() != vm.remembered(), 'sway does not go on')
