# SPDX-License-Identifier: GPL-2.0-only
"""
A second S4 after the first: three QEMU processes, each with a new GPU.

What came back the first time must be lost and come back again; so must what
was made in between. no_console_suspend: not used.
"""

DEVICES = ('virtio-gpu', 'qxl')


def story(vm):
    guest = vm.power_on()
    vm.draw_desktop()
    vm.hibernate_and_power_on_again()
    vm.expect_same_picture()

    between = guest.create(1, *guest.outputs[0])[0]
    guest.flip(0, between)
    vm.hibernate_and_power_on_again()
    vm.expect_same_picture()
