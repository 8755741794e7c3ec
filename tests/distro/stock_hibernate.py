# SPDX-License-Identifier: GPL-2.0-only
"""
Weston, and systemctl hibernate, with Debian's own driver: the screen stays dark.

This is the failure that the package is against. It has to be seen, else the stories
with the package prove nothing.
"""

from machine import Setup

SETUP = Setup(package=False)


def story(vm):
    vm.power_on()
    vm.expect(not vm.driver_is_ours(), 'this is not the stock driver')
    vm.start_desktop('weston')
    vm.remember_picture()
    vm.hibernate_and_power_on_again()
    vm.expect_no_picture()
