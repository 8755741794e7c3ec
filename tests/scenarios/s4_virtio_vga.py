# SPDX-License-Identifier: GPL-2.0-only
"""
S4 on virtio-vga: the same GPU behind a VGA-compatible PCI function.

no_console_suspend: not used.
"""

from vm import Setup

SETUP = Setup(device='virtio-vga')


def story(vm):
    vm.power_on()
    vm.draw_desktop()
    vm.hibernate_and_power_on_again()
    vm.expect_same_picture()
