# SPDX-License-Identifier: GPL-2.0-only
"""
Sway switched the screen off before the guest hibernates: it stays off, then comes back.

Xorg would prove less: it switches the screen on by itself when it gets its VT back.
"""

SWITCH = 'swaymsg -s $(ls /run/user/*/sway-ipc.*.sock) "output * power {}"'


def story(vm):
    vm.power_on()
    vm.start_desktop('sway')
    vm.remember_picture()
    vm.run(SWITCH.format('off'))
    vm.wait_for_black()
    vm.hibernate_and_power_on_again()
    vm.expect(vm.at_rest().is_black(), 'the screen was switched on by itself')
    vm.run(SWITCH.format('on'))
    vm.expect_same_picture()
    vm.expect_typing_draws()
