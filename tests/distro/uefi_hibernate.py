# SPDX-License-Identifier: GPL-2.0-only
"""
UEFI firmware (OVMF) and a virtio-vga, which the kernel shows on by efifb first.

The same picture after systemctl hibernate, and it goes on.
"""

from machine import Setup

SETUP = Setup(uefi=True, device='virtio-vga')


def story(vm):
    vm.power_on()
    vm.run('test -d /sys/firmware/efi')
    vm.start_desktop('weston')
    vm.remember_picture()
    vm.hibernate_and_power_on_again()
    vm.expect_same_picture()
    vm.expect_typing_draws()
