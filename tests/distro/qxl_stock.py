# SPDX-License-Identifier: GPL-2.0-only
"""
Weston on a qxl, and systemctl hibernate, with Debian's own driver: no picture.

It comes with the next thing that is drawn, so nothing is typed. The dark screen has to be
seen, else qxl_hibernate proves nothing.
"""

from machine import Setup

SETUP = Setup(package=False, device='qxl-vga', outputs=((1024, 768),))


def story(vm):
    vm.power_on()
    vm.expect(not vm.driver_is_ours(), 'this is not the stock driver')
    vm.start_desktop('weston')
    vm.remember_picture()
    vm.hibernate_and_power_on_again()
    vm.expect_no_picture(typed=None)
    vm.expect_typing_draws()
