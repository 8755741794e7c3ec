# SPDX-License-Identifier: GPL-2.0-only
"""
Suspend to idle: virtio-pci resets the device here as well.

no_console_suspend: not used.
"""

DEVICES = ('virtio-gpu', 'qxl')


def story(vm):
    vm.power_on()
    vm.draw_desktop()
    vm.suspend_to_idle()
    vm.expect_same_picture()
