# SPDX-License-Identifier: GPL-2.0-only
"""Sway with pixman, and systemctl hibernate: the same picture, and it goes on."""


def story(vm):
    vm.power_on()
    vm.start_desktop('sway')
    vm.remember_picture()
    vm.hibernate_and_power_on_again()
    vm.expect_same_picture()
    vm.expect_typing_draws()
