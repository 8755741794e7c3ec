# SPDX-License-Identifier: GPL-2.0-only
"""
S4 with guest blobs: dumb buffers are blobs too on a device that has them.

Skipped where the host has no /dev/udmabuf or QEMU refuses blob=on.
no_console_suspend: not used.
"""

import os

import qemu
from verdict import Skip
from vm import Setup

SETUP = Setup(device_options='blob=on')


def story(vm):
    if not os.path.exists('/dev/udmabuf'):
        raise Skip('this host has no /dev/udmabuf')
    why = qemu.refuses('virtio-gpu-pci,blob=on')
    if why:
        raise Skip(f'QEMU refuses blob=on: {why}')
    guest = vm.power_on()
    vm.draw_desktop()
    guest.create(2, *guest.outputs[0], kind='blob')
    vm.hibernate_and_power_on_again()
    vm.expect_same_picture()
