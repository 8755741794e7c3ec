# SPDX-License-Identifier: GPL-2.0-only
"""
virtio-mmio instead of PCI, in the machine that has it: S4 and suspend to idle.

There is no S3 on it. no_console_suspend: not used.
"""

from vm import Setup

SETUP = Setup(machine='microvm,acpi=on,rtc=on', device='virtio-gpu-device')


def story(vm):
    vm.power_on()
    vm.draw_desktop()
    vm.hibernate_and_power_on_again()
    vm.expect_same_picture()

    vm.suspend_to_idle()
    vm.expect_same_picture()
