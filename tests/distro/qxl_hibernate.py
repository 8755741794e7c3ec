# SPDX-License-Identifier: GPL-2.0-only
"""Weston on a qxl, and systemctl hibernate: the same picture, and it goes on."""

from machine import Setup

SETUP = Setup(device='qxl-vga', outputs=((1024, 768),))


def story(vm):
    vm.power_on()
    vm.expect(vm.driver_is_ours(), 'the driver in use is not that of the package')
    vm.start_desktop('weston')
    vm.remember_picture()
    vm.hibernate_and_power_on_again()
    vm.expect_same_picture()
    vm.expect_typing_draws()
