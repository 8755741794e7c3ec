# SPDX-License-Identifier: GPL-2.0-only
"""
S4: hibernate, power off, and go on in another QEMU process.

The first process must end because the guest powered off. The second one starts
with a GPU that knows nothing. no_console_suspend: not used.
"""

from vm import Setup

DEVICES = ('virtio-gpu', 'qxl')
SETUP = Setup(cpus=2)


def story(vm):
    vm.power_on()
    vm.draw_desktop()
    vm.hibernate_and_power_on_again()
    vm.expect_same_picture()
