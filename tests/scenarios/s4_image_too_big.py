# SPDX-License-Identifier: GPL-2.0-only
"""
A hibernation that fails when the image is written: the swap is too small.

By then the GPU was reset once already. Writing to /sys/power/state must give
ENOSPC and the guest goes on with all it had. no_console_suspend: not used.
"""

from vm import Setup

DEVICES = ('virtio-gpu', 'qxl')
SETUP = Setup(swap=4)


def story(vm):
    vm.power_on()
    vm.draw_desktop()
    vm.expect_hibernation_refused('ENOSPC')
    vm.expect_same_picture()
