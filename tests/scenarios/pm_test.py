# SPDX-License-Identifier: GPL-2.0-only
"""
Each level of pm_test, for S3 and for S4, from the freezer to the last step.

At "freezer" the GPU is not touched, from "devices" on it is frozen and comes back,
after that with the firmware's part of it, with the second CPU taken down, and with
what the kernel does last. no_console_suspend: not used.
"""

from vm import Setup

DEVICES = ('virtio-gpu', 'qxl')
SETUP = Setup(cpus=2)


def story(vm):
    vm.power_on()
    vm.draw_desktop()
    for level in ('freezer', 'devices', 'platform', 'processors', 'core'):
        for state in ('mem', 'disk'):
            vm.sleep_up_to(level, state)
            vm.expect_same_picture()
