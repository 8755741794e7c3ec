# SPDX-License-Identifier: GPL-2.0-only
"""
systemctl hybrid-sleep, woken, and once more with QEMU ended while it sleeps.

The same picture both times: first from memory, then from the image in another QEMU.
"""

from machine import Setup

SETUP = Setup(machine='pc')


def story(vm):
    vm.power_on()
    vm.start_desktop('weston')
    vm.remember_picture()
    vm.sleep('systemctl hybrid-sleep')
    vm.wake()
    vm.expect_same_picture()
    vm.sleep('systemctl hybrid-sleep')
    vm.destroy()
    vm.power_on_again()
    vm.expect_same_picture()
    vm.expect_typing_draws()
