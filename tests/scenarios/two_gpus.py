# SPDX-License-Identifier: GPL-2.0-only
"""
Two GPUs, each with a picture and a cursor of its own, over S3 and over S4.

Each is reset on its own, and what one host knows says nothing about the other.
no_console_suspend: not used.
"""

from vm import Setup

DEVICES = ('virtio-gpu', 'qxl')
SETUP = Setup(cpus=2, more_gpus=(('virtio-gpu-pci', (800, 600)),))


def story(vm):
    vm.power_on()
    vm.draw_desktop()
    vm.suspend_and_wake()
    vm.expect_same_picture()

    vm.hibernate_and_power_on_again()
    vm.expect_same_picture()
