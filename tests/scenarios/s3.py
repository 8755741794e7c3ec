# SPDX-License-Identifier: GPL-2.0-only
"""
S3: suspend to RAM, woken by the host; QEMU resets the GPU on the way.

no_console_suspend: not used.
"""

DEVICES = ('virtio-gpu', 'qxl')


def story(vm):
    vm.power_on()
    vm.draw_desktop()
    vm.suspend_and_wake()
    vm.expect_same_picture()
