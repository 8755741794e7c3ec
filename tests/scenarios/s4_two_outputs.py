# SPDX-License-Identifier: GPL-2.0-only
"""
S4 with two outputs of different size, each with a picture and a cursor.

no_console_suspend: not used.
"""

from vm import Setup

DEVICES = ('virtio-gpu', 'qxl')
SETUP = Setup(outputs=((640, 480), (800, 600)))


def story(vm):
    vm.power_on()
    vm.draw_desktop()
    vm.hibernate_and_power_on_again()
    vm.expect_same_picture()
