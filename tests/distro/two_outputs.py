# SPDX-License-Identifier: GPL-2.0-only
"""Two monitors: both pictures are the same after systemctl hibernate."""

from machine import Setup

SETUP = Setup(outputs=((1280, 800), (1024, 768)))


def story(vm):
    vm.power_on()
    vm.start_desktop('weston')
    vm.remember_picture()
    vm.hibernate_and_power_on_again()
    vm.expect_same_picture()
    vm.expect_typing_draws()
