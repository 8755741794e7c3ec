# SPDX-License-Identifier: GPL-2.0-only
"""
Hibernation while a text console is shown and weston is on another VT, and back.

Then the other way round: hibernated on weston's VT, switched away and back.
"""


def story(vm):
    vm.power_on()
    vm.start_desktop('weston')
    vm.remember_picture()
    # the kernel's own lines about the hibernation would change the picture
    vm.run('dmesg -n 1; chvt 1')
    console = vm.at_rest()
    vm.hibernate_and_power_on_again()
    vm.expect_same_picture([console])
    vm.run('chvt 7')
    vm.expect_same_picture()
    vm.hibernate_and_power_on_again()
    vm.run('chvt 1; sleep 2; chvt 7')
    vm.expect_same_picture()
    vm.expect_typing_draws()
