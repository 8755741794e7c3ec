# SPDX-License-Identifier: GPL-2.0-only
"""
Four outputs, over S4; then a host that has only two, one of another size.

What is still there shows its picture, the rest is reported as unplugged, as a
monitor would be, and the host is not told of outputs that it does not have.
no_console_suspend: not used.
"""

from vm import Setup

SETUP = Setup(outputs=((640, 480), (800, 600), (320, 240), (1024, 768)))
FEWER = ((640, 480), (720, 400))


def story(vm):
    vm.power_on()
    vm.draw_desktop()
    vm.hibernate_and_power_on_again()
    vm.expect_same_picture()

    vm.hibernate_and_power_off()
    vm.change_outputs(FEWER)
    vm.power_on_again()
    vm.expect_same_picture()
    vm.expect_outputs([*FEWER, None, None])
