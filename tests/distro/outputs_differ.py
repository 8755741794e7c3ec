# SPDX-License-Identifier: GPL-2.0-only
"""
Two monitors, then one, then two: the guest is resumed with another number of them.

Each one that is there shows what it did before.
"""

from machine import Setup

SETUP = Setup(outputs=((1280, 800), (1024, 768)))


def story(vm):
    vm.power_on()
    vm.start_desktop('weston')
    vm.remember_picture()
    vm.hibernate()
    vm.power_on_again(monitors=1)
    vm.expect_same_picture(heads=(0,))
    vm.hibernate()
    vm.power_on_again()
    vm.expect_same_picture()
    vm.expect_typing_draws()
